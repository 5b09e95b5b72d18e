//! The depthwise convolution by its definition: what the kernels are held against.

use super::Geometry;
use crate::{Element, convolution::Activation};

/// As [`super::forward`].
pub fn forward_reference<E: Element>(
    geometry: &Geometry,
    input: &[E],
    weights: &[E],
    bias: &[E],
    activation: Activation,
    output: &mut [E],
) {
    for (at, output) in output.iter_mut().enumerate() {
        let mut sum = bias[at % geometry.sliding.size().channels];
        for (pixel, weight) in pairs(geometry, at) {
            sum += input[pixel] * weights[weight];
        }
        *output = if activation == Activation::Relu && sum <= E::ZERO { E::ZERO } else { sum };
    }
}

/// As [`super::backward_weights`].
pub fn backward_weights_reference<E: Element>(
    geometry: &Geometry,
    input: &[E],
    d_output: &[E],
    d_weights: &mut [E],
    d_bias: &mut [E],
) {
    for (at, gradient) in d_output.iter().enumerate() {
        d_bias[at % geometry.sliding.size().channels] += *gradient;
        for (pixel, weight) in pairs(geometry, at) {
            d_weights[weight] += *gradient * input[pixel];
        }
    }
}

/// As [`super::backward_input`].
pub fn backward_input_reference<E: Element>(
    geometry: &Geometry,
    weights: &[E],
    d_output: &[E],
    d_input: &mut [E],
) {
    d_input.fill(E::ZERO);
    for (at, gradient) in d_output.iter().enumerate() {
        for (pixel, weight) in pairs(geometry, at) {
            d_input[pixel] += *gradient * weights[weight];
        }
    }
}

/// The pixels that the output `at` reads, with their weights.
fn pairs(geometry: &Geometry, at: usize) -> impl Iterator<Item = (usize, usize)> {
    let size = *geometry.sliding.size();
    let (rows, columns) = (geometry.sliding.output_height(), geometry.sliding.output_width());
    let (position, channel) = (at / size.channels, at % size.channels);
    let (image, y, x) = (position / columns / rows, position / columns % rows, position % columns);
    (0..size.kernel_height * size.kernel_width).map(move |tap| {
        let row = y * size.stride + tap / size.kernel_width * size.dilation;
        let column = x * size.stride + tap % size.kernel_width * size.dilation;
        let pixel = (image * size.height + row) * size.width + column;
        (pixel * size.channels + channel, tap * size.channels + channel)
    })
}
