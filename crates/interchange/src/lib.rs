//! Model files that other programs read.
//!
//! A model is kept in one safetensors file: its parameters by name, and under the metadata key `mnist-study` a
//! [`Description`] in JSON, from which the network is built again.

use nn::{LayerSpec, Model};
use safetensors::{Dtype, SafeTensors, tensor::TensorView};
use serde::{Deserialize, Serialize};
use std::collections::HashMap;

/// The metadata key.
const KEY: &str = "mnist-study";

/// What a weights file says of its model.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Description {
    /// The architecture's name.
    pub architecture: String,
    /// Its layers, as a study file has them.
    pub layers: Vec<LayerSpec>,
    /// Rows of its images.
    pub height: usize,
    /// Columns of its images.
    pub width: usize,
    /// Classes that it tells apart.
    pub classes: usize,
    /// The data that it learnt from.
    pub dataset: String,
    /// The run's seed.
    pub seed: u64,
    /// Passes over the training images.
    pub epochs: usize,
    /// Fraction of the test images classified rightly.
    pub test_accuracy: f64,
    /// Mean cross-entropy on the test images, in nats.
    pub test_loss: f64,
    /// SHA-256 of the weights.
    pub fingerprint: String,
    /// Version of the program that made it.
    pub version: String,
}

/// A file that is not a model of ours.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FormatError {
    /// Not safetensors, or damaged.
    #[error("not a safetensors file: {0}")]
    Damaged(String),
    /// No description.
    #[error("no `{KEY}` entry in its metadata")]
    NoDescription,
    /// A description that cannot be read.
    #[error("its `{KEY}` entry is not understood: {0}")]
    Description(String),
    /// A parameter that the network needs.
    #[error("tensor {0} is missing")]
    Missing(String),
    /// A tensor that the network does not have.
    #[error("tensor {0} is not one of the network's")]
    Surplus(String),
    /// A tensor of another shape or number type.
    #[error("tensor {name}: {expected} expected, {found} found")]
    Shape {
        /// Which.
        name: String,
        /// Type and shape of the network's.
        expected: String,
        /// Type and shape of the file's.
        found: String,
    },
    /// A weight that is NaN or infinite.
    #[error("tensor {0} holds a value that is not a finite number")]
    NotFinite(String),
}

/// The bytes of a model's file; the same model gives the same bytes.
///
/// # Errors
/// When the format cannot hold it; no model of this program is such.
pub fn encode(model: &Model<f32>, description: &Description) -> Result<Vec<u8>, FormatError> {
    let damaged = |error: &dyn std::fmt::Display| FormatError::Damaged(error.to_string());
    let bytes: Vec<u8> = model.parameters().iter().flat_map(|value| value.to_le_bytes()).collect();
    let mut tensors = Vec::new();
    for spec in model.specs() {
        let data = &bytes[4 * spec.range.start..4 * spec.range.end];
        let view = TensorView::new(Dtype::F32, spec.shape.clone(), data).map_err(|error| damaged(&error))?;
        tensors.push((spec.name.clone(), view));
    }
    let text = serde_json::to_string(description).map_err(|error| damaged(&error))?;
    let metadata = HashMap::from([(KEY.to_owned(), text)]);
    safetensors::serialize(tensors, Some(metadata)).map_err(|error| damaged(&error))
}

/// The description in a model's file.
///
/// # Errors
/// When the bytes are no safetensors file or carry no description.
pub fn describe(bytes: &[u8]) -> Result<Description, FormatError> {
    let (_, metadata) =
        SafeTensors::read_metadata(bytes).map_err(|error| FormatError::Damaged(error.to_string()))?;
    let text = metadata.metadata().as_ref().and_then(|entries| entries.get(KEY));
    let text = text.ok_or(FormatError::NoDescription)?;
    serde_json::from_str(text).map_err(|error| FormatError::Description(error.to_string()))
}

/// Gives `model`, built from the file's description, the file's weights.
///
/// # Errors
/// When a tensor is missing, surplus, misshapen or not finite; the model is then partly overwritten.
pub fn load(bytes: &[u8], model: &mut Model<f32>) -> Result<(), FormatError> {
    let file = SafeTensors::deserialize(bytes).map_err(|error| FormatError::Damaged(error.to_string()))?;
    let specs = model.specs().to_vec();
    if let Some(name) = file.names().into_iter().find(|name| specs.iter().all(|spec| spec.name != **name)) {
        return Err(FormatError::Surplus(name.to_owned()));
    }
    for spec in &specs {
        let tensor = file.tensor(&spec.name).map_err(|_| FormatError::Missing(spec.name.clone()))?;
        if tensor.dtype() != Dtype::F32 || tensor.shape() != spec.shape {
            return Err(FormatError::Shape {
                name: spec.name.clone(),
                expected: format!("float32 {:?}", spec.shape),
                found: format!("{:?} {:?}", tensor.dtype(), tensor.shape()),
            });
        }
        let (values, _) = tensor.data().as_chunks::<4>();
        for (parameter, value) in model.parameters_mut()[spec.range.clone()].iter_mut().zip(values) {
            *parameter = f32::from_le_bytes(*value);
            if !parameter.is_finite() {
                return Err(FormatError::NotFinite(spec.name.clone()));
            }
        }
    }
    Ok(())
}
