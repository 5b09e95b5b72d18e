//! Comparing models in memory.

use crate::{Error, compared::Compared, training::Data};
use data::{Corpus, Source};
use records::{
    question::{Measure, Question},
    record::{Protocol, Resample},
    results::Collection,
};
use std::{ops::ControlFlow, thread};
use study::{
    plan::{CrossValidation, MAXIMUM_FOLDS, StudySpec, identify, plan},
    run::RunError,
    study_file::{ModelSpec, built_in_model},
};
use train::Event;

/// Which models are to be compared, and how: each by its own recipe, three times, on the MNIST inside this library, unless
/// said otherwise.
pub struct Comparison {
    models: Vec<ModelSpec>,
    data: Data,
    runs: u64,
    first_seed: u64,
    decide_by: Measure,
    resample: Resample,
    folds: Option<usize>,
    repeats: usize,
    threads: usize,
}

impl Comparison {
    /// Of built-in models by their names: `cnn`, `lstm` and so on.
    ///
    /// # Errors
    /// When there is none of a name; the error says which are near it.
    pub fn of<'a>(models: impl IntoIterator<Item = &'a str>) -> Result<Self, Error> {
        let models: Result<Vec<_>, _> = models.into_iter().map(built_in_model).collect();
        Ok(Self::of_models(models.map_err(RunError::from)?))
    }

    /// Of any models, such as a study file's. Their names must differ.
    pub fn of_models(models: Vec<ModelSpec>) -> Self {
        Self {
            models,
            data: Data::Source(Source::Mnist),
            runs: 3,
            first_seed: 0,
            decide_by: Measure::default(),
            resample: Resample::default(),
            folds: None,
            repeats: 1,
            threads: thread::available_parallelism().map_or(1, usize::from),
        }
    }

    /// Images in memory: see [`data::Corpus::from_images`].
    #[must_use]
    pub fn corpus(mut self, corpus: Corpus) -> Self {
        self.data = Data::Corpus(Box::new(corpus));
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

    /// So many runs of each model, at least one: what an interval can allow for grows with them.
    #[must_use]
    pub fn runs(mut self, runs: u64) -> Self {
        self.runs = runs.max(1);
        self
    }

    /// Which measure on the test images decides which of two models is better; accuracy unless said otherwise.
    ///
    /// ```no_run
    /// use mnist_study::{Comparison, Measure};
    ///
    /// // Classes of different sizes count alike.
    /// let comparison = Comparison::of(["mlp", "cnn"])?.dataset("photos")?.decide_by(Measure::BalancedAccuracy);
    /// # Ok::<(), mnist_study::Error>(())
    /// ```
    #[must_use]
    pub fn decide_by(mut self, measure: Measure) -> Self {
        self.decide_by = measure;
        self
    }

    /// What of the data each run draws by its seed, alike for all models, so that the verdict holds for other draws too; nothing unless
    /// said otherwise.
    ///
    /// ```
    /// # let made = mnist_study::data::synthetic(9, 120, 60, 14, 12, 3);
    /// # let of = |set: &mnist_study::data::Dataset| (set.images().to_vec(), set.labels().to_vec());
    /// # let (training, test) = (of(made.training()), of(made.test()));
    /// use mnist_study::{Comparison, Resample, data::Corpus};
    ///
    /// let corpus = Corpus::from_images("shapes", [14, 12], training, test)?;
    /// let comparison = Comparison::of(["mlp", "cnn"])?.corpus(corpus).epochs(1);
    /// let compared = comparison.resample(Resample::Bootstrap).run()?;
    /// assert!(compared.runs.records.iter().all(|run| run.specification.resample == Resample::Bootstrap));
    /// # Ok::<(), mnist_study::Error>(())
    /// ```
    #[must_use]
    pub fn resample(mut self, resample: Resample) -> Self {
        self.resample = resample;
        self
    }

    /// Cross-validates in the place of a test part: all images are dealt out to so many folds, 2 to 1,000, and each fold is tested on
    /// once, by a run of each model; [`Self::runs`] then means nothing. The verdict is that of the corrected resampled t test.
    ///
    /// ```
    /// # let made = mnist_study::data::synthetic(9, 120, 30, 14, 12, 3);
    /// # let of = |set: &mnist_study::data::Dataset| (set.images().to_vec(), set.labels().to_vec());
    /// # let (training, test) = (of(made.training()), of(made.test()));
    /// use mnist_study::{Comparison, Measure, data::Corpus};
    ///
    /// let corpus = Corpus::from_images("shapes", [14, 12], training, test)?;
    /// let comparison = Comparison::of(["mlp", "cnn"])?.corpus(corpus).epochs(1);
    /// let compared = comparison.folds(3).repeats(2).decide_by(Measure::MacroF1).run()?;
    /// // Two models, each three folds twice.
    /// assert_eq!(compared.runs.records.len(), 12);
    /// for verdict in compared.verdicts() {
    ///     println!("{verdict}");
    /// }
    /// # assert!(compared.verdicts().all(|verdict| verdict.contains("macro F1") && verdict.contains("fold")));
    /// # assert!(compared.page().contains("macro F1"));
    /// # Ok::<(), mnist_study::Error>(())
    /// ```
    #[must_use]
    pub fn folds(mut self, folds: usize) -> Self {
        self.folds = Some(folds.clamp(2, MAXIMUM_FOLDS));
        self
    }

    /// How often a cross-validation deals the images out anew, at least once; see [`Self::folds`].
    #[must_use]
    pub fn repeats(mut self, repeats: usize) -> Self {
        self.repeats = repeats.max(1);
        self
    }

    /// So many passes over the training images for every model.
    #[must_use]
    pub fn epochs(mut self, epochs: usize) -> Self {
        self.models.iter_mut().for_each(|model| model.recipe.epochs = epochs);
        self
    }

    /// The seed of each model's first run, from which the others count up; 0 unless said otherwise.
    #[must_use]
    pub fn first_seed(mut self, seed: u64) -> Self {
        self.first_seed = seed;
        self
    }

    /// So many threads, at most as many as there are processors; no result but the clocks' depends on it.
    #[must_use]
    pub fn threads(mut self, threads: usize) -> Self {
        self.threads = threads;
        self
    }

    /// Makes every run and judges.
    ///
    /// # Errors
    /// When the data cannot be used, or a model does not fit it. A training that diverges is among the runs that failed.
    pub fn run(self) -> Result<Compared, Error> {
        self.run_with(|_| ControlFlow::Continue(()))
    }

    /// As [`Self::run`], telling `listener` of what happens in each run; it may end the comparison.
    ///
    /// # Errors
    /// As [`Self::run`], and when the listener breaks.
    pub fn run_with(
        self,
        mut listener: impl FnMut(Event) -> ControlFlow<()> + Send,
    ) -> Result<Compared, Error> {
        let Self { models, data, runs, first_seed, decide_by, resample, folds, repeats, threads } = self;
        let cross_validation = folds.map(|folds| CrossValidation { folds, repeats });
        for model in &models {
            model.recipe.check().map_err(RunError::from)?;
        }
        let session = data.session(threads)?;
        models.iter().try_for_each(|model| session.check(model))?;
        let study = StudySpec {
            models,
            protocol: Protocol::Sound,
            audit_selection: false,
            resample,
            cross_validation,
            first_seed,
            runs: cross_validation.map_or(runs, CrossValidation::runs),
        };
        let mut runs =
            Collection { question: Question { decide_by, ..Question::default() }, ..Collection::default() };
        for specification in plan(&study, &identify(session.corpus())) {
            match session.attempt(&specification, &mut listener)? {
                Ok(finished) => runs.records.push(finished.record),
                Err(run) => runs.failed.push(run),
            }
        }
        Ok(Compared::of(runs, Some(session.into_corpus())))
    }
}
