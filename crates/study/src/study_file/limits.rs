//! How large a study file and everything in it may be. docs/reference/study-files.md lists these limits.
//!
//! They are far beyond what a study needs, and such that any file of [`FILE_BYTES`] is read or refused within a second.

/// Bytes of a file.
pub(super) const FILE_BYTES: u64 = 1 << 20;

/// Lists and tables within each other.
pub(super) const VALUE_DEPTH: usize = 32;

/// Models of a study, every combination of a grid counted; tables `[model.NAME]` as well.
pub(super) const MODELS: usize = 1000;

/// Runs of each model.
pub const MAXIMUM_RUNS: u64 = 1000;

/// Layers of a model, repetitions counted.
pub(super) const LAYERS: usize = nn::MAXIMUM_LAYERS;

/// Layers of all models together.
pub(super) const ALL_LAYERS: usize = 100_000;

/// Residual and repeated layers within each other.
pub(super) const LAYER_DEPTH: usize = 16;

/// Data sets of a study.
pub(super) const DATASETS: usize = 100;

/// Variables of a model.
pub(super) const VARIABLES: usize = 100;

/// Settings of a grid or a search.
pub(super) const SETTINGS: usize = 50;

/// Values of a setting of a grid, choices of one of a search.
pub(super) const VALUES: usize = MODELS;

/// Characters of the name of a model or a variable.
pub(super) const NAME: usize = 60;

/// Characters of the name of a grid's model, its settings included.
pub(super) const FULL_NAME: usize = 400;

/// Characters of a title.
pub(super) const TITLE: usize = 300;

/// Characters of a summary or a citation.
pub(super) const TEXT: usize = 1000;

/// Characters of a data set's name or folder.
pub(super) const PATH: usize = 4000;

/// Characters of a layer, before and after its variables are replaced.
pub(super) const LINE: usize = 200;

/// Characters of a text that is the value of a variable or a setting.
pub(super) const VALUE: usize = 200;

/// Characters of a message that repeats what stands in the file.
pub(super) const MESSAGE: usize = 500;
