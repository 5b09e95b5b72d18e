//! Convolution, with the ReLU and the max-pooling that follow it.

use super::{Layer, LayerParameter, Pass, share, task_size};
use crate::Initialiser;
use kernels::{
    Buffer, Element, InstructionSet,
    convolution::{
        Geometry, OutputGradient, backward_input, backward_weights, forward, pack_weights,
        packed_weights_length,
    },
    matmul::lanes,
};
use rayon::prelude::*;

/// `output[y, x, f] = max over the window of relu(bias[f] + Σ weight[f, dy, dx, c] · input[y + dy, x + dx, c])`.
///
/// Parameters: `weight [filters, kernel rows, kernel columns, channels]`, `bias [filters]`.
pub(crate) struct ConvolutionLayer<E> {
    set: InstructionSet,
    geometry: Geometry,
    packed_weights: Buffer<E>,
    winners: Vec<u8>,
}

impl<E: Element> ConvolutionLayer<E> {
    pub(crate) fn new(set: InstructionSet, geometry: Geometry, capacity: usize) -> Self {
        Self {
            set,
            packed_weights: Buffer::zeros(packed_weights_length::<E>(set, &geometry)),
            winners: vec![0; capacity * geometry.output_length()],
            geometry,
        }
    }

    fn weights(&self) -> usize {
        self.geometry.size().filters * self.geometry.filter_length()
    }
}

impl<E: Element> Layer<E> for ConvolutionLayer<E> {
    fn parameters(&self) -> Vec<LayerParameter> {
        let size = self.geometry.size();
        let area = size.kernel_height * size.kernel_width;
        vec![
            LayerParameter {
                name: "weight",
                shape: vec![size.filters, size.kernel_height, size.kernel_width, size.channels],
                initialiser: Initialiser::GlorotUniform {
                    fan_in: area * size.channels,
                    fan_out: area * size.filters,
                },
            },
            LayerParameter { name: "bias", shape: vec![size.filters], initialiser: Initialiser::Zeros },
        ]
    }

    fn forward_flops(&self) -> u64 {
        self.geometry.forward_flops()
    }

    fn prepare(&mut self, parameters: &[E]) {
        pack_weights(self.set, &self.geometry, &parameters[..self.weights()], &mut self.packed_weights);
    }

    fn forward(&mut self, parameters: &[E], input: &[E], output: &mut [E]) {
        let (geometry, set, packed) = (&self.geometry, self.set, &self.packed_weights);
        let bias = &parameters[geometry.size().filters * geometry.filter_length()..];
        let images = task_size(input.len() / geometry.input_length());
        let winners = &mut self.winners[..output.len()];
        input
            .par_chunks(images * geometry.input_length())
            .zip(output.par_chunks_mut(images * geometry.output_length()))
            .zip(winners.par_chunks_mut(images * geometry.output_length()))
            .for_each(|((input, output), winners)| {
                forward(set, geometry, input, packed, bias, output, winners)
            });
    }

    fn backward(
        &mut self,
        parameters: &[E],
        pass: Pass<E>,
        d_input: Option<&mut [E]>,
        d_parameters: &mut [E],
    ) {
        let (geometry, set) = (&self.geometry, self.set);
        let (weights, length) = (self.weights(), geometry.filter_length());
        let gradient = &*pass.d_output;
        let winners = &self.winners[..gradient.len()];
        if let Some(d_input) = d_input {
            let images = task_size(pass.input.len() / geometry.input_length());
            let step = images * geometry.output_length();
            d_input
                .par_chunks_mut(images * geometry.input_length())
                .zip(gradient.par_chunks(step).zip(winners.par_chunks(step)))
                .for_each(|(d_input, (gradient, winners))| {
                    let output = OutputGradient { gradient, winners };
                    backward_input(set, geometry, &parameters[..weights], output, d_input);
                });
        }
        let output = OutputGradient { gradient, winners };
        let filters = share(geometry.size().filters, lanes::<E>(set));
        let (d_weights, d_bias) = d_parameters.split_at_mut(weights);
        d_weights.par_chunks_mut(filters * length).zip(d_bias.par_chunks_mut(filters)).enumerate().for_each(
            |(task, (d_weights, d_bias))| {
                backward_weights(set, geometry, pass.input, output, task * filters, d_weights, d_bias);
            },
        );
    }
}
