//! Layer normalisation.

use super::{Context, GROUP, Layer, LayerParameter, Memory, MemorySize, Pass};
use crate::{Initialiser, NORMALISATION_EPSILON, Role};
use kernels::{
    Element, InstructionSet,
    layer_norm::{Backward, backward, forward},
};

/// `output[row, f] = scale[f] · (input[row, f] − μ) / √(σ² + ε) + offset[f]`, with μ and σ² the mean and the variance of
/// the row's features and ε = 0.001 unless set (Ba, Kiros and Hinton, 2016). A row is a pixel, a step, or a list of features.
///
/// Parameters: `scale [features]`, `offset [features]`. The scratch holds μ and 1 / √(σ² + ε) of each row, a group keeps
/// its gradient.
pub(crate) struct LayerNormLayer {
    set: InstructionSet,
    features: usize,
    /// Rows of an image.
    rows: usize,
    epsilon: f64,
}

impl LayerNormLayer {
    pub(crate) fn new(set: InstructionSet, rows: usize, features: usize) -> Self {
        Self { set, features, rows, epsilon: NORMALISATION_EPSILON }
    }

    /// μ and 1 / √(σ² + ε) of the rows of `length` values.
    fn statistics<'a, E: Element>(
        &self,
        length: usize,
        scratch: &'a mut Memory<E>,
    ) -> (&'a mut [E], &'a mut [E]) {
        let rows = length / self.features;
        let (means, inverse_deviations) = scratch.values.split_at_mut(GROUP * self.rows);
        (&mut means[..rows], &mut inverse_deviations[..rows])
    }
}

impl<E: Element> Layer<E> for LayerNormLayer {
    fn parameters(&self) -> Vec<LayerParameter> {
        vec![
            LayerParameter::new(Role::Scale, "scale", &[self.features], Initialiser::Ones),
            LayerParameter::new(Role::Scale, "offset", &[self.features], Initialiser::Zeros),
        ]
    }

    fn forward_flops(&self) -> u64 {
        2 * (self.rows * self.features) as u64
    }

    fn scratch(&self) -> MemorySize {
        MemorySize { values: 2 * GROUP * self.rows, bytes: 0 }
    }

    fn kept(&self) -> MemorySize {
        MemorySize { values: 2 * self.features, bytes: 0 }
    }

    fn set_epsilon(&mut self, epsilon: f64) {
        self.epsilon = epsilon;
    }

    fn forward(&self, _: Context, parameters: &[E], input: &[E], output: &mut [E], scratch: &mut Memory<E>) {
        let (scale, offset) = parameters.split_at(self.features);
        let (means, inverse_deviations) = self.statistics(input.len(), scratch);
        forward(self.set, self.epsilon, input, scale, offset, output, means, inverse_deviations);
    }

    fn backward(&self, pass: Pass<E>) {
        let Pass { parameters, d_input, scratch, kept, .. } = pass;
        let (means, inverse_deviations) = self.statistics(pass.input.len(), scratch);
        kept.values.fill(E::ZERO);
        let (d_scale, d_offset) = kept.values.split_at_mut(self.features);
        let scale = &parameters[..self.features];
        let pass = Backward { input: pass.input, scale, means, inverse_deviations, d_output: pass.d_output };
        backward(self.set, pass, d_scale, d_offset, d_input);
    }
}
