//! A results folder: the plan that it was made for, and the records that there are.

use crate::{
    environment::VERSION,
    plan::run_id,
    record::{FailedRun, RunRecord, RunSpec},
    store::{FileError, Store, write_atomically},
    study_file::Target,
};
use serde::{Deserialize, Serialize};
use std::{
    collections::BTreeSet,
    fs, io,
    path::{Component, Path, PathBuf},
};

/// The file that says which runs a results folder is for, and in which order.
const PLAN: &str = "plan.json";

/// The file that says which folders a study over several data sets has.
const PARTS: &str = "parts.json";

/// Version of the plan file's layout.
const PLAN_SCHEMA: u32 = 2;

#[derive(Debug, Serialize, Deserialize)]
struct Plan {
    schema: u32,
    #[serde(flatten)]
    question: Question,
    runs: Vec<PlannedRun>,
}

/// What a study asks, beyond which of its models is better.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Question {
    /// In its author's words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// What must be reached.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target: Option<Target>,
}

#[derive(Debug, Serialize, Deserialize)]
struct PlannedRun {
    id: String,
    model: String,
    seed: u64,
}

/// What a results folder holds.
#[derive(Debug, Clone, PartialEq)]
pub struct Collection {
    /// The plan's records that there are, in its order; without a plan all, by seed and then by model.
    pub records: Vec<RunRecord>,
    /// What the study asks.
    pub question: Question,
    /// The plan's runs that came to no result, in its order.
    pub failed: Vec<FailedRun>,
    /// What a reader of the records must know: runs that are missing, records that were left out.
    pub notes: Vec<String>,
}

/// Why there is nothing to report.
#[derive(Debug, thiserror::Error)]
pub enum CollectError {
    /// A folder or file could not be read.
    #[error(transparent)]
    File(#[from] FileError),
    /// No record can be used.
    #[error("{}: no usable record{}", folder.display(), reasons(notes))]
    NoRecord {
        /// The results folder.
        folder: PathBuf,
        /// Why records that are there were left out.
        notes: Vec<String>,
    },
}

fn reasons(notes: &[String]) -> String {
    notes.first().map_or_else(String::new, |note| format!(" ({note})"))
}

/// Keeps the plan that a results folder is for.
///
/// # Errors
/// When the file cannot be written.
pub fn write_plan(results: &Path, question: &Question, plan: &[RunSpec]) -> Result<(), FileError> {
    let runs = plan.iter().map(|run| PlannedRun {
        id: run_id(run, VERSION),
        model: run.model.clone(),
        seed: run.seed,
    });
    let plan = Plan { schema: PLAN_SCHEMA, question: question.clone(), runs: runs.collect() };
    let mut bytes = serde_json::to_vec_pretty(&plan).expect("a plan has only plain values");
    bytes.push(b'\n');
    write_atomically(&results.join(PLAN), &bytes)?;
    remove(&results.join(PARTS))
}

/// Removes a file that an earlier study of another kind may have left.
fn remove(path: &Path) -> Result<(), FileError> {
    match fs::remove_file(path) {
        Err(problem) if problem.kind() != io::ErrorKind::NotFound => {
            Err(FileError { path: path.to_owned(), problem })
        }
        _ => Ok(()),
    }
}

/// One data set of a study over several: its results have a folder of their own within that of the study.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Part {
    /// The data set, as the study names it.
    pub dataset: String,
    /// The folder's name.
    pub folder: String,
}

/// Keeps which parts a study has.
///
/// # Errors
/// When the file cannot be written.
pub fn write_parts(results: &Path, parts: &[Part]) -> Result<(), FileError> {
    let mut bytes = serde_json::to_vec_pretty(parts).expect("parts have only plain values");
    bytes.push(b'\n');
    write_atomically(&results.join(PARTS), &bytes)?;
    remove(&results.join(PLAN))
}

/// The parts of a study over several data sets; none where the folder is that of a study over one.
///
/// # Errors
/// When the file is there and cannot be read, is damaged, or names a folder that is not directly within this one.
pub fn read_parts(results: &Path) -> Result<Vec<Part>, FileError> {
    let path = results.join(PARTS);
    let bytes = match fs::read(&path) {
        Err(problem) if problem.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(problem) => return Err(FileError { path, problem }),
        Ok(bytes) => bytes,
    };
    let damaged = |problem: String| FileError {
        path: path.clone(),
        problem: io::Error::new(io::ErrorKind::InvalidData, format!("damaged: {problem}")),
    };
    let parts: Vec<Part> = serde_json::from_slice(&bytes).map_err(|error| damaged(error.to_string()))?;
    for Part { folder, .. } in &parts {
        let mut components = Path::new(folder).components();
        if !matches!((components.next(), components.next()), (Some(Component::Normal(_)), None)) {
            return Err(damaged(format!("`{folder}` is not the name of a folder")));
        }
    }
    Ok(parts)
}

/// Reads the records of a results folder: the same records in the same order for the same files.
///
/// # Errors
/// When the folder cannot be read or holds no usable record.
pub fn collect(results: &Path) -> Result<Collection, CollectError> {
    let store = Store::of(results);
    let present = store.identities()?;
    let mut collection = Collection {
        records: Vec::new(),
        failed: Vec::new(),
        question: Question::default(),
        notes: Vec::new(),
    };
    match read_plan(results) {
        Ok(Some(plan)) => {
            collection.question = plan.question.clone();
            collection.of_plan(&store, &plan, &present);
        }
        other => {
            if let Err(problem) = other {
                collection.notes.push(format!("{problem}: every record of the folder is taken"));
            }
            for id in &present {
                collection.take(&store, id);
            }
            collection.records.sort_by(|one, other| {
                let key =
                    |record: &RunRecord| (record.specification.seed, record.specification.model.clone());
                key(one).cmp(&key(other))
            });
        }
    }
    if collection.records.is_empty() {
        return Err(CollectError::NoRecord { folder: results.to_owned(), notes: collection.notes });
    }
    Ok(collection)
}

impl Collection {
    fn of_plan(&mut self, store: &Store, plan: &Plan, present: &[String]) {
        let mut missing = Vec::new();
        for run in &plan.runs {
            if !self.take(store, &run.id) {
                missing.push(format!("{} seed {}", run.model, run.seed));
            }
        }
        if !missing.is_empty() {
            const NAMED: usize = 6;
            let count = missing.len();
            let more = if count > NAMED { ", …" } else { "" };
            missing.truncate(NAMED);
            self.notes.push(format!(
                "{count} of {} planned runs have no record yet ({}{more}): the same command makes them",
                plan.runs.len(),
                missing.join(", ")
            ));
        }
        let planned: BTreeSet<&str> = plan.runs.iter().map(|run| run.id.as_str()).collect();
        let others = present.iter().filter(|id| !planned.contains(id.as_str())).count();
        if others > 0 {
            let noun = if others == 1 { "record" } else { "records" };
            self.notes.push(format!("{others} {noun} of runs that this study does not ask for left out"));
        }
    }

    /// Adds a record; whether there is a usable one.
    fn take(&mut self, store: &Store, id: &str) -> bool {
        match store.read(id) {
            Ok(Some(record)) => {
                self.records.push(record);
                return true;
            }
            Ok(None) => {}
            Err(problem) => self.notes.push(format!("{problem}: left out")),
        }
        false
    }
}

/// The plan, where there is one; else what is wrong with the file.
fn read_plan(results: &Path) -> Result<Option<Plan>, String> {
    let path = results.join(PLAN);
    let bytes = match fs::read(&path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        bytes => bytes.map_err(|error| format!("{}: {error}", path.display()))?,
    };
    let plan: Plan =
        serde_json::from_slice(&bytes).map_err(|error| format!("{}: damaged: {error}", path.display()))?;
    if plan.schema != PLAN_SCHEMA {
        let (path, found) = (path.display(), plan.schema);
        return Err(format!("{path}: plan layout {PLAN_SCHEMA} expected, {found} found"));
    }
    Ok(Some(plan))
}
