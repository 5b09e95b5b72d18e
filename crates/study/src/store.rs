//! Records on disk: one file a run, complete or absent.

use crate::{
    plan::{hexadecimal, run_id},
    record::{RECORD_SCHEMA, RunRecord},
};
use serde::Serialize;
use sha2::{Digest, Sha256};
use std::{
    fs, io,
    path::{Path, PathBuf},
};

pub use crate::files::{FileError, check_writable, read_at_most, write_atomically};

/// The folder `records` of a results folder.
#[derive(Debug, Clone)]
pub struct Store {
    folder: PathBuf,
}

impl Store {
    /// The records of a results folder, which need not exist.
    pub fn of(results: &Path) -> Self {
        Self { folder: results.join("records") }
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

    /// Keeps a record.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn write(&self, record: &RunRecord) -> Result<(), FileError> {
        let sealed = Sealed { record, digest: digest(record) };
        let mut bytes = serde_json::to_vec_pretty(&sealed).expect("a record has only plain values");
        bytes.push(b'\n');
        write_atomically(&self.path(&record.id), &bytes)
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
        let path = self.path(id);
        match fs::read(&path) {
            Ok(bytes) => {
                parse(&bytes, id).map(Some).map_err(|problem| format!("{}: {problem}", path.display()))
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(format!("{}: {error}", path.display())),
        }
    }
}

/// A record as its file has it.
#[derive(Serialize)]
struct Sealed<'a> {
    #[serde(flatten)]
    record: &'a RunRecord,
    /// [`digest`] of the record.
    digest: String,
}

/// SHA-256 of the record as JSON without white space: whatever is changed in the file shows.
pub(crate) fn digest(record: &impl Serialize) -> String {
    let bytes = serde_json::to_vec(record).expect("a record has only plain values");
    hexadecimal(&Sha256::digest(&bytes))
}

/// A record, if it is whole, of this layout, unchanged, and of the run that its name says.
fn parse(bytes: &[u8], id: &str) -> Result<RunRecord, String> {
    let mut value: serde_json::Value =
        serde_json::from_slice(bytes).map_err(|error| format!("damaged: {error}"))?;
    let schema = value.get("schema").and_then(serde_json::Value::as_u64);
    if schema != Some(u64::from(RECORD_SCHEMA)) {
        let found = schema.map_or_else(|| "none".into(), |schema| schema.to_string());
        return Err(format!("record layout {RECORD_SCHEMA} expected, {found} found"));
    }
    let written = value.as_object_mut().and_then(|fields| fields.remove("digest"));
    let record: RunRecord = serde_json::from_value(value).map_err(|error| format!("damaged: {error}"))?;
    let expected = run_id(&record.specification, &record.environment.version);
    if record.id != expected || id != expected {
        return Err(format!("its specification belongs to run {expected}, its name says {id}"));
    }
    let found = digest(&record);
    if written.as_ref().and_then(serde_json::Value::as_str) != Some(&found) {
        return Err(format!("changed since it was written: its content has the digest {found}"));
    }
    let images = record.specification.dataset.test_images;
    let lengths = [record.test.labels.len(), record.test.predictions.len()];
    if lengths != [images; 2]
        || record.test.probabilities.len() != images * record.specification.dataset.classes
    {
        return Err(format!("{images} test images expected, predictions of {} found", lengths[1]));
    }
    Ok(record)
}
