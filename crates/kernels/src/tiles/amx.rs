//! The matrix tiles of Intel processors.
//!
//! Instructions are assembled as they are: the compiler's own names for them are not stable yet. No function is compiled with AMX
//! enabled, so that the compiler uses no tile itself, and they hold what they hold from one of these functions to the next.

use super::{
    ROWS, Unit,
    line::{Line, NUMBERS, PAIRS},
};
use std::{
    arch::{
        asm,
        x86_64::{
            __cpuid_count, __get_cpuid_max, __m512bh, __m512i, _MM_HINT_T0, _mm_prefetch,
            _mm512_cvtne2ps_pbh, _mm512_loadu_si512, _mm512_maskz_loadu_ps, _mm512_permutexvar_epi16,
        },
    },
    mem::transmute,
    sync::OnceLock,
};

/// This thread's tiles, laid out; given back at the end, so that the system does not save them any more.
pub(super) struct Amx(());

/// What `ldtilecfg` reads.
#[repr(C, align(64))]
struct Layout {
    palette: u8,
    start_row: u8,
    reserved: [u8; 14],
    row_bytes: [u16; 16],
    rows: [u8; 16],
}

static LAYOUT: Layout = {
    let mut layout =
        Layout { palette: 1, start_row: 0, reserved: [0; 14], row_bytes: [0; 16], rows: [0; 16] };
    let mut tile = 0;
    while tile < 8 {
        layout.row_bytes[tile] = 64;
        layout.rows[tile] = ROWS as u8;
        tile += 1;
    }
    layout
};

/// Whether the processor has tiles of bfloat16 numbers and Linux lets this process use them, which it is asked for once.
pub(super) fn is_permitted() -> bool {
    static PERMITTED: OnceLock<bool> = OnceLock::new();
    *PERMITTED.get_or_init(|| has_tiles() && has_vectors() && ask_for_tiles())
}

/// Those that [`with_vectors`] enables.
fn has_vectors() -> bool {
    is_x86_feature_detected!("avx512f")
        && is_x86_feature_detected!("avx512bw")
        && is_x86_feature_detected!("avx512dq")
        && is_x86_feature_detected!("avx512vl")
        && is_x86_feature_detected!("avx512bf16")
        && is_x86_feature_detected!("fma")
}

/// # Safety
/// [`is_permitted`].
#[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx512bf16,fma")]
pub(super) unsafe fn with_vectors<R>(work: impl FnOnce() -> R) -> R {
    work()
}

/// Values that are fetched ahead: images lie so far apart that a row of them all is not fetched by itself.
const AHEAD: usize = 64;

/// [`super::line::row`].
///
/// # Safety
/// [`is_permitted`].
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx512bf16,fma")]
pub(super) unsafe fn rounded_row(values: &[f32]) -> Line {
    assert!(values.len() <= NUMBERS, "{} values in a line", values.len());
    let there = (1_u64 << values.len()) - 1;
    let first = values.as_ptr();
    // SAFETY: no value is read that is not there; a vector of 32 numbers has the bytes of a line.
    unsafe {
        _mm_prefetch::<_MM_HINT_T0>(first.wrapping_add(AHEAD).cast());
        let low = _mm512_maskz_loadu_ps(there as u16, first);
        let high = _mm512_maskz_loadu_ps((there >> PAIRS) as u16, first.wrapping_add(PAIRS));
        transmute(_mm512_cvtne2ps_pbh(high, low))
    }
}

/// [`super::line::pairs`].
///
/// # Safety
/// [`is_permitted`].
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx512bf16,fma")]
pub(super) unsafe fn rounded_pairs(one: &[f32], other: &[f32]) -> Line {
    const ORDER: [u16; NUMBERS] = {
        let mut order = [0; NUMBERS];
        let mut index = 0;
        while index < NUMBERS {
            order[index] = (index / 2 + index % 2 * PAIRS) as u16;
            index += 1;
        }
        order
    };
    // SAFETY: as above.
    unsafe {
        let [one, other] = [one, other].map(|values| {
            assert!(values.len() <= PAIRS, "{} values in half a line", values.len());
            _mm_prefetch::<_MM_HINT_T0>(values.as_ptr().wrapping_add(AHEAD).cast());
            _mm512_maskz_loadu_ps(((1_u32 << values.len()) - 1) as u16, values.as_ptr())
        });
        let order = _mm512_loadu_si512(ORDER.as_ptr().cast());
        let joined = transmute::<__m512bh, __m512i>(_mm512_cvtne2ps_pbh(other, one));
        transmute(_mm512_permutexvar_epi16(order, joined))
    }
}

fn has_tiles() -> bool {
    const LEAF: u32 = 7;
    const BF16: u32 = 1 << 22;
    const TILES: u32 = 1 << 24;
    // Miri has no processor to ask.
    if cfg!(miri) || __get_cpuid_max(0).0 < LEAF {
        return false;
    }
    __cpuid_count(LEAF, 0).edx & (BF16 | TILES) == BF16 | TILES
}

/// `arch_prctl(ARCH_REQ_XCOMP_PERM, XFEATURE_XTILEDATA)`: tiles are 8 KB more to save at each switch of threads, so that Linux wants to be
/// asked (*Using XSTATE features in user space applications*, its documentation). It fails where the system knows no tiles.
fn ask_for_tiles() -> bool {
    const ARCH_PRCTL: usize = 158;
    const REQUEST_PERMISSION: usize = 0x1023;
    const TILE_DATA: usize = 18;
    let result: isize;
    // SAFETY: this call changes no memory of the process; `syscall` overwrites rcx and r11.
    unsafe {
        asm!(
            "syscall",
            inlateout("rax") ARCH_PRCTL => result,
            in("rdi") REQUEST_PERMISSION,
            in("rsi") TILE_DATA,
            lateout("rcx") _,
            lateout("r11") _,
            options(nostack),
        );
    }
    result == 0
}

impl Amx {
    /// # Safety
    /// [`is_permitted`].
    pub(super) unsafe fn begin() -> Self {
        // SAFETY: the caller's promise; it reads 64 bytes.
        unsafe { asm!("ldtilecfg [{}]", in(reg) &raw const LAYOUT, options(nostack, preserves_flags)) };
        Self(())
    }
}

impl Drop for Amx {
    fn drop(&mut self) {
        // SAFETY: a value exists only where the instruction does.
        unsafe { asm!("tilerelease", options(nostack, nomem, preserves_flags)) };
    }
}

impl Unit for Amx {
    #[inline(always)]
    fn zero<const TILE: usize>(&mut self) {
        // SAFETY: a value exists only where the instruction does and tiles are laid out.
        unsafe { asm!("tilezero tmm{}", const TILE, options(nostack, nomem, preserves_flags)) };
    }

    #[inline(always)]
    unsafe fn load<const TILE: usize>(&mut self, from: *const u8, stride: usize) {
        // SAFETY: as for `zero`; the rows are the caller's promise.
        unsafe {
            asm!("tileloadd tmm{}, [{} + {} * 1]", const TILE, in(reg) from, in(reg) stride, options(nostack, readonly, preserves_flags));
        }
    }

    #[inline(always)]
    unsafe fn store<const TILE: usize>(&self, to: *mut u8, stride: usize) {
        // SAFETY: as for `zero`; the rows are the caller's promise.
        unsafe {
            asm!("tilestored [{} + {} * 1], tmm{}", in(reg) to, in(reg) stride, const TILE, options(nostack, preserves_flags));
        }
    }

    #[inline(always)]
    fn multiply<const C: usize, const A: usize, const B: usize>(&mut self) {
        // SAFETY: as for `zero`.
        unsafe {
            asm!("tdpbf16ps tmm{}, tmm{}, tmm{}", const C, const A, const B, options(nostack, nomem, preserves_flags));
        }
    }
}
