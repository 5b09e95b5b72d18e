//! Matrices as the products see them: slices with a shape.

use crate::{Element, check_length, length};
use std::{marker::PhantomData, ops::Range};

/// A matrix that is read: row-major, or the transpose of a row-major one.
#[derive(Debug, Clone, Copy)]
pub struct Matrix<'a, E> {
    pub(super) data: &'a [E],
    pub(super) rows: usize,
    pub(super) columns: usize,
    pub(super) stride: usize,
    pub(super) transposed: bool,
}

impl<'a, E: Element> Matrix<'a, E> {
    /// `data[row · columns + column]`.
    ///
    /// # Panics
    /// When the length is not `rows · columns`.
    pub fn new(data: &'a [E], rows: usize, columns: usize) -> Self {
        check_length!(data, [rows, columns]);
        Self { data, rows, columns, stride: columns, transposed: false }
    }

    /// `data[row · stride + column]`: rows that may overlap, or be apart. More elements may follow.
    ///
    /// # Panics
    /// When there are fewer.
    pub(crate) fn strided(data: &'a [E], [rows, columns]: [usize; 2], stride: usize) -> Self {
        let last = length::product(&[rows.saturating_sub(1), stride]);
        let length = if rows == 0 { 0 } else { length::sum(&[last, columns]) };
        assert!(data.len() >= length, "data: at least {length} elements expected, {} found", data.len());
        Self { data, rows, columns, stride, transposed: false }
    }

    /// These rows of the matrix.
    ///
    /// # Panics
    /// When there are not so many, or the matrix is transposed.
    pub(crate) fn rows(self, rows: Range<usize>) -> Self {
        assert!(!self.transposed, "rows are taken before transposing");
        assert!(rows.start <= rows.end && rows.end <= self.rows, "rows {rows:?} of {}", self.rows);
        let data = if rows.is_empty() { &[] } else { &self.data[rows.start * self.stride..] };
        Self { data, rows: rows.len(), ..self }
    }

    /// The columns `first..first + count` of this matrix.
    ///
    /// # Panics
    /// When there are not so many, or the matrix is transposed.
    pub fn columns(self, first: usize, count: usize) -> Self {
        assert!(!self.transposed, "columns are taken before transposing");
        let fits = first.checked_add(count).is_some_and(|end| end <= self.columns);
        assert!(fits, "{first} + {count} columns of {}", self.columns);
        let data = if self.rows == 0 { self.data } else { &self.data[first..] };
        Self { data, columns: count, ..self }
    }

    /// The transpose, without moving anything.
    pub fn transposed(self) -> Self {
        Self { rows: self.columns, columns: self.rows, transposed: !self.transposed, ..self }
    }

    #[inline]
    pub(super) fn at(&self, row: usize, column: usize) -> E {
        if self.transposed {
            self.data[column * self.stride + row]
        } else {
            self.data[row * self.stride + column]
        }
    }
}

/// A row-major matrix that is written, or some of its columns.
#[derive(Debug)]
pub struct MatrixMut<'a, E> {
    pub(super) data: *mut E,
    pub(super) rows: usize,
    pub(super) columns: usize,
    pub(super) stride: usize,
    lifetime: PhantomData<&'a mut [E]>,
}

// SAFETY: it stands for exclusive borrows of its elements, and elements are sent by copying them.
unsafe impl<E: Element> Send for MatrixMut<'_, E> {}

impl<'a, E: Element> MatrixMut<'a, E> {
    /// `data[row · columns + column]`.
    ///
    /// # Panics
    /// When the length is not `rows · columns`.
    pub fn new(data: &'a mut [E], rows: usize, columns: usize) -> Self {
        check_length!(data, [rows, columns]);
        Self { data: data.as_mut_ptr(), rows, columns, stride: columns, lifetime: PhantomData }
    }

    /// The number of columns.
    pub fn columns(&self) -> usize {
        self.columns
    }

    /// The columns before `column`, and the others: two matrices that can be written at once.
    ///
    /// # Panics
    /// When there are fewer than `column`.
    pub fn split_columns(self, column: usize) -> (Self, Self) {
        assert!(column <= self.columns, "column {column} of {}", self.columns);
        let right = Self {
            // Within the allocation, or just behind it: `column` is at most the number of columns.
            data: self.data.wrapping_add(column),
            columns: self.columns - column,
            ..self
        };
        (Self { columns: column, ..self }, right)
    }
}
