//! The forward pass.

use super::{
    FORWARD_TILES, PLANES, Pieces, Products, Tiling, by_tile, panel_of, position_stride, transform_images,
    transforms::{Output, Transform, both_ways},
};
use crate::{
    Element, InstructionSet,
    convolution::{Activation, Geometry, best::Best, forward::Arguments},
    dispatch::Kernel,
    matmul::{lanes, panel_columns},
    parts::{Shared, in_parts, share},
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
    let (tiles, room) = (images * tiling.tiles(), tiling.block_tiles(FORWARD_TILES));
    let (filters, panel) = (geometry.size.filters, panel_columns::<E>(set));
    let pass = Forward {
        geometry,
        step: Step::All,
        tiles: 0..tiles,
        filters: 0..filters,
        input,
        packed_weights,
        bias,
        output: Shared(output.as_mut_ptr()),
        winners: Shared(winners.as_mut_ptr()),
        workspace: Shared(workspace.as_mut_ptr()),
        rows: 0..room,
        plane: 0,
    };
    let parts = threads.min(tiles / FEWEST_TILES).min(room);
    let is_pooled = geometry.positions() > 1;
    if parts < 2 || is_pooled && tiles > room {
        return E::dispatch(set, pass);
    }
    if !is_pooled {
        // Each part has its tiles and its rows of the workspace.
        return in_parts(parts, |part| {
            let (tiles, rows) = (share(tiles, part, parts), share(room, part, parts));
            E::dispatch(set, Forward { tiles, rows, ..pass.clone() });
        });
    }
    // A pool reads several tiles: when all of them have their sums, each part has its filters.
    for first in (0..filters).step_by(panel) {
        let panel = first..filters.min(first + panel);
        in_parts(parts, |part| {
            let (tiles, filters) = (share(tiles, part, parts), panel.clone());
            E::dispatch(
                set,
                Forward { step: Step::Sums, rows: tiles.clone(), tiles, filters, ..pass.clone() },
            );
        });
        let lanes = lanes::<E>(set);
        let vectors = panel.len().div_ceil(lanes);
        let parts = parts.min(vectors).min(PLANES);
        in_parts(parts, |part| {
            let vectors = share(vectors, part, parts);
            let filters = first + vectors.start * lanes..panel.end.min(first + vectors.end * lanes);
            E::dispatch(set, Forward { step: Step::Pools, filters, plane: part, ..pass.clone() });
        });
    }
}

/// Tiles that are worth another thread's help.
const FEWEST_TILES: usize = 2;

/// What a pass does with its tiles and filters.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Step {
    /// All that there is to do.
    All,
    /// The sums of one panel of filters; before those of the first, the transformed pieces.
    Sums,
    /// What is made of the sums of filters of one panel.
    Pools,
}

/// Some tiles' forward pass.
#[derive(Clone)]
struct Forward<'a, E> {
    geometry: &'a Geometry,
    step: Step,
    /// Counted over all images; whole images where they are pooled.
    tiles: Range<usize>,
    filters: Range<usize>,
    input: &'a [E],
    packed_weights: &'a [E],
    bias: &'a [E],
    output: Shared<E>,
    winners: Shared<u8>,
    workspace: Shared<E>,
    /// Those rows of the workspace's matrices that this pass may use: as many as it has tiles, or all its tiles in turn.
    rows: Range<usize>,
    /// Which of the workspace's planes.
    plane: usize,
}

impl<E: Element> Kernel<E> for Forward<'_, E> {
    type Output = ();

    #[inline(always)]
    unsafe fn run<V: Vector<Element = E>>(self) {
        let geometry = self.geometry;
        let (channels, filters) = (geometry.size.channels, geometry.size.filters);
        let tiling = Tiling::new(geometry);
        let room = tiling.block_tiles(FORWARD_TILES);
        let (row, widest) = (channels.next_multiple_of(V::LANES), panel_of::<V>(0, filters).1);
        // With one panel the products take their inputs' place: a tile's rows are all read before the first sum is stored.
        let in_place = filters <= panel_width::<V>();
        // SAFETY: the workspace has room for both matrices and the planes, and these rows of them and this plane are this pass's.
        // Every element is written before it is read.
        unsafe {
            let row = if in_place { row.max(widest) } else { row };
            let inputs = Pieces::new(self.workspace.0, room, row);
            let products = match in_place {
                true => inputs,
                false => Pieces::new(inputs.end(tiling.positions()), room, widest),
            };
            let planes = products.end(tiling.positions());
            let plane = planes.add(self.plane * tiling.plane_length() * V::LANES);
            let [inputs, products] = [inputs, products].map(|pieces| pieces.from(self.rows.start));
            for first in self.tiles.clone().step_by(self.rows.len()) {
                let tiles = first..self.tiles.end.min(first + self.rows.len());
                let count = tiles.len();
                if self.step != Step::Pools && self.filters.start == 0 {
                    by_tile!(
                        tiling,
                        transform_images[V](geometry, self.input.as_ptr(), tiles.clone(), inputs)
                    );
                }
                let first_panel = self.filters.start / panel_width::<V>() * panel_width::<V>();
                for panel in (first_panel..self.filters.end).step_by(panel_width::<V>()) {
                    if self.step != Step::Pools {
                        let job = Products {
                            from: inputs,
                            length: channels,
                            right: self.packed_weights.as_ptr().add(panel * channels),
                            right_stride: position_stride(channels, filters.next_multiple_of(V::LANES)),
                            to: products,
                        };
                        let vectors = panel_of::<V>(panel, filters).1 / V::LANES;
                        for position in 0..tiling.positions() {
                            job.run::<V>(position, count, vectors);
                        }
                    }
                    if self.step == Step::Sums {
                        continue;
                    }
                    let end = self.filters.end.min(panel + panel_width::<V>());
                    let filters = self.filters.start.max(panel)..end;
                    if geometry.positions() == 1 {
                        match geometry.size.activation {
                            Activation::Linear => self.store::<V, false>(tiles.clone(), filters, products),
                            Activation::Relu => self.store::<V, true>(tiles.clone(), filters, products),
                        }
                        continue;
                    }
                    for filter in filters.step_by(V::LANES) {
                        for image in 0..count / tiling.tiles() {
                            let tiles = image * tiling.tiles();
                            by_tile!(tiling, fill_plane[V](tiling, products, tiles, filter - panel, plane));
                            self.pool::<V>(first / tiling.tiles() + image, filter, tiling, plane);
                        }
                    }
                }
            }
        }
    }
}

/// Aᵀ m A of one image's tiles and one vector of filters, put together.
///
/// # Safety
/// `products` holds the tiles, `plane` has room for their outputs.
#[inline(always)]
unsafe fn fill_plane<V: Vector, const OUTPUTS: usize, const PIECE: usize>(
    tiling: Tiling,
    products: Pieces<V::Element>,
    first: usize,
    column: usize,
    plane: *mut V::Element,
) where
    Output: Transform<PIECE, OUTPUTS>,
{
    for tile in 0..tiling.tiles() {
        let (row, left) = tiling.corner(tile);
        // SAFETY: the caller's promise.
        unsafe {
            let from = products.at(0, first + tile).add(column);
            let to = plane.add((row * tiling.plane_width() + left) * V::LANES);
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

    /// Bias, activation and the largest of each window, for one vector of filters.
    ///
    /// # Safety
    /// The image and the filter exist; `plane` holds the outputs.
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
            let first = image * geometry.windows() * size.filters + filter;
            let (mut output, mut winners) = (self.output.0.add(first), self.winners.0.add(first));
            for row in 0..geometry.output_height {
                for column in 0..geometry.output_width {
                    let place = row * size.pool_height * tiling.plane_width() + column * size.pool_width;
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
