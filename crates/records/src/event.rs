//! What happens while runs are made, as data that can be sent elsewhere.

use crate::{
    record::{FailedRun, RunRecord, RunSpec},
    trial::{Outcome, TrialRecord},
};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// Something that happened, in a run, in a trial, or beside all of them. As JSON the fields of both parts stand in one object:
/// `{"index":0,"total":6,"model":"cnn","seed":0,"kind":"epoch","epoch":1,…}`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Event {
    /// What it is about; none where it is about no run or trial.
    #[serde(flatten, skip_serializing_if = "Option::is_none")]
    pub work: Option<Work>,
    /// What happened.
    #[serde(flatten)]
    pub kind: Kind,
}

impl Event {
    /// Something that a person must know.
    pub fn note(text: impl Into<String>) -> Self {
        Self { work: None, kind: Kind::Note { text: text.into() } }
    }

    /// The run that it is about.
    pub fn run(&self) -> Option<&Run> {
        match &self.work {
            Some(Work::Run(run)) => Some(run),
            _ => None,
        }
    }

    /// The trial that it is about.
    pub fn trial(&self) -> Option<&Trial> {
        match &self.work {
            Some(Work::Trial(trial)) => Some(trial),
            _ => None,
        }
    }
}

/// One training of several.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Work {
    /// A run of a plan.
    Run(Run),
    /// A trial of a search.
    Trial(Trial),
}

/// A run of a plan.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Run {
    /// Its place in the plan, from 0.
    pub index: usize,
    /// Runs of the plan.
    pub total: usize,
    /// The model's name.
    pub model: String,
    /// The seed of all its random streams.
    pub seed: u64,
}

impl Run {
    /// The run of a specification, at its place in a plan.
    pub fn of(index: usize, total: usize, specification: &RunSpec) -> Self {
        Self { index, total, model: specification.model.clone(), seed: specification.seed }
    }
}

/// A trial of a search.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Trial {
    /// Its number, from 0 for each model, as in its file's name; none for the model as it stands.
    pub number: Option<usize>,
    /// Trials of each model, where the search has so many and not a time.
    pub trials: Option<usize>,
    /// The model's name.
    pub model: String,
    /// The seed of the search.
    pub seed: u64,
}

/// What happened.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Kind {
    /// A run or a trial begins.
    Started {
        /// The passes over the training images that its recipe asks for.
        epochs: usize,
        /// What a trial changes of its model.
        #[serde(default, skip_serializing_if = "Map::is_empty")]
        settings: Map<String, Value>,
    },
    /// A step is done.
    Step(Step),
    /// An epoch is done and validated.
    Epoch(EpochEnd),
    /// A run is done, and its record is kept.
    Finished(RunEnd),
    /// A run came to no result.
    Failed {
        /// Whether that was known already.
        reused: bool,
        /// In which epoch.
        epoch: usize,
        /// What happened.
        problem: String,
    },
    /// A trial is done, and its record is kept.
    TrialFinished(TrialEnd),
    /// Other programs make all runs that are left.
    Waiting {
        /// How many there are.
        runs: usize,
    },
    /// Something that a person must know.
    Note {
        /// In words.
        text: String,
    },
}

/// How an epoch goes on.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Step {
    /// Counted from 1.
    pub epoch: usize,
    /// Steps done in this epoch.
    pub step: usize,
    /// Steps of every epoch.
    pub steps: usize,
    /// The epoch's training images so far.
    pub images: usize,
    /// Mean loss of the epoch's training images so far, in nats.
    pub train_loss: f64,
    /// Fraction of them classified correctly.
    pub train_accuracy: f64,
}

/// What an epoch gave.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct EpochEnd {
    /// Counted from 1.
    pub epoch: usize,
    /// Its training images.
    pub images: usize,
    /// Mean loss of the training images, in nats.
    pub train_loss: f64,
    /// Fraction of them classified correctly.
    pub train_accuracy: f64,
    /// Mean loss of the validation images after the epoch, in nats.
    pub validation_loss: f64,
    /// Fraction of them classified correctly.
    pub validation_accuracy: f64,
    /// Seconds of training.
    pub train_seconds: f64,
}

/// How a run ended.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RunEnd {
    /// Whether the record was there already.
    pub reused: bool,
    /// Fraction of the test images classified correctly.
    pub test_accuracy: f64,
    /// Mean loss of the test images, in nats.
    pub test_loss: f64,
    /// Seconds of training, all epochs.
    pub train_seconds: f64,
    /// The epochs that it had.
    pub epochs: usize,
    /// After which of them it had the weights that were tested, counted from 1; none where that was the last.
    pub kept_epoch: Option<usize>,
    /// SHA-256 of the weights, in hexadecimal.
    pub fingerprint: String,
}

/// How a trial ended.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TrialEnd {
    /// Whether the record was there already.
    pub reused: bool,
    /// How it ended.
    pub outcome: Outcome,
    /// What it changed of its model.
    pub settings: Map<String, Value>,
    /// The epochs that it had.
    pub epochs: usize,
    /// The epochs that its recipe asks for; none where there was no model to train.
    pub planned_epochs: Option<usize>,
    /// Fraction of the validation images classified correctly by the weights that it ended with; none where it diverged.
    pub validation_accuracy: Option<f64>,
    /// Mean loss of the validation images, in nats; none where it diverged.
    pub validation_loss: Option<f64>,
    /// Seconds from the choice of its settings to its end.
    pub total_seconds: f64,
}

impl Kind {
    /// The beginning of a run.
    pub fn started(specification: &RunSpec) -> Self {
        Self::Started { epochs: specification.recipe.epochs, settings: Map::new() }
    }

    /// The end of a run that has a record.
    pub fn finished(reused: bool, record: &RunRecord) -> Self {
        Self::Finished(RunEnd {
            reused,
            test_accuracy: record.test.accuracy,
            test_loss: record.test.loss,
            train_seconds: record.train_seconds,
            epochs: record.epochs.len(),
            kept_epoch: record.kept_epoch,
            fingerprint: record.fingerprint.clone(),
        })
    }

    /// The end of a run that has none.
    pub fn failed(reused: bool, run: &FailedRun) -> Self {
        Self::Failed { reused, epoch: run.epoch, problem: run.problem.clone() }
    }

    /// The end of a trial.
    pub fn trial_finished(reused: bool, record: &TrialRecord) -> Self {
        let last = record.last();
        Self::TrialFinished(TrialEnd {
            reused,
            outcome: record.outcome.clone(),
            settings: record.settings.clone(),
            epochs: record.epochs.len(),
            planned_epochs: record.specification.as_ref().map(|run| run.recipe.epochs),
            validation_accuracy: last.map(|epoch| epoch.validation_accuracy),
            validation_loss: last.map(|epoch| epoch.validation_loss),
            total_seconds: record.total_seconds,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_is_one_object_and_comes_back() {
        let run = Run { index: 0, total: 2, model: "cnn".into(), seed: 7 };
        let trial = Trial { number: None, trials: Some(30), model: "cnn".into(), seed: 7 };
        let (train_loss, train_accuracy) = (0.5, 0.8);
        let step = Kind::Step(Step { epoch: 1, step: 3, steps: 9, images: 96, train_loss, train_accuracy });
        let begun = Kind::Started { epochs: 2, settings: Map::new() };
        for (event, expected) in [
            (
                Event { work: Some(Work::Run(run)), kind: step },
                r#"{"index":0,"total":2,"model":"cnn","seed":7,"kind":"step","epoch":1,"step":3,"steps":9,"images":96,"train_loss":0.5,"train_accuracy":0.8}"#,
            ),
            (
                Event { work: Some(Work::Trial(trial)), kind: begun },
                r#"{"number":null,"trials":30,"model":"cnn","seed":7,"kind":"started","epochs":2}"#,
            ),
            (Event { work: None, kind: Kind::Waiting { runs: 2 } }, r#"{"kind":"waiting","runs":2}"#),
        ] {
            let text = serde_json::to_string(&event).expect("plain values");
            assert_eq!(text, expected);
            assert_eq!(serde_json::from_str::<Event>(&text).expect("an event"), event);
        }
    }
}
