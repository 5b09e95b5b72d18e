//! An image read between its pixels.

use super::affine::Affine;
use std::ops::Range;

/// Pixels read in one go: a whole number of vectors, and few enough that little is read beyond the ink.
const RUN: usize = 8;

/// The pixels of a run, counted.
const OFFSETS: [f32; RUN] = {
    let mut offsets = [0.0; RUN];
    let mut index = 0;
    while index < RUN {
        offsets[index] = index as f32;
        index += 1;
    }
    offsets
};

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
    #[inline(always)]
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
    #[inline(always)]
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
    /// given, for a whole number of [`RUN`]s: overwrites `output` with values from 0 to 1.
    #[inline(always)]
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
        // Two loops, each compiled for itself.
        match displacements {
            None => {
                let lit = self.lit_range(start, steps, output.len());
                output[..lit.start].fill(0.0);
                output[lit.end..].fill(0.0);
                for first in lit.clone().step_by(RUN) {
                    let places = places(start, steps, first);
                    store(self.read(&places), &mut output[first..lit.end.min(first + RUN)]);
                }
            }
            Some(displacements) => {
                for (run, output) in output.chunks_mut(RUN).enumerate() {
                    let mut places = places(start, steps, run * RUN);
                    for (places, moved) in places.iter_mut().zip(displacements) {
                        for (place, moved) in places.iter_mut().zip(&moved[run * RUN..][..RUN]) {
                            *place += moved;
                        }
                    }
                    let values = if self.all_dark(&places) { [0.0; RUN] } else { self.read(&places) };
                    store(values, output);
                }
            }
        }
    }

    /// The pixels of a row, `start + steps × column` being their places among the cells, that may be lit.
    #[inline(always)]
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

    /// Whether nothing is lit at places among the cells, (columns, rows).
    #[inline(always)]
    fn all_dark(&self, [columns, rows]: &[[f32; RUN]; 2]) -> bool {
        let [last_column, last_row] = [self.columns, self.rows].map(|cells| (cells - BORDER) as f32);
        let first = BORDER as f32;
        let mut lit = false;
        for (column, row) in columns.iter().zip(rows) {
            lit |= (*column > first) & (*column < last_column) & (*row > first) & (*row < last_row);
        }
        !lit
    }

    /// The image at places among the cells, (columns, rows), from 0 to 1.
    ///
    /// With the fractions u and v of a place within its cell:
    /// `((1 − v) ((1 − u) a + u b) + v ((1 − u) c + u d)) / 255`.
    #[inline(always)]
    fn read(&self, [columns, rows]: &[[f32; RUN]; 2]) -> [f32; RUN] {
        let (last_column, last_row) = ((self.columns - 1) as f32, (self.rows - 1) as f32);
        let (mut across, mut down, mut cells) = ([0; RUN], [0; RUN], [0; RUN]);
        for at in 0..RUN {
            across[at] = fixed(columns[at], last_column);
            down[at] = fixed(rows[at], last_row);
        }
        for ((cell, column), row) in cells.iter_mut().zip(across).zip(down) {
            *cell = self.cells[(row >> FRACTION) as usize * self.columns + (column >> FRACTION) as usize];
        }
        let mut values = [0.0; RUN];
        for at in 0..RUN {
            let (across, down) = (fraction(across[at]), fraction(down[at]));
            let corner = |place: u32| number(cells[at] >> place & 0xff);
            let (upper_left, upper_right, lower_left, lower_right) =
                (corner(0), corner(8), corner(16), corner(24));
            let upper = upper_left + across * (upper_right - upper_left);
            let lower = lower_left + across * (lower_right - lower_left);
            values[at] = (upper + down * (lower - upper)) / 255.0;
        }
        values
    }
}

/// Where a run's pixels are read, from the `first` of the row on.
#[inline(always)]
fn places(start: [f32; 2], steps: [f32; 2], first: usize) -> [[f32; RUN]; 2] {
    // Loops, here and below: the compiler does not always take an array's `map` into its caller.
    let mut places = [[0.0; RUN]; 2];
    for (axis, places) in places.iter_mut().enumerate() {
        for (place, offset) in places.iter_mut().zip(OFFSETS) {
            *place = start[axis] + steps[axis] * (first as f32 + offset);
        }
    }
    places
}

/// A run's values; the last run of a row may be shorter.
#[inline(always)]
fn store(values: [f32; RUN], output: &mut [f32]) {
    match output.first_chunk_mut::<RUN>() {
        Some(output) => *output = values,
        None => output.copy_from_slice(&values[..output.len()]),
    }
}

/// Bits of a place after the point: the most that leave room for the 259 cells of the largest image below 2²³. Ink is
/// misplaced by a 32,768th of a pixel at most.
const FRACTION: u32 = 14;

/// 2²³, whose lowest bit is 1: a smaller number added to it is rounded to a whole one, which is in the sum's lowest 23 bits.
/// Every processor's vectors can do that, which is not so for conversions.
const ROUNDING: f32 = 8_388_608.0;

/// A place from 0 to `last` with [`FRACTION`] bits after the point.
#[inline(always)]
fn fixed(place: f32, last: f32) -> u32 {
    // One instruction each, where `clamp` needs more to keep what is not a number.
    let positive = if place > 0.0 { place } else { 0.0 };
    let inside = if positive < last { positive } else { last };
    (inside * (1 << FRACTION) as f32 + ROUNDING).to_bits() & 0x7f_ffff
}

/// What is after the point of a fixed-point number.
#[inline(always)]
fn fraction(fixed: u32) -> f32 {
    f32::from_bits(1.0_f32.to_bits() | (fixed & ((1 << FRACTION) - 1)) << (23 - FRACTION)) - 1.0
}

/// A whole number below 2²³.
#[inline(always)]
fn number(value: u32) -> f32 {
    f32::from_bits(ROUNDING.to_bits() | value) - ROUNDING
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{generator, random::between};
    use rand_chacha::rand_core::Rng;

    /// The image at a place, in double precision, pixel by pixel.
    fn reference(image: &[u8], width: usize, column: f64, row: f64) -> f64 {
        let mut sum = 0.0;
        for (index, pixel) in image.iter().enumerate() {
            let across = 1.0 - (column - (index % width) as f64).abs();
            let down = 1.0 - (row - (index / width) as f64).abs();
            sum += across.max(0.0) * down.max(0.0) * f64::from(*pixel) / 255.0;
        }
        sum
    }

    fn sampled(image: &[u8], width: usize, affine: &Affine, moved: Option<[&[f32]; 2]>) -> Vec<f32> {
        let mut sampler = Sampler::default();
        // What was in it before leaves no trace.
        sampler.set(&[255; 999], 37);
        sampler.set(image, width);
        let mut output = vec![f32::NAN; image.len()];
        for (row, output) in output.chunks_exact_mut(width).enumerate() {
            sampler.row(affine, moved, row, output);
        }
        output
    }

    /// Sizes around a run, dense and sparse images, maps from tame to wild: all within what the places' rounding moves.
    #[test]
    fn every_map_reads_what_a_slow_reader_reads() {
        let mut random = generator(11, 0);
        let mut lit = 0;
        for (height, width) in [(1, 1_usize), (1, 9), (9, 1), (8, 8), (7, 17), (28, 28), (16, 33)] {
            for case in 0..60 {
                let mut byte =
                    |chance: u32| if random.next_u32() < chance { random.next_u32() as u8 } else { 0 };
                let density = if case % 3 == 0 { u32::MAX } else { u32::MAX / 16 };
                let image: Vec<u8> = (0..height * width).map(|_| byte(density)).collect();
                let wild = [0.0, 0.3, 1.0, 4.0][case % 4];
                let mut near = |centre: f64, by: f64| (centre + wild * between(&mut random, -by, by)) as f32;
                let affine = Affine {
                    matrix: [[near(1.0, 1.0), near(0.0, 1.0)], [near(0.0, 1.0), near(1.0, 1.0)]],
                    offset: [near(0.0, 9.0), near(0.0, 9.0)],
                };
                let moved: [Vec<f32>; 2] = std::array::from_fn(|_| {
                    (0..width.next_multiple_of(RUN)).map(|_| near(0.0, 3.0)).collect()
                });
                for moved in [None, Some([moved[0].as_slice(), moved[1].as_slice()])] {
                    let output = sampled(&image, width, &affine, moved);
                    for (pixel, output) in output.iter().enumerate() {
                        let (x, y) = (pixel % width, pixel / width);
                        let place = |axis: usize| {
                            let [across, down] = affine.matrix[axis].map(f64::from);
                            let moved = moved.map_or(0.0, |moved| f64::from(moved[axis][x]));
                            across * x as f64 + down * y as f64 + f64::from(affine.offset[axis]) + moved
                        };
                        let expected = reference(&image, width, place(0), place(1));
                        // A place is rounded by 2⁻¹⁵ along each axis, and by what single precision leaves of wild ones.
                        assert!(
                            (f64::from(*output) - expected).abs() < 2e-4,
                            "{height}×{width}, case {case}, ({x}, {y}): {output}, {expected}"
                        );
                        assert!((0.0..=1.0).contains(output));
                        lit += usize::from(expected > 0.01);
                    }
                }
            }
        }
        assert!(lit > 10_000, "{lit}");
    }

    /// A place exactly on a pixel is that pixel, to the last bit.
    #[test]
    fn whole_shifts_are_exact() {
        let mut random = generator(12, 0);
        for (across, down) in [(0, 0), (1, 0), (0, -1), (3, 5), (-7, 2), (10, 0), (0, 12), (-300, 300)] {
            let image: Vec<u8> = (0..120).map(|_| random.next_u32() as u8).collect();
            let affine = Affine { matrix: [[1.0, 0.0], [0.0, 1.0]], offset: [-across as f32, -down as f32] };
            let output = sampled(&image, 10, &affine, None);
            for (row, column) in (0..12).flat_map(|row| (0..10).map(move |column| (row, column))) {
                let (from_row, from_column) = (row - down, column - across);
                let inside = (0..12).contains(&from_row) && (0..10).contains(&from_column);
                let pixel = if inside { image[(from_row * 10 + from_column) as usize] } else { 0 };
                assert_eq!(output[(row * 10 + column) as usize], f32::from(pixel) / 255.0);
            }
        }
    }

    /// A pixel further out than any image stays dark, whatever it is multiplied by.
    #[test]
    fn places_far_away_and_no_places_are_dark() {
        for value in [1e30, -1e30, f32::INFINITY, f32::NEG_INFINITY, f32::NAN] {
            let affine = Affine { matrix: [[1.0, value], [0.0, 1.0]], offset: [value, 0.0] };
            assert_eq!(sampled(&[255; 64], 8, &affine, None), [0.0; 64]);
            let still = Affine { matrix: [[1.0, 0.0], [0.0, 1.0]], offset: [0.0, 0.0] };
            let output = sampled(&[255; 64], 8, &still, Some([&[value; 8], &[0.0; 8]]));
            assert_eq!(output, [0.0; 64]);
        }
    }
}
