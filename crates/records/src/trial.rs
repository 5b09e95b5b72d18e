//! What one trial of a search leaves behind.

use crate::record::{Environment, EpochRecord, RunSpec};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// Version of the layout of a trial's record; one of another version is left aside.
pub const TRIAL_SCHEMA: u32 = 2;

/// One trial: a model trained once with some of its settings changed, and validated after every epoch.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TrialRecord {
    /// Layout version, [`TRIAL_SCHEMA`].
    pub schema: u32,
    /// Identity of the search that it belongs to.
    pub search: String,
    /// The model's name.
    pub model: String,
    /// Counted from 0 for each model; none for the model as it stands, nothing changed.
    pub number: Option<usize>,
    /// The settings that are changed.
    pub settings: Map<String, Value>,
    /// How it ended.
    pub outcome: Outcome,
    /// What was trained; none where the settings make no model for this data.
    pub specification: Option<RunSpec>,
    /// Number of trainable parameters.
    pub parameters: usize,
    /// One entry per epoch that was finished, in order.
    pub epochs: Vec<EpochRecord>,
    /// After which epoch the model had the parameters that it ended with, counted from 1: the last, unless the recipe keeps
    /// those that validate best.
    pub kept_epoch: usize,
    /// Seconds spent drawing batches and updating weights, all epochs.
    pub train_seconds: f64,
    /// Seconds from the choice of its settings to its end.
    pub total_seconds: f64,
    /// Where it ran.
    pub environment: Environment,
    /// Everything that a reader of the figures must know.
    pub warnings: Vec<String>,
    /// As in [`crate::record::RunRecord::data_notes`].
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub data_notes: Vec<String>,
}

/// How a trial ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Outcome {
    /// It had all its epochs.
    Finished,
    /// Halving stopped it: others were better after as many epochs.
    Stopped,
    /// A loss was no longer a number.
    Diverged,
    /// The settings make no model for this data: why.
    Unusable(String),
}

impl TrialRecord {
    /// Whether another record of the trial says the same but for what differs each time it is made: times, machine, and remarks.
    pub fn has_result_of(&self, other: &Self) -> bool {
        let mut other = Self {
            train_seconds: self.train_seconds,
            total_seconds: self.total_seconds,
            environment: self.environment.clone(),
            warnings: self.warnings.clone(),
            data_notes: self.data_notes.clone(),
            ..other.clone()
        };
        for (epoch, own) in other.epochs.iter_mut().zip(&self.epochs) {
            epoch.train_seconds = own.train_seconds;
        }
        *self == other
    }

    /// The epoch whose parameters the model ended with; none where it diverged.
    pub fn last(&self) -> Option<&EpochRecord> {
        if self.outcome == Outcome::Diverged {
            return None;
        }
        self.epochs.get(self.kept_epoch.checked_sub(1)?)
    }
}
