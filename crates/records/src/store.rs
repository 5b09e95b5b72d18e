//! Records on disk: one file a run, complete or absent.

use crate::{
    identity::{hash_with_answers, run_id},
    imported::ImportedRun,
    kept_models::MODELS,
    record::{Environment, EpochRecord, FailedRun, RunRecord, RunSpec},
    sealed_files as sealed,
    seals::{MAXIMUM_RECORD_BYTES, check_identity},
};
use serde::Deserialize;
use std::{
    fs, io,
    path::{Path, PathBuf},
};

pub use crate::files::{FileError, check_writable, read_at_most, read_plain_file, write_atomically};

/// The folders `records`, `failed`, `imported` and `models` of a results folder.
#[derive(Debug, Clone)]
pub struct Store {
    folder: PathBuf,
    conflicts: PathBuf,
    failed: PathBuf,
    imported: PathBuf,
    models: PathBuf,
}

/// What a record is of, without what came out.
#[derive(Debug, Deserialize)]
pub(crate) struct RecordHead {
    /// What was asked for.
    pub(crate) specification: RunSpec,
    /// Where it was made.
    pub(crate) environment: Environment,
    /// SHA-256 of the final weights.
    pub(crate) fingerprint: String,
}

/// So often is a record tried to be kept while others keep one of the same run.
const ATTEMPTS: usize = 4;

/// What became of a record that was to be kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Kept {
    /// It is the run's record.
    New,
    /// There was one of the same bits.
    AsBefore,
    /// There is one of other bits: in what they differ.
    InConflict(String),
}

/// What a folder has of a run.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Results {
    /// One for each outcome.
    pub kept: Vec<KeptResult>,
    /// That it came to none.
    pub failed: Option<FailedRun>,
    /// Why files that are there were left aside.
    pub damaged: Vec<String>,
}

impl Results {
    /// In what the results of the run differ, where there is more than one, a failure among them.
    pub fn conflict(&self) -> Option<String> {
        match (&self.kept[..], &self.failed) {
            ([one, other, ..], _) => Some(difference(&one.record, &other.record)),
            ([one], Some(failed)) => Some(format!(
                "two results of the same run: {} epochs and a test in one, \"{}\" in the other",
                one.record.epochs.len(),
                failed.problem
            )),
            _ => None,
        }
    }
}

/// A result of a run.
#[derive(Debug, Clone, PartialEq)]
pub struct KeptResult {
    /// The file that it was read from.
    pub path: PathBuf,
    /// What the file holds.
    pub record: RunRecord,
}

/// The folder of the records within a results folder.
pub const RECORDS: &str = "records";

/// The folder of records of runs that have another one with other bits.
pub const CONFLICTS: &str = "conflicts";

impl Store {
    /// The records of a results folder, which need not exist.
    pub fn of(results: &Path) -> Self {
        Self {
            folder: results.join(RECORDS),
            conflicts: results.join(CONFLICTS),
            failed: results.join("failed"),
            imported: results.join("imported"),
            models: results.join(MODELS),
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

    /// Keeps a record. Where there is one of the same run that has the same bits, that one stays; where it has other bits, both are kept:
    /// this one among the [conflicts](Self::results), and the run's weights, which may be of either, are not.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn write(&self, record: &RunRecord) -> Result<Kept, FileError> {
        let made = bits(record);
        // Another process may keep one between a look and the next.
        for _ in 0..ATTEMPTS {
            let Results { kept, damaged, .. } = self.results(&record.id);
            let Some(first) = kept.first() else {
                if !damaged.is_empty() {
                    break;
                }
                match sealed::write_new(&self.path(&record.id), record) {
                    Err(error) if error.problem.kind() == io::ErrorKind::AlreadyExists => continue,
                    // A file system on which a file cannot be made only where there is none.
                    Err(_) => break,
                    Ok(()) => return Ok(Kept::New),
                }
            };
            if kept.iter().any(|result| bits(&result.record) == made) {
                return Ok(Kept::AsBefore);
            }
            let difference = difference(&first.record, record);
            sealed::write(&self.conflict_path(&record.id, &made), record)?;
            self.remove_weights(&record.id)?;
            return Ok(Kept::InConflict(difference));
        }
        sealed::write(&self.path(&record.id), record).map(|()| Kept::New)
    }

    /// Keeps a record in the place of every other result of the run, a failure and weights among them.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn replace(&self, record: &RunRecord) -> Result<(), FileError> {
        sealed::write(&self.path(&record.id), record)?;
        self.remove_others(&record.id, &self.failed_path(&record.id))
    }

    /// Keeps that a run failed in the place of every other result of the run and of its weights.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn replace_by_failure(&self, run: &FailedRun) -> Result<(), FileError> {
        self.write_failed(run)?;
        self.remove_others(&run.id, &self.path(&run.id))
    }

    fn remove_others(&self, id: &str, other: &Path) -> Result<(), FileError> {
        for path in self.conflicts_of(id).into_iter().chain([other.to_owned()]) {
            match fs::remove_file(&path) {
                Err(problem) if problem.kind() != io::ErrorKind::NotFound => {
                    return Err(FileError { path, problem });
                }
                _ => {}
            }
        }
        self.remove_weights(id)
    }

    /// The folder of the weights.
    pub(crate) fn models(&self) -> &Path {
        &self.models
    }

    /// Moves a file that is not a sound record to another name; where it is then.
    ///
    /// # Errors
    /// When it cannot be read or renamed.
    pub fn set_aside(&self, id: &str) -> Result<PathBuf, FileError> {
        let (path, aside) = (self.path(id), self.folder.join(format!("{id}.set-aside")));
        // What cannot be read need not be damaged: it may be another user's, or its disk away for a moment.
        if let Err(problem) = fs::File::open(&path) {
            return Err(FileError { path, problem });
        }
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

    pub(crate) fn failed_path(&self, id: &str) -> PathBuf {
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

    pub(crate) fn imported_path(&self, id: &str) -> PathBuf {
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
        identities_in(&self.folder).map_err(|problem| FileError { path: self.folder.clone(), problem })
    }

    /// The record of that identity, if there is a sound one; why a file that is there was left aside. Of several that differ in their bits it
    /// is any.
    pub fn read(&self, id: &str) -> Result<Option<RunRecord>, String> {
        if let Some(record) = self.read_at(&self.path(id), id)? {
            return Ok(Some(record));
        }
        // Of two results of a run the one in `records/` was the wrong one, and was removed.
        let others = self.conflicts_of(id);
        Ok(others.iter().find_map(|path| self.read_at(path, id).ok().flatten()))
    }

    pub(crate) fn read_at(&self, path: &Path, id: &str) -> Result<Option<RunRecord>, String> {
        sealed::read(path, |record: &RunRecord| {
            check_identity(id, &record.id, &run_id(&record.specification, &record.environment))?;
            record.check()
        })
    }

    /// What the record of that identity is of; none where the file is no record. Its seal and its figures are not looked at, which would
    /// take most of the time.
    pub(crate) fn read_head(&self, id: &str) -> Option<RecordHead> {
        let bytes = read_plain_file(&self.path(id), MAXIMUM_RECORD_BYTES).ok()?;
        let head: RecordHead = serde_json::from_slice(&bytes).ok()?;
        (run_id(&head.specification, &head.environment) == id).then_some(head)
    }

    /// Where a result of that identity and of these [`bits`] is kept where there is another one.
    pub(crate) fn conflict_path(&self, id: &str, bits: &str) -> PathBuf {
        self.conflicts.join(format!("{id}-{bits}.json"))
    }

    /// All results of a run, one for each outcome, that of `records/` first, and whether it failed. More than one is a
    /// [conflict](Results::conflict): a run has one result.
    pub fn results(&self, id: &str) -> Results {
        let (mut results, mut seen) = (Results::default(), Vec::new());
        for path in std::iter::once(self.path(id)).chain(self.conflicts_of(id)) {
            match self.read_at(&path, id) {
                Ok(Some(record)) => {
                    let bits = bits(&record);
                    if !seen.contains(&bits) {
                        seen.push(bits);
                        results.kept.push(KeptResult { path, record });
                    }
                }
                Ok(None) => {}
                Err(problem) => results.damaged.push(problem),
            }
        }
        match self.read_failed(id) {
            Ok(failed) => results.failed = failed,
            Err(problem) => results.damaged.push(problem),
        }
        results
    }

    /// The files among the conflicts that are of a run, sorted.
    pub(crate) fn conflicts_of(&self, id: &str) -> Vec<PathBuf> {
        let Ok(entries) = fs::read_dir(&self.conflicts) else { return Vec::new() };
        let is_of = |path: &PathBuf| {
            let name = path.file_name().and_then(|name| name.to_str());
            let rest = name.and_then(|name| name.strip_prefix(id)?.strip_prefix('-')?.strip_suffix(".json"));
            rest.is_some()
        };
        let mut paths: Vec<PathBuf> =
            entries.filter_map(|entry| Some(entry.ok()?.path())).filter(is_of).collect();
        paths.sort();
        paths
    }

    /// The identities of the runs that have files among the conflicts, sorted.
    pub(crate) fn conflicting(&self) -> Vec<String> {
        let Ok(entries) = fs::read_dir(&self.conflicts) else { return Vec::new() };
        let mut identities: Vec<String> = entries
            .filter_map(|entry| {
                let name = entry.ok()?.file_name();
                Some(name.to_str()?.strip_suffix(".json")?.split_once('-')?.0.to_owned())
            })
            .collect();
        identities.sort();
        identities.dedup();
        identities
    }

    /// The identities of all files that are named as failed runs, sorted; none where the folder cannot be read.
    pub(crate) fn failed_identities(&self) -> Vec<String> {
        identities_in(&self.failed).unwrap_or_default()
    }

    /// The identities of all files that are named as imported runs, sorted; none where the folder cannot be read.
    pub(crate) fn imported_identities(&self) -> Vec<String> {
        identities_in(&self.imported).unwrap_or_default()
    }

    /// Asks the file system anew which records there are: what another machine renamed may be hidden by what was looked up before, and opening
    /// the folder makes a network file system compare.
    pub fn look_again(&self) {
        for folder in [&self.folder, &self.failed] {
            let _ = fs::File::open(folder);
        }
    }
}

fn identities_in(folder: &Path) -> io::Result<Vec<String>> {
    let entries = match fs::read_dir(folder) {
        Err(problem) if problem.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries?,
    };
    let mut identities = Vec::new();
    for entry in entries {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == "json")
            && let Some(name) = path.file_stem().and_then(|name| name.to_str())
        {
            identities.push(name.to_owned());
        }
    }
    identities.sort();
    Ok(identities)
}

/// What two results of one run do not share, in words.
pub(crate) fn difference(there: &RunRecord, made: &RunRecord) -> String {
    let differ = |what: &str, there: &dyn std::fmt::Display, made: &dyn std::fmt::Display| {
        format!("two results of the same run: {what} {there} and {made}")
    };
    let (one, other) = (&there.test, &made.test);
    if there.fingerprint != made.fingerprint {
        differ("fingerprint", &there.fingerprint, &made.fingerprint)
    } else if one.accuracy != other.accuracy {
        differ("test accuracy", &one.accuracy, &other.accuracy)
    } else if one.loss != other.loss {
        differ("test loss", &one.loss, &other.loss)
    } else {
        "two results of the same run: the same weights, and other figures or answers".to_owned()
    }
}

/// The first 16 hexadecimal digits of the SHA-256 of what is the same in every record of a run, whoever made it, when and where: not its
/// times, its machine, what was noticed meanwhile, and what its data and classes are called.
pub(crate) fn bits(record: &RunRecord) -> String {
    let timeless = |epoch: &EpochRecord| EpochRecord { train_seconds: 0.0, ..*epoch };
    let bare = (
        (&record.id, record.parameters, record.multiply_adds, record.kept_epoch, record.test_reads),
        record.epochs.iter().map(timeless).collect::<Vec<_>>(),
        (&record.fingerprint, record.test.without_answers()),
    );
    hash_with_answers(&bare, &record.test)[..16].to_owned()
}
