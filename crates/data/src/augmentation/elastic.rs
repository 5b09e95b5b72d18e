//! Elastic distortion: a smooth random field of displacements.

use super::elementary::exponential;
use rand_chacha::rand_core::Rng;
use std::f64::consts::PI;

/// Points of the noise that reach a pixel, along each axis: those within four standard deviations on one side and
/// three on the other, beyond which the Gaussian is below e⁻⁴·⁵ and, at the next point, e⁻⁸ of its height.
const TAPS: usize = 8;

/// The field of Simard, Steinkraus and Platt (2003), drawn on a coarse grid.
///
/// Theirs is α Σ U(p′) G(p − p′) over all pixels p′, with U uniform in −1..1 and G the Gaussian of standard deviation σ
/// whose sum is 1. Here p′ runs over a grid of spacing σ, and each of its points carries σ times as much, as the sum of
/// its σ² pixels would: α σ Σ U(p′) G(p − p′), and a sixteenth of the noise for σ = 4. The mean is 0, and the covariance
/// of two places at the distance d is that of the fine grid,
/// α² / (12 π σ²) × exp(−d² / 4σ²):
/// by Poisson's summation formula a spacing of σ changes it by 2 exp(−π²) = 1e-4 at most.
#[derive(Debug)]
pub(super) struct Elastic {
    /// Points of the grid from top to bottom.
    points: usize,
    rows: Vec<Reach>,
    columns: Vec<Reach>,
    /// α σ / (2 π σ²): the Gaussian's height in it.
    height: f32,
}

/// Which points of the grid reach a row or a column of the image: the first of [`TAPS`], and how much of each comes there.
#[derive(Debug)]
struct Reach {
    first: usize,
    taps: [f32; TAPS],
}

/// One image's field.
#[derive(Debug, Default)]
pub(super) struct Field {
    random: Vec<u8>,
    /// `[column of points, component, row of points]`.
    noise: Vec<f32>,
    /// `[component, row of points]`: the noise that comes to one column of the image.
    column: Vec<f32>,
    /// `[row of points, component, column]`: the noise smoothed along rows.
    smoothed: Vec<f32>,
    /// `[component, column]`: the displacements of a row.
    displacements: Vec<f32>,
}

impl Elastic {
    /// The grid and the weights for images of a size; `strength` is α, `smoothness` σ.
    pub(super) fn new(strength: f64, smoothness: f64, height: usize, width: usize) -> Self {
        let reach = |pixel: usize| {
            let place = pixel as f64 / smoothness;
            let first = place as usize;
            // The grid begins three points before the first pixel.
            let distance = |tap: usize| place - first as f64 - tap as f64 + 3.0;
            let taps = std::array::from_fn(|tap| exponential(-distance(tap) * distance(tap) / 2.0) as f32);
            Reach { first, taps }
        };
        let rows: Vec<Reach> = (0..height).map(reach).collect();
        Self {
            points: rows.last().map_or(0, |last| last.first + TAPS),
            rows,
            columns: (0..width).map(reach).collect(),
            height: (strength / (2.0 * PI * smoothness)) as f32,
        }
    }

    /// Draws the noise, 16 bits for each component of each point, and smooths it along rows.
    #[inline(always)]
    pub(super) fn draw(&self, generator: &mut impl Rng, field: &mut Field) {
        let length = 2 * self.points;
        let columns_of_points = self.columns.last().map_or(0, |last| last.first + TAPS);
        field.random.resize(2 * length * columns_of_points, 0);
        generator.fill_bytes(&mut field.random);
        let (halves, _) = field.random.as_chunks::<2>();
        // The 65,536 values lie evenly in −1..1, none at an end.
        let scale = self.height / 32_768.0;
        let uniform = |half: &[u8; 2]| (f32::from(i16::from_le_bytes(*half)) + 0.5) * scale;
        field.noise.clear();
        field.noise.extend(halves.iter().map(uniform));

        let width = self.columns.len();
        field.column.resize(length, 0.0);
        field.smoothed.resize(length * width, 0.0);
        for (column, reach) in self.columns.iter().enumerate() {
            reach.gather(&field.noise, &mut field.column);
            let (across, down) = field.column.split_at(self.points);
            let places = field.smoothed.chunks_exact_mut(2 * width);
            for ((row, across), down) in places.zip(across).zip(down) {
                row[column] = *across;
                row[width + column] = *down;
            }
        }
    }

    /// The displacements of a row in pixels, along columns and along rows.
    #[inline(always)]
    pub(super) fn row<'a>(&self, field: &'a mut Field, row: usize) -> [&'a [f32]; 2] {
        let width = self.columns.len();
        field.displacements.resize(2 * width, 0.0);
        self.rows[row].gather(&field.smoothed, &mut field.displacements);
        let (across, down) = field.displacements.split_at(width);
        [across, down]
    }
}

impl Reach {
    /// The sum over the taps, each times its row of `values`, `[point, …]`; overwrites `output`, which is as long as a row.
    #[inline(always)]
    fn gather(&self, values: &[f32], output: &mut [f32]) {
        let length = output.len();
        output.fill(0.0);
        // Tap by tap, so that neighbouring sums are one vector's.
        for (row, weight) in values[self.first * length..].chunks_exact(length).zip(self.taps) {
            for (sum, value) in output.iter_mut().zip(row) {
                *sum += weight * value;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::generator;

    /// The field of one draw, `[component][row, column]`.
    fn drawn(elastic: &Elastic, seed: u64, height: usize) -> [Vec<f64>; 2] {
        let mut field = Field::default();
        elastic.draw(&mut generator(seed, 0), &mut field);
        let mut whole = [Vec::new(), Vec::new()];
        for row in 0..height {
            for (whole, row) in whole.iter_mut().zip(elastic.row(&mut field, row)) {
                whole.extend(row.iter().map(|value| f64::from(*value)));
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
            let rows = elastic.points;
            let columns = field.noise.len() / (2 * rows);
            let fields = drawn(&elastic, 1, height);
            for (component, drawn) in fields.iter().enumerate() {
                assert_eq!(drawn.len(), height * width);
                for (pixel, drawn) in drawn.iter().enumerate() {
                    let (x, y) = ((pixel % width) as f64, (pixel / width) as f64);
                    let mut sum = 0.0;
                    for (row, column) in
                        (0..rows).flat_map(|row| (0..columns).map(move |column| (row, column)))
                    {
                        let dx = x / smoothness - (column as f64 - 3.0);
                        let dy = y / smoothness - (row as f64 - 3.0);
                        let noise = field.noise[(column * 2 + component) * rows + row];
                        sum += f64::from(noise) * (-(dx * dx + dy * dy) / 2.0).exp();
                    }
                    // What lies beyond the taps: e⁻⁸ and less of each of a few points.
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
            for field in drawn(&elastic, seed, 28) {
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
