//! What a comparison asks.

use super::values::{MeasureName, accuracy, bytes, epochs, points, seconds};
use clap::Args;
use records::{question::Question, target::Target};

/// What must be reached, within which limits, and which differences matter.
#[derive(Debug, Args)]
pub(crate) struct QuestionArguments {
    /// Test accuracy that a run must reach, a fraction such as 0.994: the report says which models do, and how often
    #[arg(long, value_name = "X", value_parser = accuracy, allow_negative_numbers = true)]
    target: Option<f64>,
    /// Maximum parameters (weights and biases)
    #[arg(long, value_name = "N", requires = "target")]
    max_parameters: Option<usize>,
    /// Maximum multiply-adds per image
    #[arg(long, value_name = "N", requires = "target")]
    max_multiply_adds: Option<u64>,
    /// Maximum bytes of workspace of the model as `export --c-header --int8` writes it
    #[arg(long = "max-ram", value_name = "BYTES", requires = "target", value_parser = bytes)]
    max_ram_bytes: Option<usize>,
    /// Maximum bytes of constants of that header, without its code
    #[arg(long = "max-flash", value_name = "BYTES", requires = "target", value_parser = bytes)]
    max_flash_bytes: Option<usize>,
    /// Maximum passes over the training images; recipes that ask for more are cut short
    #[arg(long, value_name = "N", requires = "target", value_parser = epochs)]
    max_epochs: Option<usize>,
    /// Maximum seconds of training
    #[arg(long, alias = "max-seconds", value_name = "X", requires = "target", value_parser = seconds, allow_negative_numbers = true)]
    max_train_seconds: Option<f64>,
    /// What decides which of two models is better; accuracy is reported all the same
    #[arg(long, value_enum, value_name = "MEASURE", default_value_t = MeasureName::Accuracy)]
    decide_by: MeasureName,
    /// Models whose difference lies within so many percentage points of the measure that decides (of log-loss nats) are practically
    /// equal [default: 0.05, or one test image where that is more, at most 1; of log-loss 0.001]
    #[arg(long, value_name = "POINTS", value_parser = points, allow_negative_numbers = true)]
    equivalence_margin: Option<f64>,
}

impl QuestionArguments {
    /// The question of a study without a title.
    pub(crate) fn question(&self) -> Question {
        Question {
            title: None,
            target: self.target(),
            decide_by: self.decide_by.into(),
            equivalence_margin_points: self.equivalence_margin,
        }
    }

    fn target(&self) -> Option<Target> {
        Some(Target {
            accuracy: self.target?,
            max_parameters: self.max_parameters,
            max_multiply_adds: self.max_multiply_adds,
            max_ram_bytes: self.max_ram_bytes,
            max_flash_bytes: self.max_flash_bytes,
            max_epochs: self.max_epochs,
            max_train_seconds: self.max_train_seconds,
        })
    }
}
