//! How a model is trained, as asked for and as checked.

use serde::{Deserialize, Serialize};

/// Most epochs that a recipe may ask for.
pub const MAXIMUM_EPOCHS: usize = 10_000;

/// Most images in a step: buffers grow with it.
pub const MAXIMUM_BATCH_SIZE: usize = 4096;

/// How a model is trained, not yet checked.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Recipe {
    /// Passes over the training images.
    pub epochs: usize,
    /// Images in a step; the last step of an epoch may hold fewer.
    pub batch_size: usize,
    /// Step size of the optimiser, Adam.
    pub learning_rate: f64,
}

impl Default for Recipe {
    /// The study's: 5 epochs, batches of 128, learning rate 0.001.
    fn default() -> Self {
        Self { epochs: 5, batch_size: 128, learning_rate: 1e-3 }
    }
}

/// A recipe whose every value is usable; the only form that [`crate::fit`] takes.
#[derive(Debug, Clone, PartialEq)]
pub struct CheckedRecipe(Recipe);

impl CheckedRecipe {
    /// The values.
    pub fn values(&self) -> &Recipe {
        &self.0
    }
}

/// A value that no training can use.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum RecipeError {
    /// Epochs of 0 or absurdly many.
    #[error("epochs: 1 to {MAXIMUM_EPOCHS} expected, {0} found")]
    Epochs(usize),
    /// A batch of 0 images or more than memory is made for.
    #[error("batch size: 1 to {MAXIMUM_BATCH_SIZE} expected, {0} found")]
    BatchSize(usize),
    /// A step size that is not positive, or not a number.
    #[error("learning rate: a number above 0 and at most 10 expected, {0} found")]
    LearningRate(f64),
}

impl Recipe {
    /// The recipe, if every value is usable.
    ///
    /// # Errors
    /// Names the first value that is not.
    pub fn check(self) -> Result<CheckedRecipe, RecipeError> {
        if !(1..=MAXIMUM_EPOCHS).contains(&self.epochs) {
            return Err(RecipeError::Epochs(self.epochs));
        }
        if !(1..=MAXIMUM_BATCH_SIZE).contains(&self.batch_size) {
            return Err(RecipeError::BatchSize(self.batch_size));
        }
        if !(self.learning_rate > 0.0 && self.learning_rate <= 10.0) {
            return Err(RecipeError::LearningRate(self.learning_rate));
        }
        Ok(CheckedRecipe(self))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_unusable_value_is_named() {
        let recipe = Recipe::default();
        assert_eq!(recipe.clone().check().map(|checked| checked.values().clone()), Ok(recipe.clone()));
        assert_eq!(Recipe { epochs: 0, ..recipe.clone() }.check(), Err(RecipeError::Epochs(0)));
        assert_eq!(Recipe { epochs: 10_001, ..recipe.clone() }.check(), Err(RecipeError::Epochs(10_001)));
        assert_eq!(Recipe { batch_size: 0, ..recipe.clone() }.check(), Err(RecipeError::BatchSize(0)));
        assert_eq!(Recipe { batch_size: 4097, ..recipe.clone() }.check(), Err(RecipeError::BatchSize(4097)));
        for learning_rate in [0.0, -1e-3, 11.0, f64::INFINITY] {
            let error = Recipe { learning_rate, ..recipe.clone() }.check();
            assert_eq!(error, Err(RecipeError::LearningRate(learning_rate)));
        }
        assert!(Recipe { learning_rate: f64::NAN, ..recipe.clone() }.check().is_err());
    }
}
