//! What a study asks for, and the runs that answer it.

use crate::study_file::ModelSpec;
use data::Corpus;
use nn::ImageShape;
use records::record::{DatasetIdentity, Protocol, RunSpec};

/// A comparison, not yet bound to data.
#[derive(Debug, Clone, PartialEq)]
pub struct StudySpec {
    /// Each model and its recipe, in the order of the report.
    pub models: Vec<ModelSpec>,
    /// How the data is divided.
    pub protocol: Protocol,
    /// Whether runs read the test images after every epoch, to audit the optimism of selecting on test data.
    pub audit_selection: bool,
    /// The first run's seed; run r has `first_seed + r`.
    pub first_seed: u64,
    /// Runs of each model.
    pub runs: u64,
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
            })
        })
        .collect()
}
