//! What the epochs tell: which weights were tested, when thresholds are passed, the gap between training and validation, the
//! trend of the loss.

use std::collections::BTreeSet;

use analysis::{
    Run,
    learning::{Milestone, Trend, last_epoch, tested_epoch},
    measured::{other_labels, reasons_for_a_gap},
    model::Model,
};
use records::record::Protocol;

use crate::{
    Study,
    words::{
        numbers::{counted, listed, loss, percent, points, round_percent},
        text::one_line,
    },
};

/// So many runs are named one by one.
const NAMED: usize = 6;

/// The epoch whose weights were tested and how many there were: `7 of 20`.
pub(crate) fn tested_of_all(run: &Run) -> Option<String> {
    Some(format!("{} of {}", tested_epoch(run)?, last_epoch(run)?))
}

/// For each model of which a run was tested with other weights than the last planned epoch's: which ones, as plain text.
pub(crate) fn tested_weights(study: &Study) -> Vec<String> {
    study.models().iter().filter_map(tested_weights_of).collect()
}

fn tested_weights_of(model: &Model) -> Option<String> {
    let name = one_line(model.name);
    let planned = model.runs.first()?.specification()?.recipe.epochs;
    let usual = |run: &Run| tested_epoch(run) == Some(planned);
    let spelled: Vec<(u64, String)> =
        model.runs.iter().filter_map(|run| Some((run.seed()?, tested_of_all(run)?))).collect();
    if model.runs.iter().all(usual) || spelled.is_empty() {
        return None;
    }
    let distinct: BTreeSet<&str> = spelled.iter().map(|(_, epochs)| epochs.as_str()).collect();
    let epochs = match distinct.len() {
        1 => spelled[0].1.clone(),
        _ => {
            let mut each: Vec<String> =
                spelled.iter().take(NAMED).map(|(seed, epochs)| format!("{epochs} (seed {seed})")).collect();
            if spelled.len() > NAMED {
                each.push(format!("of {} more runs see the table of runs", spelled.len() - NAMED));
            }
            each.join(", ")
        }
    };
    let early = model.runs.iter().any(|run| last_epoch(run) < Some(planned));
    let planned = if early { format!("; {} planned", counted(planned, "epoch")) } else { String::new() };
    Some(format!("{name} was tested with the weights after epoch {epochs}{planned}."))
}

/// What a model's epochs support saying.
pub(crate) fn sentences(model: &Model) -> Vec<String> {
    let name = &one_line(model.name);
    let learning = &model.learning;
    // What follows each epoch under the original protocol is a test, whatever it is called.
    let set = match model.runs.iter().all(|run| run.protocol() == Some(Protocol::Original)) {
        true => "test",
        false => "validation",
    };
    let mut sentences: Vec<String> = tested_weights_of(model).into_iter().collect();
    if let Some(last) = learning.common_epoch {
        let every_run_has = if learning.last_epochs.len() > 1 { " that every run has" } else { "" };
        sentences.extend(reached(name, set, &learning.milestones, last, every_run_has));
    }
    if let (Some(training), Some(validation)) = (learning.train_accuracy, learning.validation_accuracy) {
        let when = match learning.tested_epochs.as_slice() {
            [only] => format!("In epoch {only}"),
            [first, .., last] => format!("In the epochs whose weights were tested ({first} to {last})"),
            [] => return sentences,
        };
        let reasons =
            model.runs.first().and_then(Run::specification).map_or_else(Vec::new, reasons_for_a_gap);
        sentences.push(gap(name, set, &when, [training, validation], &reasons));
    }
    sentences.extend(model.runs.first().and_then(|run| other_labels(&run.specification()?.recipe)).map(
        |labels| {
            format!(
                "The training loss of {name} is measured against {labels}, its {set} and test loss against the true labels: its two loss \
                 curves are not comparable."
            )
        },
    ));
    sentences.extend(learning.trend.map(|trend| going(name, set, trend, &learning.last_epochs)));
    sentences
}

fn reached(name: &str, set: &str, milestones: &[Milestone], last: usize, which: &str) -> Option<String> {
    let lowest = round_percent(milestones.first()?.accuracy);
    let mut in_epochs: Vec<(usize, Vec<String>)> = Vec::new();
    let mut never = None;
    for Milestone { accuracy, epoch } in milestones {
        let words = round_percent(*accuracy);
        match (epoch, in_epochs.last_mut()) {
            (None, _) => never = never.or(Some(words)),
            (Some(epoch), Some((same, group))) if same == epoch => group.push(words),
            (Some(epoch), _) => in_epochs.push((*epoch, vec![words])),
        }
    }
    let mut parts: Vec<String> =
        in_epochs.iter().map(|(epoch, words)| format!("{} in epoch {epoch}", listed(words))).collect();
    let within = match which {
        "" => format!("in {}", counted(last, "epoch")),
        which => format!("in the {}{which}", counted(last, "epoch")),
    };
    match (parts.is_empty(), never) {
        (true, _) => return Some(format!("{name} does not reach {lowest} {set} accuracy {within}.")),
        (false, Some(lowest)) => parts.push(format!("but not {lowest} {within}")),
        (false, None) => {}
    }
    Some(format!("{name} first reaches a {set} accuracy of {}.", parts.join(", ")))
}

fn gap(name: &str, set: &str, when: &str, [training, validation]: [f64; 2], reasons: &[String]) -> String {
    let (trained, validated) = (percent(training), percent(validation));
    let difference = training - validation;
    if trained == validated {
        format!("{when} training and {set} accuracy of {name} are equal ({trained} %).")
    } else if difference > 0.0 {
        format!(
            "{when} {name} is {} better on training images ({trained} %) than on {set} images ({validated} %).",
            points(difference)
        )
    } else {
        format!(
            "{when} {name} is {} better on {set} images ({validated} %) than on training images ({trained} %): {}.",
            points(difference),
            reasons.join("; ")
        )
    }
}

fn going(name: &str, set: &str, trend: Trend, ends: &[usize]) -> String {
    match trend {
        Trend::NotFinite => format!("The {set} loss of {name} is not finite."),
        Trend::NoCommonEnd => format!(
            "The runs of {name} ended after different epochs ({} to {}): their {set} losses have no common last epoch and no trend is \
             read from their mean.",
            ends.first().unwrap_or(&0),
            ends.last().unwrap_or(&0)
        ),
        Trend::OneEpoch => format!("One epoch of {name} shows no trend."),
        Trend::Rises { lowest, last } => format!(
            "Its {set} loss rises: {} in epoch {}, its lowest, and {} in epoch {}, a sign of overfitting.",
            loss(lowest.loss),
            lowest.epoch,
            loss(last.loss),
            last.epoch
        ),
        Trend::Falls { before, last } => format!(
            "Its {set} loss is still falling, from {} to {} in epoch {}: more epochs may help.",
            loss(before.loss),
            loss(last.loss),
            last.epoch
        ),
        Trend::Flat { before, last } => format!(
            "Its {set} loss is flat by epoch {} ({}, {} the epoch before).",
            last.epoch,
            loss(last.loss),
            loss(before.loss)
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture::{model, record};
    use analysis::learning::LossAt;
    use records::record::RunRecord;

    #[test]
    fn milestones_are_grouped_by_epoch() {
        let reached = |epochs: [Option<usize>; 3], last| {
            let of = |(accuracy, epoch)| Milestone { accuracy, epoch };
            let milestones: Vec<Milestone> = [0.98, 0.99, 0.995].into_iter().zip(epochs).map(of).collect();
            reached("a", "validation", &milestones, last, "").unwrap_or_default()
        };
        assert_eq!(
            reached([Some(1), Some(1), Some(2)], 2),
            "a first reaches a validation accuracy of 98 % and 99 % in epoch 1, 99.5 % in epoch 2."
        );
        assert_eq!(
            reached([Some(2), None, None], 3),
            "a first reaches a validation accuracy of 98 % in epoch 2, but not 99 % in 3 epochs."
        );
        assert_eq!(reached([None; 3], 1), "a does not reach 98 % validation accuracy in 1 epoch.");
    }

    #[test]
    fn trends_are_worded() {
        let words = |trend| going("a", "validation", trend, &[1, 3]);
        let at = |epoch, loss| LossAt { epoch, loss };
        let falls = Trend::Falls { before: at(1, 0.5), last: at(2, 0.4) };
        assert!(words(falls).contains("still falling, from 0.5000 to 0.4000 in epoch 2"));
        let rises = Trend::Rises { lowest: at(2, 0.3), last: at(3, 0.35) };
        assert!(words(rises).contains("rises: 0.3000 in epoch 2, its lowest, and 0.3500 in epoch 3"));
        let flat = Trend::Flat { before: at(1, 0.4), last: at(2, 0.396) };
        assert!(words(flat).contains("flat by epoch 2 (0.3960, 0.4000 the epoch before)"));
        assert_eq!(words(Trend::OneEpoch), "One epoch of a shows no trend.");
    }

    #[test]
    fn the_gap_has_a_side() {
        let reasons = ["of one".to_owned(), "of another".to_owned()];
        let words =
            |training, validation| gap("a", "validation", "In epoch 1", [training, validation], &reasons);
        assert_eq!(
            words(0.99, 0.98),
            "In epoch 1 a is 1.00 point better on training images (99.00 %) than on validation images (98.00 %)."
        );
        assert!(words(0.97, 0.98).ends_with("than on training images (97.00 %): of one; of another."));
        assert!(words(0.98, 0.98).contains("are equal (98.00 %)"));
    }

    fn said(runs: &[RunRecord]) -> String {
        sentences(&model(&runs.iter().collect::<Vec<_>>())).join("\n")
    }

    #[test]
    fn a_gap_is_given_its_reasons() {
        let mut run = record("a", 1, 2, 0.05, Protocol::Sound);
        assert!(said(&[run.clone()]).contains(
            "): training accuracy is an average over the epoch, while the weights still change.\n"
        ));
        run.specification.recipe.augmentation.shift = 2.0;
        let words = said(&[run]);
        assert!(words.contains("; the training images are augmented (shift 2).\n"), "{words}");
    }

    #[test]
    fn other_labels_of_the_training_loss_are_told() {
        let mut run = record("a", 1, 2, 0.05, Protocol::Sound);
        assert!(!said(&[run.clone()]).contains("comparable"));
        run.specification.recipe.label_smoothing = 0.3;
        run.specification.recipe.augmentation.cutmix = 1.0;
        assert!(said(&[run]).contains(
            "The training loss of a is measured against smoothed labels (label smoothing 0.3) and mixed labels (CutMix 1), its \
             validation and test loss against the true labels"
        ));
    }

    #[test]
    fn the_weights_that_were_tested_are_named() {
        let mut runs = [record("a", 1, 20, 0.05, Protocol::Sound), record("a", 2, 20, 0.05, Protocol::Sound)];
        assert!(!said(&runs).contains("tested"));
        runs[0].kept_epoch = Some(7);
        let words = said(&runs);
        assert!(
            words.starts_with(
                "a was tested with the weights after epoch 7 of 20 (seed 1), 20 of 20 (seed 2).\n"
            ),
            "{words}"
        );
        assert!(words.contains("In the epochs whose weights were tested (7 to 20) a is "), "{words}");
        runs[1].kept_epoch = Some(7);
        let words = said(&runs);
        assert!(words.starts_with("a was tested with the weights after epoch 7 of 20.\n"), "{words}");
        let validation =
            0.5 * (runs[0].epochs[6].validation_accuracy + runs[1].epochs[6].validation_accuracy);
        assert!(words.contains("In epoch 7 a is ") && words.contains(&percent(validation)), "{words}");
        // The weights of epoch 7, and three epochs of patience.
        runs[0].epochs.truncate(10);
        let words = said(&runs);
        assert!(words.starts_with("a was tested with the weights after epoch 7 of 10 (seed 1), 7 of 20 (seed 2); 20 epochs planned.\n"));
    }

    /// The mean of two runs up to epoch 4, where one ends, falls; what follows in the other is another matter.
    #[test]
    fn runs_of_unequal_length_have_no_common_last_epoch() {
        let mut runs = [record("a", 1, 9, 0.05, Protocol::Sound), record("a", 2, 9, 0.05, Protocol::Sound)];
        assert!(said(&runs).contains("still falling"), "{}", said(&runs));
        runs[1].epochs.truncate(4);
        let words = said(&runs);
        assert!(!words.contains("falling") && !words.contains("flat") && !words.contains("rises"), "{words}");
        assert!(words.contains("The runs of a ended after different epochs (4 to 9)"), "{words}");
        assert!(words.contains("in the 4 epochs that every run has"), "{words}");
    }
}
