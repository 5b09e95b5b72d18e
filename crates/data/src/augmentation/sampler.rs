//! An image read between its pixels.

use super::affine::Affine;
use std::ops::Range;

/// Pixels read in one go: a whole number of vectors, and few enough that little is read beyond the ink.
const RUN: usize = 8;

/// Dark cells around the lit ones; a place further out is read from the outermost.
const BORDER: usize = 1;

/// The lit part of an image, ready to be read bilinearly, with zeros outside.
///
/// Between each four neighbouring pixels is a cell, which holds all four: a place is read by one access to memory.
#[derive(Debug, Default)]
pub(super) struct Sampler {
    /// `[rows, columns]`; the bytes of a cell, from the lowest: upper left, upper right, lower left, lower right.
    cells: Vec<u32>,
    columns: usize,
    rows: usize,
    /// Add this to a column of the image to have the column of cells.
    shift: [f32; 2],
    /// The image's lit columns, to see where they are.
    lit: Vec<u8>,
}

impl Sampler {
    /// Reads `image`, `[row, column]`, into the cells.
    pub(super) fn set(&mut self, image: &[u8], width: usize) {
        let (columns, rows) = self.find_ink(image, width);
        // A pixel is in the cells on both its sides.
        self.columns = columns.len() + 1 + 2 * BORDER;
        self.rows = rows.len() + 1 + 2 * BORDER;
        let shift = |first: usize| (BORDER + 1) as f32 - first as f32;
        self.shift = [shift(columns.start), shift(rows.start)];
        self.cells.clear();
        self.cells.resize(self.rows * self.columns, 0);
        let ink = image.chunks_exact(width).skip(rows.start).take(rows.len());
        for (row, ink) in ink.enumerate() {
            let ink = &ink[columns.clone()];
            // The pixel is the lower right one of the cell up and left of it, and so on.
            for (down, across, place) in [(0, 0, 24), (0, 1, 16), (1, 0, 8), (1, 1, 0)] {
                let at = (BORDER + row + down) * self.columns + BORDER + across;
                for (cell, pixel) in self.cells[at..].iter_mut().zip(ink) {
                    *cell |= u32::from(*pixel) << place;
                }
            }
        }
    }

    /// The columns and the rows from the first to the last that is lit.
    fn find_ink(&mut self, image: &[u8], width: usize) -> (Range<usize>, Range<usize>) {
        self.lit.clear();
        self.lit.resize(width, 0);
        let mut rows = 0..0;
        for (row, pixels) in image.chunks_exact(width).enumerate() {
            let mut any = 0;
            for (lit, pixel) in self.lit.iter_mut().zip(pixels) {
                *lit |= pixel;
                any |= pixel;
            }
            if any != 0 {
                rows = if rows.is_empty() { row..row + 1 } else { rows.start..row + 1 };
            }
        }
        let first = self.lit.iter().position(|lit| *lit != 0).unwrap_or(0);
        let last = self.lit.iter().rposition(|lit| *lit != 0);
        (first..last.map_or(first, |last| last + 1), rows)
    }

    /// One row of the image that `affine` makes, each place moved by `displacements` (columns, rows) where they are
    /// given: overwrites `output` with values from 0 to 1.
    pub(super) fn row(
        &self,
        affine: &Affine,
        displacements: Option<[&[f32]; 2]>,
        row: usize,
        output: &mut [f32],
    ) {
        let [across, down] = affine.matrix;
        let start = [
            across[1] * row as f32 + affine.offset[0] + self.shift[0],
            down[1] * row as f32 + affine.offset[1] + self.shift[1],
        ];
        let steps = [across[0], down[0]];
        let lit = match displacements {
            Some(_) => 0..output.len(),
            None => self.lit_range(start, steps, output.len()),
        };
        output[..lit.start].fill(0.0);
        output[lit.end..].fill(0.0);
        for first in lit.clone().step_by(RUN) {
            let output = &mut output[first..lit.end.min(first + RUN)];
            let mut places = [[0.0; RUN]; 2];
            for ((places, start), step) in places.iter_mut().zip(start).zip(steps) {
                for (index, place) in places.iter_mut().enumerate() {
                    *place = start + step * (first + index) as f32;
                }
            }
            if let Some(displacements) = displacements {
                for (places, moved) in places.iter_mut().zip(displacements) {
                    for (place, moved) in places.iter_mut().zip(&moved[first..]) {
                        *place += moved;
                    }
                }
            }
            let values = self.read(places);
            match output.first_chunk_mut::<RUN>() {
                Some(output) => *output = values,
                None => output.copy_from_slice(&values[..output.len()]),
            }
        }
    }

    /// The pixels of a row, `start + steps × column` being their places among the cells, that may be lit.
    fn lit_range(&self, start: [f32; 2], steps: [f32; 2], width: usize) -> Range<usize> {
        let cells = [self.columns, self.rows];
        let mut lit = 0..width;
        for ((start, step), cells) in start.into_iter().zip(steps).zip(cells) {
            // Lit cells are those between the borders.
            let (first, last) = (BORDER as f32, (cells - BORDER) as f32);
            if step == 0.0 {
                if start < first || start > last {
                    return 0..0;
                }
                continue;
            }
            let (one, other) = ((first - start) / step, (last - start) / step);
            // One pixel more on both sides: rounding must not darken a pixel. A conversion keeps within its type.
            let begin = (one.min(other) - 1.0).max(0.0) as usize;
            let end = (one.max(other) + 2.0).max(0.0) as usize;
            lit = lit.start.max(begin)..lit.end.min(end);
        }
        if lit.is_empty() { 0..0 } else { lit }
    }

    /// The image at places among the cells, (columns, rows), from 0 to 1.
    ///
    /// With the fractions u and v of a place within its cell:
    /// `((1 − v) ((1 − u) a + u b) + v ((1 − u) c + u d)) / 255`.
    fn read(&self, [columns, rows]: [[f32; RUN]; 2]) -> [f32; RUN] {
        let (last_column, last_row) = ((self.columns - 1) as f32, (self.rows - 1) as f32);
        let (mut across, mut down, mut index) = ([0.0; RUN], [0.0; RUN], [0; RUN]);
        for at in 0..RUN {
            let (column, row) = (columns[at].max(0.0).min(last_column), rows[at].max(0.0).min(last_row));
            let (whole_column, whole_row) = (column as i32, row as i32);
            across[at] = column - whole_column as f32;
            down[at] = row - whole_row as f32;
            index[at] = whole_row * self.columns as i32 + whole_column;
        }
        let cells = index.map(|index| self.cells[index as usize]);
        let mut values = [0.0; RUN];
        for at in 0..RUN {
            let corner = |place: u32| (cells[at] >> place & 0xff) as i32 as f32;
            let (upper_left, upper_right, lower_left, lower_right) =
                (corner(0), corner(8), corner(16), corner(24));
            let upper = upper_left + across[at] * (upper_right - upper_left);
            let lower = lower_left + across[at] * (lower_right - lower_left);
            values[at] = (upper + down[at] * (lower - upper)) / 255.0;
        }
        values
    }
}
