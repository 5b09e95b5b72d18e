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
            // G is its own transpose: what lies before the block of the diagonal is copied.
            let (first, rows) = (task * TASK_ROWS, gram.len() / width);
            let (left, right) = (y.columns(first, rows).transposed(), y.columns(first, width - first));
            let (_, gram) = MatrixMut::new(gram, rows, width).split_columns(first);
            multiply_rows(set, left, right, gram, Output::Overwrite);
        });
        for row in TASK_ROWS..width {
            for column in 0..row / TASK_ROWS * TASK_ROWS {
                gram[row * width + column] = gram[column * width + row];
            }
        }
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

#[cfg(test)]
mod tests {
    use super::*;

    /// The iterations as they are written down, in f64, without transposing.
    fn reference(matrix: &[f64], rows: usize, columns: usize, iterations: usize) -> Vec<f64> {
        let norm = matrix.iter().map(|value| value * value).sum::<f64>().sqrt();
        let mut x: Vec<f64> = matrix.iter().map(|value| value / (norm + EPSILON)).collect();
        let [a, b, c] = COEFFICIENTS;
        let product = |left: &[f64], right: &dyn Fn(usize, usize) -> f64, inner: usize, columns: usize| {
            let value = |index: usize| {
                let row = &left[index / columns * inner..][..inner];
                row.iter().enumerate().map(|(k, value)| value * right(k, index % columns)).sum::<f64>()
            };
            (0..left.len() / inner * columns).map(value).collect::<Vec<f64>>()
        };
        for _ in 0..iterations {
            let g = product(&x, &|k, column| x[column * columns + k], columns, rows);
            let square = product(&g, &|k, column| g[k * rows + column], rows, rows);
            let p: Vec<f64> = g.iter().zip(&square).map(|(g, square)| b * g + c * square).collect();
            let turned = product(&p, &|k, column| x[k * columns + column], rows, columns);
            x.iter_mut().zip(&turned).for_each(|(x, turned)| *x = a * *x + turned);
        }
        x
    }

    #[test]
    fn tall_and_wide_matrices_are_those_of_the_plain_loops() {
        for (rows, columns) in [(1, 5), (5, 1), (24, 30), (25, 24), (70, 51), (51, 70), (48, 49)] {
            let value = |index: usize| ((index * 7919 + 13) % 1009) as f64 / 504.0 - 1.0;
            let matrix: Vec<f64> = (0..rows * columns).map(value).collect();
            let mut parameters: Vec<f64> = matrix.iter().map(|value| 1.0 - value).collect();
            let expected: Vec<f64> = parameters
                .iter()
                .zip(reference(&matrix, rows, columns, 5))
                .map(|(parameter, step)| 0.9 * parameter - 0.5 * step)
                .collect();
            let mut orthogonaliser = Orthogonaliser::new(5, &[(3, 4), (rows, columns)]);
            let set = InstructionSet::PORTABLE;
            orthogonaliser.subtract(set, &matrix, [rows, columns], &mut parameters, [0.9, 0.5]);
            for (index, (found, expected)) in parameters.iter().zip(&expected).enumerate() {
                assert!((found - expected).abs() < 1e-12, "{rows}×{columns} [{index}]: {found}, {expected}");
            }
        }
    }

    /// With singular values of 0.7..1.2 every row of a wide matrix has a norm within those.
    #[test]
    fn singular_values_come_near_one() {
        let value = |index: usize| ((index * index * 31 + index * 17) % 997) as f64 / 498.0 - 1.0;
        let matrix: Vec<f64> = (0..1600).map(value).collect();
        let mut step = vec![0.0; 1600];
        Orthogonaliser::new(5, &[(20, 80)]).subtract(
            InstructionSet::PORTABLE,
            &matrix,
            [20, 80],
            &mut step,
            [0.0, 1.0],
        );
        for row in step.chunks_exact(80) {
            let norm = row.iter().map(|value| value * value).sum::<f64>().sqrt();
            assert!((0.6..1.25).contains(&norm), "{norm}");
        }
    }
}
