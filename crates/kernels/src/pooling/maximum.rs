//! The largest value of each window, and which tap it came from.

use super::Writing;
use crate::{Element, InstructionSet, check_length, dispatch::Kernel, sliding::Sliding, vector::Vector};

/// The largest values of as many images as `input` holds, and their taps' numbers as elements, exact for fewer than 2²⁴
/// taps; overwrites both.
///
/// # Panics
/// When a length does not fit the windows, or a window has 2²⁴ taps or more.
pub fn maximum<E: Element>(
    set: InstructionSet,
    windows: &Sliding,
    input: &[E],
    output: &mut [E],
    winners: &mut [E],
) {
    let images = input.len() / windows.input_length();
    check_length!(input, [images, windows.input_length()]);
    check_length!(output, [images, windows.output_length()]);
    check_length!(winners, [output.len()]);
    assert!(windows.taps() < 1 << 24, "a window of {} taps", windows.taps());
    E::dispatch(set, Maximum { windows, images, input, output, winners });
}

/// Derivative with respect to the input of as many images as `d_input` holds: each output's goes to the tap that won it;
/// overwrites `d_input`.
///
/// # Panics
/// When a length does not fit the windows.
pub fn maximum_backward<E: Element>(
    set: InstructionSet,
    windows: &Sliding,
    winners: &[E],
    d_output: &[E],
    d_input: &mut [E],
) {
    let images = d_input.len() / windows.input_length();
    check_length!(d_input, [images, windows.input_length()]);
    check_length!(d_output, [images, windows.output_length()]);
    check_length!(winners, [d_output.len()]);
    let writing = Writing::prepare(windows, d_input);
    E::dispatch(set, MaximumBackward { windows, images, winners, d_output, writing, d_input });
}

struct Maximum<'a, E> {
    windows: &'a Sliding,
    images: usize,
    input: &'a [E],
    output: &'a mut [E],
    winners: &'a mut [E],
}

impl<E: Element> Kernel<E> for Maximum<'_, E> {
    type Output = ();
    #[inline(always)]
    unsafe fn run<V: Vector<Element = E>>(self) {
        let (windows, size) = (self.windows, self.windows.size());
        for (position, corner) in windows.corners(self.images).enumerate() {
            for channel in (0..size.channels).step_by(V::LANES) {
                let count = V::LANES.min(size.channels - channel);
                // SAFETY: every tap of the window lies within its image, with `count` more channels; the outputs are as long as
                // the entry point has checked.
                unsafe {
                    let from = self.input.as_ptr().add(corner + channel);
                    let (mut best, mut winner) = (V::load_first(from, count), V::zero());
                    let mut tap = V::zero();
                    for offset in windows.tap_offsets().skip(1) {
                        tap = tap.add(V::splat(E::ONE));
                        (best, winner) = best.larger(winner, V::load_first(from.add(offset), count), tap);
                    }
                    let to = position * size.channels + channel;
                    best.store_first(self.output.as_mut_ptr().add(to), count);
                    winner.store_first(self.winners.as_mut_ptr().add(to), count);
                }
            }
        }
    }
}

struct MaximumBackward<'a, E> {
    windows: &'a Sliding,
    images: usize,
    winners: &'a [E],
    d_output: &'a [E],
    writing: Writing,
    d_input: &'a mut [E],
}

impl<E: Element> Kernel<E> for MaximumBackward<'_, E> {
    type Output = ();
    #[inline(always)]
    unsafe fn run<V: Vector<Element = E>>(self) {
        let (windows, size) = (self.windows, self.windows.size());
        for (position, corner) in windows.corners(self.images).enumerate() {
            for channel in (0..size.channels).step_by(V::LANES) {
                let count = V::LANES.min(size.channels - channel);
                // SAFETY: as for `Maximum`.
                unsafe {
                    let from = position * size.channels + channel;
                    let gradient = V::load_first(self.d_output.as_ptr().add(from), count);
                    let winner = V::load_first(self.winners.as_ptr().add(from), count);
                    let to = self.d_input.as_mut_ptr().add(corner + channel);
                    let mut tap = V::zero();
                    for offset in windows.tap_offsets() {
                        let to = to.add(offset);
                        let others = match self.writing {
                            Writing::Added => V::load_first(to, count),
                            Writing::Once => V::zero(),
                        };
                        others.add(gradient.where_equal(winner, tap)).store_first(to, count);
                        tap = tap.add(V::splat(E::ONE));
                    }
                }
            }
        }
    }
}
