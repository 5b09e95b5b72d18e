//! The backward passes of the fused convolution against their definition and against differences.

use crate::common::{
    Guard, Guarded, Number, Random, Sum, assert_exact, assert_gradient, assert_same_bits, assert_within,
    differences, on_every_set,
    problem::{self, Problem, Routed, plain, pooled},
};
use kernels::{
    InstructionSet,
    convolution::{
        Activation, Geometry, OutputGradient, Size, backward_input, backward_reference, backward_weights,
    },
    matmul::Output,
};

/// Derivatives of whole numbers, to the bit: accumulated where documented, over stale values where not.
fn check_exact<E: Number + Guard>(set: InstructionSet, sizes: &[(Size, usize)]) {
    let mut random = Random::new(1);
    for ((size, images), dark) in sizes.iter().flat_map(|size| [(size, false), (size, true)]) {
        let mut problem = Problem::<E>::whole(*size, *images, &mut random);
        if dark {
            problem.darken(&mut random);
        }
        let routed = problem.routed_whole(&mut random);
        let expected = problem.derivatives(&routed);
        let onto = |before: &[E], sums: &[Sum]| -> Vec<f64> {
            before.iter().zip(sums).map(|(before, sum)| before.to_f64() + sum.value).collect()
        };
        let (weights_before, bias_before) =
            (random.whole::<E>(problem.weights.len(), 9), random.whole::<E>(problem.bias.len(), 9));
        let mut d_weights = Guarded::output(&weights_before, 1);
        let mut d_bias = Guarded::output(&bias_before, 1);
        let gradient = Guarded::input(&routed.gradient, 3);
        let winners = Guarded::input(&routed.winners, 1);
        let output = OutputGradient { gradient: &gradient, winners: &winners };
        let (geometry, input) = (&problem.geometry, Guarded::input(&problem.input, 1));
        backward_weights(set, geometry, &input, output, 0, &mut d_weights, &mut d_bias);
        let what = problem.case(set);
        assert_exact(&d_weights, &onto(&weights_before, &expected.weights), format!("d_weights {what}"));
        assert_exact(&d_bias, &onto(&bias_before, &expected.bias), format!("d_bias {what}"));

        let weights = Guarded::input(&problem.weights, 1);
        let mut d_input = Guarded::stale(problem.input.len(), 3);
        backward_input(set, geometry, &weights, output, &mut d_input, Output::Overwrite);
        let expected: Vec<f64> = expected.input.iter().map(|sum| sum.value).collect();
        assert_exact(&d_input, &expected, format!("d_input {what}"));

        // And all of them in one call, which goes the same way.
        let found = problem.backward(set, &routed, &weights_before, &bias_before);
        for (found, expected) in found.iter().zip([&d_weights, &d_bias, &d_input]) {
            assert_same_bits(found, expected, &what);
        }
        let before: Vec<E> = random.whole(problem.input.len(), 9);
        let [weights, input] = problem.backward_onto(set, &routed, &weights_before, &before);
        assert_same_bits(&weights, &d_weights, &what);
        let onto = before.iter().zip(&*d_input).map(|(before, added)| before.to_f64() + added.to_f64());
        assert_exact(&input, &onto.collect::<Vec<f64>>(), format!("d_input added to {what}"));
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
        let routed = problem.routed_whole(&mut random);
        let expected = problem.derivatives(&routed);
        let Problem { geometry, input, weights, bias, .. } = &problem;
        let (mut d_weights, mut d_bias) = (vec![1.0; weights.len()], vec![2.0; bias.len()]);
        let mut d_input = vec![f64::NAN; input.len()];
        let output = routed.view();
        backward_reference(geometry, input, weights, output, &mut d_weights, &mut d_bias, &mut d_input);
        let plus = |sums: &[Sum], before: f64| sums.iter().map(|sum| sum.value + before).collect::<Vec<_>>();
        assert_eq!(d_weights, plus(&expected.weights, 1.0), "{size:?}");
        assert_eq!(d_bias, plus(&expected.bias, 2.0), "{size:?}");
        assert_eq!(d_input, plus(&expected.input, 0.0), "{size:?}");
    }
}

#[test]
fn derivatives_of_reals_err_by_their_roundings_only() {
    fn check<E: Number + Guard>(set: InstructionSet) {
        let mut random = Random::new(3);
        for (size, images) in [
            (pooled(plain([28, 28, 1], 32, [3, 3]), [2, 2]), 3),
            (pooled(plain([13, 13, 32], 64, [3, 3]), [2, 2]), 2),
            (pooled(plain([12, 11, 24], 32, [5, 5]), [2, 2]), 2),
            (plain([30, 31, 2], 3, [3, 3]), 2),
        ] {
            let problem = Problem::<E>::reals(size, images, &mut random);
            let routed = problem.routed_reals(&mut random);
            let expected = problem.derivatives(&routed);
            let bounded = |sums: Vec<Sum>| sums.into_iter().map(Sum::bounded::<E>).collect::<Vec<_>>();
            let (mut d_weights, mut d_bias) =
                (vec![E::ZERO; problem.weights.len()], vec![E::ZERO; problem.bias.len()]);
            let mut d_input = vec![E::NAN; problem.input.len()];
            let (geometry, output) = (&problem.geometry, routed.view());
            backward_weights(set, geometry, &problem.input, output, 0, &mut d_weights, &mut d_bias);
            backward_input(set, geometry, &problem.weights, output, &mut d_input, Output::Overwrite);
            assert_within(&d_weights, &bounded(expected.weights), problem.case(set));
            assert_within(&d_bias, &bounded(expected.bias), problem.case(set));
            assert_within(&d_input, &bounded(expected.input), problem.case(set));
        }
    }
    on_every_set!(check);
}

#[test]
fn filters_and_images_in_slices_give_the_same_bits() {
    fn check<E: Number + Guard>(set: InstructionSet) {
        let mut random = Random::new(4);
        let (filters, images) = (21, 5);
        let size = pooled(plain([26, 25, 3], filters, [3, 2]), [1, 1]);
        let problem = Problem::<E>::reals(size, images, &mut random);
        let routed = problem.routed_reals(&mut random);
        let (geometry, input, output) = (&problem.geometry, &problem.input, routed.view());
        let length = geometry.filter_length();
        let weights_before = random.reals::<E>(problem.weights.len());
        let bias_before = random.reals::<E>(filters);
        let (mut d_weights, mut d_bias) = (weights_before.clone(), bias_before.clone());
        backward_weights(set, geometry, input, output, 0, &mut d_weights, &mut d_bias);
        let mut d_input = vec![E::NAN; input.len()];
        backward_input(set, geometry, &problem.weights, output, &mut d_input, Output::Overwrite);

        for count in 1..filters {
            let (mut weights, mut bias) = (weights_before.clone(), bias_before.clone());
            for (index, (weights, bias)) in
                weights.chunks_mut(count * length).zip(bias.chunks_mut(count)).enumerate()
            {
                backward_weights(set, geometry, input, output, index * count, weights, bias);
            }
            let what = format!("{count} filters at once, {}", problem.case(set));
            assert_same_bits(&weights, &d_weights, &what);
            assert_same_bits(&bias, &d_bias, &what);
        }
        for count in 1..images {
            let (mut weights, mut bias) = (weights_before.clone(), bias_before.clone());
            let mut part = vec![E::NAN; input.len()];
            let chunk = count * geometry.output_length();
            for (((gradient, winners), input), d_input) in routed
                .gradient
                .chunks(chunk)
                .zip(routed.winners.chunks(chunk))
                .zip(input.chunks(count * geometry.input_length()))
                .zip(part.chunks_mut(count * geometry.input_length()))
            {
                let output = OutputGradient { gradient, winners };
                backward_weights(set, geometry, input, output, 0, &mut weights, &mut bias);
                backward_input(set, geometry, &problem.weights, output, d_input, Output::Overwrite);
            }
            let what = format!("{count} images at once, {}", problem.case(set));
            assert_same_bits(&weights, &d_weights, &what);
            assert_same_bits(&bias, &d_bias, &what);
            assert_same_bits(&part, &d_input, &what);
        }
    }
    on_every_set!(check);
}

fn gradients<E: Number + Guard>(
    set: InstructionSet,
    problem: &Problem<E>,
    routed: &Routed<E>,
) -> [Vec<E>; 3] {
    let mut gradients =
        [&problem.weights, &problem.bias, &problem.input].map(|like| vec![E::ZERO; like.len()]);
    let [d_weights, d_bias, d_input] = &mut gradients;
    backward_weights(set, &problem.geometry, &problem.input, routed.view(), 0, d_weights, d_bias);
    backward_input(set, &problem.geometry, &problem.weights, routed.view(), d_input, Output::Overwrite);
    gradients
}

#[test]
fn nothing_flows_through_a_dead_window() {
    fn check<E: Number + Guard>(set: InstructionSet) {
        let size = pooled(plain([6, 7, 2], 19, [3, 2]), [2, 2]);
        let problem = Problem::<E>::whole(size, 2, &mut Random::new(5));
        let outputs = problem.outputs();
        // Not even a NaN does; and a gradient of zero brings zero to where it goes.
        for (gradient, winner) in [(E::NAN, 4), (E::INFINITY, 4), (E::ONE, 4), (E::ZERO, 1), (-E::ZERO, 3)] {
            let routed = Routed { gradient: vec![gradient; outputs], winners: vec![winner; outputs] };
            for found in gradients(set, &problem, &routed) {
                assert_exact(&found, &vec![0.0; found.len()], format!("{gradient} {}", problem.case(set)));
            }
        }
    }
    on_every_set!(check);
}

#[test]
fn a_nan_reaches_what_depends_on_it_and_nothing_else() {
    fn check<E: Number + Guard>(set: InstructionSet) {
        // Kernels as large as the image: every weight of a filter and every pixel depends on the one window.
        let (filters, pixels) = (19, 3 * 4 * 7);
        let mut problem = Problem::<E>::whole(plain([3, 4, 7], filters, [3, 4]), 2, &mut Random::new(6));
        let nan = |value: &E| value.to_f64().is_nan();
        let routed = || Routed { gradient: vec![E::ONE; 2 * filters], winners: vec![0; 2 * filters] };
        for filter in [0, 7, 15, 16, 18] {
            let mut routed = routed();
            routed.gradient[filters + filter] = E::NAN;
            let [d_weights, d_bias, d_input] = gradients(set, &problem, &routed);
            let what = problem.case(set);
            assert!(d_weights.iter().enumerate().all(|(at, d)| nan(d) == (at / pixels == filter)), "{what}");
            assert!(d_bias.iter().enumerate().all(|(at, d)| nan(d) == (at == filter)), "{what}");
            assert!(d_input.iter().enumerate().all(|(at, d)| nan(d) == (at / pixels == 1)), "{what}");
        }
        for pixel in [0, 15, 27, 83] {
            let kept = [problem.input[pixels + pixel], problem.weights[pixels + pixel]];
            [problem.input[pixels + pixel], problem.weights[pixels + pixel]] = [E::NAN; 2];
            // Against zeros: what a kernel might skip, but 0 · NaN is not 0.
            let routed = Routed { gradient: vec![E::ZERO; 2 * filters], ..routed() };
            let [d_weights, d_bias, d_input] = gradients(set, &problem, &routed);
            let what = format!("pixel {pixel} {}", problem.case(set));
            assert!(d_weights.iter().enumerate().all(|(at, d)| nan(d) == (at % pixels == pixel)), "{what}");
            assert!(!d_bias.iter().any(nan), "{what}");
            assert!(d_input.iter().enumerate().all(|(at, d)| nan(d) == (at % pixels == pixel)), "{what}");
            [problem.input[pixels + pixel], problem.weights[pixels + pixel]] = kept;
        }
    }
    on_every_set!(check);
}

#[test]
fn derivatives_are_the_differences() {
    let set = InstructionSet::PORTABLE;
    for (activation, stride, kernel, pool, seed) in [
        (Activation::Relu, 1, [3, 2], [2, 2], 7),
        (Activation::Linear, 2, [2, 3], [1, 2], 8),
        (Activation::Relu, 3, [1, 1], [1, 1], 9),
    ] {
        let mut random = Random::new(seed);
        let size = Size { activation, stride, ..pooled(plain([8, 9, 2], 3, kernel), pool) };
        let problem = Problem::<f64>::reals(size, 2, &mut random);
        let direction = random.reals::<f64>(problem.outputs());
        let winners = problem.forward(set).1.to_vec();
        let alive = winners.iter().filter(|winner| usize::from(**winner) < problem.geometry.positions());
        assert!(alive.count() > problem.outputs() / 3, "hardly a gradient to check");

        let found = differences(&problem.variables(), |variables| {
            let (output, moved_winners) = problem.with_variables(variables).forward(set);
            assert_eq!(*moved_winners, *winners, "no derivative: a maximum changes its place");
            output.iter().zip(&direction).map(|(output, direction)| output * direction).sum()
        });
        let routed = Routed { gradient: direction, winners };
        assert_gradient(&gradients(set, &problem, &routed).concat(), &found, problem.case(set));
    }
}

/// Both passes over two images with one element more or less: of input, gradient, winners, d_weights, weights, d_input.
fn lengths(change: [isize; 6], first_filter: usize) {
    let set = InstructionSet::PORTABLE;
    let geometry = Geometry::new(pooled(plain([4, 4, 1], 4, [1, 2]), [2, 1]));
    let zeros = |index: usize, exact: isize| vec![0.0f32; (exact + change[index]) as usize];
    let (input, gradient, winners) = (zeros(0, 32), zeros(1, 48), vec![0; zeros(2, 48).len()]);
    let (mut d_weights, weights, mut d_input) = (zeros(3, 8), zeros(4, 8), zeros(5, 32));
    let output = OutputGradient { gradient: &gradient, winners: &winners };
    backward_weights(set, &geometry, &input, output, first_filter, &mut d_weights, &mut [0.0; 4]);
    backward_input(set, &geometry, &weights, output, &mut d_input, Output::Overwrite);
}

macro_rules! wrong_lengths {
    ($($name:ident: $change:expr, $first_filter:expr, $message:literal;)*) => {$(
        #[test]
        #[should_panic(expected = $message)]
        fn $name() {
            lengths($change, $first_filter);
        }
    )*};
}
wrong_lengths! {
    an_image_too_many: [16, 0, 0, 0, 0, 0], 0, "input: 32 elements expected, 48 found";
    part_of_a_gradient: [0, 1, 0, 0, 0, 0], 0, "gradient: 48 elements expected, 49 found";
    a_winner_too_few: [0, 0, -1, 0, 0, 0], 0, "winners: 48 elements expected, 47 found";
    weights_for_another_filter: [0, 0, 0, 2, 0, 0], 0, "d_weights: 8 elements expected, 10 found";
    filters_beyond_the_last: [0; 6], 1, "more filters than the geometry has";
    part_of_the_weights: [0, 0, 0, 0, 1, 0], 0, "weights: 8 elements expected, 9 found";
    an_input_gradient_too_few: [0, 0, 0, 0, 0, -1], 0, "d_input: 32 elements expected, 31 found";
}
