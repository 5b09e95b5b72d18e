//! From an architecture to layers that compute.

use crate::{
    ActivationSpec, ConvolutionSpec, LayerSpec, ParameterSpec, PoolSpec, Shape, Sliding,
    layers::{
        ActivationLayer, AttentionLayer, BatchNormLayer, ConvolutionLayer, ConvolutionOnTiles, DenseLayer,
        DenseOnTiles, DepthwiseLayer, DropoutLayer, GeneralConvolutionLayer, Layer, LayerNormLayer,
        PaddingLayer, PermutationLayer, Pool, PoolingLayer, PositionLayer, Purpose, RecurrentLayer,
        SequenceDenseLayer, is_worth_tiles, map_of_rows,
    },
};
use kernels::{
    Element, InstructionSet, attention,
    convolution::{Activation, Geometry, Size, general},
    depthwise, sliding,
    tiles::{self, Tiles},
};
use rayon::prelude::*;
use spec::{Graph, Node};
use std::ops::Range;

/// An architecture's layers for one size of images.
pub struct Network<E> {
    pub(crate) specs: Vec<ParameterSpec>,
    /// Elements of all parameters.
    pub(crate) parameters: usize,
    pub(crate) stages: Vec<Stage<E>>,
    /// How many layers multiply on tiles.
    pub(crate) layers_on_tiles: usize,
}

/// Where a value lies: 0 is the network's input, n + 1 the output of stage n. A stage reads what lies before it.
pub(crate) type Place = usize;

/// What becomes one stage of the nodes that one pass can compute.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fusion {
    /// All that can be.
    Whole,
    /// All that can be where no backward pass follows.
    Inference,
    /// Nothing, so that each layer's output can be looked at.
    None,
}

/// What a stage reads. More than one stage may read a place; on the way back the last of them comes first, and sets the
/// derivative that the others add to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Operand {
    pub(crate) place: Place,
    /// Whether a later stage reads the place too.
    pub(crate) shared: bool,
    /// Whether the value depends on parameters, so that its derivative is needed to learn them.
    pub(crate) learnt: bool,
}

impl Operand {
    fn at(place: Place) -> Self {
        Self { place, shared: false, learnt: false }
    }
}

/// A step through the network and its parameters' place.
pub(crate) struct Stage<E> {
    pub(crate) name: String,
    pub(crate) operation: Operation<E>,
    pub(crate) input: Operand,
    pub(crate) parameters: Range<usize>,
    pub(crate) output_length: usize,
}

/// What a stage does with its input.
pub(crate) enum Operation<E> {
    /// A layer.
    Layer(Box<dyn Layer<E>>),
    /// Adds another place's values.
    Sum(Sum),
}

/// A sum of two places' values, with the ReLU that may follow it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Sum {
    pub(crate) set: InstructionSet,
    pub(crate) other: Operand,
    pub(crate) relu: bool,
}

impl<E> Stage<E> {
    /// The layer, where it is one.
    pub(crate) fn layer(&self) -> Option<&dyn Layer<E>> {
        match &self.operation {
            Operation::Layer(layer) => Some(&**layer),
            Operation::Sum(_) => None,
        }
    }

    /// As [`Self::layer`], to change it.
    pub(crate) fn layer_mut(&mut self) -> Option<&mut Box<dyn Layer<E>>> {
        match &mut self.operation {
            Operation::Layer(layer) => Some(layer),
            Operation::Sum(_) => None,
        }
    }
}

impl<E: Element> Stage<E> {
    /// Whether the derivative of its input is made apart and then added to what other stages have made of it.
    pub(crate) fn is_apart(&self) -> bool {
        let has_no_place =
            |layer: &dyn Layer<E>| !layer.adds_derivatives() && !layer.differentiates_in_place();
        self.input.shared && self.layer().is_some_and(has_no_place)
    }
}

/// Layers on tiles, where there are to be any: they are of `f32` alone.
struct OnTiles<E> {
    tiles: Tiles,
    cast: Cast<E>,
}

/// The identity, where `E` is `f32`.
type Cast<E> = fn(Box<dyn Layer<f32>>) -> Box<dyn Layer<E>>;

impl Network<f32> {
    /// With products of bfloat16 numbers where tiles are worth it. The parameters lie where they do in every other way to compute the graph.
    pub(crate) fn on_tiles(set: InstructionSet, graph: &Graph, tiles: Tiles) -> Self {
        let on_tiles = OnTiles { tiles, cast: |layer| layer };
        Self::build(set, graph, Fusion::Whole, Some(on_tiles))
    }
}

impl<E: Element> Network<E> {
    /// Every layer and its kernels are compiled where this is called.
    pub(crate) fn compile(set: InstructionSet, graph: &Graph, fusion: Fusion) -> Self {
        Self::build(set, graph, fusion, None)
    }

    fn build(set: InstructionSet, graph: &Graph, fusion: Fusion, on_tiles: Option<OnTiles<E>>) -> Self {
        let mut builder = Builder {
            set,
            graph,
            places: vec![0],
            specs: Vec::new(),
            parameters: 0,
            stages: Vec::new(),
            steps: 0,
            fusion,
            on_tiles,
            layers_on_tiles: 0,
        };
        let mut index = 0;
        while index < graph.nodes.len() {
            index += builder.add(index);
        }
        let Builder { specs, parameters, mut stages, layers_on_tiles, .. } = builder;
        mark_shared(&mut stages);
        mark_learnt(&mut stages);
        Self { specs, parameters, stages, layers_on_tiles }
    }
}

/// From so many parameters on, threads take note of them together.
const SHARED_PARAMETERS: usize = 50_000;

/// Shows the layers all parameters: see [`Layer::prepare`].
pub(crate) fn show<E: Element>(stages: &mut [Stage<E>], parameters: &[E], purpose: Purpose) {
    let show = |stage: &mut Stage<E>| {
        let parameters = &parameters[stage.parameters.clone()];
        if let Some(layer) = stage.layer_mut() {
            layer.prepare(parameters, purpose);
        }
    };
    // A thread's help costs 15 µs, in which a layer takes note of some ten thousand parameters; and layers differ in theirs.
    match parameters.len() < SHARED_PARAMETERS {
        true => stages.iter_mut().for_each(show),
        false => stages.par_iter_mut().with_max_len(1).for_each(show),
    }
}

/// Finds which places are read more than once.
fn mark_shared<E>(stages: &mut [Stage<E>]) {
    let mut read = vec![false; stages.len() + 1];
    for stage in stages.iter_mut().rev() {
        let mut mark = |operand: &mut Operand| {
            operand.shared = std::mem::replace(&mut read[operand.place], true);
        };
        // The order in which the way back visits them.
        if let Operation::Sum(Sum { other, .. }) = &mut stage.operation {
            mark(other);
        }
        mark(&mut stage.input);
    }
}

/// Finds which places depend on parameters.
fn mark_learnt<E>(stages: &mut [Stage<E>]) {
    let mut learnt = vec![false];
    for stage in stages {
        stage.input.learnt = learnt[stage.input.place];
        let mut output = stage.input.learnt || !stage.parameters.is_empty();
        if let Operation::Sum(Sum { other, .. }) = &mut stage.operation {
            other.learnt = learnt[other.place];
            output |= other.learnt;
        }
        learnt.push(output);
    }
}

/// Turns a graph's nodes into stages, taking several at once where one pass computes them.
struct Builder<'a, E> {
    set: InstructionSet,
    graph: &'a Graph,
    /// Where the value of each of the graph's places lies. That of a node which a later one was taken with lies nowhere: its
    /// place stands for what they make together, and nothing else reads it.
    places: Vec<Place>,
    specs: Vec<ParameterSpec>,
    parameters: usize,
    stages: Vec<Stage<E>>,
    /// Stages that there would be if each did one thing: dropout's random stream has its number among them.
    steps: usize,
    fusion: Fusion,
    on_tiles: Option<OnTiles<E>>,
    layers_on_tiles: usize,
}

impl<E: Element> Builder<'_, E> {
    /// Adds the node of that number, and those behind it that are computed with it; returns how many that were in all.
    fn add(&mut self, index: usize) -> usize {
        let (set, graph) = (self.set, self.graph);
        let node = &graph.nodes[index];
        let (from, to) = (node.from, node.to);
        let mut input = self.places[node.input];
        let (activation, relus) = self.relu(index);
        let layer = match &node.operation {
            spec::Operation::Layer(layer) => layer,
            spec::Operation::Sum(other) => {
                let relu = activation == Activation::Relu;
                let sum = Sum { set, other: Operand::at(self.places[*other]), relu };
                self.push(node.name.clone(), input, to.length(), Operation::Sum(sum));
                self.steps += relus;
                self.places.extend(std::iter::repeat_n(self.stages.len(), 1 + relus));
                return 1 + relus;
            }
        };
        // How many nodes the layer computes.
        let mut taken = 1;
        let stage: Box<dyn Layer<E>> = match layer {
            // Another view of the same values.
            LayerSpec::Flatten | LayerSpec::Rows | LayerSpec::Pixels => {
                self.places.push(input);
                return 1;
            }
            LayerSpec::Convolution(spec) => {
                let padding = spec.sliding.padding;
                let from = padded(from, padding);
                let pools = self.max_pool(index + relus);
                // As on the vectors, so that dropout's stream is the same.
                let pool = pools.filter(|pool| convolution(*spec, from, activation, *pool).is_some());
                let geometry = || general_convolution(*spec, from);
                if let Some(layer) = self.on_tiles(geometry, activation, pool.unwrap_or(1), spec.bias) {
                    self.steps += usize::from(padding != [0, 0]);
                    taken += relus + usize::from(pool.is_some());
                    layer
                } else {
                    match convolution(*spec, from, activation, pools.unwrap_or(1)) {
                        Some(mut geometry) => {
                            let bordered = match self.fusion {
                                Fusion::Inference => geometry.clone().without_border_to_infer(padding),
                                Fusion::Whole | Fusion::None => geometry.clone().without_border(padding),
                            };
                            match bordered {
                                Some(bordered) => {
                                    geometry = bordered;
                                    self.steps += usize::from(padding != [0, 0]);
                                }
                                None => input = self.add_padding(node, padding),
                            }
                            taken += relus + usize::from(pools.is_some());
                            Box::new(ConvolutionLayer::new(set, geometry, spec.bias))
                        }
                        None => {
                            self.steps += usize::from(padding != [0, 0]);
                            taken += relus;
                            let geometry = general_convolution(*spec, from);
                            Box::new(GeneralConvolutionLayer::new(set, geometry, activation, spec.bias))
                        }
                    }
                }
            }
            LayerSpec::Depthwise(spec) => {
                input = self.add_padding(node, spec.sliding.padding);
                let from = padded(from, spec.sliding.padding);
                taken += relus;
                let geometry = depthwise::Geometry::new(sliding(spec.sliding, from));
                Box::new(DepthwiseLayer::new(set, geometry, activation, spec.bias))
            }
            LayerSpec::MaxPool(spec) => pool(set, Pool::Maximum, windows(*spec), from),
            LayerSpec::AveragePool(spec) => pool(set, Pool::Average, windows(*spec), from),
            LayerSpec::GlobalMaxPool => pool(set, Pool::Maximum, whole(from), from),
            LayerSpec::GlobalAveragePool => pool(set, Pool::Average, whole(from), from),
            LayerSpec::Dense { bias, .. } => {
                taken += relus;
                match from {
                    Shape::Sequence { steps, features } => {
                        let units = to.features();
                        let geometry = || map_of_rows(steps, features, units);
                        match self.on_tiles(geometry, activation, 1, *bias) {
                            Some(layer) => layer,
                            None => {
                                let size = [features, units];
                                Box::new(SequenceDenseLayer::new(set, steps, size, *bias, activation))
                            }
                        }
                    }
                    Shape::Image { .. } | Shape::Vector(_) => {
                        let (inputs, units) = (from.length(), to.features());
                        let on_tiles =
                            |tiles| DenseOnTiles::new(set, tiles, [inputs, units], *bias, activation);
                        match self.layer_on_tiles(is_worth_tiles(inputs.min(units)), on_tiles) {
                            Some(layer) => layer,
                            None => Box::new(DenseLayer::new(set, [inputs, units], *bias, activation)),
                        }
                    }
                }
            }
            LayerSpec::BatchNorm => {
                taken += relus;
                let relu = activation == Activation::Relu;
                Box::new(BatchNormLayer::new(set, to.length(), to.features(), relu))
            }
            LayerSpec::LayerNorm => {
                let features = to.features();
                Box::new(LayerNormLayer::new(set, to.length() / features, features))
            }
            LayerSpec::Columns => {
                let (height, width, channels) = image(from);
                Box::new(PermutationLayer::columns(set, height, width, channels))
            }
            LayerSpec::Patches { size } => {
                let (height, width, channels) = image(from);
                Box::new(PermutationLayer::patches(set, height, width, channels, *size))
            }
            LayerSpec::Transpose => {
                let (steps, features) = sequence(from);
                Box::new(PermutationLayer::columns(set, steps, features, 1))
            }
            LayerSpec::Activation(spec) => Box::new(ActivationLayer::new(set, *spec, to.length())),
            LayerSpec::Dropout { rate } => Box::new(DropoutLayer::new(set, *rate, self.steps, to.length())),
            LayerSpec::Position => {
                let (steps, features) = sequence(from);
                Box::new(PositionLayer::new(set, steps, features))
            }
            LayerSpec::Attention { heads } => {
                let (steps, features) = sequence(from);
                let size = attention::Size { steps, features, heads: *heads };
                let on_tiles = |tiles| AttentionLayer::on_tiles(set, tiles, size);
                match self.layer_on_tiles(is_worth_tiles(features), on_tiles) {
                    Some(layer) => layer,
                    None => Box::new(AttentionLayer::new(set, size)),
                }
            }
            LayerSpec::Recurrent(spec) => {
                let (steps, inputs) = match from {
                    Shape::Image { height, width, channels } => (height, width * channels),
                    Shape::Sequence { .. } | Shape::Vector(_) => sequence(from),
                };
                // Of the images themselves no training asks for a derivative.
                let reads_images = input == 0;
                let on_tiles =
                    |tiles| RecurrentLayer::on_tiles(set, tiles, *spec, steps, inputs, reads_images);
                match self.layer_on_tiles(is_worth_tiles(spec.units), on_tiles) {
                    Some(layer) => layer,
                    None => Box::new(RecurrentLayer::new(set, *spec, steps, inputs, reads_images)),
                }
            }
            LayerSpec::Residual { .. } => unreachable!("a residual layer is its ways and a sum"),
        };
        let output = graph.nodes[index + taken - 1].to;
        self.push(node.name.clone(), input, output.length(), Operation::Layer(stage));
        self.places.extend(std::iter::repeat_n(self.stages.len(), taken));
        taken
    }

    /// A convolution on tiles, where there are any and it is worth it.
    fn on_tiles(
        &mut self,
        geometry: impl FnOnce() -> general::Geometry,
        activation: Activation,
        pool: usize,
        bias: bool,
    ) -> Option<Box<dyn Layer<E>>> {
        self.on_tiles.as_ref()?;
        let geometry = geometry();
        let is_worthwhile = tiles::convolution::Convolution::is_worthwhile(&geometry);
        let set = self.set;
        self.layer_on_tiles(is_worthwhile, |tiles| {
            ConvolutionOnTiles::new(set, tiles, geometry, activation, pool, bias)
        })
    }

    /// Any layer on tiles, where there are any and it is worth it.
    fn layer_on_tiles<L: Layer<f32> + 'static>(
        &mut self,
        is_worthwhile: bool,
        layer: impl FnOnce(Tiles) -> L,
    ) -> Option<Box<dyn Layer<E>>> {
        let OnTiles { tiles, cast } = self.on_tiles.as_ref().filter(|_| is_worthwhile)?;
        self.layers_on_tiles += 1;
        Some(cast(Box::new(layer(*tiles))))
    }

    /// Zeros around the image that a node reads, where there are to be any; where the image lies then.
    fn add_padding(&mut self, node: &Node, padding: [usize; 2]) -> Place {
        let input = self.places[node.input];
        if padding == [0, 0] {
            return input;
        }
        let (height, width, channels) = image(node.from);
        let layer = PaddingLayer::new([height, width, channels], padding);
        let length = padded(node.from, padding).length();
        self.push(format!("{}.padding", node.name), input, length, Operation::Layer(Box::new(layer)));
        self.stages.len()
    }

    /// The node that may be computed with the one of that number.
    fn follower(&self, index: usize) -> Option<&spec::Node> {
        self.graph.follower(index).filter(|_| self.fusion != Fusion::None)
    }

    /// The activation that follows a node alone, where a layer applies it itself, and how many nodes that takes.
    fn relu(&self, index: usize) -> (Activation, usize) {
        let relu = spec::Operation::Layer(LayerSpec::Activation(ActivationSpec::Relu));
        match self.follower(index).is_some_and(|next| next.operation == relu) {
            true => (Activation::Relu, 1),
            false => (Activation::Linear, 0),
        }
    }

    /// The side of the windows, side by side, whose largest values alone are read of a node.
    fn max_pool(&self, index: usize) -> Option<usize> {
        let next = self.follower(index)?;
        let spec::Operation::Layer(LayerSpec::MaxPool(PoolSpec { size, stride })) = next.operation else {
            return None;
        };
        (size == stride).then_some(size)
    }

    fn push(&mut self, name: String, input: Place, output_length: usize, operation: Operation<E>) {
        self.steps += 1;
        let first = self.parameters;
        let mut stage =
            Stage { name, operation, input: Operand::at(input), parameters: first..first, output_length };
        for parameter in stage.layer().map_or(Vec::new(), Layer::parameters) {
            let length: usize = parameter.shape.iter().product();
            self.specs.push(ParameterSpec {
                name: format!("{}.{}", stage.name, parameter.name),
                shape: parameter.shape,
                range: self.parameters..self.parameters + length,
                initialiser: parameter.initialiser,
                role: parameter.role,
            });
            self.parameters += length;
        }
        stage.parameters = first..self.parameters;
        self.stages.push(stage);
    }
}

/// How a convolution of a padded image is computed together with its activation and pool; none where it goes the general way.
fn convolution(spec: ConvolutionSpec, from: Shape, activation: Activation, pool: usize) -> Option<Geometry> {
    let (height, width, channels) = image(from);
    let Sliding { kernel: [kernel_height, kernel_width], stride, dilation, .. } = spec.sliding;
    if (stride, dilation, spec.groups) != (1, 1, 1) {
        return None;
    }
    let geometry = Geometry::new(Size {
        height,
        width,
        channels,
        filters: spec.filters,
        kernel_height,
        kernel_width,
        stride,
        pool_height: pool,
        pool_width: pool,
        activation,
    });
    geometry.has_short_cut().then_some(geometry)
}

/// A convolution as the general way computes it.
fn general_convolution(spec: ConvolutionSpec, from: Shape) -> general::Geometry {
    let sliding = sliding(spec.sliding, from);
    general::Geometry::new(sliding, spec.filters, spec.groups).without_border(spec.sliding.padding)
}

fn pool<E: Element>(set: InstructionSet, pool: Pool, windows: Sliding, from: Shape) -> Box<dyn Layer<E>> {
    Box::new(PoolingLayer::new(set, pool, sliding(windows, from)))
}

/// An image with so many rows above and below and columns to the left and to the right.
fn padded(from: Shape, [rows, columns]: [usize; 2]) -> Shape {
    let (height, width, channels) = image(from);
    Shape::Image { height: height + 2 * rows, width: width + 2 * columns, channels }
}

/// A kernel's positions on what it reads, which is padded already.
fn sliding(Sliding { kernel, stride, dilation, .. }: Sliding, from: Shape) -> sliding::Sliding {
    let (height, width, channels) = match from {
        Shape::Sequence { steps, features } => (steps, 1, features),
        Shape::Image { .. } | Shape::Vector(_) => image(from),
    };
    let [kernel_height, kernel_width] = kernel;
    let size = sliding::Size { height, width, channels, kernel_height, kernel_width, stride, dilation };
    sliding::Sliding::new(size)
}

/// A pool's windows.
fn windows(PoolSpec { size, stride }: PoolSpec) -> Sliding {
    Sliding { stride, ..Sliding::over(size, size) }
}

/// A window over all of what is read.
fn whole(from: Shape) -> Sliding {
    match from {
        Shape::Sequence { steps, .. } => Sliding::over(steps, 1),
        Shape::Image { .. } | Shape::Vector(_) => {
            let (height, width, _) = image(from);
            Sliding::over(height, width)
        }
    }
}

/// Height, width and channels.
fn image(shape: Shape) -> (usize, usize, usize) {
    match shape {
        Shape::Image { height, width, channels } => (height, width, channels),
        Shape::Sequence { .. } | Shape::Vector(_) => {
            unreachable!("the graph lets no layer read {shape} as an image")
        }
    }
}

/// Steps and features.
fn sequence(shape: Shape) -> (usize, usize) {
    match shape {
        Shape::Sequence { steps, features } => (steps, features),
        Shape::Image { .. } | Shape::Vector(_) => {
            unreachable!("the graph lets no layer read {shape} as a sequence")
        }
    }
}
