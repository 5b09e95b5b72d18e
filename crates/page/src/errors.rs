//! What runs got wrong, and the images themselves.

use crate::{Problem, bytes, desk::no_result};
use analysis::hard_images::is_disputed;
use records::record::RunRecord;
use serde::Deserialize;
use serde_json::{Value, json};
use std::sync::Arc;
use study::run::Session;

/// A page shows no more at once.
const MOST_IMAGES: usize = 400;

/// The call `images`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Images {
    indices: Vec<usize>,
}

pub(crate) fn images(session: &Session, call: &Images) -> Result<Value, Problem> {
    let test = session.corpus().test();
    if call.indices.len() > MOST_IMAGES {
        return Err(Problem::new(format!(
            "at most {MOST_IMAGES} images expected, {} found",
            call.indices.len()
        )));
    }
    let image = |index: &usize| {
        if *index >= test.len() {
            return Err(Problem::new(format!("an image of 0 to {} expected, {index} found", test.len() - 1)));
        }
        Ok(json!({
            "index": index,
            "label": test.labels()[*index],
            "pixels": bytes::encoded(test.image(*index)),
        }))
    };
    let images = call.indices.iter().map(image).collect::<Result<Vec<_>, _>>()?;
    let shape = test.shape();
    Ok(json!({
        "shape": [shape.height, shape.width, shape.channels],
        "count": test.len(),
        "ink": test.is_ink(),
        "images": images,
    }))
}

/// The records by model, in the order of the study.
fn by_model(records: &[Arc<RunRecord>]) -> Vec<(&str, Vec<&RunRecord>)> {
    let mut models: Vec<(&str, Vec<&RunRecord>)> = Vec::new();
    for record in records {
        let name = &*record.specification.model;
        match models.iter_mut().find(|(model, _)| *model == name) {
            Some((_, runs)) => runs.push(record),
            None => models.push((name, vec![record])),
        }
    }
    models
}

/// The probability of a class, where the record has it.
fn confidence(record: &RunRecord, image: usize, class: u8) -> Option<f64> {
    let classes = record.specification.dataset.classes;
    let index = image * classes + usize::from(class);
    Some(f64::from(*record.test.probabilities.get(index)?) / 65535.0)
}

/// The call `errors`. Of a cross-validation each run counts the images that it was tested on, and no single images are told: its runs share
/// none.
pub(crate) fn errors(session: &Session, records: &[Arc<RunRecord>]) -> Value {
    let models = by_model(records);
    let classes = session.corpus().class_names();
    let counted = models.iter().map(|(model, runs)| {
        let mut confusion = vec![vec![0_usize; classes.len()]; classes.len()];
        for run in runs {
            for (label, answer) in run.test.labels.iter().zip(&run.test.predictions) {
                confusion[usize::from(*label)][usize::from(*answer)] += 1;
            }
        }
        let seeds: Vec<u64> = runs.iter().map(|run| run.specification.seed).collect();
        json!({ "name": model, "seeds": seeds, "confusion": confusion })
    });
    let shared = records.iter().all(|record| record.specification.fold.is_none());
    let labels = records.first().filter(|_| shared).map_or(&[][..], |record| &record.test.labels);
    let is_wrong =
        |image: &usize| records.iter().any(|record| record.test.predictions[*image] != labels[*image]);
    let missed = (0..labels.len()).filter(is_wrong).map(|image| {
        let of_runs = |value: &dyn Fn(&RunRecord) -> Value| -> Vec<Vec<Value>> {
            models.iter().map(|(_, runs)| runs.iter().map(|run| value(run)).collect()).collect()
        };
        json!({
            "index": image,
            "label": labels[image],
            "disputed": is_disputed(session.corpus().sha256(), image),
            "answers": of_runs(&|run| json!(run.test.predictions[image])),
            "confidence": of_runs(&|run| json!(confidence(run, image, run.test.predictions[image]))),
        })
    });
    json!({
        "classes": classes,
        "images": labels.len(),
        "models": counted.collect::<Vec<_>>(),
        "missed": missed.collect::<Vec<_>>(),
    })
}

/// The call `answers_of`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct AnswersOf {
    index: usize,
}

pub(crate) fn answers_of(records: &[Arc<RunRecord>], call: &AnswersOf) -> Result<Value, Problem> {
    let first = records.first().ok_or_else(no_result)?;
    if records.iter().any(|record| record.specification.fold.is_some()) {
        return Err(Problem::new(
            "runs on the same test images expected, folds found: no image is tested in two of them",
        ));
    }
    let label = first.test.labels.get(call.index).ok_or_else(|| {
        let images = first.test.labels.len();
        Problem::new(format!("an image of 0 to {} expected, {} found", images - 1, call.index))
    })?;
    let models = by_model(records).into_iter().map(|(model, runs)| {
        let runs: Vec<Value> = runs
            .into_iter()
            .map(|run| {
                let classes = run.specification.dataset.classes;
                let probabilities: Vec<Option<f64>> =
                    (0..classes).map(|class| confidence(run, call.index, class as u8)).collect();
                json!({ "seed": run.specification.seed, "probabilities": probabilities })
            })
            .collect();
        json!({ "name": model, "runs": runs })
    });
    Ok(json!({ "label": label, "models": models.collect::<Vec<_>>() }))
}
