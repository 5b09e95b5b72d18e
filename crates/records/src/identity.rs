//! What makes two runs the same run.

use crate::record::{DatasetIdentity, Environment, Fold, RunSpec, TestRecord};
use base16ct::lower::encode_string as hexadecimal;
use serde::Serialize;
use sha2::{Digest, Sha256};

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

/// What the runs of one model in a study share: all of a specification but the seed, which fold it is, and the data set's name.
pub fn seedless(specification: &RunSpec) -> RunSpec {
    let fold = specification.fold.map(|fold| Fold { repeat: 1, fold: 1, ..fold });
    RunSpec { seed: 0, fold, ..nameless(specification) }
}

/// SHA-256, in hexadecimal, of JSON without white space and without the test images' bytes, then of those bytes as they are before they
/// are deflated.
pub(crate) fn hash_with_answers(bare: &impl Serialize, test: &TestRecord) -> String {
    /// Words that are hashed at once.
    const CHUNK: usize = 1 << 12;
    let mut hasher = Sha256::new();
    hasher.update(serde_json::to_vec(bare).expect("a record has only plain values"));
    hasher.update(&test.labels);
    hasher.update(&test.predictions);
    let mut bytes = Vec::with_capacity(2 * CHUNK);
    for words in test.probabilities.chunks(CHUNK) {
        bytes.clear();
        bytes.extend(words.iter().flat_map(|word| word.to_le_bytes()));
        hasher.update(&bytes);
    }
    hexadecimal(&hasher.finalize())
}

/// The first 16 hexadecimal digits of a text's SHA-256.
pub fn short_hash(text: &str) -> String {
    hexadecimal(&Sha256::digest(text))[..16].to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use spec::Precision;

    /// What a record of a program without precisions says, and the identity that it has there.
    const BEFORE: &str = r#"{"model":"a","layers":["flatten","dense classes"],"dataset":{"name":"","sha256":"","training_images":6,"test_images":2,"height":2,"width":2,"classes":2},"protocol":"sound","recipe":{"epochs":1,"batch_size":2,"optimiser":{"kind":"adam","beta_1":0.9,"beta_2":0.999,"epsilon":1e-7},"learning_rate":0.001},"seed":3}"#;

    #[test]
    fn records_of_before_precisions_keep_their_identities() {
        let mut run: RunSpec = serde_json::from_str(BEFORE).expect("a specification");
        assert_eq!(run.recipe.precision, Precision::Float32);
        let environment = Environment {
            cpu: String::new(),
            threads: 1,
            kernels: "avx512".to_owned(),
            engine_revision: 6,
            operating_system: String::new(),
            version: String::new(),
            jobs: None,
            place: None,
        };
        assert_eq!(run_id(&run, &environment), short_hash(&format!("6 avx512\n{BEFORE}")));
        assert_eq!(run_id(&run, &environment), "0dd288f9ea63ab9c");
        run.recipe.precision = Precision::Bf16;
        assert_ne!(run_id(&run, &environment), "0dd288f9ea63ab9c");
    }
}
