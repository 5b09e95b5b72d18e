//! Laying a matrix out in the panels that the products read.

use super::{Matrix, lanes, panel_columns};
use crate::{Element, InstructionSet, dispatch::Kernel, length, vector::Vector};

/// Lays `matrix [k, n]` out in panels: for each panel, for each k, the panel's columns; missing columns are zero.
///
/// Overwrites `packed`, which holds [`packed_length`](super::packed_length) elements. A panel is `k · panel_columns` elements, so that
/// slices of whole panels can be packed apart: `first_panel` says where this slice begins.
///
/// # Panics
/// When `packed` does not consist of whole panels of the matrix.
pub fn pack<E: Element>(set: InstructionSet, matrix: Matrix<E>, first_panel: usize, packed: &mut [E]) {
    let width = panel_columns::<E>(set);
    let mut column = length::product(&[first_panel, width]);
    let mut rest = packed;
    while !rest.is_empty() {
        assert!(column < matrix.columns, "more panels than {} columns have", matrix.columns);
        let used = width.min(matrix.columns - column);
        let padded = used.next_multiple_of(lanes::<E>(set));
        let length = length::product(&[matrix.rows, padded]);
        assert!(rest.len() >= length, "part of a panel of {padded} columns and {} rows", matrix.rows);
        let (panel, tail) = rest.split_at_mut(length);
        pack_panel(set, matrix, column, used, padded, panel);
        rest = tail;
        column += used;
    }
}

fn pack_panel<E: Element>(
    set: InstructionSet,
    matrix: Matrix<E>,
    column: usize,
    used: usize,
    padded: usize,
    panel: &mut [E],
) {
    for row in panel.chunks_exact_mut(padded) {
        row[used..].fill(E::ZERO);
    }
    if matrix.transposed {
        E::dispatch(set, PackTransposed { matrix, column, used, padded, panel });
    } else {
        for (k, row) in panel.chunks_exact_mut(padded).enumerate() {
            let source = &matrix.data[k * matrix.stride + column..][..used];
            row[..used].copy_from_slice(source);
        }
    }
}

struct PackTransposed<'a, E> {
    matrix: Matrix<'a, E>,
    column: usize,
    used: usize,
    padded: usize,
    panel: &'a mut [E],
}

impl<E: Element> Kernel<E> for PackTransposed<'_, E> {
    type Output = ();

    /// Square blocks in registers, and what is left at the edges one by one.
    #[inline(always)]
    unsafe fn run<V: Vector<Element = E>>(self) {
        let Self { matrix, column, used, padded, panel } = self;
        for k in (0..matrix.rows).step_by(V::LANES) {
            for c in (0..used).step_by(V::LANES) {
                let (rows, columns) = (V::LANES.min(matrix.rows - k), V::LANES.min(used - c));
                // SAFETY: the block lies within the matrix, whose data hold its shape, and within the panel.
                unsafe {
                    let from = matrix.data.as_ptr().add((column + c) * matrix.stride + k);
                    let to = panel.as_mut_ptr().add(k * padded + c);
                    if rows == V::LANES && columns == V::LANES {
                        V::transpose(from, matrix.stride, to, padded);
                    } else {
                        for c in 0..columns {
                            for k in 0..rows {
                                *to.add(k * padded + c) = *from.add(c * matrix.stride + k);
                            }
                        }
                    }
                }
            }
        }
    }
}
