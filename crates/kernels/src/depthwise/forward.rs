//! Forward: neighbouring positions of a row share each weight that is read.

use super::{Geometry, Lanes, for_channels, in_columns};
use crate::{
    Element, InstructionSet, check_length, convolution::Activation, dispatch::Kernel, vector::Vector,
};

/// The outputs of as many images as `input` holds; overwrites `output`.
///
/// # Panics
/// When a length does not fit the geometry.
pub fn forward<E: Element>(
    set: InstructionSet,
    geometry: &Geometry,
    input: &[E],
    weights: &[E],
    bias: &[E],
    activation: Activation,
    output: &mut [E],
) {
    let sliding = &geometry.sliding;
    let (images, channels) = (input.len() / sliding.input_length(), sliding.size().channels);
    check_length!(input, [images, sliding.input_length()]);
    check_length!(weights, [sliding.taps(), channels]);
    check_length!(bias, [channels]);
    check_length!(output, [images, sliding.output_length()]);
    E::dispatch(set, Forward { geometry, images, input, weights, bias, activation, output });
}

struct Forward<'a, E> {
    geometry: &'a Geometry,
    images: usize,
    input: &'a [E],
    weights: &'a [E],
    bias: &'a [E],
    activation: Activation,
    output: &'a mut [E],
}

impl<E: Element> Kernel<E> for Forward<'_, E> {
    type Output = ();
    #[inline(always)]
    unsafe fn run<V: Vector<Element = E>>(self) {
        let sliding = &self.geometry.sliding;
        for row in 0..self.images * sliding.output_height() {
            let output = self.output.as_mut_ptr();
            let job = RowJob {
                geometry: self.geometry,
                input: self.input.as_ptr().wrapping_add(sliding.corner(row * sliding.output_width())),
                weights: self.weights.as_ptr(),
                bias: self.bias.as_ptr(),
                activation: self.activation,
                output: output.wrapping_add(row * sliding.output_width() * sliding.size().channels),
            };
            // SAFETY: the entry point has checked every length; the job's row is one of the images'.
            unsafe { for_channels!(sliding.size().channels, row_of_outputs::<V>(&job)) }
        }
    }
}

/// A row of positions, from its first.
struct RowJob<'a, E> {
    geometry: &'a Geometry,
    input: *const E,
    weights: *const E,
    bias: *const E,
    activation: Activation,
    output: *mut E,
}

/// # Safety
/// The job's pointers have its row behind them, and `channel` begins a vector of `lanes`.
#[inline(always)]
unsafe fn row_of_outputs<V: Vector, const WHOLE: bool>(
    channel: usize,
    lanes: Lanes<WHOLE>,
    job: &RowJob<V::Element>,
) {
    // SAFETY: the caller's promise.
    unsafe { in_columns!(0..job.geometry.sliding.output_width(), outputs::<V, WHOLE>(channel, lanes, job)) }
}

/// # Safety
/// As [`row_of_outputs`], for the columns `first..first + COLUMNS`.
#[inline(always)]
unsafe fn outputs<V: Vector, const COLUMNS: usize, const WHOLE: bool>(
    first: usize,
    channel: usize,
    lanes: Lanes<WHOLE>,
    job: &RowJob<V::Element>,
) {
    let size = job.geometry.sliding.size();
    let channels = size.channels;
    let (step, row_step) = (size.stride * channels, size.dilation * job.geometry.sliding.row_stride());
    // SAFETY: every tap of every position lies within the image.
    unsafe {
        let mut sums = [lanes.load::<V>(job.bias.add(channel)); COLUMNS];
        let mut weights = job.weights.add(channel);
        for row in 0..size.kernel_height {
            let mut pixels = job.input.add(row * row_step + first * step + channel);
            for _ in 0..size.kernel_width {
                let weight = lanes.load::<V>(weights);
                for (index, sum) in sums.iter_mut().enumerate() {
                    *sum = lanes.load::<V>(pixels.add(index * step)).mul_add(weight, *sum);
                }
                weights = weights.wrapping_add(channels);
                pixels = pixels.wrapping_add(size.dilation * channels);
            }
        }
        for (index, sum) in sums.into_iter().enumerate() {
            let sum = match job.activation {
                Activation::Linear => sum,
                Activation::Relu => sum.maximum(V::zero()),
            };
            lanes.store(sum, job.output.add((first + index) * channels + channel));
        }
    }
}
