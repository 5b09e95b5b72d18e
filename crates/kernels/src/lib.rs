//! Arithmetic at the machine's limit, with a plain reference beside every kernel.
//!
//! Each algorithm is written once over the crate-private trait `Vector`; a file per instruction set instantiates it.
//! An [`InstructionSet`] can only be obtained where its instructions exist, so holding one is the proof that the
//! safe entry points need. They check every length before an unsafe function sees a pointer.
//!
//! Two element types: `f32` computes on every instruction set, `f64` on the portable one. The latter exists so
//! that the very code that trains can be held against central differences with eleven digits.
//!
//! No function here starts a thread, and no result depends on how the caller divides the work: an output value is
//! always the same sequence of additions.

#![cfg_attr(not(test), deny(clippy::disallowed_methods))]

pub mod activation;
pub mod attention;
pub mod batch_norm;
mod buffer;
pub mod bytes;
pub mod columns;
pub mod convolution;
pub mod depthwise;
mod dispatch;
pub mod dropout;
mod element;
mod gelu;
pub mod gru;
pub mod layer_norm;
mod length;
pub mod lit;
pub mod lstm;
pub mod matmul;
pub mod nonlinearity;
pub mod optimiser;
mod parts;
pub mod peak;
pub mod pixels;
pub mod pooling;
pub mod rnn;
pub mod sliding;
pub mod softmax;
mod tile;
pub mod tiles;
pub mod transpose;
mod vector;
mod walk;

pub use buffer::Buffer;
pub use dispatch::{InstructionSet, UnknownInstructionSet};
pub use element::Element;

/// Asserts that a slice holds as many elements as its shape, `[side, …]`, says.
macro_rules! check_length {
    ($slice:expr, $sides:expr) => {
        $crate::length::check(stringify!($slice), $slice.len(), &$sides)
    };
}
pub(crate) use check_length;
