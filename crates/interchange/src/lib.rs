//! Model files that other programs read.
//!
//! A model is kept in one safetensors file: its parameters under PyTorch's names and in its layouts, and under the
//! metadata key `mnist-study` a [`Description`] in JSON, from which the network is built again.
//!
//! Everything else that is written comes from the same list of plain operations, whose tensors are those of the file.

mod c_header;
mod description;
mod graph;
mod onnx;
mod pytorch;
mod quantisation;
mod state_dict;
mod weights;

pub use c_header::c_header;
pub use description::{Description, FORMAT, PREPROCESSING, Training};
pub use onnx::{OnnxOptions, onnx};
pub use pytorch::pytorch_module;
pub use quantisation::{CALIBRATION_IMAGES, Grid, Quantisation};
pub use weights::{describe, encode, load};

use weights::KEY;

/// A file that is not a model of ours.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FormatError {
    /// Not safetensors, or damaged.
    #[error("not a safetensors file: {0}")]
    Damaged(String),
    /// No description.
    #[error("no `{KEY}` entry in its metadata says which network it is of")]
    NoDescription,
    /// A description that cannot be read.
    #[error("its `{KEY}` entry is not understood: {0}")]
    Description(String),
    /// A parameter that the network needs.
    #[error("tensor {name} of shape {shape:?} is missing")]
    Missing {
        /// Which.
        name: String,
        /// Its shape in the network.
        shape: Vec<usize>,
    },
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
