//! Four float32 lanes: NEON, which every 64-bit Arm processor has.

#![allow(
    clippy::undocumented_unsafe_blocks,
    unused_unsafe,
    reason = "each block is one operation under the promise of `unsafe impl Vector`; which of them the compiler holds for safe differs between its versions"
)]

use super::Vector;
use std::arch::aarch64::*;

#[derive(Clone, Copy)]
pub(crate) struct Neon(float32x4_t);

// SAFETY: each method is the instruction that its name says, on as many elements as the trait allows it.
unsafe impl Vector for Neon {
    type Element = f32;
    const LANES: usize = 4;
    const REGISTERS: usize = 32;

    #[inline(always)]
    unsafe fn splat(value: f32) -> Self {
        unsafe { Self(vdupq_n_f32(value)) }
    }
    #[inline(always)]
    unsafe fn load(from: *const f32) -> Self {
        unsafe { Self(vld1q_f32(from)) }
    }
    #[inline(always)]
    unsafe fn store(self, to: *mut f32) {
        unsafe { vst1q_f32(to, self.0) }
    }
    #[inline(always)]
    unsafe fn load_first(from: *const f32, count: usize) -> Self {
        unsafe {
            let none = vdup_n_f32(0.0);
            Self(match count {
                0 => vdupq_n_f32(0.0),
                1 => vcombine_f32(vld1_lane_f32::<0>(from, none), none),
                2 => vcombine_f32(vld1_f32(from), none),
                3 => vcombine_f32(vld1_f32(from), vld1_lane_f32::<0>(from.add(2), none)),
                _ => vld1q_f32(from),
            })
        }
    }
    #[inline(always)]
    unsafe fn store_first(self, to: *mut f32, count: usize) {
        unsafe {
            match count {
                0 => {}
                1 => vst1q_lane_f32::<0>(to, self.0),
                2 => vst1_f32(to, vget_low_f32(self.0)),
                3 => {
                    vst1_f32(to, vget_low_f32(self.0));
                    vst1q_lane_f32::<2>(to.add(2), self.0);
                }
                _ => vst1q_f32(to, self.0),
            }
        }
    }
    #[inline(always)]
    fn add(self, other: Self) -> Self {
        unsafe { Self(vaddq_f32(self.0, other.0)) }
    }
    #[inline(always)]
    fn sub(self, other: Self) -> Self {
        unsafe { Self(vsubq_f32(self.0, other.0)) }
    }
    #[inline(always)]
    fn mul(self, other: Self) -> Self {
        unsafe { Self(vmulq_f32(self.0, other.0)) }
    }
    #[inline(always)]
    fn div(self, other: Self) -> Self {
        unsafe { Self(vdivq_f32(self.0, other.0)) }
    }
    #[inline(always)]
    fn sqrt(self) -> Self {
        unsafe { Self(vsqrtq_f32(self.0)) }
    }
    #[inline(always)]
    fn mul_add(self, other: Self, sum: Self) -> Self {
        unsafe { Self(vfmaq_f32(sum.0, self.0, other.0)) }
    }
    #[inline(always)]
    fn select_less_equal(self, other: Self, condition_left: Self, condition_right: Self) -> Self {
        unsafe { Self(vbslq_f32(vcleq_f32(condition_left.0, condition_right.0), self.0, other.0)) }
    }
    #[inline(always)]
    unsafe fn store_bytes(self, to: *mut u8, count: usize) {
        unsafe {
            let halves = vmovn_u32(vcvtq_u32_f32(self.0));
            let mut bytes = [0u8; 8];
            vst1_u8(bytes.as_mut_ptr(), vmovn_u16(vcombine_u16(halves, halves)));
            std::ptr::copy_nonoverlapping(bytes.as_ptr(), to, count);
        }
    }
    #[inline(always)]
    unsafe fn load_bytes(from: *const u8, count: usize) -> Self {
        unsafe {
            let mut bytes = [0u8; 8];
            std::ptr::copy_nonoverlapping(from, bytes.as_mut_ptr(), count);
            let halves = vget_low_u16(vmovl_u8(vld1_u8(bytes.as_ptr())));
            Self(vcvtq_f32_u32(vmovl_u16(halves)))
        }
    }
    #[inline(always)]
    fn round(self) -> Self {
        unsafe { Self(vrndnq_f32(self.0)) }
    }
    #[inline(always)]
    fn power_of_two(self) -> Self {
        unsafe {
            let exponent = vaddq_s32(vcvtq_s32_f32(self.0), vdupq_n_s32(127));
            Self(vreinterpretq_f32_s32(vshlq_n_s32::<23>(exponent)))
        }
    }
}
