//! What one run answered, by the classes that all files share.

use crate::{
    classes::Classes,
    error::{Error, quoted},
    table::{Scores, Table, row_in_words},
};

/// Rows of probabilities may miss one by so much: sixteen-bit floats, and tables of three decimals.
const SUM_TOLERANCE: f64 = 0.02;

/// Rows that miss one by more are told, though they are taken.
const ROUNDING: f64 = 1e-3;

/// A run's rows, by the classes that all files share.
pub(crate) struct Answers {
    pub(crate) file: String,
    pub(crate) ids: Option<Vec<String>>,
    pub(crate) labels: Option<Vec<u8>>,
    pub(crate) predictions: Vec<u8>,
    /// `[row, class]` in steps of 1/65535; empty without.
    pub(crate) probabilities: Vec<u16>,
    /// The values of each class, `[row, class]`, and whether they are logits: what the loss is computed from before they are rounded.
    scores: Option<(Vec<f32>, bool)>,
}

impl Answers {
    pub(crate) fn of(table: Table, classes: &Classes, notes: &mut Vec<String>) -> Result<Self, Error> {
        let Table { file, ids, labels, predictions, scores, remarks: _ } = table;
        let labels = labels.map(|labels| classes.column(labels, &file, "label")).transpose()?;
        let stated = predictions.map(|given| classes.column(given, &file, "prediction")).transpose()?;
        let Some(mut scores) = scores else {
            let Some(predictions) = stated else {
                return Err(Error::new(
                    &file,
                    "predictions or probabilities",
                    "labels alone",
                    "give the class, or a probability of each class, that the model gave",
                ));
            };
            return Ok(Self { file, ids, labels, predictions, probabilities: Vec::new(), scores: None });
        };
        if let Some(places) = classes.places(&scores, &file)? {
            let rows = scores.values.chunks_exact(classes.count);
            scores.values = rows.flat_map(|row| places.iter().map(|place| row[*place])).collect();
            notes.push("columns of classes are put into the order of the first file".to_owned());
        }
        if are_percent(&scores) {
            scores.values.iter_mut().for_each(|value| *value /= 100.0);
            notes.push("rows that sum to 100 are taken as per cent and divided by 100".to_owned());
        }
        let logits = are_logits(&scores, &file)?;
        if logits && !scores.stated_logits {
            notes.push(
                "values that are no probabilities are taken as logits: their softmax is used".to_owned(),
            );
        }
        let mut probabilities = Vec::with_capacity(scores.values.len());
        let (mut given, mut uneven) = (Vec::new(), 0);
        for (row, values) in scores.values.chunks_exact(classes.count).enumerate() {
            let best = best_of(values);
            let prediction = match stated.as_ref().map(|stated| stated[row]) {
                None => best,
                Some(stated) if values[usize::from(stated)] >= values[usize::from(best)] => stated,
                Some(stated) => {
                    let name = |class: u8| {
                        classes
                            .names
                            .get(usize::from(class))
                            .map_or_else(|| class.to_string(), |name| quoted(name))
                    };
                    return Err(Error::new(
                        &file,
                        format!("the class of the highest value, {}, as prediction", name(best)),
                        name(stated),
                        "leave out the predictions, or the values",
                    )
                    .at(row_in_words(row)));
                }
            };
            given.push(prediction);
            let sum = if logits {
                softmax_sum(values)
            } else {
                values.iter().map(|value| f64::from(value.max(0.0))).sum()
            };
            uneven += usize::from(!logits && (sum - 1.0).abs() > ROUNDING);
            probabilities.extend(values.iter().map(|value| {
                let share = if logits {
                    f64::from(value - values[usize::from(best)]).exp()
                } else {
                    f64::from(value.max(0.0))
                };
                (share / sum * 65_535.0).round() as u16
            }));
        }
        if uneven > 0 {
            let rows = if uneven == 1 {
                "1 row of probabilities".to_owned()
            } else {
                format!("{uneven} rows of probabilities")
            };
            notes.push(format!("{rows} summed to one but for rounding and divided by the sum"));
        }
        Ok(Self {
            file,
            ids,
            labels,
            predictions: given,
            probabilities,
            scores: Some((scores.values, logits)),
        })
    }

    /// The mean of `-ln(probability of the true class)` over the rows, not a number without values; and how many rows give that class the
    /// probability 0.
    pub(crate) fn loss(&self, classes: usize, label_of: impl Fn(usize) -> u8) -> (f64, usize) {
        let Some((values, logits)) = &self.scores else { return (f64::NAN, 0) };
        let (mut total, mut impossible) = (0.0, 0);
        for (row, values) in values.chunks_exact(classes).enumerate() {
            let value = values[usize::from(label_of(row))];
            total += if *logits {
                softmax_sum(values).ln() - f64::from(value - values[usize::from(best_of(values))])
            } else {
                let sum: f64 = values.iter().map(|value| f64::from(value.max(0.0))).sum();
                impossible += usize::from(value <= 0.0);
                -(f64::from(value.max(f32::MIN_POSITIVE)) / sum).ln()
            };
        }
        (total / self.rows() as f64, impossible)
    }

    pub(crate) fn rows(&self) -> usize {
        self.predictions.len()
    }
}

/// The class of the highest value, the first of equals.
fn best_of(values: &[f32]) -> u8 {
    let mut best = 0;
    for (class, value) in values.iter().enumerate() {
        if *value > values[best] {
            best = class;
        }
    }
    best as u8
}

/// `Σ exp(value − highest)`.
fn softmax_sum(values: &[f32]) -> f64 {
    let highest = values[usize::from(best_of(values))];
    values.iter().map(|value| f64::from(value - highest).exp()).sum()
}

/// Whether every row is one of percentages.
fn are_percent(scores: &Scores) -> bool {
    let in_per_cent = |row: &[f32]| {
        let sum: f64 = row.iter().map(|value| f64::from(*value)).sum();
        row.iter().all(|value| *value >= 0.0) && (sum - 100.0).abs() <= 100.0 * SUM_TOLERANCE
    };
    !scores.stated_logits && scores.values.chunks_exact(scores.classes).all(in_per_cent)
}

/// Whether values are logits. Rows of probabilities lie from 0 to 1 and sum to one; values from 0 to 1 that do not are neither.
fn are_logits(scores: &Scores, file: &str) -> Result<bool, Error> {
    if scores.stated_logits || scores.values.iter().any(|value| !(-1e-6..=1.0 + 1e-3).contains(value)) {
        return Ok(true);
    }
    for (row, values) in scores.values.chunks_exact(scores.classes).enumerate() {
        let sum: f64 = values.iter().map(|value| f64::from(*value)).sum();
        if (sum - 1.0).abs() > SUM_TOLERANCE {
            return Err(Error::new(
                file,
                "probabilities that sum to 1",
                format!("a sum of {sum:.4}"),
                "divide each row by its sum, or save what is before the softmax as logits",
            )
            .at(row_in_words(row)));
        }
    }
    Ok(false)
}
