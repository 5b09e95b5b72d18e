//! Records on disk: one file a run, complete or absent.

use crate::{
    encoding,
    identity::hash_with_answers,
    identity::run_id,
    imported::{IMPORTED_SCHEMA, ImportedRun},
    record::{FailedRun, RECORD_SCHEMA, RunRecord},
    sealed::{self, Sealable, compare},
};
use base16ct::lower::encode_string as hexadecimal;
use serde::Deserialize;
use sha2::{Digest, Sha256};
use std::{
    fs, io,
    path::{Path, PathBuf},
};

pub use crate::files::{FileError, check_writable, read_at_most, read_plain_file, write_atomically};

/// The folders `records`, `failed` and `imported` of a results folder.
#[derive(Debug, Clone)]
pub struct Store {
    folder: PathBuf,
    failed: PathBuf,
    imported: PathBuf,
}

/// The folder of the records within a results folder.
pub const RECORDS: &str = "records";

/// No record is larger: the probabilities of 100,000 images of 256 classes are 64 MiB before they are deflated.
const MAXIMUM_RECORD_BYTES: u64 = 96 << 20;

/// No failed run's file is larger: its longest part are its layers.
const MAXIMUM_FAILED_BYTES: u64 = 16 << 20;

impl Store {
    /// The records of a results folder, which need not exist.
    pub fn of(results: &Path) -> Self {
        Self {
            folder: results.join(RECORDS),
            failed: results.join("failed"),
            imported: results.join("imported"),
        }
    }

    /// Creates the folder, and shows that it can be written to before any run is made for it.
    ///
    /// # Errors
    /// When it cannot.
    pub fn prepare(&self) -> Result<(), FileError> {
        check_writable(&self.folder.join("record"))
    }

    /// Where the record of that identity is kept.
    pub fn path(&self, id: &str) -> PathBuf {
        self.folder.join(format!("{id}.json"))
    }

    /// Keeps a record. One of the same run that has the same bits is replaced; one that has others never is.
    ///
    /// # Errors
    /// When the file cannot be written, or holds another result of the same run.
    pub fn write(&self, record: &RunRecord) -> Result<(), FileError> {
        if let Ok(Some(there)) = self.read(&record.id)
            && let Some(difference) = difference(&there, record)
        {
            let problem = io::Error::new(io::ErrorKind::AlreadyExists, difference);
            return Err(FileError { path: self.path(&record.id), problem });
        }
        self.replace(record)
    }

    /// Keeps a record, whatever the file holds.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn replace(&self, record: &RunRecord) -> Result<(), FileError> {
        sealed::write(&self.path(&record.id), record)
    }

    /// Moves a file that is not a sound record to another name; where it is then.
    ///
    /// # Errors
    /// When it cannot be renamed.
    pub fn set_aside(&self, id: &str) -> Result<PathBuf, FileError> {
        let (path, aside) = (self.path(id), self.folder.join(format!("{id}.set-aside")));
        fs::rename(&path, &aside).map_err(|problem| FileError { path, problem })?;
        Ok(aside)
    }

    /// Keeps that a run failed.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn write_failed(&self, run: &FailedRun) -> Result<(), FileError> {
        sealed::write(&self.failed_path(&run.id), run)
    }

    fn failed_path(&self, id: &str) -> PathBuf {
        self.failed.join(format!("{id}.json"))
    }

    /// That the run of that identity failed, if it did; why a file that says so is not believed.
    pub fn read_failed(&self, id: &str) -> Result<Option<FailedRun>, String> {
        sealed::read(&self.failed_path(id), |run: &FailedRun| {
            check_identity(id, &run.id, &run_id(&run.specification, &run.environment))?;
            run.check()
        })
    }

    /// Keeps what another program's run answered.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn write_imported(&self, run: &ImportedRun) -> Result<(), FileError> {
        sealed::write(&self.imported_path(&run.id), run)
    }

    fn imported_path(&self, id: &str) -> PathBuf {
        self.imported.join(format!("{id}.json"))
    }

    /// The imported run of that identity, if there is one; why a file that says so is not believed.
    pub fn read_imported(&self, id: &str) -> Result<Option<ImportedRun>, String> {
        sealed::read(&self.imported_path(id), |run: &ImportedRun| {
            check_identity(id, &run.id, &run.identity())?;
            run.check()
        })
    }

    /// The identities of all files that are named as records, sorted.
    ///
    /// # Errors
    /// When the folder is there and cannot be read.
    pub fn identities(&self) -> Result<Vec<String>, FileError> {
        let error = |problem| FileError { path: self.folder.clone(), problem };
        let entries = match fs::read_dir(&self.folder) {
            Err(problem) if problem.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            entries => entries.map_err(error)?,
        };
        let mut identities = Vec::new();
        for entry in entries {
            let path = entry.map_err(error)?.path();
            if path.extension().is_some_and(|extension| extension == "json")
                && let Some(name) = path.file_stem().and_then(|name| name.to_str())
            {
                identities.push(name.to_owned());
            }
        }
        identities.sort();
        Ok(identities)
    }

    /// The record of that identity, if there is a sound one; why a file that is there was left aside.
    pub fn read(&self, id: &str) -> Result<Option<RunRecord>, String> {
        sealed::read(&self.path(id), |record: &RunRecord| {
            check_identity(id, &record.id, &run_id(&record.specification, &record.environment))?;
            record.check()
        })
    }
}

impl Sealable for RunRecord {
    const NAME: &'static str = "record";
    const LAYOUT: u32 = RECORD_SCHEMA;
    const MAXIMUM_BYTES: u64 = MAXIMUM_RECORD_BYTES;

    fn digest(&self) -> String {
        digest(self)
    }

    fn confirm(&self, stated: &str, file: &[u8]) -> Result<(), String> {
        compare(stated, &self.digest()).or_else(|changed| match digest_of_text(file, self) {
            Some(other) if other == stated => Ok(()),
            _ => Err(changed),
        })
    }
}

impl Sealable for ImportedRun {
    const NAME: &'static str = "imported run";
    const LAYOUT: u32 = IMPORTED_SCHEMA;
    const MAXIMUM_BYTES: u64 = MAXIMUM_RECORD_BYTES;

    fn digest(&self) -> String {
        hash_with_answers(&self.without_answers(), &self.test)
    }
}

impl Sealable for FailedRun {
    const NAME: &'static str = "record";
    const LAYOUT: u32 = RECORD_SCHEMA;
    const MAXIMUM_BYTES: u64 = MAXIMUM_FAILED_BYTES;
}

/// What two results of one run do not share, of that which is the same wherever it is made.
fn difference(there: &RunRecord, made: &RunRecord) -> Option<String> {
    let differ = |what: &str, there: &dyn std::fmt::Display, made: &dyn std::fmt::Display| {
        Some(format!("holds another result of the same run: {what} {there} there, {made} now"))
    };
    let (one, other) = (&there.test, &made.test);
    if there.fingerprint != made.fingerprint {
        differ("fingerprint", &there.fingerprint, &made.fingerprint)
    } else if one.accuracy != other.accuracy || one.loss != other.loss || one.predictions != other.predictions
    {
        differ("test accuracy", &one.accuracy, &other.accuracy)
    } else {
        None
    }
}

/// SHA-256 of a record's content, which does not depend on the compressor.
fn digest(record: &RunRecord) -> String {
    let bare = RunRecord { test: record.test.without_answers(), ..record.clone() };
    hash_with_answers(&bare, &record.test)
}

/// SHA-256 of a record as JSON without white space, its test images' bytes deflated as the file has them: what another
/// program that writes records can seal them by without inflating anything.
fn digest_of_text(bytes: &[u8], record: &RunRecord) -> Option<String> {
    #[derive(Deserialize)]
    struct File {
        test: Packed,
    }
    #[derive(Deserialize)]
    struct Packed {
        labels: String,
        predictions: String,
        probabilities: String,
    }
    let Packed { labels, predictions, probabilities } = serde_json::from_slice::<File>(bytes).ok()?.test;
    let mut text = serde_json::to_string(record).ok()?;
    // Base64 text is the same within JSON.
    for (own, written) in [
        (encoding::bytes::packed(&record.test.labels), labels),
        (encoding::bytes::packed(&record.test.predictions), predictions),
        (encoding::words::packed(&record.test.probabilities), probabilities),
    ] {
        text = text.replacen(&own, &written, 1);
    }
    Some(hexadecimal(&Sha256::digest(text)))
}

fn check_identity(name: &str, stated: &str, found: &str) -> Result<(), String> {
    match [name, stated] == [found; 2] {
        true => Ok(()),
        false => Err(format!("its specification belongs to run {found}, its name says {name}")),
    }
}
