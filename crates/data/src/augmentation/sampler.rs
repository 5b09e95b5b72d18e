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
/// Between each four neighbouring pixels is a cell. Of a grey image it holds all four: a place is read by one access to
/// memory. Of a colour image it holds the upper left one, and its neighbours the others.
#[derive(Debug, Default)]
pub(super) struct Sampler {
    /// `[rows, columns]`; the bytes of a cell, from the lowest: upper left, upper right, lower left, lower right of a grey
    /// image; red, green, blue of the upper left pixel of a colour image, which has one more row and cell.
    cells: Vec<u32>,
    columns: usize,
    rows: usize,
    /// Add this to a column of the image to have the column of cells.
    shift: [f32; 2],
    /// The values of a row that are lit in any, to see where they are.
    lit: Vec<u8>,
}

impl Sampler {
    /// Reads `image`, `[row, column, channel]`, into the cells.
    #[inline(always)]
    pub(super) fn set<const CHANNELS: usize>(&mut self, image: &[u8], width: usize) {
        let (columns, rows) = self.find_ink(image, CHANNELS * width);
        let columns = columns.start / CHANNELS..columns.end.div_ceil(CHANNELS);
        // A pixel is in the cells on both its sides.
        self.columns = columns.len() + 1 + 2 * BORDER;
        self.rows = rows.len() + 1 + 2 * BORDER;
        let shift = |first: usize| (BORDER + 1) as f32 - first as f32;
        self.shift = [shift(columns.start), shift(rows.start)];
        self.cells.clear();
        let beyond = if CHANNELS == 1 { 0 } else { self.columns + 1 };
        self.cells.resize(self.rows * self.columns + beyond, 0);
        let (image, _) = image.as_chunks::<CHANNELS>();
        let ink = image.chunks_exact(width).skip(rows.start).take(rows.len());
        for (row, ink) in ink.enumerate() {
            let ink = &ink[columns.clone()];
            if CHANNELS > 1 {
                let at = (BORDER + row + 1) * self.columns + BORDER + 1;
                for (cell, pixel) in self.cells[at..].iter_mut().zip(ink) {
                    *cell = pixel.iter().rev().fold(0, |cell, value| cell << 8 | u32::from(*value));
                }
                continue;
            }
            // The pixel is the lower right one of the cell up and left of it, and so on.
            for (down, across, place) in [(0, 0, 24), (0, 1, 16), (1, 0, 8), (1, 1, 0)] {
                let at = (BORDER + row + down) * self.columns + BORDER + across;
                for (cell, pixel) in self.cells[at..].iter_mut().zip(ink) {
                    *cell |= u32::from(pixel[0]) << place;
                }
            }
        }
    }

    /// The values of a row, of which there are `length`, and the rows, from the first to the last that is lit.
    #[inline(always)]
    fn find_ink(&mut self, image: &[u8], length: usize) -> (Range<usize>, Range<usize>) {
        self.lit.clear();
        self.lit.resize(length, 0);
        let mut rows = 0..0;
        for (row, pixels) in image.chunks_exact(length).enumerate() {
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
    /// given, for a whole number of [`RUN`]s: overwrites `output`, `[column, channel]`, with values from 0 to 1.
    #[inline(always)]
    pub(super) fn row<const CHANNELS: usize>(
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
                let lit = self.lit_range(start, steps, output.len() / CHANNELS);
                output[..CHANNELS * lit.start].fill(0.0);
                output[CHANNELS * lit.end..].fill(0.0);
                for first in lit.clone().step_by(RUN) {
                    let places = places(start, steps, first);
                    let run = CHANNELS * first..CHANNELS * lit.end.min(first + RUN);
                    store(self.read::<CHANNELS>(&places), &mut output[run]);
                }
            }
            Some(displacements) => {
                for (run, output) in output.chunks_mut(CHANNELS * RUN).enumerate() {
                    let mut places = places(start, steps, run * RUN);
                    for (places, moved) in places.iter_mut().zip(displacements) {
                        for (place, moved) in places.iter_mut().zip(&moved[run * RUN..][..RUN]) {
                            *place += moved;
                        }
                    }
                    let dark = self.all_dark(&places);
                    let values = if dark { [[0.0; RUN]; CHANNELS] } else { self.read(&places) };
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

    /// The image at places among the cells, (columns, rows), `[channel, place]`, from 0 to 1.
    #[inline(always)]
    fn read<const CHANNELS: usize>(&self, [columns, rows]: &[[f32; RUN]; 2]) -> [[f32; RUN]; CHANNELS] {
        let (last_column, last_row) = ((self.columns - 1) as f32, (self.rows - 1) as f32);
        let (mut across, mut down, mut cells) = ([0; RUN], [0; RUN], [[0; RUN]; 4]);
        for at in 0..RUN {
            across[at] = fixed(columns[at], last_column);
            down[at] = fixed(rows[at], last_row);
        }
        for (at, (column, row)) in across.into_iter().zip(down).enumerate() {
            let cell = (row >> FRACTION) as usize * self.columns + (column >> FRACTION) as usize;
            if CHANNELS == 1 {
                cells[0][at] = self.cells[cell];
            } else {
                let (upper, lower) = (&self.cells[cell..][..2], &self.cells[cell + self.columns..][..2]);
                (cells[0][at], cells[1][at]) = (upper[0], upper[1]);
                (cells[2][at], cells[3][at]) = (lower[0], lower[1]);
            }
        }
        let mut values = [[0.0; RUN]; CHANNELS];
        for (channel, values) in values.iter_mut().enumerate() {
            for at in 0..RUN {
                let corner = |corner: usize| {
                    let (cell, place) = if CHANNELS == 1 { (0, corner) } else { (corner, channel) };
                    number(cells[cell][at] >> (8 * place) & 0xff)
                };
                values[at] = between([corner(0), corner(1), corner(2), corner(3)], across[at], down[at]);
            }
        }
        values
    }
}

/// What is between four pixels, upper left, upper right, lower left and lower right a, b, c and d, at a place with the
/// fractions u and v: `((1 − v) ((1 − u) a + u b) + v ((1 − u) c + u d)) / 255`.
#[inline(always)]
fn between([upper_left, upper_right, lower_left, lower_right]: [f32; 4], across: u32, down: u32) -> f32 {
    let (across, down) = (fraction(across), fraction(down));
    let upper = upper_left + across * (upper_right - upper_left);
    let lower = lower_left + across * (lower_right - lower_left);
    (upper + down * (lower - upper)) / 255.0
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
fn store<const CHANNELS: usize>(values: [[f32; RUN]; CHANNELS], output: &mut [f32]) {
    let (pixels, _) = output.as_chunks_mut::<CHANNELS>();
    let store = |pixels: &mut [[f32; CHANNELS]]| {
        for (at, pixel) in pixels.iter_mut().enumerate() {
            for (value, values) in pixel.iter_mut().zip(&values) {
                *value = values[at];
            }
        }
    };
    // A whole run is of a known length.
    match pixels.first_chunk_mut::<RUN>() {
        Some(pixels) => store(pixels),
        None => store(pixels),
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

    /// A channel of the image at a place, in double precision, pixel by pixel.
    fn reference(channel: impl Iterator<Item = u8>, width: usize, column: f64, row: f64) -> f64 {
        let mut sum = 0.0;
        for (index, value) in channel.enumerate() {
            let across = 1.0 - (column - (index % width) as f64).abs();
            let down = 1.0 - (row - (index / width) as f64).abs();
            sum += across.max(0.0) * down.max(0.0) * f64::from(value) / 255.0;
        }
        sum
    }

    fn sampled<const CHANNELS: usize>(
        image: &[u8],
        width: usize,
        affine: &Affine,
        moved: Option<[&[f32]; 2]>,
    ) -> Vec<f32> {
        let mut sampler = Sampler::default();
        // What was in it before leaves no trace.
        sampler.set::<CHANNELS>(&[255; 999], 37);
        sampler.set::<CHANNELS>(image, width);
        let mut output = vec![f32::NAN; image.len()];
        for (row, output) in output.chunks_exact_mut(CHANNELS * width).enumerate() {
            sampler.row::<CHANNELS>(affine, moved, row, output);
        }
        output
    }

    /// Sizes around a run, dense and sparse images, maps from tame to wild: all within what the places' rounding moves.
    fn every_map_reads_what_a_slow_reader_reads<const CHANNELS: usize>() {
        let mut random = generator(11, 0);
        let mut lit = 0;
        for (height, width) in [(1, 1_usize), (1, 9), (9, 1), (8, 8), (7, 17), (28, 28), (16, 33)] {
            for case in 0..60 {
                let mut byte =
                    |chance: u32| if random.next_u32() < chance { random.next_u32() as u8 } else { 0 };
                let density = if case % 3 == 0 { u32::MAX } else { u32::MAX / 16 };
                let image: Vec<u8> = (0..height * width * CHANNELS).map(|_| byte(density)).collect();
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
                    let output = sampled::<CHANNELS>(&image, width, &affine, moved);
                    for (value, output) in output.iter().enumerate() {
                        let (pixel, channel) = (value / CHANNELS, value % CHANNELS);
                        let (x, y) = (pixel % width, pixel / width);
                        let place = |axis: usize| {
                            let [across, down] = affine.matrix[axis].map(f64::from);
                            let moved = moved.map_or(0.0, |moved| f64::from(moved[axis][x]));
                            across * x as f64 + down * y as f64 + f64::from(affine.offset[axis]) + moved
                        };
                        let plane = image.iter().skip(channel).step_by(CHANNELS).copied();
                        let expected = reference(plane, width, place(0), place(1));
                        // A place is rounded by 2⁻¹⁵ along each axis, and by what single precision leaves of wild ones.
                        assert!(
                            (f64::from(*output) - expected).abs() < 2e-4,
                            "{height}×{width}, case {case}, ({x}, {y}), {channel}: {output}, {expected}"
                        );
                        assert!((0.0..=1.0).contains(output));
                        lit += usize::from(expected > 0.01);
                    }
                }
            }
        }
        assert!(lit > 10_000, "{lit}");
    }

    #[test]
    fn every_map_of_grey_images() {
        every_map_reads_what_a_slow_reader_reads::<1>();
    }

    #[test]
    fn every_map_of_colour_images() {
        every_map_reads_what_a_slow_reader_reads::<3>();
    }

    /// All channels are read at the same place, by the same arithmetic as the one of a grey image.
    #[test]
    fn equal_channels_are_read_as_a_grey_image() {
        let mut random = generator(13, 0);
        for width in [1, 7, 20] {
            let grey: Vec<u8> = (0..140).map(|_| random.next_u32() as u8 & 0xf0).collect();
            let colour: Vec<u8> = grey.iter().flat_map(|byte| [*byte; 3]).collect();
            let affine = Affine { matrix: [[0.9, 0.2], [-0.3, 1.1]], offset: [1.3, -0.7] };
            let moved: Vec<f32> = (0..24).map(|_| between(&mut random, -2.0, 2.0) as f32).collect();
            for moved in [None, Some([moved.as_slice(), moved.as_slice()])] {
                let expected = sampled::<1>(&grey, width, &affine, moved);
                let expected: Vec<f32> = expected.iter().flat_map(|value| [*value; 3]).collect();
                assert_eq!(sampled::<3>(&colour, width, &affine, moved), expected);
            }
        }
    }

    /// A place exactly on a pixel is that pixel, to the last bit.
    #[test]
    fn whole_shifts_are_exact() {
        let mut random = generator(12, 0);
        for (across, down) in [(0, 0), (1, 0), (0, -1), (3, 5), (-7, 2), (10, 0), (0, 12), (-300, 300)] {
            let image: Vec<u8> = (0..120).map(|_| random.next_u32() as u8).collect();
            let affine = Affine { matrix: [[1.0, 0.0], [0.0, 1.0]], offset: [-across as f32, -down as f32] };
            let output = sampled::<1>(&image, 10, &affine, None);
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
            assert_eq!(sampled::<1>(&[255; 64], 8, &affine, None), [0.0; 64]);
            let still = Affine { matrix: [[1.0, 0.0], [0.0, 1.0]], offset: [0.0, 0.0] };
            let output = sampled::<1>(&[255; 64], 8, &still, Some([&[value; 8], &[0.0; 8]]));
            assert_eq!(output, [0.0; 64]);
            assert_eq!(sampled::<3>(&[255; 192], 8, &affine, None), [0.0; 192]);
            let output = sampled::<3>(&[255; 192], 8, &still, Some([&[value; 8], &[0.0; 8]]));
            assert_eq!(output, [0.0; 192]);
        }
    }
}
