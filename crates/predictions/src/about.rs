//! What is stated of a run beside its answers: `run.json`.

use crate::{error::Error, files::read_whole};
use records::record::EpochRecord;
use serde_json::{Map, Value, json};
use std::path::Path;

/// No such file is larger.
const MAXIMUM_BYTES: u64 = 16 << 20;

/// What a record has room for, beside what is noticed in the answers.
pub(crate) const MOST_NOTES: usize = 500;
pub(crate) const LONGEST_NOTE: usize = 5000;

/// What is stated of a run beside its answers. Everything may be absent.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct About {
    /// Its seed.
    pub seed: Option<u64>,
    /// Number of parameters that are learnt.
    pub parameters: Option<u64>,
    /// Multiplications of one image's forward pass.
    pub multiply_adds: Option<u64>,
    /// Seconds of training.
    pub train_seconds: Option<f64>,
    /// Seconds in all.
    pub total_seconds: Option<f64>,
    /// Which fraction of the images of the other folds it held back to validate on, where it is of a cross-validation.
    pub held_back: Option<f64>,
    /// The machine.
    pub machine: Option<String>,
    /// What was logged of its epochs; what was not is not a number.
    pub epochs: Vec<EpochRecord>,
    /// What was passed over, and what the file itself notes.
    pub remarks: Vec<String>,
}

impl About {
    /// Reads `run.json`.
    ///
    /// # Errors
    /// When it cannot be read, or a field is of another kind.
    pub fn read(path: &Path) -> Result<Self, Error> {
        let bytes =
            read_whole(path, MAXIMUM_BYTES, "keep the figures of the epochs, and leave out the rest")?;
        Self::parse(&path.display().to_string(), &bytes)
    }

    /// The text of `run.json`, which [`About::read`] reads.
    pub fn to_json(&self) -> String {
        let mut fields = Map::new();
        let mut put = |name: &str, value: Value| match value {
            Value::Null => {}
            value => drop(fields.insert(name.to_owned(), value)),
        };
        put("seed", json!(self.seed));
        put("parameters", json!(self.parameters));
        put("multiply_adds", json!(self.multiply_adds));
        put("train_seconds", json!(self.train_seconds));
        put("total_seconds", json!(self.total_seconds));
        put("held_back", json!(self.held_back));
        put("machine", json!(self.machine));
        let epoch = |epoch: &EpochRecord| {
            let figures = [
                ("train_loss", epoch.train_loss),
                ("train_accuracy", epoch.train_accuracy),
                ("validation_loss", epoch.validation_loss),
                ("validation_accuracy", epoch.validation_accuracy),
                ("train_seconds", epoch.train_seconds),
            ];
            let known = figures.into_iter().filter(|(_, figure)| figure.is_finite());
            let mut fields: Map<String, Value> =
                known.map(|(name, figure)| (name.to_owned(), json!(figure))).collect();
            fields.insert("epoch".to_owned(), json!(epoch.epoch));
            Value::Object(fields)
        };
        put("epochs", self.epochs.iter().map(epoch).collect());
        put("notes", json!(self.remarks));
        format!("{:#}\n", Value::Object(fields))
    }

    /// Of what `run.json` says, given as its bytes; `file` is what errors call it.
    ///
    /// # Errors
    /// When a field is of another kind.
    pub fn parse(file: &str, bytes: &[u8]) -> Result<Self, Error> {
        let fields: Map<String, Value> = serde_json::from_slice(bytes).map_err(|error| {
            Error::new(
                file,
                "an object as JSON",
                error.to_string(),
                "write {\"seed\": 0, \"train_seconds\": 12.5, …}",
            )
        })?;
        let mut about = Self::default();
        let mut others = Vec::new();
        for (name, value) in &fields {
            let refused = |expected: &str| {
                Error::new(
                    file,
                    format!("{expected} as {name}"),
                    value.to_string().chars().take(60).collect::<String>(),
                    format!("correct {name}, or leave it out"),
                )
            };
            let whole = || value.as_u64().ok_or_else(|| refused("a whole number from 0 on"));
            let seconds = || {
                let seconds = value.as_f64().filter(|seconds| seconds.is_finite() && *seconds >= 0.0);
                seconds.ok_or_else(|| refused("seconds, a number from 0 on,"))
            };
            match name.as_str() {
                _ if value.is_null() => {}
                "seed" => about.seed = Some(whole()?),
                "parameters" => about.parameters = Some(whole()?),
                "multiply_adds" => about.multiply_adds = Some(whole()?),
                "train_seconds" | "training_seconds" => about.train_seconds = Some(seconds()?),
                "total_seconds" => about.total_seconds = Some(seconds()?),
                "held_back" => {
                    let share = value.as_f64().filter(|share| (0.0..1.0).contains(share));
                    about.held_back = Some(share.ok_or_else(|| refused("a fraction from 0 to below 1"))?);
                }
                "machine" => {
                    about.machine = Some(value.as_str().ok_or_else(|| refused("a text"))?.to_owned());
                }
                "epochs" => {
                    let list = value.as_array().ok_or_else(|| refused("a list of objects"))?;
                    for (index, epoch) in list.iter().enumerate() {
                        about.epochs.push(epoch_of(epoch, index, &mut others).ok_or_else(|| {
                            refused("a list of objects of numbers, epochs in ascending order,")
                        })?);
                    }
                    if about.epochs.windows(2).any(|pair| pair[0].epoch >= pair[1].epoch) {
                        return Err(refused("a list of objects of numbers, epochs in ascending order,"));
                    }
                }
                "notes" => {
                    let notes: Option<Vec<String>> = value.as_array().and_then(|notes| {
                        notes.iter().map(|note| note.as_str().map(str::to_owned)).collect()
                    });
                    let fit = |notes: &Vec<String>| {
                        notes.len() <= MOST_NOTES && notes.iter().all(|note| note.len() <= LONGEST_NOTE)
                    };
                    let expected = format!("a list of at most {MOST_NOTES} texts of {LONGEST_NOTE} bytes");
                    about.remarks.extend(notes.filter(fit).ok_or_else(|| refused(&expected))?);
                }
                _ => others.push(name.clone()),
            }
        }
        if !others.is_empty() {
            about.remarks.push(format!("fields of run.json passed over: {}", crate::listed(&others)));
        }
        Ok(about)
    }
}

/// An epoch's figures by the names that programs log them under; none where one is no number.
fn epoch_of(value: &Value, index: usize, others: &mut Vec<String>) -> Option<EpochRecord> {
    let mut epoch = EpochRecord::unknown(index + 1);
    for (name, value) in value.as_object()? {
        let number = match value {
            Value::Null => continue,
            value => value.as_f64()?,
        };
        let figure = match name.as_str() {
            "epoch" => {
                epoch.epoch = value.as_u64().filter(|number| *number < 1 << 32)? as usize;
                continue;
            }
            "train_loss" | "loss" => &mut epoch.train_loss,
            "train_accuracy" | "train_acc" | "accuracy" | "acc" => &mut epoch.train_accuracy,
            "validation_loss" | "val_loss" => &mut epoch.validation_loss,
            "validation_accuracy" | "val_accuracy" | "val_acc" => &mut epoch.validation_accuracy,
            "train_seconds" | "seconds" => &mut epoch.train_seconds,
            _ => {
                if !others.contains(name) {
                    others.push(name.clone());
                }
                continue;
            }
        };
        *figure = number;
    }
    Some(epoch)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_are_read_by_the_names_that_programs_log_them_under() {
        let text =
            br#"{"seed": 3, "train_seconds": 1.5, "machine": "a laptop", "author": "x", "notes": ["y"],
            "epochs": [{"loss": 0.5, "val_acc": 0.9}, {"epoch": 2, "train_loss": 0.4, "lr": 0.1}]}"#;
        let about = About::parse("run.json", text).expect("figures");
        assert_eq!(
            (about.seed, about.train_seconds, about.machine.as_deref()),
            (Some(3), Some(1.5), Some("a laptop"))
        );
        assert_eq!((about.epochs[0].train_loss, about.epochs[0].validation_accuracy), (0.5, 0.9));
        assert!(about.epochs[0].train_accuracy.is_nan() && about.epochs[1].epoch == 2);
        assert_eq!(about.remarks, ["y", "fields of run.json passed over: `author`, `lr`"]);
        let again = About::parse("run.json", about.to_json().as_bytes()).expect("figures");
        assert_eq!(again.to_json(), about.to_json());
        assert_eq!((again.seed, again.epochs.len(), again.epochs[1].train_loss), (Some(3), 2, 0.4));
        for (wrong, field) in [
            (r#"{"seed": -1}"#, "seed"),
            (r#"{"train_seconds": "2"}"#, "train_seconds"),
            (r#"{"epochs": [1]}"#, "epochs"),
            (r#"{"epochs": [{"epoch": 2}, {"epoch": 2}]}"#, "epochs"),
            (r#"{"held_back": 1}"#, "held_back"),
            (r#"{"notes": "x"}"#, "notes"),
            (&format!(r#"{{"notes": ["{}"]}}"#, "x".repeat(5001)), "500 texts of 5000 bytes as notes"),
            ("[1]", "an object"),
        ] {
            let refused = About::parse("run.json", wrong.as_bytes()).expect_err(wrong).to_string();
            assert!(refused.contains(field), "{refused}");
        }
    }
}
