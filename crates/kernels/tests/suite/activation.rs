//! Functions of one value: accuracy over the whole range of floats, ends of slices, and what is not finite.

use crate::common::{
    Guard, Guarded, Number, Random, around, assert_exact, assert_same_bits, case, on_every_set, units,
};
use kernels::{
    InstructionSet,
    activation::{add, add_bias, relu_backward, relu_in_place, sigmoid_in_place, tanh_in_place},
};

/// Documented: units in the last place that sigmoid and tanh of float32 may be off.
const DOCUMENTED_UNITS: f64 = 4.0;
/// Documented: below it sigmoid stays what it is there.
const SIGMOID_FLOOR: f64 = -87.0;
/// Patterns of float32, a prime apart so that all low bits occur, that a test of seconds has time for.
const STRIDE: usize = 997;

fn sigmoid(x: f64) -> f64 {
    1.0 / (1.0 + (-x).exp())
}

/// The largest distance of `function` from `truth` over `inputs`, on each instruction set in turn.
fn largest_units(
    inputs: &[f32],
    function: impl Fn(InstructionSet, &mut [f32]),
    truth: impl Fn(f64) -> f64,
) -> Vec<(InstructionSet, f64, f32)> {
    let expected: Vec<f64> = inputs.iter().map(|x| truth(f64::from(*x))).collect();
    let largest = |set| {
        let mut found = inputs.to_vec();
        function(set, &mut found);
        let mut largest = (set, 0.0, 0.0);
        for ((x, found), expected) in inputs.iter().zip(&found).zip(&expected) {
            assert!((-1.0..=1.0).contains(found), "{} of {x:e} is {found:e}", set.name());
            let off = units(*found, *expected);
            if off > largest.1 {
                largest = (set, off, *x);
            }
        }
        largest
    };
    InstructionSet::available().into_iter().map(largest).collect()
}

/// Holds both functions to their documented distance over `inputs`.
fn check_units(inputs: &[f32]) {
    for (set, units, x) in largest_units(inputs, tanh_in_place, f64::tanh) {
        assert!(units <= DOCUMENTED_UNITS, "{}: tanh of {x:e} is {units} units off", set.name());
    }
    let inputs: Vec<f32> = inputs.iter().copied().filter(|x| f64::from(*x) >= SIGMOID_FLOOR).collect();
    for (set, units, x) in largest_units(&inputs, sigmoid_in_place, sigmoid) {
        assert!(units <= DOCUMENTED_UNITS, "{}: sigmoid of {x:e} is {units} units off", set.name());
    }
}

/// Every `stride`-th finite float32, in slices.
fn sweep(first: usize, stride: usize, mut check: impl FnMut(&[f32])) {
    let finite = f32::INFINITY.to_bits() as usize;
    let patterns: Vec<usize> = (first..finite).step_by(stride << 16).collect();
    for start in patterns {
        let end = finite.min(start + (stride << 16));
        let magnitudes = (start..end).step_by(stride).map(|bits| f32::from_bits(bits as u32));
        let inputs: Vec<f32> = magnitudes.flat_map(|x| [x, -x]).collect();
        check(&inputs);
    }
}

#[test]
fn sigmoid_and_tanh_are_within_their_documented_units() {
    sweep(0, STRIDE, check_units);
    // Around the ends, around each half of ln 2 where the range reduction changes its multiple, and around zero.
    let halves = (-260..=260).map(|n| f64::from(n) * 0.5 * std::f64::consts::LN_2);
    let ends = [0.0, 1e-38, 1e-30, 9.0, 10.0, 20.0, 87.0, 88.0, 89.0].into_iter().flat_map(|x| [x, -x]);
    for centre in halves.flat_map(|x| [x, x / 2.0]).chain(ends) {
        let centre = (centre as f32).to_bits();
        let magnitude = (centre & 0x7FFF_FFFF) as usize;
        let sign = centre & 0x8000_0000;
        let near = magnitude.saturating_sub(400)..=magnitude + 400;
        check_units(&near.map(|bits| f32::from_bits(bits as u32 | sign)).collect::<Vec<_>>());
    }
}

/// The standard library's f64 functions, themselves a unit or two off, are the only truth at hand here.
#[test]
fn sigmoid_and_tanh_of_f64_are_as_close() {
    let mut random = Random::new(1);
    let mut inputs = vec![0.0, 1e-300, -1e-300, f64::MIN_POSITIVE, 5e-324, 19.0, 20.0, 708.0, 1e300];
    for exponent in -60..=9 {
        inputs.extend(random.reals::<f64>(2000).into_iter().map(|x| x * 2f64.powi(exponent)));
    }
    let (mut tanh, mut sigmoids) = (inputs.clone(), inputs.clone());
    tanh_in_place(InstructionSet::PORTABLE, &mut tanh);
    sigmoid_in_place(InstructionSet::PORTABLE, &mut sigmoids);
    for ((x, tanh), found) in inputs.iter().zip(tanh).zip(sigmoids) {
        assert!(units(tanh, x.tanh()) <= DOCUMENTED_UNITS + 2.0, "tanh of {x:e} is {tanh:e}");
        assert!(units(found, sigmoid(*x)) <= DOCUMENTED_UNITS + 2.0, "sigmoid of {x:e} is {found:e}");
    }
}

#[test]
fn sigmoid_and_tanh_saturate_and_pass_nan_on() {
    fn check<E: Number + Guard>(set: InstructionSet) {
        let limit = E::EXPONENTIAL_LIMIT;
        let huge = E::INFINITY;
        let inputs = [E::NAN, huge, -huge, E::from_f64(1e38), E::from_f64(-1e38), limit, -limit, E::ZERO];
        let what = case::<E>(set, "saturation");
        let mut tanh = inputs;
        tanh_in_place(set, &mut tanh);
        assert!(tanh[0].to_f64().is_nan(), "{what}");
        assert_exact(&tanh[1..], &[1.0, -1.0, 1.0, -1.0, 1.0, -1.0, 0.0], &what);
        let mut sigmoid = inputs;
        sigmoid_in_place(set, &mut sigmoid);
        assert!(sigmoid[0].to_f64().is_nan(), "{what}");
        let floor = sigmoid[6].to_f64();
        assert_exact(&sigmoid[1..], &[1.0, floor, 1.0, floor, 1.0, floor, 0.5], &what);
        assert!(floor > 0.0 && floor <= 1.001 * (-limit.to_f64()).exp(), "{what}: {floor:e}");
    }
    on_every_set!(check);
}

#[test]
fn slices_of_any_length_and_place_give_the_same_bits() {
    fn check<E: Number + Guard>(set: InstructionSet) {
        let mut random = Random::new(2);
        type InPlace<E> = fn(InstructionSet, &mut [E]);
        let functions: [(&str, InPlace<E>); 3] =
            [("sigmoid", sigmoid_in_place), ("tanh", tanh_in_place), ("relu", relu_in_place)];
        for (name, function) in functions {
            let inputs: Vec<E> = random.reals::<E>(100).into_iter().map(|x| x * E::from_f64(9.0)).collect();
            let one_by_one: Vec<E> = inputs
                .iter()
                .map(|x| {
                    let mut value = [*x];
                    function(set, &mut value);
                    value[0]
                })
                .collect();
            for length in 0..=70 {
                for offset in [0, 1, 3] {
                    let mut values = Guarded::output(&inputs[offset..][..length], offset);
                    function(set, &mut values);
                    let what = case::<E>(set, format!("{name} of {length} from {offset}"));
                    assert_same_bits(&values, &one_by_one[offset..][..length], what);
                }
            }
        }
    }
    on_every_set!(check);
}

#[test]
fn relu_keeps_what_is_above_zero_and_nan() {
    fn check<E: Number + Guard>(set: InstructionSet) {
        let tiny = E::from_f64(E::SMALLEST_NORMAL);
        let inputs = [E::NAN, E::INFINITY, -E::INFINITY, tiny, -tiny, E::ZERO, -E::ZERO, E::ONE, -E::ONE];
        let mut found = inputs;
        relu_in_place(set, &mut found);
        let what = case::<E>(set, "relu");
        assert!(found[0].to_f64().is_nan(), "{what}");
        assert_exact(&found[1..], &[f64::INFINITY, 0.0, tiny.to_f64(), 0.0, 0.0, 0.0, 1.0, 0.0], &what);
    }
    on_every_set!(check);
}

#[test]
fn sums_of_two_are_those_of_each_pair() {
    fn check<E: Number + Guard>(set: InstructionSet) {
        let mut random = Random::new(8);
        for length in 0..70 {
            let [mut one, other] = [random.reals::<E>(length), random.reals::<E>(length)];
            if length > 3 {
                one[length / 2] = E::NAN;
            }
            let (one, other) = (Guarded::input(&one, 1), Guarded::input(&other, 3));
            for relu in [false, true] {
                let mut output = Guarded::stale(length, 2);
                add(set, &one, &other, relu, &mut output);
                for (at, found) in output.iter().enumerate() {
                    let sum = one[at] + other[at];
                    let expected = if relu && sum <= E::ZERO { E::ZERO } else { sum };
                    let is_right = *found == expected || found.is_nan() && expected.is_nan();
                    assert!(is_right, "{at} of {length}, ReLU {relu}: {found} for {expected}");
                }
            }
        }
    }
    on_every_set!(check);
}

#[test]
fn relu_backward_gates_by_the_output() {
    fn check<E: Number + Guard>(set: InstructionSet) {
        let mut random = Random::new(3);
        for length in 0..=70 {
            let mut output = random.whole::<E>(length, 2);
            relu_in_place(set, &mut output);
            let gradient = random.whole::<E>(length, 9);
            let expected: Vec<f64> = output
                .iter()
                .zip(&gradient)
                .map(|(output, gradient)| if output.to_f64() == 0.0 { 0.0 } else { gradient.to_f64() })
                .collect();
            let output = Guarded::input(&output, 1);
            let mut gradient = Guarded::output(&gradient, 3);
            relu_backward(set, &output, &mut gradient);
            assert_exact(&gradient, &expected, case::<E>(set, length));
        }
        // A NaN behind an open gate goes on; behind a closed one there is no gradient at all.
        let mut gradient = [E::NAN; 3];
        relu_backward(set, &[E::ONE, E::ZERO, -E::ZERO], &mut gradient);
        assert!(gradient[0].to_f64().is_nan(), "{}", case::<E>(set, "NaN"));
        assert_exact(&gradient[1..], &[0.0, 0.0], case::<E>(set, "NaN"));
    }
    on_every_set!(check);
}

#[test]
fn a_bias_is_added_to_every_row_and_columns_are_summed() {
    fn check<E: Number + Guard>(set: InstructionSet) {
        let mut random = Random::new(4);
        for columns in around(4, 9) {
            for rows in [0, 1, 2, 3, 17] {
                let what = case::<E>(set, format!("{rows} rows of {columns}"));
                let bias = random.whole::<E>(columns, 9);
                let values = random.whole::<E>(rows * columns, 9);
                let expected: Vec<f64> = values
                    .iter()
                    .enumerate()
                    .map(|(at, value)| value.to_f64() + bias[at % columns].to_f64())
                    .collect();
                let mut found = Guarded::output(&values, 1);
                add_bias(&Guarded::input(&bias, 1), &mut found);
                assert_exact(&found, &expected, &what);
            }
        }
    }
    on_every_set!(check);
}

#[test]
#[should_panic(expected = "gradient: 3 elements expected, 2 found")]
fn a_gradient_has_the_length_of_the_output() {
    relu_backward(InstructionSet::PORTABLE, &[0.0f32; 3], &mut [0.0; 2]);
}

#[test]
#[should_panic(expected = "5 elements in rows of 2")]
fn a_bias_is_for_whole_rows() {
    add_bias(&[0.0f32; 2], &mut [0.0; 5]);
}
