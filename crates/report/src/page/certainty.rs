//! How sure the verdicts are, and the ranking that they leave.

use maud::{Markup, html};
use study::verdict::{Comparison, Coverage, Outcome, ranking};

use super::{chip, table};
use crate::markdown::{TOLD_AT_THE_HEAD, group_letters, places};
use crate::numbers::{MISSING, average, counted, percent, points, probability, thousands};
use crate::text::one_line;
use crate::{Model, Study};

pub(super) fn ranks(study: &Study, models: &[Model]) -> Markup {
    let ranks = ranking(study.records, study.comparisons);
    let rows = html! {
        @for rank in &ranks {
            tr {
                td { (places(rank)) }
                th scope="row" {
                    (chip(models.iter().position(|model| model.name == rank.model).unwrap_or(0), &rank.model))
                }
                td { (percent(rank.accuracy)) }
                td { (group_letters(&rank.groups)) }
            }
        }
    };
    html! {
        h3 { "Ranking" }
        (table("Places that the runs leave open", &["place", "model", "test accuracy (%)", "groups"], rows))
        p.small {
            "Models that share a letter are not told apart by these runs, or are practically equal; the places of a model are those \
             that the decided pairs leave it."
        }
    }
}

pub(super) fn section(study: &Study) -> Option<Markup> {
    if study.comparisons.is_empty() {
        return None;
    }
    let several = study.comparisons.len() > 1;
    let many = study.comparisons.len() > TOLD_AT_THE_HEAD;
    Some(html! {
        @if many {
            (overview(study))
            p.small { code { "summary.json" } " has each pair's other intervals and tests." }
        } @else {
            @for comparison in study.comparisons { (certainty_of(comparison, several)) }
        }
        p.small {
            "Points are percentage points of test accuracy. The first interval decides; the others are there to see whether another \
             method would say something else. The bootstrap draws runs and images again and is too narrow with few runs; Student's \
             interval knows seeds but not images; McNemar's test takes two trained networks as they are."
            @if several {
                " p-values are corrected by Holm's method, and each deciding interval is drawn at the level at which that method tests \
                 its pair: together they are not a simultaneous set."
            }
        }
    })
}

/// A line a pair, where a table each would be a book.
fn overview(study: &Study) -> Markup {
    let rows = html! {
        @for comparison in study.comparisons {
            tr {
                th scope="row" { (one_line(&comparison.a)) " − " (one_line(&comparison.b)) }
                td { (signed(comparison.difference)) }
                td { (ends(comparison.interval)) }
                td { (probability(comparison.p_value).trim_start_matches("= ")) }
                td { (comparison.runs) }
                td.words { (outcome(comparison)) }
            }
        }
    };
    let head = ["pair", "points", "interval", "p (Holm)", "paired runs", "outcome"];
    table("Difference of mean test accuracy, with the interval that decides", &head, rows)
}

fn ends([lower, upper]: [f64; 2]) -> String {
    format!("[{}, {}]", signed(lower), signed(upper))
}

fn outcome(comparison: &Comparison) -> String {
    match comparison.outcome {
        Outcome::ABetter => format!("{} is better", one_line(&comparison.a)),
        Outcome::BBetter => format!("{} is better", one_line(&comparison.b)),
        Outcome::PracticallyEqual => "practically equal: within ±0.05 points".to_owned(),
        Outcome::CannotTell => "cannot tell".to_owned(),
    }
}

fn certainty_of(comparison: &Comparison, several: bool) -> Markup {
    let corrected = if several { " (Holm)" } else { "" };
    let mcnemar: Vec<String> = comparison.mcnemar_p_values.iter().map(|value| probability(*value)).collect();
    let covers = match comparison.interval_covers {
        Coverage::Images => "other test images, not other seeds",
        Coverage::RunsAndImages => "other seeds and other test images",
    };
    let rows = html! {
        tr { th scope="row" { "outcome" } td.words { (outcome(comparison)) } }
        tr { th scope="row" { "difference" } td.words { (signed(comparison.difference)) " points over " (counted(comparison.runs, "paired run")) } }
        tr {
            th scope="row" { "interval" }
            td.words { (ends(comparison.interval)) " at " (average(100.0 * comparison.confidence)) " %, for " (covers) }
        }
        tr { th scope="row" { "p" (corrected) } td.words { (probability(comparison.p_value).trim_start_matches("= ")) } }
        tr {
            th scope="row" { "noise of the seeds" }
            td.words {
                @match comparison.seed_standard_error {
                    Some(error) => { "standard error " (points(error)) },
                    None => { "unknown with one run" },
                }
            }
        }
        tr { th scope="row" { "noise of the test images" } td.words { "standard error " (points(comparison.image_standard_error)) } }
        tr { th scope="row" { "two-way bootstrap" } td.words { (ends(comparison.bootstrap_interval)) " at 95 %" } }
        tr {
            th scope="row" { "Student's paired test over runs" }
            td.words {
                @match comparison.paired_t {
                    Some(test) => { (ends(test.interval)) " at 95 %, p " (probability(test.p_value)) },
                    None => { "needs three runs" },
                }
            }
        }
        tr {
            th scope="row" { "McNemar's exact test, each pair" }
            td.words { @if mcnemar.is_empty() { (MISSING) } @else { "p " (mcnemar.join(", ")) } }
        }
        @if let Some(runs) = comparison.further_runs {
            tr { th scope="row" { "to tell them apart" } td.words { "about " (thousands(runs)) " more runs of each, at 80 % power" } }
        }
    };
    let caption = format!("{} against {}", one_line(&comparison.a), one_line(&comparison.b));
    html! { div.scroll tabindex="0" role="region" aria-label=(caption) { table.facts { caption { (caption) } tbody { (rows) } } } }
}

/// A difference of fractions in points with its sign.
fn signed(fraction: f64) -> String {
    let text = percent(fraction.abs());
    match (fraction < 0.0, text.bytes().all(|byte| matches!(byte, b'0' | b'.'))) {
        (_, true) => text,
        (true, _) => format!("−{text}"),
        (false, _) => format!("+{text}"),
    }
}

#[cfg(test)]
mod tests {
    use super::signed;

    #[test]
    fn differences_have_signs() {
        assert_eq!([signed(0.0083), signed(-0.0083), signed(-1e-9)], ["+0.83", "−0.83", "0.00"]);
    }
}
