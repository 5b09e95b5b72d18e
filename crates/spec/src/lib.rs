//! What a network and a training are, as text and data: layers with their syntax and shapes, recipes, schedules,
//! optimisers and augmentation with their constants.
//!
//! Nothing here computes on an image, looks at a clock, starts a thread or opens a file: what is asked for can be read,
//! checked, written down and compared where there is no engine.

#![cfg_attr(not(test), deny(clippy::disallowed_methods))]

mod advice;
mod architecture;
mod augmentation;
mod graph;
mod integer;
mod layer_shape;
mod layer_spec;
mod memory;
mod named;
mod optimiser;
mod preparation;
mod recipe;
mod schedule;
mod shape;
mod syntax;

pub use architecture::{Architecture, LayerDescription};
pub use augmentation::{Augmentation, AugmentationError};
pub use graph::{Folded, Graph, MAXIMUM_LAYERS, Node, Operation, Place};
pub use integer::{Footprint, IntegerGraph, Stage, StageOperation};
pub use layer_spec::{
    ActivationSpec, Cell, ConvolutionSpec, DepthwiseSpec, LayerSpec, NORMALISATION_EPSILON, PoolSpec,
    RecurrentSpec, Sliding, Units,
};
pub use memory::{Memory, MemoryStep, Way};
pub use optimiser::{
    AdamConstants, MuonConstants, OptimiserError, OptimiserSpec, RmsPropConstants, SgdConstants, UpdateRule,
};
pub use preparation::{Preparation, PreparationError, PreparationSpec};
pub use recipe::{
    CheckedRecipe, ClassWeights, MAXIMUM_BATCH_SIZE, MAXIMUM_EPOCHS, Precision, Recipe, RecipeError,
    TestTimeAugmentation, Validation,
};
pub use schedule::Schedule;
pub use shape::{ImageShape, Shape, ShapeError};
pub use syntax::{LAYER_FORMS, LayerForm, SpellingError};
