//! Which model is said to train faster.

use crate::fixture::{judge, only_comparison, steady};
use analysis::verdict::{Judgement, TrainingTime};
use records::record::RunRecord;

/// Runs of `cnn` and `lstm` that took these seconds, a pair each.
fn timed(seconds: &[(f64, f64)]) -> Vec<RunRecord> {
    let mut records = steady(1000, 0..seconds.len() as u64, 100);
    for (pair, (cnn, lstm)) in records.chunks_exact_mut(2).zip(seconds) {
        (pair[0].train_seconds, pair[1].train_seconds) = (*cnn, *lstm);
    }
    records
}

fn time(records: &[RunRecord]) -> TrainingTime {
    only_comparison(records).training_time.expect("clocks to compare")
}

/// Logarithms of the ratios: ln 1.2, ln 1.3 and ln 1.4 have mean 0.260386 and deviation 0.077094, so the interval is
/// exp(0.260386 ± 4.302653 · 0.077094 / √3).
#[test]
fn the_ratio_is_that_of_paired_times_with_an_interval() {
    let records = timed(&[(12.0, 10.0), (26.0, 20.0), (7.0, 5.0)]);
    let found = time(&records);
    let [lower, upper] = found.interval.expect("three pairs");
    assert!((found.ratio - (1.2f64 * 1.3 * 1.4).cbrt()).abs() < 1e-12, "{found:?}");
    assert!((lower - 1.071_300).abs() < 1e-5 && (upper - 1.571_293).abs() < 1e-5, "{found:?}");
    assert_eq!((found.runs, found.confidence), (3, 0.95));
    assert!(
        only_comparison(&records)
            .verdict
            .ends_with("3 paired runs; lstm trains 1.3× faster [1.1, 1.6] at 95 %.")
    );
}

#[test]
fn nothing_is_faster_whose_interval_holds_one() {
    for (seconds, clause) in [
        (&[(10.0, 13.0), (10.0, 9.0), (10.0, 14.0)][..], None),
        (&[(10.0, 13.0)], None),
        (&[(10.0, 10.4), (10.0, 10.41)], None),
        (&[(10.0, 10.6), (10.0, 10.61)], Some("cnn trains 1.06× faster [1.05, 1.07] at 95 %.")),
        // The printed end must not be the 1 that the interval excludes.
        (&[(10.0, 11.0), (10.0, 11.0), (10.0, 11.3)], Some("cnn trains 1.1× faster [1.1, 1.2] at 95 %.")),
        (&[(10.0, 10.5), (10.0, 11.0), (10.0, 11.7)], None),
        (&[(10.0, 1000.0), (10.0, 1001.0)], Some("cnn trains 100× faster [99, 101] at 95 %.")),
        (&[(10.0, 0.0), (10.0, 0.0)], None),
    ] {
        let verdict = only_comparison(&timed(seconds)).verdict;
        match clause {
            Some(clause) => assert!(verdict.ends_with(clause), "{seconds:?}: {verdict}"),
            None => assert!(!verdict.contains("faster"), "{seconds:?}: {verdict}"),
        }
    }
    let unmeasured = only_comparison(&timed(&[(10.0, 0.0), (10.0, 0.0)]));
    assert_eq!((unmeasured.train_seconds_ratio, unmeasured.training_time), (None, None));
}

#[test]
fn one_network_under_two_names_is_never_faster_than_itself() {
    let mut records = timed(&[(13.0, 10.0), (13.0, 10.0), (13.01, 10.0)]);
    assert!(only_comparison(&records).verdict.contains("faster"));
    let layers = records[0].specification.layers.clone();
    records.iter_mut().for_each(|run| run.specification.layers = layers.clone());
    assert!(!only_comparison(&records).verdict.contains("faster"));
    assert!(time(&records).same_network);
}

#[test]
fn clocks_of_one_kind_of_machine_are_compared_and_no_others() {
    let mut records = timed(&[(13.0, 10.0), (13.0, 10.0), (100.0, 10.0)]);
    records[4].environment.threads = 8;
    let Judgement { comparisons, notes } = judge(&records, &[]);
    let found = comparisons[0].training_time.as_ref().expect("two pairs");
    assert_eq!((found.runs, comparisons[0].runs), (2, 3));
    assert!((found.ratio - 1.3).abs() < 1e-12);
    assert_eq!(
        notes,
        [
            "The runs of cnn and lstm come from 2 kinds of machine: their training times are compared on 2 of 3 pairs of runs, those of a \
             processor with 2 threads and avx2 kernels."
        ]
    );
    type Change = fn(&mut records::record::Environment);
    let changes: [Change; 4] = [
        |machine| machine.cpu = "another".into(),
        |machine| machine.threads = 3,
        |machine| machine.kernels = "portable".into(),
        |machine| machine.operating_system = "macos".into(),
    ];
    for change in changes {
        let mut records = timed(&[(13.0, 10.0), (13.0, 10.0)]);
        records.iter_mut().step_by(2).for_each(|run| change(&mut run.environment));
        let Judgement { comparisons, notes } = judge(&records, &[]);
        assert_eq!((&comparisons[0].training_time, comparisons[0].train_seconds_ratio), (&None, None));
        assert!(comparisons[0].verdict.ends_with("2 paired runs."), "{}", comparisons[0].verdict);
        assert_eq!(
            notes,
            [
                "The training times of cnn and lstm come from 2 kinds of machine (processor, threads, kernels, operating system or \
                 version) and are not compared."
            ]
        );
    }
}
