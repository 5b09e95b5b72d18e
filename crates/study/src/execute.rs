//! A plan carried out, run by run.

use crate::{
    run::{RunError, Session},
    telling::Telling,
};
use records::{
    event::{Event, Kind, Run, Work},
    folder::StudyFolder,
    identity::run_id,
    record::{FailedRun, RunSpec},
    store::{FileError, Store},
};
use std::{ops::ControlFlow, thread, time::Duration};

/// Why a plan was not carried out to its end.
#[derive(Debug, thiserror::Error)]
pub enum ExecutionError {
    /// A run could not be made or was interrupted.
    #[error(transparent)]
    Run(#[from] RunError),
    /// A record could not be written.
    #[error(transparent)]
    File(#[from] FileError),
    /// The user asked for the end while other programs made the runs that were left.
    #[error("interrupted while other programs made {runs} runs")]
    Interrupted {
        /// How many they were.
        runs: usize,
    },
}

/// How long to wait before looking again whether another program has made a run.
const LOOK_AGAIN: Duration = Duration::from_millis(200);

/// Makes the runs of `plan` whose records are not in the folder, and keeps each record before the next run begins. A run that
/// another program makes meanwhile is waited for, and made here after all where that one ends without it.
///
/// With `fresh`, every run is made, and takes the place of what was there. Why a record was made in the place of another is
/// among its warnings.
///
/// The listener hears what happens; a break ends the run after its step, and so the plan.
///
/// A run whose training diverges is kept as a [`FailedRun`], and the others go on: the failed ones are returned, in the order
/// of the plan.
///
/// # Errors
/// When a run cannot be made, is interrupted, or its record cannot be written; the records before it are in the folder.
pub fn execute(
    session: &Session,
    plan: &[RunSpec],
    folder: &StudyFolder,
    fresh: bool,
    listener: &mut (dyn FnMut(&Event) -> ControlFlow<()> + Send),
) -> Result<Vec<FailedRun>, ExecutionError> {
    let mut execution = Execution { session, folder, total: plan.len(), fresh, listener };
    let mut failed = Vec::new();
    let mut left: Vec<(usize, &RunSpec)> = plan.iter().enumerate().collect();
    while !left.is_empty() {
        let before = left.len();
        let mut busy = Vec::new();
        for (index, specification) in left {
            match execution.run(index, specification)? {
                Progress::Busy => busy.push((index, specification)),
                Progress::Finished => {}
                Progress::Failed(run) => failed.push((index, *run)),
            }
        }
        left = busy;
        if !left.is_empty() && left.len() == before {
            let runs = left.len();
            if (execution.listener)(&Event { work: None, kind: Kind::Waiting { runs } }).is_break() {
                return Err(ExecutionError::Interrupted { runs });
            }
            thread::sleep(LOOK_AGAIN);
        }
    }
    failed.sort_by_key(|(index, _)| *index);
    Ok(failed.into_iter().map(|(_, run)| run).collect())
}

struct Execution<'a> {
    session: &'a Session,
    folder: &'a StudyFolder,
    total: usize,
    fresh: bool,
    listener: &'a mut (dyn FnMut(&Event) -> ControlFlow<()> + Send),
}

/// How far a run has come.
enum Progress {
    /// Another program makes it.
    Busy,
    Finished,
    Failed(Box<FailedRun>),
}

impl Execution<'_> {
    fn store(&self) -> &Store {
        self.folder.store()
    }

    /// Finds a run made, or makes it.
    fn run(&mut self, index: usize, specification: &RunSpec) -> Result<Progress, ExecutionError> {
        let id = run_id(specification, &self.session.environment());
        if let Some(done) = self.there(index, &id) {
            return Ok(done);
        }
        let Some(claim) = self.folder.claim(&id)? else { return Ok(Progress::Busy) };
        // Another program may have finished it before it was claimed here.
        if let Some(done) = self.there(index, &id) {
            return Ok(done);
        }
        let made = self.make(index, specification, &id);
        drop(claim);
        made
    }

    /// What is in the folder, unless all is to be made again.
    fn there(&mut self, index: usize, id: &str) -> Option<Progress> {
        if self.fresh {
            return None;
        }
        let work = |specification| Some(Work::Run(Run::of(index, self.total, specification)));
        if let Ok(Some(record)) = self.store().read(id) {
            let work = work(&record.specification);
            let _ = (self.listener)(&Event { work, kind: Kind::finished(true, &record) });
            return Some(Progress::Finished);
        }
        let run = self.store().read_failed(id).ok().flatten()?;
        let work = work(&run.specification);
        let _ = (self.listener)(&Event { work, kind: Kind::failed(true, &run) });
        Some(Progress::Failed(Box::new(run)))
    }

    fn make(&mut self, index: usize, specification: &RunSpec, id: &str) -> Result<Progress, ExecutionError> {
        let mut warnings = Vec::new();
        let before = self.store().read(id);
        if let (Err(problem), false) = (&before, self.fresh) {
            let aside = self.store().set_aside(id)?;
            warnings.push(format!("{problem}: moved to {}, trained again", aside.display()));
        }
        for warning in &warnings {
            let _ = (self.listener)(&Event::note(warning.as_str()));
        }
        // A break is honoured by the training's own first event.
        let mut telling = Telling::of_run(index, self.total, specification);
        let _ = (self.listener)(telling.event());
        let listener = &mut *self.listener;
        let mut forward = |event: train::Event| listener(telling.of_training(event));
        let mut record = match self.session.attempt(specification, &mut forward)? {
            Ok(finished) => finished.record,
            Err(run) => {
                self.store().write_failed(&run)?;
                let _ = (self.listener)(telling.of_kind(Kind::failed(false, &run)));
                return Ok(Progress::Failed(Box::new(run)));
            }
        };
        if let Ok(Some(before)) = &before
            && before.fingerprint != record.fingerprint
        {
            let warning = format!(
                "takes the place of a record with other bits: fingerprint {} before",
                before.fingerprint.get(..16).unwrap_or_default()
            );
            let _ = (self.listener)(&Event::note(warning.as_str()));
            warnings.push(warning);
        }
        record.warnings.splice(0..0, warnings);
        if self.fresh {
            self.store().replace(&record)?;
        } else {
            self.store().write(&record)?;
        }
        let _ = (self.listener)(telling.of_kind(Kind::finished(false, &record)));
        Ok(Progress::Finished)
    }
}
