//! Options that several verbs share.

mod data;
mod division;
mod model_file;
mod output;
mod question;
mod recipe;
mod run;
mod shard;
pub(crate) mod threads;
mod training;
pub(crate) mod values;

pub(crate) use data::{DatasetArguments, ReadingArguments};
pub(crate) use division::DivisionArguments;
pub(crate) use model_file::ModelFileArguments;
pub(crate) use output::{ListArguments, OutputArguments};
pub(crate) use question::QuestionArguments;
pub(crate) use recipe::RecipeArguments;
pub(crate) use run::RunOptions;
pub(crate) use shard::ShardChoice;
pub(crate) use training::TrainingArguments;
