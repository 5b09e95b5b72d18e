//! The loop under both gradients: multiples of short rows, added to sums that stay in registers.

use crate::{Element, vector::Vector};

/// One position that won: where, and the gradient that it receives.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Entry<E> {
    /// Offset of the patch in the image (weights), or of the filter's weights (input).
    pub(super) offset: u32,
    pub(super) gradient: E,
}

/// Largest block of kernel rows by vectors of a row that stays in registers.
#[inline(always)]
const fn block_limit<V: Vector>() -> usize {
    if V::REGISTERS >= 32 { 24 } else { 12 }
}

/// Filters whose winners are compared at once.
pub(super) const MASK_FILTERS: usize = 64;

/// The winners of up to [`MASK_FILTERS`] filters at one window; bit f of a mask stands for filter f.
pub(super) struct WinnerBytes {
    bytes: *const u8,
    copy: [u8; MASK_FILTERS],
    valid: u64,
}

impl WinnerBytes {
    /// The winners `at..at + count`.
    #[inline(always)]
    pub(super) fn new(winners: &[u8], at: usize, count: usize) -> Self {
        // Read in place, with the winners of other windows behind them masked off, except at the very end.
        let mut copy = [0; MASK_FILTERS];
        let bytes = match winners[at..].first_chunk::<MASK_FILTERS>() {
            Some(bytes) => bytes.as_ptr(),
            None => {
                copy[..count].copy_from_slice(&winners[at..][..count]);
                std::ptr::null()
            }
        };
        Self { bytes, copy, valid: u64::MAX >> (MASK_FILTERS - count) }
    }

    /// The filters whose winner is not `position`.
    ///
    /// # Safety
    /// As [`Self::equal`].
    #[inline(always)]
    pub(super) unsafe fn unequal<V: Vector>(&self, position: u8) -> u64 {
        // SAFETY: the caller's promise.
        unsafe { !self.equal::<V>(position) & self.valid }
    }

    /// The filters whose winner is `position`.
    ///
    /// # Safety
    /// The vector's instructions exist, and the winners of [`Self::new`] still do.
    #[inline(always)]
    pub(super) unsafe fn equal<V: Vector>(&self, position: u8) -> u64 {
        let bytes = if self.bytes.is_null() { self.copy.as_ptr() } else { self.bytes };
        // SAFETY: either has MASK_FILTERS bytes; the caller's promise.
        unsafe { V::equal_bytes(bytes, position) & self.valid }
    }
}

/// `sums[row, i] += Σ over entries of gradient · source[offset + row, i]` for `rows` rows of `length` elements.
pub(super) struct Patches<E> {
    pub(super) source: *const E,
    pub(super) source_stride: usize,
    pub(super) sums: *mut E,
    pub(super) sums_stride: usize,
    pub(super) rows: usize,
    pub(super) length: usize,
}

/// Runs one block with its numbers of rows and vectors as constants, where they fit in registers.
macro_rules! block {
    ($job:ident, $entries:ident, $row:ident, $column:ident, $rows:expr, $vectors:expr, [$(($r:literal, $v:literal)),* $(,)?]) => {
        match ($rows, $vectors) {
            $(($r, $v) if const { $r * $v <= block_limit::<V>() } => {
                if $column + $v * V::LANES <= $job.length {
                    $job.block::<V, $r, $v, false>($entries.clone(), $row, $column);
                } else {
                    $job.block::<V, $r, $v, true>($entries.clone(), $row, $column);
                }
            })*
            (rows, vectors) => unreachable!("no block of {rows} rows by {vectors} vectors"),
        }
    };
}

impl<E: Element> Patches<E> {
    /// # Safety
    /// `sums` and, from each entry's offset, `source` have the job's rows behind them.
    #[inline(always)]
    pub(super) unsafe fn add<V: Vector<Element = E>>(&self, entries: impl Iterator<Item = Entry<E>> + Clone) {
        let limit = block_limit::<V>();
        let mut column = 0;
        while column < self.length {
            let left = (self.length - column).div_ceil(V::LANES);
            let vectors = match left {
                1..=4 | 6 => left,
                5 => 4,
                _ if limit < 24 => 6,
                7 => 4,
                9..12 => 6,
                12 => 6,
                _ => 8,
            };
            let mut row = 0;
            while row < self.rows {
                let rows = (self.rows - row).min(3).min(limit / vectors);
                // SAFETY: the caller's promise; the block lies within the job's rows and length.
                unsafe {
                    block!(
                        self,
                        entries,
                        row,
                        column,
                        rows,
                        vectors,
                        [
                            (1, 1),
                            (2, 1),
                            (3, 1),
                            (1, 2),
                            (2, 2),
                            (3, 2),
                            (1, 3),
                            (2, 3),
                            (3, 3),
                            (1, 4),
                            (2, 4),
                            (3, 4),
                            (1, 6),
                            (2, 6),
                            (3, 6),
                            (1, 8),
                            (2, 8),
                            (3, 8),
                        ]
                    );
                }
                row += rows;
            }
            column += vectors * V::LANES;
        }
    }

    /// # Safety
    /// As [`Self::add`]; with `TAIL` the last vector of a row is partly beyond the job's length and is masked.
    #[inline(always)]
    unsafe fn block<V: Vector<Element = E>, const ROWS: usize, const VECTORS: usize, const TAIL: bool>(
        &self,
        mut entries: impl Iterator<Item = Entry<E>>,
        row: usize,
        column: usize,
    ) {
        // SAFETY: the caller's promise.
        unsafe {
            let last = self.length.wrapping_sub(column + (VECTORS - 1) * V::LANES);
            let sums_at = self.sums.add(row * self.sums_stride + column);
            let source_at = self.source.wrapping_add(row * self.source_stride + column);
            let mut sums = [[V::zero(); VECTORS]; ROWS];
            for r in 0..ROWS {
                for v in 0..VECTORS {
                    let from = sums_at.add(r * self.sums_stride + v * V::LANES);
                    sums[r][v] =
                        if TAIL && v == VECTORS - 1 { V::load_first(from, last) } else { V::load(from) };
                }
            }
            // A small block's sums would wait for each other: two entries at once keep the multipliers busy.
            if 2 * ROWS * VECTORS <= block_limit::<V>() {
                let mut others = [[V::zero(); VECTORS]; ROWS];
                while let Some(first) = entries.next() {
                    self.add_patch::<V, ROWS, VECTORS, TAIL>(&mut sums, first, source_at, last);
                    let Some(second) = entries.next() else { break };
                    self.add_patch::<V, ROWS, VECTORS, TAIL>(&mut others, second, source_at, last);
                }
                for r in 0..ROWS {
                    for v in 0..VECTORS {
                        sums[r][v] = sums[r][v].add(others[r][v]);
                    }
                }
            } else {
                for entry in entries {
                    self.add_patch::<V, ROWS, VECTORS, TAIL>(&mut sums, entry, source_at, last);
                }
            }
            for r in 0..ROWS {
                for v in 0..VECTORS {
                    let to = sums_at.add(r * self.sums_stride + v * V::LANES);
                    if TAIL && v == VECTORS - 1 {
                        sums[r][v].store_first(to, last);
                    } else {
                        sums[r][v].store(to);
                    }
                }
            }
        }
    }

    /// Adds one entry's patch to the block's sums.
    ///
    /// # Safety
    /// As [`Self::block`].
    #[inline(always)]
    unsafe fn add_patch<V: Vector<Element = E>, const ROWS: usize, const VECTORS: usize, const TAIL: bool>(
        &self,
        sums: &mut [[V; VECTORS]; ROWS],
        entry: Entry<E>,
        source: *const E,
        last: usize,
    ) {
        // SAFETY: the caller's promise.
        unsafe {
            let gradient = V::splat(entry.gradient);
            let patch = source.wrapping_add(entry.offset as usize);
            for r in 0..ROWS {
                for v in 0..VECTORS {
                    let from = patch.wrapping_add(r * self.source_stride + v * V::LANES);
                    let value =
                        if TAIL && v == VECTORS - 1 { V::load_first(from, last) } else { V::load(from) };
                    sums[r][v] = gradient.mul_add(value, sums[r][v]);
                }
            }
        }
    }
}
