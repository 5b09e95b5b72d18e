//! A walk over slices, vector by vector.

use crate::{Element, dispatch::Kernel, vector::Vector};

/// What is done with one vector of a walk.
pub(crate) trait Step<E: Element> {
    /// Works on the `count` ≤ [`Vector::LANES`] elements from `at` on, which are those from `column` on of their row.
    ///
    /// # Safety
    /// The vector's instructions exist; `at + count` is at most the walk's length, `column + count` at most its width.
    unsafe fn step<V: Vector<Element = E>>(&mut self, at: usize, column: usize, count: usize);
}

/// Takes `step` through `length` elements in rows of `width`, row after row; the last may be shorter.
pub(crate) struct Walk<S> {
    pub(crate) length: usize,
    pub(crate) width: usize,
    pub(crate) step: S,
}

impl<E: Element, S: Step<E>> Kernel<E> for Walk<S> {
    type Output = ();

    #[inline(always)]
    unsafe fn run<V: Vector<Element = E>>(mut self) {
        let mut start = 0;
        while start < self.length {
            let width = self.width.min(self.length - start);
            let whole = width - width % V::LANES;
            let mut column = 0;
            // The count is a constant here, so that what reads or writes it is one plain instruction.
            while column < whole {
                // SAFETY: the caller vouches for the instructions, the loops for the bounds.
                unsafe { self.step.step::<V>(start + column, column, V::LANES) }
                column += V::LANES;
            }
            if whole < width {
                // SAFETY: as above.
                unsafe { self.step.step::<V>(start + whole, whole, width - whole) }
            }
            start += width;
        }
    }
}
