//! Every kernel beside its reference, on every instruction set of the machine.

mod activation;
mod adam;
mod common;
mod convolution;
mod convolution_backward;
mod lit;
mod lstm;
mod matmul;
mod minimal_filtering;
mod optimisers;
mod softmax_pixels;
