//! The two innermost loops that every product runs on.
//!
//! Both keep a tile of `ROWS × VECTORS` accumulators in registers and walk along the summed index k. The right-hand
//! side lies in *panels*: for each k the `VECTORS · LANES` values of one panel, one after the other. With 32 registers
//! a tile is 6 × 4 (24 accumulators, 4 of the panel, 1 broadcast; 10 loads for 24 multiply-adds, below the two loads
//! a cycle that go beside two multiply-adds). With 16 registers it is 6 × 2. Narrow panels take 12 or 16
//! rows, since fewer than eight accumulators would wait for each other's latency of four cycles at two a cycle.
//!
//! Which tiles an instruction set has no registers for is said in `const` blocks, here and wherever a kernel is unrolled:
//! the compiler then never generates them. Behind a plain condition it would, and throw half of its work away.

use crate::vector::Vector;

/// Widest panel in vectors.
#[inline(always)]
pub(crate) const fn panel_vectors<V: Vector>() -> usize {
    if V::REGISTERS >= 32 { 4 } else { 2 }
}

/// Widest panel in elements.
#[inline(always)]
pub(crate) const fn panel_width<V: Vector>() -> usize {
    panel_vectors::<V>() * V::LANES
}

/// `sums[r][v] += Σ_k rows[r][k] · panel[k · panel_stride + v]`, the stride in elements.
///
/// # Safety
/// Each row pointer has `length` elements behind it, `panel` has `VECTORS · LANES` behind each of as many steps.
#[inline(always)]
pub(crate) unsafe fn accumulate_rows<V: Vector, const ROWS: usize, const VECTORS: usize>(
    sums: &mut [[V; VECTORS]; ROWS],
    rows: &[*const V::Element; ROWS],
    length: usize,
    panel: *const V::Element,
    panel_stride: usize,
) {
    // SAFETY: indices stay below the lengths that the caller promises.
    unsafe {
        for k in 0..length {
            let mut right = [V::zero(); VECTORS];
            for (v, vector) in right.iter_mut().enumerate() {
                *vector = V::load(panel.add(k * panel_stride + v * V::LANES));
            }
            for r in 0..ROWS {
                let left = V::splat(*rows[r].add(k));
                for v in 0..VECTORS {
                    sums[r][v] = left.mul_add(right[v], sums[r][v]);
                }
            }
        }
    }
}

/// `sums[r][v] += Σ_k columns[k · column_stride + r] · panel[k · panel_stride + v]`, strides in elements.
///
/// # Safety
/// `columns` has `ROWS` elements and `panel` has `VECTORS · LANES` elements behind each of its `length` steps.
#[inline(always)]
pub(crate) unsafe fn accumulate_columns<V: Vector, const ROWS: usize, const VECTORS: usize>(
    sums: &mut [[V; VECTORS]; ROWS],
    columns: *const V::Element,
    column_stride: usize,
    length: usize,
    panel: *const V::Element,
    panel_stride: usize,
) {
    // SAFETY: indices stay below the lengths that the caller promises.
    unsafe {
        for k in 0..length {
            let mut right = [V::zero(); VECTORS];
            for (v, vector) in right.iter_mut().enumerate() {
                *vector = V::load(panel.add(k * panel_stride + v * V::LANES));
            }
            for r in 0..ROWS {
                let left = V::splat(*columns.add(k * column_stride + r));
                for v in 0..VECTORS {
                    sums[r][v] = left.mul_add(right[v], sums[r][v]);
                }
            }
        }
    }
}

/// Covers `0..$total` with calls of `$body::<V, rows, VECTORS>(first, …)` for as many rows as a tile takes at once.
macro_rules! in_tiles {
    ($total:expr, $vectors:ident, $body:ident::<$vector:ident>($($argument:expr),* $(,)?)) => {{
        let total: usize = $total;
        let mut first = 0;
        while const { $vectors == 1 && $vector::REGISTERS >= 32 } && total - first >= 16 {
            $body::<$vector, 16, $vectors>(first, $($argument),*);
            first += 16;
        }
        while const { $vectors <= 2 && $vector::REGISTERS >= 32 } && total - first >= 12 {
            $body::<$vector, 12, $vectors>(first, $($argument),*);
            first += 12;
        }
        while total - first >= 6 {
            $body::<$vector, 6, $vectors>(first, $($argument),*);
            first += 6;
        }
        if total - first >= 4 {
            $body::<$vector, 4, $vectors>(first, $($argument),*);
            first += 4;
        }
        if total - first >= 2 {
            $body::<$vector, 2, $vectors>(first, $($argument),*);
            first += 2;
        }
        if total - first == 1 {
            $body::<$vector, 1, $vectors>(first, $($argument),*);
        }
    }};
}
pub(crate) use in_tiles;

/// Calls `$body::<V, VECTORS>(…)` with the number of vectors as a constant.
macro_rules! with_vectors {
    ($vectors:expr, $body:ident::<$vector:ident>($($argument:expr),* $(,)?)) => {
        match $vectors {
            1 => $body::<$vector, 1>($($argument),*),
            2 => $body::<$vector, 2>($($argument),*),
            3 if const { $vector::REGISTERS >= 32 } => $body::<$vector, 3>($($argument),*),
            4 if const { $vector::REGISTERS >= 32 } => $body::<$vector, 4>($($argument),*),
            vectors => unreachable!("no panel is {vectors} vectors wide"),
        }
    };
}
pub(crate) use with_vectors;
