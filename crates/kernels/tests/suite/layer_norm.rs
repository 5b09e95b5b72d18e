//! Layer normalisation against its equations: values, derivatives, large means, and what is not finite.

use crate::common::{
    Bounded, Guard, Guarded, Number, Random, around, assert_gradient, assert_same_bits, assert_within, case,
    differences, on_every_set,
};
use kernels::{
    InstructionSet,
    layer_norm::{Backward, backward, forward},
};

const EPSILON: f64 = 1e-3;

/// μ and r of a row.
fn statistics(x: &[f64]) -> (f64, f64) {
    let mean = x.iter().sum::<f64>() / x.len() as f64;
    let variance = x.iter().map(|x| (x - mean) * (x - mean)).sum::<f64>() / x.len() as f64;
    (mean, 1.0 / (variance + EPSILON).sqrt())
}

/// The values by the definition.
fn reference(input: &[f64], scale: &[f64], offset: &[f64]) -> Vec<f64> {
    let features = scale.len();
    let normalise = |x: &[f64]| {
        let (mean, inverse) = statistics(x);
        let value = |index: usize| inverse * (x[index] - mean) * scale[index] + offset[index];
        (0..features).map(value).collect::<Vec<f64>>()
    };
    input.chunks_exact(features).flat_map(normalise).collect()
}

/// The derivatives of Σ dy · y by the equations, one after the other: dγ, dβ, dx.
fn reference_backward(input: &[f64], scale: &[f64], d_output: &[f64]) -> [Vec<f64>; 3] {
    let features = scale.len();
    let (mut d_scale, mut d_offset, mut d_input) = (vec![0.0; features], vec![0.0; features], Vec::new());
    for (x, dy) in input.chunks_exact(features).zip(d_output.chunks_exact(features)) {
        let (mean, inverse) = statistics(x);
        let normalised: Vec<f64> = x.iter().map(|x| inverse * (x - mean)).collect();
        let g: Vec<f64> = dy.iter().zip(scale).map(|(dy, scale)| dy * scale).collect();
        let mean_g = g.iter().sum::<f64>() / features as f64;
        let mean_product = g.iter().zip(&normalised).map(|(g, x)| g * x).sum::<f64>() / features as f64;
        for index in 0..features {
            d_scale[index] += dy[index] * normalised[index];
            d_offset[index] += dy[index];
            d_input.push(inverse * (g[index] - mean_g - normalised[index] * mean_product));
        }
    }
    [d_scale, d_offset, d_input]
}

fn widen<E: Number>(values: &[E]) -> Vec<f64> {
    values.iter().map(|value| value.to_f64()).collect()
}

/// What `additions` roundings of numbers up to `magnitude` may be off.
fn within<E: Number>(values: Vec<f64>, additions: usize, magnitude: f64) -> Vec<Bounded> {
    let error = (additions + 16) as f64 * E::EPSILON * magnitude;
    values.into_iter().map(|value| Bounded { value, error }).collect()
}

struct Rows<E> {
    input: Vec<E>,
    scale: Vec<E>,
    offset: Vec<E>,
    d_output: Vec<E>,
}

impl<E: Number + Guard> Rows<E> {
    fn new(random: &mut Random, rows: usize, features: usize) -> Self {
        let [input, d_output] = [0, 1].map(|_| random.reals(rows * features));
        Self { input, scale: random.reals(features), offset: random.reals(features), d_output }
    }

    /// The values, μ and r.
    fn forward(&self, set: InstructionSet) -> [Vec<E>; 3] {
        let rows = self.input.len() / self.scale.len();
        let mut output = Guarded::stale(self.input.len(), 1);
        let mut means = Guarded::stale(rows, 2);
        let mut inverses = Guarded::stale(rows, 3);
        let input = Guarded::input(&self.input, 1);
        let scale = Guarded::input(&self.scale, 2);
        let offset = Guarded::input(&self.offset, 3);
        forward(set, EPSILON, &input, &scale, &offset, &mut output, &mut means, &mut inverses);
        [output.to_vec(), means.to_vec(), inverses.to_vec()]
    }
}

#[test]
fn values_and_derivatives_follow_the_definition() {
    fn check<E: Number + Guard>(set: InstructionSet) {
        let mut random = Random::new(1);
        for features in around(4, 9).into_iter().chain([64, 100]) {
            for rows in [0, 1, 2, 5] {
                let what = case::<E>(set, format!("{rows} rows of {features}"));
                let sample = Rows::<E>::new(&mut random, rows, features);
                let [input, scale, offset, d_output] =
                    [&sample.input, &sample.scale, &sample.offset, &sample.d_output].map(|v| widen(v));
                let [output, means, inverses] = sample.forward(set);
                // Of a row of near equals r is up to 1 / √ε = 32, and x̂ up to √features.
                let expected = within::<E>(reference(&input, &scale, &offset), features, 32.0);
                assert_within(&output, &expected, &what);

                let [d_scale, d_offset, d_input] = reference_backward(&input, &scale, &d_output);
                let before: Vec<E> = random.whole(features, 5);
                let mut found_scale = Guarded::output(&before, 1);
                let mut found_offset = Guarded::output(&before, 3);
                let mut found_input = Guarded::stale(rows * features, 2);
                let d_output = Guarded::input(&sample.d_output, 3);
                let pass = || Backward {
                    input: &sample.input,
                    scale: &sample.scale,
                    means: &means,
                    inverse_deviations: &inverses,
                    d_output: &d_output,
                };
                backward(set, pass(), &mut found_scale, &mut found_offset, Some(&mut found_input));
                let added = |sums: Vec<f64>| -> Vec<Bounded> {
                    let sums = sums.iter().zip(&before).map(|(sum, before)| sum + before.to_f64()).collect();
                    within::<E>(sums, features + rows, 64.0)
                };
                assert_within(&found_scale, &added(d_scale), format!("{what}: scale"));
                assert_within(&found_offset, &added(d_offset), format!("{what}: offset"));
                let expected = within::<E>(d_input, 2 * features, 32.0 * 32.0);
                assert_within(&found_input, &expected, format!("{what}: input"));

                // Without the input's derivative the others are the same.
                let (mut scale_alone, mut offset_alone) = (before.clone(), before.clone());
                backward(set, pass(), &mut scale_alone, &mut offset_alone, None);
                assert_same_bits(&scale_alone, &found_scale, &what);
                assert_same_bits(&offset_alone, &found_offset, &what);
            }
        }
    }
    on_every_set!(check);
}

#[test]
fn derivatives_are_the_differences() {
    let set = InstructionSet::PORTABLE;
    let (rows, features) = (3, 7);
    let sample = Rows::<f64>::new(&mut Random::new(2), rows, features);
    let [_, means, inverses] = sample.forward(set);
    let loss = |input: &[f64], scale: &[f64], offset: &[f64]| -> f64 {
        reference(input, scale, offset).iter().zip(&sample.d_output).map(|(y, dy)| y * dy).sum()
    };
    let (mut d_scale, mut d_offset) = (vec![0.0; features], vec![0.0; features]);
    let mut d_input = vec![f64::NAN; rows * features];
    let pass = Backward {
        input: &sample.input,
        scale: &sample.scale,
        means: &means,
        inverse_deviations: &inverses,
        d_output: &sample.d_output,
    };
    backward(set, pass, &mut d_scale, &mut d_offset, Some(&mut d_input));
    let Rows { input, scale, offset, .. } = &sample;
    assert_gradient(&d_input, &differences(input, |input| loss(input, scale, offset)), "input");
    assert_gradient(&d_scale, &differences(scale, |scale| loss(input, scale, offset)), "scale");
    assert_gradient(&d_offset, &differences(offset, |offset| loss(input, scale, offset)), "offset");
}

/// The difference of two means of squares would leave nothing of a deviation of 1 beside a mean of 10⁵ in float32.
#[test]
fn a_large_mean_does_not_cancel() {
    fn check<E: Number + Guard>(set: InstructionSet) {
        let (rows, features) = (4, 64);
        let mut sample = Rows::<E>::new(&mut Random::new(3), rows, features);
        sample.input.iter_mut().for_each(|x| *x += E::from_f64(1e5));
        let [output, ..] = sample.forward(set);
        let [input, scale, offset] = [&sample.input, &sample.scale, &sample.offset].map(|v| widen(v));
        // The mean's own rounding shifts all values alike, by up to some units of 10⁵.
        let expected = within::<E>(reference(&input, &scale, &offset), 0, 1e5);
        assert_within(&output, &expected, case::<E>(set, "mean 10⁵"));
    }
    on_every_set!(check);
}

#[test]
fn rows_of_equals_stay_finite_and_nan_stays_in_its_row() {
    fn check<E: Number + Guard>(set: InstructionSet) {
        let features = 19;
        let mut sample = Rows::<E>::new(&mut Random::new(4), 3, features);
        sample.input[..features].fill(E::from_f64(0.5));
        sample.input[features + 4] = E::NAN;
        let [output, means, inverses] = sample.forward(set);
        let what = case::<E>(set, "NaN");
        let rows: Vec<&[E]> = output.chunks_exact(features).collect();
        let near = |a: E, b: E| (a.to_f64() - b.to_f64()).abs() <= 100.0 * E::EPSILON;
        assert!(rows[0].iter().zip(&sample.offset).all(|(y, offset)| near(*y, *offset)), "{what}");
        assert!(rows[1].iter().all(|value| value.is_nan()), "{what}");
        assert!(!rows[2].iter().any(|value| value.is_nan()), "{what}");
        let mut d_input = vec![E::ZERO; 3 * features];
        let pass = Backward {
            input: &sample.input,
            scale: &sample.scale,
            means: &means,
            inverse_deviations: &inverses,
            d_output: &sample.d_output,
        };
        let (mut d_scale, mut d_offset) = (vec![E::ZERO; features], vec![E::ZERO; features]);
        backward(set, pass, &mut d_scale, &mut d_offset, Some(&mut d_input));
        assert!(d_scale.iter().all(|value| value.is_nan()), "{what}");
        let nan: Vec<bool> = d_input.chunks_exact(features).map(|row| row[0].is_nan()).collect();
        assert_eq!(nan, [false, true, false], "{what}");
    }
    on_every_set!(check);
}

#[test]
#[should_panic(expected = "input: 6 elements expected, 5 found")]
fn rows_are_whole() {
    let set = InstructionSet::PORTABLE;
    forward(set, EPSILON, &[0f32; 5], &[1.0; 3], &[0.0; 3], &mut [0.0; 6], &mut [0.0; 2], &mut [0.0; 2]);
}
