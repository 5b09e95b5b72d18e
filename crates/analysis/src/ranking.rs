//! Models in order, with the groups that the runs cannot tell apart.

use crate::{
    model::Model,
    verdict::{Comparison, Outcome},
};
use serde::Serialize;

/// A model's place.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Rank {
    /// The model.
    pub model: String,
    /// Mean test accuracy over its runs, as a fraction.
    pub accuracy: f64,
    /// The best place that it may have: one more than the models that are better than it beyond doubt.
    pub best: usize,
    /// The worst place that it may have: all models but those that it is better than beyond doubt.
    pub worst: usize,
    /// The groups that it belongs to, counted from 0: two models share one if and only if neither is better than the other
    /// beyond doubt.
    pub groups: Vec<usize>,
}

/// The models by mean test accuracy, best first; those whose pairs cannot be told apart or are practically equal share
/// a group, others none: [`stats::compact_letters`]. Models that are not compared with each other are not told apart.
pub fn ranking(models: &[Model], comparisons: &[Comparison]) -> Vec<Rank> {
    let mean = |model: &Model| model.accuracy.map_or(f64::NAN, |accuracy| accuracy.mean);
    let mut ranks: Vec<(&str, f64)> = models.iter().map(|model| (model.name, mean(model))).collect();
    ranks.sort_by(|(_, one), (_, other)| other.total_cmp(one));
    let better = |one: usize, other: usize| is_better(comparisons, ranks[one].0, ranks[other].0);
    let count = ranks.len();
    let pairs = (0..count).flat_map(|one| (one + 1..count).map(move |other| (one, other)));
    let decided: Vec<(usize, usize)> =
        pairs.filter(|(one, other)| better(*one, *other) || better(*other, *one)).collect();
    let groups = stats::compact_letters(count, &decided);
    (0..count)
        .map(|place| Rank {
            model: ranks[place].0.to_owned(),
            accuracy: ranks[place].1,
            best: 1 + (0..count).filter(|other| better(*other, place)).count(),
            worst: count - (0..count).filter(|other| better(place, *other)).count(),
            groups: (0..groups.len()).filter(|group| groups[*group].contains(&place)).collect(),
        })
        .collect()
}

/// Whether a comparison found the one model better than the other.
fn is_better(comparisons: &[Comparison], one: &str, other: &str) -> bool {
    comparisons.iter().any(|comparison| match comparison.outcome {
        Outcome::ABetter => comparison.a == one && comparison.b == other,
        Outcome::BBetter => comparison.b == one && comparison.a == other,
        Outcome::PracticallyEqual | Outcome::CannotTell => false,
    })
}
