//! How far a model's probabilities can be believed.

use crate::Run;
use crate::{partner::first_repeat, spread::Spread};
use serde::Serialize;

/// Bins of equal mass over which the calibration error is taken.
pub const BINS: usize = 15;

/// Predictions of about the same confidence.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Bin {
    /// Mean probability of the class that was given.
    pub confidence: f64,
    /// Fraction of them that was right.
    pub accuracy: f64,
    /// How many there are.
    pub count: usize,
}

/// How far the probabilities of a model's runs can be believed.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Calibration {
    /// The [Brier score](brier).
    pub brier: Option<Spread>,
    /// The [expected calibration error](calibration_error), as a fraction.
    pub error: Option<Spread>,
    /// The predictions of all runs together (of a cross-validation of its first repetition), from the least confident to the most.
    pub bins: Vec<Bin>,
}

impl Calibration {
    /// None where a run has no probabilities to its predictions.
    pub fn of(runs: &[Run]) -> Option<Self> {
        let bins = bins(&first_repeat(runs)).filter(|bins| !bins.is_empty())?;
        let figure = |figure: fn(&Run) -> Option<f64>| {
            let all: Option<Vec<f64>> = runs.iter().map(|run| figure(run)).collect();
            Spread::of(&all?)
        };
        Some(Self { brier: figure(brier), error: figure(calibration_error), bins })
    }
}

/// Each prediction's confidence and whether it is right; none where the run has no probabilities to its predictions.
fn confidences(run: &Run) -> Option<Vec<(u16, bool)>> {
    let classes = run.data.classes;
    let test = &run.test;
    let complete = !test.labels.is_empty()
        && test.predictions.len() == test.labels.len()
        && test.probabilities.len() == test.labels.len() * classes;
    complete.then(|| {
        let rows = test.probabilities.chunks_exact(classes);
        let given = rows.zip(test.predictions.iter().zip(&test.labels));
        given
            .map(|(row, (prediction, label))| {
                (row.get(usize::from(*prediction)).copied().unwrap_or(0), prediction == label)
            })
            .collect()
    })
}

/// The predictions of some runs in [`BINS`] bins of equal mass, from the least confident to the most.
pub fn bins(runs: &[Run]) -> Option<Vec<Bin>> {
    let mut all = Vec::new();
    for run in runs {
        all.extend(confidences(run)?);
    }
    all.sort_unstable();
    let count = all.len();
    let edge = |bin: usize| bin * count / BINS;
    let bins = (0..BINS).map(|bin| &all[edge(bin)..edge(bin + 1)]).filter(|bin| !bin.is_empty());
    let bins = bins.map(|bin| {
        let total: f64 = bin.iter().map(|(confidence, _)| unit(*confidence)).sum();
        let right = bin.iter().filter(|(_, right)| *right).count();
        let count = bin.len();
        Bin { confidence: total / count as f64, accuracy: right as f64 / count as f64, count }
    });
    Some(bins.collect())
}

/// The expected calibration error, `Σ (count / all) · |accuracy − confidence|` over the bins (Guo et al. 2017, with the
/// bins of equal mass of Nixon et al. 2019), as a fraction.
pub fn calibration_error(run: &Run) -> Option<f64> {
    let bins = bins(&[*run])?;
    let all: usize = bins.iter().map(|bin| bin.count).sum();
    let gaps = bins.iter().map(|bin| bin.count as f64 * (bin.accuracy - bin.confidence).abs());
    Some(gaps.sum::<f64>() / all as f64)
}

/// The Brier score, the mean over images of `Σ (probability − truth)²` over the classes (Brier 1950): 0 at best, 2 at
/// worst.
pub fn brier(run: &Run) -> Option<f64> {
    confidences(run)?;
    let rows = run.test.probabilities.chunks_exact(run.data.classes);
    let scores = rows.zip(&run.test.labels).map(|(row, label)| {
        let truth = |class: usize| f64::from(u8::from(class == usize::from(*label)));
        row.iter()
            .enumerate()
            .map(|(class, probability)| (unit(*probability) - truth(class)).powi(2))
            .sum::<f64>()
    });
    Some(scores.sum::<f64>() / run.test.labels.len() as f64)
}

/// A recorded probability as a fraction.
pub fn unit(probability: u16) -> f64 {
    f64::from(probability) / 65535.0
}
