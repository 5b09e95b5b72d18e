//! Runs as one classifier.

use crate::fixture::run;
use analysis::{
    Run,
    ensemble::{Ensemble, ensemble},
};
use records::record::RunRecord;

/// A run of three classes and four images of the classes 0, 1, 2 and 2.
fn of_three(seed: u64, probabilities: [[u16; 3]; 4]) -> RunRecord {
    let mut record = run("cnn", seed, 4, []);
    record.specification.dataset.classes = 3;
    record.test.labels = vec![0, 1, 2, 2];
    record.test.probabilities = probabilities.concat();
    record
}

#[test]
fn the_mean_of_the_probabilities_decides() {
    let one = of_three(
        0,
        [[60_000, 3000, 2535], [20_000, 40_000, 5535], [30_000, 5535, 30_000], [40_000, 535, 25_000]],
    );
    let two = of_three(
        1,
        [[20_000, 30_000, 15_535], [0, 30_000, 35_535], [30_000, 5535, 30_000], [0, 20_000, 45_535]],
    );
    // Right: the first by 80,000, the second by 70,000, the last by 70,535. The third is a tie, which the first class takes.
    let found = ensemble(&[&one, &two].map(Run::from)).expect("two runs");
    assert_eq!(found, Ensemble { runs: 2, accuracy: 0.75 });
    // Two images each alone: the second run errs in the first two and takes the tie.
    assert_eq!(ensemble(&[&two, &two].map(Run::from)).expect("two runs").accuracy, 0.25);
}

#[test]
fn only_of_runs_on_the_same_images() {
    let one = of_three(0, [[1, 0, 0]; 4]);
    assert_eq!(ensemble(&[]), None);
    assert_eq!(ensemble(&[&one].map(Run::from)), None);
    let mut other = one.clone();
    other.test.labels[0] = 1;
    assert_eq!(ensemble(&[&one, &other].map(Run::from)), None);
    let mut other = one.clone();
    other.test.probabilities.pop();
    assert_eq!(ensemble(&[&one, &other].map(Run::from)), None);
    let mut other = one.clone();
    other.specification.dataset.sha256 = "other".into();
    assert_eq!(ensemble(&[&one, &other].map(Run::from)), None);
}
