//! Which models reach a target within limits.

use crate::{Run, figures::thousands, model::Model};
use records::{record::RunRecord, target::Target};
use serde::Serialize;
use spec::Footprint;

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
    let epochs = run.epochs.len() as u64;
    let limits = [
        ("parameters", target.max_parameters.map(|most| most as u64), run.parameters),
        ("multiply-adds", target.max_multiply_adds, run.multiply_adds),
        ("epochs", target.max_epochs.map(|most| most as u64), (epochs > 0).then_some(epochs)),
    ];
    let mut excesses: Vec<String> =
        limits.into_iter().filter_map(|(what, most, found)| excess(what, most, found)).collect();
    excesses.extend(memory_excesses(run, target));
    match (target.max_train_seconds, run.train_seconds) {
        (Some(most), Some(seconds)) if seconds > most => {
            excesses.push(format!("more than {most} s of training"));
        }
        (Some(most), None) => excesses.push(format!("seconds of training not known, {most} s allowed")),
        _ => {}
    }
    excesses
}

/// A number that is larger than allowed, or not known.
fn excess(what: &str, most: Option<u64>, found: Option<u64>) -> Option<String> {
    match (most?, found) {
        (most, Some(found)) if found > most => {
            Some(format!("{} {what}, {} allowed", thousands(found), thousands(most)))
        }
        (most, None) => Some(format!("{what} not known, {} allowed", thousands(most))),
        _ => None,
    }
}

/// What the model's int8 header takes beyond the limits; any limit, where there is none.
fn memory_excesses(run: &Run, target: &Target) -> Vec<String> {
    let limits = [("RAM", target.max_ram_bytes), ("flash", target.max_flash_bytes)];
    if limits.iter().all(|(_, most)| most.is_none()) {
        return Vec::new();
    }
    let found = match run.record().map(RunRecord::footprint) {
        Some(Err(reason)) => return vec![format!("no limit of memory can be checked: {reason}")],
        Some(Ok(Footprint { ram_bytes, flash_bytes })) => [Some(ram_bytes as u64), Some(flash_bytes as u64)],
        None => [None; 2],
    };
    let excess = |((what, most), found): ((&str, Option<usize>), Option<u64>)| {
        excess(&format!("bytes of {what}"), most.map(|most| most as u64), found)
    };
    limits.into_iter().zip(found).filter_map(excess).collect()
}
