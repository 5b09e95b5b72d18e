//! Convolution, and a dense layer of many rows, whose products are of bfloat16 numbers, with the ReLU
//! and the max-pooling that may follow it.

use super::{Bias, Context, GROUP, Layer, LayerParameter, Memory, MemorySize, Pass, Purpose};
use crate::{Initialiser, Role};
use kernels::{
    Buffer, InstructionSet,
    activation::{relu_backward, relu_in_place},
    convolution::{Activation, Derivatives, general::Geometry},
    tiles::{self, Tiles, convolution::Convolution},
};

/// What [`super::GeneralConvolutionLayer`] computes, of operands that are rounded, and the largest values of windows side by side.
///
/// Parameters: `weight [filters, kernel rows, kernel columns, channels]`, `bias [filters]`, if any. The scratch holds the windows' winners
/// and the kernels' workspace, a group keeps its gradient.
pub(crate) struct ConvolutionOnTiles {
    set: InstructionSet,
    convolution: Convolution,
    activation: Activation,
    bias: Bias<f32>,
    packed_weights: Buffer<f32>,
}

const _: () = assert!(GROUP == tiles::ROWS, "a group fills the rows of tiles");

impl ConvolutionOnTiles {
    pub(crate) fn new(
        set: InstructionSet,
        tiles: Tiles,
        geometry: Geometry,
        activation: Activation,
        pool: usize,
        bias: bool,
    ) -> Self {
        let bias = Bias::new(geometry.filters(), bias);
        let convolution = Convolution::new(tiles, geometry, pool);
        let packed_weights = Buffer::zeros(convolution.packed_weights_length());
        Self { set, convolution, activation, bias, packed_weights }
    }

    fn geometry(&self) -> &Geometry {
        self.convolution.geometry()
    }

    /// The kernels' workspace and the winners of so many images.
    fn parts<'a>(&self, images: usize, scratch: &'a mut Memory<f32>) -> (&'a mut [f32], &'a mut [f32]) {
        let (workspace, winners) = scratch.values.split_at_mut(self.convolution.workspace_length());
        (workspace, &mut winners[..images * self.convolution.winners_length()])
    }

    fn images(&self, input: &[f32]) -> usize {
        input.len() / self.geometry().input_length()
    }

    fn weights(&self) -> usize {
        self.geometry().filters() * self.geometry().filter_length()
    }
}

impl Layer<f32> for ConvolutionOnTiles {
    fn parameters(&self) -> Vec<LayerParameter> {
        let geometry = self.geometry();
        let initialiser = Initialiser::GlorotUniform {
            fan_in: geometry.filter_length(),
            fan_out: geometry.sliding().taps() * geometry.filters(),
        };
        let size = geometry.sliding().size();
        let shape = [geometry.filters(), size.kernel_height, size.kernel_width, size.channels];
        let weight = LayerParameter::new(Role::Weight, "weight", &shape, initialiser);
        [weight].into_iter().chain(self.bias.parameter()).collect()
    }

    fn forward_flops(&self) -> u64 {
        self.convolution.forward_flops()
    }

    fn scratch(&self) -> MemorySize {
        let winners = GROUP * self.convolution.winners_length();
        MemorySize { values: self.convolution.workspace_length() + winners, bytes: 0 }
    }

    fn kept(&self) -> MemorySize {
        MemorySize { values: self.weights() + self.geometry().filters(), bytes: 0 }
    }

    fn prepare(&mut self, parameters: &[f32], _: Purpose) {
        self.convolution.pack_weights(&parameters[..self.weights()], &mut self.packed_weights);
    }

    fn forward(
        &self,
        _: Context,
        parameters: &[f32],
        input: &[f32],
        output: &mut [f32],
        scratch: &mut Memory<f32>,
    ) {
        let bias = self.bias.values(&parameters[self.weights()..]);
        let (workspace, winners) = self.parts(self.images(input), scratch);
        self.convolution.forward(input, &self.packed_weights, bias, output, winners, workspace);
        if self.activation == Activation::Relu {
            relu_in_place(self.set, output);
        }
    }

    fn adds_derivatives(&self) -> bool {
        true
    }

    fn backward(&self, pass: Pass<f32>) {
        let Pass { d_input, into_input, scratch, kept, .. } = pass;
        if self.activation == Activation::Relu {
            relu_backward(self.set, pass.output, pass.d_output);
        }
        let (d_weights, d_bias) = kept.values.split_at_mut(self.weights());
        d_bias.fill(0.0);
        let bias = self.bias.derivative(d_bias);
        let derivatives = Derivatives { weights: d_weights, bias, input: d_input, into_input };
        let (workspace, winners) = self.parts(self.images(pass.input), scratch);
        let weights = &self.packed_weights;
        self.convolution.backward(pass.input, weights, pass.d_output, winners, derivatives, workspace);
    }
}
