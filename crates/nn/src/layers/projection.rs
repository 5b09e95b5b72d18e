//! The same affine map of every row of many, whose gradient is summed at once.

use super::LayerParameter;
use crate::{Initialiser, Role};
use kernels::{
    Buffer, Element, InstructionSet,
    columns::sum_columns,
    matmul::{Matrix, MatrixMut, Output, multiply, multiply_rows, multiply_with_bias, pack, packed_length},
};

/// `output[row] = weight · input[row] + bias`.
///
/// Parameters: `weight [outputs, inputs]` and, unless there is none, `bias [outputs]`. A group of images has so many rows
/// that weights packed anew for each step are read often enough, and that the gradient is smaller than what it is the
/// product of.
pub(super) struct Projection<E> {
    set: InstructionSet,
    inputs: usize,
    outputs: usize,
    bias: bool,
    packed_weight: Buffer<E>,
}

impl<E: Element> Projection<E> {
    pub(super) fn new(set: InstructionSet, inputs: usize, outputs: usize, bias: bool) -> Self {
        let packed_weight = Buffer::zeros(packed_length::<E>(set, inputs, outputs));
        Self { set, inputs, outputs, bias, packed_weight }
    }

    /// Parameters that are called by `prefix` and their own name.
    pub(super) fn parameters(&self, prefix: &str) -> Vec<LayerParameter> {
        let initialiser = Initialiser::GlorotUniform { fan_in: self.inputs, fan_out: self.outputs };
        let shape = [self.outputs, self.inputs];
        let weight = LayerParameter::new(Role::Weight, &format!("{prefix}weight"), &shape, initialiser);
        let bias =
            LayerParameter::new(Role::Bias, &format!("{prefix}bias"), &[self.outputs], Initialiser::Zeros);
        [weight].into_iter().chain(self.bias.then_some(bias)).collect()
    }

    /// Elements of the parameters.
    pub(super) fn length(&self) -> usize {
        self.outputs * (self.inputs + usize::from(self.bias))
    }

    /// Multiplications and additions of one row.
    pub(super) fn flops(&self) -> u64 {
        (2 * self.inputs * self.outputs) as u64
    }

    pub(super) fn prepare(&mut self, parameters: &[E]) {
        pack(self.set, self.weight(parameters).transposed(), 0, &mut self.packed_weight);
    }

    fn weight<'a>(&self, parameters: &'a [E]) -> Matrix<'a, E> {
        Matrix::new(&parameters[..self.outputs * self.inputs], self.outputs, self.inputs)
    }

    fn rows<'a>(&self, output: &'a [E]) -> Matrix<'a, E> {
        Matrix::new(output, output.len() / self.outputs, self.outputs)
    }

    /// `output [row, output]` from `input [row, input]`; overwrites.
    pub(super) fn forward(&self, parameters: &[E], input: &[E], output: &mut [E]) {
        let input = Matrix::new(input, output.len() / self.outputs, self.inputs);
        if self.bias {
            let bias = &parameters[self.outputs * self.inputs..];
            multiply_with_bias(self.set, input, &self.packed_weight, bias, output);
        } else {
            multiply(self.set, input, &self.packed_weight, self.outputs, output, Output::Overwrite);
        }
    }

    /// d_input = d_output · weight; overwrites.
    pub(super) fn input_gradient(&self, parameters: &[E], d_output: &[E], d_input: &mut [E]) {
        let d_output = self.rows(d_output);
        let d_input = MatrixMut::new(d_input, d_input.len() / self.inputs, self.inputs);
        multiply_rows(self.set, d_output, self.weight(parameters), d_input, Output::Overwrite);
    }

    /// d_weight = d_outputᵀ · input and d_bias = Σ d_output over the rows; overwrites.
    pub(super) fn parameter_gradient(&self, input: &[E], d_output: &[E], d_parameters: &mut [E]) {
        let (d_weight, d_bias) = d_parameters.split_at_mut(self.outputs * self.inputs);
        let rows = self.rows(d_output).transposed();
        let input = Matrix::new(input, d_output.len() / self.outputs, self.inputs);
        let d_weight = MatrixMut::new(d_weight, self.outputs, self.inputs);
        multiply_rows(self.set, rows, input, d_weight, Output::Overwrite);
        if self.bias {
            sum_columns(self.set, d_output, d_bias);
        }
    }
}
