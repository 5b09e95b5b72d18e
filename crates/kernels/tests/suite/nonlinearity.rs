//! Functions of one value as layers: accuracy of values and derivatives, ends of slices, and what is not finite.

use crate::common::{
    Guard, Guarded, Number, Random, assert_exact, assert_same_bits, case, on_every_set, units,
};
use kernels::{
    InstructionSet,
    nonlinearity::{Nonlinearity, backward, backward_with_derivative, forward, forward_with_derivative},
};
use std::f64::consts::{FRAC_1_SQRT_2, FRAC_2_SQRT_PI};

const ALL: [Nonlinearity; 6] = [
    Nonlinearity::Relu,
    Nonlinearity::LeakyRelu { slope: 0.25 },
    Nonlinearity::Gelu,
    Nonlinearity::Silu,
    Nonlinearity::Tanh,
    Nonlinearity::Sigmoid,
];

/// Patterns of float32, a prime apart so that all low bits occur, that a test of seconds has time for.
const STRIDE: usize = 9973;

/// Of 1: what the derivatives of GELU and SiLU may be off.
const DERIVATIVE_ROUNDINGS: f64 = 4.0;

/// φ(x); the square's rounding error is taken out again.
fn density(x: f64) -> f64 {
    let square = x * x;
    let error = x.mul_add(x, -square);
    0.5 * FRAC_2_SQRT_PI * FRAC_1_SQRT_2 * (-0.5 * square).exp() * (1.0 - 0.5 * error)
}

/// Φ(x): near zero by the series ½ + φ(x) Σ x²ⁿ⁺¹ / (2n + 1)!!, else by the continued fraction of its tail,
/// φ(x) / (x + 1 / (x + 2 / (x + 3 / …))).
fn distribution(x: f64) -> f64 {
    if x.abs() < 1.0 {
        let (mut term, mut sum) = (x, 0.0);
        for n in 1..40 {
            sum += term;
            term *= x * x / f64::from(2 * n + 1);
        }
        return 0.5 + density(x) * sum;
    }
    let magnitude = x.abs().min(50.0);
    let fraction = (1..=600).rev().fold(magnitude, |fraction, level| magnitude + f64::from(level) / fraction);
    let tail = density(x) / fraction;
    if x < 0.0 { tail } else { 1.0 - tail }
}

fn sigmoid(x: f64) -> f64 {
    1.0 / (1.0 + (-x).exp())
}

/// The value and the derivative by their definitions.
fn definition(function: Nonlinearity, x: f64) -> (f64, f64) {
    match function {
        Nonlinearity::Relu if x <= 0.0 => (0.0, 0.0),
        Nonlinearity::LeakyRelu { slope } if x <= 0.0 => (slope * x, slope),
        Nonlinearity::Relu | Nonlinearity::LeakyRelu { .. } => (x, 1.0),
        Nonlinearity::Gelu => (x * distribution(x), distribution(x) + x * density(x)),
        Nonlinearity::Silu => (x * sigmoid(x), sigmoid(x) + x * sigmoid(x) * sigmoid(-x)),
        Nonlinearity::Tanh => (x.tanh(), 1.0 / (x.cosh() * x.cosh())),
        Nonlinearity::Sigmoid => (sigmoid(x), sigmoid(x) * sigmoid(-x)),
    }
}

/// The values of `inputs` and the derivatives there.
fn compute<E: Number>(set: InstructionSet, function: Nonlinearity, inputs: &[E]) -> (Vec<E>, Vec<E>) {
    let mut output = vec![E::NAN; inputs.len()];
    forward(set, function, inputs, &mut output);
    let mut gradient = vec![E::ONE; inputs.len()];
    backward(set, function, inputs, &output, &mut gradient);
    (output, gradient)
}

/// Holds GELU and SiLU to their documented errors at `inputs`.
fn check<E: Number>(set: InstructionSet, inputs: &[E], documented_units: f64) {
    for (function, floor) in
        [(Nonlinearity::Gelu, E::NORMAL_LIMIT), (Nonlinearity::Silu, E::EXPONENTIAL_LIMIT)]
    {
        let (values, derivatives) = compute(set, function, inputs);
        for ((x, value), derivative) in inputs.iter().zip(values).zip(derivatives) {
            let (expected, expected_derivative) = definition(function, x.to_f64());
            let what = case::<E>(set, format!("{function:?} of {:e}", x.to_f64()));
            let (found, derivative) = (value.to_f64(), derivative.to_f64());
            if *x < -floor {
                assert!((found - expected).abs() <= 1e-35, "{what} is {found:e}");
            } else if expected.abs() > E::SMALLEST_NORMAL {
                let units = units::<E>(value, expected);
                assert!(units <= documented_units, "{what} is {found:e}, {units} units off {expected:e}");
            }
            let off = (derivative - expected_derivative).abs();
            assert!(
                off <= DERIVATIVE_ROUNDINGS * E::EPSILON,
                "{what}: derivative {derivative:e}, {expected_derivative:e} expected"
            );
        }
    }
}

#[test]
fn gelu_and_silu_are_within_their_documented_errors() {
    let finite = f32::INFINITY.to_bits() as usize;
    // Above 10³⁰ times anything overflows somewhere; those below are as good a test of large numbers.
    let magnitudes =
        (0..finite).step_by(STRIDE).map(|bits| f32::from_bits(bits as u32)).filter(|x| *x < 1e30);
    let mut inputs: Vec<f32> = magnitudes.flat_map(|x| [x, -x]).collect();
    let ends = [0.0, 0.751_791_5, 1.0, 4.0, 12.8, 87.0].into_iter().flat_map(|x| [x, -x]);
    let multiples = (-2560..=2560).map(|n| n as f32 / 200.0);
    for centre in ends.chain(multiples) {
        inputs.extend(
            (0..40u32).map(|ulp| f32::from_bits(centre.to_bits().saturating_add(ulp).saturating_sub(20))),
        );
    }
    let inputs: Vec<f32> = inputs.into_iter().filter(|x| x.is_finite()).collect();
    for set in InstructionSet::available() {
        check(set, &inputs, 6.0);
    }
}

#[test]
fn gelu_and_silu_of_f64_are_as_close() {
    let mut random = Random::new(1);
    let mut inputs = vec![0.0, 1e-300, -1e-300, 36.9, -36.9, -37.0, 37.1, -708.0, 700.0];
    for exponent in -60..=9 {
        inputs.extend(random.reals::<f64>(300).into_iter().map(|x| x * 2f64.powi(exponent)));
    }
    check(InstructionSet::PORTABLE, &inputs, 8.0);
}

/// By golden/layers/normal_tail.py, with 60 digits.
#[test]
fn gelu_is_that_of_sixty_digits() {
    let table = [
        (-36.0, -1.505_744_663_687_022e-282, -5.420_674_359_367_623e-281),
        (-20.0, -5.507_248_237_212_467e-88, -1.101_436_048_313_346_4e-86),
        (-12.5, -4.665_705_373_597_142e-35, -5.831_668_554_480_155e-34),
        (-8.0, -4.976_768_459_417_427e-15, -3.979_607_261_086_796e-14),
        (-5.25, -3.992_604_271_156_575e-7, -2.091_397_663_865_862e-6),
        (-3.0, -0.004_049_694_094_890_283_6, -0.011_945_647_204_183_927),
        (-1.5, -0.100_210_801_903_287_1, -0.127_469_192_229_979_53),
        (-0.75, -0.169_970_514_282_651_15, 0.000_774_278_260_764_895_6),
        (-0.1, -0.046_017_216_272_297_1, 0.420_476_907_975_269_8),
        (9.094_947_017_729_282e-13, 4.547_473_508_867_941e-13, 0.500_000_000_000_725_7),
        (0.1, 0.053_982_783_727_702_9, 0.579_523_092_024_730_2),
        (0.5, 0.345_731_230_637_006_55, 0.867_495_124_656_162_8),
        (0.75, 0.580_029_485_717_348_8, 0.999_225_721_739_235_1),
        (1.0, 0.841_344_746_068_542_9, 1.083_315_470_587_686_2),
        (2.0, 1.954_499_736_103_641_6, 1.085_231_801_078_197),
        (3.5, 3.499_185_798_223_375_6, 1.002_821_760_353_624_6),
        (6.0, 5.999_999_994_080_474, 1.000_000_035_468_709_5),
        (12.0, 12.0, 1.0),
        (40.0, 40.0, 1.0),
    ];
    for (x, value, derivative) in table {
        let (values, derivatives) = compute(InstructionSet::PORTABLE, Nonlinearity::Gelu, &[x]);
        assert!(units::<f64>(values[0], value) <= 8.0, "of {x} is {:e}, {value:e} expected", values[0]);
        let off = (derivatives[0] - derivative).abs();
        assert!(off <= 4.0 * f64::EPSILON, "at {x} {:e}, {derivative:e} expected", derivatives[0]);
    }
}

#[test]
fn derivatives_are_those_of_the_definition() {
    fn check<E: Number + Guard>(set: InstructionSet) {
        let mut random = Random::new(2);
        let inputs: Vec<E> = random.reals::<E>(500).into_iter().map(|x| x * E::from_f64(9.0)).collect();
        for function in ALL {
            let (values, derivatives) = compute(set, function, &inputs);
            for ((x, value), derivative) in inputs.iter().zip(values).zip(derivatives) {
                let (expected, expected_derivative) = definition(function, x.to_f64());
                let what = case::<E>(set, format!("{function:?} at {x}"));
                // tanh and the sigmoid differentiate by their own rounded value.
                let allowed = 8.0 * E::EPSILON * expected.abs().max(1.0);
                assert!((value.to_f64() - expected).abs() <= allowed, "{what}: {value}");
                assert!((derivative.to_f64() - expected_derivative).abs() <= allowed, "{what}: {derivative}");
            }
        }
    }
    on_every_set!(check);
}

#[test]
fn kinks_are_where_they_are_documented() {
    fn check<E: Number + Guard>(set: InstructionSet) {
        let inputs = [-8.0, -0.0, 0.0, 8.0].map(E::from_f64);
        let what = case::<E>(set, "kinks");
        let (values, derivatives) = compute(set, Nonlinearity::Relu, &inputs);
        assert_exact(&values, &[0.0, 0.0, 0.0, 8.0], &what);
        assert_exact(&derivatives, &[0.0, 0.0, 0.0, 1.0], &what);
        let (values, derivatives) = compute(set, Nonlinearity::LeakyRelu { slope: 0.25 }, &inputs);
        assert_exact(&values, &[-2.0, 0.0, 0.0, 8.0], &what);
        assert_exact(&derivatives, &[0.25, 0.25, 0.25, 1.0], &what);
    }
    on_every_set!(check);
}

#[test]
fn infinities_saturate_and_nan_is_passed_on() {
    fn check<E: Number + Guard>(set: InstructionSet) {
        for function in ALL {
            let what = case::<E>(set, format!("{function:?}"));
            let (values, derivatives) = compute(set, function, &[E::NAN, E::INFINITY, -E::INFINITY]);
            assert!(values[0].to_f64().is_nan(), "{what}");
            let bounded = matches!(function, Nonlinearity::Tanh | Nonlinearity::Sigmoid);
            assert_exact(&values[1..2], &[if bounded { 1.0 } else { f64::INFINITY }], &what);
            assert_exact(&derivatives[1..2], &[if bounded { 0.0 } else { 1.0 }], &what);
            let below = match function {
                Nonlinearity::LeakyRelu { .. } => f64::NEG_INFINITY,
                Nonlinearity::Tanh => -1.0,
                _ => 0.0,
            };
            let value = values[2].to_f64();
            assert!(value == below || (value - below).abs() <= 1e-35, "{what}: {value:e}");
            let below = if let Nonlinearity::LeakyRelu { slope } = function { slope } else { 0.0 };
            let derivative = derivatives[2].to_f64();
            assert!((derivative - below).abs() <= 1e-33, "{what}: {derivative:e}");
            // A derivative that is no number is not hidden where anything of it passes.
            let mut gradient = [E::NAN];
            backward(set, function, &[E::ONE], &[E::from_f64(0.5)], &mut gradient);
            assert!(gradient[0].to_f64().is_nan(), "{what}");
        }
    }
    on_every_set!(check);
}

#[test]
fn slices_of_any_length_and_place_give_the_same_bits() {
    fn check<E: Number + Guard>(set: InstructionSet) {
        let mut random = Random::new(3);
        let inputs: Vec<E> = random.reals::<E>(100).into_iter().map(|x| x * E::from_f64(9.0)).collect();
        let gradients: Vec<E> = random.reals(100);
        for function in ALL {
            let one_by_one = |at: usize| {
                let (mut output, mut gradient) = ([E::NAN], [gradients[at]]);
                forward(set, function, &inputs[at..=at], &mut output);
                backward(set, function, &inputs[at..=at], &output, &mut gradient);
                (output[0], gradient[0])
            };
            let (values, derivatives): (Vec<E>, Vec<E>) = (0..100).map(one_by_one).unzip();
            for (length, offset) in (0..=70).map(|length| (length, length % 4)) {
                let what = case::<E>(set, format!("{function:?} of {length} from {offset}"));
                let part = offset..offset + length;
                let input = Guarded::input(&inputs[part.clone()], offset);
                let mut output = Guarded::stale(length, offset + 1);
                forward(set, function, &input, &mut output);
                assert_same_bits(&output, &values[part.clone()], &what);
                let mut gradient = Guarded::input(&gradients[part.clone()], 3);
                backward(set, function, &input, &output, &mut gradient);
                assert_same_bits(&gradient, &derivatives[part.clone()], &what);

                let mut output = Guarded::stale(length, 2);
                let mut derivative = Guarded::stale(length, 1);
                forward_with_derivative(set, function, &input, &mut output, &mut derivative);
                assert_same_bits(&output, &values[part.clone()], &what);
                let mut gradient = Guarded::input(&gradients[part.clone()], 1);
                backward_with_derivative(set, &derivative, &mut gradient);
                let differ = gradient.iter().zip(&derivatives[part]).filter(|(one, other)| one != other);
                assert_eq!(differ.count(), 0, "{what}");
            }
        }
    }
    on_every_set!(check);
}

#[test]
#[should_panic(expected = "output: 3 elements expected, 2 found")]
fn an_output_has_the_length_of_the_input() {
    forward(InstructionSet::PORTABLE, Nonlinearity::Gelu, &[0.0f32; 3], &mut [0.0; 2]);
}

#[test]
#[should_panic(expected = "gradient: 3 elements expected, 2 found")]
fn a_gradient_has_the_length_of_the_input() {
    backward(InstructionSet::PORTABLE, Nonlinearity::Silu, &[0.0f32; 3], &[0.0; 3], &mut [0.0; 2]);
}

#[test]
#[should_panic(expected = "derivative: 3 elements expected, 2 found")]
fn a_derivative_has_the_length_of_the_input() {
    let set = InstructionSet::PORTABLE;
    forward_with_derivative(set, Nonlinearity::Silu, &[0.0f32; 3], &mut [0.0; 3], &mut [0.0; 2]);
}

#[test]
#[should_panic(expected = "gradient: 3 elements expected, 2 found")]
fn a_gradient_has_the_length_of_its_derivative() {
    backward_with_derivative(InstructionSet::PORTABLE, &[0.0f32; 3], &mut [0.0; 2]);
}
