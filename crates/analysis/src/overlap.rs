//! Errors of two models that coincide, and runs of two models that overlap.

use crate::Run;
use crate::model::Model;
use serde::Serialize;

/// Errors of two models on the same test images, means over the pairs of runs that share a seed.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Overlap {
    /// The one model.
    pub a: String,
    /// The other.
    pub b: String,
    /// How many pairs of runs there are.
    pub pairs: usize,
    /// Images that both miss.
    pub both: f64,
    /// Images that `a` misses alone.
    pub only_a: f64,
    /// Images that `b` misses alone.
    pub only_b: f64,
    /// Errors that would coincide were the models' errors independent of each other.
    pub by_chance: f64,
}

/// More models than these make all pairs unreadable: the best is then set against the next one only.
const ALL_PAIRS_UP_TO: usize = 3;

/// The overlaps that are worth telling, of models in the order of their accuracy.
pub(crate) fn overlaps(by_accuracy: &[&Model]) -> Vec<Overlap> {
    let pairs = match by_accuracy.len() {
        0 | 1 => Vec::new(),
        count if count <= ALL_PAIRS_UP_TO => {
            (0..count).flat_map(|first| (first + 1..count).map(move |second| (first, second))).collect()
        }
        _ => vec![(0, 1)],
    };
    pairs.into_iter().filter_map(|(a, b)| overlap(by_accuracy[a], by_accuracy[b])).collect()
}

/// None when no two runs share a seed and test images.
pub fn overlap(a: &Model, b: &Model) -> Option<Overlap> {
    let (a_name, b_name) = (a.name.to_owned(), b.name.to_owned());
    let mut sum =
        Overlap { a: a_name, b: b_name, pairs: 0, both: 0.0, only_a: 0.0, only_b: 0.0, by_chance: 0.0 };
    for one in &a.runs {
        let partner =
            b.runs.iter().find(|other| other.partner == one.partner && other.test.labels == one.test.labels);
        let Some(other) = partner.filter(|_| !one.test.labels.is_empty()) else { continue };
        let (missed_a, missed_b) = (missed(one), missed(other));
        let both = missed_a.iter().zip(&missed_b).filter(|(a, b)| **a && **b).count() as f64;
        let errors = |missed: &[bool]| missed.iter().filter(|missed| **missed).count() as f64;
        sum.pairs += 1;
        sum.both += both;
        sum.only_a += errors(&missed_a) - both;
        sum.only_b += errors(&missed_b) - both;
        sum.by_chance += errors(&missed_a) * errors(&missed_b) / missed_a.len() as f64;
    }
    let pairs = Some(sum.pairs).filter(|pairs| *pairs > 0)? as f64;
    for figure in [&mut sum.both, &mut sum.only_a, &mut sum.only_b, &mut sum.by_chance] {
        *figure /= pairs;
    }
    Some(sum)
}

/// An image without a prediction counts as missed.
fn missed(run: &Run) -> Vec<bool> {
    let labels = run.test.labels.iter().enumerate();
    labels.map(|(image, label)| run.test.predictions.get(image) != Some(label)).collect()
}

/// Whether the worst run of one model is more accurate than the best of the other; none where one has fewer than two runs.
pub fn separated(better: &Model, worse: &Model) -> Option<bool> {
    if better.runs.len() < 2 || worse.runs.len() < 2 {
        return None;
    }
    let accuracies = |model: &Model| model.figures(|run| run.test.accuracy).into_iter();
    let lowest = accuracies(better).fold(f64::INFINITY, f64::min);
    Some(lowest > accuracies(worse).fold(f64::NEG_INFINITY, f64::max))
}
