//! Fully connected layer, with the ReLU that may follow it.

use super::{Layer, LayerParameter, Pass, task_size};
use crate::Initialiser;
use kernels::{
    Buffer, Element, InstructionSet,
    activation::{add_bias, add_column_sums, relu_backward, relu_in_place},
    convolution::Activation,
    matmul::{Matrix, Output, multiply, pack, packed_length, panel_columns},
};
use rayon::prelude::*;

/// `output = activation(input · weight + bias)`.
///
/// Parameters: `weight [inputs, units]`, `bias [units]`.
pub(crate) struct DenseLayer<E> {
    set: InstructionSet,
    inputs: usize,
    units: usize,
    activation: Activation,
    packed_weight: Buffer<E>,
    packed_transposed: Buffer<E>,
    packed_gradient: Buffer<E>,
}

impl<E: Element> DenseLayer<E> {
    pub(crate) fn new(
        set: InstructionSet,
        inputs: usize,
        units: usize,
        activation: Activation,
        capacity: usize,
    ) -> Self {
        Self {
            set,
            inputs,
            units,
            activation,
            packed_weight: Buffer::zeros(packed_length::<E>(set, inputs, units)),
            packed_transposed: Buffer::zeros(packed_length::<E>(set, units, inputs)),
            packed_gradient: Buffer::zeros(packed_length::<E>(set, capacity, units)),
        }
    }
}

/// [`pack`] on all threads.
pub(crate) fn pack_in_parallel<E: Element>(
    set: InstructionSet,
    matrix: Matrix<E>,
    rows: usize,
    packed: &mut [E],
) {
    let panel = rows * panel_columns::<E>(set);
    packed.par_chunks_mut(panel).enumerate().for_each(|(index, packed)| pack(set, matrix, index, packed));
}

impl<E: Element> Layer<E> for DenseLayer<E> {
    fn parameters(&self) -> Vec<LayerParameter> {
        let initialiser = Initialiser::GlorotUniform { fan_in: self.inputs, fan_out: self.units };
        vec![
            LayerParameter { name: "weight", shape: vec![self.inputs, self.units], initialiser },
            LayerParameter { name: "bias", shape: vec![self.units], initialiser: Initialiser::Zeros },
        ]
    }

    fn forward_flops(&self) -> u64 {
        2 * (self.inputs * self.units) as u64
    }

    fn prepare(&mut self, parameters: &[E]) {
        let weight = Matrix::new(&parameters[..self.inputs * self.units], self.inputs, self.units);
        pack_in_parallel(self.set, weight, self.inputs, &mut self.packed_weight);
        pack_in_parallel(self.set, weight.transposed(), self.units, &mut self.packed_transposed);
    }

    fn forward(&mut self, parameters: &[E], input: &[E], output: &mut [E]) {
        let (set, inputs, units, activation) = (self.set, self.inputs, self.units, self.activation);
        let bias = &parameters[inputs * units..];
        let rows = task_size(output.len() / units);
        output.par_chunks_mut(rows * units).zip(input.par_chunks(rows * inputs)).for_each(
            |(output, input)| {
                let input = Matrix::new(input, input.len() / inputs, inputs);
                multiply(set, input, &self.packed_weight, units, output, Output::Overwrite);
                add_bias(bias, output);
                if activation == Activation::Relu {
                    relu_in_place(set, output);
                }
            },
        );
    }

    fn backward(&mut self, _: &[E], pass: Pass<E>, d_input: Option<&mut [E]>, d_parameters: &mut [E]) {
        let (set, inputs, units) = (self.set, self.inputs, self.units);
        let rows = pass.output.len() / units;
        if self.activation == Activation::Relu {
            relu_backward(set, pass.output, pass.d_output);
        }
        let d_output = &*pass.d_output;
        if let Some(d_input) = d_input {
            let task = task_size(rows);
            d_input.par_chunks_mut(task * inputs).zip(d_output.par_chunks(task * units)).for_each(
                |(d_input, d_output)| {
                    let d_output = Matrix::new(d_output, d_output.len() / units, units);
                    multiply(set, d_output, &self.packed_transposed, inputs, d_input, Output::Overwrite);
                },
            );
        }
        let packed = &mut self.packed_gradient[..packed_length::<E>(set, rows, units)];
        pack(set, Matrix::new(d_output, rows, units), 0, packed);
        let (d_weight, d_bias) = d_parameters.split_at_mut(inputs * units);
        add_column_sums(d_output, d_bias);
        let task = task_size(inputs);
        d_weight.par_chunks_mut(task * units).enumerate().for_each(|(index, d_weight)| {
            let input = Matrix::new(pass.input, rows, inputs).columns(index * task, d_weight.len() / units);
            multiply(set, input.transposed(), packed, units, d_weight, Output::Accumulate);
        });
    }
}
