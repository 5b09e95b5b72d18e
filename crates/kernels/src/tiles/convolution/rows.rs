//! Rows of images and of derivatives, rounded and laid out.

use super::{
    super::{
        Tiles,
        line::{Line, NUMBERS, pairs, row, transpose},
    },
    layout::{IMAGE_PAIRS, Layout, TILE, WIDTH},
};
use std::ops::Range;

/// So many images, one behind the other, or what begins with a row of the first of them.
#[derive(Clone, Copy)]
pub(super) struct Images<'a> {
    pub(super) values: &'a [f32],
    pub(super) images: usize,
}

impl Images<'_> {
    /// What begins so many values behind; of no images nothing does.
    pub(super) fn behind(self, values: usize) -> Self {
        Self { values: &self.values[values.min(self.values.len())..], ..self }
    }
}

/// The latest of the rows that are made one after the other.
pub(super) struct LatestRows<'a> {
    lines: &'a mut [Line],
    of_row: usize,
    /// The number of the row that lies first, and of the first that is not made yet.
    first: usize,
    made: usize,
}

impl<'a> LatestRows<'a> {
    pub(super) fn new(lines: &'a mut [Line], of_row: usize) -> Self {
        Self { lines, of_row, first: 0, made: 0 }
    }

    /// These rows, of which `make` writes those that are not there yet. Rows before them are not asked for again.
    pub(super) fn advance(&mut self, rows: Range<usize>, make: impl Fn(usize, &mut [Line])) -> &[Line] {
        let of_row = self.of_row;
        if (rows.end - self.first) * of_row > self.lines.len() {
            let kept = rows.start.min(self.made)..self.made;
            self.lines.copy_within((kept.start - self.first) * of_row..(kept.end - self.first) * of_row, 0);
            self.first = rows.start;
        }
        for row in self.made.max(rows.start)..rows.end {
            make(row, &mut self.lines[(row - self.first) * of_row..][..of_row]);
        }
        self.made = self.made.max(rows.end);
        &self.lines[(rows.start - self.first) * of_row..(rows.end - self.first) * of_row]
    }
}

impl Layout {
    /// Rows and columns of an image without its border.
    fn inner(&self) -> [usize; 2] {
        let (size, [top, left]) = (self.geometry.sliding().size(), self.border);
        [size.height - 2 * top, size.width - 2 * left]
    }

    /// What begins with the row of the images that is this one of those with their border; none where it is border, whose lines become zeros,
    /// or where no tap reads it, and its lines are left as they are.
    fn image_row_of<'a>(&self, input: Images<'a>, row: usize, lines: &mut [Line]) -> Option<Images<'a>> {
        let [height, width] = self.inner();
        if !self.is_read[0][row] {
            return None;
        }
        let y = row.checked_sub(self.border[0]).filter(|y| *y < height);
        if y.is_none() {
            lines.fill(Line::ZERO);
        }
        Some(input.behind(y? * width * self.channels()))
    }

    /// A row of the images with their border, `[column, block of channels, image]`. What no tap reads is left as it is.
    pub(super) fn round_image_row(&self, tiles: Tiles, input: Images, row: usize, lines: &mut [Line]) {
        let Some(values) = self.image_row_of(input, row, lines) else { return };
        let ([height, width], channels) = (self.inner(), self.channels());
        let of_image = height * width * channels;
        round_row(tiles, values, of_image, [width, channels], self.border[1], &self.is_read[1], lines);
    }

    /// A row of the outputs' derivatives with zeros beside it, `[column, block of filters, image]`.
    pub(super) fn round_derivative_row(
        &self,
        tiles: Tiles,
        rows: Images,
        of_image: usize,
        row: usize,
        lines: &mut [Line],
    ) {
        let (sliding, filters) = (self.geometry.sliding(), self.geometry.filters());
        let values = rows.behind(row * self.output_row());
        round_row(tiles, values, of_image, [sliding.output_width(), filters], self.before()[1], &[], lines);
    }

    /// A row of the images in pairs, `[block of channels, first column, column, pair of images]`, with zeros where there are none. What
    /// no tap reads is left as it is.
    pub(super) fn pair_image_row(&self, tiles: Tiles, input: Images, row: usize, lines: &mut [Line]) {
        let Some(values) = self.image_row_of(input, row, lines) else { return };
        let ([height, width], left, channels) = (self.inner(), self.border[1], self.channels());
        let (stride, columns) = (self.geometry.sliding().size().stride, &self.is_read[1]);
        let padded = |line: usize| line % self.phased_columns() * stride + line / self.phased_columns();
        let column = |line: usize| match columns.get(padded(line)) {
            Some(false) => Column::Unread,
            _ => match padded(line).checked_sub(left) {
                Some(x) if x < width => Column::At(x),
                _ => Column::Zero,
            },
        };
        for (block, lines) in lines.chunks_exact_mut(self.phased_row()).enumerate() {
            pair_row(tiles, values, height * width * channels, channels, block * WIDTH, column, lines);
        }
    }

    /// So many rows of the outputs' derivatives with filters as rows, `[block of filters, row, pair of columns, filter]`: a line is the
    /// images of both columns.
    pub(super) fn turn_rows(
        &self,
        tiles: Tiles,
        values: Images,
        of_image: usize,
        rows: usize,
        lines: &mut [Line],
    ) {
        let (width, filters) = (self.geometry.sliding().output_width(), self.geometry.filters());
        let columns = |column: usize| if column < width { Column::At(column) } else { Column::Zero };
        let (to, pairs) = lines.split_at_mut(self.turned_lines());
        let of_row = self.column_pairs() * TILE;
        let pairs = &mut pairs[..of_row];
        for (block, to) in to.chunks_exact_mut(self.turned_block()).enumerate() {
            for (row, to) in to.chunks_exact_mut(of_row).take(rows).enumerate() {
                let values = values.behind(row * self.output_row());
                pair_row(tiles, values, of_image, filters, block * WIDTH, columns, pairs);
                for (pair, to) in pairs.chunks_exact(TILE).zip(to.chunks_exact_mut(TILE)) {
                    transpose(tiles, pair, to);
                }
            }
        }
    }
}

/// What lies in a column of lines.
enum Column {
    At(usize),
    Zero,
    Unread,
}

/// Pairs of images of a row, `[column, pair of images]`, of the channels of a tile from `first` on.
fn pair_row(
    tiles: Tiles,
    Images { values, images }: Images,
    of_image: usize,
    channels: usize,
    first: usize,
    column: impl Fn(usize) -> Column,
    lines: &mut [Line],
) {
    let count = WIDTH.min(channels - first);
    tiles.round(
        #[inline(always)]
        || {
            for (index, pixel) in lines.chunks_exact_mut(IMAGE_PAIRS).enumerate() {
                let x = match column(index) {
                    Column::At(x) => x,
                    Column::Zero => {
                        pixel.fill(Line::ZERO);
                        continue;
                    }
                    Column::Unread => continue,
                };
                let of = |image: usize| -> &[f32] {
                    match image < images {
                        true => &values[image * of_image + x * channels + first..][..count],
                        false => &[],
                    }
                };
                for (pair, line) in pixel.iter_mut().enumerate() {
                    *line = pairs(tiles, of(2 * pair), of(2 * pair + 1));
                }
            }
        },
    );
}

/// Rounds a row of images into a row of lines, of which so many columns come before theirs. Columns that are not read are left out, if it
/// is said which are.
fn round_row(
    tiles: Tiles,
    Images { values, images }: Images,
    of_image: usize,
    [width, channels]: [usize; 2],
    before: usize,
    is_read: &[bool],
    lines: &mut [Line],
) {
    let blocks = channels.div_ceil(NUMBERS);
    tiles.round(
        #[inline(always)]
        || {
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
                    let count = NUMBERS.min(channels - block * NUMBERS);
                    let first = x * channels + block * NUMBERS;
                    for (image, line) in tile.iter_mut().enumerate() {
                        *line = match image < images {
                            true => row(tiles, &values[image * of_image + first..][..count]),
                            false => Line::ZERO,
                        };
                    }
                }
            }
        },
    );
}
