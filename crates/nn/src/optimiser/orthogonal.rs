//! The nearest orthogonal matrix, as Muon approaches it.

use kernels::{
    Buffer, Element, InstructionSet,
    matmul::{Matrix, MatrixMut, Output, multiply_rows},
    optimiser::sum_of_squares,
};
use rayon::prelude::*;

/// Coefficients a, b, c of the polynomial: chosen by Jordan for the steepest slope at 0 that keeps singular values within
/// 0.7..1.2.
const COEFFICIENTS: [f64; 3] = [3.4445, -4.7750, 2.0315];

/// Added to the norm that a matrix is divided by, so that one of zeros stays such.
const EPSILON: f64 = 1e-7;

/// Rows that a task computes: whole tiles of the products, and few enough that two threads share a small matrix.
const TASK_ROWS: usize = 24;

/// Side of the blocks that are transposed: a cache line of each row.
const BLOCK: usize = 16;

/// Replaces the singular values of a matrix with about 1 by Newton–Schulz iterations.
///
/// Y = M / (‖M‖ + ε), then so many times Y ← a·Y + Y(b·G + c·G²) with G = YᵀY. It works on the taller of M and its
/// transpose, so that G is small; both have the same result, transposed. Each value is one chain of multiply-adds,
/// however the rows are divided among threads.
#[derive(Debug, Clone)]
pub(super) struct Orthogonaliser<E: Element> {
    iterations: usize,
    /// Y `[tall, short]`.
    tall: Buffer<E>,
    next: Buffer<E>,
    /// G `[short, short]`.
    gram: Buffer<E>,
    /// b·G + c·G².
    polynomial: Buffer<E>,
}

impl<E: Element> Orthogonaliser<E> {
    /// With memory for matrices of these rows and columns.
    pub(super) fn new(iterations: usize, shapes: &[(usize, usize)]) -> Self {
        let largest = |size: fn(usize, usize) -> usize| {
            shapes.iter().map(|(rows, columns)| size(*rows, *columns)).max().unwrap_or(0)
        };
        let elements = largest(|rows, columns| rows * columns);
        let square = largest(|rows, columns| rows.min(columns).pow(2));
        let [tall, next] = [(); 2].map(|()| Buffer::zeros(elements));
        let [gram, polynomial] = [(); 2].map(|()| Buffer::zeros(square));
        Self { iterations, tall, next, gram, polynomial }
    }

    /// `parameters` ← `kept` · `parameters` − `rate` · orthogonal(`matrix`), both `[rows, columns]`.
    ///
    /// # Panics
    /// When the matrices are larger than this was made for, or of other sizes than `rows` and `columns`.
    pub(super) fn subtract(
        &mut self,
        set: InstructionSet,
        matrix: &[E],
        [rows, columns]: [usize; 2],
        parameters: &mut [E],
        [kept, rate]: [f64; 2],
    ) {
        let factor = E::from_f64(1.0 / (sum_of_squares(matrix).sqrt() + EPSILON));
        let wide = rows < columns;
        let (height, width) = if wide { (columns, rows) } else { (rows, columns) };
        let tall = &mut self.tall[..height * width];
        if wide {
            tall.par_chunks_mut(BLOCK * width).enumerate().for_each(|(block, tall)| {
                transpose(matrix, columns, block, tall, width, |to, from| *to = from * factor);
            });
        } else {
            tall.iter_mut().zip(matrix).for_each(|(to, from)| *to = *from * factor);
        }
        for _ in 0..self.iterations {
            self.iterate(set, height, width);
        }
        let (kept, rate) = (E::from_f64(kept), E::from_f64(rate));
        let step = |to: &mut E, from: E| *to = kept * *to - rate * from;
        let tall = &self.tall[..height * width];
        if wide {
            parameters.par_chunks_mut(BLOCK * columns).enumerate().for_each(|(block, parameters)| {
                transpose(tall, width, block, parameters, columns, step);
            });
        } else {
            parameters.iter_mut().zip(tall).for_each(|(to, from)| step(to, *from));
        }
    }

    fn iterate(&mut self, set: InstructionSet, height: usize, width: usize) {
        let [a, b, c] = COEFFICIENTS.map(E::from_f64);
        let Self { tall, next, gram, polynomial, .. } = self;
        let (gram, polynomial) = (&mut gram[..width * width], &mut polynomial[..width * width]);
        let y = Matrix::new(&tall[..height * width], height, width);
        gram.par_chunks_mut(TASK_ROWS * width).enumerate().for_each(|(task, gram)| {
            let rows = gram.len() / width;
            let left = y.columns(task * TASK_ROWS, rows).transposed();
            multiply_rows(set, left, y, MatrixMut::new(gram, rows, width), Output::Overwrite);
        });
        let gram = &*gram;
        let work = polynomial.par_chunks_mut(TASK_ROWS * width).zip(gram.par_chunks(TASK_ROWS * width));
        work.for_each(|(polynomial, left)| {
            product(set, left, gram, width, polynomial);
            polynomial.iter_mut().zip(left).for_each(|(square, g)| *square = b * *g + c * *square);
        });
        let polynomial = &*polynomial;
        let work = next[..height * width]
            .par_chunks_mut(TASK_ROWS * width)
            .zip(tall[..height * width].par_chunks(TASK_ROWS * width));
        work.for_each(|(next, left)| {
            product(set, left, polynomial, width, next);
            next.iter_mut().zip(left).for_each(|(next, y)| *next = a * *y + *next);
        });
        std::mem::swap(&mut self.tall, &mut self.next);
    }
}

/// `to` = `left` · `right` for some rows `[rows, width]` of both and `right` `[width, width]`.
fn product<E: Element>(set: InstructionSet, left: &[E], right: &[E], width: usize, to: &mut [E]) {
    let rows = to.len() / width;
    let (left, right) = (Matrix::new(left, rows, width), Matrix::new(right, width, width));
    multiply_rows(set, left, right, MatrixMut::new(to, rows, width), Output::Overwrite);
}

/// Hands `each` the elements of a block of rows of `to`, with those of `from` where columns and rows are exchanged.
///
/// `to` holds rows of `to_columns`, [`BLOCK`] of them but in the last block; the first is row `block` · [`BLOCK`].
fn transpose<E: Element>(
    from: &[E],
    from_columns: usize,
    block: usize,
    to: &mut [E],
    to_columns: usize,
    each: impl Fn(&mut E, E),
) {
    for (column, from) in from.chunks_exact(from_columns).enumerate() {
        let from = &from[block * BLOCK..];
        for (row, from) in to[column..].iter_mut().step_by(to_columns).zip(from) {
            each(row, *from);
        }
    }
}
