//! From records to figures and verdicts, whoever made the records.
//!
//! [`Analysis::of`] computes all that a report, a page or a program is told of a study, once. Its serialisation is
//! `summary.json`.

mod analysis;
mod by_name;
mod incomplete;
mod partner;
mod run;

pub mod across;
pub mod calibration;
pub mod confusion;
pub mod ensemble;
pub mod figures;
pub mod hard_images;
pub mod learning;
pub mod machine;
pub mod measured;
pub mod measures;
pub mod model;
pub mod overlap;
pub mod pareto;
pub mod ranking;
pub mod sanity;
pub mod selection;
pub mod spread;
pub mod target;
pub mod thresholds;
pub mod verdict;

pub use partner::{CrossValidation, Partner};
pub use run::{Data, Origin, Run};

pub use analysis::{Analysis, SUMMARY_SCHEMA, Warnings, tested_labels};
