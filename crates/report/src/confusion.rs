//! Which classes are taken for which.

use crate::Model;

/// Images of each true class that were given each class, a mean over the runs.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Confusion {
    pub(crate) classes: usize,
    /// `[true class, given class]`.
    pub(crate) counts: Vec<f64>,
}

impl Confusion {
    /// Of a model's runs; none without test images.
    pub(crate) fn of(model: &Model) -> Option<Self> {
        let classes = model.runs.first()?.specification.dataset.classes;
        let mut counts = vec![0.0; classes * classes];
        for run in &model.runs {
            for (label, given) in run.test.labels.iter().zip(&run.test.predictions) {
                let at = usize::from(*label) * classes + usize::from(*given);
                if usize::from(*given) < classes && at < counts.len() {
                    counts[at] += 1.0;
                }
            }
        }
        let runs = model.runs.len() as f64;
        counts.iter_mut().for_each(|count| *count /= runs);
        counts.iter().any(|count| *count > 0.0).then_some(Self { classes, counts })
    }

    pub(crate) fn at(&self, label: usize, given: usize) -> f64 {
        self.counts[label * self.classes + given]
    }

    /// The fraction of a class's images that were recognised; none for a class without images.
    pub(crate) fn recall(&self, label: usize) -> Option<f64> {
        let all: f64 = self.counts[label * self.classes..][..self.classes].iter().sum();
        (all > 0.0).then(|| self.at(label, label) / all)
    }

    /// The most images of one class that were taken for another.
    pub(crate) fn largest_error(&self) -> f64 {
        let wrong = (0..self.counts.len()).filter(|at| at / self.classes != at % self.classes);
        wrong.map(|at| self.counts[at]).fold(0.0, f64::max)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture::with_predictions;

    #[test]
    fn images_are_counted_by_class_and_run() {
        let one = with_predictions("a", 1, &[0, 0, 1, 3], &[0, 2, 1, 3]);
        let other = with_predictions("a", 2, &[0, 0, 1, 3], &[0, 0, 1, 1]);
        let confusion = Confusion::of(&Model { name: "a", runs: vec![&one, &other] }).expect("images");
        assert_eq!((confusion.at(0, 0), confusion.at(0, 2), confusion.at(3, 1)), (1.5, 0.5, 0.5));
        assert_eq!((confusion.recall(0), confusion.recall(1)), (Some(0.75), Some(1.0)));
        assert_eq!((confusion.recall(2), confusion.largest_error()), (None, 0.5));
    }
}
