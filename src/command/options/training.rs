//! What is trained on, how, and from which seed.

use super::{DatasetArguments, RecipeArguments, values::ProtocolName};
use clap::Args;

/// What every verb that trains takes.
#[derive(Debug, Args)]
pub(crate) struct TrainingArguments {
    #[command(flatten)]
    pub(crate) data: DatasetArguments,
    #[command(flatten)]
    pub(crate) recipe: RecipeArguments,
    /// Seed of the first run; the next runs count up from it
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub(crate) seed: u64,
    /// How the data is divided and when the test images are read
    #[arg(long, value_enum, value_name = "NAME", default_value_t = ProtocolName::Sound)]
    pub(crate) protocol: ProtocolName,
}
