//! A search carried out: sweep by sweep over the trials that can be made, until there are no more.

use super::{
    Question,
    seen::score,
    strand::{Slot, Strand},
};
use crate::{
    beating::{LOOK_AGAIN, beating, wait},
    run::{RunError, Session, epoch_record},
    shard::Shard,
    study_file::{ModelSpec, StudyFileError},
    telling::Telling,
};
use records::{
    event::{Event, Kind, Trial, Work},
    record::EpochRecord,
    search_folder::SearchFolder,
    store::FileError,
    trial::{Outcome, TRIAL_SCHEMA, TrialRecord},
    trial_store::TrialStore,
};
use serde_json::{Map, Value};
use std::{ops::ControlFlow, path::PathBuf, time::Duration};
use train::Stopped;
use web_time::Instant;

/// How long each model is searched.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Budget {
    /// So many trials of each, beside the model as it stands.
    Trials(usize),
    /// Of so many trials of each, those of one of several shards; the others are read.
    Shard {
        /// Trials of each model.
        trials: usize,
        /// Which are made here.
        shard: Shard,
        /// How long to wait for trials of other shards while nobody makes any: others may be about to begin, or asleep between two looks.
        patience: Duration,
    },
    /// Until the trials of each took so many seconds by the clock on the wall, choosing and keeping them included; the one that
    /// is running then is finished, since what the search tries next may depend on the trials before alone.
    Seconds(f64),
}

impl Budget {
    /// How many trials of each model there are to be; none where that is not known before.
    pub(super) fn trials(self) -> Option<usize> {
        match self {
            Self::Trials(trials) | Self::Shard { trials, .. } => Some(trials),
            Self::Seconds(_) => None,
        }
    }
}

/// Why a search was not carried out to its end.
#[derive(Debug, thiserror::Error)]
pub enum TuneError {
    /// A training was interrupted, or cannot be made.
    #[error(transparent)]
    Run(#[from] RunError),
    /// A record could not be written.
    #[error(transparent)]
    File(#[from] FileError),
    /// The study file is wrong.
    #[error(transparent)]
    StudyFile(#[from] StudyFileError),
    /// Files are in the way that no search of this program left there.
    #[error("{}: holds {name}, and no search of this program", folder.display())]
    Foreign {
        /// The folder.
        folder: PathBuf,
        /// The first file that would have been replaced.
        name: &'static str,
    },
    /// The folder holds another search.
    #[error("{}: holds another search: {difference}", path.display())]
    OtherSearch {
        /// The file that says what it is about.
        path: PathBuf,
        /// In what it differs.
        difference: String,
    },
    /// Others work with trials that are to be made afresh.
    #[error("{}: another process searches here", folder.display())]
    InUse {
        /// The folder.
        folder: PathBuf,
    },
    /// The user asked for the end while others made the trials that the next ones depend on.
    #[error("interrupted while waiting for {} of other processes", counted(*trials))]
    Interrupted {
        /// How many they were.
        trials: usize,
    },
    /// The next trials depend on some of other shards, and nobody makes them.
    #[error("shard {shard}: {} of other shards expected before its next ones, and no process makes {}", counted(*trials), if *trials == 1 { "it" } else { "them" })]
    OthersMissing {
        /// Which shard waits.
        shard: Shard,
        /// How many trials there are.
        trials: usize,
    },
}

fn counted(trials: usize) -> String {
    if trials == 1 { "1 trial".to_owned() } else { format!("{trials} trials") }
}

/// What a search gave.
#[derive(Debug)]
pub struct Tuned {
    /// For each candidate the model as it stands, then its trials, those that were there already among them; of a search
    /// that ended early, what it had got to.
    pub records: Vec<Vec<TrialRecord>>,
    /// Whether these are all trials: a shard that has made its own may end before the others.
    pub is_complete: bool,
    /// Why it ended early, if it did.
    pub ended: Result<(), TuneError>,
}

/// Makes the trials of a search that are not in the folder, each model in turn, until each has had the budget; the model as it
/// stands comes first. A trial that another process makes meanwhile is waited for, and made here after all where that one ends without
/// it.
///
/// A record that is damaged, of another search, or not what the search would try there is made anew; so is
/// any after it whose settings no longer follow. With `fresh`, every trial is made.
/// Every trial has its record on disk before the next begins.
///
/// It ends early when a trial was interrupted or its record cannot be written; the trials before it are in the folder. So it does
/// when a model as it stands does not fit the data, and where the trials of a shard depend on others that nobody makes.
pub fn tune(
    session: &Session,
    question: &Question,
    budget: Budget,
    folder: &SearchFolder,
    fresh: bool,
    listener: &mut (dyn FnMut(&Event) -> ControlFlow<()> + Send),
) -> Tuned {
    let mut strands: Vec<Strand> = question
        .candidates
        .iter()
        .enumerate()
        .map(|(place, candidate)| Strand::of(place, candidate))
        .collect();
    let ended = question.identity().map_err(TuneError::from).and_then(|search| {
        let mut execution = Execution { session, question, search: &search, budget, folder, fresh, listener };
        execution.of_all(&mut strands)
    });
    let is_complete = ended.is_ok() && strands.iter().all(Strand::is_complete);
    Tuned { records: strands.into_iter().map(Strand::into_records).collect(), is_complete, ended }
}

/// The shard of a trial: a pure function of which of the models and which trial it is. They are dealt out in the order in which one process
/// makes them, so that those of a round are as evenly divided as their number allows.
fn shard_of(place: usize, number: Option<usize>, models: usize, shards: usize) -> usize {
    let rank = number.map_or(0, |number| number + 1);
    (rank * models + place) % shards + 1
}

/// What all trials of a search share.
struct Execution<'a> {
    session: &'a Session,
    question: &'a Question,
    search: &'a str,
    budget: Budget,
    folder: &'a SearchFolder,
    fresh: bool,
    listener: &'a mut (dyn FnMut(&Event) -> ControlFlow<()> + Send),
}

/// What one look at all open trials came to.
#[derive(Default)]
struct Visited {
    /// Trials that are there now and were not before.
    done: usize,
    /// Trials that other processes make.
    busy: usize,
    /// Trials of other shards that are not there.
    of_others: usize,
}

impl Execution<'_> {
    /// Every trial of every model, as far as they are made here or can be read.
    fn of_all(&mut self, strands: &mut [Strand]) -> Result<(), TuneError> {
        let mut pause = LOOK_AGAIN[0];
        let mut idle = Duration::ZERO;
        loop {
            let visited = self.visit(strands)?;
            let mut opened = 0;
            for strand in &mut *strands {
                opened += strand.go_on(self.question, self.budget, self.listener);
            }
            if strands.iter().all(Strand::is_complete) {
                return Ok(());
            }
            if visited.done + opened > 0 {
                (pause, idle) = (LOOK_AGAIN[0], Duration::ZERO);
                continue;
            }
            // After the last trial made here all others were looked at once more: of two processes that end, one finds all there.
            if !self.has_own(strands) {
                return Ok(());
            }
            idle = if self.can_hope(&visited, idle)? { Duration::ZERO } else { idle + pause };
            let runs = visited.busy + visited.of_others;
            let waiting = Event { work: None, kind: Kind::Waiting { runs } };
            if wait(pause, || (self.listener)(&waiting)).is_break() {
                return Err(TuneError::Interrupted { trials: runs });
            }
            pause = (pause * 2).min(LOOK_AGAIN[1]);
            self.store().look_again();
        }
    }

    /// Whether trials that are waited for are being made; an error where nobody is to make them.
    fn can_hope(&self, visited: &Visited, idle: Duration) -> Result<bool, TuneError> {
        if visited.busy > 0 {
            return Ok(true);
        }
        let is_at_work = self.folder.is_at_work();
        match self.budget {
            Budget::Shard { shard, patience, .. } if !is_at_work && idle >= patience => {
                Err(TuneError::OthersMissing { shard, trials: visited.of_others })
            }
            _ => Ok(is_at_work),
        }
    }

    fn store(&self) -> &TrialStore {
        self.folder.store()
    }

    fn is_own(&self, place: usize, number: Option<usize>) -> bool {
        match self.budget {
            Budget::Shard { shard, .. } => {
                shard_of(place, number, self.question.candidates.len(), shard.count) == shard.number
            }
            _ => true,
        }
    }

    /// Whether any trial is left that is to be made here, now or later.
    fn has_own(&self, strands: &[Strand]) -> bool {
        strands.iter().any(|strand| {
            let is_own = |number| self.is_own(strand.place, number);
            strand.open().any(is_own) || strand.later(self.budget).any(|number| is_own(Some(number)))
        })
    }

    /// Looks at every open trial of every model once: the first of each, then the second, and so on.
    fn visit(&mut self, strands: &mut [Strand]) -> Result<Visited, TuneError> {
        let mut visited = Visited::default();
        let longest = strands.iter().map(|strand| strand.slots.len()).max().unwrap_or_default();
        for rank in 0..longest {
            for strand in &mut *strands {
                if strand.slots.get(rank).is_some_and(Slot::is_open) {
                    self.attempt(strand, rank, &mut visited)?;
                }
            }
        }
        Ok(visited)
    }

    fn work(&self, model: &str, number: Option<usize>) -> Work {
        let (trials, seed) = (self.budget.trials(), self.question.seed);
        Work::Trial(Trial { number, trials, model: model.to_owned(), seed })
    }

    /// Keeps or makes a trial, unless it is somebody else's.
    fn attempt(&mut self, strand: &mut Strand, rank: usize, visited: &mut Visited) -> Result<(), TuneError> {
        let began = Instant::now();
        let (name, number) = (strand.name(), strand.slots[rank].number);
        if !self.fresh
            && let Some(record) = self.kept(strand, rank)
        {
            visited.done += 1;
            return self.finish(strand, rank, record, None);
        }
        if !self.is_own(strand.place, number) {
            visited.of_others += 1;
            return Ok(());
        }
        let Some(claim) = self.folder.claim(&name, number)? else {
            visited.busy += 1;
            return Ok(());
        };
        visited.done += 1;
        // Another program may have finished it before it was claimed here.
        self.store().look_again();
        if !self.fresh
            && let Some(record) = self.kept(strand, rank)
        {
            return self.finish(strand, rank, record, None);
        }
        let chosen_in = strand.slots[rank].chosen_in;
        let mut record = beating(&claim, || self.make(strand, rank))?;
        record.total_seconds = (chosen_in + began.elapsed()).as_secs_f64();
        // Whoever was silent for so long that it was taken for dead may have made it after all.
        match if self.fresh { None } else { self.kept(strand, rank) } {
            Some(there) => {
                if !there.has_result_of(&record) {
                    let path = self.store().path(&name, number);
                    let note = format!(
                        "{}: another process came to another result: its record stays. Results must not depend on the process: please report it",
                        path.display()
                    );
                    let _ = (self.listener)(&Event::note(note));
                }
                record = there;
            }
            None => self.store().write(&record)?,
        }
        drop(claim);
        self.finish(strand, rank, record, Some(chosen_in + began.elapsed()))
    }

    /// Takes note of a trial that is there; of one that was made here, how long it took.
    fn finish(
        &mut self,
        strand: &mut Strand,
        rank: usize,
        record: TrialRecord,
        made_in: Option<Duration>,
    ) -> Result<(), TuneError> {
        let number = strand.slots[rank].number;
        if number.is_some() {
            strand.seconds += made_in.map_or(record.total_seconds, |seconds| seconds.as_secs_f64());
        }
        let work = Some(self.work(&record.model, number));
        let asked = (self.listener)(&Event { work, kind: Kind::trial_finished(made_in.is_none(), &record) });
        let is_unusable = matches!(record.outcome, Outcome::Unusable(_));
        strand.fill(rank, record, self.listener);
        // Any other trial has had the break in its training.
        if is_unusable && asked.is_break() {
            let (model, seed) = (strand.name(), self.question.seed);
            return Err(RunError::Stopped { model, seed, stopped: Stopped::Interrupted { epoch: 1 } }.into());
        }
        Ok(())
    }

    /// The record that is there, if it is what the search would try.
    fn kept(&mut self, strand: &mut Strand, rank: usize) -> Option<TrialRecord> {
        let name = strand.name();
        let slot = &mut strand.slots[rank];
        let note = match self.folder.store().read(self.search, &name, slot.number) {
            Ok(None) => return None,
            Ok(Some(record)) if record.settings == slot.settings => return Some(record),
            Ok(Some(_)) => {
                let path = self.store().path(&name, slot.number);
                format!("{}: other settings than the trials before it lead to: made again", path.display())
            }
            Err(problem) => format!("{problem}: left aside, made again"),
        };
        if !std::mem::replace(&mut slot.is_noted, true) {
            let _ = (self.listener)(&Event::note(note));
        }
        None
    }

    fn make(&mut self, strand: &Strand, rank: usize) -> Result<TrialRecord, TuneError> {
        let candidate = strand.candidate;
        let Slot { number, settings, .. } = &strand.slots[rank];
        let (number, settings): (_, Map<String, Value>) = (*number, settings.clone());
        let blank = TrialRecord {
            schema: TRIAL_SCHEMA,
            search: self.search.to_owned(),
            model: candidate.template.name.clone(),
            number,
            settings,
            outcome: Outcome::Finished,
            specification: None,
            parameters: 0,
            epochs: Vec::new(),
            kept_epoch: 0,
            train_seconds: 0.0,
            total_seconds: 0.0,
            environment: self.session.environment(),
            warnings: Vec::new(),
            data_notes: Vec::new(),
        };
        let made = candidate.make(&blank.settings).map_err(RunError::from);
        let checked = made.and_then(|model| self.session.check(&model).map(|()| model));
        match checked {
            Ok(model) => self.train(strand, blank, &model),
            // The model as it stands must be one; among the settings some may not go together.
            // What this machine lacks says nothing of a setting.
            Err(error) if number.is_none() || matches!(error, RunError::Precision(_)) => Err(error.into()),
            Err(error) => Ok(TrialRecord { outcome: Outcome::Unusable(error.to_string()), ..blank }),
        }
    }

    fn train(
        &mut self,
        strand: &Strand,
        blank: TrialRecord,
        model: &ModelSpec,
    ) -> Result<TrialRecord, TuneError> {
        let specification = self.session.specification(model, self.question.protocol, self.question.seed);
        let length = specification.recipe.epochs;
        let started = Kind::Started { epochs: length, settings: blank.settings.clone() };
        let mut telling = Telling::of(self.work(&blank.model, blank.number), started);
        // A break is honoured by the training's own first event.
        let _ = (self.listener)(telling.event());
        let measure = self.question.decide_by;
        let halving = self.question.halving.filter(|_| blank.number.is_some());
        let mut epochs: Vec<EpochRecord> = Vec::new();
        let mut ended = None;
        let listener = &mut *self.listener;
        let mut forward = |event: train::Event| {
            let asked = listener(telling.of_training(event));
            let train::Event::Epoch(metrics) = event else { return asked };
            let epoch = epoch_record(&metrics);
            if !epoch.validation_loss.is_finite() || !epoch.train_loss.is_finite() {
                ended = Some(Outcome::Diverged);
                return ControlFlow::Break(());
            }
            epochs.push(epoch);
            let scores: Vec<_> = epochs.iter().map(|epoch| score(epoch, measure)).collect();
            if halving.is_some_and(|halving| !halving.goes_on(strand.known(), length as u64, &scores)) {
                ended = Some(Outcome::Stopped);
                return ControlFlow::Break(());
            }
            asked
        };
        let trained = self.session.train_and_validate(&specification, measure, &mut forward)?;
        let (outcome, kept_epoch) = match (trained.ended, ended) {
            (_, Some(ended)) => (ended, epochs.len()),
            (Err(RunError::Stopped { stopped: Stopped::Diverged { .. }, .. }), None) => {
                (Outcome::Diverged, epochs.len())
            }
            (Err(error), None) => return Err(error.into()),
            (Ok(kept_epoch), None) => (Outcome::Finished, kept_epoch),
        };
        let of_data = self.session.corpus();
        Ok(TrialRecord {
            outcome,
            kept_epoch,
            parameters: trained.parameters,
            train_seconds: epochs.iter().map(|epoch| epoch.train_seconds).sum(),
            warnings: of_data.warnings().into_iter().map(str::to_owned).chain(trained.warnings).collect(),
            data_notes: of_data.notes().into_iter().map(str::to_owned).collect(),
            specification: Some(specification),
            epochs,
            ..blank
        })
    }
}

#[cfg(test)]
mod tests {
    use super::shard_of;

    /// Each trial in one shard, and any round of as many trials as there are shards has one for each.
    #[test]
    fn trials_are_dealt_out_evenly() {
        for (models, shards) in [(1, 1), (1, 3), (2, 3), (3, 2), (5, 16)] {
            let mut counts = vec![0; shards];
            for number in std::iter::once(None).chain((0..240).map(Some)) {
                for place in 0..models {
                    counts[shard_of(place, number, models, shards) - 1] += 1;
                }
            }
            assert_eq!(counts.iter().sum::<usize>(), models * 241);
            let (least, most) = (counts.iter().min().expect("shards"), counts.iter().max().expect("shards"));
            assert!(most - least <= 1, "{models} models, {shards} shards: {counts:?}");
        }
    }
}
