//! What takes the place of a recipe's values.

use super::values::{PrecisionName, batch_size, epochs, learning_rate};
use clap::Args;

/// What stands in the place of every model's own recipe.
#[derive(Debug, Default, Args)]
pub(crate) struct RecipeArguments {
    /// Passes over the training images [default: each model's own; 5 for cnn and lstm]
    #[arg(long, value_name = "N", value_parser = epochs)]
    pub(crate) epochs: Option<usize>,
    /// Images in a step [default: each model's own; 128 for cnn and lstm]
    #[arg(long, value_name = "N", value_parser = batch_size)]
    pub(crate) batch_size: Option<usize>,
    /// Step size of the optimiser [default: each model's own; 0.001 for cnn and lstm, by Adam]
    #[arg(long, value_name = "X", value_parser = learning_rate, allow_negative_numbers = true)]
    pub(crate) learning_rate: Option<f64>,
    /// What the products of training steps are computed in; every evaluation is in float32 [default: each model's own, float32 unless its
    /// recipe says otherwise]
    #[arg(long, value_enum, value_name = "NAME")]
    pub(crate) precision: Option<PrecisionName>,
}
