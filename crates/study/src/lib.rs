//! From a study to its plan, runs, records and verdict.
//!
//! One way through: [`study_file`] reads what is asked for, [`plan::plan`] turns a study into runs, [`execute::execute`] makes those whose records are missing
//! and keeps one record each, [`results::collect`] finds them again, [`verdict`] judges them. A run depends on its [`record::RunSpec`] alone.

pub mod bench;
pub mod clock;
pub mod encoding;
pub mod environment;
pub mod execute;
pub mod figures;
pub mod files;
pub mod folder;
pub mod forecast;
pub mod measured;
pub mod near;
pub mod plan;
mod plan_file;
mod possible;
pub mod record;
pub mod results;
pub mod run;
mod seal;
pub mod store;
pub mod study_file;
pub mod tune;
pub mod verdict;
pub mod verify;
