//! Training a model by its name.

use crate::{Classifier, Error};
use data::{Corpus, Source};
use interchange::{Description, ImageKind};
use nn::{InstructionSet, Model};
use records::record::{Protocol, RunRecord, RunSpec};
use std::{ops::ControlFlow, thread};
use study::{
    run::{FinishedRun, RunError, Session},
    study_file::{ModelSpec, built_in_model},
};
use train::Event;

/// How a model is to be trained: by its own recipe on the MNIST inside this library, unless said otherwise.
pub struct Training {
    model: ModelSpec,
    data: Data,
    seed: u64,
    protocol: Protocol,
    threads: usize,
}

/// What is trained on.
pub(crate) enum Data {
    /// Loaded when it is needed.
    Source(Source),
    /// In memory.
    Corpus(Box<Corpus>),
}

impl Data {
    pub(crate) fn session(self, threads: usize) -> Result<Session, Error> {
        let set = InstructionSet::detect();
        Ok(match self {
            Self::Source(source) => Session::open(&source, set, threads)?,
            Self::Corpus(corpus) => Session::of(*corpus, set, threads)?,
        })
    }
}

/// A trained model, and the record of its training.
pub struct Trained {
    /// Ready to answer.
    pub classifier: Classifier,
    /// Epochs, test accuracy, loss, seconds, the fingerprint of the weights and what else a report is made from.
    pub record: RunRecord,
}

impl Training {
    /// Of a built-in model: `mlp`, `cnn`, `lstm` and so on.
    ///
    /// # Errors
    /// When there is none of that name; the error says which are near it.
    pub fn of(model: &str) -> Result<Self, Error> {
        Ok(Self::of_model(built_in_model(model).map_err(RunError::from)?))
    }

    /// Of any model, such as one of a study file's.
    pub fn of_model(model: ModelSpec) -> Self {
        let threads = thread::available_parallelism().map_or(1, usize::from);
        Self { model, data: Data::Source(Source::Mnist), seed: 0, protocol: Protocol::Sound, threads }
    }

    /// So many passes over the training images.
    #[must_use]
    pub fn epochs(mut self, epochs: usize) -> Self {
        self.model.recipe.epochs = epochs;
        self
    }

    /// The recipe, to change it.
    pub fn recipe(&mut self) -> &mut train::Recipe {
        &mut self.model.recipe
    }

    /// The seed of every random stream; 0 unless said otherwise.
    #[must_use]
    pub fn seed(mut self, seed: u64) -> Self {
        self.seed = seed;
        self
    }

    /// Another data set: a file or folder of images, or a known one that has been fetched.
    ///
    /// # Errors
    /// When it is neither.
    pub fn dataset(mut self, name: &str) -> Result<Self, Error> {
        self.data = Data::Source(Source::parse(name)?);
        Ok(self)
    }

    /// Images in memory: see [`data::Corpus::from_images`].
    #[must_use]
    pub fn corpus(mut self, corpus: Corpus) -> Self {
        self.data = Data::Corpus(Box::new(corpus));
        self
    }

    /// So many threads, at most as many as there are processors; the weights do not depend on it.
    #[must_use]
    pub fn threads(mut self, threads: usize) -> Self {
        self.threads = threads;
        self
    }

    /// Trains.
    ///
    /// # Errors
    /// When the data cannot be used, the model does not fit it, or the training diverges.
    pub fn run(self) -> Result<Trained, Error> {
        self.run_with(|_| ControlFlow::Continue(()))
    }

    /// Trains, telling `listener` of what happens; it may end the training.
    ///
    /// # Errors
    /// As [`Self::run`], and when the listener breaks.
    pub fn run_with(
        self,
        mut listener: impl FnMut(Event) -> ControlFlow<()> + Send,
    ) -> Result<Trained, Error> {
        let Self { model, data, seed, protocol, threads } = self;
        model.recipe.check().map_err(RunError::from)?;
        let session = data.session(threads)?;
        session.check(&model)?;
        let specification: RunSpec = session.specification(&model, protocol, seed);
        let FinishedRun { model, record } = session.run(&specification, &mut listener)?;
        let description = description_of(&record, &model, session.corpus());
        Ok(Trained { classifier: Classifier::new(description, model), record })
    }
}

/// What a run's weights are, for the file that keeps them.
pub fn description_of(record: &RunRecord, model: &Model<f32>, corpus: &Corpus) -> Description {
    let specification = &record.specification;
    let classes = corpus.class_names().to_vec();
    let mut description =
        Description::of(&specification.architecture(), specification.dataset.shape(), classes);
    if corpus.training().shape().channels == 1 && !corpus.is_prepared_as_mnist() {
        description.set_kind(ImageKind::Grey);
    }
    description.preparation = model.preparation();
    description.training = Some(interchange::Training {
        dataset: specification.dataset.name.clone(),
        dataset_sha256: Some(specification.dataset.sha256.clone()),
        seed: specification.seed,
        precision: specification.recipe.precision,
        epochs: specification.recipe.epochs,
        train_seconds: record.train_seconds,
        test_accuracy: record.test.accuracy,
        test_loss: record.test.loss,
        fingerprint: record.fingerprint.clone(),
        version: record.environment.version.clone(),
    });
    description
}
