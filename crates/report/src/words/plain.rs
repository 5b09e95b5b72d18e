//! A verdict for people who know no statistics.

use crate::{Study, words::numbers::margin_of};
use analysis::{
    figures::{confidence, fixed},
    verdict::{Comparison, Coverage, Outcome},
};
use records::record::Resample;

/// What the runs of a study draw, and would draw otherwise if it were made again.
pub(crate) fn drawn_by(study: &Study) -> &'static str {
    match study.distinct(|run| run.specification.resample)[..] {
        [Resample::Split] => "other seeds and other splits into training and validation images",
        [Resample::Bootstrap] => "other seeds and other samples of the training images",
        _ => "other seeds",
    }
}

/// What a comparison means, in one or two sentences without a technical term.
pub(crate) fn in_plain_words(comparison: &Comparison, study: &Study) -> String {
    let drawn = drawn_by(study);
    let Comparison { a, b, measure, .. } = comparison;
    let amount = |amount: f64| fixed(amount, comparison.decimals());
    let (unit, level) = (measure.unit(), confidence(comparison.confidence));
    // How far the first model is ahead: of log-loss, how much less it has.
    let [lower, upper] =
        match (comparison.interval.map(|end| measure.scale() * end), measure.larger_is_better()) {
            (ahead, true) => ahead,
            ([lower, upper], false) => [-upper, -lower],
        };
    let one_run = comparison.interval_covers == Coverage::Images;
    let again = match comparison.interval_covers {
        Coverage::Images => "Tested on other images".to_owned(),
        Coverage::RunsAndImages => format!("Trained again with {drawn} and tested on other images"),
        Coverage::Folds => "Trained and tested again on other divisions of such images".to_owned(),
    };
    let would_win = |better: &str, worse: &str, [least, most]: [f64; 2]| {
        format!(
            "{again}, {better} would be expected to beat {worse} by {} to {} {unit}, at {level} confidence.",
            amount(least),
            amount(most)
        )
    };
    let meaning = match comparison.outcome {
        Outcome::ABetter => would_win(a, b, [lower, upper]),
        Outcome::BBetter => would_win(b, a, [-upper, -lower]),
        Outcome::PracticallyEqual => {
            format!(
                "{again}, {a} and {b} would be expected to stay within {} of each other.",
                margin_of(*measure, comparison.equivalence_margin)
            )
        }
        Outcome::CannotTell => format!(
            "{again}, either may turn out better: anything from {b} ahead by {} {unit} to {a} ahead by {} {unit} would be no surprise, at {level} confidence.",
            amount(-lower),
            amount(upper)
        ),
    };
    match one_run {
        true if comparison.unpaired_runs.is_some() => {
            format!(
                "{meaning} Trained with other seeds, the order may change: a model of one run does not show by how much."
            )
        }
        true => format!(
            "{meaning} Trained with {drawn}, the order may change: one run of each does not show by how much."
        ),
        false => meaning,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture::{Given, comparison, records};

    #[test]
    fn each_outcome_is_told_with_the_interval_that_decided_it() {
        let mut judged = comparison("cnn", "lstm", 0.0083);
        let told = |judged: &Comparison| in_plain_words(judged, &Given::default().study());
        assert_eq!(
            told(&judged),
            "Trained again with other seeds and tested on other images, cnn would be expected to beat lstm by 0.63 to \
             1.03 points, at 95 % confidence."
        );
        (judged.outcome, judged.interval) = (Outcome::BBetter, [-0.02, -0.01]);
        assert!(
            told(&judged)
                .ends_with("lstm would be expected to beat cnn by 1.00 to 2.00 points, at 95 % confidence.")
        );
        (judged.outcome, judged.interval) = (Outcome::CannotTell, [-0.002, 0.003]);
        assert!(
            told(&judged)
                .contains("from lstm ahead by 0.20 points to cnn ahead by 0.30 points would be no surprise, at 95 % confidence.")
        );
        (judged.outcome, judged.interval) = (Outcome::PracticallyEqual, [-0.0002, 0.0003]);
        assert!(told(&judged).ends_with("expected to stay within 0.05 points of each other."));
        judged.interval_covers = Coverage::Images;
        assert!(told(&judged).contains("Tested on other images, cnn and lstm"), "{}", told(&judged));
        assert!(told(&judged).ends_with("one run of each does not show by how much."));
    }

    #[test]
    fn what_runs_draw_beside_their_seeds_is_told() {
        let mut records = records(&[("cnn", 0.04), ("lstm", 0.06)], 3, 2);
        let judged = comparison("cnn", "lstm", 0.0083);
        for (resample, told) in [
            (Resample::None, "with other seeds and tested"),
            (
                Resample::Split,
                "with other seeds and other splits into training and validation images and tested",
            ),
            (Resample::Bootstrap, "with other seeds and other samples of the training images and tested"),
        ] {
            records.iter_mut().for_each(|record| record.specification.resample = resample);
            let comparisons = [judged.clone()];
            let study = Given { records: &records, comparisons: &comparisons, ..Given::default() }.study();
            for text in [crate::markdown(&study), crate::page(&study), crate::terminal(&study)] {
                let joined = text.split_whitespace().collect::<Vec<_>>().join(" ");
                assert!(joined.contains(&format!("Trained again {told} on other images")), "{joined}");
            }
        }
    }
}
