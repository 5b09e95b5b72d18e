//! A network that computes in whole numbers: weights and activations of eight bits, sums of 32 (Jacob et al.,
//! Quantization and training of neural networks for efficient integer-arithmetic-only inference, 2018).
//!
//! A value is x = scale · (q − zero point), q of −128 to 127, on a grid of each stage's output; the weights of an output
//! channel share a scale: w = scale · q, q of −127 to 127. A sum of products plus a bias, all whole numbers, goes to the
//! output's grid by one product and one shift ([`Factor`]). Batch normalisation is in weights and biases. A function of
//! single values is a table of 256. The last sums become logits in float32.
//!
//! What is computed here and what an exported header computes is the same arithmetic, so that their logits are equal.

mod emulation;
mod factor;
mod weights;

use crate::{Description, graph::Graph, quantisation::Grid};
use data::Dataset;
pub(crate) use factor::Factor;
use nn::{ActivationSpec, InstructionSet, Model, Preparation};
pub use spec::Footprint;
use spec::{IntegerGraph, Stage, StageOperation};
use std::collections::BTreeMap;
use weights::Products;

/// Images whose activations say which range a grid has to cover.
const CALIBRATION_IMAGES: usize = crate::quantisation::CALIBRATION_IMAGES;

/// A network in whole numbers.
#[derive(Debug, Clone, PartialEq)]
pub struct IntegerNetwork {
    pub(crate) graph: IntegerGraph,
    /// By place: the image, then each stage's output.
    pub(crate) grids: Vec<Grid>,
    /// Of each channel of an image, what its bytes become, where they are not all the byte − 128.
    pub(crate) input_tables: Vec<[i8; 256]>,
    /// By stage.
    pub(crate) numbers: Vec<StageNumbers>,
    /// The name of each stage's first layer.
    pub(crate) names: Vec<String>,
    set: InstructionSet,
}

/// The constants of a stage.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum StageNumbers {
    /// Of a convolution, a depthwise one or a dense layer.
    Products {
        /// As the model has them.
        weights: Vec<i8>,
        biases: Vec<i32>,
        factors: Vec<Factor>,
    },
    /// Of the dense layer whose sums are logits: what one of each is worth.
    Logits { weights: Vec<i8>, biases: Vec<i32>, units: Vec<f32> },
    /// Of a function of each value, by q + 128.
    Table(Box<[i8; 256]>),
    /// Of a mean, from four times a window's sum.
    Mean(Factor),
    /// Of a sum of two places, on one shift.
    Sum { multipliers: [i32; 2], shift: u8 },
    /// Values are compared or moved.
    None,
}

/// The zero of a grid as a number of −128 to 127.
pub(crate) fn zero(grid: Grid) -> i8 {
    (i32::from(grid.zero_point) - 128) as i8
}

/// The number of −128 to 127 nearest to a value.
fn nearest(grid: Grid, value: f32) -> i8 {
    (i32::from(grid.number(value)) - 128) as i8
}

/// The value of a number of −128 to 127.
pub(crate) fn value(grid: Grid, number: i8) -> f32 {
    grid.value((i32::from(number) + 128) as u8)
}

impl IntegerNetwork {
    /// The network of a model, with grids over what a thousand images, spread over a set that should not be the one that
    /// judges the result, make of each stage.
    ///
    /// # Errors
    /// Names a layer that has no form in whole numbers, or values that are no finite numbers.
    ///
    /// # Panics
    /// When `model` is not the one that `description` describes, or the images are of another size.
    pub fn calibrate(
        description: &Description,
        model: &Model<f32>,
        images: &Dataset,
        set: InstructionSet,
    ) -> Result<Self, String> {
        let integer = integer_graph(description)?;
        let graph = description.graph(model);
        let ranges = ranges(description, model, images, set);
        let epsilon = description.normalisation_epsilon();
        let input = match description.preparation {
            None => Grid { scale: 1.0 / 255.0, zero_point: 0 },
            Some(preparation) => grid_of_images(&preparation),
        };
        let mut network = Self {
            input_tables: match description.preparation {
                Some(preparation) if integer.has_input_tables => tables_of_images(&preparation, input),
                _ => Vec::new(),
            },
            grids: vec![input],
            numbers: Vec::new(),
            names: integer.stages.iter().map(|stage| graph.nodes[stage.first].name.clone()).collect(),
            graph: integer.clone(),
            set,
        };
        for stage in &integer.stages {
            // Of nodes that are computed at once, dropouts alone have no output of their own.
            let nodes = graph.nodes[stage.first..=stage.last].iter().rev();
            let [low, high] =
                nodes.filter_map(|node| ranges.get(&node.name)).copied().next().unwrap_or([0.0; 2]);
            let (grid, numbers) =
                network.stage(&graph, stage, model.parameters(), epsilon, Grid::over(low, high))?;
            network.grids.push(grid);
            network.numbers.push(numbers);
        }
        Ok(network)
    }

    /// The grid of a stage's output, and its constants, where `seen` covers what was seen of it.
    fn stage(
        &self,
        graph: &Graph,
        stage: &Stage,
        parameters: &[f32],
        epsilon: f64,
        seen: Grid,
    ) -> Result<(Grid, StageNumbers), String> {
        let input = self.grids[stage.input];
        let from = f64::from(input.scale);
        // What the header has in float32.
        let finite = |values: &[f64], grid: Grid| match grid.scale.is_finite()
            && values.iter().all(|value| (*value as f32).is_finite())
        {
            true => Ok(grid),
            false => Err(format!("{} has values that are no finite numbers", graph.nodes[stage.first].name)),
        };
        let seen = finite(&[], seen)?;
        let numbers = match stage.operation {
            StageOperation::Convolution { .. }
            | StageOperation::Depthwise { .. }
            | StageOperation::Dense { .. } => {
                let products = Products::of(graph, stage, parameters, epsilon);
                // A depthwise convolution leaves taps outside the image out, so that it takes off the zero point itself.
                let zero = match stage.operation {
                    StageOperation::Depthwise { .. } => 0,
                    _ => i32::from(zero(input)),
                };
                let rounded = products.rounded(from, zero);
                let (weights, biases) = (rounded.weights, rounded.biases);
                let seen = finite(&rounded.units, seen)?;
                if stage.gives_logits() {
                    let units = rounded.units.iter().map(|unit| *unit as f32).collect();
                    return Ok((seen, StageNumbers::Logits { weights, biases, units }));
                }
                let coarsest = rounded.units.iter().copied().fold(0.0, f64::max);
                let grid = no_finer_than(seen, coarsest / factor::LIMIT);
                let to_grid = |unit: &f64| Factor::of(unit / f64::from(grid.scale));
                let factors = rounded.units.iter().map(to_grid).collect();
                (grid, StageNumbers::Products { weights, biases, factors })
            }
            StageOperation::Table(function) => {
                let number = |index: usize| {
                    let value = value(input, (index as i32 - 128) as i8);
                    nearest(seen, of_activation(function, f64::from(value)) as f32)
                };
                (seen, StageNumbers::Table(Box::new(std::array::from_fn(number))))
            }
            StageOperation::Pool { window, mean: true, .. } => {
                let unit = from / (window[0] * window[1]) as f64;
                let grid = no_finer_than(seen, unit);
                // Of a sum that is taken four times, which makes the factor small enough.
                (grid, StageNumbers::Mean(Factor::of(factor::LIMIT * unit / f64::from(grid.scale))))
            }
            StageOperation::Sum(other) => {
                let units = [from, f64::from(self.grids[other].scale)];
                let largest = units[0].max(units[1]);
                // Each product of at most 255 and a multiplier then fits 30 bits.
                let grid = no_finer_than(seen, largest / 1024.0);
                let ratios = units.map(|unit| unit / f64::from(grid.scale));
                let (multipliers, shift) = factor::on_one_shift(ratios);
                (grid, StageNumbers::Sum { multipliers, shift })
            }
            StageOperation::Pool { mean: false, .. }
            | StageOperation::Columns(_)
            | StageOperation::Patches { .. } => (input, StageNumbers::None),
        };
        Ok((finite(&[], numbers.0)?, numbers.1))
    }

    /// Whether a model can be computed so: its layers have a form in whole numbers.
    ///
    /// # Errors
    /// Names a layer that has none.
    pub fn check_form(description: &Description) -> Result<(), String> {
        integer_graph(description).map(|_| ())
    }

    /// The memory that its header takes of a microcontroller.
    pub fn footprint(&self) -> Footprint {
        self.graph.footprint()
    }
}

fn integer_graph(description: &Description) -> Result<IntegerGraph, String> {
    let graph = description.architecture().graph(description.image(), description.classes.len());
    let graph = graph.expect("the model has been built of it");
    IntegerGraph::of(&graph, description.preparation.is_some())
}

/// A grid whose neighbours are at least so far apart: a finer one than what its values are made of tells nothing more.
fn no_finer_than(grid: Grid, scale: f64) -> Grid {
    // Upwards, so that no ratio to it is above 1.
    let scale = (scale as f32).next_up();
    if grid.scale >= scale { grid } else { Grid { scale, ..grid } }
}

/// The least and the largest output of each layer over the calibration's images.
fn ranges(
    description: &Description,
    model: &Model<f32>,
    images: &Dataset,
    set: InstructionSet,
) -> BTreeMap<String, [f32; 2]> {
    let (architecture, classes) = (description.architecture(), description.classes.len());
    let looked = Model::to_look_into(set, &architecture, description.image(), classes);
    let mut looked: Model<f32> = looked.expect("the model has been built of it");
    looked.set_preparation(description.preparation);
    looked.set_epsilon(description.normalisation_epsilon());
    looked.parameters_mut().copy_from_slice(model.parameters());
    let mut ranges: BTreeMap<String, [f32; 2]> = BTreeMap::new();
    let count = CALIBRATION_IMAGES.min(images.len());
    for index in 0..count {
        looked.set_batch(1, |_| images.image(index * (images.len() / count)));
        for (layer, values) in looked.outputs() {
            let [low, high] = ranges.entry(layer).or_default();
            *low = values.iter().copied().fold(*low, f32::min);
            *high = values.iter().copied().fold(*high, f32::max);
        }
    }
    ranges
}

/// The grid of prepared pixels: of grey ones each byte is one of its numbers.
fn grid_of_images(preparation: &Preparation) -> Grid {
    let channels = || preparation.mean().iter().zip(preparation.std());
    let low = channels().map(|(mean, std)| -mean / std).fold(0.0, f64::min);
    let high = channels().map(|(mean, std)| (1.0 - mean) / std).fold(0.0, f64::max);
    Grid::over(low as f32, high as f32)
}

/// What the bytes of each channel become.
fn tables_of_images(preparation: &Preparation, grid: Grid) -> Vec<[i8; 256]> {
    let channels = preparation.mean().iter().zip(preparation.std());
    let table = |(mean, std): (&f64, &f64)| {
        std::array::from_fn(|byte| nearest(grid, ((byte as f64 / 255.0 - mean) / std) as f32))
    };
    channels.map(table).collect()
}

fn of_activation(function: ActivationSpec, x: f64) -> f64 {
    let sigmoid = |x: f64| 1.0 / (1.0 + libm::exp(-x));
    match function {
        ActivationSpec::Relu => x.max(0.0),
        ActivationSpec::LeakyRelu { slope } => {
            if x < 0.0 {
                slope * x
            } else {
                x
            }
        }
        ActivationSpec::Gelu => 0.5 * x * libm::erfc(-x * std::f64::consts::FRAC_1_SQRT_2),
        ActivationSpec::Silu => x * sigmoid(x),
        ActivationSpec::Tanh => libm::tanh(x),
        ActivationSpec::Sigmoid => sigmoid(x),
    }
}
