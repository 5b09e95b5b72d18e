//! One step of a long short-term memory (Hochreiter and Schmidhuber, 1997; with the forget gate of Gers et al., 2000).
//!
//! With x the step's input and h, c the state before it,
//!
//!   zᵢ z_f z_g z_o = W·x + U·h + b,
//!   i = σ(zᵢ), f = σ(z_f), g = tanh(z_g), o = σ(z_o),  c' = f·c + i·g,  h' = o·tanh c'.
//!
//! Weights come as Keras keeps them: kernel `[inputs, 4 · units]`, recurrent kernel `[units, 4 · units]`, bias
//! `[4 · units]`, the gates in the order i, f, g, o. The kernels read them *blocked*: for each block of as many units
//! as a vector has lanes, for each input and then each unit of h, the four gates' vectors. So one tile of accumulators
//! holds all four gates of its units, and the activations follow in registers, without a pass over memory.
//!
//! The gates that backward needs, and the gradients of z that take their place, are blocked too:
//! `[block, row, gate, lane]`. Lanes beyond the last unit hold zeros in the gradients.

use crate::{
    Element, InstructionSet,
    activation::{sigmoid, tanh},
    check_length,
    dispatch::Kernel,
    length,
    lit::Lit,
    matmul::{lanes, packed_length, panel_columns},
    tile::accumulate_rows,
    vector::Vector,
};
use std::ops::Range;

/// Gates of a unit.
pub const GATES: usize = 4;

/// The sizes of a layer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Size {
    /// Elements of x.
    pub inputs: usize,
    /// Elements of h and of c.
    pub units: usize,
}

impl Size {
    /// Blocks of units.
    pub fn blocks<E: Element>(self, set: InstructionSet) -> usize {
        self.units.div_ceil(lanes::<E>(set))
    }

    /// Elements of one block's gates in one row.
    pub fn block_width<E: Element>(self, set: InstructionSet) -> usize {
        GATES * lanes::<E>(set)
    }

    /// Elements of one row's gates.
    ///
    /// # Panics
    /// When they are more than a machine can address.
    pub fn gates_width<E: Element>(self, set: InstructionSet) -> usize {
        length::product(&[self.blocks::<E>(set), self.block_width::<E>(set)])
    }

    /// Elements of the blocked weights.
    ///
    /// # Panics
    /// When they are more than a machine can address.
    pub fn packed_length<E: Element>(self, set: InstructionSet) -> usize {
        length::product(&[length::sum(&[self.inputs, self.units]), self.gates_width::<E>(set)])
    }

    /// Columns of the weights.
    fn columns(self) -> usize {
        length::product(&[GATES, self.units])
    }
}

/// Gathers rows of `4 · units` columns, in Keras's order, into one block's columns: `blocked [rows, 4, lanes]`.
///
/// # Panics
/// When a length does not fit.
pub fn block_rows<E: Element>(set: InstructionSet, size: Size, rows: &[E], block: usize, blocked: &mut [E]) {
    let (width, lanes, columns) = (size.block_width::<E>(set), lanes::<E>(set), size.columns());
    assert!(block < size.blocks::<E>(set), "block {block} of {}", size.blocks::<E>(set));
    check_length!(blocked, [rows.len() / columns, width]);
    for (from, to) in rows.chunks_exact(columns).zip(blocked.chunks_exact_mut(width)) {
        let used = lanes.min(size.units - block * lanes);
        for (gate, to) in to.chunks_exact_mut(lanes).enumerate() {
            to[..used].copy_from_slice(&from[gate * size.units + block * lanes..][..used]);
            to[used..].fill(E::ZERO);
        }
    }
}

/// Packs the transpose of one block's columns of `weights [n, 4 · units]`, `[4 · lanes, n]`, in panels of n as
/// [`crate::matmul::pack`] does: for the products that carry the gradient of z back to h and to x, block by block. Rows
/// of units that do not exist are zero.
///
/// # Panics
/// When `weights` or `packed` does not fit the sizes.
pub fn pack_transposed<E: Element>(
    set: InstructionSet,
    size: Size,
    weights: &[E],
    block: usize,
    packed: &mut [E],
) {
    let (row, lanes) = (size.columns(), lanes::<E>(set));
    let (width, panel_width) = (size.block_width::<E>(set), panel_columns::<E>(set));
    let columns = weights.len() / row;
    check_length!(weights, [columns, row]);
    check_length!(packed, [packed_length::<E>(set, width, columns)]);
    assert!(block < size.blocks::<E>(set), "block {block} of {}", size.blocks::<E>(set));
    let units = lanes.min(size.units - block * lanes);
    for (panel, first) in packed.chunks_mut(width * panel_width).zip((0..columns).step_by(panel_width)) {
        let used = panel_width.min(columns - first);
        let padded = used.next_multiple_of(lanes);
        if used < padded || units < lanes {
            panel.fill(E::ZERO);
        }
        // One gate's rows at a time: a few kilobytes that stay in the first-level cache while written.
        for (gate, rows) in panel.chunks_exact_mut(lanes * padded).enumerate() {
            for column in 0..used {
                let from = &weights[(first + column) * row + gate * size.units + block * lanes..][..units];
                for (lane, value) in from.iter().enumerate() {
                    rows[lane * padded + column] = *value;
                }
            }
        }
    }
}

/// Adds blocked rows `[block, rows, 4, lanes]`, the row `index` of each block, to a row of `4 · units` columns.
///
/// # Panics
/// When a length does not fit.
pub fn add_unblocked<E: Element>(
    set: InstructionSet,
    size: Size,
    blocked: &[E],
    index: usize,
    row: &mut [E],
) {
    let (width, lanes, blocks) = (size.block_width::<E>(set), lanes::<E>(set), size.blocks::<E>(set));
    let rows = blocked.len() / size.gates_width::<E>(set);
    check_length!(blocked, [blocks, rows, width]);
    check_length!(row, [size.columns()]);
    assert!(index < rows, "row {index} of {rows}");
    for (block, from) in blocked.chunks_exact(rows * width).enumerate() {
        let used = lanes.min(size.units - block * lanes);
        for (gate, from) in from[index * width..][..width].chunks_exact(lanes).enumerate() {
            let to = &mut row[gate * size.units + block * lanes..][..used];
            to.iter_mut().zip(from).for_each(|(to, from)| *to += *from);
        }
    }
}

/// The state before a step; none is a state of zeros.
#[derive(Debug, Clone, Copy)]
pub struct State<'a, E> {
    /// `[rows, units]`.
    pub h: &'a [E],
    /// `[rows, units]`.
    pub c: &'a [E],
}

/// What a step writes; all overwritten.
#[derive(Debug)]
pub struct StepOutput<'a, E> {
    /// `[rows, units]`.
    pub h: &'a mut [E],
    /// `[rows, units]`.
    pub c: &'a mut [E],
    /// i, f, g, o of each block's rows, `[row, gate, lane]`.
    pub gates: Blocked<'a, E>,
}

/// Rows of `[gate, lane]` for each block of units.
#[derive(Debug)]
pub struct Blocked<'a, E> {
    /// From the first block's rows to the last's.
    pub values: &'a mut [E],
    /// Elements from one block's rows to the next's.
    pub stride: usize,
}

impl<E: Element> Blocked<'_, E> {
    fn check(&self, set: InstructionSet, size: Size, rows: usize) {
        let blocks = size.blocks::<E>(set);
        let length = length::product(&[rows, size.block_width::<E>(set)]);
        // Of no units there are no blocks, and nothing is touched.
        let all = length::sum(&[length::product(&[blocks.saturating_sub(1), self.stride]), length]);
        assert!(
            self.stride >= length && self.values.len() >= all,
            "blocked gates: {} elements, {blocks} blocks of {length} and {} apart expected",
            self.values.len(),
            self.stride
        );
    }
}

/// Rows of h that a block's weights are multiplied by at a time: with those of x they stay in the first-level cache while
/// all rows pass by.
const CHUNK_ROWS: usize = 128;

/// One step of as many rows as `x` holds.
///
/// `packed_weights` is `[block, inputs + units, gate, lane]`, `packed_bias` `[block, gate, lane]`.
///
/// # Panics
/// When a length does not fit the sizes.
pub fn forward_step<E: Element>(
    set: InstructionSet,
    size: Size,
    x: &[E],
    state: Option<State<E>>,
    packed_weights: &[E],
    packed_bias: &[E],
    output: StepOutput<E>,
) {
    let rows = x.len() / size.inputs;
    check_length!(x, [rows, size.inputs]);
    check_length!(packed_weights, [size.packed_length::<E>(set)]);
    check_length!(packed_bias, [size.gates_width::<E>(set)]);
    check_length!(output.h, [rows, size.units]);
    check_length!(output.c, [rows, size.units]);
    output.gates.check(set, size, rows);
    if let Some(state) = state {
        check_length!(state.h, [rows, size.units]);
        check_length!(state.c, [rows, size.units]);
    }
    let lit = Lit::of(set, x, size.inputs).columns;
    E::dispatch(set, Forward { size, rows, x, lit, state, packed_weights, packed_bias, output });
}

struct Forward<'a, E> {
    size: Size,
    rows: usize,
    x: &'a [E],
    lit: Range<usize>,
    state: Option<State<'a, E>>,
    packed_weights: &'a [E],
    packed_bias: &'a [E],
    output: StepOutput<'a, E>,
}

impl<E: Element> Kernel<E> for Forward<'_, E> {
    type Output = ();
    #[inline(always)]
    unsafe fn run<V: Vector<Element = E>>(mut self) {
        let length = if self.state.is_some() { self.size.units } else { 0 };
        for block in 0..self.size.units.div_ceil(V::LANES) {
            for first in (0..length.max(1)).step_by(CHUNK_ROWS) {
                let part =
                    Part { first, count: CHUNK_ROWS.min(length - first), last: first + CHUNK_ROWS >= length };
                let mut row = 0;
                // SAFETY: the entry point has checked every length.
                unsafe {
                    // Six rows of four gates fill 24 of 32 registers; with 16, two rows' 8 leave room for the weights.
                    if const { V::REGISTERS >= 32 } {
                        while self.rows - row >= 6 {
                            self.tile::<V, 6>(block, row, part);
                            row += 6;
                        }
                        if self.rows - row >= 4 {
                            self.tile::<V, 4>(block, row, part);
                            row += 4;
                        }
                    }
                    while self.rows - row >= 2 {
                        self.tile::<V, 2>(block, row, part);
                        row += 2;
                    }
                    if self.rows - row == 1 {
                        self.tile::<V, 1>(block, row, part);
                    }
                }
            }
        }
    }
}

/// A part of the sum over the units of h; the first has x and the bias too, the last is followed by the gates.
#[derive(Clone, Copy)]
struct Part {
    first: usize,
    count: usize,
    last: bool,
}

impl<E: Element> Forward<'_, E> {
    /// # Safety
    /// The lengths fit the sizes, and the rows `row..row + ROWS` exist.
    #[inline(always)]
    unsafe fn tile<V: Vector<Element = E>, const ROWS: usize>(
        &mut self,
        block: usize,
        row: usize,
        part: Part,
    ) {
        let Size { inputs, units } = self.size;
        let width = GATES * V::LANES;
        let unit = block * V::LANES;
        let used = V::LANES.min(units - unit);
        // SAFETY: the caller's promise.
        unsafe {
            let gates =
                self.output.gates.values.as_mut_ptr().add(block * self.output.gates.stride + row * width);
            let weights = self.packed_weights.as_ptr().add(block * (inputs + units) * width);
            let mut z = [[V::zero(); GATES]; ROWS];
            if part.first == 0 {
                for gate in 0..GATES {
                    let bias = V::load(self.packed_bias.as_ptr().add(block * width + gate * V::LANES));
                    z.iter_mut().for_each(|z| z[gate] = bias);
                }
                let mut rows = [self.x.as_ptr(); ROWS];
                for (r, pointer) in rows.iter_mut().enumerate() {
                    *pointer = self.x.as_ptr().add((row + r) * inputs + self.lit.start);
                }
                accumulate_rows(&mut z, &rows, self.lit.len(), weights.add(self.lit.start * width), width);
            } else {
                for (r, z) in z.iter_mut().enumerate() {
                    for (gate, z) in z.iter_mut().enumerate() {
                        *z = V::load(gates.add(r * width + gate * V::LANES));
                    }
                }
            }
            if let Some(state) = &self.state {
                let mut rows = [state.h.as_ptr(); ROWS];
                for (r, pointer) in rows.iter_mut().enumerate() {
                    *pointer = state.h.as_ptr().add((row + r) * units + part.first);
                }
                let weights = weights.add((inputs + part.first) * width);
                accumulate_rows(&mut z, &rows, part.count, weights, width);
            }
            for (r, z) in z.iter_mut().enumerate() {
                if part.last {
                    let at = (row + r) * units + unit;
                    let mut before = None;
                    if let Some(state) = &self.state {
                        before = Some(V::load_first(state.c.as_ptr().add(at), used));
                    }
                    let (gates, c, h) = after_step(*z, before);
                    c.store_first(self.output.c.as_mut_ptr().add(at), used);
                    h.store_first(self.output.h.as_mut_ptr().add(at), used);
                    *z = gates;
                }
                for (gate, z) in z.iter().enumerate() {
                    z.store(gates.add(r * width + gate * V::LANES));
                }
            }
        }
    }
}

/// The gates, and c and h after a step, from the sums and c before it.
#[inline(always)]
fn after_step<V: Vector>(z: [V; GATES], c_before: Option<V>) -> ([V; GATES], V, V) {
    let [i, f, g, o] = [sigmoid(z[0]), sigmoid(z[1]), tanh(z[2]), sigmoid(z[3])];
    let mut c = i.mul(g);
    if let Some(before) = c_before {
        c = f.mul_add(before, c);
    }
    let h = o.mul(tanh(c));
    ([i, f, g, o], c, h)
}

/// The end of a step whose sums z are where the gates are to be: the gates in their place, and c and h after it. `c_before` is c before
/// the step, `[rows, units]`; none is zeros.
///
/// # Panics
/// When a length does not fit the sizes.
pub fn finish_step<E: Element>(
    set: InstructionSet,
    size: Size,
    c_before: Option<&[E]>,
    output: StepOutput<E>,
) {
    let rows = output.h.len().checked_div(size.units).unwrap_or(0);
    check_length!(output.h, [rows, size.units]);
    check_length!(output.c, [rows, size.units]);
    output.gates.check(set, size, rows);
    if let Some(c_before) = c_before {
        check_length!(c_before, [rows, size.units]);
    }
    E::dispatch(set, Finish { size, rows, c_before, output });
}

struct Finish<'a, E> {
    size: Size,
    rows: usize,
    c_before: Option<&'a [E]>,
    output: StepOutput<'a, E>,
}

impl<E: Element> Kernel<E> for Finish<'_, E> {
    type Output = ();
    #[inline(always)]
    unsafe fn run<V: Vector<Element = E>>(self) {
        let Self { size, rows, c_before, output } = self;
        let width = GATES * V::LANES;
        for block in 0..size.units.div_ceil(V::LANES) {
            for row in 0..rows {
                let unit = block * V::LANES;
                let used = V::LANES.min(size.units - unit);
                let at = row * size.units + unit;
                // SAFETY: the entry point has checked every length; unit, block and row are within the sizes.
                unsafe {
                    let gates = output.gates.values.as_mut_ptr();
                    let gates = gates.add(block * output.gates.stride + row * width);
                    let mut z = [V::zero(); GATES];
                    for (gate, z) in z.iter_mut().enumerate() {
                        *z = V::load(gates.add(gate * V::LANES));
                    }
                    let mut before = None;
                    if let Some(c) = c_before {
                        before = Some(V::load_first(c.as_ptr().add(at), used));
                    }
                    let (values, c, h) = after_step(z, before);
                    c.store_first(output.c.as_mut_ptr().add(at), used);
                    h.store_first(output.h.as_mut_ptr().add(at), used);
                    for (gate, value) in values.iter().enumerate() {
                        value.store(gates.add(gate * V::LANES));
                    }
                }
            }
        }
    }
}

/// What the backward pass of a step reads.
#[derive(Debug, Clone, Copy)]
pub struct StepTrace<'a, E> {
    /// c after the step, `[rows, units]`.
    pub c: &'a [E],
    /// c before the step, `[rows, units]`; none is zeros.
    pub previous_c: Option<&'a [E]>,
}

/// Derivatives that the backward pass of a step reads and writes.
#[derive(Debug)]
pub struct StepGradient<'a, E> {
    /// With respect to h after the step, `[rows, units]`; read.
    pub h: &'a [E],
    /// With respect to c, `[rows, units]`: after the step on entry, before it on return.
    pub c: &'a mut [E],
    /// The step's gates on entry, the derivatives with respect to z on return.
    pub gates: Blocked<'a, E>,
}

/// The derivatives of one step, but for the products with the weights.
///
/// dc' += dh'·o·(1 − tanh² c'); dzᵢ = dc'·g·i(1 − i), dz_f = dc'·c·f(1 − f), dz_g = dc'·i·(1 − g²),
/// dz_o = dh'·tanh c'·o(1 − o); dc = dc'·f.
///
/// # Panics
/// When a length does not fit the sizes.
pub fn backward_step<E: Element>(
    set: InstructionSet,
    size: Size,
    trace: StepTrace<E>,
    gradient: StepGradient<E>,
) {
    let rows = gradient.h.len() / size.units;
    check_length!(gradient.h, [rows, size.units]);
    check_length!(gradient.c, [rows, size.units]);
    gradient.gates.check(set, size, rows);
    check_length!(trace.c, [rows, size.units]);
    if let Some(previous_c) = trace.previous_c {
        check_length!(previous_c, [rows, size.units]);
    }
    E::dispatch(set, Backward { size, rows, trace, gradient });
}

struct Backward<'a, E> {
    size: Size,
    rows: usize,
    trace: StepTrace<'a, E>,
    gradient: StepGradient<'a, E>,
}

impl<E: Element> Kernel<E> for Backward<'_, E> {
    type Output = ();
    #[inline(always)]
    unsafe fn run<V: Vector<Element = E>>(self) {
        let Self { size, rows, trace, gradient } = self;
        let blocks = size.units.div_ceil(V::LANES);
        let width = GATES * V::LANES;
        for block in 0..blocks {
            for row in 0..rows {
                let unit = block * V::LANES;
                let used = V::LANES.min(size.units - unit);
                let at = row * size.units + unit;
                // SAFETY: the entry point has checked every length; unit, block and row are within the sizes.
                unsafe {
                    let one = V::splat(E::ONE);
                    let gates = gradient.gates.values.as_mut_ptr();
                    let gates = gates.add(block * gradient.gates.stride + row * width);
                    let i = V::load(gates);
                    let f = V::load(gates.add(V::LANES));
                    let g = V::load(gates.add(2 * V::LANES));
                    let o = V::load(gates.add(3 * V::LANES));
                    let tanh_c = tanh(V::load_first(trace.c.as_ptr().add(at), used));
                    let previous_c = match trace.previous_c {
                        Some(previous_c) => V::load_first(previous_c.as_ptr().add(at), used),
                        None => V::zero(),
                    };
                    let dh = V::load_first(gradient.h.as_ptr().add(at), used);
                    let dc_at = gradient.c.as_mut_ptr().add(at);
                    let dc = V::load_first(dc_at, used);
                    let dc = dh.mul(o).mul_add(one.sub(tanh_c.mul(tanh_c)), dc);
                    let dz = [
                        dc.mul(g).mul(i.mul(one.sub(i))),
                        dc.mul(previous_c).mul(f.mul(one.sub(f))),
                        dc.mul(i).mul(one.sub(g.mul(g))),
                        dh.mul(tanh_c).mul(o.mul(one.sub(o))),
                    ];
                    dc.mul(f).store_first(dc_at, used);
                    for (gate, dz) in dz.iter().enumerate() {
                        dz.store(gates.add(gate * V::LANES));
                    }
                }
            }
        }
    }
}
