//! One vector of an instruction set, as the algorithms see it.

mod portable;
pub(crate) use portable::{PortableF32, PortableF64};
#[cfg(target_arch = "x86_64")]
mod avx2;
#[cfg(target_arch = "x86_64")]
mod avx512;
#[cfg(target_arch = "x86_64")]
pub(crate) use {avx2::Avx2, avx512::Avx512};
#[cfg(all(target_arch = "aarch64", target_feature = "neon"))]
mod neon;
#[cfg(all(target_arch = "aarch64", target_feature = "neon"))]
pub(crate) use neon::Neon;
#[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
mod wasm;
#[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
pub(crate) use wasm::Simd128;

use crate::Element;

/// A register full of elements and what the kernels do with it.
///
/// A value is the proof that its instructions exist: arithmetic on values is safe. What makes one of something else is
/// unsafe, and may only be called where the instructions exist, which [`crate::InstructionSet`] vouches for. So is what
/// takes a pointer: it needs as many valid elements behind it as it touches, no alignment.
///
/// # Safety
/// The methods are the instructions of one set; nothing but the unsafe methods makes a value.
pub unsafe trait Vector: Copy {
    /// What a lane holds.
    type Element: Element;
    /// Elements in a register.
    const LANES: usize;
    /// Registers that the instruction set has; decides how large a tile of accumulators may be.
    const REGISTERS: usize;

    /// The same value in every lane.
    unsafe fn splat(value: Self::Element) -> Self;
    /// Reads [`Self::LANES`] elements.
    unsafe fn load(from: *const Self::Element) -> Self;
    /// Writes [`Self::LANES`] elements.
    unsafe fn store(self, to: *mut Self::Element);
    /// Reads the first `count` ≤ [`Self::LANES`] elements; the other lanes are zero.
    unsafe fn load_first(from: *const Self::Element, count: usize) -> Self;
    /// Writes the first `count` ≤ [`Self::LANES`] lanes.
    unsafe fn store_first(self, to: *mut Self::Element, count: usize);

    /// `self + other`.
    fn add(self, other: Self) -> Self;
    /// `self − other`.
    fn sub(self, other: Self) -> Self;
    /// `self · other`.
    fn mul(self, other: Self) -> Self;
    /// `self / other`.
    fn div(self, other: Self) -> Self;
    /// √self.
    fn sqrt(self) -> Self;
    /// `self · other + sum`, rounded once where the instruction set can.
    fn mul_add(self, other: Self, sum: Self) -> Self;
    /// Lane by lane `if condition_left <= condition_right { self } else { other }`; `other` where either is NaN.
    fn select_less_equal(self, other: Self, condition_left: Self, condition_right: Self) -> Self;
    /// Writes the first `count` lanes as bytes; each lane is a whole number of 0..=255.
    unsafe fn store_bytes(self, to: *mut u8, count: usize);
    /// Reads the first `count` bytes, one a lane; the other lanes are zero.
    unsafe fn load_bytes(from: *const u8, count: usize) -> Self;
    /// The nearest whole number in each lane.
    fn round(self) -> Self;
    /// 2ⁿ for whole n that keep the result a normal number.
    fn power_of_two(self) -> Self;

    /// Lane by lane `self` where `left` equals `right`, else zero.
    #[inline(always)]
    fn where_equal(self, left: Self, right: Self) -> Self {
        let zero = self.like(Self::Element::ZERO);
        self.select_less_equal(zero, left, right).select_less_equal(zero, right, left)
    }
    /// Lane by lane `(right, right_tag)` where `right` is larger than `self` or NaN, else `(self, tag)`; a NaN in `self`
    /// stays.
    #[inline(always)]
    fn larger(self, tag: Self, right: Self, right_tag: Self) -> (Self, Self) {
        let larger = self.select_less_equal(right, right, self);
        let tagged = tag.select_less_equal(right_tag, right, self);
        // Equal to itself: no NaN.
        (larger.select_less_equal(self, self, self), tagged.select_less_equal(tag, self, self))
    }
    /// Which of 64 bytes are `value`: bit i stands for byte i.
    #[inline(always)]
    unsafe fn equal_bytes(from: *const u8, value: u8) -> u64 {
        const LOW: u64 = u64::from_ne_bytes([0x7f; 8]);
        let mut mask = 0;
        for word in 0..8 {
            // SAFETY: the caller's promise.
            let bytes = unsafe { from.add(8 * word).cast::<[u8; 8]>().read() };
            let different = u64::from_le_bytes(bytes) ^ u64::from_ne_bytes([value; 8]);
            // The high bit of each byte that is zero; the product moves bit 8·i of the ones to bit 56 + i.
            let zeros = !(((different & LOW) + LOW) | different | LOW) >> 7;
            mask |= (zeros.wrapping_mul(0x0102_0408_1020_4080) >> 56) << (8 * word);
        }
        mask
    }

    /// Writes a square of [`Self::LANES`] rows, each `from_stride` elements after the one before, as columns; the strides
    /// count elements.
    #[inline(always)]
    unsafe fn transpose(
        from: *const Self::Element,
        from_stride: usize,
        to: *mut Self::Element,
        to_stride: usize,
    ) {
        for row in 0..Self::LANES {
            for column in 0..Self::LANES {
                // SAFETY: the caller's promise.
                unsafe { *to.add(column * to_stride + row) = *from.add(row * from_stride + column) }
            }
        }
    }

    /// 0 in every lane.
    #[inline(always)]
    unsafe fn zero() -> Self {
        // SAFETY: the caller's promise.
        unsafe { Self::splat(Self::Element::ZERO) }
    }

    /// The same value in every lane of another vector.
    #[inline(always)]
    fn like(self, value: Self::Element) -> Self {
        // SAFETY: there is a vector, so its instructions exist.
        unsafe { Self::splat(value) }
    }

    /// The larger of each lane's pair; NaN where `self` is NaN.
    #[inline(always)]
    fn maximum(self, other: Self) -> Self {
        other.select_less_equal(self, self, other)
    }

    /// The smaller of each lane's pair; NaN where `self` is NaN.
    #[inline(always)]
    fn minimum(self, other: Self) -> Self {
        other.select_less_equal(self, other, self)
    }
}
