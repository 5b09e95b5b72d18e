//! What the epochs tell: when thresholds are passed, the gap between training and validation, the trend of the loss.

use std::collections::BTreeMap;

use study::record::{EpochRecord, Protocol, RunRecord};

use crate::Model;
use crate::numbers::{counted, listed, loss, percent, points};
use crate::text::markdown;

const THRESHOLDS: [(f64, &str); 3] = [(0.97, "97 %"), (0.98, "98 %"), (0.99, "99 %")];

/// Smaller relative changes of a validation loss are within what the order of the batches does to it.
const FLAT: f64 = 0.02;

/// Seconds of training in an epoch, not finite for a run without epochs.
pub(crate) fn seconds_per_epoch(run: &RunRecord) -> f64 {
    run.train_seconds / run.epochs.len() as f64
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

/// What a model's epochs support saying.
pub(crate) fn sentences(model: &Model) -> Vec<String> {
    let name = &markdown(model.name);
    // What follows each epoch under the original protocol is a test, whatever it is called.
    let set = match model.runs.iter().all(|run| run.specification.protocol == Protocol::Original) {
        true => "test",
        false => "validation",
    };
    let mut sentences = Vec::new();
    if let Some(accuracies) = means(model, |epoch| epoch.validation_accuracy) {
        sentences.extend(passed(name, set, &accuracies));
        if let Some(training) = means(model, |epoch| epoch.train_accuracy) {
            sentences.extend(gap(name, set, &training, &accuracies));
        }
    }
    match means(model, |epoch| epoch.validation_loss) {
        Some(losses) => sentences.extend(trend(name, set, &losses)),
        None => sentences.push(format!("The {set} loss of {name} is not finite.")),
    }
    sentences
}

fn passed(name: &str, set: &str, accuracies: &[(usize, f64)]) -> Option<String> {
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
    let within = counted(last, "epoch");
    match (parts.is_empty(), never.first()) {
        (true, _) => return Some(format!("{name} does not reach 97 % {set} accuracy in {within}.")),
        (false, Some(lowest)) => parts.push(format!("but not {lowest} in {within}")),
        (false, None) => {}
    }
    Some(format!("{name} first reaches a {set} accuracy of {}.", parts.join(", ")))
}

fn gap(name: &str, set: &str, training: &[(usize, f64)], validation: &[(usize, f64)]) -> Option<String> {
    let ((epoch, training), (_, validation)) = (*training.last()?, *validation.last()?);
    let (trained, validated) = (percent(training), percent(validation));
    let difference = training - validation;
    Some(if trained == validated {
        format!("In epoch {epoch} its training and {set} accuracy are equal ({trained} %).")
    } else if difference > 0.0 {
        format!(
            "In epoch {epoch} {name} is {} better on training images ({trained} %) than on {set} images ({validated} %).",
            points(difference)
        )
    } else {
        format!(
            "In epoch {epoch} {name} is {} better on {set} images ({validated} %) than on training images ({trained} %), \
             whose average includes the weights before the epoch's end.",
            points(difference)
        )
    })
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

    #[test]
    fn thresholds_are_grouped_by_epoch() {
        let all = passed("a", "validation", &[(1, 0.985), (2, 0.992)]);
        assert_eq!(
            all.as_deref(),
            Some("a first reaches a validation accuracy of 97 % and 98 % in epoch 1, 99 % in epoch 2.")
        );
        let some = passed("a", "validation", &[(1, 0.96), (2, 0.97), (3, 0.969)]);
        assert_eq!(
            some.as_deref(),
            Some("a first reaches a validation accuracy of 97 % in epoch 2, but not 98 % in 3 epochs.")
        );
        let none = passed("a", "validation", &[(1, 0.5)]);
        assert_eq!(none.as_deref(), Some("a does not reach 97 % validation accuracy in 1 epoch."));
        assert_eq!(passed("a", "validation", &[]), None);
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
        let words = |training, validation| {
            gap("a", "validation", &[(1, training)], &[(1, validation)]).unwrap_or_default()
        };
        assert!(words(0.99, 0.98).contains("1.00 point better on training images (99.00 %)"));
        assert!(words(0.97, 0.98).contains("1.00 point better on validation images (98.00 %)"));
        assert!(words(0.98, 0.98).contains("are equal (98.00 %)"));
    }
}
