//! Models on their way to other programs.

mod c_header;
mod colour;
mod common;
#[path = "../python/environment.rs"]
mod environment;
mod hostile;
mod layers;
mod malformed;
mod names;
mod onnx_runtime;
mod preparation;
mod pytorch;
