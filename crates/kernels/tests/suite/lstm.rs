//! The step of an LSTM against its equations in f64.

use crate::common::{Guard, Guarded, Number, Random, assert_same_bits, on_every_set};
use kernels::{
    InstructionSet,
    lstm::{
        Blocked, GATES, Size, State, StepGradient, StepOutput, StepTrace, add_unblocked, backward_step,
        block_rows, forward_step, pack_transposed,
    },
    matmul::{Matrix, Output, lanes, multiply, packed_length},
};

/// Around the lanes of every set (4, 8, 16), a chunk of the weights and the tiles of 1, 2, 4 and 6 rows.
const UNITS: [usize; 10] = [1, 3, 4, 7, 8, 9, 15, 17, 33, 129];
const ROWS: [usize; 8] = [1, 2, 3, 5, 6, 7, 12, 13];

/// A layer and a state in f64, and their rounding in the kernel's type.
struct Problem<E> {
    size: Size,
    weights: Vec<E>,
    bias: Vec<E>,
    x: Vec<E>,
    h: Vec<E>,
    c: Vec<E>,
}

impl<E: Number> Problem<E> {
    fn new(units: usize, rows: usize) -> Self {
        let size = Size { inputs: units % 5 + 1, units };
        let mut random = Random::new((units * 100 + rows) as u64);
        Self {
            size,
            weights: random.reals((size.inputs + units) * GATES * units),
            bias: random.reals(GATES * units),
            x: random.reals(rows * size.inputs),
            h: random.reals(rows * units),
            c: random.reals(rows * units),
        }
    }

    /// The blocked weights and bias.
    fn packed(&self, set: InstructionSet) -> (Vec<E>, Vec<E>) {
        let (size, width) = (self.size, self.size.block_width::<E>(set));
        let mut weights = vec![E::NAN; size.packed_length::<E>(set)];
        let mut bias = vec![E::NAN; size.gates_width::<E>(set)];
        let block_length = (size.inputs + size.units) * width;
        for block in 0..size.blocks::<E>(set) {
            block_rows(set, size, &self.weights, block, &mut weights[block * block_length..][..block_length]);
            block_rows(set, size, &self.bias, block, &mut bias[block * width..][..width]);
        }
        (weights, bias)
    }

    /// For a row and unit: the gates i, f, g, o, then c' and h', by the equations.
    fn expected(&self, row: usize, unit: usize, with_state: bool) -> [f64; 6] {
        let Size { inputs, units } = self.size;
        let z = |gate: usize| {
            let column = gate * units + unit;
            let product = |values: &[E], first_row: usize| -> f64 {
                values
                    .iter()
                    .enumerate()
                    .map(|(k, value)| {
                        value.to_f64() * self.weights[(first_row + k) * GATES * units + column].to_f64()
                    })
                    .sum()
            };
            let x = product(&self.x[row * inputs..][..inputs], 0);
            let h = if with_state { product(&self.h[row * units..][..units], inputs) } else { 0.0 };
            self.bias[column].to_f64() + x + h
        };
        let sigmoid = |z: f64| 1.0 / (1.0 + (-z).exp());
        let [i, f, g, o] = [sigmoid(z(0)), sigmoid(z(1)), z(2).tanh(), sigmoid(z(3))];
        let before = if with_state { self.c[row * units + unit].to_f64() } else { 0.0 };
        let c = f * before + i * g;
        [i, f, g, o, c, o * c.tanh()]
    }

    /// h, c and the gates `[block, row, gate, lane]` of the first `rows` rows from `first` on.
    fn forward(&self, set: InstructionSet, first: usize, rows: usize, with_state: bool) -> [Vec<E>; 3]
    where
        E: Guard,
    {
        let Size { inputs, units } = self.size;
        let (weights, bias) = self.packed(set);
        let x = Guarded::input(&self.x[first * inputs..][..rows * inputs], 3);
        let h_before = Guarded::input(&self.h[first * units..][..rows * units], 1);
        let c_before = Guarded::input(&self.c[first * units..][..rows * units], 2);
        let mut h = Guarded::stale(rows * units, 1);
        let mut c = Guarded::stale(rows * units, 2);
        let mut gates = Guarded::stale(rows * self.size.gates_width::<E>(set), 3);
        let stride = rows * self.size.block_width::<E>(set);
        let state = with_state.then_some(State { h: &h_before, c: &c_before });
        let output = StepOutput { h: &mut h, c: &mut c, gates: Blocked { values: &mut gates, stride } };
        forward_step(set, self.size, &x, state, &weights, &bias, output);
        [h.to_vec(), c.to_vec(), gates.to_vec()]
    }
}

/// The error of a sum of that many products of values below 1, through functions whose slope is below 1, with the few
/// units of the functions themselves.
fn tolerance<E: Number>(size: Size) -> f64 {
    E::EPSILON * ((size.inputs + size.units) as f64 * 2.0 + 16.0)
}

#[test]
fn forward_follows_the_equations() {
    fn check<E: Number + Guard>(set: InstructionSet) {
        for (units, rows) in UNITS.into_iter().flat_map(|units| ROWS.map(|rows| (units, rows))) {
            let problem = Problem::<E>::new(units, rows);
            for with_state in [false, true] {
                let [h, c, gates] = problem.forward(set, 0, rows, with_state);
                let (width, lanes) = (problem.size.block_width::<E>(set), lanes::<E>(set));
                for (row, unit) in (0..rows).flat_map(|row| (0..units).map(move |unit| (row, unit))) {
                    let at = (unit / lanes * rows + row) * width + unit % lanes;
                    let gate = |gate: usize| gates[at + gate * lanes].to_f64();
                    let cell = row * units + unit;
                    let found = [gate(0), gate(1), gate(2), gate(3), c[cell].to_f64(), h[cell].to_f64()];
                    let expected = problem.expected(row, unit, with_state);
                    for (found, expected) in found.iter().zip(expected) {
                        assert!(
                            (found - expected).abs() <= tolerance::<E>(problem.size),
                            "{}, {units} units, {rows} rows, row {row}, unit {unit}: {found}, {expected} expected",
                            set.name()
                        );
                    }
                }
            }
        }
    }
    on_every_set!(check);
}

#[test]
fn rows_in_slices_give_the_same_bits() {
    fn check<E: Number + Guard>(set: InstructionSet) {
        let problem = Problem::<E>::new(17, 13);
        let whole = problem.forward(set, 0, 13, true);
        for rows in [1, 2, 5, 6] {
            let mut parts: [Vec<E>; 2] = Default::default();
            for first in (0..13).step_by(rows) {
                let part = problem.forward(set, first, rows.min(13 - first), true);
                parts.iter_mut().zip(part).for_each(|(all, part)| all.extend(part));
            }
            for (parts, whole) in parts.iter().zip(&whole) {
                assert_same_bits(parts, whole, format!("{rows} rows at once, {}", set.name()));
            }
        }
    }
    on_every_set!(check);
}

/// dz and dc by the equations at the kernel's doc, from the gates that the forward pass left.
#[test]
fn backward_follows_the_equations() {
    fn check<E: Number + Guard>(set: InstructionSet) {
        for (units, rows) in UNITS.into_iter().flat_map(|units| [1, 3].map(|rows| (units, rows))) {
            let problem = Problem::<E>::new(units, rows);
            let [_, c, gates] = problem.forward(set, 0, rows, true);
            let (width, lanes) = (problem.size.block_width::<E>(set), lanes::<E>(set));
            let blocks = problem.size.blocks::<E>(set);
            let mut random = Random::new(9);
            let (d_h, d_c): (Vec<E>, Vec<E>) = (random.reals(rows * units), random.reals(rows * units));
            for with_state in [false, true] {
                let mut d_c_after = Guarded::output(&d_c, 1);
                // Blocks stand further apart than they must, as they do within a longer sequence.
                let stride = (rows + 2) * width;
                let mut z = Guarded::stale(blocks * stride, 3);
                for (from, to) in gates.chunks_exact(rows * width).zip(z.chunks_exact_mut(stride)) {
                    to[..rows * width].copy_from_slice(from);
                }
                backward_step(
                    set,
                    problem.size,
                    StepTrace { c: &c, previous_c: with_state.then_some(&problem.c) },
                    StepGradient { h: &d_h, c: &mut d_c_after, gates: Blocked { values: &mut z, stride } },
                );
                for (row, unit) in (0..rows).flat_map(|row| (0..units).map(move |unit| (row, unit))) {
                    let (block, lane, cell) = (unit / lanes, unit % lanes, row * units + unit);
                    let at = |gate: usize| row * width + gate * lanes + lane;
                    let [i, f, g, o] =
                        [0, 1, 2, 3].map(|gate| gates[block * rows * width + at(gate)].to_f64());
                    let tanh_c = c[cell].to_f64().tanh();
                    let before = if with_state { problem.c[cell].to_f64() } else { 0.0 };
                    let dh = d_h[cell].to_f64();
                    let dc = d_c[cell].to_f64() + dh * o * (1.0 - tanh_c * tanh_c);
                    let expected = [
                        dc * g * i * (1.0 - i),
                        dc * before * f * (1.0 - f),
                        dc * i * (1.0 - g * g),
                        dh * tanh_c * o * (1.0 - o),
                    ];
                    for (gate, expected) in expected.into_iter().enumerate() {
                        let found = z[block * stride + at(gate)];
                        assert!(
                            (found.to_f64() - expected).abs() <= 16.0 * E::EPSILON,
                            "{found}, {expected} expected"
                        );
                    }
                    assert!((d_c_after[cell].to_f64() - dc * f).abs() <= 16.0 * E::EPSILON);
                }
                let unused = (0..blocks * stride)
                    .filter(|at| at % stride < rows * width && at / stride * lanes + at % lanes >= units);
                for at in unused {
                    assert_eq!(z[at], E::ZERO, "a lane beyond the last unit");
                }
            }
        }
    }
    on_every_set!(check);
}

/// Packing and then multiplying by the identity gives each block's transposed weights.
#[test]
fn transposed_weights_are_in_blocked_order() {
    fn check<E: Number + Guard>(set: InstructionSet) {
        for units in UNITS {
            let problem = Problem::<E>::new(units, 1);
            let Size { inputs, .. } = problem.size;
            let (width, lanes) = (problem.size.block_width::<E>(set), lanes::<E>(set));
            let mut identity = vec![E::ZERO; width * width];
            (0..width).for_each(|at| identity[at * width + at] = E::ONE);
            let (kernel, recurrent) = problem.weights.split_at(inputs * GATES * units);
            for (weights, columns) in [(kernel, inputs), (recurrent, units)] {
                for block in 0..problem.size.blocks::<E>(set) {
                    let mut packed = Guarded::stale(packed_length::<E>(set, width, columns), 1);
                    pack_transposed(set, problem.size, weights, block, &mut packed);
                    let mut transposed = vec![E::NAN; width * columns];
                    let identity = Matrix::new(&identity, width, width);
                    multiply(set, identity, &packed, columns, &mut transposed, Output::Overwrite);
                    for (row, found) in transposed.chunks_exact(columns).enumerate() {
                        let (gate, unit) = (row / lanes, block * lanes + row % lanes);
                        for (k, found) in found.iter().enumerate() {
                            let place = k * GATES * units + gate * units + unit;
                            let expected = if unit < units { weights[place] } else { E::ZERO };
                            assert_eq!(
                                *found,
                                expected,
                                "{}, {units} units, row {row}, column {k}",
                                set.name()
                            );
                        }
                    }
                }
            }
        }
    }
    on_every_set!(check);
}

#[test]
fn unblocking_undoes_blocking_and_adds() {
    fn check<E: Number + Guard>(set: InstructionSet) {
        for units in UNITS {
            let size = Size { inputs: 2, units };
            let rows: Vec<E> = Random::new(units as u64).whole(3 * GATES * units, 50);
            let start: Vec<E> = Random::new(7).whole(GATES * units, 50);
            let length = 3 * size.block_width::<E>(set);
            let mut blocked = vec![E::NAN; size.blocks::<E>(set) * length];
            for (block, blocked) in blocked.chunks_exact_mut(length).enumerate() {
                block_rows(set, size, &rows, block, blocked);
            }
            for (index, row) in rows.chunks_exact(GATES * units).enumerate() {
                let mut sums = Guarded::output(&start, 1);
                add_unblocked(set, size, &blocked, index, &mut sums);
                let expected: Vec<E> = row.iter().zip(&start).map(|(a, b)| *a + *b).collect();
                assert_same_bits(&sums, &expected, format!("{units} units, {}", set.name()));
            }
        }
    }
    on_every_set!(check);
}

/// Columns that are zero in every row are left out: not a bit may tell.
#[test]
fn dark_columns_change_nothing() {
    fn check<E: Number + Guard>(set: InstructionSet) {
        for dark in [0..0, 0..2, 3..4, 1..3, 0..4] {
            let mut problem = Problem::<E>::new(8, 7);
            assert_eq!(problem.size.inputs, 4);
            for row in problem.x.chunks_exact_mut(4) {
                row[dark.clone()].fill(E::ZERO);
            }
            for with_state in [false, true] {
                let whole = problem.forward(set, 0, 7, with_state);
                // A weight that meets zeros only is any number.
                let mut other = Problem::<E>::new(8, 7);
                other.x.clone_from(&problem.x);
                other.weights[dark.start * GATES * 8..dark.end * GATES * 8].fill(E::from_f64(1000.0));
                for (found, expected) in other.forward(set, 0, 7, with_state).iter().zip(&whole) {
                    assert_same_bits(found, expected, format!("{}, dark {dark:?}", set.name()));
                }
            }
        }
    }
    on_every_set!(check);
}

#[test]
#[should_panic(expected = "output.h: 6 elements expected, 5 found")]
fn a_state_too_short() {
    let (set, size) = (InstructionSet::PORTABLE, Size { inputs: 1, units: 3 });
    let weights = vec![0f32; size.packed_length::<f32>(set)];
    let bias = vec![0f32; size.gates_width::<f32>(set)];
    let (mut h, mut c, mut gates) =
        (vec![0f32; 5], vec![0f32; 6], vec![0f32; 2 * size.gates_width::<f32>(set)]);
    let stride = gates.len();
    let output = StepOutput { h: &mut h, c: &mut c, gates: Blocked { values: &mut gates, stride } };
    forward_step(set, size, &[0.0, 0.0], None, &weights, &bias, output);
}
