//! Datasets, IDX files and splits.
