//! Studies as files.
//!
//! A study file says which models are trained on which data and how. `docs/study-files.md` is its reference; the built-in
//! models are such a file themselves, `models.toml` beside this one.

mod model;
mod reader;
mod tree;

pub use model::{ModelSpec, ModelTemplate, Setting};
pub use tree::{Content, Node};

use crate::{near::near, record::Protocol};
use reader::Reader;
use std::{fs, io, path::Path, sync::LazyLock};

/// Largest study file that is read.
const MAXIMUM_FILE_BYTES: u64 = 1 << 20;

/// Most models of a study, every combination of a grid counted.
const MAXIMUM_MODELS: usize = 1000;

/// Most runs of each model.
pub const MAXIMUM_RUNS: u64 = 1000;

/// A file that is no study.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{file}{}: {problem}", line_of(*line))]
pub struct StudyFileError {
    /// The file as it was named.
    pub file: String,
    /// Counted from 1; 0 where the whole file is meant.
    pub line: usize,
    /// What was expected and what was found.
    pub problem: String,
    /// What to do.
    pub hint: String,
}

fn line_of(line: usize) -> String {
    if line == 0 { String::new() } else { format!(", line {line}") }
}

/// What must be reached, by models that are small enough and learn fast enough.
#[derive(Debug, Clone, Copy, PartialEq, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Target {
    /// Test accuracy that a run must reach, a fraction.
    pub accuracy: f64,
    /// Most weights and biases.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_parameters: Option<usize>,
    /// Most multiply-adds of an image forward.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_multiply_adds: Option<u64>,
    /// Most passes over the training images.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_epochs: Option<usize>,
    /// Most seconds of training.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_train_seconds: Option<f64>,
}

impl Target {
    /// The target, if its every value is usable.
    ///
    /// # Errors
    /// Names the value that is not.
    pub fn check(self) -> Result<Self, String> {
        let fraction = |value: f64| value > 0.0 && value <= 1.0;
        if !fraction(self.accuracy) {
            return Err(format!(
                "accuracy: a fraction above 0 and at most 1 expected, {} found",
                self.accuracy
            ));
        }
        if self.max_train_seconds.is_some_and(|seconds| seconds.is_nan() || seconds <= 0.0) {
            return Err("max_train_seconds: a number above 0 expected".into());
        }
        Ok(self)
    }
}

/// A study as its file asks for it.
#[derive(Debug, Clone, PartialEq)]
pub struct StudyFile {
    /// What it asks, in the author's words.
    pub title: Option<String>,
    /// The models in the order of the report, every combination of the grids apart.
    pub models: Vec<ModelSpec>,
    /// What the models of this file are made from, for a search over their settings.
    pub templates: Vec<ModelTemplate>,
    /// What the file's own recipe changes in every model.
    pub recipe: Vec<Setting>,
    /// Names or folders of data sets.
    pub datasets: Vec<String>,
    /// How the data is divided.
    pub protocol: Protocol,
    /// Runs of each model.
    pub runs: u64,
    /// The first run's seed.
    pub first_seed: u64,
    /// Whether the test images are also read after every epoch, for an audit.
    pub audit_selection: bool,
    /// What must be reached.
    pub target: Option<Target>,
    /// What a search may change, by setting.
    pub search: Vec<(String, Node)>,
}

impl StudyFile {
    /// Reads a study file.
    ///
    /// # Errors
    /// Names the file, the line, and what is wrong there.
    pub fn read(path: &Path) -> Result<Self, StudyFileError> {
        let file = path.display().to_string();
        let read = || {
            let bytes = fs::metadata(path)?.len();
            if bytes > MAXIMUM_FILE_BYTES {
                let problem = format!("{MAXIMUM_FILE_BYTES} bytes at most expected, {bytes} found");
                return Err(io::Error::other(problem));
            }
            fs::read_to_string(path)
        };
        let text = read().map_err(|error| StudyFileError {
            file: file.clone(),
            line: 0,
            problem: error.to_string(),
            hint: "pass a study file; those in studies/ are there to be copied".into(),
        })?;
        Self::parse(&text, &file)
    }

    /// Reads the text of a study file of that name.
    ///
    /// # Errors
    /// As [`Self::read`].
    pub fn parse(text: &str, file: &str) -> Result<Self, StudyFileError> {
        Reader::new(file).study(text, &built_in_templates())
    }
}

/// The text of the built-in models.
const BUILT_IN: &str = include_str!("models.toml");

/// What the built-in models are made from, in the order of their list.
pub fn built_in_templates() -> Vec<ModelTemplate> {
    static TEMPLATES: LazyLock<Vec<ModelTemplate>> = LazyLock::new(|| {
        let read = Reader::new("models.toml").models(BUILT_IN);
        let mut templates = read.unwrap_or_else(|error| panic!("{error}: {}", error.hint));
        // What does not fit is no fault of a file that the user could change.
        templates.iter_mut().for_each(|template| template.file.clear());
        templates
    });
    TEMPLATES.clone()
}

/// Every built-in model.
pub fn built_in_models() -> Vec<ModelSpec> {
    let made = |template: &ModelTemplate| template.make(&[]).unwrap_or_else(|error| panic!("{error}"));
    built_in_templates().iter().map(made).collect()
}

/// The built-in model of that name.
///
/// # Errors
/// When there is none: which was probably meant.
pub fn built_in_model(name: &str) -> Result<ModelSpec, UnknownModel> {
    let models = built_in_models();
    let names = models.iter().map(|model| model.architecture.name.as_str());
    let hint = match near(name, names.clone()) {
        Some(near) => format!("did you mean `{near}`? `mnist-study models` lists what there is"),
        None => format!(
            "choose from {}; `mnist-study models` says what they are",
            names.collect::<Vec<_>>().join(", ")
        ),
    };
    models
        .into_iter()
        .find(|model| model.architecture.name == name)
        .ok_or_else(|| UnknownModel { name: name.to_owned(), hint })
}

/// A name that no model has.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("model {name}: no such model")]
pub struct UnknownModel {
    /// What was asked for.
    pub name: String,
    /// What to do.
    pub hint: String,
}
