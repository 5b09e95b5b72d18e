//! From a study to its plan, runs, records and verdict.

mod encoding;
pub mod record;
pub mod verdict;
