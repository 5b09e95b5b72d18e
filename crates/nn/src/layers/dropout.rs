//! Dropout.

use super::{Context, GROUP, Layer, Memory, Pass, Purpose};
use kernels::{
    Element, InstructionSet,
    dropout::{Key, dropout},
};

/// While learning, each value is zero with probability `rate` and otherwise divided by 1 − `rate`, so that its mean stays
/// (Srivastava et al., 2014, "inverted"); else `output = input`.
///
/// What is dropped of an image depends on the run's seed, the layer's number, the step and the image's place in the
/// batch, and on nothing else: not on the threads, nor on the instruction set. It is drawn again on the way back.
pub(crate) struct DropoutLayer {
    set: InstructionSet,
    rate: f64,
    /// Tells this layer's masks from another's.
    number: usize,
    /// Values of an image.
    length: usize,
}

impl DropoutLayer {
    pub(crate) fn new(set: InstructionSet, rate: f64, number: usize, length: usize) -> Self {
        Self { set, rate, number, length }
    }

    /// What stays of `values`, or of their derivatives.
    fn thin<E: Element>(&self, context: Context, values: &[E], output: &mut [E]) {
        let images = values.chunks_exact(self.length).zip(output.chunks_exact_mut(self.length));
        for (image, (values, output)) in images.enumerate() {
            let place = context.group * GROUP + image;
            let key = Key::new(&[context.seed, self.number as u64, context.step, place as u64]);
            dropout(self.set, key, self.rate, values, output);
        }
    }
}

impl<E: Element> Layer<E> for DropoutLayer {
    fn forward(&self, context: Context, _: &[E], input: &[E], output: &mut [E], _: &mut Memory<E>) {
        match context.purpose {
            Purpose::Learning => self.thin(context, input, output),
            Purpose::Inference => output.copy_from_slice(input),
        }
    }

    fn backward(&self, pass: Pass<E>) {
        let Pass { context, d_input, .. } = pass;
        let Some(d_input) = d_input else { return };
        self.thin(context, pass.d_output, d_input);
    }
}
