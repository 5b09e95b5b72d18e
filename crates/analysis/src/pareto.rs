//! Which models are Pareto-optimal: not dominated by another in accuracy and cost.

use crate::{machine::MachineKind, model::Model};
use serde::Serialize;

/// What a model reaches and what it costs, over its runs.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Standing {
    /// The model.
    pub model: String,
    /// Mean test accuracy, as a fraction.
    pub accuracy: f64,
    /// Weights and biases; none where they are not known.
    pub parameters: Option<u64>,
    /// Multiply-adds per image, forward; none where they are not known.
    pub multiply_adds: Option<u64>,
    /// Mean seconds of training; none where they are not known, or the model's runs come from several kinds of machine.
    pub train_seconds: Option<f64>,
    /// Whether no other model is at least as accurate with fewer parameters, or more accurate with as many; never of a model whose are not known.
    pub front_by_parameters: bool,
    /// The same for multiply-adds.
    pub front_by_multiply_adds: bool,
    /// The same for seconds of training; of no model where the runs of all come from several kinds of machine.
    pub front_by_train_seconds: bool,
}

/// Each model's standing, in their order, and whether it is on the Pareto fronts.
pub fn standings(models: &[Model]) -> Vec<Standing> {
    let mut standings: Vec<Standing> = models
        .iter()
        .map(|model| Standing {
            model: model.name.to_owned(),
            accuracy: model.accuracy.map_or(f64::NAN, |accuracy| accuracy.mean),
            parameters: model.parameters,
            multiply_adds: model.multiply_adds,
            train_seconds: model.train_seconds.map(|seconds| seconds.mean),
            front_by_parameters: false,
            front_by_multiply_adds: false,
            front_by_train_seconds: false,
        })
        .collect();
    let on_front = |cost: fn(&Standing) -> Option<f64>| -> Vec<bool> {
        let dominates = |other: &Standing, accuracy: f64, cost_of_one: f64| {
            cost(other).is_some_and(|cost| {
                let no_worse = other.accuracy >= accuracy && cost <= cost_of_one;
                no_worse && (other.accuracy > accuracy || cost < cost_of_one)
            })
        };
        let on_front = |one: &Standing| {
            cost(one).is_some_and(|cost| !standings.iter().any(|other| dominates(other, one.accuracy, cost)))
        };
        standings.iter().map(on_front).collect()
    };
    let parameters = on_front(|one| one.parameters.map(|count| count as f64));
    let multiply_adds = on_front(|one| one.multiply_adds.map(|count| count as f64));
    let train_seconds = match MachineKind::all(models.iter().flat_map(|model| &model.runs)).len() {
        0 | 1 => on_front(|one| one.train_seconds),
        _ => vec![false; standings.len()],
    };
    for (index, standing) in standings.iter_mut().enumerate() {
        standing.front_by_parameters = parameters[index];
        standing.front_by_multiply_adds = multiply_adds[index];
        standing.front_by_train_seconds = train_seconds[index];
    }
    standings
}
