//! Momentum, RMSprop, decay, clipping and averages against their equations; adam.rs has Adam's own.

use crate::common::{
    Bounded, Guard, Guarded, Number, Random, around, assert_exact, assert_same_bits, assert_within, case,
    on_every_set, rounding,
};
use kernels::{
    InstructionSet,
    optimiser::{
        Adam, Decay, Momentum, RmsProp, StepSize, adam_step, approach, momentum_step, rms_prop_step,
        sum_of_squares,
    },
};

const ADAM: Adam = Adam { beta_1: 0.9, beta_2: 0.999, epsilon: 1e-7 };
const RMS_PROP: RmsProp = RmsProp { rho: 0.9, epsilon: 1e-7 };
const PACES: [StepSize; 4] = [
    StepSize { learning_rate: 0.02, gradient_scale: 1.0, decay: Decay::None },
    StepSize { learning_rate: 0.02, gradient_scale: 0.3, decay: Decay::None },
    StepSize { learning_rate: 0.02, gradient_scale: 0.3, decay: Decay::Gradient(0.1) },
    StepSize { learning_rate: 0.02, gradient_scale: 1.0, decay: Decay::Parameter(0.1) },
];

/// A number and how far off it may be: roundings of ½ε of what has gone into it.
#[derive(Clone, Copy)]
struct Measured {
    value: f64,
    error: f64,
}

/// s·g + λ·w and (1 − α·λ)·w; each has at most four roundings, its constants' included.
fn paced<E: Number>(pace: StepSize, w: f64, g: f64) -> [Measured; 2] {
    let (into_gradient, kept) = match pace.decay {
        Decay::None => (0.0, 1.0),
        Decay::Gradient(decay) => (decay, 1.0),
        Decay::Parameter(decay) => (0.0, 1.0 - pace.learning_rate * decay),
    };
    let magnitude = (pace.gradient_scale * g).abs() + (into_gradient * w).abs();
    [
        Measured {
            value: pace.gradient_scale * g + into_gradient * w,
            error: 4.0 * rounding::<E>() * magnitude,
        },
        Measured { value: kept * w, error: 4.0 * rounding::<E>() * w.abs() },
    ]
}

/// What a step makes of one parameter, its gradient and its state: the new parameter and the new state.
type Reference = fn(StepSize, f64, [Measured; 2], f64, f64) -> [Bounded; 2];

/// The kernel under test: pace, parameters, gradient, state.
type Step<E> = fn(InstructionSet, StepSize, &mut [E], &[E], &mut [E]);

/// One step of every length and pace against the reference.
fn check_steps<E: Number + Guard>(set: InstructionSet, step: Step<E>, reference: Reference, positive: bool) {
    let mut random = Random::new(4);
    for (index, length) in around(4, 20).into_iter().chain([0]).enumerate() {
        for (number, pace) in PACES.into_iter().enumerate() {
            let (w, g) = (random.reals::<E>(length), random.reals::<E>(length));
            let mut state = random.reals::<E>(length);
            if positive {
                state.iter_mut().for_each(|value| *value = *value * *value);
            }
            let expected: Vec<_> = (0..length)
                .map(|at| {
                    let [w, g, state] = [&w, &g, &state].map(|slice| slice[at].to_f64());
                    reference(pace, w, paced::<E>(pace, w, g), state, rounding::<E>())
                })
                .collect();
            let mut w = Guarded::output(&w, index % 4);
            let g = Guarded::input(&g, 1);
            let mut state = Guarded::output(&state, 2);
            step(set, pace, &mut w, &g, &mut state);
            let what = case::<E>(set, format!("{length}, pace {number}"));
            let part = |which: usize| expected.iter().map(|one| one[which]).collect::<Vec<_>>();
            assert_within(&state, &part(1), format!("state {what}"));
            assert_within(&w, &part(0), format!("w {what}"));
        }
    }
}

fn subtract(kept: Measured, update: Measured, half: f64) -> Bounded {
    let value = kept.value - update.value;
    // One part in a hundred for the products of roundings.
    Bounded { value, error: 1.01 * (kept.error + update.error + half * value.abs()) }
}

#[test]
fn momentum_is_its_equations() {
    fn reference(
        pace: StepSize,
        _: f64,
        [g, kept]: [Measured; 2],
        v: f64,
        half: f64,
        nesterov: bool,
    ) -> [Bounded; 2] {
        let new = 0.9 * v + g.value;
        let new_error = g.error + half * (2.0 * (0.9 * v).abs() + new.abs());
        let (direction, error) = if nesterov {
            let direction = g.value + 0.9 * new;
            (direction, g.error + 0.9 * new_error + half * (2.0 * (0.9 * new).abs() + direction.abs()))
        } else {
            (new, new_error)
        };
        let update = Measured {
            value: pace.learning_rate * direction,
            error: pace.learning_rate * (error + 2.0 * half * direction.abs()),
        };
        [subtract(kept, update, half), Bounded { value: new, error: 1.01 * new_error }]
    }
    fn check<E: Number + Guard>(set: InstructionSet) {
        check_steps::<E>(
            set,
            |set, pace, w, g, v| {
                momentum_step(set, Momentum { momentum: 0.9, nesterov: false }, pace, w, g, v);
            },
            |pace, w, paced, v, half| reference(pace, w, paced, v, half, false),
            false,
        );
        check_steps::<E>(
            set,
            |set, pace, w, g, v| {
                momentum_step(set, Momentum { momentum: 0.9, nesterov: true }, pace, w, g, v);
            },
            |pace, w, paced, v, half| reference(pace, w, paced, v, half, true),
            false,
        );
    }
    on_every_set!(check);
}

#[test]
fn rms_prop_is_its_equations() {
    fn reference(pace: StepSize, _: f64, [g, kept]: [Measured; 2], v: f64, half: f64) -> [Bounded; 2] {
        let square = g.value * g.value;
        let rest = 1.0 - RMS_PROP.rho;
        let new = v + rest * (square - v);
        let square_error = 2.0 * g.value.abs() * g.error + half * square;
        let new_error = rest * square_error + half * (3.0 * rest * (square + v) + new);
        let root = (new + RMS_PROP.epsilon).sqrt();
        let root_error = (new_error + 2.0 * half * root * root) / (2.0 * root) + half * root;
        let value = pace.learning_rate * g.value / root;
        let error = pace.learning_rate * g.error / root + value.abs() * (root_error / root + 3.0 * half);
        [subtract(kept, Measured { value, error }, half), Bounded { value: new, error: 1.01 * new_error }]
    }
    fn check<E: Number + Guard>(set: InstructionSet) {
        check_steps::<E>(
            set,
            |set, pace, w, g, v| rms_prop_step(set, RMS_PROP, pace, w, g, v),
            reference,
            true,
        );
    }
    on_every_set!(check);
}

/// Scaling by 0.5 and shrinking by 1 − ½·½ are exact, so that Adam's step must be the one of the scaled gradient, and differ
/// by the shrinkage alone. What joins the gradient is exact where w is a power of two.
#[test]
fn adam_is_paced_as_the_others() {
    fn check<E: Number + Guard>(set: InstructionSet) {
        let g = Random::new(5).reals::<E>(37);
        let halves: Vec<E> = g.iter().map(|g| *g * E::from_f64(0.5)).collect();
        let joined: Vec<E> = g.iter().map(|g| *g + E::from_f64(0.25)).collect();
        let step = |pace: StepSize, start: E, g: &[E]| {
            let [mut w, mut m, mut v] = [[start; 37], [E::ZERO; 37], [E::ZERO; 37]];
            adam_step(set, ADAM, pace, 1, &mut w, g, &mut m, &mut v);
            (w, m, v)
        };
        let pace = StepSize::of(0.5);
        let plain = step(pace, E::ONE, &halves);
        let scaled = step(StepSize { gradient_scale: 0.5, ..pace }, E::ONE, &g);
        assert_same_bits(&scaled.0, &plain.0, case::<E>(set, "scaled"));
        let plain = step(pace, E::ONE, &joined);
        let decayed = step(StepSize { decay: Decay::Gradient(0.25), ..pace }, E::ONE, &g);
        assert_same_bits(&decayed.0, &plain.0, case::<E>(set, "decay in the gradient"));
        let plain = step(pace, E::from_f64(0.75), &g);
        let decayed = step(StepSize { decay: Decay::Parameter(0.5), ..pace }, E::ONE, &g);
        assert_same_bits(&decayed.0, &plain.0, case::<E>(set, "decay beside it"));
        assert_same_bits(&decayed.1, &plain.1, case::<E>(set, "decay beside it leaves the moments"));
    }
    on_every_set!(check);
}

#[test]
fn what_is_too_small_becomes_zero() {
    fn check<E: Number + Guard>(set: InstructionSet) {
        let tiny = [E::from_f64(1e-31), E::from_f64(-1e-31)];
        let (mut w, mut v) = ([E::ONE; 2], tiny);
        momentum_step(
            set,
            Momentum { momentum: 0.9, nesterov: true },
            PACES[0],
            &mut w,
            &[E::ZERO; 2],
            &mut v,
        );
        assert_exact(&v, &[0.0; 2], case::<E>(set, "velocity"));
        let (mut w, mut v) = ([E::ONE], [tiny[0]]);
        rms_prop_step(set, RMS_PROP, PACES[0], &mut w, &[E::from_f64(1e-17)], &mut v);
        assert_exact(&v, &[0.0], case::<E>(set, "mean square"));
        assert_exact(&w, &[1.0], case::<E>(set, "w"));
    }
    on_every_set!(check);
}

#[test]
fn slices_give_the_same_bits() {
    fn check<E: Number + Guard>(set: InstructionSet) {
        let mut random = Random::new(6);
        let [w, g, state] = [(); 3].map(|()| random.reals::<E>(70));
        let state: Vec<E> = state.iter().map(|value| *value * *value).collect();
        let steps: [Step<E>; 3] = [
            |set, pace, w, g, v| {
                momentum_step(set, Momentum { momentum: 0.9, nesterov: true }, pace, w, g, v);
            },
            |set, pace, w, g, v| rms_prop_step(set, RMS_PROP, pace, w, g, v),
            |set, _, w, g, _| approach(set, 0.1, g, w),
        ];
        for (number, step) in steps.into_iter().enumerate() {
            let run = |size: usize| {
                let (mut w, mut state) = (w.clone(), state.clone());
                for ((w, g), state) in w.chunks_mut(size).zip(g.chunks(size)).zip(state.chunks_mut(size)) {
                    step(set, PACES[2], w, g, state);
                }
                [w, state]
            };
            let whole = run(70);
            for size in 1..70 {
                for (part, whole) in run(size).iter().zip(&whole) {
                    assert_same_bits(part, whole, case::<E>(set, format!("step {number}, {size} at once")));
                }
            }
        }
    }
    on_every_set!(check);
}

#[test]
fn an_average_approaches() {
    fn check<E: Number + Guard>(set: InstructionSet) {
        for length in around(4, 20) {
            let [targets, values] = [7, 8].map(|seed| Random::new(seed).reals::<E>(length));
            let expected: Vec<Bounded> = targets
                .iter()
                .zip(&values)
                .map(|(target, value)| {
                    let (target, value) = (target.to_f64(), value.to_f64());
                    let new = value + 0.1 * (target - value);
                    let error = rounding::<E>() * (0.3 * (target - value).abs() + new.abs());
                    Bounded { value: new, error: 1.01 * error }
                })
                .collect();
            let mut values = Guarded::output(&values, 1);
            approach(set, 0.1, &Guarded::input(&targets, 2), &mut values);
            assert_within(&values, &expected, case::<E>(set, length));
        }
    }
    on_every_set!(check);
}

/// Squares of whole numbers, whose sum is exact in any order.
#[test]
fn squares_are_summed_whole() {
    for length in around(8, 3).into_iter().chain([0]) {
        let values = Random::new(length as u64).whole::<f32>(length, 1000);
        let expected: f64 = values.iter().map(|value| f64::from(*value).powi(2)).sum();
        assert_eq!(sum_of_squares(&values), expected, "{length}");
    }
    assert!(sum_of_squares(&[1.0, f32::NAN]).is_nan());
    assert_eq!(sum_of_squares(&[3e38f32; 9]), 9.0 * f64::from(3e38f32).powi(2), "beyond f32");
}

#[test]
#[should_panic(expected = "velocity: 3 elements expected, 2 found")]
fn a_velocity_for_each_parameter() {
    let constants = Momentum { momentum: 0.9, nesterov: false };
    momentum_step(InstructionSet::PORTABLE, constants, PACES[0], &mut [0f32; 3], &[0.0; 3], &mut [0.0; 2]);
}

#[test]
#[should_panic(expected = "gradient: 3 elements expected, 4 found")]
fn a_gradient_for_each_parameter() {
    rms_prop_step(InstructionSet::PORTABLE, RMS_PROP, PACES[0], &mut [0f32; 3], &[0.0; 4], &mut [0.0; 3]);
}

#[test]
#[should_panic(expected = "targets: 3 elements expected, 4 found")]
fn a_target_for_each_value() {
    approach(InstructionSet::PORTABLE, 0.1, &[0f32; 4], &mut [0.0; 3]);
}
