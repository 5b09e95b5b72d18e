//! The steps of a GRU and of a simple recurrent layer against their equations in f64.

use crate::common::{Guard, Guarded, Number, Random, on_every_set};
use kernels::{
    InstructionSet,
    gru::{self, VALUES},
    rnn,
};

/// Around the lanes of every set (4, 8, 16).
const UNITS: [usize; 10] = [1, 3, 4, 7, 8, 9, 15, 16, 17, 33];

/// The few units in the last place of sigmoid and tanh, and the few operations around them, of values below 4.
fn tolerance<E: Number>() -> f64 {
    32.0 * E::EPSILON
}

fn assert_near<E: Number>(set: InstructionSet, what: &str, found: E, expected: f64) {
    let (found, name) = (found.to_f64(), set.name());
    assert!((found - expected).abs() <= tolerance::<E>(), "{name}, {what}: {found}, {expected} expected");
}

fn sigmoid(x: f64) -> f64 {
    1.0 / (1.0 + (-x).exp())
}

#[test]
fn a_gru_follows_the_equations() {
    fn check<E: Number + Guard>(set: InstructionSet) {
        for (units, rows) in UNITS.into_iter().flat_map(|units| [0, 1, 3].map(|rows| (units, rows))) {
            let mut random = Random::new((units * 10 + rows) as u64);
            let before: Vec<E> = random.reals(rows * units);
            let sums: Vec<E> = random.reals(rows * VALUES * units);
            let previous_h = Guarded::input(&before, 1);
            let mut values = Guarded::output(&sums, 3);
            let mut h = Guarded::stale(rows * units, 2);
            gru::forward_step(set, units, &previous_h, &mut values, &mut h);
            for (row, unit) in (0..rows).flat_map(|row| (0..units).map(move |unit| (row, unit))) {
                let [a, z, r, p] =
                    [0, 1, 2, 3].map(|value| sums[(row * VALUES + value) * units + unit].to_f64());
                let (z, r) = (sigmoid(z), sigmoid(r));
                let g = (a + r * p).tanh();
                let expected = z * before[row * units + unit].to_f64() + (1.0 - z) * g;
                assert_near(set, "h", h[row * units + unit], expected);
                for (value, expected) in [g, z, r, p].into_iter().enumerate() {
                    assert_near(set, "gate", values[(row * VALUES + value) * units + unit], expected);
                }
            }
        }
    }
    on_every_set!(check);
}

/// By the chain rule from the equations of the forward pass, written out for one unit.
#[test]
fn a_gru_goes_back_by_the_equations() {
    fn check<E: Number + Guard>(set: InstructionSet) {
        for (units, rows) in UNITS.into_iter().flat_map(|units| [0, 1, 3].map(|rows| (units, rows))) {
            let mut random = Random::new((units * 10 + rows) as u64);
            let before: Vec<E> = random.reals(rows * units);
            let gates: Vec<E> = random.reals(rows * VALUES * units);
            let d_after: Vec<E> = random.reals(rows * units);
            let previous_h = Guarded::input(&before, 3);
            let mut values = Guarded::output(&gates, 1);
            let mut d_h = Guarded::output(&d_after, 2);
            gru::backward_step(set, units, &previous_h, &mut values, &mut d_h);
            for (row, unit) in (0..rows).flat_map(|row| (0..units).map(move |unit| (row, unit))) {
                let [g, z, r, p] =
                    [0, 1, 2, 3].map(|value| gates[(row * VALUES + value) * units + unit].to_f64());
                let (h, d_after) =
                    (before[row * units + unit].to_f64(), d_after[row * units + unit].to_f64());
                // h' = z·h + (1 − z)·g and g = tanh(a + r·p).
                let d_a = d_after * (1.0 - z) * (1.0 - g * g);
                let d_z = d_after * (h - g) * z * (1.0 - z);
                let d_r = d_a * p * r * (1.0 - r);
                for (value, expected) in [d_a, d_z, d_r, d_a * r].into_iter().enumerate() {
                    assert_near(set, "derivative", values[(row * VALUES + value) * units + unit], expected);
                }
                assert_near(set, "dh", d_h[row * units + unit], d_after * z);
            }
        }
    }
    on_every_set!(check);
}

#[test]
fn a_simple_layer_follows_the_equations_and_back() {
    fn check<E: Number + Guard>(set: InstructionSet) {
        for length in UNITS.into_iter().chain([0, 64, 65]) {
            let mut random = Random::new(length as u64);
            let (sums, d_after): (Vec<E>, Vec<E>) = (random.reals(length), random.reals(length));
            let mut h = Guarded::stale(length, 2);
            rnn::forward_step(set, &Guarded::input(&sums, 1), &mut h);
            let mut d_sums = Guarded::stale(length, 3);
            rnn::backward_step(set, &h, &Guarded::input(&d_after, 1), &mut d_sums);
            for at in 0..length {
                let expected = sums[at].to_f64().tanh();
                assert_near(set, "h", h[at], expected);
                let expected = d_after[at].to_f64() * (1.0 - expected * expected);
                assert_near(set, "derivative", d_sums[at], expected);
            }
        }
    }
    on_every_set!(check);
}

#[test]
#[should_panic(expected = "values: 24 elements expected, 23 found")]
fn values_too_short() {
    gru::forward_step(InstructionSet::PORTABLE, 3, &[0f32; 6], &mut [0.0; 23], &mut [0.0; 6]);
}

#[test]
#[should_panic(expected = "d_sums: 3 elements expected, 2 found")]
fn derivatives_too_short() {
    rnn::backward_step(InstructionSet::PORTABLE, &[0f32; 3], &[0.0; 3], &mut [0.0; 2]);
}
