//! One worker's engine, without JavaScript.

use interchange::{Description, FormatError};
use kernels::InstructionSet;
use nn::Model;
use records::{
    event::{Event, Kind},
    plan::plan_text,
    question::Question,
    record::{RunRecord, RunSpec},
};
use std::ops::ControlFlow;
use study::{
    environment::Platform,
    plan::{StudySpec, identify, plan},
    run::{FinishedRun, RunError, Session},
    study_file::{StudyFile, StudyFileError},
    telling::Telling,
};

/// What the text of a study is called in messages.
const STUDY: &str = "study";

/// Why an engine did not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum EngineError {
    /// It has no data yet.
    #[error("open: data expected before anything else, none found")]
    NotOpen,
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

/// The data and what was learnt from it last.
pub struct Engine {
    session: Session,
    finished: Option<(Model<f32>, RunRecord)>,
}

impl Engine {
    /// Of MNIST's four files, in a browser that calls itself `agent` and has `workers` that make runs side by side.
    ///
    /// # Errors
    /// When a file is not as it was published.
    pub fn open(files: [Vec<u8>; 4], agent: &str, workers: usize) -> Result<Self, EngineError> {
        let session = Session::of(data::mnist(files)?, InstructionSet::detect(), 1)?;
        Ok(Self { session: session.on(Platform::browser(agent)).one_of(workers), finished: None })
    }

    /// The data's identity, as JSON.
    pub fn dataset(&self) -> String {
        json(&identify(self.session.corpus()))
    }

    /// The runs of a study, as a JSON list.
    ///
    /// # Errors
    /// When the text is no study of this data.
    pub fn plan(&self, study: &str) -> Result<String, EngineError> {
        Ok(json(&self.runs(&StudyFile::parse(study, STUDY)?)?))
    }

    /// The text of its plan's file.
    ///
    /// # Errors
    /// As [`Self::plan`].
    pub fn plan_file(&self, study: &str) -> Result<String, EngineError> {
        let study = StudyFile::parse(study, STUDY)?;
        let runs = self.runs(&study)?;
        let question = Question {
            title: study.title,
            target: study.target,
            decide_by: study.decide_by,
            equivalence_margin_points: study.equivalence_margin_points,
            ..Question::default()
        };
        Ok(plan_text(&question, &runs, &self.session.environment()))
    }

    fn runs(&self, study: &StudyFile) -> Result<Vec<RunSpec>, EngineError> {
        study.models.iter().try_for_each(|model| self.session.check(model))?;
        let runs = plan(&StudySpec::of_file(study), &identify(self.session.corpus()));
        if let Some(first) = runs.first() {
            self.session.check_division(first)?;
        }
        Ok(runs)
    }

    /// Makes a run, at its place in a plan of so many, and gives the text of its record or of its failure; `post` hears events as JSON.
    ///
    /// # Errors
    /// When it cannot be made, or `post` breaks.
    pub fn run(
        &mut self,
        specification: &str,
        (index, total): (usize, usize),
        post: &mut (dyn FnMut(&str) -> ControlFlow<()> + Send),
    ) -> Result<String, EngineError> {
        let specification: RunSpec =
            serde_json::from_str(specification).map_err(EngineError::Specification)?;
        let (expected, found) = (self.session.corpus().sha256(), &specification.dataset.sha256);
        if expected != found {
            return Err(EngineError::OtherData { expected: expected.to_owned(), found: found.clone() });
        }
        let mut telling = Telling::of_run(index, total, &specification);
        let mut post = |event: &Event| post(&json(event));
        let mut going_on = post(telling.event());
        let attempt = self.session.attempt(&specification, &mut |event: train::Event| {
            going_on?;
            going_on = post(telling.of_training(event));
            going_on
        })?;
        match attempt {
            Ok(FinishedRun { model, record }) => {
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
        let (run, corpus) = (&record.specification, self.session.corpus());
        let mut description =
            Description::of(&run.architecture(), run.dataset.shape(), corpus.class_names().to_vec());
        description.preparation = model.preparation();
        description.training = Some(interchange::Training {
            dataset: run.dataset.name.clone(),
            dataset_sha256: Some(run.dataset.sha256.clone()),
            seed: run.seed,
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

fn json(value: &impl serde::Serialize) -> String {
    serde_json::to_string(value).expect("only plain values")
}
