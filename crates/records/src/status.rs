//! How far a results folder has come: what is known of each run of its plan.

use crate::{
    claim::{Claims, Holder},
    folder::LOCKS,
    host,
    plan_file::{PLAN, Plan},
    record::Place,
    store::{FileError, Store},
};
use serde::Serialize;
use std::{
    collections::{BTreeMap, BTreeSet},
    io,
    num::NonZero,
    path::Path,
    thread,
};

/// What is known of a planned run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "state", rename_all = "lowercase")]
pub enum State {
    /// Its record is there.
    Done,
    /// Its training diverged, and would diverge again.
    Failed {
        /// Why.
        problem: String,
    },
    /// A process makes it.
    Running {
        /// On which machine, as which task.
        place: Place,
        /// The process there.
        process: u32,
    },
    /// It is to be made.
    Missing,
    /// There are several records of other bits.
    Conflict,
    /// What is there is no sound record: it is to be made again.
    Damaged {
        /// What is wrong with it.
        problem: String,
    },
}

/// A planned run, and what is known of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RunStatus {
    /// Its identity.
    pub id: String,
    /// The model's name.
    pub model: String,
    /// The run's seed; none of a run of another program.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub seed: Option<u64>,
    /// What a run of another program is called.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub run: Option<String>,
    /// What is known of it.
    #[serde(flatten)]
    pub state: State,
}

/// How far a results folder of one data set has come.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Status {
    /// The study, in its author's words or by its models.
    pub study: String,
    /// Each run of the plan, in its order.
    pub runs: Vec<RunStatus>,
}

impl Status {
    /// How many runs are in a state.
    pub fn count(&self, of: impl Fn(&State) -> bool) -> usize {
        self.runs.iter().filter(|run| of(&run.state)).count()
    }
}

/// How many of the runs that a folder's plan names have a file, and how many there are: no file is opened, so that thousands of processes may
/// ask. A damaged file counts here.
///
/// # Errors
/// As [`status`].
pub fn progress(folder: &Path) -> Result<(usize, usize), FileError> {
    let plan = read_plan(folder)?;
    let store = Store::of(folder);
    let there: BTreeSet<String> = store.identities()?.into_iter().chain(store.failed_identities()).collect();
    Ok((plan.runs.iter().filter(|run| there.contains(&run.id)).count(), plan.runs.len()))
}

fn read_plan(folder: &Path) -> Result<Plan, FileError> {
    let error = |problem| FileError { path: folder.join(PLAN), problem };
    let plan = Plan::read(folder).map_err(|problem| {
        // The path stands before it in the error, too.
        let path = format!("{}: ", folder.join(PLAN).display());
        let problem = problem.strip_prefix(&path).unwrap_or(&problem).to_owned();
        error(io::Error::new(io::ErrorKind::InvalidData, problem))
    })?;
    plan.ok_or_else(|| error(io::ErrorKind::NotFound.into()))
}

/// The states of the runs that a folder's plan names. Nothing is written.
///
/// # Errors
/// When there is no plan, or the folder cannot be read.
pub fn status(folder: &Path) -> Result<Status, FileError> {
    let error = |problem| FileError { path: folder.join(PLAN), problem };
    let plan = read_plan(folder)?;
    let here = Holder::here(&Place { host: host::name(), task: None });
    let held = Claims::of(&folder.join(LOCKS), here).held().map_err(error)?;
    let held: BTreeMap<String, Holder> = held.into_iter().collect();
    let store = Store::of(folder);
    // Each record's seal is compared: that is what takes time, and a folder may hold ten thousand.
    let threads = thread::available_parallelism().map_or(1, NonZero::get);
    let share = plan.runs.len().div_ceil(threads).max(1);
    let mut runs: Vec<RunStatus> = thread::scope(|scope| {
        let parts: Vec<_> = plan
            .runs
            .chunks(share)
            .map(|runs| {
                let (store, held) = (&store, &held);
                scope.spawn(move || {
                    let status = |run: &crate::plan_file::PlannedRun| RunStatus {
                        id: run.id.clone(),
                        model: run.model.clone(),
                        seed: Some(run.seed),
                        run: None,
                        state: state(store, held, &run.id),
                    };
                    runs.iter().map(status).collect::<Vec<_>>()
                })
            })
            .collect();
        parts.into_iter().flat_map(|part| part.join().expect("reading does not panic")).collect()
    });
    runs.extend(plan.imported.iter().map(|run| RunStatus {
        id: run.id.clone(),
        model: run.model.clone(),
        seed: None,
        run: Some(run.run.clone()),
        state: match store.read_imported(&run.id) {
            Ok(Some(_)) => State::Done,
            Ok(None) => State::Missing,
            Err(problem) => State::Damaged { problem },
        },
    }));
    Ok(Status { study: plan.name, runs })
}

fn state(store: &Store, held: &BTreeMap<String, Holder>, id: &str) -> State {
    let results = store.results(id);
    if results.conflict().is_some() {
        return State::Conflict;
    }
    match (results.kept.first(), results.failed, held.get(id), results.damaged.into_iter().next()) {
        (Some(_), ..) => State::Done,
        (None, Some(run), ..) => State::Failed { problem: run.problem },
        (None, None, Some(Holder { place, process }), _) => {
            State::Running { place: place.clone(), process: *process }
        }
        (None, None, None, Some(problem)) => State::Damaged { problem },
        (None, None, None, None) => State::Missing,
    }
}
