//! Batch normalisation, with the ReLU that may follow it.

use super::{Context, Groups, Layer, LayerParameter, Memory, MemorySize, Pass, Purpose};
use crate::{Initialiser, NORMALISATION_EPSILON, Role};
use kernels::{
    Buffer, Element, InstructionSet,
    activation::relu_backward,
    batch_norm::{BatchNorm, Statistics, apply, backward, fold, folded_length, forward, workspace_length},
};

/// `output[row, c] = scale[c] · (input[row, c] − μ[c]) / √(σ²[c] + ε) + offset[c]` with ε = 0.001 unless set (Ioffe and Szegedy,
/// 2015), then perhaps `max(…, 0)`. A row is a pixel, a step, or a list of features.
///
/// While learning, μ and σ² are the mean and the (biased) variance of the channel over the rows of a group of images
/// ("ghost batch normalisation", Hoffer, Hubara and Soudry, 2017); in inference they are the parameters `mean` and
/// `variance`, which the optimiser moves towards those of each batch.
///
/// One row has no variance: its σ² would be 0, its output the offset whatever came in, and the running variance would shrink
/// with each such group. A group of one image of one row, the stray last one of a batch, is therefore normalised by the
/// running statistics, as constants: `d_input = scale · d_output / √(σ² + ε)`. It says nothing of the batch's.
///
/// Parameters: `scale`, `offset`, `mean` and `variance`, each `[channels]`. The scratch holds a group's μ and σ² and the
/// kernels' workspace; a group keeps the gradient and, in the places of `mean` and `variance`, μ and σ².
pub(crate) struct BatchNormLayer<E> {
    set: InstructionSet,
    channels: usize,
    /// Values of an image.
    length: usize,
    relu: bool,
    epsilon: f64,
    /// What inference multiplies and adds.
    folded: Buffer<E>,
}

impl<E: Element> BatchNormLayer<E> {
    pub(crate) fn new(set: InstructionSet, length: usize, channels: usize, relu: bool) -> Self {
        let folded = Buffer::zeros(folded_length(channels));
        Self { set, channels, length, relu, epsilon: NORMALISATION_EPSILON, folded }
    }

    /// Whether so many images are a single row.
    fn is_single(&self, images: usize) -> bool {
        images * (self.length / self.channels) == 1
    }

    fn norm<'a>(&self, parameters: &'a [E]) -> BatchNorm<'a, E> {
        let (scale, rest) = parameters.split_at(self.channels);
        BatchNorm { epsilon: self.epsilon, scale, offset: &rest[..self.channels] }
    }
}

impl<E: Element> Layer<E> for BatchNormLayer<E> {
    fn parameters(&self) -> Vec<LayerParameter> {
        let shape = [self.channels];
        vec![
            LayerParameter::new(Role::Scale, "scale", &shape, Initialiser::Ones),
            LayerParameter::new(Role::Scale, "offset", &shape, Initialiser::Zeros),
            LayerParameter::new(Role::Statistic, "mean", &shape, Initialiser::Zeros),
            LayerParameter::new(Role::Statistic, "variance", &shape, Initialiser::Ones),
        ]
    }

    fn forward_flops(&self) -> u64 {
        2 * self.length as u64
    }

    fn scratch(&self) -> MemorySize {
        MemorySize { values: 2 * self.channels + workspace_length(self.channels), bytes: 0 }
    }

    fn kept(&self) -> MemorySize {
        MemorySize { values: 4 * self.channels, bytes: 0 }
    }

    fn prepare(&mut self, parameters: &[E], purpose: Purpose) {
        if purpose == Purpose::Inference {
            let (mean, variance) = parameters[2 * self.channels..].split_at(self.channels);
            fold(self.norm(parameters), Statistics { mean, variance }, &mut self.folded);
        }
    }

    fn set_epsilon(&mut self, epsilon: f64) {
        self.epsilon = epsilon;
    }

    fn forward(
        &self,
        context: Context,
        parameters: &[E],
        input: &[E],
        output: &mut [E],
        scratch: &mut Memory<E>,
    ) {
        match context.purpose {
            Purpose::Learning => {
                let (mean, rest) = scratch.values.split_at_mut(self.channels);
                let (variance, workspace) = rest.split_at_mut(self.channels);
                let norm = self.norm(parameters);
                if self.is_single(input.len() / self.length) {
                    let running = &parameters[2 * self.channels..];
                    mean.copy_from_slice(&running[..self.channels]);
                    variance.copy_from_slice(&running[self.channels..]);
                    let folded = &mut workspace[..folded_length(self.channels)];
                    fold(norm, Statistics { mean, variance }, folded);
                    apply(self.set, self.channels, folded, self.relu, input, output);
                } else {
                    forward(self.set, norm, self.relu, input, output, mean, variance, workspace);
                }
            }
            Purpose::Inference => apply(self.set, self.channels, &self.folded, self.relu, input, output),
        }
    }

    fn differentiates_in_place(&self) -> bool {
        true
    }

    fn backward(&self, pass: Pass<E>) {
        let Pass { parameters, d_output, in_place, scratch, kept, .. } = pass;
        let (statistics, workspace) = scratch.values.split_at_mut(2 * self.channels);
        let (gradient, kept_statistics) = kept.values.split_at_mut(2 * self.channels);
        kept_statistics.copy_from_slice(statistics);
        let (mean, variance) = statistics.split_at(self.channels);
        let (d_scale, d_offset) = gradient.split_at_mut(self.channels);
        let (norm, statistics) = (self.norm(parameters), Statistics { mean, variance });
        if self.is_single(pass.input.len() / self.length) {
            if self.relu {
                relu_backward(self.set, pass.output, d_output);
            }
            backward_of_row(norm, statistics, pass.input, d_output, d_scale, d_offset);
        } else {
            let (set, relu, input) = (self.set, self.relu, pass.input);
            backward(set, norm, statistics, relu, input, d_output, in_place, d_scale, d_offset, workspace);
        }
    }

    /// Gradients are added up; statistics are averaged, each group by its number of images. A single row has kept the running
    /// statistics: beside others it does not count, and alone it leaves them where they are.
    fn sum_gradient(&mut self, groups: Groups<E>, d_parameters: &mut [E]) {
        d_parameters.fill(E::ZERO);
        let alone = groups.count() == 1;
        let counted = |images: usize| if self.is_single(images) && !alone { 0 } else { images };
        let all: usize = (0..groups.count()).map(|group| counted(groups.get(group).1)).sum();
        for group in 0..groups.count() {
            let (kept, images) = groups.get(group);
            let share = E::from_f64(counted(images) as f64 / all as f64);
            for (index, (sum, value)) in d_parameters.iter_mut().zip(kept).enumerate() {
                *sum += if index < 2 * self.channels { *value } else { share * *value };
            }
        }
    }
}

/// The derivatives of a row that is normalised by constants; overwritten. That with respect to the row takes the place of `d_output`.
fn backward_of_row<E: Element>(
    norm: BatchNorm<E>,
    statistics: Statistics<E>,
    input: &[E],
    d_output: &mut [E],
    d_scale: &mut [E],
    d_offset: &mut [E],
) {
    let inverse = |channel: usize| E::ONE / (statistics.variance[channel] + E::from_f64(norm.epsilon)).sqrt();
    d_offset.copy_from_slice(d_output);
    for (channel, d_scale) in d_scale.iter_mut().enumerate() {
        *d_scale = d_output[channel] * ((input[channel] - statistics.mean[channel]) * inverse(channel));
    }
    for (channel, value) in d_output.iter_mut().enumerate() {
        *value = norm.scale[channel] * inverse(channel) * *value;
    }
}
