//! The backward pass, of a convolution without pooling: its windows are its outputs.

use super::{
    BACKWARD_TILES, Pieces, Products, Tiling, by_tile, panel_of, position_stride, transform_images,
    transforms::{FilterAdjoint, InputAdjoint, OutputAdjoint, TAPS, Transform, both_ways},
    weights::forward_length,
};
use crate::{
    Element, InstructionSet,
    convolution::{Activation, Geometry, OutputGradient},
    dispatch::Kernel,
    matmul::Output,
    tile::{accumulate_columns, in_tiles, panel_width, with_vectors},
    vector::Vector,
};
use std::ops::Range;

/// The backward pass; lengths as [`super::super::backward`] checks them.
pub(in super::super) struct Backward<'a, E> {
    pub(in super::super) set: InstructionSet,
    pub(in super::super) geometry: &'a Geometry,
    pub(in super::super) images: usize,
    pub(in super::super) input: &'a [E],
    pub(in super::super) packed_weights: &'a [E],
    pub(in super::super) output: OutputGradient<'a, E>,
    pub(in super::super) d_weights: &'a mut [E],
    pub(in super::super) d_bias: Option<&'a mut [E]>,
    pub(in super::super) d_input: Option<&'a mut [E]>,
    pub(in super::super) into_input: Output,
    pub(in super::super) workspace: &'a mut [E],
}

impl<E: Element> Kernel<E> for Backward<'_, E> {
    type Output = ();

    #[inline(always)]
    unsafe fn run<V: Vector<Element = E>>(mut self) {
        let geometry = self.geometry;
        let (channels, filters) = (geometry.size.channels, geometry.size.filters);
        let [padded_channels, padded_filters] = [channels, filters].map(|row| row.next_multiple_of(V::LANES));
        let tiling = Tiling::new(geometry);
        let (block, tiles) = (tiling.block_images(BACKWARD_TILES), tiling.block_tiles(BACKWARD_TILES));
        // SAFETY: the workspace has room for all of these. Every element is written before it is read: the plane's edges
        // here, all else pass by pass.
        unsafe {
            let inputs = Pieces::new(self.workspace.as_mut_ptr(), tiles, padded_channels);
            let d_products = Pieces::new(inputs.end(tiling.positions()), tiles, padded_filters);
            let d_weights = Pieces::new(d_products.end(tiling.positions()), filters, padded_channels);
            let weights = self.packed_weights.as_ptr().add(forward_length::<E>(self.set, geometry));
            for first in (0..self.images).step_by(block) {
                let images = block.min(self.images - first);
                let tiles = images * tiling.tiles();
                let input = self.input.as_ptr().add(first * geometry.input_length());
                by_tile!(tiling, transform_images[V](geometry, input, 0..tiles, inputs));
                if let Some(d_bias) = self.d_bias.as_deref_mut() {
                    add_bias::<V>(geometry, self.output, first..first + images, d_bias);
                }
                let output = self.output;
                by_tile!(tiling, transform_gradient[V](geometry, output, first, images, d_products));
                let into = if first == 0 { Output::Overwrite } else { Output::Accumulate };
                let outer = Outer { tiles, filters, left: d_products, right: inputs, to: d_weights, into };
                for position in 0..tiling.positions() {
                    for channel in (0..channels).step_by(panel_width::<V>()) {
                        let vectors = panel_of::<V>(channel, channels).1 / V::LANES;
                        with_vectors!(vectors, outer_panel::<V>(position, channel, &outer));
                    }
                    if self.d_input.is_none() {
                        continue;
                    }
                    // Into the place of the inputs, which are no longer needed in this position.
                    for channel in (0..channels).step_by(panel_width::<V>()) {
                        let products = Products {
                            from: d_products,
                            length: filters,
                            right: weights.add(channel * filters),
                            right_stride: position_stride(filters, padded_channels),
                            to: Pieces { start: inputs.start.add(channel), ..inputs },
                        };
                        products.run::<V>(position, tiles, panel_of::<V>(channel, channels).1 / V::LANES);
                    }
                }
                by_tile!(tiling, Self::add_input[V](&mut self, first, images, inputs));
            }
            if self.images > 0 {
                by_tile!(tiling, Self::add_weights[V](&mut self, d_weights));
            }
        }
    }
}

/// One vector of filters of the gradient at an output, zero where the ReLU was off.
///
/// # Safety
/// `at` begins `count` filters of an output.
#[inline(always)]
unsafe fn gradient_at<V: Vector>(
    output: OutputGradient<V::Element>,
    relu: bool,
    at: usize,
    count: usize,
) -> V {
    // SAFETY: the caller's promise.
    unsafe {
        let gradient = V::load_first(output.gradient.as_ptr().add(at), count);
        match relu {
            true => gradient.where_equal(V::load_bytes(output.winners.as_ptr().add(at), count), V::zero()),
            false => gradient,
        }
    }
}

/// Adds the gradients of some images to the bias.
///
/// # Safety
/// There are these images, and a bias for each filter.
#[inline(always)]
unsafe fn add_bias<V: Vector>(
    geometry: &Geometry,
    output: OutputGradient<V::Element>,
    images: Range<usize>,
    d_bias: &mut [V::Element],
) {
    let (filters, relu) = (geometry.size.filters, geometry.size.activation == Activation::Relu);
    for filter in (0..filters).step_by(V::LANES) {
        let count = V::LANES.min(filters - filter);
        // SAFETY: the caller's promise.
        unsafe {
            let to = d_bias.as_mut_ptr().add(filter);
            let mut sum = V::load_first(to, count);
            for window in images.start * geometry.windows()..images.end * geometry.windows() {
                sum = sum.add(gradient_at::<V>(output, relu, window * filters + filter, count));
            }
            sum.store_first(to, count);
        }
    }
}

/// A dY Aᵀ of all tiles of some images, `[position][tile, filter]`; the filters beyond the last are zero.
///
/// # Safety
/// There are these images, and `to` has room for their tiles.
#[inline(always)]
unsafe fn transform_gradient<V: Vector, const OUTPUTS: usize, const PIECE: usize>(
    geometry: &Geometry,
    output: OutputGradient<V::Element>,
    first: usize,
    images: usize,
    to: Pieces<V::Element>,
) where
    OutputAdjoint: Transform<OUTPUTS, PIECE>,
{
    let (tiling, filters) = (Tiling::new(geometry), geometry.size.filters);
    let relu = geometry.size.activation == Activation::Relu;
    for index in 0..images * tiling.tiles() {
        let (image, tile) = (first + index / tiling.tiles(), index % tiling.tiles());
        let ((row, column), part) = (tiling.corner(tile), tiling.outputs(tile));
        let corner = image * geometry.output_length() + (row * geometry.output_width + column) * filters;
        for filter in (0..filters).step_by(V::LANES) {
            let count = V::LANES.min(filters - filter);
            // SAFETY: an output that is read is one of the image's, and has its gradient and its winner.
            unsafe {
                let gradient = |y: usize, x: usize| {
                    let at = corner + (y * geometry.output_width + x) * filters + filter;
                    gradient_at::<V>(output, relu, at, count)
                };
                let store = |y: usize, x: usize, value: V| {
                    value.store(to.at(PIECE * y + x, index).add(filter));
                };
                let gradient = |y, x| if part.contains(y, x) { gradient(y, x) } else { V::zero() };
                both_ways::<OutputAdjoint, V, OUTPUTS, PIECE>(gradient, store);
            }
        }
    }
}

/// `to[filter, channel] = Σ over tiles of left[tile, filter] · right[tile, channel]` in each position, or `+=`.
struct Outer<E> {
    tiles: usize,
    filters: usize,
    left: Pieces<E>,
    right: Pieces<E>,
    to: Pieces<E>,
    into: Output,
}

/// # Safety
/// The matrices have so many tiles, filters and, from `channel` on, whole vectors of channels.
#[inline(always)]
unsafe fn outer_panel<V: Vector, const VECTORS: usize>(
    position: usize,
    channel: usize,
    job: &Outer<V::Element>,
) {
    // SAFETY: the caller's promise.
    unsafe { in_tiles!(job.filters, VECTORS, outer::<V>(position, channel, job)) }
}

/// # Safety
/// As [`outer_panel`], for `FILTERS` filters from `first` on.
#[inline(always)]
unsafe fn outer<V: Vector, const FILTERS: usize, const VECTORS: usize>(
    first: usize,
    position: usize,
    channel: usize,
    job: &Outer<V::Element>,
) {
    // SAFETY: the caller's promise.
    unsafe {
        let mut sums = [[V::zero(); VECTORS]; FILTERS];
        if job.into == Output::Accumulate {
            for (index, sums) in sums.iter_mut().enumerate() {
                for (v, sum) in sums.iter_mut().enumerate() {
                    *sum = V::load(job.to.at(position, first + index).add(channel + v * V::LANES));
                }
            }
        }
        accumulate_columns(
            &mut sums,
            job.left.at(position, 0).add(first),
            job.left.row,
            job.tiles,
            job.right.at(position, 0).add(channel),
            job.right.row,
        );
        for (index, sums) in sums.iter().enumerate() {
            for (v, sum) in sums.iter().enumerate() {
                sum.store(job.to.at(position, first + index).add(channel + v * V::LANES));
            }
        }
    }
}

impl<E: Element> Backward<'_, E> {
    /// `d_weights += Gᵀ d G`.
    ///
    /// # Safety
    /// `from` holds all filters' and channels' sums.
    #[inline(always)]
    unsafe fn add_weights<V: Vector<Element = E>, const OUTPUTS: usize, const PIECE: usize>(
        &mut self,
        from: Pieces<E>,
    ) where
        FilterAdjoint: Transform<PIECE, TAPS>,
    {
        let (channels, filters) = (self.geometry.size.channels, self.geometry.size.filters);
        for filter in 0..filters {
            for channel in (0..channels).step_by(V::LANES) {
                let count = V::LANES.min(channels - channel);
                // SAFETY: the filter has so many weights.
                unsafe {
                    let to = self.d_weights.as_mut_ptr().add(filter * TAPS * TAPS * channels + channel);
                    both_ways::<FilterAdjoint, V, PIECE, TAPS>(
                        |y, x| V::load(from.at(PIECE * y + x, filter).add(channel)),
                        |y, x, value| {
                            let to = to.add((TAPS * y + x) * channels);
                            V::load_first(to, count).add(value).store_first(to, count);
                        },
                    );
                }
            }
        }
    }

    /// The derivative with respect to the input, where asked for, from that with respect to its pieces.
    ///
    /// # Safety
    /// The images exist, `from` holds their tiles' derivatives.
    #[inline(always)]
    unsafe fn add_input<V: Vector<Element = E>, const OUTPUTS: usize, const PIECE: usize>(
        &mut self,
        first: usize,
        images: usize,
        from: Pieces<E>,
    ) where
        InputAdjoint: Transform<PIECE, PIECE>,
    {
        let (geometry, channels) = (self.geometry, self.geometry.size.channels);
        let tiling = Tiling::new(geometry);
        let Some(d_input) = self.d_input.as_deref_mut() else { return };
        let length = geometry.input_length();
        let d_input = &mut d_input[first * length..][..images * length];
        if self.into_input == Output::Overwrite {
            d_input.fill(E::ZERO);
        }
        // SAFETY: the caller's promise; what a piece reads lies within the image.
        unsafe {
            for index in 0..images * tiling.tiles() {
                let (image, tile) = (index / tiling.tiles(), index % tiling.tiles());
                let (part, corner) = tiling.piece(geometry, tile);
                let corner = d_input.as_mut_ptr().add(image * length).wrapping_offset(corner);
                for channel in (0..channels).step_by(V::LANES) {
                    let count = V::LANES.min(channels - channel);
                    let piece = |y: usize, x: usize| V::load(from.at(PIECE * y + x, index).add(channel));
                    let add = |y: usize, x: usize, value: V| {
                        let to = corner.wrapping_add(y * geometry.row_stride() + x * channels + channel);
                        V::load_first(to, count).add(value).store_first(to, count);
                    };
                    both_ways::<InputAdjoint, V, PIECE, PIECE>(piece, |y, x, value| {
                        if part.contains(y, x) {
                            add(y, x, value);
                        }
                    });
                }
            }
        }
    }
}
