//! Making a recorded run again, and what of it came out otherwise.

use crate::run::{RunError, Session};
use records::record::RunRecord;
use std::fmt::Display;
use train::{ENGINE_REVISION, Listener};

/// Why a record's run cannot be made again here.
#[derive(Debug, thiserror::Error)]
pub enum VerifyError {
    /// Another revision's bits differ.
    #[error(
        "record {id}: made by engine revision {found} (mnist-study {version}), this is revision {ENGINE_REVISION}"
    )]
    Revision {
        /// The record.
        id: String,
        /// Its engine's revision.
        found: u32,
        /// The version of the program that made it.
        version: String,
    },
    /// Another instruction set's bits differ.
    #[error("record {id}: made with {found} kernels, these are {expected}")]
    Kernels {
        /// The record.
        id: String,
        /// Those of this session.
        expected: String,
        /// Its kernels.
        found: String,
    },
    /// The data is not the record's.
    #[error("record {id}: made on data with SHA-256 {expected}, this data has {found}")]
    Data {
        /// The record.
        id: String,
        /// The record's.
        expected: String,
        /// The session's.
        found: String,
    },
    /// The run failed.
    #[error(transparent)]
    Run(#[from] RunError),
}

/// Makes the run of a record again; what differs from the record, nothing if it is confirmed.
///
/// The number of threads and the processor may be others: no result depends on them. Clocks are not compared.
///
/// # Errors
/// When the run cannot be made here as it was made there, or fails.
pub fn verify(
    session: &Session,
    record: &RunRecord,
    listener: &mut (dyn Listener + Send),
) -> Result<Vec<String>, VerifyError> {
    let (id, here) = (|| record.id.clone(), session.environment());
    if record.environment.engine_revision != ENGINE_REVISION {
        let (found, version) = (record.environment.engine_revision, record.environment.version.clone());
        return Err(VerifyError::Revision { id: id(), found, version });
    }
    if !session.instruction_set().has_bits_of(&record.environment.kernels) {
        let found = record.environment.kernels.clone();
        return Err(VerifyError::Kernels { id: id(), expected: here.kernels, found });
    }
    let (expected, found) = (&record.specification.dataset.sha256, session.corpus().sha256());
    if expected != found {
        let (expected, found) = (expected.clone(), found.to_owned());
        return Err(VerifyError::Data { id: id(), expected, found });
    }
    Ok(differences(record, &session.run(&record.specification, listener)?.record))
}

/// What two records of one run do not share, clocks and machine apart.
fn differences(record: &RunRecord, again: &RunRecord) -> Vec<String> {
    let mut differences = Vec::new();
    let mut compare = |what: &str, same: bool, recorded: &dyn Display, found: &dyn Display| {
        if !same {
            differences.push(format!("{what} {recorded} recorded, {found} found"));
        }
    };
    compare("fingerprint", record.fingerprint == again.fingerprint, &record.fingerprint, &again.fingerprint);
    compare("parameters", record.parameters == again.parameters, &record.parameters, &again.parameters);
    compare(
        "multiply-adds",
        record.multiply_adds == again.multiply_adds,
        &record.multiply_adds,
        &again.multiply_adds,
    );
    compare("epochs", record.epochs.len() == again.epochs.len(), &record.epochs.len(), &again.epochs.len());
    for (one, other) in record.epochs.iter().zip(&again.epochs) {
        for (name, recorded, found) in [
            ("train loss", one.train_loss, other.train_loss),
            ("train accuracy", one.train_accuracy, other.train_accuracy),
            ("validation loss", one.validation_loss, other.validation_loss),
            ("validation accuracy", one.validation_accuracy, other.validation_accuracy),
        ] {
            let what = format!("{name} of epoch {}", other.epoch);
            compare(&what, recorded.to_bits() == found.to_bits(), &recorded, &found);
        }
        if one.test_accuracy != other.test_accuracy {
            let shown = |accuracy: Option<f64>| accuracy.map_or("none".to_owned(), |value| value.to_string());
            let (recorded, found) = (shown(one.test_accuracy), shown(other.test_accuracy));
            compare(&format!("test accuracy of epoch {}", other.epoch), false, &recorded, &found);
        }
    }
    let kept = |record: &RunRecord| record.kept_epoch.unwrap_or(record.epochs.len());
    compare("epoch of the weights", kept(record) == kept(again), &kept(record), &kept(again));
    let (one, other) = (&record.test, &again.test);
    compare("test accuracy", one.accuracy == other.accuracy, &one.accuracy, &other.accuracy);
    compare("test loss", one.loss.to_bits() == other.loss.to_bits(), &one.loss, &other.loss);
    compare("test labels", one.labels == other.labels, &"some", &"others");
    compare("predictions", one.predictions == other.predictions, &"some", &"others");
    compare("probabilities", one.probabilities == other.probabilities, &"some", &"others");
    compare(
        "reads of the test images",
        record.test_reads == again.test_reads,
        &record.test_reads,
        &again.test_reads,
    );
    differences
}
