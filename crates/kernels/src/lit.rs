//! Images have dark margins: rows and columns of zeros, which a product can leave out.

use crate::{Element, InstructionSet, dispatch::Kernel, vector::Vector};
use std::ops::Range;

/// The smallest rectangle of `values [rows, columns]` outside of which every value is zero; two empty ranges where none
/// is not.
///
/// Zero is what has no bit set: −0 counts as lit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lit {
    /// From the first row that is not zero throughout to the last.
    pub rows: Range<usize>,
    /// The same of columns.
    pub columns: Range<usize>,
}

impl Lit {
    /// Looks at all values.
    ///
    /// # Panics
    /// When `values` is not whole rows, or `columns` is zero.
    pub fn of<E: Element>(set: InstructionSet, values: &[E], columns: usize) -> Self {
        struct Find<'a, E>(&'a [E], usize);
        impl<E: Element> Kernel<E> for Find<'_, E> {
            type Output = Lit;
            #[inline(always)]
            unsafe fn run<V: Vector<Element = E>>(self) -> Lit {
                // SAFETY: the caller's promise.
                unsafe { Lit::find::<V>(self.0, self.1) }
            }
        }
        assert!(
            columns > 0 && values.len().is_multiple_of(columns),
            "{} elements in rows of {columns}",
            values.len()
        );
        E::dispatch(set, Find(values, columns))
    }

    /// Compares 64 bytes of each row at a time; the last 64 overlap with those before.
    ///
    /// # Safety
    /// The vector's instructions exist.
    #[inline(always)]
    pub(crate) unsafe fn find<V: Vector>(values: &[V::Element], columns: usize) -> Self {
        const BLOCK: usize = 64;
        if values.is_empty() {
            return Self { rows: 0..0, columns: 0..0 };
        }
        let size = size_of::<V::Element>();
        let (count, row_bytes) = (values.len() / columns, columns * size);
        let (mut rows, mut bytes) = (count..0, row_bytes..0);
        for block in (0..row_bytes).step_by(BLOCK) {
            let start = block.min(row_bytes.saturating_sub(BLOCK));
            let mut lit = 0;
            for row in 0..count {
                // SAFETY: from `start` on the row has a whole block, or all of it is copied to one.
                let lit_here = unsafe {
                    let from = values.as_ptr().add(row * columns).cast::<u8>().add(start);
                    if row_bytes >= BLOCK {
                        !V::equal_bytes(from, 0)
                    } else {
                        let mut padded = [0; BLOCK];
                        std::ptr::copy_nonoverlapping(from, padded.as_mut_ptr(), row_bytes);
                        !V::equal_bytes(padded.as_ptr(), 0)
                    }
                };
                lit |= lit_here;
                if lit_here != 0 {
                    rows = rows.start.min(row)..rows.end.max(row + 1);
                }
            }
            if lit != 0 {
                let first = start + lit.trailing_zeros() as usize;
                let end = start + BLOCK - lit.leading_zeros() as usize;
                bytes = bytes.start.min(first)..bytes.end.max(end);
            }
        }
        if bytes.is_empty() {
            return Self { rows: 0..0, columns: 0..0 };
        }
        Self { rows, columns: bytes.start / size..bytes.end.div_ceil(size) }
    }
}
