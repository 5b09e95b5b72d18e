//! Several runs of a model as one classifier.

use records::record::RunRecord;
use serde::Serialize;

/// The runs of a model taken together: each test image gets the class of the highest mean probability, the first of
/// equals (Hansen and Salamon 1990, IEEE Transactions on Pattern Analysis and Machine Intelligence 12).
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Ensemble {
    /// How many runs there are.
    pub runs: usize,
    /// Fraction of test images that they classify correctly together.
    pub accuracy: f64,
}

/// The ensemble of two runs or more; none of runs on different test images, or without every probability.
pub fn ensemble(runs: &[&RunRecord]) -> Option<Ensemble> {
    let [first, _, ..] = runs else { return None };
    let (dataset, labels) = (&first.specification.dataset, &first.test.labels);
    let alike = |run: &&RunRecord| {
        run.specification.dataset == *dataset
            && run.specification.fold.is_none()
            && run.test.labels == *labels
            && run.test.probabilities.len() == labels.len() * dataset.classes
    };
    if labels.is_empty() || !runs.iter().all(alike) {
        return None;
    }
    let class = |image: usize| {
        let mut best = (0, 0);
        for class in 0..dataset.classes {
            let of_run =
                |run: &&RunRecord| u64::from(run.test.probabilities[image * dataset.classes + class]);
            let sum: u64 = runs.iter().map(of_run).sum();
            if sum > best.1 {
                best = (class, sum);
            }
        }
        best.0
    };
    let right = (0..labels.len()).filter(|image| class(*image) == usize::from(labels[*image])).count();
    Some(Ensemble { runs: runs.len(), accuracy: right as f64 / labels.len() as f64 })
}
