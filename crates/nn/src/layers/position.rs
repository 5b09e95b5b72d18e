//! Learned position embedding.

use super::{Context, Layer, LayerParameter, Memory, MemorySize, Pass};
use crate::{Initialiser, Role};
use kernels::{Element, InstructionSet, columns::sum_columns};

/// `output[step] = input[step] + embedding[step]` (Dosovitskiy et al., An image is worth 16×16 words, 2021, equation 1).
///
/// Parameters: `embedding [steps, features]`. A group keeps its gradient, the sum over the images.
pub(crate) struct PositionLayer {
    set: InstructionSet,
    steps: usize,
    features: usize,
}

impl PositionLayer {
    pub(crate) fn new(set: InstructionSet, steps: usize, features: usize) -> Self {
        Self { set, steps, features }
    }
}

impl<E: Element> Layer<E> for PositionLayer {
    fn parameters(&self) -> Vec<LayerParameter> {
        let shape = [self.steps, self.features];
        vec![LayerParameter::new(Role::Scale, "embedding", &shape, Initialiser::PositionEmbedding)]
    }

    fn kept(&self) -> MemorySize {
        MemorySize { values: self.steps * self.features, bytes: 0 }
    }

    fn forward(&self, _: Context, embedding: &[E], input: &[E], output: &mut [E], _: &mut Memory<E>) {
        let images = input.chunks_exact(embedding.len());
        for (input, output) in images.zip(output.chunks_exact_mut(embedding.len())) {
            for ((output, input), embedding) in output.iter_mut().zip(input).zip(embedding) {
                *output = *input + *embedding;
            }
        }
    }

    fn backward(&self, pass: Pass<E>) {
        let Pass { d_input, kept, .. } = pass;
        sum_columns(self.set, pass.d_output, &mut kept.values);
        if let Some(d_input) = d_input {
            d_input.copy_from_slice(pass.d_output);
        }
    }
}
