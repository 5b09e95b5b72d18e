//! Images have dark margins: rows and columns of zeros, which a product can leave out.

use crate::Element;
use std::ops::Range;

/// The rows of `values [rows, columns]` from the first to the last that is not zero throughout; none is an empty range.
pub fn lit_rows<E: Element>(values: &[E], columns: usize) -> Range<usize> {
    lit(values.len() / columns, |row| {
        values[row * columns..][..columns].iter().all(|value| *value == E::ZERO)
    })
}

/// As [`lit_rows`], of the columns.
pub fn lit_columns<E: Element>(values: &[E], columns: usize) -> Range<usize> {
    lit(columns, |column| values.iter().skip(column).step_by(columns).all(|value| *value == E::ZERO))
}

fn lit(count: usize, dark: impl Fn(usize) -> bool) -> Range<usize> {
    let first = (0..count).take_while(|at| dark(*at)).count();
    first..count - (first..count).rev().take_while(|at| dark(*at)).count()
}
