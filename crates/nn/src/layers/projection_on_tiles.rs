//! An affine map of rows whose products are of bfloat16 numbers, on tiles.

use super::{
    Bias,
    projection::{AffineMap, Project},
};
use kernels::{
    Buffer,
    convolution::{Derivatives, general::Geometry},
    matmul::Output,
    sliding::{Size, Sliding},
    tiles::{Tiles, convolution::Convolution},
};

/// The same map of each of an image's rows, as a convolution of one tap over a row of pixels.
pub(crate) fn map_of_rows(rows: usize, inputs: usize, outputs: usize) -> Geometry {
    let pixels = Size {
        height: 1,
        width: rows,
        channels: inputs,
        kernel_height: 1,
        kernel_width: 1,
        stride: 1,
        dilation: 1,
    };
    Geometry::new(Sliding::new(pixels), outputs, 1)
}

/// Operands are rounded; the rows of tiles are the images of a group.
pub(crate) struct ProjectionOnTiles {
    map: AffineMap,
    convolution: Convolution,
    bias: Bias<f32>,
    packed_weights: Buffer<f32>,
}

impl ProjectionOnTiles {
    /// For images of so many rows.
    pub(super) fn new(tiles: Tiles, map: AffineMap, rows: usize) -> Self {
        let AffineMap { inputs, outputs, bias } = map;
        let convolution = Convolution::new(tiles, map_of_rows(rows, inputs, outputs), 1);
        let packed_weights = Buffer::zeros(convolution.packed_weights_length());
        Self { map, convolution, bias: Bias::new(outputs, bias), packed_weights }
    }
}

impl Project<f32> for ProjectionOnTiles {
    fn map(&self) -> AffineMap {
        self.map
    }

    fn workspace(&self) -> usize {
        self.convolution.workspace_length()
    }

    fn prepare(&mut self, parameters: &[f32]) {
        self.convolution.pack_weights(&parameters[..self.map.weights()], &mut self.packed_weights);
    }

    fn forward(&self, parameters: &[f32], input: &[f32], output: &mut [f32], workspace: &mut [f32]) {
        let bias = self.bias.values(&parameters[self.map.weights()..]);
        self.convolution.forward(input, &self.packed_weights, bias, output, &mut [], workspace);
    }

    fn input_gradient(&self, _: &[f32], d_output: &[f32], d_input: &mut [f32], workspace: &mut [f32]) {
        let (weights, into) = (&self.packed_weights, Output::Overwrite);
        self.convolution.differentiate_input(weights, d_output, d_input, into, workspace);
    }

    fn parameter_gradient(
        &self,
        input: &[f32],
        d_output: &[f32],
        d_parameters: &mut [f32],
        workspace: &mut [f32],
    ) {
        let (d_weights, d_bias) = d_parameters.split_at_mut(self.map.weights());
        d_bias.fill(0.0);
        let derivatives = Derivatives {
            weights: d_weights,
            bias: self.bias.derivative(d_bias),
            input: None,
            into_input: Output::Overwrite,
        };
        let weights = &self.packed_weights;
        self.convolution.backward(input, weights, d_output, &[], derivatives, workspace);
    }
}
