//! Attention against its definition, around lanes and panels of every instruction set.

use crate::common::{
    Bounded, Guard, Guarded, Number, Random, assert_gradient, assert_within, case, differences, on_every_set,
};
use kernels::{
    InstructionSet,
    attention::{Size, backward, forward, forward_reference},
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
    let mut probabilities = Guarded::stale(size.probabilities_length::<E>(set), 1);
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
            let mut probabilities = vec![f64::NAN; size.heads * size.steps * size.steps];
            let mut context = vec![f64::NAN; size.steps * size.features];
            forward_reference(size, &widen(&projected), &mut probabilities, &mut context);
            let error = probability_error::<E>(size);
            let bound = |value: &f64| Bounded { value: *value, error: error * value };
            let expected: Vec<Bounded> = probabilities.iter().map(bound).collect();
            let rows = found_probabilities.chunks_exact(size.padded_steps::<E>(set));
            let found_probabilities: Vec<E> = rows.flat_map(|row| &row[..size.steps]).copied().collect();
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
            let rows = probabilities.chunks_exact(size.padded_steps::<f64>(wide));
            let largest = rows.map(|row| of_key(&row[..size.steps])).fold(1.0, f64::max);
            let error = one * largest * (2.0 * width.sqrt() + 1.0);
            let expected: Vec<Bounded> = exact.iter().map(|value| Bounded { value: *value, error }).collect();
            assert_within(&found, &expected, case::<E>(set, format!("{size:?}")));
            assert!(error < 0.002, "a bound that hides nothing: {error}");
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
