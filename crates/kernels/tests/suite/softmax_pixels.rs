//! Loss, probabilities, pixels, and the choice of an instruction set.

use crate::common::{
    Guard, Guarded, Number, Random, assert_gradient, assert_same_bits, differences, on_every_set,
};
use kernels::{
    InstructionSet,
    pixels::scale_pixels,
    softmax::{
        Target, argmax, soft_cross_entropy, soft_cross_entropy_backward, softmax_cross_entropy,
        softmax_cross_entropy_backward,
    },
};

#[test]
fn every_byte_is_divided_as_the_processor_divides() {
    fn check<E: Number + Guard>(set: InstructionSet) {
        let bytes: Vec<u8> = (0..=255).collect();
        for (length, offset) in (0..=40).chain([255, 256]).map(|length| (length, length % 3)) {
            let pixels = Guarded::input(&bytes[256 - length..], offset);
            let mut output = Guarded::stale(length, offset + 1);
            scale_pixels::<E>(set, &pixels, &mut output);
            for (byte, found) in pixels.iter().zip(output.iter()) {
                let expected = E::from_f64(f64::from(*byte)) / E::from_f64(255.0);
                assert_eq!(found.bits(), expected.bits(), "{byte}, {}", set.name());
            }
        }
    }
    on_every_set!(check);
}

#[test]
fn loss_and_probabilities_follow_the_definition() {
    fn check<E: Number + Guard>(_: InstructionSet) {
        let mut random = Random::new(1);
        for classes in [1, 2, 10, 47] {
            let scale = E::from_f64(20.0);
            let logits: Vec<E> = random.reals::<E>(6 * classes).into_iter().map(|z| z * scale).collect();
            let labels: Vec<u8> = (0..6).map(|_| random.below(classes) as u8).collect();
            let mut probabilities = Guarded::stale(6 * classes, 1);
            let (loss, correct) = softmax_cross_entropy(&logits, &labels, classes, &mut probabilities);
            let (mut expected_loss, mut expected_correct) = (0.0, 0);
            for (row, label) in labels.iter().enumerate() {
                let z: Vec<f64> = logits[row * classes..][..classes].iter().map(|z| z.to_f64()).collect();
                let sum: f64 = z.iter().map(|z| z.exp()).sum();
                expected_loss += sum.ln() - z[usize::from(*label)];
                expected_correct += usize::from(z.iter().all(|other| *other <= z[usize::from(*label)]));
                for (class, z) in z.iter().enumerate() {
                    let found = probabilities[row * classes + class].to_f64();
                    assert!((found - z.exp() / sum).abs() <= 64.0 * E::EPSILON, "{found}");
                }
            }
            assert!(
                (loss - expected_loss).abs() <= 6.0 * 64.0 * E::EPSILON * 40.0,
                "{loss}, {expected_loss} expected"
            );
            assert_eq!(correct, expected_correct);
        }
    }
    on_every_set!(check);
}

#[test]
fn the_gradient_is_the_difference_quotient_of_the_mean_loss() {
    let (classes, batch) = (5, 4);
    let logits: Vec<f64> = Random::new(3).reals(batch * classes);
    let labels = [0, 4, 2, 2];
    let loss = |logits: &[f64]| {
        softmax_cross_entropy(logits, &labels, classes, &mut vec![0.0; batch * classes]).0 / batch as f64
    };
    let mut gradient = vec![0.0; batch * classes];
    softmax_cross_entropy(&logits, &labels, classes, &mut gradient);
    softmax_cross_entropy_backward(&mut gradient, &labels, classes, batch);
    for (index, gradient) in gradient.iter().enumerate() {
        let shifted = |by: f64| {
            let mut shifted = logits.clone();
            shifted[index] += by;
            loss(&shifted)
        };
        let quotient = (shifted(1e-5) - shifted(-1e-5)) / 2e-5;
        assert!((gradient - quotient).abs() < 1e-9, "{index}: {gradient}, {quotient} by differences");
    }
}

#[test]
fn mixed_and_smoothed_answers_follow_the_definition() {
    let classes = 5;
    let logits: Vec<f64> = Random::new(4).reals(4 * classes).iter().map(|z: &f64| 4.0 * z).collect();
    let targets = [(0, 3, 0.7), (4, 1, 0.2), (2, 2, 0.4), (1, 0, 1.0)]
        .map(|(first, second, first_share)| Target { first, second, first_share });
    for smoothing in [0.0, 0.1] {
        let mut expected = (0.0, 0);
        for (z, target) in logits.chunks_exact(classes).zip(targets) {
            let mut t = [smoothing / classes as f64; 5];
            t[usize::from(target.first)] += (1.0 - smoothing) * target.first_share;
            t[usize::from(target.second)] += (1.0 - smoothing) * (1.0 - target.first_share);
            let sum: f64 = z.iter().map(|z| z.exp()).sum();
            expected.0 -= t.iter().zip(z).map(|(t, z)| t * (z - sum.ln())).sum::<f64>();
            let heavier = (0..classes).max_by(|a, b| t[*a].total_cmp(&t[*b])).expect("classes");
            expected.1 += usize::from(argmax(z) == heavier);
        }
        let mut gradient = vec![0.0; logits.len()];
        let found = soft_cross_entropy(&logits, &targets, smoothing, classes, &mut gradient);
        assert!((found.0 - expected.0).abs() < 1e-13, "{found:?}, {expected:?} expected");
        assert_eq!(found.1, expected.1);
        soft_cross_entropy_backward(&mut gradient, &targets, smoothing, classes, 4);
        let quotients = differences(&logits, |logits| {
            soft_cross_entropy(logits, &targets, smoothing, classes, &mut vec![0.0; 4 * classes]).0 / 4.0
        });
        assert_gradient(&gradient, &quotients, smoothing);
    }
}

#[test]
fn plain_answers_are_a_case_of_mixed_ones_to_the_bit() {
    fn check<E: Number + Guard>(_: InstructionSet) {
        let (labels, classes) = ([3, 0, 9, 9, 1], 10);
        let mut logits = Random::new(5).reals::<E>(labels.len() * classes);
        logits[classes] = -E::INFINITY;
        logits[4] = -E::INFINITY;
        let targets = labels.map(Target::of);
        let mut plain = vec![E::ZERO; logits.len()];
        let mut soft = plain.clone();
        let expected = softmax_cross_entropy(&logits, &labels, classes, &mut plain);
        let found = soft_cross_entropy(&logits, &targets, 0.0, classes, &mut soft);
        assert_eq!(found, expected);
        assert!(found.0.is_infinite(), "the second row's own class has no probability");
        assert_same_bits(&soft, &plain, "probabilities");
        softmax_cross_entropy_backward(&mut plain, &labels, classes, 7);
        soft_cross_entropy_backward(&mut soft, &targets, 0.0, classes, 7);
        assert_same_bits(&soft, &plain, "gradient");
    }
    on_every_set!(check);
}

#[test]
fn large_logits_do_not_overflow_and_nan_is_not_hidden() {
    let mut probabilities = [0f32; 3];
    let (loss, correct) = softmax_cross_entropy(&[1e30f32, -1e30, 0.0], &[0], 3, &mut probabilities);
    assert_eq!((loss, correct, probabilities), (0.0, 1, [1.0, 0.0, 0.0]));
    for at in 0..3 {
        let mut logits = [0f32; 3];
        logits[at] = f32::NAN;
        assert!(softmax_cross_entropy(&logits, &[0], 3, &mut probabilities).0.is_nan(), "NaN at {at}");
    }
}

#[test]
fn the_first_of_equal_logits_is_the_answer() {
    assert_eq!(argmax(&[1.0f32, 3.0, 3.0]), 1);
    assert_eq!(argmax(&[0.0f64]), 0);
    let (_, correct) = softmax_cross_entropy(&[2.0f32, 2.0], &[1], 2, &mut [0.0; 2]);
    assert_eq!(correct, 0);
}

#[test]
#[should_panic(expected = "label 2: below 2 expected")]
fn a_label_beyond_the_classes() {
    softmax_cross_entropy(&[0f32; 2], &[2], 2, &mut [0.0; 2]);
}

#[test]
fn instruction_sets_go_by_name() {
    let sets = InstructionSet::available();
    assert_eq!(sets.last(), Some(&InstructionSet::PORTABLE));
    assert_eq!(sets[0], InstructionSet::detect());
    for set in &sets {
        assert_eq!(InstructionSet::named(set.name()), Ok(*set));
    }
    let names: Vec<&str> = sets.iter().map(|set| set.name()).collect();
    let error = InstructionSet::named("mmx").expect_err("there is none").to_string();
    assert_eq!(error, format!("kernels `mmx`: expected one of {} on this machine", names.join(", ")));
}
