//! Weights and biases, with batch normalisation in them, and what they are rounded to.

use crate::graph::{Graph, Node};
use spec::{Stage, StageOperation};

/// Largest |bias| in units of its sum: with the sum's products and the zero point it fits 32 bits.
const LARGEST_BIAS: f64 = 536_870_912.0;

/// What a stage multiplies and adds, by output channel: sums[r] = biases[r] + Σ rows[r, i] · x[i].
pub(super) struct Products {
    rows: Vec<Vec<f64>>,
    biases: Vec<f64>,
    /// Whether the model has the weights by tap, each with a value for every channel.
    by_tap: bool,
}

/// The same in whole numbers.
pub(super) struct Rounded {
    /// In the model's order.
    pub(super) weights: Vec<i8>,
    pub(super) biases: Vec<i32>,
    /// What one of each sum is worth; no number where a weight or the bias is none.
    pub(super) units: Vec<f64>,
}

impl Products {
    pub(super) fn of(graph: &Graph, stage: &Stage, parameters: &[f32], epsilon: f64) -> Self {
        let node = &graph.nodes[stage.first];
        let outputs = node.to.features();
        let values = |node: &Node, name: &str| -> Vec<f64> {
            let range = node.parameter(name).map_or(0..0, |spec| spec.range.clone());
            parameters[range].iter().map(|value| f64::from(*value)).collect()
        };
        let by_tap = matches!(stage.operation, StageOperation::Depthwise { .. });
        let is_normalisation = stage.normalisation == Some(stage.first);
        let weight = if is_normalisation { vec![1.0; outputs] } else { values(node, "weight") };
        let length = weight.len() / outputs;
        let place =
            |row: usize, index: usize| if by_tap { index * outputs + row } else { row * length + index };
        let row = |row: usize| (0..length).map(|index| weight[place(row, index)]).collect();
        let mut products = Self { rows: (0..outputs).map(row).collect(), biases: vec![0.0; outputs], by_tap };
        if !is_normalisation {
            let biases = values(node, "bias");
            products.biases[..biases.len()].copy_from_slice(&biases);
        }
        if let Some(normalisation) = stage.normalisation {
            let [scale, offset, mean, variance] =
                ["scale", "offset", "mean", "variance"].map(|name| values(&graph.nodes[normalisation], name));
            for index in 0..outputs {
                let factor = scale[index] / (variance[index] + epsilon).sqrt();
                products.rows[index].iter_mut().for_each(|weight| *weight *= factor);
                let bias = &mut products.biases[index];
                *bias = (*bias - mean[index]) * factor + offset[index];
            }
        }
        products
    }

    /// The nearest ones of eight bits, for an input whose numbers are worth `input` each and count from `zero`.
    pub(super) fn rounded(&self, input: f64, zero: i32) -> Rounded {
        let outputs = self.rows.len();
        let mut weights = vec![0; self.rows.iter().map(Vec::len).sum()];
        let length = weights.len() / outputs;
        let (mut biases, mut units) = (Vec::new(), Vec::new());
        for (row, (values, bias)) in self.rows.iter().zip(&self.biases).enumerate() {
            let largest = values.iter().fold(0.0f64, |largest, value| largest.max(value.abs()));
            // No finer than the bias can be said in.
            let scale = (largest / 127.0).max(bias.abs() / (input * LARGEST_BIAS));
            let scale = if scale > 0.0 { scale } else { 1.0 };
            let mut total = 0;
            for (index, value) in values.iter().enumerate() {
                let number = (value / scale).round_ties_even();
                total += number as i32;
                weights[if self.by_tap { index * outputs + row } else { row * length + index }] =
                    number as i8;
            }
            let unit = input * scale;
            biases.push((bias / unit).round_ties_even() as i32 - zero * total);
            units.push(if values.iter().chain([bias]).all(|value| value.is_finite()) {
                unit
            } else {
                f64::NAN
            });
        }
        Rounded { weights, biases, units }
    }
}
