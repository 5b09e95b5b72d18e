//! Which models reach a target within limits.

use crate::{figures::thousands, model::Model};
use records::{record::RunRecord, target::Target};
use serde::Serialize;

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
pub fn attempts(models: &[Model], target: &Target) -> Vec<Attempt> {
    let mut attempts: Vec<(Attempt, f64)> = models
        .iter()
        .map(|model| {
            let runs = &model.runs;
            let excesses: Vec<Vec<String>> = runs.iter().map(|run| excesses(run, target)).collect();
            let reached = |run: &RunRecord| run.test.accuracy >= target.accuracy;
            let passed =
                runs.iter().zip(&excesses).filter(|(run, excess)| reached(run) && excess.is_empty()).count();
            let always = |excess: &&String| excesses.iter().all(|one| one.contains(excess));
            let interval = stats::wilson_interval(passed as u64, runs.len() as u64, 0.95);
            let attempt = Attempt {
                model: model.name.to_owned(),
                runs: runs.len(),
                passed,
                interval: interval.map_or([0.0, 1.0], |interval| [interval.lower, interval.upper]),
                exceeds: excesses[0].iter().filter(always).cloned().collect(),
            };
            (attempt, model.accuracy.map_or(0.0, |accuracy| accuracy.mean))
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
