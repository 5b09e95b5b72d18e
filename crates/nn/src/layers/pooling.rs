//! Pooling that no convolution does on its way.

use super::{Context, GROUP, Layer, Memory, MemorySize, Pass};
use kernels::{
    Element, InstructionSet,
    pooling::{average, average_backward, maximum, maximum_backward},
    sliding::Sliding,
};

/// What is taken of a window's values.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Pool {
    /// The largest; the first of equal ones gets the gradient.
    Maximum,
    /// The mean.
    Average,
}

/// `output[y, x, c] = max or mean over the window of input[y · stride + i, x · stride + j, c]`; a window may be all of the
/// image. The scratch holds the numbers of the taps that were largest.
pub(crate) struct PoolingLayer {
    set: InstructionSet,
    pool: Pool,
    windows: Sliding,
}

impl PoolingLayer {
    pub(crate) fn new(set: InstructionSet, pool: Pool, windows: Sliding) -> Self {
        Self { set, pool, windows }
    }
}

impl<E: Element> Layer<E> for PoolingLayer {
    /// An addition for each tap of a mean; comparing is neither that nor a multiplication.
    fn forward_flops(&self) -> u64 {
        match self.pool {
            Pool::Maximum => 0,
            Pool::Average => (self.windows.output_length() * self.windows.taps()) as u64,
        }
    }

    fn scratch(&self) -> MemorySize {
        match self.pool {
            Pool::Maximum => MemorySize { values: GROUP * self.windows.output_length(), bytes: 0 },
            Pool::Average => MemorySize::default(),
        }
    }

    fn forward(&self, _: Context, _: &[E], input: &[E], output: &mut [E], scratch: &mut Memory<E>) {
        match self.pool {
            Pool::Maximum => {
                let winners = &mut scratch.values[..output.len()];
                maximum(self.set, &self.windows, input, output, winners);
            }
            Pool::Average => average(self.set, &self.windows, input, output),
        }
    }

    fn backward(&self, pass: Pass<E>) {
        let Pass { d_input, scratch, .. } = pass;
        let Some(d_input) = d_input else { return };
        match self.pool {
            Pool::Maximum => {
                let winners = &scratch.values[..pass.d_output.len()];
                maximum_backward(self.set, &self.windows, winners, pass.d_output, d_input);
            }
            Pool::Average => average_backward(self.set, &self.windows, pass.d_output, d_input),
        }
    }
}
