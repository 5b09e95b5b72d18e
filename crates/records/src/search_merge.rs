//! Several folders of one search made one.
//!
//! A trial's result follows from the search alone, so what a folder holds is a set of trials, and merging is the union of such sets. Each
//! file of the merged folder follows from the united set: any order of any subsets comes to the same folder, byte for byte. Of several
//! records of a trial, which differ in times and machines, that of the least digest is taken.

use crate::{
    files::{FileError, read_plain_file, write_if_changed},
    plan_file::{PARTS, PLAN, is_parts, is_plan},
    sealed::Sealable,
    search_folder::{SEARCH, Search},
    trial::TrialRecord,
    trial_store::TrialStore,
};
use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

/// What a merging of searches found.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct MergedSearch {
    /// Trials that the merged folder has, those with nothing changed among them.
    pub trials: usize,
    /// Records of a trial beside the one that was taken, of the same result.
    pub repeated: usize,
    /// Files that are no sound trials of the search and were not taken: which, and why.
    pub damaged: Vec<String>,
}

/// Why folders of searches cannot be merged. Nothing was written.
#[derive(Debug, thiserror::Error)]
pub enum SearchMergeError {
    /// A file could not be read or written.
    #[error(transparent)]
    File(#[from] FileError),
    /// A folder is no search's.
    #[error("{}: the folder of a search expected, {found} found", folder.display())]
    NoSearch {
        /// The folder.
        folder: PathBuf,
        /// What is there.
        found: &'static str,
    },
    /// Two folders are of two searches.
    #[error("{}: holds another search than {}: {difference}", other.display(), one.display())]
    OtherSearch {
        /// The first folder.
        one: PathBuf,
        /// The folder whose search is another.
        other: PathBuf,
        /// In what it differs.
        difference: String,
    },
    /// Two records of a trial have different results.
    #[error("{} and {}: two records of one trial with different results", one.display(), other.display())]
    Conflict {
        /// The one file.
        one: PathBuf,
        /// The other.
        other: PathBuf,
    },
}

/// A record of a trial that may be taken.
struct Best {
    digest: String,
    path: PathBuf,
    record: TrialRecord,
}

/// Unites folders of a search in `out`, which may hold trials of it already. The inputs stay as they are, and no report is made.
///
/// # Errors
/// When an input is no search's, or another search's; when two records of a trial have different results; when `out` cannot be written.
pub fn merge_searches(out: &Path, inputs: &[PathBuf]) -> Result<MergedSearch, SearchMergeError> {
    let mut folders: Vec<PathBuf> = Vec::new();
    if is_plan(&out.join(PLAN)) || is_parts(&out.join(PARTS)) {
        return Err(SearchMergeError::NoSearch { folder: out.to_owned(), found: "results of runs" });
    }
    if Search::read(out)?.is_some() {
        folders.push(out.to_owned());
    }
    folders.extend(inputs.iter().cloned());
    let Some(search) = common(&folders)? else { return Ok(MergedSearch::default()) };
    let mut merged = MergedSearch::default();
    let mut best: BTreeMap<String, Best> = BTreeMap::new();
    for folder in &folders {
        let store = TrialStore::of(folder);
        for file in store.files()? {
            let path = store.folder().join(&file);
            let record = match store.read_file(&search.identity, &file) {
                Ok(Some(record)) => record,
                Ok(None) => continue,
                Err(problem) => {
                    merged.damaged.push(problem);
                    continue;
                }
            };
            let found = Best { digest: record.digest(), path, record };
            let Some(there) = best.get_mut(&file) else {
                best.insert(file, found);
                continue;
            };
            if !there.record.has_result_of(&found.record) {
                return Err(SearchMergeError::Conflict { one: there.path.clone(), other: found.path });
            }
            merged.repeated += usize::from(found.digest != there.digest);
            if found.digest < there.digest {
                *there = found;
            }
        }
    }
    merged.trials = best.len();
    let target = TrialStore::of(out);
    write_if_changed(&out.join(SEARCH), search.text().as_bytes())?;
    for (file, Best { path, .. }) in best {
        let bytes = read_plain_file(&path, TrialRecord::MAXIMUM_BYTES)
            .map_err(|problem| FileError { path, problem })?;
        write_if_changed(&target.folder().join(file), &bytes)?;
    }
    Ok(merged)
}

/// The search that all folders are of.
fn common(folders: &[PathBuf]) -> Result<Option<Search>, SearchMergeError> {
    let mut first: Option<(&PathBuf, Search)> = None;
    for folder in folders {
        let Some(search) = Search::read(folder)? else {
            let found = match (folder.is_dir(), folder.exists()) {
                (true, _) => "a folder without search.json",
                (_, true) => "a file",
                _ => "nothing",
            };
            return Err(SearchMergeError::NoSearch { folder: folder.clone(), found });
        };
        match &first {
            Some((one, there)) if *there != search => {
                return Err(SearchMergeError::OtherSearch {
                    one: (*one).clone(),
                    other: folder.clone(),
                    difference: there.difference(&search),
                });
            }
            Some(_) => {}
            None => first = Some((folder, search)),
        }
    }
    Ok(first.map(|(_, search)| search))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        record::{Environment, Place},
        trial::{Outcome, TRIAL_SCHEMA},
    };
    use serde_json::{Map, json};
    use std::fs;

    fn search(seed: u64) -> Search {
        Search::of(json!({ "seed": seed, "models": [{ "name": "a" }, { "name": "b.c" }] }))
    }

    fn trial(
        search: &Search,
        model: &str,
        number: Option<usize>,
        settings: u64,
        seconds: f64,
    ) -> TrialRecord {
        TrialRecord {
            schema: TRIAL_SCHEMA,
            search: search.identity.clone(),
            model: model.to_owned(),
            number,
            settings: Map::from_iter([("width".to_owned(), json!(settings))]),
            outcome: Outcome::Unusable("too small".to_owned()),
            specification: None,
            parameters: 0,
            epochs: Vec::new(),
            kept_epoch: 0,
            train_seconds: 0.0,
            total_seconds: seconds,
            environment: Environment {
                cpu: "cpu".to_owned(),
                threads: 1,
                kernels: "portable".to_owned(),
                engine_revision: 1,
                operating_system: "linux".to_owned(),
                version: "0.1.0".to_owned(),
                jobs: None,
                place: Some(Place { host: format!("host{seconds}"), task: None }),
            },
            warnings: Vec::new(),
            data_notes: Vec::new(),
        }
    }

    fn folder(root: &Path, name: &str, search: &Search, trials: &[TrialRecord]) -> PathBuf {
        let folder = root.join(name);
        fs::create_dir_all(&folder).expect("made");
        fs::write(folder.join(SEARCH), search.text()).expect("written");
        let store = TrialStore::of(&folder);
        trials.iter().for_each(|trial| store.write(trial).expect("written"));
        folder
    }

    fn content(folder: &Path) -> Vec<(String, Vec<u8>)> {
        let trials = folder.join("trials");
        let names = TrialStore::of(folder).files().expect("readable");
        let mut content: Vec<_> = names
            .into_iter()
            .map(|name| (name.clone(), fs::read(trials.join(name)).expect("there")))
            .collect();
        content.push((SEARCH.to_owned(), fs::read(folder.join(SEARCH)).expect("there")));
        content
    }

    #[test]
    fn any_order_of_any_subsets_comes_to_the_same_folder() {
        let root = tempfile::tempdir().expect("a folder");
        let of = search(1);
        let one =
            folder(root.path(), "1", &of, &[trial(&of, "a", None, 0, 1.0), trial(&of, "a", Some(0), 4, 2.0)]);
        let two = folder(
            root.path(),
            "2",
            &of,
            &[trial(&of, "a", Some(0), 4, 3.0), trial(&of, "b.c", Some(7), 5, 1.0)],
        );
        let three = folder(root.path(), "3", &of, &[trial(&of, "b.c", Some(7), 5, 0.5)]);
        let merged = |name: &str, steps: &[&[&PathBuf]]| {
            let out = root.path().join(name);
            let mut last = MergedSearch::default();
            for step in steps {
                let inputs: Vec<PathBuf> = step.iter().map(|folder| (*folder).clone()).collect();
                last = merge_searches(&out, &inputs).expect("one search");
            }
            assert_eq!(last.trials, 3);
            content(&out)
        };
        let whole = merged("whole", &[&[&one, &two, &three]]);
        assert_eq!(merged("turned", &[&[&three, &two, &one]]), whole);
        assert_eq!(merged("steps", &[&[&two], &[&three], &[&one, &two]]), whole);
        let first = merge_searches(&root.path().join("counted"), &[one, two, three]).expect("one search");
        assert_eq!(first, MergedSearch { trials: 3, repeated: 2, damaged: Vec::new() });
    }

    #[test]
    fn what_is_not_one_search_is_refused_and_nothing_is_written() {
        let root = tempfile::tempdir().expect("a folder");
        let (of, other) = (search(1), search(2));
        let one = folder(root.path(), "1", &of, &[trial(&of, "a", Some(0), 4, 1.0)]);
        let two = folder(root.path(), "2", &of, &[trial(&of, "a", Some(0), 5, 1.0)]);
        let three = folder(root.path(), "3", &other, &[]);
        let out = root.path().join("out");
        let refused = |inputs: &[&PathBuf]| {
            let inputs: Vec<PathBuf> = inputs.iter().map(|folder| (*folder).clone()).collect();
            let refused = merge_searches(&out, &inputs).expect_err("refused").to_string();
            assert!(!out.exists());
            refused
        };
        let conflict = refused(&[&one, &two]);
        let both = [&one, &two].map(|folder| folder.join("trials/a-0000.json").display().to_string());
        assert!(both.iter().all(|path| conflict.contains(path)), "{conflict}");
        let foreign = refused(&[&one, &three]);
        assert!(foreign.ends_with("it differs in its seed"), "{foreign}");
        assert!(refused(&[&one, &root.path().to_owned()]).ends_with("a folder without search.json found"));
        assert!(refused(&[&root.path().join("none")]).ends_with("nothing found"));
    }

    #[test]
    fn damaged_trials_and_those_of_another_search_are_left_out() {
        let root = tempfile::tempdir().expect("a folder");
        let (of, other) = (search(1), search(2));
        let one = folder(
            root.path(),
            "1",
            &of,
            &[trial(&other, "a", Some(1), 4, 1.0), trial(&of, "a", Some(0), 4, 1.0)],
        );
        let path = TrialStore::of(&one).path("a", Some(0));
        let text = fs::read_to_string(&path).expect("there");
        fs::write(&path, text.replace("too small", "too large")).expect("damaged");
        let merged = merge_searches(&root.path().join("out"), &[one]).expect("merged");
        assert_eq!((merged.trials, merged.damaged.len()), (0, 2));
        assert!(merged.damaged[0].contains("changed since it was written"), "{:?}", merged.damaged);
    }
}
