//! Cross-validations.

use crate::fixture::{run, with_predictions};
use analysis::{
    Analysis, CrossValidation, Run,
    verdict::{Comparison, Coverage, Outcome},
};
use records::{
    question::{Measure, Question},
    record::{Fold, RunRecord},
};

const IMAGES: usize = 60;

/// A run on a fold of 60 images of three classes, image i being of fold i mod 5 (moved by the repetition), that misses those listed.
fn fold(model: &str, repeat: usize, fold: usize, missed: &[usize]) -> RunRecord {
    let images: Vec<u32> =
        (0..IMAGES as u32).filter(|image| (*image as usize + repeat) % 5 == fold - 1).collect();
    let labels: Vec<u8> = images.iter().map(|image| (image / 20) as u8).collect();
    let is_missed = |image: u32| missed.contains(&(image as usize));
    let given: Vec<u8> = images
        .iter()
        .zip(&labels)
        .map(|(image, label)| if is_missed(*image) { (label + 1) % 3 } else { *label })
        .collect();
    // A seed of its own for each run: partners are those of a fold.
    let seed = (100 * repeat + fold + 7 * model.len()) as u64;
    let mut run = with_predictions(model, seed, &labels, &given);
    run.specification.dataset.classes = 3;
    run.specification.fold = Some(Fold { repeat, fold, folds: 5 });
    run.test.probabilities = given
        .iter()
        .flat_map(|given| (0..3).map(move |class| if class == *given { 65_535 } else { 0 }))
        .collect();
    run.test.images = images;
    run.fingerprint = run.id.clone();
    run
}

/// Three repetitions of five folds: `good` misses image 0 always, `poor` also 1 to 9 always, and 10 to 14 in the first repetition.
fn study() -> Vec<RunRecord> {
    let mut records = Vec::new();
    for repeat in 1..=3 {
        for number in 1..=5 {
            records.push(fold("good", repeat, number, &[0]));
            let missed: Vec<usize> = (0..if repeat == 1 { 15 } else { 10 }).collect();
            records.push(fold("poor", repeat, number, &missed));
        }
    }
    records
}

fn judged(records: &[RunRecord], decide_by: Measure) -> (Vec<Comparison>, Vec<String>) {
    let question = Question { decide_by, ..Question::default() };
    let analysis = Analysis::of(records, &[], &question, Vec::new());
    (analysis.comparisons, analysis.notes.of_study)
}

fn differences(records: &[RunRecord]) -> Vec<f64> {
    records.chunks(2).map(|pair| pair[0].test.accuracy - pair[1].test.accuracy).collect()
}

#[test]
fn folds_are_paired_and_judged_by_the_corrected_test() {
    let mut records = study();
    let expected = differences(&records);
    // The order of the records says nothing.
    records.reverse();
    let (comparisons, notes) = judged(&records, Measure::Accuracy);
    let [comparison] = &comparisons[..] else { panic!("one pair: {notes:?}") };
    assert_eq!(notes, Vec::<String>::new());
    // Reversed, the second model comes first.
    let sign = if comparison.a == "poor" { -1.0 } else { 1.0 };
    let mean = expected.iter().sum::<f64>() / 15.0;
    let squares: f64 = expected.iter().map(|difference| (difference - mean).powi(2)).sum();
    let error = ((1.0 / 15.0 + 12.0 / 44.0) * squares / 14.0).sqrt();
    // 12/44: of the other four folds a twelfth is held back. Student's quantile has 14 degrees of freedom.
    let half = 2.144_786_687_916_93 * error;
    assert!((sign * comparison.difference - mean).abs() < 1e-12, "{comparison:?}");
    let [lower, upper] = comparison.interval;
    assert!((0.5 * (upper - lower) - half).abs() < 1e-9, "{comparison:?} {half}");
    assert_eq!((comparison.runs, comparison.interval_covers), (15, Coverage::Folds));
    assert_eq!(comparison.cross_validation, Some(CrossValidation::own(5, 3)));
    assert!(comparison.paired_t.is_none() && comparison.bootstrap_interval.is_none());
    assert!(comparison.mcnemar_p_values.is_empty() && comparison.image_standard_error.is_none());
    assert_eq!((comparison.seed_standard_error, comparison.further_runs), (None, None));
    let told = "good beats poor by 17.78 points of test accuracy [";
    assert!(comparison.verdict.starts_with(told), "{}", comparison.verdict);
    assert!(
        comparison.verdict.contains(", 5 folds × 3 repetitions, corrected resampled t test"),
        "{}",
        comparison.verdict
    );
    let ahead = comparison.outperforming.expect("many pairs").probability;
    assert_eq!(if sign < 0.0 { 1.0 - ahead } else { ahead }, 1.0);
}

#[test]
fn any_measure_can_decide_over_folds() {
    for measure in Measure::ALL {
        let records = study();
        let (comparisons, _) = judged(&records, measure);
        let value = |model: usize| {
            let of_model = records.iter().skip(model).step_by(2);
            of_model.map(|run| analysis::measures::value(measure, &Run::from(run))).sum::<f64>() / 15.0
        };
        assert!((comparisons[0].difference - (value(0) - value(1))).abs() < 1e-12, "{measure:?}");
        assert!(measure == Measure::LogLoss || comparisons[0].outcome == Outcome::ABetter, "{measure:?}");
    }
}

#[test]
fn what_is_left_of_an_interrupted_cross_validation_is_told() {
    let mut records = study();
    records.truncate(13);
    let (comparisons, notes) = judged(&records, Measure::Accuracy);
    assert!(
        comparisons[0].verdict.contains("6 paired folds of 5 folds × 2 repetitions, "),
        "{}",
        comparisons[0].verdict
    );
    let told = "good, fold 2 of repetition 2: left out of the comparison with poor: poor has no run with the same fold.";
    assert!(notes.contains(&told.to_owned()), "{notes:?}");
    records.truncate(2);
    let (comparisons, notes) = judged(&records, Measure::Accuracy);
    assert_eq!(comparisons, []);
    let told =
        "good and poor are not compared: of a cross-validation at least two folds are needed, 1 found.";
    assert_eq!(notes, [told]);
}

/// Folds of one number that hold other images are no partners, nor are folds and whole runs.
#[test]
fn partners_are_tested_on_the_same_images() {
    let mut records = study();
    records.truncate(10);
    let last = records.len() - 1;
    records[last].test.images[0] += 1;
    let (comparisons, notes) = judged(&records, Measure::Accuracy);
    assert_eq!(comparisons[0].runs, 4);
    let told = "poor, fold 5 of repetition 1: left out of the comparison with good: the run of good with the same fold was not made \
                with the test images of the runs compared.";
    assert!(notes.contains(&told.to_owned()), "{notes:?}");
    let mixed = [fold("good", 1, 1, &[0]), run("poor", 1, 12, [])];
    let (comparisons, notes) = judged(&mixed, Measure::Accuracy);
    assert_eq!(comparisons, []);
    assert!(notes[0].starts_with("good and poor are not compared: "), "{notes:?}");
}

/// Each image once: of the first repetition, summed over its folds.
#[test]
fn what_is_about_images_is_of_one_repetition() {
    let records = study();
    let analysis = Analysis::of(&records, &[], &Question::default(), Vec::new());
    assert_eq!(analysis.cross_validation, Some(CrossValidation::own(5, 3)));
    let [good, poor] = &analysis.models[..] else { panic!("two models") };
    let confusion = poor.confusion.as_ref().expect("predictions");
    assert_eq!(confusion.counts.iter().sum::<f64>(), IMAGES as f64);
    assert_eq!((confusion.at(0, 0), confusion.at(0, 1), confusion.at(2, 2)), (5.0, 15.0, 20.0));
    let bins = &poor.calibration.as_ref().expect("probabilities").bins;
    assert_eq!(bins.iter().map(|bin| bin.count).sum::<usize>(), IMAGES);
    let classes = &poor.measures.as_ref().expect("predictions").classes;
    assert_eq!(classes.iter().map(|class| class.images).collect::<Vec<_>>(), [20, 20, 20]);
    assert!(good.ensemble.is_none() && poor.ensemble.is_none(), "folds answer to different images");
    let hard = analysis.hard_images.as_ref().expect("each image once");
    let mut missed: Vec<usize> = hard.entries.iter().map(|entry| entry.image).collect();
    missed.sort_unstable();
    assert_eq!(missed, (0..15).collect::<Vec<_>>());
    assert_eq!(hard.missed_by_every_run(), [0]);
    assert_eq!(hard.missed_only_by(1).len(), 14);
    assert_eq!(analysis.overlaps[0].pairs, 15);
    // Twelve images a fold are not a set that is too small.
    assert_eq!(analysis.warnings.before_verdicts, Vec::<String>::new());
}
