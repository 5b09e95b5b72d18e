//! The largest of a window's sums and where it lies, one filter a lane.

use super::Activation;
use crate::{Element, vector::Vector};

#[derive(Clone, Copy)]
pub(super) struct Best<V> {
    value: V,
    winner: V,
}

impl<V: Vector> Best<V> {
    /// Before any sum. With a ReLU it is its zero and won nowhere, which `positions` stands for; without, it is −∞, which
    /// the first position keeps unless it is exceeded.
    ///
    /// # Safety
    /// The vector's instructions exist.
    #[inline(always)]
    pub(super) unsafe fn new(activation: Activation, positions: usize) -> Self {
        let (value, winner) = match activation {
            Activation::Relu => (0.0, positions as f64),
            Activation::Linear => (f64::NEG_INFINITY, 0.0),
        };
        // SAFETY: the caller's promise.
        unsafe {
            Self {
                value: V::splat(V::Element::from_f64(value)),
                winner: V::splat(V::Element::from_f64(winner)),
            }
        }
    }

    /// Takes the sum at `position`, counted up from 0, where it is larger; a NaN stays, since nothing is larger than that.
    #[inline(always)]
    pub(super) fn offer(&mut self, position: usize, sum: V) {
        let this = sum.like(V::Element::from_f64(position as f64));
        (self.value, self.winner) = self.value.larger(self.winner, sum, this);
    }

    /// Writes the first `count` lanes.
    ///
    /// # Safety
    /// Both places have room for them.
    #[inline(always)]
    pub(super) unsafe fn store(self, output: *mut V::Element, winners: *mut u8, count: usize) {
        // SAFETY: the caller's promise.
        unsafe {
            self.value.store_first(output, count);
            self.winner.store_bytes(winners, count);
        }
    }
}
