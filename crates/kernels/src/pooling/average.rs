//! The mean of each window.

use super::Writing;
use crate::{Element, InstructionSet, check_length, dispatch::Kernel, sliding::Sliding, vector::Vector};

/// The means of as many images as `input` holds; overwrites `output`.
///
/// # Panics
/// When a length does not fit the windows.
pub fn average<E: Element>(set: InstructionSet, windows: &Sliding, input: &[E], output: &mut [E]) {
    let images = input.len() / windows.input_length();
    check_length!(input, [images, windows.input_length()]);
    check_length!(output, [images, windows.output_length()]);
    E::dispatch(set, Average { windows, images, input, output });
}

/// Derivative with respect to the input of as many images as `d_input` holds: each tap gets its share of the output's;
/// overwrites `d_input`.
///
/// # Panics
/// When a length does not fit the windows.
pub fn average_backward<E: Element>(
    set: InstructionSet,
    windows: &Sliding,
    d_output: &[E],
    d_input: &mut [E],
) {
    let images = d_input.len() / windows.input_length();
    check_length!(d_input, [images, windows.input_length()]);
    check_length!(d_output, [images, windows.output_length()]);
    let writing = Writing::prepare(windows, d_input);
    E::dispatch(set, AverageBackward { windows, images, d_output, writing, d_input });
}

struct Average<'a, E> {
    windows: &'a Sliding,
    images: usize,
    input: &'a [E],
    output: &'a mut [E],
}

impl<E: Element> Kernel<E> for Average<'_, E> {
    type Output = ();
    #[inline(always)]
    unsafe fn run<V: Vector<Element = E>>(self) {
        let (windows, size) = (self.windows, self.windows.size());
        for (position, corner) in windows.corners(self.images).enumerate() {
            for channel in (0..size.channels).step_by(V::LANES) {
                let count = V::LANES.min(size.channels - channel);
                // SAFETY: every tap of the window lies within its image, with `count` more channels; the output is as long as the
                // entry point has checked.
                unsafe {
                    let from = self.input.as_ptr().add(corner + channel);
                    let mut sum = V::load_first(from, count);
                    for offset in windows.tap_offsets().skip(1) {
                        sum = sum.add(V::load_first(from.add(offset), count));
                    }
                    let to = self.output.as_mut_ptr().add(position * size.channels + channel);
                    divide(sum, windows.taps()).store_first(to, count);
                }
            }
        }
    }
}

struct AverageBackward<'a, E> {
    windows: &'a Sliding,
    images: usize,
    d_output: &'a [E],
    writing: Writing,
    d_input: &'a mut [E],
}

impl<E: Element> Kernel<E> for AverageBackward<'_, E> {
    type Output = ();
    #[inline(always)]
    unsafe fn run<V: Vector<Element = E>>(self) {
        let (windows, size) = (self.windows, self.windows.size());
        for (position, corner) in windows.corners(self.images).enumerate() {
            for channel in (0..size.channels).step_by(V::LANES) {
                let count = V::LANES.min(size.channels - channel);
                // SAFETY: as for `Average`.
                unsafe {
                    let from = self.d_output.as_ptr().add(position * size.channels + channel);
                    let share = divide(V::load_first(from, count), windows.taps());
                    let to = self.d_input.as_mut_ptr().add(corner + channel);
                    for offset in windows.tap_offsets() {
                        let to = to.add(offset);
                        let others = match self.writing {
                            Writing::Added => V::load_first(to, count),
                            Writing::Once => V::zero(),
                        };
                        others.add(share).store_first(to, count);
                    }
                }
            }
        }
    }
}

/// `sum / taps`, by a product where that has the same bits and takes a fraction of the time.
#[inline(always)]
fn divide<V: Vector>(sum: V, taps: usize) -> V {
    let taps_as_element = V::Element::from_f64(taps as f64);
    if taps.is_power_of_two() {
        sum.mul(sum.like(V::Element::ONE / taps_as_element))
    } else {
        sum.div(sum.like(taps_as_element))
    }
}
