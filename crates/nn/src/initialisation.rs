//! Initial values of the parameters, drawn from one stream in parameter order.

use kernels::Element;
use rand_chacha::{ChaCha8Rng, rand_core::Rng};

/// How a parameter's initial values are drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Initialiser {
    /// All 0.
    Zeros,
    /// All 1.
    Ones,
    /// Uniform on ±√(6 / (fan-in + fan-out)) (Glorot and Bengio, 2010, equation 16).
    GlorotUniform {
        /// Inputs that an output depends on.
        fan_in: usize,
        /// Outputs that an input influences.
        fan_out: usize,
    },
    /// Rows or columns, whichever are fewer, orthonormal and uniformly distributed as such (Saxe et al., 2014).
    Orthogonal {
        /// Rows of the matrix.
        rows: usize,
        /// Columns of the matrix.
        columns: usize,
    },
    /// Normal with a standard deviation of 0.02 (Dosovitskiy et al., 2021; theirs are so in `vision_transformer`).
    PositionEmbedding,
    /// The bias of an LSTM: 1 for the forget gate, so that it begins by remembering (Jozefowicz et al., 2015), else 0.
    UnitForgetBias {
        /// Elements of the state; the gates' order is i, f, g, o.
        units: usize,
    },
}

/// Standard deviation of [`Initialiser::PositionEmbedding`].
const POSITION_DEVIATION: f64 = 0.02;

impl Initialiser {
    /// Overwrites `values`.
    ///
    /// # Panics
    /// When the length does not fit the initialiser's sizes.
    pub(crate) fn fill<E: Element>(self, random: &mut ChaCha8Rng, values: &mut [E]) {
        match self {
            Initialiser::Zeros => values.fill(E::ZERO),
            Initialiser::Ones => values.fill(E::ONE),
            Initialiser::GlorotUniform { fan_in, fan_out } => {
                let limit = (6.0 / (fan_in + fan_out) as f64).sqrt();
                values.fill_with(|| E::from_f64(limit * (2.0 * uniform(random) - 1.0)));
            }
            Initialiser::Orthogonal { rows, columns } => {
                assert_eq!(values.len(), rows * columns, "an orthogonal matrix of {rows}×{columns}");
                let (count, length) = (rows.min(columns), rows.max(columns));
                let vectors = orthonormal(random, count, length);
                for (index, value) in values.iter_mut().enumerate() {
                    let (row, column) = (index / columns, index % columns);
                    let (vector, element) = if rows <= columns { (row, column) } else { (column, row) };
                    *value = E::from_f64(vectors[vector * length + element]);
                }
            }
            Initialiser::PositionEmbedding => {
                values.fill_with(|| E::from_f64(POSITION_DEVIATION * normal(random)));
            }
            Initialiser::UnitForgetBias { units } => {
                values.fill(E::ZERO);
                values[units..2 * units].fill(E::ONE);
            }
        }
    }
}

/// 53 random bits as a fraction of 0..1.
fn uniform(random: &mut ChaCha8Rng) -> f64 {
    (random.next_u64() >> 11) as f64 / (1u64 << 53) as f64
}

/// A standard normal number, by Box and Muller (1958).
fn normal(random: &mut ChaCha8Rng) -> f64 {
    let radius = (-2.0 * libm::log(1.0 - uniform(random))).sqrt();
    radius * libm::cos(std::f64::consts::TAU * uniform(random))
}

/// `count` orthonormal vectors of `length` ≥ `count`: normal ones through Gram and Schmidt.
///
/// That keeps each vector's direction with a positive factor, which is what makes the result uniformly distributed.
/// Each projection is subtracted twice: once leaves an error of the condition number's size.
fn orthonormal(random: &mut ChaCha8Rng, count: usize, length: usize) -> Vec<f64> {
    let mut vectors: Vec<f64> = (0..count * length).map(|_| normal(random)).collect();
    for current in 0..count {
        let (done, rest) = vectors.split_at_mut(current * length);
        let vector = &mut rest[..length];
        for _ in 0..2 {
            for other in done.chunks_exact(length) {
                let projection: f64 = other.iter().zip(&*vector).map(|(a, b)| a * b).sum();
                vector.iter_mut().zip(other).for_each(|(a, b)| *a -= projection * b);
            }
        }
        let norm = vector.iter().map(|value| value * value).sum::<f64>().sqrt();
        vector.iter_mut().for_each(|value| *value /= norm);
    }
    vectors
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand_chacha::rand_core::SeedableRng;

    fn drawn(initialiser: Initialiser, length: usize) -> Vec<f64> {
        let mut values = vec![f64::NAN; length];
        initialiser.fill(&mut ChaCha8Rng::seed_from_u64(7), &mut values);
        values
    }

    #[test]
    fn glorot_fills_its_interval_evenly() {
        let values = drawn(Initialiser::GlorotUniform { fan_in: 30, fan_out: 70 }, 100_000);
        let limit = 0.06f64.sqrt();
        assert!(values.iter().all(|value| value.abs() <= limit));
        let mean = values.iter().sum::<f64>() / 1e5;
        let variance = values.iter().map(|value| value * value).sum::<f64>() / 1e5;
        // Four standard errors of a uniform sample's mean and second moment.
        assert!(mean.abs() < 4.0 * limit / 3f64.sqrt() / 1e5f64.sqrt(), "{mean}");
        assert!(
            (variance / (limit * limit / 3.0) - 1.0).abs() < 4.0 * 0.8f64.sqrt() / 1e5f64.sqrt(),
            "{variance}"
        );
    }

    #[test]
    fn positions_are_normal_and_small() {
        let values = drawn(Initialiser::PositionEmbedding, 100_000);
        let moment = |power| values.iter().map(|value| (value / 0.02).powi(power)).sum::<f64>() / 1e5;
        // Four standard errors of a normal sample's first, second and fourth moments: √1, √2 and √96 over √n.
        for (power, expected, variance) in [(1, 0.0, 1.0f64), (2, 1.0, 2.0), (4, 3.0, 96.0)] {
            let found = moment(power);
            assert!((found - expected).abs() < 4.0 * (variance / 1e5).sqrt(), "moment {power}: {found}");
        }
    }

    #[test]
    fn orthogonal_matrices_are_orthogonal_either_way_round() {
        for (rows, columns) in [(5, 20), (20, 5), (8, 8), (1, 3)] {
            let values = drawn(Initialiser::Orthogonal { rows, columns }, rows * columns);
            let count = rows.min(columns);
            let at = |vector: usize, element: usize| {
                if rows <= columns {
                    values[vector * columns + element]
                } else {
                    values[element * columns + vector]
                }
            };
            for a in 0..count {
                for b in 0..count {
                    let product: f64 =
                        (0..rows.max(columns)).map(|element| at(a, element) * at(b, element)).sum();
                    let expected = if a == b { 1.0 } else { 0.0 };
                    assert!((product - expected).abs() < 1e-14, "{rows}×{columns}: {a}·{b} = {product}");
                }
            }
        }
    }

    #[test]
    fn only_the_forget_gate_begins_at_one() {
        let values = drawn(Initialiser::UnitForgetBias { units: 2 }, 8);
        assert_eq!(values, [0.0, 0.0, 1.0, 1.0, 0.0, 0.0, 0.0, 0.0]);
    }
}
