//! What the products of a training step are computed in.
//!
//! A placeholder: every precision is said to be there, and the layers compute in float32.

use crate::Model;
use kernels::InstructionSet;
use spec::Precision;

/// What this machine lacks for a precision.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("precision {precision}: {missing}")]
pub struct PrecisionError {
    /// What was asked for.
    pub precision: Precision,
    /// What is missing, in words.
    pub missing: &'static str,
}

/// Whether models with these kernels can train in a precision on this machine.
///
/// # Errors
/// When they cannot: says what is missing.
pub fn check_precision(_: InstructionSet, precision: Precision) -> Result<(), PrecisionError> {
    match precision {
        Precision::Float32 | Precision::Bf16 => Ok(()),
    }
}

impl Model<f32> {
    /// What the products of the training steps from here on are computed in. Evaluation stays in float32.
    ///
    /// # Panics
    /// Where [`check_precision`] refuses it.
    pub fn set_precision(&mut self, _: Precision) {}
}
