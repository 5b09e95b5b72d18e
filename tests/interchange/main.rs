//! Models on their way to other programs.

mod c_header;
mod common;
mod malformed;
mod onnx_runtime;
mod pytorch;
