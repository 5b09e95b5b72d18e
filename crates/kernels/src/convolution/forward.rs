//! The direct forward pass, which every shape can take: a tile of windows by a panel of filters in registers, position after position.

use super::{
    Geometry, Size,
    best::Best,
    lit_windows::{LIT_IMAGES, LitWindows, Walk},
    winograd,
};
use crate::{
    Element, InstructionSet, check_length,
    dispatch::Kernel,
    length,
    matmul::{Matrix, lanes, pack, packed_length, panel_columns},
    parts::{Shared, in_parts, share, worthwhile_parts},
    tile::{accumulate_rows, in_tiles, panel_width, with_vectors},
    vector::Vector,
};
use std::ops::Range;

/// Elements that [`pack_weights`] needs.
pub fn packed_weights_length<E: Element>(set: InstructionSet, geometry: &Geometry) -> usize {
    if winograd::applies(geometry) {
        return winograd::packed_weights_length::<E>(set, geometry);
    }
    packed_length::<E>(set, geometry.filter_length(), geometry.size.filters)
}

/// Elements of the workspace of [`forward`] and [`backward`](super::backward), whatever it holds.
pub fn workspace_length<E: Element>(set: InstructionSet, geometry: &Geometry) -> usize {
    match winograd::applies(geometry) {
        true => winograd::workspace_length::<E>(set, geometry),
        // Sums of a bias that nobody asks for.
        false => geometry.size.filters,
    }
}

/// Lays the weights out for [`forward`] and [`backward`](super::backward).
///
/// # Panics
/// When a length does not fit the geometry.
pub fn pack_weights<E: Element>(set: InstructionSet, geometry: &Geometry, weights: &[E], packed: &mut [E]) {
    check_length!(packed, [packed_weights_length::<E>(set, geometry)]);
    check_length!(weights, [geometry.size.filters, geometry.filter_length()]);
    if winograd::applies(geometry) {
        return winograd::pack_weights(set, geometry, weights, packed);
    }
    pack(set, Matrix::new(weights, geometry.size.filters, geometry.filter_length()).transposed(), 0, packed);
}

/// Convolution, activation and max-pooling of as many images as `input` holds.
///
/// `output` and `winners`, both `[image, window, filter]`, are overwritten; `winners` not where minimal filtering serves and there is
/// neither a ReLU nor a pool, since [`backward`](super::backward) does not read them then. Where a window sees nothing but zeros its
/// sums may be taken for the bias, whatever the weights.
///
/// # Panics
/// When a length does not fit the geometry.
#[allow(clippy::too_many_arguments, reason = "five tensors, each known by its name")]
pub fn forward<E: Element>(
    set: InstructionSet,
    geometry: &Geometry,
    input: &[E],
    packed_weights: &[E],
    bias: &[E],
    output: &mut [E],
    winners: &mut [u8],
    workspace: &mut [E],
) {
    let images = check(set, geometry, input, packed_weights, bias, output, winners, workspace);
    let arguments = Arguments { geometry, images, input, bias, threads: 1 };
    match winograd::applies(geometry) {
        true => winograd::forward(set, arguments, packed_weights, output, winners, workspace),
        false => direct(set, arguments, packed_weights, output, winners),
    }
}

/// As [`forward`], where no [`backward`](super::backward) follows, shared by up to `threads` threads of the current pool: a single image by
/// minimal filtering, any number of them directly. The bits are the same by any number of threads, but may differ from those of [`forward`]: of few
/// outputs, whose transformed weights would be read for a single tile, the sums are made directly.
///
/// # Panics
/// As there.
#[allow(clippy::too_many_arguments, reason = "five tensors, each known by its name")]
pub fn infer<E: Element>(
    set: InstructionSet,
    geometry: &Geometry,
    input: &[E],
    packed_weights: &[E],
    bias: &[E],
    output: &mut [E],
    winners: &mut [u8],
    workspace: &mut [E],
    threads: usize,
) {
    let images = check(set, geometry, input, packed_weights, bias, output, winners, workspace);
    let arguments = Arguments { geometry, images, input, bias, threads };
    match winograd::applies(geometry) {
        true if winograd::has_one_tile(geometry) => {
            let panels = winograd::panels::<E>(set, geometry, packed_weights);
            direct(set, arguments, panels, output, winners);
        }
        true => winograd::forward(set, arguments, packed_weights, output, winners, workspace),
        false => direct(set, arguments, packed_weights, output, winners),
    }
}

/// The number of images, where every length fits.
#[allow(clippy::too_many_arguments, reason = "five tensors, each known by its name")]
fn check<E: Element>(
    set: InstructionSet,
    geometry: &Geometry,
    input: &[E],
    packed_weights: &[E],
    bias: &[E],
    output: &[E],
    winners: &[u8],
    workspace: &[E],
) -> usize {
    let images = input.len() / geometry.input_length();
    check_length!(input, [images, geometry.input_length()]);
    check_length!(packed_weights, [packed_weights_length::<E>(set, geometry)]);
    check_length!(bias, [geometry.size.filters]);
    check_length!(output, [images, geometry.output_length()]);
    check_length!(winners, [images, geometry.output_length()]);
    check_length!(workspace, [workspace_length::<E>(set, geometry)]);
    images
}

/// What every way reads.
#[derive(Clone, Copy)]
pub(super) struct Arguments<'a, E> {
    pub(super) geometry: &'a Geometry,
    pub(super) images: usize,
    pub(super) input: &'a [E],
    pub(super) bias: &'a [E],
    /// How many may share the work.
    pub(super) threads: usize,
}

/// Position after position. Panels of filters are shared among the threads, and, where there are fewer, their windows.
fn direct<E: Element>(
    set: InstructionSet,
    arguments: Arguments<E>,
    packed_weights: &[E],
    output: &mut [E],
    winners: &mut [u8],
) {
    let Arguments { geometry, images, threads, .. } = arguments;
    geometry.check_no_border();
    let windows = images * geometry.windows();
    let panels = geometry.size.filters.div_ceil(panel_columns::<E>(set));
    let pass = Forward {
        arguments,
        panels: 0..panels,
        windows: 0..windows,
        packed_weights,
        output: Shared(output.as_mut_ptr()),
        winners: Shared(winners.as_mut_ptr()),
    };
    let products = length::operations(&[windows, geometry.positions(), geometry.filter_length()]);
    let threads = worthwhile_parts(products.saturating_mul(geometry.size.filters as u64), threads);
    // What is dark is found by whole images.
    let in_windows = match has_short_pieces(geometry, lanes::<E>(set)) {
        true => 1,
        false => (threads / panels).min(windows).max(1),
    };
    let in_panels = threads.min(panels);
    if in_windows * in_panels < 2 {
        return E::dispatch(set, pass);
    }
    in_parts(in_panels * in_windows, |part| {
        let panels = share(panels, part / in_windows, in_panels);
        let windows = share(windows, part % in_windows, in_windows);
        E::dispatch(set, Forward { panels, windows, ..pass.clone() });
    });
}

/// The outputs of some panels of filters in some windows.
#[derive(Clone)]
struct Forward<'a, E> {
    arguments: Arguments<'a, E>,
    panels: Range<usize>,
    /// Counted over all images.
    windows: Range<usize>,
    packed_weights: &'a [E],
    output: Shared<E>,
    winners: Shared<u8>,
}

impl<E: Element> Kernel<E> for Forward<'_, E> {
    type Output = ();

    #[inline(always)]
    unsafe fn run<V: Vector<Element = E>>(self) {
        let Arguments { geometry, images, input, bias, .. } = self.arguments;
        let (filters, length) = (geometry.size.filters, geometry.filter_length());
        for panel in self.panels {
            let first_filter = panel * panel_width::<V>();
            let used = panel_width::<V>().min(filters - first_filter);
            // SAFETY: the entry point has checked every length; this panel's weights follow those of the filters
            // before it, which are whole panels. The outputs are this pass's.
            unsafe {
                let panel = PanelJob {
                    geometry,
                    input: input.as_ptr(),
                    weights: self.packed_weights.as_ptr().add(first_filter * length),
                    bias: bias.as_ptr().add(first_filter),
                    output: self.output.0.add(first_filter),
                    winners: self.winners.0.add(first_filter),
                    used,
                };
                let vectors = used.div_ceil(V::LANES);
                match has_short_pieces(geometry, V::LANES) {
                    true => with_vectors!(vectors, short_panel::<V>(images, &panel)),
                    false => with_vectors!(vectors, long_panel::<V>(self.windows.clone(), &panel)),
                }
            }
        }
    }
}

/// One panel of filters against all windows of all images.
struct PanelJob<'a, E> {
    geometry: &'a Geometry,
    input: *const E,
    weights: *const E,
    bias: *const E,
    output: *mut E,
    winners: *mut u8,
    used: usize,
}

/// # Safety
/// The job's pointers have the lengths of its geometry behind them, for so many windows of all images.
#[inline(always)]
unsafe fn long_panel<V: Vector, const VECTORS: usize>(windows: Range<usize>, job: &PanelJob<V::Element>) {
    // SAFETY: the caller's promise.
    unsafe { in_tiles!(windows.len(), VECTORS, long_tile::<V>(windows.start, job)) }
}

/// # Safety
/// As [`long_panel`], for so many images.
#[inline(always)]
unsafe fn short_panel<V: Vector, const VECTORS: usize>(images: usize, job: &PanelJob<V::Element>) {
    let geometry = job.geometry;
    let is_square = (geometry.size.pool_height, geometry.size.pool_width) == (2, 2);
    for first in (0..images).step_by(LIT_IMAGES) {
        let mut boxes: [LitWindows; LIT_IMAGES] = Default::default();
        let count = LIT_IMAGES.min(images - first);
        // SAFETY: the caller's promise.
        unsafe {
            for (index, lit) in boxes[..count].iter_mut().enumerate() {
                let length = geometry.input_length();
                let image = std::slice::from_raw_parts(job.input.add((first + index) * length), length);
                *lit = LitWindows::of::<V>(geometry, image);
                fill_dark::<V, VECTORS>(first + index, lit, job);
            }
            let boxes = &boxes[..count];
            let lit = &mut Walk::new(geometry, boxes, first);
            let total = boxes.iter().map(LitWindows::count).sum();
            match is_square {
                true => short_tiles::<V, SQUARE, VECTORS>(total, job, lit),
                false => short_tiles::<V, 1, VECTORS>(total, job, lit),
            }
        }
    }
}

/// Windows that see zeros only: every sum is the bias.
///
/// # Safety
/// As [`long_panel`], for one of the images.
#[inline(always)]
unsafe fn fill_dark<V: Vector, const VECTORS: usize>(
    image: usize,
    lit: &LitWindows,
    job: &PanelJob<V::Element>,
) {
    let geometry = job.geometry;
    // SAFETY: the caller's promise; the windows are the image's.
    unsafe {
        let mut best = [Best::<V>::new(geometry.size.activation, geometry.positions()); VECTORS];
        for (best, bias) in best.iter_mut().zip(load_bias::<V, VECTORS>(job)) {
            best.offer(0, bias);
        }
        for row in 0..geometry.output_height {
            let lit = if lit.rows.contains(&row) { lit.columns.clone() } else { 0..0 };
            for column in (0..lit.start).chain(lit.end..geometry.output_width) {
                let window = image * geometry.windows() + row * geometry.output_width + column;
                store_best(&best, window, job);
            }
        }
    }
}

/// Image and window within it of the windows from `first` on, by one division.
#[inline(always)]
fn windows_from(geometry: &Geometry, first: usize) -> impl Iterator<Item = (usize, usize)> {
    let windows = geometry.windows();
    let (mut image, mut window) = (first / windows, first % windows);
    std::iter::repeat_with(move || {
        let this = (image, window);
        window += 1;
        if window == windows {
            (image, window) = (image + 1, 0);
        }
        this
    })
}

/// Elements of the largest rectangle of an image that a window reads with its neighbours.
const LONGEST_PIECE: usize = 64;

/// Whether what a window reads are so few and short rows that the inner loop, with a dozen pointers, would end after a few turns.
fn has_short_pieces(geometry: &Geometry, lanes: usize) -> bool {
    let Size { channels, kernel_height, kernel_width, stride, pool_height, pool_width, .. } = geometry.size;
    let rows = (pool_height - 1) * stride + kernel_height;
    let run = ((pool_width - 1) * stride + kernel_width) * channels;
    run <= lanes && rows * run <= LONGEST_PIECE
}

/// Positions of a window of 2×2.
const SQUARE: usize = 4;

/// So many lit windows, `AT_ONCE` positions of each at a time.
///
/// # Safety
/// As [`long_panel`]; `windows` has as many left, and a window's positions are a multiple of those at once.
#[inline(always)]
unsafe fn short_tiles<V: Vector, const AT_ONCE: usize, const VECTORS: usize>(
    total: usize,
    job: &PanelJob<V::Element>,
    windows: &mut Walk,
) {
    let mut left = total;
    macro_rules! tiles {
        ($windows:literal) => {
            // As many windows as the registers hold the sums of, and the rest one by one.
            if const {
                let (limit, sums) = (if V::REGISTERS >= 32 { 24 } else { 12 }, $windows * AT_ONCE * VECTORS);
                sums <= limit && ($windows == 12 || $windows == 1 || 2 * sums > limit)
            } {
                while left >= $windows {
                    // SAFETY: the caller's promise.
                    unsafe { short_tile::<V, $windows, AT_ONCE, VECTORS>(job, windows) }
                    left -= $windows;
                }
            }
        };
    }
    tiles!(12);
    tiles!(6);
    tiles!(3);
    tiles!(1);
}

/// The sums of all positions at once of a window stay in registers with those of its neighbours, and the largest with them: no
/// pixel is copied, and one pointer serves a window.
///
/// # Safety
/// As [`short_tiles`].
#[inline(always)]
unsafe fn short_tile<V: Vector, const WINDOWS: usize, const AT_ONCE: usize, const VECTORS: usize>(
    job: &PanelJob<V::Element>,
    windows: &mut Walk,
) {
    let geometry = job.geometry;
    let positions = geometry.positions();
    // Here they are registers; behind a reference they would be worked out again for each window.
    let (all, length, row_stride) = (geometry.windows(), geometry.input_length(), geometry.row_stride());
    let mut places = [0; WINDOWS];
    // SAFETY: every offset of the geometry begins a whole patch within an image; a window's positions lie as far from its first
    // as those of the first window do; the caller promises the rest.
    unsafe {
        let mut firsts = [job.input; WINDOWS];
        for (first, place) in firsts.iter_mut().zip(&mut places) {
            let (image, window) = windows.next();
            *place = image * all + window;
            let offset = *geometry.offsets.get_unchecked(window * positions) as usize;
            *first = job.input.add(image * length + offset);
        }
        let bias = load_bias::<V, VECTORS>(job);
        let mut best = [[Best::<V>::new(geometry.size.activation, positions); VECTORS]; WINDOWS];
        for first_position in (0..positions).step_by(AT_ONCE) {
            let mut offsets = [0; AT_ONCE];
            for (index, offset) in offsets.iter_mut().enumerate() {
                *offset = *geometry.offsets.get_unchecked(first_position + index) as usize;
            }
            let mut sums = [[bias; AT_ONCE]; WINDOWS];
            let mut rows = firsts;
            let mut weights = job.weights;
            for _ in 0..geometry.size.kernel_height {
                for k in 0..geometry.run_length() {
                    let mut right = [V::zero(); VECTORS];
                    for (v, right) in right.iter_mut().enumerate() {
                        *right = V::load(weights.add(v * V::LANES));
                    }
                    for w in 0..WINDOWS {
                        for position in 0..AT_ONCE {
                            let left = V::splat(*rows[w].add(k + offsets[position]));
                            for v in 0..VECTORS {
                                sums[w][position][v] = left.mul_add(right[v], sums[w][position][v]);
                            }
                        }
                    }
                    weights = weights.add(VECTORS * V::LANES);
                }
                for row in &mut rows {
                    *row = row.wrapping_add(row_stride);
                }
            }
            for w in 0..WINDOWS {
                for v in 0..VECTORS {
                    for position in 0..AT_ONCE {
                        best[w][v].offer(first_position + position, sums[w][position][v]);
                    }
                }
            }
        }
        for (best, place) in best.iter().zip(places) {
            store_best(best, place, job);
        }
    }
}

/// # Safety
/// As [`long_panel`].
#[inline(always)]
unsafe fn load_bias<V: Vector, const VECTORS: usize>(job: &PanelJob<V::Element>) -> [V; VECTORS] {
    // SAFETY: the panel has `used` filters, and so many biases.
    unsafe {
        let mut bias = [V::zero(); VECTORS];
        for (v, bias) in bias.iter_mut().enumerate() {
            *bias = V::load_first(job.bias.add(v * V::LANES), V::LANES.min(job.used - v * V::LANES));
        }
        bias
    }
}

/// # Safety
/// As [`long_panel`], for one of the windows of all images.
#[inline(always)]
unsafe fn store_best<V: Vector, const VECTORS: usize>(
    best: &[Best<V>; VECTORS],
    window: usize,
    job: &PanelJob<V::Element>,
) {
    // SAFETY: the window is one of the job's, and the last vector writes only the filters that there are.
    unsafe {
        for (v, best) in best.iter().enumerate() {
            let count = V::LANES.min(job.used - v * V::LANES);
            let at = window * job.geometry.size.filters + v * V::LANES;
            best.store(job.output.add(at), job.winners.add(at), count);
        }
    }
}

/// For patches with rows of some length, which are read where they lie. The windows may lie in different images: only
/// the last tile of a call is narrow.
///
/// # Safety
/// As [`long_panel`], for the windows `first..first + WINDOWS` from `start` on.
#[inline(always)]
unsafe fn long_tile<V: Vector, const WINDOWS: usize, const VECTORS: usize>(
    first: usize,
    start: usize,
    job: &PanelJob<V::Element>,
) {
    let (geometry, first) = (job.geometry, start + first);
    let positions = geometry.positions();
    // SAFETY: every offset of the geometry begins a whole patch within an image; the caller promises the rest.
    unsafe {
        let mut images = [job.input; WINDOWS];
        let mut offsets = [geometry.offsets.as_ptr(); WINDOWS];
        for (w, (image, window)) in windows_from(geometry, first).take(WINDOWS).enumerate() {
            images[w] = job.input.add(image * geometry.input_length());
            offsets[w] = geometry.offsets.as_ptr().add(window * positions);
        }
        let mut best = [[Best::<V>::new(geometry.size.activation, positions); VECTORS]; WINDOWS];
        let bias = load_bias::<V, VECTORS>(job);
        for position in 0..positions {
            let mut sums = [bias; WINDOWS];
            let mut rows = images;
            for w in 0..WINDOWS {
                rows[w] = images[w].add(*offsets[w].add(position) as usize);
            }
            let mut weights = job.weights;
            for _ in 0..geometry.size.kernel_height {
                accumulate_rows(&mut sums, &rows, geometry.run_length(), weights, VECTORS * V::LANES);
                weights = weights.add(geometry.run_length() * VECTORS * V::LANES);
                for row in &mut rows {
                    *row = row.wrapping_add(geometry.row_stride());
                }
            }
            for w in 0..WINDOWS {
                for v in 0..VECTORS {
                    best[w][v].offer(position, sums[w][v]);
                }
            }
        }
        for (best, window) in best.iter().zip(first..) {
            store_best(best, window, job);
        }
    }
}
