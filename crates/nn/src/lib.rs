//! Layers, models, losses, initialisers and optimisers.
//!
//! An [`Architecture`] is data: a list of layers. [`Model::new`] checks the shapes and lays out every buffer once;
//! after that neither a forward pass nor a training step allocates. All parameters live in one flat buffer, their
//! gradient in another of the same layout.
//!
//! Work is divided over the threads of the current `rayon` pool, and the division never shows in a result: images go
//! through the network in groups of a constant size, each on one thread, and what is summed over the groups is summed in
//! their order, divided by parameters.
//!
//! Everything is generic over [`kernels::Element`]: `f32` trains, `f64` runs the same code for checks by differences.

#![cfg_attr(not(test), deny(clippy::disallowed_methods))]

mod awake;
mod build;
mod fingerprint;
mod folded;
mod initialisation;
mod layers;
mod model;
mod network;
mod optimiser;
mod parameters;
mod precision;
mod times;
mod work;
mod workspace;

pub use awake::keep_awake;
pub use build::Build;
pub use fingerprint::{fingerprint, sha256};
pub use initialisation::Initialiser;
pub use kernels::{Element, InstructionSet, bytes::add_products, softmax::Target};
pub use layers::GROUP;
pub use model::{Evaluation, Model};
pub use optimiser::{MovingAverage, Optimiser};
pub use parameters::{ParameterSpec, Role};
pub use precision::{PrecisionError, check_precision};
pub use spec::{
    ActivationSpec, AdamConstants, Architecture, Cell, ConvolutionSpec, DepthwiseSpec, ImageShape,
    LAYER_FORMS, LayerDescription, LayerForm, LayerSpec, MAXIMUM_LAYERS, MuonConstants,
    NORMALISATION_EPSILON, OptimiserError, OptimiserSpec, PoolSpec, Precision, Preparation, PreparationError,
    PreparationSpec, RecurrentSpec, RmsPropConstants, SgdConstants, Shape, ShapeError, Sliding,
    SpellingError, Units, UpdateRule,
};
pub use times::{LayerTimes, StepTimes};
pub use work::StageWork;
