//! One file a layer: forward and backward side by side.

mod convolution;
mod dense;
mod lstm;

pub(crate) use convolution::ConvolutionLayer;
pub(crate) use dense::DenseLayer;
pub(crate) use lstm::LstmLayer;

use crate::Initialiser;
use kernels::Element;

/// A parameter as its layer names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct LayerParameter {
    pub(crate) name: &'static str,
    pub(crate) shape: Vec<usize>,
    pub(crate) initialiser: Initialiser,
}

/// A layer with its buffers, built for a largest batch.
///
/// `parameters` and `d_parameters` hold the layer's parameters one after the other. Activations are `[image, …]` for
/// as many images as the slices hold. Parameter gradients accumulate, everything else is overwritten.
pub(crate) trait Layer<E: Element>: Send {
    /// In the order of their values.
    fn parameters(&self) -> Vec<LayerParameter>;

    /// Multiplications and additions of one image's forward pass.
    fn forward_flops(&self) -> u64;

    /// Takes note of new parameters: called once after they changed, before the next forward pass.
    fn prepare(&mut self, parameters: &[E]);

    /// `output` from `input`; keeps what [`Self::backward`] needs.
    fn forward(&mut self, parameters: &[E], input: &[E], output: &mut [E]);

    /// From the derivative with respect to `output`, which may be changed on the way, those with respect to the
    /// parameters and, where asked for, the input.
    fn backward(
        &mut self,
        parameters: &[E],
        pass: Pass<E>,
        d_input: Option<&mut [E]>,
        d_parameters: &mut [E],
    );
}

/// The tensors of a forward pass, and the derivative that comes back.
pub(crate) struct Pass<'a, E> {
    pub(crate) input: &'a [E],
    pub(crate) output: &'a [E],
    pub(crate) d_output: &'a mut [E],
}

/// How many of `total` parts of the parameters a thread takes, in multiples of `unit`: one task a thread, since every task
/// reads the whole batch's activations, which are more than a second-level cache holds.
pub(crate) fn share(total: usize, unit: usize) -> usize {
    total.div_ceil(rayon::current_num_threads()).next_multiple_of(unit).max(1)
}

/// How many of `total` items a task takes: four tasks a thread even out what the threads are given, and more would
/// only cost.
pub(crate) fn task_size(total: usize) -> usize {
    total.div_ceil(4 * rayon::current_num_threads()).max(1)
}
