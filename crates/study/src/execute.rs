//! A plan carried out, run by run.

use crate::run::{RunError, Session};
use records::{
    event::{Kind, Run},
    folder::StudyFolder,
    identity::run_id,
    record::{FailedRun, RunRecord, RunSpec},
    store::{FileError, Store},
};
use std::{ops::ControlFlow, thread, time::Duration};
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
        /// Whether this command did not make it: the record was there already, or another program has made it meanwhile.
        reused: bool,
        /// The record.
        record: &'a RunRecord,
    },
    /// It came to no result, which is on disk.
    Failed {
        /// Its place in the plan, from 0.
        index: usize,
        /// Runs of the plan.
        total: usize,
        /// Whether that was known already.
        reused: bool,
        /// What happened.
        run: &'a FailedRun,
    },
    /// Other programs make all runs that are left; asked from time to time whether to wait on.
    Waiting {
        /// How many there are.
        runs: usize,
    },
    /// Something that the user must know.
    Note(&'a str),
}

impl StudyEvent<'_> {
    /// The event as data: the run that it names, and what happened.
    pub fn parts(&self) -> (Option<Run>, Kind) {
        match *self {
            Self::Started { index, total, specification } => {
                let epochs = specification.recipe.epochs;
                (Some(Run::of(index, total, specification)), Kind::Started { epochs })
            }
            Self::Training(event) => (None, training(event)),
            Self::Finished { index, total, reused, record } => {
                (Some(Run::of(index, total, &record.specification)), Kind::finished(reused, record))
            }
            Self::Failed { index, total, reused, run } => {
                (Some(Run::of(index, total, &run.specification)), Kind::failed(reused, run))
            }
            Self::Waiting { runs } => (None, Kind::Waiting { runs }),
            Self::Note(text) => (None, Kind::Note { text: text.to_owned() }),
        }
    }
}

fn training(event: Event) -> Kind {
    match event {
        Event::Step { epoch, step, steps, train } => {
            Kind::Step { epoch, step, steps, train_loss: train.loss(), train_accuracy: train.accuracy() }
        }
        Event::Epoch(metrics) => Kind::Epoch {
            epoch: metrics.epoch,
            train_loss: metrics.train.loss(),
            train_accuracy: metrics.train.accuracy(),
            validation_loss: metrics.validation.loss(),
            validation_accuracy: metrics.validation.accuracy(),
            train_seconds: metrics.train_seconds,
        },
    }
}

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
    listener: &mut (dyn FnMut(StudyEvent) -> ControlFlow<()> + Send),
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
            if (execution.listener)(StudyEvent::Waiting { runs }).is_break() {
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
    listener: &'a mut (dyn FnMut(StudyEvent) -> ControlFlow<()> + Send),
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
        let total = self.total;
        if let Ok(Some(record)) = self.store().read(id) {
            let _ = (self.listener)(StudyEvent::Finished { index, total, reused: true, record: &record });
            return Some(Progress::Finished);
        }
        let run = self.store().read_failed(id).ok().flatten()?;
        let _ = (self.listener)(StudyEvent::Failed { index, total, reused: true, run: &run });
        Some(Progress::Failed(Box::new(run)))
    }

    fn make(&mut self, index: usize, specification: &RunSpec, id: &str) -> Result<Progress, ExecutionError> {
        let (total, mut warnings) = (self.total, Vec::new());
        let before = self.store().read(id);
        if let (Err(problem), false) = (&before, self.fresh) {
            let aside = self.store().set_aside(id)?;
            warnings.push(format!("{problem}: moved to {}, trained again", aside.display()));
        }
        for warning in &warnings {
            let _ = (self.listener)(StudyEvent::Note(warning));
        }
        // A break is honoured by the training's own first event.
        let _ = (self.listener)(StudyEvent::Started { index, total, specification });
        let listener = &mut *self.listener;
        let mut forward = |event: Event| listener(StudyEvent::Training(event));
        let mut record = match self.session.attempt(specification, &mut forward)? {
            Ok(finished) => finished.record,
            Err(run) => {
                self.store().write_failed(&run)?;
                let _ = (self.listener)(StudyEvent::Failed { index, total, reused: false, run: &run });
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
            let _ = (self.listener)(StudyEvent::Note(&warning));
            warnings.push(warning);
        }
        record.warnings.splice(0..0, warnings);
        if self.fresh {
            self.store().replace(&record)?;
        } else {
            self.store().write(&record)?;
        }
        let _ = (self.listener)(StudyEvent::Finished { index, total, reused: false, record: &record });
        Ok(Progress::Finished)
    }
}
