//! Sixteen float32 lanes: AVX-512 F.

#![allow(
    clippy::undocumented_unsafe_blocks,
    reason = "each block is one operation under the promise of `unsafe impl Vector`"
)]

use super::Vector;
use std::arch::x86_64::*;

#[derive(Clone, Copy)]
pub(crate) struct Avx512(__m512);

#[inline(always)]
fn first_lanes(count: usize) -> __mmask16 {
    ((1u32 << count) - 1) as __mmask16
}

// SAFETY: each method is the instruction that its name says, on as many elements as the trait allows it.
unsafe impl Vector for Avx512 {
    type Element = f32;
    const LANES: usize = 16;
    const REGISTERS: usize = 32;

    #[inline(always)]
    unsafe fn splat(value: f32) -> Self {
        unsafe { Self(_mm512_set1_ps(value)) }
    }
    #[inline(always)]
    unsafe fn load(from: *const f32) -> Self {
        unsafe { Self(_mm512_loadu_ps(from)) }
    }
    #[inline(always)]
    unsafe fn store(self, to: *mut f32) {
        unsafe { _mm512_storeu_ps(to, self.0) }
    }
    #[inline(always)]
    unsafe fn load_first(from: *const f32, count: usize) -> Self {
        unsafe { Self(_mm512_maskz_loadu_ps(first_lanes(count), from)) }
    }
    #[inline(always)]
    unsafe fn store_first(self, to: *mut f32, count: usize) {
        unsafe { _mm512_mask_storeu_ps(to, first_lanes(count), self.0) }
    }
    #[inline(always)]
    fn add(self, other: Self) -> Self {
        unsafe { Self(_mm512_add_ps(self.0, other.0)) }
    }
    #[inline(always)]
    fn sub(self, other: Self) -> Self {
        unsafe { Self(_mm512_sub_ps(self.0, other.0)) }
    }
    #[inline(always)]
    fn mul(self, other: Self) -> Self {
        unsafe { Self(_mm512_mul_ps(self.0, other.0)) }
    }
    #[inline(always)]
    fn div(self, other: Self) -> Self {
        unsafe { Self(_mm512_div_ps(self.0, other.0)) }
    }
    #[inline(always)]
    fn sqrt(self) -> Self {
        unsafe { Self(_mm512_sqrt_ps(self.0)) }
    }
    #[inline(always)]
    fn mul_add(self, other: Self, sum: Self) -> Self {
        unsafe { Self(_mm512_fmadd_ps(self.0, other.0, sum.0)) }
    }
    #[inline(always)]
    fn select_less_equal(self, other: Self, condition_left: Self, condition_right: Self) -> Self {
        unsafe {
            let mask = _mm512_cmp_ps_mask::<_CMP_LE_OQ>(condition_left.0, condition_right.0);
            Self(_mm512_mask_blend_ps(mask, other.0, self.0))
        }
    }
    #[inline(always)]
    unsafe fn store_bytes(self, to: *mut u8, count: usize) {
        unsafe {
            let words = _mm512_cvtps_epi32(self.0);
            _mm512_mask_cvtepi32_storeu_epi8(to.cast(), first_lanes(count), words);
        }
    }
    #[inline(always)]
    unsafe fn load_bytes(from: *const u8, count: usize) -> Self {
        unsafe {
            let bytes = _mm_maskz_loadu_epi8(first_lanes(count), from.cast());
            Self(_mm512_cvtepi32_ps(_mm512_cvtepu8_epi32(bytes)))
        }
    }
    #[inline(always)]
    fn where_equal(self, left: Self, right: Self) -> Self {
        unsafe {
            let mask = _mm512_cmp_ps_mask::<_CMP_EQ_OQ>(left.0, right.0);
            Self(_mm512_maskz_mov_ps(mask, self.0))
        }
    }
    #[inline(always)]
    fn larger(self, tag: Self, right: Self, right_tag: Self) -> (Self, Self) {
        unsafe {
            let number = _mm512_cmp_ps_mask::<_CMP_ORD_Q>(self.0, self.0);
            let larger = _mm512_mask_cmp_ps_mask::<_CMP_NLE_UQ>(number, right.0, self.0);
            (
                Self(_mm512_mask_mov_ps(self.0, larger, right.0)),
                Self(_mm512_mask_mov_ps(tag.0, larger, right_tag.0)),
            )
        }
    }
    #[inline(always)]
    unsafe fn equal_bytes(from: *const u8, value: u8) -> u64 {
        unsafe {
            _mm512_cmpeq_epi8_mask(_mm512_loadu_si512(from.cast()), _mm512_set1_epi8(value.cast_signed()))
        }
    }
    #[inline(always)]
    unsafe fn transpose(from: *const f32, from_stride: usize, to: *mut f32, to_stride: usize) {
        unsafe {
            let mut rows = [_mm512_setzero_ps(); 16];
            for (index, row) in rows.iter_mut().enumerate() {
                *row = _mm512_loadu_ps(from.add(index * from_stride));
            }
            // Four rows at a time: afterwards `quads[4 i + j]` holds, in its quarter q, column 4 q + j of the rows from 4 i.
            let mut quads = rows;
            for i in (0..16).step_by(4) {
                let [a, b, c, d] =
                    [rows[i], rows[i + 1], rows[i + 2], rows[i + 3]].map(|row| _mm512_castps_pd(row));
                let pair = |low: __m512d, high: __m512d| {
                    let (low, high) = (_mm512_castpd_ps(low), _mm512_castpd_ps(high));
                    [_mm512_unpacklo_ps(low, high), _mm512_unpackhi_ps(low, high)]
                        .map(|both| _mm512_castps_pd(both))
                };
                let ([ab_low, ab_high], [cd_low, cd_high]) = (pair(a, b), pair(c, d));
                quads[i] = _mm512_castpd_ps(_mm512_unpacklo_pd(ab_low, cd_low));
                quads[i + 1] = _mm512_castpd_ps(_mm512_unpackhi_pd(ab_low, cd_low));
                quads[i + 2] = _mm512_castpd_ps(_mm512_unpacklo_pd(ab_high, cd_high));
                quads[i + 3] = _mm512_castpd_ps(_mm512_unpackhi_pd(ab_high, cd_high));
            }
            // The quarters, a square of four by four for each j.
            for j in 0..4 {
                let even = |a, b| _mm512_shuffle_f32x4::<0b10_00_10_00>(a, b);
                let odd = |a, b| _mm512_shuffle_f32x4::<0b11_01_11_01>(a, b);
                let [a, b, c, d] = [quads[j], quads[4 + j], quads[8 + j], quads[12 + j]];
                let columns = [
                    even(even(a, b), even(c, d)),
                    even(odd(a, b), odd(c, d)),
                    odd(even(a, b), even(c, d)),
                    odd(odd(a, b), odd(c, d)),
                ];
                for (q, column) in columns.into_iter().enumerate() {
                    _mm512_storeu_ps(to.add((4 * q + j) * to_stride), column);
                }
            }
        }
    }
    // Where either operand is NaN these instructions give the second.
    #[inline(always)]
    fn maximum(self, other: Self) -> Self {
        unsafe { Self(_mm512_max_ps(other.0, self.0)) }
    }
    #[inline(always)]
    fn minimum(self, other: Self) -> Self {
        unsafe { Self(_mm512_min_ps(other.0, self.0)) }
    }
    #[inline(always)]
    fn round(self) -> Self {
        unsafe { Self(_mm512_roundscale_ps::<{ _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC }>(self.0)) }
    }
    #[inline(always)]
    fn power_of_two(self) -> Self {
        unsafe { Self(_mm512_scalef_ps(_mm512_set1_ps(1.0), self.0)) }
    }
}
