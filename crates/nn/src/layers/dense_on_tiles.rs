//! Fully connected layer whose products are of bfloat16 numbers, with the ReLU that may follow it.

use super::{Context, GROUP, Groups, Layer, LayerParameter, Memory, MemorySize, Pass, Purpose, dense};
use kernels::{
    Buffer, InstructionSet,
    activation::{relu_backward, relu_in_place},
    columns::add_column_sums,
    convolution::Activation,
    matmul::Output,
    tiles::{
        Tiles,
        matrix::{
            SIXTEEN, Start, Target, block_of, blocks, lay_out_left, lay_out_right, multiply,
            multiply_laid_out, of_sixteen, pack_both, packed_length, rows_length, side_length, sixteen_of,
        },
    },
};
use rayon::prelude::*;

/// What [`super::DenseLayer`] computes, of operands that are rounded, with its parameters.
///
/// A group keeps its inputs and the derivative with respect to their sums, of which the weights' is summed over all groups at once.
pub(crate) struct DenseOnTiles {
    set: InstructionSet,
    tiles: Tiles,
    inputs: usize,
    units: usize,
    bias: super::Bias<f32>,
    activation: Activation,
    /// The weights for the outputs, and for the derivative of the input.
    packed: Buffer<f32>,
    packed_transposed: Buffer<f32>,
    /// A batch's derivatives and inputs, laid out; as long as the largest batch so far wants them.
    left: Buffer<f32>,
    right: Buffer<f32>,
}

/// Rows of the gradient that a task takes: two tiles.
const TASK_ROWS: usize = 2 * SIXTEEN;

impl DenseOnTiles {
    pub(crate) fn new(
        set: InstructionSet,
        tiles: Tiles,
        [inputs, units]: [usize; 2],
        bias: bool,
        activation: Activation,
    ) -> Self {
        Self {
            set,
            tiles,
            inputs,
            units,
            bias: super::Bias::new(units, bias),
            activation,
            packed: Buffer::zeros(packed_length(blocks(inputs), units)),
            packed_transposed: Buffer::zeros(packed_length(blocks(units), inputs)),
            left: Buffer::zeros(0),
            right: Buffer::zeros(0),
        }
    }

    fn weights(&self) -> usize {
        self.units * self.inputs
    }
}

impl Layer<f32> for DenseOnTiles {
    fn parameters(&self) -> Vec<LayerParameter> {
        dense::parameters([self.inputs, self.units], self.bias.parameter())
    }

    fn forward_flops(&self) -> u64 {
        2 * self.weights() as u64
    }

    fn sum_flops(&self) -> u64 {
        self.forward_flops()
    }

    fn scratch(&self) -> MemorySize {
        MemorySize { values: rows_length(blocks(self.inputs).max(blocks(self.units))), bytes: 0 }
    }

    fn kept(&self) -> MemorySize {
        MemorySize { values: GROUP * (self.inputs + self.units), bytes: 0 }
    }

    fn prepare(&mut self, parameters: &[f32], _: Purpose) {
        let weights = &parameters[..self.weights()];
        let packed = [&mut self.packed_transposed[..], &mut self.packed];
        pack_both(self.tiles, weights, self.inputs, packed);
    }

    fn forward(
        &self,
        _: Context,
        parameters: &[f32],
        input: &[f32],
        output: &mut [f32],
        scratch: &mut Memory<f32>,
    ) {
        let Self { tiles, inputs, units, .. } = *self;
        let bias = Start::Row(self.bias.values(&parameters[self.weights()..]));
        let of = |image: usize, block: usize| block_of(&input[image * inputs..][..inputs], block);
        let sums = Target::whole(output, units);
        multiply(tiles, blocks(inputs), of, &self.packed, bias, sums, &mut scratch.values);
        if self.activation == Activation::Relu {
            relu_in_place(self.set, output);
        }
    }

    fn adds_derivatives(&self) -> bool {
        true
    }

    fn backward(&self, pass: Pass<f32>) {
        let Pass { d_input, into_input, scratch, kept, .. } = pass;
        let Self { set, tiles, inputs, units, .. } = *self;
        if self.activation == Activation::Relu {
            relu_backward(set, pass.output, pass.d_output);
        }
        let d_output = &*pass.d_output;
        if let Some(d_input) = d_input {
            let of = |image: usize, block: usize| block_of(&d_output[image * units..][..units], block);
            let start = match into_input {
                Output::Overwrite => Start::Zero,
                Output::Accumulate => Start::Target,
            };
            let to = Target::whole(d_input, inputs);
            multiply(tiles, blocks(units), of, &self.packed_transposed, start, to, &mut scratch.values);
        }
        let (kept_input, kept_d_output) = kept.values.split_at_mut(GROUP * inputs);
        kept_input[..pass.input.len()].copy_from_slice(pass.input);
        kept_d_output[..d_output.len()].copy_from_slice(d_output);
    }

    fn sum_gradient(&mut self, groups: Groups<f32>, d_parameters: &mut [f32]) {
        let Self { set, tiles, inputs, units, .. } = *self;
        let (d_weight, d_bias) = d_parameters.split_at_mut(units * inputs);
        d_bias.fill(0.0);
        if let Some(d_bias) = self.bias.derivative(d_bias) {
            for group in 0..groups.count() {
                let (kept, images) = groups.get(group);
                add_column_sums(set, &kept[GROUP * inputs..][..images * units], d_bias);
            }
        }
        // All groups but the last are full.
        let images: usize = (0..groups.count()).map(|group| groups.get(group).1).sum();
        let [for_left, for_right] = [units, inputs].map(|side| side_length(side, images));
        for (buffer, length) in [(&mut self.left, for_left), (&mut self.right, for_right)] {
            if buffer.len() < length {
                *buffer = Buffer::zeros(length);
            }
        }
        let (left, right) = (&mut self.left[..for_left], &mut self.right[..for_right]);
        let side = of_sixteen(images);
        let of_group = |image: usize| (groups.get(image / GROUP).0, image % GROUP);
        left.par_chunks_mut(side).enumerate().for_each(|(sixteen, left)| {
            let of = |image: usize, _: usize| {
                let (kept, image) = of_group(image);
                sixteen_of(&kept[GROUP * inputs..][image * units..][..units], sixteen)
            };
            lay_out_left(tiles, images, of, left);
        });
        right.par_chunks_mut(side).enumerate().for_each(|(sixteen, right)| {
            let of = |image: usize, _: usize| {
                let (kept, image) = of_group(image);
                sixteen_of(&kept[image * inputs..][..inputs], sixteen)
            };
            lay_out_right(tiles, images, of, right);
        });
        let (left, right) = (&*left, &*right);
        let tasks = d_weight.par_chunks_mut(TASK_ROWS * inputs);
        tasks.zip(left.par_chunks(TASK_ROWS / SIXTEEN * side)).for_each(|(d_weight, left)| {
            multiply_laid_out(tiles, images, left, right, Target::whole(d_weight, inputs));
        });
    }
}
