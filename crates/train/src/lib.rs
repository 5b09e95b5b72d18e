//! Recipes, the training loop, its events, metrics and clocks.
