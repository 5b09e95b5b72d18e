//! The constants that are added to a layer's sums.

use super::LayerParameter;
use crate::{Initialiser, Role};
use kernels::{Buffer, Element};

/// So many parameters behind a layer's weights; or none, and zeros in their place.
pub(crate) struct Bias<E> {
    length: usize,
    zeros: Option<Buffer<E>>,
}

impl<E: Element> Bias<E> {
    pub(crate) fn new(length: usize, present: bool) -> Self {
        Self { length, zeros: (!present).then(|| Buffer::zeros(length)) }
    }

    /// The constants, where `rest` is what follows the layer's weights.
    pub(crate) fn values<'a>(&'a self, rest: &'a [E]) -> &'a [E] {
        self.zeros.as_deref().unwrap_or(rest)
    }

    /// The place of the derivative with respect to the constants, where they are learnt.
    pub(crate) fn derivative<'a>(&self, rest: &'a mut [E]) -> Option<&'a mut [E]> {
        self.zeros.is_none().then_some(rest)
    }

    /// The parameter, where there is one.
    pub(crate) fn parameter(&self) -> Option<LayerParameter> {
        let bias = || LayerParameter::new(Role::Bias, "bias", &[self.length], Initialiser::Zeros);
        self.zeros.is_none().then(bias)
    }
}
