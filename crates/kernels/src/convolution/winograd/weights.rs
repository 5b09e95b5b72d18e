//! The weights transformed, for both passes.

use super::{
    Tiling, applies_backward, by_tile, panel_of,
    transforms::{Filter, TAPS, Transform, both_ways},
};
use crate::{
    Element, InstructionSet,
    convolution::Geometry,
    dispatch::Kernel,
    length,
    matmul::{Matrix, lanes, pack, packed_length},
    tile::panel_width,
    vector::Vector,
};

/// Elements of all positions' matrices in panels.
fn panels_length<E: Element>(set: InstructionSet, geometry: &Geometry, rows: usize, columns: usize) -> usize {
    Tiling::new(geometry).matrices_length(rows, length::padded(columns, lanes::<E>(set)), 1)
}

/// Elements of the matrices `[channels, filters]` that the forward pass multiplies by.
pub(super) fn forward_length<E: Element>(set: InstructionSet, geometry: &Geometry) -> usize {
    panels_length::<E>(set, geometry, geometry.size.channels, geometry.size.filters)
}

/// Elements of the matrices `[filters, channels]` for the input's gradient.
fn backward_length<E: Element>(set: InstructionSet, geometry: &Geometry) -> usize {
    let size = &geometry.size;
    match applies_backward(geometry) {
        true => panels_length::<E>(set, geometry, size.filters, size.channels),
        false => 0,
    }
}

/// Elements that [`pack_weights`] needs: those matrices, as many `[filters, channels]` for the input's gradient, and
/// the weights in panels that the first are made from.
pub(in super::super) fn packed_weights_length<E: Element>(set: InstructionSet, geometry: &Geometry) -> usize {
    let (channels, filters) = (geometry.size.channels, geometry.size.filters);
    length::sum(&[
        forward_length::<E>(set, geometry),
        backward_length::<E>(set, geometry),
        length::product(&[TAPS, TAPS, packed_length::<E>(set, channels, filters)]),
    ])
}

/// Of what [`pack_weights`] has laid out, the weights as they are, in panels.
pub(in super::super) fn panels<'a, E: Element>(
    set: InstructionSet,
    geometry: &Geometry,
    packed: &'a [E],
) -> &'a [E] {
    &packed[forward_length::<E>(set, geometry) + backward_length::<E>(set, geometry)..]
}

/// G g Gᵀ of every filter and channel in panels of filters, and again in panels of channels.
///
/// The lengths are those of the geometry and of [`packed_weights_length`].
pub(in super::super) fn pack_weights<E: Element>(
    set: InstructionSet,
    geometry: &Geometry,
    weights: &[E],
    packed: &mut [E],
) {
    let (channels, filters) = (geometry.size.channels, geometry.size.filters);
    let (forward, rest) = packed.split_at_mut(forward_length::<E>(set, geometry));
    let (backward, panels) = rest.split_at_mut(backward_length::<E>(set, geometry));
    pack(set, Matrix::new(weights, filters, geometry.filter_length()).transposed(), 0, panels);
    let tiling = Tiling::new(geometry);
    E::dispatch(set, TransformPanels { tiling, channels, filters, panels, to: forward });
    if !backward.is_empty() {
        E::dispatch(set, TransformFilters { tiling, channels, filters, weights, to: backward });
    }
}

/// From panels of filters to such panels.
struct TransformPanels<'a, E> {
    tiling: Tiling,
    channels: usize,
    filters: usize,
    panels: &'a [E],
    to: &'a mut [E],
}

impl<E: Element> Kernel<E> for TransformPanels<'_, E> {
    type Output = ();

    #[inline(always)]
    unsafe fn run<V: Vector<Element = E>>(self) {
        // SAFETY: the caller's promise.
        unsafe { by_tile!(self.tiling, Self::run_tile[V](self)) }
    }
}

impl<E: Element> TransformPanels<'_, E> {
    /// # Safety
    /// As [`Kernel::run`].
    #[inline(always)]
    unsafe fn run_tile<V: Vector<Element = E>, const OUTPUTS: usize, const PIECE: usize>(self)
    where
        Filter: Transform<TAPS, PIECE>,
    {
        let stride = self.to.len() / (PIECE * PIECE);
        for first in (0..self.filters).step_by(panel_width::<V>()) {
            let (_, width) = panel_of::<V>(first, self.filters);
            // SAFETY: both sides hold whole panels, and those before this one are `first` columns wide.
            unsafe {
                let from = self.panels.as_ptr().add(TAPS * TAPS * self.channels * first);
                let to = self.to.as_mut_ptr().add(self.channels * first);
                for at in (0..self.channels * width).step_by(V::LANES) {
                    both_ways::<Filter, V, TAPS, _>(
                        |y, x| V::load(from.add((TAPS * y + x) * self.channels * width + at)),
                        |y, x, value| value.store(to.add((PIECE * y + x) * stride + at)),
                    );
                }
            }
        }
    }
}

/// From filters to panels of channels.
struct TransformFilters<'a, E> {
    tiling: Tiling,
    channels: usize,
    filters: usize,
    weights: &'a [E],
    to: &'a mut [E],
}

impl<E: Element> Kernel<E> for TransformFilters<'_, E> {
    type Output = ();

    #[inline(always)]
    unsafe fn run<V: Vector<Element = E>>(self) {
        // SAFETY: the caller's promise.
        unsafe { by_tile!(self.tiling, Self::run_tile[V](self)) }
    }
}

impl<E: Element> TransformFilters<'_, E> {
    /// # Safety
    /// As [`Kernel::run`].
    #[inline(always)]
    unsafe fn run_tile<V: Vector<Element = E>, const OUTPUTS: usize, const PIECE: usize>(self)
    where
        Filter: Transform<TAPS, PIECE>,
    {
        let stride = self.to.len() / (PIECE * PIECE);
        for first in (0..self.channels).step_by(panel_width::<V>()) {
            let (used, width) = panel_of::<V>(first, self.channels);
            for filter in 0..self.filters {
                // SAFETY: as above; the filter's taps have all channels.
                unsafe {
                    let from = self.weights.as_ptr().add(filter * TAPS * TAPS * self.channels + first);
                    let to = self.to.as_mut_ptr().add(self.filters * first + filter * width);
                    for channel in (0..used).step_by(V::LANES) {
                        let lanes = V::LANES.min(used - channel);
                        both_ways::<Filter, V, TAPS, _>(
                            |y, x| V::load_first(from.add((TAPS * y + x) * self.channels + channel), lanes),
                            |y, x, value| value.store(to.add((PIECE * y + x) * stride + channel)),
                        );
                    }
                }
            }
        }
    }
}
