//! What a page is told without asking.

use records::event::{EpochEnd, Event, Kind, Step};
use serde::Serialize;
use serde_json::Value;

/// What a page is told without asking.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "type", rename_all = "kebab-case")]
pub enum Message {
    /// How the study stands: the first message, and one whenever other runs are planned.
    State(StudyState),
    /// Something happened in a run.
    Event {
        /// As `--json-events` writes it.
        event: Event,
    },
    /// The figures and verdicts of the runs that are finished.
    Summary {
        /// As `summary.json` has them.
        summary: Value,
    },
    /// A model has newer weights.
    Weights {
        /// The model's name.
        model: String,
        /// Of the run.
        seed: u64,
        /// Counted from 1; 0 before the first step.
        epoch: usize,
        /// Steps done in this epoch.
        step: usize,
        /// Whether they are those that were tested.
        finished: bool,
    },
    /// Something went wrong beside a call.
    Problem {
        /// What was expected and what was found.
        message: String,
        /// What to do.
        #[serde(skip_serializing_if = "Option::is_none")]
        hint: Option<String>,
    },
}

/// How a study stands.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct StudyState {
    /// The study file; empty where there is no study yet.
    pub text: String,
    /// What it asks.
    pub title: Option<String>,
    /// Whether runs are being made.
    pub running: bool,
    /// Whether no other run begins when those are done.
    pub pausing: bool,
    /// Where the results are, where they are in files.
    pub folder: Option<String>,
    /// In the order of the plan.
    pub runs: Vec<RunProgress>,
}

/// How far a run is.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct RunProgress {
    /// Its place in the plan, from 0.
    pub index: usize,
    /// Its identity.
    pub id: String,
    /// The model's name.
    pub model: String,
    /// The run's seed.
    pub seed: u64,
    /// Where it stands.
    pub state: RunState,
    /// Passes over the training images that its recipe asks for.
    pub total_epochs: usize,
    /// The epochs that are done.
    pub epochs: Vec<EpochEnd>,
    /// The epoch that is not.
    pub step: Option<Step>,
    /// Of a finished run.
    pub test_accuracy: Option<f64>,
    /// Of a finished run, in nats.
    pub test_loss: Option<f64>,
    /// Of a finished run: seconds of training.
    pub train_seconds: Option<f64>,
    /// Why it came to no result.
    pub problem: Option<String>,
}

/// Where a run stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum RunState {
    /// It has not begun.
    Waiting,
    /// It is being made.
    Training,
    /// It has a record.
    Finished,
    /// It came to no result.
    Failed,
}

impl RunProgress {
    /// Takes note of what happened in the run.
    pub(crate) fn hear(&mut self, kind: &Kind) {
        match kind {
            Kind::Started { epochs, .. } => {
                self.forget();
                (self.state, self.total_epochs) = (RunState::Training, *epochs);
            }
            Kind::Step(step) => self.step = Some(step.clone()),
            Kind::Epoch(epoch) => {
                self.step = None;
                self.epochs.push(epoch.clone());
            }
            Kind::Finished(end) => {
                (self.state, self.step) = (RunState::Finished, None);
                self.test_accuracy = Some(end.test_accuracy);
                self.test_loss = Some(end.test_loss);
                self.train_seconds = Some(end.train_seconds);
            }
            Kind::Failed { problem, .. } => {
                (self.state, self.step) = (RunState::Failed, None);
                self.problem = Some(problem.clone());
            }
            Kind::TrialFinished(_) | Kind::Waiting { .. } | Kind::Note { .. } => {}
        }
    }

    /// A run that was given up waits again.
    pub(crate) fn forget(&mut self) {
        self.state = RunState::Waiting;
        self.epochs.clear();
        self.step = None;
        (self.test_accuracy, self.test_loss, self.train_seconds) = (None, None, None);
        self.problem = None;
    }
}
