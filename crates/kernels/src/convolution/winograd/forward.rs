//! The forward pass.

use super::{
    FORWARD_TILES, PARTS, Pieces, Products, Tiling, by_tile, forward_length, panel_of, position_stride,
    transform_images,
    transforms::{Output, Transform, both_ways},
};
use crate::{
    Element, InstructionSet,
    convolution::{Activation, Geometry, best::Best, forward::Arguments},
    dispatch::Kernel,
    length,
    parts::{Shared, in_parts, share, worthwhile_parts},
    tile::panel_width,
    vector::Vector,
};
use std::ops::Range;

/// The forward pass; lengths as [`super::super::forward`] checks them.
pub(in super::super) fn forward<E: Element>(
    set: InstructionSet,
    arguments: Arguments<E>,
    packed_weights: &[E],
    output: &mut [E],
    winners: &mut [u8],
    workspace: &mut [E],
) {
    let Arguments { geometry, images, input, bias, threads } = arguments;
    let tiling = Tiling::new(geometry);
    let (output, winners) = (Shared(output.as_mut_ptr()), Shared(winners.as_mut_ptr()));
    let (workspace, length) = (Shared(workspace.as_mut_ptr()), workspace.len());
    let pass = |tiles: Range<usize>, windows: Range<usize>, from: usize| Forward {
        geometry,
        images,
        tiles,
        windows,
        room: tiling.block_tiles(FORWARD_TILES),
        input,
        packed_weights,
        bias,
        output,
        winners,
        workspace: workspace.from(from),
    };
    let most = match geometry.positions() {
        1 => tiling.tiles(),
        _ => geometry.output_height,
    };
    let size = &geometry.size;
    let products = length::operations(&[tiling.tiles(), tiling.positions(), size.channels, size.filters]);
    let parts = if images == 1 { worthwhile_parts(products, threads).min(most).min(PARTS) } else { 1 };
    // A part's tiles and its rows of windows.
    let of = |part: usize| match geometry.positions() {
        1 => (share(tiling.tiles(), part, parts), 0..0),
        // What a pool reads may lie in tiles that the part before has, too.
        _ => {
            let windows = share(geometry.output_height, part, parts);
            (tiling.tiles_of(geometry, windows.clone()), windows)
        }
    };
    let is_worth_it = (0..parts).all(|part| 4 * of(part).0.len() <= 3 * tiling.tiles());
    if parts < 2 || !is_worth_it {
        return E::dispatch(set, pass(0..tiling.tiles(), 0..geometry.output_height, 0));
    }
    let before = |part: usize| -> usize {
        (0..part).map(|before| forward_length::<E>(set, geometry, of(before).0.len(), 1)).sum()
    };
    assert!(before(parts) <= length, "{parts} parts of a workspace of {length}");
    in_parts(parts, |part| {
        let from = before(part);
        let (tiles, windows) = of(part);
        E::dispatch(set, Forward { room: tiles.len(), ..pass(tiles, windows, from) });
    });
}

/// The forward pass of some tiles of each image.
struct Forward<'a, E> {
    geometry: &'a Geometry,
    images: usize,
    /// Of one image; all of them, where there are more.
    tiles: Range<usize>,
    /// Rows of an image's windows, where they are pooled: the tiles have all that they read.
    windows: Range<usize>,
    /// Rows of the workspace's matrices.
    room: usize,
    input: &'a [E],
    packed_weights: &'a [E],
    bias: &'a [E],
    output: Shared<E>,
    winners: Shared<u8>,
    /// From the pass's own part of it on. Were its rows between another thread's, each would fetch them from the other's cache.
    workspace: Shared<E>,
}

impl<E: Element> Kernel<E> for Forward<'_, E> {
    type Output = ();

    #[inline(always)]
    unsafe fn run<V: Vector<Element = E>>(self) {
        let (geometry, room) = (self.geometry, self.room);
        let (channels, filters) = (geometry.size.channels, geometry.size.filters);
        let tiling = Tiling::new(geometry);
        let (row, widest) = (channels.next_multiple_of(V::LANES), panel_of::<V>(0, filters).1);
        // With one panel the products take their inputs' place: a tile's rows are all read before the first sum is stored.
        let in_place = filters <= panel_width::<V>();
        let (tiles, of_image) = (self.tiles.clone(), self.tiles.len());
        let all = tiles.start..tiles.start + self.images * of_image;
        // SAFETY: the pass's part of the workspace has room for both matrices and the plane. Every element is written before it is
        // read.
        unsafe {
            let row = if in_place { row.max(widest) } else { row };
            let inputs = Pieces::new(self.workspace.0, room, row);
            let products = match in_place {
                true => inputs,
                false => Pieces::new(inputs.end(tiling.positions()), room, widest),
            };
            let plane = products.end(tiling.positions());
            for first in all.clone().step_by(room) {
                let block = first..all.end.min(first + room);
                by_tile!(tiling, transform_images[V](geometry, self.input.as_ptr(), block.clone(), inputs));
                for filter in (0..filters).step_by(panel_width::<V>()) {
                    let (used, width) = panel_of::<V>(filter, filters);
                    let job = Products {
                        from: inputs,
                        length: channels,
                        right: self.packed_weights.as_ptr().add(filter * channels),
                        right_stride: position_stride(channels, filters.next_multiple_of(V::LANES)),
                        to: products,
                    };
                    for position in 0..tiling.positions() {
                        job.run::<V>(position, block.len(), width / V::LANES);
                    }
                    if geometry.positions() == 1 {
                        let filters = filter..filter + used;
                        match geometry.size.activation {
                            Activation::Linear => self.store::<V, false>(block.clone(), filters, products),
                            Activation::Relu => self.store::<V, true>(block.clone(), filters, products),
                        }
                        continue;
                    }
                    for vector in (0..used).step_by(V::LANES) {
                        for image in 0..block.len() / of_image {
                            let products = products.from(image * of_image);
                            by_tile!(tiling, fill_plane[V](tiling, tiles.clone(), products, vector, plane));
                            let image = (first - tiles.start) / of_image + image;
                            self.pool::<V>(image, filter + vector, tiling, plane);
                        }
                    }
                }
            }
        }
    }
}

/// Aᵀ m A of some tiles of one image and one vector of filters, put together.
///
/// # Safety
/// `products` holds the tiles, `plane` has room for their outputs, in the rows from the first tile's on.
#[inline(always)]
unsafe fn fill_plane<V: Vector, const OUTPUTS: usize, const PIECE: usize>(
    tiling: Tiling,
    tiles: Range<usize>,
    products: Pieces<V::Element>,
    column: usize,
    plane: *mut V::Element,
) where
    Output: Transform<PIECE, OUTPUTS>,
{
    let (top, _) = tiling.corner(tiles.start);
    for (index, tile) in tiles.enumerate() {
        let (row, left) = tiling.corner(tile);
        // SAFETY: the caller's promise.
        unsafe {
            let from = products.at(0, index).add(column);
            let to = plane.add(((row - top) * tiling.plane_width() + left) * V::LANES);
            both_ways::<Output, V, PIECE, OUTPUTS>(
                |y, x| V::load(from.add((PIECE * y + x) * products.stride)),
                |y, x, value| value.store(to.add((y * tiling.plane_width() + x) * V::LANES)),
            );
        }
    }
}

impl<E: Element> Forward<'_, E> {
    /// Aᵀ m A of some tiles and a panel of filters, with the bias and the ReLU, if there is one, where there is no pool: straight to the
    /// outputs. Without a ReLU nothing reads which position won, and so it is not written.
    ///
    /// # Safety
    /// The tiles and the filters exist and are this pass's alone; `products` holds their sums.
    #[inline(always)]
    unsafe fn store<V: Vector<Element = E>, const RELU: bool>(
        &self,
        tiles: Range<usize>,
        filters: Range<usize>,
        products: Pieces<E>,
    ) {
        // SAFETY: the caller's promise.
        unsafe {
            match Tiling::new(self.geometry).side {
                3 => self.store_tiles::<V, RELU, 3, 5>(tiles, filters, products),
                4 => self.store_tiles::<V, RELU, 4, 6>(tiles, filters, products),
                _ => self.store_tiles::<V, RELU, 5, 7>(tiles, filters, products),
            }
        }
    }

    /// # Safety
    /// As [`Self::store`].
    #[inline(always)]
    unsafe fn store_tiles<
        V: Vector<Element = E>,
        const RELU: bool,
        const OUTPUTS: usize,
        const PIECE: usize,
    >(
        &self,
        tiles: Range<usize>,
        filters: Range<usize>,
        products: Pieces<E>,
    ) where
        Output: Transform<PIECE, OUTPUTS>,
    {
        let (geometry, size) = (self.geometry, &self.geometry.size);
        let tiling = Tiling::new(geometry);
        for (index, tile) in tiles.enumerate() {
            let (image, tile) = (tile / tiling.tiles(), tile % tiling.tiles());
            let ((row, column), part) = (tiling.corner(tile), tiling.outputs(tile));
            let corner =
                image * geometry.output_length() + (row * geometry.output_width + column) * size.filters;
            for filter in filters.clone().step_by(V::LANES) {
                let count = V::LANES.min(filters.end - filter);
                // SAFETY: what is stored are outputs of the image; the caller's promise.
                unsafe {
                    let from = products.at(0, index).add(filter - filters.start);
                    let bias = V::load_first(self.bias.as_ptr().add(filter), count);
                    let load = |y: usize, x: usize| V::load(from.add((PIECE * y + x) * products.stride));
                    let store = |y: usize, x: usize, value: V| {
                        let at = corner + (y * geometry.output_width + x) * size.filters + filter;
                        let (output, value) = (self.output.0.add(at), value.add(bias));
                        if !RELU {
                            value.store_first(output, count);
                            return;
                        }
                        let mut best = Best::<V>::new(Activation::Relu, 1);
                        best.offer(0, value);
                        best.store(output, self.winners.0.add(at), count);
                    };
                    both_ways::<Output, V, PIECE, OUTPUTS>(load, |y, x, value| {
                        if part.contains(y, x) {
                            store(y, x, value);
                        }
                    });
                }
            }
        }
    }

    /// Bias, activation and the largest of each window in the pass's rows, for one vector of filters.
    ///
    /// # Safety
    /// The image and the filter exist; `plane` holds the outputs of the pass's tiles.
    #[inline(always)]
    unsafe fn pool<V: Vector<Element = E>>(
        &self,
        image: usize,
        filter: usize,
        tiling: Tiling,
        plane: *const E,
    ) {
        let (geometry, size) = (self.geometry, &self.geometry.size);
        let count = V::LANES.min(size.filters - filter);
        // SAFETY: every window lies within the plane and has its output.
        unsafe {
            let bias = V::load_first(self.bias.as_ptr().add(filter), count);
            let (top, _) = tiling.corner(self.tiles.start);
            let first = image * geometry.windows() + self.windows.start * geometry.output_width;
            let first = first * size.filters + filter;
            let (mut output, mut winners) = (self.output.0.add(first), self.winners.0.add(first));
            for row in self.windows.clone() {
                for column in 0..geometry.output_width {
                    let row = row * size.pool_height - top;
                    let place = row * tiling.plane_width() + column * size.pool_width;
                    let mut best = Best::<V>::new(size.activation, geometry.positions());
                    for y in 0..size.pool_height {
                        for x in 0..size.pool_width {
                            let sum = V::load(plane.add((place + y * tiling.plane_width() + x) * V::LANES));
                            best.offer(y * size.pool_width + x, sum.add(bias));
                        }
                    }
                    best.store(output, winners, count);
                    (output, winners) = (output.add(size.filters), winners.add(size.filters));
                }
            }
        }
    }
}
