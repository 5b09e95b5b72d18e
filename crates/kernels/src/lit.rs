//! Images have dark margins: rows and columns of zeros, which a product can leave out.

use crate::Element;
use std::ops::Range;

/// The rows of `values [rows, columns]` from the first to the last that is not zero throughout; none is an empty range.
pub fn lit_rows<E: Element>(values: &[E], columns: usize) -> Range<usize> {
    let rows = values.len() / columns;
    let first = values.iter().position(is_lit).map_or(rows, |at| at / columns);
    first..values.iter().rposition(is_lit).map_or(rows, |at| at / columns + 1)
}

/// As [`lit_rows`], of the columns.
pub fn lit_columns<E: Element>(values: &[E], columns: usize) -> Range<usize> {
    let (mut first, mut end) = (columns, 0);
    // Each row is read from both sides, only as far as it could still widen the range.
    for row in values.chunks_exact(columns) {
        first = row[..first].iter().position(is_lit).unwrap_or(first);
        end = row[end..].iter().rposition(is_lit).map_or(end, |at| end + at + 1);
    }
    first..end.max(first)
}

fn is_lit<E: Element>(value: &E) -> bool {
    *value != E::ZERO
}
