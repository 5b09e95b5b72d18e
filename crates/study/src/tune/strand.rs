//! One model's search as it goes on: the trials of its present round, and what is known of those before.

use super::{Budget, Candidate, Question, seen::trial};
use records::{
    event::Event,
    trial::{Outcome, TrialRecord},
};
use search::{History, Trial};
use serde_json::{Map, Value};
use std::{ops::ControlFlow, time::Duration};
use web_time::Instant;

/// So many settings in a row that make no model, and no further ones are tried: they cost no time, so that a budget of time
/// would never end.
const MOST_UNUSABLE: usize = 100;

/// A trial that can be made: what it depends on is known.
pub(super) struct Slot {
    /// None for the model as it stands.
    pub(super) number: Option<usize>,
    /// What it changes.
    pub(super) settings: Map<String, Value>,
    /// How long it took to choose them.
    pub(super) chosen_in: Duration,
    /// Whether it was said what is wrong with a file in its place.
    pub(super) is_noted: bool,
    record: Option<TrialRecord>,
}

impl Slot {
    fn of(number: Option<usize>, settings: Map<String, Value>, chosen_in: Duration) -> Self {
        Self { number, settings, chosen_in, is_noted: false, record: None }
    }

    /// Whether it is to be made still.
    pub(super) fn is_open(&self) -> bool {
        self.record.is_none()
    }
}

/// One model's search as it goes on.
pub(super) struct Strand<'a> {
    /// Which of the candidates it is.
    pub(super) place: usize,
    pub(super) candidate: &'a Candidate,
    /// The model as it stands, which nothing depends on, then the trials of the present round, in their order.
    pub(super) slots: Vec<Slot>,
    /// Of the clock on the wall; of trials that are there already, what they took then.
    pub(super) seconds: f64,
    /// Of the rounds before.
    history: History,
    /// Records of the rounds before, in their order.
    records: Vec<TrialRecord>,
    /// Slots from the first trial on that were filled without a gap.
    settled: usize,
    /// Trials that made no model, since the last that did.
    unusable: usize,
    /// No settings are left to try.
    is_exhausted: bool,
    /// No further trials are opened.
    is_over: bool,
}

/// The place of the model as it stands among the slots.
const BASELINE: usize = 0;

impl<'a> Strand<'a> {
    /// Before the first trial.
    pub(super) fn of(place: usize, candidate: &'a Candidate) -> Self {
        Self {
            place,
            candidate,
            slots: vec![Slot::of(None, Map::new(), Duration::ZERO)],
            seconds: 0.0,
            history: History::of(candidate.space.space(), []),
            records: Vec::new(),
            settled: 0,
            unusable: 0,
            is_exhausted: false,
            is_over: false,
        }
    }

    pub(super) fn name(&self) -> String {
        self.candidate.template.name.clone()
    }

    /// What the trials of the present round may depend on: those of the rounds before.
    pub(super) fn known(&self) -> &[Trial] {
        self.history.trials()
    }

    /// The trials of the present round.
    fn round(&self) -> &[Slot] {
        &self.slots[BASELINE + 1..]
    }

    /// Whether all of its trials are there.
    pub(super) fn is_complete(&self) -> bool {
        self.is_over && !self.slots.iter().any(Slot::is_open)
    }

    /// The numbers of the open trials.
    pub(super) fn open(&self) -> impl Iterator<Item = Option<usize>> {
        self.slots.iter().filter(|slot| slot.is_open()).map(|slot| slot.number)
    }

    /// The numbers of the trials that may be opened later.
    pub(super) fn later(&self, budget: Budget) -> impl Iterator<Item = usize> {
        let next = self.known().len() + self.round().len();
        let end = if self.is_over { next } else { budget.trials().unwrap_or(usize::MAX) };
        next..end
    }

    /// Takes the record of a trial.
    pub(super) fn fill(
        &mut self,
        rank: usize,
        record: TrialRecord,
        tell: &mut dyn FnMut(&Event) -> ControlFlow<()>,
    ) {
        self.slots[rank].record = Some(record);
        while let Some(record) = self.round().get(self.settled).and_then(|slot| slot.record.as_ref()) {
            self.unusable = match record.outcome {
                Outcome::Unusable(_) => self.unusable + 1,
                _ => 0,
            };
            self.settled += 1;
            if self.unusable >= MOST_UNUSABLE {
                let model = self.name();
                let note = format!("{model}: {MOST_UNUSABLE} settings in a row make no model: given up");
                let _ = tell(&Event::note(note));
                self.is_over = true;
                // What others made of the round beyond that is in no search of one process.
                self.slots.truncate(BASELINE + 1 + self.settled);
                return;
            }
        }
    }

    /// Opens the next trials once the results that they depend on are known: how many.
    pub(super) fn go_on(
        &mut self,
        question: &Question,
        budget: Budget,
        tell: &mut dyn FnMut(&Event) -> ControlFlow<()>,
    ) -> usize {
        if self.is_over || self.settled < self.round().len() {
            return 0;
        }
        let of_a_round = question.trials_of_a_round();
        if self.round().len() >= of_a_round {
            self.close(question);
        }
        let first = self.known().len();
        let next = first + self.round().len();
        let end = match budget {
            Budget::Trials(trials) | Budget::Shard { trials, .. } => {
                trials.min(first.saturating_add(of_a_round))
            }
            // What is left of the time is known after each trial alone.
            Budget::Seconds(seconds) => next + usize::from(self.seconds < seconds),
        };
        let mut opened = 0;
        for number in next..end {
            let began = Instant::now();
            let Some(point) = self.history.suggest(question.sampler, question.seed) else {
                self.is_exhausted = true;
                break;
            };
            let settings = self.candidate.space.settings(&point);
            self.history.begin(point);
            self.slots.push(Slot::of(Some(number), settings, began.elapsed()));
            opened += 1;
        }
        if opened == 0 {
            self.is_over = true;
            if self.is_exhausted {
                let note = format!("{}: all settings were tried after {next} trials", self.name());
                let _ = tell(&Event::note(note));
            }
        }
        opened
    }

    /// Ends the round: its trials are known from now on.
    fn close(&mut self, question: &Question) {
        for slot in self.slots.drain(BASELINE + 1..) {
            let record = slot.record.expect("a round is closed when its trials are there");
            let point = self.candidate.space.point(&record.settings);
            self.history
                .push(trial(&record, question.decide_by, point).expect("the settings came from a point"));
            self.records.push(record);
        }
        self.settled = 0;
    }

    /// The model as it stands, then its trials up to the first that is not there; nothing where the first of these is not.
    pub(super) fn into_records(self) -> Vec<TrialRecord> {
        let mut slots = self.slots.into_iter().map(|slot| slot.record);
        let Some(Some(baseline)) = slots.next() else { return Vec::new() };
        std::iter::once(baseline).chain(self.records).chain(slots.map_while(|record| record)).collect()
    }
}
