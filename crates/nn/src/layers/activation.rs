//! A function of each value, where no layer before it applies it.

use super::{Context, Layer, Memory, Pass};
use crate::ActivationSpec;
use kernels::{
    Element, InstructionSet,
    nonlinearity::{Nonlinearity, backward, forward},
};

/// `output = f(input)`, value by value.
pub(crate) struct ActivationLayer {
    set: InstructionSet,
    function: Nonlinearity,
}

impl ActivationLayer {
    pub(crate) fn new(set: InstructionSet, spec: ActivationSpec) -> Self {
        let function = match spec {
            ActivationSpec::Relu => Nonlinearity::Relu,
            ActivationSpec::LeakyRelu { slope } => Nonlinearity::LeakyRelu { slope },
            ActivationSpec::Gelu => Nonlinearity::Gelu,
            ActivationSpec::Silu => Nonlinearity::Silu,
            ActivationSpec::Tanh => Nonlinearity::Tanh,
            ActivationSpec::Sigmoid => Nonlinearity::Sigmoid,
        };
        Self { set, function }
    }
}

impl<E: Element> Layer<E> for ActivationLayer {
    fn forward(&self, _: Context, _: &[E], input: &[E], output: &mut [E], _: &mut Memory<E>) {
        forward(self.set, self.function, input, output);
    }

    fn backward(&self, pass: Pass<E>) {
        let Some(d_input) = pass.d_input else { return };
        backward(self.set, self.function, pass.input, pass.output, pass.d_output, d_input);
    }
}
