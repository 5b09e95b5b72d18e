//! How long everything is, and where it lies.

use super::{
    super::line::{NUMBERS, PAIRS},
    Positions, ROWS, Run, product,
};
use crate::{convolution::general::Geometry, length};
use std::ops::Range;

/// Lines of a tile.
pub(super) const TILE: usize = ROWS;

/// Columns of B and of C in a tile.
pub(super) const WIDTH: usize = PAIRS;

/// Lines that hold a position's pairs of images.
pub(super) const IMAGE_PAIRS: usize = ROWS / 2;

/// Positions that are worth a pass over tiles: fewer would wait for weights and sums as long as for the products. With windows a pass takes a
/// row of them, however many that are.
const WORTHWHILE_POSITIONS: usize = 128;

/// Rows are kept in so many times the memory that they need, so that they are moved to its front rarely.
const ROOM: usize = 3;

#[derive(Debug)]
pub(super) struct Layout {
    pub(super) geometry: Geometry,
    /// The side of a window of the output, 1 where there are none.
    pub(super) pool: usize,
    /// Rows of outputs that are computed at once.
    pub(super) chunk: usize,
    /// Rows and columns of the border of zeros.
    pub(super) border: [usize; 2],
    /// Where the taps of an output lie in the images and in the packed weights.
    pub(super) taps: Vec<Run>,
    /// Where a tap begins in the images in pairs.
    pub(super) tap_starts: Vec<usize>,
    /// Whether a tap reads a row, and a column, of the images with their border.
    pub(super) is_read: [Vec<bool>; 2],
    /// Where those outputs lie that read an input, and the taps by which they do, by the remainders of its row and its column by the stride.
    pub(super) readers: Vec<Vec<Run>>,
    /// Rows of outputs, in the lines behind the first that the first row of their chunk reads.
    pub(super) outputs: Vec<Positions>,
    /// Rows of inputs whose columns are a stride apart, in the lines of their chunk's derivatives.
    inputs: Vec<Positions>,
    /// The rows of a chunk of outputs, in their derivatives and in the images.
    pub(super) rows: Vec<Run>,
}

impl Layout {
    /// The sizes alone.
    pub(super) fn sizes(geometry: Geometry, pool: usize) -> Self {
        let (height, width) = (geometry.sliding().output_height(), geometry.sliding().output_width());
        let chunk = if pool > 1 { pool } else { WORTHWHILE_POSITIONS.div_ceil(width).min(height) };
        Self {
            border: geometry.border(),
            geometry,
            pool,
            chunk,
            taps: Vec::new(),
            tap_starts: Vec::new(),
            is_read: [const { Vec::new() }; 2],
            readers: Vec::new(),
            outputs: Vec::new(),
            inputs: Vec::new(),
            rows: Vec::new(),
        }
    }

    /// Works out where everything lies.
    pub(super) fn find_places(&mut self) {
        let (size, taps) = (*self.geometry.sliding().size(), self.geometry.sliding().taps());
        let (stride, dilation) = (size.stride as isize, size.dilation as isize);
        let of_tap = |tap: usize| [tap / size.kernel_width, tap % size.kernel_width];
        let [channel_tiles, filter_tiles] = [self.channel_blocks() * TILE, self.filter_blocks() * TILE];
        let tap = |tap: usize| {
            let [row, column] = of_tap(tap).map(|index| index * size.dilation);
            let a = (row * self.image_row() + column * channel_tiles) as isize;
            Run { a, b: (tap * channel_tiles) as isize }
        };
        self.taps = (0..taps).map(tap).collect();
        let start = |tap: usize| {
            let [row, column] = of_tap(tap).map(|index| index * size.dilation);
            row * self.paired_row()
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
        let rows_apart = if self.pool > 1 { self.pool } else { output_rows };
        let outputs = |row: usize| Positions {
            c: row % rows_apart * self.output_row(),
            a: row % self.chunk * size.stride * self.image_row(),
            count: output_columns,
            runs: 0,
        };
        self.outputs = (0..output_rows).map(outputs).collect();
        let of_row = self.derivative_row() as isize;
        for [row, column] in (0..stride * stride).map(|class| [class / stride, class % stride]) {
            let reader = |tap: usize| {
                let [i, j] = of_tap(tap).map(|index| index as isize * dilation);
                let [row, column] = [row - i, column - j];
                let a = row / stride * of_row + column / stride * filter_tiles as isize;
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
                a: (y / size.stride % self.chunk + above) * self.derivative_row()
                    + (x / size.stride + before) * filter_tiles,
                count: (inner - first).div_ceil(size.stride),
                runs: y % size.stride * size.stride + x % size.stride,
            });
        }
        let row = |index: usize| Run {
            a: (index * self.column_pairs() * TILE) as isize,
            b: (index * size.stride * self.paired_row()) as isize,
        };
        self.rows = (0..self.chunk).map(row).collect();
    }

    pub(super) fn channels(&self) -> usize {
        self.geometry.sliding().size().channels
    }

    /// Blocks of channels that a sum over channels takes.
    pub(super) fn channel_blocks(&self) -> usize {
        self.channels().div_ceil(NUMBERS)
    }

    /// Blocks of filters that a sum over filters takes.
    pub(super) fn filter_blocks(&self) -> usize {
        self.geometry.filters().div_ceil(NUMBERS)
    }

    /// Values of a row of outputs.
    pub(super) fn output_row(&self) -> usize {
        self.geometry.sliding().output_width() * self.geometry.filters()
    }

    /// Rows of the images, with their border, that so many rows of outputs from `first` on read.
    pub(super) fn rows_read(&self, first: usize, rows: usize) -> Range<usize> {
        let size = self.geometry.sliding().size();
        let begin = first * size.stride;
        begin..begin + (rows - 1) * size.stride + (size.kernel_height - 1) * size.dilation + 1
    }

    /// How many of so many rows are in memory, of which a chunk needs some.
    fn room(needed: usize, rows: usize) -> usize {
        length::product(&[needed, ROOM]).min(rows)
    }

    /// Rows of images in memory.
    fn image_rows(&self) -> usize {
        Self::room(self.rows_read(0, self.chunk).len(), self.geometry.sliding().size().height)
    }

    /// Lines of a row of the images with their border, `[column, block of channels, image]`.
    pub(super) fn image_row(&self) -> usize {
        length::product(&[self.geometry.sliding().size().width, self.channel_blocks(), TILE])
    }

    /// Lines from what an output reads to what the next one does.
    pub(super) fn image_step(&self) -> usize {
        self.geometry.sliding().size().stride * self.channel_blocks() * TILE
    }

    /// Lines of the images' rows that are in memory.
    pub(super) fn image_lines(&self) -> usize {
        length::product(&[self.image_rows(), self.image_row()])
    }

    /// Rows and columns of zeros before the outputs' derivatives: so many outputs before an image's first have taps in it.
    pub(super) fn before(&self) -> [usize; 2] {
        let size = self.geometry.sliding().size();
        [size.kernel_height, size.kernel_width].map(|taps| ((taps - 1) * size.dilation).div_ceil(size.stride))
    }

    /// Rows and columns of the outputs' derivatives, with the zeros behind them that inputs read.
    fn derivative_sides(&self) -> [usize; 2] {
        let sliding = self.geometry.sliding();
        let size = sliding.size();
        let side = |outputs: usize, inputs: usize| outputs.max((inputs - 1) / size.stride + 1);
        [side(sliding.output_height(), size.height), side(sliding.output_width(), size.width)]
    }

    /// Rows of the outputs' derivatives, and of zeros behind them.
    pub(super) fn rows_of_derivatives(&self) -> usize {
        self.derivative_sides()[0]
    }

    /// Lines of a row of the outputs' derivatives with zeros around, `[column, block of filters, image]`.
    pub(super) fn derivative_row(&self) -> usize {
        let columns = length::sum(&[self.before()[1], self.derivative_sides()[1]]);
        length::product(&[columns, self.filter_blocks(), TILE])
    }

    /// The inputs whose last reader lies in one of these rows of outputs.
    pub(super) fn inputs_of(&self, rows: Range<usize>) -> &[Positions] {
        let (size, [top, left]) = (self.geometry.sliding().size(), self.border);
        let of_row = size.stride.min(size.width - 2 * left);
        let place = |row: usize| {
            let row = (row * size.stride).saturating_sub(top).min(size.height - 2 * top);
            row * of_row
        };
        &self.inputs[place(rows.start)..place(rows.end)]
    }

    /// Pairs of columns of outputs; an odd last column is one with zeros.
    pub(super) fn column_pairs(&self) -> usize {
        self.geometry.sliding().output_width().div_ceil(2)
    }

    /// Columns of an image that are a stride apart, from each of the first.
    pub(super) fn phased_columns(&self) -> usize {
        let size = self.geometry.sliding().size();
        length::sum(&[(size.kernel_width - 1) * size.dilation / size.stride, 2 * self.column_pairs()])
    }

    /// Lines of a block of channels of a row of the images in pairs, `[first column, column, pair of images]`.
    pub(super) fn phased_row(&self) -> usize {
        let stride = self.geometry.sliding().size().stride;
        length::product(&[stride, self.phased_columns(), IMAGE_PAIRS])
    }

    /// Lines of a row of the images in pairs, by blocks of channels.
    pub(super) fn paired_row(&self) -> usize {
        length::product(&[self.channels().div_ceil(WIDTH), self.phased_row()])
    }

    /// Lines of a block of filters of a chunk of the outputs' derivatives with filters as rows, `[row, pair of columns, filter]`.
    pub(super) fn turned_block(&self) -> usize {
        length::product(&[self.chunk, self.column_pairs(), TILE])
    }

    /// Lines of a chunk of them.
    pub(super) fn turned_lines(&self) -> usize {
        length::product(&[self.geometry.filters().div_ceil(WIDTH), self.turned_block()])
    }

    /// Lines of a chunk of the outputs' derivatives with filters as rows, behind which a row of them in pairs has room, of the images in
    /// pairs, and of the derivatives for the input.
    pub(super) fn backward_lines(&self) -> [usize; 3] {
        let needed = length::sum(&[self.chunk, self.before()[0]]);
        let rows = length::sum(&[self.before()[0], self.rows_of_derivatives()]);
        [
            length::sum(&[self.turned_lines(), self.column_pairs() * TILE]),
            length::product(&[self.image_rows(), self.paired_row()]),
            length::product(&[Self::room(needed, rows), self.derivative_row()]),
        ]
    }

    /// Lines of the weights for the outputs, `[block of filters, tap, block of channels, pair of channels]`, and for the gradient of the
    /// input, `[block of channels, tap, block of filters, pair of filters]`.
    pub(super) fn weight_lines(&self) -> [usize; 2] {
        let (taps, filters) = (self.geometry.sliding().taps(), self.geometry.filters());
        [
            length::product(&[filters.div_ceil(WIDTH), taps, self.channel_blocks(), TILE]),
            length::product(&[self.channels().div_ceil(WIDTH), taps, self.filter_blocks(), TILE]),
        ]
    }
}
