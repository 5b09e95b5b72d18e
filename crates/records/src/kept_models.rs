//! The final weights that a results folder keeps of some of its runs.
//!
//! A run's weights are `models/MODEL-seedN-ID.safetensors`, `ID` the identity of its record; of a cross-validation
//! `MODEL-repeatR-foldF-ID.safetensors`. The identity makes the name that of one run, whatever else was trained in the folder; the rest
//! is for people. What is in the file is nobody's business here but for the fingerprint that it states: weights are those of a
//! record where both have the same one.

use crate::{
    files::{FileError, check_writable, write_atomically},
    plan_file::{Plan, read_parts},
    record::{Fold, RunRecord, RunSpec},
    store::Store,
};
use serde::Deserialize;
use std::{
    fs::{self, File},
    io::{self, Read},
    path::{Path, PathBuf},
};

/// The folder of the weights within a results folder.
pub const MODELS: &str = "models";

/// How names of weights end.
const EXTENSION: &str = ".safetensors";

/// No network of this program has a larger file.
pub const MAXIMUM_WEIGHTS_BYTES: u64 = 1 << 29;

/// Largest header that is read, as by whoever loads the weights.
const MAXIMUM_HEADER_BYTES: u64 = 8 << 20;

/// So many characters of a model's name stand in the name of its file: every file system takes the whole then.
const LONGEST_NAME: usize = 64;

/// The final weights of a run that a folder keeps.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeptModel {
    /// The identity of the run's record.
    pub id: String,
    /// The model's name.
    pub model: String,
    /// The run's seed.
    pub seed: u64,
    /// Which fold of a cross-validation the run is tested on.
    pub fold: Option<Fold>,
    /// What the run's data set is called.
    pub dataset: String,
    /// The safetensors file.
    pub path: PathBuf,
    /// Its size.
    pub bytes: u64,
}

impl KeptModel {
    /// The run in words: `cnn, seed 2`.
    pub fn in_words(&self) -> String {
        in_words(&self.model, self.seed, self.fold)
    }
}

/// A run in words: `cnn, seed 2`, of a cross-validation `cnn, fold 3 of repetition 1`.
pub fn in_words(model: &str, seed: u64, fold: Option<Fold>) -> String {
    match fold {
        Some(Fold { repeat, fold, .. }) => format!("{model}, fold {fold} of repetition {repeat}"),
        None => format!("{model}, seed {seed}"),
    }
}

/// The weights that a results folder keeps of its study's runs, in the order of its plan; of a study over several data sets those of all.
/// Where there is no plan that can be read, all that there are, by the names of their files.
///
/// Weights are listed where there is a record of their run with the fingerprint that they state, and no other result of it. Whether
/// they are whole is seen when they are loaded.
///
/// # Errors
/// When a folder or the list of data sets is there and cannot be read.
pub fn kept_models(results: &Path) -> Result<Vec<KeptModel>, FileError> {
    let mut kept = of_one(results)?;
    for part in read_parts(results)? {
        kept.extend(of_one(&results.join(&part.folder))?);
    }
    Ok(kept)
}

fn of_one(results: &Path) -> Result<Vec<KeptModel>, FileError> {
    let store = Store::of(results);
    let mut kept: Vec<KeptModel> =
        store.weights()?.into_iter().filter_map(|(id, path)| store.kept_model(&id, path)).collect();
    if let (false, Ok(Some(plan))) = (kept.is_empty(), Plan::read(results)) {
        let place = |model: &KeptModel| plan.runs.iter().position(|run| run.id == model.id);
        kept.retain(|model| place(model).is_some());
        kept.sort_by_cached_key(|model| place(model));
    }
    Ok(kept)
}

/// The name of the file of a run's weights.
fn name(run: &RunSpec, id: &str) -> String {
    let plain = |character: char| match character {
        'a'..='z' | 'A'..='Z' | '0'..='9' | '-' | '_' | '.' => character,
        _ => '_',
    };
    let model: String = run.model.chars().take(LONGEST_NAME).map(plain).collect();
    // A file that begins with a dot is hidden, one with a dash is taken for an option.
    let model = model.trim_start_matches(['.', '-']);
    match run.fold {
        Some(Fold { repeat, fold, .. }) => format!("{model}-repeat{repeat}-fold{fold}-{id}{EXTENSION}"),
        None => format!("{model}-seed{}-{id}{EXTENSION}", run.seed),
    }
}

/// The identity in the name of a file of weights.
fn identity_in(path: &Path) -> Option<&str> {
    let (_, id) = path.file_name()?.to_str()?.strip_suffix(EXTENSION)?.rsplit_once('-')?;
    (id.len() == 16 && id.bytes().all(|byte| byte.is_ascii_hexdigit())).then_some(id)
}

/// The fingerprint that a file of weights states in its header; none where it is another file.
pub(crate) fn stated_fingerprint(path: &Path) -> Option<String> {
    #[derive(Deserialize)]
    struct Header {
        #[serde(rename = "__metadata__")]
        metadata: Metadata,
    }
    #[derive(Deserialize)]
    struct Metadata {
        #[serde(rename = "mnist-study")]
        description: String,
    }
    #[derive(Deserialize)]
    struct Description {
        training: Training,
    }
    #[derive(Deserialize)]
    struct Training {
        fingerprint: String,
    }
    // A pipe would be waited for when it is opened.
    if !fs::metadata(path).ok()?.is_file() {
        return None;
    }
    let mut file = File::open(path).ok()?;
    let mut length = [0; 8];
    file.read_exact(&mut length).ok()?;
    let length = u64::from_le_bytes(length);
    if length > MAXIMUM_HEADER_BYTES {
        return None;
    }
    let mut header = Vec::new();
    file.take(length).read_to_end(&mut header).ok()?;
    let Header { metadata } = serde_json::from_slice(&header).ok()?;
    let Description { training } = serde_json::from_str(&metadata.description).ok()?;
    Some(training.fingerprint)
}

impl Store {
    /// Where the weights of a run are kept, by its record's identity.
    pub fn weights_path(&self, run: &RunSpec, id: &str) -> PathBuf {
        self.models().join(name(run, id))
    }

    /// Shows that weights can be written, where there is a folder of them already or something else in its place. One that is not
    /// there is made when there is something to keep.
    ///
    /// # Errors
    /// When they cannot.
    pub fn prepare_weights(&self) -> Result<(), FileError> {
        match self.models().symlink_metadata() {
            Ok(_) => check_writable(&self.models().join("model")),
            Err(_) => Ok(()),
        }
    }

    /// Keeps the weights of a record, which is kept already.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn write_weights(&self, record: &RunRecord, bytes: &[u8]) -> Result<(), FileError> {
        write_atomically(&self.weights_path(&record.specification, &record.id), bytes)
    }

    /// The files of weights with the identities in their names, sorted by name.
    pub(crate) fn weights(&self) -> Result<Vec<(String, PathBuf)>, FileError> {
        let error = |problem| FileError { path: self.models().to_owned(), problem };
        let entries = match fs::read_dir(self.models()) {
            Err(problem) if problem.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            entries => entries.map_err(error)?,
        };
        let mut weights = Vec::new();
        for entry in entries {
            let path = entry.map_err(error)?.path();
            if let Some(id) = identity_in(&path) {
                weights.push((id.to_owned(), path));
            }
        }
        weights.sort_by(|(_, one), (_, other)| one.cmp(other));
        Ok(weights)
    }

    /// The files of weights that are named as a run's, sorted; none where the folder cannot be read.
    fn weights_of(&self, id: &str) -> Vec<PathBuf> {
        let all = self.weights().unwrap_or_default();
        all.into_iter().filter(|(of, _)| of == id).map(|(_, path)| path).collect()
    }

    /// Removes the weights of a run whose record they are not any more.
    pub(crate) fn remove_weights(&self, id: &str) -> Result<(), FileError> {
        for path in self.weights_of(id) {
            match fs::remove_file(&path) {
                Err(problem) if problem.kind() != io::ErrorKind::NotFound => {
                    return Err(FileError { path, problem });
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// What a file of weights is, where it belongs to its run's record.
    fn kept_model(&self, id: &str, path: PathBuf) -> Option<KeptModel> {
        let head = self.read_head(id)?;
        // To read all results takes long, and few runs have another file than their record's.
        let may_conflict = !self.conflicts_of(id).is_empty() || self.failed_path(id).exists();
        if (may_conflict && self.results(id).conflict().is_some())
            || stated_fingerprint(&path)? != head.fingerprint
        {
            return None;
        }
        let bytes = fs::metadata(&path).ok()?.len();
        let RunSpec { model, seed, fold, dataset, .. } = head.specification;
        Some(KeptModel { id: id.to_owned(), model, seed, fold, dataset: dataset.name, path, bytes })
    }
}
