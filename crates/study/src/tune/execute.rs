//! A search carried out, trial by trial.

use super::{
    Candidate, Question,
    seen::{score, trial},
};
use crate::{
    run::{RunError, Session, epoch_record},
    study_file::{ModelSpec, StudyFileError},
    telling::Telling,
};
use records::{
    event::{Event, Kind, Trial, Work},
    record::EpochRecord,
    store::FileError,
    trial::{Outcome, TRIAL_SCHEMA, TrialRecord},
    trial_store::TrialStore,
};
use search::History;
use serde_json::{Map, Value};
use std::{ops::ControlFlow, path::PathBuf, time::Instant};
use train::Stopped;

/// How long each model is searched.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Budget {
    /// So many trials of each, beside the model as it stands.
    Trials(usize),
    /// Until the trials of each took so many seconds by the clock on the wall, choosing and keeping them included; the one that
    /// is running then is finished, since what the search tries next may depend on the trials before alone.
    Seconds(f64),
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
}

/// One model's search as it goes on.
struct Strand<'a> {
    candidate: &'a Candidate,
    history: History,
    /// Of the clock on the wall; of trials that are there already, what they took then.
    seconds: f64,
    /// Trials that made no model, since the last that did.
    unusable: usize,
    over: bool,
    records: Vec<TrialRecord>,
}

/// What a search gave.
#[derive(Debug)]
pub struct Tuned {
    /// For each candidate the model as it stands, then its trials, those that were there already among them; of a search
    /// that ended early, what it had got to.
    pub records: Vec<Vec<TrialRecord>>,
    /// Why it ended early, if it did.
    pub ended: Result<(), TuneError>,
}

/// So many settings in a row that make no model, and no further ones are tried: they cost no time, so that a budget of time
/// would never end.
const MOST_UNUSABLE: usize = 100;

/// Makes the trials of a search that are not in `store`, each model in turn, until each has had the budget; the model as it
/// stands comes first.
///
/// A record that is damaged, of another search, or not what the search would try there is made anew; so is
/// any after it whose settings no longer follow.
/// Every trial has its record on disk before the next begins.
///
/// It ends early when a trial was interrupted or its record cannot be written; the trials before it are in the store. So it does
/// when a model as it stands does not fit the data.
pub fn tune(
    session: &Session,
    question: &Question,
    budget: Budget,
    store: &TrialStore,
    fresh: bool,
    listener: &mut (dyn FnMut(&Event) -> ControlFlow<()> + Send),
) -> Tuned {
    let mut strands: Vec<Strand> = question
        .candidates
        .iter()
        .map(|candidate| Strand {
            candidate,
            history: History::of(candidate.space.space(), []),
            seconds: 0.0,
            unusable: 0,
            over: false,
            records: Vec::new(),
        })
        .collect();
    let ended = question.identity().map_err(TuneError::from).and_then(|search| {
        let mut round = Round { session, question, search: &search, budget, store, fresh, listener };
        round.of_all(&mut strands)
    });
    Tuned { records: strands.into_iter().map(|strand| strand.records).collect(), ended }
}

/// What all trials of a search share.
struct Round<'a> {
    session: &'a Session,
    question: &'a Question,
    search: &'a str,
    budget: Budget,
    store: &'a TrialStore,
    fresh: bool,
    listener: &'a mut (dyn FnMut(&Event) -> ControlFlow<()> + Send),
}

impl Round<'_> {
    /// Every trial of every model.
    fn of_all(&mut self, strands: &mut [Strand]) -> Result<(), TuneError> {
        for number in std::iter::once(None).chain((0..).map(Some)) {
            for strand in &mut *strands {
                strand.over = strand.over
                    || match (self.budget, number) {
                        (_, None) => false,
                        (Budget::Trials(trials), Some(number)) => number >= trials,
                        (Budget::Seconds(seconds), Some(_)) => strand.seconds >= seconds,
                    };
                if !strand.over {
                    strand.over = !self.trial(strand, number)?;
                }
            }
            if strands.iter().all(|strand| strand.over) {
                break;
            }
        }
        Ok(())
    }

    fn work(&self, model: &str, number: Option<usize>) -> Work {
        let trials = match self.budget {
            Budget::Trials(trials) => Some(trials),
            Budget::Seconds(_) => None,
        };
        Work::Trial(Trial { number, trials, model: model.to_owned(), seed: self.question.seed })
    }

    /// Keeps or makes the trial of that number; false where no settings are left to try.
    fn trial(&mut self, strand: &mut Strand, number: Option<usize>) -> Result<bool, TuneError> {
        let began = Instant::now();
        let candidate = strand.candidate;
        let settings = match number {
            None => Map::new(),
            Some(_) => {
                let point = strand.history.suggest(self.question.sampler, self.question.seed);
                let Some(point) = point else {
                    let name = &candidate.template.name;
                    let count = strand.history.trials().len();
                    let note = format!("{name}: all settings were tried after {count} trials");
                    let _ = (self.listener)(&Event::note(note));
                    return Ok(false);
                };
                candidate.space.settings(&point)
            }
        };
        let kept = if self.fresh { None } else { self.kept(candidate, number, &settings) };
        let reused = kept.is_some();
        let record = match kept {
            Some(record) => record,
            None => {
                let mut record = self.make(strand, number, settings)?;
                record.total_seconds = began.elapsed().as_secs_f64();
                self.store.write(&record)?;
                record
            }
        };
        if number.is_some() {
            strand.seconds += if reused { record.total_seconds } else { began.elapsed().as_secs_f64() };
            let point = candidate.space.point(&record.settings);
            strand.history.push(
                trial(&record, self.question.decide_by, point).expect("the settings came from a point"),
            );
        }
        let work = Some(self.work(&record.model, number));
        let asked = (self.listener)(&Event { work, kind: Kind::trial_finished(reused, &record) });
        strand.unusable = match record.outcome {
            Outcome::Unusable(_) => strand.unusable + 1,
            _ => 0,
        };
        strand.records.push(record);
        let model = &candidate.template.name;
        // Any other trial has had the break in its training.
        if strand.unusable > 0 && asked.is_break() {
            let (model, seed) = (model.clone(), self.question.seed);
            return Err(RunError::Stopped { model, seed, stopped: Stopped::Interrupted { epoch: 1 } }.into());
        }
        if strand.unusable >= MOST_UNUSABLE {
            let note = format!("{model}: {MOST_UNUSABLE} settings in a row make no model: given up");
            let _ = (self.listener)(&Event::note(note));
            return Ok(false);
        }
        Ok(true)
    }

    /// The record that is there, if it is what the search would try.
    fn kept(
        &mut self,
        candidate: &Candidate,
        number: Option<usize>,
        settings: &Map<String, Value>,
    ) -> Option<TrialRecord> {
        let name = &candidate.template.name;
        let note = match self.store.read(self.search, name, number) {
            Ok(None) => return None,
            Ok(Some(record)) if record.settings == *settings => return Some(record),
            Ok(Some(_)) => {
                let path = self.store.path(name, number);
                format!("{}: other settings than the trials before it lead to: made again", path.display())
            }
            Err(problem) => format!("{problem}: left aside, made again"),
        };
        let _ = (self.listener)(&Event::note(note));
        None
    }

    fn make(
        &mut self,
        strand: &Strand,
        number: Option<usize>,
        settings: Map<String, Value>,
    ) -> Result<TrialRecord, TuneError> {
        let candidate = strand.candidate;
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
            Err(error) if number.is_none() => Err(error.into()),
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
            if halving
                .is_some_and(|halving| !halving.goes_on(strand.history.trials(), length as u64, &scores))
            {
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
