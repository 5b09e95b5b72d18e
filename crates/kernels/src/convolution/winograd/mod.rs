//! 3×3 kernels by minimal filtering, forward and backward: 49 multiplications for 25 sums of nine, 36 for 16, or 25 for nine.
//!
//! Winograd's F(5×5, 3×3), F(4×4, 3×3) and F(3×3, 3×3) (Lavin and Gray, 2016, section 4; the matrices by Toom and Cook's interpolation
//! at points and infinity, [`transforms`]), whichever covers the outputs with the fewest multiplications ([`Tiling`]): with a
//! 7×7 piece d of a channel and a 3×3 kernel g, a tile of 5×5 outputs is
//! Y = Aᵀ [Σ over channels of (G g Gᵀ) ⊙ (Bᵀ d B)] A. The 49 sums over channels are 49 matrix products
//! `[tiles × channels] · [channels × filters]`, on the same loop as every other product; of a tile of 4×4 they are 36, of one of 3×3 25.
//!
//! Backward is the same read from right to left: with dM = A dY Aᵀ, the gradient of the transformed weights is 49
//! products dMᵀ · V over all tiles, that of the transformed input 49 products dM · Uᵀ, and the adjoints G and B bring
//! them back. Dense as they are, they cost as much as summing only what won in 2×2 windows, and so serve where there
//! is no pooling.
//!
//! Tiles have nothing to do with pooling windows; between them lies one image's plane of outputs for one vector of
//! filters, which the first-level cache holds.

mod backward;
mod forward;
mod transforms;
mod weights;

pub(super) use backward::Backward;
pub(super) use forward::forward;
pub(super) use weights::{pack_weights, packed_weights_length, panels};

use super::Geometry;
use crate::{
    Element, InstructionSet, length,
    matmul::{lanes, panel_columns},
    tile::{accumulate_rows, in_tiles, panel_width, with_vectors},
    vector::Vector,
};
use std::ops::Range;
use transforms::{Input, TAPS, Transform, both_ways};

/// With fewer channels or filters the transformations cost more than the products save.
const FEWEST_CHANNELS: usize = 8;

/// Most threads that share an image, each with a part of the workspace.
const PARTS: usize = 8;

/// Tiles that go through the products together, forward, unless an image has more.
const FORWARD_TILES: usize = 24;

/// As many backward: their number is the length of the sums of the weights' gradient.
const BACKWARD_TILES: usize = 32;

/// Whether a geometry goes this way: where its tiles, with what they transform, are fewer multiplications.
pub(super) fn applies(geometry: &Geometry) -> bool {
    let size = &geometry.size;
    let tiling = Tiling::new(geometry);
    (size.kernel_height, size.kernel_width, size.stride) == (3, 3, 1)
        && size.channels.min(size.filters) >= FEWEST_CHANNELS
        && length::operations(&[tiling.tiles(), tiling.positions(), 5])
            <= length::operations(&[geometry.windows(), geometry.positions(), 9, 4])
}

/// Whether the backward pass does, too. Behind a pool of 2×2 it is no faster than summing what won: measured on two
/// threads, where the transformed pieces of both compete for the shared cache.
pub(super) fn applies_backward(geometry: &Geometry) -> bool {
    applies(geometry) && geometry.positions() == 1
}

/// Whether one tile has all outputs, and every pixel lies in memory.
pub(super) fn has_one_tile(geometry: &Geometry) -> bool {
    Tiling::new(geometry).tiles() == 1 && geometry.border == [0, 0]
}

/// Elements that the passes need beside their arguments.
pub(super) fn workspace_length<E: Element>(set: InstructionSet, geometry: &Geometry) -> usize {
    let (lanes, size) = (lanes::<E>(set), &geometry.size);
    let tiling = Tiling::new(geometry);
    // A pool's window may read tiles of two parts, which both make.
    let boundaries = PARTS.min(geometry.output_height) - 1;
    let shared = if geometry.positions() > 1 { length::product(&[boundaries, tiling.columns]) } else { 0 };
    let tiles = tiling.block_tiles(FORWARD_TILES).max(length::sum(&[tiling.tiles(), shared]));
    let forward = forward_length::<E>(set, geometry, tiles, PARTS);
    if !applies_backward(geometry) {
        return forward;
    }
    let [channels, filters] = [size.channels, size.filters].map(|row| length::padded(row, lanes));
    let tiles = tiling.block_tiles(BACKWARD_TILES);
    let matrices = |rows: usize, row: usize| tiling.matrices_length(rows, row, 1);
    let of_tiles = [matrices(tiles, channels), matrices(tiles, filters)];
    forward.max(length::sum(&[of_tiles[0], of_tiles[1], matrices(size.filters, channels)]))
}

/// Elements of a forward pass of so many tiles at a time, divided into so many parts: see [`forward`].
fn forward_length<E: Element>(set: InstructionSet, geometry: &Geometry, tiles: usize, parts: usize) -> usize {
    let (lanes, widest) = (lanes::<E>(set), panel_columns::<E>(set));
    let tiling = Tiling::new(geometry);
    let [channels, filters] =
        [geometry.size.channels, geometry.size.filters].map(|row| length::padded(row, lanes));
    let matrices = |row: usize| tiling.matrices_length(tiles, row, parts);
    let matrices = match filters <= widest {
        true => matrices(channels.max(filters)),
        false => length::sum(&[matrices(channels), matrices(widest)]),
    };
    let plane =
        if geometry.positions() > 1 { length::product(&[tiles, tiling.side, tiling.side]) } else { 0 };
    length::sum(&[matrices, length::product(&[plane, lanes])])
}

/// How an image's outputs are covered by tiles.
#[derive(Clone, Copy)]
struct Tiling {
    /// Rows, and columns, of a tile's outputs.
    side: usize,
    rows: usize,
    columns: usize,
    /// Rows and columns of the image that any window depends on.
    read_height: usize,
    read_width: usize,
}

impl Tiling {
    fn new(geometry: &Geometry) -> Self {
        let height = geometry.output_height * geometry.size.pool_height;
        let width = geometry.output_width * geometry.size.pool_width;
        let of = |side: usize| Self {
            side,
            rows: height.div_ceil(side),
            columns: width.div_ceil(side),
            read_height: height + 2,
            read_width: width + 2,
        };
        let products = |tiling: &Self| length::operations(&[tiling.tiles(), tiling.positions()]);
        // The smaller where two are as many: it costs less to transform, and errs less.
        [of(3), of(4), of(5)].into_iter().min_by_key(products).expect("there are three")
    }

    /// Rows, and columns, of the piece of the image that a tile depends on.
    fn piece_side(&self) -> usize {
        self.side + TAPS - 1
    }

    /// Elements of a piece, and so the number of products.
    fn positions(&self) -> usize {
        self.piece_side() * self.piece_side()
    }

    /// Elements of the matrices `[rows, row]` of all positions, their rows divided into so many parts, counted without wrapping.
    fn matrices_length(&self, rows: usize, row: usize, parts: usize) -> usize {
        let between = length::product(&[parts, position_stride(0, 0)]);
        length::product(&[self.positions(), length::sum(&[length::product(&[rows, row]), between])])
    }

    /// Of one image.
    fn tiles(&self) -> usize {
        self.rows * self.columns
    }

    /// Images of a block of about `tiles`.
    fn block_images(&self, tiles: usize) -> usize {
        (tiles / self.tiles()).max(1)
    }

    /// Tiles of that block.
    fn block_tiles(&self, tiles: usize) -> usize {
        self.block_images(tiles) * self.tiles()
    }

    /// The plane's outputs from one row to the next.
    fn plane_width(&self) -> usize {
        self.columns * self.side
    }

    /// First row and column of a tile's outputs, and of its piece.
    fn corner(&self, tile: usize) -> (usize, usize) {
        (tile / self.columns * self.side, tile % self.columns * self.side)
    }

    /// The tiles that some rows of windows read.
    fn tiles_of(&self, geometry: &Geometry, windows: Range<usize>) -> Range<usize> {
        let [first, end] = [windows.start, windows.end].map(|row| row * geometry.size.pool_height);
        first / self.side * self.columns..end.div_ceil(self.side) * self.columns
    }

    /// Which of the rows and columns of a tile's outputs there are.
    fn outputs(&self, tile: usize) -> Part {
        let (row, column) = self.corner(tile);
        let there = |first: usize, read: usize| 0..self.side.min(read - 2 - first);
        Part { rows: there(row, self.read_height), columns: there(column, self.read_width) }
    }

    /// Which of the rows and columns of a tile's piece are read and lie in memory; and where the first would, in elements from
    /// the image's first.
    fn piece(&self, geometry: &Geometry, tile: usize) -> (Part, isize) {
        let (row, column) = self.corner(tile);
        let part = |first: usize, border: usize, inner: usize, read: usize| {
            border.saturating_sub(first)
                ..self.piece_side().min(read.min(border + inner).saturating_sub(first))
        };
        let (size, [above, left]) = (&geometry.size, geometry.border);
        let part = Part {
            rows: part(row, above, size.height - 2 * above, self.read_height),
            columns: part(column, left, size.width - 2 * left, self.read_width),
        };
        let rows = (row as isize - above as isize) * geometry.row_stride() as isize;
        (part, rows + (column as isize - left as isize) * size.channels as isize)
    }
}

/// Rows and columns of a square.
struct Part {
    rows: Range<usize>,
    columns: Range<usize>,
}

impl Part {
    #[inline(always)]
    fn contains(&self, row: usize, column: usize) -> bool {
        self.rows.contains(&row) && self.columns.contains(&column)
    }
}

/// Elements from one position's matrix to the next's: a cache line more than it takes, since at a power of two the
/// positions of a tile would compete for the same few places of the cache.
const fn position_stride(rows: usize, row: usize) -> usize {
    rows * row + 16
}

/// A matrix `[rows, row]` for each position, in the workspace.
#[derive(Clone, Copy)]
struct Pieces<E> {
    start: *mut E,
    /// Elements of a row: whole vectors.
    row: usize,
    /// Elements from one matrix to the next.
    stride: usize,
}

impl<E> Pieces<E> {
    fn new(start: *mut E, rows: usize, row: usize) -> Self {
        Self { start, row, stride: position_stride(rows, row) }
    }

    /// # Safety
    /// There is such a row.
    #[inline(always)]
    unsafe fn at(self, position: usize, row: usize) -> *mut E {
        // SAFETY: the caller's promise.
        unsafe { self.start.add(position * self.stride + row * self.row) }
    }

    /// The same from a row on.
    ///
    /// # Safety
    /// There is such a row.
    unsafe fn from(self, row: usize) -> Self {
        // SAFETY: the caller's promise.
        unsafe { Self { start: self.start.add(row * self.row), ..self } }
    }

    /// What follows the matrices of so many positions.
    ///
    /// # Safety
    /// The workspace holds them.
    unsafe fn end(self, positions: usize) -> *mut E {
        // SAFETY: the caller's promise.
        unsafe { self.start.add(positions * self.stride) }
    }
}

/// Bᵀ d B of the pieces of some tiles, counted over all `images`, `[position][tile, channel]`; the channels beyond the last are zero.
///
/// # Safety
/// `images` has the images of these tiles behind it, `to` room for as many.
#[inline(always)]
unsafe fn transform_images<V: Vector, const OUTPUTS: usize, const PIECE: usize>(
    geometry: &Geometry,
    images: *const V::Element,
    tiles: Range<usize>,
    to: Pieces<V::Element>,
) where
    Input: Transform<PIECE, PIECE>,
{
    let (tiling, channels) = (Tiling::new(geometry), geometry.size.channels);
    for (index, tile) in tiles.enumerate() {
        let (image, tile) = (tile / tiling.tiles(), tile % tiling.tiles());
        let (part, corner) = tiling.piece(geometry, tile);
        // SAFETY: the piece's rows and columns that are read lie within the image.
        unsafe {
            let corner = images.add(image * geometry.input_length()).wrapping_offset(corner);
            for channel in (0..channels).step_by(V::LANES) {
                let lanes = V::LANES.min(channels - channel);
                let pixel = |y: usize, x: usize| {
                    let at = y * geometry.row_stride() + x * channels + channel;
                    match part.contains(y, x) {
                        true => V::load_first(corner.wrapping_add(at), lanes),
                        false => V::zero(),
                    }
                };
                let store =
                    |y: usize, x: usize, value: V| value.store(to.at(PIECE * y + x, index).add(channel));
                both_ways::<Input, V, PIECE, PIECE>(pixel, store);
            }
        }
    }
}

/// Calls `body::<$vector, outputs, piece>(…)` with the sides of the tiles, and of their pieces, as constants.
macro_rules! by_tile {
    ($tiling:expr, $($body:ident)::+[$vector:ident]($($argument:expr),* $(,)?)) => {
        match $tiling.side {
            3 => $($body)::+::<$vector, 3, 5>($($argument),*),
            4 => $($body)::+::<$vector, 4, 6>($($argument),*),
            _ => $($body)::+::<$vector, 5, 7>($($argument),*),
        }
    };
}
use by_tile;

/// `to[tile, column] = Σ over k of from[tile, k] · right[k, column]` in one position, for one panel of columns.
struct Products<E> {
    from: Pieces<E>,
    /// Length of the sums.
    length: usize,
    /// A panel of the first position's right-hand side.
    right: *const E,
    /// Elements from one position's right-hand side to the next.
    right_stride: usize,
    /// From the panel's first column on.
    to: Pieces<E>,
}

impl<E: Element> Products<E> {
    /// # Safety
    /// The pointers have so many tiles and vectors of columns behind them.
    #[inline(always)]
    unsafe fn run<V: Vector<Element = E>>(&self, position: usize, tiles: usize, vectors: usize) {
        // SAFETY: the caller's promise.
        unsafe { with_vectors!(vectors, product_panel::<V>(position, tiles, self)) }
    }
}

/// # Safety
/// As [`Products::run`].
#[inline(always)]
unsafe fn product_panel<V: Vector, const VECTORS: usize>(
    position: usize,
    tiles: usize,
    job: &Products<V::Element>,
) {
    // SAFETY: the caller's promise.
    unsafe { in_tiles!(tiles, VECTORS, product::<V>(position, job)) }
}

/// # Safety
/// As [`Products::run`], for `TILES` tiles from `first` on.
#[inline(always)]
unsafe fn product<V: Vector, const TILES: usize, const VECTORS: usize>(
    first: usize,
    position: usize,
    job: &Products<V::Element>,
) {
    // SAFETY: the caller's promise.
    unsafe {
        let mut sums = [[V::zero(); VECTORS]; TILES];
        let mut rows = [job.from.start.cast_const(); TILES];
        for (index, row) in rows.iter_mut().enumerate() {
            *row = job.from.at(position, first + index);
        }
        let right = job.right.add(position * job.right_stride);
        accumulate_rows(&mut sums, &rows, job.length, right, VECTORS * V::LANES);
        for (index, sums) in sums.iter().enumerate() {
            for (v, sum) in sums.iter().enumerate() {
                sum.store(job.to.at(position, first + index).add(v * V::LANES));
            }
        }
    }
}

/// Columns of a panel from `first` on of `total`, and those rounded up to whole vectors.
#[inline(always)]
fn panel_of<V: Vector>(first: usize, total: usize) -> (usize, usize) {
    let used = panel_width::<V>().min(total - first);
    (used, used.next_multiple_of(V::LANES))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::convolution::{Activation, Size};

    #[test]
    fn tiles_cover_the_outputs_with_the_fewest_products() {
        for (outputs, pool, side) in [
            (3, 1, 3),
            (6, 1, 3),
            (10, 1, 5),
            (10, 2, 5),
            (13, 2, 4),
            (14, 1, 5),
            (7, 1, 4),
            (28, 1, 4),
            (32, 1, 4),
            (16, 1, 4),
        ] {
            let tiling = Tiling::new(&Geometry::new(Size {
                height: outputs + 2,
                width: outputs + 2,
                channels: 8,
                filters: 8,
                kernel_height: 3,
                kernel_width: 3,
                stride: 1,
                pool_height: pool,
                pool_width: pool,
                activation: Activation::Linear,
            }));
            assert_eq!(tiling.side, side, "{outputs} outputs in windows of {pool}");
        }
    }
}
