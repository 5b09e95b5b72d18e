//! The convolution by its definition: what the kernels are held against.

use super::{Activation, Geometry, OutputGradient};
use crate::Element;

/// As [`super::forward`], with unpacked weights.
pub fn forward_reference<E: Element>(
    geometry: &Geometry,
    input: &[E],
    weights: &[E],
    bias: &[E],
    output: &mut [E],
    winners: &mut [u8],
) {
    let filters = geometry.size.filters;
    for (at, (output, winner)) in output.iter_mut().zip(winners).enumerate() {
        let (image, window, filter) =
            (at / filters / geometry.windows(), at / filters % geometry.windows(), at % filters);
        let image = &input[image * geometry.input_length()..][..geometry.input_length()];
        let weights = &weights[filter * geometry.filter_length()..][..geometry.filter_length()];
        let mut best = None;
        for position in 0..geometry.positions() {
            let sum = bias[filter]
                + patch(geometry, window, position).zip(weights).map(|(i, w)| image[i] * *w).sum();
            let floor = match (best, geometry.size.activation) {
                (Some((value, _)), _) => value,
                (None, Activation::Relu) => E::ZERO,
                (None, Activation::Linear) => {
                    best = Some((sum, position));
                    continue;
                }
            };
            let keep = sum <= floor || floor.is_nan();
            if !keep {
                best = Some((sum, position));
            }
        }
        let (value, position) = best.unwrap_or((E::ZERO, geometry.positions()));
        *output = value;
        *winner = position as u8;
    }
}

/// All three derivatives; `d_weights` and `d_bias` accumulate, `d_input` is overwritten.
pub fn backward_reference<E: Element>(
    geometry: &Geometry,
    input: &[E],
    weights: &[E],
    output: OutputGradient<E>,
    d_weights: &mut [E],
    d_bias: &mut [E],
    d_input: &mut [E],
) {
    d_input.fill(E::ZERO);
    let (filters, length) = (geometry.size.filters, geometry.filter_length());
    for (at, (gradient, winner)) in output.gradient.iter().zip(output.winners).enumerate() {
        let (image, window, filter) =
            (at / filters / geometry.windows(), at / filters % geometry.windows(), at % filters);
        if usize::from(*winner) == geometry.positions() {
            continue;
        }
        d_bias[filter] += *gradient;
        for (weight, pixel) in patch(geometry, window, usize::from(*winner)).enumerate() {
            let pixel = image * geometry.input_length() + pixel;
            d_weights[filter * length + weight] += *gradient * input[pixel];
            d_input[pixel] += *gradient * weights[filter * length + weight];
        }
    }
}

/// Where the elements of a position's patch lie in an image, in the order of the weights.
fn patch(geometry: &Geometry, window: usize, position: usize) -> impl Iterator<Item = usize> {
    let size = *geometry.size();
    let y = (window / geometry.output_width * size.pool_height + position / size.pool_width) * size.stride;
    let x = (window % geometry.output_width * size.pool_width + position % size.pool_width) * size.stride;
    (0..size.kernel_height).flat_map(move |dy| {
        let start = ((y + dy) * size.width + x) * size.channels;
        start..start + size.kernel_width * size.channels
    })
}
