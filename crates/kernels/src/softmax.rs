//! Softmax: with cross-entropy, the loss of a classifier and its derivative; and of columns, as attention needs it.

use crate::{
    Element, InstructionSet,
    activation::exponential,
    check_length,
    dispatch::Kernel,
    tile::{panel_width, with_vectors},
    vector::Vector,
};

/// For each row of `logits [rows, classes]`: `probabilities` = softmax, returned as the sum over rows of the
/// cross-entropy −ln p(label) in nats and the number of rows whose largest logit is the label's (the first of equals).
///
/// pᵢ = e^(zᵢ − max z) / Σⱼ e^(zⱼ − max z). Overwrites `probabilities`. A NaN among the logits makes the loss NaN.
///
/// # Panics
/// When a length does not fit, `classes` is 0 or a label is not below it.
pub fn softmax_cross_entropy<E: Element>(
    logits: &[E],
    labels: &[u8],
    classes: usize,
    probabilities: &mut [E],
) -> (f64, usize) {
    assert!(classes > 0, "no classes");
    check_length!(logits, labels.len() * classes);
    check_length!(probabilities, labels.len() * classes);
    let mut loss = 0.0;
    let mut correct = 0;
    for ((z, p), label) in
        logits.chunks_exact(classes).zip(probabilities.chunks_exact_mut(classes)).zip(labels)
    {
        let label = usize::from(*label);
        assert!(label < classes, "label {label}: below {classes} expected");
        let best = argmax(z);
        let largest = z[best];
        let mut sum = E::ZERO;
        for (p, z) in p.iter_mut().zip(z) {
            *p = (*z - largest).exp();
            sum += *p;
        }
        for p in p.iter_mut() {
            *p = *p / sum;
        }
        loss += sum.ln().to_f64() - (z[label] - largest).to_f64();
        correct += usize::from(best == label);
    }
    (loss, correct)
}

/// The index of the largest value, the first of equals.
///
/// # Panics
/// When `values` is empty.
pub fn argmax<E: Element>(values: &[E]) -> usize {
    let mut best = 0;
    for (index, value) in values.iter().enumerate() {
        if *value > values[best] {
            best = index;
        }
    }
    best
}

/// Derivative of the mean loss over `batch_size` rows with respect to the logits: (p − y) / `batch_size`, in place of
/// the probabilities; y is 1 at the label and 0 elsewhere.
///
/// # Panics
/// When a length does not fit or a label is not below `classes`.
pub fn softmax_cross_entropy_backward<E: Element>(
    probabilities: &mut [E],
    labels: &[u8],
    classes: usize,
    batch_size: usize,
) {
    check_length!(probabilities, labels.len() * classes);
    let scale = E::from_f64(1.0 / batch_size as f64);
    for (row, label) in probabilities.chunks_exact_mut(classes).zip(labels) {
        row[usize::from(*label)] += -E::ONE;
        for value in row {
            *value *= scale;
        }
    }
}

/// Replaces each column of `scores [rows, columns]` by its softmax, p = e^(scale (s − max s)) / Σ e^(scale (s − max s)).
///
/// Columns, since each is then a lane and no sum runs across lanes. A p that would lie below e^−limit, with the limit of
/// the exponential ([`Element::EXPONENTIAL_LIMIT`]), is that times the largest. A NaN or +∞ among a column's scores makes
/// it NaN. Each column is the same sequence of operations wherever it stands.
///
/// # Panics
/// When `scores` is not whole rows or `scale` is not above zero.
pub fn softmax_columns<E: Element>(set: InstructionSet, scores: &mut [E], columns: usize, scale: E) {
    assert!(scale > E::ZERO, "a scale above zero is expected, {scale} found");
    let rows = whole_rows(scores.len(), columns);
    let (values, factors) = (scores.as_mut_ptr(), scores.as_ptr());
    E::dispatch(set, Columns { direction: Direction::Forward, rows, columns, scale, values, factors });
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
    check_length!(probabilities, derivative.len());
    let (values, factors) = (derivative.as_mut_ptr(), probabilities.as_ptr());
    E::dispatch(set, Columns { direction: Direction::Backward, rows, columns, scale, values, factors });
}

/// How many rows of that many columns `length` elements are.
fn whole_rows(length: usize, columns: usize) -> usize {
    assert!(length.is_multiple_of(columns.max(1)), "{length} elements in rows of {columns}");
    length / columns.max(1)
}

#[derive(Clone, Copy)]
enum Direction {
    Forward,
    Backward,
}

/// A matrix `[rows, columns]` whose columns are changed, and another, or the same, that is read.
#[derive(Clone, Copy)]
struct Columns<E> {
    direction: Direction,
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
            let panel = Panel { matrix: self, column, used };
            // SAFETY: the entry points have checked that both matrices hold their shape, and the columns are theirs.
            unsafe {
                match self.direction {
                    Direction::Forward => with_vectors!(used.div_ceil(V::LANES), forward::<V>(panel)),
                    Direction::Backward => with_vectors!(used.div_ceil(V::LANES), backward::<V>(panel)),
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
/// The panel's matrix holds its shape, and its columns are `VECTORS` vectors.
#[inline(always)]
unsafe fn forward<V: Vector, const VECTORS: usize>(panel: Panel<V::Element>) {
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
/// As [`forward`], for both matrices.
#[inline(always)]
unsafe fn backward<V: Vector, const VECTORS: usize>(panel: Panel<V::Element>) {
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
