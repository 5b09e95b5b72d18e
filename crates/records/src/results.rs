//! What a results folder holds: the records of its plan, and what is missing of them.

pub use crate::plan_file::read_parts;

use crate::{
    identity::{run_id, seedless},
    imported::ImportedRun,
    left_out::{Apart, ConflictingRun, LeftOut, MissingRun},
    plan_file::{Engine, Plan},
    question::Question,
    record::{Environment, FailedRun, RunRecord, RunSpec},
    store::{FileError, RecordHead, Results, Store},
};
use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
};

/// What a results folder holds.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Collection {
    /// The plan's records that there are, in its order; without a plan all, by seed and then by model. No two of them that
    /// are of different networks, recipes or data bear one model's name.
    pub records: Vec<RunRecord>,
    /// The plan's runs of other programs, in its order.
    pub imported: Vec<ImportedRun>,
    /// The plan's runs that came to no result, in its order.
    pub failed: Vec<FailedRun>,
    /// The plan's runs of which there is nothing that can be used, and records that are of no run of the plan.
    pub left_out: LeftOut,
    /// What the study asks.
    pub question: Question,
    /// What a reader of the records must know: runs that are missing, records that other runs have.
    pub notes: Vec<String>,
    /// What was lost: files that should be records and are not. Part of the notes too.
    pub losses: Vec<String>,
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
    /// Every run that was made failed.
    #[error("{}: no run came to a result; {}", folder.display(), failed.first().map_or_else(String::new, describe_failure))]
    AllFailed {
        /// The results folder.
        folder: PathBuf,
        /// The runs.
        failed: Vec<FailedRun>,
    },
}

/// The last folder and the name of a path.
fn within(path: &Path) -> String {
    let names = [path.parent().and_then(Path::file_name), path.file_name()];
    names.into_iter().flatten().map(|name| name.to_string_lossy()).collect::<Vec<_>>().join("/")
}

fn reasons(notes: &[String]) -> String {
    notes.first().map_or_else(String::new, |note| format!(" ({note})"))
}

/// A failed run in words.
pub fn describe_failure(run: &FailedRun) -> String {
    format!("model {}, seed {}: {}", run.specification.model, run.specification.seed, run.problem)
}

/// Reads the records of a results folder: the same records in the same order for the same files.
///
/// # Errors
/// When the folder cannot be read or holds no usable record.
pub fn collect(results: &Path) -> Result<Collection, CollectError> {
    let store = Store::of(results);
    let present = store.identities()?;
    let mut collection = Collection::default();
    match Plan::read(results) {
        Ok(Some(plan)) => {
            collection.question = plan.question.clone();
            collection.notes.clone_from(&plan.notes);
            collection.of_plan(&store, &plan, &present);
        }
        other => {
            if let Err(problem) = other {
                collection.lose(format!("{problem}: every record of the folder is taken"));
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
    collection.tell_apart();
    let folder = results.to_owned();
    if collection.records.is_empty() && collection.imported.is_empty() {
        return Err(match collection.failed.is_empty() {
            true => CollectError::NoRecord { folder, notes: collection.notes },
            false => CollectError::AllFailed { folder, failed: collection.failed },
        });
    }
    Ok(collection)
}

impl Collection {
    fn of_plan(&mut self, store: &Store, plan: &Plan, present: &[String]) {
        for run in &plan.runs {
            if self.take(store, &run.id) {
                continue;
            }
            self.left_out.missing.push(MissingRun {
                id: run.id.clone(),
                model: run.model.clone(),
                seed: run.seed,
            });
        }
        self.tell_missing(plan.runs.len());
        for run in &plan.imported {
            match store.read_imported(&run.id) {
                Ok(Some(run)) => self.imported.push(run),
                Ok(None) => self.lose(format!(
                    "the imported run {} of {} is not in the folder any more: the command that began the study reads it again",
                    run.run, run.model
                )),
                Err(problem) => self.lose(format!("{problem}: left out")),
            }
        }
        self.tell_others(store, plan, present);
    }

    /// That runs are missing, and what follows from it.
    fn tell_missing(&mut self, planned: usize) {
        let missing = &self.left_out.missing;
        if missing.is_empty() {
            return;
        }
        const NAMED: usize = 6;
        let named: Vec<String> =
            missing.iter().take(NAMED).map(|run| format!("{} seed {}", run.model, run.seed)).collect();
        let more = if missing.len() > NAMED { ", …" } else { "" };
        self.lose(format!(
            "{} of {planned} planned runs {} no usable record ({}{more}): the command that began the study makes {}",
            missing.len(),
            if missing.len() == 1 { "has" } else { "have" },
            named.join(", "),
            if missing.len() == 1 { "it" } else { "them" }
        ));
    }

    /// Records that this study does not ask for; those of its runs that another engine made are named as such.
    fn tell_others(&mut self, store: &Store, plan: &Plan, present: &[String]) {
        let planned: BTreeSet<&str> = plan.runs.iter().map(|run| run.id.as_str()).collect();
        let names: BTreeSet<(&str, u64)> =
            plan.runs.iter().map(|run| (run.model.as_str(), run.seed)).collect();
        let mut apart: BTreeMap<Engine, usize> = BTreeMap::new();
        let mut others = 0;
        for id in present.iter().filter(|id| !planned.contains(id.as_str())) {
            let engine = plan.engine.as_ref().and_then(|own| {
                let RecordHead { specification: run, environment, .. } = store.read_head(id)?;
                let engine = Engine::of(&environment);
                // What the plan's engine would have made of the same specification.
                let Engine { revision: engine_revision, kernels } = own.clone();
                let here = Environment { engine_revision, kernels, ..environment };
                let is_planned = names.contains(&(run.model.as_str(), run.seed))
                    && planned.contains(&*run_id(&run, &here));
                (engine != *own && is_planned).then_some(engine)
            });
            match engine {
                Some(engine) => *apart.entry(engine).or_default() += 1,
                None => others += 1,
            }
        }
        for (engine, records) in apart {
            let noun = if records == 1 { "record" } else { "records" };
            self.notes.push(format!(
                "{records} {noun} of this study's runs made with {engine} stand apart: their bits differ, so they are excluded from every figure"
            ));
            let Engine { revision, kernels } = engine;
            self.left_out.apart.push(Apart { engine_revision: revision, kernels, records });
        }
        if others > 0 {
            let noun = if others == 1 { "record" } else { "records" };
            self.notes.push(format!("{others} {noun} of runs that this study does not ask for left out"));
        }
    }

    /// Adds a record, or that the run failed or has several results; whether there is anything of the run.
    fn take(&mut self, store: &Store, id: &str) -> bool {
        let results = store.results(id);
        let conflict = results.conflict();
        let Results { mut kept, failed, damaged } = results;
        for problem in damaged {
            self.lose(format!("{problem}: left out"));
        }
        let Some(difference) = conflict else {
            let is_there = !kept.is_empty() || failed.is_some();
            self.records.extend(kept.pop().map(|result| result.record));
            self.failed.extend(failed);
            return is_there;
        };
        let run = &kept[0].record.specification;
        self.lose(format!("model {}, seed {}: {difference}: in no figure", run.model, run.seed));
        let of_failed = failed.map(|_| format!("failed/{id}.json"));
        self.left_out.conflicts.push(ConflictingRun {
            id: id.to_owned(),
            model: run.model.clone(),
            seed: run.seed,
            difference,
            files: kept.iter().map(|result| within(&result.path)).chain(of_failed).collect(),
        });
        true
    }

    fn lose(&mut self, note: String) {
        self.losses.push(note.clone());
        self.notes.push(note);
    }

    /// Gives models that are not the same but bear one name a number each: `m (1)`, `m (2)`.
    fn tell_apart(&mut self) {
        let mut kinds: BTreeMap<String, Vec<RunSpec>> = BTreeMap::new();
        for record in &self.records {
            let kind = seedless(&record.specification);
            let known = kinds.entry(kind.model.clone()).or_default();
            if !known.contains(&kind) {
                known.push(kind);
            }
        }
        for (name, kinds) in kinds.iter().filter(|(_, kinds)| kinds.len() > 1) {
            for record in self.records.iter_mut().filter(|record| record.specification.model == *name) {
                let kind = seedless(&record.specification);
                let number = kinds.iter().position(|known| *known == kind).map_or(0, |index| index + 1);
                record.specification.model = format!("{name} ({number})");
            }
            self.notes.push(format!(
                "{} models of different layers, recipes or data are named {name}: they are told apart as {name} (1) to {name} ({})",
                kinds.len(),
                kinds.len()
            ));
        }
    }
}
