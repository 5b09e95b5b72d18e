//! Every kernel beside its reference, on every instruction set of the machine.

mod activation;
mod adam;
mod attention;
mod batch_norm;
mod bytes;
mod columns;
mod common;
mod convolution;
mod convolution_backward;
mod depthwise;
mod dropout;
mod elementary;
mod general_convolution;
mod gru;
mod layer_norm;
mod lengths;
mod lit;
mod lstm;
mod matmul;
mod minimal_filtering;
mod nonlinearity;
mod optimisers;
mod pooling;
mod sliding;
mod softmax_pixels;
mod transpose;
