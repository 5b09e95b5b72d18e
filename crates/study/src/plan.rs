//! What a study asks for, and the runs that answer it.

use crate::{
    record::{DatasetIdentity, Environment, Protocol, RunSpec},
    study_file::ModelSpec,
};
use data::Corpus;
use sha2::{Digest, Sha256};

/// A comparison, not yet bound to data.
#[derive(Debug, Clone, PartialEq)]
pub struct StudySpec {
    /// Each model and its recipe, in the order of the report.
    pub models: Vec<ModelSpec>,
    /// How the data is divided.
    pub protocol: Protocol,
    /// Whether runs read the test images after every epoch, to audit what choosing by them would flatter.
    pub audit_selection: bool,
    /// The first run's seed; run r has `first_seed + r`.
    pub first_seed: u64,
    /// Runs of each model.
    pub runs: u64,
}

/// The identity of a corpus, as records keep it.
pub fn identify(corpus: &Corpus) -> DatasetIdentity {
    DatasetIdentity {
        name: corpus.name().to_owned(),
        sha256: corpus.sha256().to_owned(),
        training_images: corpus.training().len(),
        test_images: corpus.test().len(),
        height: corpus.training().height(),
        width: corpus.training().width(),
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

/// The identity of a run: the first 16 hexadecimal digits of the SHA-256 of all that its result depends on, bit for bit.
/// That is its specification, the engine's revision and the instruction set; not the processor, the number of threads,
/// the system or the version of the program around the engine.
///
/// Two folders of the same data are the same data: their name does not count.
pub fn run_id(specification: &RunSpec, environment: &Environment) -> String {
    let text =
        serde_json::to_string(&nameless(specification)).expect("a specification has only plain values");
    short_hash(&format!("{} {}\n{text}", environment.engine_revision, environment.kernels))
}

fn nameless(specification: &RunSpec) -> RunSpec {
    RunSpec {
        dataset: DatasetIdentity { name: String::new(), ..specification.dataset.clone() },
        ..specification.clone()
    }
}

/// What the runs of one model in a study share: all of a specification but the seed and the data set's name.
pub(crate) fn seedless(specification: &RunSpec) -> RunSpec {
    RunSpec { seed: 0, ..nameless(specification) }
}

/// The first 16 hexadecimal digits of a text's SHA-256.
pub(crate) fn short_hash(text: &str) -> String {
    hexadecimal(&Sha256::digest(text))[..16].to_owned()
}

/// Lower-case hexadecimal digits.
pub(crate) fn hexadecimal(bytes: &[u8]) -> String {
    use std::fmt::Write;
    bytes.iter().fold(String::with_capacity(2 * bytes.len()), |mut text, byte| {
        write!(text, "{byte:02x}").expect("writing to a string does not fail");
        text
    })
}
