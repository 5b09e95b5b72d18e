//! A function of each value, where no layer before it applies it.

use super::{Context, GROUP, Layer, Memory, MemorySize, Pass, Purpose};
use crate::ActivationSpec;
use kernels::{
    Element, InstructionSet,
    nonlinearity::{Nonlinearity, backward, backward_with_derivative, forward, forward_with_derivative},
};

/// `output = f(input)`, value by value. Where the derivative takes most of the function's operations, it is made with it and
/// waits in the scratch.
pub(crate) struct ActivationLayer {
    set: InstructionSet,
    function: Nonlinearity,
    /// Values of an image.
    length: usize,
}

impl ActivationLayer {
    pub(crate) fn new(set: InstructionSet, spec: ActivationSpec, length: usize) -> Self {
        let function = match spec {
            ActivationSpec::Relu => Nonlinearity::Relu,
            ActivationSpec::LeakyRelu { slope } => Nonlinearity::LeakyRelu { slope },
            ActivationSpec::Gelu => Nonlinearity::Gelu,
            ActivationSpec::Silu => Nonlinearity::Silu,
            ActivationSpec::Tanh => Nonlinearity::Tanh,
            ActivationSpec::Sigmoid => Nonlinearity::Sigmoid,
        };
        Self { set, function, length }
    }
}

impl<E: Element> Layer<E> for ActivationLayer {
    fn scratch(&self) -> MemorySize {
        let values = if self.function.shares_with_derivative() { GROUP * self.length } else { 0 };
        MemorySize { values, bytes: 0 }
    }

    fn forward(&self, context: Context, _: &[E], input: &[E], output: &mut [E], scratch: &mut Memory<E>) {
        if context.purpose == Purpose::Learning && self.function.shares_with_derivative() {
            let derivative = &mut scratch.values[..input.len()];
            forward_with_derivative(self.set, self.function, input, output, derivative);
        } else {
            forward(self.set, self.function, input, output);
        }
    }

    fn differentiates_in_place(&self) -> bool {
        true
    }

    fn backward(&self, pass: Pass<E>) {
        if !pass.in_place {
            return;
        }
        if self.function.shares_with_derivative() {
            let derivative = &pass.scratch.values[..pass.d_output.len()];
            backward_with_derivative(self.set, derivative, pass.d_output);
        } else {
            backward(self.set, self.function, pass.input, pass.output, pass.d_output);
        }
    }
}
