//! What one trial leaves behind: one file, complete or absent.

use crate::{
    record::{Environment, EpochRecord, RunSpec},
    seal::{compare, digest_of, seal, unseal},
    store::{FileError, read_plain_file, write_atomically},
};
use search::Score;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::{
    io,
    path::{Path, PathBuf},
};

/// Version of the layout of a trial's record; one of another version is left aside.
pub const TRIAL_SCHEMA: u32 = 2;

/// No trial's file is larger: 10,000 epochs take some megabytes.
const MAXIMUM_TRIAL_BYTES: u64 = 16 << 20;

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
    /// The epoch whose parameters the model ended with; none where it diverged.
    pub fn last(&self) -> Option<&EpochRecord> {
        if self.outcome == Outcome::Diverged {
            return None;
        }
        self.epochs.get(self.kept_epoch.checked_sub(1)?)
    }

    /// As the search sees it; none where the settings are not a point of its space.
    pub(super) fn trial(&self, point: Option<Vec<search::Value>>) -> Option<search::Trial> {
        let length = self.specification.as_ref().map_or(1, |run| run.recipe.epochs);
        let mut scores: Vec<Score> = self.epochs.iter().map(score).collect();
        if let (Outcome::Finished, Some(kept)) = (&self.outcome, self.last()) {
            // Where the recipe itself ended early, the model would have stayed what it is; where it keeps the best parameters,
            // the last are not the model.
            scores.truncate(length - 1);
            scores.resize(length, score(kept));
        }
        let failed = matches!(self.outcome, Outcome::Diverged | Outcome::Unusable(_));
        Some(search::Trial { point: point?, length: length as u64, scores, failed })
    }
}

/// What the search goes by: validation accuracy, and the loss between equal ones.
pub(super) fn score(epoch: &EpochRecord) -> Score {
    Score { value: epoch.validation_accuracy, penalty: epoch.validation_loss }
}

/// The folder `trials` of a search.
#[derive(Debug, Clone)]
pub struct TrialStore {
    folder: PathBuf,
}

impl TrialStore {
    /// The trials of a search's folder, which need not exist.
    pub fn of(results: &Path) -> Self {
        Self { folder: results.join("trials") }
    }

    /// Where a trial is kept.
    pub fn path(&self, model: &str, number: Option<usize>) -> PathBuf {
        let number = number.map_or_else(|| "as-it-stands".to_owned(), |number| format!("{number:04}"));
        self.folder.join(format!("{model}-{number}.json"))
    }

    /// Keeps a trial.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn write(&self, record: &TrialRecord) -> Result<(), FileError> {
        write_atomically(&self.path(&record.model, record.number), &seal(record, &digest_of(record)))
    }

    /// The trial of that search, if there is a sound one; why a file that is there was left aside.
    pub fn read(
        &self,
        search: &str,
        model: &str,
        number: Option<usize>,
    ) -> Result<Option<TrialRecord>, String> {
        let path = self.path(model, number);
        let told = |problem: String| format!("{}: {problem}", path.display());
        let bytes = match read_plain_file(&path, MAXIMUM_TRIAL_BYTES) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            bytes => bytes.map_err(|error| told(error.to_string()))?,
        };
        let record = parse(&bytes).map_err(told)?;
        let expected = (search, model, number);
        if (record.search.as_str(), record.model.as_str(), record.number) != expected {
            return Err(told("it belongs to another search".into()));
        }
        Ok(Some(record))
    }
}

/// A trial, if it is whole, of this layout and unchanged.
fn parse(bytes: &[u8]) -> Result<TrialRecord, String> {
    let unsealed = unseal::<TrialRecord>(bytes, "trial", TRIAL_SCHEMA)?;
    compare(&unsealed.digest, &digest_of(&unsealed.content))?;
    unsealed.content.check()?;
    Ok(unsealed.content)
}
