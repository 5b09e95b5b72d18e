//! Models on their way to other programs.

mod common;
mod onnx_runtime;
