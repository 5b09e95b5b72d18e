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
    check_length!(logits, [labels.len(), classes]);
    check_length!(probabilities, [labels.len(), classes]);
    let mut loss = 0.0;
    let mut correct = 0;
    for ((z, p), label) in
        logits.chunks_exact(classes).zip(probabilities.chunks_exact_mut(classes)).zip(labels)
    {
        let label = checked(*label, classes);
        let (best, log_sum) = softmax(z, p);
        loss += log_sum - (z[label] - z[best]).to_f64();
        correct += usize::from(best == label);
    }
    (loss, correct)
}

/// What an image is to be answered with: a class, or a mixture of two.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Target {
    /// A class.
    pub first: u8,
    /// Another, or the same.
    pub second: u8,
    /// How much of the answer the first is, a fraction; the rest is the second.
    pub first_share: f64,
}

impl Target {
    /// All of one class.
    pub fn of(label: u8) -> Self {
        Self { first: label, second: label, first_share: 1.0 }
    }

    /// The class that is more of the answer; the first of equals.
    fn heavier(self) -> u8 {
        if self.first_share >= 0.5 { self.first } else { self.second }
    }

    /// Both classes with what each is of the answer, smoothing not counted.
    fn parts(self, classes: usize) -> [(usize, f64); 2] {
        let (first, second) = (checked(self.first, classes), checked(self.second, classes));
        [(first, self.first_share), (second, 1.0 - self.first_share)]
    }
}

/// As [`softmax_cross_entropy`] for answers that are distributions: the loss is −Σₖ tₖ ln pₖ, and right is who gives the
/// heavier class of a mixture.
///
/// t = (1 − ε)(s·y₁ + (1 − s)·y₂) + ε / classes: the mixture's shares s of two one-hot vectors, smoothed by
/// ε = `smoothing` (Szegedy et al., "Rethinking the Inception Architecture", 2016, section 7). Unmixed and unsmoothed
/// answers give the bits of [`softmax_cross_entropy`].
///
/// # Panics
/// When a length does not fit, `classes` is 0 or a class of a target is not below it.
pub fn soft_cross_entropy<E: Element>(
    logits: &[E],
    targets: &[Target],
    smoothing: f64,
    classes: usize,
    probabilities: &mut [E],
) -> (f64, usize) {
    assert!(classes > 0, "no classes");
    check_length!(logits, [targets.len(), classes]);
    check_length!(probabilities, [targets.len(), classes]);
    let mut loss = 0.0;
    let mut correct = 0;
    for ((z, p), target) in
        logits.chunks_exact(classes).zip(probabilities.chunks_exact_mut(classes)).zip(targets)
    {
        let (best, log_sum) = softmax(z, p);
        let below = |class: usize| (z[class] - z[best]).to_f64();
        let parts = target.parts(classes);
        // A logit of −∞ that nothing is asked of must not count: 0 · −∞ is no number.
        let wanted = |share: f64, class: usize| if share == 0.0 { 0.0 } else { share * below(class) };
        let mixed = parts.map(|(class, share)| wanted(share, class));
        let mut answer = (1.0 - smoothing) * (mixed[0] + mixed[1]);
        if smoothing > 0.0 {
            answer += smoothing / classes as f64 * (0..classes).map(below).sum::<f64>();
        }
        loss += log_sum - answer;
        correct += usize::from(best == usize::from(target.heavier()));
    }
    (loss, correct)
}

/// Derivative of the mean of [`soft_cross_entropy`] over `batch_size` rows with respect to the logits:
/// (p − t) / `batch_size`, in place of the probabilities.
///
/// # Panics
/// When a length does not fit or a class of a target is not below `classes`.
pub fn soft_cross_entropy_backward<E: Element>(
    probabilities: &mut [E],
    targets: &[Target],
    smoothing: f64,
    classes: usize,
    batch_size: usize,
) {
    check_length!(probabilities, [targets.len(), classes]);
    let scale = E::from_f64(1.0 / batch_size as f64);
    let everywhere = E::from_f64(smoothing / classes as f64);
    for (row, target) in probabilities.chunks_exact_mut(classes).zip(targets) {
        for (class, share) in target.parts(classes) {
            row[class] -= E::from_f64((1.0 - smoothing) * share);
        }
        for value in row {
            *value -= everywhere;
            *value *= scale;
        }
    }
}

/// A label as an index.
fn checked(label: u8, classes: usize) -> usize {
    let label = usize::from(label);
    assert!(label < classes, "label {label}: below {classes} expected");
    label
}

/// `p` = softmax(`z`); returns the place of the largest logit, and ln Σ e^(z − max z).
fn softmax<E: Element>(z: &[E], p: &mut [E]) -> (usize, f64) {
    let best = argmax(z);
    let mut sum = E::ZERO;
    for (p, z_k) in p.iter_mut().zip(z) {
        *p = (*z_k - z[best]).exp();
        sum += *p;
    }
    for p in p.iter_mut() {
        *p = *p / sum;
    }
    (best, sum.ln().to_f64())
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
    check_length!(probabilities, [labels.len(), classes]);
    let scale = E::from_f64(1.0 / batch_size as f64);
    for (row, label) in probabilities.chunks_exact_mut(classes).zip(labels) {
        row[usize::from(*label)] += -E::ONE;
        for value in row {
            *value *= scale;
        }
    }
}
