//! A convolution whose products are of bfloat16 numbers, of up to sixteen images at once.
//!
//! Layouts are those of [`general`](crate::convolution::general), of which this computes the same equation with operands rounded to
//! bfloat16: images `[image, row, column, channel]`, weights `[filter, kernel row, kernel column, channel]`. A dense layer of many rows is
//! the convolution with one tap.
//!
//! | product | rows of A | summed over | columns of B |
//! |---|---|---|---|
//! | output | images | taps, channels | filters |
//! | gradient of the input | images | taps, filters | channels |
//! | gradient of the weights | filters | positions, images | channels of a tap |
//!
//! What is multiplied is rounded into the workspace once, a position's sixteen rows one behind the other, with the border of zeros around
//! the image: so each tap's tile is one block of memory, at a distance that is the same for all positions.
//!
//! Infinities are also multiplied by the zeros of the border, and by those of the column that is added to an odd number of columns: the
//! gradient of the weights can be NaN where that of the plain convolution is infinite.

use super::{
    ROWS, Run, Tiles,
    line::{
        Line, NUMBERS, PAIRS, Part, VALUES, as_lines, as_lines_mut, pairs, row, transpose, whole_pairs,
        whole_row,
    },
    pass::{Begin, Positions, Runs, Sums, Target, WeightSums},
};
use crate::{
    check_length,
    columns::add_column_sums,
    convolution::{Derivatives, general::Geometry},
    length,
    matmul::Output,
};

/// Lines of a tile.
const TILE: usize = ROWS;

/// Columns of B and of C in a tile.
const WIDTH: usize = PAIRS;

/// Lines that hold a position's pairs of images.
const IMAGE_PAIRS: usize = ROWS / 2;

/// Such a convolution, laid out.
#[derive(Debug)]
pub struct Convolution {
    tiles: Tiles,
    geometry: Geometry,
    /// Rows and columns of the border of zeros.
    border: [usize; 2],
    /// Where the taps of an output lie in the images and in the packed weights.
    taps: Vec<Run>,
    /// Where a tap begins in the images in pairs.
    tap_starts: Vec<usize>,
    /// Whether a tap reads a row, and a column, of the images with their border.
    is_read: [Vec<bool>; 2],
    /// Where those outputs lie that read an input, and the taps by which they do, by the remainders of its row and its column by the stride.
    readers: Vec<Vec<Run>>,
    /// Rows of outputs, and of inputs whose columns are a stride apart.
    outputs: Vec<Positions>,
    inputs: Vec<Positions>,
    /// The rows of outputs, in their derivatives and in the images.
    rows: Vec<Run>,
}

impl Convolution {
    /// Whether there is enough to multiply for tiles: at least half of their sums.
    pub fn is_worthwhile(geometry: &Geometry) -> bool {
        geometry.groups() == 1 && geometry.sliding().size().channels >= NUMBERS / 2
    }

    /// Lays a convolution out for these tiles.
    ///
    /// # Panics
    /// When the geometry has groups, or is more than a machine can address.
    pub fn new(tiles: Tiles, geometry: Geometry) -> Self {
        assert_eq!(geometry.groups(), 1, "groups");
        let border = geometry.border();
        let mut new = Self {
            tiles,
            geometry,
            border,
            taps: Vec::new(),
            readers: Vec::new(),
            tap_starts: Vec::new(),
            is_read: [const { Vec::new() }; 2],
            outputs: Vec::new(),
            inputs: Vec::new(),
            rows: Vec::new(),
        };
        // Before anything is as large.
        length::product(&[new.workspace_length(), size_of::<f32>()]);
        length::product(&[new.packed_weights_length(), size_of::<f32>()]);
        new.lay_out();
        new
    }

    /// Works out where everything lies.
    fn lay_out(&mut self) {
        let (size, taps) = (*self.geometry.sliding().size(), self.geometry.sliding().taps());
        let (stride, dilation) = (size.stride as isize, size.dilation as isize);
        let of_tap = |tap: usize| [tap / size.kernel_width, tap % size.kernel_width];
        let [channel_tiles, filter_tiles] = [self.channel_blocks() * TILE, self.filter_blocks() * TILE];
        let tap = |tap: usize| {
            let [row, column] = of_tap(tap).map(|index| index * size.dilation);
            let a = ((row * size.width + column) * channel_tiles) as isize;
            Run { a, b: (tap * channel_tiles) as isize }
        };
        self.taps = (0..taps).map(tap).collect();
        let start = |tap: usize| {
            let [row, column] = of_tap(tap).map(|index| index * size.dilation);
            row * self.phased_row()
                + (column % size.stride * self.phased_columns() + column / size.stride) * IMAGE_PAIRS
        };
        self.tap_starts = (0..taps).map(start).collect();
        let (output_rows, output_columns) =
            (self.geometry.sliding().output_height(), self.geometry.sliding().output_width());
        // The column that is added to an odd number of columns reads too.
        let sides = [
            (size.height, size.kernel_height, output_rows),
            (size.width, size.kernel_width, 2 * self.column_pairs()),
        ];
        self.is_read = sides.map(|(length, taps, outputs)| {
            let mut is_read = vec![false; length];
            for (output, tap) in product(outputs, taps) {
                if let Some(is_read) = is_read.get_mut(output * size.stride + tap * size.dilation) {
                    *is_read = true;
                }
            }
            is_read
        });
        let filters = self.geometry.filters();
        let outputs = |row: usize| Positions {
            c: row * output_columns * filters,
            a: row * size.stride * size.width * channel_tiles,
            count: output_columns,
            runs: 0,
        };
        self.outputs = (0..output_rows).map(outputs).collect();
        let [_, width] = self.derivative_sides();
        for [row, column] in (0..stride * stride).map(|class| [class / stride, class % stride]) {
            let reader = |tap: usize| {
                let [i, j] = of_tap(tap).map(|index| index as isize * dilation);
                let [row, column] = [row - i, column - j];
                let a = (row / stride * width as isize + column / stride) * filter_tiles as isize;
                (row % stride == 0 && column % stride == 0)
                    .then_some(Run { a, b: (tap * filter_tiles) as isize })
            };
            self.readers.push((0..taps).filter_map(reader).collect());
        }
        let ([top, left], [above, before]) = (self.border, self.before());
        let inner = size.width - 2 * left;
        for (row, first) in product(size.height - 2 * top, size.stride.min(inner)) {
            let (y, x) = (row + top, first + left);
            self.inputs.push(Positions {
                c: (row * inner + first) * size.channels,
                a: ((y / size.stride + above) * width + x / size.stride + before) * filter_tiles,
                count: (inner - first).div_ceil(size.stride),
                runs: y % size.stride * size.stride + x % size.stride,
            });
        }
        let (pairs, row) = (self.column_pairs(), size.stride * self.phased_row());
        self.rows = (0..output_rows)
            .map(|index| Run { a: (index * pairs * TILE) as isize, b: (index * row) as isize })
            .collect();
    }

    /// The sizes.
    pub fn geometry(&self) -> &Geometry {
        &self.geometry
    }

    fn channels(&self) -> usize {
        self.geometry.sliding().size().channels
    }

    /// Blocks of channels that a sum over channels takes.
    fn channel_blocks(&self) -> usize {
        self.channels().div_ceil(NUMBERS)
    }

    /// Blocks of filters that a sum over filters takes.
    fn filter_blocks(&self) -> usize {
        self.geometry.filters().div_ceil(NUMBERS)
    }

    /// Lines of the images with their border, `[row, column, block of channels, image]`.
    fn image_lines(&self) -> usize {
        let size = self.geometry.sliding().size();
        length::product(&[size.height, size.width, self.channel_blocks(), TILE])
    }

    /// Rows and columns of zeros before the outputs' derivatives: so many outputs before an image's first have taps in it.
    fn before(&self) -> [usize; 2] {
        let size = self.geometry.sliding().size();
        [size.kernel_height, size.kernel_width].map(|taps| ((taps - 1) * size.dilation).div_ceil(size.stride))
    }

    /// Rows and columns of the outputs' derivatives, with zeros around.
    fn derivative_sides(&self) -> [usize; 2] {
        let (sliding, before) = (self.geometry.sliding(), self.before());
        let size = sliding.size();
        let side = |before: usize, outputs: usize, inputs: usize| {
            length::sum(&[before, outputs.max((inputs - 1) / size.stride + 1)])
        };
        [
            side(before[0], sliding.output_height(), size.height),
            side(before[1], sliding.output_width(), size.width),
        ]
    }

    /// Lines of the outputs' derivatives, `[row, column, block of filters, image]`.
    fn derivative_lines(&self) -> usize {
        let [height, width] = self.derivative_sides();
        length::product(&[height, width, self.filter_blocks(), TILE])
    }

    /// Pairs of columns of outputs; an odd last column is one with zeros.
    fn column_pairs(&self) -> usize {
        self.geometry.sliding().output_width().div_ceil(2)
    }

    /// Columns of an image that are a stride apart, from each of the first.
    fn phased_columns(&self) -> usize {
        let size = self.geometry.sliding().size();
        length::sum(&[(size.kernel_width - 1) * size.dilation / size.stride, 2 * self.column_pairs()])
    }

    /// Lines of a row of the images in pairs, `[first column, column, pair of images]`.
    fn phased_row(&self) -> usize {
        let stride = self.geometry.sliding().size().stride;
        length::product(&[stride, self.phased_columns(), IMAGE_PAIRS])
    }

    /// Lines of a block of channels of the images in pairs.
    fn paired_lines(&self) -> usize {
        length::product(&[self.geometry.sliding().size().height, self.phased_row()])
    }

    /// Lines of a block of filters of the outputs' derivatives, `[row, pair of columns, filter]`.
    fn turned_lines(&self) -> usize {
        length::product(&[self.geometry.sliding().output_height(), self.column_pairs(), TILE])
    }

    /// Values that [`Self::forward`] and [`Self::backward`] need beside their tensors.
    pub fn workspace_length(&self) -> usize {
        let for_weights = length::sum(&[
            length::product(&[self.channels().div_ceil(WIDTH), self.paired_lines()]),
            length::product(&[self.geometry.filters().div_ceil(WIDTH), self.turned_lines()]),
        ]);
        length::product(&[self.image_lines().max(self.derivative_lines()).max(for_weights), VALUES])
    }

    /// Lines of the weights for the outputs, `[block of filters, tap, block of channels, pair of channels]`, and for the gradient of the
    /// input, `[block of channels, tap, block of filters, pair of filters]`.
    fn weight_lines(&self) -> [usize; 2] {
        let (taps, filters) = (self.geometry.sliding().taps(), self.geometry.filters());
        [
            length::product(&[filters.div_ceil(WIDTH), taps, self.channel_blocks(), TILE]),
            length::product(&[self.channels().div_ceil(WIDTH), taps, self.filter_blocks(), TILE]),
        ]
    }

    /// Values that [`Self::pack_weights`] needs.
    pub fn packed_weights_length(&self) -> usize {
        length::product(&[length::sum(&self.weight_lines()), VALUES])
    }

    /// Rounds the weights and lays them out for both directions; overwrites `packed`.
    ///
    /// # Panics
    /// When a length does not fit, or `packed` does not begin at a cache line, as a [`crate::Buffer`] does.
    pub fn pack_weights(&self, weights: &[f32], packed: &mut [f32]) {
        let (filters, channels) = (self.geometry.filters(), self.channels());
        let (taps, length) = (self.geometry.sliding().taps(), self.geometry.filter_length());
        check_length!(weights, [filters, length]);
        check_length!(packed, [self.packed_weights_length()]);
        let (by_filter, by_channel) = as_lines_mut(packed).split_at_mut(self.weight_lines()[0]);
        let tiles = self.tiles;
        let of_tap = |filter: usize, tap: usize| &weights[filter * length + tap * channels..][..channels];
        tiles.round(
            #[inline(always)]
            || {
                let mut to = by_filter.chunks_exact_mut(TILE);
                for first in (0..filters).step_by(WIDTH) {
                    for (tap, channel) in product(taps, self.channel_blocks()) {
                        let mut rows = [Line::ZERO; TILE];
                        for (line, filter) in rows.iter_mut().zip(first..filters.min(first + WIDTH)) {
                            *line = row(tiles, part(of_tap(filter, tap), channel * NUMBERS, NUMBERS));
                        }
                        transpose(tiles, &rows, to.next().expect("a tile each"));
                    }
                }
                let mut lines = by_channel.iter_mut();
                for first in (0..channels).step_by(WIDTH) {
                    for (tap, filter) in product(taps, self.filter_blocks() * TILE) {
                        let of = |filter: usize| match filter < filters {
                            true => part(of_tap(filter, tap), first, WIDTH),
                            false => &[],
                        };
                        *lines.next().expect("a line each") =
                            pairs(tiles, of(2 * filter), of(2 * filter + 1));
                    }
                }
            },
        );
    }

    fn images(&self, input: &[f32]) -> usize {
        let images = input.len() / self.geometry.input_length();
        check_length!(input, [images, self.geometry.input_length()]);
        assert!(images <= ROWS, "{images} images at once: at most {ROWS} expected");
        images
    }

    /// The sums of up to sixteen images; overwrites `output`.
    ///
    /// # Panics
    /// When a length does not fit, or the packed weights or the workspace do not begin at a cache line.
    pub fn forward(
        &self,
        input: &[f32],
        packed_weights: &[f32],
        bias: &[f32],
        output: &mut [f32],
        workspace: &mut [f32],
    ) {
        let (images, filters) = (self.images(input), self.geometry.filters());
        check_length!(packed_weights, [self.packed_weights_length()]);
        check_length!(bias, [filters]);
        check_length!(output, [images, self.geometry.output_length()]);
        let lines = &mut as_lines_mut(workspace)[..self.image_lines()];
        self.round_images(input, images, lines);
        let weights = &as_lines(packed_weights)[..self.weight_lines()[0]];
        let step = self.channel_blocks() * TILE;
        self.tiles.run(Sums {
            runs: Runs::Same(&self.taps),
            count: self.channel_blocks(),
            a: lines,
            a_step: self.geometry.sliding().size().stride * step,
            b: weights,
            positions: &self.outputs,
            c_step: filters,
            begin: Begin::Row(bias),
            c: a_position(output, images, filters),
        });
    }

    /// All derivatives of as many images as `input` holds, from that of the output: that of the weights is overwritten, that of the bias
    /// added to.
    ///
    /// # Panics
    /// As [`Self::forward`].
    pub fn backward(
        &self,
        input: &[f32],
        packed_weights: &[f32],
        d_output: &[f32],
        derivatives: Derivatives<f32>,
        workspace: &mut [f32],
    ) {
        let Derivatives { weights: d_weights, bias: d_bias, input: d_input, into_input } = derivatives;
        let (images, filters, channels) = (self.images(input), self.geometry.filters(), self.channels());
        let length = self.geometry.filter_length();
        check_length!(packed_weights, [self.packed_weights_length()]);
        check_length!(d_output, [images, self.geometry.output_length()]);
        check_length!(d_weights, [filters, length]);
        if let Some(d_bias) = d_bias {
            check_length!(d_bias, [filters]);
            add_column_sums(self.tiles.set, d_output, d_bias);
        }
        let lines = as_lines_mut(workspace);
        let (a, b) = lines.split_at_mut(filters.div_ceil(WIDTH) * self.turned_lines());
        let b = &mut b[..channels.div_ceil(WIDTH) * self.paired_lines()];
        self.turn_derivatives(d_output, images, a);
        self.pair_images(input, images, b);
        self.tiles.run(WeightSums {
            runs: &self.rows,
            count: self.column_pairs(),
            a,
            a_block: self.turned_lines(),
            b,
            b_block: self.paired_lines(),
            taps: &self.tap_starts,
            c: Target {
                values: d_weights,
                rows: filters,
                row_stride: length,
                columns: channels,
                block: [channels, 0],
            },
            tap_step: channels,
        });
        if let Some(d_input) = d_input {
            check_length!(d_input, [input.len()]);
            self.differentiate_input(packed_weights, d_output, d_input, into_input, workspace);
        }
    }

    /// Of [`Self::backward`] the derivative of the input alone, which may lie where the input did.
    ///
    /// # Panics
    /// As [`Self::forward`].
    pub fn differentiate_input(
        &self,
        packed_weights: &[f32],
        d_output: &[f32],
        d_input: &mut [f32],
        into_input: Output,
        workspace: &mut [f32],
    ) {
        let (images, channels) = (self.images(d_input), self.channels());
        let size = self.geometry.sliding().size();
        check_length!(packed_weights, [self.packed_weights_length()]);
        check_length!(d_output, [images, self.geometry.output_length()]);
        let lines = &mut as_lines_mut(workspace)[..self.derivative_lines()];
        self.round_derivatives(d_output, images, lines);
        let weights = &as_lines(packed_weights)[self.weight_lines()[0]..];
        self.tiles.run(Sums {
            runs: Runs::Named(&self.readers),
            count: self.filter_blocks(),
            a: lines,
            a_step: self.filter_blocks() * TILE,
            b: weights,
            positions: &self.inputs,
            c_step: size.stride * channels,
            begin: match into_input {
                Output::Overwrite => Begin::Zero,
                Output::Accumulate => Begin::C,
            },
            c: a_position(d_input, images, channels),
        });
    }

    /// The images with their border, `[row, column, block of channels, image]`.
    fn round_images(&self, input: &[f32], images: usize, lines: &mut [Line]) {
        let size = *self.geometry.sliding().size();
        let [top, left] = self.border;
        let inner = [size.height - 2 * top, size.width - 2 * left];
        let [rows, columns] = &self.is_read;
        self.round(
            input,
            images,
            inner,
            size.channels,
            [top, left],
            [size.height, size.width],
            |row, column| rows[row] && columns[column],
            lines,
        );
    }

    /// The derivatives with zeros around, `[row, column, block of filters, image]`.
    fn round_derivatives(&self, d_output: &[f32], images: usize, lines: &mut [Line]) {
        let sliding = self.geometry.sliding();
        let inner = [sliding.output_height(), sliding.output_width()];
        self.round(
            d_output,
            images,
            inner,
            self.geometry.filters(),
            self.before(),
            self.derivative_sides(),
            |_, _| true,
            lines,
        );
    }

    /// Rounds images of `inner` rows and columns into lines of `outer`, of which so many come before theirs.
    #[expect(clippy::too_many_arguments, reason = "where from and where to")]
    fn round(
        &self,
        values: &[f32],
        images: usize,
        inner: [usize; 2],
        channels: usize,
        before: [usize; 2],
        outer: [usize; 2],
        is_read: impl Fn(usize, usize) -> bool,
        lines: &mut [Line],
    ) {
        let of_image = inner[0] * inner[1] * channels;
        let blocks = channels.div_ceil(NUMBERS);
        let tiles = self.tiles;
        tiles.round(
            #[inline(always)]
            || {
                let (whole, last) = (Part::first(NUMBERS), Part::first(channels - (blocks - 1) * NUMBERS));
                let mut pixels = lines.chunks_exact_mut(blocks * TILE);
                for (row_index, column) in product(outer[0], outer[1]) {
                    let pixel = pixels.next().expect("a pixel each");
                    if !is_read(row_index, column) {
                        continue;
                    }
                    let [y, x] = [row_index.wrapping_sub(before[0]), column.wrapping_sub(before[1])];
                    if y >= inner[0] || x >= inner[1] {
                        pixel.fill(Line::ZERO);
                        continue;
                    }
                    let first = (y * inner[1] + x) * channels;
                    for (block, tile) in pixel.chunks_exact_mut(TILE).enumerate() {
                        let part = if block + 1 < blocks { &whole } else { &last };
                        for (image, line) in tile.iter_mut().enumerate() {
                            *line = match image < images {
                                true => {
                                    let values = &values[image * of_image + first + block * NUMBERS..];
                                    whole_row(tiles, &part.of(values))
                                }
                                false => Line::ZERO,
                            };
                        }
                    }
                }
            },
        );
    }

    /// The images in pairs, `[block of channels, row, first column, column, pair of images]`, with zeros where there are none.
    fn pair_images(&self, input: &[f32], images: usize, lines: &mut [Line]) {
        let size = *self.geometry.sliding().size();
        let ([top, left], channels) = (self.border, size.channels);
        let [height, width] = [size.height - 2 * top, size.width - 2 * left];
        let of_image = height * width * channels;
        let tiles = self.tiles;
        let [rows, columns] = &self.is_read;
        tiles.round(
            #[inline(always)]
            || {
                let mut lines = lines.chunks_exact_mut(IMAGE_PAIRS);
                for first_channel in (0..channels).step_by(WIDTH) {
                    let part = Part::first(channels - first_channel);
                    for row in 0..size.height {
                        for (first, column) in product(size.stride, self.phased_columns()) {
                            let pixel = lines.next().expect("a pixel each");
                            let padded = column * size.stride + first;
                            if !rows[row] || !columns.get(padded).is_none_or(|is_read| *is_read) {
                                continue;
                            }
                            let [y, x] = [row.wrapping_sub(top), padded.wrapping_sub(left)];
                            if y >= height || x >= width {
                                pixel.fill(Line::ZERO);
                                continue;
                            }
                            let of = |image: usize| match image < images {
                                true => {
                                    let pixel = image * of_image + (y * width + x) * channels;
                                    part.of(&input[pixel + first_channel..])
                                }
                                false => [0.0; WIDTH],
                            };
                            for (pair, line) in pixel.iter_mut().enumerate() {
                                *line = whole_pairs(tiles, &of(2 * pair), &of(2 * pair + 1));
                            }
                        }
                    }
                }
            },
        );
    }

    /// The derivatives with filters as rows, `[block of filters, row, pair of columns, filter]`: a line is the images of both columns.
    fn turn_derivatives(&self, d_output: &[f32], images: usize, lines: &mut [Line]) {
        let (sliding, filters) = (self.geometry.sliding(), self.geometry.filters());
        let (width, of_image) = (sliding.output_width(), self.geometry.output_length());
        let tiles = self.tiles;
        tiles.round(
            #[inline(always)]
            || {
                let mut to = lines.chunks_exact_mut(TILE);
                for first in (0..filters).step_by(WIDTH) {
                    let part = Part::first(filters - first);
                    for (row, pair) in product(sliding.output_height(), self.column_pairs()) {
                        let of = |column: usize, image: usize| match column < width && image < images {
                            true => {
                                let position = image * of_image + (row * width + column) * filters;
                                part.of(&d_output[position + first..])
                            }
                            false => [0.0; WIDTH],
                        };
                        let mut rows = [Line::ZERO; TILE];
                        for (index, line) in rows.iter_mut().enumerate() {
                            let column = 2 * pair + index / IMAGE_PAIRS;
                            let image = index % IMAGE_PAIRS * 2;
                            *line = whole_pairs(tiles, &of(column, image), &of(column, image + 1));
                        }
                        transpose(tiles, &rows, to.next().expect("a tile each"));
                    }
                }
            },
        );
    }
}

/// One position of images `[image, position, column]`.
fn a_position(values: &mut [f32], images: usize, columns: usize) -> Target<'_> {
    let row_stride = values.len().checked_div(images).unwrap_or(0);
    Target { values, rows: images, row_stride, columns, block: [columns, 0] }
}

/// So many from `first` on, or what there is of them.
#[inline(always)]
fn part(values: &[f32], first: usize, count: usize) -> &[f32] {
    &values[first..values.len().min(first + count)]
}

/// Each of the first with each of the second.
#[inline(always)]
fn product(first: usize, second: usize) -> impl Iterator<Item = (usize, usize)> {
    (0..first).flat_map(move |one| (0..second).map(move |other| (one, other)))
}
