//! Softmax and cross-entropy, the loss of a classifier and its derivative.

use crate::{Element, check_length};

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
