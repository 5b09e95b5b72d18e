//! What a file says of its model.

use crate::{FormatError, graph::Graph};
use data::{MAXIMUM_CLASSES, MAXIMUM_SIDE};
use nn::{Architecture, InstructionSet, LayerSpec, Model, ShapeError};
use serde::{Deserialize, Serialize};

/// Version of the description and of the tensors' names and layouts.
pub const FORMAT: u32 = 2;

/// How an image becomes what the network reads.
pub const PREPROCESSING: &str =
    "grey images, light ink on a dark ground, each pixel's byte divided by 255, [n, 1, height, width]";

/// What a weights file says of its model: enough to build it again and to use it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Description {
    /// [`FORMAT`] of the program that wrote it.
    pub format: u32,
    /// The architecture's name.
    pub architecture: String,
    /// Its layers, as a study file has them.
    pub layers: Vec<LayerSpec>,
    /// Rows of its images.
    pub height: usize,
    /// Columns of its images.
    pub width: usize,
    /// The names of the classes, in the order of the logits.
    pub classes: Vec<String>,
    /// How an image becomes what the network reads.
    pub preprocessing: String,
    /// How its weights came about; unknown where another program made them.
    pub training: Option<Training>,
}

/// How a model's weights came about.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Training {
    /// The data that it learnt from.
    pub dataset: String,
    /// The run's seed.
    pub seed: u64,
    /// Passes over the training images.
    pub epochs: usize,
    /// Seconds of training.
    pub train_seconds: f64,
    /// Fraction of the test images classified rightly.
    pub test_accuracy: f64,
    /// Mean cross-entropy on the test images, in nats.
    pub test_loss: f64,
    /// SHA-256 of the weights.
    pub fingerprint: String,
    /// Version of the program that made it.
    pub version: String,
}

impl Description {
    /// Of an architecture for images of `height` × `width` pixels, with weights of unknown origin.
    pub fn of(architecture: &Architecture, height: usize, width: usize, classes: Vec<String>) -> Self {
        Self {
            format: FORMAT,
            architecture: architecture.name.clone(),
            layers: architecture.layers.clone(),
            height,
            width,
            classes,
            preprocessing: PREPROCESSING.to_owned(),
            training: None,
        }
    }

    /// The network that it describes.
    pub fn architecture(&self) -> Architecture {
        Architecture {
            name: self.architecture.clone(),
            summary: String::new(),
            citation: String::new(),
            layers: self.layers.clone(),
        }
    }

    /// The network for batches of up to `capacity` images, its parameters zero.
    ///
    /// # Errors
    /// When the layers do not fit each other or the images.
    ///
    /// # Panics
    /// When `capacity` is zero, or the description did not come from [`crate::describe`] or [`Self::of`] a data set's sizes.
    pub fn model(&self, set: InstructionSet, capacity: usize) -> Result<Model<f32>, ShapeError> {
        Model::new(set, &self.architecture(), self.height, self.width, self.classes.len(), capacity)
    }

    /// The operations of `model`, which this describes.
    pub(crate) fn graph(&self, model: &Model<f32>) -> Graph {
        Graph::of(&self.architecture(), self.height, self.width, self.classes.len(), model.specs())
    }

    /// Refuses what no data set can have, before anything is allocated by it.
    pub(crate) fn check(&self) -> Result<(), FormatError> {
        if self.format != FORMAT {
            return Err(FormatError::Description(format!("format {FORMAT} expected, {} found", self.format)));
        }
        for (what, side) in [("height", self.height), ("width", self.width)] {
            if !(1..=MAXIMUM_SIDE).contains(&side) {
                let problem = format!("a {what} of 1 to {MAXIMUM_SIDE} pixels expected, {side} found");
                return Err(FormatError::Description(problem));
            }
        }
        let classes = self.classes.len();
        if !(2..=MAXIMUM_CLASSES).contains(&classes) {
            let problem = format!("2 to {MAXIMUM_CLASSES} classes expected, {classes} found");
            return Err(FormatError::Description(problem));
        }
        Ok(())
    }
}
