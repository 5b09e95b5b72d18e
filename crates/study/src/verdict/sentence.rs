//! A comparison in one sentence.

use super::{Comparison, Coverage, Outcome, POWER};
use stats::{CrossedEstimate, StatsError};

/// A model that trains faster by less than this gains its user nothing worth a clause.
const NOTABLE_TIME_RATIO: f64 = 1.05;

/// What more runs would do where the present ones cannot tell; nothing with one run, whose seed noise is unknown.
pub(super) fn outlook(
    comparison: &Comparison,
    estimate: &CrossedEstimate,
) -> Result<Option<String>, StatsError> {
    if comparison.outcome != Outcome::CannotTell || estimate.run_standard_error.is_none() {
        return Ok(None);
    }
    let needs = match comparison.further_runs {
        Some(1) => "needs about 1 more run".to_owned(),
        Some(runs) => format!("needs about {runs} more runs"),
        None => {
            // Without seed noise one run is as good as any number.
            let endless =
                CrossedEstimate { run_standard_error: Some(0.0), residual_standard_error: 0.0, ..*estimate };
            match stats::crossed_further_runs(&endless, 1.0 - comparison.confidence, POWER)? {
                Some(_) => "needs thousands of runs".to_owned(),
                None => format!("needs more than these {} test images, however many runs", estimate.images),
            }
        }
    };
    Ok(Some(format!("a difference this small {needs}")))
}

pub(super) fn sentence(comparison: &Comparison, outlook: Option<String>, same_machine: bool) -> String {
    let Comparison { a, b, .. } = comparison;
    let difference = 100.0 * comparison.difference;
    let [lower, upper] = comparison.interval.map(|end| 100.0 * end);
    let decimals = telling_decimals(comparison.outcome, [lower, upper]);
    let is_zero = |text: &str| text.trim_matches(['-', '0', '.']).is_empty();
    let fixed = |points: f64| {
        let text = format!("{points:.decimals$}");
        // A rounded -0.00 has no side.
        if is_zero(&text) { text.replace('-', "") } else { text }
    };
    let range = |lower: f64, upper: f64| format!("[{}, {}]", fixed(lower), fixed(upper));
    let signed = || {
        let text = fixed(difference);
        let sign = if text.starts_with('-') || is_zero(&text) { "" } else { "+" };
        format!("{sign}{text} points {}", range(lower, upper))
    };
    let result = match comparison.outcome {
        Outcome::ABetter => {
            format!("{a} beats {b} by {} points of test accuracy {}", fixed(difference), range(lower, upper))
        }
        Outcome::BBetter => {
            format!(
                "{b} beats {a} by {} points of test accuracy {}",
                fixed(-difference),
                range(-upper, -lower)
            )
        }
        Outcome::PracticallyEqual => format!("{a} and {b} are practically equal: {}", signed()),
        Outcome::CannotTell => format!("cannot tell {a} and {b} apart: {}", signed()),
    };
    let runs = match (comparison.interval_covers, comparison.runs) {
        (Coverage::Images, _) => "1 paired run: test images only, seed noise unknown".to_owned(),
        (Coverage::RunsAndImages, runs) => format!("{runs} paired runs"),
    };
    let faster = if same_machine { faster(a, b, comparison.train_seconds_ratio) } else { None };
    let clauses: Vec<String> = [Some(runs), outlook, faster].into_iter().flatten().collect();
    format!("{result}, {}.", clauses.join("; "))
}

/// As many decimals as the interval needs for its printed ends, in points, to give the outcome of its exact ends.
fn telling_decimals(outcome: Outcome, interval: [f64; 2]) -> usize {
    const FEWEST: usize = 2;
    // Beyond these a double of this size has no more digits to show.
    const MOST: usize = 17;
    let printed = |end: f64, decimals: usize| format!("{end:.decimals$}").parse::<f64>().unwrap_or(end);
    (FEWEST..MOST)
        .find(|&decimals| Outcome::of(interval.map(|end| printed(end, decimals))) == outcome)
        .unwrap_or(MOST)
}

fn faster(a: &str, b: &str, ratio: f64) -> Option<String> {
    let (name, times) = if ratio > 1.0 { (b, ratio) } else { (a, 1.0 / ratio) };
    if times < NOTABLE_TIME_RATIO {
        return None;
    }
    // One decimal would print 1.05 to 1.09 as 1.1, and say nothing of use beyond 10.
    let decimals = if times < 1.095 { 2 } else { usize::from(times < 9.95) };
    Some(format!("{name} trains {times:.decimals$}× faster"))
}
