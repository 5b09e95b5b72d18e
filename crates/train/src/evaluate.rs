//! Measuring a network without changing it.

use crate::{Engine, Subset, TestTimeAugmentation};
use nn::{Evaluation, ImageShape};

/// Loss and accuracy over a subset, in batches of the engine's capacity.
///
/// # Panics
/// When images have another size than the network's, or a label is not one of its classes.
pub fn evaluate(
    engine: &mut dyn Engine,
    subset: Subset,
    test_time_augmentation: TestTimeAugmentation,
) -> Evaluation {
    let mut total = Evaluation::default();
    in_batches(engine, subset, test_time_augmentation, |_, evaluation| total.add(evaluation));
    total
}

/// What a network says of each image of a subset.
#[derive(Debug, Clone, PartialEq)]
pub struct Predictions {
    /// Loss and accuracy.
    pub evaluation: Evaluation,
    /// The most probable class of each image.
    pub classes: Vec<u8>,
    /// `[image, class]`, each row a softmax, or the mean of several.
    pub probabilities: Vec<f32>,
}

/// Loss, accuracy, and each image's class and probabilities.
///
/// # Panics
/// As [`evaluate`].
pub fn predict(
    engine: &mut dyn Engine,
    subset: Subset,
    test_time_augmentation: TestTimeAugmentation,
) -> Predictions {
    let count = engine.classes();
    let mut predictions = Predictions {
        evaluation: Evaluation::default(),
        classes: Vec::with_capacity(subset.len()),
        probabilities: Vec::with_capacity(subset.len() * count),
    };
    in_batches(engine, subset, test_time_augmentation, |probabilities, evaluation| {
        predictions.evaluation.add(evaluation);
        predictions.probabilities.extend_from_slice(probabilities);
        let classes = probabilities.chunks_exact(count).map(|row| kernels::softmax::argmax(row) as u8);
        predictions.classes.extend(classes);
    });
    predictions
}

/// Hands `each` the probabilities `[image, class]` of each batch and what they are worth.
fn in_batches(
    engine: &mut dyn Engine,
    subset: Subset,
    test_time_augmentation: TestTimeAugmentation,
    mut each: impl FnMut(&[f32], Evaluation),
) {
    let capacity = engine.capacity();
    let mut labels = Vec::with_capacity(capacity);
    let mut views = Views::default();
    for first in (0..subset.len()).step_by(capacity) {
        let batch = first..subset.len().min(first + capacity);
        labels.clear();
        labels.extend(batch.clone().map(|position| subset.dataset.labels()[subset.index(position)]));
        let image = |image: usize| subset.dataset.image(subset.index(first + image));
        let shifts = test_time_augmentation.shifts();
        if shifts.is_empty() {
            let evaluation = engine.evaluate(&labels, &image);
            each(&engine.probabilities()[..labels.len() * engine.classes()], evaluation);
        } else {
            let shape = subset.dataset.shape();
            let evaluation = views.evaluate(engine, &labels, &image, shape, shifts);
            each(&views.probabilities, evaluation);
        }
    }
}

/// Several views of a batch and their mean answer.
#[derive(Default)]
struct Views {
    /// The images of one view.
    images: Vec<u8>,
    /// `[image, class]`, the mean over the views.
    probabilities: Vec<f32>,
}

impl Views {
    /// The mean p of the softmax over the image and its shifts, added in their order; the loss is −ln p(label), where p
    /// below the smallest normal number counts as that.
    fn evaluate<'a>(
        &mut self,
        engine: &mut dyn Engine,
        labels: &[u8],
        image: &(dyn Fn(usize) -> &'a [u8] + Sync),
        shape: ImageShape,
        shifts: &[(isize, isize)],
    ) -> Evaluation {
        let (classes, pixels) = (engine.classes(), engine.image_length());
        let length = labels.len() * classes;
        engine.evaluate(labels, image);
        self.probabilities.clear();
        self.probabilities.extend_from_slice(&engine.probabilities()[..length]);
        self.images.resize(labels.len() * pixels, 0);
        for shift in shifts {
            for (index, moved) in self.images.chunks_exact_mut(pixels).enumerate() {
                shift_image(image(index), shape, *shift, moved);
            }
            engine.evaluate(labels, &|image| &self.images[image * pixels..][..pixels]);
            for (sum, one) in self.probabilities.iter_mut().zip(engine.probabilities()) {
                *sum += *one;
            }
        }
        let views = (shifts.len() + 1) as f32;
        self.probabilities.iter_mut().for_each(|sum| *sum /= views);
        let mut evaluation = Evaluation { images: labels.len(), ..Evaluation::default() };
        for (row, label) in self.probabilities.chunks_exact(classes).zip(labels) {
            let probability = row[usize::from(*label)];
            // Written so that a NaN stays one.
            let probability = if probability < f32::MIN_POSITIVE { f32::MIN_POSITIVE } else { probability };
            evaluation.loss_sum -= libm::log(f64::from(probability));
            evaluation.correct += usize::from(kernels::softmax::argmax(row) == usize::from(*label));
        }
        evaluation
    }
}

/// Moves an image down and to the right by (`rows`, `columns`), either of which may be negative; 0 comes in at the edges.
fn shift_image(image: &[u8], shape: ImageShape, (rows, columns): (isize, isize), moved: &mut [u8]) {
    let ImageShape { height, width, channels } = shape;
    for (row, moved) in moved.chunks_exact_mut(width * channels).enumerate() {
        let from = row.checked_add_signed(-rows).filter(|from| *from < height);
        for (column, pixel) in moved.chunks_exact_mut(channels).enumerate() {
            let from_column = column.checked_add_signed(-columns).filter(|column| *column < width);
            match (from, from_column) {
                (Some(row), Some(column)) => {
                    pixel.copy_from_slice(&image[(row * width + column) * channels..][..channels]);
                }
                _ => pixel.fill(0),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shift_brings_in_zeros() {
        let image = [1, 2, 3, 4, 5, 6];
        let shifted = |shift| {
            let mut moved = [9; 6];
            shift_image(&image, [2, 3].into(), shift, &mut moved);
            moved
        };
        assert_eq!(shifted((0, 0)), image);
        assert_eq!(shifted((1, 0)), [0, 0, 0, 1, 2, 3]);
        assert_eq!(shifted((-1, 0)), [4, 5, 6, 0, 0, 0]);
        assert_eq!(shifted((0, 1)), [0, 1, 2, 0, 4, 5]);
        assert_eq!(shifted((0, -1)), [2, 3, 0, 5, 6, 0]);
        assert_eq!(shifted((1, -1)), [0, 0, 0, 2, 3, 0]);
        assert_eq!(shifted((2, 0)), [0; 6]);
        let mut colour = [9; 6];
        shift_image(&image, [1, 2, 3].into(), (0, 1), &mut colour);
        assert_eq!(colour, [0, 0, 0, 1, 2, 3]);
    }

    #[test]
    fn the_shifts_are_the_neighbours() {
        for (augmentation, count) in
            [(TestTimeAugmentation::FourShifts, 4), (TestTimeAugmentation::EightShifts, 8)]
        {
            let mut shifts = augmentation.shifts().to_vec();
            shifts.sort_unstable();
            shifts.dedup();
            assert_eq!(shifts.len(), count);
            assert!(shifts.iter().all(|(rows, columns)| rows.abs().max(columns.abs()) == 1));
            assert_eq!(shifts.iter().map(|(rows, columns)| rows + columns).sum::<isize>(), 0);
        }
    }
}
