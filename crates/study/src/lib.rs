//! From a study to its plan, runs, records and verdict.
//!
//! One way through: [`plan::plan`] turns a study into runs, [`execute::execute`] makes those whose records are missing
//! and keeps one record each, [`verdict`] judges the records. A run depends on its [`record::RunSpec`] alone.

pub mod bench;
pub mod encoding;
pub mod environment;
pub mod execute;
pub mod plan;
pub mod record;
pub mod run;
pub mod store;
pub mod verdict;
