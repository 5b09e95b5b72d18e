use crate::Value;
use std::cmp::Ordering;

/// How good a training is after an epoch.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Score {
    /// Higher is better: an accuracy.
    pub value: f64,
    /// Decides between equal values, lower is better: a loss. Accuracies on a few thousand images are often equal.
    pub penalty: f64,
}

impl Score {
    /// The better of two is the greater. A value or penalty that is not a number is the worst there is.
    pub(crate) fn compare(&self, other: &Self) -> Ordering {
        let value = |score: &Self| if score.value.is_nan() { f64::NEG_INFINITY } else { score.value };
        let penalty = |score: &Self| if score.penalty.is_nan() { f64::INFINITY } else { score.penalty };
        value(self).total_cmp(&value(other)).then(penalty(other).total_cmp(&penalty(self)))
    }
}

/// A point that was tried, and what came of it. Trials are numbered by their place among the trials, from 0.
#[derive(Debug, Clone, PartialEq)]
pub struct Trial {
    /// A value for each dimension of the space.
    pub point: Vec<Value>,
    /// The epochs that it was to have; fewer scores mean that it was stopped.
    pub length: u64,
    /// After each epoch that it had, in order. The last one counts, never the best.
    pub scores: Vec<Score>,
    /// Whether the training broke down, as by a loss that is not a number; its scores do not count then.
    pub failed: bool,
}

impl Trial {
    /// Whether it had all its epochs.
    pub fn finished(&self) -> bool {
        !self.failed && !self.scores.is_empty() && self.scores.len() as u64 >= self.length
    }

    /// The better of two trials is the greater: those that failed are the worst; of the others the one that had the larger
    /// share of its epochs, since halving stopped the other one for being worse; then the one with the better last score.
    pub(crate) fn compare(&self, other: &Self) -> Ordering {
        let usable = |trial: &Self| !trial.failed && !trial.scores.is_empty();
        match (usable(self), usable(other)) {
            (true, true) => {
                let share = |trial: &Self| (trial.scores.len() as f64 / trial.length as f64).min(1.0);
                let last = |trial: &Self| trial.scores[trial.scores.len() - 1];
                share(self).total_cmp(&share(other)).then_with(|| last(self).compare(&last(other)))
            }
            (one, other) => one.cmp(&other),
        }
    }
}

/// The trials' numbers, the best first; of equal ones the earlier first.
///
/// Finished trials come first, by their last score; then those that were stopped, the later the better; then failed ones.
pub fn ranking(trials: &[Trial]) -> Vec<usize> {
    let mut order: Vec<usize> = (0..trials.len()).collect();
    order.sort_by(|a, b| trials[*b].compare(&trials[*a]));
    order
}

/// After each trial the best value of a finished trial so far; none before the first one.
pub fn best_so_far(trials: &[Trial]) -> Vec<Option<f64>> {
    let mut best: Option<&Trial> = None;
    trials
        .iter()
        .map(|trial| {
            if trial.finished() && best.is_none_or(|best| trial.compare(best).is_gt()) {
                best = Some(trial);
            }
            best.and_then(|best| best.scores.last()).map(|score| score.value)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn trial(length: u64, scores: &[(f64, f64)], failed: bool) -> Trial {
        let scores = scores.iter().map(|&(value, penalty)| Score { value, penalty }).collect();
        Trial { point: vec![], length, scores, failed }
    }

    #[test]
    fn finished_before_stopped_before_failed() {
        let trials = [
            trial(3, &[(0.99, 0.1)], false),
            trial(3, &[(0.9, 0.1), (0.9, 0.1), (0.91, 0.3)], false),
            trial(3, &[(0.8, 0.1), (0.99, 0.1), (0.91, 0.2)], false),
            trial(3, &[(0.999, 0.1), (0.999, 0.1)], true),
            trial(3, &[(0.7, 0.1), (0.7, 0.1)], false),
            trial(3, &[(f64::NAN, 0.1), (f64::NAN, 0.1)], false),
        ];
        assert_eq!(ranking(&trials), [2, 1, 4, 5, 0, 3]);
        assert_eq!(best_so_far(&trials), [None, Some(0.91), Some(0.91), Some(0.91), Some(0.91), Some(0.91)]);
    }

    #[test]
    fn of_equal_trials_the_earlier_is_first() {
        let trials = vec![trial(1, &[(0.5, 0.5)], false); 4];
        assert_eq!(ranking(&trials), [0, 1, 2, 3]);
    }
}
