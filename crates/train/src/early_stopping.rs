//! Which epoch's parameters are kept, and when no better ones are expected.

use crate::Recipe;

/// Watches the validation loss.
#[derive(Debug)]
pub(crate) struct EarlyStopping {
    patience: Option<usize>,
    /// The lowest loss yet, and its epoch, counted from 1; 0 before there is any.
    best: (f64, usize),
    last: usize,
    /// Whether the parameters after the best epoch are kept, or the last ones.
    keep_best: bool,
}

impl EarlyStopping {
    /// Before the first epoch.
    pub(crate) fn new(recipe: &Recipe) -> Self {
        Self {
            patience: recipe.early_stopping,
            best: (f64::INFINITY, 0),
            last: 0,
            keep_best: recipe.keep_best,
        }
    }

    /// Takes note of the next epoch's validation loss; whether the parameters that it was measured with are to be kept.
    pub(crate) fn add(&mut self, loss: f64) -> bool {
        self.last += 1;
        // Of equal losses the first is the best; a NaN never is.
        let is_better = loss < self.best.0;
        if is_better {
            self.best = (loss, self.last);
        }
        is_better && self.keep_best
    }

    /// Whether the patience is at its end.
    pub(crate) fn is_over(&self) -> bool {
        self.patience.is_some_and(|patience| self.last - self.best.1 >= patience)
    }

    /// The epoch whose parameters are kept.
    pub(crate) fn kept_epoch(&self) -> usize {
        match (self.keep_best, self.best.1) {
            (true, best) if best > 0 => best,
            _ => self.last,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// After how many epochs of a script the training ends, which epoch is kept, and the last whose parameters were.
    fn follow(recipe: &Recipe, losses: &[f64]) -> (usize, usize, Option<usize>) {
        let mut choice = EarlyStopping::new(recipe);
        let mut kept = None;
        for (loss, epoch) in losses.iter().zip(1..) {
            if choice.add(*loss) {
                kept = Some(epoch);
            }
            if choice.is_over() {
                break;
            }
        }
        (choice.last, choice.kept_epoch(), kept)
    }

    #[test]
    fn patience_counts_from_the_lowest_loss() {
        let recipe = |patience| Recipe { early_stopping: Some(patience), ..Recipe::default() };
        let losses = [3.0, 2.0, 2.5, 2.0, 1.0, 1.5, 1.2, 1.1, 0.5];
        assert_eq!(follow(&recipe(1), &losses), (3, 3, None));
        assert_eq!(follow(&recipe(2), &losses), (4, 4, None), "an equal loss is no lower");
        assert_eq!(follow(&recipe(3), &losses), (8, 8, None));
        assert_eq!(follow(&recipe(4), &losses), (9, 9, None), "to the end");
        assert_eq!(follow(&recipe(2), &[f64::NAN; 5]), (2, 2, None));
        assert_eq!(follow(&Recipe::default(), &losses), (9, 9, None));
    }

    #[test]
    fn the_first_of_the_lowest_losses_is_kept() {
        let recipe = Recipe { keep_best: true, ..Recipe::default() };
        assert_eq!(follow(&recipe, &[3.0, 1.0, 2.0, 1.0, f64::NAN]), (5, 2, Some(2)));
        assert_eq!(follow(&recipe, &[3.0, 2.0]), (2, 2, Some(2)));
        assert_eq!(follow(&recipe, &[f64::NAN; 2]), (2, 2, None), "where none is better, the last");
        let stopping = Recipe { early_stopping: Some(2), ..recipe };
        assert_eq!(follow(&stopping, &[3.0, 1.0, 2.0, 4.0, 0.1]), (4, 2, Some(2)));
    }
}
