//! Why a file is no model of ours.

use crate::{
    OtherFormat,
    description::METADATA_KEY,
    escape::{listed, shown},
};

/// A file that is not a model of ours. Names from the file are shown with their control characters escaped.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FormatError {
    /// Something else that is known.
    #[error("not a safetensors file: {0}")]
    OtherFormat(OtherFormat),
    /// Not safetensors, or damaged.
    #[error("not a safetensors file: {0}")]
    Damaged(String),
    /// No description.
    #[error("no `{METADATA_KEY}` entry in its metadata says which network it is of")]
    NoDescription,
    /// A description that cannot be read, or of what cannot be.
    #[error("its `{METADATA_KEY}` entry is not understood: {0}")]
    Description(String),
    /// Weights that are not those that the description was written for.
    #[error("its weights were changed: the SHA-256 in its metadata is {}, that of its weights {found}", shown(.stated))]
    Changed {
        /// In the description.
        stated: String,
        /// Of the weights.
        found: String,
    },
    /// A description that is not the one that was written.
    #[error(
        "its description of the network was changed: the SHA-256 in its metadata is {}, that of its description {found}",
        shown(.stated)
    )]
    Redescribed {
        /// In the metadata.
        stated: String,
        /// Of the description.
        found: String,
    },
    /// A parameter that the network needs.
    #[error("tensor {name} of shape {shape:?} is missing")]
    Missing {
        /// Which.
        name: String,
        /// Its shape in the network.
        shape: Vec<usize>,
    },
    /// A tensor that the network does not have.
    #[error("tensor {} is not one of the network's", shown(.0))]
    Surplus(String),
    /// Layers of other names whose tensors are not those of the network's.
    #[error("no tensors for {}; the file has {}", listed(.layers), listed(.candidates))]
    Unmatched {
        /// The network's, with their shapes.
        layers: Vec<String>,
        /// The file's, with theirs.
        candidates: Vec<String>,
    },
    /// Layers of other names and the same shapes, whose order the names do not say.
    #[error("the layers {} could be the file's {} in any order: their tensors are of the same shapes", listed(.layers), listed(.candidates))]
    Ambiguous {
        /// The network's.
        layers: Vec<String>,
        /// The file's.
        candidates: Vec<String>,
    },
    /// A name map that does not fit.
    #[error("{0}")]
    Map(String),
    /// A tensor of another shape or number type.
    #[error("tensor {}: {expected} expected, {found} found", shown(.name))]
    Shape {
        /// Which.
        name: String,
        /// Type and shape of the network's.
        expected: String,
        /// Type and shape of the file's.
        found: String,
    },
    /// A weight that is NaN or infinite as float32.
    #[error("tensor {} holds a value that is not a finite number", shown(.0))]
    NotFinite(String),
    /// A variance of a batch normalisation that is negative, whose square root is not a number.
    #[error("tensor {}: variances of 0 or more expected, {found} found", shown(.name))]
    Variance {
        /// Which.
        name: String,
        /// The first that is negative.
        found: String,
    },
}
