//! Every kernel beside its reference, on every instruction set of the machine.

mod activation;
mod adam;
mod common;
mod convolution;
mod convolution_backward;
mod depthwise;
mod lit;
mod lstm;
mod matmul;
mod minimal_filtering;
mod pooling;
mod sliding;
mod softmax_pixels;
mod unfolded;
