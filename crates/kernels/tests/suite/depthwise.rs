//! The depthwise convolution, forward and backward, against its definition.

use crate::{
    common::{
        Bounded, Guard, Guarded, Number, Random, assert_exact, assert_within, case, on_every_set, rounding,
    },
    sliding::{shapes, sliding},
};
use kernels::{
    InstructionSet,
    convolution::Activation,
    depthwise::{
        Geometry, backward_input, backward_input_reference, backward_weights, backward_weights_reference,
        forward, forward_reference,
    },
    sliding::Sliding,
};

/// A convolution with its numbers.
struct Problem<E> {
    geometry: Geometry,
    activation: Activation,
    images: usize,
    input: Vec<E>,
    weights: Vec<E>,
    bias: Vec<E>,
    d_output: Vec<E>,
    /// What the gradients of weights and bias are added to.
    before: [Vec<E>; 2],
}

/// Outputs, and the derivatives with respect to weights, bias and input.
type Results<T> = [T; 4];

const NAMES: Results<&str> = ["output", "weights", "bias", "input"];

impl<E: Number + Guard> Problem<E> {
    fn new(sliding: &Sliding, images: usize, mut numbers: impl FnMut(usize) -> Vec<E>) -> Self {
        let (channels, weights) = (sliding.size().channels, sliding.taps() * sliding.size().channels);
        Self {
            geometry: Geometry::new(sliding.clone()),
            activation: if images.is_multiple_of(2) { Activation::Relu } else { Activation::Linear },
            images,
            input: numbers(images * sliding.input_length()),
            weights: numbers(weights),
            bias: numbers(channels),
            d_output: numbers(images * sliding.output_length()),
            before: [numbers(weights), numbers(channels)],
        }
    }

    fn case(&self, set: InstructionSet) -> String {
        case::<E>(set, format!("{} images of {:?}", self.images, self.geometry.sliding()))
    }

    fn map<F: Number + Guard>(&self, of: impl Fn(E) -> F) -> Problem<F> {
        let map = |values: &[E]| values.iter().map(|value| of(*value)).collect::<Vec<F>>();
        Problem {
            geometry: self.geometry.clone(),
            activation: self.activation,
            images: self.images,
            input: map(&self.input),
            weights: map(&self.weights),
            bias: map(&self.bias),
            d_output: map(&self.d_output),
            before: [map(&self.before[0]), map(&self.before[1])],
        }
    }

    fn run(&self, set: InstructionSet) -> Results<Guarded<E>> {
        let geometry = &self.geometry;
        let (input, bias) = (Guarded::input(&self.input, 1), Guarded::input(&self.bias, 3));
        let (weights, d_output) = (Guarded::input(&self.weights, 3), Guarded::input(&self.d_output, 1));
        let mut output = Guarded::stale(self.d_output.len(), 1);
        forward(set, geometry, &input, &weights, &bias, self.activation, &mut output);
        let (mut d_weights, mut d_bias) =
            (Guarded::output(&self.before[0], 1), Guarded::output(&self.before[1], 3));
        backward_weights(set, geometry, &input, &d_output, &mut d_weights, &mut d_bias);
        let mut d_input = Guarded::stale(self.input.len(), 1);
        backward_input(set, geometry, &weights, &d_output, &mut d_input);
        [output, d_weights, d_bias, d_input]
    }
}

impl Problem<f64> {
    fn reference(&self) -> Results<Vec<f64>> {
        let geometry = &self.geometry;
        let [mut d_weights, mut d_bias] = self.before.clone();
        let (mut output, mut d_input) =
            (vec![f64::NAN; self.d_output.len()], vec![f64::NAN; self.input.len()]);
        forward_reference(geometry, &self.input, &self.weights, &self.bias, self.activation, &mut output);
        backward_weights_reference(geometry, &self.input, &self.d_output, &mut d_weights, &mut d_bias);
        backward_input_reference(geometry, &self.weights, &self.d_output, &mut d_input);
        [output, d_weights, d_bias, d_input]
    }
}

/// Whole numbers, whose sums are exact in any order.
fn check_exact<E: Number + Guard>(set: InstructionSet, sizes: impl IntoIterator<Item = (Sliding, usize)>) {
    let mut random = Random::new(1);
    for (sliding, images) in sizes {
        let problem = Problem::<E>::new(&sliding, images, |length| random.whole(length, 4));
        let expected = problem.map(E::to_f64).reference();
        for ((found, expected), name) in problem.run(set).iter().zip(&expected).zip(NAMES) {
            assert_exact(found, expected, format!("{name}, {}", problem.case(set)));
        }
    }
}

#[test]
fn any_kernel_stride_and_dilation_is_exact() {
    fn check<E: Number + Guard>(set: InstructionSet) {
        let with_images =
            |sliding| [(2, &sliding), (1, &sliding)].map(|(n, s): (usize, &Sliding)| (s.clone(), n));
        check_exact::<E>(set, shapes(5).into_iter().flat_map(with_images));
        check_exact::<E>(set, shapes(17).into_iter().map(|sliding| (sliding, 1)));
    }
    on_every_set!(check);
}

/// Around every number of vectors of channels, of columns, and of the taps that are summed at once.
#[test]
fn any_number_of_channels_columns_and_taps_is_exact() {
    fn check<E: Number + Guard>(set: InstructionSet) {
        let channels = (1..=18).chain([23, 31, 32, 33, 48, 63, 64, 65]);
        check_exact::<E>(set, channels.map(|channels| (sliding([4, 9, channels], [3, 3], [1, 1]), 2)));
        check_exact::<E>(set, (3..=36).map(|width| (sliding([3, width, 3], [2, 3], [1, 1]), 1)));
        check_exact::<E>(set, (3..=36).map(|width| (sliding([3, width, 3], [2, 3], [2, 1]), 1)));
        let kernels = (1..=7).flat_map(|rows| (1..=7).map(move |columns| [rows, columns]));
        check_exact::<E>(set, kernels.map(|kernel| (sliding([9, 10, 9], kernel, [1, 1]), 2)));
        check_exact::<E>(set, [0, 3, 17].map(|images| (sliding([5, 6, 4], [3, 3], [2, 1]), images)));
    }
    on_every_set!(check);
}

#[test]
fn results_of_reals_err_by_their_roundings_only() {
    fn check<E: Number + Guard>(set: InstructionSet) {
        let mut random = Random::new(2);
        for sliding in [sliding([16, 16, 40], [3, 3], [1, 1]), sliding([17, 15, 33], [5, 3], [2, 2])] {
            let mut problem = Problem::<E>::new(&sliding, 3, |length| random.reals(length));
            problem.activation = Activation::Linear;
            let values = problem.map(E::to_f64).reference();
            let magnitudes = problem.map(|value| value.to_f64().abs()).reference();
            // The longest of all the sums, and the value that it is added to.
            let longest = (3 * sliding.positions()).max(sliding.taps()) + 1;
            let error = 1.01 * (longest + 1) as f64 * rounding::<E>();
            for (index, found) in problem.run(set).iter().enumerate() {
                let bounds = values[index].iter().zip(&magnitudes[index]);
                let expected: Vec<Bounded> = bounds
                    .map(|(value, magnitude)| Bounded { value: *value, error: error * magnitude })
                    .collect();
                assert_within(found, &expected, format!("{}, {}", NAMES[index], problem.case(set)));
            }
        }
    }
    on_every_set!(check);
}

/// 0 · NaN is not 0, so that every sum over what is not a number shows it, and no other does; nor does a ReLU hide it.
#[test]
fn a_nan_reaches_what_is_summed_from_it_and_nothing_else() {
    fn check<E: Number + Guard>(set: InstructionSet) {
        let sliding = sliding([7, 9, 20], [2, 3], [2, 1]);
        type Poison<E> = fn(&mut Problem<E>);
        let poisons: [Poison<E>; 5] = [
            |problem| problem.input[100] = E::NAN,
            |problem| problem.input[37] = E::INFINITY,
            |problem| problem.weights[40] = E::NAN,
            |problem| problem.bias[17] = E::NAN,
            |problem| problem.d_output[77] = E::NAN,
        ];
        for poison in poisons {
            let mut problem = Problem::<E>::new(&sliding, 2, |length| Random::new(3).whole(length, 3));
            poison(&mut problem);
            let expected = problem.map(E::to_f64).reference();
            for ((found, expected), name) in problem.run(set).iter().zip(&expected).zip(NAMES) {
                for (at, (found, expected)) in found.iter().zip(expected).enumerate() {
                    let (found, context) = (found.to_f64(), format!("{name} {at}, {}", problem.case(set)));
                    assert!(found == *expected || found.is_nan() && expected.is_nan(), "{context}: {found}");
                }
            }
        }
    }
    on_every_set!(check);
}

/// By hand: two channels, two taps a column apart but one.
#[test]
fn the_reference_is_the_definition() {
    let geometry = Geometry::new(sliding([1, 4, 2], [1, 2], [1, 2]));
    assert_eq!(geometry.forward_flops(), 2 * 4 * 2);
    let input = [1.0, 10.0, 2.0, 20.0, 3.0, 30.0, 4.0, 40.0];
    let (weights, bias) = ([5.0, 0.5, 7.0, -1.0], [100.0, 0.0]);
    let mut output = [f64::NAN; 4];
    // 100 + 5·1 + 7·3, 0.5·10 − 30; 100 + 5·2 + 7·4, 0.5·20 − 40.
    for (activation, expected) in
        [(Activation::Linear, [126.0, -25.0, 138.0, -30.0]), (Activation::Relu, [126.0, 0.0, 138.0, 0.0])]
    {
        forward_reference(&geometry, &input, &weights, &bias, activation, &mut output);
        assert_eq!(output, expected);
    }
}

/// One element more or less than a problem of two images has; input, weights, bias and output, then the gradients in
/// that order.
fn lengths(change: [isize; 7]) {
    let set = InstructionSet::PORTABLE;
    let geometry = Geometry::new(sliding([4, 4, 3], [2, 2], [2, 1]));
    let zeros = |index: usize, exact: usize| vec![0.0f32; (exact as isize + change[index]) as usize];
    let [input, weights, bias, mut output] = [zeros(0, 96), zeros(1, 12), zeros(2, 3), zeros(3, 24)];
    forward(set, &geometry, &input, &weights, &bias, Activation::Linear, &mut output);
    let (mut d_weights, mut d_bias, mut d_input) = (zeros(4, 12), zeros(5, 3), zeros(6, 96));
    backward_weights(set, &geometry, &input, &output, &mut d_weights, &mut d_bias);
    backward_input(set, &geometry, &weights, &output, &mut d_input);
}

macro_rules! wrong_lengths {
    ($($name:ident: $change:expr, $message:literal;)*) => {$(
        #[test]
        #[should_panic(expected = $message)]
        fn $name() {
            lengths($change);
        }
    )*};
}
wrong_lengths! {
    part_of_an_image: [1, 0, 0, 0, 0, 0, 0], "input: 96 elements expected, 97 found";
    a_weight_too_few: [0, -1, 0, 0, 0, 0, 0], "weights: 12 elements expected, 11 found";
    a_bias_too_many: [0, 0, 1, 0, 0, 0, 0], "bias: 3 elements expected, 4 found";
    an_output_too_few: [0, 0, 0, -1, 0, 0, 0], "output: 24 elements expected, 23 found";
    a_weight_gradient_too_few: [0, 0, 0, 0, -1, 0, 0], "d_weights: 12 elements expected, 11 found";
    a_bias_gradient_too_many: [0, 0, 0, 0, 0, 1, 0], "d_bias: 3 elements expected, 4 found";
    an_input_gradient_too_few: [0, 0, 0, 0, 0, 0, -1], "d_input: 48 elements expected, 95 found";
}
