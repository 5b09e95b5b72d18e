//! Fully connected layer at every step of a sequence, with the ReLU that may follow it.

use super::{
    Context, Layer, LayerParameter, Memory, MemorySize, Pass, Purpose,
    projection::{AffineMap, Project, Projection},
};
use kernels::{
    Element, InstructionSet,
    activation::{relu_backward, relu_in_place},
    convolution::Activation,
};

/// `output[step] = activation(weight · input[step] + bias)`.
///
/// Parameters: `weight [units, inputs]` and, unless there is none, `bias [units]`, the same at every step. A group keeps
/// its gradient.
pub(crate) struct SequenceDenseLayer<E> {
    set: InstructionSet,
    steps: usize,
    projection: Projection<E>,
    activation: Activation,
}

impl<E: Element> SequenceDenseLayer<E> {
    /// From `inputs` features of each step to `units`.
    pub(crate) fn new(
        set: InstructionSet,
        steps: usize,
        [inputs, units]: [usize; 2],
        bias: bool,
        activation: Activation,
    ) -> Self {
        let map = AffineMap { inputs, outputs: units, bias };
        Self { set, steps, projection: Projection::new(set, map), activation }
    }
}

impl<E: Element> Layer<E> for SequenceDenseLayer<E> {
    fn parameters(&self) -> Vec<LayerParameter> {
        self.projection.map().parameters("")
    }

    fn forward_flops(&self) -> u64 {
        self.steps as u64 * self.projection.map().flops()
    }

    fn kept(&self) -> MemorySize {
        MemorySize { values: self.projection.map().length(), bytes: 0 }
    }

    fn prepare(&mut self, parameters: &[E], _: Purpose) {
        self.projection.prepare(parameters);
    }

    fn forward(&self, _: Context, parameters: &[E], input: &[E], output: &mut [E], _: &mut Memory<E>) {
        self.projection.forward(parameters, input, output, &mut []);
        if self.activation == Activation::Relu {
            relu_in_place(self.set, output);
        }
    }

    fn backward(&self, pass: Pass<E>) {
        let Pass { parameters, d_input, kept, .. } = pass;
        if self.activation == Activation::Relu {
            relu_backward(self.set, pass.output, pass.d_output);
        }
        if let Some(d_input) = d_input {
            self.projection.input_gradient(parameters, pass.d_output, d_input, &mut []);
        }
        self.projection.parameter_gradient(pass.input, pass.d_output, &mut kept.values, &mut []);
    }
}
