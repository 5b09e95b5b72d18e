//! What a study planned and no figure has.

use serde::Serialize;

/// What a reader of the records does not see in any figure.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct LeftOut {
    /// The plan's runs that were not made, or whose record was lost, in its order.
    pub missing: Vec<MissingRun>,
    /// The plan's runs that have several results, in its order.
    pub conflicts: Vec<ConflictingRun>,
    /// Records of the plan's runs that another engine made: how many by each.
    pub apart: Vec<Apart>,
}

/// A run that is planned and has no record.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct MissingRun {
    /// Its identity.
    pub id: String,
    /// The model's name.
    pub model: String,
    /// The run's seed.
    pub seed: u64,
}

/// A run that has several results.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ConflictingRun {
    /// Its identity.
    pub id: String,
    /// The model's name.
    pub model: String,
    /// The run's seed.
    pub seed: u64,
    /// In what the first two differ.
    pub difference: String,
    /// The files of the results, as paths within the folder.
    pub files: Vec<String>,
}

/// Records of a study's runs that were made with another engine.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Apart {
    /// The engine's revision.
    pub engine_revision: u32,
    /// Its instruction set.
    pub kernels: String,
    /// How many there are.
    pub records: usize,
}
