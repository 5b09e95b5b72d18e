//! Memory whose vectors do not straddle cache lines.

use crate::{Element, length};
use std::{
    marker::PhantomData,
    ops::{Deref, DerefMut},
};

/// One cache line, which is also the widest vector.
#[derive(Clone, Copy)]
#[repr(C, align(64))]
struct Line([u8; 64]);

/// A fixed number of elements that begin at a cache line.
///
/// The system's allocator aligns to 16 bytes: every vector of 64 bytes would then touch two lines. Measured on the
/// study's second convolution (AVX-512, one core, median of 15), aligned against not: forward 1.2×, weight gradient
/// 1.4× faster.
#[derive(Clone)]
pub struct Buffer<E> {
    lines: Vec<Line>,
    length: usize,
    element: PhantomData<E>,
}

impl<E: Element> Buffer<E> {
    /// So many zeros.
    ///
    /// # Panics
    /// When they are more than a machine can address.
    pub fn zeros(length: usize) -> Self {
        let bytes = length::product(&[length, size_of::<E>()]);
        let lines = vec![Line([0; 64]); bytes.div_ceil(size_of::<Line>())];
        Self { lines, length, element: PhantomData }
    }
}

impl<E: Element> Deref for Buffer<E> {
    type Target = [E];
    fn deref(&self) -> &[E] {
        // SAFETY: the lines hold at least `length` elements, are more strictly aligned than an element, and their bytes,
        // all initialised, are a valid f32 or f64 whatever they are; `Element` is sealed.
        unsafe { std::slice::from_raw_parts(self.lines.as_ptr().cast(), self.length) }
    }
}

impl<E: Element> DerefMut for Buffer<E> {
    fn deref_mut(&mut self) -> &mut [E] {
        // SAFETY: as for `deref`; the borrow of `self` is exclusive.
        unsafe { std::slice::from_raw_parts_mut(self.lines.as_mut_ptr().cast(), self.length) }
    }
}

impl<E: Element> std::fmt::Debug for Buffer<E> {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.deref().fmt(formatter)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn buffers_are_aligned_and_whole() {
        for length in [0, 1, 15, 16, 17, 1000] {
            let mut buffer = Buffer::<f32>::zeros(length);
            assert_eq!(buffer.len(), length);
            assert_eq!(buffer.as_ptr().addr() % 64, 0);
            assert!(buffer.iter().all(|value| *value == 0.0));
            buffer.fill(1.5);
            assert_eq!(buffer.clone().iter().sum::<f32>(), 1.5 * length as f32);
        }
        assert_eq!(Buffer::<f64>::zeros(9).len(), 9);
    }
}
