//! A comparison in one sentence.

use super::{Comparison, Coverage, Faster, Outcome};
use crate::figures::{confidence, fixed};
use stats::{CrossedEstimate, StatsError};

/// What more runs would do where the present ones cannot tell; nothing with one run, whose seed noise is unknown.
pub(super) fn outlook(
    comparison: &Comparison,
    estimate: &CrossedEstimate,
    power: f64,
) -> Result<Option<String>, StatsError> {
    // No number of runs tells models apart that are as good as each other.
    let nothing = comparison.difference == 0.0;
    if nothing || comparison.outcome != Outcome::CannotTell || estimate.run_standard_error.is_none() {
        return Ok(None);
    }
    let needs = match comparison.further_runs {
        Some(1) => "needs about 1 more run".to_owned(),
        Some(runs) => format!("needs about {runs} more runs"),
        None => {
            // Without seed noise one run is as good as any number.
            let endless =
                CrossedEstimate { run_standard_error: Some(0.0), residual_standard_error: 0.0, ..*estimate };
            match stats::crossed_further_runs(&endless, 1.0 - comparison.confidence, power)? {
                Some(_) => "needs thousands of runs".to_owned(),
                None => format!("needs more than these {} test images, however many runs", estimate.images),
            }
        }
    };
    Ok(Some(format!("telling a difference of this size apart {needs}")))
}

pub(super) fn sentence(comparison: &Comparison, outlook: Option<String>) -> String {
    let Comparison { a, b, measure, .. } = comparison;
    let decimals = comparison.decimals();
    let (scale, unit) = (measure.scale(), measure.unit());
    let difference = scale * comparison.difference;
    let [lower, upper] = comparison.interval.map(|end| scale * end);
    let fixed = |points: f64| fixed(points, decimals);
    let level = confidence(comparison.confidence);
    let range = |lower: f64, upper: f64| format!("[{}, {}] at {level}", fixed(lower), fixed(upper));
    let signed = || {
        let text = fixed(difference);
        let is_zero = text.bytes().all(|byte| matches!(byte, b'0' | b'.'));
        let sign = if text.starts_with('-') || is_zero { "" } else { "+" };
        let of_measure =
            if measure.is_default() { String::new() } else { format!(" of {}", measure.in_words()) };
        format!("{sign}{text} {unit}{of_measure} {}", range(lower, upper))
    };
    // By how much is told without a sign.
    let beats = |better: &str, worse: &str| {
        let (by, interval) = match difference < 0.0 {
            true => (-difference, range(-upper, -lower)),
            false => (difference, range(lower, upper)),
        };
        format!("{better} beats {worse} by {} {unit} of {} {interval}", fixed(by), measure.in_words())
    };
    let result = match comparison.outcome {
        Outcome::ABetter => beats(a, b),
        Outcome::BBetter => beats(b, a),
        Outcome::PracticallyEqual => format!("{a} and {b} are practically equal: {}", signed()),
        Outcome::CannotTell => format!("cannot tell {a} and {b} apart: {}", signed()),
    };
    let runs = match (comparison.cross_validation, comparison.interval_covers, comparison.runs) {
        (Some(folds), _, runs) if runs == folds.folds * folds.repeats => {
            format!("{}, corrected resampled t test", folds.in_words())
        }
        (Some(folds), _, runs) => {
            format!("{runs} paired folds of {}, corrected resampled t test", folds.in_words())
        }
        (None, covers, _) if comparison.unpaired_runs.is_some() => {
            let [of_a, of_b] = comparison.unpaired_runs.unwrap_or_default();
            let count = |runs: usize| if runs == 1 { "1 run".to_owned() } else { format!("{runs} runs") };
            let unknown = if covers == Coverage::Images { ": seed noise unknown" } else { "" };
            format!("{} of {a} and {} of {b}, not paired{unknown}", count(of_a), count(of_b))
        }
        (None, Coverage::Images, _) => "1 paired run: test images only, seed noise unknown".to_owned(),
        (None, _, runs) => format!("{runs} paired runs"),
    };
    let diverged = [a, b].into_iter().zip(comparison.diverged).filter(|(_, count)| *count > 0);
    let diverged = diverged.map(|(model, count)| {
        let (noun, verb) = if count == 1 { ("run", "is") } else { ("runs", "are") };
        format!("{count} {noun} of {model} diverged and {verb} left out, which favours {model}")
    });
    let faster = comparison.training_time.as_ref().and_then(|time| time.faster());
    let clauses: Vec<String> = [Some(runs), outlook]
        .into_iter()
        .flatten()
        .chain(diverged)
        .chain(faster.map(|faster| faster_clause(if faster.is_a { a } else { b }, faster)))
        .collect();
    format!("{result}, {}.", clauses.join("; "))
}

impl Comparison {
    /// As many decimals, at least two (of log-loss four), as the interval needs for its printed ends, in the measure's unit, to
    /// give the outcome of its exact ends. Whatever prints this comparison uses them.
    pub fn decimals(&self) -> usize {
        let (scale, fewest) = (self.measure.scale(), self.measure.decimals());
        // Beyond these a double of this size has no more digits to show.
        const MOST: usize = 17;
        let printed = |end: f64, decimals: usize| fixed(end, decimals).parse::<f64>().unwrap_or(end);
        let interval = self.interval.map(|end| scale * end);
        let margin = scale * self.equivalence_margin;
        let outcome =
            |decimals| Outcome::of(self.measure, interval.map(|end| printed(end, decimals)), margin);
        (fewest..MOST).find(|&decimals| outcome(decimals) == self.outcome).unwrap_or(fewest)
    }
}

impl Faster {
    /// How many times as fast, and the interval with its level: `1.3` and `[1.2, 1.4] at 95 %`, with the decimals that it takes
    /// for the printed interval to exclude 1.
    pub fn shown(&self) -> [String; 2] {
        let Self { times, interval: [lower, upper], .. } = *self;
        // One decimal would print 1.05 to 1.09 as 1.1, and say nothing of use beyond 10.
        let fewest = if times < 1.095 { 2 } else { usize::from(times < 9.95) };
        let excludes_one =
            |decimals: &usize| fixed(lower, *decimals).parse::<f64>().is_ok_and(|end| end > 1.0);
        let decimals = (fewest..12).find(excludes_one).unwrap_or(fewest);
        let fixed = |value: f64| fixed(value, decimals);
        let interval = format!("[{}, {}] at {}", fixed(lower), fixed(upper), confidence(self.confidence));
        [fixed(times), interval]
    }
}

fn faster_clause(name: &str, faster: Faster) -> String {
    let [times, interval] = faster.shown();
    format!("{name} trains {times}× faster {interval}")
}
