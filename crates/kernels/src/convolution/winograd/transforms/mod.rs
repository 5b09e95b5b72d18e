//! The transformations in one dimension and their adjoints, for each size of tile; [`both_ways`] makes them two-dimensional.

mod four;
mod odd;

use crate::{Element, vector::Vector};

/// Kernel rows, and columns.
pub(super) const TAPS: usize = 3;

/// The value in every lane of a vector like `x`.
#[inline(always)]
fn constant<V: Vector>(x: V, value: f64) -> V {
    x.like(V::Element::from_f64(value))
}

/// A matrix of the method, applied to a column.
pub(super) trait Transform<const FROM: usize, const TO: usize> {
    fn apply<V: Vector>(column: [V; FROM]) -> [V; TO];
}

/// Bᵀ: row p holds the coefficients of ∏ (x − q) over all points q but this one, the last those over all points.
pub(super) struct Input;

/// B.
pub(super) struct InputAdjoint;

/// Aᵀ: row k holds the k-th powers of the points, the last the one of infinity too.
pub(super) struct Output;

/// A.
pub(super) struct OutputAdjoint;

/// G: row p holds the powers of the point by its scale, the last those of infinity.
pub(super) struct Filter;

/// Gᵀ.
pub(super) struct FilterAdjoint;

/// T · square · Tᵀ, element by element from `load(row, column)` to `store(row, column, value)`.
///
/// # Safety
/// The vector's instructions exist.
#[inline(always)]
pub(super) unsafe fn both_ways<T, V: Vector, const FROM: usize, const TO: usize>(
    load: impl Fn(usize, usize) -> V,
    mut store: impl FnMut(usize, usize, V),
) where
    T: Transform<FROM, TO>,
{
    // SAFETY: the caller's promise.
    unsafe {
        let mut halfway = [[V::zero(); FROM]; TO];
        for x in 0..FROM {
            let mut column = [V::zero(); FROM];
            for (y, value) in column.iter_mut().enumerate() {
                *value = load(y, x);
            }
            for (row, value) in halfway.iter_mut().zip(T::apply(column)) {
                row[x] = value;
            }
        }
        for (y, row) in halfway.into_iter().enumerate() {
            for (x, value) in T::apply(row).into_iter().enumerate() {
                store(y, x, value);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::vector::PortableF64;

    /// The columns of a transformation's matrix, from unit columns.
    fn matrix<T: Transform<FROM, TO>, const FROM: usize, const TO: usize>() -> [[f64; FROM]; TO] {
        let mut matrix = [[0.0; FROM]; TO];
        for from in 0..FROM {
            // SAFETY: the portable vector runs everywhere; `lanes` has room for one.
            unsafe {
                let mut unit = [PortableF64::zero(); FROM];
                unit[from] = PortableF64::splat(1.0);
                for (row, value) in matrix.iter_mut().zip(T::apply(unit)) {
                    let mut lanes = [0.0; PortableF64::LANES];
                    value.store(lanes.as_mut_ptr());
                    row[from] = lanes[0];
                }
            }
        }
        matrix
    }

    fn transposed<const ROWS: usize, const COLUMNS: usize>(
        matrix: [[f64; COLUMNS]; ROWS],
    ) -> [[f64; ROWS]; COLUMNS] {
        std::array::from_fn(|column| std::array::from_fn(|row| matrix[row][column]))
    }

    fn adjoints_are_transposed<const OUTPUTS: usize, const PIECE: usize>()
    where
        Input: Transform<PIECE, PIECE>,
        InputAdjoint: Transform<PIECE, PIECE>,
        Output: Transform<PIECE, OUTPUTS>,
        OutputAdjoint: Transform<OUTPUTS, PIECE>,
        Filter: Transform<TAPS, PIECE>,
        FilterAdjoint: Transform<PIECE, TAPS>,
    {
        assert_eq!(matrix::<InputAdjoint, PIECE, PIECE>(), transposed(matrix::<Input, PIECE, PIECE>()));
        assert_eq!(matrix::<OutputAdjoint, OUTPUTS, PIECE>(), transposed(matrix::<Output, PIECE, OUTPUTS>()));
        assert_eq!(matrix::<FilterAdjoint, PIECE, TAPS>(), transposed(matrix::<Filter, TAPS, PIECE>()));
    }

    #[test]
    fn an_adjoint_is_the_transposed_matrix() {
        adjoints_are_transposed::<3, 5>();
        adjoints_are_transposed::<4, 6>();
        adjoints_are_transposed::<5, 7>();
    }

    /// Aᵀ [(G g) ⊙ (Bᵀ d)] is the correlation of d with g: for every pair of unit vectors.
    fn matrices_make_a_correlation<const OUTPUTS: usize, const PIECE: usize>()
    where
        Input: Transform<PIECE, PIECE>,
        Output: Transform<PIECE, OUTPUTS>,
        Filter: Transform<TAPS, PIECE>,
    {
        let (a, b, g) = (
            matrix::<Output, PIECE, OUTPUTS>(),
            matrix::<Input, PIECE, PIECE>(),
            matrix::<Filter, TAPS, PIECE>(),
        );
        for output in 0..OUTPUTS {
            for tap in 0..TAPS {
                for pixel in 0..PIECE {
                    let sum: f64 = (0..PIECE).map(|k| a[output][k] * g[k][tap] * b[k][pixel]).sum();
                    let expected = f64::from(u8::from(pixel == output + tap));
                    assert!((sum - expected).abs() < 1e-14, "{output} {tap} {pixel}: {sum}");
                }
            }
        }
    }

    #[test]
    fn the_three_matrices_make_a_correlation() {
        matrices_make_a_correlation::<3, 5>();
        matrices_make_a_correlation::<4, 6>();
        matrices_make_a_correlation::<5, 7>();
    }
}
