//! Values in another order.

use super::{Context, Layer, Memory, Pass};
use kernels::Element;

/// `output[i] = input[source[i]]`, for each image alike; `source` is a permutation.
pub(crate) struct PermutationLayer {
    source: Vec<u32>,
}

impl PermutationLayer {
    /// Of `[height, width, channels]` to `[width, height, channels]`.
    pub(crate) fn columns(height: usize, width: usize, channels: usize) -> Self {
        let mut source = Vec::with_capacity(height * width * channels);
        for column in 0..width {
            for row in 0..height {
                source.extend(
                    (0..channels).map(|channel| ((row * width + column) * channels + channel) as u32),
                );
            }
        }
        Self { source }
    }

    /// Of `[height, width, channels]` to `[patch, row, column, channel]`, patches of `size` × `size` row by row.
    pub(crate) fn patches(height: usize, width: usize, channels: usize, size: usize) -> Self {
        let mut source = Vec::with_capacity(height * width * channels);
        for top in (0..height).step_by(size) {
            for left in (0..width).step_by(size) {
                for row in top..top + size {
                    let first = (row * width + left) * channels;
                    source.extend((first..first + size * channels).map(|index| index as u32));
                }
            }
        }
        Self { source }
    }
}

impl<E: Element> Layer<E> for PermutationLayer {
    fn forward(&self, _: Context, _: &[E], input: &[E], output: &mut [E], _: &mut Memory<E>) {
        let length = self.source.len();
        for (input, output) in input.chunks_exact(length).zip(output.chunks_exact_mut(length)) {
            for (output, source) in output.iter_mut().zip(&self.source) {
                *output = input[*source as usize];
            }
        }
    }

    fn backward(&self, pass: Pass<E>) {
        let Some(d_input) = pass.d_input else { return };
        let length = self.source.len();
        for (d_input, d_output) in d_input.chunks_exact_mut(length).zip(pass.d_output.chunks_exact(length)) {
            for (d_output, source) in d_output.iter().zip(&self.source) {
                d_input[*source as usize] = *d_output;
            }
        }
    }
}
