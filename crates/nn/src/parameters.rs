//! A model's parameters as its layers name them.

use crate::Initialiser;
use std::ops::Range;

/// One parameter of a model and where its values lie in the flat buffer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ParameterSpec {
    /// Layer and parameter, such as `conv1.weight`.
    pub name: String,
    /// Its shape; the layout is stated at the layer.
    pub shape: Vec<usize>,
    /// Its values in [`crate::Model::parameters`].
    pub range: Range<usize>,
    /// How it is drawn at first.
    pub initialiser: Initialiser,
    /// What it is for.
    pub role: Role,
}

/// What a parameter is for; an optimiser treats each alike or not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// Multiplies what comes in, `[outputs, …]`; weight decay is for all weights.
    Weight,
    /// The same as `[inputs, outputs]`: those of recurrent layers.
    TransposedWeight,
    /// Multiplies one channel each, and so is no matrix: depthwise filters.
    ChannelWeight,
    /// A constant that is added.
    Bias,
    /// Scales or shifts what was normalised, or says where a step stands.
    Scale,
    /// A running mean or variance: not learnt but averaged. Its gradient is the value of the last batch.
    Statistic,
}
