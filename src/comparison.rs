//! Comparing models in memory.

use crate::{Error, training::Data};
use analysis::{
    Analysis,
    thresholds::Thresholds,
    verdict::{Judgement, judge},
};
use data::{Corpus, Source};
use records::{
    question::Question,
    record::{FailedRun, Protocol, RunRecord},
};
use std::{ops::ControlFlow, thread};
use study::{
    plan::{StudySpec, identify, plan},
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
    protocol: Protocol,
    threads: usize,
}

/// What came of a comparison.
pub struct Compared {
    /// One a run, in the order in which they were made.
    pub records: Vec<RunRecord>,
    /// Runs that diverged.
    pub failed: Vec<FailedRun>,
    /// Every pair of models, judged.
    pub judgement: Judgement,
    class_names: Vec<String>,
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
            protocol: Protocol::Sound,
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
    /// When the data cannot be used, or a model does not fit it. A training that diverges is in [`Compared::failed`].
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
        let Self { models, data, runs, first_seed, protocol, threads } = self;
        for model in &models {
            model.recipe.check().map_err(RunError::from)?;
        }
        let session = data.session(threads)?;
        models.iter().try_for_each(|model| session.check(model))?;
        let study = StudySpec {
            models,
            protocol,
            audit_selection: false,
            resample: records::record::Resample::None,
            cross_validation: None,
            first_seed,
            runs,
        };
        let (mut records, mut failed) = (Vec::new(), Vec::new());
        for specification in plan(&study, &identify(session.corpus())) {
            match session.attempt(&specification, &mut listener)? {
                Ok(finished) => records.push(finished.record),
                Err(run) => failed.push(run),
            }
        }
        let judgement = judge(&records, &failed, &Thresholds::of(&records, &Question::default()));
        Ok(Compared { records, failed, judgement, class_names: session.corpus().class_names().to_vec() })
    }
}

impl Compared {
    /// The result of each pair in a sentence.
    pub fn verdicts(&self) -> impl Iterator<Item = &str> {
        self.judgement.comparisons.iter().map(|comparison| comparison.verdict.as_str())
    }

    /// The report as a page that needs nothing beside it.
    pub fn page(&self) -> String {
        report::page(&self.study())
    }

    /// Everything that is computed of the runs; it can be serialised, as `summary.json` is.
    pub fn analysis(&self) -> Analysis<'_> {
        let Judgement { comparisons, notes } = self.judgement.clone();
        Analysis::judged(&self.records, &self.failed, &Question::default(), notes, comparisons)
    }

    /// What every form of report is made of: see [`report`].
    pub fn study(&self) -> report::Study<'_> {
        report::Study {
            question: Question::default(),
            analysis: self.analysis(),
            images: None,
            class_names: &self.class_names,
            reproduction: None,
        }
    }
}
