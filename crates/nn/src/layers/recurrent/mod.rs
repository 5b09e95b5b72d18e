//! Layers that read a sequence step by step.

mod lstm;
mod lstm_on_tiles;
mod product;
mod product_on_tiles;
mod trace;

use super::{Context, GROUP, Groups, Layer, LayerParameter, Memory, MemorySize, Pass, Purpose, task_size};
use crate::{Cell, RecurrentSpec};
use kernels::{Element, InstructionSet, columns::add_column_sums, tiles::Tiles};
use lstm::LstmCell;
use lstm_on_tiles::LstmOnTiles;
use product::{Equations, Form, ProductCell, VectorProducts};
use product_on_tiles::ProductsOnTiles;
use rayon::prelude::*;
use std::ops::Range;
use trace::{Rows, Trace, Widths};

/// One step of a recurrent layer: from x and the state before it the state after it, and back.
///
/// Its parameters are rows of one length, one after the other: those of the kernel (one an input), those of the
/// recurrent kernel (one a unit), those of the bias.
trait RecurrentCell<E: Element>: Send + Sync {
    /// In the order of their values.
    fn parameters(&self) -> Vec<LayerParameter>;

    /// Elements of a row of the parameters.
    fn parameter_width(&self) -> usize;

    /// Elements of the trace's rows.
    fn widths(&self) -> Widths;

    /// Elements of the gradient that a group keeps.
    fn kept(&self) -> usize;

    /// Takes note of new parameters.
    fn prepare(&mut self, parameters: &[E]);

    /// From x and the state before a step the gates, and the state after it.
    fn forward_step(&self, rows: Rows, step: usize, trace: &mut Trace<E>);

    /// From the derivative with respect to the state after a step that with respect to the gates' sums, in their place,
    /// and that with respect to the state before it, which has no meaning for the first step.
    fn backward_step(&self, rows: Rows, step: usize, trace: &mut Trace<E>);

    /// From the derivative with respect to the sums of a step's gates that with respect to its x.
    fn differentiate_x(&self, rows: Rows, step: usize, trace: &mut Trace<E>);

    /// From all rows' x, h and derivatives of sums the group's gradient; `kept` is overwritten.
    fn keep_gradient(&self, rows: Rows, trace: &mut Trace<E>, kept: &mut [E]);

    /// Adds a row of the parameters' gradient from what a group has kept.
    fn add_gradient(&self, kept: &[E], row: usize, d_row: &mut [E]);
}

/// state(t) = cell(x(t), state(t − 1)) for t = 0, 1, …, steps − 1, from zeros; the output is h(steps − 1), or h(t) for
/// every t.
///
/// Where it is bidirectional (Schuster and Paliwal, 1997), a second cell with parameters of its own goes from the last
/// step to the first, and each output is the first cell's h and behind it the second's: in a sequence, those after the
/// same x; alone, each cell's own last.
///
/// Input `[step, input]`, output `[directions · units]` or `[step, directions · units]`. The scratch holds a [`Trace`] for
/// each direction; a group keeps each direction's gradient, laid out by its cell.
pub(crate) struct RecurrentLayer<E> {
    set: InstructionSet,
    steps: usize,
    /// Whether every state is put out, or the last.
    sequence: bool,
    /// Whether the input is images, of which no derivative is asked in training: dark beginnings are computed once.
    reads_images: bool,
    /// The cell that goes forward, then the one that goes backward, if any.
    cells: Vec<Box<dyn RecurrentCell<E>>>,
}

/// A cell whose products are of `E` throughout.
fn on_vectors<E: Element>(form: Form) -> Box<dyn RecurrentCell<E>> {
    Box::new(ProductCell::new(form, VectorProducts::new(form)))
}

impl RecurrentLayer<f32> {
    /// With products of bfloat16 numbers, on tiles.
    pub(crate) fn on_tiles(
        set: InstructionSet,
        tiles: Tiles,
        spec: RecurrentSpec,
        steps: usize,
        inputs: usize,
        reads_images: bool,
    ) -> Self {
        let RecurrentSpec { cell, units, .. } = spec;
        let on_tiles = |equations| -> Box<dyn RecurrentCell<f32>> {
            let form = Form { set, equations, inputs, units };
            Box::new(ProductCell::new(form, ProductsOnTiles::new(form, tiles, GROUP * steps)))
        };
        Self::of_cells(set, spec, steps, reads_images, || match cell {
            Cell::Lstm => Box::new(LstmOnTiles::new(set, tiles, inputs, units, steps)),
            Cell::Gru => on_tiles(Equations::Gru),
            Cell::Rnn => on_tiles(Equations::Rnn),
        })
    }
}

impl<E: Element> RecurrentLayer<E> {
    pub(crate) fn new(
        set: InstructionSet,
        spec: RecurrentSpec,
        steps: usize,
        inputs: usize,
        reads_images: bool,
    ) -> Self {
        let RecurrentSpec { cell, units, .. } = spec;
        Self::of_cells(set, spec, steps, reads_images, || match cell {
            Cell::Lstm => Box::new(LstmCell::new(set, inputs, units)),
            Cell::Gru => on_vectors(Form { set, equations: Equations::Gru, inputs, units }),
            Cell::Rnn => on_vectors(Form { set, equations: Equations::Rnn, inputs, units }),
        })
    }

    /// Of one such cell for each direction.
    fn of_cells(
        set: InstructionSet,
        spec: RecurrentSpec,
        steps: usize,
        reads_images: bool,
        cell: impl Fn() -> Box<dyn RecurrentCell<E>>,
    ) -> Self {
        let RecurrentSpec { bidirectional, sequence, .. } = spec;
        let cells = (0..1 + usize::from(bidirectional)).map(|_| cell()).collect();
        Self { set, steps, sequence, reads_images, cells }
    }

    fn rows(&self, direction: usize, input: &[E]) -> Rows {
        let inputs = self.cells[direction].widths().inputs;
        if self.reads_images {
            Rows::of_images(input, inputs, self.steps, direction == 1)
        } else {
            Rows::apart(input.len() / (inputs * self.steps), self.steps)
        }
    }

    /// Where a direction's step stands in the sequence.
    fn place(&self, direction: usize, step: usize) -> usize {
        if direction == 0 { step } else { self.steps - 1 - step }
    }

    /// The steps whose state is put out.
    fn output_steps(&self) -> Range<usize> {
        if self.sequence { 0..self.steps } else { self.steps - 1..self.steps }
    }

    /// Where the output has a direction's state of an image after a step.
    fn output_range(&self, direction: usize, image: usize, step: usize) -> Range<usize> {
        let units = self.cells[direction].widths().units;
        let row = if self.sequence { image * self.steps + self.place(direction, step) } else { image };
        let start = (row * self.cells.len() + direction) * units;
        start..start + units
    }

    /// Takes a group through all steps; the trace then holds everything but the gradients.
    fn run(&self, direction: usize, input: &[E], rows: Rows, trace: &mut Trace<E>) {
        let cell = &self.cells[direction];
        let Widths { inputs, units, c, .. } = cell.widths();
        trace.x[..rows.shared * inputs].fill(E::ZERO);
        for (image, pixels) in input.chunks_exact(rows.steps * inputs).enumerate() {
            for step in rows.shared..rows.steps {
                let x = &pixels[self.place(direction, step) * inputs..][..inputs];
                trace.x[(rows.before(step) + image) * inputs..][..inputs].copy_from_slice(x);
            }
        }
        for step in 0..rows.steps {
            cell.forward_step(rows, step, trace);
            // From here on each image has a state of its own.
            let (after, count) = (rows.before(step) + rows.of(step), rows.of(step));
            for image in count..rows.of(step + 1) {
                trace.h.copy_within(after * units..(after + 1) * units, (after + image) * units);
                trace.c.copy_within(after * c..(after + 1) * c, (after + image) * c);
            }
        }
    }

    /// The way back: what is kept, and the derivative of the input, to which the second direction adds its own.
    fn go_back(
        &self,
        direction: usize,
        [input, d_output]: [&[E]; 2],
        mut d_input: Option<&mut [E]>,
        memory: &mut [E],
        kept: &mut [E],
    ) {
        let cell = &self.cells[direction];
        let Widths { inputs, units, c, .. } = cell.widths();
        let mut rows = self.rows(direction, input);
        if d_input.is_some() && rows.shared > 0 {
            // Each image's pixels have a derivative of their own.
            rows.shared = 0;
            self.run(direction, input, rows, &mut Trace::new(cell.widths(), rows, memory));
        }
        let mut trace = Trace::new(cell.widths(), rows, memory);
        trace.d_h.fill(E::ZERO);
        trace.d_c.fill(E::ZERO);
        for step in (0..self.steps).rev() {
            if rows.of(step) < rows.of(step + 1) {
                // What follows is linear in these derivatives with the same factors for every image.
                sum_rows(self.set, trace.d_h, units);
                if c > 0 {
                    sum_rows(self.set, trace.d_c, c);
                }
            }
            if self.output_steps().contains(&step) {
                for image in 0..rows.images {
                    let d_output = &d_output[self.output_range(direction, image, step)];
                    let d_h = &mut trace.d_h[image.min(rows.of(step) - 1) * units..][..units];
                    add_column_sums(self.set, d_output, d_h);
                }
            }
            cell.backward_step(rows, step, &mut trace);
            if let Some(d_input) = d_input.as_deref_mut() {
                cell.differentiate_x(rows, step, &mut trace);
                let place = self.place(direction, step);
                for (image, d_x) in trace.d_x.chunks_exact(inputs).enumerate() {
                    let d_input = &mut d_input[(image * self.steps + place) * inputs..][..inputs];
                    if direction == 0 {
                        d_input.copy_from_slice(d_x);
                    } else {
                        add_column_sums(self.set, d_x, d_input);
                    }
                }
            }
        }
        cell.keep_gradient(rows, &mut trace, kept);
    }
}

impl<E: Element> Layer<E> for RecurrentLayer<E> {
    fn parameters(&self) -> Vec<LayerParameter> {
        let mut parameters = Vec::new();
        for (cell, direction) in self.cells.iter().zip(["forward", "backward"]) {
            for mut parameter in cell.parameters() {
                if self.cells.len() > 1 {
                    parameter.name = format!("{direction}.{}", parameter.name);
                }
                parameters.push(parameter);
            }
        }
        parameters
    }

    fn forward_flops(&self) -> u64 {
        let flops = |cell: &dyn RecurrentCell<E>| {
            let Widths { inputs, units, .. } = cell.widths();
            2 * (self.steps * (inputs + units) * cell.parameter_width()) as u64
        };
        self.cells.iter().map(|cell| flops(&**cell)).sum()
    }

    fn input_gradient_flops(&self) -> u64 {
        let flops = |cell: &dyn RecurrentCell<E>| {
            2 * (self.steps * cell.widths().inputs * cell.parameter_width()) as u64
        };
        self.cells.iter().map(|cell| flops(&**cell)).sum()
    }

    fn scratch(&self) -> MemorySize {
        let rows = Rows::apart(GROUP, self.steps);
        let values = self.cells.iter().map(|cell| cell.widths().trace_length(rows)).sum();
        MemorySize { values, bytes: 0 }
    }

    fn kept(&self) -> MemorySize {
        MemorySize { values: self.cells.iter().map(|cell| cell.kept()).sum(), bytes: 0 }
    }

    fn prepare(&mut self, parameters: &[E], _: Purpose) {
        let length = parameters.len() / self.cells.len();
        for (cell, parameters) in self.cells.iter_mut().zip(parameters.chunks_exact(length)) {
            cell.prepare(parameters);
        }
    }

    fn forward(&self, _: Context, _: &[E], input: &[E], output: &mut [E], scratch: &mut Memory<E>) {
        let memory = scratch.values.len() / self.cells.len();
        for (direction, memory) in scratch.values.chunks_exact_mut(memory).enumerate() {
            let widths = self.cells[direction].widths();
            let rows = self.rows(direction, input);
            let mut trace = Trace::new(widths, rows, memory);
            self.run(direction, input, rows, &mut trace);
            for (step, image) in
                self.output_steps().flat_map(|step| (0..rows.images).map(move |image| (step, image)))
            {
                let row = rows.before(step) + rows.of(step) + image.min(rows.of(step) - 1);
                let h = &trace.h[row * widths.units..][..widths.units];
                output[self.output_range(direction, image, step)].copy_from_slice(h);
            }
        }
    }

    fn backward(&self, pass: Pass<E>) {
        let Pass { input, d_output, mut d_input, scratch, kept, .. } = pass;
        let directions = self.cells.len();
        let (memory, length) = (scratch.values.len() / directions, kept.values.len() / directions);
        let memories = scratch.values.chunks_exact_mut(memory);
        for (direction, (memory, kept)) in memories.zip(kept.values.chunks_exact_mut(length)).enumerate() {
            self.go_back(direction, [input, d_output], d_input.as_deref_mut(), memory, kept);
        }
    }

    fn sum_gradient(&mut self, groups: Groups<E>, d_parameters: &mut [E]) {
        let length = d_parameters.len() / self.cells.len();
        let mut first = 0;
        for (cell, d_parameters) in self.cells.iter().zip(d_parameters.chunks_exact_mut(length)) {
            let kept = first..first + cell.kept();
            first = kept.end;
            let row = cell.parameter_width();
            let task = task_size(length / row) * row;
            d_parameters.par_chunks_mut(task).enumerate().for_each(|(index, d_parameters)| {
                d_parameters.fill(E::ZERO);
                for group in 0..groups.count() {
                    let kept = &groups.get(group).0[kept.clone()];
                    for (at, d_row) in d_parameters.chunks_exact_mut(row).enumerate() {
                        cell.add_gradient(kept, index * task / row + at, d_row);
                    }
                }
            });
        }
    }
}

/// Adds all other rows to the first.
fn sum_rows<E: Element>(set: InstructionSet, values: &mut [E], columns: usize) {
    let (sums, rest) = values.split_at_mut(columns);
    add_column_sums(set, rest, sums);
}
