//! How sure the verdicts are, and the ranking that they leave.

use analysis::verdict::{Comparison, Coverage};
use maud::{Markup, html};
use records::question::Measure;

use super::{explained, table};
use crate::{
    Study,
    tables::{self, ends, outcome},
    words::{
        method,
        numbers::{
            MISSING, adjustment, amount_of, confidence, counted, difference_of, fixed, probability, runs_of,
            thousands,
        },
        plain::drawn_by,
        text::one_line,
        verdicts::TOLD_AT_THE_HEAD,
    },
};

pub(super) fn section(study: &Study) -> Option<Markup> {
    if study.analysis.comparisons.is_empty() {
        return None;
    }
    let several = study.analysis.comparisons.len() > 1;
    let many = study.analysis.comparisons.len() > TOLD_AT_THE_HEAD;
    Some(html! {
        @if many {
            (table(&tables::comparisons(study)))
            p.small { code { "summary.json" } " has each pair's other intervals and tests." }
        } @else {
            @for comparison in &study.analysis.comparisons { (certainty_of(comparison, drawn_by(study))) }
        }
        p.small {
            (unit_in_words(study.analysis.decided_by)) " "
            @if study.analysis.cross_validation.is_some() { (method::FOLDS) } @else {
                "The first interval decides; the others are there to see whether another method would say something else. The bootstrap \
                 draws runs and images again and is too narrow with few runs; Student's interval knows seeds but not images"
                @if study.analysis.decided_by.is_default() { "; McNemar's test takes two trained networks as they are" } "."
            }
            @if several {
                " p-values are corrected by Holm's method, and each deciding interval is drawn at the level at which that method tests \
                 its pair: together they are not a simultaneous set."
            }
        }
    })
}

/// What the figures of differences are in.
fn unit_in_words(measure: Measure) -> String {
    match measure {
        Measure::LogLoss => {
            "Differences of log-loss are in nats: the model that has less is better.".to_owned()
        }
        measure => format!("Points are percentage points of {}.", measure.in_words()),
    }
}

/// How much longer the first model trains, by the clocks that may be compared.
fn times_of(comparison: &Comparison) -> String {
    let Some(time) = &comparison.training_time else {
        return "not compared: no pair of runs on one kind of machine".to_owned();
    };
    let pairs = counted(time.runs, "pair") + " of runs";
    let same = if time.same_network { "; one network under two names, so the ratio is noise" } else { "" };
    match time.interval.zip(time.p_value) {
        None => {
            format!("{} as measured, {pairs}: the noise of the clock is unknown{same}", fixed(time.ratio, 2))
        }
        Some(([lower, upper], p_value)) => format!(
            "{} [{}, {}] at {}, p {} ({}), {pairs}{same}",
            fixed(time.ratio, 2),
            fixed(lower, 2),
            fixed(upper, 2),
            confidence(time.confidence),
            probability(p_value),
            adjustment(time.p_adjustment)
        ),
    }
}

fn certainty_of(comparison: &Comparison, drawn: &str) -> Markup {
    let [difference, interval] = difference_of(comparison);
    let measure = comparison.measure;
    let mcnemar: Vec<String> = comparison.mcnemar_p_values.iter().map(|value| probability(*value)).collect();
    let covers = match comparison.interval_covers {
        Coverage::Images => format!("other test images, not {drawn}"),
        Coverage::RunsAndImages => format!("{drawn} and other test images"),
        Coverage::Folds => {
            "other divisions of the images into folds, by the corrected resampled t test".to_owned()
        }
    };
    let rows = html! {
        tr { th scope="row" { (explained("outcome")) } td.words { (outcome(comparison)) } }
        tr { th scope="row" { (explained("difference")) } td.words { (difference) " " (measure.unit()) " over " (runs_of(comparison)) } }
        tr {
            th scope="row" { (explained("interval")) }
            td.words { (interval) " at " (confidence(comparison.confidence)) ", for " (covers) }
        }
        tr {
            th scope="row" { (explained("p")) }
            td.words { (probability(comparison.p_value).trim_start_matches("= ")) ", " (adjustment(comparison.p_adjustment)) }
        }
        @if comparison.cross_validation.is_none() {
            tr {
                th scope="row" { (explained("noise of the seeds")) }
                td.words {
                    @match comparison.seed_standard_error {
                        Some(error) => { "standard error " (amount_of(measure, error)) },
                        None => { "unknown with one run" },
                    }
                }
            }
        }
        @if let Some(error) = comparison.image_standard_error {
            tr { th scope="row" { (explained("noise of the test images")) } td.words { "standard error " (amount_of(measure, error)) } }
        }
        @if let Some(interval) = comparison.bootstrap_interval {
            tr { th scope="row" { (explained("two-way bootstrap")) } td.words { (ends(measure, interval)) " at 95 %" } }
        }
        @if comparison.cross_validation.is_none() {
            tr {
                th scope="row" { (explained("Student's paired test over runs")) }
                td.words {
                    @match comparison.paired_t {
                        Some(test) => { (ends(measure, test.interval)) " at 95 %, p " (probability(test.p_value)) ", unadjusted" },
                        None => { "needs three runs" },
                    }
                }
            }
        }
        @if let Some(ahead) = comparison.outperforming {
            tr {
                th scope="row" { (explained("probability of outperforming")) }
                td.words {
                    (one_line(&comparison.a)) " is ahead in " (fixed(100.0 * ahead.probability, 0)) " % of the pairs ["
                    (fixed(100.0 * ahead.interval[0], 0)) ", " (fixed(100.0 * ahead.interval[1], 0)) "] at 95 %, ties counted half"
                }
            }
        }
        @if measure.is_default() && comparison.cross_validation.is_none() {
            tr {
                th scope="row" { (explained("McNemar's exact test, each pair")) }
                td.words { @if mcnemar.is_empty() { (MISSING) } @else { "p " (mcnemar.join(", ")) ", unadjusted" } }
            }
        }
        tr {
            th scope="row" { "training time of " (one_line(&comparison.a)) " over that of " (one_line(&comparison.b)) }
            td.words { (times_of(comparison)) }
        }
        @for (model, count) in [&comparison.a, &comparison.b].into_iter().zip(comparison.diverged).filter(|(_, count)| *count > 0) {
            tr {
                th scope="row" { (explained("left out")) }
                td.words { (counted(count, "run")) " of " (one_line(model)) " that diverged, which favours " (one_line(model)) }
            }
        }
        @if let Some(runs) = comparison.further_runs {
            tr { th scope="row" { (explained("to tell them apart")) } td.words { "about " (thousands(runs)) " more runs of each, at 80 % power" } }
        }
    };
    let caption = format!("{} against {}", one_line(&comparison.a), one_line(&comparison.b));
    html! { div.scroll tabindex="0" role="region" aria-label=(caption) { table.facts { caption { (caption) } tbody { (rows) } } } }
}
