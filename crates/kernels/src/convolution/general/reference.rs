//! The convolution by its definition: what the kernels are held against.

use super::{Derivatives, Geometry};
use crate::{Element, matmul::Output};

/// As [`super::forward`], with unpacked weights.
pub fn forward_reference<E: Element>(
    geometry: &Geometry,
    input: &[E],
    weights: &[E],
    bias: &[E],
    output: &mut [E],
) {
    for (at, output) in output.iter_mut().enumerate() {
        *output = bias[at % geometry.filters];
        for (pixel, weight) in pairs(geometry, at) {
            *output += input[pixel] * weights[weight];
        }
    }
}

/// As [`super::backward`].
pub fn backward_reference<E: Element>(
    geometry: &Geometry,
    input: &[E],
    weights: &[E],
    d_output: &[E],
    mut derivatives: Derivatives<E>,
) {
    if let (Some(d_input), Output::Overwrite) = (&mut derivatives.input, derivatives.into_input) {
        d_input.fill(E::ZERO);
    }
    for (at, gradient) in d_output.iter().enumerate() {
        if let Some(d_bias) = &mut derivatives.bias {
            d_bias[at % geometry.filters] += *gradient;
        }
        for (pixel, weight) in pairs(geometry, at) {
            derivatives.weights[weight] += *gradient * input[pixel];
            if let Some(d_input) = &mut derivatives.input {
                d_input[pixel] += *gradient * weights[weight];
            }
        }
    }
}

/// The pixels that the output `at` reads, with their weights.
fn pairs(geometry: &Geometry, at: usize) -> impl Iterator<Item = (usize, usize)> {
    let (sliding, channels) = (geometry.sliding(), geometry.group_channels());
    let size = *sliding.size();
    let (position, filter) = (at / geometry.filters, at % geometry.filters);
    let (image, position) = (position / sliding.positions(), position % sliding.positions());
    let (top, left) =
        (position / sliding.output_width() * size.stride, position % sliding.output_width() * size.stride);
    let first_channel = filter / geometry.group_filters() * channels;
    let [height, width] = [size.height - 2 * geometry.border[0], size.width - 2 * geometry.border[1]];
    let border = geometry.border;
    (0..geometry.filter_length()).filter_map(move |weight| {
        let (tap, channel) = (weight / channels, weight % channels);
        let row = top + tap / size.kernel_width * size.dilation;
        let column = left + tap % size.kernel_width * size.dilation;
        let [row, column] = [row.checked_sub(border[0])?, column.checked_sub(border[1])?];
        let pixel = (image * height + row) * width + column;
        (row < height && column < width).then_some((
            pixel * size.channels + first_channel + channel,
            filter * size.kernel_height * size.kernel_width * channels + weight,
        ))
    })
}
