//! Zeros around an image, for the kernel of the layer behind to slide on.

use super::{Context, Layer, Memory, Pass};
use kernels::{Element, sliding::Border};

/// `output[y, x, c] = input[y − top, x − left, c]`, 0 outside of the input.
pub(crate) struct PaddingLayer {
    /// `[height, width, channels]` of the input.
    image: [usize; 3],
    border: Border,
}

impl PaddingLayer {
    /// So many rows above and below, and columns to the left and to the right.
    pub(crate) fn new(image: [usize; 3], [rows, columns]: [usize; 2]) -> Self {
        Self { image, border: Border { top: rows, bottom: rows, left: columns, right: columns } }
    }
}

impl<E: Element> Layer<E> for PaddingLayer {
    fn forward(&self, _: Context, _: &[E], input: &[E], output: &mut [E], _: &mut Memory<E>) {
        self.border.pad(self.image, input, output);
    }

    fn backward(&self, pass: Pass<E>) {
        if let Some(d_input) = pass.d_input {
            self.border.crop(self.image, pass.d_output, d_input);
        }
    }
}
