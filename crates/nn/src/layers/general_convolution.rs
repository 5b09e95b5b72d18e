//! Convolution with any stride, dilation and number of groups, with the ReLU that may follow it.

use super::{Bias, Context, GROUP, Layer, LayerParameter, Memory, MemorySize, Pass, Purpose};
use crate::{Initialiser, Role};
use kernels::{
    Buffer, Element, InstructionSet,
    activation::{relu_backward, relu_in_place},
    convolution::{
        Activation, Derivatives,
        general::{Geometry, backward, forward, pack_weights, packed_weights_length, workspace_length},
    },
};

/// `output[y, x, f] = activation(bias[f] + Σ weight[f, i, j, c] · input[y · stride + i · dilation, …, c])`, the sum over
/// taps and the channels of the filter's group.
///
/// Parameters: `weight [filters, kernel rows, kernel columns, channels of a group]`, `bias [filters]`, if any. The
/// scratch is the kernels' workspace, a group keeps its gradient.
pub(crate) struct GeneralConvolutionLayer<E> {
    set: InstructionSet,
    geometry: Geometry,
    activation: Activation,
    bias: Bias<E>,
    packed_weights: Buffer<E>,
}

impl<E: Element> GeneralConvolutionLayer<E> {
    pub(crate) fn new(set: InstructionSet, geometry: Geometry, activation: Activation, bias: bool) -> Self {
        let packed_weights = Buffer::zeros(packed_weights_length::<E>(set, &geometry));
        let bias = Bias::new(geometry.filters(), bias);
        Self { set, geometry, activation, bias, packed_weights }
    }

    fn weights(&self) -> usize {
        self.geometry.filters() * self.geometry.filter_length()
    }
}

impl<E: Element> Layer<E> for GeneralConvolutionLayer<E> {
    fn parameters(&self) -> Vec<LayerParameter> {
        let (size, filters) = (self.geometry.sliding().size(), self.geometry.filters());
        let (area, groups) = (self.geometry.sliding().taps(), self.geometry.groups());
        let shape = [filters, size.kernel_height, size.kernel_width, size.channels / groups];
        let initialiser = Initialiser::GlorotUniform {
            fan_in: self.geometry.filter_length(),
            fan_out: area * filters / groups,
        };
        let weight = LayerParameter::new(Role::Weight, "weight", &shape, initialiser);
        [weight].into_iter().chain(self.bias.parameter()).collect()
    }

    fn forward_flops(&self) -> u64 {
        self.geometry.forward_flops()
    }

    fn scratch(&self) -> MemorySize {
        MemorySize { values: workspace_length::<E>(&self.geometry, GROUP), bytes: 0 }
    }

    fn kept(&self) -> MemorySize {
        MemorySize { values: self.weights() + self.geometry.filters(), bytes: 0 }
    }

    fn prepare(&mut self, parameters: &[E], _: Purpose) {
        pack_weights(self.set, &self.geometry, &parameters[..self.weights()], &mut self.packed_weights);
    }

    fn forward(
        &self,
        context: Context,
        parameters: &[E],
        input: &[E],
        output: &mut [E],
        scratch: &mut Memory<E>,
    ) {
        let Self { set, geometry, packed_weights, .. } = self;
        let bias = self.bias.values(&parameters[self.weights()..]);
        let workspace = &mut scratch.values;
        forward(*set, geometry, input, packed_weights, bias, output, workspace, context.threads);
        if self.activation == Activation::Relu {
            relu_in_place(self.set, output);
        }
    }

    fn adds_derivatives(&self) -> bool {
        true
    }

    fn backward(&self, pass: Pass<E>) {
        let Pass { parameters, d_input, into_input, scratch, kept, .. } = pass;
        if self.activation == Activation::Relu {
            relu_backward(self.set, pass.output, pass.d_output);
        }
        kept.values.fill(E::ZERO);
        let (d_weights, d_bias) = kept.values.split_at_mut(self.weights());
        let bias = self.bias.derivative(d_bias);
        let derivatives = Derivatives { weights: d_weights, bias, input: d_input, into_input };
        let weights = &parameters[..self.weights()];
        let workspace = &mut scratch.values;
        backward(self.set, &self.geometry, pass.input, weights, pass.d_output, derivatives, workspace);
    }
}
