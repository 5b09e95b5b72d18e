//! Measuring a model without changing it.

use crate::Subset;
use nn::{Evaluation, Model};

/// Loss and accuracy over a subset, in batches of the model's capacity.
///
/// # Panics
/// When images have another size than the model's, or a label is not one of its classes.
pub fn evaluate(model: &mut Model<f32>, subset: Subset) -> Evaluation {
    let mut total = Evaluation::default();
    in_batches(model, subset, |_, _, evaluation| total.add(evaluation));
    total
}

/// What a model says of each image of a subset.
#[derive(Debug, Clone, PartialEq)]
pub struct Predictions {
    /// Loss and accuracy.
    pub evaluation: Evaluation,
    /// The most probable class of each image.
    pub classes: Vec<u8>,
    /// `[image, class]`, each row a softmax.
    pub probabilities: Vec<f32>,
}

/// Loss, accuracy, and each image's class and probabilities.
///
/// # Panics
/// As [`evaluate`].
pub fn predict(model: &mut Model<f32>, subset: Subset) -> Predictions {
    let count = model.classes();
    let mut predictions = Predictions {
        evaluation: Evaluation::default(),
        classes: Vec::with_capacity(subset.len()),
        probabilities: Vec::with_capacity(subset.len() * count),
    };
    in_batches(model, subset, |model, images, evaluation| {
        let probabilities = &model.probabilities()[..images * count];
        predictions.evaluation.add(evaluation);
        predictions.probabilities.extend_from_slice(probabilities);
        let classes = probabilities.chunks_exact(count).map(|row| kernels::softmax::argmax(row) as u8);
        predictions.classes.extend(classes);
    });
    predictions
}

fn in_batches(model: &mut Model<f32>, subset: Subset, mut each: impl FnMut(&Model<f32>, usize, Evaluation)) {
    let capacity = model.capacity();
    let mut labels = Vec::with_capacity(capacity);
    for first in (0..subset.len()).step_by(capacity) {
        let batch = first..subset.len().min(first + capacity);
        labels.clear();
        labels.extend(batch.clone().map(|position| subset.dataset.labels()[subset.index(position)]));
        model.set_batch(batch.len(), |image| subset.dataset.image(subset.index(first + image)));
        let evaluation = model.evaluate(&labels);
        each(model, labels.len(), evaluation);
    }
}
