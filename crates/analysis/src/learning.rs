//! What the epochs tell: which weights were tested, when accuracies are first reached, the gap between training and validation, the
//! trend of the loss.

use crate::{Run, thresholds::Thresholds};
use records::record::EpochRecord;
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};

/// The learning of a model, over its runs.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Learning {
    /// The epochs with which runs ended, each once, ascending.
    pub last_epochs: Vec<usize>,
    /// The epochs whose weights were tested, each once, ascending.
    pub tested_epochs: Vec<usize>,
    /// The last epoch that every run has; none of runs without epochs.
    pub common_epoch: Option<usize>,
    /// Accuracies and the first epoch in which the mean of the runs reaches them, of those epochs that every run has; empty where
    /// a validation accuracy is not finite.
    pub milestones: Vec<Milestone>,
    /// Mean training accuracy in the epochs whose weights were tested, as a fraction.
    pub train_accuracy: Option<f64>,
    /// Mean validation accuracy in the same epochs.
    pub validation_accuracy: Option<f64>,
    /// Where the mean validation loss goes.
    pub trend: Option<Trend>,
}

/// An accuracy to be reached.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Milestone {
    /// As a fraction.
    pub accuracy: f64,
    /// The first epoch in which it is; none where it is never reached.
    pub epoch: Option<usize>,
}

/// A mean validation loss in an epoch.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct LossAt {
    /// Counted from 1.
    pub epoch: usize,
    /// In nats.
    pub loss: f64,
}

/// Where the validation loss goes at the end of training.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Trend {
    /// In some run's epoch it is infinite or not a number.
    NotFinite,
    /// The runs ended after different epochs.
    NoCommonEnd,
    /// One epoch shows none.
    OneEpoch,
    /// It is above its lowest.
    Rises {
        /// The lowest.
        lowest: LossAt,
        /// The last.
        last: LossAt,
    },
    /// It is below that of the epoch before.
    Falls {
        /// That of the epoch before the last.
        before: LossAt,
        /// The last.
        last: LossAt,
    },
    /// Neither.
    Flat {
        /// That of the epoch before the last.
        before: LossAt,
        /// The last.
        last: LossAt,
    },
}

impl Learning {
    pub(crate) fn of(runs: &[Run], thresholds: &Thresholds) -> Self {
        let accuracies = means(runs, |epoch| epoch.validation_accuracy).unwrap_or_default();
        let first =
            |accuracy: f64| accuracies.iter().find(|(_, mean)| *mean >= accuracy).map(|(epoch, _)| *epoch);
        let milestones =
            thresholds.milestones.iter().map(|&accuracy| Milestone { accuracy, epoch: first(accuracy) });
        let last_epochs = distinct(runs, last_epoch);
        let trend = match (means(runs, |epoch| epoch.validation_loss), last_epochs.as_slice()) {
            (None, _) => Some(Trend::NotFinite),
            (Some(losses), [] | [_]) => trend(&losses, thresholds.flat_loss),
            (Some(_), _) => Some(Trend::NoCommonEnd),
        };
        Self {
            tested_epochs: distinct(runs, tested_epoch),
            common_epoch: accuracies.last().map(|(epoch, _)| *epoch),
            milestones: if accuracies.is_empty() { Vec::new() } else { milestones.collect() },
            train_accuracy: mean_when_tested(runs, |epoch| epoch.train_accuracy),
            validation_accuracy: mean_when_tested(runs, |epoch| epoch.validation_accuracy),
            trend,
            last_epochs,
        }
    }
}

/// The run's last epoch.
pub fn last_epoch(run: &Run) -> Option<usize> {
    run.epochs.last().map(|epoch| epoch.epoch)
}

/// The epoch after which a run had the weights that were tested.
pub fn tested_epoch(run: &Run) -> Option<usize> {
    run.kept_epoch.or_else(|| last_epoch(run))
}

/// The mean of a figure over the runs, for each epoch that every run has; none when one is not finite.
fn means(runs: &[Run], figure: impl Fn(&EpochRecord) -> f64) -> Option<Vec<(usize, f64)>> {
    let mut by_epoch: BTreeMap<usize, Vec<f64>> = BTreeMap::new();
    for epoch in runs.iter().flat_map(|run| run.epochs) {
        by_epoch.entry(epoch.epoch).or_default().push(figure(epoch));
    }
    by_epoch
        .into_iter()
        .filter(|(_, values)| values.len() == runs.len())
        .map(|(epoch, values)| Some((epoch, stats::mean(&values).ok().filter(|mean| mean.is_finite())?)))
        .collect()
}

/// The mean of a figure over the runs, each in the epoch whose weights were tested.
fn mean_when_tested(runs: &[Run], figure: impl Fn(&EpochRecord) -> f64) -> Option<f64> {
    let values: Option<Vec<f64>> = runs
        .iter()
        .map(|run| run.epochs.iter().find(|epoch| Some(epoch.epoch) == tested_epoch(run)).map(&figure))
        .collect();
    stats::mean(&values?).ok()
}

/// The epochs that some runs give, each once.
fn distinct(runs: &[Run], epoch: fn(&Run) -> Option<usize>) -> Vec<usize> {
    runs.iter().filter_map(|run| epoch(run)).collect::<BTreeSet<_>>().into_iter().collect()
}

fn trend(losses: &[(usize, f64)], flat: f64) -> Option<Trend> {
    let at = |(epoch, loss): (usize, f64)| LossAt { epoch, loss };
    let [.., before, last] = losses else {
        return (losses.len() == 1).then_some(Trend::OneEpoch);
    };
    let (before, last) = (at(*before), at(*last));
    let lowest = at(losses.iter().copied().min_by(|one, other| one.1.total_cmp(&other.1))?);
    Some(if last.loss > lowest.loss * (1.0 + flat) {
        Trend::Rises { lowest, last }
    } else if last.loss < before.loss * (1.0 - flat) {
        Trend::Falls { before, last }
    } else {
        Trend::Flat { before, last }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn trends_are_told_apart() {
        let of = |losses: &[(usize, f64)]| trend(losses, 0.02);
        let at = |epoch, loss| LossAt { epoch, loss };
        assert_eq!(of(&[(1, 0.5), (2, 0.4)]), Some(Trend::Falls { before: at(1, 0.5), last: at(2, 0.4) }));
        assert_eq!(
            of(&[(1, 0.4), (2, 0.3), (3, 0.35)]),
            Some(Trend::Rises { lowest: at(2, 0.3), last: at(3, 0.35) })
        );
        assert_eq!(of(&[(1, 0.4), (2, 0.396)]), Some(Trend::Flat { before: at(1, 0.4), last: at(2, 0.396) }));
        assert_eq!((of(&[(1, 0.4)]), of(&[])), (Some(Trend::OneEpoch), None));
    }
}
