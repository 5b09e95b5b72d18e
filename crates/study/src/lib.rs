//! From a study to its runs.
//!
//! One way through: [`study_file`] reads what is asked for, [`plan::plan`] turns a study into runs, `execute::execute` makes
//! those whose records are missing and keeps one record each, by [`records`]. Without the feature `store` no part of it opens a file:
//! a [`run::Session`] makes runs, and whoever asked for them keeps what they gave.

#[cfg(feature = "store")]
mod beating;
pub mod bench;
pub mod clock;
mod division;
pub mod environment;
#[cfg(feature = "store")]
pub mod execute;
pub mod forecast;
#[cfg(feature = "store")]
pub mod place;
pub mod plan;
pub mod run;
pub mod shard;
pub mod study_file;
pub mod suggest;
pub mod telling;
mod threads;
pub mod tune;
pub mod verify;
