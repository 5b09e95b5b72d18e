//! What is done to the training images as they are drawn.

mod affine;
mod augmenter;
mod colours;
mod elastic;
mod erasing;
mod mixing;
mod placing;
mod sampler;

pub use augmenter::{Augmenter, Target};
pub use spec::{Augmentation, AugmentationError};
