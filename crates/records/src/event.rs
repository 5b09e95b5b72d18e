//! What happens while runs are made, as data that can be sent elsewhere.

use crate::record::{FailedRun, RunRecord, RunSpec};
use serde::{Deserialize, Serialize};

/// Something that happened, in a run or beside all of them. As JSON the fields of both parts stand in one object:
/// `{"index":0,"total":6,"model":"cnn","seed":0,"kind":"epoch","epoch":1,…}`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Event {
    /// The run, where it is about one.
    #[serde(flatten, skip_serializing_if = "Option::is_none")]
    pub run: Option<Run>,
    /// What happened.
    #[serde(flatten)]
    pub kind: Kind,
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

/// What happened.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Kind {
    /// A run begins.
    Started {
        /// The passes over the training images that its recipe asks for.
        epochs: usize,
    },
    /// A step is done.
    Step {
        /// Counted from 1.
        epoch: usize,
        /// Steps done in this epoch.
        step: usize,
        /// Steps of every epoch.
        steps: usize,
        /// Mean loss of the epoch's training images so far, in nats.
        train_loss: f64,
        /// Fraction of them classified correctly.
        train_accuracy: f64,
    },
    /// An epoch is done and validated.
    Epoch {
        /// Counted from 1.
        epoch: usize,
        /// Mean loss of the training images, in nats.
        train_loss: f64,
        /// Fraction of them classified correctly.
        train_accuracy: f64,
        /// Mean loss of the validation images after the epoch, in nats.
        validation_loss: f64,
        /// Fraction of them classified correctly.
        validation_accuracy: f64,
        /// Seconds of training.
        train_seconds: f64,
    },
    /// A run is done, and its record is kept.
    Finished {
        /// Whether the record was there already.
        reused: bool,
        /// Fraction of the test images classified correctly.
        test_accuracy: f64,
        /// Mean loss of the test images, in nats.
        test_loss: f64,
        /// Seconds of training, all epochs.
        train_seconds: f64,
        /// SHA-256 of the weights, in hexadecimal.
        fingerprint: String,
    },
    /// A run came to no result.
    Failed {
        /// Whether that was known already.
        reused: bool,
        /// In which epoch.
        epoch: usize,
        /// What happened.
        problem: String,
    },
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

impl Kind {
    /// The end of a run that has a record.
    pub fn finished(reused: bool, record: &RunRecord) -> Self {
        Self::Finished {
            reused,
            test_accuracy: record.test.accuracy,
            test_loss: record.test.loss,
            train_seconds: record.train_seconds,
            fingerprint: record.fingerprint.clone(),
        }
    }

    /// The end of a run that has none.
    pub fn failed(reused: bool, run: &FailedRun) -> Self {
        Self::Failed { reused, epoch: run.epoch, problem: run.problem.clone() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_is_one_object_and_comes_back() {
        let run = Run { index: 0, total: 2, model: "cnn".into(), seed: 7 };
        let step = Kind::Step { epoch: 1, step: 3, steps: 9, train_loss: 0.5, train_accuracy: 0.8 };
        for (event, expected) in [
            (
                Event { run: Some(run), kind: step },
                r#"{"index":0,"total":2,"model":"cnn","seed":7,"kind":"step","epoch":1,"step":3,"steps":9,"train_loss":0.5,"train_accuracy":0.8}"#,
            ),
            (Event { run: None, kind: Kind::Waiting { runs: 2 } }, r#"{"kind":"waiting","runs":2}"#),
        ] {
            let text = serde_json::to_string(&event).expect("plain values");
            assert_eq!(text, expected);
            assert_eq!(serde_json::from_str::<Event>(&text).expect("an event"), event);
        }
    }
}
