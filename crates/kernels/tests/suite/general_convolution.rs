//! Convolution the general way, forward and backward, against its definition.

use crate::{
    common::{
        Bounded, Guard, Guarded, Number, Random, assert_exact, assert_same_bits, assert_within, case,
        on_every_set, rounding,
    },
    sliding::{shapes, sliding},
};
use kernels::{
    InstructionSet,
    convolution::{
        Derivatives,
        general::{
            Geometry, backward, backward_reference, forward, forward_reference, pack_weights,
            packed_weights_length, workspace_length,
        },
    },
    matmul::Output,
};

/// A convolution with its numbers.
struct Problem<E> {
    geometry: Geometry,
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

impl<E: Number + Guard> Problem<E> {
    fn new(geometry: Geometry, images: usize, mut numbers: impl FnMut(usize) -> Vec<E>) -> Self {
        let (filters, weights) = (geometry.filters(), geometry.filters() * geometry.filter_length());
        Self {
            images,
            input: numbers(images * geometry.input_length()),
            weights: numbers(weights),
            bias: numbers(filters),
            d_output: numbers(images * geometry.output_length()),
            before: [numbers(weights), numbers(filters)],
            geometry,
        }
    }

    fn case(&self, set: InstructionSet) -> String {
        case::<E>(set, format!("{} images of {:?}", self.images, self.geometry))
    }

    /// The same with other numbers.
    fn map<F: Number + Guard>(&self, of: impl Fn(E) -> F) -> Problem<F> {
        let map = |values: &[E]| values.iter().map(|value| of(*value)).collect::<Vec<F>>();
        Problem {
            geometry: self.geometry.clone(),
            images: self.images,
            input: map(&self.input),
            weights: map(&self.weights),
            bias: map(&self.bias),
            d_output: map(&self.d_output),
            before: [map(&self.before[0]), map(&self.before[1])],
        }
    }

    fn run(&self, set: InstructionSet) -> Results<Guarded<E>> {
        self.run_onto(set, Guarded::stale(self.input.len(), 1), Output::Overwrite)
    }

    fn run_onto(
        &self,
        set: InstructionSet,
        mut d_input: Guarded<E>,
        into_input: Output,
    ) -> Results<Guarded<E>> {
        let geometry = &self.geometry;
        let mut packed = Guarded::stale(packed_weights_length::<E>(set, geometry), 1);
        pack_weights(set, geometry, &self.weights, &mut packed);
        let (input, bias) = (Guarded::input(&self.input, 1), Guarded::input(&self.bias, 3));
        let mut workspace = Guarded::stale(workspace_length::<E>(geometry, self.images), 1);
        let mut output = Guarded::stale(self.d_output.len(), 1);
        forward(set, geometry, &input, &packed, &bias, &mut output, &mut workspace, 1);
        // Backward counts on nothing that forward has left there.
        let mut workspace = Guarded::stale(workspace_length::<E>(geometry, self.images), 1);
        let [weights, bias] = &self.before;
        let (mut d_weights, mut d_bias) = (Guarded::output(weights, 1), Guarded::output(bias, 3));
        let derivatives = Derivatives {
            weights: &mut d_weights,
            bias: Some(&mut d_bias),
            input: Some(&mut d_input),
            into_input,
        };
        let (weights, d_output) = (Guarded::input(&self.weights, 3), Guarded::input(&self.d_output, 1));
        backward(set, geometry, &input, &weights, &d_output, derivatives, &mut workspace);
        [output, d_weights, d_bias, d_input]
    }
}

impl Problem<f64> {
    fn reference(&self) -> Results<Vec<f64>> {
        let geometry = &self.geometry;
        let [mut d_weights, mut d_bias] = self.before.clone();
        let (mut output, mut d_input) =
            (vec![f64::NAN; self.d_output.len()], vec![f64::NAN; self.input.len()]);
        forward_reference(geometry, &self.input, &self.weights, &self.bias, &mut output);
        let derivatives = Derivatives {
            weights: &mut d_weights,
            bias: Some(&mut d_bias),
            input: Some(&mut d_input),
            into_input: Output::Overwrite,
        };
        backward_reference(geometry, &self.input, &self.weights, &self.d_output, derivatives);
        [output, d_weights, d_bias, d_input]
    }
}

const NAMES: Results<&str> = ["output", "weights", "bias", "input"];

/// Whole numbers, whose sums are exact in any order.
fn check_exact<E: Number + Guard>(set: InstructionSet, sizes: impl IntoIterator<Item = (Geometry, usize)>) {
    let mut random = Random::new(1);
    for (geometry, images) in sizes {
        let problem = Problem::<E>::new(geometry, images, |length| random.whole(length, 4));
        let expected = problem.map(E::to_f64).reference();
        let found = problem.run(set);
        for ((found, expected), name) in found.iter().zip(&expected).zip(NAMES) {
            assert_exact(found, expected, format!("{name}, {}", problem.case(set)));
        }
        let before: Vec<E> = random.whole(problem.input.len(), 9);
        let [.., onto] = problem.run_onto(set, Guarded::output(&before, 1), Output::Accumulate);
        let expected: Vec<f64> =
            before.iter().zip(&expected[3]).map(|(before, value)| before.to_f64() + value).collect();
        assert_exact(&onto, &expected, format!("input added to, {}", problem.case(set)));
    }
}

#[test]
fn any_kernel_stride_dilation_and_grouping_is_exact() {
    fn check<E: Number + Guard>(set: InstructionSet) {
        let grouped = |sliding| {
            [(4, 1), (6, 2), (6, 6)].map(|(filters, groups)| (sliding_groups(&sliding, filters, groups), 2))
        };
        check_exact::<E>(set, shapes(6).into_iter().flat_map(grouped));
    }
    fn sliding_groups(sliding: &kernels::sliding::Sliding, filters: usize, groups: usize) -> Geometry {
        Geometry::new(sliding.clone(), filters, groups)
    }
    on_every_set!(check);
}

/// Around every number of vectors of a group's channels and filters.
#[test]
fn any_number_of_channels_and_filters_is_exact() {
    fn check<E: Number + Guard>(set: InstructionSet) {
        let counts = (1..=18).chain([23, 31, 32, 33, 47, 48, 49, 63, 64, 65, 70]);
        let of = |count: usize| {
            [1, 3].into_iter().flat_map(move |groups| {
                [
                    (Geometry::new(sliding([5, 6, count * groups], [3, 2], [2, 1]), 3 * groups, groups), 1),
                    (Geometry::new(sliding([4, 5, 2 * groups], [2, 2], [1, 2]), count * groups, groups), 1),
                ]
            })
        };
        check_exact::<E>(set, counts.flat_map(of));
    }
    on_every_set!(check);
}

/// Borders that lie in no memory, also such that whole taps, runs and patches are border.
#[test]
fn any_border_is_exact() {
    fn check<E: Number + Guard>(set: InstructionSet) {
        let mut sizes = Vec::new();
        for border in [[0, 1], [1, 0], [1, 1], [2, 3], [3, 2]] {
            for (kernel, steps) in [([3, 3], [1, 1]), ([3, 3], [2, 1]), ([1, 1], [2, 1]), ([2, 3], [1, 2])] {
                for (channels, filters, groups) in [(3, 5, 1), (16, 17, 1), (4, 6, 2)] {
                    let sliding = sliding([8, 9, channels], kernel, steps);
                    sizes.push((Geometry::new(sliding, filters, groups).without_border(border), 3));
                }
            }
        }
        check_exact::<E>(set, sizes);
    }
    on_every_set!(check);
}

#[test]
#[should_panic(expected = "a border of [1, 3]")]
fn a_border_that_leaves_nothing() {
    Geometry::new(sliding([5, 6, 4], [3, 3], [1, 1]), 4, 1).without_border([1, 3]);
}

/// Blocks of positions that end within an image, and images of one position.
#[test]
fn any_number_of_positions_and_images_is_exact() {
    fn check<E: Number + Guard>(set: InstructionSet) {
        let mut sizes = Vec::new();
        for images in [0, 1, 2, 5, 16, 17, 49] {
            sizes.push((Geometry::new(sliding([3, 3, 2], [3, 3], [1, 1]), 5, 1), images));
            sizes.push((Geometry::new(sliding([4, 3, 4], [2, 1], [2, 1]), 6, 2), images));
        }
        // Patches of 288 and of 2,000 elements: 170 and 85 positions a block in float32, 48 at least.
        sizes.push((Geometry::new(sliding([18, 19, 32], [3, 3], [1, 2]), 4, 1), 2));
        sizes.push((Geometry::new(sliding([13, 12, 80], [5, 5], [1, 1]), 2, 1), 2));
        check_exact::<E>(set, sizes);
    }
    on_every_set!(check);
}

#[test]
fn results_of_reals_err_by_their_roundings_only() {
    fn check<E: Number + Guard>(set: InstructionSet) {
        let mut random = Random::new(2);
        for (geometry, images) in [
            (Geometry::new(sliding([15, 15, 32], [3, 3], [2, 1]), 64, 1), 3),
            (Geometry::new(sliding([14, 13, 24], [5, 3], [1, 2]), 36, 4), 2),
        ] {
            let problem = Problem::<E>::new(geometry, images, |length| random.reals(length));
            let (values, magnitudes) =
                (problem.map(E::to_f64).reference(), problem.map(|value| value.to_f64().abs()).reference());
            // The longest of all the sums, of this many products and the value that they are added to.
            let positions = images * problem.geometry.sliding().positions();
            let filters_by_taps = problem.geometry.filters() * problem.geometry.sliding().taps();
            let longest = problem.geometry.filter_length().max(positions).max(filters_by_taps) + 1;
            for (index, found) in problem.run(set).iter().enumerate() {
                let bounds = values[index].iter().zip(&magnitudes[index]);
                let error = 1.01 * (longest + 1) as f64 * rounding::<E>();
                let expected: Vec<Bounded> = bounds
                    .map(|(value, magnitude)| Bounded { value: *value, error: error * magnitude })
                    .collect();
                assert_within(found, &expected, format!("{}, {}", NAMES[index], problem.case(set)));
            }
        }
    }
    on_every_set!(check);
}

#[test]
fn images_in_slices_give_the_same_bits() {
    fn check<E: Number + Guard>(set: InstructionSet) {
        let geometry = Geometry::new(sliding([7, 9, 6], [3, 2], [2, 2]), 10, 2);
        let problem = Problem::<E>::new(geometry, 9, |length| Random::new(length as u64).reals(length));
        let [whole, ..] = problem.run(set);
        let geometry = &problem.geometry;
        for count in 1..9 {
            let inputs = problem.input.chunks(count * geometry.sliding().input_length());
            let outputs = whole.chunks(count * geometry.output_length());
            for (input, expected) in inputs.zip(outputs) {
                let images = input.len() / geometry.sliding().input_length();
                let mut part = problem.map(|value| value);
                (part.images, part.input) = (images, input.to_vec());
                part.d_output.truncate(images * geometry.output_length());
                let [output, ..] = part.run(set);
                crate::common::assert_same_bits(&output, expected, part.case(set));
            }
        }
    }
    on_every_set!(check);
}

/// 0 · NaN is not 0, so that every sum over what is not a number shows it, and no other does.
#[test]
fn a_nan_reaches_what_is_summed_from_it_and_nothing_else() {
    fn check<E: Number + Guard>(set: InstructionSet) {
        let geometries = [
            Geometry::new(sliding([7, 6, 6], [2, 3], [2, 1]), 8, 2),
            // Positions are lanes: the last columns are read beside positions that there are not.
            Geometry::new(sliding([12, 20, 1], [3, 5], [1, 1]), 6, 1),
        ];
        type Poison<E> = fn(&mut Problem<E>);
        let poisons: [Poison<E>; 6] = [
            |problem| problem.input[100] = E::NAN,
            |problem| problem.input[39] = E::NAN,
            |problem| *problem.input.last_mut().expect("a pixel") = E::NAN,
            |problem| problem.weights[40] = E::NAN,
            |problem| problem.bias[5] = E::NAN,
            |problem| problem.d_output[77] = E::NAN,
        ];
        for (geometry, poison) in
            geometries.iter().flat_map(|geometry| poisons.map(|poison| (geometry.clone(), poison)))
        {
            let mut problem = Problem::<E>::new(geometry, 2, |length| Random::new(3).whole(length, 3));
            poison(&mut problem);
            let expected = problem.map(E::to_f64).reference();
            for ((found, expected), name) in problem.run(set).iter().zip(&expected).zip(NAMES) {
                for (at, (found, expected)) in found.iter().zip(expected).enumerate() {
                    assert_eq!(found.is_nan(), expected.is_nan(), "{name} {at}, {}", problem.case(set));
                }
            }
        }
    }
    on_every_set!(check);
}

/// Few channels and filters, whose positions are lanes: one vector of them and several, whole and in part, with and without a border.
#[test]
fn few_channels_and_filters_are_exact() {
    fn check<E: Number + Guard>(set: InstructionSet) {
        let sizes = [[1, 1], [1, 4], [1, 5], [1, 9], [1, 12], [1, 16], [2, 6], [3, 4], [4, 3]];
        let images = [
            ([28, 28], [5, 5]),
            ([20, 33], [3, 3]),
            ([9, 16], [1, 1]),
            ([14, 22], [7, 6]),
            ([36, 30], [2, 8]),
        ];
        let problems = sizes.into_iter().flat_map(|[channels, filters]| {
            images.into_iter().flat_map(move |([height, width], kernel)| {
                let size = sliding([height, width, channels], kernel, [1, 1]);
                let geometry = Geometry::new(size.clone(), filters, 1);
                let inner = Geometry::new(size, filters, 1).without_border([1, 2]);
                [(geometry, 3), (inner, 2)]
            })
        });
        check_exact::<E>(set, problems);
    }
    on_every_set!(check);
}

/// Strides, dilation, groups, a border, and fewer positions than threads, all worth several threads.
#[test]
fn an_image_has_the_same_bits_by_any_number_of_threads() {
    fn check<E: Number + Guard>(set: InstructionSet) {
        let mut random = Random::new(5);
        for geometry in [
            Geometry::new(sliding([21, 20, 24], [3, 3], [2, 1]), 40, 1),
            Geometry::new(sliding([18, 19, 24], [3, 3], [1, 2]), 48, 3).without_border([2, 2]),
            Geometry::new(sliding([13, 20, 80], [1, 1], [2, 1]), 130, 1),
            Geometry::new(sliding([12, 11, 60], [11, 10], [1, 1]), 70, 1),
        ] {
            let problem = Problem::<E>::new(geometry, 1, |length| random.reals(length));
            let geometry = &problem.geometry;
            let mut packed = Guarded::stale(packed_weights_length::<E>(set, geometry), 1);
            pack_weights(set, geometry, &problem.weights, &mut packed);
            let by = |threads: usize| {
                let mut workspace = Guarded::stale(workspace_length::<E>(geometry, 1), 1);
                let mut output = Guarded::stale(problem.d_output.len(), 1);
                let (input, bias) = (&problem.input, &problem.bias);
                forward(set, geometry, input, &packed, bias, &mut output, &mut workspace, threads);
                output
            };
            let alone = by(1);
            for threads in [2, 3, 8, 64] {
                let what = format!("{threads} threads, {}", problem.case(set));
                assert_same_bits(&by(threads), &alone, &what);
            }
        }
    }
    on_every_set!(check);
}

/// By hand: two groups, each of one channel and one filter of two taps a column apart but one.
#[test]
fn the_reference_is_the_definition() {
    let geometry = Geometry::new(sliding([1, 4, 2], [1, 2], [1, 2]), 2, 2);
    assert_eq!((geometry.output_length(), geometry.filter_length(), geometry.groups()), (4, 2, 2));
    assert_eq!(geometry.forward_flops(), 2 * 4 * 2);
    let input = [1.0, 10.0, 2.0, 20.0, 3.0, 30.0, 4.0, 40.0];
    let mut output = [f64::NAN; 4];
    forward_reference(&geometry, &input, &[5.0, 7.0, 0.5, -1.0], &[100.0, 0.0], &mut output);
    // 100 + 5·1 + 7·3, 0.5·10 − 30; 100 + 5·2 + 7·4, 0.5·20 − 40.
    assert_eq!(output, [126.0, -25.0, 138.0, -30.0]);
}

#[test]
#[should_panic(expected = "5 channels and 4 filters in 2 groups")]
fn channels_that_no_groups_share() {
    Geometry::new(sliding([3, 3, 5], [1, 1], [1, 1]), 4, 2);
}

#[test]
#[should_panic(expected = "4 filters in 0 groups")]
fn no_groups() {
    Geometry::new(sliding([3, 3, 5], [1, 1], [1, 1]), 4, 0);
}

/// One element more or less than a problem of two images has; in the order of the arguments of `forward`, then of
/// `backward`'s derivatives.
fn lengths(change: [isize; 8]) {
    let set = InstructionSet::PORTABLE;
    let geometry = Geometry::new(sliding([4, 4, 1], [1, 1], [1, 1]), 4, 1);
    let zeros = |index: usize, exact: usize| vec![0.0f32; (exact as isize + change[index]) as usize];
    let [input, packed, bias, mut output] = [zeros(0, 32), zeros(1, 4), zeros(2, 4), zeros(3, 128)];
    let mut workspace = zeros(4, workspace_length::<f32>(&geometry, 2));
    forward(set, &geometry, &input, &packed, &bias, &mut output, &mut workspace, 1);
    let (mut d_weights, mut d_bias, mut d_input) = (zeros(5, 4), zeros(6, 4), zeros(7, 32));
    let derivatives = Derivatives {
        weights: &mut d_weights,
        bias: Some(&mut d_bias),
        input: Some(&mut d_input),
        into_input: Output::Overwrite,
    };
    backward(set, &geometry, &input, &[0.0; 4], &output, derivatives, &mut workspace);
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
    part_of_an_image: [1, 0, 0, 0, 0, 0, 0, 0], "input: 32 elements expected, 33 found";
    panels_of_another_shape: [0, -4, 0, 0, 0, 0, 0, 0], "packed_weights: 4 elements expected, 0 found";
    a_bias_too_many: [0, 0, 1, 0, 0, 0, 0, 0], "bias: 4 elements expected, 5 found";
    an_output_too_few: [0, 0, 0, -1, 0, 0, 0, 0], "output: 128 elements expected, 127 found";
    a_workspace_too_short: [0, 0, 0, 0, -1, 0, 0, 0], "workspace: at least 32 elements expected, 31 found";
    a_weight_gradient_too_few: [0, 0, 0, 0, 0, -1, 0, 0], "d_weights: 4 elements expected, 3 found";
    a_bias_gradient_too_many: [0, 0, 0, 0, 0, 0, 1, 0], "d_bias: 4 elements expected, 5 found";
    an_input_gradient_too_few: [0, 0, 0, 0, 0, 0, 0, -1], "d_input: 32 elements expected, 31 found";
}
