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
//! The gates that backward needs, and the gradients of z, are blocked too: `[row, block, gate, lane]` and
//! `[block, row, gate, lane]`. Lanes beyond the last unit hold zeros.

use crate::{
    Element, InstructionSet,
    activation::{sigmoid, tanh},
    check_length,
    dispatch::Kernel,
    matmul::{lanes, panel_columns},
    tile::accumulate_rows,
    vector::Vector,
};

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
    pub fn gates_width<E: Element>(self, set: InstructionSet) -> usize {
        self.blocks::<E>(set) * self.block_width::<E>(set)
    }

    /// Elements of the blocked weights.
    pub fn packed_length<E: Element>(self, set: InstructionSet) -> usize {
        (self.inputs + self.units) * self.gates_width::<E>(set)
    }

    /// Multiplications and additions of one step, of one row.
    pub fn step_flops(self) -> u64 {
        2 * ((self.inputs + self.units) * GATES * self.units) as u64
    }
}

/// Gathers rows of `4 · units` columns, in Keras's order, into one block's columns: `blocked [rows, 4, lanes]`.
///
/// # Panics
/// When a length does not fit.
pub fn block_rows<E: Element>(set: InstructionSet, size: Size, rows: &[E], block: usize, blocked: &mut [E]) {
    let (width, lanes) = (size.block_width::<E>(set), lanes::<E>(set));
    assert!(block < size.blocks::<E>(set), "block {block} of {}", size.blocks::<E>(set));
    check_length!(blocked, rows.len() / (GATES * size.units) * width);
    for (from, to) in rows.chunks_exact(GATES * size.units).zip(blocked.chunks_exact_mut(width)) {
        let used = lanes.min(size.units - block * lanes);
        for (gate, to) in to.chunks_exact_mut(lanes).enumerate() {
            to[..used].copy_from_slice(&from[gate * size.units + block * lanes..][..used]);
            to[used..].fill(E::ZERO);
        }
    }
}

/// Packs the transpose of `weights [n, 4 · units]`, its rows in blocked order `[4 · padded units, n]`, in panels of n as
/// [`crate::matmul::pack`] does: for the products that carry the gradient of z back to h and to x. Overwrites whole
/// panels, from `first_panel` on; rows of units that do not exist are zero.
///
/// # Panics
/// When `weights` or `packed` does not fit the sizes.
pub fn pack_transposed<E: Element>(
    set: InstructionSet,
    size: Size,
    weights: &[E],
    first_panel: usize,
    packed: &mut [E],
) {
    let (row, lanes) = (GATES * size.units, lanes::<E>(set));
    let (gates, panel_width) = (size.gates_width::<E>(set), panel_columns::<E>(set));
    let columns = weights.len() / row;
    check_length!(weights, columns * row);
    for (index, panel) in packed.chunks_mut(gates * panel_width).enumerate() {
        let first = (first_panel + index) * panel_width;
        let used = panel_width.min(columns - first);
        let padded = used.next_multiple_of(lanes);
        check_length!(panel, gates * padded);
        if used < padded || !size.units.is_multiple_of(lanes) {
            panel.fill(E::ZERO);
        }
        // One vector's worth of rows at a time: a few kilobytes that stay in the first-level cache while written.
        for (strip, rows) in panel.chunks_exact_mut(lanes * padded).enumerate() {
            let (block, gate) = (strip / GATES, strip % GATES);
            let units = lanes.min(size.units - block * lanes);
            for column in 0..used {
                let from = &weights[(first + column) * row + gate * size.units + block * lanes..][..units];
                for (lane, value) in from.iter().enumerate() {
                    rows[lane * padded + column] = *value;
                }
            }
        }
    }
}

/// Adds blocked sums `[rows, 4, lanes]` to the columns of their block in rows of `4 · units` columns.
///
/// # Panics
/// When a length does not fit.
pub fn add_unblocked<E: Element>(
    set: InstructionSet,
    size: Size,
    blocked: &[E],
    block: usize,
    rows: &mut [E],
) {
    let (width, lanes) = (size.block_width::<E>(set), lanes::<E>(set));
    check_length!(blocked, rows.len() / (GATES * size.units) * width);
    for (from, to) in blocked.chunks_exact(width).zip(rows.chunks_exact_mut(GATES * size.units)) {
        let used = lanes.min(size.units - block * lanes);
        for (gate, from) in from.chunks_exact(lanes).enumerate() {
            let to = &mut to[gate * size.units + block * lanes..][..used];
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
    /// i, f, g, o: `[rows, block, gate, lane]`.
    pub gates: &'a mut [E],
}

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
    check_length!(x, rows * size.inputs);
    check_length!(packed_weights, size.packed_length::<E>(set));
    check_length!(packed_bias, size.gates_width::<E>(set));
    check_length!(output.h, rows * size.units);
    check_length!(output.c, rows * size.units);
    check_length!(output.gates, rows * size.gates_width::<E>(set));
    if let Some(state) = state {
        check_length!(state.h, rows * size.units);
        check_length!(state.c, rows * size.units);
    }
    E::dispatch(set, Forward { size, rows, x, state, packed_weights, packed_bias, output });
}

struct Forward<'a, E> {
    size: Size,
    rows: usize,
    x: &'a [E],
    state: Option<State<'a, E>>,
    packed_weights: &'a [E],
    packed_bias: &'a [E],
    output: StepOutput<'a, E>,
}

impl<E: Element> Kernel<E> for Forward<'_, E> {
    type Output = ();
    #[inline(always)]
    unsafe fn run<V: Vector<Element = E>>(mut self) {
        for block in 0..self.size.units.div_ceil(V::LANES) {
            let mut row = 0;
            // SAFETY: the entry point has checked every length.
            unsafe {
                // Six rows of four gates fill 24 of 32 registers; with 16, three rows' 12 leave room for the weights.
                if V::REGISTERS >= 32 {
                    while self.rows - row >= 6 {
                        self.tile::<V, 6>(block, row);
                        row += 6;
                    }
                    if self.rows - row >= 4 {
                        self.tile::<V, 4>(block, row);
                        row += 4;
                    }
                }
                while self.rows - row >= 2 {
                    self.tile::<V, 2>(block, row);
                    row += 2;
                }
                if self.rows - row == 1 {
                    self.tile::<V, 1>(block, row);
                }
            }
        }
    }
}

impl<E: Element> Forward<'_, E> {
    /// # Safety
    /// The lengths fit the sizes, and the rows `row..row + ROWS` exist.
    #[inline(always)]
    unsafe fn tile<V: Vector<Element = E>, const ROWS: usize>(&mut self, block: usize, row: usize) {
        let Size { inputs, units } = self.size;
        let width = GATES * V::LANES;
        let gates_width = units.div_ceil(V::LANES) * width;
        let unit = block * V::LANES;
        let used = V::LANES.min(units - unit);
        // SAFETY: the caller's promise.
        unsafe {
            let mut bias = [V::zero(); GATES];
            for (gate, bias) in bias.iter_mut().enumerate() {
                *bias = V::load(self.packed_bias.as_ptr().add(block * width + gate * V::LANES));
            }
            let mut z = [bias; ROWS];
            let weights = self.packed_weights.as_ptr().add(block * (inputs + units) * width);
            let mut rows = [self.x.as_ptr(); ROWS];
            for (r, pointer) in rows.iter_mut().enumerate() {
                *pointer = self.x.as_ptr().add((row + r) * inputs);
            }
            accumulate_rows(&mut z, &rows, inputs, weights, width);
            if let Some(state) = &self.state {
                for (r, pointer) in rows.iter_mut().enumerate() {
                    *pointer = state.h.as_ptr().add((row + r) * units);
                }
                accumulate_rows(&mut z, &rows, units, weights.add(inputs * width), width);
            }
            for (r, z) in z.iter().enumerate() {
                let at = (row + r) * units + unit;
                let [i, f, g, o] = [sigmoid(z[0]), sigmoid(z[1]), tanh(z[2]), sigmoid(z[3])];
                let mut c = i.mul(g);
                if let Some(state) = &self.state {
                    c = f.mul_add(V::load_first(state.c.as_ptr().add(at), used), c);
                }
                let h = o.mul(tanh(c));
                c.store_first(self.output.c.as_mut_ptr().add(at), used);
                h.store_first(self.output.h.as_mut_ptr().add(at), used);
                let gates = self.output.gates.as_mut_ptr().add((row + r) * gates_width + block * width);
                i.store(gates);
                f.store(gates.add(V::LANES));
                g.store(gates.add(2 * V::LANES));
                o.store(gates.add(3 * V::LANES));
            }
        }
    }
}

/// What the backward pass of a step reads.
#[derive(Debug, Clone, Copy)]
pub struct StepTrace<'a, E> {
    /// The step's gates, `[rows, block, gate, lane]`.
    pub gates: &'a [E],
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
    /// With respect to z, `[rows, block, gate, lane]`; overwritten.
    pub z: &'a mut [E],
    /// The same as `[block, row, gate, lane]`, the blocks `blocked_stride` apart; overwritten.
    pub blocked_z: &'a mut [E],
    /// Elements from one block of `blocked_z` to the next.
    pub blocked_stride: usize,
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
    let (blocks, width) = (size.blocks::<E>(set), size.block_width::<E>(set));
    check_length!(gradient.h, rows * size.units);
    check_length!(gradient.c, rows * size.units);
    check_length!(gradient.z, rows * blocks * width);
    check_length!(trace.gates, rows * blocks * width);
    check_length!(trace.c, rows * size.units);
    if let Some(previous_c) = trace.previous_c {
        check_length!(previous_c, rows * size.units);
    }
    assert!(
        gradient.blocked_z.len() >= (blocks - 1) * gradient.blocked_stride + rows * width,
        "blocked_z: {} elements for {blocks} blocks {} apart",
        gradient.blocked_z.len(),
        gradient.blocked_stride
    );
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
        for row in 0..rows {
            for block in 0..blocks {
                let unit = block * V::LANES;
                let used = V::LANES.min(size.units - unit);
                let at = row * size.units + unit;
                // SAFETY: the entry point has checked every length; unit, block and row are within the sizes.
                unsafe {
                    let one = V::splat(E::ONE);
                    let gates = trace.gates.as_ptr().add((row * blocks + block) * width);
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
                    let z = gradient.z.as_mut_ptr().add((row * blocks + block) * width);
                    let blocked =
                        gradient.blocked_z.as_mut_ptr().add(block * gradient.blocked_stride + row * width);
                    for (gate, dz) in dz.iter().enumerate() {
                        dz.store(z.add(gate * V::LANES));
                        dz.store(blocked.add(gate * V::LANES));
                    }
                }
            }
        }
    }
}
