//! What a study asks for, and the runs that answer it.

use crate::study_file::{ModelSpec, StudyFile};
use data::Corpus;
use nn::ImageShape;
use records::record::{DatasetIdentity, Fold, Protocol, Resample, RunSpec};

/// A comparison, not yet bound to data.
#[derive(Debug, Clone, PartialEq)]
pub struct StudySpec {
    /// Each model and its recipe, in the order of the report.
    pub models: Vec<ModelSpec>,
    /// How the data is divided.
    pub protocol: Protocol,
    /// Whether runs read the test images after every epoch, to audit the optimism of selecting on test data.
    pub audit_selection: bool,
    /// What of the data each run draws for itself.
    pub resample: Resample,
    /// How the images are dealt out to folds, where the study is a cross-validation; it then has folds × repeats runs of each model.
    pub cross_validation: Option<CrossValidation>,
    /// The first run's seed; run r has `first_seed + r`.
    pub first_seed: u64,
    /// Runs of each model.
    pub runs: u64,
}

/// Most folds of a cross-validation.
pub const MAXIMUM_FOLDS: usize = 1000;

/// How a cross-validation deals out the images.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CrossValidation {
    /// Folds, each of which is tested on once a repeat; at least 2.
    pub folds: usize,
    /// How often the images are dealt out anew; at least 1.
    pub repeats: usize,
}

impl CrossValidation {
    /// Runs of each model.
    pub fn runs(self) -> u64 {
        (self.folds * self.repeats) as u64
    }

    /// The fold of a run, the runs counted from 0.
    fn fold(self, run: u64) -> Fold {
        let run = run as usize;
        Fold { repeat: run / self.folds + 1, fold: run % self.folds + 1, folds: self.folds }
    }
}

impl StudySpec {
    /// That of a study file. No model trains longer than its target allows.
    pub fn of_file(file: &StudyFile) -> Self {
        let most = file.target.and_then(|target| target.max_epochs);
        let mut models = file.models.clone();
        for model in &mut models {
            model.recipe.epochs = model.recipe.epochs.min(most.unwrap_or(usize::MAX));
        }
        Self {
            models,
            protocol: file.protocol,
            audit_selection: file.audit_selection,
            resample: file.resample,
            cross_validation: file.cross_validation,
            first_seed: file.first_seed,
            runs: file.cross_validation.map_or(file.runs, CrossValidation::runs),
        }
    }
}

/// The identity of a corpus, as records keep it.
pub fn identify(corpus: &Corpus) -> DatasetIdentity {
    let ImageShape { height, width, channels } = corpus.training().shape();
    DatasetIdentity {
        name: corpus.name().to_owned(),
        sha256: corpus.sha256().to_owned(),
        training_images: corpus.training().len(),
        test_images: corpus.test().len(),
        height,
        width,
        channels,
        classes: corpus.classes(),
    }
}

/// Every run of a study, in the order in which they are made.
///
/// All models' first runs come before any second run: the first verdict is early, and a machine that slows down slows
/// every model.
pub fn plan(study: &StudySpec, dataset: &DatasetIdentity) -> Vec<RunSpec> {
    (0..study.runs)
        .flat_map(|run| {
            study.models.iter().map(move |model| RunSpec {
                model: model.architecture.name.clone(),
                layers: model.architecture.layers.clone(),
                dataset: dataset.clone(),
                protocol: study.protocol,
                recipe: model.recipe.clone(),
                seed: study.first_seed.wrapping_add(run),
                audit_selection: study.audit_selection,
                resample: study.resample,
                fold: study.cross_validation.map(|folds| folds.fold(run)),
            })
        })
        .collect()
}
