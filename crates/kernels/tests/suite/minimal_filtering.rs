//! Convolutions by minimal filtering, forward and backward, against their definition.
//!
//! Their sums mix whole pieces of an image, so that no error of a single output is proportional to its own summands:
//! the bounds here are those of a piece's largest pixel against all weights, and the like.

use crate::common::{
    Bounded, Guard, Number, Random, assert_gradient, assert_same_bits, assert_within, differences,
    on_every_set,
    problem::{self, Problem, Routed, plain},
    rounding,
};
use kernels::{
    InstructionSet,
    convolution::{self, Activation, Geometry, OutputGradient, Size, Weights, workspace_length},
    matmul::Output,
    sliding::Border,
};

/// Roundings that an error may be as large as, of sums as large as they could be at most. The largest seen in these
/// tests are 26 for an output, 9 for a weight's derivative and 8 for a pixel's.
const ROUNDINGS: f64 = 40.0;

fn largest<E: Number>(values: &[E]) -> f64 {
    values.iter().map(|value| value.to_f64().abs()).fold(0.0, f64::max)
}

/// Σ |value| of each filter, where `filter(index)` says whose a value is.
fn magnitudes<E: Number>(values: &[E], filters: usize, filter: impl Fn(usize) -> usize) -> Vec<f64> {
    let mut sums = vec![0.0; filters];
    for (at, value) in values.iter().enumerate() {
        sums[filter(at)] += value.to_f64().abs();
    }
    sums
}

fn assert_near<E: Number>(found: E, expected: f64, magnitude: f64, what: impl Fn() -> String) {
    let error = (found.to_f64() - expected).abs();
    let bound = ROUNDINGS * rounding::<E>() * magnitude;
    assert!(error <= bound, "{}: {found} for {expected}, off by {error}, {bound} allowed", what());
}

#[test]
fn outputs_and_winners_are_the_definitions() {
    fn check<E: Number + Guard>(set: InstructionSet) {
        let mut random = Random::new(1);
        for (size, images) in problem::minimal_filtering() {
            let problem = Problem::<E>::reals(size, images, &mut random);
            assert!(workspace_length::<E>(set, &problem.geometry) > size.filters, "the direct way: {size:?}");
            let (output, winners) = problem.forward(set);
            let pixel = largest(&problem.input);
            let length = problem.geometry.filter_length();
            let weights = magnitudes(&problem.weights, size.filters, |at| at / length);
            for (at, (found, winner)) in output.iter().zip(winners.iter()).enumerate() {
                let filter = at % size.filters;
                let magnitude = pixel * weights[filter] + problem.bias[filter].to_f64().abs();
                let sums: Vec<f64> = problem.candidates(at).iter().map(|sum| sum.value).collect();
                let none = if size.activation == Activation::Relu { Some(0.0) } else { None };
                let best = sums.iter().copied().chain(none).fold(f64::NEG_INFINITY, f64::max);
                let what = |what: &str| format!("{what} {at} of {}", problem.case(set));
                assert_near(*found, best, magnitude, || what("output"));
                // Whoever won is that large, or as good as; where there is only one, nothing says so.
                if none.is_none() && sums.len() == 1 {
                    continue;
                }
                let winner = sums.iter().copied().chain(none).nth(usize::from(*winner)).expect("a position");
                assert_near(*found, winner, magnitude, || what("winner"));
            }
        }
    }
    on_every_set!(check);
}

#[test]
fn inference_has_the_same_bits_by_any_number_of_threads() {
    fn check<E: Number + Guard>(set: InstructionSet) {
        let mut random = Random::new(7);
        for (size, images) in problem::minimal_filtering().into_iter().chain(problem::shared()) {
            let problem = Problem::<E>::reals(size, images, &mut random);
            let alone = problem.infer(set, 1);
            for threads in [2, 3, 8, 64] {
                let what = format!("{threads} threads, {}", problem.case(set));
                assert_same_bits(&problem.infer(set, threads), &alone, &what);
            }
            let (output, _) = problem.forward(set);
            let pixel = largest(&problem.input);
            let length = problem.geometry.filter_length();
            let weights = magnitudes(&problem.weights, size.filters, |at| at / length);
            for (at, (found, expected)) in alone.iter().zip(output.iter()).enumerate() {
                let filter = at % size.filters;
                let magnitude = pixel * weights[filter] + problem.bias[filter].to_f64().abs();
                let what = || format!("output {at} of {}", problem.case(set));
                assert_near(*found, expected.to_f64(), 2.0 * magnitude, what);
            }
        }
    }
    on_every_set!(check);
}

/// What a single tile would have summed is summed directly, with the bits of other shapes' sums.
#[test]
fn a_single_tile_is_not_filtered_in_inference() {
    fn check<E: Number + Guard>(set: InstructionSet) {
        let mut random = Random::new(8);
        for (extent, is_one) in [(5, true), (6, true), (7, true), (8, false)] {
            let size = plain([extent, extent, 8], 16, [3, 3]);
            let problem = Problem::<E>::whole(size, 1, &mut random);
            let mut exact = Vec::new();
            for output in 0..problem.outputs() {
                exact.push(E::from_f64(problem.winner(&problem.candidates(output)).0));
            }
            let inferred = problem.infer(set, 1);
            // Fractions of the filtering do not come out even; direct sums of whole numbers do.
            if is_one {
                assert_same_bits(&inferred, &exact, problem.case(set));
            } else {
                assert!(*inferred != *exact, "{}", problem.case(set));
            }
        }
    }
    on_every_set!(check);
}

#[test]
fn derivatives_are_the_definitions() {
    fn check<E: Number + Guard>(set: InstructionSet) {
        let mut random = Random::new(2);
        for (size, images) in problem::minimal_filtering() {
            let problem = Problem::<E>::reals(size, images, &mut random);
            let routed = problem.routed_reals(&mut random);
            let before = [random.reals::<E>(problem.weights.len()), random.reals::<E>(size.filters)];
            let [d_weights, d_bias, d_input] = problem.backward(set, &routed, &before[0], &before[1]);
            let expected = problem.derivatives(&routed);
            let length = problem.geometry.filter_length();
            let gradients = magnitudes(&routed.gradient, size.filters, |at| at % size.filters);
            let (pixel, gradient) = (largest(&problem.input), largest(&routed.gradient));
            for (at, found) in d_weights.iter().enumerate() {
                let before = before[0][at].to_f64();
                let magnitude = pixel * gradients[at / length] + before.abs();
                let what = || format!("d_weights {at} of {}", problem.case(set));
                assert_near(*found, before + expected.weights[at].value, magnitude, what);
            }
            for (at, found) in d_bias.iter().enumerate() {
                let before = before[1][at].to_f64();
                // The number of summands more, whose sum is a chain of roundings.
                let magnitude =
                    (gradients[at] + before.abs()) * (1 + images * problem.geometry.windows()) as f64;
                let what = || format!("d_bias {at} of {}", problem.case(set));
                assert_near(*found, before + expected.bias[at].value, magnitude / ROUNDINGS, what);
            }
            let weights: f64 = magnitudes(&problem.weights, 1, |_| 0)[0] / size.channels as f64;
            for (at, found) in d_input.iter().enumerate() {
                let what = || format!("d_input {at} of {}", problem.case(set));
                assert_near(*found, expected.input[at].value, gradient * weights, what);
                if expected.input[at].magnitude == 0.0 {
                    let (row, column) =
                        (at / size.channels / size.width % size.height, at / size.channels % size.width);
                    let read = |windows: usize, pool: usize| windows * pool + 2;
                    if row >= read(problem.geometry.output_height(), size.pool_height)
                        || column >= read(problem.geometry.output_width(), size.pool_width)
                    {
                        assert_eq!(found.to_f64(), 0.0, "{}: no window reads it", what());
                    }
                }
            }
        }
    }
    on_every_set!(check);
}

/// Any number of images at once: an image's outputs and derivatives do not depend on its neighbours.
#[test]
fn images_in_slices_give_the_same_bits() {
    fn check<E: Number + Guard>(set: InstructionSet) {
        let mut random = Random::new(3);
        let images = 15;
        let size = plain([7, 13, 9], 35, [3, 3]);
        let problem = Problem::<E>::reals(size, images, &mut random);
        let (output, winners) = problem.forward(set);
        let gradient = random.reals::<E>(output.len());
        let routed = Routed { gradient, winners: winners.to_vec() };
        let zeros = [vec![E::ZERO; problem.weights.len()], vec![E::ZERO; problem.bias.len()]];
        let [_, _, d_input] = problem.backward(set, &routed, &zeros[0], &zeros[1]);
        let (inputs, outputs) = (problem.geometry.input_length(), problem.geometry.output_length());
        for count in [1, 2, 4, 7, 11] {
            for first in (0..images).step_by(count) {
                let count = count.min(images - first);
                let (pixels, places) =
                    (first * inputs..(first + count) * inputs, first * outputs..(first + count) * outputs);
                let part = Problem::<E> {
                    size,
                    geometry: Geometry::new(size),
                    images: count,
                    input: problem.input[pixels.clone()].to_vec(),
                    weights: problem.weights.clone(),
                    bias: problem.bias.clone(),
                };
                let what = format!("{count} images from {first}: {}", problem.case(set));
                let (found, found_winners) = part.forward(set);
                assert_same_bits(&found, &output[places.clone()], &what);
                assert_eq!(found_winners[..], winners[places.clone()], "{what}");
                let routed = Routed {
                    gradient: routed.gradient[places.clone()].to_vec(),
                    winners: routed.winners[places].to_vec(),
                };
                let [_, _, found] = part.backward(set, &routed, &zeros[0], &zeros[1]);
                assert_same_bits(&found, &d_input[pixels], &what);
            }
        }
    }
    on_every_set!(check);
}

/// A border that is only thought gives the bits of one that lies in memory.
#[test]
fn a_border_of_zeros_need_not_be_in_memory() {
    fn check<E: Number + Guard>(set: InstructionSet) {
        let mut random = Random::new(7);
        for (activation, [height, width], [rows, columns]) in [
            (Activation::Linear, [7, 9], [1, 1]),
            (Activation::Relu, [12, 8], [1, 1]),
            (Activation::Relu, [17, 16], [2, 0]),
            (Activation::Linear, [9, 20], [0, 3]),
            (Activation::Relu, [22, 13], [7, 6]),
            (Activation::Relu, [7, 6], [1, 1]),
        ] {
            let size = Size { activation, ..plain([height, width, 9], 17, [3, 3]) };
            let mut padded = Problem::<E>::reals(size, 3, &mut random);
            let image = [height - 2 * rows, width - 2 * columns, 9];
            let border = Border { top: rows, bottom: rows, left: columns, right: columns };
            let mut input = vec![E::ZERO; 3 * image.iter().product::<usize>()];
            border.crop(image, &padded.input, &mut input);
            border.pad(image, &input, &mut padded.input);
            let geometry = Geometry::new(size).without_border([rows, columns]).expect("it is filtered");
            let inner = Problem::<E> {
                size,
                geometry,
                images: 3,
                input,
                weights: padded.weights.clone(),
                bias: padded.bias.clone(),
            };
            let what = inner.case(set);
            let (output, winners) = padded.forward(set);
            let (found, found_winners) = inner.forward(set);
            assert_same_bits(&found, &output, &what);
            assert_eq!(found_winners[..], winners[..], "{what}");
            for threads in [1, 3] {
                assert_same_bits(&inner.infer(set, threads), &output, &what);
            }
            let routed = Routed { gradient: random.reals(output.len()), winners: winners.to_vec() };
            let before = [random.reals::<E>(padded.weights.len()), random.reals::<E>(17)];
            let [d_weights, d_bias, d_padded] = padded.backward(set, &routed, &before[0], &before[1]);
            let mut d_input = vec![E::NAN; inner.input.len()];
            border.crop(image, &d_padded, &mut d_input);
            let found = inner.backward(set, &routed, &before[0], &before[1]);
            assert_same_bits(&found[0], &d_weights, &what);
            assert_same_bits(&found[1], &d_bias, &what);
            assert_same_bits(&found[2], &d_input, &what);
        }
    }
    on_every_set!(check);
}

/// Nor does one before a pool, in inference: of one image, whose rows are shared, and of more than a block of tiles; of filters of one
/// panel and of several.
#[test]
fn a_border_before_a_pool_need_not_be_in_memory_in_inference() {
    fn check<E: Number + Guard>(set: InstructionSet) {
        let mut random = Random::new(17);
        for (filters, images, [height, width], [rows, columns]) in [
            (56, 1, [23, 22], [1, 1]),
            (70, 1, [30, 19], [2, 0]),
            (9, 3, [22, 23], [1, 1]),
            (136, 2, [8, 8], [0, 1]),
        ] {
            let size = Size { activation: Activation::Relu, ..plain([height, width, 20], filters, [3, 3]) };
            let size = problem::pooled(size, [2, 2]);
            let mut padded = Problem::<E>::reals(size, images, &mut random);
            let image = [height - 2 * rows, width - 2 * columns, 20];
            let border = Border { top: rows, bottom: rows, left: columns, right: columns };
            let mut input = vec![E::ZERO; images * image.iter().product::<usize>()];
            border.crop(image, &padded.input, &mut input);
            border.pad(image, &input, &mut padded.input);
            let geometry = padded.geometry.clone().without_border_to_infer([rows, columns]);
            let inner = Problem::<E> {
                size,
                geometry: geometry.expect("it is filtered"),
                images,
                input,
                weights: padded.weights.clone(),
                bias: padded.bias.clone(),
            };
            let (output, _) = padded.forward(set);
            for threads in [1, 2, 3, 7] {
                let what = format!("{threads} threads, {}", inner.case(set));
                assert_same_bits(&inner.infer(set, threads), &output, &what);
            }
        }
    }
    on_every_set!(check);
}

/// On the way back behind a pool, and where nothing is filtered, zeros have to be in memory.
#[test]
fn other_ways_read_their_border() {
    let few_channels = Geometry::new(plain([9, 9, 3], 16, [3, 3]));
    assert_eq!(few_channels.clone().without_border([1, 1]), None);
    assert_eq!(few_channels.without_border_to_infer([1, 1]), None);
    let pooled = Geometry::new(problem::pooled(plain([14, 14, 16], 16, [3, 3]), [2, 2]));
    assert_eq!(pooled.without_border([1, 1]), None);
    // A single tile is summed directly.
    let single = Geometry::new(problem::pooled(plain([6, 7, 16], 16, [3, 3]), [2, 2]));
    assert_eq!(single.without_border_to_infer([1, 1]), None);
}

#[test]
#[should_panic(expected = "a border of [4, 1]")]
fn a_border_that_leaves_nothing() {
    Geometry::new(plain([8, 9, 16], 16, [3, 3])).without_border([4, 1]);
}

#[test]
fn what_is_not_asked_for_changes_nothing_and_what_is_there_is_added_to() {
    fn check<E: Number + Guard>(set: InstructionSet) {
        let mut random = Random::new(4);
        let problem = Problem::<E>::reals(plain([8, 9, 12], 20, [3, 3]), 9, &mut random);
        let routed = problem.routed_reals(&mut random);
        let before = [random.reals::<E>(problem.weights.len()), random.reals::<E>(20)];
        let [weights, bias, input] = problem.backward(set, &routed, &before[0], &before[1]);
        let whole: Vec<E> = random.whole(problem.input.len(), 9);
        let zeros = vec![E::ZERO; problem.input.len()];
        let [onto_weights, onto_zeros] = problem.backward_onto(set, &routed, &before[0], &zeros);
        let [_, onto_whole] = problem.backward_onto(set, &routed, &before[0], &whole);
        let [mut d_weights, mut d_bias] = before;
        convolution::backward(
            set,
            &problem.geometry,
            &problem.input,
            Weights { plain: &problem.weights, packed: &problem.packed(set) },
            OutputGradient { gradient: &routed.gradient, winners: &routed.winners },
            convolution::Derivatives {
                weights: &mut d_weights,
                bias: Some(&mut d_bias),
                input: None,
                into_input: Output::Overwrite,
            },
            &mut problem.workspace(set),
        );
        assert_same_bits(&d_weights, &weights, problem.case(set));
        assert_same_bits(&d_bias, &bias, problem.case(set));
        assert_same_bits(&onto_weights, &weights, problem.case(set));
        assert_same_bits(&onto_zeros, &input, problem.case(set));
        // Up to 9, and some additions to it.
        let error = 64.0 * E::EPSILON * 16.0;
        let onto = whole.iter().zip(&*input).map(|(whole, added)| whole.to_f64() + added.to_f64());
        let expected: Vec<Bounded> = onto.map(|value| Bounded { value, error }).collect();
        assert_within(&onto_whole, &expected, problem.case(set));
    }
    on_every_set!(check);
}

#[test]
fn derivatives_are_the_differences() {
    let set = InstructionSet::PORTABLE;
    for (activation, seed) in [(Activation::Relu, 5), (Activation::Linear, 6)] {
        let mut random = Random::new(seed);
        let size = Size { activation, ..plain([7, 8, 8], 8, [3, 3]) };
        let problem = Problem::<f64>::reals(size, 1, &mut random);
        let direction = random.reals::<f64>(problem.outputs());
        let winners = problem.forward(set).1.to_vec();
        let found = differences(&problem.variables(), |variables| {
            let (output, moved_winners) = problem.with_variables(variables).forward(set);
            assert_eq!(*moved_winners, *winners, "no derivative: a ReLU changes its side");
            output.iter().zip(&direction).map(|(output, direction)| output * direction).sum()
        });
        let routed = Routed { gradient: direction, winners };
        let zeros = [vec![0.0; problem.weights.len()], vec![0.0; problem.bias.len()]];
        let gradients = problem.backward(set, &routed, &zeros[0], &zeros[1]).map(|part| part.to_vec());
        assert_gradient(&gradients.concat(), &found, problem.case(set));
    }
}
