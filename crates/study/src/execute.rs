//! A plan carried out, run by run.

use crate::{
    beating::{LOOK_AGAIN, beating, wait},
    run::{FinishedRun, RunError, Session},
    telling::Telling,
};
use records::{
    event::{Event, Kind, Run, Work},
    folder::StudyFolder,
    identity::run_id,
    record::{FailedRun, RunSpec},
    store::{FileError, Kept, Store},
};
use std::{
    collections::VecDeque,
    ops::ControlFlow,
    sync::{Mutex, MutexGuard, PoisonError},
    thread,
    time::Duration,
};
use train::Engine;

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
    #[error("interrupted while other programs made {}", if *runs == 1 { "1 run".to_owned() } else { format!("{runs} runs") })]
    Interrupted {
        /// How many they were.
        runs: usize,
    },
}

/// What a plan that was carried out left beside records.
#[derive(Debug, Default, PartialEq)]
pub struct Executed {
    /// The runs whose training diverged, in the order of the plan.
    pub failed: Vec<FailedRun>,
    /// Runs that have results of different bits: in words. All are kept.
    pub conflicts: Vec<String>,
}

/// Who hears what happens; a break ends the run after its step, and so the plan.
pub type Hearing<'a> = &'a mut (dyn FnMut(&Event) -> ControlFlow<()> + Send);

/// What becomes of what runs learn. A run is told of by its place in the plan.
pub trait Keeping: Sync {
    /// Called after every step of a run, within its training clock: be quick.
    fn look(&self, run: usize, engine: &dyn Engine) {
        let _ = (run, engine);
    }

    /// A run has its final weights, and its record is kept. Runs that failed, or that have another result already, are not told of.
    ///
    /// # Errors
    /// When they cannot be kept.
    fn keep(&self, run: usize, finished: &FinishedRun) -> Result<(), FileError>;
}

/// Final weights are not kept.
impl Keeping for () {
    fn keep(&self, _: usize, _: &FinishedRun) -> Result<(), FileError> {
        Ok(())
    }
}

/// Makes those of the runs of `plan` that are `chosen`, by their places, and whose records are not in the folder, and keeps each record
/// before the next run begins. A run that another program makes meanwhile is waited for, and made here after all where that one ends without
/// it. Each of the sessions makes one run at a time.
///
/// With `fresh`, every run is made, and takes the place of what was there. Why a record was made in the place of another is
/// among its warnings.
///
/// A run whose training diverges is kept as a [`FailedRun`], and the others go on.
///
/// # Errors
/// When a run cannot be made, is interrupted, or its record cannot be written; the records before it are in the folder. When its weights
/// cannot be kept; its record is in the folder too.
pub fn execute(
    sessions: &[Session],
    plan: &[RunSpec],
    chosen: &[usize],
    folder: &StudyFolder,
    fresh: bool,
    keeping: &dyn Keeping,
    listener: Hearing,
) -> Result<Executed, ExecutionError> {
    let queue = Queue { left: chosen.iter().copied().collect(), ..Queue::default() };
    let execution =
        Execution { plan, folder, fresh, keeping, listener: Mutex::new(listener), queue: Mutex::new(queue) };
    match sessions {
        [session] => execution.work(session),
        several => thread::scope(|scope| {
            for session in several {
                scope.spawn(|| execution.work(session));
            }
        }),
    }
    let mut queue = execution.queue.into_inner().unwrap_or_else(PoisonError::into_inner);
    if let Some(error) = queue.error {
        return Err(error);
    }
    queue.failed.sort_by_key(|(index, _)| *index);
    queue.conflicts.sort_by_key(|(index, _)| *index);
    Ok(Executed {
        failed: queue.failed.into_iter().map(|(_, run)| run).collect(),
        conflicts: queue.conflicts.into_iter().map(|(_, words)| words).collect(),
    })
}

/// What is left to do, and what came of the rest.
#[derive(Default)]
struct Queue {
    left: VecDeque<usize>,
    /// What other programs made when it was looked at last.
    busy: Vec<usize>,
    /// Whether a run came to its end since those were looked at.
    progressed: bool,
    failed: Vec<(usize, FailedRun)>,
    conflicts: Vec<(usize, String)>,
    error: Option<ExecutionError>,
}

struct Execution<'a, 'b> {
    plan: &'a [RunSpec],
    folder: &'a StudyFolder,
    fresh: bool,
    keeping: &'a dyn Keeping,
    listener: Mutex<Hearing<'b>>,
    queue: Mutex<Queue>,
}

/// How far a run has come.
enum Progress {
    /// Another program makes it.
    Busy,
    Finished,
    Failed(Box<FailedRun>),
    /// It has several results.
    InConflict(String),
}

impl Execution<'_, '_> {
    fn store(&self) -> &Store {
        self.folder.store()
    }

    fn queue(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Tells what happened; a break where an end was asked for, or another session has come to one.
    fn tell(&self, event: &Event) -> ControlFlow<()> {
        let mut listener = self.listener.lock().unwrap_or_else(PoisonError::into_inner);
        let asked = listener(event);
        if self.queue().error.is_some() { ControlFlow::Break(()) } else { asked }
    }

    /// Makes runs until none is left.
    fn work(&self, session: &Session) {
        let mut pause = LOOK_AGAIN[0];
        loop {
            let next = {
                let mut queue = self.queue();
                if queue.error.is_some() {
                    return;
                }
                queue.left.pop_front()
            };
            let Some(index) = next else {
                let waited = self.look_again(&mut pause);
                match waited {
                    Ok(true) => continue,
                    Ok(false) => return,
                    Err(error) => return self.fail(error),
                }
            };
            let made = self.run(session, index);
            let mut queue = self.queue();
            match made {
                Ok(Progress::Busy) => {
                    queue.busy.push(index);
                    continue;
                }
                Ok(Progress::Finished) => {}
                Ok(Progress::Failed(run)) => queue.failed.push((index, *run)),
                Ok(Progress::InConflict(words)) => queue.conflicts.push((index, words)),
                Err(error) => {
                    queue.error.get_or_insert(error);
                    return;
                }
            }
            queue.progressed = true;
            pause = LOOK_AGAIN[0];
        }
    }

    fn fail(&self, error: ExecutionError) {
        self.queue().error.get_or_insert(error);
    }

    /// Looks again at what other programs made, after a pause where nothing came to an end since; false where there is nothing of the kind.
    fn look_again(&self, pause: &mut Duration) -> Result<bool, ExecutionError> {
        let runs = {
            let mut queue = self.queue();
            let busy = std::mem::take(&mut queue.busy);
            let runs = busy.len();
            let at_once = std::mem::take(&mut queue.progressed);
            queue.left.extend(busy);
            if runs == 0 || at_once {
                return Ok(runs > 0);
            }
            runs
        };
        let waiting = Event { work: None, kind: Kind::Waiting { runs } };
        if wait(*pause, || self.tell(&waiting)).is_break() {
            return Err(ExecutionError::Interrupted { runs });
        }
        *pause = (*pause * 2).min(LOOK_AGAIN[1]);
        self.store().look_again();
        Ok(true)
    }

    /// Finds a run made, or makes it.
    fn run(&self, session: &Session, index: usize) -> Result<Progress, ExecutionError> {
        let specification = &self.plan[index];
        let id = run_id(specification, &session.environment());
        if let Some(done) = self.there(index, &id) {
            return Ok(done);
        }
        let Some(claim) = self.folder.claim(&id)? else { return Ok(Progress::Busy) };
        // Another program may have finished it before it was claimed here.
        self.store().look_again();
        if let Some(done) = self.there(index, &id) {
            return Ok(done);
        }
        beating(&claim, || self.make(session, index, &id))
    }

    /// What is in the folder, unless all is to be made again.
    fn there(&self, index: usize, id: &str) -> Option<Progress> {
        if self.fresh {
            return None;
        }
        let work = |specification| Some(Work::Run(Run::of(index, self.plan.len(), specification)));
        let results = self.store().results(id);
        if let (Some(difference), Some(first)) = (results.conflict(), results.kept.first()) {
            let run = &first.record.specification;
            let words = format!("model {}, seed {}: {difference}", run.model, run.seed);
            let _ = self.tell(&Event::note(words.as_str()));
            return Some(Progress::InConflict(words));
        }
        if let Some(result) = results.kept.first() {
            let work = work(&result.record.specification);
            let _ = self.tell(&Event { work, kind: Kind::finished(true, &result.record) });
            return Some(Progress::Finished);
        }
        let run = results.failed?;
        let work = work(&run.specification);
        let _ = self.tell(&Event { work, kind: Kind::failed(true, &run) });
        Some(Progress::Failed(Box::new(run)))
    }

    fn make(&self, session: &Session, index: usize, id: &str) -> Result<Progress, ExecutionError> {
        let specification = &self.plan[index];
        let mut warnings = Vec::new();
        let before = self.store().read(id);
        if let (Err(problem), false) = (&before, self.fresh) {
            let aside = self.store().set_aside(id)?;
            warnings.push(format!("{problem}: moved to {}, trained again", aside.display()));
        }
        for warning in &warnings {
            let _ = self.tell(&Event::note(warning.as_str()));
        }
        // A break is honoured by the training's own first event.
        let mut telling = Telling::of_run(index, self.plan.len(), specification);
        let _ = self.tell(telling.event());
        let mut forward = Forward { execution: self, index, telling: &mut telling };
        let mut finished = match session.attempt(specification, &mut forward)? {
            Ok(finished) => finished,
            Err(run) => {
                if self.fresh {
                    self.store().replace_by_failure(&run)?;
                } else {
                    self.store().write_failed(&run)?;
                }
                let _ = self.tell(telling.of_kind(Kind::failed(false, &run)));
                return Ok(Progress::Failed(Box::new(run)));
            }
        };
        if let Ok(Some(before)) = &before
            && before.fingerprint != finished.record.fingerprint
        {
            let warning = format!(
                "takes the place of a record with other bits: fingerprint {} before",
                before.fingerprint.get(..16).unwrap_or_default()
            );
            let _ = self.tell(&Event::note(warning.as_str()));
            warnings.push(warning);
        }
        finished.record.warnings.splice(0..0, warnings);
        let record = &finished.record;
        let kept = if self.fresh {
            self.store().replace(record).map(|()| Kept::New)?
        } else {
            self.store().write(record)?
        };
        if !matches!(kept, Kept::InConflict(_)) {
            self.keeping.keep(index, &finished)?;
        }
        let _ = self.tell(telling.of_kind(Kind::finished(false, record)));
        Ok(match kept {
            Kept::New | Kept::AsBefore => Progress::Finished,
            Kept::InConflict(difference) => {
                let words =
                    format!("model {}, seed {}: {difference}", specification.model, specification.seed);
                let _ = self.tell(&Event::note(words.as_str()));
                Progress::InConflict(words)
            }
        })
    }
}

/// Hands on what a training tells and what it has learnt.
struct Forward<'a, 'b, 'c> {
    execution: &'a Execution<'b, 'c>,
    index: usize,
    telling: &'a mut Telling,
}

impl train::Listener for Forward<'_, '_, '_> {
    fn event(&mut self, event: train::Event) -> ControlFlow<()> {
        self.execution.tell(self.telling.of_training(event))
    }

    fn look(&mut self, engine: &dyn Engine) {
        self.execution.keeping.look(self.index, engine);
    }
}
