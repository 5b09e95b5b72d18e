//! What the tests of all kernels share: numbers, slices between guards, and comparisons that name what differs.

pub mod problem;
#[cfg(target_family = "wasm")]
pub mod wasm;

use kernels::{Element, InstructionSet};
use std::fmt::{Debug, Display};
use std::ops::{Deref, DerefMut};

/// An element type with what a comparison needs to know of it.
pub trait Number: Element {
    /// Distance from 1 to the next number: twice the largest relative error of a rounding.
    const EPSILON: f64;
    /// The smallest normal number: an error below it says nothing about the arithmetic.
    const SMALLEST_NORMAL: f64;
    const NAN: Self;
    const INFINITY: Self;
    fn bits(self) -> u64;
    /// The next number above.
    fn next_up(self) -> Self;
}

impl Number for f32 {
    const EPSILON: f64 = f32::EPSILON as f64;
    const SMALLEST_NORMAL: f64 = f32::MIN_POSITIVE as f64;
    const NAN: Self = f32::NAN;
    const INFINITY: Self = f32::INFINITY;
    fn bits(self) -> u64 {
        self.to_bits().into()
    }
    fn next_up(self) -> Self {
        self.next_up()
    }
}

impl Number for f64 {
    const EPSILON: f64 = f64::EPSILON;
    const SMALLEST_NORMAL: f64 = f64::MIN_POSITIVE;
    const NAN: Self = f64::NAN;
    const INFINITY: Self = f64::INFINITY;
    fn bits(self) -> u64 {
        self.to_bits()
    }
    fn next_up(self) -> Self {
        self.next_up()
    }
}

/// The largest relative error of a rounding, and of one of the f64 reference beside it.
pub fn rounding<E: Number>() -> f64 {
    0.5 * E::EPSILON + 0.5 * f64::EPSILON
}

/// |found − expected| in units of the last place that the type has at `expected`.
pub fn units<E: Number>(found: E, expected: f64) -> f64 {
    let magnitude = E::from_f64(expected.abs());
    (found.to_f64() - expected).abs() / (magnitude.next_up().to_f64() - magnitude.to_f64())
}

/// Calls `$check::<f32>(set)` for every instruction set of the machine and `$check::<f64>(portable)`.
macro_rules! on_every_set {
    ($check:ident) => {
        for set in kernels::InstructionSet::available() {
            $check::<f32>(set);
            #[cfg(target_family = "wasm")]
            crate::common::wasm::count(set.name());
        }
        $check::<f64>(kernels::InstructionSet::PORTABLE);
    };
}
pub(crate) use on_every_set;

/// A deterministic source of numbers: SplitMix64 (Steele, Lea and Flood, 2014).
pub struct Random(u64);

impl Random {
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    pub fn below(&mut self, limit: usize) -> usize {
        (self.next() % limit as u64) as usize
    }

    /// Numbers of −1..1.
    pub fn reals<E: Number>(&mut self, count: usize) -> Vec<E> {
        (0..count).map(|_| E::from_f64((self.next() >> 11) as f64 / (1u64 << 52) as f64 - 1.0)).collect()
    }

    /// Whole numbers of −limit..=limit: sums of their products are exact in any order, so that a kernel must return
    /// the very number.
    pub fn whole<E: Number>(&mut self, count: usize, limit: usize) -> Vec<E> {
        (0..count).map(|_| E::from_f64(self.below(2 * limit + 1) as f64 - limit as f64)).collect()
    }
}

/// What stands before and behind a slice that kernels must not leave.
pub trait Guard: Copy + Debug {
    /// Poisons every result that it enters.
    const READ: Self;
    /// An ordinary value: a NaN would survive being added to.
    const WRITTEN: Self;
    fn same(self, other: Self) -> bool;
}

impl Guard for u8 {
    const READ: Self = 0xA5;
    const WRITTEN: Self = 0xA5;
    fn same(self, other: Self) -> bool {
        self == other
    }
}

macro_rules! float_guard {
    ($float:ty) => {
        impl Guard for $float {
            const READ: Self = <$float>::NAN;
            const WRITTEN: Self = -7777.25;
            fn same(self, other: Self) -> bool {
                self.to_bits() == other.to_bits()
            }
        }
    };
}
float_guard!(f32);
float_guard!(f64);

/// Elements before and behind: more than a kernel's widest row of vectors.
const GUARDS: usize = 160;

/// A slice that begins at no particular alignment, between guards that are checked when it is dropped.
pub struct Guarded<T: Guard> {
    storage: Vec<T>,
    start: usize,
    length: usize,
    guard: T,
}

impl<T: Guard> Guarded<T> {
    fn new(values: &[T], offset: usize, guard: T) -> Self {
        let start = GUARDS + offset;
        let mut storage = vec![guard; start + values.len() + GUARDS];
        storage[start..][..values.len()].copy_from_slice(values);
        Self { storage, start, length: values.len(), guard }
    }

    /// A copy to read, `offset` elements off the allocation's alignment.
    pub fn input(values: &[T], offset: usize) -> Self {
        Self::new(values, offset, T::READ)
    }

    /// A copy that a kernel updates.
    pub fn output(values: &[T], offset: usize) -> Self {
        Self::new(values, offset, T::WRITTEN)
    }

    /// What a kernel overwrites, full of what must not come through.
    pub fn stale(length: usize, offset: usize) -> Self {
        Self::new(&vec![T::READ; length], offset, T::WRITTEN)
    }
}

impl<T: Guard> Deref for Guarded<T> {
    type Target = [T];
    fn deref(&self) -> &[T] {
        &self.storage[self.start..][..self.length]
    }
}

impl<T: Guard> DerefMut for Guarded<T> {
    fn deref_mut(&mut self) -> &mut [T] {
        &mut self.storage[self.start..][..self.length]
    }
}

impl<T: Guard> Drop for Guarded<T> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            return;
        }
        let inside = self.start..self.start + self.length;
        for (index, value) in self.storage.iter().enumerate() {
            assert!(
                inside.contains(&index) || value.same(self.guard),
                "element {} of a slice of {} was overwritten with {value:?}",
                index as isize - self.start as isize,
                self.length
            );
        }
    }
}

/// Asserts the very same bits, so that NaN equals itself and −0 is not 0.
pub fn assert_same_bits<E: Number>(found: &[E], expected: &[E], context: impl Display) {
    assert_eq!(found.len(), expected.len(), "{context}");
    for (index, (found, expected)) in found.iter().zip(expected).enumerate() {
        assert!(
            found.bits() == expected.bits(),
            "{context}: [{index}] is {found}, {expected} expected, to the bit"
        );
    }
}

/// Asserts the very number, which −0 and 0 share.
pub fn assert_exact<E: Number>(found: &[E], expected: &[f64], context: impl Display) {
    assert_eq!(found.len(), expected.len(), "{context}");
    for (index, (found, expected)) in found.iter().zip(expected).enumerate() {
        assert!(found.to_f64() == *expected, "{context}: [{index}] is {found}, exactly {expected} expected");
    }
}

/// A value computed in f64 and how far off the kernel may be.
#[derive(Debug, Clone, Copy, Default)]
pub struct Bounded {
    pub value: f64,
    pub error: f64,
}

/// Asserts |found − value| ≤ error, which no NaN satisfies.
pub fn assert_within<E: Number>(found: &[E], expected: &[Bounded], context: impl Display) {
    assert_eq!(found.len(), expected.len(), "{context}");
    for (index, (found, expected)) in found.iter().zip(expected).enumerate() {
        let off = (found.to_f64() - expected.value).abs();
        assert!(
            off <= expected.error + E::SMALLEST_NORMAL,
            "{context}: [{index}] is {found}, {} expected: off by {off:e} where {:e} is allowed",
            expected.value,
            expected.error
        );
    }
}

/// A sum as it is written down: value, Σ |summand| and their number, for the bound on the error of any order of additions.
#[derive(Debug, Clone, Copy, Default)]
pub struct Sum {
    pub value: f64,
    pub magnitude: f64,
    pub additions: usize,
}

impl Sum {
    pub fn add(&mut self, summand: f64) {
        self.value += summand;
        self.magnitude += summand.abs();
        self.additions += 1;
    }

    /// The error of n additions is at most about n · ½ε · Σ |summand|, and that of a rounded product one more ½ε.
    pub fn bounded<E: Number>(self) -> Bounded {
        // One part in a hundred for the products of roundings.
        let roundings = 1.01 * (self.additions + 1) as f64;
        Bounded { value: self.value, error: roundings * rounding::<E>() * self.magnitude }
    }
}

/// Sizes one below, at and above each multiple of `block` up to `blocks` of them, and 1.
pub fn around(block: usize, blocks: usize) -> Vec<usize> {
    let mut sizes: Vec<usize> =
        (1..=blocks).flat_map(|n| n * block - 1..=n * block + 1).filter(|size| *size > 0).collect();
    sizes.push(1);
    sizes.sort_unstable();
    sizes.dedup();
    sizes
}

/// dL/dx by differences of fourth order, (8(L(x + δ) − L(x − δ)) − (L(x + 2δ) − L(x − 2δ))) / 12δ, of each parameter.
pub fn differences(parameters: &[f64], mut loss: impl FnMut(&[f64]) -> f64) -> Vec<f64> {
    let delta = 1e-3;
    let mut at = parameters.to_vec();
    (0..parameters.len())
        .map(|index| {
            let mut moved = |by: f64| {
                at[index] = parameters[index] + by;
                let loss = loss(&at);
                at[index] = parameters[index];
                loss
            };
            let near = moved(delta) - moved(-delta);
            let far = moved(2.0 * delta) - moved(-2.0 * delta);
            (8.0 * near - far) / (12.0 * delta)
        })
        .collect()
}

/// Asserts that a gradient is the differences' to one part in ten million, plus the rounding of differences of a loss
/// of order 1 over 10⁻³.
pub fn assert_gradient(found: &[f64], expected: &[f64], context: impl Display) {
    assert_eq!(found.len(), expected.len(), "{context}");
    for (index, (found, expected)) in found.iter().zip(expected).enumerate() {
        let off = (found - expected).abs();
        assert!(
            off <= 1e-7 * expected.abs() + 1e-11,
            "{context}: [{index}] is {found}, differences give {expected}"
        );
    }
}

/// A line that names a failing case.
pub fn case<E: Number>(set: InstructionSet, what: impl Display) -> String {
    format!("{} {} {what}", set.name(), std::any::type_name::<E>())
}
