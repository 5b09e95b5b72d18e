//! The gradient of the weights: sums over the positions that won, and over nothing else.

use super::{
    Geometry, OutputGradient,
    lit_windows::{LIT_IMAGES, LitWindows},
    patches::{Entry, MASK_FILTERS, Patches, WinnerBytes},
};
use crate::{Element, InstructionSet, check_length, dispatch::Kernel, matmul::lanes, vector::Vector};
use std::ops::Range;

/// Derivatives with respect to the weights and the bias of the filters `first_filter..`, as many as `d_bias` holds.
///
/// `d_weights[f] += Σ over images and windows of gradient · patch(winner)`, `d_bias[f] += Σ gradient`, both in the
/// order of the images and windows. The patch of one filter is added to sums that stay in registers: no patch is ever
/// copied out of the image. `input` is that of the forward pass.
///
/// # Panics
/// When a length does not fit the geometry, or its images are [without their border](Geometry::without_border).
pub fn backward_weights<E: Element>(
    set: InstructionSet,
    geometry: &Geometry,
    input: &[E],
    output: OutputGradient<E>,
    first_filter: usize,
    d_weights: &mut [E],
    d_bias: &mut [E],
) {
    geometry.check_no_border();
    let images = output.check(geometry);
    check_length!(input, [images, geometry.input_length()]);
    check_length!(d_weights, [d_bias.len(), geometry.filter_length()]);
    let filters = geometry.size.filters;
    assert!(
        first_filter.checked_add(d_bias.len()).is_some_and(|end| end <= filters),
        "more filters than the geometry has: {} from {first_filter} on of {filters}",
        d_bias.len()
    );
    let job = BackwardWeights { geometry, images, input, output, first_filter, d_weights, d_bias };
    if geometry.run_length() < lanes::<E>(set) {
        E::dispatch(set, ShortPatches(job));
    } else {
        E::dispatch(set, job);
    }
}

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
        let length = geometry.filter_length();
        let mut lists = Lists::new();
        for image in 0..self.images {
            let input = &self.input[image * geometry.input_length()..][..geometry.input_length()];
            for first in (0..self.d_bias.len()).step_by(MASK_FILTERS) {
                let filters = first..self.d_bias.len().min(first + MASK_FILTERS);
                for window in (0..geometry.windows()).step_by(LIST_WINDOWS) {
                    let windows = window..geometry.windows().min(window + LIST_WINDOWS);
                    // SAFETY: the caller vouches for the instructions.
                    unsafe { self.gather::<V>(image, filters.clone(), windows, &mut lists) };
                    for (filter, list) in filters.clone().zip(lists.filled()) {
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
                            job.add::<V>(list.iter().copied());
                        }
                    }
                }
            }
        }
    }
}

/// Windows whose winners are listed at once: with all filters of a mask, 16 KB of entries for float32.
const LIST_WINDOWS: usize = 32;

/// For each filter, the positions that it won.
struct Lists<E> {
    entries: [[Entry<E>; LIST_WINDOWS]; MASK_FILTERS],
    counts: [usize; MASK_FILTERS],
}

impl<E: Element> Lists<E> {
    fn new() -> Self {
        Self { entries: [[Entry::default(); LIST_WINDOWS]; MASK_FILTERS], counts: [0; MASK_FILTERS] }
    }

    fn filled(&self) -> impl Iterator<Item = &[Entry<E>]> {
        self.entries.iter().zip(&self.counts).map(|(entries, count)| &entries[..*count])
    }
}

impl<E: Element> BackwardWeights<'_, E> {
    /// Lists the windows that these filters' winners lie in, and adds their gradients to the bias.
    ///
    /// # Safety
    /// The vector's instructions exist.
    #[inline(always)]
    unsafe fn gather<V: Vector<Element = E>>(
        &mut self,
        image: usize,
        filters: Range<usize>,
        windows: Range<usize>,
        lists: &mut Lists<E>,
    ) {
        let geometry = self.geometry;
        let positions = geometry.positions();
        let d_bias = &mut self.d_bias[filters.clone()];
        lists.counts = [0; MASK_FILTERS];
        for window in windows {
            let at = image * geometry.output_length()
                + window * geometry.size.filters
                + self.first_filter
                + filters.start;
            let winners = WinnerBytes::new(self.output.winners, at, d_bias.len());
            let gradients = &self.output.gradient[at..][..d_bias.len()];
            let places = &geometry.offsets[window * positions..][..positions];
            // SAFETY: the caller's promise.
            let mut mask = unsafe { winners.unequal::<V>(positions as u8) };
            while mask != 0 {
                let filter = mask.trailing_zeros() as usize;
                mask &= mask - 1;
                let gradient = gradients[filter];
                let offset = places[usize::from(self.output.winners[at + filter])];
                let count = &mut lists.counts[filter];
                lists.entries[filter][*count % LIST_WINDOWS] = Entry { offset, gradient };
                *count += 1;
                d_bias[filter] += gradient;
            }
        }
    }
}

/// Taps of a filter that are summed at once, by one or two vectors of filters.
const TAPS: usize = 9;

/// The same sums for patches whose runs would leave most lanes of a vector empty, as with one input channel: here the
/// lanes are filters. Every position of a window is visited, with the gradients of the filters that it did not win
/// for replaced by zero: for 3×3×1 patches that is 36 multiply-adds a window for 16 filters, where the sparse way
/// needs 48 and waits for each. Windows that see zeros only are left out.
struct ShortPatches<'a, E>(BackwardWeights<'a, E>);

impl<E: Element> Kernel<E> for ShortPatches<'_, E> {
    type Output = ();

    #[inline(always)]
    unsafe fn run<V: Vector<Element = E>>(self) {
        let mut job = self.0;
        let mut filter = 0;
        while filter < job.d_bias.len() {
            // SAFETY: the filters lie within the geometry, whose lengths the entry point has checked.
            unsafe {
                if const { V::REGISTERS >= 32 } && job.d_bias.len() - filter > V::LANES {
                    job.add_filters::<V, 2>(filter);
                    filter += 2 * V::LANES;
                } else {
                    job.add_filters::<V, 1>(filter);
                    filter += V::LANES;
                }
            }
        }
    }
}

impl<E: Element> BackwardWeights<'_, E> {
    /// # Safety
    /// `filter` is one of the call's; no more than `VECTORS` vectors of filters follow, or they are left alone.
    #[inline(always)]
    unsafe fn add_filters<V: Vector<Element = E>, const VECTORS: usize>(&mut self, filter: usize) {
        let length = self.geometry.filter_length();
        let mut tap = 0;
        // SAFETY: the caller's promise; the taps are the filter's.
        unsafe {
            self.add_bias::<V, VECTORS>(filter);
            let size = &self.geometry.size;
            if (size.kernel_height, size.kernel_width, size.stride) == (3, 3, 1) {
                match (size.pool_height, size.pool_width) {
                    (1, 1) => return self.add_squares::<V, 1, VECTORS>(filter),
                    (2, 2) => return self.add_squares::<V, 2, VECTORS>(filter),
                    _ => {}
                }
            }
            while length - tap >= TAPS {
                self.add_taps::<V, TAPS, VECTORS>(filter, tap);
                tap += TAPS;
            }
            if length - tap >= 4 {
                self.add_taps::<V, 4, VECTORS>(filter, tap);
                tap += 4;
            }
            while tap < length {
                self.add_taps::<V, 1, VECTORS>(filter, tap);
                tap += 1;
            }
        }
    }
}

impl<E: Element> BackwardWeights<'_, E> {
    /// # Safety
    /// As [`Self::add_filters`].
    #[inline(always)]
    unsafe fn add_bias<V: Vector<Element = E>, const VECTORS: usize>(&mut self, filter: usize) {
        let filters = self.geometry.size.filters;
        let mut counts = [V::LANES; VECTORS];
        counts[VECTORS - 1] = V::LANES.min(self.d_bias.len() - filter - (VECTORS - 1) * V::LANES);
        // SAFETY: these filters of the call's exist in every window, as the entry point has checked.
        unsafe {
            let off = V::splat(E::from_f64(self.geometry.positions() as f64));
            let to = self.d_bias.as_mut_ptr().add(filter);
            let mut sums = [V::zero(); VECTORS];
            for (v, sum) in sums.iter_mut().enumerate() {
                *sum = V::load_first(to.add(v * V::LANES), counts[v]);
            }
            let first = self.first_filter + filter;
            for window in 0..self.images * self.geometry.windows() {
                for (v, sum) in sums.iter_mut().enumerate() {
                    let at = window * filters + first + v * V::LANES;
                    let winner = V::load_bytes(self.output.winners.as_ptr().add(at), counts[v]);
                    let gradient = V::load_first(self.output.gradient.as_ptr().add(at), counts[v]);
                    *sum = sum.add(V::zero().select_less_equal(gradient, off, winner));
                }
            }
            for (v, sum) in sums.into_iter().enumerate() {
                sum.store_first(to.add(v * V::LANES), counts[v]);
            }
        }
    }

    /// Adds all taps of 3×3 kernels behind windows of `POOL`×`POOL`, 1 or 2, one channel at a time: each pixel that a window
    /// reads is loaded once for all taps and positions that meet in it.
    ///
    /// # Safety
    /// `filter` is one of the call's; the geometry is as said, without strides.
    #[inline(always)]
    unsafe fn add_squares<V: Vector<Element = E>, const POOL: usize, const VECTORS: usize>(
        &mut self,
        filter: usize,
    ) {
        let geometry = self.geometry;
        let (filters, channels) = (geometry.size.filters, geometry.size.channels);
        let mut counts = [V::LANES; VECTORS];
        counts[VECTORS - 1] = V::LANES.min(self.d_bias.len() - filter - (VECTORS - 1) * V::LANES);
        let first = self.first_filter + filter;
        let mut boxes: [LitWindows; LIT_IMAGES] = Default::default();
        for (first_image, channel) in (0..self.images)
            .step_by(LIT_IMAGES)
            .flat_map(|image| (0..channels).map(move |channel| (image, channel)))
        {
            let images = first_image..self.images.min(first_image + LIT_IMAGES);
            // SAFETY: a window's square lies within its image, and its outputs have gradients and winners.
            unsafe {
                if channel == 0 {
                    for (lit, image) in boxes.iter_mut().zip(images.clone()) {
                        let length = geometry.input_length();
                        *lit = LitWindows::of::<V>(geometry, &self.input[image * length..][..length]);
                    }
                }
                let mut taps = [[[V::zero(); VECTORS]; 3]; 3];
                for (tap, sums) in taps.as_flattened_mut().iter_mut().enumerate() {
                    self.load_tap(filter, tap * channels + channel, counts, sums);
                }
                // What slices point into would be stored after every sum.
                let mut sums = taps;
                for (image, lit) in images.zip(&boxes) {
                    let pixels = self.input.as_ptr().add(image * geometry.input_length());
                    for row in lit.rows.clone() {
                        let line = (image * geometry.output_height + row) * geometry.output_width;
                        let pixels = pixels.add(row * POOL * geometry.row_stride() + channel);
                        for column in lit.columns.clone() {
                            let at = (line + column) * filters + first;
                            let mut own = [[[V::zero(); VECTORS]; POOL]; POOL];
                            for v in 0..VECTORS {
                                let at = at + v * V::LANES;
                                let winners = V::load_bytes(self.output.winners.as_ptr().add(at), counts[v]);
                                let gradients =
                                    V::load_first(self.output.gradient.as_ptr().add(at), counts[v]);
                                for position in 0..POOL * POOL {
                                    let this = V::splat(E::from_f64(position as f64));
                                    own[position / POOL][position % POOL][v] =
                                        gradients.where_equal(winners, this);
                                }
                            }
                            let square = pixels.add(column * POOL * channels);
                            let row = |y: usize| square.add(y * geometry.row_stride());
                            add_row::<V, POOL, 0, VECTORS>(row(0), channels, &own, &mut sums);
                            add_row::<V, POOL, 1, VECTORS>(row(1), channels, &own, &mut sums);
                            add_row::<V, POOL, 2, VECTORS>(row(2), channels, &own, &mut sums);
                            if POOL == 2 {
                                add_row::<V, POOL, 3, VECTORS>(row(3), channels, &own, &mut sums);
                            }
                        }
                    }
                }
                taps = sums;
                for (tap, sums) in taps.as_flattened().iter().enumerate() {
                    self.store_tap(filter, tap * channels + channel, counts, sums);
                }
            }
        }
    }

    /// One tap of some vectors of filters.
    ///
    /// # Safety
    /// The vector's instructions exist.
    #[inline(always)]
    unsafe fn load_tap<V: Vector<Element = E>, const VECTORS: usize>(
        &self,
        filter: usize,
        tap: usize,
        counts: [usize; VECTORS],
        sums: &mut [V; VECTORS],
    ) {
        let mut lanes = [E::ZERO; MAXIMUM_LANES];
        for (v, sum) in sums.iter_mut().enumerate() {
            for (lane, value) in lanes[..counts[v]].iter_mut().enumerate() {
                *value = self.d_weights[(filter + v * V::LANES + lane) * self.geometry.filter_length() + tap];
            }
            // SAFETY: no vector has more lanes; the caller's promise.
            *sum = unsafe { V::load(lanes.as_ptr()) };
        }
    }

    /// Puts back what [`Self::load_tap`] has read.
    ///
    /// # Safety
    /// The vector's instructions exist.
    #[inline(always)]
    unsafe fn store_tap<V: Vector<Element = E>, const VECTORS: usize>(
        &mut self,
        filter: usize,
        tap: usize,
        counts: [usize; VECTORS],
        sums: &[V; VECTORS],
    ) {
        let mut lanes = [E::ZERO; MAXIMUM_LANES];
        for (v, sum) in sums.iter().enumerate() {
            // SAFETY: no vector has more lanes; the caller's promise.
            unsafe { sum.store(lanes.as_mut_ptr()) };
            for (lane, sum) in lanes[..counts[v]].iter().enumerate() {
                self.d_weights[(filter + v * V::LANES + lane) * self.geometry.filter_length() + tap] = *sum;
            }
        }
    }

    /// Adds the taps `tap..tap + COUNT` of some vectors of filters, over all images.
    ///
    /// # Safety
    /// `filter` is one of the call's, the taps are of its filters.
    #[inline(always)]
    unsafe fn add_taps<V: Vector<Element = E>, const COUNT: usize, const VECTORS: usize>(
        &mut self,
        filter: usize,
        tap: usize,
    ) {
        let geometry = self.geometry;
        let (filters, positions) = (geometry.size.filters, geometry.positions());
        let mut counts = [V::LANES; VECTORS];
        counts[VECTORS - 1] = V::LANES.min(self.d_bias.len() - filter - (VECTORS - 1) * V::LANES);
        let first = self.first_filter + filter;
        // SAFETY: every offset of the geometry begins a whole patch of an image; the taps lie within a patch.
        unsafe {
            let one = V::splat(E::ONE);
            let mut sums = [[V::zero(); VECTORS]; COUNT];
            for (index, sums) in sums.iter_mut().enumerate() {
                self.load_tap(filter, tap + index, counts, sums);
            }
            for image in 0..self.images {
                let pixels = &self.input[image * geometry.input_length()..][..geometry.input_length()];
                let lit = LitWindows::of::<V>(geometry, pixels);
                let mut taps = [pixels.as_ptr(); COUNT];
                for (index, pointer) in taps.iter_mut().enumerate() {
                    let (row, column) =
                        ((tap + index) / geometry.run_length(), (tap + index) % geometry.run_length());
                    *pointer = pixels.as_ptr().add(row * geometry.row_stride() + column);
                }
                for row in lit.rows {
                    for column in lit.columns.clone() {
                        let window = row * geometry.output_width + column;
                        let at = (image * geometry.windows() + window) * filters + first;
                        let (mut winners, mut gradients) = ([V::zero(); VECTORS], [V::zero(); VECTORS]);
                        for v in 0..VECTORS {
                            let at = at + v * V::LANES;
                            winners[v] = V::load_bytes(self.output.winners.as_ptr().add(at), counts[v]);
                            gradients[v] = V::load_first(self.output.gradient.as_ptr().add(at), counts[v]);
                        }
                        let mut this = V::zero();
                        for position in 0..positions {
                            let offset =
                                *geometry.offsets.get_unchecked(window * positions + position) as usize;
                            let mut own = [V::zero(); VECTORS];
                            for v in 0..VECTORS {
                                own[v] = gradients[v].where_equal(winners[v], this);
                            }
                            for index in 0..COUNT {
                                let pixel = V::splat(*taps[index].add(offset));
                                for v in 0..VECTORS {
                                    sums[index][v] = pixel.mul_add(own[v], sums[index][v]);
                                }
                            }
                            this = this.add(one);
                        }
                    }
                }
            }
            for (index, sums) in sums.iter().enumerate() {
                self.store_tap(filter, tap + index, counts, sums);
            }
        }
    }
}

/// Adds row `Y` of what a window reads, with the gradients of its positions, to the taps `[row][column]` of a channel. The row is a
/// constant so that every sum is a register.
///
/// # Safety
/// The row holds the window's pixels, `channels` elements apart.
#[inline(always)]
unsafe fn add_row<V: Vector, const POOL: usize, const Y: usize, const VECTORS: usize>(
    row: *const V::Element,
    channels: usize,
    own: &[[[V; VECTORS]; POOL]; POOL],
    sums: &mut [[[V; VECTORS]; 3]; 3],
) {
    for x in 0..POOL + 2 {
        // SAFETY: the caller's promise.
        let pixel = unsafe { V::splat(*row.add(x * channels)) };
        for window_y in 0..POOL {
            for window_x in 0..POOL {
                if (window_y..window_y + 3).contains(&Y) && (window_x..window_x + 3).contains(&x) {
                    for v in 0..VECTORS {
                        let sum = &mut sums[Y - window_y][x - window_x][v];
                        *sum = pixel.mul_add(own[window_y][window_x][v], *sum);
                    }
                }
            }
        }
    }
}

/// The widest vector's lanes.
const MAXIMUM_LANES: usize = 16;
