//! Searching a model's settings by what its validation images say.
//!
//! A [`Question`] says which models, what is varied of each and how; `tune` makes the trials whose records are missing, and keeps one
//! record each; a [`Tuning`] is what they say. A trial is a training on the training images that is judged on the validation images: the
//! test images are in no part of it. What is tried next depends on the question and on the trials of the rounds before alone, so a search
//! that was stopped goes on as if it had not been, and the trials of a round and those of different models can be made by several
//! processes: each comes to the same search.

#[cfg(feature = "store")]
mod declare;
#[cfg(feature = "store")]
mod execute;
mod outcome;
mod seen;
mod space;
#[cfg(feature = "store")]
mod strand;

#[cfg(feature = "store")]
pub use execute::{Budget, TuneError, Tuned, tune};
pub use outcome::{ModelOutcome, Tuning};
pub use space::SettingSpace;

use crate::study_file::{ModelSpec, ModelTemplate, Setting, StudyFileError};
use records::{
    question::Measure,
    record::{DatasetIdentity, Protocol},
};
use search::{Halving, Sampler};
use serde_json::{Map, Value};

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
}
