//! Several runs of a model as one classifier.

use crate::Run;
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
pub fn ensemble(runs: &[Run]) -> Option<Ensemble> {
    let [first, _, ..] = runs else { return None };
    let (data, labels) = (first.data, &first.test.labels);
    let alike = |run: &Run| {
        run.data.sha256 == data.sha256
            && run.fold().is_none()
            && run.test.labels == *labels
            && run.test.probabilities.len() == labels.len() * data.classes
    };
    if labels.is_empty() || !runs.iter().all(alike) {
        return None;
    }
    let class = |image: usize| {
        let mut best = (0, 0);
        for class in 0..data.classes {
            let of_run = |run: &Run| u64::from(run.test.probabilities[image * data.classes + class]);
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
