//! Long short-term memory whose products are of bfloat16 numbers.

use super::{
    LayerParameter, RecurrentCell,
    lstm::LstmCell,
    trace::{Rows, Trace, Widths},
};
use crate::layers::GROUP;
use kernels::{
    Buffer, InstructionSet,
    columns::add_column_sums,
    lstm::{Blocked, Size, StepGradient, StepOutput, StepTrace, backward_step, finish_step},
    tiles::{
        Tiles,
        matrix::{
            SIXTEEN, SUMMANDS, Start, Target, block_of, blocks, columns_length, multiply, multiply_columns,
            pack, pack_columns, packed_length, rows_length, sixteen_of,
        },
    },
};
use rayon::prelude::*;

/// [`LstmCell`], whose parameters, gates and gradient it has, laid out as there.
pub(super) struct LstmOnTiles {
    /// Its weights are laid out in blocks, and those rounded here; its own products are not computed.
    plain: LstmCell<f32>,
    tiles: Tiles,
    steps: usize,
    /// By block of units, the rows those of x, then those of h.
    packed_weights: Buffer<f32>,
    packed_recurrent_transposed: Buffer<f32>,
    packed_kernel_transposed: Buffer<f32>,
}

impl LstmOnTiles {
    pub(super) fn new(set: InstructionSet, tiles: Tiles, inputs: usize, units: usize, steps: usize) -> Self {
        let plain = LstmCell::without_products(set, inputs, units);
        let mut new = Self {
            plain,
            tiles,
            steps,
            packed_weights: Buffer::zeros(0),
            packed_recurrent_transposed: Buffer::zeros(0),
            packed_kernel_transposed: Buffer::zeros(0),
        };
        let [of_row, of_sums] = [new.row_blocks(), new.sum_blocks()];
        new.packed_weights = Buffer::zeros(new.blocks() * packed_length(of_row, new.width()));
        new.packed_recurrent_transposed = Buffer::zeros(packed_length(of_sums, units));
        new.packed_kernel_transposed = Buffer::zeros(packed_length(of_sums, inputs));
        new
    }

    /// Blocks of units, and columns of one.
    fn blocks(&self) -> usize {
        self.plain.size.blocks::<f32>(self.plain.set)
    }

    fn width(&self) -> usize {
        self.plain.size.block_width::<f32>(self.plain.set)
    }

    /// Blocks of summands of x and of h.
    fn row_blocks(&self) -> usize {
        let Size { inputs, units } = self.plain.size;
        blocks(inputs) + blocks(units)
    }

    /// Blocks of summands of a row of sums' derivatives: each block of units has its own.
    fn sum_blocks(&self) -> usize {
        self.blocks() * blocks(self.width())
    }

    /// The part of a row of blocked sums, or of blocked weights, that is a block's of summands; `rows` rows lie in each block of units.
    fn of_sums<'a>(&self, values: &'a [f32], rows: usize, row: usize, block: usize) -> &'a [f32] {
        let (width, parts) = (self.width(), blocks(self.width()));
        let row = &values[(block / parts * rows + row) * width..][..width];
        block_of(row, block % parts)
    }

    /// `to` = a step's derivatives of sums · packed.
    fn multiply_sums(
        &self,
        rows: Rows,
        step: usize,
        gates: &[f32],
        packed: &[f32],
        to: Target,
        workspace: &mut [f32],
    ) {
        let first = rows.before(step);
        let of = |row: usize, block: usize| self.of_sums(gates, rows.all(), first + row, block);
        multiply(self.tiles, self.sum_blocks(), of, packed, Start::Zero, to, workspace);
    }
}

impl RecurrentCell<f32> for LstmOnTiles {
    fn parameters(&self) -> Vec<LayerParameter> {
        self.plain.parameters()
    }

    fn parameter_width(&self) -> usize {
        self.plain.parameter_width()
    }

    fn widths(&self) -> Widths {
        let Size { inputs, units } = self.plain.size;
        let rows = GROUP * self.steps;
        let both = (rows * (inputs + units)).next_multiple_of(SIXTEEN);
        let for_gradient = both + columns_length([inputs + units, self.blocks() * self.width()], rows);
        let for_steps = rows_length(self.row_blocks().max(self.sum_blocks()));
        Widths { workspace: for_gradient.max(for_steps), ..self.plain.widths() }
    }

    fn kept(&self) -> usize {
        self.plain.kept()
    }

    fn prepare(&mut self, parameters: &[f32]) {
        self.plain.block_parameters(parameters);
        let (tiles, width, of_row, of_sums) =
            (self.tiles, self.width(), self.row_blocks(), self.sum_blocks());
        let Size { inputs, units } = self.plain.size;
        let weights = &self.plain.packed_weights;
        let rows = inputs + units;
        let of_x = blocks(inputs);
        let packed = self.packed_weights.par_chunks_mut(packed_length(of_row, width));
        packed.zip(weights.par_chunks(rows * width)).for_each(|(packed, weights)| {
            let of = |block: usize, index: usize| {
                let (first, count, before) = match block < of_x {
                    true => (block * SUMMANDS, inputs, 0),
                    false => ((block - of_x) * SUMMANDS, units, inputs),
                };
                match first + index < count {
                    true => &weights[(before + first + index) * width..][..width],
                    false => &[],
                }
            };
            pack(tiles, [of_row, width], of, packed);
        });
        let mut recurrent = std::mem::replace(&mut self.packed_recurrent_transposed, Buffer::zeros(0));
        let mut kernel = std::mem::replace(&mut self.packed_kernel_transposed, Buffer::zeros(0));
        for (packed, columns, before) in [(&mut recurrent, units, inputs), (&mut kernel, inputs, 0)] {
            let tile = packed_length(of_sums, SIXTEEN);
            packed.par_chunks_mut(tile).enumerate().for_each(|(index, packed)| {
                let first = index * SIXTEEN;
                let of =
                    |column: usize, block: usize| self.of_sums(weights, rows, before + first + column, block);
                pack_columns(tiles, [of_sums, SIXTEEN.min(columns - first)], of, packed);
            });
        }
        (self.packed_recurrent_transposed, self.packed_kernel_transposed) = (recurrent, kernel);
    }

    fn forward_step(&self, rows: Rows, step: usize, trace: &mut Trace<f32>) {
        let (set, size, width) = (self.plain.set, self.plain.size, self.width());
        let Size { inputs, units } = size;
        let (first, count) = (rows.before(step), rows.of(step));
        let (h_before, h) = trace.h.split_at_mut((first + count) * units);
        let (c_before, c) = trace.c.split_at_mut((first + count) * units);
        let h_before = &h_before[first * units..];
        let of_x = blocks(inputs);
        let of = |row: usize, block: usize| match block < of_x {
            true => block_of(&trace.x[(first + row) * inputs..][..inputs], block),
            // The state before the first step is zero.
            false if step == 0 => &[],
            false => block_of(&h_before[row * units..][..units], block - of_x),
        };
        let sums = Target {
            values: &mut trace.gates[first * width..],
            rows: count,
            row_stride: width,
            columns: self.blocks() * width,
            block: [width, rows.all() * width],
        };
        let bias = Start::Row(&self.plain.packed_bias);
        multiply(self.tiles, self.row_blocks(), of, &self.packed_weights, bias, sums, trace.workspace);
        let output = StepOutput {
            h: &mut h[..count * units],
            c: &mut c[..count * units],
            gates: Blocked { values: &mut trace.gates[first * width..], stride: rows.all() * width },
        };
        finish_step(set, size, (step > 0).then(|| &c_before[first * units..]), output);
    }

    fn backward_step(&self, rows: Rows, step: usize, trace: &mut Trace<f32>) {
        let (set, size, units) = (self.plain.set, self.plain.size, self.plain.size.units);
        let width = self.width();
        let (first, count) = (rows.before(step), rows.of(step));
        let step_trace = StepTrace {
            c: &trace.c[(first + count) * units..][..count * units],
            previous_c: (step > 0).then(|| &trace.c[first * units..][..count * units]),
        };
        let gates = Blocked { values: &mut trace.gates[first * width..], stride: rows.all() * width };
        let (d_h, d_c) = (&mut trace.d_h[..count * units], &mut trace.d_c[..count * units]);
        backward_step(set, size, step_trace, StepGradient { h: d_h, c: d_c, gates });
        if step > 0 {
            let (packed, to) = (&self.packed_recurrent_transposed, Target::whole(d_h, units));
            self.multiply_sums(rows, step, trace.gates, packed, to, trace.workspace);
        }
    }

    fn differentiate_x(&self, rows: Rows, step: usize, trace: &mut Trace<f32>) {
        let inputs = self.plain.size.inputs;
        let to = Target::whole(&mut trace.d_x[..rows.of(step) * inputs], inputs);
        self.multiply_sums(rows, step, trace.gates, &self.packed_kernel_transposed, to, trace.workspace);
    }

    /// The kernel's and the recurrent kernel's as one product over all steps: of the columns of x and h, those of h zero in the first step,
    /// with those of the derivatives of sums.
    fn keep_gradient(&self, rows: Rows, trace: &mut Trace<f32>, kept: &mut [f32]) {
        let (set, width) = (self.plain.set, self.width());
        let Size { inputs, units } = self.plain.size;
        let both = inputs + units;
        let all = rows.all();
        let (joined, workspace) =
            trace.workspace.split_at_mut((GROUP * self.steps * both).next_multiple_of(SIXTEEN));
        let joined = &mut joined[..all * both];
        for (row, joined) in joined.chunks_exact_mut(both).enumerate() {
            let (x, h) = joined.split_at_mut(inputs);
            x.copy_from_slice(&trace.x[row * inputs..][..inputs]);
            match row < rows.of(0) {
                true => h.fill(0.0),
                false => h.copy_from_slice(&trace.h[row * units..][..units]),
            }
        }
        let joined = &*joined;
        let of_joined = |row: usize, block: usize| sixteen_of(&joined[row * both..][..both], block);
        let gates = &*trace.gates;
        let of_sums = |row: usize, block: usize| {
            let column = block * SIXTEEN;
            &gates[(column / width * all + row) * width + column % width..][..SIXTEEN]
        };
        let to = Target {
            values: kept,
            rows: both,
            row_stride: width,
            columns: self.blocks() * width,
            block: [width, (both + 1) * width],
        };
        multiply_columns(self.tiles, all, of_joined, of_sums, to, workspace);
        for (d_z, kept) in gates.chunks_exact(all * width).zip(kept.chunks_exact_mut((both + 1) * width)) {
            let d_bias = &mut kept[both * width..];
            d_bias.fill(0.0);
            add_column_sums(set, d_z, d_bias);
        }
    }

    fn add_gradient(&self, kept: &[f32], row: usize, d_row: &mut [f32]) {
        self.plain.add_gradient(kept, row, d_row);
    }
}
