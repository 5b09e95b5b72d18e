//! The forward pass of 3×3 kernels by minimal filtering: 16 multiplications for a window's four sums of nine.
//!
//! Winograd's F(2×2, 3×3) (Lavin and Gray, 2016, section 4.1): with a 4×4 piece d of a channel and a 3×3 kernel g,
//! the 2×2 outputs are Y = Aᵀ [Σ over channels of (G g Gᵀ) ⊙ (Bᵀ d B)] A, where
//!
//! ```text
//!      1  0 -1  0        1    0    0
//! Bᵀ = 0  1  1  0   G =  1/2  1/2  1/2   Aᵀ = 1  1  1  0
//!      0 -1  1  0        1/2 -1/2  1/2        0  1 -1 -1
//!      0  1  0 -1        0    0    1
//! ```
//!
//! The 16 sums over channels are 16 matrix products, [tiles × channels] · [channels × filters], on the same loop as
//! every other product. A 2×2 pooling window is exactly one tile, so its four outputs are compared in registers, as
//! in the direct pass. The transformations only add, halve and quarter; the error stays within a small multiple of
//! the direct sum's.

use super::{Activation, Geometry, Size, best::Best};
use crate::{
    Element, InstructionSet,
    dispatch::Kernel,
    matmul::{Matrix, pack, packed_length, panel_columns},
    tile::{accumulate_rows, in_tiles, panel_width, with_vectors},
    vector::Vector,
};
use std::mem::MaybeUninit;

/// Elements of a 4×4 piece, and so the number of products.
const POSITIONS: usize = 16;

/// Weights of a kernel.
const TAPS: usize = 9;

/// Elements of a block's transformed input and products together: 160 KB of float32 on the stack, which the
/// second-level cache holds.
const SCRATCH: usize = 40 << 10;

/// Tiles that go through the 16 products together, where the scratch has room: whole register tiles.
const BLOCK: usize = 24;

/// With fewer, the scratch has no room for a register tile.
const SMALLEST_BLOCK: usize = 6;

/// With fewer channels the transformations cost more than the products save.
const FEWEST_CHANNELS: usize = 8;

/// Elements from one position's rows to the next's: a cache line more than they take, since at a power of two all
/// positions of a tile would compete for the same few places of the cache.
fn position_stride(rows: usize, row: usize) -> usize {
    rows * row + 16
}

/// Tiles of a block, so many that the scratch holds them.
fn block_tiles(channels: usize, panel: usize) -> usize {
    let tiles = (SCRATCH / POSITIONS - 2 * 16) / (channels + panel);
    if tiles >= BLOCK { BLOCK } else { tiles / SMALLEST_BLOCK * SMALLEST_BLOCK }
}

/// Whether the forward pass goes this way.
pub(super) fn applies<E: Element>(set: InstructionSet, geometry: &Geometry) -> bool {
    let size = &geometry.size;
    (size.kernel_height, size.kernel_width, size.stride) == (3, 3, 1)
        && (size.pool_height, size.pool_width) == (2, 2)
        && size.channels >= FEWEST_CHANNELS
        && block_tiles(size.channels, panel_columns::<E>(set)) > 0
}

/// Elements that [`pack_weights`] needs: the 16 matrices, and the weights in panels that they are made from.
pub(super) fn packed_weights_length<E: Element>(set: InstructionSet, geometry: &Geometry) -> usize {
    (POSITIONS + TAPS) * packed_length::<E>(set, geometry.size.channels, geometry.size.filters)
}

/// G g Gᵀ of every filter and channel, as 16 matrices `[channels, filters]` in panels.
///
/// The lengths are those of the geometry and of [`packed_weights_length`].
pub(super) fn pack_weights<E: Element>(
    set: InstructionSet,
    geometry: &Geometry,
    weights: &[E],
    packed: &mut [E],
) {
    let length = packed_length::<E>(set, geometry.size.channels, geometry.size.filters);
    let (transformed, panels) = packed.split_at_mut(POSITIONS * length);
    pack(set, Matrix::new(weights, geometry.size.filters, geometry.filter_length()).transposed(), 0, panels);
    E::dispatch(set, TransformWeights { geometry, length, panels, transformed });
}

struct TransformWeights<'a, E> {
    geometry: &'a Geometry,
    /// Elements of one of the 16 matrices.
    length: usize,
    panels: &'a [E],
    transformed: &'a mut [E],
}

impl<E: Element> Kernel<E> for TransformWeights<'_, E> {
    type Output = ();

    #[inline(always)]
    unsafe fn run<V: Vector<Element = E>>(self) {
        let (channels, filters) = (self.geometry.size.channels, self.geometry.size.filters);
        for first_filter in (0..filters).step_by(panel_width::<V>()) {
            let width = panel_width::<V>().min(filters - first_filter).next_multiple_of(V::LANES);
            // SAFETY: both sides hold whole panels, and those before this one are `first_filter` columns wide.
            unsafe {
                let from = self.panels.as_ptr().add(TAPS * channels * first_filter);
                let to = self.transformed.as_mut_ptr().add(channels * first_filter);
                for at in (0..channels * width).step_by(V::LANES) {
                    let mut columns = [[V::zero(); 4]; 3];
                    for (x, column) in columns.iter_mut().enumerate() {
                        let tap = |y: usize| V::load(from.add((3 * y + x) * channels * width + at));
                        *column = filter_transform([tap(0), tap(1), tap(2)]);
                    }
                    for y in 0..4 {
                        let row = filter_transform([columns[0][y], columns[1][y], columns[2][y]]);
                        for (x, value) in row.into_iter().enumerate() {
                            value.store(to.add((4 * y + x) * self.length + at));
                        }
                    }
                }
            }
        }
    }
}

/// G times a column.
#[inline(always)]
unsafe fn filter_transform<V: Vector>([g0, g1, g2]: [V; 3]) -> [V; 4] {
    // SAFETY: the caller vouches for the instructions.
    unsafe {
        let half = V::splat(V::Element::from_f64(0.5));
        let (ends, middle) = (g0.add(g2).mul(half), g1.mul(half));
        [g0, ends.add(middle), ends.sub(middle), g2]
    }
}

/// Bᵀ times a column.
#[inline(always)]
unsafe fn input_transform<V: Vector>([d0, d1, d2, d3]: [V; 4]) -> [V; 4] {
    // SAFETY: the caller vouches for the instructions.
    unsafe { [d0.sub(d2), d1.add(d2), d2.sub(d1), d1.sub(d3)] }
}

/// Aᵀ times a column.
#[inline(always)]
unsafe fn output_transform<V: Vector>([m0, m1, m2, m3]: [V; 4]) -> [V; 2] {
    // SAFETY: the caller vouches for the instructions.
    unsafe { [m0.add(m1).add(m2), m1.sub(m2).sub(m3)] }
}

/// The forward pass; lengths as [`super::forward`] checks them.
pub(super) struct Winograd<'a, E> {
    pub(super) geometry: &'a Geometry,
    pub(super) images: usize,
    pub(super) input: &'a [E],
    pub(super) packed_weights: &'a [E],
    pub(super) bias: &'a [E],
    pub(super) output: &'a mut [E],
    pub(super) winners: &'a mut [u8],
}

#[repr(align(64))]
struct Scratch<E>([MaybeUninit<E>; SCRATCH]);

impl<E: Element> Kernel<E> for Winograd<'_, E> {
    type Output = ();

    #[inline(always)]
    unsafe fn run<V: Vector<Element = E>>(self) {
        let Size { channels, filters, activation, .. } = self.geometry.size;
        let mut scratch = Scratch([const { MaybeUninit::<E>::uninit() }; SCRATCH]);
        let block = block_tiles(channels, panel_width::<V>());
        let inputs = scratch.0.as_mut_ptr().cast::<E>();
        let input_stride = position_stride(block, channels);
        // SAFETY: `block_tiles` has left room for both. Every element is written before it is read: all channels of the
        // block's tiles, then all lanes of their products. Lengths are as the entry point has checked them.
        unsafe {
            let products = inputs.add(POSITIONS * input_stride);
            for first in (0..self.images * self.geometry.windows()).step_by(block) {
                let tiles = block.min(self.images * self.geometry.windows() - first);
                for tile in 0..tiles {
                    let to = inputs.add(tile * channels);
                    transform_tile::<V>(self.geometry, self.input.as_ptr(), first + tile, to, input_stride);
                }
                for first_filter in (0..filters).step_by(panel_width::<V>()) {
                    let used = panel_width::<V>().min(filters - first_filter);
                    let width = used.next_multiple_of(V::LANES);
                    let panel = Panel {
                        inputs,
                        input_stride,
                        channels,
                        weights: self.packed_weights.as_ptr().add(first_filter * channels),
                        weight_stride: channels * filters.next_multiple_of(V::LANES),
                        products,
                        product_stride: position_stride(block, width),
                        bias: self.bias.as_ptr().add(first_filter),
                        output: self.output.as_mut_ptr().add(first * filters + first_filter),
                        winners: self.winners.as_mut_ptr().add(first * filters + first_filter),
                        filters,
                        used,
                        activation,
                    };
                    with_vectors!(width / V::LANES, products_panel::<V>(tiles, &panel));
                    with_vectors!(width / V::LANES, outputs::<V>(tiles, &panel));
                }
            }
        }
    }
}

/// Bᵀ d B of one window's piece of the image, `[position, channel]` at `stride`.
///
/// # Safety
/// The window lies in the images behind `input`; `to` has room for the 16 rows.
#[inline(always)]
unsafe fn transform_tile<V: Vector>(
    geometry: &Geometry,
    input: *const V::Element,
    window: usize,
    to: *mut V::Element,
    stride: usize,
) {
    let channels = geometry.size.channels;
    let (image, window) = (window / geometry.windows(), window % geometry.windows());
    // SAFETY: a window of 2×2 positions reads 4×4 pixels from its first position's patch on.
    unsafe {
        let offset = *geometry.offsets.get_unchecked(window * geometry.positions()) as usize;
        let from = input.add(image * geometry.input_length() + offset);
        for channel in (0..channels).step_by(V::LANES) {
            let count = V::LANES.min(channels - channel);
            let mut columns = [[V::zero(); 4]; 4];
            for (x, column) in columns.iter_mut().enumerate() {
                let pixel = |y: usize| {
                    V::load_first(from.add(y * geometry.row_stride() + x * channels + channel), count)
                };
                *column = input_transform([pixel(0), pixel(1), pixel(2), pixel(3)]);
            }
            for y in 0..4 {
                let row = input_transform([columns[0][y], columns[1][y], columns[2][y], columns[3][y]]);
                for (x, value) in row.into_iter().enumerate() {
                    value.store_first(to.add((4 * y + x) * stride + channel), count);
                }
            }
        }
    }
}

/// One panel of filters against a block of tiles; strides are from one position to the next.
struct Panel<E> {
    inputs: *const E,
    input_stride: usize,
    channels: usize,
    weights: *const E,
    weight_stride: usize,
    products: *mut E,
    product_stride: usize,
    bias: *const E,
    output: *mut E,
    winners: *mut u8,
    filters: usize,
    used: usize,
    activation: Activation,
}

/// # Safety
/// The pointers have the block's elements behind them.
#[inline(always)]
unsafe fn products_panel<V: Vector, const VECTORS: usize>(tiles: usize, panel: &Panel<V::Element>) {
    for position in 0..POSITIONS {
        // SAFETY: the caller's promise.
        unsafe { in_tiles!(tiles, VECTORS, product::<V>(position, panel)) }
    }
}

/// # Safety
/// As [`products_panel`], for `TILES` tiles from `first` on.
#[inline(always)]
unsafe fn product<V: Vector, const TILES: usize, const VECTORS: usize>(
    first: usize,
    position: usize,
    panel: &Panel<V::Element>,
) {
    // SAFETY: the caller's promise.
    unsafe {
        let mut sums = [[V::zero(); VECTORS]; TILES];
        let from = panel.inputs.add(position * panel.input_stride + first * panel.channels);
        let mut rows = [from; TILES];
        for (index, row) in rows.iter_mut().enumerate() {
            *row = from.add(index * panel.channels);
        }
        let weights = panel.weights.add(position * panel.weight_stride);
        accumulate_rows(&mut sums, &rows, panel.channels, weights, VECTORS * V::LANES);
        let to = panel.products.add(position * panel.product_stride + first * VECTORS * V::LANES);
        for (index, sums) in sums.iter().enumerate() {
            for (v, sum) in sums.iter().enumerate() {
                sum.store(to.add((index * VECTORS + v) * V::LANES));
            }
        }
    }
}

/// # Safety
/// As [`products_panel`], whose products are there.
#[inline(always)]
unsafe fn outputs<V: Vector, const VECTORS: usize>(tiles: usize, panel: &Panel<V::Element>) {
    // SAFETY: the caller's promise.
    unsafe {
        for v in 0..VECTORS {
            let count = V::LANES.min(panel.used - v * V::LANES);
            let bias = V::load_first(panel.bias.add(v * V::LANES), count);
            for tile in 0..tiles {
                let from = panel.products.add((tile * VECTORS + v) * V::LANES);
                let mut columns = [[V::zero(); 2]; 4];
                for (x, column) in columns.iter_mut().enumerate() {
                    let product = |y: usize| V::load(from.add((4 * y + x) * panel.product_stride));
                    *column = output_transform([product(0), product(1), product(2), product(3)]);
                }
                let mut best = Best::<V>::new(panel.activation, 4);
                for y in 0..2 {
                    let row = output_transform([columns[0][y], columns[1][y], columns[2][y], columns[3][y]]);
                    for (x, sum) in row.into_iter().enumerate() {
                        best.offer(2 * y + x, sum.add(bias));
                    }
                }
                let at = tile * panel.filters + v * V::LANES;
                best.store(panel.output.add(at), panel.winners.add(at), count);
            }
        }
    }
}
