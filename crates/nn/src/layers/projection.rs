//! The same affine map of every row of many, whose gradient is summed at once.

use super::LayerParameter;
use crate::{Initialiser, Role};
use kernels::{
    Buffer, Element, InstructionSet,
    columns::sum_columns,
    matmul::{Matrix, MatrixMut, Output, multiply, multiply_rows, multiply_with_bias, pack, packed_length},
};

/// `output[row] = weight · input[row] + bias`, of rows of features.
///
/// Parameters: `weight [outputs, inputs]` and, unless there is none, `bias [outputs]`.
#[derive(Debug, Clone, Copy)]
pub(crate) struct AffineMap {
    pub(super) inputs: usize,
    pub(super) outputs: usize,
    pub(super) bias: bool,
}

impl AffineMap {
    /// Parameters that are called by `prefix` and their own name.
    pub(super) fn parameters(self, prefix: &str) -> Vec<LayerParameter> {
        let initialiser = Initialiser::GlorotUniform { fan_in: self.inputs, fan_out: self.outputs };
        let shape = [self.outputs, self.inputs];
        let weight = LayerParameter::new(Role::Weight, &format!("{prefix}weight"), &shape, initialiser);
        let bias =
            LayerParameter::new(Role::Bias, &format!("{prefix}bias"), &[self.outputs], Initialiser::Zeros);
        [weight].into_iter().chain(self.bias.then_some(bias)).collect()
    }

    /// Elements of the weight.
    pub(super) fn weights(self) -> usize {
        self.outputs * self.inputs
    }

    /// Elements of the parameters.
    pub(super) fn length(self) -> usize {
        self.outputs * (self.inputs + usize::from(self.bias))
    }

    /// Multiplications and additions of one row.
    pub(super) fn flops(self) -> u64 {
        (2 * self.inputs * self.outputs) as u64
    }
}

/// A way to compute an [`AffineMap`] and its derivatives, of the rows of up to [`GROUP`](super::GROUP) images.
pub(crate) trait Project<E>: Send + Sync {
    /// What it computes.
    fn map(&self) -> AffineMap;

    /// Elements of the workspace that the other functions are given, which begins at a cache line.
    fn workspace(&self) -> usize;

    /// Takes note of new parameters.
    fn prepare(&mut self, parameters: &[E]);

    /// `output [row, output]` from `input [row, input]`; overwrites.
    fn forward(&self, parameters: &[E], input: &[E], output: &mut [E], workspace: &mut [E]);

    /// d_input = d_output · weight; overwrites.
    fn input_gradient(&self, parameters: &[E], d_output: &[E], d_input: &mut [E], workspace: &mut [E]);

    /// d_weight = d_outputᵀ · input and d_bias = Σ d_output over the rows; overwrites.
    fn parameter_gradient(&self, input: &[E], d_output: &[E], d_parameters: &mut [E], workspace: &mut [E]);
}

/// On the vectors, in `E` throughout, which needs no workspace.
///
/// A group of images has so many rows that weights packed anew for each step are read often enough, and that the gradient is
/// smaller than what it is the product of.
pub(crate) struct Projection<E> {
    set: InstructionSet,
    map: AffineMap,
    packed_weight: Buffer<E>,
}

impl<E: Element> Projection<E> {
    pub(super) fn new(set: InstructionSet, map: AffineMap) -> Self {
        let packed_weight = Buffer::zeros(packed_length::<E>(set, map.inputs, map.outputs));
        Self { set, map, packed_weight }
    }

    fn weight<'a>(&self, parameters: &'a [E]) -> Matrix<'a, E> {
        Matrix::new(&parameters[..self.map.weights()], self.map.outputs, self.map.inputs)
    }

    fn rows<'a>(&self, output: &'a [E]) -> Matrix<'a, E> {
        Matrix::new(output, output.len() / self.map.outputs, self.map.outputs)
    }
}

impl<E: Element> Project<E> for Projection<E> {
    fn map(&self) -> AffineMap {
        self.map
    }

    fn workspace(&self) -> usize {
        0
    }

    fn prepare(&mut self, parameters: &[E]) {
        pack(self.set, self.weight(parameters).transposed(), 0, &mut self.packed_weight);
    }

    fn forward(&self, parameters: &[E], input: &[E], output: &mut [E], _: &mut [E]) {
        let AffineMap { inputs, outputs, bias } = self.map;
        let input = Matrix::new(input, output.len() / outputs, inputs);
        if bias {
            let bias = &parameters[self.map.weights()..];
            multiply_with_bias(self.set, input, &self.packed_weight, bias, output);
        } else {
            multiply(self.set, input, &self.packed_weight, outputs, output, Output::Overwrite);
        }
    }

    fn input_gradient(&self, parameters: &[E], d_output: &[E], d_input: &mut [E], _: &mut [E]) {
        let d_output = self.rows(d_output);
        let d_input = MatrixMut::new(d_input, d_input.len() / self.map.inputs, self.map.inputs);
        multiply_rows(self.set, d_output, self.weight(parameters), d_input, Output::Overwrite);
    }

    fn parameter_gradient(&self, input: &[E], d_output: &[E], d_parameters: &mut [E], _: &mut [E]) {
        let AffineMap { inputs, outputs, bias } = self.map;
        let (d_weight, d_bias) = d_parameters.split_at_mut(self.map.weights());
        let rows = self.rows(d_output).transposed();
        let input = Matrix::new(input, d_output.len() / outputs, inputs);
        let d_weight = MatrixMut::new(d_weight, outputs, inputs);
        multiply_rows(self.set, rows, input, d_weight, Output::Overwrite);
        if bias {
            sum_columns(self.set, d_output, d_bias);
        }
    }
}
