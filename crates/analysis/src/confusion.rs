//! Which classes are taken for which.

use crate::Run;
use serde::Serialize;
use std::collections::BTreeMap;

/// Images of each true class that were given each class: a mean over the runs, of a cross-validation the sum over its folds.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Confusion {
    /// How many there are.
    pub classes: usize,
    /// `[true class, given class]`.
    pub counts: Vec<f64>,
}

impl Confusion {
    /// Of a model's runs, of a cross-validation those of one repetition; none without test images.
    pub fn of(runs: &[Run]) -> Option<Self> {
        let classes = runs.first()?.data.classes;
        let mut counts = vec![0.0; classes * classes];
        for run in runs {
            for (label, given) in run.test.labels.iter().zip(&run.test.predictions) {
                let at = usize::from(*label) * classes + usize::from(*given);
                if usize::from(*given) < classes && at < counts.len() {
                    counts[at] += 1.0;
                }
            }
        }
        let tested = if runs[0].fold().is_some() { 1.0 } else { runs.len() as f64 };
        counts.iter_mut().for_each(|count| *count /= tested);
        counts.iter().any(|count| *count > 0.0).then_some(Self { classes, counts })
    }

    /// Images of the one class that were given the other.
    pub fn at(&self, label: usize, given: usize) -> f64 {
        self.counts[label * self.classes + given]
    }

    /// The fraction of a class's images that were recognised; none for a class without images.
    pub fn recall(&self, label: usize) -> Option<f64> {
        let all: f64 = self.counts[label * self.classes..][..self.classes].iter().sum();
        (all > 0.0).then(|| self.at(label, label) / all)
    }

    /// The most images of one class that were taken for another.
    pub fn largest_error(&self) -> f64 {
        let wrong = (0..self.counts.len()).filter(|at| at / self.classes != at % self.classes);
        wrong.map(|at| self.counts[at]).fold(0.0, f64::max)
    }
}

/// The (true, given) classes that were confused most often, several if equally often, and how often in all runs.
pub fn most_confused(runs: &[Run]) -> Option<(Vec<(u8, u8)>, usize)> {
    let mut counts: BTreeMap<(u8, u8), usize> = BTreeMap::new();
    for run in runs {
        for (label, prediction) in run.test.labels.iter().zip(&run.test.predictions) {
            if label != prediction {
                *counts.entry((*label, *prediction)).or_default() += 1;
            }
        }
    }
    let most = counts.values().copied().max()?;
    Some((counts.into_iter().filter(|(_, count)| *count == most).map(|(pair, _)| pair).collect(), most))
}
