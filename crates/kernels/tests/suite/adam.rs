//! Adam against its equations.

use crate::common::{
    Bounded, Guard, Guarded, Number, Random, around, assert_exact, assert_same_bits, assert_within, case,
    on_every_set, rounding,
};
use kernels::{
    InstructionSet,
    optimiser::{Adam, Decay, StepSize, adam_step},
};

const ADAM: Adam = Adam { beta_1: 0.9, beta_2: 0.999, epsilon: 1e-7 };
const LEARNING_RATE: f64 = 1e-3;
const PACE: StepSize = StepSize { learning_rate: LEARNING_RATE, gradient_scale: 1.0, decay: Decay::None };

/// The numbers of one slice before a step.
struct Slices<E> {
    parameters: Vec<E>,
    gradient: Vec<E>,
    first_moment: Vec<E>,
    second_moment: Vec<E>,
}

impl<E: Number> Slices<E> {
    fn new(random: &mut Random, length: usize) -> Self {
        let second_moment = random.reals::<E>(length).into_iter().map(|v| v * v).collect();
        Self {
            parameters: random.reals(length),
            gradient: random.reals(length),
            first_moment: random.reals(length),
            second_moment,
        }
    }
}

/// m, v and w after a step by the documented equations in f64, each with the error that its roundings allow.
fn reference<E: Number>(adam: Adam, step: i32, slices: &Slices<E>, at: usize) -> [Bounded; 3] {
    let [w, g, m, v] = [&slices.parameters, &slices.gradient, &slices.first_moment, &slices.second_moment]
        .map(|slice| slice[at].to_f64());
    let (rest_1, rest_2) = (1.0 - adam.beta_1.powi(step), 1.0 - adam.beta_2.powi(step));
    let rate = LEARNING_RATE * rest_2.sqrt() / rest_1;
    // The powers are near 1: what is left of them keeps their rounding, here and in the kernel.
    let rate_error = f64::EPSILON * (2.0 / rest_1 + 1.0 / rest_2);
    // Each is a chain of at most four roundings, of 1 − β, of a difference, of a product and of a sum.
    let half = rounding::<E>();
    let (m_change, v_change) = ((1.0 - adam.beta_1) * (g - m), (1.0 - adam.beta_2) * (g * g - v));
    let m_new = m + m_change;
    let m_error = half * (3.0 * (1.0 - adam.beta_1) * (g.abs() + m.abs()) + m_new.abs());
    let v_new = v + v_change;
    let v_error = half * (4.0 * (1.0 - adam.beta_2) * (g * g + v) + v_new);
    let root = v_new.sqrt();
    let denominator = root + adam.epsilon;
    let update = rate * m_new / denominator;
    let root_error = v_error / (2.0 * root) + half * root;
    let denominator_error = root_error + half * (adam.epsilon + denominator);
    let update_error = rate * m_error / denominator
        + update.abs() * (denominator_error / denominator + rate_error + 3.0 * half);
    let w_new = w - update;
    let w_error = update_error + half * w_new.abs();
    // One part in a hundred for the products of roundings.
    [(m_new, m_error), (v_new, v_error), (w_new, w_error)]
        .map(|(value, error)| Bounded { value, error: 1.01 * error })
}

#[test]
fn a_step_is_the_equations() {
    fn check<E: Number + Guard>(set: InstructionSet) {
        let mut random = Random::new(1);
        let mut lengths = around(4, 20);
        lengths.push(0);
        for (index, length) in lengths.into_iter().enumerate() {
            let slices = Slices::<E>::new(&mut random, length);
            for step in [1, 2, 10, 1000, 100_000] {
                let expected: Vec<_> = (0..length).map(|at| reference(ADAM, step, &slices, at)).collect();
                let mut w = Guarded::output(&slices.parameters, index % 4);
                let g = Guarded::input(&slices.gradient, 1);
                let mut m = Guarded::output(&slices.first_moment, 2);
                let mut v = Guarded::output(&slices.second_moment, 3);
                adam_step(set, ADAM, PACE, step as u64, &mut w, &g, &mut m, &mut v);
                let what = case::<E>(set, format!("{length} in step {step}"));
                let expect =
                    |which: usize| expected.iter().map(|expected| expected[which]).collect::<Vec<_>>();
                assert_within(&m, &expect(0), format!("m {what}"));
                assert_within(&v, &expect(1), format!("v {what}"));
                assert_within(&w, &expect(2), format!("w {what}"));
            }
        }
    }
    on_every_set!(check);
}

/// From zero moments, m/(1 − β₁) = g and v/(1 − β₂) = g², so that the first step moves by the learning rate against the
/// gradient's sign.
#[test]
fn the_first_step_is_the_learning_rate() {
    fn check<E: Number + Guard>(set: InstructionSet) {
        let gradient = [-3.0, -0.5, 0.25, 1.0, 100.0].map(E::from_f64);
        let mut w = [E::ZERO; 5];
        let (mut m, mut v) = ([E::ZERO; 5], [E::ZERO; 5]);
        let adam = Adam { epsilon: 0.0, ..ADAM };
        adam_step(set, adam, PACE, 1, &mut w, &gradient, &mut m, &mut v);
        // At most eight roundings: the rate, the two 1 − β (the second under a root), three in v, one root, one quotient.
        let error = 8.0 * rounding::<E>() * LEARNING_RATE;
        let expected =
            [1.0, 1.0, -1.0, -1.0, -1.0].map(|sign| Bounded { value: sign * LEARNING_RATE, error });
        assert_within(&w, &expected, case::<E>(set, "first step"));
    }
    on_every_set!(check);
}

#[test]
fn without_gradient_and_moments_nothing_moves() {
    fn check<E: Number + Guard>(set: InstructionSet) {
        let before = Random::new(2).reals::<E>(37);
        let mut w = before.clone();
        let (mut m, mut v) = ([E::ZERO; 37], [E::ZERO; 37]);
        adam_step(set, ADAM, PACE, 1, &mut w, &[E::ZERO; 37], &mut m, &mut v);
        assert_same_bits(&w, &before, case::<E>(set, "w"));
        assert_exact(&m, &[0.0; 37], case::<E>(set, "m"));
        assert_exact(&v, &[0.0; 37], case::<E>(set, "v"));
    }
    on_every_set!(check);
}

#[test]
fn slices_give_the_same_bits() {
    fn check<E: Number + Guard>(set: InstructionSet) {
        let length = 101;
        let slices = Slices::<E>::new(&mut Random::new(3), length);
        let run = |size: usize| {
            let [mut w, mut m, mut v] =
                [&slices.parameters, &slices.first_moment, &slices.second_moment].map(Clone::clone);
            for (((w, g), m), v) in w
                .chunks_mut(size)
                .zip(slices.gradient.chunks(size))
                .zip(m.chunks_mut(size))
                .zip(v.chunks_mut(size))
            {
                adam_step(set, ADAM, PACE, 7, w, g, m, v);
            }
            [w, m, v]
        };
        let whole = run(length);
        for size in 1..length {
            for (part, whole) in run(size).iter().zip(&whole) {
                assert_same_bits(part, whole, case::<E>(set, format!("{size} at once")));
            }
        }
    }
    on_every_set!(check);
}

#[test]
fn a_nan_gradient_reaches_its_own_numbers_only() {
    fn check<E: Number + Guard>(set: InstructionSet) {
        for at in [0, 15, 16, 20] {
            let mut gradient = [E::ONE; 21];
            gradient[at] = E::NAN;
            let [mut w, mut m, mut v] = [[E::ONE; 21]; 3];
            adam_step(set, ADAM, PACE, 3, &mut w, &gradient, &mut m, &mut v);
            for slice in [w, m, v] {
                for (index, value) in slice.iter().enumerate() {
                    assert_eq!(value.to_f64().is_nan(), index == at, "{}", case::<E>(set, index));
                }
            }
        }
    }
    on_every_set!(check);
}

fn lengths(step: u64, gradient: usize, first_moment: usize, second_moment: usize) {
    let set = InstructionSet::PORTABLE;
    let zeros = |length| vec![0.0f32; length];
    let (g, mut m, mut v) = (zeros(gradient), zeros(first_moment), zeros(second_moment));
    adam_step(set, ADAM, PACE, step, &mut zeros(3), &g, &mut m, &mut v);
}

#[test]
#[should_panic(expected = "steps are counted from 1")]
fn there_is_no_step_zero() {
    lengths(0, 3, 3, 3);
}

#[test]
#[should_panic(expected = "gradient: 3 elements expected, 2 found")]
fn a_gradient_for_each_parameter() {
    lengths(1, 2, 3, 3);
}

#[test]
#[should_panic(expected = "first_moment: 3 elements expected, 4 found")]
fn a_first_moment_for_each_parameter() {
    lengths(1, 3, 4, 3);
}

#[test]
#[should_panic(expected = "second_moment: 3 elements expected, 0 found")]
fn a_second_moment_for_each_parameter() {
    lengths(1, 3, 3, 0);
}
