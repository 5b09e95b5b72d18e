//! Searching a model's settings by what its validation images say.
//!
//! A [`Question`] says which models, what is varied of each and how; [`tune`] makes the trials whose records are missing, one
//! after the other, and keeps one record each; a [`Tuning`] is what they say. A trial is a training on the training images
//! that is judged on the validation images: the test images are in no part of it. What is tried next depends on the
//! question and on the trials before alone, so a search that was stopped goes on as if it had not been.

mod execute;
mod outcome;
mod seen;
mod space;

pub use execute::{Budget, TuneError, Tuned, tune};
pub use outcome::{ModelOutcome, Tuning};
pub use space::SettingSpace;

use crate::{
    environment::VERSION,
    study_file::{ModelSpec, ModelTemplate, Setting, StudyFileError},
};
use records::{
    identity::short_hash,
    question::Measure,
    record::{DatasetIdentity, Protocol},
    store::{FileError, write_atomically},
};
use search::{Halving, Sampler};
use serde_json::{Map, Value, json};
use std::{fs, io, path::Path};

/// The file that says what a folder's search is about.
const SEARCH: &str = "search.json";

/// What a search writes to its folder beside that and its trials: without it, they are not this program's.
const OUTPUTS: [&str; 5] = ["best.toml", "tuning.json", "tuning.md", "tuning.html", "Search.png"];

/// A model to tune.
#[derive(Debug, Clone, PartialEq)]
pub struct Candidate {
    /// What its models are made from.
    pub template: ModelTemplate,
    /// Settings that all of its trials share, before those that are varied.
    pub shared: Vec<Setting>,
    /// What is varied.
    pub space: SettingSpace,
}

impl Candidate {
    /// The model with settings changed.
    ///
    /// # Errors
    /// When they make no model.
    pub fn make(&self, settings: &Map<String, Value>) -> Result<ModelSpec, StudyFileError> {
        let varied = settings.iter().map(|(name, value)| Setting {
            name: name.clone(),
            value: value.clone(),
            line: 0,
        });
        self.template.make(&self.shared.iter().cloned().chain(varied).collect::<Vec<_>>())
    }
}

/// What is searched, and how.
#[derive(Debug, Clone, PartialEq)]
pub struct Question {
    /// The models, each with the same budget.
    pub candidates: Vec<Candidate>,
    /// The data.
    pub dataset: DatasetIdentity,
    /// Which of the training images validate; the test images never do.
    pub protocol: Protocol,
    /// The measure of the validation images by which trials are compared.
    pub decide_by: Measure,
    /// How the next settings are chosen.
    pub sampler: Sampler,
    /// Whether trials that fall behind are stopped.
    pub halving: Option<Halving>,
    /// The seed of the search and of every training in it: trials differ by their settings alone.
    pub seed: u64,
    /// Instruction set of the kernels, [`records::record::Environment::kernels`]: other instructions round otherwise, and what is
    /// tried next would be another.
    pub kernels: String,
}

impl Question {
    /// The sampler's name, as on the command line.
    pub fn sampler_name(&self) -> &'static str {
        match self.sampler {
            Sampler::Random => "random",
            Sampler::Tpe => "tpe",
        }
    }

    /// All that a trial depends on beside the trials before it.
    fn description(&self) -> Result<Value, StudyFileError> {
        let model = |candidate: &Candidate| {
            let model = candidate.make(&Map::new())?;
            let space: Vec<Value> =
                candidate.space.spelled().into_iter().map(|(name, domain)| json!([name, domain])).collect();
            Ok(json!({
                "name": model.architecture.name,
                "layers": model.architecture.layers,
                "recipe": model.recipe,
                "search": space,
            }))
        };
        // Two folders of the same data are the same data: their name does not count.
        let mut description = json!({
            "version": VERSION,
            "data": self.dataset.sha256,
            "protocol": self.protocol.name(),
            "sampler": self.sampler_name(),
            "halving": self.halving.map(|halving| json!({ "first": halving.first, "factor": halving.factor })),
            "seed": self.seed,
            "engine revision": train::ENGINE_REVISION,
            "kernels": self.kernels,
            "models": self.candidates.iter().map(model).collect::<Result<Vec<_>, _>>()?,
        });
        // Searches by accuracy stay what they were.
        if !self.decide_by.is_default() {
            description["measure"] = self.decide_by.name().into();
        }
        Ok(description)
    }

    /// The identity of the search: the first 16 hexadecimal digits of the SHA-256 of all that it depends on.
    ///
    /// # Errors
    /// When a candidate makes no model.
    pub fn identity(&self) -> Result<String, StudyFileError> {
        let text = self.description()?.to_string();
        Ok(short_hash(&text))
    }

    /// Says in the folder what its search is about, or finds it said.
    ///
    /// # Errors
    /// When the folder holds another search or files that no search left there, or the file cannot be read or written.
    pub fn claim(&self, results: &Path, fresh: bool) -> Result<(), TuneError> {
        let path = results.join(SEARCH);
        let description = self.description()?;
        let there: Option<Value> = match fs::read(&path) {
            Ok(bytes) => serde_json::from_slice(&bytes).ok(),
            Err(problem) if problem.kind() == io::ErrorKind::NotFound => None,
            Err(problem) => return Err(FileError { path, problem }.into()),
        };
        if there.is_none() {
            let is_there = |name: &&str| results.join(name).symlink_metadata().is_ok();
            let foreign = [SEARCH].into_iter().chain(OUTPUTS).find(is_there);
            if let Some(name) = foreign.filter(|_| !fresh) {
                return Err(TuneError::Foreign { folder: results.to_owned(), name });
            }
        }
        if let Some(there) = there.filter(|there| *there != description && !fresh) {
            return Err(TuneError::OtherSearch { path, difference: difference(&there, &description) });
        }
        let bytes = format!("{description:#}\n");
        Ok(write_atomically(&path, bytes.as_bytes())?)
    }
}

/// The first field in which two searches differ, in words.
fn difference(there: &Value, asked: &Value) -> String {
    let fields = [asked, there].into_iter().flat_map(|search| search.as_object().into_iter().flatten());
    let differing = fields.filter(|(name, _)| there.get(name.as_str()) != asked.get(name.as_str()));
    let name = |field: &str| {
        if field == "models" { "models or what is searched".to_owned() } else { field.to_owned() }
    };
    match differing.map(|(field, _)| name(field)).next() {
        Some(field) => format!("it differs in its {field} from what is asked for"),
        None => "it was written by another version of the program".to_owned(),
    }
}
