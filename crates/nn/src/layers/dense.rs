//! Fully connected layer, with the ReLU that may follow it.

use super::{GROUP, Groups, Layer, LayerParameter, Memory, MemorySize, Pass, task_size};
use crate::Initialiser;
use kernels::{
    Buffer, Element, InstructionSet,
    activation::{add_bias, add_column_sums, relu_backward, relu_in_place},
    convolution::Activation,
    matmul::{Matrix, Output, multiply, multiply_pieces, pack, packed_length, panel_columns},
};
use rayon::prelude::*;

/// `output = activation(input · weight + bias)`.
///
/// Parameters: `weight [inputs, units]`, `bias [units]`. A group keeps its inputs and the derivative with respect to
/// their sums: the weights are too many for a gradient a group.
pub(crate) struct DenseLayer<E> {
    set: InstructionSet,
    inputs: usize,
    units: usize,
    activation: Activation,
    packed_weight: Buffer<E>,
    packed_transposed: Buffer<E>,
    /// The kept derivatives of all groups, `[images, units]`, then in panels.
    d_sums: Buffer<E>,
    packed_d_sums: Buffer<E>,
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
            d_sums: Buffer::zeros(capacity * units),
            packed_d_sums: Buffer::zeros(packed_length::<E>(set, capacity, units)),
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

    fn scratch(&self) -> MemorySize {
        MemorySize::default()
    }

    fn kept(&self) -> MemorySize {
        MemorySize { values: GROUP * (self.inputs + self.units), bytes: 0 }
    }

    fn forward(&self, parameters: &[E], input: &[E], output: &mut [E], _: &mut Memory<E>) {
        let (set, inputs, units) = (self.set, self.inputs, self.units);
        let input = Matrix::new(input, input.len() / inputs, inputs);
        multiply(set, input, &self.packed_weight, units, output, Output::Overwrite);
        add_bias(&parameters[inputs * units..], output);
        if self.activation == Activation::Relu {
            relu_in_place(set, output);
        }
    }

    fn backward(
        &self,
        _: &[E],
        pass: Pass<E>,
        d_input: Option<&mut [E]>,
        _: &mut Memory<E>,
        kept: &mut Memory<E>,
    ) {
        let (set, inputs, units) = (self.set, self.inputs, self.units);
        if self.activation == Activation::Relu {
            relu_backward(set, pass.output, pass.d_output);
        }
        let d_output = &*pass.d_output;
        if let Some(d_input) = d_input {
            let d_output = Matrix::new(d_output, d_output.len() / units, units);
            multiply(set, d_output, &self.packed_transposed, inputs, d_input, Output::Overwrite);
        }
        let (kept_input, kept_d_output) = kept.values.split_at_mut(GROUP * inputs);
        kept_input[..pass.input.len()].copy_from_slice(pass.input);
        kept_d_output[..d_output.len()].copy_from_slice(d_output);
    }

    fn sum_gradient(&mut self, groups: Groups<E>, d_parameters: &mut [E]) {
        let (set, inputs, units) = (self.set, self.inputs, self.units);
        let mut rows = 0;
        for group in 0..groups.count() {
            let (kept, images) = groups.get(group);
            self.d_sums[rows * units..][..images * units]
                .copy_from_slice(&kept[GROUP * inputs..][..images * units]);
            rows += images;
        }
        let d_sums = &self.d_sums[..rows * units];
        let packed = &mut self.packed_d_sums[..packed_length::<E>(set, rows, units)];
        pack(set, Matrix::new(d_sums, rows, units), 0, packed);
        let (d_weight, d_bias) = d_parameters.split_at_mut(inputs * units);
        d_bias.fill(E::ZERO);
        add_column_sums(d_sums, d_bias);
        let task = task_size(inputs);
        d_weight.par_chunks_mut(task * units).enumerate().for_each(|(index, d_weight)| {
            let columns = d_weight.len() / units;
            let piece = |group| {
                let (kept, images) = groups.get(group);
                Matrix::new(&kept[..images * inputs], images, inputs).columns(index * task, columns)
            };
            multiply_pieces(set, piece, groups.count(), packed, units, d_weight);
        });
    }
}
