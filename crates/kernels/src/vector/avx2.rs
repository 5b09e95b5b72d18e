//! Eight float32 lanes: AVX2 with FMA.

#![allow(
    clippy::undocumented_unsafe_blocks,
    reason = "each block is one operation under the promise of `unsafe impl Vector`"
)]

use super::Vector;
use std::arch::x86_64::*;

#[derive(Clone, Copy)]
pub(crate) struct Avx2(__m256);

/// All bits set in the first `count` lanes.
#[inline(always)]
unsafe fn first_lanes(count: usize) -> __m256i {
    unsafe {
        let lane = _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7);
        _mm256_cmpgt_epi32(_mm256_set1_epi32(count as i32), lane)
    }
}

// SAFETY: each method is the instruction that its name says, on as many elements as the trait allows it.
unsafe impl Vector for Avx2 {
    type Element = f32;
    const LANES: usize = 8;
    const REGISTERS: usize = 16;

    #[inline(always)]
    unsafe fn splat(value: f32) -> Self {
        unsafe { Self(_mm256_set1_ps(value)) }
    }
    #[inline(always)]
    unsafe fn load(from: *const f32) -> Self {
        unsafe { Self(_mm256_loadu_ps(from)) }
    }
    #[inline(always)]
    unsafe fn store(self, to: *mut f32) {
        unsafe { _mm256_storeu_ps(to, self.0) }
    }
    #[inline(always)]
    unsafe fn load_first(from: *const f32, count: usize) -> Self {
        unsafe { Self(_mm256_maskload_ps(from, first_lanes(count))) }
    }
    #[inline(always)]
    unsafe fn store_first(self, to: *mut f32, count: usize) {
        unsafe { _mm256_maskstore_ps(to, first_lanes(count), self.0) }
    }
    #[inline(always)]
    fn add(self, other: Self) -> Self {
        unsafe { Self(_mm256_add_ps(self.0, other.0)) }
    }
    #[inline(always)]
    fn sub(self, other: Self) -> Self {
        unsafe { Self(_mm256_sub_ps(self.0, other.0)) }
    }
    #[inline(always)]
    fn mul(self, other: Self) -> Self {
        unsafe { Self(_mm256_mul_ps(self.0, other.0)) }
    }
    #[inline(always)]
    fn div(self, other: Self) -> Self {
        unsafe { Self(_mm256_div_ps(self.0, other.0)) }
    }
    #[inline(always)]
    fn sqrt(self) -> Self {
        unsafe { Self(_mm256_sqrt_ps(self.0)) }
    }
    #[inline(always)]
    fn mul_add(self, other: Self, sum: Self) -> Self {
        unsafe { Self(_mm256_fmadd_ps(self.0, other.0, sum.0)) }
    }
    #[inline(always)]
    fn select_less_equal(self, other: Self, condition_left: Self, condition_right: Self) -> Self {
        unsafe {
            let mask = _mm256_cmp_ps::<_CMP_LE_OQ>(condition_left.0, condition_right.0);
            Self(_mm256_blendv_ps(other.0, self.0, mask))
        }
    }
    #[inline(always)]
    unsafe fn store_bytes(self, to: *mut u8, count: usize) {
        unsafe {
            let mut words = [0i32; 8];
            _mm256_storeu_si256(words.as_mut_ptr().cast(), _mm256_cvtps_epi32(self.0));
            for (lane, word) in words.iter().enumerate().take(count) {
                to.add(lane).write(*word as u8);
            }
        }
    }
    #[inline(always)]
    unsafe fn load_bytes(from: *const u8, count: usize) -> Self {
        unsafe {
            let mut buffer = [0u8; 16];
            std::ptr::copy_nonoverlapping(from, buffer.as_mut_ptr(), count);
            Self(_mm256_cvtepi32_ps(_mm256_cvtepu8_epi32(_mm_loadu_si128(buffer.as_ptr().cast()))))
        }
    }
    #[inline(always)]
    unsafe fn equal_bytes(from: *const u8, value: u8) -> u64 {
        unsafe {
            let value = _mm256_set1_epi8(value.cast_signed());
            let low = _mm256_cmpeq_epi8(_mm256_loadu_si256(from.cast()), value);
            let high = _mm256_cmpeq_epi8(_mm256_loadu_si256(from.add(32).cast()), value);
            let bits = |half| u64::from(_mm256_movemask_epi8(half).cast_unsigned());
            bits(high) << 32 | bits(low)
        }
    }
    // Where either operand is NaN these instructions give the second.
    #[inline(always)]
    fn maximum(self, other: Self) -> Self {
        unsafe { Self(_mm256_max_ps(other.0, self.0)) }
    }
    #[inline(always)]
    fn minimum(self, other: Self) -> Self {
        unsafe { Self(_mm256_min_ps(other.0, self.0)) }
    }
    #[inline(always)]
    fn round(self) -> Self {
        unsafe { Self(_mm256_round_ps::<{ _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC }>(self.0)) }
    }
    #[inline(always)]
    fn power_of_two(self) -> Self {
        unsafe {
            let biased = _mm256_add_epi32(_mm256_cvtps_epi32(self.0), _mm256_set1_epi32(127));
            Self(_mm256_castsi256_ps(_mm256_slli_epi32::<23>(biased)))
        }
    }
}
