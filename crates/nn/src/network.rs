//! From an architecture to layers that compute.

use crate::{
    ActivationSpec, Architecture, Cell, ConvolutionSpec, LayerSpec, ParameterSpec, PoolSpec, RecurrentSpec,
    Shape, ShapeError, Units,
    layers::{ConvolutionLayer, DenseLayer, Layer, LstmLayer, PermutationLayer},
};
use kernels::{
    Element, InstructionSet,
    convolution::{Activation, Geometry, Size},
};
use std::ops::Range;

/// An architecture's layers for one size of images.
pub(crate) struct Network<E> {
    pub(crate) specs: Vec<ParameterSpec>,
    /// Elements of all parameters.
    pub(crate) parameters: usize,
    pub(crate) stages: Vec<Stage<E>>,
}

/// Where a value lies: 0 is the network's input, n + 1 the output of stage n. A stage reads what lies before it.
pub(crate) type Place = usize;

/// What a stage reads. More than one stage may read a place; on the way back the last of them comes first, and sets the
/// derivative that the others add to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Operand {
    pub(crate) place: Place,
    /// Whether a later stage reads the place too.
    pub(crate) shared: bool,
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
    Sum(Operand),
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

impl<E: Element> Network<E> {
    /// # Errors
    /// When a layer does not fit what comes before it.
    pub(crate) fn build(
        set: InstructionSet,
        architecture: &Architecture,
        height: usize,
        width: usize,
        classes: usize,
    ) -> Result<Self, ShapeError> {
        architecture.describe(height, width, classes)?;
        let mut builder = Builder {
            set,
            classes,
            place: 0,
            shape: Shape::Image { height, width, channels: 1 },
            specs: Vec::new(),
            parameters: 0,
            stages: Vec::new(),
            counts: Vec::new(),
        };
        builder.add_all(&architecture.layers);
        let Builder { specs, parameters, mut stages, .. } = builder;
        mark_shared(&mut stages);
        Ok(Self { specs, parameters, stages })
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
        mark(&mut stage.input);
        if let Operation::Sum(other) = &mut stage.operation {
            mark(other);
        }
    }
}

/// Turns layer specifications, whose shapes [`Architecture::describe`] has checked, into stages, taking several at once
/// where one pass computes them.
struct Builder<E> {
    set: InstructionSet,
    classes: usize,
    /// Where the last value lies, and its shape.
    place: Place,
    shape: Shape,
    specs: Vec<ParameterSpec>,
    parameters: usize,
    stages: Vec<Stage<E>>,
    /// How many stages of each kind there are, for their names.
    counts: Vec<(&'static str, usize)>,
}

impl<E: Element> Builder<E> {
    fn add_all(&mut self, layers: &[LayerSpec]) {
        let mut rest = layers;
        while let Some(first) = rest.first() {
            let taken = self.add(first, &rest[1..]);
            rest = &rest[taken..];
        }
    }

    /// Adds `layer`, and those of `next` that are computed with it; returns how many that were in all.
    fn add(&mut self, layer: &LayerSpec, next: &[LayerSpec]) -> usize {
        let output = layer.output(self.shape, self.classes).expect("the description has checked it");
        match layer {
            LayerSpec::Convolution(spec) => return self.add_convolution(*spec, next),
            LayerSpec::Dense { units, bias } => return self.add_dense(*units, *bias, next),
            LayerSpec::Recurrent(spec) => self.add_recurrent(*spec, output),
            LayerSpec::Flatten | LayerSpec::Rows | LayerSpec::Pixels => self.shape = output,
            LayerSpec::Columns => {
                let (height, width, channels) = self.image();
                self.push("columns", PermutationLayer::columns(height, width, channels), output);
            }
            LayerSpec::Patches { size } => {
                let (height, width, channels) = self.image();
                self.push("patches", PermutationLayer::patches(height, width, channels, *size), output);
            }
            LayerSpec::Transpose => {
                let (steps, features) = self.sequence();
                self.push("transpose", PermutationLayer::columns(steps, features, 1), output);
            }
            LayerSpec::Residual { body, shortcut } => self.add_residual(body, shortcut),
            LayerSpec::Depthwise(_)
            | LayerSpec::Activation(_)
            | LayerSpec::MaxPool(_)
            | LayerSpec::AveragePool(_)
            | LayerSpec::GlobalMaxPool
            | LayerSpec::GlobalAveragePool
            | LayerSpec::Dropout { .. }
            | LayerSpec::BatchNorm
            | LayerSpec::LayerNorm
            | LayerSpec::Position
            | LayerSpec::Attention { .. } => unimplemented_yet(layer),
        }
        1
    }

    fn add_convolution(&mut self, spec: ConvolutionSpec, next: &[LayerSpec]) -> usize {
        if spec != ConvolutionSpec::square(spec.filters, spec.sliding.kernel[0]) {
            unimplemented_yet(&LayerSpec::Convolution(spec));
        }
        let (height, width, channels) = self.image();
        let (activation, relus) = relu(next);
        let (pool, pools) = match next.get(relus) {
            Some(LayerSpec::MaxPool(PoolSpec { size, stride })) if size == stride => (*size, 1),
            _ => (1, 0),
        };
        let geometry = Geometry::new(Size {
            height,
            width,
            channels,
            filters: spec.filters,
            kernel_height: spec.sliding.kernel[0],
            kernel_width: spec.sliding.kernel[1],
            stride: 1,
            pool_height: pool,
            pool_width: pool,
            activation,
        });
        let shape = Shape::Image {
            height: geometry.output_height(),
            width: geometry.output_width(),
            channels: spec.filters,
        };
        self.push("conv", ConvolutionLayer::new(self.set, geometry), shape);
        1 + relus + pools
    }

    fn add_dense(&mut self, units: Units, bias: bool, next: &[LayerSpec]) -> usize {
        if !bias || !matches!(self.shape, Shape::Vector(_)) {
            unimplemented_yet(&LayerSpec::Dense { units, bias });
        }
        let units = match units {
            Units::Count(units) => units,
            Units::Classes => self.classes,
        };
        let (activation, relus) = relu(next);
        let layer = DenseLayer::new(self.set, self.shape.length(), units, activation);
        self.push("dense", layer, Shape::Vector(units));
        1 + relus
    }

    fn add_recurrent(&mut self, spec: RecurrentSpec, output: Shape) {
        let (steps, inputs) = match self.shape {
            Shape::Image { height, width, channels } => (height, width * channels),
            _ => self.sequence(),
        };
        match spec.cell {
            Cell::Lstm if !spec.bidirectional && !spec.sequence => {
                self.push("lstm", LstmLayer::new(self.set, steps, inputs, spec.units), output)
            }
            _ => unimplemented_yet(&LayerSpec::Recurrent(spec)),
        }
    }

    fn add_residual(&mut self, body: &[LayerSpec], shortcut: &[LayerSpec]) {
        let (place, shape) = (self.place, self.shape);
        self.add_all(body);
        let (sum, output) = (self.place, self.shape);
        (self.place, self.shape) = (place, shape);
        self.add_all(shortcut);
        let other = Operand { place: self.place, shared: false };
        self.place = sum;
        self.push_operation("sum", Operation::Sum(other), output);
    }

    /// Height, width and channels of what comes before.
    fn image(&self) -> (usize, usize, usize) {
        match self.shape {
            Shape::Image { height, width, channels } => (height, width, channels),
            _ => unreachable!("the description lets no layer read {} as an image", self.shape),
        }
    }

    /// Steps and features of what comes before.
    fn sequence(&self) -> (usize, usize) {
        match self.shape {
            Shape::Sequence { steps, features } => (steps, features),
            _ => unreachable!("the description lets no layer read {} as a sequence", self.shape),
        }
    }

    fn push(&mut self, kind: &'static str, layer: impl Layer<E> + 'static, output: Shape) {
        self.push_operation(kind, Operation::Layer(Box::new(layer)), output);
    }

    fn push_operation(&mut self, kind: &'static str, operation: Operation<E>, output: Shape) {
        let number = match self.counts.iter_mut().find(|(name, _)| *name == kind) {
            Some((_, count)) => {
                *count += 1;
                *count
            }
            None => {
                self.counts.push((kind, 1));
                1
            }
        };
        let (first, name) = (self.parameters, format!("{kind}{number}"));
        let mut stage = Stage {
            name,
            operation,
            input: Operand { place: self.place, shared: false },
            parameters: first..first,
            output_length: output.length(),
        };
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
        self.place = self.stages.len();
        self.shape = output;
    }
}

/// The activation that the first of `next` is, where a layer applies it itself, and how many layers that takes.
fn relu(next: &[LayerSpec]) -> (Activation, usize) {
    match next.first() {
        Some(LayerSpec::Activation(ActivationSpec::Relu)) => (Activation::Relu, 1),
        _ => (Activation::Linear, 0),
    }
}

/// Until the layer's own arm stands above.
fn unimplemented_yet(layer: &LayerSpec) -> ! {
    panic!("{layer} has no computing side yet")
}
