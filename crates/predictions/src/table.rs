//! What a file of answers says, before it is held against others.

use crate::{
    arrays::named,
    error::{Error, quoted},
};
use containers::arrays::Array;

/// The answers of one run, a row an image, as one file says them.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Table {
    /// The file, as it was named.
    pub file: String,
    /// What the images are called.
    pub ids: Option<Vec<String>>,
    /// The true classes.
    pub labels: Option<Column>,
    /// The classes given.
    pub predictions: Option<Column>,
    /// A value of every class.
    pub scores: Option<Scores>,
    /// What was guessed or passed over.
    pub remarks: Vec<String>,
}

/// Classes, a value a row.
#[derive(Debug, Clone, PartialEq)]
pub enum Column {
    /// By their numbers.
    Numbers(Vec<u32>),
    /// By their names.
    Names(Vec<String>),
}

/// A value of every class.
#[derive(Debug, Clone, PartialEq)]
pub struct Scores {
    /// `[image, class]`.
    pub values: Vec<f32>,
    /// Number of classes.
    pub classes: usize,
    /// What the classes are called; none where that is their place.
    pub names: Option<Vec<String>>,
    /// Whether the file says that they are logits.
    pub stated_logits: bool,
}

impl Table {
    /// Of arrays by their names, such as those of an npz file: `predictions`, `probabilities` or `logits`, `labels`, `ids`. `file` is what
    /// errors call them.
    ///
    /// # Errors
    /// When an array is not of the shape or type that its name asks for, or a value cannot be.
    pub fn of_arrays(file: String, arrays: Vec<Array>) -> Result<Self, Error> {
        named(file, arrays)
    }
}

impl Column {
    pub(crate) fn len(&self) -> usize {
        match self {
            Self::Numbers(values) => values.len(),
            Self::Names(values) => values.len(),
        }
    }

    /// Of numbers, each of which must be whole, not negative and small.
    pub(crate) fn of_numbers(values: &[f64], file: &str, what: &str) -> Result<Self, Error> {
        let class = |(row, value): (usize, &f64)| {
            let fits = value.fract() == 0.0 && (0.0..=f64::from(u32::MAX)).contains(value);
            if fits { Ok(*value as u32) } else { Err(not_a_class(file, what, row, &value.to_string())) }
        };
        Ok(Self::Numbers(values.iter().enumerate().map(class).collect::<Result<_, _>>()?))
    }

    /// Of texts: numbers where all are whole numbers as they are usually written, else names.
    pub(crate) fn of_texts(values: Vec<String>, file: &str, what: &str) -> Result<Self, Error> {
        if let Some(row) = values.iter().position(String::is_empty) {
            return Err(not_a_class(file, what, row, "nothing"));
        }
        let number = |text: &String| {
            // pandas writes a column of whole numbers with a gap as 7.0.
            let text = text.strip_suffix(".0").unwrap_or(text);
            let usual = text.len() == 1 || !text.starts_with('0');
            if usual && text.bytes().all(|byte| byte.is_ascii_digit()) { text.parse().ok() } else { None }
        };
        Ok(match values.iter().map(number).collect::<Option<Vec<u32>>>() {
            Some(numbers) => Self::Numbers(numbers),
            None => Self::Names(values),
        })
    }
}

fn not_a_class(file: &str, what: &str, row: usize, found: &str) -> Error {
    Error::new(
        file,
        format!("a class as a whole number from 0 on or a name as a {what}"),
        if found == "nothing" { found.to_owned() } else { quoted(found) },
        format!("give each image its {what}"),
    )
    .at(row_in_words(row))
}

/// A row as messages name it.
pub(crate) fn row_in_words(row: usize) -> String {
    format!("row {} (the first is 1)", row + 1)
}

/// What a column or an array of this name holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Meaning {
    Ids,
    Labels,
    Predictions,
    Probabilities,
    Logits,
    /// One class's probability, and what the class is called.
    ScoreOf(String),
    Other,
}

impl Meaning {
    pub(crate) fn of(name: &str) -> Self {
        let lower = name.trim().to_lowercase();
        match lower.as_str() {
            "id" | "ids" | "image" | "image_id" | "image_ids" | "index" | "file" | "filename" | "path" => {
                Self::Ids
            }
            "label" | "labels" | "target" | "targets" | "y_true" | "true" | "truth" | "y" | "class" => {
                Self::Labels
            }
            "prediction" | "predictions" | "predicted" | "pred" | "preds" | "y_pred" | "answer"
            | "answers" => Self::Predictions,
            "probabilities" | "probability" | "probs" | "proba" | "y_proba" | "y_prob" | "scores"
            | "softmax" => Self::Probabilities,
            "logits" | "logit" | "outputs" | "output" => Self::Logits,
            _ => {
                let of_class = ["p_", "prob_", "probability_", "proba_", "score_", "logit_"]
                    .iter()
                    .find_map(|prefix| lower.starts_with(prefix).then(|| &name.trim()[prefix.len()..]));
                match of_class {
                    Some(class) if !class.is_empty() => Self::ScoreOf(class.to_owned()),
                    _ => Self::Other,
                }
            }
        }
    }
}

impl Table {
    /// Number of images.
    pub(crate) fn rows(&self) -> usize {
        let scores = self.scores.as_ref().map(|scores| scores.values.len() / scores.classes.max(1));
        scores
            .or_else(|| self.predictions.as_ref().map(Column::len))
            .or_else(|| self.labels.as_ref().map(Column::len))
            .or_else(|| self.ids.as_ref().map(Vec::len))
            .unwrap_or(0)
    }

    /// Refuses columns of different lengths, and a table of nothing.
    pub(crate) fn checked(self) -> Result<Self, Error> {
        let rows = self.rows();
        if rows == 0 {
            return Err(Error::new(
                &self.file,
                "answers to one image or more",
                "none",
                "give a class, or a probability of each class, for every image",
            ));
        }
        let lengths = [
            ("ids", self.ids.as_ref().map(Vec::len)),
            ("labels", self.labels.as_ref().map(Column::len)),
            ("predictions", self.predictions.as_ref().map(Column::len)),
        ];
        for (what, length) in lengths {
            if let Some(length) = length.filter(|length| *length != rows) {
                return Err(Error::new(
                    &self.file,
                    format!("as many {what} as rows of answers, {rows}"),
                    length.to_string(),
                    format!("give {what} for every image, or leave them out"),
                ));
            }
        }
        Ok(self)
    }
}
