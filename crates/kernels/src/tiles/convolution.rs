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
//! The largest values of windows side by side may be all that is kept of the output: a row of windows is then summed, looked through and, on
//! the way back, filled again while it is in the cache.
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
    pooling::{maximum, maximum_backward},
    sliding::{self, Sliding},
};
use std::ops::Range;

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
    /// A row of windows of the output, if their largest values alone are kept.
    windows: Option<Sliding>,
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

    /// Lays a convolution out for these tiles, of whose output the largest of each `pool` by `pool` values is kept; all are where that is 1.
    ///
    /// # Panics
    /// When the geometry has groups, or is more than a machine can address, or the output has no such window.
    pub fn new(tiles: Tiles, geometry: Geometry, pool: usize) -> Self {
        assert_eq!(geometry.groups(), 1, "groups");
        let (border, sliding) = (geometry.border(), geometry.sliding());
        let windows = (pool != 1).then(|| {
            assert!(pool <= sliding.output_height(), "{} rows in windows of {pool}", sliding.output_height());
            Sliding::new(sliding::Size {
                height: pool,
                width: sliding.output_width(),
                channels: geometry.filters(),
                kernel_height: pool,
                kernel_width: pool,
                stride: pool,
                dilation: 1,
            })
        });
        let mut new = Self {
            tiles,
            geometry,
            windows,
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
        let rows_apart = self.pool().unwrap_or(output_rows);
        let outputs = |row: usize| Positions {
            c: row % rows_apart * output_columns * filters,
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

    /// The side of a window.
    fn pool(&self) -> Option<usize> {
        Some(self.windows.as_ref()?.size().stride)
    }

    /// Rows of the output, or of windows.
    fn kept_rows(&self) -> usize {
        self.geometry.sliding().output_height() / self.pool().unwrap_or(1)
    }

    /// Values of an image's output, or of its windows.
    pub fn output_length(&self) -> usize {
        match &self.windows {
            Some(windows) => self.kept_rows() * windows.output_length(),
            None => self.geometry.output_length(),
        }
    }

    /// Windows' taps that [`Self::forward`] notes for [`Self::backward`].
    pub fn winners_length(&self) -> usize {
        if self.windows.is_some() { self.output_length() } else { 0 }
    }

    /// Lines in whose place a row of windows of all images lies.
    fn window_lines(&self) -> usize {
        let of_image = self.windows.as_ref().map_or(0, Sliding::input_length);
        length::product(&[ROWS, of_image]).div_ceil(VALUES)
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

    /// Lines of all outputs' derivatives with filters as rows, of the images in pairs, and of the derivatives for the input.
    fn backward_lines(&self) -> [usize; 3] {
        [
            length::product(&[self.geometry.filters().div_ceil(WIDTH), self.turned_lines()]),
            length::product(&[self.channels().div_ceil(WIDTH), self.paired_lines()]),
            self.derivative_lines(),
        ]
    }

    /// Values that [`Self::forward`] and [`Self::backward`] need beside their tensors.
    pub fn workspace_length(&self) -> usize {
        let lines = self.image_lines().max(length::sum(&self.backward_lines()));
        length::product(&[length::sum(&[self.window_lines(), lines]), VALUES])
    }

    /// A row of windows of so many images, and the lines.
    fn parts<'a>(&self, images: usize, workspace: &'a mut [f32]) -> (&'a mut [f32], &'a mut [Line]) {
        let (windows, lines) = workspace.split_at_mut(self.window_lines() * VALUES);
        let of_image = self.windows.as_ref().map_or(0, Sliding::input_length);
        (&mut windows[..images * of_image], as_lines_mut(lines))
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

    /// The sums of up to sixteen images, or the largest of windows and which tap each of them was; overwrites `output` and `winners`.
    ///
    /// # Panics
    /// When a length does not fit, or the packed weights or the workspace do not begin at a cache line.
    pub fn forward(
        &self,
        input: &[f32],
        packed_weights: &[f32],
        bias: &[f32],
        output: &mut [f32],
        winners: &mut [f32],
        workspace: &mut [f32],
    ) {
        let (images, filters) = (self.images(input), self.geometry.filters());
        check_length!(packed_weights, [self.packed_weights_length()]);
        check_length!(bias, [filters]);
        check_length!(output, [images, self.output_length()]);
        check_length!(winners, [images, self.winners_length()]);
        let (window_row, lines) = self.parts(images, workspace);
        let lines = &mut lines[..self.image_lines()];
        self.round_images(input, images, lines);
        let lines = &*lines;
        let weights = &as_lines(packed_weights)[..self.weight_lines()[0]];
        let sum = |positions: &[Positions], to: &mut [f32]| {
            self.tiles.run(Sums {
                runs: Runs::Same(&self.taps),
                count: self.channel_blocks(),
                a: lines,
                a_step: self.geometry.sliding().size().stride * self.channel_blocks() * TILE,
                b: weights,
                positions,
                c_step: filters,
                begin: Begin::Row(bias),
                c: a_position(to, images, filters),
            });
        };
        let Some(windows) = &self.windows else {
            return sum(&self.outputs, output);
        };
        for (row, positions) in self.outputs.chunks_exact(windows.size().stride).enumerate() {
            sum(positions, window_row);
            for (image, values) in window_row.chunks_exact(windows.input_length()).enumerate() {
                let kept = self.window_row(image, row);
                let (output, winners) = (&mut output[kept.clone()], &mut winners[kept]);
                maximum(self.tiles.set, windows, values, output, winners);
            }
        }
    }

    /// Where a row of windows of an image lies in the output.
    fn window_row(&self, image: usize, row: usize) -> Range<usize> {
        let length = self.output_length() / self.kept_rows();
        let first = image * self.output_length() + row * length;
        first..first + length
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
        winners: &[f32],
        derivatives: Derivatives<f32>,
        workspace: &mut [f32],
    ) {
        let Derivatives { weights: d_weights, bias: d_bias, input: d_input, into_input } = derivatives;
        let (images, filters, channels) = (self.images(input), self.geometry.filters(), self.channels());
        let length = self.geometry.filter_length();
        check_length!(packed_weights, [self.packed_weights_length()]);
        check_length!(d_output, [images, self.output_length()]);
        check_length!(winners, [images, self.winners_length()]);
        check_length!(d_weights, [filters, length]);
        if let Some(d_bias) = d_bias {
            check_length!(d_bias, [filters]);
            add_column_sums(self.tiles.set, d_output, d_bias);
        }
        let (window_row, lines) = self.parts(images, workspace);
        let [turned_lines, paired_lines, derivative_lines] = self.backward_lines();
        let (turned, lines) = lines.split_at_mut(turned_lines);
        let (paired, lines) = lines.split_at_mut(paired_lines);
        let derivatives = &mut lines[..derivative_lines];
        if d_input.is_some() {
            self.clear_around_derivatives(derivatives);
        }
        let mut lay_out = |values: &[f32], rows: Range<usize>| {
            let rows = OutputRows { values, of_image: values.len().checked_div(images).unwrap_or(0), rows };
            self.turn_derivatives(&rows, images, turned);
            if d_input.is_some() {
                self.round_derivatives(&rows, images, derivatives);
            }
        };
        let all_rows = self.geometry.sliding().output_height();
        match &self.windows {
            None => lay_out(d_output, 0..all_rows),
            Some(windows) => {
                let pool = windows.size().stride;
                for row in 0..self.kept_rows() {
                    for (image, values) in window_row.chunks_exact_mut(windows.input_length()).enumerate() {
                        let kept = self.window_row(image, row);
                        let (winners, d_output) = (&winners[kept.clone()], &d_output[kept]);
                        maximum_backward(self.tiles.set, windows, winners, d_output, values);
                    }
                    lay_out(window_row, row * pool..(row + 1) * pool);
                }
                // Fewer than a window.
                window_row.fill(0.0);
                lay_out(window_row, self.kept_rows() * pool..all_rows);
            }
        }
        self.pair_images(input, images, paired);
        self.tiles.run(WeightSums {
            runs: &self.rows,
            count: self.column_pairs(),
            a: turned,
            a_block: self.turned_lines(),
            b: paired,
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
            self.sum_derivatives(packed_weights, derivatives, images, d_input, into_input);
        }
    }

    /// Of [`Self::backward`] the derivative of the input alone, which may lie where the input did, of a convolution without windows.
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
        let images = self.images(d_input);
        assert!(self.windows.is_none(), "a convolution without windows");
        check_length!(packed_weights, [self.packed_weights_length()]);
        check_length!(d_output, [images, self.geometry.output_length()]);
        let (_, lines) = self.parts(images, workspace);
        let lines = &mut lines[..self.derivative_lines()];
        self.clear_around_derivatives(lines);
        let rows = OutputRows {
            values: d_output,
            of_image: self.geometry.output_length(),
            rows: 0..self.geometry.sliding().output_height(),
        };
        self.round_derivatives(&rows, images, lines);
        self.sum_derivatives(packed_weights, lines, images, d_input, into_input);
    }

    /// The derivative of the input from those of the outputs, laid out.
    fn sum_derivatives(
        &self,
        packed_weights: &[f32],
        derivatives: &[Line],
        images: usize,
        d_input: &mut [f32],
        into_input: Output,
    ) {
        let (size, channels) = (self.geometry.sliding().size(), self.channels());
        self.tiles.run(Sums {
            runs: Runs::Named(&self.readers),
            count: self.filter_blocks(),
            a: derivatives,
            a_step: self.filter_blocks() * TILE,
            b: &as_lines(packed_weights)[self.weight_lines()[0]..],
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
        let (size, channels) = (*self.geometry.sliding().size(), self.channels());
        let [top, left] = self.border;
        let [height, width] = [size.height - 2 * top, size.width - 2 * left];
        let [rows, columns] = &self.is_read;
        let of_row = size.width * self.channel_blocks() * TILE;
        for (row, line_row) in lines.chunks_exact_mut(of_row).enumerate().filter(|(row, _)| rows[*row]) {
            match row.checked_sub(top).filter(|y| *y < height) {
                None => line_row.fill(Line::ZERO),
                Some(y) => {
                    let values = &input[y * width * channels..];
                    let of_image = height * width * channels;
                    self.round_row(values, of_image, images, [width, channels], left, columns, line_row);
                }
            }
        }
    }

    /// Zeros around the derivatives for the input, above and below.
    fn clear_around_derivatives(&self, lines: &mut [Line]) {
        let ([above, _], [_, width]) = (self.before(), self.derivative_sides());
        let of_row = width * self.filter_blocks() * TILE;
        let below = above + self.geometry.sliding().output_height();
        lines[..above * of_row].fill(Line::ZERO);
        lines[below * of_row..].fill(Line::ZERO);
    }

    /// The derivatives with zeros around, `[row, column, block of filters, image]`: so many rows of them, with the zeros beside.
    fn round_derivatives(&self, rows: &OutputRows, images: usize, lines: &mut [Line]) {
        let ([above, before], [_, width]) = (self.before(), self.derivative_sides());
        let (output_width, filters) = (self.geometry.sliding().output_width(), self.geometry.filters());
        let of_row = width * self.filter_blocks() * TILE;
        let line_rows = lines[(above + rows.rows.start) * of_row..].chunks_exact_mut(of_row);
        for (row, line_row) in line_rows.take(rows.rows.len()).enumerate() {
            let values = &rows.values[(row * output_width * filters).min(rows.values.len())..];
            self.round_row(values, rows.of_image, images, [output_width, filters], before, &[], line_row);
        }
    }

    /// Rounds a row of images into a row of lines, of which so many columns come before theirs. Columns that are not read are left out, if
    /// it is said which are.
    #[expect(clippy::too_many_arguments, reason = "where from and where to")]
    fn round_row(
        &self,
        values: &[f32],
        of_image: usize,
        images: usize,
        [width, channels]: [usize; 2],
        before: usize,
        is_read: &[bool],
        lines: &mut [Line],
    ) {
        let blocks = channels.div_ceil(NUMBERS);
        let tiles = self.tiles;
        tiles.round(
            #[inline(always)]
            || {
                let (whole, last) = (Part::first(NUMBERS), Part::first(channels - (blocks - 1) * NUMBERS));
                for (column, pixel) in lines.chunks_exact_mut(blocks * TILE).enumerate() {
                    if is_read.get(column) == Some(&false) {
                        continue;
                    }
                    let x = column.wrapping_sub(before);
                    if x >= width {
                        pixel.fill(Line::ZERO);
                        continue;
                    }
                    for (block, tile) in pixel.chunks_exact_mut(TILE).enumerate() {
                        let part = if block + 1 < blocks { &whole } else { &last };
                        let first = x * channels + block * NUMBERS;
                        for (image, line) in tile.iter_mut().enumerate() {
                            *line = match image < images {
                                true => whole_row(tiles, &part.of(&values[image * of_image + first..])),
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
                            if !rows[row] || columns.get(padded) == Some(&false) {
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
    fn turn_derivatives(&self, rows: &OutputRows, images: usize, lines: &mut [Line]) {
        let (sliding, filters) = (self.geometry.sliding(), self.geometry.filters());
        let (width, of_row) = (sliding.output_width(), self.column_pairs() * TILE);
        let tiles = self.tiles;
        tiles.round(
            #[inline(always)]
            || {
                for (first, lines) in
                    (0..filters).step_by(WIDTH).zip(lines.chunks_exact_mut(self.turned_lines()))
                {
                    let part = Part::first(filters - first);
                    let mut to = lines[rows.rows.start * of_row..].chunks_exact_mut(TILE);
                    for (row, pair) in product(rows.rows.len(), self.column_pairs()) {
                        let of = |column: usize, image: usize| match column < width && image < images {
                            true => {
                                let position = image * rows.of_image + (row * width + column) * filters;
                                part.of(&rows.values[position + first..])
                            }
                            false => [0.0; WIDTH],
                        };
                        let mut turned = [Line::ZERO; TILE];
                        for (index, line) in turned.iter_mut().enumerate() {
                            let column = 2 * pair + index / IMAGE_PAIRS;
                            let image = index % IMAGE_PAIRS * 2;
                            *line = whole_pairs(tiles, &of(column, image), &of(column, image + 1));
                        }
                        transpose(tiles, &turned, to.next().expect("a tile each"));
                    }
                }
            },
        );
    }
}

/// Some rows of the outputs' derivatives.
struct OutputRows<'a> {
    /// Begins with the first of these rows of the first image.
    values: &'a [f32],
    /// Values from an image to the next.
    of_image: usize,
    rows: Range<usize>,
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
