//! One run: a specification in, a record out.

use crate::{
    clock::SystemClock,
    division::{Divided, Division},
    environment::{LoadMeter, Platform},
    plan::{StudySpec, identify, plan},
    study_file::{ModelSpec, StudyFileError, UnknownModel},
    threads::Threads,
};
use data::{Corpus, Dataset, Source};
use kernels::InstructionSet;
pub use nn::fingerprint;
use nn::{
    Architecture, Model, Precision, PrecisionError, PreparationSpec, ShapeError, check_precision, keep_awake,
};
use records::{
    identity::run_id,
    question::Measure,
    record::{
        Environment, EpochRecord, FailedRun, Protocol, RECORD_SCHEMA, Resample, RunRecord, RunSpec,
        TestRecord,
    },
};
use stats::ClassCounts;
use std::sync::Arc;
use train::{
    AnswerMeasure, CheckedRecipe, Clock, EpochMetrics, Fitted, Listener, Native, Predictions, Recipe,
    RecipeError, Seeds, Sets, Stopped, Subset, TestTimeAugmentation, fit, predict,
};

/// Why a run left no record.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// No built-in model has that name.
    #[error(transparent)]
    UnknownModel(#[from] UnknownModel),
    /// A study file is wrong.
    #[error(transparent)]
    StudyFile(#[from] StudyFileError),
    /// The model does not fit the images.
    #[error(transparent)]
    Shape(#[from] ShapeError),
    /// A value of the recipe is unusable.
    #[error(transparent)]
    Recipe(#[from] RecipeError),
    /// This machine does not have the recipe's precision.
    #[error(transparent)]
    Precision(#[from] PrecisionError),
    /// Pixels are prepared by means of another number of channels.
    #[error(
        "model {model}, preparation: means of {expected} channels expected, as the images have, of {found} found"
    )]
    Channels {
        /// The model.
        model: String,
        /// The images' channels.
        expected: usize,
        /// The recipe's.
        found: usize,
    },
    /// The data cannot be divided.
    #[error(transparent)]
    Data(#[from] data::Error),
    /// Interrupted, or diverged.
    #[error("model {model}, seed {seed}: {stopped}")]
    Stopped {
        /// The model.
        model: String,
        /// The run's seed.
        seed: u64,
        /// What happened.
        stopped: Stopped,
    },
    /// The thread pool could not be made.
    #[error("{threads} threads: {problem}")]
    Threads {
        /// How many were asked for.
        threads: usize,
        /// What the system said.
        problem: String,
    },
}

impl RunError {
    /// Whether the user asked for the end.
    pub fn is_interruption(&self) -> bool {
        matches!(self, RunError::Stopped { stopped: Stopped::Interrupted { .. }, .. })
    }
}

/// What all runs on one data set share: the data, divided, and the threads.
pub struct Session {
    divided: Arc<Divided>,
    set: InstructionSet,
    threads: Threads,
    platform: Platform,
    loading_seconds: f64,
    /// Of how many it is one whose runs are made side by side.
    jobs: Option<usize>,
}

/// A trained model and its record.
pub struct FinishedRun {
    /// The final weights.
    pub model: Model<f32>,
    /// What is kept.
    pub record: RunRecord,
}

/// A training that was not tested.
pub struct Validated {
    /// How it ended: after which epoch the model had the parameters that it ended with, counted from 1.
    pub ended: Result<usize, RunError>,
    /// Number of trainable parameters.
    pub parameters: usize,
    /// Seconds from its start to its end.
    pub total_seconds: f64,
    /// What its times must not be read without, as a record's warnings.
    pub warnings: Vec<String>,
}

impl Session {
    /// Starts the threads, loads the data with them and divides it.
    ///
    /// No result depends on the threads. Of those asked for there are as many as the processors that this program may use:
    /// more would only wait for each other, and each would hold a network's activations. [`Self::threads`] says how many.
    ///
    /// # Errors
    /// When the data cannot be used or divided, or the system gives no threads.
    pub fn open(source: &Source, set: InstructionSet, threads: usize) -> Result<Self, RunError> {
        Self::with(|| data::load(source), set, threads)
    }

    /// As [`Self::open`], for data that is in memory.
    ///
    /// # Errors
    /// When the data cannot be divided, or the system gives no threads.
    pub fn of(corpus: Corpus, set: InstructionSet, threads: usize) -> Result<Self, RunError> {
        Self::with(|| Ok(corpus), set, threads)
    }

    fn with(
        load: impl FnOnce() -> Result<Corpus, data::Error> + Send,
        set: InstructionSet,
        threads: usize,
    ) -> Result<Self, RunError> {
        let threads =
            Threads::start(threads.min(std::thread::available_parallelism().map_or(1, usize::from)))?;
        let clock = SystemClock::start();
        let corpus = threads.install(load)?;
        let loading_seconds = clock.seconds();
        let divided = Arc::new(Divided::new(corpus)?);
        Ok(Self { divided, set, threads, platform: Platform::here(), loading_seconds, jobs: None })
    }

    /// Sessions on the same data whose runs are made side by side, each on its share of these threads; at most as many as there are
    /// threads. No result depends on it; times do, and records say so.
    ///
    /// # Errors
    /// When the system gives no threads.
    pub fn side_by_side(&self, jobs: usize) -> Result<Vec<Self>, RunError> {
        let all = self.threads();
        let jobs = jobs.clamp(1, all);
        let share = |job: usize| all / jobs + usize::from(job < all % jobs);
        (0..jobs)
            .map(|job| {
                Ok(Self {
                    divided: Arc::clone(&self.divided),
                    set: self.set,
                    platform: self.platform.clone(),
                    threads: Threads::start(share(job))?,
                    loading_seconds: 0.0,
                    jobs: Some(jobs).filter(|jobs| *jobs > 1),
                })
            })
            .collect()
    }

    /// The same where another platform is to stand in the records, of which this process cannot know itself.
    pub fn on(self, platform: Platform) -> Self {
        Self { platform, ..self }
    }

    /// The same where somebody else makes other runs meanwhile, so many with these, each on its share of the processors.
    pub fn one_of(self, jobs: usize) -> Self {
        Self { jobs: Some(jobs).filter(|jobs| *jobs > 1), ..self }
    }

    /// How many threads compute.
    pub fn threads(&self) -> usize {
        self.threads.count()
    }

    /// What reading and decoding the data took.
    pub fn loading_seconds(&self) -> f64 {
        self.loading_seconds
    }

    /// The data.
    pub fn corpus(&self) -> &Corpus {
        self.divided.corpus()
    }

    /// The data, when nothing more is to be run on it.
    pub fn into_corpus(self) -> Corpus {
        // Sessions that share it are dropped before.
        Arc::try_unwrap(self.divided).map_or_else(|shared| shared.corpus().clone(), Divided::into_corpus)
    }

    /// The machine, as records of this session describe it.
    pub fn environment(&self) -> Environment {
        Environment { jobs: self.jobs, ..self.platform.environment(self.set, self.threads()) }
    }

    /// Builds a model of this data's shape; its parameters are zero.
    ///
    /// # Errors
    /// When it does not fit the images.
    pub fn model(&self, architecture: &Architecture, capacity: usize) -> Result<Model<f32>, ShapeError> {
        let images = self.corpus().training();
        // On these threads, for which the model lays out its memory.
        self.threads
            .install(|| Model::new(self.set, architecture, images.shape(), self.corpus().classes(), capacity))
    }

    /// Builds the model of a run to be looked into, one image at a time, with its pixels prepared as in the run; its parameters are zero.
    ///
    /// # Errors
    /// When it does not fit the images, or the data cannot be divided as the run asks for.
    pub fn to_look_into(&self, specification: &RunSpec) -> Result<Model<f32>, RunError> {
        let images = self.corpus().training();
        let classes = self.corpus().classes();
        self.threads.install(|| {
            let mut model =
                Model::to_look_into(self.set, &specification.architecture(), images.shape(), classes)?;
            let division = self.divided.of(specification)?;
            prepare(&mut model, specification, division.sets(false).training)?;
            Ok(model)
        })
    }

    /// A session on the same data with so many threads of its own, for questions while runs are made.
    ///
    /// # Errors
    /// When the system gives no threads.
    pub fn aside(&self, threads: usize) -> Result<Self, RunError> {
        let divided = Arc::clone(&self.divided);
        Ok(Self {
            divided,
            set: self.set,
            threads: Threads::start(threads)?,
            platform: self.platform.clone(),
            loading_seconds: 0.0,
            jobs: None,
        })
    }

    fn multiply_adds(&self, architecture: &Architecture) -> Result<u64, ShapeError> {
        let images = self.corpus().training();
        let layers = architecture.describe(images.shape(), self.corpus().classes())?;
        Ok(layers.iter().map(|layer| layer.multiply_adds).sum())
    }

    /// Whether a model can be trained here: fits this data, and this machine has its recipe's precision.
    ///
    /// # Errors
    /// When it cannot: where the layer stands, if it is from a file.
    pub fn check(&self, model: &ModelSpec) -> Result<(), RunError> {
        check_precision(self.set, model.recipe.precision)?;
        self.check_fit(model)
    }

    /// Whether a model and its augmentation fit this data, for a study that is planned here and carried out elsewhere.
    ///
    /// # Errors
    /// As [`Self::check`].
    pub fn check_fit(&self, model: &ModelSpec) -> Result<(), RunError> {
        let images = self.corpus().training();
        check_augmentation(&model.recipe, images, self.corpus().name())?;
        let described = model.architecture.describe(images.shape(), self.corpus().classes());
        match described {
            Ok(_) => Ok(()),
            Err(error) => Err(model.locate(error).map_or_else(RunError::Shape, RunError::StudyFile)),
        }
    }

    /// Whether the data can be divided as a run of a new study asks for; and what the run does with validation images that the data states,
    /// where it is not what they are for.
    ///
    /// # Errors
    /// When it cannot.
    pub fn check_division(&self, specification: &RunSpec) -> Result<Option<String>, RunError> {
        self.divided.check(specification)?;
        Ok(self.divided.note(specification))
    }

    fn data_notes(&self, specification: &RunSpec) -> Vec<String> {
        let notes = self.corpus().notes().into_iter().map(str::to_owned);
        notes.chain(self.divided.note(specification)).collect()
    }

    /// The kernels that models here compute with.
    pub fn instruction_set(&self) -> InstructionSet {
        self.set
    }

    /// Does work on this session's threads.
    pub fn install<R: Send>(&self, work: impl FnOnce() -> R + Send) -> R {
        self.threads.install(work)
    }

    /// Measures a model on the test images, each in the versions asked for.
    pub fn test(&self, model: &mut Model<f32>, versions: TestTimeAugmentation) -> Predictions {
        self.threads.install(|| predict(&mut Native::new(model), Subset::all(self.corpus().test()), versions))
    }

    /// As [`Self::run`], where a training that diverges is a result too: the record of its failure.
    ///
    /// # Errors
    /// As there, but for divergence.
    pub fn attempt(
        &self,
        specification: &RunSpec,
        listener: &mut (dyn Listener + Send),
    ) -> Result<Result<FinishedRun, FailedRun>, RunError> {
        match self.run(specification, listener) {
            Err(RunError::Stopped { stopped: stopped @ Stopped::Diverged { epoch, .. }, .. }) => {
                let environment = self.environment();
                Ok(Err(FailedRun {
                    schema: RECORD_SCHEMA,
                    id: run_id(specification, &environment),
                    specification: specification.clone(),
                    environment,
                    epoch,
                    problem: stopped.to_string(),
                }))
            }
            other => other.map(Ok),
        }
    }

    /// Makes a run. The result depends on the specification and the instruction set alone, its clocks apart.
    ///
    /// # Errors
    /// When the specification is unusable, this machine does not have its precision, the listener breaks or the training diverges.
    ///
    /// # Panics
    /// When the specification names another data set than this session's.
    pub fn run(
        &self,
        specification: &RunSpec,
        listener: &mut (dyn Listener + Send),
    ) -> Result<FinishedRun, RunError> {
        assert_eq!(specification.dataset.sha256, self.corpus().sha256(), "the specification's data");
        self.threads.install(|| self.run_here(specification, listener))
    }

    fn run_here(
        &self,
        specification: &RunSpec,
        listener: &mut dyn Listener,
    ) -> Result<FinishedRun, RunError> {
        let (clock, load) = (SystemClock::start(), LoadMeter::start(self.threads() * self.jobs.unwrap_or(1)));
        let recipe = self.checked_recipe(specification)?;
        let architecture = specification.architecture();
        let mut model = self.model(&architecture, recipe.values().batch_size)?;
        let division = self.divided.of(specification)?;
        let sets = division.sets(is_audited(specification));
        prepare(&mut model, specification, sets.training)?;
        let (Fitted { epochs, kept_epoch }, in_precision) =
            train(&mut model, specification, &recipe, sets, &clock, listener)?;
        let before_test = clock.seconds();
        let asked = recipe.values().test_time_augmentation;
        let test = predict(&mut Native::new(&mut model), division.test(), asked);
        let test_seconds = clock.seconds() - before_test;
        if !test.evaluation.loss().is_finite() {
            let step = sets.training.len().div_ceil(recipe.values().batch_size);
            let stopped = Stopped::Diverged { epoch: kept_epoch, step };
            let (model, seed) = (specification.model.clone(), specification.seed);
            return Err(RunError::Stopped { model, seed, stopped });
        }
        let read_each_epoch = specification.protocol == Protocol::Original || sets.audit.is_some();
        let record = RunRecord {
            schema: RECORD_SCHEMA,
            id: run_id(specification, &self.environment()),
            specification: specification.clone(),
            environment: self.environment(),
            parameters: model.trainable_parameters(),
            multiply_adds: self.multiply_adds(&architecture)?,
            train_seconds: epochs.iter().map(|epoch| epoch.train_seconds).sum(),
            evaluate_seconds: epochs.iter().map(|epoch| epoch.evaluate_seconds).sum::<f64>() + test_seconds,
            kept_epoch: Some(kept_epoch).filter(|kept| *kept < epochs.len()),
            epochs: epochs.iter().map(epoch_record).collect(),
            test: test_record(&test, &division),
            test_reads: if read_each_epoch { epochs.len() as u32 + 1 } else { 1 },
            fingerprint: fingerprint(model.parameters()),
            warnings: load.warning().into_iter().chain(clock.warning()).chain(in_precision).collect(),
            data_warnings: self.corpus().warnings().into_iter().map(str::to_owned).collect(),
            data_notes: self.data_notes(specification),
            class_names: class_names(self.corpus()),
            total_seconds: clock.seconds(),
        };
        Ok(FinishedRun { model, record })
    }

    /// Trains a model on the training images and measures it on the validation images after every epoch, as its listener
    /// hears, by `measure` too where it is neither accuracy nor loss; the test images are in none of its sets. What was learnt
    /// is not kept.
    ///
    /// # Errors
    /// When the model does not fit the data, or this machine does not have its precision. How the training itself ended is part of the result.
    ///
    /// # Panics
    /// As [`Self::run`], or when the specification's protocol reads test images before the end.
    pub fn train_and_validate(
        &self,
        specification: &RunSpec,
        measure: Measure,
        listener: &mut (dyn Listener + Send),
    ) -> Result<Validated, RunError> {
        assert_eq!(specification.dataset.sha256, self.corpus().sha256(), "the specification's data");
        let (clock, load) = (SystemClock::start(), LoadMeter::start(self.threads() * self.jobs.unwrap_or(1)));
        let division = self.divided.of(specification)?;
        let sets = Sets { measure: of_answers(measure), ..division.sets(is_audited(specification)) };
        assert!(
            sets.audit.is_none() && specification.protocol != Protocol::Original,
            "nothing but training images"
        );
        self.threads.install(|| {
            let recipe = self.checked_recipe(specification)?;
            let mut model = self.model(&specification.architecture(), recipe.values().batch_size)?;
            prepare(&mut model, specification, sets.training)?;
            let ended = train(&mut model, specification, &recipe, sets, &clock, listener);
            let (ended, in_precision) = match ended {
                Ok((fitted, in_precision)) => (Ok(fitted.kept_epoch), in_precision),
                Err(error) => (Err(error), None),
            };
            let warnings = load.warning().into_iter().chain(clock.warning()).chain(in_precision).collect();
            Ok(Validated {
                ended,
                parameters: model.trainable_parameters(),
                total_seconds: clock.seconds(),
                warnings,
            })
        })
    }

    fn checked_recipe(&self, specification: &RunSpec) -> Result<CheckedRecipe, RunError> {
        check_precision(self.set, specification.recipe.precision)?;
        Ok(specification.recipe.clone().checked_for(specification.protocol.validation())?)
    }

    /// The specification of a single run on this data.
    pub fn specification(&self, model: &ModelSpec, protocol: Protocol, seed: u64) -> RunSpec {
        let models = vec![model.clone()];
        let study = StudySpec {
            models,
            protocol,
            audit_selection: false,
            resample: Resample::None,
            cross_validation: None,
            first_seed: seed,
            runs: 1,
        };
        plan(&study, &identify(self.corpus())).remove(0)
    }
}

/// Whether a run measures the test images after every epoch; under the original protocol the validation has seen them already.
fn is_audited(specification: &RunSpec) -> bool {
    specification.audit_selection && specification.protocol != Protocol::Original
}

/// Says what the model is to make of pixels, as the recipe has it.
fn prepare(model: &mut Model<f32>, specification: &RunSpec, training: Subset) -> Result<(), RunError> {
    let preparation = match specification.recipe.preparation {
        PreparationSpec::None => None,
        PreparationSpec::Standardise => Some(training.statistics()),
        PreparationSpec::Given(preparation) => Some(preparation),
    };
    let channels = specification.dataset.channels;
    if let Some(found) = preparation.map(|it| it.mean().len()).filter(|found| *found != channels) {
        return Err(RunError::Channels { model: specification.model.clone(), expected: channels, found });
    }
    model.set_preparation(preparation);
    Ok(())
}

/// Whether these images can be augmented as the recipe says.
fn check_augmentation(recipe: &Recipe, images: &Dataset, name: &str) -> Result<(), RecipeError> {
    Ok(recipe.augmentation.check_for(images.shape(), name)?)
}

/// Initialises a model and trains it as the specification says, on these sets. With the result, a warning where nothing was computed in the
/// precision that was asked for.
fn train(
    model: &mut Model<f32>,
    specification: &RunSpec,
    recipe: &CheckedRecipe,
    sets: Sets,
    clock: &dyn Clock,
    listener: &mut dyn Listener,
) -> Result<(Fitted, Option<String>), RunError> {
    check_augmentation(recipe.values(), sets.training.dataset, &specification.dataset.name)?;
    let seeds = Seeds::of_run(specification.seed);
    let mut engine = Native::new(model);
    seeds.initialise(&mut engine);
    let fitted = keep_awake(|| fit(&mut engine, recipe, seeds, sets, clock, listener));
    let precision = recipe.values().precision;
    let in_vain = precision == Precision::Bf16 && model.layers_in_bfloat16() == 0;
    // Whoever looks into the model then sees it as it answers.
    model.set_precision(Precision::Float32);
    let warning = in_vain.then(|| {
        format!(
            "precision {precision} changed nothing: no layer has enough channels, units or features for it"
        )
    });
    fitted.map(|fitted| (fitted, warning)).map_err(|stopped| RunError::Stopped {
        model: specification.model.clone(),
        seed: specification.seed,
        stopped,
    })
}

/// None where classes are called by their numbers.
fn class_names(corpus: &Corpus) -> Vec<String> {
    let names = corpus.class_names();
    let is_number = names.iter().enumerate().all(|(class, name)| *name == class.to_string());
    if is_number { Vec::new() } else { names.to_vec() }
}

/// A measure as a training takes it of its validation images; none of accuracy and loss, which it takes anyhow.
fn of_answers(measure: Measure) -> Option<AnswerMeasure> {
    match measure {
        Measure::Accuracy | Measure::LogLoss => None,
        Measure::BalancedAccuracy => Some(|labels, given, classes| {
            ClassCounts::of(labels, given, classes).map_or(f64::NAN, |counts| counts.balanced_accuracy())
        }),
        Measure::MacroF1 => Some(|labels, given, classes| {
            ClassCounts::of(labels, given, classes).map_or(f64::NAN, |counts| counts.macro_f1())
        }),
    }
}

pub(crate) fn epoch_record(epoch: &EpochMetrics) -> EpochRecord {
    EpochRecord {
        epoch: epoch.epoch,
        train_loss: epoch.train.loss(),
        train_accuracy: epoch.train.accuracy(),
        validation_loss: epoch.validation.loss(),
        validation_accuracy: epoch.validation.accuracy(),
        validation_measure: epoch.measured,
        train_seconds: epoch.train_seconds,
        test_accuracy: epoch.audit.map(|test| test.accuracy()),
    }
}

fn test_record(test: &Predictions, division: &Division) -> TestRecord {
    TestRecord {
        images: division.test_indices().to_vec(),
        accuracy: test.evaluation.accuracy(),
        loss: test.evaluation.loss(),
        labels: division.test().labels(),
        predictions: test.classes.clone(),
        probabilities: test.probabilities.iter().map(|p| (p * 65535.0).round() as u16).collect(),
    }
}
