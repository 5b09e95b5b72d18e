use crate::{Score, Trial};

/// Asynchronous successive halving: after each rung of epochs only the best of those that came so far go on.
///
/// Rungs stand after `first`, `first · factor`, `first · factor²`, … epochs, short of a trial's length. With n the trials of
/// the same length that reached a rung up to now, the one that just reached it included, it goes on if fewer than
/// `max(1, ⌊n / factor⌋)` of them are better there. So no trial waits for another, what was stopped is never needed again,
/// and the trial that leads is never stopped. What it costs: the first trials have nobody to be worse than, and a training
/// that starts slowly is stopped for it. Trials of different lengths are not compared: with a schedule of the learning
/// rate, an epoch of a short training and an epoch of a long one are different things.
///
/// Source: Li et al. 2020, "A system for massively parallel hyperparameter tuning", MLSys, in its form that stops trials
/// instead of pausing them; `factor` 3 is the one of Li et al. 2018, "Hyperband", JMLR 18, where any from 2 to 4 does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Halving {
    /// Epochs before the first rung, at least 1.
    pub first: u64,
    /// One in how many goes on, at least 2.
    pub factor: u64,
}

impl Default for Halving {
    fn default() -> Self {
        Self { first: 1, factor: 3 }
    }
}

impl Halving {
    /// The rungs of a training of so many epochs.
    pub fn rungs(&self, length: u64) -> Vec<u64> {
        let next = |rung: &u64| rung.checked_mul(self.factor.max(2));
        std::iter::successors(Some(self.first.max(1)), next).take_while(|rung| *rung < length).collect()
    }

    /// Whether a trial of `length` epochs that has these scores so far is worth its next epoch, by the trials before it.
    /// Between rungs it is.
    pub fn goes_on(&self, before: &[Trial], length: u64, scores: &[Score]) -> bool {
        let Some(score) = scores.last().filter(|_| self.rungs(length).contains(&(scores.len() as u64)))
        else {
            return true;
        };
        let there = before
            .iter()
            .filter(|trial| trial.length == length)
            .filter_map(|trial| Some((trial.failed, trial.scores.get(scores.len() - 1)?)));
        // What failed later was here, but was no better.
        let (peers, better) = there.fold((1, 0), |(peers, better), (failed, other)| {
            (peers + 1, better + u64::from(!failed && other.compare(score).is_gt()))
        });
        better < (peers / self.factor.max(2)).max(1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn trial(length: u64, values: &[f64]) -> Trial {
        Trial { point: vec![], length, scores: scores(values), failed: false }
    }

    fn scores(values: &[f64]) -> Vec<Score> {
        values.iter().map(|&value| Score { value, penalty: 0.0 }).collect()
    }

    #[test]
    fn what_failed_later_stops_no_other() {
        let mut failed = trial(9, &[0.98]);
        let score = scores(&[0.97]);
        assert!(!Halving::default().goes_on(&[failed.clone()], 9, &score));
        failed.failed = true;
        assert!(Halving::default().goes_on(&[failed], 9, &score));
    }

    #[test]
    fn rungs_stop_short_of_the_end() {
        let rungs = |length| Halving::default().rungs(length);
        assert_eq!(rungs(1), Vec::<u64>::new());
        assert_eq!(rungs(5), [1, 3]);
        assert_eq!(rungs(9), [1, 3]);
        assert_eq!(rungs(10), [1, 3, 9]);
        assert_eq!(Halving { first: 2, factor: 2 }.rungs(u64::MAX).len(), 63);
    }

    /// Five came before; with the sixth, ⌊6/3⌋ = 2 go on.
    #[test]
    fn a_third_goes_on() {
        let before: Vec<Trial> = [0.1, 0.2, 0.3, 0.4, 0.5].iter().map(|value| trial(9, &[*value])).collect();
        let goes_on = |value| Halving::default().goes_on(&before, 9, &scores(&[value]));
        assert!(goes_on(0.6) && goes_on(0.45));
        assert!(!goes_on(0.35) && !goes_on(0.05) && !goes_on(f64::NAN));
        assert!(goes_on(0.4), "a trial that equals the last one to go on goes on");
        let four = &before[1..];
        assert!(!Halving::default().goes_on(four, 9, &scores(&[0.45])), "of five, one goes on");
    }

    #[test]
    fn only_rungs_and_equal_lengths_count() {
        let before = vec![trial(9, &[0.9, 0.9, 0.9]); 8];
        assert!(!Halving::default().goes_on(&before, 9, &scores(&[0.1])));
        assert!(Halving::default().goes_on(&before, 9, &scores(&[0.1, 0.1])), "epoch 2 is no rung");
        assert!(!Halving::default().goes_on(&before, 9, &scores(&[0.1, 0.1, 0.1])));
        assert!(Halving::default().goes_on(&before, 8, &scores(&[0.1])), "nobody else has 8 epochs");
        assert!(Halving::default().goes_on(&before, 1, &scores(&[0.1])), "the end is no rung");
    }
}
