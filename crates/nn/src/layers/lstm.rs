//! Long short-term memory over the rows of an image.

use super::{Layer, LayerParameter, Pass, share, task_size};
use crate::Initialiser;
use kernels::{
    Buffer, Element, InstructionSet,
    activation::add_column_sums,
    lstm::{
        GATES, Size, State, StepGradient, StepOutput, StepTrace, add_unblocked, backward_step, block_rows,
        forward_step, pack_transposed,
    },
    matmul::{Matrix, Output, multiply, multiply_rows, packed_length, panel_columns},
};
use rayon::prelude::*;

/// Images that go through all steps together. The gradient sums images in this grouping, so it is a constant: a
/// group's state and one block of weights fit in the first-level cache, and a batch of 128 makes eight tasks.
const GROUP: usize = 16;

/// h(t), c(t) = cell(x(t), h(t − 1), c(t − 1)) for t = 0, 1, …, steps − 1, from zeros; `output` = h(steps − 1).
/// The cell's equations stand at [`kernels::lstm`].
///
/// Parameters: `kernel [inputs, 4 · units]`, `recurrent_kernel [units, 4 · units]`, `bias [4 · units]`; gates i, f, g, o.
pub(crate) struct LstmLayer<E> {
    set: InstructionSet,
    size: Size,
    steps: usize,
    groups: Vec<Group<E>>,
    packed_weights: Buffer<E>,
    packed_bias: Buffer<E>,
    packed_recurrent_transposed: Buffer<E>,
    packed_kernel_transposed: Buffer<E>,
    /// `[block, inputs + units + 1, gate, lane]`, the bias last.
    d_packed: Buffer<E>,
}

/// The buffers of one group of images; `rows` is how many it holds in this batch.
struct Group<E> {
    rows: usize,
    /// `[step, row, input]`.
    x: Buffer<E>,
    /// `[step, row, unit]`.
    h: Buffer<E>,
    /// `[step, row, unit]`.
    c: Buffer<E>,
    /// `[step, row, block, gate, lane]`.
    gates: Buffer<E>,
    /// `[block, step, row, gate, lane]`.
    blocked_z: Buffer<E>,
    /// One step's gradients: z `[row, block, gate, lane]`, h and c `[row, unit]`, x `[row, input]`.
    d_z: Buffer<E>,
    d_h: Buffer<E>,
    d_c: Buffer<E>,
    d_x: Buffer<E>,
}

impl<E: Element> LstmLayer<E> {
    pub(crate) fn new(
        set: InstructionSet,
        steps: usize,
        inputs: usize,
        units: usize,
        capacity: usize,
    ) -> Self {
        let size = Size { inputs, units };
        let zeros = |length: usize| Buffer::zeros(length);
        let gates = size.gates_width::<E>(set);
        let group = || Group {
            rows: 0,
            x: zeros(steps * GROUP * inputs),
            h: zeros(steps * GROUP * units),
            c: zeros(steps * GROUP * units),
            gates: zeros(steps * GROUP * gates),
            blocked_z: zeros(steps * GROUP * gates),
            d_z: zeros(GROUP * gates),
            d_h: zeros(GROUP * units),
            d_c: zeros(GROUP * units),
            d_x: zeros(GROUP * inputs),
        };
        Self {
            set,
            size,
            steps,
            groups: (0..capacity.div_ceil(GROUP)).map(|_| group()).collect(),
            packed_weights: zeros(size.packed_length::<E>(set)),
            packed_bias: zeros(gates),
            packed_recurrent_transposed: zeros(packed_length::<E>(set, gates, units)),
            packed_kernel_transposed: zeros(packed_length::<E>(set, gates, inputs)),
            d_packed: zeros((inputs + units + 1) * gates),
        }
    }

    /// Elements of kernel, recurrent kernel and bias.
    fn lengths(&self) -> [usize; 3] {
        let width = GATES * self.size.units;
        [self.size.inputs * width, self.size.units * width, width]
    }
}

impl<E: Element> Layer<E> for LstmLayer<E> {
    fn parameters(&self) -> Vec<LayerParameter> {
        let Size { inputs, units } = self.size;
        let width = GATES * units;
        vec![
            LayerParameter {
                name: "kernel",
                shape: vec![inputs, width],
                initialiser: Initialiser::GlorotUniform { fan_in: inputs, fan_out: width },
            },
            LayerParameter {
                name: "recurrent_kernel",
                shape: vec![units, width],
                initialiser: Initialiser::Orthogonal { rows: units, columns: width },
            },
            LayerParameter {
                name: "bias",
                shape: vec![width],
                initialiser: Initialiser::UnitForgetBias { units },
            },
        ]
    }

    fn forward_flops(&self) -> u64 {
        self.steps as u64 * self.size.step_flops()
    }

    fn prepare(&mut self, parameters: &[E]) {
        let (set, size) = (self.set, self.size);
        let Size { inputs, units } = size;
        let [kernel_length, recurrent_length, _] = self.lengths();
        let (weights, bias) = parameters.split_at(kernel_length + recurrent_length);
        let (kernel, recurrent) = weights.split_at(kernel_length);
        let width = size.block_width::<E>(set);
        self.packed_weights
            .par_chunks_mut((inputs + units) * width)
            .zip(self.packed_bias.par_chunks_mut(width))
            .enumerate()
            .for_each(|(block, (packed_weights, packed_bias))| {
                block_rows(set, size, weights, block, packed_weights);
                block_rows(set, size, bias, block, packed_bias);
            });
        let panel = size.gates_width::<E>(set) * panel_columns::<E>(set);
        for (weights, packed) in
            [(recurrent, &mut self.packed_recurrent_transposed), (kernel, &mut self.packed_kernel_transposed)]
        {
            packed
                .par_chunks_mut(panel)
                .enumerate()
                .for_each(|(index, packed)| pack_transposed(set, size, weights, index, packed));
        }
    }

    fn forward(&mut self, _: &[E], input: &[E], output: &mut [E]) {
        let (set, size, steps) = (self.set, self.size, self.steps);
        let Size { inputs, units } = size;
        let gates_width = size.gates_width::<E>(set);
        let (packed_weights, packed_bias) = (&self.packed_weights, &self.packed_bias);
        input
            .par_chunks(GROUP * steps * inputs)
            .zip(output.par_chunks_mut(GROUP * units))
            .zip(self.groups.par_iter_mut())
            .for_each(|((input, output), group)| {
                let rows = output.len() / units;
                group.rows = rows;
                for (row, image) in input.chunks_exact(steps * inputs).enumerate() {
                    for (step, x) in image.chunks_exact(inputs).enumerate() {
                        group.x[(step * rows + row) * inputs..][..inputs].copy_from_slice(x);
                    }
                }
                for step in 0..steps {
                    let (h_before, h) = group.h.split_at_mut(step * rows * units);
                    let (c_before, c) = group.c.split_at_mut(step * rows * units);
                    let previous = (step.max(1) - 1) * rows * units;
                    let state =
                        (step > 0).then(|| State { h: &h_before[previous..], c: &c_before[previous..] });
                    let step_output = StepOutput {
                        h: &mut h[..rows * units],
                        c: &mut c[..rows * units],
                        gates: &mut group.gates[step * rows * gates_width..][..rows * gates_width],
                    };
                    let x = &group.x[step * rows * inputs..][..rows * inputs];
                    forward_step(set, size, x, state, packed_weights, packed_bias, step_output);
                }
                output.copy_from_slice(&group.h[(steps - 1) * rows * units..][..rows * units]);
            });
    }

    fn backward(&mut self, _: &[E], pass: Pass<E>, d_input: Option<&mut [E]>, d_parameters: &mut [E]) {
        let (set, size, steps) = (self.set, self.size, self.steps);
        let Size { inputs, units } = size;
        let row = GATES * units;
        let back = Back {
            set,
            size,
            steps,
            recurrent: &self.packed_recurrent_transposed,
            kernel: &self.packed_kernel_transposed,
        };
        let d_output = pass.d_output.par_chunks(GROUP * units);
        let groups = self.groups.par_iter_mut();
        match d_input {
            Some(d_input) => d_output
                .zip(groups)
                .zip(d_input.par_chunks_mut(GROUP * steps * inputs))
                .for_each(|((d_output, group), d_input)| group.backward(&back, d_output, Some(d_input))),
            None => d_output.zip(groups).for_each(|(d_output, group)| group.backward(&back, d_output, None)),
        }
        let groups = &self.groups[..pass.output.len().div_ceil(GROUP * units)];
        let width = size.block_width::<E>(set);
        let block_length = (inputs + units + 1) * width;
        let blocks = share(size.blocks::<E>(set), 1);
        self.d_packed.par_chunks_mut(blocks * block_length).enumerate().for_each(|(task, d_packed)| {
            d_packed.fill(E::ZERO);
            // A group's x and h stay in the cache for all blocks of the task.
            for group in groups {
                for (block, d_packed) in d_packed.chunks_exact_mut(block_length).enumerate() {
                    group.add_weight_gradient(&back, task * blocks + block, d_packed);
                }
            }
        });
        let task = task_size(inputs + units + 1);
        let d_packed = &self.d_packed;
        d_parameters.par_chunks_mut(task * row).enumerate().for_each(|(index, d_parameters)| {
            for (block, d_packed) in d_packed.chunks_exact(block_length).enumerate() {
                let d_packed = &d_packed[index * task * width..][..d_parameters.len() / row * width];
                add_unblocked(set, size, d_packed, block, d_parameters);
            }
        });
    }
}

/// What the backward pass of every group shares.
struct Back<'a, E> {
    set: InstructionSet,
    size: Size,
    steps: usize,
    recurrent: &'a [E],
    kernel: &'a [E],
}

impl<E: Element> Group<E> {
    /// From the derivative with respect to the last h, those with respect to every step's z and, if wanted, x.
    fn backward(&mut self, back: &Back<E>, d_output: &[E], mut d_input: Option<&mut [E]>) {
        let Back { set, size, steps, .. } = *back;
        let (rows, Size { inputs, units }) = (self.rows, size);
        let width = size.block_width::<E>(set);
        let gates = size.gates_width::<E>(set);
        let d_z = &mut self.d_z[..rows * gates];
        let d_h = &mut self.d_h[..rows * units];
        let d_c = &mut self.d_c[..rows * units];
        d_h.copy_from_slice(d_output);
        d_c.fill(E::ZERO);
        for step in (0..steps).rev() {
            let state = rows * units;
            let trace = StepTrace {
                gates: &self.gates[step * rows * gates..][..rows * gates],
                c: &self.c[step * state..][..state],
                previous_c: (step > 0).then(|| &self.c[(step.max(1) - 1) * state..][..state]),
            };
            let gradient = StepGradient {
                h: d_h,
                c: d_c,
                z: d_z,
                blocked_z: &mut self.blocked_z[step * rows * width..],
                blocked_stride: steps * rows * width,
            };
            backward_step(set, size, trace, gradient);
            let z = Matrix::new(d_z, rows, gates);
            if step > 0 {
                multiply(set, z, back.recurrent, units, d_h, Output::Overwrite);
            }
            if let Some(d_input) = d_input.as_deref_mut() {
                let d_x = &mut self.d_x[..rows * inputs];
                multiply(set, z, back.kernel, inputs, d_x, Output::Overwrite);
                for (row, d_x) in d_x.chunks_exact(inputs).enumerate() {
                    d_input[(row * steps + step) * inputs..][..inputs].copy_from_slice(d_x);
                }
            }
        }
    }

    /// Adds this group's share of one block's gradient: one product over all steps for the kernel, one for the
    /// recurrent kernel, whose steps begin at the second, and the sums of z for the bias.
    fn add_weight_gradient(&self, back: &Back<E>, block: usize, d_packed: &mut [E]) {
        let Back { set, size, steps, .. } = *back;
        let (rows, Size { inputs, units }) = (self.rows, size);
        let width = size.block_width::<E>(set);
        let z = &self.blocked_z[block * steps * rows * width..][..steps * rows * width];
        let (d_kernel, rest) = d_packed.split_at_mut(inputs * width);
        let (d_recurrent, d_bias) = rest.split_at_mut(units * width);
        let x = Matrix::new(&self.x[..steps * rows * inputs], steps * rows, inputs);
        multiply_rows(set, x.transposed(), z, width, width, d_kernel, Output::Accumulate);
        let before = (steps - 1) * rows;
        let h = Matrix::new(&self.h[..before * units], before, units);
        multiply_rows(set, h.transposed(), &z[rows * width..], width, width, d_recurrent, Output::Accumulate);
        add_column_sums(z, d_bias);
    }
}
