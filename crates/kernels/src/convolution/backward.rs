//! The backward passes: sums over the positions that won, and over nothing else.

use super::{Geometry, OutputGradient};
use crate::{Element, InstructionSet, check_length, dispatch::Kernel, matmul::lanes, vector::Vector};

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
    let job = BackwardWeights { geometry, images, input, output, first_filter, d_weights, d_bias };
    if geometry.run_length() < lanes::<E>(set) {
        E::dispatch(set, ShortPatches(job));
    } else {
        E::dispatch(set, job);
    }
}

/// 256×256 pixels have no more.
const MAXIMUM_WINDOWS: usize = 1 << 16;

/// Entries that are gathered before they are added: 16 KB on the stack for float32, all winners of an image of the
/// study's second convolution.
const ENTRIES: usize = 2048;

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

/// Taps of a filter that are summed at once, by one vector of filters.
const TAPS: usize = 9;

/// The same sums for patches whose runs would leave most lanes of a vector empty, as with one input channel: here the
/// lanes are filters. Every position of a window is visited, with the gradients of the filters that it did not win
/// for replaced by zero: for 3×3×1 patches that is 36 multiply-adds a window for 16 filters, where the sparse way
/// needs 48 and waits for each.
struct ShortPatches<'a, E>(BackwardWeights<'a, E>);

impl<E: Element> Kernel<E> for ShortPatches<'_, E> {
    type Output = ();

    #[inline(always)]
    unsafe fn run<V: Vector<Element = E>>(self) {
        let mut job = self.0;
        let length = job.geometry.filter_length();
        for filter in (0..job.d_bias.len()).step_by(V::LANES) {
            let mut tap = 0;
            // SAFETY: the filters and taps lie within the geometry, whose lengths the entry point has checked.
            unsafe {
                job.add_bias::<V>(filter);
                while length - tap >= TAPS {
                    job.add_taps::<V, TAPS>(filter, tap);
                    tap += TAPS;
                }
                if length - tap >= 4 {
                    job.add_taps::<V, 4>(filter, tap);
                    tap += 4;
                }
                while tap < length {
                    job.add_taps::<V, 1>(filter, tap);
                    tap += 1;
                }
            }
        }
    }
}

impl<E: Element> BackwardWeights<'_, E> {
    /// # Safety
    /// `filter` is one of the call's.
    #[inline(always)]
    unsafe fn add_bias<V: Vector<Element = E>>(&mut self, filter: usize) {
        let filters = self.geometry.size.filters;
        let count = V::LANES.min(self.d_bias.len() - filter);
        // SAFETY: `count` filters from `first` on exist in every window, as the entry point has checked.
        unsafe {
            let off = V::splat(E::from_f64(self.geometry.positions() as f64));
            let to = self.d_bias.as_mut_ptr().add(filter);
            let mut sum = V::load_first(to, count);
            let first = self.first_filter + filter;
            for window in 0..self.images * self.geometry.windows() {
                let at = window * filters + first;
                let winner = V::load_bytes(self.output.winners.as_ptr().add(at), count);
                let gradient = V::load_first(self.output.gradient.as_ptr().add(at), count);
                sum = sum.add(V::zero().select_less_equal(gradient, off, winner));
            }
            sum.store_first(to, count);
        }
    }

    /// Adds the taps `tap..tap + COUNT` of one vector of filters, over all images.
    ///
    /// # Safety
    /// `filter` is one of the call's, the taps are of its filters.
    #[inline(always)]
    unsafe fn add_taps<V: Vector<Element = E>, const COUNT: usize>(&mut self, filter: usize, tap: usize) {
        let geometry = self.geometry;
        let (filters, positions) = (geometry.size.filters, geometry.positions());
        let count = V::LANES.min(self.d_bias.len() - filter);
        let first = self.first_filter + filter;
        // SAFETY: every offset of the geometry begins a whole patch of an image; the taps lie within a patch.
        unsafe {
            let length = geometry.filter_length();
            let mut lane_sums = [E::ZERO; MAXIMUM_LANES];
            let mut sums = [V::zero(); COUNT];
            for (index, sum) in sums.iter_mut().enumerate() {
                for (lane, value) in lane_sums[..count].iter_mut().enumerate() {
                    *value = self.d_weights[(filter + lane) * length + tap + index];
                }
                *sum = V::load(lane_sums.as_ptr());
            }
            for image in 0..self.images {
                let image_at = self.input.as_ptr().add(image * geometry.input_length());
                let mut taps = [image_at; COUNT];
                for (index, pointer) in taps.iter_mut().enumerate() {
                    let (row, column) =
                        ((tap + index) / geometry.run_length(), (tap + index) % geometry.run_length());
                    *pointer = image_at.add(row * geometry.row_stride() + column);
                }
                for window in 0..geometry.windows() {
                    let at = (image * geometry.windows() + window) * filters + first;
                    let winner = V::load_bytes(self.output.winners.as_ptr().add(at), count);
                    let gradient = V::load_first(self.output.gradient.as_ptr().add(at), count);
                    for position in 0..positions {
                        let offset = *geometry.offsets.get_unchecked(window * positions + position) as usize;
                        let this = V::splat(E::from_f64(position as f64));
                        // Equal is no less and no greater.
                        let gradient = gradient.select_less_equal(V::zero(), winner, this);
                        let gradient = gradient.select_less_equal(V::zero(), this, winner);
                        for index in 0..COUNT {
                            sums[index] = V::splat(*taps[index].add(offset)).mul_add(gradient, sums[index]);
                        }
                    }
                }
            }
            for (index, sum) in sums.iter().enumerate() {
                sum.store(lane_sums.as_mut_ptr());
                for (lane, sum) in lane_sums[..count].iter().enumerate() {
                    self.d_weights[(filter + lane) * length + tap + index] = *sum;
                }
            }
        }
    }
}

/// The widest vector's lanes.
const MAXIMUM_LANES: usize = 16;

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
        d_input.fill(E::ZERO);
        let mut lists = Lists::new();
        // As many kernel rows at once as leave all filters' weights of those rows in the first-level cache while the
        // lists walk over them: one for 64 filters of 3×3×32, 24 KB.
        let row_bytes = geometry.size.filters * geometry.run_length() * size_of::<E>();
        let rows = (CACHE_BYTES / row_bytes).clamp(1, geometry.size.kernel_height);
        for image in 0..images {
            let d_input = &mut d_input[image * geometry.input_length()..][..geometry.input_length()];
            let at = image * geometry.output_length();
            let output = OutputGradient {
                gradient: &output.gradient[at..][..geometry.output_length()],
                winners: &output.winners[at..][..geometry.output_length()],
            };
            let mut from = (0, 0);
            while let Some(next) = lists.fill(geometry, output, from) {
                for row in (0..geometry.size.kernel_height).step_by(rows) {
                    for list in &lists.lists[..lists.count] {
                        let sums = &mut d_input[list.patch as usize + row * geometry.row_stride()..];
                        // SAFETY: the list's patch is a whole one of this image, each entry's offset that of a filter's weights,
                        // and `row` is one of both.
                        unsafe {
                            let job = Patches {
                                source: weights.as_ptr().add(row * geometry.run_length()),
                                source_stride: geometry.run_length(),
                                sums: sums.as_mut_ptr(),
                                sums_stride: geometry.row_stride(),
                                rows: rows.min(geometry.size.kernel_height - row),
                                length: geometry.run_length(),
                            };
                            job.add::<V>(&lists.entries[list.first as usize..list.end as usize]);
                        }
                    }
                }
                from = next;
            }
        }
    }
}

/// Half of the smallest first-level data cache in use, and most of one of 48 KB less an image's gradient.
const CACHE_BYTES: usize = 24 << 10;

/// The filters that won at each position of some windows of an image.
struct Lists<E> {
    entries: [Entry<E>; ENTRIES],
    lists: [List; ENTRIES],
    count: usize,
}

/// The winners of one position, a range of the entries.
#[derive(Clone, Copy, Default)]
struct List {
    /// Where the position's patch begins in the image.
    patch: u32,
    first: u32,
    end: u32,
}

impl<E: Element> Lists<E> {
    fn new() -> Self {
        Self { entries: [Entry::default(); ENTRIES], lists: [List::default(); ENTRIES], count: 0 }
    }

    /// Lists the winners from `(window, filter)` on, until the entries are full; where to go on, or none at the end.
    #[inline(always)]
    fn fill(
        &mut self,
        geometry: &Geometry,
        output: OutputGradient<E>,
        from: (usize, usize),
    ) -> Option<(usize, usize)> {
        let (filters, positions) = (geometry.size.filters, geometry.positions());
        let (mut window, mut filter) = from;
        if window == geometry.windows() {
            return None;
        }
        self.count = 0;
        let mut used = 0;
        while window < geometry.windows() && used < ENTRIES && self.count + positions <= ENTRIES {
            let taken = (filters - filter).min(ENTRIES - used);
            // A window is split only where it alone is too many.
            if taken < filters - filter && used > 0 {
                break;
            }
            let at = window * filters + filter;
            used = self.sort(
                geometry,
                window,
                filter,
                &output.winners[at..][..taken],
                &output.gradient[at..][..taken],
                used,
            );
            filter += taken;
            if filter == filters {
                (window, filter) = (window + 1, 0);
            }
        }
        Some((window, filter))
    }

    /// Sorts a window's filters by the position that they won at, after the entries in use; returns how many are then.
    #[inline(always)]
    fn sort(
        &mut self,
        geometry: &Geometry,
        window: usize,
        first_filter: usize,
        winners: &[u8],
        gradients: &[E],
        used: usize,
    ) -> usize {
        let positions = geometry.positions();
        let mut ends = [0u32; 256];
        for winner in winners {
            ends[usize::from(*winner)] += 1;
        }
        let mut next = used as u32;
        for (position, end) in ends[..=positions].iter_mut().enumerate() {
            let first = next;
            next += *end;
            *end = first;
            if position < positions && next > first {
                let patch = geometry.offsets[window * positions + position];
                self.lists[self.count] = List { patch, first, end: next };
                self.count += 1;
            }
        }
        let length = geometry.filter_length();
        for (filter, (winner, gradient)) in winners.iter().zip(gradients).enumerate() {
            let place = &mut ends[usize::from(*winner)];
            let offset = ((first_filter + filter) * length) as u32;
            self.entries[*place as usize] = Entry { offset, gradient: *gradient };
            *place += 1;
        }
        // The last list, of those that won nowhere, is not in use: the next window may have its place.
        ends[positions - 1] as usize
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
            let mut rest = entries;
            // A small block's sums would wait for each other: two entries at once keep the multipliers busy.
            if 2 * ROWS * VECTORS <= block_limit::<V>() {
                let (pairs, single) = entries.as_chunks::<2>();
                let mut others = [[V::zero(); VECTORS]; ROWS];
                for [first, second] in pairs {
                    self.add_patch::<V, ROWS, VECTORS, TAIL>(&mut sums, first, source_at, last);
                    self.add_patch::<V, ROWS, VECTORS, TAIL>(&mut others, second, source_at, last);
                }
                for r in 0..ROWS {
                    for v in 0..VECTORS {
                        sums[r][v] = sums[r][v].add(others[r][v]);
                    }
                }
                rest = single;
            }
            for entry in rest {
                self.add_patch::<V, ROWS, VECTORS, TAIL>(&mut sums, entry, source_at, last);
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
        entry: &Entry<E>,
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
