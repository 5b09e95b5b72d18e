//! What the per-image predictions tell: errors that coincide, and classes that are confused.

use std::collections::BTreeMap;

use records::record::RunRecord;

use crate::Model;

/// Errors of two models on the same test images, means over the pairs of runs that share a seed.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Overlap {
    pub(crate) pairs: usize,
    pub(crate) both: f64,
    pub(crate) only_a: f64,
    pub(crate) only_b: f64,
    /// Errors that would coincide were the models' errors independent of each other.
    pub(crate) by_chance: f64,
}

/// None when no two runs share a seed and test images.
pub(crate) fn overlap(a: &Model, b: &Model) -> Option<Overlap> {
    let mut sum = Overlap { pairs: 0, both: 0.0, only_a: 0.0, only_b: 0.0, by_chance: 0.0 };
    for one in &a.runs {
        let partner = b.runs.iter().find(|other| {
            other.specification.seed == one.specification.seed && other.test.labels == one.test.labels
        });
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
    Some(Overlap {
        pairs: sum.pairs,
        both: sum.both / pairs,
        only_a: sum.only_a / pairs,
        only_b: sum.only_b / pairs,
        by_chance: sum.by_chance / pairs,
    })
}

/// An image without a prediction counts as missed.
fn missed(run: &RunRecord) -> Vec<bool> {
    let labels = run.test.labels.iter().enumerate();
    labels.map(|(image, label)| run.test.predictions.get(image) != Some(label)).collect()
}

/// The (true, given) classes that were confused most often, several if equally often, and how often in all runs.
pub(crate) fn most_confused(model: &Model) -> Option<(Vec<(u8, u8)>, usize)> {
    let mut counts: BTreeMap<(u8, u8), usize> = BTreeMap::new();
    for run in &model.runs {
        for (label, prediction) in run.test.labels.iter().zip(&run.test.predictions) {
            if label != prediction {
                *counts.entry((*label, *prediction)).or_default() += 1;
            }
        }
    }
    let most = counts.values().copied().max()?;
    Some((counts.into_iter().filter(|(_, count)| *count == most).map(|(pair, _)| pair).collect(), most))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture::with_predictions;

    #[test]
    fn errors_are_counted_by_hand() {
        let a = with_predictions("a", 1, &[0, 1, 2, 3], &[9, 9, 2, 3]);
        let b = with_predictions("b", 1, &[0, 1, 2, 3], &[0, 9, 9, 9]);
        let unpaired = with_predictions("b", 2, &[0, 1, 2, 3], &[9, 9, 9, 9]);
        let (one, other) =
            (Model { name: "a", runs: vec![&a] }, Model { name: "b", runs: vec![&b, &unpaired] });
        let expected = Overlap { pairs: 1, both: 1.0, only_a: 1.0, only_b: 2.0, by_chance: 1.5 };
        assert_eq!(overlap(&one, &other), Some(expected));
        let alone = Model { name: "b", runs: vec![&unpaired] };
        assert_eq!(overlap(&one, &alone), None);
    }

    #[test]
    fn confusions_are_counted_over_all_runs() {
        let first = with_predictions("a", 1, &[4, 4, 7, 1], &[9, 9, 1, 1]);
        let second = with_predictions("a", 2, &[4, 4, 7, 1], &[4, 9, 1, 7]);
        let both = Model { name: "a", runs: vec![&first, &second] };
        assert_eq!(most_confused(&both), Some((vec![(4, 9)], 3)));
        let second_only = Model { name: "a", runs: vec![&second] };
        assert_eq!(most_confused(&second_only), Some((vec![(1, 7), (4, 9), (7, 1)], 1)));
        let right = with_predictions("a", 1, &[1], &[1]);
        assert_eq!(most_confused(&Model { name: "a", runs: vec![&right] }), None);
    }
}
