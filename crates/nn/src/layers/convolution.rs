//! Convolution, with the ReLU and the max-pooling that follow it.

use super::{Bias, Context, GROUP, Layer, LayerParameter, Memory, MemorySize, Pass, Purpose};
use crate::{Initialiser, Role};
use kernels::{
    Buffer, Element, InstructionSet,
    convolution::{
        Derivatives, Geometry, OutputGradient, Weights, backward, forward, infer, pack_weights,
        packed_weights_length, workspace_length,
    },
};

/// `output[y, x, f] = max over the window of relu(bias[f] + Σ weight[f, dy, dx, c] · input[y + dy, x + dx, c])`.
///
/// Parameters: `weight [filters, kernel rows, kernel columns, channels]`, `bias [filters]`, if any. The scratch holds the
/// winners and the kernels' workspace, a group keeps its gradient.
pub(crate) struct ConvolutionLayer<E> {
    set: InstructionSet,
    geometry: Geometry,
    bias: Bias<E>,
    packed_weights: Buffer<E>,
}

impl<E: Element> ConvolutionLayer<E> {
    pub(crate) fn new(set: InstructionSet, geometry: Geometry, bias: bool) -> Self {
        let packed_weights = Buffer::zeros(packed_weights_length::<E>(set, &geometry));
        let bias = Bias::new(geometry.size().filters, bias);
        Self { set, geometry, bias, packed_weights }
    }

    fn weights(&self) -> usize {
        self.geometry.size().filters * self.geometry.filter_length()
    }
}

impl<E: Element> Layer<E> for ConvolutionLayer<E> {
    fn parameters(&self) -> Vec<LayerParameter> {
        let size = self.geometry.size();
        let area = size.kernel_height * size.kernel_width;
        let (filters, channels) = (size.filters, size.channels);
        let shape = [filters, size.kernel_height, size.kernel_width, channels];
        let initialiser = Initialiser::GlorotUniform { fan_in: area * channels, fan_out: area * filters };
        let weight = LayerParameter::new(Role::Weight, "weight", &shape, initialiser);
        [weight].into_iter().chain(self.bias.parameter()).collect()
    }

    fn forward_flops(&self) -> u64 {
        self.geometry.forward_flops()
    }

    fn scratch(&self) -> MemorySize {
        MemorySize {
            values: workspace_length::<E>(self.set, &self.geometry),
            bytes: GROUP * self.geometry.output_length(),
        }
    }

    fn kept(&self) -> MemorySize {
        MemorySize { values: self.weights() + self.geometry.size().filters, bytes: 0 }
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
        let Memory { values: workspace, bytes: winners } = scratch;
        let winners = &mut winners[..output.len()];
        match context.purpose {
            Purpose::Learning => {
                forward(*set, geometry, input, packed_weights, bias, output, winners, workspace)
            }
            Purpose::Inference => {
                let threads = context.threads;
                infer(*set, geometry, input, packed_weights, bias, output, winners, workspace, threads)
            }
        }
    }

    fn adds_derivatives(&self) -> bool {
        true
    }

    fn backward(&self, pass: Pass<E>) {
        let Pass { parameters, d_input, into_input, scratch, kept, .. } = pass;
        let Memory { values: workspace, bytes: winners } = scratch;
        let output = OutputGradient { gradient: &*pass.d_output, winners: &winners[..pass.d_output.len()] };
        let weights = Weights { plain: &parameters[..self.weights()], packed: &self.packed_weights };
        kept.values.fill(E::ZERO);
        let (d_weights, d_bias) = kept.values.split_at_mut(self.weights());
        let bias = self.bias.derivative(d_bias);
        let derivatives = Derivatives { weights: d_weights, bias, input: d_input, into_input };
        backward(self.set, &self.geometry, pass.input, weights, output, derivatives, workspace);
    }
}
