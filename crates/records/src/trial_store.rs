//! Trials on disk: one file each, complete or absent.

use crate::{
    files::FileError,
    sealed::{self, Sealable},
    trial::{TRIAL_SCHEMA, TrialRecord},
};
use std::path::{Path, PathBuf};

/// No trial's file is larger: 10,000 epochs take some megabytes.
const MAXIMUM_TRIAL_BYTES: u64 = 16 << 20;

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
        sealed::write(&self.path(&record.model, record.number), record)
    }

    /// The trial of that search, if there is a sound one; why a file that is there was left aside.
    pub fn read(
        &self,
        search: &str,
        model: &str,
        number: Option<usize>,
    ) -> Result<Option<TrialRecord>, String> {
        sealed::read(&self.path(model, number), |record: &TrialRecord| {
            if (record.search.as_str(), record.model.as_str(), record.number) != (search, model, number) {
                return Err("it belongs to another search".into());
            }
            record.check()
        })
    }
}

impl Sealable for TrialRecord {
    const NAME: &'static str = "trial";
    const LAYOUT: u32 = TRIAL_SCHEMA;
    const MAXIMUM_BYTES: u64 = MAXIMUM_TRIAL_BYTES;
}
