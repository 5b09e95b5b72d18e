//! Elastic distortion: a smooth random field of displacements.

use rand_chacha::rand_core::Rng;
use std::f64::consts::PI;

/// Standard deviations from one point of the noise to the next: the widest spacing that no one can see, below.
const SPACING: f64 = 1.25;

/// Points of the noise that reach a pixel, along each axis: all within 3.75 standard deviations, beyond which the Gaussian
/// is below e⁻⁷ of its height.
const TAPS: usize = 6;

/// Places that are summed in one go: a whole number of vectors.
const LANES: usize = 16;

/// The field of Simard, Steinkraus and Platt (2003), drawn on a coarse grid.
///
/// Theirs is α Σ U(p′) G(p − p′) over all pixels p′, with U uniform in −1..1 and G the Gaussian of standard deviation σ
/// whose sum is 1. Here p′ runs over a grid of spacing s = 1.25 σ, and each of its points carries s times as much, as the
/// sum of its s² pixels would: α s Σ U(p′) G(p − p′), and a 25th of the noise for σ = 4. The mean is 0, and the covariance
/// of two places at the distance d is that of the fine grid,
/// α² / (12 π σ²) × exp(−d² / 4σ²):
/// by Poisson's summation formula a spacing of s changes it by 2 exp(−π² σ² / s²) = 0.4 % at most along each axis.
#[derive(Debug)]
pub(super) struct Elastic {
    /// Points of the grid from top to bottom.
    rows_of_points: usize,
    /// And from left to right.
    columns_of_points: usize,
    rows: Vec<Reach>,
    /// The image's columns, [`LANES`] at a time; the last block's may go beyond the image.
    blocks: Vec<Block>,
    /// α s / (2 π σ²): the Gaussian's height in it.
    height: f32,
}

/// Which points of the grid reach a row or a column of the image: the first of [`TAPS`], and how much of each comes there.
#[derive(Debug)]
struct Reach {
    first: usize,
    taps: [f32; TAPS],
}

/// Which points reach any of a block of columns: from the first on, and how much of each comes to each column.
#[derive(Debug)]
struct Block {
    first: usize,
    weights: Vec<[f32; LANES]>,
}

/// One image's field.
#[derive(Debug, Default)]
pub(super) struct Field {
    random: Vec<u8>,
    /// `[row of points, component, column of points]`.
    noise: Vec<f32>,
    /// `[row of points, component, block, column]`: the noise smoothed along rows.
    smoothed: Vec<[f32; LANES]>,
    /// `[component, block, column]`: the displacements of a row.
    displacements: Vec<[f32; LANES]>,
}

impl Elastic {
    /// The grid and the weights for images of a size; `strength` is α, `smoothness` σ.
    pub(super) fn new(strength: f64, smoothness: f64, height: usize, width: usize) -> Self {
        let reach = |pixel: usize| Reach::new(pixel as f64 / (SPACING * smoothness));
        let rows: Vec<Reach> = (0..height).map(reach).collect();
        let columns: Vec<Reach> = (0..width.next_multiple_of(LANES)).map(reach).collect();
        let points = |reaches: &[Reach]| reaches.last().map_or(0, |last| last.first + TAPS);
        Self {
            rows_of_points: points(&rows),
            columns_of_points: points(&columns),
            rows,
            blocks: columns.chunks_exact(LANES).map(Block::new).collect(),
            height: (strength * SPACING / (2.0 * PI * smoothness)) as f32,
        }
    }

    /// Draws the noise, 16 bits for each component of each point, and smooths it along rows.
    #[inline(always)]
    pub(super) fn draw(&self, generator: &mut impl Rng, field: &mut Field) {
        let rows = 2 * self.rows_of_points;
        field.random.resize(2 * rows * self.columns_of_points, 0);
        generator.fill_bytes(&mut field.random);
        let (halves, _) = field.random.as_chunks::<2>();
        // The 65,536 values lie evenly in −1..1, none at an end.
        let scale = self.height / 32_768.0;
        let uniform = |half: &[u8; 2]| (f32::from(i16::from_le_bytes(*half)) + 0.5) * scale;
        field.noise.clear();
        field.noise.extend(halves.iter().map(uniform));

        field.smoothed.resize(rows * self.blocks.len(), [0.0; LANES]);
        let smoothed = field.smoothed.chunks_exact_mut(self.blocks.len());
        for (noise, smoothed) in field.noise.chunks_exact(self.columns_of_points).zip(smoothed) {
            for (block, smoothed) in self.blocks.iter().zip(smoothed) {
                let mut sums = [0.0; LANES];
                for (value, weights) in noise[block.first..].iter().zip(&block.weights) {
                    for (sum, weight) in sums.iter_mut().zip(weights) {
                        *sum += weight * value;
                    }
                }
                *smoothed = sums;
            }
        }
    }

    /// The displacements of a row in pixels, along columns and along rows; each goes on beyond the row to a whole number
    /// of [`LANES`].
    #[inline(always)]
    pub(super) fn row<'a>(&self, field: &'a mut Field, row: usize) -> [&'a [f32]; 2] {
        let length = 2 * self.blocks.len();
        field.displacements.resize(length, [0.0; LANES]);
        let Reach { first, taps } = &self.rows[row];
        let smoothed = &field.smoothed[first * length..][..TAPS * length];
        for (at, displacements) in field.displacements.iter_mut().enumerate() {
            let mut sums = [0.0; LANES];
            for (tap, weight) in taps.iter().enumerate() {
                for (sum, value) in sums.iter_mut().zip(&smoothed[tap * length + at]) {
                    *sum += weight * value;
                }
            }
            *displacements = sums;
        }
        let (across, down) = field.displacements.split_at(self.blocks.len());
        [across.as_flattened(), down.as_flattened()]
    }
}

impl Reach {
    /// What reaches a place, counted in points from the third on.
    fn new(place: f64) -> Self {
        let first = place as usize;
        let distance = |tap: usize| SPACING * (place - first as f64 - tap as f64 + 2.0);
        let taps = std::array::from_fn(|tap| libm::exp(-distance(tap) * distance(tap) / 2.0) as f32);
        Self { first, taps }
    }
}

impl Block {
    /// Gathers what reaches [`LANES`] columns.
    fn new(columns: &[Reach]) -> Self {
        let first = columns[0].first;
        let mut weights = vec![[0.0; LANES]; columns[LANES - 1].first + TAPS - first];
        for (lane, column) in columns.iter().enumerate() {
            for (weights, tap) in weights[column.first - first..].iter_mut().zip(column.taps) {
                weights[lane] = tap;
            }
        }
        Self { first, weights }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::generator;

    /// The field of one draw, `[component][row, column]`.
    fn drawn(elastic: &Elastic, seed: u64, height: usize, width: usize) -> [Vec<f64>; 2] {
        let mut field = Field::default();
        elastic.draw(&mut generator(seed, 0), &mut field);
        let mut whole = [Vec::new(), Vec::new()];
        for row in 0..height {
            for (whole, row) in whole.iter_mut().zip(elastic.row(&mut field, row)) {
                whole.extend(row[..width].iter().map(|value| f64::from(*value)));
            }
        }
        whole
    }

    /// The sum over all points of the grid, written out.
    #[test]
    fn a_field_is_the_sum_over_all_points() {
        for (smoothness, height, width) in [(4.0, 28, 28), (2.0, 9, 1), (5.3, 12, 40), (64.0, 3, 256)] {
            let elastic = Elastic::new(34.0, smoothness, height, width);
            let mut field = Field::default();
            elastic.draw(&mut generator(1, 0), &mut field);
            let (rows, columns) = (elastic.rows_of_points, elastic.columns_of_points);
            let fields = drawn(&elastic, 1, height, width);
            for (component, drawn) in fields.iter().enumerate() {
                assert_eq!(drawn.len(), height * width);
                for (pixel, drawn) in drawn.iter().enumerate() {
                    let (x, y) = ((pixel % width) as f64, (pixel / width) as f64);
                    let mut sum = 0.0;
                    for (row, column) in
                        (0..rows).flat_map(|row| (0..columns).map(move |column| (row, column)))
                    {
                        let dx = x / smoothness - SPACING * (column as f64 - 2.0);
                        let dy = y / smoothness - SPACING * (row as f64 - 2.0);
                        let noise = field.noise[(row * 2 + component) * columns + column];
                        sum += f64::from(noise) * (-(dx * dx + dy * dy) / 2.0).exp();
                    }
                    // What lies beyond the taps: e⁻⁷ and less of each of a few points.
                    let tolerance = 0.01 * 34.0 / (2.0 * PI * smoothness);
                    assert!((drawn - sum).abs() < tolerance, "σ {smoothness}, ({x}, {y}): {drawn}, {sum}");
                }
            }
        }
    }

    /// Over 2,000 fields: the mean is 0, and the covariance at distances 0, 4 and 8 is the documented one.
    #[test]
    fn the_covariance_is_that_of_the_fine_grid() {
        let elastic = Elastic::new(34.0, 4.0, 28, 28);
        let (mut sums, mut count) = ([0.0; 4], 0.0);
        for seed in 0..2000 {
            for field in drawn(&elastic, seed, 28, 28) {
                // Nine places, each a few standard deviations from the others.
                for (row, column) in
                    [0, 9, 19].into_iter().flat_map(|row| [0, 9, 19].map(|column| (row, column)))
                {
                    let here = field[row * 28 + column];
                    sums[0] += here;
                    for (sum, distance) in sums[1..].iter_mut().zip([0, 4, 8]) {
                        *sum += here * field[row * 28 + column + distance];
                    }
                    count += 1.0;
                }
            }
        }
        let variance = 34.0 * 34.0 / (12.0 * PI * 16.0);
        // With 36,000 nearly independent places, five standard errors are 0.026 of the standard deviation, and
        // 0.037 of the variance.
        assert!((sums[0] / count).abs() < 0.026 * variance.sqrt(), "mean {}", sums[0] / count);
        for (sum, distance) in sums[1..].iter().zip([0.0_f64, 4.0, 8.0]) {
            let expected = variance * (-distance * distance / 64.0).exp();
            assert!(
                (sum / count - expected).abs() < 0.037 * variance,
                "{distance}: {}, {expected}",
                sum / count
            );
        }
    }
}
