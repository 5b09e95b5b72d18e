//! Four float32 lanes: WebAssembly's 128-bit vectors.
//!
//! A module either contains these instructions or it does not: an engine refuses the whole module where it lacks them.
//! So the compiler's target features decide, not a question at run time. A product and a sum are rounded separately,
//! unless `relaxed-simd` is on as well; then the engine rounds once or twice, as its processor does it faster.

#![allow(
    clippy::undocumented_unsafe_blocks,
    reason = "each block is one operation under the promise of `unsafe impl Vector`"
)]

use super::Vector;
use std::arch::wasm32::*;

#[derive(Clone, Copy)]
pub(crate) struct Simd128(v128);

// SAFETY: each method is the instruction that its name says, on as many elements as the trait allows it.
unsafe impl Vector for Simd128 {
    type Element = f32;
    const LANES: usize = 4;
    // What the engine has depends on the processor below it; sixteen is the least of those with fast vectors.
    const REGISTERS: usize = 16;

    #[inline(always)]
    unsafe fn splat(value: f32) -> Self {
        Self(f32x4_splat(value))
    }
    #[inline(always)]
    unsafe fn load(from: *const f32) -> Self {
        unsafe { Self(v128_load(from.cast())) }
    }
    #[inline(always)]
    unsafe fn store(self, to: *mut f32) {
        unsafe { v128_store(to.cast(), self.0) }
    }
    #[inline(always)]
    unsafe fn load_first(from: *const f32, count: usize) -> Self {
        unsafe {
            Self(match count {
                0 => f32x4_splat(0.0),
                1 => v128_load32_zero(from.cast()),
                2 => v128_load64_zero(from.cast()),
                3 => v128_load32_lane::<2>(v128_load64_zero(from.cast()), from.add(2).cast()),
                _ => v128_load(from.cast()),
            })
        }
    }
    #[inline(always)]
    unsafe fn store_first(self, to: *mut f32, count: usize) {
        unsafe {
            match count {
                0 => {}
                1 => v128_store32_lane::<0>(self.0, to.cast()),
                2 => v128_store64_lane::<0>(self.0, to.cast()),
                3 => {
                    v128_store64_lane::<0>(self.0, to.cast());
                    v128_store32_lane::<2>(self.0, to.add(2).cast());
                }
                _ => v128_store(to.cast(), self.0),
            }
        }
    }
    #[inline(always)]
    fn add(self, other: Self) -> Self {
        Self(f32x4_add(self.0, other.0))
    }
    #[inline(always)]
    fn sub(self, other: Self) -> Self {
        Self(f32x4_sub(self.0, other.0))
    }
    #[inline(always)]
    fn mul(self, other: Self) -> Self {
        Self(f32x4_mul(self.0, other.0))
    }
    #[inline(always)]
    fn div(self, other: Self) -> Self {
        Self(f32x4_div(self.0, other.0))
    }
    #[inline(always)]
    fn sqrt(self) -> Self {
        Self(f32x4_sqrt(self.0))
    }
    #[cfg(not(target_feature = "relaxed-simd"))]
    #[inline(always)]
    fn mul_add(self, other: Self, sum: Self) -> Self {
        Self(f32x4_add(f32x4_mul(self.0, other.0), sum.0))
    }
    #[cfg(target_feature = "relaxed-simd")]
    #[inline(always)]
    fn mul_add(self, other: Self, sum: Self) -> Self {
        Self(f32x4_relaxed_madd(self.0, other.0, sum.0))
    }
    #[inline(always)]
    fn select_less_equal(self, other: Self, condition_left: Self, condition_right: Self) -> Self {
        Self(v128_bitselect(self.0, other.0, f32x4_le(condition_left.0, condition_right.0)))
    }
    #[inline(always)]
    unsafe fn store_bytes(self, to: *mut u8, count: usize) {
        unsafe {
            let words = i32x4_trunc_sat_f32x4(self.0);
            let halves = i16x8_narrow_i32x4(words, words);
            let bytes = u32x4_extract_lane::<0>(u8x16_narrow_i16x8(halves, halves)).to_le_bytes();
            if count == Self::LANES {
                to.cast::<[u8; 4]>().write(bytes);
            } else {
                std::ptr::copy_nonoverlapping(bytes.as_ptr(), to, count);
            }
        }
    }
    #[inline(always)]
    unsafe fn load_bytes(from: *const u8, count: usize) -> Self {
        unsafe {
            let mut bytes = [0u8; 4];
            if count == Self::LANES {
                bytes = from.cast::<[u8; 4]>().read();
            } else {
                std::ptr::copy_nonoverlapping(from, bytes.as_mut_ptr(), count);
            }
            let halves = u16x8_extend_low_u8x16(u32x4_splat(u32::from_le_bytes(bytes)));
            Self(f32x4_convert_u32x4(u32x4_extend_low_u16x8(halves)))
        }
    }
    #[inline(always)]
    unsafe fn equal_bytes(from: *const u8, value: u8) -> u64 {
        let value = u8x16_splat(value);
        let mut mask = 0;
        for quarter in 0..4 {
            let bytes = unsafe { v128_load(from.add(16 * quarter).cast()) };
            mask |= u64::from(u8x16_bitmask(u8x16_eq(bytes, value))) << (16 * quarter);
        }
        mask
    }
    // `pmax(a, b)` is `a < b ? b : a`, and a comparison with NaN is false.
    #[inline(always)]
    fn maximum(self, other: Self) -> Self {
        Self(f32x4_pmax(self.0, other.0))
    }
    #[inline(always)]
    fn minimum(self, other: Self) -> Self {
        Self(f32x4_pmin(self.0, other.0))
    }
    #[inline(always)]
    fn round(self) -> Self {
        Self(f32x4_nearest(self.0))
    }
    #[inline(always)]
    fn power_of_two(self) -> Self {
        let biased = i32x4_add(i32x4_trunc_sat_f32x4(self.0), i32x4_splat(127));
        Self(i32x4_shl(biased, 23))
    }
}
