//! Which epoch's parameters are kept, and when no better ones are expected.

use crate::Recipe;

/// Watches the validation loss.
#[derive(Debug)]
pub(crate) struct EarlyStopping {
    patience: Option<usize>,
    /// The lowest loss yet, and its epoch, counted from 1; 0 before there is any.
    best: (f64, usize),
    last: usize,
    /// The parameters after the best epoch, where they are kept.
    parameters: Option<Vec<f32>>,
}

impl EarlyStopping {
    /// Before the first epoch of a model of so many parameters.
    pub(crate) fn new(recipe: &Recipe, parameters: usize) -> Self {
        Self {
            patience: recipe.early_stopping,
            best: (f64::INFINITY, 0),
            last: 0,
            parameters: recipe.keep_best.then(|| vec![0.0; parameters]),
        }
    }

    /// Takes note of the next epoch's validation loss and of the parameters that it was measured with.
    pub(crate) fn add(&mut self, loss: f64, parameters: &[f32]) {
        self.last += 1;
        // Of equal losses the first is the best; a NaN never is.
        if loss < self.best.0 {
            self.best = (loss, self.last);
            if let Some(kept) = &mut self.parameters {
                kept.copy_from_slice(parameters);
            }
        }
    }

    /// Whether the patience is at its end.
    pub(crate) fn is_over(&self) -> bool {
        self.patience.is_some_and(|patience| self.last - self.best.1 >= patience)
    }

    /// The epoch that is kept, and its parameters where they may not be the last ones.
    pub(crate) fn kept(&self) -> (usize, Option<&[f32]>) {
        match &self.parameters {
            Some(parameters) if self.best.1 > 0 => (self.best.1, Some(parameters)),
            _ => (self.last, None),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// After how many epochs of a script the training ends, and what is kept: epoch and parameter.
    fn follow(recipe: &Recipe, losses: &[f64]) -> (usize, usize, Option<f32>) {
        let mut choice = EarlyStopping::new(recipe, 1);
        for (loss, epoch) in losses.iter().zip(1..) {
            choice.add(*loss, &[epoch as f32]);
            if choice.is_over() {
                break;
            }
        }
        let (epoch, parameters) = choice.kept();
        (choice.last, epoch, parameters.map(|parameters| parameters[0]))
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
        assert_eq!(follow(&recipe, &[3.0, 1.0, 2.0, 1.0, f64::NAN]), (5, 2, Some(2.0)));
        assert_eq!(follow(&recipe, &[3.0, 2.0]), (2, 2, Some(2.0)));
        assert_eq!(follow(&recipe, &[f64::NAN; 2]), (2, 2, None), "where none is better, the last");
        let stopping = Recipe { early_stopping: Some(2), ..recipe };
        assert_eq!(follow(&stopping, &[3.0, 1.0, 2.0, 4.0, 0.1]), (4, 2, Some(2.0)));
    }
}
