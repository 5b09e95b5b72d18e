//! Long short-term memory.

use super::{
    LayerParameter, RecurrentCell,
    trace::{Rows, Trace, Widths},
};
use crate::{Initialiser, Role};
use kernels::{
    Buffer, Element, InstructionSet,
    columns::add_column_sums,
    lit::Lit,
    lstm::{
        Blocked, GATES, Size, State, StepGradient, StepOutput, StepTrace, add_unblocked, backward_step,
        block_rows, forward_step, pack_transposed,
    },
    matmul::{Matrix, MatrixMut, Output, multiply, multiply_rows, packed_length},
};
use rayon::prelude::*;
use std::ops::Range;

/// The cell whose equations stand at [`kernels::lstm`].
///
/// Parameters: `kernel [inputs, 4 · units]`, `recurrent_kernel [units, 4 · units]`, `bias [4 · units]`; gates i, f, g, o.
/// The trace's gates are blocked, `[block, row, gate, lane]`; a group keeps its gradient, blocked:
/// `[block, inputs + units + 1, gate, lane]`, the bias last.
pub(super) struct LstmCell<E> {
    pub(super) set: InstructionSet,
    pub(super) size: Size,
    /// `[block, inputs + units, gate, lane]`.
    pub(super) packed_weights: Buffer<E>,
    /// `[block, gate, lane]`.
    pub(super) packed_bias: Buffer<E>,
    packed_recurrent_transposed: Buffer<E>,
    packed_kernel_transposed: Buffer<E>,
}

impl<E: Element> LstmCell<E> {
    pub(super) fn new(set: InstructionSet, inputs: usize, units: usize) -> Self {
        let cell = Self::without_products(set, inputs, units);
        let (blocks, width) = (cell.size.blocks::<E>(set), cell.size.block_width::<E>(set));
        let transposed = |columns| Buffer::zeros(blocks * packed_length::<E>(set, width, columns));
        Self {
            packed_recurrent_transposed: transposed(units),
            packed_kernel_transposed: transposed(inputs),
            ..cell
        }
    }

    /// With its parameters in blocks, for products that are computed elsewhere.
    pub(super) fn without_products(set: InstructionSet, inputs: usize, units: usize) -> Self {
        let size = Size { inputs, units };
        Self {
            set,
            size,
            packed_weights: Buffer::zeros(size.packed_length::<E>(set)),
            packed_bias: Buffer::zeros(size.gates_width::<E>(set)),
            packed_recurrent_transposed: Buffer::zeros(0),
            packed_kernel_transposed: Buffer::zeros(0),
        }
    }

    /// Elements of kernel, recurrent kernel and bias.
    fn lengths(&self) -> [usize; 3] {
        let width = GATES * self.size.units;
        [self.size.inputs * width, self.size.units * width, width]
    }

    /// Lays the weights and the bias out in blocks.
    pub(super) fn block_parameters(&mut self, parameters: &[E]) {
        let (set, size) = (self.set, self.size);
        let Size { inputs, units } = size;
        let [kernel_length, recurrent_length, _] = self.lengths();
        let (weights, bias) = parameters.split_at(kernel_length + recurrent_length);
        let width = size.block_width::<E>(set);
        self.packed_weights
            .par_chunks_mut((inputs + units) * width)
            .zip(self.packed_bias.par_chunks_mut(width))
            .enumerate()
            .for_each(|(block, (packed_weights, packed_bias))| {
                block_rows(set, size, weights, block, packed_weights);
                block_rows(set, size, bias, block, packed_bias);
            });
    }

    /// C = Σ over the blocks of a step's derivatives of sums · B(block), with the B packed one after the other.
    fn multiply_blocks(
        &self,
        rows: Rows,
        step: usize,
        gates: &[E],
        packed: &[E],
        columns: usize,
        c: &mut [E],
    ) {
        let (first, count) = (rows.before(step), rows.of(step));
        let width = self.size.block_width::<E>(self.set);
        let length = packed_length::<E>(self.set, width, columns);
        for (block, packed) in packed.chunks_exact(length).enumerate() {
            let values = &gates[(block * rows.all() + first) * width..][..count * width];
            let output = if block == 0 { Output::Overwrite } else { Output::Accumulate };
            multiply(self.set, Matrix::new(values, count, width), packed, columns, c, output);
        }
    }
}

impl<E: Element> RecurrentCell<E> for LstmCell<E> {
    fn parameters(&self) -> Vec<LayerParameter> {
        let Size { inputs, units } = self.size;
        let width = GATES * units;
        let kernel = Initialiser::GlorotUniform { fan_in: inputs, fan_out: width };
        let recurrent = Initialiser::Orthogonal { rows: units, columns: width };
        vec![
            LayerParameter::new(Role::TransposedWeight, "kernel", &[inputs, width], kernel),
            LayerParameter::new(Role::TransposedWeight, "recurrent_kernel", &[units, width], recurrent),
            LayerParameter::new(Role::Bias, "bias", &[width], Initialiser::UnitForgetBias { units }),
        ]
    }

    fn parameter_width(&self) -> usize {
        GATES * self.size.units
    }

    fn widths(&self) -> Widths {
        let Size { inputs, units } = self.size;
        Widths { inputs, units, c: units, gates: self.size.gates_width::<E>(self.set), workspace: 0 }
    }

    fn kept(&self) -> usize {
        let rows = self.size.inputs + self.size.units + 1;
        rows * self.size.gates_width::<E>(self.set)
    }

    fn prepare(&mut self, parameters: &[E]) {
        let (set, size) = (self.set, self.size);
        let Size { inputs, units } = size;
        let [kernel_length, recurrent_length, _] = self.lengths();
        let (kernel, recurrent) = parameters[..kernel_length + recurrent_length].split_at(kernel_length);
        self.block_parameters(parameters);
        let width = size.block_width::<E>(set);
        for (weights, columns, packed) in [
            (recurrent, units, &mut self.packed_recurrent_transposed),
            (kernel, inputs, &mut self.packed_kernel_transposed),
        ] {
            let length = packed_length::<E>(set, width, columns);
            packed
                .par_chunks_mut(length)
                .enumerate()
                .for_each(|(block, packed)| pack_transposed(set, size, weights, block, packed));
        }
    }

    fn forward_step(&self, rows: Rows, step: usize, trace: &mut Trace<E>) {
        let (set, size, Size { inputs, units }) = (self.set, self.size, self.size);
        let width = size.block_width::<E>(set);
        let (first, count) = (rows.before(step), rows.of(step));
        let (h_before, h) = trace.h.split_at_mut((first + count) * units);
        let (c_before, c) = trace.c.split_at_mut((first + count) * units);
        let state = State { h: &h_before[first * units..], c: &c_before[first * units..] };
        let step_output = StepOutput {
            h: &mut h[..count * units],
            c: &mut c[..count * units],
            gates: Blocked { values: &mut trace.gates[first * width..], stride: rows.all() * width },
        };
        let x = &trace.x[first * inputs..][..count * inputs];
        let state = (step > 0).then_some(state);
        forward_step(set, size, x, state, &self.packed_weights, &self.packed_bias, step_output);
    }

    fn backward_step(&self, rows: Rows, step: usize, trace: &mut Trace<E>) {
        let (set, size, units) = (self.set, self.size, self.size.units);
        let width = size.block_width::<E>(set);
        let (first, count) = (rows.before(step), rows.of(step));
        let step_trace = StepTrace {
            c: &trace.c[(first + count) * units..][..count * units],
            previous_c: (step > 0).then(|| &trace.c[first * units..][..count * units]),
        };
        let gates = Blocked { values: &mut trace.gates[first * width..], stride: rows.all() * width };
        let (d_h, d_c) = (&mut trace.d_h[..count * units], &mut trace.d_c[..count * units]);
        backward_step(set, size, step_trace, StepGradient { h: d_h, c: d_c, gates });
        if step > 0 {
            self.multiply_blocks(rows, step, trace.gates, &self.packed_recurrent_transposed, units, d_h);
        }
    }

    fn differentiate_x(&self, rows: Rows, step: usize, trace: &mut Trace<E>) {
        let inputs = self.size.inputs;
        let d_x = &mut trace.d_x[..rows.of(step) * inputs];
        self.multiply_blocks(rows, step, trace.gates, &self.packed_kernel_transposed, inputs, d_x);
    }

    /// Over all steps at once: for the kernel, between the dark margins; for the recurrent kernel, from the second step
    /// on; for the bias.
    fn keep_gradient(&self, rows: Rows, trace: &mut Trace<E>, kept: &mut [E]) {
        let (set, Size { inputs, units }) = (self.set, self.size);
        let width = self.size.block_width::<E>(set);
        let lit = Lit::of(set, trace.x, inputs);
        let x = &trace.x[lit.rows.start * inputs..lit.rows.end * inputs];
        let x =
            Matrix::new(x, lit.rows.len(), inputs).columns(lit.columns.start, lit.columns.len()).transposed();
        let later = rows.of(0)..rows.all();
        let h =
            Matrix::new(&trace.h[later.start * units..later.end * units], later.len(), units).transposed();
        let kept = kept.chunks_exact_mut((inputs + units + 1) * width);
        for (d_z, kept) in trace.gates.chunks_exact(rows.all() * width).zip(kept) {
            let z = |rows: &Range<usize>| {
                Matrix::new(&d_z[rows.start * width..rows.end * width], rows.len(), width)
            };
            let (d_kernel, rest) = kept.split_at_mut(inputs * width);
            let (d_recurrent, d_bias) = rest.split_at_mut(units * width);
            d_kernel.fill(E::ZERO);
            let d_lit = &mut d_kernel[lit.columns.start * width..lit.columns.end * width];
            let d_lit = MatrixMut::new(d_lit, lit.columns.len(), width);
            multiply_rows(set, x, z(&lit.rows), d_lit, Output::Overwrite);
            let d_recurrent = MatrixMut::new(d_recurrent, units, width);
            multiply_rows(set, h, z(&later), d_recurrent, Output::Overwrite);
            d_bias.fill(E::ZERO);
            add_column_sums(self.set, d_z, d_bias);
        }
    }

    fn add_gradient(&self, kept: &[E], row: usize, d_row: &mut [E]) {
        add_unblocked(self.set, self.size, kept, row, d_row);
    }
}
