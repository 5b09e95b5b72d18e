//! Studies as files.
//!
//! A study file says which models are trained on which data and how. `docs/reference/study-files.md` is its reference; the built-in
//! models are such a file themselves, `models.toml` beside this one.

#[cfg(feature = "store")]
mod file;
mod grid;
mod hints;
mod limits;
mod model;
mod reader;
mod recipe_fields;
mod tree;
mod values;

pub use limits::MAXIMUM_RUNS;
pub use model::{ModelSpec, ModelTemplate, Setting};
pub use tree::{Content, Node};

use crate::{plan::CrossValidation, suggest::near};
use model::LayerTemplate;
use reader::Reader;
use records::target::Target;
use records::{
    question::Measure,
    record::{Protocol, Resample},
};
use std::sync::LazyLock;

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

impl StudyFileError {
    /// A message that repeats no more of the file than can be read at a glance.
    fn new(file: &str, line: usize, problem: String, hint: String) -> Self {
        Self { file: file.to_owned(), line, problem: shortened(problem), hint: shortened(hint) }
    }
}

/// The text, or its beginning where it is too long to be told.
fn shortened(mut text: String) -> String {
    if let Some((end, _)) = text.char_indices().nth(limits::MESSAGE) {
        text.truncate(end);
        text.push('…');
    }
    text
}

fn line_of(line: usize) -> String {
    if line == 0 { String::new() } else { format!(", line {line}") }
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
    /// What of the data each run draws for itself.
    pub resample: Resample,
    /// How the images are dealt out to folds, in the place of `runs`.
    pub cross_validation: Option<CrossValidation>,
    /// What must be reached.
    pub target: Option<Target>,
    /// What decides which of two models is better.
    pub decide_by: Measure,
    /// Half the region of practical equivalence, in percentage points (of log-loss nats), where the file sets it.
    pub equivalence_margin_points: Option<f64>,
    /// What a search may change, by setting.
    pub search: Vec<(String, Node)>,
    /// The settings that grids vary.
    pub varied: Vec<String>,
    /// The keys that the file has at its top.
    pub given: Vec<String>,
}

impl StudyFile {
    /// Reads the text of a study file of that name.
    ///
    /// # Errors
    /// Names the file, the line, and what is wrong there.
    pub fn parse(text: &str, file: &str) -> Result<Self, StudyFileError> {
        if text.len() as u64 > limits::FILE_BYTES {
            let problem = format!("{} bytes at most expected, {} found", limits::FILE_BYTES, text.len());
            return Err(StudyFileError::new(file, 0, problem, String::new()));
        }
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
        // What does not fit is told of the file that names it, if any does.
        for template in &mut templates {
            template.file.clear();
            template.line = 0;
            template.layers = template.layers.iter().map(LayerTemplate::without_lines).collect();
        }
        templates
    });
    TEMPLATES.clone()
}

/// Every built-in model.
pub fn built_in_models() -> Vec<ModelSpec> {
    let made = |template: &ModelTemplate| template.make(&[]).unwrap_or_else(|error| panic!("{error}"));
    built_in_templates().iter().map(made).collect()
}

/// A built-in model as a study file has it, to be copied and changed; without the accuracy that was measured of it as it stands.
pub fn built_in_text(name: &str) -> Option<String> {
    let heading = format!("[model.{name}]");
    let mut lines = BUILT_IN.lines().skip_while(|line| *line != heading);
    let first = lines.next()?;
    let section = lines.take_while(|line| !line.starts_with('['));
    let kept = std::iter::once(first).chain(section).filter(|line| !line.starts_with("expected_accuracy"));
    let text: String = kept.flat_map(|line| [line, "\n"]).collect();
    Some(format!("{}\n", text.trim_end()))
}

/// The built-in model of that name.
///
/// # Errors
/// When there is none: which was probably meant.
pub fn built_in_model(name: &str) -> Result<ModelSpec, UnknownModel> {
    let models = built_in_models();
    let names = models.iter().map(|model| model.architecture.name.as_str());
    let near = near(name, names).map(str::to_owned);
    models
        .into_iter()
        .find(|model| model.architecture.name == name)
        .ok_or_else(|| UnknownModel { name: name.to_owned(), near })
}

/// A name that no model has.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("model {name}: no such model")]
pub struct UnknownModel {
    /// What was asked for.
    pub name: String,
    /// The built-in model whose name is spelt most alike, if one is near.
    pub near: Option<String>,
}
