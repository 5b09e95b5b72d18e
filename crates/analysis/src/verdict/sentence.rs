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
    // No number of runs tells models apart that are as accurate as each other.
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
    let Comparison { a, b, .. } = comparison;
    let decimals = comparison.decimals();
    let difference = 100.0 * comparison.difference;
    let [lower, upper] = comparison.interval.map(|end| 100.0 * end);
    let fixed = |points: f64| fixed(points, decimals);
    let level = confidence(comparison.confidence);
    let range = |lower: f64, upper: f64| format!("[{}, {}] at {level}", fixed(lower), fixed(upper));
    let signed = || {
        let text = fixed(difference);
        let is_zero = text.bytes().all(|byte| matches!(byte, b'0' | b'.'));
        let sign = if text.starts_with('-') || is_zero { "" } else { "+" };
        format!("{sign}{text} points {}", range(lower, upper))
    };
    let beats = |better: &str, worse: &str, by: f64, interval: String| {
        format!("{better} beats {worse} by {} points of test accuracy {interval}", fixed(by))
    };
    let result = match comparison.outcome {
        Outcome::ABetter => beats(a, b, difference, range(lower, upper)),
        Outcome::BBetter => beats(b, a, -difference, range(-upper, -lower)),
        Outcome::PracticallyEqual => format!("{a} and {b} are practically equal: {}", signed()),
        Outcome::CannotTell => format!("cannot tell {a} and {b} apart: {}", signed()),
    };
    let runs = match (comparison.interval_covers, comparison.runs) {
        (Coverage::Images, _) => "1 paired run: test images only, seed noise unknown".to_owned(),
        (Coverage::RunsAndImages, runs) => format!("{runs} paired runs"),
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
    /// As many decimals, at least two, as the interval needs for its printed ends, in points, to give the outcome of its
    /// exact ends. Whatever prints this comparison uses them.
    pub fn decimals(&self) -> usize {
        const FEWEST: usize = 2;
        // Beyond these a double of this size has no more digits to show.
        const MOST: usize = 17;
        let printed = |end: f64, decimals: usize| fixed(end, decimals).parse::<f64>().unwrap_or(end);
        let interval = self.interval.map(|end| 100.0 * end);
        let margin = 100.0 * self.equivalence_margin;
        (FEWEST..MOST)
            .find(|&decimals| Outcome::of(interval.map(|end| printed(end, decimals)), margin) == self.outcome)
            .unwrap_or(FEWEST)
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
