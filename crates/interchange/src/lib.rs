//! Model files that other programs read.
//!
//! A model is kept in one safetensors file: its parameters under PyTorch's names and in its layouts, and under the
//! metadata key `mnist-study` a [`Description`] in JSON, from which the network is built again.
//!
//! Everything else that is written comes from the same list of plain operations, whose tensors are those of the file.

mod c_header;
mod description;
mod escape;
mod format_error;
mod graph;
mod integer;
mod names;
mod onnx;
mod other_format;
mod pytorch;
mod quantisation;
mod remark;
mod state_dict;
mod weights;

pub use c_header::{Arithmetic, CFiles, COptions, Example, c_files};
pub use description::{Description, EPSILONS, FORMAT, ImageKind, METADATA_KEY, Training};
pub use format_error::FormatError;
pub use integer::{Footprint, IntegerNetwork};
pub use names::NameMap;
pub use onnx::{OnnxOptions, onnx};
pub use other_format::OtherFormat;
pub use pytorch::pytorch_module;
pub use quantisation::{CALIBRATION_IMAGES, Grid, Quantisation};
pub use remark::Remark;
pub use weights::{describe, encode, load};
