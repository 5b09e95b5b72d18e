//! A plan carried out, run by run.

use crate::{
    record::{RunRecord, RunSpec},
    run::{Laboratory, RunError},
    store::{FileError, Store},
};
use std::ops::ControlFlow;
use train::Event;

/// What happens while a plan is carried out.
#[derive(Debug, Clone, Copy)]
pub enum StudyEvent<'a> {
    /// A run begins.
    Started {
        /// Its place in the plan, from 0.
        index: usize,
        /// Runs of the plan.
        total: usize,
        /// What it is.
        specification: &'a RunSpec,
    },
    /// It goes on.
    Training(Event),
    /// It is done, and its record is on disk.
    Finished {
        /// Its place in the plan, from 0.
        index: usize,
        /// Runs of the plan.
        total: usize,
        /// Whether the record was there already.
        reused: bool,
        /// The record.
        record: &'a RunRecord,
    },
    /// Something that the user must know.
    Note(&'a str),
}

/// How far a plan was carried out.
#[derive(Debug)]
pub struct Execution {
    /// The records of the plan that there are, in its order.
    pub records: Vec<RunRecord>,
    /// Records that were left aside and the like.
    pub notes: Vec<String>,
    /// Why it ended before its end.
    pub ended: Option<ExecutionError>,
}

/// Why a plan was not carried out to its end.
#[derive(Debug, thiserror::Error)]
pub enum ExecutionError {
    /// A run failed or was interrupted.
    #[error(transparent)]
    Run(#[from] RunError),
    /// A record could not be written.
    #[error(transparent)]
    File(#[from] FileError),
}

/// Makes the runs of `plan` whose records are not in `store`, and keeps each record before the next run begins.
///
/// With `fresh`, every run is made. A record from another processor, number of threads or instruction set is made
/// anew: its seconds cannot stand beside this machine's.
pub fn execute(
    laboratory: &Laboratory,
    plan: &[RunSpec],
    store: &Store,
    fresh: bool,
    listener: &mut (dyn FnMut(StudyEvent) -> ControlFlow<()> + Send),
) -> Execution {
    let mut execution = Execution { records: Vec::new(), notes: Vec::new(), ended: None };
    for (index, specification) in plan.iter().enumerate() {
        let total = plan.len();
        let kept =
            if fresh { None } else { reusable(laboratory, specification, store, &mut execution, listener) };
        let reused = kept.is_some();
        let record = match kept {
            Some(record) => record,
            None => {
                // A break is honoured by the training's own first event.
                let _ = listener(StudyEvent::Started { index, total, specification });
                match run_and_keep(laboratory, specification, store, listener) {
                    Ok(record) => record,
                    Err(error) => {
                        execution.ended = Some(error);
                        return execution;
                    }
                }
            }
        };
        let _ = listener(StudyEvent::Finished { index, total, reused, record: &record });
        execution.records.push(record);
    }
    execution
}

fn run_and_keep(
    laboratory: &Laboratory,
    specification: &RunSpec,
    store: &Store,
    listener: &mut (dyn FnMut(StudyEvent) -> ControlFlow<()> + Send),
) -> Result<RunRecord, ExecutionError> {
    let mut forward = |event: Event| listener(StudyEvent::Training(event));
    let record = laboratory.run(specification, &mut forward)?.record;
    store.write(&record)?;
    Ok(record)
}

fn reusable(
    laboratory: &Laboratory,
    specification: &RunSpec,
    store: &Store,
    execution: &mut Execution,
    listener: &mut (dyn FnMut(StudyEvent) -> ControlFlow<()> + Send),
) -> Option<RunRecord> {
    let environment = laboratory.environment();
    let note = match store.read(&crate::plan::run_id(specification, &environment.version)) {
        Ok(None) => return None,
        Ok(Some(record)) if record.environment == environment => return Some(record),
        Ok(Some(record)) => format!(
            "record {} of {} is from another machine or setting ({}, {} threads, {}): trained again",
            record.id,
            specification.model,
            record.environment.cpu,
            record.environment.threads,
            record.environment.kernels
        ),
        Err(problem) => format!("{problem}: left aside, trained again"),
    };
    let _ = listener(StudyEvent::Note(&note));
    execution.notes.push(note);
    None
}
