//! One step of a gated recurrent unit (Cho et al., 2014), but for its products.
//!
//! With x the step's input and h the state before it,
//!
//!   r = σ(x·W_r + bᵢ_r + h·U_r + bₕ_r), z = σ(x·W_z + bᵢ_z + h·U_z + bₕ_z),
//!   p = h·U_g + bₕ_g, g = tanh(x·W_g + bᵢ_g + r·p), h' = z·h + (1 − z)·g.
//!
//! The reset gate r is applied after the recurrent product, as in Keras's `reset_after=True`, PyTorch and cuDNN; in
//! the paper it is applied to h before it.
//!
//! A row of the kernels is `[4, units]`: g, z, r, p. What x adds to lies in its first three quarters and what h adds to
//! in its last three, so each product writes to columns that stand together.

use crate::{
    Element, InstructionSet,
    activation::{sigmoid, tanh},
    check_length,
    dispatch::Kernel,
    vector::Vector,
};

/// Gates of a unit: z, r, g.
pub const GATES: usize = 3;

/// Values of a unit in a row: g, z, r, p.
pub const VALUES: usize = 4;

/// From the sums, the gates and the state of as many rows as `h` holds.
///
/// `values [rows, 4, units]` are the sums on entry, and g, z, r and p on return; p stays. `previous_h` and `h` are
/// `[rows, units]`; `h` is overwritten.
///
/// # Panics
/// When a length does not fit the units.
pub fn forward_step<E: Element>(
    set: InstructionSet,
    units: usize,
    previous_h: &[E],
    values: &mut [E],
    h: &mut [E],
) {
    let rows = h.len() / units;
    check_length!(h, [rows, units]);
    check_length!(previous_h, [rows, units]);
    check_length!(values, [rows, VALUES, units]);
    E::dispatch(set, Forward { units, previous_h, values, h });
}

struct Forward<'a, E> {
    units: usize,
    previous_h: &'a [E],
    values: &'a mut [E],
    h: &'a mut [E],
}

impl<E: Element> Kernel<E> for Forward<'_, E> {
    type Output = ();
    #[inline(always)]
    unsafe fn run<V: Vector<Element = E>>(self) {
        let Self { units, previous_h, values, h } = self;
        for row in 0..h.len() / units {
            for unit in (0..units).step_by(V::LANES) {
                let used = V::LANES.min(units - unit);
                // SAFETY: the entry point has checked every length; `used` units from `unit` on are within the row.
                unsafe {
                    let at = row * units + unit;
                    let values = values.as_mut_ptr().add(row * VALUES * units + unit);
                    let [g, z, r, p] =
                        [0, 1, 2, 3].map(|value| V::load_first(values.add(value * units), used));
                    let (z, r) = (sigmoid(z), sigmoid(r));
                    let g = tanh(r.mul_add(p, g));
                    let before = V::load_first(previous_h.as_ptr().add(at), used);
                    z.mul_add(before.sub(g), g).store_first(h.as_mut_ptr().add(at), used);
                    for (value, gate) in [g, z, r].into_iter().enumerate() {
                        gate.store_first(values.add(value * units), used);
                    }
                }
            }
        }
    }
}

/// The derivatives of one step, but for the products with the weights.
///
/// dg = dh'·(1 − z)·(1 − g²), dz = dh'·(h − g)·z(1 − z), dr = dg·p·r(1 − r), dp = dg·r, each with respect to the sum
/// in that place; dh = dh'·z, to which the product of dz, dr and dp with the transposed weights is still to be added.
///
/// `values [rows, 4, units]` are those of [`forward_step`] on entry, the derivatives on return; `d_h [rows, units]` is dh'
/// on entry, dh on return.
///
/// # Panics
/// When a length does not fit the units.
pub fn backward_step<E: Element>(
    set: InstructionSet,
    units: usize,
    previous_h: &[E],
    values: &mut [E],
    d_h: &mut [E],
) {
    let rows = d_h.len() / units;
    check_length!(d_h, [rows, units]);
    check_length!(previous_h, [rows, units]);
    check_length!(values, [rows, VALUES, units]);
    E::dispatch(set, Backward { units, previous_h, values, d_h });
}

struct Backward<'a, E> {
    units: usize,
    previous_h: &'a [E],
    values: &'a mut [E],
    d_h: &'a mut [E],
}

impl<E: Element> Kernel<E> for Backward<'_, E> {
    type Output = ();
    #[inline(always)]
    unsafe fn run<V: Vector<Element = E>>(self) {
        let Self { units, previous_h, values, d_h } = self;
        for row in 0..d_h.len() / units {
            for unit in (0..units).step_by(V::LANES) {
                let used = V::LANES.min(units - unit);
                // SAFETY: the entry point has checked every length; `used` units from `unit` on are within the row.
                unsafe {
                    let at = row * units + unit;
                    let one = V::splat(E::ONE);
                    let values = values.as_mut_ptr().add(row * VALUES * units + unit);
                    let [g, z, r, p] =
                        [0, 1, 2, 3].map(|value| V::load_first(values.add(value * units), used));
                    let before = V::load_first(previous_h.as_ptr().add(at), used);
                    let d_h = d_h.as_mut_ptr().add(at);
                    let dh = V::load_first(d_h, used);
                    let not_z = one.sub(z);
                    let dg = dh.mul(not_z).mul(one.sub(g.mul(g)));
                    let dz = dh.mul(before.sub(g)).mul(z.mul(not_z));
                    let dr = dg.mul(p).mul(r.mul(one.sub(r)));
                    for (value, derivative) in [dg, dz, dr, dg.mul(r)].into_iter().enumerate() {
                        derivative.store_first(values.add(value * units), used);
                    }
                    dh.mul(z).store_first(d_h, used);
                }
            }
        }
    }
}
