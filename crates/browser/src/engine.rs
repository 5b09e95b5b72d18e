//! One worker's engine, without JavaScript.

use crate::sets::{Sets, Shared};
use interchange::{Description, FormatError};
use nn::Model;
use page::{Desk, EngineDescription, Problem, Sessions};
use records::{
    event::{Event, Kind},
    plan::plan_text,
    question::Question,
    record::{RunRecord, RunSpec},
};
use std::{
    ops::ControlFlow,
    sync::{Arc, Mutex, PoisonError},
};
use study::{
    clock::SystemClock,
    environment::Platform,
    plan::{StudySpec, identify, plan},
    run::{FinishedRun, RunError, Session},
    study_file::{StudyFile, StudyFileError},
    telling::Telling,
};
use train::{Clock, Listener};

/// How long weights are not shown again.
const PAUSE_SECONDS: f64 = 0.25;

/// What the text of a study is called in messages.
const STUDY: &str = "study";

/// Why an engine did not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum EngineError {
    /// It has no data yet.
    #[error("open: data expected before anything else, none found")]
    NotOpen,
    /// There is no such data.
    #[error("{}", .0.message)]
    NoData(Problem),
    /// The data is not MNIST.
    #[error(transparent)]
    Data(#[from] data::Error),
    /// The study is wrong.
    #[error("{0}\n{hint}", hint = .0.hint)]
    Study(#[from] StudyFileError),
    /// A run cannot be made, or was ended.
    #[error(transparent)]
    Run(#[from] RunError),
    /// What was handed over is no specification of a run.
    #[error("specification: {0}")]
    Specification(serde_json::Error),
    /// A specification of other data.
    #[error("specification: data with SHA-256 {expected} expected, {found} found")]
    OtherData {
        /// The engine's.
        expected: String,
        /// The specification's.
        found: String,
    },
    /// No run has been made.
    #[error("weights: a finished run expected, none found")]
    NoRun,
    /// Weights cannot be written.
    #[error(transparent)]
    Weights(#[from] FormatError),
}

/// Who sees what was learnt: the epoch, the step, the weights, and whether they are the last.
pub type Showing<'a> = &'a mut (dyn FnMut(usize, usize, &[f32], bool) + Send);

/// The data and what was learnt from it last.
pub struct Engine {
    sets: Shared,
    finished: Option<(Model<f32>, RunRecord)>,
}

impl Engine {
    /// Of MNIST's four files, in a browser that calls itself `agent` and has `workers` that make runs side by side.
    ///
    /// # Errors
    /// When a file is not as it was published.
    pub fn open(files: [Vec<u8>; 4], agent: &str, workers: usize) -> Result<Self, EngineError> {
        let sets = Sets::new(data::mnist(files)?, Platform::browser(agent), workers)?;
        Ok(Self { sets: Shared(Arc::new(Mutex::new(sets))), finished: None })
    }

    /// A desk that answers a page's questions about a study of this data; `first` is the study that the page begins with.
    pub fn desk(&self, first: &str) -> Desk {
        let environment = self.mnist().environment();
        let description = EngineDescription {
            kind: "browser",
            kernels: environment.kernels,
            threads: 1,
            processor: environment.cpu,
        };
        Desk::new(description, Box::new(self.sets.clone()), first)
    }

    fn mnist(&self) -> Arc<Session> {
        Arc::clone(self.sets.0.lock().unwrap_or_else(PoisonError::into_inner).mnist())
    }

    fn session(&self, dataset: &str) -> Result<Arc<Session>, EngineError> {
        self.sets.clone().open(dataset).map_err(EngineError::NoData)
    }

    /// The data's identity, as JSON.
    pub fn dataset(&self) -> String {
        json(&identify(self.mnist().corpus()))
    }

    /// The runs of a study, as a JSON list.
    ///
    /// # Errors
    /// When the text is no study of this data.
    pub fn plan(&self, study: &str) -> Result<String, EngineError> {
        Ok(json(&self.runs(&StudyFile::parse(study, STUDY)?)?.1))
    }

    /// The text of its plan's file.
    ///
    /// # Errors
    /// As [`Self::plan`].
    pub fn plan_file(&self, study: &str) -> Result<String, EngineError> {
        let study = StudyFile::parse(study, STUDY)?;
        let (session, runs) = self.runs(&study)?;
        let question = Question {
            title: study.title,
            target: study.target,
            decide_by: study.decide_by,
            equivalence_margin_points: study.equivalence_margin_points,
        };
        Ok(plan_text(&question, &runs, &session.environment()))
    }

    fn runs(&self, study: &StudyFile) -> Result<(Arc<Session>, Vec<RunSpec>), EngineError> {
        let [dataset] = &study.datasets[..] else {
            return Err(EngineError::NoData(Problem::new("one data set expected, several found")));
        };
        let session = self.session(dataset)?;
        study.models.iter().try_for_each(|model| session.check(model))?;
        let runs = plan(&StudySpec::of_file(study), &identify(session.corpus()));
        if let Some(first) = runs.first() {
            session.check_division(first)?;
        }
        Ok((session, runs))
    }

    /// Makes a run, at its place in a plan of so many, and gives the text of its record or of its failure; `post` hears events as JSON, and
    /// `show` sees what was learnt some times a second: the epoch, the step, the weights, and whether they are the last.
    ///
    /// # Errors
    /// When it cannot be made, or `post` breaks.
    pub fn run(
        &mut self,
        specification: &str,
        (index, total): (usize, usize),
        post: &mut (dyn FnMut(&str) -> ControlFlow<()> + Send),
        show: Showing,
    ) -> Result<String, EngineError> {
        let specification: RunSpec =
            serde_json::from_str(specification).map_err(EngineError::Specification)?;
        let session = self.session(&specification.dataset.name)?;
        let (expected, found) = (session.corpus().sha256(), &specification.dataset.sha256);
        if expected != found {
            return Err(EngineError::OtherData { expected: expected.to_owned(), found: found.clone() });
        }
        let mut telling = Telling::of_run(index, total, &specification);
        let mut post = |event: &Event| post(&json(event));
        let going_on = post(telling.event());
        let clock = SystemClock::start();
        let mut listening = Listening {
            telling: &mut telling,
            post: &mut post,
            show,
            going_on,
            clock,
            shown: f64::MIN,
            at: (1, 0),
            values: Vec::new(),
        };
        let attempt = session.attempt(&specification, &mut listening)?;
        match attempt {
            Ok(FinishedRun { model, record }) => {
                show(record.epochs.len(), 0, model.parameters(), true);
                let _ = post(telling.of_kind(Kind::finished(false, &record)));
                let text = record.sealed();
                self.finished = Some((model, record));
                Ok(text)
            }
            Err(failed) => {
                let _ = post(telling.of_kind(Kind::failed(false, &failed)));
                Ok(failed.sealed())
            }
        }
    }

    /// The weights of the run that was made last, as a safetensors file.
    ///
    /// # Errors
    /// When there is none.
    pub fn weights(&self) -> Result<Vec<u8>, EngineError> {
        let (model, record) = self.finished.as_ref().ok_or(EngineError::NoRun)?;
        let run = &record.specification;
        let session = self.session(&run.dataset.name)?;
        let corpus = session.corpus();
        let mut description =
            Description::of(&run.architecture(), run.dataset.shape(), corpus.class_names().to_vec());
        description.preparation = model.preparation();
        description.training = Some(interchange::Training {
            dataset: run.dataset.name.clone(),
            dataset_sha256: Some(run.dataset.sha256.clone()),
            seed: run.seed,
            precision: run.recipe.precision,
            epochs: record.kept_epoch.unwrap_or(record.epochs.len()),
            train_seconds: record.train_seconds,
            test_accuracy: record.test.accuracy,
            test_loss: record.test.loss,
            fingerprint: record.fingerprint.clone(),
            version: record.environment.version.clone(),
        });
        Ok(interchange::encode(model, &description)?)
    }
}

/// Hands on what a training tells and what it learns.
struct Listening<'a> {
    telling: &'a mut Telling,
    post: &'a mut (dyn FnMut(&Event) -> ControlFlow<()> + Send),
    show: Showing<'a>,
    going_on: ControlFlow<()>,
    clock: SystemClock,
    /// When weights were shown last, by the clock.
    shown: f64,
    /// The epoch and the step that is done.
    at: (usize, usize),
    values: Vec<f32>,
}

impl Listener for Listening<'_> {
    fn event(&mut self, event: train::Event) -> ControlFlow<()> {
        self.going_on?;
        self.at = match event {
            train::Event::Step { epoch, step, .. } => (epoch, step),
            train::Event::Epoch(epoch) => (epoch.epoch + 1, 0),
        };
        self.going_on = (self.post)(self.telling.of_training(event));
        self.going_on
    }

    fn look(&mut self, engine: &dyn train::Engine) {
        let now = self.clock.seconds();
        if now - self.shown >= PAUSE_SECONDS {
            self.shown = now;
            engine.copy_parameters(&mut self.values);
            (self.show)(self.at.0, self.at.1 + 1, &self.values, false);
        }
    }
}

fn json(value: &impl serde::Serialize) -> String {
    serde_json::to_string(value).expect("only plain values")
}
