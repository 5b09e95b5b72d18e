//! Searching a model's settings by what its validation images say.
//!
//! A [`Question`] says which models, what is varied of each and how; [`tune`] makes the trials whose records are missing, and keeps one
//! record each; a [`Tuning`] is what they say. A trial is a training on the training images that is judged on the validation images: the
//! test images are in no part of it. What is tried next depends on the question and on the trials of the rounds before alone, so a search
//! that was stopped goes on as if it had not been, and the trials of a round and those of different models can be made by several
//! processes: each comes to the same search.

mod execute;
mod outcome;
mod seen;
mod space;
mod strand;

pub use execute::{Budget, TuneError, Tuned, tune};
pub use outcome::{ModelOutcome, Tuning};
pub use space::SettingSpace;

use crate::{
    environment::VERSION,
    place::place,
    study_file::{ModelSpec, ModelTemplate, Setting, StudyFileError},
};
use records::{
    files::write_atomically,
    question::Measure,
    record::{DatasetIdentity, Protocol},
    search_folder::{SEARCH, Search, SearchFolder},
};
use search::{Halving, Sampler};
use serde_json::{Map, Value, json};
use std::path::Path;

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
    /// How many trials of a model make a round, at least 1. What is tried in a round and which trials are stopped there depends on the
    /// trials of the rounds before alone, so that those of a round can be made at the same time.
    pub round: usize,
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
        // Searches of rounds of one trial stay what they were.
        if let Some(round) = self.rounds() {
            description["round"] = round.into();
        }
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
        Ok(self.search()?.identity)
    }

    fn search(&self) -> Result<Search, StudyFileError> {
        Ok(Search::of(self.description()?))
    }

    /// How many trials are chosen by the same trials before them: those of a round. Where no trial depends on the results of others, that is
    /// all of them.
    pub fn trials_of_a_round(&self) -> usize {
        match (self.sampler, self.halving) {
            (Sampler::Random, None) => usize::MAX,
            _ => self.round.max(1),
        }
    }

    /// How many trials make a round, where that is of consequence: several, on whose results later ones depend.
    pub fn rounds(&self) -> Option<usize> {
        Some(self.trials_of_a_round()).filter(|round| !matches!(*round, 1 | usize::MAX))
    }

    /// Says in the folder what its search is about, or finds it said.
    ///
    /// # Errors
    /// When the folder holds another search or files that no search left there, when others work there on what is to be made afresh, or
    /// when the file cannot be read or written.
    pub fn declare(&self, results: &Path, fresh: bool) -> Result<(), TuneError> {
        let path = results.join(SEARCH);
        let search = self.search()?;
        let there = Search::read(results)?;
        if fresh && SearchFolder::of(results, &place()).is_at_work() {
            return Err(TuneError::InUse { folder: results.to_owned() });
        }
        if there.is_none() {
            let is_there = |name: &&str| results.join(name).symlink_metadata().is_ok();
            let foreign = [SEARCH].into_iter().chain(OUTPUTS).find(is_there);
            if let Some(name) = foreign.filter(|_| !fresh) {
                return Err(TuneError::Foreign { folder: results.to_owned(), name });
            }
        }
        match there {
            // Others may read it just now.
            Some(there) if there == search => Ok(()),
            Some(there) if !fresh => {
                let difference = format!("{} from what is asked for", search.difference(&there));
                Err(TuneError::OtherSearch { path, difference })
            }
            _ => Ok(write_atomically(&path, search.text().as_bytes())?),
        }
    }
}
