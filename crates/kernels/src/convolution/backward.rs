//! The backward passes: sums over the positions that won, and over nothing else.

use super::{Geometry, OutputGradient};
use crate::{Element, InstructionSet, check_length, dispatch::Kernel, vector::Vector};

/// One position that won: where, and the gradient that it receives.
#[derive(Debug, Clone, Copy, Default)]
struct Entry<E> {
    /// Offset of the patch in the image (weights), or of the filter's weights (input).
    offset: u32,
    gradient: E,
}

/// Largest block of kernel rows by vectors of a row that stays in registers.
#[inline(always)]
const fn block_limit<V: Vector>() -> usize {
    if V::REGISTERS >= 32 { 24 } else { 12 }
}

/// Derivatives with respect to the weights and the bias of the filters `first_filter..`, as many as `d_bias` holds.
///
/// `d_weights[f] += Σ over images and windows of gradient · patch(winner)`, `d_bias[f] += Σ gradient`, both in the
/// order of the images and windows. The patch of one filter is added to sums that stay in registers: no patch is ever
/// copied out of the image. `input` is that of the forward pass.
///
/// # Panics
/// When a length does not fit the geometry.
pub fn backward_weights<E: Element>(
    set: InstructionSet,
    geometry: &Geometry,
    input: &[E],
    output: OutputGradient<E>,
    first_filter: usize,
    d_weights: &mut [E],
    d_bias: &mut [E],
) {
    let images = output.check(geometry);
    check_length!(input, images * geometry.input_length());
    check_length!(d_weights, d_bias.len() * geometry.filter_length());
    assert!(first_filter + d_bias.len() <= geometry.size.filters, "more filters than the geometry has");
    assert!(
        geometry.windows() <= MAXIMUM_WINDOWS,
        "{} windows: at most {MAXIMUM_WINDOWS}",
        geometry.windows()
    );
    E::dispatch(set, BackwardWeights { geometry, images, input, output, first_filter, d_weights, d_bias });
}

/// 256×256 pixels have no more.
const MAXIMUM_WINDOWS: usize = 1 << 16;

/// Entries that are gathered before they are added: a few kilobytes on the stack, beside the image in the cache.
const ENTRIES: usize = 512;

struct BackwardWeights<'a, E> {
    geometry: &'a Geometry,
    images: usize,
    input: &'a [E],
    output: OutputGradient<'a, E>,
    first_filter: usize,
    d_weights: &'a mut [E],
    d_bias: &'a mut [E],
}

impl<E: Element> Kernel<E> for BackwardWeights<'_, E> {
    type Output = ();

    #[inline(always)]
    unsafe fn run<V: Vector<Element = E>>(mut self) {
        let geometry = self.geometry;
        let mut entries = [Entry::default(); ENTRIES];
        for image in 0..self.images {
            for filter in 0..self.d_bias.len() {
                let mut window = 0;
                while window < geometry.windows() {
                    let end = geometry.windows().min(window + ENTRIES);
                    let count = self.gather(image, filter, window..end, &mut entries);
                    let input = &self.input[image * geometry.input_length()..][..geometry.input_length()];
                    let length = geometry.filter_length();
                    let d_weights = &mut self.d_weights[filter * length..][..length];
                    // SAFETY: each entry's offset comes from the geometry and begins a whole patch of this image.
                    unsafe {
                        let job = Patches {
                            source: input.as_ptr(),
                            source_stride: geometry.row_stride(),
                            sums: d_weights.as_mut_ptr(),
                            sums_stride: geometry.run_length(),
                            rows: geometry.size.kernel_height,
                            length: geometry.run_length(),
                        };
                        job.add::<V>(&entries[..count]);
                    }
                    window = end;
                }
            }
        }
    }
}

impl<E: Element> BackwardWeights<'_, E> {
    /// Lists the windows that this filter's winners lie in, and adds their gradients to the bias.
    #[inline(always)]
    fn gather(
        &mut self,
        image: usize,
        filter: usize,
        windows: std::ops::Range<usize>,
        entries: &mut [Entry<E>; ENTRIES],
    ) -> usize {
        let geometry = self.geometry;
        let (filters, positions) = (geometry.size.filters, geometry.positions());
        let mut count = 0;
        let mut bias = self.d_bias[filter];
        let mut at = image * geometry.output_length() + windows.start * filters + self.first_filter + filter;
        for window in windows {
            let winner = usize::from(self.output.winners[at]);
            let alive = winner < positions;
            // Written in any case and counted only if alive: no branch to mispredict.
            let gradient = if alive { self.output.gradient[at] } else { E::ZERO };
            let offset = geometry.offsets[window * positions + if alive { winner } else { 0 }];
            entries[count] = Entry { offset, gradient };
            count += usize::from(alive);
            bias += gradient;
            at += filters;
        }
        self.d_bias[filter] = bias;
        count
    }
}

/// Derivative with respect to the input of as many images as `d_input` holds; overwritten.
///
/// For each position, the filters that won there add `gradient · weights[filter]` to sums in registers, which are
/// then added to the position's patch. `weights` is `[filter, kernel row, kernel column, channel]`, unpacked.
///
/// # Panics
/// When a length does not fit the geometry.
pub fn backward_input<E: Element>(
    set: InstructionSet,
    geometry: &Geometry,
    weights: &[E],
    output: OutputGradient<E>,
    d_input: &mut [E],
) {
    let images = output.check(geometry);
    check_length!(weights, geometry.size.filters * geometry.filter_length());
    check_length!(d_input, images * geometry.input_length());
    assert!(u32::try_from(weights.len()).is_ok(), "more than 2^32 weights");
    E::dispatch(set, BackwardInput { geometry, images, weights, output, d_input });
}

struct BackwardInput<'a, E> {
    geometry: &'a Geometry,
    images: usize,
    weights: &'a [E],
    output: OutputGradient<'a, E>,
    d_input: &'a mut [E],
}

impl<E: Element> Kernel<E> for BackwardInput<'_, E> {
    type Output = ();

    #[inline(always)]
    unsafe fn run<V: Vector<Element = E>>(self) {
        let Self { geometry, images, weights, output, d_input } = self;
        let (filters, positions) = (geometry.size.filters, geometry.positions());
        d_input.fill(E::ZERO);
        let mut entries = [Entry::default(); ENTRIES];
        for image in 0..images {
            let d_input = &mut d_input[image * geometry.input_length()..][..geometry.input_length()];
            for window in 0..geometry.windows() {
                let at = (image * geometry.windows() + window) * filters;
                let winners = &output.winners[at..][..filters];
                let gradients = &output.gradient[at..][..filters];
                for position in 0..positions {
                    let offset = geometry.offsets[window * positions + position] as usize;
                    let mut filter = 0;
                    while filter < filters {
                        let end = filters.min(filter + ENTRIES);
                        let mut count = 0;
                        for f in filter..end {
                            let offset = (f * geometry.filter_length()) as u32;
                            entries[count] = Entry { offset, gradient: gradients[f] };
                            count += usize::from(usize::from(winners[f]) == position);
                        }
                        // SAFETY: `offset` begins a whole patch of this image, each entry's a filter's weights.
                        unsafe {
                            let job = Patches {
                                source: weights.as_ptr(),
                                source_stride: geometry.run_length(),
                                sums: d_input[offset..].as_mut_ptr(),
                                sums_stride: geometry.row_stride(),
                                rows: geometry.size.kernel_height,
                                length: geometry.run_length(),
                            };
                            job.add::<V>(&entries[..count]);
                        }
                        filter = end;
                    }
                }
            }
        }
    }
}

/// `sums[row, i] += Σ over entries of gradient · source[offset + row, i]` for `rows` rows of `length` elements.
struct Patches<E> {
    source: *const E,
    source_stride: usize,
    sums: *mut E,
    sums_stride: usize,
    rows: usize,
    length: usize,
}

/// Runs one block with its numbers of rows and vectors as constants, where they fit in registers.
macro_rules! block {
    ($job:ident, $entries:ident, $row:ident, $column:ident, $rows:expr, $vectors:expr, [$(($r:literal, $v:literal)),* $(,)?]) => {
        match ($rows, $vectors) {
            $(($r, $v) if $r * $v <= block_limit::<V>() => {
                if $column + $v * V::LANES <= $job.length {
                    $job.block::<V, $r, $v, false>($entries, $row, $column);
                } else {
                    $job.block::<V, $r, $v, true>($entries, $row, $column);
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
    unsafe fn add<V: Vector<Element = E>>(&self, entries: &[Entry<E>]) {
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
        entries: &[Entry<E>],
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
            for entry in entries {
                let gradient = V::splat(entry.gradient);
                let patch = source_at.wrapping_add(entry.offset as usize);
                for r in 0..ROWS {
                    for v in 0..VECTORS {
                        let from = patch.wrapping_add(r * self.source_stride + v * V::LANES);
                        let value =
                            if TAIL && v == VECTORS - 1 { V::load_first(from, last) } else { V::load(from) };
                        sums[r][v] = gradient.mul_add(value, sums[r][v]);
                    }
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
}
