//! The files that say which runs a results folder is for: `plan.json`, and `parts.json` for a study over several data sets.

use crate::{
    question::Part,
    sealed_files as sealed,
    store::{FileError, read_plain_file, write_atomically},
};
use serde::Deserialize;
use std::{
    collections::BTreeSet,
    fs, io,
    path::{Component, Path, PathBuf},
};

pub use crate::plan::Engine;
pub(crate) use crate::plan::{MAXIMUM_PLAN_BYTES, Plan, PlannedRun};

/// The plan of a study over one data set.
pub(crate) const PLAN: &str = "plan.json";

/// The folder of the plans of a merged study that other engines have.
const APART: &str = "apart";

/// The folders of a study over several.
pub(crate) const PARTS: &str = "parts.json";

/// No plan has more runs, and none needs a larger file.
const MAXIMUM_PLANNED_RUNS: usize = 1_000_000;

/// No study has as many data sets as fit in this.
const MAXIMUM_PARTS_BYTES: u64 = 1 << 20;

impl Plan {
    /// Adds the runs of another plan of the same study, all ordered as one plan would order them: by seed, then by model. In whatever order
    /// plans are united, the result is the same.
    pub(crate) fn unite(&mut self, other: &Plan) {
        let mut models: Vec<String> = Vec::new();
        for run in &self.runs {
            if !models.contains(&run.model) {
                models.push(run.model.clone());
            }
        }
        let known: BTreeSet<String> = self.runs.iter().map(|run| run.id.clone()).collect();
        self.runs.extend(other.runs.iter().filter(|run| !known.contains(&run.id)).cloned());
        self.runs.sort_by_key(|run| (run.seed, models.iter().position(|model| *model == run.model)));
        if self.notes != other.notes {
            self.notes.extend(other.notes.iter().cloned());
            self.notes.sort();
            self.notes.dedup();
        }
    }

    /// Whether the two are of one study but for the engine.
    pub(crate) fn differs_by_engine_alone(&self, other: &Plan) -> bool {
        !self.design.is_empty() && self.design == other.design && self.engine != other.engine
    }

    fn check(&self) -> Result<(), String> {
        // They become names of files.
        let is_hash = |text: &str| {
            text.len() == 16 && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
        };
        let ids = self.runs.iter().map(|run| &run.id).chain(self.imported.iter().map(|run| &run.id));
        if let Some(text) = ids.chain([&self.study]).find(|text| !is_hash(text)) {
            return Err(format!("damaged: an identity of 16 hexadecimal digits expected, {text:?} found"));
        }
        if !self.design.is_empty() && !is_hash(&self.design) {
            return Err(format!(
                "damaged: an identity of 16 hexadecimal digits expected, {:?} found",
                self.design
            ));
        }
        let runs = self.runs.len() + self.imported.len();
        if runs > MAXIMUM_PLANNED_RUNS {
            return Err(format!("{MAXIMUM_PLANNED_RUNS} runs at most expected, {runs} found"));
        }
        if self.question.equivalence_margin_points.is_some_and(|points| !(points > 0.0 && points < 100.0)) {
            return Err("equivalence margin: points above 0 and below 100 expected".to_owned());
        }
        let mut known = BTreeSet::new();
        let imported = self.imported.iter().map(|run| run.id.as_str());
        match self.runs.iter().map(|run| run.id.as_str()).chain(imported).find(|id| !known.insert(*id)) {
            Some(id) => Err(format!("damaged: run {id} is planned twice")),
            None => Ok(()),
        }
    }

    /// Keeps it, in the place of what else the folder was for.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub(crate) fn write(&self, results: &Path) -> Result<(), FileError> {
        // Where several processes share a study they all write the same, which the first has done.
        if !matches!(Self::read(results), Ok(Some(there)) if there == *self) {
            sealed::write(&results.join(PLAN), self)?;
        }
        remove(&results.join(PARTS))
    }

    /// That of a results folder, if there is one; else what is wrong with the file.
    pub(crate) fn read(results: &Path) -> Result<Option<Self>, String> {
        sealed::read(&results.join(PLAN), Self::check)
    }

    /// The plans of a merged folder's study that other engines have, in the order of their files' names; what cannot be read is left out.
    pub(crate) fn read_apart(results: &Path) -> Vec<Self> {
        let Ok(entries) = fs::read_dir(results.join(APART)) else { return Vec::new() };
        let mut paths: Vec<PathBuf> = entries.filter_map(|entry| Some(entry.ok()?.path())).collect();
        paths.sort();
        paths.iter().filter_map(|path| sealed::read(path, Self::check).ok().flatten()).collect()
    }

    /// Keeps the plans of other engines, in the place of those that are there.
    ///
    /// # Errors
    /// When a file cannot be written or removed.
    pub(crate) fn write_apart(results: &Path, plans: &[Self]) -> Result<(), FileError> {
        let folder = results.join(APART);
        let mut kept = BTreeSet::new();
        for plan in plans {
            let path = folder.join(format!("{}.json", plan.study));
            if !matches!(sealed::read(&path, Self::check), Ok(Some(there)) if there == *plan) {
                sealed::write(&path, plan)?;
            }
            kept.insert(path);
        }
        let Ok(entries) = fs::read_dir(&folder) else { return Ok(()) };
        let paths = entries.filter_map(|entry| Some(entry.ok()?.path()));
        // What else is there is not ours to remove.
        for path in paths.filter(|path| !kept.contains(path) && is_plan(path)) {
            remove(&path)?;
        }
        if kept.is_empty() {
            let _ = fs::remove_dir(&folder);
        }
        Ok(())
    }
}

/// Whether a file of that name is a plan of ours, of whatever version and however changed since.
pub(crate) fn is_plan(path: &Path) -> bool {
    /// What every version has had.
    #[derive(Deserialize)]
    struct AnyPlan {
        schema: u32,
        runs: Vec<serde::de::IgnoredAny>,
    }
    let plan = |bytes: Vec<u8>| serde_json::from_slice(&bytes).ok();
    read_plain_file(path, MAXIMUM_PLAN_BYTES)
        .ok()
        .and_then(plan)
        .is_some_and(|AnyPlan { schema, runs }| schema > 0 || !runs.is_empty())
}

/// Whether a file of that name says which parts a study has, whatever they are.
pub(crate) fn is_parts(path: &Path) -> bool {
    read_plain_file(path, MAXIMUM_PARTS_BYTES)
        .is_ok_and(|bytes| serde_json::from_slice::<Vec<Part>>(&bytes).is_ok_and(|parts| !parts.is_empty()))
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

/// Keeps which parts a study has.
///
/// # Errors
/// When the file cannot be written.
pub(crate) fn write_parts(results: &Path, parts: &[Part]) -> Result<(), FileError> {
    let mut bytes = serde_json::to_vec_pretty(parts).expect("parts have only plain values");
    bytes.push(b'\n');
    if read_parts(results).ok().as_deref() != Some(parts) {
        write_atomically(&results.join(PARTS), &bytes)?;
    }
    remove(&results.join(PLAN))
}

/// The parts of a study over several data sets; none where the folder is that of a study over one.
///
/// # Errors
/// When the file is there and cannot be read, is damaged, or names a folder twice or one that is not directly within this one.
pub fn read_parts(results: &Path) -> Result<Vec<Part>, FileError> {
    let path = results.join(PARTS);
    let bytes = match read_plain_file(&path, MAXIMUM_PARTS_BYTES) {
        Err(problem) if problem.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(problem) => return Err(FileError { path, problem }),
        Ok(bytes) => bytes,
    };
    let damaged = |problem: String| FileError {
        path: path.clone(),
        problem: io::Error::new(io::ErrorKind::InvalidData, format!("damaged: {problem}")),
    };
    let parts: Vec<Part> = serde_json::from_slice(&bytes).map_err(|error| damaged(error.to_string()))?;
    let mut known = BTreeSet::new();
    for Part { folder, .. } in &parts {
        let mut components = Path::new(folder).components();
        if !matches!((components.next(), components.next()), (Some(Component::Normal(_)), None)) {
            return Err(damaged(format!("`{folder}` is not the name of a folder")));
        }
        if !known.insert(folder) {
            return Err(damaged(format!("`{folder}` is named twice")));
        }
    }
    Ok(parts)
}
