//! What a run was asked and what it gave.
//!
//! A [`record::RunRecord`] holds all that an analysis needs and enough to make the run again; a run depends on its
//! [`record::RunSpec`] alone. What a folder holds is read and written by the modules of the feature `store`:
//! `folder::StudyFolder` is who works in it, `store::Store` its records, `results::collect` finds those of its plan.
//! There is no engine here: records are read wherever there are files, and judged wherever there are records.

#[cfg(feature = "store")]
pub mod claim;
pub mod encoding;
pub mod event;
#[cfg(feature = "store")]
pub mod files;
#[cfg(feature = "store")]
pub mod folder;
#[cfg(feature = "store")]
pub mod host;
pub mod identity;
pub mod imported;
#[cfg(feature = "store")]
pub mod kept_models;
pub mod left_out;
#[cfg(feature = "store")]
pub mod merge;
pub mod plan;
#[cfg(feature = "store")]
pub mod plan_file;
mod possible;
pub mod question;
pub mod record;
#[cfg(feature = "store")]
pub mod results;
mod sealed;
#[cfg(feature = "store")]
mod sealed_files;
mod seals;
#[cfg(feature = "store")]
pub mod search_folder;
#[cfg(feature = "store")]
pub mod search_merge;
#[cfg(feature = "store")]
pub mod search_status;
#[cfg(feature = "store")]
pub mod status;
#[cfg(feature = "store")]
pub mod store;
pub mod target;
pub mod trial;
#[cfg(feature = "store")]
pub mod trial_store;
