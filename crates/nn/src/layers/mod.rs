//! One file a layer: forward and backward side by side.

mod activation;
mod attention;
mod batch_norm;
mod bias;
mod convolution;
mod convolution_on_tiles;
mod dense;
mod dense_on_tiles;
mod depthwise;
mod dropout;
mod general_convolution;
mod layer_norm;
mod padding;
mod permutation;
mod pooling;
mod position;
mod projection;
mod projection_on_tiles;
mod recurrent;
mod sequence_dense;

pub(crate) use activation::ActivationLayer;
pub(crate) use attention::AttentionLayer;
pub(crate) use batch_norm::BatchNormLayer;
pub(crate) use bias::Bias;
pub(crate) use convolution::ConvolutionLayer;
pub(crate) use convolution_on_tiles::ConvolutionOnTiles;
pub(crate) use dense::DenseLayer;
pub(crate) use dense_on_tiles::DenseOnTiles;
pub(crate) use depthwise::DepthwiseLayer;
pub(crate) use dropout::DropoutLayer;
pub(crate) use general_convolution::GeneralConvolutionLayer;
pub(crate) use layer_norm::LayerNormLayer;

pub(crate) use padding::PaddingLayer;
pub(crate) use permutation::PermutationLayer;
pub(crate) use pooling::{Pool, PoolingLayer};
pub(crate) use position::PositionLayer;
pub(crate) use projection_on_tiles::map_of_rows;
pub(crate) use recurrent::RecurrentLayer;
pub(crate) use sequence_dense::SequenceDenseLayer;

use crate::{Initialiser, Role};
use kernels::{Buffer, Element, matmul::Output, tiles};
use rayon::prelude::*;

/// Images that go through the whole network together, on one thread, with activations that the second-level cache
/// holds. The gradient is summed group by group, so the number is a constant of the results.
pub const GROUP: usize = 16;

/// A parameter as its layer names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct LayerParameter {
    pub(crate) name: String,
    pub(crate) shape: Vec<usize>,
    pub(crate) initialiser: Initialiser,
    pub(crate) role: Role,
}

impl LayerParameter {
    pub(crate) fn new(role: Role, name: &str, shape: &[usize], initialiser: Initialiser) -> Self {
        Self { name: name.to_owned(), shape: shape.to_vec(), initialiser, role }
    }
}

/// What a forward pass is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// The parameters stay as they are for many images.
    Inference,
    /// A backward pass follows, and other parameters.
    Learning,
}

/// What a pass is for, and what its random numbers depend on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Context {
    pub(crate) purpose: Purpose,
    /// The run's seed of what is dropped.
    pub(crate) seed: u64,
    /// Steps that the model has made before this one.
    pub(crate) step: u64,
    /// Which group of the batch the images are, counted from 0.
    pub(crate) group: usize,
    /// Threads that have nothing else to do than to share a layer's work, with the caller's own.
    pub(crate) threads: usize,
}

/// A layer: what it computes is in `&self`, what it remembers of a group of images in [`Memory`].
///
/// `parameters` and `d_parameters` hold the layer's parameters one after the other. Activations are `[image, …]`, for
/// as many images as the slices hold, at most [`GROUP`].
pub(crate) trait Layer<E: Element>: Send + Sync {
    /// In the order of their values.
    fn parameters(&self) -> Vec<LayerParameter> {
        Vec::new()
    }

    /// Multiplications and additions of one image's forward pass.
    fn forward_flops(&self) -> u64 {
        0
    }

    /// Of those of the backward pass, what the derivative with respect to one image's input takes.
    fn input_gradient_flops(&self) -> u64 {
        self.forward_flops()
    }

    /// Of those of the backward pass, what of one image's is left to [`Self::sum_gradient`].
    fn sum_flops(&self) -> u64 {
        0
    }

    /// What a thread needs to take a group through the layer and back.
    fn scratch(&self) -> MemorySize {
        MemorySize::default()
    }

    /// What stays of a group until the gradient is summed over all of them.
    fn kept(&self) -> MemorySize {
        MemorySize::default()
    }

    /// Takes note of new parameters: called once after they or the purpose changed, before the next forward pass.
    fn prepare(&mut self, _parameters: &[E], _purpose: Purpose) {}

    /// Sets ε, where the layer adds one to a variance; parameters are shown anew before the next pass.
    fn set_epsilon(&mut self, _epsilon: f64) {}

    /// `output` from `input`; leaves in the scratch what [`Self::backward`] needs.
    fn forward(
        &self,
        context: Context,
        parameters: &[E],
        input: &[E],
        output: &mut [E],
        scratch: &mut Memory<E>,
    );

    /// Whether [`Self::backward`] can add to what is there of its input's derivative.
    fn adds_derivatives(&self) -> bool {
        false
    }

    /// Whether [`Self::backward`] makes its input's derivative in the place of its output's: see [`Pass::in_place`].
    fn differentiates_in_place(&self) -> bool {
        false
    }

    /// From the derivative with respect to the output that with respect to the input, where asked for, and what
    /// [`Self::sum_gradient`] needs.
    fn backward(&self, pass: Pass<E>);

    /// The derivative with respect to the parameters, over all groups; overwritten.
    fn sum_gradient(&mut self, groups: Groups<E>, d_parameters: &mut [E]) {
        sum_kept(groups, d_parameters);
    }
}

/// A group's way back through a layer: what [`Layer::forward`] was given and made, and what is to be made of it.
pub(crate) struct Pass<'a, E> {
    pub(crate) context: Context,
    pub(crate) parameters: &'a [E],
    pub(crate) input: &'a [E],
    pub(crate) output: &'a [E],
    /// The derivative with respect to the output, which may be changed on the way.
    pub(crate) d_output: &'a mut [E],
    /// The one with respect to the input, where it is asked for, unless the layer [makes it in place](Layer::differentiates_in_place).
    pub(crate) d_input: Option<&'a mut [E]>,
    /// Whether such a layer is asked for it.
    pub(crate) in_place: bool,
    /// Whether [`Self::d_input`] is overwritten or added to; a layer that does not [add](Layer::adds_derivatives) overwrites.
    pub(crate) into_input: Output,
    /// As [`Layer::forward`] left it.
    pub(crate) scratch: &'a mut Memory<E>,
    /// For [`Layer::sum_gradient`].
    pub(crate) kept: &'a mut Memory<E>,
}

/// Sizes of a [`Memory`].
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct MemorySize {
    pub(crate) values: usize,
    pub(crate) bytes: usize,
}

/// Memory that a layer divides as it likes.
pub(crate) struct Memory<E> {
    pub(crate) values: Buffer<E>,
    pub(crate) bytes: Vec<u8>,
}

impl<E: Element> Memory<E> {
    pub(crate) fn new(size: MemorySize) -> Self {
        Self { values: Buffer::zeros(size.values), bytes: vec![0; size.bytes] }
    }
}

/// What one layer has kept of every group of a batch.
#[derive(Clone, Copy)]
pub(crate) struct Groups<'a, E> {
    pub(crate) groups: &'a [Group<E>],
    pub(crate) layer: usize,
}

/// A group of images between the two halves of a step.
pub(crate) struct Group<E> {
    /// How many it holds in this batch.
    pub(crate) images: usize,
    /// By layer.
    pub(crate) kept: Vec<Memory<E>>,
}

impl<'a, E: Element> Groups<'a, E> {
    pub(crate) fn count(self) -> usize {
        self.groups.len()
    }

    /// The kept values of a group, and how many images it holds.
    pub(crate) fn get(self, group: usize) -> (&'a [E], usize) {
        let group = &self.groups[group];
        (&group.kept[self.layer].values, group.images)
    }
}

/// Parameters whose gradients a task sums: 16 KB for each group.
const TASK_PARAMETERS: usize = 4 << 10;

/// Adds up gradients that each group has kept whole, in the order of the groups.
fn sum_kept<E: Element>(groups: Groups<E>, d_parameters: &mut [E]) {
    d_parameters.par_chunks_mut(TASK_PARAMETERS).enumerate().for_each(|(task, sums)| {
        for group in 0..groups.count() {
            let kept = &groups.get(group).0[task * TASK_PARAMETERS..][..sums.len()];
            if group == 0 {
                sums.copy_from_slice(kept);
            } else {
                sums.iter_mut().zip(kept).for_each(|(sum, value)| *sum += *value);
            }
        }
    });
}

/// How many of `total` items a task takes: four tasks a thread even out what the threads are given, and more would
/// only cost.
pub(crate) fn task_size(total: usize) -> usize {
    total.div_ceil(4 * rayon::current_num_threads()).max(1)
}

/// Whether sums over so many features are worth tiles, of which they fill at least a half then.
pub(crate) fn is_worth_tiles(features: usize) -> bool {
    features >= tiles::ROWS
}
