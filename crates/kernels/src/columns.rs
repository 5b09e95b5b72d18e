//! What is done down the columns of a row-major matrix: sums, and the softmax as attention needs it.
//!
//! Columns, since each is then a lane and nothing runs across lanes. Each is the same sequence of operations wherever it
//! stands.

use crate::{
    Element, InstructionSet,
    activation::exponential,
    check_length,
    dispatch::Kernel,
    tile::{panel_width, with_vectors},
    vector::Vector,
};

/// `sums[column] = Σ over rows of values[row, column]`, row after row; overwritten.
///
/// # Panics
/// When `values` is not whole rows.
pub fn sum_columns<E: Element>(set: InstructionSet, values: &[E], sums: &mut [E]) {
    let columns = sums.len();
    let rows = whole_rows(values.len(), columns);
    let (factors, values) = (values.as_ptr(), sums.as_mut_ptr());
    E::dispatch(set, Columns { work: Work::Sum, rows, columns, scale: E::ONE, values, factors });
}

/// As [`sum_columns`], added to what is there.
///
/// # Panics
/// When `values` is not whole rows.
pub fn add_column_sums<E: Element>(set: InstructionSet, values: &[E], sums: &mut [E]) {
    let columns = sums.len();
    let rows = whole_rows(values.len(), columns);
    let (factors, values) = (values.as_ptr(), sums.as_mut_ptr());
    E::dispatch(set, Columns { work: Work::AddSum, rows, columns, scale: E::ONE, values, factors });
}

/// Replaces each column of `scores [rows, columns]` by its softmax, p = e^(scale (s − max s)) / Σ e^(scale (s − max s)).
///
/// A p that would lie below e^−limit times the largest, with the limit of the exponential
/// ([`Element::EXPONENTIAL_LIMIT`]), is that. A NaN or +∞ among a column's scores makes all of it NaN.
///
/// # Panics
/// When `scores` is not whole rows or `scale` is not above zero.
pub fn softmax_columns<E: Element>(set: InstructionSet, scores: &mut [E], columns: usize, scale: E) {
    assert!(scale > E::ZERO, "a scale above zero is expected, {scale} found");
    let rows = whole_rows(scores.len(), columns);
    if rows == 0 {
        return;
    }
    let (values, factors) = (scores.as_mut_ptr(), scores.as_ptr());
    E::dispatch(set, Columns { work: Work::Softmax, rows, columns, scale, values, factors });
}

/// From the derivative with respect to the probabilities of [`softmax_columns`], in its place, that with respect to the
/// scores: ds = scale · p (dp − Σ over the column of p · dp).
///
/// # Panics
/// When a length does not fit.
pub fn softmax_columns_backward<E: Element>(
    set: InstructionSet,
    probabilities: &[E],
    derivative: &mut [E],
    columns: usize,
    scale: E,
) {
    let rows = whole_rows(derivative.len(), columns);
    check_length!(probabilities, [derivative.len()]);
    if rows == 0 {
        return;
    }
    let (values, factors) = (derivative.as_mut_ptr(), probabilities.as_ptr());
    E::dispatch(set, Columns { work: Work::SoftmaxBackward, rows, columns, scale, values, factors });
}

/// How many rows of that many columns `length` elements are.
fn whole_rows(length: usize, columns: usize) -> usize {
    assert!(length.is_multiple_of(columns.max(1)), "{length} elements in rows of {columns}");
    length / columns.max(1)
}

#[derive(Clone, Copy)]
enum Work {
    /// `values` is one row.
    Sum,
    /// The same, which the sums begin at.
    AddSum,
    Softmax,
    SoftmaxBackward,
}

/// A matrix `[rows, columns]` whose columns are changed, and another, or the same, that is read.
#[derive(Clone, Copy)]
struct Columns<E> {
    work: Work,
    rows: usize,
    columns: usize,
    scale: E,
    values: *mut E,
    factors: *const E,
}

impl<E: Element> Kernel<E> for Columns<E> {
    type Output = ();

    #[inline(always)]
    unsafe fn run<V: Vector<Element = E>>(self) {
        for column in (0..self.columns).step_by(panel_width::<V>()) {
            let used = panel_width::<V>().min(self.columns - column);
            let (panel, vectors) = (Panel { matrix: self, column, used }, used.div_ceil(V::LANES));
            // SAFETY: the entry points have checked that both matrices hold their shape, and the columns are theirs.
            unsafe {
                match self.work {
                    Work::Sum => with_vectors!(vectors, sum::<V>(panel, false)),
                    Work::AddSum => with_vectors!(vectors, sum::<V>(panel, true)),
                    Work::Softmax => with_vectors!(vectors, softmax::<V>(panel)),
                    Work::SoftmaxBackward => with_vectors!(vectors, softmax_backward::<V>(panel)),
                }
            }
        }
    }
}

/// Some columns that pass by together: a vector alone would wait for its sum's latency.
#[derive(Clone, Copy)]
struct Panel<E> {
    matrix: Columns<E>,
    column: usize,
    used: usize,
}

impl<E: Element> Panel<E> {
    /// Lanes of vector `v` that are columns of the matrix.
    #[inline(always)]
    fn lanes<V: Vector<Element = E>>(&self, v: usize) -> usize {
        V::LANES.min(self.used - v * V::LANES)
    }

    /// # Safety
    /// `matrix` holds the shape, `row` is below its rows, and vector `v` begins below `used`.
    #[inline(always)]
    unsafe fn load<V: Vector<Element = E>>(&self, matrix: *const E, row: usize, v: usize) -> V {
        // SAFETY: the caller's promise; the last vector reads only the columns that are there.
        unsafe {
            let from = matrix.add(row * self.matrix.columns + self.column + v * V::LANES);
            let lanes = self.lanes::<V>(v);
            if lanes == V::LANES { V::load(from) } else { V::load_first(from, lanes) }
        }
    }

    /// # Safety
    /// As [`Self::load`], of the matrix that is changed.
    #[inline(always)]
    unsafe fn store<V: Vector<Element = E>>(&self, vector: V, row: usize, v: usize) {
        // SAFETY: the caller's promise; the last vector writes only the columns that are there.
        unsafe {
            let to = self.matrix.values.add(row * self.matrix.columns + self.column + v * V::LANES);
            let lanes = self.lanes::<V>(v);
            if lanes == V::LANES { vector.store(to) } else { vector.store_first(to, lanes) }
        }
    }
}

/// # Safety
/// The panel's matrix that is read holds its shape, and its columns are `VECTORS` vectors.
#[inline(always)]
unsafe fn sum<V: Vector, const VECTORS: usize>(panel: Panel<V::Element>, is_added: bool) {
    let Columns { rows, factors, values, .. } = panel.matrix;
    // SAFETY: the caller's promise; what is changed has one row.
    unsafe {
        let mut sums = [V::zero(); VECTORS];
        for (v, sum) in sums.iter_mut().enumerate().filter(|_| is_added) {
            *sum = panel.load(values, 0, v);
        }
        for row in 0..rows {
            for v in 0..VECTORS {
                sums[v] = sums[v].add(panel.load(factors, row, v));
            }
        }
        for (v, sum) in sums.into_iter().enumerate() {
            panel.store(sum, 0, v);
        }
    }
}

/// # Safety
/// The panel's matrix holds its shape, and its columns are `VECTORS` vectors.
#[inline(always)]
unsafe fn softmax<V: Vector, const VECTORS: usize>(panel: Panel<V::Element>) {
    let Columns { rows, scale, values, .. } = panel.matrix;
    // SAFETY: the caller's promise.
    unsafe {
        let floor = V::splat(-V::Element::EXPONENTIAL_LIMIT);
        let mut largest = [V::zero(); VECTORS];
        for row in 0..rows {
            for v in 0..VECTORS {
                let score = panel.load::<V>(values, row, v);
                largest[v] = if row == 0 { score } else { largest[v].maximum(score) };
            }
        }
        let mut sums = [V::zero(); VECTORS];
        for row in 0..rows {
            for v in 0..VECTORS {
                let below = panel.load::<V>(values, row, v).sub(largest[v]).mul(V::splat(scale));
                let (p, s) = exponential(below.maximum(floor));
                let power = p.mul_add(s, s);
                sums[v] = sums[v].add(power);
                panel.store(power, row, v);
            }
        }
        let shares = sums.map(|sum| V::splat(V::Element::ONE).div(sum));
        for row in 0..rows {
            for v in 0..VECTORS {
                let power = panel.load::<V>(values, row, v);
                panel.store(power.mul(shares[v]), row, v);
            }
        }
    }
}

/// # Safety
/// As [`softmax`], for both matrices.
#[inline(always)]
unsafe fn softmax_backward<V: Vector, const VECTORS: usize>(panel: Panel<V::Element>) {
    let Columns { rows, scale, values, factors, .. } = panel.matrix;
    // SAFETY: the caller's promise.
    unsafe {
        let mut sums = [V::zero(); VECTORS];
        for row in 0..rows {
            for v in 0..VECTORS {
                let probability = panel.load::<V>(factors, row, v);
                sums[v] = probability.mul_add(panel.load(values, row, v), sums[v]);
            }
        }
        for row in 0..rows {
            for v in 0..VECTORS {
                let probability = panel.load::<V>(factors, row, v).mul(V::splat(scale));
                let derivative = panel.load::<V>(values, row, v);
                panel.store(probability.mul(derivative.sub(sums[v])), row, v);
            }
        }
    }
}
