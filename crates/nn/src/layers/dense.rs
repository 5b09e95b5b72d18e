//! Fully connected layer, with the ReLU that may follow it.

use super::{Context, GROUP, Groups, Layer, LayerParameter, Memory, MemorySize, Pass, Purpose, task_size};
use crate::{Initialiser, Role};
use kernels::{
    Buffer, Element, InstructionSet,
    activation::{add_bias, relu_backward, relu_in_place},
    columns::add_column_sums,
    convolution::Activation,
    matmul::{
        Matrix, MatrixMut, Output, multiply, multiply_pieces, multiply_rows, pack, packed_length,
        panel_columns,
    },
};

/// `output = activation(weight · input + bias)`.
///
/// Parameters: `weight [units, inputs]` and, unless there is none, `bias [units]`. A group keeps its inputs and the derivative with respect to
/// their sums: the weights are too many for a gradient a group.
///
/// Weights that change with every step are read as they are: images are the lanes of the forward product then. Those
/// that stay are packed once and units are the lanes, which suits a single image too. Either way each sum is one chain
/// of multiply-adds in the order of the inputs, with the same bits.
pub(crate) struct DenseLayer<E> {
    set: InstructionSet,
    inputs: usize,
    units: usize,
    bias: bool,
    activation: Activation,
    packed_weight: Buffer<E>,
    purpose: Purpose,
}

impl<E: Element> DenseLayer<E> {
    pub(crate) fn new(
        set: InstructionSet,
        [inputs, units]: [usize; 2],
        bias: bool,
        activation: Activation,
    ) -> Self {
        let packed_weight = Buffer::zeros(packed_length::<E>(set, inputs, units));
        Self { set, inputs, units, bias, activation, packed_weight, purpose: Purpose::Inference }
    }

    /// The sums without the bias, `[image, unit]`, of weights that are not packed.
    fn sums(&self, weight: &[E], input: Matrix<E>, output: &mut [E], scratch: &mut Memory<E>) {
        let (set, inputs, units) = (self.set, self.inputs, self.units);
        let images = output.len() / units;
        let (packed, rest) = scratch.values.split_at_mut(packed_length::<E>(set, inputs, images));
        let by_unit = &mut rest[..units * images];
        pack(set, input.transposed(), 0, packed);
        multiply(set, Matrix::new(weight, units, inputs), packed, images, by_unit, Output::Overwrite);
        for (image, sums) in output.chunks_exact_mut(units).enumerate() {
            sums.iter_mut().zip(by_unit[image..].iter().step_by(images)).for_each(|(to, from)| *to = *from);
        }
    }
}

/// The weight's parameter, then the bias's.
pub(super) fn parameters([inputs, units]: [usize; 2], bias: Option<LayerParameter>) -> Vec<LayerParameter> {
    let initialiser = Initialiser::GlorotUniform { fan_in: inputs, fan_out: units };
    let weight = LayerParameter::new(Role::Weight, "weight", &[units, inputs], initialiser);
    [weight].into_iter().chain(bias).collect()
}

impl<E: Element> Layer<E> for DenseLayer<E> {
    fn parameters(&self) -> Vec<LayerParameter> {
        let bias = || LayerParameter::new(Role::Bias, "bias", &[self.units], Initialiser::Zeros);
        parameters([self.inputs, self.units], self.bias.then(bias))
    }

    fn forward_flops(&self) -> u64 {
        2 * (self.inputs * self.units) as u64
    }

    fn sum_flops(&self) -> u64 {
        self.forward_flops()
    }

    fn prepare(&mut self, parameters: &[E], purpose: Purpose) {
        self.purpose = purpose;
        if purpose == Purpose::Inference {
            let weight = Matrix::new(&parameters[..self.units * self.inputs], self.units, self.inputs);
            pack(self.set, weight.transposed(), 0, &mut self.packed_weight);
        }
    }

    fn scratch(&self) -> MemorySize {
        MemorySize { values: packed_length::<E>(self.set, self.inputs, GROUP) + self.units * GROUP, bytes: 0 }
    }

    fn kept(&self) -> MemorySize {
        MemorySize { values: GROUP * (self.inputs + self.units), bytes: 0 }
    }

    fn forward(&self, _: Context, parameters: &[E], input: &[E], output: &mut [E], scratch: &mut Memory<E>) {
        let (weight, bias) = parameters.split_at(self.units * self.inputs);
        let input = Matrix::new(input, output.len() / self.units, self.inputs);
        match self.purpose {
            Purpose::Learning => self.sums(weight, input, output, scratch),
            Purpose::Inference => {
                multiply(self.set, input, &self.packed_weight, self.units, output, Output::Overwrite);
            }
        }
        if self.bias {
            add_bias(bias, output);
        }
        if self.activation == Activation::Relu {
            relu_in_place(self.set, output);
        }
    }

    fn backward(&self, pass: Pass<E>) {
        let Pass { parameters, d_input, kept, .. } = pass;
        let (set, inputs, units) = (self.set, self.inputs, self.units);
        if self.activation == Activation::Relu {
            relu_backward(set, pass.output, pass.d_output);
        }
        let d_output = &*pass.d_output;
        if let Some(d_input) = d_input {
            let images = d_output.len() / units;
            let weight = Matrix::new(&parameters[..units * inputs], units, inputs);
            let d_input = MatrixMut::new(d_input, images, inputs);
            multiply_rows(set, Matrix::new(d_output, images, units), weight, d_input, Output::Overwrite);
        }
        let (kept_input, kept_d_output) = kept.values.split_at_mut(GROUP * inputs);
        kept_input[..pass.input.len()].copy_from_slice(pass.input);
        kept_d_output[..d_output.len()].copy_from_slice(d_output);
    }

    fn sum_gradient(&mut self, groups: Groups<E>, d_parameters: &mut [E]) {
        let (set, inputs, units) = (self.set, self.inputs, self.units);
        let (d_weight, d_bias) = d_parameters.split_at_mut(units * inputs);
        d_bias.fill(E::ZERO);
        for group in (0..groups.count()).take_while(|_| self.bias) {
            let (kept, images) = groups.get(group);
            add_column_sums(self.set, &kept[GROUP * inputs..][..images * units], d_bias);
        }
        let panel = panel_columns::<E>(set);
        let task = task_size(inputs).next_multiple_of(panel);
        in_columns(MatrixMut::new(d_weight, units, inputs), 0, task, &|first, d_weight| {
            let columns = d_weight.columns();
            let piece = |group| {
                let (kept, images) = groups.get(group);
                let (input, d_sums) = kept.split_at(GROUP * inputs);
                (
                    Matrix::new(&d_sums[..images * units], images, units),
                    Matrix::new(&input[..images * inputs], images, inputs).columns(first, columns),
                )
            };
            multiply_pieces(set, piece, groups.count(), d_weight, Output::Overwrite);
        });
    }
}

/// Divides a matrix into slices of `task` columns, each its own task; `work` learns which column is its first.
fn in_columns<E: Element>(
    matrix: MatrixMut<E>,
    first: usize,
    task: usize,
    work: &(impl Fn(usize, MatrixMut<E>) + Sync),
) {
    let tasks = matrix.columns().div_ceil(task);
    if tasks <= 1 {
        work(first, matrix);
    } else {
        let half = tasks / 2 * task;
        let (left, right) = matrix.split_columns(half);
        rayon::join(|| in_columns(left, first, task, work), || in_columns(right, first + half, task, work));
    }
}
