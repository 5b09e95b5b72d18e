//! Values in another order.

use super::{Context, Layer, Memory, Pass};
use kernels::{Element, InstructionSet, transpose::transpose};

/// `output[i] = input[p(i)]`, for each image alike, with a permutation p.
pub(crate) struct PermutationLayer {
    set: InstructionSet,
    /// Values of an image.
    length: usize,
    order: Order,
}

/// How the values are taken.
enum Order {
    /// `[rows, columns]` as `[columns, rows]`.
    Transposed { rows: usize, columns: usize },
    /// So many values from each of these places on.
    Runs { starts: Vec<u32>, length: usize },
}

impl PermutationLayer {
    /// Of `[height, width, channels]` to `[width, height, channels]`.
    pub(crate) fn columns(set: InstructionSet, height: usize, width: usize, channels: usize) -> Self {
        let order = if channels == 1 {
            Order::Transposed { rows: height, columns: width }
        } else {
            let starts = (0..width)
                .flat_map(|column| (0..height).map(move |row| ((row * width + column) * channels) as u32));
            Order::Runs { starts: starts.collect(), length: channels }
        };
        Self { set, length: height * width * channels, order }
    }

    /// Of `[height, width, channels]` to `[patch, row, column, channel]`, patches of `size` × `size` row by row.
    pub(crate) fn patches(
        set: InstructionSet,
        height: usize,
        width: usize,
        channels: usize,
        size: usize,
    ) -> Self {
        let mut starts = Vec::with_capacity(height * width / size);
        for top in (0..height).step_by(size) {
            for left in (0..width).step_by(size) {
                starts.extend((top..top + size).map(|row| ((row * width + left) * channels) as u32));
            }
        }
        let order = Order::Runs { starts, length: size * channels };
        Self { set, length: height * width * channels, order }
    }
}

impl<E: Element> Layer<E> for PermutationLayer {
    fn forward(&self, _: Context, _: &[E], input: &[E], output: &mut [E], _: &mut Memory<E>) {
        let images = input.chunks_exact(self.length).zip(output.chunks_exact_mut(self.length));
        match &self.order {
            Order::Transposed { rows, columns } => {
                images.for_each(|(input, output)| transpose(self.set, [*rows, *columns], input, output));
            }
            Order::Runs { starts, length } => images.for_each(|(input, output)| {
                for (output, start) in output.chunks_exact_mut(*length).zip(starts) {
                    output.copy_from_slice(&input[*start as usize..][..*length]);
                }
            }),
        }
    }

    fn backward(&self, pass: Pass<E>) {
        let Some(d_input) = pass.d_input else { return };
        let images = d_input.chunks_exact_mut(self.length).zip(pass.d_output.chunks_exact(self.length));
        match &self.order {
            Order::Transposed { rows, columns } => {
                images.for_each(|(d_input, d_output)| {
                    transpose(self.set, [*columns, *rows], d_output, d_input)
                });
            }
            Order::Runs { starts, length } => images.for_each(|(d_input, d_output)| {
                for (d_output, start) in d_output.chunks_exact(*length).zip(starts) {
                    d_input[*start as usize..][..*length].copy_from_slice(d_output);
                }
            }),
        }
    }
}
