//! Long short-term memory over the rows of an image.

use super::{Context, GROUP, Groups, Layer, LayerParameter, Memory, MemorySize, Pass, Purpose, task_size};
use crate::{Initialiser, Role};
use kernels::{
    Buffer, Element, InstructionSet,
    activation::add_column_sums,
    lit::Lit,
    lstm::{
        Blocked, GATES, Size, State, StepGradient, StepOutput, StepTrace, add_unblocked, backward_step,
        block_rows, forward_step, pack_transposed,
    },
    matmul::{Matrix, MatrixMut, Output, multiply, multiply_rows, packed_length},
};
use rayon::prelude::*;
use std::ops::Range;

/// Elements of a cache line, at least.
const LINE: usize = 16;

/// h(t), c(t) = cell(x(t), h(t − 1), c(t − 1)) for t = 0, 1, …, steps − 1, from zeros; `output` = h(steps − 1).
/// The cell's equations stand at [`kernels::lstm`].
///
/// Parameters: `kernel [inputs, 4 · units]`, `recurrent_kernel [units, 4 · units]`, `bias [4 · units]`; gates i, f, g, o.
/// The scratch holds the [`Trace`], a group keeps its gradient, blocked: `[block, inputs + units + 1, gate, lane]`, the
/// bias last.
pub(crate) struct LstmLayer<E> {
    set: InstructionSet,
    size: Size,
    steps: usize,
    packed_weights: Buffer<E>,
    packed_bias: Buffer<E>,
    packed_recurrent_transposed: Buffer<E>,
    packed_kernel_transposed: Buffer<E>,
}

/// Where each step's rows lie among the rows of all steps, one step after the other.
///
/// Before an image's first pixel that is not zero its state is the same whatever the image. As long as that holds for
/// the whole group a step computes one row for all; there are `shared` such steps, at most all but one.
#[derive(Clone, Copy)]
struct Rows {
    images: usize,
    steps: usize,
    shared: usize,
}

impl Rows {
    fn new<E: Element>(input: &[E], inputs: usize, steps: usize) -> Self {
        let images = input.chunks_exact(steps * inputs);
        let dark = |image: &[E]| image.iter().take_while(|pixel| **pixel == E::ZERO).count() / inputs;
        let shared = images.clone().map(dark).min().unwrap_or(0);
        Self { images: images.len(), steps, shared: shared.min(steps - 1) }
    }

    /// The rows before a step, which is one of the steps or the end.
    fn before(self, step: usize) -> usize {
        if step < self.shared { step } else { self.shared + (step - self.shared) * self.images }
    }

    /// The rows of a step, or of what is behind the last.
    fn of(self, step: usize) -> usize {
        if step < self.shared { 1 } else { self.images }
    }

    fn all(self) -> usize {
        self.before(self.steps)
    }
}

/// What a group's way through the steps leaves, and what the way back writes. Rows are those of [`Rows`].
struct Trace<'a, E> {
    /// `[row, input]`.
    x: &'a mut [E],
    /// h and c before each row's step, `[row, unit]`; then those after the last step.
    h: &'a mut [E],
    c: &'a mut [E],
    /// `[block, row, gate, lane]`: the gates, and the derivatives of z once the way back has passed.
    gates: &'a mut [E],
    /// One step's gradients: h and c `[image, unit]`, x `[image, input]`.
    d_h: &'a mut [E],
    d_c: &'a mut [E],
    d_x: &'a mut [E],
}

impl<E: Element> LstmLayer<E> {
    pub(crate) fn new(set: InstructionSet, steps: usize, inputs: usize, units: usize) -> Self {
        let size = Size { inputs, units };
        let (blocks, width) = (size.blocks::<E>(set), size.block_width::<E>(set));
        Self {
            set,
            size,
            steps,
            packed_weights: Buffer::zeros(size.packed_length::<E>(set)),
            packed_bias: Buffer::zeros(blocks * width),
            packed_recurrent_transposed: Buffer::zeros(blocks * packed_length::<E>(set, width, units)),
            packed_kernel_transposed: Buffer::zeros(blocks * packed_length::<E>(set, width, inputs)),
        }
    }

    /// The lengths of a trace's parts, in their order.
    fn trace_lengths(&self, rows: Rows) -> [usize; 7] {
        let Size { inputs, units } = self.size;
        let (all, images) = (rows.all(), rows.images);
        let states = (all + images) * units;
        let gates = self.size.gates_width::<E>(self.set);
        [all * inputs, states, states, all * gates, images * units, images * units, images * inputs]
    }

    fn trace<'a>(&self, rows: Rows, scratch: &'a mut Memory<E>) -> Trace<'a, E> {
        let mut rest = &mut scratch.values[..];
        let [x, h, c, gates, d_h, d_c, d_x] = self.trace_lengths(rows).map(|length| {
            // Each part begins at a cache line.
            let part = std::mem::take(&mut rest).split_at_mut(length.next_multiple_of(LINE));
            rest = part.1;
            &mut part.0[..length]
        });
        Trace { x, h, c, gates, d_h, d_c, d_x }
    }

    /// Takes a group through all steps; the trace then holds everything but the gradients.
    fn run(&self, input: &[E], rows: Rows, trace: &mut Trace<E>) {
        let (set, size, Size { inputs, units }) = (self.set, self.size, self.size);
        let width = size.block_width::<E>(set);
        trace.x[..rows.shared * inputs].fill(E::ZERO);
        for (image, pixels) in input.chunks_exact(rows.steps * inputs).enumerate() {
            for (step, x) in pixels.chunks_exact(inputs).enumerate().skip(rows.shared) {
                trace.x[(rows.before(step) + image) * inputs..][..inputs].copy_from_slice(x);
            }
        }
        for step in 0..rows.steps {
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
            // From here on each image has a state of its own.
            for image in count..rows.of(step + 1) {
                h.copy_within(..units, image * units);
                c.copy_within(..units, image * units);
            }
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
        let kernel = Initialiser::GlorotUniform { fan_in: inputs, fan_out: width };
        let recurrent = Initialiser::Orthogonal { rows: units, columns: width };
        vec![
            LayerParameter::new(Role::Weight, "kernel", &[inputs, width], kernel),
            LayerParameter::new(Role::Weight, "recurrent_kernel", &[units, width], recurrent),
            LayerParameter::new(Role::Bias, "bias", &[width], Initialiser::UnitForgetBias { units }),
        ]
    }

    fn forward_flops(&self) -> u64 {
        self.steps as u64 * self.size.step_flops()
    }

    fn input_gradient_flops(&self) -> u64 {
        (2 * self.steps * self.size.inputs * GATES * self.size.units) as u64
    }

    fn prepare(&mut self, parameters: &[E], _: Purpose) {
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

    fn scratch(&self) -> MemorySize {
        let rows = Rows { images: GROUP, steps: self.steps, shared: 0 };
        let lengths = self.trace_lengths(rows).map(|length| length.next_multiple_of(LINE));
        MemorySize { values: lengths.iter().sum(), bytes: 0 }
    }

    fn kept(&self) -> MemorySize {
        let rows = self.size.inputs + self.size.units + 1;
        MemorySize { values: rows * self.size.gates_width::<E>(self.set), bytes: 0 }
    }

    fn forward(&self, _: Context, _: &[E], input: &[E], output: &mut [E], scratch: &mut Memory<E>) {
        let rows = Rows::new(input, self.size.inputs, self.steps);
        let mut trace = self.trace(rows, scratch);
        self.run(input, rows, &mut trace);
        output.copy_from_slice(&trace.h[rows.all() * self.size.units..]);
    }

    fn backward(
        &self,
        _: Context,
        _: &[E],
        pass: Pass<E>,
        mut d_input: Option<&mut [E]>,
        scratch: &mut Memory<E>,
        kept: &mut Memory<E>,
    ) {
        let (set, size, Size { inputs, units }) = (self.set, self.size, self.size);
        let width = size.block_width::<E>(set);
        let mut rows = Rows::new(pass.input, inputs, self.steps);
        if d_input.is_some() && rows.shared > 0 {
            // Each image's pixels have a derivative of their own.
            rows.shared = 0;
            self.run(pass.input, rows, &mut self.trace(rows, scratch));
        }
        let trace = self.trace(rows, scratch);
        let block_length = rows.all() * width;
        trace.d_h.copy_from_slice(pass.d_output);
        trace.d_c.fill(E::ZERO);
        for step in (0..self.steps).rev() {
            let (first, count) = (rows.before(step), rows.of(step));
            if count < rows.of(step + 1) {
                // What follows is linear in these derivatives with the same factors for every image.
                sum_rows(trace.d_h, units);
                sum_rows(trace.d_c, units);
            }
            let step_trace = StepTrace {
                c: &trace.c[(first + count) * units..][..count * units],
                previous_c: (step > 0).then(|| &trace.c[first * units..][..count * units]),
            };
            let gates = Blocked { values: &mut trace.gates[first * width..], stride: block_length };
            let (d_h, d_c) = (&mut trace.d_h[..count * units], &mut trace.d_c[..count * units]);
            backward_step(set, size, step_trace, StepGradient { h: d_h, c: d_c, gates });
            let d_z = |block: usize| {
                let values = &trace.gates[block * block_length + first * width..];
                Matrix::new(&values[..count * width], count, width)
            };
            if step > 0 {
                self.multiply_blocks(d_z, &self.packed_recurrent_transposed, units, d_h);
            }
            if let Some(d_input) = d_input.as_deref_mut() {
                self.multiply_blocks(d_z, &self.packed_kernel_transposed, inputs, trace.d_x);
                for (image, d_x) in trace.d_x.chunks_exact(inputs).enumerate() {
                    d_input[(image * self.steps + step) * inputs..][..inputs].copy_from_slice(d_x);
                }
            }
        }
        // Over all steps at once: for the kernel, between the dark margins; for the recurrent kernel, from the second
        // step on; for the bias.
        let lit = Lit::of(set, trace.x, inputs);
        let x = &trace.x[lit.rows.start * inputs..lit.rows.end * inputs];
        let x =
            Matrix::new(x, lit.rows.len(), inputs).columns(lit.columns.start, lit.columns.len()).transposed();
        let later = rows.of(0)..rows.all();
        let h =
            Matrix::new(&trace.h[later.start * units..later.end * units], later.len(), units).transposed();
        let kept = kept.values.chunks_exact_mut((inputs + units + 1) * width);
        for (d_z, kept) in trace.gates.chunks_exact(block_length).zip(kept) {
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
            add_column_sums(d_z, d_bias);
        }
    }

    fn sum_gradient(&mut self, groups: Groups<E>, d_parameters: &mut [E]) {
        let (set, size) = (self.set, self.size);
        let row = GATES * size.units;
        let task = task_size(d_parameters.len() / row) * row;
        d_parameters.par_chunks_mut(task).enumerate().for_each(|(index, d_parameters)| {
            d_parameters.fill(E::ZERO);
            for group in 0..groups.count() {
                for (at, d_row) in d_parameters.chunks_exact_mut(row).enumerate() {
                    add_unblocked(set, size, groups.get(group).0, index * task / row + at, d_row);
                }
            }
        });
    }
}

impl<E: Element> LstmLayer<E> {
    /// C = Σ over the blocks of A(block) · B(block), with the B packed one after the other.
    fn multiply_blocks<'a>(
        &self,
        a: impl Fn(usize) -> Matrix<'a, E>,
        packed: &[E],
        columns: usize,
        c: &mut [E],
    ) {
        let length = packed_length::<E>(self.set, self.size.block_width::<E>(self.set), columns);
        for (block, packed) in packed.chunks_exact(length).enumerate() {
            let output = if block == 0 { Output::Overwrite } else { Output::Accumulate };
            multiply(self.set, a(block), packed, columns, c, output);
        }
    }
}

/// Adds all other rows to the first.
fn sum_rows<E: Element>(values: &mut [E], columns: usize) {
    let (sums, rest) = values.split_at_mut(columns);
    add_column_sums(rest, sums);
}
