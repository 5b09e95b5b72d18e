//! Arrays of NumPy and tensors of safetensors files.

use crate::{
    error::Error,
    files::read_whole,
    table::{Column, Meaning, Scores, Table, row_in_words},
};
use containers::arrays::{Array, Values, read_npy, read_npz};
use safetensors::{Dtype, SafeTensors};
use std::path::Path;

/// No file of tensors is larger.
const MAXIMUM_BYTES: u64 = 2 << 30;

const KNOWN: &str = "an array named predictions, probabilities or logits (and, if you like, labels and ids)";

pub(crate) fn of_npy(path: &Path) -> Result<Table, Error> {
    let file = path.display().to_string();
    let array = read_npy(path).map_err(|error| of_container(&file, &error))?;
    let mut table = Table { file: file.clone(), ..Table::default() };
    let meaning = match array.shape[..] {
        [_] | [_, 1] if array.values_are_classes() => Meaning::Predictions,
        _ => Meaning::Probabilities,
    };
    put(&mut table, array, meaning)?;
    table.checked()
}

pub(crate) fn of_npz(path: &Path) -> Result<Table, Error> {
    let file = path.display().to_string();
    named(file.clone(), read_npz(path).map_err(|error| of_container(&file, &error))?)
}

pub(crate) fn of_safetensors(path: &Path) -> Result<Table, Error> {
    let bytes = read_whole(path, MAXIMUM_BYTES, "save fewer tensors, or shorter floats")?;
    tensors(&path.display().to_string(), &bytes)
}

pub(crate) fn tensors(file: &str, bytes: &[u8]) -> Result<Table, Error> {
    let tensors = SafeTensors::deserialize(bytes).map_err(|error| {
        Error::new(file, "a whole safetensors file", error.to_string(), "save the file again")
    })?;
    let mut arrays = Vec::new();
    for (name, tensor) in tensors.iter() {
        let (data, refused) = (tensor.data(), || {
            Error::new(
                file,
                "tensors of floats, integers or booleans",
                format!("{:?}", tensor.dtype()),
                "save them in another type",
            )
            .at(format!("tensor {}", name.escape_debug()))
        });
        let values: Vec<f64> = match tensor.dtype() {
            Dtype::F64 => each(data, f64::from_le_bytes),
            Dtype::F32 => each(data, |bytes| f32::from_le_bytes(bytes).into()),
            // Sixteen bits of a float32.
            Dtype::BF16 => each(data, |[low, high]| f32::from_le_bytes([0, 0, low, high]).into()),
            Dtype::I64 => each(data, |bytes| i64::from_le_bytes(bytes) as f64),
            Dtype::I32 => each(data, |bytes| i32::from_le_bytes(bytes).into()),
            Dtype::I16 => each(data, |bytes| i16::from_le_bytes(bytes).into()),
            Dtype::U8 | Dtype::BOOL => each(data, |[byte]| byte.into()),
            Dtype::I8 => each(data, |bytes| i8::from_le_bytes(bytes).into()),
            _ => return Err(refused()),
        };
        arrays.push(Array {
            name: name.to_owned(),
            shape: tensor.shape().to_vec(),
            values: Values::Numbers(values),
        });
    }
    arrays.sort_by(|one, other| one.name.cmp(&other.name));
    named(file.to_owned(), arrays)
}

fn each<const N: usize>(data: &[u8], value: impl Fn([u8; N]) -> f64) -> Vec<f64> {
    data.as_chunks().0.iter().map(|bytes| value(*bytes)).collect()
}

/// Arrays by their names.
pub(crate) fn named(file: String, arrays: Vec<Array>) -> Result<Table, Error> {
    let mut table = Table { file, ..Table::default() };
    let mut others = Vec::new();
    let names: Vec<String> = arrays.iter().map(|array| array.name.clone()).collect();
    for array in arrays {
        match Meaning::of(&array.name) {
            Meaning::Other | Meaning::ScoreOf(_) => others.push(array.name),
            meaning => put(&mut table, array, meaning)?,
        }
    }
    if table.labels.is_none() && table.predictions.is_none() && table.scores.is_none() {
        return Err(Error::new(
            &table.file,
            KNOWN,
            crate::listed(&names),
            "name the array after what it holds: np.savez(FILE, probabilities=..., labels=...)",
        ));
    }
    if !others.is_empty() {
        table.remarks.push(format!("arrays passed over: {}", crate::listed(&others)));
    }
    table.checked()
}

trait OfClasses {
    fn values_are_classes(&self) -> bool;
}

impl OfClasses for Array {
    /// Whether its elements can be classes: names, or whole numbers.
    fn values_are_classes(&self) -> bool {
        match &self.values {
            Values::Strings(_) => true,
            Values::Numbers(values) => values.iter().all(|value| value.fract() == 0.0),
        }
    }
}

/// Puts an array where its meaning says.
fn put(table: &mut Table, array: Array, meaning: Meaning) -> Result<(), Error> {
    let file = table.file.clone();
    let place = format!("array {}", array.name.escape_debug());
    let shape = format!("an array of shape {:?}", array.shape);
    let twice = || Error::new(&file, "one array of a kind", "another", "keep one of them").at(place.clone());
    match meaning {
        Meaning::Probabilities | Meaning::Logits => {
            let stated_logits = meaning == Meaning::Logits;
            let Values::Numbers(values) = array.values else {
                return Err(Error::new(&file, "numbers", "strings", "save them as floats").at(place));
            };
            let (values, classes) = match array.shape[..] {
                [_, classes] if classes >= 2 => (values, classes),
                [rows] | [rows, 1] if !stated_logits && rows > 0 => {
                    if let Some(row) = values.iter().position(|value| !(0.0..=1.0).contains(value)) {
                        return Err(Error::new(
                            &file,
                            "probabilities of the second of two classes, from 0 to 1",
                            values[row].to_string(),
                            "give the values of every class: an array [images, classes]",
                        )
                        .at(row_in_words(row)));
                    }
                    table.remarks.push(
                        "one value an image is read as the probability of the second of two classes"
                            .to_owned(),
                    );
                    (values.iter().flat_map(|value| [1.0 - value, *value]).collect(), 2)
                }
                _ => {
                    return Err(Error::new(
                        &file,
                        "an array [images, classes]",
                        shape,
                        "save a row of values for every image",
                    )
                    .at(place));
                }
            };
            if let Some(at) = values.iter().position(|value| !value.is_finite()) {
                let problem = Error::new(
                    &file,
                    "a finite number for every class",
                    values[at].to_string(),
                    "the model gives no answer to this image: correct it, or leave the run out",
                );
                return Err(problem.at(row_in_words(at / classes)));
            }
            let values = values.into_iter().map(|value| value as f32).collect();
            let scores = Scores { values, classes, names: None, stated_logits };
            if table.scores.replace(scores).is_some() {
                return Err(twice());
            }
        }
        Meaning::Ids => {
            let ids = match array.values {
                Values::Strings(ids) => ids,
                Values::Numbers(ids) => ids.iter().map(f64::to_string).collect(),
            };
            if table.ids.replace(ids).is_some() {
                return Err(twice());
            }
        }
        Meaning::Labels | Meaning::Predictions | Meaning::ScoreOf(_) | Meaning::Other => {
            let what = if meaning == Meaning::Labels { "label" } else { "prediction" };
            if !matches!(array.shape[..], [_] | [_, 1]) {
                return Err(Error::new(
                    &file,
                    "an array [images] of classes",
                    shape,
                    "give each image one class: labels.argmax(axis=1)",
                )
                .at(place));
            }
            let column = match array.values {
                Values::Strings(names) => Column::of_texts(names, &file, what)?,
                Values::Numbers(numbers) => Column::of_numbers(&numbers, &file, what)?,
            };
            let there = if meaning == Meaning::Labels { &mut table.labels } else { &mut table.predictions };
            if there.replace(column).is_some() {
                return Err(twice());
            }
        }
    }
    Ok(())
}

/// What is wrong with an array's file, whose own message names it.
fn of_container(file: &str, error: &containers::Error) -> Error {
    let told = error.to_string();
    let told = told.strip_prefix(file).unwrap_or(&told).trim_start_matches([':', ',', ' ']).to_owned();
    let told = told.strip_suffix(" found").unwrap_or(&told);
    match told.rsplit_once(" expected, ") {
        Some((expected, found)) => {
            Error::new(file, expected, found, "save the arrays again, as numbers or fixed strings")
        }
        None => Error::new(
            file,
            "an array of numbers or strings",
            told,
            "save the arrays again, as numbers or fixed strings",
        ),
    }
}
