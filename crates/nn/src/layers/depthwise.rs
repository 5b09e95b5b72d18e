//! Depthwise convolution, with the ReLU that may follow it.

use super::{Bias, Context, Layer, LayerParameter, Memory, MemorySize, Pass};
use crate::{Initialiser, Role};
use kernels::{
    Element, InstructionSet,
    activation::relu_backward,
    convolution::Activation,
    depthwise::{Geometry, backward_input, backward_weights, forward},
};

/// `output[y, x, c] = activation(bias[c] + Σ over taps of weight[i, j, c] · input[y · stride + i · dilation, …, c])`.
///
/// Parameters: `weight [kernel rows, kernel columns, channels]`, `bias [channels]`, if any. A group keeps its gradient.
pub(crate) struct DepthwiseLayer<E> {
    set: InstructionSet,
    geometry: Geometry,
    activation: Activation,
    bias: Bias<E>,
}

impl<E: Element> DepthwiseLayer<E> {
    pub(crate) fn new(set: InstructionSet, geometry: Geometry, activation: Activation, bias: bool) -> Self {
        let bias = Bias::new(geometry.sliding().size().channels, bias);
        Self { set, geometry, activation, bias }
    }

    fn weights(&self) -> usize {
        self.geometry.sliding().taps() * self.geometry.sliding().size().channels
    }
}

impl<E: Element> Layer<E> for DepthwiseLayer<E> {
    fn parameters(&self) -> Vec<LayerParameter> {
        let (size, area) = (self.geometry.sliding().size(), self.geometry.sliding().taps());
        let shape = [size.kernel_height, size.kernel_width, size.channels];
        let initialiser = Initialiser::GlorotUniform { fan_in: area, fan_out: area };
        let weight = LayerParameter::new(Role::ChannelWeight, "weight", &shape, initialiser);
        [weight].into_iter().chain(self.bias.parameter()).collect()
    }

    fn forward_flops(&self) -> u64 {
        self.geometry.forward_flops()
    }

    fn kept(&self) -> MemorySize {
        MemorySize { values: self.weights() + self.geometry.sliding().size().channels, bytes: 0 }
    }

    fn forward(&self, _: Context, parameters: &[E], input: &[E], output: &mut [E], _: &mut Memory<E>) {
        let (weights, rest) = parameters.split_at(self.weights());
        let bias = self.bias.values(rest);
        forward(self.set, &self.geometry, input, weights, bias, self.activation, output);
    }

    fn backward(&self, pass: Pass<E>) {
        let Pass { parameters, d_input, kept, .. } = pass;
        if self.activation == Activation::Relu {
            relu_backward(self.set, pass.output, pass.d_output);
        }
        kept.values.fill(E::ZERO);
        let (d_weights, d_bias) = kept.values.split_at_mut(self.weights());
        backward_weights(self.set, &self.geometry, pass.input, pass.d_output, d_weights, d_bias);
        if let Some(d_input) = d_input {
            let weights = &parameters[..self.weights()];
            backward_input(self.set, &self.geometry, weights, pass.d_output, d_input);
        }
    }
}
