//! What must be known before any verdict is believed.

use crate::{Run, figures::percent, model::Model};
use records::record::FailedRun;
use std::collections::{BTreeMap, BTreeSet};

/// Of Wilson's intervals.
const CONFIDENCE: f64 = 0.95;

/// With fewer test images an interval says little, whatever its method.
const FEW_IMAGES: usize = 50;

/// So many models are named for one reason, and runs for one model; of others the number is told.
const NAMED: usize = 8;

/// What is wrong with the data, with a model or with the comparison, so that a verdict would mislead: each in a sentence, what
/// concerns all models first. Empty where nothing was found.
///
/// Looked for are: what was found when the data was loaded; test images few or of one class; runs that diverged; models that
/// give one answer to every image or are no better than guessing, by Wilson's 95 % interval of each run; models with the same
/// weights or the same answers; seeds that change nothing. Guessing is to answer the most frequent class always.
pub fn sanity(records: &[Run], failed: &[FailedRun], models: &[Model]) -> Vec<String> {
    let mut found = of_data(records, |run| run.data_warnings);
    found.extend(test_images(records));
    if models.len() > 1 && models.iter().all(|model| model.runs.iter().all(|run| guess(run).is_some())) {
        found.push(
            "No model is better than chance, as far as the test images show: the verdict below compares guesses. The labels may have \
             no relation to the images, or the training was too short."
                .to_owned(),
        );
    }
    found.extend(diverged(models, failed));
    found.extend(named(models.iter().flat_map(guesses).collect()));
    found.extend(named(models.iter().filter_map(doubt).collect()));
    found.extend(same_weights(models));
    found.extend(same_answers(models));
    found
}

/// What records say of their data, each sentence once.
pub(crate) fn of_data<'a>(runs: &[Run<'a>], told: impl Fn(&Run<'a>) -> &'a [String]) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    for sentence in runs.iter().flat_map(told) {
        if !found.contains(sentence) {
            found.push(sentence.clone());
        }
    }
    found
}

/// The one value of a list; none where there are several or none.
fn only(values: &[u8]) -> Option<u8> {
    let first = *values.first()?;
    values.iter().all(|value| *value == first).then_some(first)
}

/// A class by its label or name, or by its number where that is its name.
fn called(run: &Run, class: u8) -> String {
    run.class_names.get(usize::from(class)).cloned().unwrap_or_else(|| class.to_string())
}

/// The runs that are tested on all test images: a fold is a small part of them by design.
fn whole_sets<'a, 'b>(records: &'b [Run<'a>]) -> impl Iterator<Item = &'b Run<'a>> {
    records.iter().filter(|run| run.fold().is_none())
}

/// Labels that are all alike, or hardly any.
fn test_images(records: &[Run]) -> Vec<String> {
    let sets: BTreeMap<&[u8], &Run> =
        whole_sets(records).map(|run| (run.test.labels.as_slice(), run)).collect();
    let mut found = Vec::new();
    for (labels, run) in sets.into_iter().filter(|(labels, _)| !labels.is_empty()) {
        let count = labels.len();
        if let (Some(class), 2..) = (only(labels), count) {
            found.push(format!(
                "The test set has one class only: all {count} labels are {}. Accuracy on it does not show whether a model tells \
                 classes apart.",
                called(run, class)
            ));
        }
        if count < FEW_IMAGES {
            let images = if count == 1 { "image" } else { "images" };
            found.push(format!(
                "The test set has {count} {images}: too few to tell any but very different models apart."
            ));
        }
    }
    found
}

/// What answering the most frequent class always reaches on images of these labels, or one class of so many if that is
/// more.
fn chance(labels: &[u8], classes: usize) -> f64 {
    let mut counts = [0usize; 256];
    labels.iter().for_each(|label| counts[usize::from(*label)] += 1);
    let most = counts.into_iter().max().unwrap_or(0) as f64 / labels.len().max(1) as f64;
    most.max(1.0 / classes.max(1) as f64)
}

/// What guessing reaches, as a fraction, where the images leave it open that a model's answers are no better: where Wilson's
/// 95 % interval of their accuracy reaches down to it. None of images of one class, which cannot say.
pub fn no_better_than_chance(labels: &[u8], predictions: &[u8], classes: usize) -> Option<f64> {
    if labels.len() != predictions.len() || labels.is_empty() || only(labels).is_some() {
        return None;
    }
    let right = labels.iter().zip(predictions).filter(|(label, given)| label == given).count();
    let chance = chance(labels, classes);
    let interval = stats::wilson_interval(right as u64, labels.len() as u64, CONFIDENCE).ok()?;
    (interval.lower <= chance).then_some(chance)
}

/// The class that a run gives to each of several test images that are not all of one class.
fn constant_answer(run: &Run) -> Option<u8> {
    only(&run.test.predictions).filter(|_| !run.test.labels.is_empty() && only(&run.test.labels).is_none())
}

/// What guessing reaches on a run's test images, where they leave it open that the run does no better.
fn guess(run: &Run) -> Option<f64> {
    no_better_than_chance(&run.test.labels, &run.test.predictions, run.data.classes)
}

fn guesses(model: &Model) -> Vec<String> {
    let name = model.name;
    let mut found = Vec::new();
    let mut constant: BTreeMap<u8, Vec<&Run>> = BTreeMap::new();
    let mut guessing = Vec::new();
    for run in &model.runs {
        match constant_answer(run) {
            Some(class) => constant.entry(class).or_default().push(run),
            None => guessing.extend(guess(run).map(|chance| (run, chance))),
        }
    }
    for (class, runs) in constant {
        let of_runs = of_runs(runs.len(), model);
        found.push(format!(
            "{name} answers class {} for every test image{of_runs}: it tells no classes apart.",
            called(runs[0], class)
        ));
    }
    if let Some((_, chance)) = guessing.first() {
        let accuracies: BTreeSet<u64> =
            guessing.iter().map(|(run, _)| run.test.accuracy.max(0.0).to_bits()).collect();
        let shown = |bits: Option<&u64>| bits.map_or_else(String::new, |bits| percent(f64::from_bits(*bits)));
        let (lowest, highest) = (shown(accuracies.first()), shown(accuracies.last()));
        let range = if lowest == highest { lowest } else { format!("{lowest} to {highest}") };
        found.push(format!(
            "{name} is not better than chance{}, as far as the test images show: {range} % test accuracy, where the most frequent class \
             alone gives {} %.",
            of_runs(guessing.len(), model),
            percent(*chance)
        ));
    }
    found
}

/// ` in 2 of 3 runs`; nothing of the only run.
fn of_runs(count: usize, model: &Model) -> String {
    match (count, model.runs.len()) {
        (_, 1) => String::new(),
        (count, all) if count == all => format!(" in all {all} runs"),
        (count, all) => format!(" in {count} of {all} runs"),
    }
}

/// What is probably not meant about a model's layers.
fn doubt(model: &Model) -> Option<String> {
    let doubt = model.runs.first()?.specification()?.architecture().doubt()?;
    Some(format!("{}: {doubt}.", model.name))
}

fn diverged(models: &[Model], failed: &[FailedRun]) -> Vec<String> {
    let mut by_name: Vec<(&str, Vec<&FailedRun>)> = Vec::new();
    for run in failed {
        let name = run.specification.model.as_str();
        match by_name.iter_mut().find(|(known, _)| *known == name) {
            Some((_, runs)) => runs.push(run),
            None => by_name.push((name, vec![run])),
        }
    }
    let sentence = |(name, runs): (&str, Vec<&FailedRun>)| {
        let mut places: Vec<String> = runs
            .iter()
            .take(NAMED)
            .map(|run| format!("seed {} in epoch {}", run.specification.seed, run.epoch))
            .collect();
        if runs.len() > NAMED {
            places.push("…".to_owned());
        }
        let (count, places) = (runs.len(), places.join(", "));
        let finished = models.iter().find(|model| model.name == name).map_or(0, |model| model.runs.len());
        if finished == 0 {
            let subject = if count == 1 { "The only run".to_owned() } else { format!("All {count} runs") };
            return format!("{subject} of {name} diverged ({places}): it is left out of every comparison.");
        }
        let (noun, verb) = if count == 1 { ("run", "is") } else { ("runs", "are") };
        format!(
            "{count} {noun} of {name} diverged ({places}) and {verb} left out, beside {finished} that did not. The figures of {name} are \
             those of the runs that went well: they favour it."
        )
    };
    named(by_name.into_iter().map(sentence).collect())
}

/// The first sentences of a kind, and how many are left out.
fn named(mut sentences: Vec<String>) -> Vec<String> {
    let more = sentences.len().saturating_sub(NAMED);
    sentences.truncate(NAMED);
    match more {
        0 => {}
        1 => sentences.push("1 more finding of this kind is not listed.".to_owned()),
        more => sentences.push(format!("{more} more findings of this kind are not listed.")),
    }
    sentences
}

/// Models, each with those of its runs that share something.
type Shared<'a> = BTreeMap<&'a str, Vec<Run<'a>>>;

/// The runs that share what `key` reads, two or more, each group once.
fn sharing<'a, K: Ord>(models: &[Model<'a>], key: impl Fn(&Run<'a>) -> Option<K>) -> Vec<Shared<'a>> {
    let mut groups: BTreeMap<K, Shared> = BTreeMap::new();
    for model in models {
        for run in &model.runs {
            if let Some(key) = key(run) {
                groups.entry(key).or_default().entry(model.name).or_default().push(*run);
            }
        }
    }
    groups.into_values().filter(|group| group.values().map(Vec::len).sum::<usize>() > 1).collect()
}

fn fingerprint<'a>(run: &Run<'a>) -> Option<&'a str> {
    run.record().map(|record| record.fingerprint.as_str())
}

fn same_weights(models: &[Model]) -> Vec<String> {
    let groups = sharing(models, fingerprint);
    let mut found = Vec::new();
    let mut across: BTreeMap<Vec<&str>, usize> = BTreeMap::new();
    for group in groups {
        for (name, runs) in group.iter().filter(|(_, runs)| runs.len() > 1) {
            let seeds: BTreeSet<u64> = runs.iter().filter_map(Run::seed).collect();
            let seeds: Vec<String> = seeds.iter().take(NAMED).map(u64::to_string).collect();
            found.push(format!(
                "The runs of {name} with seeds {} have identical weights: the seed changed nothing. They are counted as several runs, so \
                 intervals over runs are too narrow.",
                seeds.join(", ")
            ));
        }
        if group.len() > 1 {
            *across.entry(group.keys().copied().collect()).or_default() += 1;
        }
    }
    found.extend(across.into_iter().map(|(names, count)| {
        let runs = if count == 1 { "a run" } else { "runs" };
        format!(
            "{} have {runs} with identical weights: they are one network under several names.",
            together(&names)
        )
    }));
    named(found)
}

/// Models that answer alike, and are not of the same weights.
fn same_answers(models: &[Model]) -> Vec<String> {
    let answers = |run: &Run| constant_answer(run).is_none() && run.test.labels.len() > 1;
    let groups = sharing(models, |run| answers(run).then_some((&run.test.labels, &run.test.predictions)));
    let mut across: BTreeMap<Vec<&str>, bool> = BTreeMap::new();
    // Of imported runs, whose weights nobody can compare.
    let copies = sharing(models, |run| {
        let test = run.test;
        (answers(run) && run.record().is_none()).then_some((
            &test.labels,
            &test.predictions,
            &test.probabilities,
        ))
    });
    let mut copied = Vec::new();
    for (name, runs) in copies.iter().flatten().filter(|(_, runs)| runs.len() > 1) {
        let named: Vec<String> = runs.iter().take(NAMED).map(Run::in_words).collect();
        copied.push(format!(
            "{} of {name} give the same answer to every test image: they may be copies of one run. They are counted as several, so intervals \
             over runs are too narrow.",
            named.join(", ")
        ));
    }
    for group in groups.iter().filter(|group| group.len() > 1) {
        let fingerprints: BTreeSet<_> = group.values().flatten().map(fingerprint).collect();
        let known = !fingerprints.contains(&None);
        if fingerprints.len() > 1 || !known {
            *across.entry(group.keys().copied().collect()).or_insert(true) &= known;
        }
    }
    let sentence = |(names, known): (Vec<&str>, bool)| {
        let weights = if known { ", though not the same weights" } else { "" };
        format!(
            "{} have runs with the same answer to every test image{weights}: these images do not tell them apart.",
            together(&names)
        )
    };
    let mut found = named(across.into_iter().map(sentence).collect());
    found.extend(named(copied));
    found
}

fn together(names: &[&str]) -> String {
    let (shown, more) = names.split_at(names.len().min(NAMED));
    match (shown, more.len()) {
        ([rest @ .., last], 0) => format!("{} and {last}", rest.join(", ")),
        (shown, more) => format!("{} and {more} more models", shown.join(", ")),
    }
}
