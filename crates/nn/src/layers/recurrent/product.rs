//! Cells whose sums are products of whole rows, and whose gates are a pass over them: GRU and simple layer.

use super::{
    LayerParameter, RecurrentCell,
    trace::{Rows, Trace, Widths},
};
use crate::{Initialiser, Role};
use kernels::{
    Buffer, Element, InstructionSet,
    columns::add_column_sums,
    gru,
    lit::Lit,
    matmul::{
        Matrix, MatrixMut, Output, multiply, multiply_packed_rows, multiply_rows, pack, packed_length,
        panel_columns,
    },
    rnn,
};
use rayon::prelude::*;

/// The equations of a [`ProductCell`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Equations {
    /// The gated recurrent unit of [`kernels::gru`]; gates z, r, g in the parameters.
    Gru,
    /// The simple layer of [`kernels::rnn`].
    Rnn,
}

impl Equations {
    /// Gates of a unit.
    fn gates(self) -> usize {
        match self {
            Equations::Gru => gru::GATES,
            Equations::Rnn => 1,
        }
    }

    /// Sums of a unit: one a gate, and a second for the gate in which x and h are not added up.
    fn sums(self) -> usize {
        match self {
            Equations::Gru => gru::VALUES,
            Equations::Rnn => 1,
        }
    }
}

/// A cell that adds x·W to the first of its sums and h·U to the last of them.
///
/// Parameters, laid out as Keras does: `kernel [inputs, gates · units]`, `recurrent_kernel [units, gates · units]`; the
/// GRU's `bias [2, 3 · units]` is added to the products of x and of h, the simple layer's is `[units]`.
///
/// A row of sums, later of gates and then of derivatives, is `[sums, units]`. The GRU's are g, z, r, p: the gates' order
/// with its last gate first for x, and the same order for h. A group keeps `[inputs + units, gates · units]`, the kernel's
/// columns in the order of the sums, and `[sums, units]` of the bias.
pub(super) struct ProductCell<E> {
    set: InstructionSet,
    equations: Equations,
    inputs: usize,
    units: usize,
    /// What the sums begin at.
    bias: Buffer<E>,
    /// The kernel with its columns in the order of the sums.
    kernel: Buffer<E>,
    packed_kernel: Buffer<E>,
    packed_recurrent: Buffer<E>,
    packed_kernel_transposed: Buffer<E>,
    packed_recurrent_transposed: Buffer<E>,
}

impl<E: Element> ProductCell<E> {
    pub(super) fn new(set: InstructionSet, equations: Equations, inputs: usize, units: usize) -> Self {
        let gates = equations.gates() * units;
        let packed = |rows, columns| Buffer::zeros(packed_length::<E>(set, rows, columns));
        Self {
            set,
            equations,
            inputs,
            units,
            bias: Buffer::zeros(equations.sums() * units),
            kernel: Buffer::zeros(inputs * gates),
            packed_kernel: packed(inputs, gates),
            packed_recurrent: packed(units, gates),
            packed_kernel_transposed: packed(gates, inputs),
            packed_recurrent_transposed: packed(gates, units),
        }
    }

    /// Elements of a row of gates, and of a row of sums.
    fn row_widths(&self) -> [usize; 2] {
        [self.equations.gates() * self.units, self.equations.sums() * self.units]
    }

    /// The sums, gates or derivatives of a step's rows.
    fn step_sums<'a>(&self, rows: Rows, step: usize, gates: &'a mut [E]) -> &'a mut [E] {
        let [_, sums] = self.row_widths();
        &mut gates[rows.before(step) * sums..][..rows.of(step) * sums]
    }

    /// `to` += `from`, a row of the gates in the order of the sums; `to` is in the parameters' order.
    fn add_in_order(&self, from: &[E], to: &mut [E]) {
        let (first, rest) = from.split_at(self.units);
        let (others, last) = to.split_at_mut(to.len() - self.units);
        add_column_sums(self.set, first, last);
        if !rest.is_empty() {
            add_column_sums(self.set, rest, others);
        }
    }
}

/// Packs a matrix, a thread a panel.
fn pack_panels<E: Element>(set: InstructionSet, matrix: Matrix<E>, rows: usize, packed: &mut [E]) {
    let panels = packed.par_chunks_mut(rows * panel_columns::<E>(set));
    panels.enumerate().for_each(|(panel, packed)| pack(set, matrix, panel, packed));
}

impl<E: Element> RecurrentCell<E> for ProductCell<E> {
    fn parameters(&self) -> Vec<LayerParameter> {
        let Self { inputs, units, .. } = *self;
        let [gates, _] = self.row_widths();
        let bias: &[usize] = match self.equations {
            Equations::Gru => &[2, gates],
            Equations::Rnn => &[gates],
        };
        let kernel = Initialiser::GlorotUniform { fan_in: inputs, fan_out: gates };
        let recurrent = Initialiser::Orthogonal { rows: units, columns: gates };
        vec![
            LayerParameter::new(Role::TransposedWeight, "kernel", &[inputs, gates], kernel),
            LayerParameter::new(Role::TransposedWeight, "recurrent_kernel", &[units, gates], recurrent),
            LayerParameter::new(Role::Bias, "bias", bias, Initialiser::Zeros),
        ]
    }

    fn parameter_width(&self) -> usize {
        self.row_widths()[0]
    }

    fn widths(&self) -> Widths {
        Widths { inputs: self.inputs, units: self.units, c: 0, gates: self.row_widths()[1], workspace: 0 }
    }

    fn kept(&self) -> usize {
        let [gates, sums] = self.row_widths();
        (self.inputs + self.units) * gates + sums
    }

    fn prepare(&mut self, parameters: &[E]) {
        let Self { set, inputs, units, .. } = *self;
        let [gates, sums] = self.row_widths();
        let (kernel, rest) = parameters.split_at(inputs * gates);
        let (recurrent, bias) = rest.split_at(units * gates);
        self.kernel.copy_from_slice(kernel);
        self.kernel.chunks_exact_mut(gates).for_each(|row| row.rotate_right(units));
        self.bias[..gates].copy_from_slice(&bias[..gates]);
        self.bias[..gates].rotate_right(units);
        if sums > gates {
            self.bias[gates..].fill(E::ZERO);
            add_column_sums(self.set, &bias[gates..], &mut self.bias[sums - gates..]);
        }
        let kernel = Matrix::new(&self.kernel, inputs, gates);
        let recurrent = Matrix::new(recurrent, units, gates);
        pack_panels(set, kernel, inputs, &mut self.packed_kernel);
        pack_panels(set, recurrent, units, &mut self.packed_recurrent);
        pack_panels(set, kernel.transposed(), gates, &mut self.packed_kernel_transposed);
        pack_panels(set, recurrent.transposed(), gates, &mut self.packed_recurrent_transposed);
    }

    fn forward_step(&self, rows: Rows, step: usize, trace: &mut Trace<E>) {
        let Self { set, inputs, units, .. } = *self;
        let [gates, width] = self.row_widths();
        let (first, count) = (rows.before(step), rows.of(step));
        let sums = self.step_sums(rows, step, trace.gates);
        sums.chunks_exact_mut(width).for_each(|sums| sums.copy_from_slice(&self.bias));
        let x = &trace.x[first * inputs..][..count * inputs];
        let lit = Lit::of(set, x, inputs).columns;
        let x = Matrix::new(x, count, inputs).columns(lit.start, lit.len());
        let of_x = MatrixMut::new(sums, count, width).split_columns(gates).0;
        multiply_packed_rows(set, x, &self.packed_kernel, lit, of_x, Output::Accumulate);
        let (h_before, h) = trace.h.split_at_mut((first + count) * units);
        let (h_before, h) = (&mut h_before[first * units..], &mut h[..count * units]);
        if step > 0 {
            let of_h = MatrixMut::new(sums, count, width).split_columns(width - gates).1;
            let h_before = Matrix::new(h_before, count, units);
            multiply_packed_rows(set, h_before, &self.packed_recurrent, 0..units, of_h, Output::Accumulate);
        } else {
            h_before.fill(E::ZERO);
        }
        match self.equations {
            Equations::Gru => gru::forward_step(set, units, h_before, sums, h),
            Equations::Rnn => rnn::forward_step(set, sums, h),
        }
    }

    fn backward_step(&self, rows: Rows, step: usize, trace: &mut Trace<E>) {
        let Self { set, units, .. } = *self;
        let [gates, width] = self.row_widths();
        let (first, count) = (rows.before(step), rows.of(step));
        let values = self.step_sums(rows, step, trace.gates);
        let d_h = &mut trace.d_h[..count * units];
        let output = match self.equations {
            Equations::Gru => {
                gru::backward_step(set, units, &trace.h[first * units..][..count * units], values, d_h);
                Output::Accumulate
            }
            Equations::Rnn => {
                let h = &trace.h[(first + count) * units..][..count * units];
                rnn::backward_step(set, h, d_h, values);
                Output::Overwrite
            }
        };
        if step > 0 {
            let of_h = Matrix::new(values, count, width).columns(width - gates, gates);
            multiply(set, of_h, &self.packed_recurrent_transposed, units, d_h, output);
        }
    }

    fn differentiate_x(&self, rows: Rows, step: usize, trace: &mut Trace<E>) {
        let [gates, width] = self.row_widths();
        let count = rows.of(step);
        let of_x = Matrix::new(self.step_sums(rows, step, trace.gates), count, width).columns(0, gates);
        let d_x = &mut trace.d_x[..count * self.inputs];
        multiply(self.set, of_x, &self.packed_kernel_transposed, self.inputs, d_x, Output::Overwrite);
    }

    /// Over all steps at once: for the kernel, between the dark margins; for the recurrent kernel, from the second step
    /// on; for the bias.
    fn keep_gradient(&self, rows: Rows, trace: &mut Trace<E>, kept: &mut [E]) {
        let Self { set, inputs, units, .. } = *self;
        let [gates, width] = self.row_widths();
        let (d_kernel, rest) = kept.split_at_mut(inputs * gates);
        let (d_recurrent, d_bias) = rest.split_at_mut(units * gates);
        let d_sums = |rows: &std::ops::Range<usize>, first_column: usize| {
            let values = &trace.gates[rows.start * width..rows.end * width];
            Matrix::new(values, rows.len(), width).columns(first_column, gates)
        };
        let lit = Lit::of(set, trace.x, inputs);
        let x = &trace.x[lit.rows.start * inputs..lit.rows.end * inputs];
        let x = Matrix::new(x, lit.rows.len(), inputs).columns(lit.columns.start, lit.columns.len());
        d_kernel.fill(E::ZERO);
        let d_lit = &mut d_kernel[lit.columns.start * gates..lit.columns.end * gates];
        let d_lit = MatrixMut::new(d_lit, lit.columns.len(), gates);
        multiply_rows(set, x.transposed(), d_sums(&lit.rows, 0), d_lit, Output::Overwrite);
        let later = rows.of(0)..rows.all();
        let h = Matrix::new(&trace.h[later.start * units..later.end * units], later.len(), units);
        let d_recurrent = MatrixMut::new(d_recurrent, units, gates);
        multiply_rows(set, h.transposed(), d_sums(&later, width - gates), d_recurrent, Output::Overwrite);
        d_bias.fill(E::ZERO);
        add_column_sums(self.set, trace.gates, d_bias);
    }

    fn add_gradient(&self, kept: &[E], row: usize, d_row: &mut [E]) {
        let Self { inputs, units, .. } = *self;
        let [gates, width] = self.row_widths();
        let (weights, bias) = kept.split_at((inputs + units) * gates);
        if row < inputs {
            self.add_in_order(&weights[row * gates..][..gates], d_row);
        } else if row < inputs + units {
            add_column_sums(self.set, &weights[row * gates..][..gates], d_row);
        } else if row == inputs + units {
            self.add_in_order(&bias[..gates], d_row);
        } else {
            add_column_sums(self.set, &bias[width - gates..], d_row);
        }
    }
}
