//! Eight-bit weights, and activations on a grid of 256 values (Jacob et al., Quantization and training of neural
//! networks for efficient integer-arithmetic-only inference, 2018).
//!
//! The weights of a layer's output channel share a scale: w = scale · q, q of −127 to 127, the largest |w| at 127. What a
//! convolution or a dense layer reads is rounded to x = scale · (q − zero point), q of 0 to 255, over the range seen in
//! calibration and zero; so their products are of whole numbers. Recurrent and attention layers have such weights and
//! read what comes as it is. Biases, normalisations and what is learnt for places stay float32.

use crate::{
    Description,
    graph::{Node, Operation},
    state_dict::StateTensor,
};
use data::Dataset;
use nn::{LayerSpec, Model};
use std::{
    collections::BTreeMap,
    sync::{Mutex, PoisonError},
};

/// What a layer's input is rounded to: x = scale · (q − zero point), q of 0 to 255.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Grid {
    /// Distance of neighbouring values.
    pub scale: f32,
    /// Which q stands for zero.
    pub zero_point: u8,
}

impl Grid {
    /// Over a range, widened to hold zero.
    pub fn over(smallest: f32, largest: f32) -> Self {
        let (smallest, largest) = (smallest.min(0.0), largest.max(0.0));
        // Where nothing but zero was seen any scale does.
        let scale = if largest > smallest { (largest - smallest) / 255.0 } else { 1.0 };
        Self { scale, zero_point: (-smallest / scale).round() as u8 }
    }

    /// The number of the nearest value.
    pub fn number(self, value: f32) -> u8 {
        // As ONNX's QuantizeLinear: ties to the even one, and what is outside to the end of the range.
        ((value / self.scale).round_ties_even() + f32::from(self.zero_point)).clamp(0.0, 255.0) as u8
    }

    /// The value of a number.
    pub fn value(self, number: u8) -> f32 {
        (i32::from(number) - i32::from(self.zero_point)) as f32 * self.scale
    }
}

/// Rows of eight-bit weights, each with its scale.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Rows {
    pub(crate) values: Vec<i8>,
    pub(crate) scales: Vec<f32>,
}

impl Rows {
    /// The nearest ones of `count` rows of `values`.
    pub(crate) fn of(values: &[f32], count: usize) -> Self {
        let mut rows = Self { values: Vec::with_capacity(values.len()), scales: Vec::with_capacity(count) };
        for row in values.chunks_exact(values.len() / count) {
            let largest = row.iter().fold(0.0f32, |largest, value| largest.max(value.abs()));
            let scale = if largest > 0.0 { largest / 127.0 } else { 1.0 };
            rows.values.extend(row.iter().map(|value| (value / scale).round_ties_even() as i8));
            rows.scales.push(scale);
        }
        rows
    }

    /// The weights that they stand for.
    pub(crate) fn weights(&self) -> impl Iterator<Item = f32> {
        let length = self.values.len() / self.scales.len();
        self.values
            .iter()
            .enumerate()
            .map(move |(index, value)| f32::from(*value) * self.scales[index / length])
    }
}

/// Images whose activations say which range a grid has to cover.
pub const CALIBRATION_IMAGES: usize = 1000;

/// The grids of a model's inputs to convolutions and dense layers, by the layers' names.
#[derive(Debug, Clone, PartialEq)]
pub struct Quantisation {
    pub(crate) inputs: BTreeMap<String, Grid>,
}

/// Whether a layer's products are of whole numbers.
pub(crate) fn has_grid(node: &Node) -> bool {
    weights(node) == Weights::OnGrids
}

/// How a layer's weights are rounded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Weights {
    /// To eight bits, and what they multiply to a grid.
    OnGrids,
    /// To eight bits.
    Alone,
    /// Not at all, or there are none.
    Kept,
}

fn weights(node: &Node) -> Weights {
    let Operation::Layer(layer) = &node.operation else { return Weights::Kept };
    match layer {
        LayerSpec::Convolution(_) | LayerSpec::Depthwise(_) | LayerSpec::Dense { .. } => Weights::OnGrids,
        LayerSpec::Attention { .. } | LayerSpec::Recurrent(_) => Weights::Alone,
        LayerSpec::Activation(_)
        | LayerSpec::MaxPool(_)
        | LayerSpec::AveragePool(_)
        | LayerSpec::GlobalMaxPool
        | LayerSpec::GlobalAveragePool
        | LayerSpec::Flatten
        | LayerSpec::Dropout { .. }
        | LayerSpec::BatchNorm
        | LayerSpec::LayerNorm
        | LayerSpec::Rows
        | LayerSpec::Columns
        | LayerSpec::Pixels
        | LayerSpec::Patches { .. }
        | LayerSpec::Position
        | LayerSpec::Transpose => Weights::Kept,
        LayerSpec::Residual { .. } => unreachable!("a residual layer is its ways and a sum"),
    }
}

/// Whether a tensor is of eight-bit weights.
pub(crate) fn is_weight(node: &Node, tensor: &StateTensor) -> bool {
    weights(node) != Weights::Kept && tensor.shape.len() > 1
}

impl Quantisation {
    /// Measures the range of every such input over [`CALIBRATION_IMAGES`] images, spread over a set that should not be the
    /// one that judges the result.
    ///
    /// # Panics
    /// When `model` is not the one that `description` describes, or the images are of another size.
    pub fn calibrate(description: &Description, model: &mut Model<f32>, images: &Dataset) -> Self {
        let graph = description.graph(model);
        let wanted: Vec<&str> =
            graph.nodes.iter().filter(|node| has_grid(node)).map(|node| node.name.as_str()).collect();
        let ranges = Mutex::new(BTreeMap::new());
        let note = |layer: &str, values: &mut [f32]| {
            if wanted.contains(&layer) {
                let wider = |(low, high): (f32, f32), value: &f32| (low.min(*value), high.max(*value));
                let found = values.iter().fold((0.0, 0.0), wider);
                let mut ranges = ranges.lock().unwrap_or_else(PoisonError::into_inner);
                let range = ranges.entry(layer.to_owned()).or_insert((0.0, 0.0));
                *range = wider(wider(*range, &found.0), &found.1);
            }
        };
        let count = CALIBRATION_IMAGES.min(images.len());
        for first in (0..count).step_by(model.capacity()) {
            let batch = model.capacity().min(count - first);
            model.set_batch(batch, |image| images.image((first + image) * (images.len() / count)));
            model.forward_changed(batch, &note);
        }
        let ranges = ranges.into_inner().unwrap_or_else(PoisonError::into_inner);
        let grids = ranges.into_iter().map(|(layer, (low, high))| (layer, Grid::over(low, high)));
        Self { inputs: grids.collect() }
    }

    /// Rounds the weights of a model to those that eight bits hold; [`Self::logits`] then gives what the exported model
    /// gives.
    ///
    /// # Panics
    /// When `model` is not the one that `description` describes.
    pub fn round_weights(&self, description: &Description, model: &mut Model<f32>) {
        let graph = description.graph(model);
        for node in &graph.nodes {
            for tensor in node.tensors.iter().filter(|tensor| is_weight(node, tensor)) {
                let rows = Rows::of(&tensor.values(model.parameters()), tensor.shape[0]);
                tensor.set(rows.weights(), model.parameters_mut());
            }
        }
    }

    /// The logits `[images, classes]` of the batch's first `images`, every input rounded to its grid.
    ///
    /// # Panics
    /// When `images` is more than the model's capacity.
    pub fn logits<'a>(&self, model: &'a mut Model<f32>, images: usize) -> &'a [f32] {
        model.forward_changed(images, &|layer, values| {
            if let Some(grid) = self.inputs.get(layer) {
                values.iter_mut().for_each(|value| *value = grid.value(grid.number(*value)));
            }
        })
    }

    /// The class of each image of a set, by [`Self::logits`].
    ///
    /// # Panics
    /// When the images are of another size than the model's.
    pub fn classes(&self, model: &mut Model<f32>, images: &Dataset) -> Vec<u8> {
        let mut classes = Vec::with_capacity(images.len());
        for first in (0..images.len()).step_by(model.capacity()) {
            let batch = model.capacity().min(images.len() - first);
            model.set_batch(batch, |image| images.image(first + image));
            let count = model.classes();
            classes.extend(self.logits(model, batch).chunks_exact(count).map(largest));
        }
        classes
    }
}

/// The class of the largest logit, the first of equals.
pub(crate) fn largest(logits: &[f32]) -> u8 {
    let better = |best, class: usize| if logits[class] > logits[best] { class } else { best };
    u8::try_from((1..logits.len()).fold(0, better)).expect("a class is one byte")
}

/// Rows of so many values as columns.
pub(crate) fn transposed<T: Copy>(values: &[T], columns: usize) -> Vec<T> {
    let rows = values.len() / columns;
    (0..values.len()).map(|index| values[index % rows * columns + index / rows]).collect()
}
