//! What the trials of a search say.

use super::{
    Candidate, Question,
    seen::{score, trial},
};
use crate::study_file::{ModelSpec, StudyFileError};
use records::{
    question::Measure,
    trial::{Outcome, TrialRecord},
};
use search::{Importance, Sampler, Trial, best_so_far, importance, ranking};
use serde::Serialize;
use serde_json::Value;

/// A search and what came of it.
#[derive(Debug, Clone, PartialEq)]
pub struct Tuning {
    /// What was searched, and how.
    pub question: Question,
    /// One for each model, in the question's order.
    pub models: Vec<ModelOutcome>,
}

/// What came of one model's search.
#[derive(Debug, Clone, PartialEq)]
pub struct ModelOutcome {
    /// Its name.
    pub name: String,
    /// Each setting that was varied and its domain, as a study file spells it.
    pub searched: Vec<(String, Value)>,
    /// The model as it stands.
    pub as_it_stands: TrialRecord,
    /// The trials by number.
    pub trials: Vec<TrialRecord>,
    /// The trial that is better than all others and than the model as it stands; none where nothing is.
    pub best: Option<usize>,
    /// After each trial the best value so far, of a finished one, of the measure that decides: a fraction, of loss nats.
    pub best_so_far: Vec<Option<f64>>,
    /// For each k, the expected best value of k of the trials: one that came to nothing counts as guessing, one
    /// that halving stopped with what it had then, which makes it a lower bound.
    /// It is the expectation for a search of k trials where settings are drawn at random; where each trial learns from those
    /// before, late trials are better than early ones, and it is none.
    pub expected_best: Option<Vec<f64>>,
    /// How much each setting mattered, in the order of `searched`.
    pub importance: Vec<Option<Importance>>,
    /// Whether the p-values of `importance` mean anything: where settings are drawn by what was found before, better ones
    /// come later, whatever they do, and p is smaller than it should be.
    pub drawn_at_random: bool,
    /// The model with the best settings.
    pub model: ModelSpec,
    /// The trials as the search sees them.
    seen: Vec<Trial>,
}

impl Tuning {
    /// From the records of [`super::tune`]: for each candidate the model as it stands, then its trials.
    ///
    /// # Errors
    /// When a candidate makes no model.
    ///
    /// # Panics
    /// When a candidate has no record of the model as it stands.
    pub fn of(question: &Question, records: Vec<Vec<TrialRecord>>) -> Result<Self, StudyFileError> {
        let outcomes = question.candidates.iter().zip(records);
        let models = outcomes.map(|(candidate, mut records)| {
            let trials = records.split_off(1);
            let as_it_stands = records.remove(0);
            ModelOutcome::of(candidate, as_it_stands, trials, question)
        });
        Ok(Self { question: question.clone(), models: models.collect::<Result<_, _>>()? })
    }

    /// A study file of the models with their best settings, which `run` takes.
    ///
    /// Its seeds are not the search's, so that what is measured is not what was chosen by.
    pub fn best_study(&self) -> String {
        let mut study = toml::Table::new();
        let mut set = |key: &str, value: toml::Value| study.insert(key.to_owned(), value);
        let names: Vec<&str> = self.models.iter().map(|model| model.name.as_str()).collect();
        set("title", format!("{} with the settings that a search found", names.join(", ")).into());
        set("dataset", self.question.dataset.name.clone().into());
        set("protocol", self.question.protocol.name().into());
        if !self.question.decide_by.is_default() {
            set("decide_by", self.question.decide_by.name().into());
        }
        set("seeds", 3.into());
        // A study file's numbers are signed.
        set("seed", (self.question.seed.wrapping_add(1) & i64::MAX as u64).cast_signed().into());
        let mut models = toml::Table::new();
        for outcome in &self.models {
            let mut model = toml::Table::new();
            let architecture = &outcome.model.architecture;
            if !architecture.summary.is_empty() {
                model.insert("summary".into(), architecture.summary.clone().into());
            }
            if !architecture.citation.is_empty() {
                model.insert("citation".into(), architecture.citation.clone().into());
            }
            model.insert("layers".into(), in_toml(&architecture.layers));
            model.insert("recipe".into(), in_toml(&outcome.model.recipe));
            models.insert(outcome.name.clone(), model.into());
        }
        study.insert("model".into(), models.into());
        format!("{}{}", self.header(), toml::to_string_pretty(&study).expect("a table is TOML"))
    }

    fn header(&self) -> String {
        let mut header =
            String::from("# Written by `mnist-study tune`: what did best on the validation images.\n");
        for outcome in &self.models {
            let of = outcome.trials.len();
            let line = match outcome.best {
                // Files count from 0.
                Some(number) => {
                    let name = &outcome.name;
                    format!("{name}: trial {} of {of}, trials/{name}-{number:04}.json", number + 1)
                }
                None => format!("{}: as it stood, which none of {of} trials was better than", outcome.name),
            };
            header.push_str(&format!("# {line}.\n"));
        }
        header.push('\n');
        header
    }
}

impl ModelOutcome {
    fn of(
        candidate: &Candidate,
        as_it_stands: TrialRecord,
        trials: Vec<TrialRecord>,
        question: &Question,
    ) -> Result<Self, StudyFileError> {
        let (measure, sampler) = (question.decide_by, question.sampler);
        // Of the loss less is better: the search's values are negative.
        let sign = if measure.larger_is_better() { 1.0 } else { -1.0 };
        let classes = question.dataset.classes.max(1) as f64;
        let guessing = if measure.larger_is_better() { 1.0 / classes } else { -classes.ln() };
        let seen: Vec<Trial> = trials
            .iter()
            .map(|record| {
                let point = candidate.space.point(&record.settings);
                trial(record, measure, point).expect("a point of the space")
            })
            .collect();
        let best = best(&as_it_stands, measure, &seen);
        let settings = best.map_or_else(Default::default, |number| trials[number].settings.clone());
        let value = |record: &TrialRecord| match record.outcome {
            Outcome::Finished | Outcome::Stopped => {
                record.last().map_or(guessing, |epoch| score(epoch, measure).value)
            }
            Outcome::Diverged | Outcome::Unusable(_) => guessing,
        };
        let values: Vec<f64> = trials.iter().map(value).collect();
        let natural = |values: Vec<f64>| values.into_iter().map(|value| sign * value).collect();
        Ok(Self {
            name: candidate.template.name.clone(),
            searched: candidate.space.spelled(),
            best,
            best_so_far: best_so_far(&seen).into_iter().map(|best| best.map(|best| sign * best)).collect(),
            expected_best: (sampler == Sampler::Random)
                .then(|| stats::expected_best(&values).ok().map(natural))
                .flatten(),
            importance: importance(candidate.space.space(), &seen),
            drawn_at_random: sampler == Sampler::Random,
            model: candidate.make(&settings)?,
            as_it_stands,
            trials,
            seen,
        })
    }

    /// The trials' numbers, the best first: finished ones by their last epoch, then stopped ones, then those that came to
    /// nothing.
    pub fn ranking(&self) -> Vec<usize> {
        ranking(&self.seen)
    }

    /// The record of the best settings.
    pub fn best_record(&self) -> &TrialRecord {
        self.best.map_or(&self.as_it_stands, |number| &self.trials[number])
    }
}

fn in_toml(value: &impl Serialize) -> toml::Value {
    toml::Value::try_from(value).expect("what a study file holds is TOML")
}

/// The finished trial that is better than every other and than the model as it stands.
fn best(as_it_stands: &TrialRecord, measure: Measure, trials: &[Trial]) -> Option<usize> {
    let first = ranking(trials).first().copied().filter(|number| trials[*number].finished())?;
    let standing =
        trial(as_it_stands, measure, Some(trials[first].point.clone())).expect("a point was given");
    // Of equal ones the first is first: nothing is changed without a gain.
    (ranking(&[standing, trials[first].clone()])[0] == 1).then_some(first)
}
