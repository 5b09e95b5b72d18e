//! Pooling, forward and backward, against its definition.

use crate::{
    common::{Guard, Guarded, Number, Random, assert_exact, assert_same_bits, case, on_every_set},
    sliding::{shapes, sliding},
};
use kernels::{
    InstructionSet,
    pooling::{
        average, average_backward, average_backward_reference, average_reference, maximum, maximum_backward,
        maximum_backward_reference, maximum_reference,
    },
    sliding::Sliding,
};

/// Every kind of window over few and many channels, and all of an image.
fn windows() -> Vec<(Sliding, usize)> {
    let mut windows: Vec<(Sliding, usize)> =
        [5, 16, 33].into_iter().flat_map(shapes).map(|windows| (windows, 2)).collect();
    for channels in (1..=18).chain([31, 32, 47, 64, 65]) {
        windows.push((sliding([4, 6, channels], [2, 2], [2, 1]), 1));
        windows.push((sliding([7, 1, channels], [7, 1], [1, 1]), 3));
    }
    windows.extend([0, 17].map(|images| (sliding([28, 28, 3], [28, 28], [1, 1]), images)));
    windows
}

/// Whole numbers, so that equal maxima are frequent.
#[test]
fn maxima_and_their_gradients_are_exact() {
    fn check<E: Number + Guard>(set: InstructionSet) {
        let mut random = Random::new(1);
        for (windows, images) in windows() {
            let what = case::<E>(set, format!("{images} images of {windows:?}"));
            let input = random.whole::<E>(images * windows.input_length(), 4);
            let outputs = images * windows.output_length();
            let (mut output, mut winners) = (Guarded::stale(outputs, 1), Guarded::stale(outputs, 3));
            maximum(set, &windows, &Guarded::input(&input, 1), &mut output, &mut winners);
            let (mut expected, mut taps) = (vec![E::NAN; outputs], vec![E::NAN; outputs]);
            maximum_reference(&windows, &input, &mut expected, &mut taps);
            assert_same_bits(&output, &expected, &what);
            assert_same_bits(&winners, &taps, &what);
            let d_output = random.whole::<E>(outputs, 4);
            let mut d_input = Guarded::stale(input.len(), 1);
            let (gradient, winners) = (Guarded::input(&d_output, 1), Guarded::input(&taps, 3));
            maximum_backward(set, &windows, &winners, &gradient, &mut d_input);
            let mut expected = vec![f64::NAN; input.len()];
            let [taps, d_output] =
                [taps, d_output].map(|values| values.iter().map(|value| value.to_f64()).collect::<Vec<_>>());
            maximum_backward_reference(&windows, &taps, &d_output, &mut expected);
            assert_exact(&d_input, &expected, &what);
        }
    }
    on_every_set!(check);
}

/// Sums run in the same order, and a whole number of taps divides them.
#[test]
fn means_and_their_gradients_have_the_bits_of_the_definition() {
    fn check<E: Number + Guard>(set: InstructionSet) {
        let mut random = Random::new(2);
        for (windows, images) in windows() {
            let what = case::<E>(set, format!("{images} images of {windows:?}"));
            let input = random.whole::<E>(images * windows.input_length(), 100);
            let outputs = images * windows.output_length();
            let mut output = Guarded::stale(outputs, 1);
            average(set, &windows, &Guarded::input(&input, 1), &mut output);
            let mut expected = vec![E::NAN; outputs];
            average_reference(&windows, &input, &mut expected);
            assert!(output.iter().zip(&expected).all(|(found, expected)| found == expected), "{what}");
            let d_output = random.reals::<E>(outputs);
            let mut d_input = Guarded::stale(input.len(), 1);
            average_backward(set, &windows, &Guarded::input(&d_output, 1), &mut d_input);
            let mut expected = vec![E::NAN; input.len()];
            average_backward_reference(&windows, &d_output, &mut expected);
            assert!(d_input.iter().zip(&expected).all(|(found, expected)| found == expected), "{what}");
        }
    }
    on_every_set!(check);
}

/// By hand: windows of three columns, two apart.
#[test]
fn the_references_are_the_definition() {
    let windows = sliding([1, 5, 1], [1, 3], [2, 1]);
    let input = [1.0, 4.0, 4.0, -2.0, 4.0];
    let (mut output, mut winners, mut d_input) = ([f64::NAN; 2], [f64::NAN; 2], [f64::NAN; 5]);
    maximum_reference(&windows, &input, &mut output, &mut winners);
    assert_eq!((output, winners), ([4.0, 4.0], [1.0, 0.0]));
    maximum_backward_reference(&windows, &winners, &[10.0, 1.0], &mut d_input);
    assert_eq!(d_input, [0.0, 10.0, 1.0, 0.0, 0.0]);
    average_reference(&windows, &input, &mut output);
    assert_eq!(output, [3.0, 2.0]);
    average_backward_reference(&windows, &[9.0, 3.0], &mut d_input);
    assert_eq!(d_input, [3.0, 3.0, 4.0, 1.0, 1.0]);
}

#[test]
fn what_is_no_number_comes_out_of_its_windows_and_the_gradient_goes_to_the_first() {
    fn check<E: Number + Guard>(set: InstructionSet) {
        let windows = sliding([2, 4, 19], [2, 2], [2, 1]);
        for at in [0, 1, 4, 5] {
            let mut input = vec![E::ONE; windows.input_length()];
            for pixel in [at, 5] {
                input[pixel * 19 + 17] = E::NAN;
            }
            input[2 * 19 + 17] = -E::INFINITY;
            input[6 * 19 + 18] = E::INFINITY;
            let what = case::<E>(set, format!("pixel {at}"));
            let (mut output, mut winners) = (vec![E::ZERO; 38], vec![E::ZERO; 38]);
            maximum(set, &windows, &input, &mut output, &mut winners);
            let tap = at / 4 * 2 + at % 4;
            assert!(output[17].is_nan() && winners[17] == E::from_f64(tap as f64), "{what}: {winners:?}");
            assert!(output[19 + 17] == E::ONE && output[19 + 18] == E::INFINITY, "{what}: {output:?}");
            assert!((0..17).all(|channel| output[channel] == E::ONE), "{what}: {output:?}");
            average(set, &windows, &input, &mut output);
            assert!(output[17].is_nan() && output[19 + 17] == -E::INFINITY, "{what}: {output:?}");
            assert!((0..17).all(|channel| output[channel] == E::ONE), "{what}: {output:?}");
        }
        // A window of nothing but −∞ has a maximum, too.
        let (mut output, mut winners) = (vec![E::ZERO; 38], vec![E::NAN; 38]);
        maximum(set, &windows, &vec![-E::INFINITY; windows.input_length()], &mut output, &mut winners);
        assert!(
            output.iter().all(|value| *value == -E::INFINITY) && winners.iter().all(|tap| *tap == E::ZERO)
        );
    }
    on_every_set!(check);
}

/// One element more or less than two images have: input, output, winners; the gradient of the input.
fn lengths(change: [isize; 4]) {
    let set = InstructionSet::PORTABLE;
    let windows = sliding([4, 4, 3], [2, 2], [2, 1]);
    let zeros = |index: usize, exact: usize| vec![0.0f32; (exact as isize + change[index]) as usize];
    let (input, mut output, mut winners, mut d_input) =
        (zeros(0, 96), zeros(1, 24), zeros(2, 24), zeros(3, 96));
    average(set, &windows, &input, &mut output);
    maximum(set, &windows, &input, &mut output, &mut winners);
    maximum_backward(set, &windows, &winners, &output, &mut d_input);
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
    part_of_an_image: [1, 0, 0, 0], "input: 96 elements expected, 97 found";
    an_output_too_few: [0, -1, 0, 0], "output: 24 elements expected, 23 found";
    a_winner_too_many: [0, 0, 1, 0], "winners: 24 elements expected, 25 found";
    an_input_gradient_too_few: [0, 0, 0, -1], "d_input: 48 elements expected, 95 found";
}

#[test]
#[should_panic(expected = "d_output: 24 elements expected, 23 found")]
fn a_gradient_too_few() {
    let windows = sliding([4, 4, 3], [2, 2], [2, 1]);
    average_backward(InstructionSet::PORTABLE, &windows, &[0.0f32; 23], &mut [0.0; 96]);
}
