//! Few channels: positions as lanes.
//!
//! A patch of one channel is a few runs of three or five elements, so that copying patches costs many times what their products do.
//! Here nothing is copied so: for a tap, the pixels that the positions of a row read are the image's own row, shifted. With the
//! image's channels laid out as planes with their border, 16 positions are one unaligned load, each weight is one number for all of
//! them, and the sums of a row of positions stay in registers for all taps. Rows of sums are transposed on their way out, rows of
//! their gradients on their way in.
//!
//! The sums of outputs are the same chains as those of the products. A weight's gradient is summed lane by lane, over the columns that share
//! a lane, row after row and image after image; the lanes are added up at the end.

use super::Geometry;
use crate::{Element, InstructionSet, dispatch::Kernel, length, matmul::lanes, vector::Vector};
use std::mem::MaybeUninit;

/// Lanes of the widest vector.
const MOST_LANES: usize = 16;

/// Filters whose sums are in registers together.
const FILTERS: usize = 4;

/// With fewer positions the sums, which are read and written once an image, cost more than what is added to them.
const FEWEST_POSITIONS: usize = 64;

/// Whether a geometry goes this way: where there are too few pairs of channel and filter to fill the vectors of filters that the other way
/// has, and the rows of positions fill the vectors here.
///
/// Measured with AVX-512, microseconds an image forward and for the weights' gradient, the other way and this one: 28×28×1 → 8 filters of
/// 5×5 with `same` 7.3 + 18.7 and 7.7 + 6.7, → 16 8.5 + 22.7 and 13.2 + 11.7, → 40 25.8 + 75.9 and 50.0 + 49.9; without `same`, where 24 of 32
/// lanes are positions, → 16 5.8 + 15.3 and 11.0 + 11.8; 32×32×3 → 4 of 5×5 24.1 + 15.1 and 15.8 + 13.6, → 16 24.9 + 29.6 and 40.0 + 36.8.
pub(super) fn applies(geometry: &Geometry) -> bool {
    let sliding = geometry.sliding();
    let size = sliding.size();
    let pairs = size.channels.saturating_mul(geometry.filters);
    let (width, columns) = (sliding.output_width(), sliding.output_width().next_multiple_of(MOST_LANES));
    (size.stride, size.dilation, geometry.groups) == (1, 1, 1)
        && sliding.positions() >= FEWEST_POSITIONS
        && (pairs <= 12 && 2 * width >= columns || pairs <= 16 && 8 * width >= 7 * columns)
}

/// Elements that the passes need beside their arguments.
pub(super) fn workspace_length(geometry: &Geometry) -> usize {
    let planes = Planes::of(geometry, MOST_LANES);
    let filters = geometry.filters;
    let gradients = length::product(&[filters, geometry.sliding().output_height(), planes.columns]);
    let sums = length::product(&[filters, geometry.filter_length(), MOST_LANES]);
    length::sum(&[planes.length(), gradients, sums])
}

/// The weights, `[filter, kernel row, kernel column, channel]`, as forward reads them: as they are.
pub(super) fn packed_weights_length(geometry: &Geometry) -> usize {
    length::product(&[geometry.filters, geometry.filter_length()])
}

/// An image's channels one after the other, each with its border, in rows that whole vectors of positions can read from.
#[derive(Clone, Copy)]
struct Planes {
    channels: usize,
    height: usize,
    /// Elements of a row.
    stride: usize,
    /// Positions of a row, rounded up to whole vectors.
    columns: usize,
}

impl Planes {
    fn of(geometry: &Geometry, lanes: usize) -> Self {
        let (sliding, size) = (geometry.sliding(), geometry.sliding().size());
        let columns = length::padded(sliding.output_width(), lanes);
        let stride = length::sum(&[columns, size.kernel_width]);
        Self { channels: size.channels, height: size.height, stride, columns }
    }

    fn length(&self) -> usize {
        length::product(&[self.channels, self.height, self.stride])
    }

    /// Copies an image's pixels into the planes. Everything around them is zero already and stays so.
    fn fill<E: Element>(&self, geometry: &Geometry, image: &[E], planes: &mut [E]) {
        let ([above, left], size) = (geometry.border, geometry.sliding().size());
        let width = size.width - 2 * left;
        for (row, pixels) in image.chunks_exact(width * self.channels).enumerate() {
            for channel in 0..self.channels {
                let first = (channel * self.height + above + row) * self.stride + left;
                let to = &mut planes[first..first + width];
                for (to, pixel) in to.iter_mut().zip(pixels[channel..].iter().step_by(self.channels)) {
                    *to = *pixel;
                }
            }
        }
    }
}

/// What forward and backward have in common; lengths as [`super`] checks them.
pub(super) struct Pass<'a, E> {
    pub(super) set: InstructionSet,
    pub(super) geometry: &'a Geometry,
    pub(super) input: &'a [E],
    pub(super) workspace: &'a mut [E],
}

impl<E: Element> Pass<'_, E> {
    /// As [`super::forward`].
    pub(super) fn forward(self, weights: &[E], bias: &[E], output: &mut [E]) {
        let planes = Planes::of(self.geometry, lanes::<E>(self.set));
        let geometry = self.geometry;
        let pixels = &mut self.workspace[..planes.length()];
        pixels.fill(E::ZERO);
        let images = self.input.chunks_exact(geometry.input_length());
        for (image, output) in images.zip(output.chunks_exact_mut(geometry.output_length())) {
            planes.fill(geometry, image, pixels);
            E::dispatch(self.set, Forward { geometry, planes, pixels, weights, bias, output });
        }
    }

    /// Adds the gradient of the weights `[filter, kernel row, kernel column, channel]` to `d_weights`.
    pub(super) fn backward_weights(self, d_output: &[E], d_weights: &mut [E]) {
        let lanes = lanes::<E>(self.set);
        let (geometry, planes) = (self.geometry, Planes::of(self.geometry, lanes));
        let (pixels, rest) = self.workspace.split_at_mut(planes.length());
        let rows = geometry.filters * geometry.sliding().output_height() * planes.columns;
        let (gradients, rest) = rest.split_at_mut(rows);
        let sums = &mut rest[..d_weights.len() * lanes];
        pixels.fill(E::ZERO);
        sums.fill(E::ZERO);
        let images = self.input.chunks_exact(geometry.input_length());
        for (image, d_output) in images.zip(d_output.chunks_exact(geometry.output_length())) {
            planes.fill(geometry, image, pixels);
            E::dispatch(self.set, Backward { geometry, planes, pixels, d_output, gradients, sums });
        }
        for (d_weight, lanes) in d_weights.iter_mut().zip(sums.chunks_exact(lanes)) {
            *d_weight += lanes.iter().copied().sum();
        }
    }
}

/// A square of as many rows and columns as a vector has lanes.
struct Square<E>([MaybeUninit<E>; MOST_LANES * MOST_LANES]);

impl<E: Element> Square<E> {
    fn new() -> Self {
        Self([MaybeUninit::uninit(); MOST_LANES * MOST_LANES])
    }

    fn row<V: Vector<Element = E>>(&mut self, row: usize) -> *mut E {
        self.0.as_mut_ptr().cast::<E>().wrapping_add(row * V::LANES)
    }
}

struct Forward<'a, E> {
    geometry: &'a Geometry,
    planes: Planes,
    pixels: &'a [E],
    weights: &'a [E],
    bias: &'a [E],
    output: &'a mut [E],
}

impl<E: Element> Kernel<E> for Forward<'_, E> {
    type Output = ();

    #[inline(always)]
    unsafe fn run<V: Vector<Element = E>>(self) {
        let (sliding, filters) = (self.geometry.sliding(), self.geometry.filters);
        let width = sliding.output_width();
        let [mut sums, mut outputs] = [Square::<E>::new(), Square::new()];
        for row in 0..sliding.output_height() {
            for column in (0..width).step_by(V::LANES) {
                let count = V::LANES.min(width - column);
                for first in (0..filters).step_by(V::LANES) {
                    let used = V::LANES.min(filters - first);
                    // SAFETY: the planes hold what whole vectors of positions read; every row of the square is written before it is
                    // transposed; the positions and filters that are stored are the output's.
                    unsafe {
                        if used < FILTERS {
                            for filter in 0..used {
                                self.sums::<V, 1>(row, column, first + filter, sums.row::<V>(filter));
                            }
                        } else {
                            for filter in (0..used).step_by(FILTERS) {
                                // The last ones may be summed once more: alone they would wait for each of their products.
                                let filter = filter.min(used - FILTERS);
                                self.sums::<V, FILTERS>(row, column, first + filter, sums.row::<V>(filter));
                            }
                        }
                        for filter in used..V::LANES {
                            V::zero().store(sums.row::<V>(filter));
                        }
                        V::transpose(sums.row::<V>(0), V::LANES, outputs.row::<V>(0), V::LANES);
                        for position in 0..count {
                            let at = (row * width + column + position) * filters + first;
                            let values = V::load(outputs.row::<V>(position));
                            values.store_first(self.output.as_mut_ptr().add(at), used);
                        }
                    }
                }
            }
        }
    }
}

impl<E: Element> Forward<'_, E> {
    /// The sums of `COUNT` filters from `filter` on at a vector of positions, to rows of a square.
    ///
    /// # Safety
    /// There are these filters and positions; `to` has room for so many vectors.
    #[inline(always)]
    unsafe fn sums<V: Vector<Element = E>, const COUNT: usize>(
        &self,
        row: usize,
        column: usize,
        filter: usize,
        to: *mut E,
    ) {
        let (size, length) = (self.geometry.sliding().size(), self.geometry.filter_length());
        // SAFETY: the caller's promise; a position's taps lie within the planes.
        unsafe {
            let mut sums = [V::zero(); COUNT];
            for (index, sum) in sums.iter_mut().enumerate() {
                *sum = V::splat(*self.bias.get_unchecked(filter + index));
            }
            let mut weight = self.weights.as_ptr().add(filter * length);
            for tap_row in 0..size.kernel_height {
                let line = self.pixels.as_ptr().add((row + tap_row) * self.planes.stride + column);
                for tap in 0..size.kernel_width {
                    for channel in 0..size.channels {
                        let plane = channel * self.planes.height * self.planes.stride;
                        let pixels = V::load(line.add(plane + tap));
                        for (index, sum) in sums.iter_mut().enumerate() {
                            *sum = V::splat(*weight.add(index * length)).mul_add(pixels, *sum);
                        }
                        weight = weight.add(1);
                    }
                }
            }
            for (index, sum) in sums.into_iter().enumerate() {
                sum.store(to.add(index * V::LANES));
            }
        }
    }
}

struct Backward<'a, E> {
    geometry: &'a Geometry,
    planes: Planes,
    pixels: &'a [E],
    d_output: &'a [E],
    /// `[filter, row, column]`, columns rounded up to whole vectors.
    gradients: &'a mut [E],
    /// `[filter, kernel row, kernel column, channel, lane]`.
    sums: &'a mut [E],
}

impl<E: Element> Kernel<E> for Backward<'_, E> {
    type Output = ();

    #[inline(always)]
    unsafe fn run<V: Vector<Element = E>>(mut self) {
        let (size, filters) = (*self.geometry.sliding().size(), self.geometry.filters);
        // SAFETY: as the parts'.
        unsafe {
            self.turn::<V>();
            for tap_row in 0..size.kernel_height {
                for channel in 0..size.channels {
                    let mut tap = 0;
                    while size.kernel_width - tap >= 5 {
                        self.taps::<V, 5>(filters, tap_row, tap, channel);
                        tap += 5;
                    }
                    while size.kernel_width - tap >= 3 {
                        self.taps::<V, 3>(filters, tap_row, tap, channel);
                        tap += 3;
                    }
                    while tap < size.kernel_width {
                        self.taps::<V, 1>(filters, tap_row, tap, channel);
                        tap += 1;
                    }
                }
            }
        }
    }
}

impl<E: Element> Backward<'_, E> {
    /// Lays the gradients out filter by filter; columns beyond the last are zero.
    ///
    /// # Safety
    /// As [`Kernel::run`].
    #[inline(always)]
    unsafe fn turn<V: Vector<Element = E>>(&mut self) {
        let (sliding, filters) = (self.geometry.sliding(), self.geometry.filters);
        let (height, width) = (sliding.output_height(), sliding.output_width());
        let [mut positions, mut rows] = [Square::<E>::new(), Square::new()];
        for row in 0..height {
            for column in (0..width).step_by(V::LANES) {
                let count = V::LANES.min(width - column);
                for first in (0..filters).step_by(V::LANES) {
                    let used = V::LANES.min(filters - first);
                    // SAFETY: what is read are gradients of the output, what is written rows of filters that there are; every row of the
                    // square is written before it is transposed.
                    unsafe {
                        for position in 0..V::LANES {
                            let at = (row * width + column + position) * filters + first;
                            let values = match position < count {
                                true => V::load_first(self.d_output.as_ptr().add(at), used),
                                false => V::zero(),
                            };
                            values.store(positions.row::<V>(position));
                        }
                        V::transpose(positions.row::<V>(0), V::LANES, rows.row::<V>(0), V::LANES);
                        for filter in 0..used {
                            let at = ((first + filter) * height + row) * self.planes.columns + column;
                            V::load(rows.row::<V>(filter)).store(self.gradients.as_mut_ptr().add(at));
                        }
                    }
                }
            }
        }
    }

    /// The sums of `TAPS` taps of a kernel row and a channel, for all filters.
    ///
    /// # Safety
    /// As [`Kernel::run`]; there are these taps.
    #[inline(always)]
    unsafe fn taps<V: Vector<Element = E>, const TAPS: usize>(
        &mut self,
        filters: usize,
        tap_row: usize,
        tap: usize,
        channel: usize,
    ) {
        let mut filter = 0;
        // SAFETY: the caller's promise.
        unsafe {
            while filters - filter >= FILTERS {
                self.tile::<V, FILTERS, TAPS>(filter, tap_row, tap, channel);
                filter += FILTERS;
            }
            while filter < filters {
                self.tile::<V, 1, TAPS>(filter, tap_row, tap, channel);
                filter += 1;
            }
        }
    }

    /// # Safety
    /// As [`Self::taps`], for `COUNT` filters from `filter` on.
    #[inline(always)]
    unsafe fn tile<V: Vector<Element = E>, const COUNT: usize, const TAPS: usize>(
        &mut self,
        filter: usize,
        tap_row: usize,
        tap: usize,
        channel: usize,
    ) {
        let (sliding, planes) = (self.geometry.sliding(), self.planes);
        let (size, height, width) = (sliding.size(), sliding.output_height(), sliding.output_width());
        let length = self.geometry.filter_length();
        let first = (tap_row * size.kernel_width + tap) * size.channels + channel;
        // SAFETY: the caller's promise; a position's taps lie within the planes.
        unsafe {
            let place = |index: usize, tap: usize| {
                ((filter + index) * length + first + tap * size.channels) * V::LANES
            };
            let mut sums = [[V::zero(); TAPS]; COUNT];
            for (index, sums) in sums.iter_mut().enumerate() {
                for (tap, sum) in sums.iter_mut().enumerate() {
                    *sum = V::load(self.sums.as_ptr().add(place(index, tap)));
                }
            }
            for row in 0..height {
                let line = (channel * planes.height + row + tap_row) * planes.stride + tap;
                let (line, gradient) = (
                    self.pixels.as_ptr().add(line),
                    self.gradients.as_ptr().add((filter * height + row) * planes.columns),
                );
                for column in (0..width).step_by(V::LANES) {
                    let mut pixels = [V::zero(); TAPS];
                    let positions = V::LANES.min(width - column);
                    for (tap, pixels) in pixels.iter_mut().enumerate() {
                        // Behind the last position lie pixels of others', whose gradients here are zeros: NaN times zero is NaN.
                        *pixels = match positions == V::LANES {
                            true => V::load(line.add(column + tap)),
                            false => V::load_first(line.add(column + tap), positions),
                        };
                    }
                    for (index, sums) in sums.iter_mut().enumerate() {
                        let gradient = V::load(gradient.add(index * height * planes.columns + column));
                        for (sum, pixels) in sums.iter_mut().zip(pixels) {
                            *sum = gradient.mul_add(pixels, *sum);
                        }
                    }
                }
            }
            for (index, sums) in sums.into_iter().enumerate() {
                for (tap, sum) in sums.into_iter().enumerate() {
                    sum.store(self.sums.as_mut_ptr().add(place(index, tap)));
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sliding::{Size, Sliding};

    /// As measured: see [`applies`].
    #[test]
    fn it_serves_few_channels_and_filters_in_rows_that_fill_vectors() {
        for ([height, width, channels], [kernel_height, kernel_width], filters, expected) in [
            ([28, 28, 1], [5, 5], 12, true),
            ([28, 28, 1], [5, 5], 13, false),
            ([32, 32, 1], [5, 5], 16, true),
            ([31, 31, 1], [5, 5], 16, false),
            ([32, 32, 1], [5, 5], 17, false),
            ([32, 32, 3], [5, 5], 4, true),
            ([32, 32, 3], [5, 5], 6, false),
            ([12, 12, 1], [5, 5], 8, true),
            ([11, 11, 1], [4, 5], 8, false),
            ([28, 28, 1], [28, 3], 8, false),
            ([28, 28, 1], [3, 28], 8, false),
        ] {
            let sliding = Sliding::new(Size {
                height,
                width,
                channels,
                kernel_height,
                kernel_width,
                stride: 1,
                dilation: 1,
            });
            let found = applies(&Geometry::new(sliding, filters, 1));
            assert_eq!(
                found, expected,
                "{height}×{width}×{channels}, {kernel_height}×{kernel_width}, {filters} filters"
            );
        }
    }
}
