//! Laying a matrix out in the panels that the products read.

use super::{Matrix, lanes, panel_columns};
use crate::{Element, InstructionSet, length, transpose::Transpose};

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
        // The panel's columns are rows of the matrix's data, which hold its shape.
        let from = &matrix.data[column * matrix.stride..];
        let kernel = Transpose {
            rows: used,
            columns: matrix.rows,
            from: from.as_ptr(),
            from_stride: matrix.stride,
            to: panel.as_mut_ptr(),
            to_stride: padded,
        };
        E::dispatch(set, kernel);
    } else {
        for (k, row) in panel.chunks_exact_mut(padded).enumerate() {
            let source = &matrix.data[k * matrix.stride + column..][..used];
            row[..used].copy_from_slice(source);
        }
    }
}
