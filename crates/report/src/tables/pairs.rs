//! Tables of pairs of models.

use super::{columns, figure, missing, words};
use crate::{
    Study,
    document::{Cell, Table},
    words::{
        numbers::{confidence, difference_of, fixed, margin_of, probability, runs_of, signed_of},
        text::one_line,
    },
};
use analysis::verdict::{Adjustment, Comparison, Outcome};
use records::question::Measure;

/// What a pair is called: `cnn − lstm`.
fn pair(comparison: &Comparison) -> Cell {
    words(format!("{} − {}", one_line(&comparison.a), one_line(&comparison.b)))
}

/// The heading of a column of p-values that are adjusted alike.
fn p_heading(adjustment: Option<Adjustment>) -> &'static str {
    if adjustment == Some(Adjustment::Holm) { "p (Holm)" } else { "p (unadjusted)" }
}

/// The value of p, below a thousandth as `< 0.001`.
fn p_value(value: f64) -> Cell {
    figure(probability(value).trim_start_matches("= "))
}

/// Each pair: its difference, the interval that decides, and what that decides.
pub(crate) fn comparisons(study: &Study) -> Table {
    let measure = study.analysis.decided_by;
    let rows = study.analysis.comparisons.iter().map(|comparison| {
        let [difference, interval] = difference_of(comparison);
        vec![
            pair(comparison),
            figure(difference),
            figure(interval),
            figure(confidence(comparison.confidence)),
            p_value(comparison.p_value),
            figure(
                comparison.unpaired_runs.map_or_else(|| comparison.runs.to_string(), |_| runs_of(comparison)),
            ),
            words(outcome(comparison)),
        ]
    });
    let difference = format!("difference ({})", measure.unit());
    Table {
        caption: format!("Difference of mean {}, with the interval that decides", measure.in_words()),
        columns: columns(&[
            "pair",
            &difference,
            "interval",
            "level",
            p_heading(study.analysis.comparisons.first().map(|of| of.p_adjustment)),
            "paired runs",
            "outcome",
        ]),
        rows: rows.collect(),
    }
}

/// What other methods say of each pair, none of which decides.
pub(crate) fn tests(study: &Study) -> Table {
    let measure = study.analysis.decided_by;
    let rows = study.analysis.comparisons.iter().map(|comparison| {
        let interval =
            |interval: Option<[f64; 2]>| interval.map_or_else(missing, |of| figure(ends(measure, of)));
        let mcnemar: Vec<String> = comparison
            .mcnemar_p_values
            .iter()
            .map(|value| probability(*value).trim_start_matches("= ").to_owned())
            .collect();
        let ahead = comparison.outperforming.map_or_else(missing, |ahead| {
            let [of, lower, upper] =
                [ahead.probability, ahead.interval[0], ahead.interval[1]].map(|part| fixed(part, 2));
            figure(format!("{of} [{lower}, {upper}]"))
        });
        vec![
            pair(comparison),
            interval(comparison.bootstrap_interval),
            interval(comparison.paired_t.map(|test| test.interval)),
            comparison.paired_t.map_or_else(missing, |test| p_value(test.p_value)),
            ahead,
            if mcnemar.is_empty() { missing() } else { figure(mcnemar.join(", ")) },
        ]
    });
    Table {
        caption: format!(
            "Differences of {} ({}) by methods without a part in the decision",
            measure.in_words(),
            measure.unit()
        ),
        columns: columns(&[
            "pair",
            "two-way bootstrap at 95 %",
            "Student's t over runs at 95 %",
            "p (Student, unadjusted)",
            "P(first ahead) at 95 %",
            "p (McNemar, each pair of runs, unadjusted)",
        ]),
        rows: rows.collect(),
    }
    .without_unknown()
}

/// How the training times of each pair compare; none where no clocks can be compared.
pub(crate) fn training_times(study: &Study) -> Option<Table> {
    let compared =
        || study.analysis.comparisons.iter().filter_map(|of| Some((of, of.training_time.as_ref()?)));
    compared().next()?;
    let rows = compared().map(|(comparison, time)| {
        let interval = time.interval.map_or_else(missing, |ends| {
            let [lower, upper] = ends.map(|end| fixed(end, 2));
            figure(format!("[{lower}, {upper}]"))
        });
        vec![
            pair(comparison),
            figure(fixed(time.ratio, 2)),
            interval,
            time.interval.map_or_else(missing, |_| figure(confidence(time.confidence))),
            time.p_value.map_or_else(missing, p_value),
            figure(time.runs.to_string()),
        ]
    });
    Some(Table {
        caption: "Training time of the first of a pair over that of the second, on one kind of machine"
            .to_owned(),
        columns: columns(&[
            "pair",
            "ratio",
            "interval",
            "level",
            p_heading(compared().next().map(|(_, time)| time.p_adjustment)),
            "pairs of runs",
        ]),
        rows: rows.collect(),
    })
}

/// An interval of a difference in the measure's unit.
pub(crate) fn ends(measure: Measure, [lower, upper]: [f64; 2]) -> String {
    let shown = |end| signed_of(measure, end, measure.decimals());
    format!("[{}, {}]", shown(lower), shown(upper))
}

/// What a comparison decides.
pub(crate) fn outcome(comparison: &Comparison) -> String {
    match comparison.outcome {
        Outcome::ABetter => format!("{} is better", one_line(&comparison.a)),
        Outcome::BBetter => format!("{} is better", one_line(&comparison.b)),
        Outcome::PracticallyEqual => {
            format!(
                "practically equal: within ±{}",
                margin_of(comparison.measure, comparison.equivalence_margin)
            )
        }
        Outcome::CannotTell => "cannot tell".to_owned(),
    }
}
