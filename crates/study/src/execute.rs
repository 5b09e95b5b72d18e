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
/// anew: its seconds cannot stand beside this machine's. Why a record was made in the place of another is among its
/// warnings.
///
/// # Errors
/// When a run or writing its record failed; the records before it are in the store.
pub fn execute(
    laboratory: &Laboratory,
    plan: &[RunSpec],
    store: &Store,
    fresh: bool,
    listener: &mut (dyn FnMut(StudyEvent) -> ControlFlow<()> + Send),
) -> Result<(), ExecutionError> {
    for (index, specification) in plan.iter().enumerate() {
        let total = plan.len();
        let mut warnings = Vec::new();
        let kept = if fresh { None } else { reusable(laboratory, specification, store, &mut warnings) };
        for warning in &warnings {
            let _ = listener(StudyEvent::Note(warning));
        }
        let reused = kept.is_some();
        let record = match kept {
            Some(record) => record,
            None => {
                // A break is honoured by the training's own first event.
                let _ = listener(StudyEvent::Started { index, total, specification });
                let mut forward = |event: Event| listener(StudyEvent::Training(event));
                let mut record = laboratory.run(specification, &mut forward)?.record;
                record.warnings.splice(0..0, warnings);
                store.write(&record)?;
                record
            }
        };
        let _ = listener(StudyEvent::Finished { index, total, reused, record: &record });
    }
    Ok(())
}

/// The record that is there, if it will do; else why not, where there is one.
fn reusable(
    laboratory: &Laboratory,
    specification: &RunSpec,
    store: &Store,
    warnings: &mut Vec<String>,
) -> Option<RunRecord> {
    let environment = laboratory.environment();
    let warning = match store.read(&crate::plan::run_id(specification, &environment.version)) {
        Ok(None) => return None,
        Ok(Some(record)) if record.environment == environment => return Some(record),
        Ok(Some(record)) => format!(
            "record {} of {} was from another machine or setting ({}, {} threads, {}): trained again",
            record.id,
            specification.model,
            record.environment.cpu,
            record.environment.threads,
            record.environment.kernels
        ),
        Err(problem) => format!("{problem}: left aside, trained again"),
    };
    warnings.push(warning);
    None
}
