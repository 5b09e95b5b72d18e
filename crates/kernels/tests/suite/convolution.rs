//! The fused convolution, forward, against its definition.

use crate::common::{
    Bounded, Guard, Number, Random, Sum, assert_exact, assert_same_bits, case, on_every_set,
    problem::{self, Problem, plain, pooled},
};
use kernels::{
    InstructionSet,
    convolution::{
        Activation, Geometry, OutputGradient, Size, backward_input, backward_weights, forward,
        forward_reference, pack_weights, packed_weights_length,
    },
    matmul::Output,
};

/// Outputs and winners of whole numbers, to the bit.
fn check_exact<E: Number + Guard>(set: InstructionSet, sizes: &[(Size, usize)]) {
    let mut random = Random::new(1);
    for ((size, images), dark) in sizes.iter().flat_map(|size| [(size, false), (size, true)]) {
        let mut problem = Problem::<E>::whole(*size, *images, &mut random);
        if dark {
            problem.darken(&mut random);
        }
        let expected: Vec<(f64, u8)> =
            (0..problem.outputs()).map(|output| problem.winner(&problem.candidates(output))).collect();
        let (output, winners) = problem.forward(set);
        assert_exact(
            &output,
            &expected.iter().map(|(value, _)| *value).collect::<Vec<_>>(),
            problem.case(set),
        );
        let expected: Vec<u8> = expected.iter().map(|(_, winner)| *winner).collect();
        assert_eq!(*winners, *expected, "{}", problem.case(set));
        for threads in [1, 2, 7] {
            let what = format!("{threads} threads, {}", problem.case(set));
            assert_same_bits(&problem.infer(set, threads), &output, &what);
        }
    }
}

macro_rules! exact {
    ($($name:ident: $sizes:ident,)*) => {$(
        #[test]
        fn $name() {
            fn check<E: Number + Guard>(set: InstructionSet) {
                check_exact::<E>(set, &problem::$sizes());
            }
            on_every_set!(check);
        }
    )*};
}
exact! {
    any_kernel_stride_and_pool_is_exact: shapes,
    any_number_of_filters_is_exact: filters,
    any_length_of_a_kernel_row_is_exact: runs,
    any_number_of_windows_and_images_is_exact: windows,
    any_size_of_the_weights_is_exact: weights,
    a_winner_fills_its_byte: large_pools,
}

#[test]
fn the_reference_is_the_definition() {
    let mut random = Random::new(2);
    for (size, images) in problem::shapes() {
        let problem = Problem::<f64>::whole(size, images, &mut random);
        let (mut output, mut winners) = (vec![f64::NAN; problem.outputs()], vec![0xA5; problem.outputs()]);
        let Problem { geometry, input, weights, bias, .. } = &problem;
        forward_reference(geometry, input, weights, bias, &mut output, &mut winners);
        for (at, (output, winner)) in output.iter().zip(&winners).enumerate() {
            assert_eq!((*output, *winner), problem.winner(&problem.candidates(at)), "{size:?} {at}");
        }
    }
}

#[test]
fn outputs_of_reals_err_by_their_roundings_only() {
    fn check<E: Number + Guard>(set: InstructionSet) {
        let mut random = Random::new(3);
        let study = [
            pooled(plain([28, 28, 1], 32, [3, 3]), [2, 2]),
            pooled(plain([13, 13, 7], 64, [3, 3]), [2, 2]),
            pooled(plain([12, 11, 24], 32, [5, 5]), [2, 2]),
        ];
        for activation in [Activation::Relu, Activation::Linear] {
            for size in study {
                let problem = Problem::<E>::reals(Size { activation, ..size }, 1, &mut random);
                let (output, winners) = problem.forward(set);
                for (at, (found, winner)) in output.iter().zip(winners.iter()).enumerate() {
                    let mut candidates: Vec<Bounded> =
                        problem.candidates(at).into_iter().map(Sum::bounded::<E>).collect();
                    if activation == Activation::Relu {
                        candidates.push(Bounded::default());
                    }
                    let found = found.to_f64();
                    let winner = candidates[usize::from(*winner)];
                    assert!((found - winner.value).abs() <= winner.error, "{} {at}", problem.case(set));
                    // Two maxima may be too close for the roundings to tell apart.
                    for other in candidates {
                        assert!(other.value - other.error <= found, "{} {at}", problem.case(set));
                    }
                }
            }
        }
    }
    on_every_set!(check);
}

#[test]
fn images_in_slices_give_the_same_bits() {
    fn check<E: Number + Guard>(set: InstructionSet) {
        let mut random = Random::new(4);
        for (size, images) in [
            (pooled(plain([7, 9, 3], 70, [3, 2]), [2, 2]), 9),
            (plain([3, 4, 5], 13, [2, 2]), 14),
            (pooled(plain([5, 5, 1], 33, [2, 2]), [4, 4]), 13),
            (pooled(plain([7, 9, 11], 70, [3, 3]), [2, 2]), 9),
        ] {
            let problem = Problem::<E>::reals(size, images, &mut random);
            let (whole, whole_winners) = problem.forward(set);
            let (packed, geometry) = (problem.packed(set), &problem.geometry);
            let mut workspace = problem.workspace(set);
            for count in 1..images {
                let mut output = vec![E::NAN; whole.len()];
                let mut winners = vec![0xA5; whole.len()];
                for ((input, output), winners) in problem
                    .input
                    .chunks(count * geometry.input_length())
                    .zip(output.chunks_mut(count * geometry.output_length()))
                    .zip(winners.chunks_mut(count * geometry.output_length()))
                {
                    forward(set, geometry, input, &packed, &problem.bias, output, winners, &mut workspace);
                }
                let what = format!("{count} at once, {}", problem.case(set));
                assert_same_bits(&output, &whole, &what);
                assert_eq!(winners, *whole_winners, "{what}");
            }
        }
    }
    on_every_set!(check);
}

/// Two windows of 2×2 positions and one filter that copies its pixel.
fn copied<E: Number + Guard>(
    set: InstructionSet,
    activation: Activation,
    pixels: [f64; 8],
) -> (Vec<f64>, Vec<u8>) {
    let size = Size { activation, ..pooled(plain([2, 4, 1], 1, [1, 1]), [2, 2]) };
    let problem = Problem {
        size,
        geometry: Geometry::new(size),
        images: 1,
        input: pixels.map(E::from_f64).to_vec(),
        weights: vec![E::ONE],
        bias: vec![E::ZERO],
    };
    let (output, winners) = problem.forward(set);
    (output.iter().map(|value| value.to_f64()).collect(), winners.to_vec())
}

#[test]
fn the_first_of_equal_maxima_wins_and_nothing_at_zero_or_below() {
    fn check<E: Number + Guard>(set: InstructionSet) {
        let what = case::<E>(set, "winners");
        let copied = |activation, pixels| copied::<E>(set, activation, pixels);
        let none = 4;
        for (pixels, relu, linear) in [
            ([1., 1., 2., 3., 1., 1., 3., 3.], ([1., 3.], [0, 1]), ([1., 3.], [0, 1])),
            ([-1., 5., 0., 0., 5., -1., 0., 0.], ([5., 0.], [1, none]), ([5., 0.], [1, 0])),
            ([-3., -2., -9., -9., -2., -4., -7., -8.], ([0., 0.], [none; 2]), ([-2., -7.], [1, 2])),
            ([0., -0., -0., 0., -1., 0., -0., -0.], ([0., 0.], [none; 2]), ([0., 0.], [0, 0])),
        ] {
            assert_eq!(copied(Activation::Relu, pixels), (relu.0.to_vec(), relu.1.to_vec()), "{what}");
            assert_eq!(copied(Activation::Linear, pixels), (linear.0.to_vec(), linear.1.to_vec()), "{what}");
        }
    }
    on_every_set!(check);
}

/// As PyTorch's pooling has it; a maximum that forgets a NaN could even hand a negative number out of a ReLU.
#[test]
fn a_nan_at_any_position_comes_out_of_its_window() {
    fn check<E: Number + Guard>(set: InstructionSet) {
        for activation in [Activation::Relu, Activation::Linear] {
            for at in [0, 1, 4, 5] {
                let mut pixels = [-3.0, 2.0, 3.0, 3.0, 1.0, -2.0, 4.0, 3.0];
                pixels[at] = f64::NAN;
                let (output, winners) = copied::<E>(set, activation, pixels);
                let what = case::<E>(set, format!("{activation:?}, pixel {at}"));
                assert!(output[0].is_nan(), "{what}: {output:?} from {winners:?}");
                assert_eq!((output[1], winners[1]), (4.0, 2), "{what}");
                // The gradient follows the NaN.
                assert_eq!(usize::from(winners[0]), at / 4 * 2 + at % 4, "{what}");
            }
        }
    }
    on_every_set!(check);
}

/// Nothing exceeds what a maximum without a ReLU begins at, and still the first position has won.
#[test]
fn a_window_of_negative_infinities_is_won_by_its_first_position() {
    fn check<E: Number + Guard>(set: InstructionSet) {
        let low = f64::NEG_INFINITY;
        let (output, winners) =
            copied::<E>(set, Activation::Linear, [low, low, 3.0, 3.0, low, low, 4.0, 3.0]);
        assert_eq!((output[0], winners[0]), (low, 0), "{}", case::<E>(set, "infinite"));
        assert_eq!((output[1], winners[1]), (4.0, 2), "{}", case::<E>(set, "finite"));
    }
    on_every_set!(check);
}

#[test]
fn a_nan_weight_or_bias_reaches_its_filter_and_no_other() {
    fn check<E: Number + Guard>(set: InstructionSet) {
        for activation in [Activation::Relu, Activation::Linear] {
            let size = Size { activation, ..pooled(plain([6, 5, 3], 70, [3, 2]), [2, 2]) };
            for filter in [0, 15, 16, 63, 64, 69] {
                for value in [E::NAN, E::INFINITY] {
                    let mut problem = Problem::<E>::whole(size, 2, &mut Random::new(5));
                    // Against zeros, though no patch is all zeros: 0 · ∞ and 0 · NaN are not 0.
                    problem
                        .input
                        .chunks_exact_mut(3)
                        .for_each(|pixel| pixel.copy_from_slice(&[E::ONE, E::ZERO, E::ZERO]));
                    problem.weights[filter * 18 + 7] = value;
                    let (output, _) = problem.forward(set);
                    for (at, output) in output.iter().enumerate() {
                        assert_eq!(output.to_f64().is_nan(), at % 70 == filter, "{} {at}", problem.case(set));
                    }
                }
                let mut problem = Problem::<E>::whole(size, 2, &mut Random::new(5));
                problem.bias[filter] = E::NAN;
                let (output, _) = problem.forward(set);
                for (at, output) in output.iter().enumerate() {
                    assert_eq!(output.to_f64().is_nan(), at % 70 == filter, "{} {at}", problem.case(set));
                }
            }
        }
    }
    on_every_set!(check);
}

/// The study's second convolution, by hand: 13 − 3 + 1 = 11 rows, of which five windows read ten.
#[test]
fn a_geometry_counts_its_parts() {
    let geometry = Geometry::new(pooled(plain([13, 13, 32], 64, [3, 3]), [2, 2]));
    assert_eq!((geometry.output_height(), geometry.output_width()), (5, 5));
    assert_eq!((geometry.windows(), geometry.positions()), (25, 4));
    assert_eq!((geometry.input_length(), geometry.output_length()), (13 * 13 * 32, 25 * 64));
    assert_eq!(geometry.filter_length(), 288);
    assert_eq!(geometry.forward_flops(), 2 * 25 * 4 * 64 * 288);
    let strided = Geometry::new(Size { stride: 3, ..pooled(plain([14, 17, 1], 1, [5, 2]), [2, 3]) });
    assert_eq!((strided.output_height(), strided.output_width()), (2, 2));
}

macro_rules! no_geometry {
    ($($name:ident: $size:expr, $message:literal;)*) => {$(
        #[test]
        #[should_panic(expected = $message)]
        fn $name() {
            Geometry::new($size);
        }
    )*};
}
no_geometry! {
    no_channels: plain([3, 3, 0], 1, [1, 1]), "a size of zero";
    no_filters: plain([3, 3, 1], 0, [1, 1]), "a size of zero";
    no_stride: Size { stride: 0, ..plain([3, 3, 1], 1, [1, 1]) }, "a size of zero";
    no_kernel: plain([3, 3, 1], 1, [0, 1]), "kernel of 0 rows on 3";
    no_rows: plain([0, 3, 1], 1, [1, 1]), "kernel of 1 rows on 0";
    a_pool_of_no_positions: pooled(plain([3, 3, 1], 1, [1, 1]), [0, 2]), "a window of 0 positions";
    a_pool_beyond_a_byte: pooled(plain([300, 300, 1], 1, [1, 1]), [5, 51]), "a window of 255 positions";
    a_kernel_too_high: plain([3, 5, 1], 1, [4, 1]), "kernel of 4 rows on 3";
    a_kernel_too_wide: plain([5, 3, 1], 1, [1, 4]), "kernel of 4 columns on 3";
    a_pool_too_large: pooled(plain([5, 3, 1], 1, [2, 2]), [1, 3]), "no pooling window fits";
    an_image_too_large: plain([1 << 16, 1 << 16, 1], 1, [1, 1]), "more than 2^32 elements";
}

/// Their offsets are those of images with the border: without it they would lie beyond the last element.
fn without_border() -> (Geometry, Vec<f32>, Vec<f32>, Vec<u8>) {
    let geometry = Geometry::new(plain([8, 8, 8], 8, [3, 3])).without_border([1, 1]).expect("it is filtered");
    let (input, output) = (geometry.input_length(), geometry.output_length());
    (geometry, vec![0.0; input], vec![0.0; output], vec![0; output])
}

#[test]
#[should_panic(expected = "images with their border expected")]
fn the_weights_gradient_of_images_without_their_border() {
    let (geometry, input, gradient, winners) = without_border();
    let output = OutputGradient { gradient: &gradient, winners: &winners };
    let [mut d_weights, mut d_bias] = [vec![0.0; 8 * 72], vec![0.0; 8]];
    backward_weights(InstructionSet::PORTABLE, &geometry, &input, output, 0, &mut d_weights, &mut d_bias);
}

#[test]
#[should_panic(expected = "images with their border expected")]
fn the_input_gradient_of_images_without_their_border() {
    let (geometry, mut d_input, gradient, winners) = without_border();
    let output = OutputGradient { gradient: &gradient, winners: &winners };
    let weights = vec![0.0; 8 * 72];
    backward_input(InstructionSet::PORTABLE, &geometry, &weights, output, &mut d_input, Output::Overwrite);
}

/// One element more or less than a problem of two images has; in the order of the arguments of `forward`.
fn lengths(change: [isize; 6]) {
    let set = InstructionSet::PORTABLE;
    let geometry = Geometry::new(pooled(plain([4, 4, 1], 4, [1, 1]), [2, 2]));
    let packed = packed_weights_length::<f32>(set, &geometry) as isize;
    let length = |index: usize, length: isize| (length + change[index]) as usize;
    let zeros = |index, exact| vec![0.0f32; length(index, exact)];
    let [input, packed, bias, mut output] = [zeros(0, 32), zeros(1, packed), zeros(2, 4), zeros(3, 32)];
    let (mut winners, mut workspace) = (vec![0; length(4, 32)], zeros(5, 4));
    forward(set, &geometry, &input, &packed, &bias, &mut output, &mut winners, &mut workspace);
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
    part_of_an_image: [1, 0, 0, 0, 0, 0], "input: 32 elements expected, 33 found";
    panels_of_another_shape: [0, -4, 0, 0, 0, 0], "packed_weights: 4 elements expected, 0 found";
    a_bias_too_many: [0, 0, 1, 0, 0, 0], "bias: 4 elements expected, 5 found";
    an_output_too_few: [0, 0, 0, -1, 0, 0], "output: 32 elements expected, 31 found";
    a_winner_too_few: [0, 0, 0, 0, -1, 0], "winners: 32 elements expected, 31 found";
    a_workspace_too_long: [0, 0, 0, 0, 0, 1], "workspace: 4 elements expected, 5 found";
}

#[test]
#[should_panic(expected = "packed: 4 elements expected, 8 found")]
fn weights_packed_into_too_much() {
    let geometry = Geometry::new(plain([4, 4, 1], 4, [1, 1]));
    pack_weights(InstructionSet::PORTABLE, &geometry, &[0.0f32; 4], &mut [0.0; 8]);
}

#[test]
#[should_panic(expected = "4 elements expected, 3 found")]
fn weights_of_another_shape() {
    let geometry = Geometry::new(plain([4, 4, 1], 4, [1, 1]));
    pack_weights(InstructionSet::PORTABLE, &geometry, &[0.0f32; 3], &mut [0.0; 4]);
}
