//! Trials on disk: one file each, complete or absent.

use crate::{
    files::FileError,
    sealed::Sealable,
    sealed_files as sealed,
    trial::{TRIAL_SCHEMA, TrialRecord},
};
use std::{
    fs::{self, File},
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
        self.folder.join(format!("{}.json", name(model, number)))
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

    /// The trial of that search in a file of [`TrialStore::files`], by its name; why it is none.
    pub(crate) fn read_file(&self, search: &str, file: &str) -> Result<Option<TrialRecord>, String> {
        sealed::read(&self.folder.join(file), |record: &TrialRecord| {
            let named = self.path(&record.model, record.number);
            if record.search != search || named.file_name().is_none_or(|name| name != file) {
                return Err("it belongs to another search".into());
            }
            record.check()
        })
    }

    /// The folder of the trials.
    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }

    /// The names of all files that are named as trials, sorted.
    ///
    /// # Errors
    /// When the folder is there and cannot be read.
    pub(crate) fn files(&self) -> Result<Vec<String>, FileError> {
        let error = |problem| FileError { path: self.folder.clone(), problem };
        let entries = match fs::read_dir(&self.folder) {
            Err(problem) if problem.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            entries => entries.map_err(error)?,
        };
        let mut files = Vec::new();
        for entry in entries {
            let name = entry.map_err(error)?.file_name();
            files.extend(name.to_str().filter(|name| name.ends_with(".json")).map(str::to_owned));
        }
        files.sort();
        Ok(files)
    }

    /// Asks the file system anew which trials there are: what another machine renamed may be hidden by what was looked up before, and
    /// opening the folder makes a network file system compare.
    pub fn look_again(&self) {
        let _ = File::open(&self.folder);
    }
}

/// What a trial is called in a folder.
pub(crate) fn name(model: &str, number: Option<usize>) -> String {
    let number = number.map_or_else(|| "as-it-stands".to_owned(), |number| format!("{number:04}"));
    format!("{model}-{number}")
}

impl Sealable for TrialRecord {
    const NAME: &'static str = "trial";
    const LAYOUT: u32 = TRIAL_SCHEMA;
    const MAXIMUM_BYTES: u64 = MAXIMUM_TRIAL_BYTES;
}
