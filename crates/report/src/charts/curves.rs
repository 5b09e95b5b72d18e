//! The accuracy and the loss of every model over the epochs.

use std::collections::BTreeMap;

use analysis::{Run, measured::other_labels, model::Model};
use records::record::{EpochRecord, Protocol};

use crate::{
    Study,
    charts::chart::{Chart, Curve, Quantity, Value},
    words::{
        names::ShortNames,
        numbers::{counted, listed},
        text::one_line,
    },
};

/// No accuracy or loss is larger; a diverged run's may be, and would flatten every other curve.
const LARGEST_DRAWN: f64 = 1e12;

/// More models than these, and only their validation curves are drawn: the training's first epochs would take all the room.
const MOST_WITH_TRAINING: usize = 6;

/// Training and validation values of every model; none where other programs made the runs and none was logged.
pub(crate) fn chart(study: &Study, quantity: Quantity) -> Option<Chart> {
    let models = study.models();
    let is_logged = |epoch: &EpochRecord| {
        [true, false].iter().any(|&training| !value(epoch, quantity, training).is_nan())
    };
    if study.is_imported() && !study.analysis.runs.iter().any(|run| run.epochs.iter().any(is_logged)) {
        return None;
    }
    let ShortNames { names, note } = ShortNames::of(models);
    let word = match quantity {
        Quantity::Accuracy => "Accuracy",
        Quantity::Loss => "Loss",
    };
    let subject = match names.len() {
        0..=3 => listed(&names),
        several => format!("{several} models"),
    };
    let crowded = models.len() > MOST_WITH_TRAINING;
    let mut curves = Vec::new();
    let mut left_out = Vec::new();
    for (position, model) in models.iter().enumerate() {
        let mut missing = 0;
        for training in [true, false].into_iter().skip(usize::from(crowded)) {
            let (pieces, not_drawn) = pieces(&model.runs, |epoch| value(epoch, quantity, training));
            missing += not_drawn;
            curves.push(Curve { model: position, training, pieces });
        }
        if missing > 0 {
            left_out.push(format!("{} {}", names[position], counted(missing, "value")));
        }
    }
    let several = models.iter().any(|model| model.runs.len() > 1);
    let (training, of_labels) = training_words(models, &names, quantity);
    let mut notes = vec![match crowded {
        true => format!("Validation follows each epoch. Curves of training are left out beyond {MOST_WITH_TRAINING} models."),
        false => "Training values are averages over an epoch, taken while the model learns; validation follows each epoch.".to_owned(),
    }];
    notes.extend(note);
    if !crowded {
        notes.extend(of_labels);
    }
    notes.extend(unequal_runs(models, &names));
    let lost: Vec<String> = study.analysis.lost.iter().map(|lost| one_line(lost.name)).collect();
    if !lost.is_empty() {
        notes.push(format!("Not drawn, because every run diverged: {}.", lost.join(", ")));
    }
    if !left_out.is_empty() {
        notes.push(format!("Not drawn, because not finite or too large: {}.", left_out.join(", ")));
    }
    Some(Chart {
        title: format!("{word} of {subject}{}", on_data(study)),
        subtitle: format!("{}; {}", study.protocol_words(), run_words(study)),
        quantity,
        names,
        validation: validation_words(study),
        training,
        band: several.then_some("smallest to largest of the runs"),
        curves,
        notes,
    })
}

/// ` on mnist`; nothing where the data has no name.
pub(crate) fn on_data(study: &Study) -> String {
    let names = study.data_names();
    if names.is_empty() { String::new() } else { format!(" on {}", listed(&names)) }
}

/// What the training curves are called, and what their loss is measured against where that is not the true labels.
fn training_words(models: &[Model], names: &[String], quantity: Quantity) -> (&'static str, Option<String>) {
    if quantity == Quantity::Accuracy {
        return ("training", None);
    }
    let other = |model: &Model| model.runs.first().and_then(|run| other_labels(&run.specification()?.recipe));
    let of_models: Vec<String> = models
        .iter()
        .zip(names)
        .filter_map(|(model, name)| Some(format!("{name} by {}", other(model)?)))
        .collect();
    if of_models.is_empty() {
        return ("training", None);
    }
    let all = of_models.len() == models.len();
    let words = if all { "training (other labels)" } else { "training (some by other labels)" };
    let note = format!(
        "Training loss of {}; validation loss by the true labels: not comparable.",
        of_models.join(", ")
    );
    (words, Some(note))
}

/// How many runs there are in each epoch, where a model's runs ended at different ones.
fn unequal_runs(models: &[Model], names: &[String]) -> Option<String> {
    const NAMED: usize = 4;
    let mut unequal = Vec::new();
    for (model, name) in models.iter().zip(names) {
        let mut ends: BTreeMap<usize, usize> = BTreeMap::new();
        for run in &model.runs {
            *ends.entry(run.epochs.last().map_or(0, |epoch| epoch.epoch)).or_default() += 1;
        }
        if ends.len() > 1 {
            let mut left = model.runs.len();
            let counts: Vec<String> = ends
                .iter()
                .map(|(epoch, ending)| {
                    let here = left;
                    left -= ending;
                    format!("{} to epoch {epoch}", counted(here, "run"))
                })
                .collect();
            let more = if counts.len() > NAMED { ", …" } else { "" };
            unequal.push(format!("{name} {}{more}", counts[..counts.len().min(NAMED)].join(", ")));
        }
    }
    let more = if unequal.len() > NAMED { "; …" } else { "" };
    unequal.truncate(NAMED);
    (!unequal.is_empty()).then(|| format!("Runs ended at different epochs: {}{more}.", unequal.join("; ")))
}

fn validation_words(study: &Study) -> &'static str {
    match study.protocols().as_slice() {
        [Protocol::Original] => "test set, used as validation",
        protocols if protocols.contains(&Protocol::Original) => "validation (the test set under original)",
        _ => "validation",
    }
}

pub(crate) fn run_words(study: &Study) -> String {
    let counts: Vec<usize> = study.models().iter().map(|model| model.runs.len()).collect();
    let (fewest, most) = (counts.iter().min().unwrap_or(&0), counts.iter().max().unwrap_or(&0));
    match (fewest, most) {
        (_, 0 | 1) => "1 run a model".to_owned(),
        (fewest, most) if fewest == most => format!("{most} runs a model, their mean is drawn"),
        _ => format!("{fewest} to {most} runs a model, their mean is drawn"),
    }
}

fn value(epoch: &EpochRecord, quantity: Quantity, training: bool) -> f64 {
    match (quantity, training) {
        (Quantity::Accuracy, true) => epoch.train_accuracy * 100.0,
        (Quantity::Accuracy, false) => epoch.validation_accuracy * 100.0,
        (Quantity::Loss, true) => epoch.train_loss,
        (Quantity::Loss, false) => epoch.validation_loss,
    }
}

/// The curve in pieces, and how many values it leaves out.
fn pieces(runs: &[Run], value: impl Fn(&EpochRecord) -> f64) -> (Vec<Vec<Value>>, usize) {
    let mut by_epoch: BTreeMap<usize, Vec<f64>> = BTreeMap::new();
    let mut left_out = 0;
    let is_imported = runs.iter().all(|run| run.record().is_none());
    for epoch in runs.iter().flat_map(|run| run.epochs) {
        let values = by_epoch.entry(epoch.epoch).or_default();
        match value(epoch) {
            // Not logged by another program.
            value if value.is_nan() && is_imported => {}
            value if value.is_finite() && value.abs() <= LARGEST_DRAWN => values.push(value),
            _ => left_out += 1,
        }
    }
    let mut pieces: Vec<Vec<Value>> = vec![Vec::new()];
    for (epoch, values) in by_epoch {
        match stats::mean(&values) {
            Ok(mean) => {
                let smallest = values.iter().copied().fold(mean, f64::min);
                let largest = values.iter().copied().fold(mean, f64::max);
                let value = Value { epoch: epoch as f64, mean, smallest, largest, runs: values.len() };
                pieces.last_mut().expect("there is a last piece").push(value);
            }
            Err(_) => pieces.push(Vec::new()),
        }
    }
    pieces.retain(|piece| !piece.is_empty());
    (pieces, left_out)
}
