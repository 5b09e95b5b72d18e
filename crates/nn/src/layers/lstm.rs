//! Long short-term memory over the rows of an image.

use super::{GROUP, Layer, LayerParameter, Memory, MemorySize, Pass};
use crate::Initialiser;
use kernels::{
    Buffer, Element, InstructionSet,
    activation::add_column_sums,
    lstm::{
        GATES, Size, State, StepGradient, StepOutput, StepTrace, add_unblocked, backward_step, block_rows,
        forward_step, pack_transposed,
    },
    matmul::{Matrix, MatrixMut, Output, multiply, multiply_rows, packed_length, panel_columns},
};
use rayon::prelude::*;

/// Elements of a cache line, at least.
const LINE: usize = 16;

/// h(t), c(t) = cell(x(t), h(t − 1), c(t − 1)) for t = 0, 1, …, steps − 1, from zeros; `output` = h(steps − 1).
/// The cell's equations stand at [`kernels::lstm`].
///
/// Parameters: `kernel [inputs, 4 · units]`, `recurrent_kernel [units, 4 · units]`, `bias [4 · units]`; gates i, f, g, o.
/// The scratch holds the [`Trace`], a group keeps its gradient.
pub(crate) struct LstmLayer<E> {
    set: InstructionSet,
    size: Size,
    steps: usize,
    packed_weights: Buffer<E>,
    packed_bias: Buffer<E>,
    packed_recurrent_transposed: Buffer<E>,
    packed_kernel_transposed: Buffer<E>,
}

/// What a group's way through the steps leaves, and what the way back writes; for as many rows as there are images.
struct Trace<'a, E> {
    /// `[step, row, input]`.
    x: &'a mut [E],
    /// `[step, row, unit]`.
    h: &'a mut [E],
    /// `[step, row, unit]`.
    c: &'a mut [E],
    /// `[step, row, block, gate, lane]`.
    gates: &'a mut [E],
    /// `[block, step, row, gate, lane]`.
    blocked_z: &'a mut [E],
    /// One step's gradients: z `[row, block, gate, lane]`, h and c `[row, unit]`, x `[row, input]`.
    d_z: &'a mut [E],
    d_h: &'a mut [E],
    d_c: &'a mut [E],
    d_x: &'a mut [E],
    /// One block's gradient `[inputs + units + 1, gate, lane]`, the bias last.
    d_block: &'a mut [E],
}

impl<E: Element> LstmLayer<E> {
    pub(crate) fn new(set: InstructionSet, steps: usize, inputs: usize, units: usize) -> Self {
        let size = Size { inputs, units };
        let gates = size.gates_width::<E>(set);
        Self {
            set,
            size,
            steps,
            packed_weights: Buffer::zeros(size.packed_length::<E>(set)),
            packed_bias: Buffer::zeros(gates),
            packed_recurrent_transposed: Buffer::zeros(packed_length::<E>(set, gates, units)),
            packed_kernel_transposed: Buffer::zeros(packed_length::<E>(set, gates, inputs)),
        }
    }

    /// The lengths of a trace's parts, in their order.
    fn trace_lengths(&self, rows: usize) -> [usize; 10] {
        let Size { inputs, units } = self.size;
        let all = self.steps * rows;
        let gates = self.size.gates_width::<E>(self.set);
        let block = (inputs + units + 1) * self.size.block_width::<E>(self.set);
        [
            all * inputs,
            all * units,
            all * units,
            all * gates,
            all * gates,
            rows * gates,
            rows * units,
            rows * units,
            rows * inputs,
            block,
        ]
    }

    fn trace<'a>(&self, rows: usize, scratch: &'a mut Memory<E>) -> Trace<'a, E> {
        let mut rest = &mut scratch.values[..];
        let [x, h, c, gates, blocked_z, d_z, d_h, d_c, d_x, d_block] =
            self.trace_lengths(rows).map(|length| {
                // Each part begins at a cache line.
                let part = std::mem::take(&mut rest).split_at_mut(length.next_multiple_of(LINE));
                rest = part.1;
                &mut part.0[..length]
            });
        Trace { x, h, c, gates, blocked_z, d_z, d_h, d_c, d_x, d_block }
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

    fn input_gradient_flops(&self) -> u64 {
        (2 * self.steps * self.size.inputs * GATES * self.size.units) as u64
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

    fn scratch(&self) -> MemorySize {
        let lengths = self.trace_lengths(GROUP).map(|length| length.next_multiple_of(LINE));
        MemorySize { values: lengths.iter().sum(), bytes: 0 }
    }

    fn kept(&self) -> MemorySize {
        MemorySize { values: self.lengths().iter().sum(), bytes: 0 }
    }

    fn forward(&self, _: &[E], input: &[E], output: &mut [E], scratch: &mut Memory<E>) {
        let (set, size, steps) = (self.set, self.size, self.steps);
        let Size { inputs, units } = size;
        let gates_width = size.gates_width::<E>(set);
        let rows = output.len() / units;
        let trace = self.trace(rows, scratch);
        for (row, image) in input.chunks_exact(steps * inputs).enumerate() {
            for (step, x) in image.chunks_exact(inputs).enumerate() {
                trace.x[(step * rows + row) * inputs..][..inputs].copy_from_slice(x);
            }
        }
        for step in 0..steps {
            let (h_before, h) = trace.h.split_at_mut(step * rows * units);
            let (c_before, c) = trace.c.split_at_mut(step * rows * units);
            let previous = (step.max(1) - 1) * rows * units;
            let state = (step > 0).then(|| State { h: &h_before[previous..], c: &c_before[previous..] });
            let step_output = StepOutput {
                h: &mut h[..rows * units],
                c: &mut c[..rows * units],
                gates: &mut trace.gates[step * rows * gates_width..][..rows * gates_width],
            };
            let x = &trace.x[step * rows * inputs..][..rows * inputs];
            forward_step(set, size, x, state, &self.packed_weights, &self.packed_bias, step_output);
        }
        output.copy_from_slice(&trace.h[(steps - 1) * rows * units..]);
    }

    fn backward(
        &self,
        _: &[E],
        pass: Pass<E>,
        mut d_input: Option<&mut [E]>,
        scratch: &mut Memory<E>,
        kept: &mut Memory<E>,
    ) {
        let (set, size, steps) = (self.set, self.size, self.steps);
        let Size { inputs, units } = size;
        let width = size.block_width::<E>(set);
        let gates = size.gates_width::<E>(set);
        let rows = pass.output.len() / units;
        let mut trace = self.trace(rows, scratch);
        trace.d_h.copy_from_slice(pass.d_output);
        trace.d_c.fill(E::ZERO);
        for step in (0..steps).rev() {
            let state = rows * units;
            let step_trace = StepTrace {
                gates: &trace.gates[step * rows * gates..][..rows * gates],
                c: &trace.c[step * state..][..state],
                previous_c: (step > 0).then(|| &trace.c[(step.max(1) - 1) * state..][..state]),
            };
            let gradient = StepGradient {
                h: trace.d_h,
                c: trace.d_c,
                z: trace.d_z,
                blocked_z: &mut trace.blocked_z[step * rows * width..],
                blocked_stride: steps * rows * width,
            };
            backward_step(set, size, step_trace, gradient);
            let z = Matrix::new(trace.d_z, rows, gates);
            if step > 0 {
                let recurrent = &self.packed_recurrent_transposed;
                multiply(set, z, recurrent, units, trace.d_h, Output::Overwrite);
            }
            if let Some(d_input) = d_input.as_deref_mut() {
                multiply(set, z, &self.packed_kernel_transposed, inputs, trace.d_x, Output::Overwrite);
                for (row, d_x) in trace.d_x.chunks_exact(inputs).enumerate() {
                    d_input[(row * steps + step) * inputs..][..inputs].copy_from_slice(d_x);
                }
            }
        }
        kept.values.fill(E::ZERO);
        for block in 0..size.blocks::<E>(set) {
            self.block_gradient(&mut trace, rows, block);
            add_unblocked(set, size, trace.d_block, block, &mut kept.values);
        }
    }
}

impl<E: Element> LstmLayer<E> {
    /// One block's gradient: one product over all steps for the kernel, one for the recurrent kernel, whose steps begin
    /// at the second, and the sums of z for the bias.
    fn block_gradient(&self, trace: &mut Trace<E>, rows: usize, block: usize) {
        let (set, steps, Size { inputs, units }) = (self.set, self.steps, self.size);
        let width = self.size.block_width::<E>(set);
        let z = &trace.blocked_z[block * steps * rows * width..][..steps * rows * width];
        let (d_kernel, rest) = trace.d_block.split_at_mut(inputs * width);
        let (d_recurrent, d_bias) = rest.split_at_mut(units * width);
        let x = Matrix::new(trace.x, steps * rows, inputs).transposed();
        let z_rows = Matrix::new(z, steps * rows, width);
        multiply_rows(set, x, z_rows, MatrixMut::new(d_kernel, inputs, width), Output::Overwrite);
        let before = (steps - 1) * rows;
        let h = Matrix::new(&trace.h[..before * units], before, units).transposed();
        let z_rows = Matrix::new(&z[rows * width..], before, width);
        multiply_rows(set, h, z_rows, MatrixMut::new(d_recurrent, units, width), Output::Overwrite);
        d_bias.fill(E::ZERO);
        add_column_sums(z, d_bias);
    }
}
