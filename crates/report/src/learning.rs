//! What the epochs tell: which weights were tested, when thresholds are passed, the gap between training and validation, the
//! trend of the loss.

use std::collections::{BTreeMap, BTreeSet};

use analysis::measured::{other_labels, reasons_for_a_gap};
use records::record::{EpochRecord, Protocol, RunRecord};

use crate::{
    Model, Study,
    numbers::{counted, listed, loss, percent, points},
    text::markdown,
};

const THRESHOLDS: [(f64, &str); 3] = [(0.97, "97 %"), (0.98, "98 %"), (0.99, "99 %")];

/// Smaller relative changes of a validation loss are within what the order of the batches does to it.
const FLAT: f64 = 0.02;

/// So many runs are named one by one.
const NAMED: usize = 6;

/// Seconds of training in an epoch, not finite for a run without epochs.
pub(crate) fn seconds_per_epoch(run: &RunRecord) -> f64 {
    run.train_seconds / run.epochs.len() as f64
}

/// The run's last epoch.
fn last_epoch(run: &RunRecord) -> Option<usize> {
    run.epochs.last().map(|epoch| epoch.epoch)
}

/// The epoch after which a run had the weights that were tested.
pub(crate) fn tested_epoch(run: &RunRecord) -> Option<usize> {
    run.kept_epoch.or_else(|| last_epoch(run))
}

/// The epoch whose weights were tested and how many there were: `7 of 20`.
pub(crate) fn tested_of_all(run: &RunRecord) -> Option<String> {
    Some(format!("{} of {}", tested_epoch(run)?, last_epoch(run)?))
}

/// For each model of which a run was tested with other weights than the last planned epoch's: which ones, as plain text.
pub(crate) fn tested_weights(study: &Study) -> Vec<String> {
    study.models().iter().filter_map(|model| tested_weights_of(model, model.name)).collect()
}

fn tested_weights_of(model: &Model, name: &str) -> Option<String> {
    let usual = |run: &&RunRecord| tested_epoch(run) == Some(run.specification.recipe.epochs);
    let spelled: Vec<(u64, String)> =
        model.runs.iter().filter_map(|run| Some((run.specification.seed, tested_of_all(run)?))).collect();
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
    let planned = model.runs[0].specification.recipe.epochs;
    let early = model.runs.iter().any(|run| last_epoch(run) < Some(planned));
    let planned = if early { format!("; {} planned", counted(planned, "epoch")) } else { String::new() };
    Some(format!("{name} was tested with the weights after epoch {epochs}{planned}."))
}

/// The mean of a figure over the runs, for each epoch that every run has; none when one is not finite.
fn means(model: &Model, figure: impl Fn(&EpochRecord) -> f64) -> Option<Vec<(usize, f64)>> {
    let mut by_epoch: BTreeMap<usize, Vec<f64>> = BTreeMap::new();
    for epoch in model.runs.iter().flat_map(|run| &run.epochs) {
        by_epoch.entry(epoch.epoch).or_default().push(figure(epoch));
    }
    by_epoch
        .into_iter()
        .filter(|(_, values)| values.len() == model.runs.len())
        .map(|(epoch, values)| Some((epoch, stats::mean(&values).ok().filter(|mean| mean.is_finite())?)))
        .collect()
}

/// The mean of a figure over the runs, each in the epoch whose weights were tested.
fn mean_when_tested(model: &Model, figure: impl Fn(&EpochRecord) -> f64) -> Option<f64> {
    let values: Option<Vec<f64>> = model
        .runs
        .iter()
        .map(|run| run.epochs.iter().find(|epoch| Some(epoch.epoch) == tested_epoch(run)).map(&figure))
        .collect();
    stats::mean(&values?).ok()
}

/// The epochs that some runs give, each once.
fn distinct(model: &Model, epoch: fn(&RunRecord) -> Option<usize>) -> Vec<usize> {
    model.runs.iter().filter_map(|run| epoch(run)).collect::<BTreeSet<_>>().into_iter().collect()
}

/// What a model's epochs support saying.
pub(crate) fn sentences(model: &Model) -> Vec<String> {
    let name = &markdown(model.name);
    // What follows each epoch under the original protocol is a test, whatever it is called.
    let set = match model.runs.iter().all(|run| run.specification.protocol == Protocol::Original) {
        true => "test",
        false => "validation",
    };
    let ends = distinct(model, last_epoch);
    let mut sentences: Vec<String> = tested_weights_of(model, name).into_iter().collect();
    if let Some(accuracies) = means(model, |epoch| epoch.validation_accuracy) {
        let every_run_has = if ends.len() > 1 { " that every run has" } else { "" };
        sentences.extend(passed(name, set, &accuracies, every_run_has));
    }
    let (training, validation) = (
        mean_when_tested(model, |epoch| epoch.train_accuracy),
        mean_when_tested(model, |epoch| epoch.validation_accuracy),
    );
    if let (Some(training), Some(validation)) = (training, validation) {
        let when = match distinct(model, tested_epoch).as_slice() {
            [only] => format!("In epoch {only}"),
            [first, .., last] => format!("In the epochs whose weights were tested ({first} to {last})"),
            [] => return sentences,
        };
        let reasons = model.runs.first().map_or_else(Vec::new, |run| reasons_for_a_gap(&run.specification));
        sentences.push(gap(name, set, &when, [training, validation], &reasons));
    }
    sentences.extend(model.runs.first().and_then(|run| other_labels(&run.specification.recipe)).map(
        |labels| {
            format!(
                "The training loss of {name} is measured against {labels}, its {set} and test loss against the true labels: its two loss \
                 curves are not comparable."
            )
        },
    ));
    match (means(model, |epoch| epoch.validation_loss), ends.as_slice()) {
        (None, _) => sentences.push(format!("The {set} loss of {name} is not finite.")),
        (Some(losses), [] | [_]) => sentences.extend(trend(name, set, &losses)),
        (Some(_), [first, .., last]) => sentences.push(format!(
            "The runs of {name} ended after different epochs ({first} to {last}): their {set} losses have no common last epoch and no \
             trend is read from their mean."
        )),
    }
    sentences
}

fn passed(name: &str, set: &str, accuracies: &[(usize, f64)], which: &str) -> Option<String> {
    let last = accuracies.last()?.0;
    let mut reached: Vec<(usize, Vec<&str>)> = Vec::new();
    let mut never = Vec::new();
    for (threshold, words) in THRESHOLDS {
        let first = accuracies.iter().find(|(_, accuracy)| *accuracy >= threshold);
        match (first, reached.last_mut()) {
            (None, _) => never.push(words),
            (Some((epoch, _)), Some((same, group))) if same == epoch => group.push(words),
            (Some((epoch, _)), _) => reached.push((*epoch, vec![words])),
        }
    }
    let mut parts: Vec<String> =
        reached.iter().map(|(epoch, words)| format!("{} in epoch {epoch}", listed(words))).collect();
    let within = match which {
        "" => format!("in {}", counted(last, "epoch")),
        which => format!("in the {}{which}", counted(last, "epoch")),
    };
    match (parts.is_empty(), never.first()) {
        (true, _) => return Some(format!("{name} does not reach 97 % {set} accuracy {within}.")),
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

fn trend(name: &str, set: &str, losses: &[(usize, f64)]) -> Option<String> {
    let [.., (_, before), (last, end)] = losses else {
        return (losses.len() == 1).then(|| format!("One epoch of {name} shows no trend."));
    };
    let (best, lowest) = losses.iter().copied().min_by(|one, other| one.1.total_cmp(&other.1))?;
    Some(if *end > lowest * (1.0 + FLAT) {
        format!(
            "Its {set} loss rises: {} in epoch {best}, its lowest, and {} in epoch {last}, a sign of overfitting.",
            loss(lowest),
            loss(*end)
        )
    } else if *end < before * (1.0 - FLAT) {
        format!(
            "Its {set} loss is still falling, from {} to {} in epoch {last}: more epochs may help.",
            loss(*before),
            loss(*end)
        )
    } else {
        format!(
            "Its {set} loss is flat by epoch {last} ({}, {} the epoch before).",
            loss(*end),
            loss(*before)
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture::record;

    #[test]
    fn thresholds_are_grouped_by_epoch() {
        let passed = |accuracies: &[(usize, f64)]| passed("a", "validation", accuracies, "");
        assert_eq!(
            passed(&[(1, 0.985), (2, 0.992)]).as_deref(),
            Some("a first reaches a validation accuracy of 97 % and 98 % in epoch 1, 99 % in epoch 2.")
        );
        assert_eq!(
            passed(&[(1, 0.96), (2, 0.97), (3, 0.969)]).as_deref(),
            Some("a first reaches a validation accuracy of 97 % in epoch 2, but not 98 % in 3 epochs.")
        );
        assert_eq!(
            passed(&[(1, 0.5)]).as_deref(),
            Some("a does not reach 97 % validation accuracy in 1 epoch.")
        );
        assert_eq!(passed(&[]), None);
    }

    #[test]
    fn trends_are_told_apart() {
        let words = |losses: &[(usize, f64)]| trend("a", "validation", losses).unwrap_or_default();
        assert!(words(&[(1, 0.5), (2, 0.4)]).contains("still falling, from 0.5000 to 0.4000 in epoch 2"));
        assert!(
            words(&[(1, 0.4), (2, 0.3), (3, 0.35)])
                .contains("rises: 0.3000 in epoch 2, its lowest, and 0.3500 in epoch 3")
        );
        assert!(words(&[(1, 0.4), (2, 0.396)]).contains("flat by epoch 2 (0.3960, 0.4000 the epoch before)"));
        assert_eq!(words(&[(1, 0.4)]), "One epoch of a shows no trend.");
        assert_eq!(trend("a", "validation", &[]), None);
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
        sentences(&Model { name: "a", runs: runs.iter().collect() }).join("\n")
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
