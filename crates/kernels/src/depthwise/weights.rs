//! The gradient of the weights: some taps' sums at once, over all images and positions.

use super::{Geometry, Lanes, for_channels};
use crate::{
    Element, InstructionSet, check_length, columns::add_column_sums, dispatch::Kernel, vector::Vector,
};

/// `d_weights[i, j, c] += Σ over images and positions of d_output · input`, `d_bias[c] += Σ d_output`; `d_output` is the
/// derivative with respect to what came before the activation.
///
/// # Panics
/// When a length does not fit the geometry.
pub fn backward_weights<E: Element>(
    set: InstructionSet,
    geometry: &Geometry,
    input: &[E],
    d_output: &[E],
    d_weights: &mut [E],
    d_bias: &mut [E],
) {
    let sliding = &geometry.sliding;
    let (images, channels) = (input.len() / sliding.input_length(), sliding.size().channels);
    check_length!(input, [images, sliding.input_length()]);
    check_length!(d_output, [images, sliding.output_length()]);
    check_length!(d_weights, [sliding.taps(), channels]);
    check_length!(d_bias, [channels]);
    add_column_sums(set, d_output, d_bias);
    E::dispatch(set, BackwardWeights { geometry, images, input, d_output, d_weights });
}

struct BackwardWeights<'a, E> {
    geometry: &'a Geometry,
    images: usize,
    input: &'a [E],
    d_output: &'a [E],
    d_weights: &'a mut [E],
}

impl<E: Element> Kernel<E> for BackwardWeights<'_, E> {
    type Output = ();
    #[inline(always)]
    unsafe fn run<V: Vector<Element = E>>(mut self) {
        // SAFETY: the entry point has checked every length.
        unsafe { for_channels!(self.geometry.sliding.size().channels, channels::<V>(&mut self)) }
    }
}

/// # Safety
/// The job's lengths fit its geometry, and `channel` begins a vector of `lanes`.
#[inline(always)]
unsafe fn channels<V: Vector, const WHOLE: bool>(
    channel: usize,
    lanes: Lanes<WHOLE>,
    job: &mut BackwardWeights<V::Element>,
) {
    let taps = job.geometry.sliding.taps();
    let mut tap = 0;
    // SAFETY: the caller's promise; the taps are the kernel's.
    unsafe {
        // 3×3 is nine; 5×5 is sixteen and nine, where there are registers for so many sums.
        while const { V::REGISTERS >= 32 } && taps - tap >= 16 {
            add_taps::<V, 16, WHOLE>(tap, channel, lanes, job);
            tap += 16;
        }
        while taps - tap >= 9 {
            add_taps::<V, 9, WHOLE>(tap, channel, lanes, job);
            tap += 9;
        }
        while taps - tap >= 4 {
            add_taps::<V, 4, WHOLE>(tap, channel, lanes, job);
            tap += 4;
        }
        while tap < taps {
            add_taps::<V, 1, WHOLE>(tap, channel, lanes, job);
            tap += 1;
        }
    }
}

/// # Safety
/// As [`channels`]; the taps `first..first + TAPS` are the kernel's.
#[inline(always)]
unsafe fn add_taps<V: Vector, const TAPS: usize, const WHOLE: bool>(
    first: usize,
    channel: usize,
    lanes: Lanes<WHOLE>,
    job: &mut BackwardWeights<V::Element>,
) {
    let sliding = &job.geometry.sliding;
    let size = sliding.size();
    // SAFETY: every tap of every position lies within its image; the taps have their channels' weights.
    unsafe {
        let d_weights = job.d_weights.as_mut_ptr().add(first * size.channels + channel);
        let (mut sums, mut offsets) = ([V::zero(); TAPS], [0; TAPS]);
        for tap in 0..TAPS {
            sums[tap] = lanes.load(d_weights.add(tap * size.channels));
            offsets[tap] = sliding.tap(first + tap) + channel;
        }
        let mut d_output = job.d_output.as_ptr().wrapping_add(channel);
        for row in 0..job.images * sliding.output_height() {
            let mut pixel = job.input.as_ptr().add(sliding.corner(row * sliding.output_width()));
            for _ in 0..sliding.output_width() {
                let gradient = lanes.load::<V>(d_output);
                for tap in 0..TAPS {
                    sums[tap] = gradient.mul_add(lanes.load(pixel.add(offsets[tap])), sums[tap]);
                }
                d_output = d_output.wrapping_add(size.channels);
                pixel = pixel.wrapping_add(size.stride * size.channels);
            }
        }
        for (tap, sum) in sums.into_iter().enumerate() {
            lanes.store(sum, d_weights.add(tap * size.channels));
        }
    }
}
