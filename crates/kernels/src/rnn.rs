//! One step of a simple recurrent layer (Elman, 1990), h' = tanh(x·W + h·U + b), but for its products.

use crate::{Element, InstructionSet, activation::tanh, check_length, dispatch::Kernel, vector::Vector};

/// h' = tanh of the sums; overwrites `h`.
///
/// # Panics
/// When the lengths differ.
pub fn forward_step<E: Element>(set: InstructionSet, sums: &[E], h: &mut [E]) {
    struct Forward<'a, E>(&'a [E], &'a mut [E]);
    impl<E: Element> Kernel<E> for Forward<'_, E> {
        type Output = ();
        #[inline(always)]
        unsafe fn run<V: Vector<Element = E>>(self) {
            let Self(sums, h) = self;
            for at in (0..sums.len()).step_by(V::LANES) {
                let count = V::LANES.min(sums.len() - at);
                // SAFETY: `count` elements from `at` on lie within both slices, whose lengths are the same.
                unsafe {
                    let sums = V::load_first(sums.as_ptr().add(at), count);
                    tanh(sums).store_first(h.as_mut_ptr().add(at), count);
                }
            }
        }
    }
    check_length!(h, [sums.len()]);
    E::dispatch(set, Forward(sums, h));
}

/// The derivative with respect to the sums, dh'·(1 − h'²); overwrites `d_sums`.
///
/// # Panics
/// When the lengths differ.
pub fn backward_step<E: Element>(set: InstructionSet, h: &[E], d_h: &[E], d_sums: &mut [E]) {
    struct Backward<'a, E> {
        h: &'a [E],
        d_h: &'a [E],
        d_sums: &'a mut [E],
    }
    impl<E: Element> Kernel<E> for Backward<'_, E> {
        type Output = ();
        #[inline(always)]
        unsafe fn run<V: Vector<Element = E>>(self) {
            let Self { h, d_h, d_sums } = self;
            for at in (0..h.len()).step_by(V::LANES) {
                let count = V::LANES.min(h.len() - at);
                // SAFETY: `count` elements from `at` on lie within all three slices, whose lengths are the same.
                unsafe {
                    let h = V::load_first(h.as_ptr().add(at), count);
                    let d_h = V::load_first(d_h.as_ptr().add(at), count);
                    let slope = V::splat(E::ONE).sub(h.mul(h));
                    d_h.mul(slope).store_first(d_sums.as_mut_ptr().add(at), count);
                }
            }
        }
    }
    check_length!(d_h, [h.len()]);
    check_length!(d_sums, [h.len()]);
    E::dispatch(set, Backward { h, d_h, d_sums });
}
