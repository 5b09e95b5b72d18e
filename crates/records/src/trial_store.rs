//! Trials on disk: one file each, complete or absent.

use crate::{
    seal::{compare, digest_of, seal, unseal},
    store::{FileError, read_plain_file, write_atomically},
    trial::{TRIAL_SCHEMA, TrialRecord},
};
use std::{
    io,
    path::{Path, PathBuf},
};

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
