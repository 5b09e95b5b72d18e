//! What seals a run's file, and its text.

use crate::{
    encoding,
    identity::{hash_with_answers, run_id},
    imported::{IMPORTED_SCHEMA, ImportedRun},
    record::{FailedRun, RECORD_SCHEMA, RunRecord},
    sealed::{self, Sealable, compare},
};
use base16ct::lower::encode_string as hexadecimal;
use serde::Deserialize;
use sha2::{Digest, Sha256};

/// No record is larger: the probabilities of 100,000 images of 256 classes are 64 MiB before they are deflated.
pub(crate) const MAXIMUM_RECORD_BYTES: u64 = 96 << 20;

/// No failed run's file is larger: its longest part are its layers.
const MAXIMUM_FAILED_BYTES: u64 = 16 << 20;

impl RunRecord {
    /// The text of the file `records/ID.json` that keeps it.
    pub fn sealed(&self) -> String {
        sealed::text(self)
    }

    /// The record of such a text.
    ///
    /// # Errors
    /// When it is damaged, was changed since it was written, or holds figures that cannot be: in words.
    pub fn unseal(text: &str) -> Result<Self, String> {
        sealed::open(text.as_bytes(), |record: &Self| {
            check_identity(&record.id, &record.id, &run_id(&record.specification, &record.environment))?;
            record.check()
        })
    }
}

impl FailedRun {
    /// The text of the file `failed/ID.json` that keeps it.
    pub fn sealed(&self) -> String {
        sealed::text(self)
    }

    /// The run of such a text.
    ///
    /// # Errors
    /// As [`RunRecord::unseal`].
    pub fn unseal(text: &str) -> Result<Self, String> {
        sealed::open(text.as_bytes(), |run: &Self| {
            check_identity(&run.id, &run.id, &run_id(&run.specification, &run.environment))
        })
    }
}

impl Sealable for RunRecord {
    const NAME: &'static str = "record";
    const LAYOUT: u32 = RECORD_SCHEMA;
    const MAXIMUM_BYTES: u64 = MAXIMUM_RECORD_BYTES;

    fn digest(&self) -> String {
        digest(self)
    }

    fn confirm(&self, stated: &str, file: &[u8]) -> Result<(), String> {
        compare(stated, &self.digest()).or_else(|changed| match digest_of_text(file, self) {
            Some(other) if other == stated => Ok(()),
            _ => Err(changed),
        })
    }
}

impl Sealable for ImportedRun {
    const NAME: &'static str = "imported run";
    const LAYOUT: u32 = IMPORTED_SCHEMA;
    const MAXIMUM_BYTES: u64 = MAXIMUM_RECORD_BYTES;

    fn digest(&self) -> String {
        hash_with_answers(&self.without_answers(), &self.test)
    }
}

impl Sealable for FailedRun {
    const NAME: &'static str = "record";
    const LAYOUT: u32 = RECORD_SCHEMA;
    const MAXIMUM_BYTES: u64 = MAXIMUM_FAILED_BYTES;
}

/// SHA-256 of a record's content, which does not depend on the compressor.
fn digest(record: &RunRecord) -> String {
    let bare = RunRecord { test: record.test.without_answers(), ..record.clone() };
    hash_with_answers(&bare, &record.test)
}

/// SHA-256 of a record as JSON without white space, its test images' bytes deflated as the file has them: what another
/// program that writes records can seal them by without inflating anything.
fn digest_of_text(bytes: &[u8], record: &RunRecord) -> Option<String> {
    #[derive(Deserialize)]
    struct File {
        test: Packed,
    }
    #[derive(Deserialize)]
    struct Packed {
        labels: String,
        predictions: String,
        probabilities: String,
    }
    let Packed { labels, predictions, probabilities } = serde_json::from_slice::<File>(bytes).ok()?.test;
    let mut text = serde_json::to_string(record).ok()?;
    // Base64 text is the same within JSON.
    for (own, written) in [
        (encoding::bytes::packed(&record.test.labels), labels),
        (encoding::bytes::packed(&record.test.predictions), predictions),
        (encoding::words::packed(&record.test.probabilities), probabilities),
    ] {
        text = text.replacen(&own, &written, 1);
    }
    Some(hexadecimal(&Sha256::digest(text)))
}

/// Whether the identity that a file's name, or another, and its content state is that of its specification.
pub(crate) fn check_identity(name: &str, stated: &str, found: &str) -> Result<(), String> {
    match [name, stated] == [found; 2] {
        true => Ok(()),
        false => Err(format!("its specification belongs to run {found}, its name says {name}")),
    }
}
