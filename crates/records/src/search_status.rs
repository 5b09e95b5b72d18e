//! How far a search's folder has come.

use crate::{
    claim::{Claims, Holder},
    files::FileError,
    folder::LOCKS,
    host,
    record::Place,
    search_folder::Search,
    trial_store::TrialStore,
};
use serde::Serialize;
use std::{collections::BTreeSet, path::Path};

/// How far a search's folder has come. How many trials there are to be, its command says and the folder does not.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SearchStatus {
    /// Each model, in the search's order.
    pub models: Vec<ModelTrials>,
    /// Trials that are being made.
    pub running: Vec<RunningTrial>,
    /// Files that are no sound trials of the search: which, and why. They are made again.
    pub damaged: Vec<String>,
}

/// The trials of a model that are there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ModelTrials {
    /// Its name.
    pub model: String,
    /// Whether the training with nothing changed is there.
    pub baseline: bool,
    /// How many trials are there.
    pub trials: usize,
    /// The numbers of those that are not, from 0, before the last that is.
    pub missing: Vec<usize>,
}

/// A trial that is being made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RunningTrial {
    /// What it is called in the folder.
    pub trial: String,
    /// On which machine, as which task.
    pub place: Place,
    /// The process there.
    pub process: u32,
}

/// The trials of a search that a folder holds. Nothing is written.
///
/// # Errors
/// When the folder cannot be read.
pub fn search_status(folder: &Path, search: &Search) -> Result<SearchStatus, FileError> {
    let here = Holder::here(&Place { host: host::name(), task: None });
    let locks = folder.join(LOCKS);
    let held = Claims::of(&locks, here).held().map_err(|problem| FileError { path: locks, problem })?;
    let store = TrialStore::of(folder);
    let mut damaged = Vec::new();
    let mut there: BTreeSet<(String, Option<usize>)> = BTreeSet::new();
    for file in store.files()? {
        match store.read_file(&search.identity, &file) {
            Ok(Some(record)) => drop(there.insert((record.model, record.number))),
            Ok(None) => {}
            Err(problem) => damaged.push(problem),
        }
    }
    let models = search.models().into_iter().map(|model| {
        let numbers: BTreeSet<usize> =
            there.iter().filter(|(name, _)| name == model).filter_map(|(_, number)| *number).collect();
        ModelTrials {
            model: model.to_owned(),
            baseline: there.contains(&(model.to_owned(), None)),
            trials: numbers.len(),
            missing: (0..numbers.last().copied().unwrap_or_default())
                .filter(|number| !numbers.contains(number))
                .collect(),
        }
    });
    Ok(SearchStatus {
        models: models.collect(),
        running: held
            .into_iter()
            .map(|(trial, Holder { place, process })| RunningTrial { trial, place, process })
            .collect(),
        damaged,
    })
}
