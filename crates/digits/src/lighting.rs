//! Uneven light on the background.

use crate::{Picture, threshold::otsu};

/// Terms of the surface: 1, u, v, u², uv, v².
const TERMS: usize = 6;

/// At most this many places of a picture are looked at; a smooth surface needs no more.
const PLACES: usize = 4096;

/// Deviations below this count as none: a little less than a step between 8-bit values.
const LEAST_DEVIATION: f64 = 1.0 / 512.0;

/// Pictures with fewer pixels on a side have one background: too few of their pixels show it to tell more.
const LEAST_SIDE: usize = 16;

/// The background of a picture: c₀ + c₁u + c₂v + c₃u² + c₄uv + c₅v² with u and v from −1 to 1 across it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Surface {
    coefficients: [f64; TERMS],
    width: usize,
    height: usize,
}

/// What is seen at a place.
struct Sample {
    terms: [f64; TERMS],
    value: f64,
}

impl Surface {
    /// The surface of what most of the picture's border shows.
    ///
    /// First it is fitted to the border, then over and over to all that deviates little from it, as Otsu's threshold
    /// divides deviations; both by least absolute deviations, which a digit that touches the border does not bend.
    pub(crate) fn background(picture: &Picture) -> Self {
        let (width, height) = (picture.width(), picture.height());
        let terms = if width.min(height) < LEAST_SIDE { 1 } else { TERMS };
        let ring = (width.min(height) / 28).max(1);
        let in_ring = |x: usize, y: usize| x.min(y) < ring || width - 1 - x < ring || height - 1 - y < ring;
        let border = samples(picture, in_ring);
        let everywhere = samples(picture, |_, _| true);
        let mut surface = Self { coefficients: [0.0; TERMS], width, height };
        surface.coefficients[0] = median(border.iter().map(|sample| sample.value).collect());
        surface.fit(&border.iter().collect::<Vec<_>>(), terms);
        let mut kept = 0;
        for _ in 0..8 {
            let deviations = everywhere.iter().map(|sample| surface.deviation(sample).abs() as f32);
            let Some(threshold) = otsu(deviations) else { break };
            let even: Vec<&Sample> = everywhere
                .iter()
                .filter(|sample| surface.deviation(sample).abs() as f32 <= threshold)
                .collect();
            surface.fit(&even, terms);
            if even.len() == kept {
                break;
            }
            kept = even.len();
        }
        surface
    }

    /// The background's value at a pixel.
    pub(crate) fn at(&self, x: usize, y: usize) -> f32 {
        self.value(&terms_at(x, y, self.width, self.height)) as f32
    }

    fn value(&self, terms: &[f64; TERMS]) -> f64 {
        self.coefficients.iter().zip(terms).map(|(coefficient, term)| coefficient * term).sum()
    }

    fn deviation(&self, sample: &Sample) -> f64 {
        sample.value - self.value(&sample.terms)
    }

    /// Least absolute deviations, by least squares with each sample weighted by the inverse of its last deviation.
    // Rows and columns are those of the equations, which are written by their indices.
    #[allow(clippy::needless_range_loop)]
    fn fit(&mut self, samples: &[&Sample], terms: usize) {
        for _ in 0..10 {
            let mut matrix = [[0.0; TERMS + 1]; TERMS];
            for sample in samples {
                let weight = 1.0 / self.deviation(sample).abs().max(LEAST_DEVIATION);
                for row in 0..terms {
                    for column in row..terms {
                        matrix[row][column] += weight * sample.terms[row] * sample.terms[column];
                    }
                    matrix[row][TERMS] += weight * sample.terms[row] * sample.value;
                }
            }
            self.coefficients = solved(matrix);
        }
    }
}

/// The solution of a symmetric system of which the upper half is given, the right side in the last column; terms that
/// the samples do not determine are 0.
// As above.
#[allow(clippy::needless_range_loop)]
fn solved(mut matrix: [[f64; TERMS + 1]; TERMS]) -> [f64; TERMS] {
    for row in 0..TERMS {
        for column in 0..row {
            matrix[row][column] = matrix[column][row];
        }
        // So little that it moves no value by a step, so much that no pivot is 0.
        matrix[row][row] += 1e-9 * matrix[0][0] + f64::MIN_POSITIVE;
    }
    for pivot in 0..TERMS {
        for row in pivot + 1..TERMS {
            let factor = matrix[row][pivot] / matrix[pivot][pivot];
            for column in pivot..=TERMS {
                matrix[row][column] -= factor * matrix[pivot][column];
            }
        }
    }
    let mut solution = [0.0; TERMS];
    for row in (0..TERMS).rev() {
        let known: f64 = (row + 1..TERMS).map(|column| matrix[row][column] * solution[column]).sum();
        solution[row] = (matrix[row][TERMS] - known) / matrix[row][row];
    }
    solution
}

/// What is seen at places that are chosen, evenly spread.
fn samples(picture: &Picture, chosen: impl Fn(usize, usize) -> bool) -> Vec<Sample> {
    let (width, height) = (picture.width(), picture.height());
    let places = || (0..height).flat_map(|y| (0..width).map(move |x| (x, y))).filter(|&(x, y)| chosen(x, y));
    // An odd step, so that the places of neighbouring rows do not stand in columns.
    let step = (places().count() / PLACES) | 1;
    places()
        .step_by(step)
        .map(|(x, y)| Sample { terms: terms_at(x, y, width, height), value: f64::from(picture.at(x, y)) })
        .collect()
}

fn terms_at(x: usize, y: usize, width: usize, height: usize) -> [f64; TERMS] {
    let across = |place: usize, length: usize| (2 * place + 1) as f64 / length as f64 - 1.0;
    let (u, v) = (across(x, width), across(y, height));
    [1.0, u, v, u * u, u * v, v * v]
}

fn median(mut values: Vec<f64>) -> f64 {
    let middle = values.len() / 2;
    *values.select_nth_unstable_by(middle, f64::total_cmp).1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lamp_on_the_left_is_found_behind_a_digit_that_touches_the_border() {
        let light = |x: usize, y: usize| {
            let (x, y) = (x as f32 / 60.0, y as f32 / 80.0);
            0.9 - 0.3 * x - 0.2 * x * y + 0.1 * y * y
        };
        let ink = |x: usize, y: usize| (20..30).contains(&x) || (y < 15 && (20..35).contains(&x));
        let picture = Picture::from_function(60, 80, |x, y| if ink(x, y) { 0.1 } else { light(x, y) });
        let surface = Surface::background(&picture);
        for (x, y) in [(0, 0), (25, 40), (59, 79), (0, 79), (59, 0)] {
            let difference = surface.at(x, y) - light(x, y);
            assert!(difference.abs() < 0.01, "{difference} at {x}, {y}");
        }
    }

    #[test]
    fn the_smallest_pictures_have_a_background() {
        for (width, height) in [(1, 1), (1, 40), (40, 1), (2, 2)] {
            let surface = Surface::background(&Picture::from_function(width, height, |_, _| 0.5));
            assert!((surface.at(width - 1, height - 1) - 0.5).abs() < 1e-3, "{width}×{height}");
        }
    }
}
