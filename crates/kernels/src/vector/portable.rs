//! Arrays that the compiler may turn into whatever vectors the target is sure to have.
//!
//! A product and a sum are rounded separately: without the instruction, a fused multiply-add is a library call.

#![allow(
    clippy::undocumented_unsafe_blocks,
    reason = "each block is one operation under the promise of `unsafe impl Vector`"
)]

use super::Vector;
use crate::Element;
use std::array::from_fn;

macro_rules! portable {
    ($name:ident, $element:ty, $bits:ty, $signed:ty, $lanes:literal, $mantissa:literal, $bias:literal) => {
        #[doc = concat!(stringify!($lanes), " lanes of `", stringify!($element), "` in an array.")]
        #[derive(Clone, Copy)]
        pub(crate) struct $name([$element; $lanes]);

        // SAFETY: plain Rust on an array; pointers are read and written within the trait's promise.
        unsafe impl Vector for $name {
            type Element = $element;
            const LANES: usize = $lanes;
            const REGISTERS: usize = 16;

            #[inline(always)]
            unsafe fn splat(value: $element) -> Self {
                Self([value; $lanes])
            }
            #[inline(always)]
            unsafe fn load(from: *const $element) -> Self {
                unsafe { Self(from.cast::<[$element; $lanes]>().read_unaligned()) }
            }
            #[inline(always)]
            unsafe fn store(self, to: *mut $element) {
                unsafe { to.cast::<[$element; $lanes]>().write_unaligned(self.0) }
            }
            #[inline(always)]
            unsafe fn load_first(from: *const $element, count: usize) -> Self {
                let mut lanes = [<$element>::ZERO; $lanes];
                unsafe { std::ptr::copy_nonoverlapping(from, lanes.as_mut_ptr(), count) };
                Self(lanes)
            }
            #[inline(always)]
            unsafe fn store_first(self, to: *mut $element, count: usize) {
                unsafe { std::ptr::copy_nonoverlapping(self.0.as_ptr(), to, count) }
            }
            #[inline(always)]
            fn add(self, other: Self) -> Self {
                Self(from_fn(|lane| self.0[lane] + other.0[lane]))
            }
            #[inline(always)]
            fn sub(self, other: Self) -> Self {
                Self(from_fn(|lane| self.0[lane] - other.0[lane]))
            }
            #[inline(always)]
            fn mul(self, other: Self) -> Self {
                Self(from_fn(|lane| self.0[lane] * other.0[lane]))
            }
            #[inline(always)]
            fn div(self, other: Self) -> Self {
                Self(from_fn(|lane| self.0[lane] / other.0[lane]))
            }
            #[inline(always)]
            fn sqrt(self) -> Self {
                Self(from_fn(|lane| self.0[lane].sqrt()))
            }
            #[inline(always)]
            fn mul_add(self, other: Self, sum: Self) -> Self {
                Self(from_fn(|lane| self.0[lane] * other.0[lane] + sum.0[lane]))
            }
            #[inline(always)]
            fn select_less_equal(self, other: Self, left: Self, right: Self) -> Self {
                Self(from_fn(|lane| if left.0[lane] <= right.0[lane] { self.0[lane] } else { other.0[lane] }))
            }
            #[inline(always)]
            unsafe fn store_bytes(self, to: *mut u8, count: usize) {
                for lane in 0..count {
                    unsafe { to.add(lane).write(self.0[lane] as u8) }
                }
            }
            #[inline(always)]
            unsafe fn load_bytes(from: *const u8, count: usize) -> Self {
                let mut lanes = [<$element>::ZERO; $lanes];
                for (lane, value) in lanes.iter_mut().enumerate().take(count) {
                    *value = <$element>::from(unsafe { from.add(lane).read() });
                }
                Self(lanes)
            }
            #[inline(always)]
            fn round(self) -> Self {
                // Adding 1.5·2^mantissa leaves no room for a fraction; the hardware rounds to nearest.
                let shift: $element = 1.5 * (1u64 << $mantissa) as $element;
                Self(from_fn(|lane| (self.0[lane] + shift) - shift))
            }
            #[inline(always)]
            fn power_of_two(self) -> Self {
                Self(from_fn(|lane| {
                    let biased = (self.0[lane] as $signed).wrapping_add($bias) as $bits;
                    <$element>::from_bits(biased << $mantissa)
                }))
            }
        }
    };
}

portable!(PortableF32, f32, u32, i32, 4, 23, 127);
portable!(PortableF64, f64, u64, i64, 4, 52, 1023);
