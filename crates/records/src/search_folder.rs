//! A search's folder while trials are made for it: what the search is, who works in it, and who makes which trial.
//!
//! Several programs may work in one folder, also on several machines. They divide its trials by [claims](crate::claim), which also tell
//! who has nothing to do but wait whether there is anybody to wait for.

use crate::{
    claim::{Claim, Claims, Holder},
    files::{FileError, read_plain_file},
    folder::LOCKS,
    identity::short_hash,
    plan_file::{PARTS, PLAN, is_parts, is_plan},
    record::Place,
    trial_store::{self, TrialStore},
};
use serde_json::Value;
use std::{fs, io, path::Path};

/// The file that says what a folder's search is about.
pub const SEARCH: &str = "search.json";

/// No search is described in more: it may have thousands of models.
const MAXIMUM_SEARCH_BYTES: u64 = 64 << 20;

/// What a search's folder says that it is about.
#[derive(Debug, Clone, PartialEq)]
pub struct Search {
    /// Of the search: that of its trials.
    pub identity: String,
    /// All that its trials depend on.
    pub description: Value,
}

impl Search {
    /// The search that a description is of.
    pub fn of(description: Value) -> Self {
        Self { identity: short_hash(&description.to_string()), description }
    }

    /// The text of [`SEARCH`].
    pub fn text(&self) -> String {
        format!("{:#}\n", self.description)
    }

    /// The search that a folder is of; none where nothing there says so.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn read(folder: &Path) -> Result<Option<Self>, FileError> {
        let path = folder.join(SEARCH);
        match read_plain_file(&path, MAXIMUM_SEARCH_BYTES) {
            Ok(bytes) => {
                let description: Option<Value> = serde_json::from_slice(&bytes).ok();
                Ok(description.filter(|description| description["models"].is_array()).map(Self::of))
            }
            Err(problem) if problem.kind() == io::ErrorKind::NotFound => Ok(None),
            // A folder that is none.
            Err(problem) if problem.kind() == io::ErrorKind::NotADirectory => Ok(None),
            Err(problem) => Err(FileError { path, problem }),
        }
    }

    /// The same, unless the folder is a results folder of runs, whatever else it holds.
    ///
    /// # Errors
    /// As [`Search::read`].
    pub fn of_folder(folder: &Path) -> Result<Option<Self>, FileError> {
        let is_results = is_plan(&folder.join(PLAN)) || is_parts(&folder.join(PARTS));
        if is_results { Ok(None) } else { Self::read(folder) }
    }

    /// In what another search differs: the first such field, in words.
    pub fn difference(&self, other: &Self) -> String {
        let (own, others) = (&self.description, &other.description);
        let fields = [own, others].into_iter().flat_map(|search| search.as_object().into_iter().flatten());
        let mut differing = fields.filter(|(name, _)| own.get(name.as_str()) != others.get(name.as_str()));
        match differing.next() {
            Some((name, _)) if name == "models" => "it differs in its models or what is searched".to_owned(),
            Some((name, _)) => format!("it differs in its {name}"),
            None => "it was written by another version of the program".to_owned(),
        }
    }

    /// The names of its models.
    pub fn models(&self) -> Vec<&str> {
        let models = self.description["models"].as_array().map_or(&[][..], Vec::as_slice);
        models.iter().filter_map(|model| model["name"].as_str()).collect()
    }
}

/// A search's folder that this process makes trials for, until it is dropped.
#[derive(Debug)]
pub struct SearchFolder {
    store: TrialStore,
    claims: Claims,
}

impl SearchFolder {
    /// The folder of a search, which need not exist, for a process at this place.
    pub fn of(results: &Path, place: &Place) -> Self {
        Self { store: TrialStore::of(results), claims: Claims::of(&results.join(LOCKS), Holder::here(place)) }
    }

    /// The trials.
    pub fn store(&self) -> &TrialStore {
        &self.store
    }

    /// Takes a trial, so that nobody else makes it meanwhile; none where somebody else does.
    ///
    /// # Errors
    /// When the claim's file can neither be made nor opened.
    pub fn claim(&self, model: &str, number: Option<usize>) -> Result<Option<Claim>, FileError> {
        self.claims.claim(&trial_store::name(model, number))
    }

    /// Whether any process makes a trial.
    pub fn is_at_work(&self) -> bool {
        self.claims.held().is_ok_and(|held| !held.is_empty())
    }
}

impl Drop for SearchFolder {
    fn drop(&mut self) {
        self.claims.sweep();
        // Not where others' claims are.
        let _ = fs::remove_dir(self.claims.folder());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host;

    #[test]
    fn processes_see_what_the_others_make() {
        let folder = tempfile::tempdir().expect("a folder");
        let place = Place { host: host::name(), task: None };
        let enter = || SearchFolder::of(folder.path(), &place);
        let (one, other) = (enter(), enter());
        let claim = other.claim("a.b", Some(1)).expect("writable").expect("free");
        assert!(one.claim("a.b", Some(1)).expect("readable").is_none());
        assert!(one.claim("a.b", Some(2)).expect("readable").is_some(), "names may have dots");
        assert!(one.is_at_work() && other.is_at_work());
        drop(claim);
        assert!(!one.is_at_work());
        let claim = one.claim("a.b", Some(1)).expect("readable").expect("free again");
        drop(other);
        assert!(one.is_at_work(), "the last one to leave removes the folder");
        drop((claim, one));
        assert!(!folder.path().join(LOCKS).exists(), "nothing is left");
    }
}
