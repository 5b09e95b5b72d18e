//! How far a model's probabilities can be believed.

use records::record::RunRecord;

/// Bins of equal mass over which the calibration error is taken.
const BINS: usize = 15;

/// Predictions of about the same confidence.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Bin {
    /// Mean probability of the class that was given.
    pub(crate) confidence: f64,
    /// Fraction of them that was right.
    pub(crate) accuracy: f64,
    /// How many there are.
    pub(crate) count: usize,
}

/// Each prediction's confidence and whether it is right; none where the run has no probabilities to its predictions.
fn confidences(run: &RunRecord) -> Option<Vec<(u16, bool)>> {
    let classes = run.specification.dataset.classes;
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
pub(crate) fn bins(runs: &[&RunRecord]) -> Option<Vec<Bin>> {
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
pub(crate) fn calibration_error(run: &RunRecord) -> Option<f64> {
    let bins = bins(&[run])?;
    let all: usize = bins.iter().map(|bin| bin.count).sum();
    let gaps = bins.iter().map(|bin| bin.count as f64 * (bin.accuracy - bin.confidence).abs());
    Some(gaps.sum::<f64>() / all as f64)
}

/// The Brier score, the mean over images of `Σ (probability − truth)²` over the classes (Brier 1950): 0 at best, 2 at
/// worst.
pub(crate) fn brier(run: &RunRecord) -> Option<f64> {
    confidences(run)?;
    let rows = run.test.probabilities.chunks_exact(run.specification.dataset.classes);
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
pub(crate) fn unit(probability: u16) -> f64 {
    f64::from(probability) / 65535.0
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture::with_predictions;

    /// Sixty images of two classes: half of them sure and right, half of them at 0.6 and right every second time.
    fn half_sure() -> RunRecord {
        let labels: Vec<u8> = (0..60).map(|image| u8::from(image >= 30 && image % 2 == 0)).collect();
        let mut run = with_predictions("a", 1, &labels, &[0; 60]);
        run.specification.dataset.classes = 2;
        let row = |image: usize| if image < 30 { [65535, 0] } else { [39321, 26214] };
        run.test.probabilities = (0..60).flat_map(row).collect();
        run
    }

    #[test]
    fn the_figures_are_those_worked_out_by_hand() {
        let run = half_sure();
        let bins = bins(&[&run]).expect("probabilities");
        assert_eq!(bins.iter().map(|bin| bin.count).collect::<Vec<_>>(), [4; 15]);
        // Errors sort before rights at the same confidence, so the gaps of the bins are 0.6, 0.1 or 0.4.
        let gap: f64 = bins.iter().map(|bin| (bin.accuracy - bin.confidence).abs() * 4.0).sum::<f64>() / 60.0;
        assert!((calibration_error(&run).expect("probabilities") - gap).abs() < 1e-12);
        assert_eq!(bins.last().map(|bin| (bin.confidence, bin.accuracy)), Some((1.0, 1.0)));
        // Half of the images score 0, a quarter 2 · 0.4² and a quarter 2 · 0.6².
        let expected = 0.25 * 2.0 * 0.16 + 0.25 * 2.0 * 0.36;
        assert!((brier(&run).expect("probabilities") - expected).abs() < 1e-5);
    }

    #[test]
    fn without_probabilities_there_is_no_figure() {
        let mut run = half_sure();
        run.test.probabilities.pop();
        assert_eq!((bins(&[&run]), brier(&run), calibration_error(&run)), (None, None, None));
    }
}
