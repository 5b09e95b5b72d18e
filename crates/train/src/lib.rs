//! Recipes, schedules, the training loop, its events, metrics and clocks.
//!
//! [`fit`] trains the network of an [`Engine`] and tells a [`Listener`] what happens; nothing here prints, reads a file,
//! starts a thread or looks at a clock that the caller did not hand in. The [`Native`] engine works on the `rayon` pool that
//! the caller is in, and its size never shows in the weights.

#![cfg_attr(not(test), deny(clippy::disallowed_methods))]

mod batch_order;
mod early_stopping;
mod engine;
mod evaluate;
mod fit;
mod subset;

pub use batch_order::BatchOrder;
pub use engine::{Engine, Native};
pub use evaluate::{Predictions, evaluate, predict};
pub use fit::{AnswerMeasure, Clock, EpochMetrics, Event, Fitted, Listener, Seeds, Sets, Stopped, fit};
pub use spec::{
    CheckedRecipe, ClassWeights, MAXIMUM_BATCH_SIZE, MAXIMUM_EPOCHS, Precision, Recipe, RecipeError,
    Schedule, TestTimeAugmentation, Validation,
};
pub use subset::Subset;

/// Number of the engine's arithmetic: it counts up whenever the same specification on the same instruction set comes to
/// other bits than before. Records carry it; those of another number are never taken for this engine's.
pub const ENGINE_REVISION: u32 = 7;
