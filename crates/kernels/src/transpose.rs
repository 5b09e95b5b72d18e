//! The transpose of a matrix.

use crate::{Element, InstructionSet, check_length, dispatch::Kernel, vector::Vector};

/// `output [columns, rows]` = the transpose of `input [rows, columns]`; overwrites.
///
/// # Panics
/// When a length does not fit.
pub fn transpose<E: Element>(
    set: InstructionSet,
    [rows, columns]: [usize; 2],
    input: &[E],
    output: &mut [E],
) {
    check_length!(input, [rows, columns]);
    check_length!(output, [columns, rows]);
    E::dispatch(
        set,
        Transpose {
            rows,
            columns,
            from: input.as_ptr(),
            from_stride: columns,
            to: output.as_mut_ptr(),
            to_stride: rows,
        },
    );
}

/// Writes `rows` rows of `columns` elements as columns; the strides, from one row to the next, count elements.
pub(crate) struct Transpose<E> {
    pub(crate) rows: usize,
    pub(crate) columns: usize,
    /// Whoever makes one vouches that the rows can be read and the columns be written.
    pub(crate) from: *const E,
    pub(crate) from_stride: usize,
    pub(crate) to: *mut E,
    pub(crate) to_stride: usize,
}

impl<E: Element> Kernel<E> for Transpose<E> {
    type Output = ();

    /// Square blocks in registers, and what is left at the edges one by one.
    #[inline(always)]
    unsafe fn run<V: Vector<Element = E>>(self) {
        let Self { from, from_stride, to, to_stride, .. } = self;
        for column in (0..self.columns).step_by(V::LANES) {
            for row in (0..self.rows).step_by(V::LANES) {
                let (rows, columns) = (V::LANES.min(self.rows - row), V::LANES.min(self.columns - column));
                // SAFETY: the block lies within both matrices, for which the kernel's maker vouches.
                unsafe {
                    let from = from.add(row * from_stride + column);
                    let to = to.add(column * to_stride + row);
                    if rows == V::LANES && columns == V::LANES {
                        V::transpose(from, from_stride, to, to_stride);
                    } else {
                        for row in 0..rows {
                            for column in 0..columns {
                                *to.add(column * to_stride + row) = *from.add(row * from_stride + column);
                            }
                        }
                    }
                }
            }
        }
    }
}
