//! From a study to its runs.
//!
//! One way through: [`study_file`] reads what is asked for, [`plan::plan`] turns a study into runs, [`execute::execute`] makes
//! those whose records are missing and keeps one record each, by [`records`].

mod beating;
pub mod bench;
pub mod clock;
mod division;
pub mod environment;
pub mod execute;
pub mod forecast;
pub mod place;
pub mod plan;
pub mod run;
pub mod shard;
pub mod study_file;
pub mod suggest;
pub mod telling;
pub mod tune;
pub mod verify;
