//! Batch normalisation against its equations: values, derivatives, few rows, large means, and what is not finite.

use crate::common::{
    Bounded, Guard, Guarded, Number, Random, assert_gradient, assert_same_bits, assert_within, case,
    differences, on_every_set,
};
use kernels::{
    InstructionSet,
    batch_norm::{
        BatchNorm, Statistics, apply, backward, fold, folded_length, forward, width, workspace_length,
    },
};

const EPSILON: f64 = 1e-3;
/// Around vectors, and around the width from which on rows are no longer read together.
const CHANNELS: [usize; 14] = [1, 2, 3, 5, 8, 15, 16, 17, 24, 32, 127, 128, 129, 140];

struct Sample<E> {
    input: Vec<E>,
    scale: Vec<E>,
    offset: Vec<E>,
    d_output: Vec<E>,
}

/// All that forward gives.
struct Outcome<E> {
    output: Vec<E>,
    mean: Vec<E>,
    variance: Vec<E>,
}

impl<E: Number + Guard> Sample<E> {
    fn new(random: &mut Random, rows: usize, channels: usize) -> Self {
        let [input, d_output] = [0, 1].map(|_| random.reals(rows * channels));
        Self { input, scale: random.reals(channels), offset: random.reals(channels), d_output }
    }

    fn norm(&self) -> BatchNorm<'_, E> {
        BatchNorm { epsilon: EPSILON, scale: &self.scale, offset: &self.offset }
    }

    fn forward(&self, set: InstructionSet, relu: bool) -> Outcome<E> {
        let channels = self.scale.len();
        let input = Guarded::input(&self.input, 3);
        let mut output = Guarded::stale(self.input.len(), 1);
        let (mut mean, mut variance) = (Guarded::stale(channels, 2), Guarded::stale(channels, 3));
        let mut workspace = Guarded::stale(workspace_length(channels), 1);
        let norm = self.norm();
        forward(set, norm, relu, &input, &mut output, &mut mean, &mut variance, &mut workspace);
        Outcome { output: output.to_vec(), mean: mean.to_vec(), variance: variance.to_vec() }
    }

    /// dγ, dβ, dx.
    fn backward(&self, set: InstructionSet, outcome: &Outcome<E>) -> [Vec<E>; 3] {
        self.backward_behind(set, outcome, false)
    }

    /// The same, behind a ReLU if there is one.
    fn backward_behind(&self, set: InstructionSet, outcome: &Outcome<E>, relu: bool) -> [Vec<E>; 3] {
        let channels = self.scale.len();
        let statistics = Statistics { mean: &outcome.mean, variance: &outcome.variance };
        let (mut d_scale, mut d_offset) = (Guarded::stale(channels, 2), Guarded::stale(channels, 3));
        let mut d_input = Guarded::output(&self.d_output, 2);
        let mut workspace = Guarded::stale(workspace_length(channels), 1);
        let (input, norm) = (&self.input, self.norm());
        let mut run = |derivative: &mut [E], wanted: bool, d_scale: &mut [E], d_offset: &mut [E]| {
            backward(
                set,
                norm,
                statistics,
                relu,
                input,
                derivative,
                wanted,
                d_scale,
                d_offset,
                &mut workspace,
            );
        };
        run(&mut d_input, true, &mut d_scale, &mut d_offset);
        let (mut scale_alone, mut offset_alone) = (vec![E::NAN; channels], vec![E::NAN; channels]);
        let mut d_output = self.d_output.clone();
        run(&mut d_output, false, &mut scale_alone, &mut offset_alone);
        assert_same_bits(&scale_alone, &d_scale, "without the input's derivative");
        assert_same_bits(&offset_alone, &d_offset, "without the input's derivative");
        assert_same_bits(&d_output, &self.d_output, "without the input's derivative");
        [d_scale.to_vec(), d_offset.to_vec(), d_input.to_vec()]
    }
}

/// A channel's values by the definition, in f64.
struct Channel {
    x: Vec<f64>,
    dy: Vec<f64>,
    mean: f64,
    variance: f64,
    scale: f64,
    offset: f64,
}

impl Channel {
    fn of<E: Number>(sample: &Sample<E>, channel: usize) -> Self {
        let channels = sample.scale.len();
        let column = |values: &[E]| -> Vec<f64> {
            values.iter().skip(channel).step_by(channels).map(|value| value.to_f64()).collect()
        };
        let x = column(&sample.input);
        let mean = x.iter().sum::<f64>() / x.len() as f64;
        let variance = x.iter().map(|x| (x - mean) * (x - mean)).sum::<f64>() / x.len() as f64;
        let [scale, offset] = [sample.scale[channel].to_f64(), sample.offset[channel].to_f64()];
        Self { x, dy: column(&sample.d_output), mean, variance, scale, offset }
    }

    fn normalised(&self) -> Vec<f64> {
        self.x.iter().map(|x| (x - self.mean) / (self.variance + EPSILON).sqrt()).collect()
    }

    fn output(&self) -> Vec<f64> {
        self.normalised().iter().map(|x| x * self.scale + self.offset).collect()
    }

    /// dγ, dβ and dx.
    fn derivatives(&self) -> (f64, f64, Vec<f64>) {
        let (normalised, rows) = (self.normalised(), self.x.len() as f64);
        let d_offset: f64 = self.dy.iter().sum();
        let d_scale: f64 = self.dy.iter().zip(&normalised).map(|(dy, x)| dy * x).sum();
        let factor = self.scale / (self.variance + EPSILON).sqrt();
        let derivative = |(dy, x): (&f64, &f64)| factor * (dy - d_offset / rows - x * d_scale / rows);
        (d_scale, d_offset, self.dy.iter().zip(&normalised).map(derivative).collect())
    }
}

/// Asserts that a channel's values in `[rows, channels]` are the expected, of up to `magnitude` and off by the roundings
/// of their number.
fn assert_column<E: Number>(found: &[E], channels: usize, channel: usize, expected: &[f64], what: &str) {
    let column: Vec<E> = found.iter().skip(channel).step_by(channels).copied().collect();
    // r is up to 1 / √ε = 32, and stands twice in the derivative.
    let error = (expected.len() + 16) as f64 * E::EPSILON * 32.0 * 32.0;
    let expected: Vec<Bounded> = expected.iter().map(|value| Bounded { value: *value, error }).collect();
    assert_within(&column, &expected, format!("{what}, channel {channel}"));
}

#[test]
fn values_and_derivatives_follow_the_definition() {
    fn check<E: Number + Guard>(set: InstructionSet) {
        let mut random = Random::new(1);
        for channels in CHANNELS {
            for rows in [1, 2, 3, 16, 67, 200] {
                let sample = Sample::<E>::new(&mut random, rows, channels);
                let outcome = sample.forward(set, false);
                let [d_scale, d_offset, d_input] = sample.backward(set, &outcome);
                let what = case::<E>(set, format!("{rows} rows of {channels}"));
                for channel in 0..channels {
                    let reference = Channel::of(&sample, channel);
                    assert_column(&outcome.output, channels, channel, &reference.output(), &what);
                    let (scale, offset, input) = reference.derivatives();
                    assert_column(&d_input, channels, channel, &input, &format!("{what}: input"));
                    for (name, found, expected) in [
                        ("mean", &outcome.mean, reference.mean),
                        ("variance", &outcome.variance, reference.variance),
                        ("scale", &d_scale, scale),
                        ("offset", &d_offset, offset),
                    ] {
                        let off = (found[channel].to_f64() - expected).abs();
                        let allowed = (rows + 16) as f64 * E::EPSILON * 32.0;
                        assert!(off <= allowed, "{what}, channel {channel}: {name} is {off:e} off");
                    }
                }
            }
        }
    }
    on_every_set!(check);
}

/// Behind a ReLU, the derivatives are those of a `d_output` that is zero where the ReLU was off.
#[test]
fn a_relu_lets_through_where_it_is_on() {
    fn check<E: Number + Guard>(set: InstructionSet) {
        for channels in CHANNELS {
            let mut sample = Sample::<E>::new(&mut Random::new(6), 67, channels);
            let outcome = sample.forward(set, true);
            let found = sample.backward_behind(set, &outcome, true);
            for (gradient, output) in sample.d_output.iter_mut().zip(&outcome.output) {
                if *output <= E::ZERO {
                    *gradient = E::ZERO;
                }
            }
            for (found, expected) in found.iter().zip(&sample.backward(set, &outcome)) {
                assert_same_bits(found, expected, case::<E>(set, format!("{channels} channels")));
            }
        }
    }
    on_every_set!(check);
}

#[test]
fn derivatives_are_the_differences() {
    let set = InstructionSet::PORTABLE;
    let sample = Sample::<f64>::new(&mut Random::new(2), 9, 3);
    let [d_scale, d_offset, d_input] = sample.backward(set, &sample.forward(set, false));
    let loss = |input: &[f64], scale: &[f64], offset: &[f64]| -> f64 {
        let [input, scale, offset] = [input, scale, offset].map(<[f64]>::to_vec);
        let moved = Sample { input, scale, offset, d_output: sample.d_output.clone() };
        let output = moved.forward(set, false).output;
        output.iter().zip(&sample.d_output).map(|(y, dy)| y * dy).sum()
    };
    let Sample { input, scale, offset, .. } = &sample;
    assert_gradient(&d_input, &differences(input, |input| loss(input, scale, offset)), "input");
    assert_gradient(&d_scale, &differences(scale, |scale| loss(input, scale, offset)), "scale");
    assert_gradient(&d_offset, &differences(offset, |offset| loss(input, scale, offset)), "offset");
}

#[test]
fn given_statistics_are_applied_as_the_own_ones_are() {
    fn check<E: Number + Guard>(set: InstructionSet) {
        let mut random = Random::new(3);
        for channels in CHANNELS {
            for rows in [1, 16, 67] {
                let sample = Sample::<E>::new(&mut random, rows, channels);
                let what = case::<E>(set, format!("{rows} rows of {channels}"));
                for relu in [false, true] {
                    let outcome = sample.forward(set, relu);
                    let statistics = Statistics { mean: &outcome.mean, variance: &outcome.variance };
                    let mut folded = Guarded::stale(folded_length(channels), 1);
                    fold(sample.norm(), statistics, &mut folded);
                    let mut output = Guarded::stale(rows * channels, 3);
                    apply(set, channels, &folded, relu, &sample.input, &mut output);
                    assert_same_bits(&output, &outcome.output, &what);
                }
                let mut floored = sample.forward(set, false).output;
                floored.iter_mut().filter(|value| **value < E::ZERO).for_each(|value| *value = E::ZERO);
                assert_same_bits(&floored, &sample.forward(set, true).output, &what);
            }
        }
    }
    on_every_set!(check);
}

/// The difference of two means of squares would leave nothing of a deviation of 1 beside a mean of 10⁵ in float32.
#[test]
fn a_large_mean_does_not_cancel() {
    fn check<E: Number + Guard>(set: InstructionSet) {
        for (rows, channels) in [(256, 3), (256, 16)] {
            let mut sample = Sample::<E>::new(&mut Random::new(4), rows, channels);
            sample.input.iter_mut().for_each(|x| *x += E::from_f64(1e5));
            let outcome = sample.forward(set, false);
            for channel in 0..channels {
                let reference = Channel::of(&sample, channel);
                // The mean's own rounding shifts all values alike, by up to some units of 10⁵.
                let error = 16.0 * E::EPSILON * 1e5;
                let expected: Vec<Bounded> =
                    reference.output().into_iter().map(|value| Bounded { value, error }).collect();
                let column: Vec<E> = outcome.output.iter().skip(channel).step_by(channels).copied().collect();
                assert_within(&column, &expected, case::<E>(set, format!("channel {channel}")));
            }
        }
    }
    on_every_set!(check);
}

/// The statistics are made of distances to a mean of some rows, of which the first is one.
#[test]
fn a_first_row_far_from_the_rest_costs_few_roundings() {
    fn check<E: Number + Guard>(set: InstructionSet) {
        for (rows, channels) in [(300, 3), (4096, 16)] {
            let mut sample = Sample::<E>::new(&mut Random::new(6), rows, channels);
            sample.input[..channels].fill(E::from_f64(3e4));
            let outcome = sample.forward(set, false);
            for channel in 0..channels {
                let column: Vec<f64> =
                    sample.input.iter().skip(channel).step_by(channels).map(|x| x.to_f64()).collect();
                let mean = column.iter().sum::<f64>() / rows as f64;
                let variance = column.iter().map(|x| (x - mean) * (x - mean)).sum::<f64>() / rows as f64;
                let what = case::<E>(set, format!("{rows} rows, channel {channel}"));
                let bound = 64.0 * E::EPSILON;
                let [found_mean, found] =
                    [outcome.mean[channel], outcome.variance[channel]].map(|x| x.to_f64());
                assert!((found / variance - 1.0).abs() <= bound, "{what}: variance {found}, {variance}");
                assert!(
                    (found_mean - mean).abs() <= bound * variance.sqrt(),
                    "{what}: mean {found_mean}, {mean}"
                );
            }
        }
    }
    on_every_set!(check);
}

/// By rounding the difference of two means may lie below zero.
#[test]
fn a_constant_channel_has_no_variance() {
    fn check<E: Number + Guard>(set: InstructionSet) {
        for value in [0.1, 1e5 + 0.1, -3e-7] {
            let mut sample = Sample::<E>::new(&mut Random::new(8), 301, 5);
            sample.input.iter_mut().skip(2).step_by(5).for_each(|x| *x = E::from_f64(value));
            let outcome = sample.forward(set, false);
            let what = case::<E>(set, format!("{value}"));
            let [variance, mean] = [outcome.variance[2], outcome.mean[2]].map(|found| found.to_f64());
            assert!((0.0..=(value * 16.0 * E::EPSILON).powi(2)).contains(&variance), "{what}: {variance}");
            assert!((mean / E::from_f64(value).to_f64() - 1.0).abs() <= 16.0 * E::EPSILON, "{what}: {mean}");
        }
    }
    on_every_set!(check);
}

#[test]
fn one_row_or_none_is_finite_and_nan_stays_in_its_channel() {
    fn check<E: Number + Guard>(set: InstructionSet) {
        for channels in CHANNELS {
            let what = case::<E>(set, format!("{channels} channels"));
            let sample = Sample::<E>::new(&mut Random::new(5), 1, channels);
            let outcome = sample.forward(set, false);
            assert_same_bits(&outcome.output, &sample.offset, &what);
            assert_same_bits(&outcome.mean, &sample.input, &what);
            let [d_scale, d_offset, d_input] = sample.backward(set, &outcome);
            // The derivative's two halves are rounded apart, 32 times as large as dy.
            assert!(d_scale.iter().all(|value| *value == E::ZERO), "{what}");
            assert!(d_input.iter().all(|value| value.to_f64().abs() <= 32.0 * E::EPSILON), "{what}");
            assert_same_bits(&d_offset, &sample.d_output, &what);

            let none = Sample::<E>::new(&mut Random::new(5), 0, channels);
            let outcome = none.forward(set, false);
            assert!(outcome.mean.iter().chain(&outcome.variance).all(|value| *value == E::ZERO), "{what}");
            let [d_scale, d_offset, _] = none.backward(set, &outcome);
            assert!(d_scale.iter().chain(&d_offset).all(|value| *value == E::ZERO), "{what}");

            let mut sample = Sample::<E>::new(&mut Random::new(5), 150, channels);
            sample.input[channels * 77 + channels / 2] = E::NAN;
            for relu in [false, true] {
                let outcome = sample.forward(set, relu);
                let [_, _, d_input] = sample.backward_behind(set, &outcome, relu);
                for (at, (y, dx)) in outcome.output.iter().zip(&d_input).enumerate() {
                    let expected = at % channels == channels / 2;
                    assert_eq!([y.is_nan(), dx.is_nan()], [expected; 2], "{what}, {at}, relu {relu}");
                }
            }
        }
    }
    on_every_set!(check);
}

#[test]
fn widths_hold_whole_rows_and_few_of_them() {
    for channels in 1..300 {
        let width = width(channels);
        assert!(width >= 128 && width.is_multiple_of(channels), "{channels}: {width}");
        assert!(channels >= 128 || width.is_multiple_of(16), "{channels}: {width}");
        assert!(width <= 16 * channels.max(16), "{channels}: {width}");
    }
}

#[test]
#[should_panic(expected = "5 elements in rows of 3")]
fn rows_are_whole() {
    let folded = [0f32; 3 * 144];
    apply(InstructionSet::PORTABLE, 3, &folded, false, &[0.0; 5], &mut [0.0; 5]);
}

#[test]
#[should_panic(expected = "no channels")]
fn there_are_channels() {
    width(0);
}
