//! Figures as text.

pub use analysis::figures::thousands;
pub(crate) use analysis::figures::{confidence, fixed, percent};
pub(crate) use analysis::spread::Spread;
use analysis::verdict::{Adjustment, Comparison};
use records::question::Measure;

/// What stands in a table where a figure is missing.
pub(crate) const MISSING: &str = "–";

/// `mean ± deviation`, both by the same format, or the sign for a missing figure.
pub(crate) fn shown(spread: Option<Spread>, format: impl Fn(f64) -> String) -> String {
    match spread {
        None => MISSING.to_owned(),
        Some(Spread { mean, deviation: None }) => format(mean),
        Some(Spread { mean, deviation: Some(deviation) }) => {
            format!("{} ± {}", format(mean), format(deviation))
        }
    }
}

/// A difference of fractions in percentage points with its unit.
pub(crate) fn points(fraction: f64) -> String {
    points_to(fraction, 2)
}

/// The same with so many decimals.
pub(crate) fn points_to(fraction: f64, decimals: usize) -> String {
    let text = fixed(fraction.abs() * 100.0, decimals);
    let is_one = text.trim_end_matches('0') == "1.";
    format!("{text} {}", if is_one { "point" } else { "points" })
}

/// A difference of fractions in points with its sign, without its unit.
pub(crate) fn signed(fraction: f64, decimals: usize) -> String {
    let text = fixed(100.0 * fraction.abs(), decimals);
    match (fraction < 0.0, text.bytes().all(|byte| matches!(byte, b'0' | b'.'))) {
        (_, true) => text,
        (true, _) => format!("−{text}"),
        (false, _) => format!("+{text}"),
    }
}

/// The difference of a comparison and the interval that decides it, in its measure's unit, with the decimals of its verdict.
pub(crate) fn difference_of(comparison: &Comparison) -> [String; 2] {
    let shown = |value| signed_of(comparison.measure, value, comparison.decimals());
    let [lower, upper] = comparison.interval.map(shown);
    [shown(comparison.difference), format!("[{lower}, {upper}]")]
}

/// A difference of a measure in its unit with its sign, without the unit.
pub(crate) fn signed_of(measure: Measure, difference: f64, decimals: usize) -> String {
    signed(difference * (measure.scale() / 100.0), decimals)
}

/// A size of a measure in its unit, with the unit.
pub(crate) fn amount_of(measure: Measure, amount: f64) -> String {
    match measure {
        Measure::LogLoss => format!("{} nats", fixed(amount, measure.decimals())),
        _ => points(amount),
    }
}

/// A margin of equivalence with its unit, without zeros behind it: `0.05 points`.
pub(crate) fn margin_of(measure: Measure, margin: f64) -> String {
    format!("{} {}", round_points(margin * (measure.scale() / 100.0)), measure.unit())
}

/// A value of a measure as tables have it: fractions in per cent, log-loss in nats.
pub(crate) fn value_of(measure: Measure) -> fn(f64) -> String {
    if measure == Measure::LogLoss { loss } else { percent }
}

/// The unit of [`value_of`].
pub(crate) fn value_unit(measure: Measure) -> &'static str {
    if measure == Measure::LogLoss { "nats" } else { "%" }
}

/// How a p-value that decides is adjusted.
pub(crate) fn adjustment(adjustment: Adjustment) -> &'static str {
    match adjustment {
        Adjustment::Holm => "adjusted by Holm's method",
        Adjustment::None => "unadjusted, one comparison",
    }
}

/// The runs that a comparison is of: `3 paired runs`, `5 paired folds`, `3 and 5 runs, not paired`.
pub(crate) fn runs_of(comparison: &Comparison) -> String {
    match (comparison.unpaired_runs, comparison.cross_validation) {
        (Some([a, b]), _) => format!("{a} and {b} runs, not paired"),
        (None, Some(_)) => counted(comparison.runs, "paired fold"),
        (None, None) => counted(comparison.runs, "paired run"),
    }
}

/// A fraction in per cent without the zeros behind it: 0.97 is `97 %`, 0.995 `99.5 %`.
pub(crate) fn round_percent(fraction: f64) -> String {
    let text = percent(fraction);
    let text = if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.') } else { &text };
    format!("{text} %")
}

/// A fraction in points without the zeros behind it: 0.0005 is `0.05`.
pub(crate) fn round_points(fraction: f64) -> String {
    let text = fixed(100.0 * fraction, 4);
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

/// A loss, four decimals.
pub(crate) fn loss(value: f64) -> String {
    fixed(value, 4)
}

/// Seconds: three figures are all that a clock's noise leaves.
pub(crate) fn seconds(value: f64) -> String {
    fixed(value, seconds_decimals(value))
}

fn seconds_decimals(value: f64) -> usize {
    match value.abs() {
        size if size < 9.995 => 2,
        size if size < 99.95 => 1,
        _ => 0,
    }
}

/// [`shown`] for seconds, the deviation with the decimals of the mean.
pub(crate) fn shown_seconds(spread: Option<Spread>) -> String {
    let decimals = spread.map_or(0, |spread| seconds_decimals(spread.mean));
    shown(spread, |value| fixed(value, decimals))
}

/// A ratio of at least 1, two decimals below ten.
pub(crate) fn times(ratio: f64) -> String {
    let decimals = if ratio < 9.995 { 2 } else { usize::from(ratio < 99.95) };
    format!("{} times", fixed(ratio, decimals))
}

/// The value of p, with its sign of comparison: `= 0.021`, `< 0.001`.
pub(crate) fn probability(value: f64) -> String {
    match value {
        value if value < 0.001 => "< 0.001".to_owned(),
        value => format!("= {}", fixed(value, 3)),
    }
}

/// A number of things: `1 run`, `3 runs`.
pub(crate) fn counted(count: usize, noun: &str) -> String {
    let plural = if count == 1 { "" } else { "s" };
    format!("{} {noun}{plural}", thousands(count as u64))
}

/// A mean number of things, with a decimal only where it has one: `12`, `12.3`.
pub(crate) fn average(value: f64) -> String {
    let text = fixed(value, 1);
    text.strip_suffix(".0").unwrap_or(&text).to_owned()
}

/// `a`, `a and b`, `a, b and c`.
pub(crate) fn listed<T: AsRef<str>>(items: &[T]) -> String {
    match items {
        [] => "nothing".to_owned(),
        [only] => only.as_ref().to_owned(),
        [rest @ .., last] => {
            let rest: Vec<&str> = rest.iter().map(AsRef::as_ref).collect();
            format!("{} and {}", rest.join(", "), last.as_ref())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_read_well() {
        assert_eq!((percent(0.98765).as_str(), percent(f64::NAN).as_str()), ("98.77", "not finite"));
        assert_eq!(
            (points_to(0.01, 3).as_str(), points_to(0.01004, 4).as_str()),
            ("1.000 point", "1.0040 points")
        );
        assert_eq!([signed(0.0083, 2), signed(-0.0083, 2), signed(-1e-9, 2)], ["+0.83", "−0.83", "0.00"]);
        assert_eq!((points(-0.0083).as_str(), points(0.01).as_str()), ("0.83 points", "1.00 point"));
        assert_eq!((loss(-1e-9).as_str(), loss(1e30).as_str()), ("0.0000", "1.000e30"));
        assert_eq!((seconds(9.996).as_str(), seconds(340.4).as_str()), ("10.0", "340"));
        assert_eq!((times(1.3).as_str(), times(12.34).as_str()), ("1.30 times", "12.3 times"));
        assert_eq!((probability(0.0209).as_str(), probability(0.0).as_str()), ("= 0.021", "< 0.001"));
        assert_eq!((thousands(0).as_str(), thousands(1_199_882).as_str()), ("0", "1,199,882"));
        assert_eq!((counted(1, "run").as_str(), counted(0, "run").as_str()), ("1 run", "0 runs"));
        assert_eq!((average(12.0).as_str(), average(12.34).as_str()), ("12", "12.3"));
        assert_eq!(listed(&["a", "b", "c"]), "a, b and c");
    }

    #[test]
    fn a_deviation_stands_beside_its_mean() {
        assert_eq!(shown(Spread::of(&[0.5]), percent), "50.00");
        assert_eq!(shown(Spread::of(&[0.4, 0.6]), percent), "50.00 ± 14.14");
        assert_eq!(shown_seconds(Spread::of(&[40.0, 41.0])), "40.5 ± 0.7");
        assert_eq!(shown(None, percent), MISSING);
    }
}
