//! The network against differences, against Keras, and against its own promises. One binary, so that it links once.

mod common;
mod convolution;
mod differences;
mod golden;
mod model;
mod optimisers;
mod pointwise;
mod precision;
mod recurrent;
mod sequences;
mod work;
