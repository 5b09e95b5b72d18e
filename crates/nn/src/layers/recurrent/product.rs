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

/// What a [`ProductCell`] is made from.
#[derive(Clone, Copy)]
pub(super) struct Form {
    pub(super) set: InstructionSet,
    pub(super) equations: Equations,
    pub(super) inputs: usize,
    pub(super) units: usize,
}

impl Form {
    /// Elements of a row of gates, and of a row of sums.
    pub(super) fn row_widths(self) -> [usize; 2] {
        [self.equations.gates() * self.units, self.equations.sums() * self.units]
    }
}

/// The products of a [`ProductCell`] with the weights that it was last shown.
///
/// Rows of sums and of their derivatives are `[sums, units]`: what x is multiplied to lies in their first columns, as many as there are
/// gates, and what h is multiplied to in as many of their last.
pub(super) trait Products<E>: Send + Sync {
    /// Elements of the workspace that the other functions are given.
    fn workspace(&self) -> usize;

    /// Takes note of new weights, both `[.., gates · units]`; the kernel's columns are in the order of the sums.
    fn prepare(&mut self, kernel: &[E], recurrent: &[E]);

    /// The sums of a step's rows: those of `bias`, x·W and, where there is a state before the step, h·U; overwrites.
    fn sum(&self, bias: &[E], x: &[E], h: Option<&[E]>, sums: &mut [E], workspace: &mut [E]);

    /// The derivative of the state before a step; `output` says whether it is overwritten.
    fn differentiate_h(&self, d_sums: &[E], d_h: &mut [E], output: Output, workspace: &mut [E]);

    /// The derivative of a step's x; overwrites.
    fn differentiate_x(&self, d_sums: &[E], d_x: &mut [E], workspace: &mut [E]);

    /// The kernel's gradient from the rows of all steps; overwrites.
    fn differentiate_kernel(&self, x: &[E], d_sums: &[E], d_kernel: &mut [E], workspace: &mut [E]);

    /// The recurrent kernel's from those rows that have a state before them, which may be none; overwrites.
    fn differentiate_recurrent(&self, h: &[E], d_sums: &[E], d_recurrent: &mut [E], workspace: &mut [E]);
}

/// A cell that adds x·W to the first of its sums and h·U to the last of them.
///
/// Parameters, laid out as Keras does: `kernel [inputs, gates · units]`, `recurrent_kernel [units, gates · units]`; the
/// GRU's `bias [2, 3 · units]` is added to the products of x and of h, the simple layer's is `[units]`.
///
/// A row of sums, later of gates and then of derivatives, is `[sums, units]`. The GRU's are g, z, r, p: the gates' order
/// with its last gate first for x, and the same order for h. A group keeps `[inputs + units, gates · units]`, the kernel's
/// columns in the order of the sums, and `[sums, units]` of the bias.
pub(super) struct ProductCell<E, P> {
    form: Form,
    /// What the sums begin at.
    bias: Buffer<E>,
    /// The kernel with its columns in the order of the sums.
    kernel: Buffer<E>,
    products: P,
}

impl<E: Element, P: Products<E>> ProductCell<E, P> {
    pub(super) fn new(form: Form, products: P) -> Self {
        let [gates, sums] = form.row_widths();
        Self { form, bias: Buffer::zeros(sums), kernel: Buffer::zeros(form.inputs * gates), products }
    }

    /// The sums, gates or derivatives of a step's rows.
    fn step_sums<'a>(&self, rows: Rows, step: usize, gates: &'a mut [E]) -> &'a mut [E] {
        let [_, sums] = self.form.row_widths();
        &mut gates[rows.before(step) * sums..][..rows.of(step) * sums]
    }

    /// `to` += `from`, a row of the gates in the order of the sums; `to` is in the parameters' order.
    fn add_in_order(&self, from: &[E], to: &mut [E]) {
        let (first, rest) = from.split_at(self.form.units);
        let (others, last) = to.split_at_mut(to.len() - self.form.units);
        add_column_sums(self.form.set, first, last);
        if !rest.is_empty() {
            add_column_sums(self.form.set, rest, others);
        }
    }
}

impl<E: Element, P: Products<E>> RecurrentCell<E> for ProductCell<E, P> {
    fn parameters(&self) -> Vec<LayerParameter> {
        let Form { inputs, units, .. } = self.form;
        let [gates, _] = self.form.row_widths();
        let bias: &[usize] = match self.form.equations {
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
        self.form.row_widths()[0]
    }

    fn widths(&self) -> Widths {
        let Form { inputs, units, .. } = self.form;
        let [_, gates] = self.form.row_widths();
        Widths { inputs, units, c: 0, gates, workspace: self.products.workspace() }
    }

    fn kept(&self) -> usize {
        let [gates, sums] = self.form.row_widths();
        (self.form.inputs + self.form.units) * gates + sums
    }

    fn prepare(&mut self, parameters: &[E]) {
        let Form { set, inputs, units, .. } = self.form;
        let [gates, sums] = self.form.row_widths();
        let (kernel, rest) = parameters.split_at(inputs * gates);
        let (recurrent, bias) = rest.split_at(units * gates);
        self.kernel.copy_from_slice(kernel);
        self.kernel.chunks_exact_mut(gates).for_each(|row| row.rotate_right(units));
        self.bias[..gates].copy_from_slice(&bias[..gates]);
        self.bias[..gates].rotate_right(units);
        if sums > gates {
            self.bias[gates..].fill(E::ZERO);
            add_column_sums(set, &bias[gates..], &mut self.bias[sums - gates..]);
        }
        self.products.prepare(&self.kernel, recurrent);
    }

    fn forward_step(&self, rows: Rows, step: usize, trace: &mut Trace<E>) {
        let Form { set, equations, inputs, units } = self.form;
        let (first, count) = (rows.before(step), rows.of(step));
        let sums = self.step_sums(rows, step, trace.gates);
        let x = &trace.x[first * inputs..][..count * inputs];
        let (h_before, h) = trace.h.split_at_mut((first + count) * units);
        let (h_before, h) = (&mut h_before[first * units..], &mut h[..count * units]);
        if step == 0 {
            h_before.fill(E::ZERO);
        }
        let state = (step > 0).then_some(&*h_before);
        self.products.sum(&self.bias, x, state, sums, trace.workspace);
        match equations {
            Equations::Gru => gru::forward_step(set, units, h_before, sums, h),
            Equations::Rnn => rnn::forward_step(set, sums, h),
        }
    }

    fn backward_step(&self, rows: Rows, step: usize, trace: &mut Trace<E>) {
        let Form { set, equations, units, .. } = self.form;
        let (first, count) = (rows.before(step), rows.of(step));
        let values = self.step_sums(rows, step, trace.gates);
        let d_h = &mut trace.d_h[..count * units];
        let output = match equations {
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
            self.products.differentiate_h(values, d_h, output, trace.workspace);
        }
    }

    fn differentiate_x(&self, rows: Rows, step: usize, trace: &mut Trace<E>) {
        let d_x = &mut trace.d_x[..rows.of(step) * self.form.inputs];
        self.products.differentiate_x(self.step_sums(rows, step, trace.gates), d_x, trace.workspace);
    }

    /// Over all steps at once: for the kernel; for the recurrent kernel, from the second step on; for the bias.
    fn keep_gradient(&self, rows: Rows, trace: &mut Trace<E>, kept: &mut [E]) {
        let Form { set, inputs, units, .. } = self.form;
        let [gates, width] = self.form.row_widths();
        let (d_kernel, rest) = kept.split_at_mut(inputs * gates);
        let (d_recurrent, d_bias) = rest.split_at_mut(units * gates);
        self.products.differentiate_kernel(trace.x, trace.gates, d_kernel, trace.workspace);
        let later = rows.of(0)..rows.all();
        let h = &trace.h[later.start * units..later.end * units];
        let d_later = &trace.gates[later.start * width..];
        self.products.differentiate_recurrent(h, d_later, d_recurrent, trace.workspace);
        d_bias.fill(E::ZERO);
        add_column_sums(set, trace.gates, d_bias);
    }

    fn add_gradient(&self, kept: &[E], row: usize, d_row: &mut [E]) {
        let Form { set, inputs, units, .. } = self.form;
        let [gates, width] = self.form.row_widths();
        let (weights, bias) = kept.split_at((inputs + units) * gates);
        if row < inputs {
            self.add_in_order(&weights[row * gates..][..gates], d_row);
        } else if row < inputs + units {
            add_column_sums(set, &weights[row * gates..][..gates], d_row);
        } else if row == inputs + units {
            self.add_in_order(&bias[..gates], d_row);
        } else {
            add_column_sums(set, &bias[width - gates..], d_row);
        }
    }
}

/// Products of `E` throughout, on the vectors, which need no workspace.
pub(super) struct VectorProducts<E> {
    form: Form,
    packed_kernel: Buffer<E>,
    packed_recurrent: Buffer<E>,
    packed_kernel_transposed: Buffer<E>,
    packed_recurrent_transposed: Buffer<E>,
}

impl<E: Element> VectorProducts<E> {
    pub(super) fn new(form: Form) -> Self {
        let Form { set, inputs, units, .. } = form;
        let [gates, _] = form.row_widths();
        let packed = |rows, columns| Buffer::zeros(packed_length::<E>(set, rows, columns));
        Self {
            form,
            packed_kernel: packed(inputs, gates),
            packed_recurrent: packed(units, gates),
            packed_kernel_transposed: packed(gates, inputs),
            packed_recurrent_transposed: packed(gates, units),
        }
    }

    /// The columns of rows of derivatives that x is multiplied to, and those that h is.
    fn parts<'a>(&self, d_sums: &'a [E]) -> [Matrix<'a, E>; 2] {
        let [gates, width] = self.form.row_widths();
        let all = Matrix::new(d_sums, d_sums.len() / width, width);
        [all.columns(0, gates), all.columns(width - gates, gates)]
    }
}

/// Packs a matrix, a thread a panel.
fn pack_panels<E: Element>(set: InstructionSet, matrix: Matrix<E>, rows: usize, packed: &mut [E]) {
    let panels = packed.par_chunks_mut(rows * panel_columns::<E>(set));
    panels.enumerate().for_each(|(panel, packed)| pack(set, matrix, panel, packed));
}

impl<E: Element> Products<E> for VectorProducts<E> {
    fn workspace(&self) -> usize {
        0
    }

    fn prepare(&mut self, kernel: &[E], recurrent: &[E]) {
        let Form { set, inputs, units, .. } = self.form;
        let [gates, _] = self.form.row_widths();
        let kernel = Matrix::new(kernel, inputs, gates);
        let recurrent = Matrix::new(recurrent, units, gates);
        pack_panels(set, kernel, inputs, &mut self.packed_kernel);
        pack_panels(set, recurrent, units, &mut self.packed_recurrent);
        pack_panels(set, kernel.transposed(), gates, &mut self.packed_kernel_transposed);
        pack_panels(set, recurrent.transposed(), gates, &mut self.packed_recurrent_transposed);
    }

    fn sum(&self, bias: &[E], x: &[E], h: Option<&[E]>, sums: &mut [E], _: &mut [E]) {
        let Form { set, inputs, units, .. } = self.form;
        let [gates, width] = self.form.row_widths();
        let count = sums.len() / width;
        sums.chunks_exact_mut(width).for_each(|sums| sums.copy_from_slice(bias));
        let lit = Lit::of(set, x, inputs).columns;
        let x = Matrix::new(x, count, inputs).columns(lit.start, lit.len());
        let of_x = MatrixMut::new(sums, count, width).split_columns(gates).0;
        multiply_packed_rows(set, x, &self.packed_kernel, lit, of_x, Output::Accumulate);
        if let Some(h) = h {
            let of_h = MatrixMut::new(sums, count, width).split_columns(width - gates).1;
            let h = Matrix::new(h, count, units);
            multiply_packed_rows(set, h, &self.packed_recurrent, 0..units, of_h, Output::Accumulate);
        }
    }

    fn differentiate_h(&self, d_sums: &[E], d_h: &mut [E], output: Output, _: &mut [E]) {
        let [_, of_h] = self.parts(d_sums);
        multiply(self.form.set, of_h, &self.packed_recurrent_transposed, self.form.units, d_h, output);
    }

    fn differentiate_x(&self, d_sums: &[E], d_x: &mut [E], _: &mut [E]) {
        let Form { set, inputs, .. } = self.form;
        let [of_x, _] = self.parts(d_sums);
        multiply(set, of_x, &self.packed_kernel_transposed, inputs, d_x, Output::Overwrite);
    }

    /// Between the dark margins.
    fn differentiate_kernel(&self, x: &[E], d_sums: &[E], d_kernel: &mut [E], _: &mut [E]) {
        let Form { set, inputs, .. } = self.form;
        let [gates, width] = self.form.row_widths();
        let lit = Lit::of(set, x, inputs);
        let x = &x[lit.rows.start * inputs..lit.rows.end * inputs];
        let x = Matrix::new(x, lit.rows.len(), inputs).columns(lit.columns.start, lit.columns.len());
        let [of_x, _] = self.parts(&d_sums[lit.rows.start * width..lit.rows.end * width]);
        d_kernel.fill(E::ZERO);
        let d_lit = &mut d_kernel[lit.columns.start * gates..lit.columns.end * gates];
        let d_lit = MatrixMut::new(d_lit, lit.columns.len(), gates);
        multiply_rows(set, x.transposed(), of_x, d_lit, Output::Overwrite);
    }

    fn differentiate_recurrent(&self, h: &[E], d_sums: &[E], d_recurrent: &mut [E], _: &mut [E]) {
        let Form { set, units, .. } = self.form;
        let [gates, _] = self.form.row_widths();
        let [_, of_h] = self.parts(d_sums);
        let h = Matrix::new(h, h.len() / units, units);
        let d_recurrent = MatrixMut::new(d_recurrent, units, gates);
        multiply_rows(set, h.transposed(), of_h, d_recurrent, Output::Overwrite);
    }
}
