//! Several results folders of one study made one.
//!
//! What a folder holds is a set: of runs in its plan, of results of each run, of failures, of runs of other programs. Merging is the union of
//! such sets, and each file of the merged folder follows from the united set alone. So any order of any subsets comes to the same folder,
//! byte for byte. Of several results of the same bits, which differ in their times and machines, that with the fewest warnings is taken, and
//! of those that of the least digest. Weights go with the record whose fingerprint they have, and a run in conflict keeps none.

use crate::{
    files::write_if_changed,
    folder::{Entry, FolderError, StudyFolder},
    imported::ImportedRun,
    kept_models::{MAXIMUM_WEIGHTS_BYTES, stated_fingerprint},
    plan_file::{Engine, PARTS, Plan, is_parts, read_parts},
    question::Part,
    record::{FailedRun, RunRecord},
    sealed::Sealable,
    search_folder::Search,
    store::{FileError, Store, bits, difference, read_plain_file},
};
use sha2::{Digest, Sha256};
use std::{
    cmp::Reverse,
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
};

/// What a merging found.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Merged {
    /// The folders of results that were made: the folder itself, or those of its data sets.
    pub folders: Vec<PathBuf>,
    /// Records that the merged folder has.
    pub records: usize,
    /// Results of the same run and the same bits, of which one was taken.
    pub repeated: usize,
    /// Where records are of several engines: which have the figures, in words.
    pub engines: Vec<String>,
    /// Runs of which there are results of other bits, all of which are kept: in words.
    pub conflicts: Vec<String>,
    /// Files that are no sound records and were not taken: which, and why.
    pub damaged: Vec<String>,
    /// Weights that are not those of their run's record, and were not taken: which, and why.
    pub other_weights: Vec<String>,
}

/// Why folders cannot be merged. Nothing was written.
#[derive(Debug, thiserror::Error)]
pub enum MergeError {
    /// The merged folder cannot be worked in, or a file of it not be written.
    #[error(transparent)]
    Folder(#[from] FolderError),
    /// A folder or file could not be read or written.
    #[error(transparent)]
    File(#[from] FileError),
    /// A folder has no plan that can be read.
    #[error("{}: a results folder expected, {found} found", folder.display())]
    NoPlan {
        /// The folder.
        folder: PathBuf,
        /// What is there.
        found: String,
    },
    /// A folder's plan cannot be read.
    #[error("{problem}")]
    DamagedPlan {
        /// Which file, and why.
        problem: String,
    },
    /// Two folders are of two studies.
    #[error("{}: holds the study \"{found}\", and {} the study \"{expected}\"{}", other.display(), one.display(), alike(expected, found))]
    OtherStudy {
        /// The first folder.
        one: PathBuf,
        /// The name of its study.
        expected: String,
        /// The folder whose study is another.
        other: PathBuf,
        /// The name of that.
        found: String,
    },
}

fn alike(one: &str, other: &str) -> &'static str {
    if one == other { ": other models, recipes, data or questions" } else { "" }
}

/// Unites results folders in `out`, which may hold results of the study already. The inputs stay as they are.
///
/// # Errors
/// When an input is no results folder, or another study's; when `out` is another study's, or cannot be written.
pub fn merge(out: &Path, inputs: &[PathBuf]) -> Result<Merged, MergeError> {
    let mut all: Vec<PathBuf> = Vec::new();
    match Plan::read(out) {
        Ok(Some(_)) => all.push(out.to_owned()),
        Ok(None) if is_parts(&out.join(PARTS)) => all.push(out.to_owned()),
        // What cannot be told to be of the study must not be written over.
        Err(problem) => return Err(MergeError::DamagedPlan { problem }),
        Ok(None) if Store::of(out).identities()?.is_empty() => {}
        Ok(None) => {
            return Err(MergeError::NoPlan {
                folder: out.to_owned(),
                found: "records without a plan".to_owned(),
            });
        }
    }
    if all.is_empty() && Search::read(out)?.is_some() {
        return Err(MergeError::NoPlan {
            folder: out.to_owned(),
            found: "the folder of a search".to_owned(),
        });
    }
    for input in inputs {
        // Named twice, it is one.
        if !all.iter().any(|known| same_file(known, input)) {
            all.push(input.clone());
        }
    }
    for folder in &all {
        let found = if folder.exists() { "a file" } else { "nothing" };
        if !folder.is_dir() {
            return Err(MergeError::NoPlan { folder: folder.clone(), found: found.to_owned() });
        }
    }
    let parts: Vec<Vec<Part>> = all.iter().map(|folder| read_parts(folder)).collect::<Result<_, _>>()?;
    let mut merged = Merged::default();
    let [first, others @ ..] = &parts[..] else { return Ok(merged) };
    if let Some(other) = others.iter().position(|parts| parts != first) {
        let name = |parts: &[Part]| match parts {
            [] => "a study over one data set".to_owned(),
            parts => parts.iter().map(|part| part.dataset.as_str()).collect::<Vec<_>>().join(", "),
        };
        return Err(MergeError::OtherStudy {
            one: all[0].clone(),
            expected: name(first),
            other: all[other + 1].clone(),
            found: name(&parts[other + 1]),
        });
    }
    if first.is_empty() {
        merged.of_one(out, &all, &plans(&all)?)?;
        return Ok(merged);
    }
    let folders = |part: &Part| all.iter().map(|folder| folder.join(&part.folder)).collect::<Vec<_>>();
    // All are looked at before anything is written.
    let mut planned = Vec::new();
    for part in first {
        // A process that was ended early may not have come to all data sets.
        let begun = |folder: &PathBuf| !matches!(Plan::read(folder), Ok(None));
        let folders: Vec<PathBuf> = folders(part).into_iter().filter(begun).collect();
        let plans = plans(&folders)?;
        planned.push((part, folders, plans));
    }
    let _folder = StudyFolder::open_parts(out, "a study over several data sets", first, Entry::Join)?;
    for (part, folders, plans) in &planned {
        merged.of_one(&out.join(&part.folder), folders, plans)?;
    }
    Ok(merged)
}

/// The plans of the folders, all of one study.
fn plans(folders: &[PathBuf]) -> Result<Vec<Plan>, MergeError> {
    let mut plans: Vec<Plan> = Vec::new();
    for folder in folders {
        let none = |found: &str| MergeError::NoPlan { folder: folder.clone(), found: found.to_owned() };
        let plan = match Plan::read(folder) {
            Ok(Some(plan)) => plan,
            Ok(None) => return Err(none("a folder without a plan")),
            Err(problem) => return Err(MergeError::DamagedPlan { problem }),
        };
        if let Some(first) = plans.first()
            && first.study != plan.study
            && !first.differs_by_engine_alone(&plan)
        {
            return Err(MergeError::OtherStudy {
                one: folders[0].clone(),
                expected: first.name.clone(),
                other: folder.clone(),
                found: plan.name,
            });
        }
        plans.push(plan);
    }
    Ok(plans)
}

/// The union of plans of one study for each engine. The first is the folder's: that of the engine which has most of its runs' records, of
/// those the greatest engine. The others' records stand apart.
fn united(folders: &[PathBuf], plans: &[Plan], is_sound: impl Fn(&str) -> bool) -> Vec<Plan> {
    let mut of_engines: BTreeMap<Option<Engine>, Plan> = BTreeMap::new();
    let apart = folders.iter().flat_map(|folder| Plan::read_apart(folder));
    for plan in plans.iter().cloned().chain(apart) {
        let is_of_study = plans
            .first()
            .is_some_and(|first| first.study == plan.study || first.differs_by_engine_alone(&plan));
        match of_engines.get_mut(&plan.engine) {
            _ if !is_of_study => {}
            Some(united) => united.unite(&plan),
            None => {
                of_engines.insert(plan.engine.clone(), plan);
            }
        }
    }
    let mut united: Vec<Plan> = of_engines.into_values().collect();
    if united.len() > 1 {
        // What is damaged is not merged, and does not count.
        let made = |plan: &Plan| plan.runs.iter().filter(|run| is_sound(&run.id)).count();
        united.sort_by_cached_key(|plan| Reverse((made(plan), plan.engine.clone())));
    }
    united
}

impl Merged {
    fn of_one(&mut self, out: &Path, folders: &[PathBuf], plans: &[Plan]) -> Result<(), MergeError> {
        let mut ids = BTreeSet::new();
        for store in folders.iter().map(|folder| Store::of(folder)) {
            ids.extend(store.identities()?);
            ids.extend(store.conflicting());
        }
        let is_sound = |id: &str| folders.iter().any(|folder| !Store::of(folder).results(id).kept.is_empty());
        let united = united(folders, plans, is_sound);
        let [plan, apart @ ..] = &united[..] else { return Ok(()) };
        let workplace = StudyFolder::open_for(out, plan)?;
        Plan::write_apart(out, apart)?;
        if let (Some(engine), false) = (&plan.engine, apart.is_empty()) {
            self.engines.push(format!(
                "{}: the figures are those of {engine}, which has most of the records",
                out.display()
            ));
        }
        let (stores, store) =
            (folders.iter().map(|folder| Store::of(folder)).collect::<Vec<_>>(), workplace.store());
        for id in &ids {
            self.of_run(store, &stores, id)?;
        }
        unite(
            &stores,
            Store::failed_identities,
            |id| store.failed_path(id),
            &mut self.damaged,
            Store::failed_path,
            |store, id| store.read_failed(id).map(|run| run.as_ref().map(FailedRun::digest)),
        )?;
        unite(
            &stores,
            Store::imported_identities,
            |id| store.imported_path(id),
            &mut self.damaged,
            Store::imported_path,
            |store, id| store.read_imported(id).map(|run| run.as_ref().map(ImportedRun::digest)),
        )?;
        for id in &ids {
            // Two results of different bits were told above.
            let results = store.results(id);
            if let ([one], Some(difference)) = (&results.kept[..], results.conflict()) {
                let run = &one.record.specification;
                self.conflicts.push(format!("model {}, seed {}: {difference}", run.model, run.seed));
            }
        }
        self.weights(store, &stores, &ids)?;
        self.folders.push(out.to_owned());
        Ok(())
    }

    /// Takes all results of one run.
    fn of_run(&mut self, out: &Store, stores: &[Store], id: &str) -> Result<(), FileError> {
        /// Of the same bits, the one that is taken.
        struct Best {
            key: (usize, String),
            path: PathBuf,
            record: RunRecord,
        }
        let mut outcomes: BTreeMap<String, Best> = BTreeMap::new();
        let mut sound = Vec::new();
        for store in stores {
            for path in std::iter::once(store.path(id)).chain(store.conflicts_of(id)) {
                let record = match store.read_at(&path, id) {
                    Ok(Some(record)) => record,
                    Ok(None) => continue,
                    Err(problem) => {
                        self.damaged.push(problem);
                        continue;
                    }
                };
                let (outcome, key) = (bits(&record), (record.warnings.len(), record.digest()));
                sound.push(path.clone());
                match outcomes.get_mut(&outcome) {
                    None => {
                        outcomes.insert(outcome, Best { key, path, record });
                    }
                    Some(best) => {
                        self.repeated += usize::from(!same_file(&best.path, &path) && key != best.key);
                        if key < best.key {
                            *best = Best { key, path, record };
                        }
                    }
                }
            }
        }
        let mut by_key: Vec<(String, Best)> = outcomes.into_iter().collect();
        by_key.sort_by(|(_, one), (_, other)| one.key.cmp(&other.key));
        if let [(_, one), (_, other), ..] = &by_key[..] {
            let run = &one.record.specification;
            let difference = difference(&one.record, &other.record);
            self.conflicts.push(format!("model {}, seed {}: {difference}", run.model, run.seed));
        }
        // Read before any is written: files of the merged folder itself may be among them.
        let mut files = Vec::new();
        for (index, (outcome, best)) in by_key.iter().enumerate() {
            let bytes = read_plain_file(&best.path, RunRecord::MAXIMUM_BYTES)
                .map_err(|problem| FileError { path: best.path.clone(), problem })?;
            files.push((if index == 0 { out.path(id) } else { out.conflict_path(id, outcome) }, bytes));
        }
        for (path, bytes) in &files {
            write_if_changed(path, bytes)?;
        }
        // What stands in `records/` now need not be among the conflicts. A damaged file may be the trace of one.
        let is_kept = |path: &PathBuf| files.iter().any(|(kept, _)| kept == path);
        for path in out.conflicts_of(id).iter().filter(|path| sound.contains(path) && !is_kept(path)) {
            let _ = fs::remove_file(path);
        }
        self.records += usize::from(!files.is_empty());
        Ok(())
    }

    /// Takes the weights of each run's one record, where a folder has them.
    fn weights(&mut self, out: &Store, stores: &[Store], ids: &BTreeSet<String>) -> Result<(), FileError> {
        let (mut there, mut before) = (BTreeMap::<String, Vec<PathBuf>>::new(), out.weights()?);
        for (id, path) in stores.iter().map(Store::weights).collect::<Result<Vec<_>, _>>()?.concat() {
            there.entry(id).or_default().push(path);
        }
        before.retain(|(id, _)| ids.contains(id));
        for (id, paths) in there.iter().filter(|(id, _)| ids.contains(*id)) {
            let results = out.results(id);
            // What is in conflict may be of either result.
            let ([one], None) = (&results.kept[..], results.conflict()) else { continue };
            let Some((_, bytes)) = self.least_weights(&one.record, paths)? else { continue };
            let target = out.weights_path(&one.record.specification, id);
            write_if_changed(&target, &bytes)?;
            before.retain(|(_, path)| *path != target);
        }
        // What stands there otherwise belongs to no record of the merged folder.
        for (_, path) in before {
            fs::remove_file(&path).map_err(|problem| FileError { path, problem })?;
        }
        Ok(())
    }

    /// Of files of weights those of the record. They differ in the times that they state: of several the one of the least digest.
    fn least_weights(
        &mut self,
        record: &RunRecord,
        paths: &[PathBuf],
    ) -> Result<Option<Digested>, FileError> {
        let mut least: Option<Digested> = None;
        for path in paths {
            match stated_fingerprint(path) {
                Some(stated) if stated == record.fingerprint => {
                    let bytes = read_plain_file(path, MAXIMUM_WEIGHTS_BYTES)
                        .map_err(|problem| FileError { path: path.clone(), problem })?;
                    let digest = Sha256::digest(&bytes).into();
                    if least.as_ref().is_none_or(|(known, _)| digest < *known) {
                        least = Some((digest, bytes));
                    }
                }
                stated => self.other_weights.push(format!(
                    "{}: weights of the fingerprint {} expected, as the record has it, {} found: not taken",
                    path.display(),
                    record.fingerprint,
                    stated.as_deref().unwrap_or("none")
                )),
            }
        }
        Ok(least)
    }
}

/// SHA-256 of a file's bytes and the bytes.
type Digested = ([u8; 32], Vec<u8>);

/// Takes of each identity the file of the least digest.
fn unite(
    stores: &[Store],
    identities: impl Fn(&Store) -> Vec<String>,
    target: impl Fn(&str) -> PathBuf,
    damaged: &mut Vec<String>,
    path: impl Fn(&Store, &str) -> PathBuf,
    read: impl Fn(&Store, &str) -> Result<Option<String>, String>,
) -> Result<(), FileError> {
    let ids: BTreeSet<String> = stores.iter().flat_map(identities).collect();
    for id in ids {
        let mut best: Option<(String, PathBuf)> = None;
        for store in stores {
            match read(store, &id) {
                Ok(Some(digest)) if best.as_ref().is_none_or(|(least, _)| digest < *least) => {
                    best = Some((digest, path(store, &id)));
                }
                Ok(_) => {}
                Err(problem) => damaged.push(problem),
            }
        }
        if let Some((_, path)) = best {
            let bytes = read_plain_file(&path, RunRecord::MAXIMUM_BYTES)
                .map_err(|problem| FileError { path: path.clone(), problem })?;
            write_if_changed(&target(&id), &bytes)?;
        }
    }
    Ok(())
}

fn same_file(one: &Path, other: &Path) -> bool {
    match (fs::canonicalize(one), fs::canonicalize(other)) {
        (Ok(one), Ok(other)) => one == other,
        _ => false,
    }
}
