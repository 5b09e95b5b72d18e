//! Recipes, schedules, the training loop, its events, metrics and clocks.
//!
//! [`fit`] trains a model and tells a [`Listener`] what happens; nothing here prints, reads a file, starts a thread or
//! looks at a clock that the caller did not hand in. The work runs on the `rayon` pool that the caller is in, and its
//! size never shows in the weights.

#![cfg_attr(not(test), deny(clippy::disallowed_methods))]

mod batch_order;
mod early_stopping;
mod evaluate;
mod fit;

pub use batch_order::BatchOrder;
pub use evaluate::{Predictions, evaluate, predict};
pub use fit::{Clock, EpochMetrics, Event, Fitted, Listener, Seeds, Sets, Stopped, fit};
pub use spec::{
    CheckedRecipe, MAXIMUM_BATCH_SIZE, MAXIMUM_EPOCHS, Recipe, RecipeError, Schedule, TestTimeAugmentation,
    Validation,
};

use data::Dataset;

/// Number of the engine's arithmetic: it counts up whenever the same specification on the same instruction set comes to
/// other bits than before. Records carry it; those of another number are never taken for this engine's.
pub const ENGINE_REVISION: u32 = 2;

/// Some of a data set's images.
#[derive(Debug, Clone, Copy)]
pub struct Subset<'a> {
    /// The images and labels.
    pub dataset: &'a Dataset,
    /// Which of them; none means all.
    pub indices: Option<&'a [u32]>,
}

impl<'a> Subset<'a> {
    /// All images of a data set.
    pub fn all(dataset: &'a Dataset) -> Self {
        Self { dataset, indices: None }
    }

    /// Number of images.
    pub fn len(&self) -> usize {
        self.indices.map_or(self.dataset.len(), <[u32]>::len)
    }

    /// Whether there are no images.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Where its `position`-th image stands in the data set.
    fn index(&self, position: usize) -> usize {
        self.indices.map_or(position, |indices| indices[position] as usize)
    }
}
