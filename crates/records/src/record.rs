//! What one run leaves behind: everything a report needs, and enough to train the run again.

use crate::question::Measure;
use serde::{Deserialize, Serialize};
use spec::{Architecture, Footprint, ImageShape, LayerSpec, PreparationSpec, Recipe, Validation};
use std::fmt;

/// Version of the record's layout; a record of another version is left aside, never guessed at.
pub const RECORD_SCHEMA: u32 = 4;

/// One finished run: a model trained once from one seed and then tested once.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RunRecord {
    /// Layout version, [`RECORD_SCHEMA`].
    pub schema: u32,
    /// Hash of specification, data and program version, in hexadecimal; the record's file name.
    pub id: String,
    /// What was asked for. A run depends on nothing else.
    pub specification: RunSpec,
    /// Where it ran.
    pub environment: Environment,
    /// Number of parameters that are learnt.
    pub parameters: usize,
    /// Multiplications that are added up in one image's forward pass, by the layers' definitions.
    pub multiply_adds: u64,
    /// One entry per epoch, in order.
    pub epochs: Vec<EpochRecord>,
    /// After which epoch the weights that were tested stood, where the recipe chose one before the last by the validation
    /// images.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kept_epoch: Option<usize>,
    /// Seconds spent drawing batches and updating weights, all epochs.
    pub train_seconds: f64,
    /// Seconds spent on the validation and test sets.
    pub evaluate_seconds: f64,
    /// Seconds from the start of the run to its end, building the model included.
    pub total_seconds: f64,
    /// The test set, read with the final weights.
    pub test: TestRecord,
    /// How many times the test images were read during the run: 1 under the `sound` protocol.
    pub test_reads: u32,
    /// SHA-256 over the final weights' bytes (little-endian float32, in parameter order), in hexadecimal.
    pub fingerprint: String,
    /// Everything that a reader of the figures must know: a fallback, a timing taken under load.
    pub warnings: Vec<String>,
    /// What is wrong with the data, found when it was loaded: the same sentences for every run on the same data.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub data_warnings: Vec<String>,
    /// How the data was read, where that is not plain; earlier programs kept it among the warnings.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub data_notes: Vec<String>,
    /// What each class is called; empty where that is its number.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub class_names: Vec<String>,
}

impl RunRecord {
    /// The memory that the model takes as an int8 header of C, which follows from its layers.
    ///
    /// # Errors
    /// Names a layer that has no form in whole numbers.
    pub fn footprint(&self) -> Result<Footprint, String> {
        let RunSpec { layers, dataset, recipe, .. } = &self.specification;
        let is_prepared = recipe.preparation != PreparationSpec::None;
        Footprint::of(layers, dataset.shape(), dataset.classes, is_prepared)
    }
}

/// A run that came to no result: its training diverged. It would again, so it is kept like a result.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FailedRun {
    /// Layout version, [`RECORD_SCHEMA`].
    pub schema: u32,
    /// As in [`RunRecord::id`].
    pub id: String,
    /// What was asked for.
    pub specification: RunSpec,
    /// Where it ran.
    pub environment: Environment,
    /// In which epoch the loss ceased to be a number, counted from 1.
    pub epoch: usize,
    /// What happened, in words.
    pub problem: String,
}

/// The complete description of a run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RunSpec {
    /// The model's name within the study.
    pub model: String,
    /// Its layers, as a study file has them.
    pub layers: Vec<LayerSpec>,
    /// The data that was trained and tested on.
    pub dataset: DatasetIdentity,
    /// How the data was divided and when the test set was read.
    pub protocol: Protocol,
    /// How it was trained.
    pub recipe: Recipe,
    /// The run's seed, from which all of its random streams are derived.
    pub seed: u64,
    /// Whether the test images are also read after every epoch, to see what choosing the best epoch by them would
    /// flatter; nothing is chosen by what is seen.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub audit_selection: bool,
    /// What of the data the run draws for itself.
    #[serde(default, skip_serializing_if = "Resample::is_none")]
    pub resample: Resample,
    /// Which part of a cross-validation it is; none of a run that is tested on the test part.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fold: Option<Fold>,
}

/// What of the data a run draws by its seed, alike for all models, beside the streams that every run has (Bouthillier and
/// others 2021, "Accounting for variance in machine learning benchmarks").
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Resample {
    /// Nothing: all runs divide the data alike.
    #[default]
    None,
    /// Which of the training images are held back to validate on.
    Split,
    /// The images to learn from, with replacement, as many as there are.
    Bootstrap,
}

impl Resample {
    /// The name on the command line and in files.
    pub fn name(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Split => "split",
            Self::Bootstrap => "bootstrap",
        }
    }

    fn is_none(&self) -> bool {
        *self == Self::None
    }
}

/// A part of a cross-validation: the images that one run is tested on, and learns nothing from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fold {
    /// Which division of the images into folds, counted from 1.
    pub repeat: usize,
    /// Which fold of that division, counted from 1.
    pub fold: usize,
    /// How many folds a division has, at least two.
    pub folds: usize,
}

impl RunSpec {
    /// The model's network.
    pub fn architecture(&self) -> Architecture {
        Architecture {
            name: self.model.clone(),
            summary: String::new(),
            citation: String::new(),
            layers: self.layers.clone(),
        }
    }
}

/// Which data, beyond doubt.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DatasetIdentity {
    /// `mnist`, or the folder that was named.
    pub name: String,
    /// SHA-256 over the images and labels of both sets, in hexadecimal.
    pub sha256: String,
    /// Images in the training file.
    pub training_images: usize,
    /// Images in the test file.
    pub test_images: usize,
    /// Pixels from top to bottom.
    pub height: usize,
    /// Pixels from left to right.
    pub width: usize,
    /// Values of a pixel: 1, which is left out, or 3.
    #[serde(default = "one_channel", skip_serializing_if = "is_one_channel")]
    pub channels: usize,
    /// Number of classes.
    pub classes: usize,
}

impl DatasetIdentity {
    /// Shape of the images.
    pub fn shape(&self) -> ImageShape {
        let Self { height, width, channels, .. } = *self;
        ImageShape { height, width, channels }
    }
}

fn one_channel() -> usize {
    1
}

fn is_one_channel(channels: &usize) -> bool {
    *channels == 1
}

/// How the data is divided and when the test set may be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Protocol {
    /// 55,000 images to train on, 5,000 selected at random to validate on, the test set read once after the last epoch.
    Sound,
    /// As sound, but validated on the last 5,000 of the training file: MNIST's is in the order of its writers, so these are
    /// by writers whom the model does not know, as those of the test set are.
    Writers,
    /// The seed study's way: 60,000 images to train on, the test set read after every epoch.
    Original,
}

impl Protocol {
    /// The name on the command line and in files.
    pub fn name(self) -> &'static str {
        match self {
            Protocol::Sound => "sound",
            Protocol::Writers => "writers",
            Protocol::Original => "original",
        }
    }

    /// Which images validate a training.
    pub fn validation(self) -> Validation {
        match self {
            Protocol::Sound | Protocol::Writers => Validation::HeldOut,
            Protocol::Original => Validation::TestImages,
        }
    }
}

/// Where a run was computed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Environment {
    /// The processor's name.
    pub cpu: String,
    /// Threads that computed.
    pub threads: usize,
    /// Instruction set of the kernels, as `MNIST_STUDY_KERNELS` spells it.
    pub kernels: String,
    /// `train::ENGINE_REVISION`: with the kernels, what the bits of a result depend on beside its specification.
    pub engine_revision: u32,
    /// As Rust names it: `linux`, `macos`, `windows`.
    pub operating_system: String,
    /// Version of this program.
    pub version: String,
    /// How many runs were made side by side, each on its share of the processors; none where a run had them to itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub jobs: Option<usize>,
    /// On which machine; none in records of earlier programs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub place: Option<Place>,
}

/// On which machine something was computed, and as which task of a scheduler.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Place {
    /// The machine's name in its network.
    pub host: String,
    /// What a scheduler calls the task; none outside of schedulers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub task: Option<Task>,
}

/// A task of a scheduler.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Task {
    /// Whose task it is.
    pub scheduler: Scheduler,
    /// The job, as the scheduler numbers or names it; none where it does not tell its tasks.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub job: Option<String>,
    /// The task's number within the job, as the scheduler counts; none of a job that is one task.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub number: Option<u64>,
    /// How often it was begun again.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub restarts: u64,
}

/// A scheduler whose tasks are known by their environment variables.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Scheduler {
    /// Slurm.
    Slurm,
    /// HyperQueue.
    HyperQueue,
    /// Kubernetes, by an indexed Job.
    Kubernetes,
}

impl Scheduler {
    /// The name that it gives itself.
    pub fn name(self) -> &'static str {
        match self {
            Self::Slurm => "Slurm",
            Self::HyperQueue => "HyperQueue",
            Self::Kubernetes => "Kubernetes",
        }
    }
}

impl fmt::Display for Task {
    fn fmt(&self, formatter: &mut fmt::Formatter) -> fmt::Result {
        formatter.write_str(self.scheduler.name())?;
        if let Some(job) = &self.job {
            write!(formatter, " job {job}")?;
        }
        if let Some(number) = self.number {
            write!(formatter, " task {number}")?;
        }
        match self.restarts {
            0 => Ok(()),
            1 => formatter.write_str(", begun again once"),
            often => write!(formatter, ", begun again {often} times"),
        }
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands a reference")]
fn is_zero(number: &u64) -> bool {
    *number == 0
}

/// One row of `epochs.csv`, without the model and the seed. What an imported run did not log is not a number here, and null in files.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EpochRecord {
    /// Counted from 1.
    pub epoch: usize,
    /// Mean loss over the training images, each measured in the step that learnt from it.
    #[serde(default = "unknown", deserialize_with = "number_or_null")]
    pub train_loss: f64,
    /// Fraction of training images classified correctly, measured likewise.
    #[serde(default = "unknown", deserialize_with = "number_or_null")]
    pub train_accuracy: f64,
    /// Mean loss over the validation images after the epoch (the test images under `original`).
    #[serde(default = "unknown", deserialize_with = "number_or_null")]
    pub validation_loss: f64,
    /// Fraction of validation images classified correctly after the epoch.
    #[serde(default = "unknown", deserialize_with = "number_or_null")]
    pub validation_accuracy: f64,
    /// The measure that a search goes by, of the validation images after the epoch, where it is neither accuracy nor loss.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub validation_measure: Option<f64>,
    /// Seconds of drawing batches and updating weights in this epoch.
    #[serde(default = "unknown", deserialize_with = "number_or_null")]
    pub train_seconds: f64,
    /// Fraction of test images classified correctly after the epoch, where the run audits selection.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub test_accuracy: Option<f64>,
}

impl EpochRecord {
    /// An epoch, counted from 1, of which nothing is known.
    pub fn unknown(epoch: usize) -> Self {
        Self {
            epoch,
            train_loss: f64::NAN,
            train_accuracy: f64::NAN,
            validation_loss: f64::NAN,
            validation_accuracy: f64::NAN,
            validation_measure: None,
            train_seconds: f64::NAN,
            test_accuracy: None,
        }
    }
}

fn unknown() -> f64 {
    f64::NAN
}

fn number_or_null<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<f64, D::Error> {
    Ok(Option::deserialize(deserializer)?.unwrap_or(f64::NAN))
}

impl EpochRecord {
    /// A measure of the validation images after the epoch; none where it was not taken.
    pub fn validation(&self, measure: Measure) -> Option<f64> {
        match measure {
            Measure::Accuracy => Some(self.validation_accuracy),
            Measure::LogLoss => Some(self.validation_loss),
            Measure::BalancedAccuracy | Measure::MacroF1 => self.validation_measure,
        }
    }
}

/// The final weights on the test images.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TestRecord {
    /// Fraction of test images classified correctly.
    pub accuracy: f64,
    /// Mean softmax cross-entropy in nats; not a number, null in files, where an imported run states no probabilities.
    #[serde(default = "unknown", deserialize_with = "number_or_null")]
    pub loss: f64,
    /// Of a fold: where each test image stands in the set that is cross-validated, counted from 0, in ascending order. Empty where the
    /// test images are a set of their own.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub images: Vec<u32>,
    /// The true class of each test image, so that a report needs no data set.
    #[serde(with = "crate::encoding::bytes")]
    pub labels: Vec<u8>,
    /// The class given to each test image, in file order.
    #[serde(with = "crate::encoding::bytes")]
    pub predictions: Vec<u8>,
    /// Class probabilities `[images, classes]` in steps of 1/65535; empty where an imported run states none.
    #[serde(with = "crate::encoding::words")]
    pub probabilities: Vec<u16>,
}

impl TestRecord {
    /// All but the classes and probabilities of the test images.
    pub(crate) fn without_answers(&self) -> Self {
        Self {
            accuracy: self.accuracy,
            loss: self.loss,
            images: self.images.clone(),
            labels: Vec::new(),
            predictions: Vec::new(),
            probabilities: Vec::new(),
        }
    }
}
