//! Models in order, with the groups that the runs cannot tell apart.

use crate::{
    model::Model,
    spread::Spread,
    verdict::{Comparison, Outcome},
};
use records::question::Measure;
use serde::Serialize;

/// A model's place.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Rank {
    /// The model.
    pub model: String,
    /// Mean test accuracy over its runs, as a fraction.
    pub accuracy: f64,
    /// Mean over its runs of the measure that decides: a fraction, of log-loss nats.
    pub value: f64,
    /// The best place that it may have: one more than the models that are better than it beyond doubt.
    pub best: usize,
    /// The worst place that it may have: all models but those that it is better than beyond doubt.
    pub worst: usize,
    /// The groups that it belongs to, counted from 0: two models share one if and only if neither is better than the other
    /// beyond doubt.
    pub groups: Vec<usize>,
}

/// The models by the mean of the measure that decides, best first; those whose pairs cannot be told apart or are practically equal share
/// a group, others none: [`stats::compact_letters`]. Models that are not compared with each other are not told apart.
pub fn ranking(models: &[Model], comparisons: &[Comparison], decide_by: Measure) -> Vec<Rank> {
    let mean = |spread: Option<Spread>| spread.map_or(f64::NAN, |spread| spread.mean);
    let mut ranks: Vec<&Model> = models.iter().collect();
    let value = |model: &Model| mean(model.value(decide_by));
    ranks.sort_by(|one, other| match decide_by.larger_is_better() {
        true => value(other).total_cmp(&value(one)),
        false => value(one).total_cmp(&value(other)),
    });
    let better = |one: usize, other: usize| is_better(comparisons, ranks[one].name, ranks[other].name);
    let count = ranks.len();
    let pairs = (0..count).flat_map(|one| (one + 1..count).map(move |other| (one, other)));
    let decided: Vec<(usize, usize)> =
        pairs.filter(|(one, other)| better(*one, *other) || better(*other, *one)).collect();
    let groups = stats::compact_letters(count, &decided);
    (0..count)
        .map(|place| Rank {
            model: ranks[place].name.to_owned(),
            accuracy: mean(ranks[place].accuracy),
            value: value(ranks[place]),
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
