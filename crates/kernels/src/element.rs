//! The number types that the kernels compute with.

use crate::{
    dispatch::{InstructionSet, Kernel},
    gelu,
};
use std::fmt::{Debug, Display};
use std::iter::Sum;
use std::ops::{Add, AddAssign, Div, Mul, MulAssign, Neg, Sub, SubAssign};

mod sealed {
    /// Unsafe code relies on what an [`Element`](super::Element) is: any bytes are a valid one, none needs to be dropped, and
    /// the vectors hold it. So there are these two, and no crate can add another.
    pub trait Sealed {}
    impl Sealed for f32 {}
    impl Sealed for f64 {}
}

/// `f32`, which trains, or `f64`, which checks it; sealed.
pub trait Element:
    sealed::Sealed
    + Copy
    + Debug
    + Default
    + Display
    + PartialOrd
    + Send
    + Sync
    + Add<Output = Self>
    + AddAssign
    + Div<Output = Self>
    + Mul<Output = Self>
    + MulAssign
    + Neg<Output = Self>
    + Sub<Output = Self>
    + SubAssign
    + Sum
    + 'static
{
    /// 0.
    const ZERO: Self;
    /// 1.
    const ONE: Self;
    /// ln 2 in two parts; the first has so few digits that its product with any exponent of this type is exact.
    #[doc(hidden)]
    const LN_2_PARTS: [Self; 2];
    /// Terms of the Taylor series of eˣ − 1 after which the remainder for |x| ≤ ½ ln 2 is below half a unit.
    #[doc(hidden)]
    const EXPONENTIAL_TERMS: usize;
    /// Largest |x| of which the vector kernels take eˣ; beyond it they saturate.
    #[doc(hidden)]
    const EXPONENTIAL_LIMIT: Self;
    /// Largest |x| of which the vector kernels take the normal distribution: its tail there is nearly the smallest
    /// number whose products are still normal ones.
    #[doc(hidden)]
    const NORMAL_LIMIT: Self;
    /// A power of two: up to the limit above, the square of x rounded to a multiple of its inverse is exact.
    #[doc(hidden)]
    const NORMAL_SPLIT: Self;
    /// The polynomial of `gelu.rs`, highest power first.
    #[doc(hidden)]
    const NORMAL_TAIL: &'static [Self];
    /// The nearest value of this type.
    fn from_f64(value: f64) -> Self;
    /// The same value as `f64`.
    fn to_f64(self) -> f64;
    /// eˣ.
    fn exp(self) -> Self;
    /// ln x.
    fn ln(self) -> Self;
    /// √x.
    fn sqrt(self) -> Self;
    /// Whether it is no number.
    fn is_nan(self) -> bool;
    /// Runs a kernel with this type's vectors of the given instruction set.
    #[doc(hidden)]
    fn dispatch<K: Kernel<Self>>(set: InstructionSet, kernel: K) -> K::Output;
}

/// The elementary functions are those of the `libm` crate, the same bits on every platform.
macro_rules! float_methods {
    ($exponential:path, $logarithm:path) => {
        const ZERO: Self = 0.0;
        const ONE: Self = 1.0;
        fn from_f64(value: f64) -> Self {
            value as Self
        }
        fn to_f64(self) -> f64 {
            f64::from(self)
        }
        fn exp(self) -> Self {
            $exponential(self)
        }
        fn ln(self) -> Self {
            $logarithm(self)
        }
        fn sqrt(self) -> Self {
            self.sqrt()
        }
        fn is_nan(self) -> bool {
            self.is_nan()
        }
    };
}

impl Element for f32 {
    const LN_2_PARTS: [Self; 2] = [0.693_359_4, -2.121_944_4e-4];
    const EXPONENTIAL_TERMS: usize = 7;
    const EXPONENTIAL_LIMIT: Self = 87.0;
    const NORMAL_LIMIT: Self = 12.8;
    const NORMAL_SPLIT: Self = 256.0;
    const NORMAL_TAIL: &'static [Self] = &gelu::TAIL_F32;
    float_methods!(libm::expf, libm::logf);
    fn dispatch<K: Kernel<Self>>(set: InstructionSet, kernel: K) -> K::Output {
        set.run_f32(kernel)
    }
}

impl Element for f64 {
    const LN_2_PARTS: [Self; 2] = [0.693_145_751_953_125, 1.428_606_820_309_417_2e-6];
    const EXPONENTIAL_TERMS: usize = 13;
    const EXPONENTIAL_LIMIT: Self = 708.0;
    const NORMAL_LIMIT: Self = 37.0;
    const NORMAL_SPLIT: Self = 1_048_576.0;
    const NORMAL_TAIL: &'static [Self] = &gelu::TAIL_F64;
    float_methods!(libm::exp, libm::log);
    fn dispatch<K: Kernel<Self>>(_set: InstructionSet, kernel: K) -> K::Output {
        InstructionSet::run_f64(kernel)
    }
}
