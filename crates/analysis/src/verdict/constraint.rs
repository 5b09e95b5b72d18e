//! Which models reach a target within limits, and which no other outdoes.

use super::MachineKind;
use crate::figures::thousands;
use records::{record::RunRecord, target::Target};
use serde::Serialize;

/// What a model reaches and what it costs, over its runs.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Standing {
    /// The model.
    pub model: String,
    /// Mean test accuracy, as a fraction.
    pub accuracy: f64,
    /// Weights and biases.
    pub parameters: usize,
    /// Multiply-adds per image, forward.
    pub multiply_adds: u64,
    /// Mean seconds of training; none where the model's runs come from several kinds of machine.
    pub train_seconds: Option<f64>,
    /// Whether no other model is at least as accurate with fewer parameters, or more accurate with as many.
    pub front_by_parameters: bool,
    /// The same for multiply-adds.
    pub front_by_multiply_adds: bool,
    /// The same for seconds of training; of no model where the runs of all come from several kinds of machine.
    pub front_by_train_seconds: bool,
}

/// Each model's standing, in the order of its first record, and whether it is on the Pareto fronts.
pub fn standings(records: &[RunRecord]) -> Vec<Standing> {
    let mut standings: Vec<Standing> = by_model(records)
        .into_iter()
        .map(|(model, runs)| Standing {
            model: model.to_owned(),
            accuracy: mean(&runs, |run| run.test.accuracy),
            parameters: runs[0].parameters,
            multiply_adds: runs[0].multiply_adds,
            train_seconds: (MachineKind::all(runs.iter().copied()).len() == 1)
                .then(|| mean(&runs, |run| run.train_seconds)),
            front_by_parameters: false,
            front_by_multiply_adds: false,
            front_by_train_seconds: false,
        })
        .collect();
    let on_front = |cost: fn(&Standing) -> f64| -> Vec<bool> {
        let outdone = |one: &Standing| {
            standings.iter().any(|other| {
                let no_worse = other.accuracy >= one.accuracy && cost(other) <= cost(one);
                no_worse && (other.accuracy > one.accuracy || cost(other) < cost(one))
            })
        };
        standings.iter().map(|one| !outdone(one)).collect()
    };
    let parameters = on_front(|one| one.parameters as f64);
    let multiply_adds = on_front(|one| one.multiply_adds as f64);
    let train_seconds = match MachineKind::all(records).len() {
        1 => on_front(|one| one.train_seconds.unwrap_or(f64::INFINITY)),
        _ => vec![false; standings.len()],
    };
    for (index, standing) in standings.iter_mut().enumerate() {
        standing.front_by_parameters = parameters[index];
        standing.front_by_multiply_adds = multiply_adds[index];
        standing.front_by_train_seconds = train_seconds[index];
    }
    standings
}

/// How a model fares against a target.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Attempt {
    /// The model.
    pub model: String,
    /// Its runs.
    pub runs: usize,
    /// Those that reach the accuracy within every limit.
    pub passed: usize,
    /// 95 % interval of the fraction of runs that do, by Wilson's method.
    pub interval: [f64; 2],
    /// Each limit that the model exceeds in every run, in words.
    pub exceeds: Vec<String>,
}

/// Each model's runs against the target, those that pass most often first, then by mean accuracy.
pub fn attempts(records: &[RunRecord], target: &Target) -> Vec<Attempt> {
    let mut attempts: Vec<(Attempt, f64)> = by_model(records)
        .into_iter()
        .map(|(model, runs)| {
            let excesses: Vec<Vec<String>> = runs.iter().map(|run| excesses(run, target)).collect();
            let reached = |run: &RunRecord| run.test.accuracy >= target.accuracy;
            let passed =
                runs.iter().zip(&excesses).filter(|(run, excess)| reached(run) && excess.is_empty()).count();
            let always = |excess: &&String| excesses.iter().all(|one| one.contains(excess));
            let interval = stats::wilson_interval(passed as u64, runs.len() as u64, 0.95);
            let attempt = Attempt {
                model: model.to_owned(),
                runs: runs.len(),
                passed,
                interval: interval.map_or([0.0, 1.0], |interval| [interval.lower, interval.upper]),
                exceeds: excesses[0].iter().filter(always).cloned().collect(),
            };
            (attempt, mean(&runs, |run| run.test.accuracy))
        })
        .collect();
    let share = |attempt: &Attempt| attempt.passed as f64 / attempt.runs as f64;
    attempts.sort_by(|(one, one_accuracy), (other, other_accuracy)| {
        share(other).total_cmp(&share(one)).then(other_accuracy.total_cmp(one_accuracy))
    });
    attempts.into_iter().map(|(attempt, _)| attempt).collect()
}

/// The limits that a run exceeds. Seconds differ from run to run, so that they are said without their number.
fn excesses(run: &RunRecord, target: &Target) -> Vec<String> {
    let mut excesses = Vec::new();
    let mut limit = |what: &str, most: Option<u64>, found: u64| {
        if let Some(most) = most.filter(|most| found > *most) {
            excesses.push(format!("{} {what}, {} allowed", thousands(found), thousands(most)));
        }
    };
    limit("parameters", target.max_parameters.map(|most| most as u64), run.parameters as u64);
    limit("multiply-adds", target.max_multiply_adds, run.multiply_adds);
    limit("epochs", target.max_epochs.map(|most| most as u64), run.epochs.len() as u64);
    if let Some(most) = target.max_train_seconds.filter(|most| run.train_seconds > *most) {
        excesses.push(format!("more than {most} s of training"));
    }
    excesses
}

/// Runs by model, in the order of the first record.
fn by_model(records: &[RunRecord]) -> Vec<(&str, Vec<&RunRecord>)> {
    let mut models: Vec<(&str, Vec<&RunRecord>)> = Vec::new();
    for record in records {
        let name = record.specification.model.as_str();
        match models.iter_mut().find(|(known, _)| *known == name) {
            Some((_, runs)) => runs.push(record),
            None => models.push((name, vec![record])),
        }
    }
    models
}

fn mean(runs: &[&RunRecord], figure: impl Fn(&RunRecord) -> f64) -> f64 {
    runs.iter().map(|run| figure(run)).sum::<f64>() / runs.len() as f64
}
