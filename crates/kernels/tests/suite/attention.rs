//! Attention and the softmax of columns against their definitions, around lanes and panels of every instruction set.

use crate::common::{
    Bounded, Guard, Guarded, Number, Random, assert_gradient, assert_same_bits, assert_within, case,
    differences, on_every_set,
};
use kernels::{
    InstructionSet,
    attention::{Size, backward, forward, forward_reference},
    softmax::{softmax_columns, softmax_columns_backward},
};

/// Around the lanes of every set (4, 8, 16), the tiles' rows, and panels of 8, 16 and 64 columns.
const STEPS: [usize; 16] = [1, 2, 3, 4, 5, 7, 8, 9, 15, 16, 17, 33, 49, 63, 64, 65];
/// Heads, and features of each.
const HEADS: [[usize; 2]; 6] = [[1, 1], [3, 2], [2, 5], [1, 8], [2, 16], [1, 33]];

fn size(steps: usize, [heads, width]: [usize; 2]) -> Size {
    Size { steps, features: heads * width, heads }
}

fn sizes() -> impl Iterator<Item = Size> {
    STEPS.into_iter().flat_map(|steps| HEADS.map(|heads| size(steps, heads)))
}

fn widen<E: Number>(values: &[E]) -> Vec<f64> {
    values.iter().map(|value| value.to_f64()).collect()
}

/// Probabilities and context.
fn run_forward<E: Number + Guard>(set: InstructionSet, size: Size, projected: &[E]) -> [Vec<E>; 2] {
    let mut probabilities = Guarded::stale(size.probabilities_length(), 1);
    let mut context = Guarded::stale(size.steps * size.features, 2);
    let mut scratch = Guarded::stale(size.scratch_length::<E>(set), 3);
    let projected = Guarded::input(projected, 1);
    forward(set, size, &projected, &mut probabilities, &mut context, &mut scratch);
    [probabilities.to_vec(), context.to_vec()]
}

fn run_backward<E: Number + Guard>(
    set: InstructionSet,
    size: Size,
    [projected, probabilities, d_context]: [&[E]; 3],
) -> Vec<E> {
    let mut d_projected = Guarded::stale(size.projected_length(), 1);
    let mut scratch = Guarded::stale(size.scratch_length::<E>(set), 3);
    let (projected, probabilities) = (Guarded::input(projected, 2), Guarded::input(probabilities, 1));
    let d_context = Guarded::input(d_context, 3);
    backward(set, size, &projected, &probabilities, &d_context, &mut d_projected, &mut scratch);
    d_projected.to_vec()
}

/// The relative error of a probability whose score is a sum of products of values below 1: twice the score's, which is at
/// most (n + 2) roundings of √n for n features, and that of the exponential, the sum over the steps and a division.
fn probability_error<E: Number>(size: Size) -> f64 {
    let width = size.head_features() as f64;
    E::EPSILON * ((width + 2.0) * width.sqrt() + 0.5 * size.steps as f64 + 8.0)
}

#[test]
fn forward_follows_the_definition() {
    fn check<E: Number + Guard>(set: InstructionSet) {
        for size in sizes() {
            let projected = Random::new(size.steps as u64).reals::<E>(size.projected_length());
            let [found_probabilities, found_context] = run_forward(set, size, &projected);
            let mut probabilities = vec![f64::NAN; size.probabilities_length()];
            let mut context = vec![f64::NAN; size.steps * size.features];
            forward_reference(size, &widen(&projected), &mut probabilities, &mut context);
            let error = probability_error::<E>(size);
            let bound = |value: &f64| Bounded { value: *value, error: error * value };
            let expected: Vec<Bounded> = probabilities.iter().map(bound).collect();
            assert_within(&found_probabilities, &expected, case::<E>(set, format!("{size:?}")));
            // A mean of values below 1 with these probabilities as weights, summed over the steps.
            let error = error + 0.5 * E::EPSILON * (size.steps + 1) as f64;
            let expected: Vec<Bounded> =
                context.iter().map(|value| Bounded { value: *value, error }).collect();
            assert_within(&found_context, &expected, case::<E>(set, format!("{size:?}")));
        }
    }
    on_every_set!(check);
}

/// By differences of Σ weight · context over everything projected.
#[test]
fn backward_is_the_difference_quotient() {
    let set = InstructionSet::PORTABLE;
    for steps in [1, 2, 5, 9] {
        for heads in [[1, 1], [3, 2], [2, 5], [1, 9]] {
            let size = size(steps, heads);
            let mut random = Random::new(steps as u64);
            let projected = random.reals::<f64>(size.projected_length());
            let weights = random.reals::<f64>(steps * size.features);
            let loss = |projected: &[f64]| -> f64 {
                let [_, context] = run_forward(set, size, projected);
                context.iter().zip(&weights).map(|(value, weight)| value * weight).sum::<f64>() / steps as f64
            };
            let d_context: Vec<f64> = weights.iter().map(|weight| weight / steps as f64).collect();
            let [probabilities, _] = run_forward(set, size, &projected);
            let found = run_backward(set, size, [&projected, &probabilities, &d_context]);
            assert_gradient(&found, &differences(&projected, loss), format!("{size:?}"));
        }
    }
}

/// Every instruction set against f64, which differences have checked.
#[test]
fn backward_is_the_same_on_every_set() {
    fn check<E: Number + Guard>(set: InstructionSet) {
        for size in sizes() {
            let mut random = Random::new(size.steps as u64 + 5);
            let projected = random.reals::<E>(size.projected_length());
            let d_context = random.reals::<E>(size.steps * size.features);
            let [probabilities, _] = run_forward(set, size, &projected);
            let found = run_backward(set, size, [&projected, &probabilities, &d_context]);
            let wide = InstructionSet::PORTABLE;
            let [projected, d_context] = [widen(&projected), widen(&d_context)];
            let [probabilities, _] = run_forward(wide, size, &projected);
            let exact = run_backward(wide, size, [&projected, &probabilities, &d_context]);
            // Values and their derivatives are below 1. Of dk, the sum over the queries of p (dp − Σ p dp) q / √n: dp is a
            // sum of n products, off by n + 1 roundings of n, as is the sum that is subtracted.
            let width = size.head_features() as f64;
            let one = probability_error::<E>(size) + E::EPSILON * (size.steps as f64 + width + 2.0);
            let of_key = |queries: &[f64]| queries.iter().sum::<f64>();
            let largest = probabilities.chunks_exact(size.steps).map(of_key).fold(1.0, f64::max);
            let error = one * largest * (2.0 * width.sqrt() + 1.0);
            let expected: Vec<Bounded> = exact.iter().map(|value| Bounded { value: *value, error }).collect();
            assert_within(&found, &expected, case::<E>(set, format!("{size:?}")));
            assert!(error < 0.002, "a bound that hides nothing: {error}");
        }
    }
    on_every_set!(check);
}

/// Columns of scores whose exponentials alone would overflow, or all vanish; rows and columns around vectors and panels.
#[test]
fn columns_of_any_scores_become_probabilities() {
    fn check<E: Number + Guard>(set: InstructionSet) {
        for (rows, columns) in [1, 2, 3, 50].into_iter().flat_map(|rows| STEPS.map(|columns| (rows, columns)))
        {
            let what = case::<E>(set, format!("{rows} × {columns}"));
            let mut random = Random::new((rows * columns) as u64);
            let scale = E::from_f64(0.25);
            for [centre, spread] in [[0.0, 8.0], [1000.0, 40.0], [-1e6, 2000.0]] {
                let scores: Vec<E> = random.reals::<E>(rows * columns);
                let scores: Vec<E> =
                    scores.iter().map(|value| E::from_f64(centre + spread * value.to_f64())).collect();
                let mut found = Guarded::output(&scores, 1);
                softmax_columns(set, &mut found, columns, scale);
                for column in 0..columns {
                    let score = |row: usize| 0.25 * scores[row * columns + column].to_f64();
                    let largest = (0..rows).map(score).fold(f64::NEG_INFINITY, f64::max);
                    let power = |row: usize| (score(row) - largest).max(-E::EXPONENTIAL_LIMIT.to_f64()).exp();
                    let total: f64 = (0..rows).map(power).sum();
                    for row in 0..rows {
                        let expected = power(row) / total;
                        // The argument is rounded once more than the scores are, and is at most the spread.
                        let error = expected * E::EPSILON * (0.5 * rows as f64 + 8.0 + 0.5 * spread);
                        let found = found[row * columns + column];
                        assert_within(&[found], &[Bounded { value: expected, error }], &what);
                    }
                }
            }
        }
    }
    on_every_set!(check);
}

#[test]
fn what_is_no_number_stays_in_its_column() {
    fn check<E: Number + Guard>(set: InstructionSet) {
        for (bad, columns) in [E::NAN, E::INFINITY].into_iter().flat_map(|bad| [3, 16, 21].map(|n| (bad, n)))
        {
            let scores = Random::new(3).reals::<E>(4 * columns);
            let mut clean = scores.clone();
            softmax_columns(set, &mut clean, columns, E::ONE);
            for at in 0..scores.len() {
                let mut found = scores.clone();
                found[at] = bad;
                softmax_columns(set, &mut found, columns, E::ONE);
                for (index, (found, clean)) in found.iter().zip(&clean).enumerate() {
                    if index % columns == at % columns {
                        assert!(found.is_nan(), "{} {bad} at {at}: [{index}] is {found}", set.name());
                    } else {
                        assert_same_bits(&[*found], &[*clean], format!("{} {bad} at {at}", set.name()));
                    }
                }
            }
        }
    }
    on_every_set!(check);
}

#[test]
fn the_softmax_of_columns_backward_follows_its_equation() {
    fn check<E: Number + Guard>(set: InstructionSet) {
        for (rows, columns) in [1, 2, 7].into_iter().flat_map(|rows| STEPS.map(|columns| (rows, columns))) {
            let mut random = Random::new((rows + columns) as u64);
            let (p, dp) = (random.reals::<E>(rows * columns), random.reals::<E>(rows * columns));
            let mut found = Guarded::output(&dp, 2);
            softmax_columns_backward(set, &Guarded::input(&p, 1), &mut found, columns, E::from_f64(0.5));
            let product = |at: usize| p[at].to_f64() * dp[at].to_f64();
            let expected: Vec<Bounded> = (0..rows * columns)
                .map(|at| {
                    let sum: f64 = (0..rows).map(|row| product(row * columns + at % columns)).sum();
                    let value = 0.5 * p[at].to_f64() * (dp[at].to_f64() - sum);
                    Bounded { value, error: E::EPSILON * (rows * rows + 4) as f64 }
                })
                .collect();
            assert_within(&found, &expected, case::<E>(set, format!("{rows} × {columns}")));
        }
    }
    on_every_set!(check);
}

#[test]
#[should_panic(expected = "3 heads of 8 features")]
fn heads_that_do_not_divide_the_features() {
    run_forward::<f32>(InstructionSet::PORTABLE, Size { steps: 2, features: 8, heads: 3 }, &[0.0; 48]);
}

#[test]
#[should_panic(expected = "projected: 48 elements expected, 47 found")]
fn a_projection_too_short() {
    run_forward::<f32>(InstructionSet::PORTABLE, Size { steps: 2, features: 8, heads: 2 }, &[0.0; 47]);
}

#[test]
#[should_panic(expected = "7 elements in rows of 3")]
fn scores_that_are_not_whole_rows() {
    softmax_columns(InstructionSet::PORTABLE, &mut [0f32; 7], 3, 1.0);
}
