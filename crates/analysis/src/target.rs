//! Which models reach a target within limits.

use crate::{Run, figures::thousands, model::Model};
use records::target::Target;
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
    /// Interval at `confidence` of the fraction of runs that do, by Wilson's method.
    pub interval: [f64; 2],
    /// 0.95.
    pub confidence: f64,
    /// Each limit that the model exceeds in every run, in words.
    pub exceeds: Vec<String>,
}

/// Of the interval of an attempt.
const CONFIDENCE: f64 = 0.95;

/// Each model's runs against the target, those that pass most often first, then by mean accuracy.
pub fn attempts(models: &[Model], target: &Target) -> Vec<Attempt> {
    let mut attempts: Vec<(Attempt, f64)> = models
        .iter()
        .map(|model| {
            let runs = &model.runs;
            let excesses: Vec<Vec<String>> = runs.iter().map(|run| excesses(run, target)).collect();
            let reached = |run: &Run| run.test.accuracy >= target.accuracy;
            let passed =
                runs.iter().zip(&excesses).filter(|(run, excess)| reached(run) && excess.is_empty()).count();
            let always = |excess: &&String| excesses.iter().all(|one| one.contains(excess));
            let interval = stats::wilson_interval(passed as u64, runs.len() as u64, CONFIDENCE);
            let attempt = Attempt {
                model: model.name.to_owned(),
                runs: runs.len(),
                passed,
                interval: interval.map_or([0.0, 1.0], |interval| [interval.lower, interval.upper]),
                confidence: CONFIDENCE,
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
fn excesses(run: &Run, target: &Target) -> Vec<String> {
    let mut excesses = Vec::new();
    let mut limit = |what: &str, most: Option<u64>, found: Option<u64>| match (most, found) {
        (Some(most), Some(found)) if found > most => {
            excesses.push(format!("{} {what}, {} allowed", thousands(found), thousands(most)));
        }
        (Some(most), None) => excesses.push(format!("{what} not known, {} allowed", thousands(most))),
        _ => {}
    };
    limit("parameters", target.max_parameters.map(|most| most as u64), run.parameters);
    limit("multiply-adds", target.max_multiply_adds, run.multiply_adds);
    let epochs = run.epochs.len() as u64;
    limit("epochs", target.max_epochs.map(|most| most as u64), (epochs > 0).then_some(epochs));
    match (target.max_train_seconds, run.train_seconds) {
        (Some(most), Some(seconds)) if seconds > most => {
            excesses.push(format!("more than {most} s of training"));
        }
        (Some(most), None) => excesses.push(format!("seconds of training not known, {most} s allowed")),
        _ => {}
    }
    excesses
}
