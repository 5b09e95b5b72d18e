//! What the stages of a network have to do, whichever way their kernels go.

use crate::{
    layers::{GROUP, Layer, MemorySize},
    network::{Operation, Place, Stage, Sum},
};
use kernels::Element;

/// A stage's work: its operations for one image, as if no zero were skipped, and how many values go in and out.
///
/// A step takes each group of images forward and backward, then sums what the groups have kept into the gradient.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StageWork {
    /// As [`crate::StepTimes::layers`] calls it.
    pub name: String,
    /// Multiplications and additions of the forward pass.
    pub forward_flops: u64,
    /// Those of the derivatives that the backward pass computes: the parameters', and the input's where it depends on parameters.
    pub backward_flops: u64,
    /// Those of the parameters' derivatives that are left to the sum over the groups.
    pub sum_flops: u64,
    /// Values of one image that it reads; of a sum, those of both operands.
    pub inputs: usize,
    /// Values of one image's derivative that the backward pass has to write; of a sum, those of one operand: the other's can stay
    /// where the sum's own are.
    pub input_derivatives: usize,
    /// Values of one image that it gives.
    pub outputs: usize,
    /// Parameters, running statistics among them.
    pub parameters: usize,
    /// Values that the backward pass keeps of a group until the sum: the group's gradient, or what it is a product of.
    pub kept: usize,
    /// Whether the inputs' derivatives take the place of the outputs'.
    pub in_place: bool,
}

impl StageWork {
    /// The work of each stage of a network whose images have so many values, in the order in which they are computed.
    pub(crate) fn of_all<E: Element>(stages: &[Stage<E>], input_length: usize) -> Vec<Self> {
        let length = |place: Place| match place {
            0 => input_length,
            place => stages[place - 1].output_length,
        };
        stages.iter().map(|stage| Self::of(stage, length(stage.input.place))).collect()
    }

    fn of<E: Element>(stage: &Stage<E>, input_length: usize) -> Self {
        let outputs = stage.output_length;
        let learnt = |is_learnt: bool, length: usize| if is_learnt { length } else { 0 };
        let (inputs, input_derivatives) = match &stage.operation {
            Operation::Layer(_) => (input_length, learnt(stage.input.learnt, input_length)),
            Operation::Sum(Sum { other, .. }) => (2 * outputs, learnt(other.learnt, outputs)),
        };
        let layer = stage.layer();
        let forward_flops = layer.map_or(0, Layer::forward_flops);
        let of_parameters = if stage.parameters.is_empty() { 0 } else { forward_flops };
        let unneeded = layer.filter(|_| !stage.input.learnt).map_or(0, Layer::input_gradient_flops);
        let sum_flops = layer.map_or(0, Layer::sum_flops);
        Self {
            name: stage.name.clone(),
            forward_flops,
            backward_flops: forward_flops + of_parameters - unneeded - sum_flops,
            sum_flops,
            inputs,
            input_derivatives,
            outputs,
            parameters: stage.parameters.len(),
            kept: layer.map_or(MemorySize::default(), Layer::kept).values,
            in_place: layer.is_none_or(Layer::differentiates_in_place),
        }
    }

    /// Values that a group's forward pass has to move in and out: the inputs and parameters are read, the outputs written.
    pub fn forward_values(&self) -> usize {
        GROUP * (self.inputs + self.outputs) + self.parameters
    }

    /// Values that a group's backward pass has to move: the outputs' derivatives are read, the inputs too where there are
    /// parameters, and the parameters where the inputs' derivatives are written; what it keeps is written. What a layer remembers of
    /// its forward pass besides is its own affair, and does not count.
    pub fn backward_values(&self) -> usize {
        if self.parameters == 0 && self.input_derivatives == 0 {
            return 0;
        }
        let inputs = if self.parameters == 0 { 0 } else { self.inputs };
        let parameters = if self.input_derivatives == 0 { 0 } else { self.parameters };
        GROUP * (self.outputs + inputs + self.input_derivatives) + parameters + self.kept
    }

    /// The values of [`Self::backward_values`], each counted once: what lies in memory for a group's backward pass.
    pub fn backward_footprint(&self) -> usize {
        let twice = if self.in_place { self.input_derivatives.min(self.outputs) } else { 0 };
        self.backward_values().saturating_sub(GROUP * twice)
    }

    /// Values that the sum over so many groups has to move: what they have kept is read, the gradient written.
    pub fn sum_values(&self, groups: usize) -> usize {
        groups * self.kept + self.parameters
    }
}
