//! What the products of a training step are computed in.

use crate::Model;
use kernels::{
    InstructionSet,
    tiles::{NoTiles, Tiles},
};
use spec::Precision;

/// What this machine lacks for a precision.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("precision {precision}: {missing}")]
pub struct PrecisionError {
    /// What was asked for.
    pub precision: Precision,
    /// What is missing.
    #[source]
    pub missing: NoTiles,
}

/// Whether models with these kernels can train in a precision on this machine.
///
/// # Errors
/// When they cannot: says what is missing.
pub fn check_precision(set: InstructionSet, precision: Precision) -> Result<(), PrecisionError> {
    tiles_for(set, precision).map(|_| ())
}

/// What multiplies in a precision, where that is not the vectors.
pub(crate) fn tiles_for(set: InstructionSet, precision: Precision) -> Result<Option<Tiles>, PrecisionError> {
    match precision {
        Precision::Float32 => Ok(None),
        Precision::Bf16 => {
            Tiles::beside(set).map(Some).map_err(|missing| PrecisionError { precision, missing })
        }
    }
}

impl Model<f32> {
    /// What the matrix products of the training steps from here on are computed in: at first float32. With bfloat16 their operands are
    /// rounded to it, in convolutions and dense layers with enough channels for tiles, in recurrent layers and in attention's projections;
    /// sums, everything else and all of inference stay in float32.
    ///
    /// # Panics
    /// Where [`check_precision`] refuses it.
    pub fn set_precision(&mut self, precision: Precision) {
        match tiles_for(self.instruction_set(), precision) {
            Ok(tiles) => self.learn_on(tiles),
            Err(error) => panic!("{error}"),
        }
    }
}
