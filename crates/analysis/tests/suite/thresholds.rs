//! Thresholds that fit the data.

use crate::fixture::{only_comparison, run};
use analysis::{Analysis, learning::Milestone, thresholds::Thresholds, verdict::Outcome};
use records::{
    question::Question,
    record::{EpochRecord, RunRecord},
};

/// A run whose validation accuracy is such in two epochs.
fn validated(model: &str, seed: u64, accuracies: [f64; 2]) -> RunRecord {
    let mut record = run(model, seed, 1000, 0..3);
    record.epochs = (1..)
        .zip(accuracies)
        .map(|(epoch, validation_accuracy)| EpochRecord {
            epoch,
            train_loss: 1.0,
            train_accuracy: 0.9,
            validation_loss: 1.0,
            validation_accuracy,
            train_seconds: 1.0,
            validation_measure: None,
            test_accuracy: None,
        })
        .collect();
    record
}

#[test]
fn milestones_lie_around_what_the_best_model_reaches() {
    let of = |best: f64| {
        let records = [validated("good", 1, [best - 0.1, best]), validated("bad", 1, [0.1, 0.1])];
        Thresholds::of(&records, &Question::default()).milestones
    };
    assert_eq!(of(0.985), [0.97, 0.98, 0.99], "as MNIST's own");
    assert_eq!(of(0.99), [0.98, 0.99, 0.995]);
    assert_eq!(of(0.88), [0.7, 0.8, 0.9]);
    assert_eq!(of(0.999), [0.99, 0.995, 0.998]);
    assert_eq!(of(0.11), [0.1, 0.2, 0.5]);
    // The mean over the seeds of a model, not its luckiest run.
    let lucky = [validated("m", 1, [0.5, 0.96]), validated("m", 2, [0.5, 0.78])];
    assert_eq!(Thresholds::of(&lucky, &Question::default()).milestones, [0.7, 0.8, 0.9]);
    assert_eq!(Thresholds::of(&[] as &[RunRecord], &Question::default()).milestones.len(), 3);
}

#[test]
fn milestones_are_reached_by_the_mean_of_the_runs() {
    let records = [validated("m", 1, [0.5, 0.96]), validated("m", 2, [0.5, 0.78])];
    let analysis = Analysis::of(&records, &[], &Question::default(), Vec::new());
    let milestone = |accuracy, epoch| Milestone { accuracy, epoch };
    assert_eq!(
        analysis.models[0].learning.milestones,
        [milestone(0.7, Some(2)), milestone(0.8, Some(2)), milestone(0.9, None)]
    );
}

#[test]
fn no_region_of_equivalence_is_narrower_than_a_test_image() {
    let margin = |images| {
        let records = [run("a", 1, images, [])];
        Thresholds::of(&records, &Question::default()).equivalence_margin
    };
    assert_eq!((margin(10_000), margin(2000), margin(250)), (0.0005, 0.0005, 0.004));
    assert_eq!((margin(100), margin(20), margin(1)), (0.01, 0.01, 0.01), "a point is never nothing");
    let one_image: Vec<RunRecord> =
        (1..=3).flat_map(|seed| [run("a", seed, 1, []), run("b", seed, 1, 0..1)]).collect();
    let analysis = Analysis::of(&one_image, &[], &Question::default(), Vec::new());
    assert_eq!(analysis.comparisons[0].outcome, Outcome::CannotTell, "the interval is [-100, 100]");
}

#[test]
fn a_question_sets_its_own_margin() {
    let records: Vec<RunRecord> =
        (1..=5).flat_map(|seed| [run("a", seed, 10_000, 0..10), run("b", seed, 10_000, 0..90)]).collect();
    assert_eq!(only_comparison(&records).outcome, Outcome::ABetter);
    let question = Question { equivalence_margin_points: Some(2.0), ..Question::default() };
    let analysis = Analysis::of(&records, &[], &question, Vec::new());
    let comparison = &analysis.comparisons[0];
    assert_eq!((comparison.outcome, comparison.equivalence_margin), (Outcome::PracticallyEqual, 0.02));
}
