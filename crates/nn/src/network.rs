//! From an architecture to layers that compute.

use crate::{
    ActivationSpec, Architecture, ConvolutionSpec, DepthwiseSpec, LayerSpec, ParameterSpec, PoolSpec,
    RecurrentSpec, Shape, ShapeError, Sliding, Units,
    layers::{
        ActivationLayer, AttentionLayer, BatchNormLayer, ConvolutionLayer, DenseLayer, DepthwiseLayer,
        DropoutLayer, Layer, LayerNormLayer, PaddingLayer, PermutationLayer, Pool, PoolingLayer,
        PositionLayer, RecurrentLayer, SequenceDenseLayer, UnfoldedLayer,
    },
};
use kernels::{
    Element, InstructionSet, attention,
    convolution::{Activation, Geometry, Size, unfolded},
    depthwise, sliding,
};
use std::ops::Range;

/// An architecture's layers for one size of images.
pub struct Network<E> {
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
    /// Every layer and its kernels are compiled where this is called.
    ///
    /// # Errors
    /// When a layer does not fit what comes before it.
    pub(crate) fn compile(
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
        mark_learnt(&mut stages);
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

/// Finds which places depend on parameters.
fn mark_learnt<E>(stages: &mut [Stage<E>]) {
    let mut learnt = vec![false];
    for stage in stages {
        stage.input.learnt = learnt[stage.input.place];
        let mut output = stage.input.learnt || !stage.parameters.is_empty();
        if let Operation::Sum(other) = &mut stage.operation {
            other.learnt = learnt[other.place];
            output |= other.learnt;
        }
        learnt.push(output);
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
            LayerSpec::Depthwise(spec) => return self.add_depthwise(*spec, next, output),
            LayerSpec::MaxPool(spec) => self.add_pool(layer.kind(), Pool::Maximum, windows(*spec), output),
            LayerSpec::AveragePool(spec) => {
                self.add_pool(layer.kind(), Pool::Average, windows(*spec), output)
            }
            LayerSpec::GlobalMaxPool => self.add_pool(layer.kind(), Pool::Maximum, self.whole(), output),
            LayerSpec::GlobalAveragePool => self.add_pool(layer.kind(), Pool::Average, self.whole(), output),
            LayerSpec::Dense { units, bias } => return self.add_dense(*units, *bias, next),
            LayerSpec::Recurrent(spec) => self.add_recurrent(*spec, output),
            LayerSpec::Flatten | LayerSpec::Rows | LayerSpec::Pixels => self.shape = output,
            LayerSpec::Columns => {
                let (height, width, channels) = self.image();
                self.push(layer.kind(), PermutationLayer::columns(height, width, channels), output);
            }
            LayerSpec::Patches { size } => {
                let (height, width, channels) = self.image();
                self.push(layer.kind(), PermutationLayer::patches(height, width, channels, *size), output);
            }
            LayerSpec::Transpose => {
                let (steps, features) = self.sequence();
                self.push(layer.kind(), PermutationLayer::columns(steps, features, 1), output);
            }
            LayerSpec::Activation(spec) => {
                self.push(layer.kind(), ActivationLayer::new(self.set, *spec), output);
            }
            LayerSpec::Dropout { rate } => {
                let number = self.stages.len();
                self.push(layer.kind(), DropoutLayer::new(self.set, *rate, number, output.length()), output);
            }
            LayerSpec::BatchNorm => {
                let (activation, relus) = relu(next);
                let (length, relu) = (output.length(), activation == Activation::Relu);
                let norm = BatchNormLayer::new(self.set, length, output.features(), relu);
                self.push(layer.kind(), norm, output);
                return 1 + relus;
            }
            LayerSpec::LayerNorm => {
                let features = output.features();
                let norm = LayerNormLayer::new(self.set, output.length() / features, features);
                self.push(layer.kind(), norm, output);
            }
            LayerSpec::Position => {
                let (steps, features) = self.sequence();
                self.push(layer.kind(), PositionLayer::new(self.set, steps, features), output);
            }
            LayerSpec::Attention { heads } => {
                let (steps, features) = self.sequence();
                let size = attention::Size { steps, features, heads: *heads };
                self.push(layer.kind(), AttentionLayer::new(self.set, size), output);
            }
            LayerSpec::Residual { body, shortcut } => self.add_residual(body, shortcut),
        }
        1
    }

    fn add_convolution(&mut self, spec: ConvolutionSpec, next: &[LayerSpec]) -> usize {
        let (activation, relus) = relu(next);
        let (pool, pools) = match next.get(relus) {
            Some(LayerSpec::MaxPool(PoolSpec { size, stride })) if size == stride => (*size, 1),
            _ => (1, 0),
        };
        self.add_padding(spec.sliding.padding);
        let (height, width, channels) = self.image();
        let Sliding { kernel: [kernel_height, kernel_width], stride, dilation, .. } = spec.sliding;
        if (stride, dilation, spec.groups) == (1, 1, 1) {
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
            if geometry.has_short_cut() {
                let (height, width) = (geometry.output_height(), geometry.output_width());
                let shape = Shape::Image { height, width, channels: spec.filters };
                self.push("conv", ConvolutionLayer::new(self.set, geometry, spec.bias), shape);
                return 1 + relus + pools;
            }
        }
        let sliding = self.sliding(spec.sliding);
        let (height, width) = (sliding.output_height(), sliding.output_width());
        let shape = Shape::Image { height, width, channels: spec.filters };
        let geometry = unfolded::Geometry::new(sliding, spec.filters, spec.groups);
        self.push("conv", UnfoldedLayer::new(self.set, geometry, activation, spec.bias), shape);
        1 + relus
    }

    fn add_depthwise(&mut self, spec: DepthwiseSpec, next: &[LayerSpec], output: Shape) -> usize {
        let (activation, relus) = relu(next);
        self.add_padding(spec.sliding.padding);
        let geometry = depthwise::Geometry::new(self.sliding(spec.sliding));
        self.push("depthwise", DepthwiseLayer::new(self.set, geometry, activation, spec.bias), output);
        1 + relus
    }

    /// Zeros around the image, where there are to be any.
    fn add_padding(&mut self, [rows, columns]: [usize; 2]) {
        if [rows, columns] != [0, 0] {
            let (height, width, channels) = self.image();
            let layer = PaddingLayer::new([height, width, channels], [rows, columns]);
            let (height, width) = (height + 2 * rows, width + 2 * columns);
            self.push("padding", layer, Shape::Image { height, width, channels });
        }
    }

    fn add_pool(&mut self, kind: &'static str, pool: Pool, windows: Sliding, output: Shape) {
        let windows = self.sliding(windows);
        self.push(kind, PoolingLayer::new(self.set, pool, windows), output);
    }

    /// The kernel's positions on what comes before, which is padded already.
    fn sliding(&self, Sliding { kernel, stride, dilation, .. }: Sliding) -> sliding::Sliding {
        let (height, width, channels) = match self.shape {
            Shape::Sequence { steps, features } => (steps, 1, features),
            Shape::Image { .. } | Shape::Vector(_) => self.image(),
        };
        let [kernel_height, kernel_width] = kernel;
        let size = sliding::Size { height, width, channels, kernel_height, kernel_width, stride, dilation };
        sliding::Sliding::new(size)
    }

    /// A window over all of what comes before.
    fn whole(&self) -> Sliding {
        match self.shape {
            Shape::Sequence { steps, .. } => Sliding::over(steps, 1),
            Shape::Image { .. } | Shape::Vector(_) => {
                let (height, width, _) = self.image();
                Sliding::over(height, width)
            }
        }
    }

    fn add_dense(&mut self, units: Units, bias: bool, next: &[LayerSpec]) -> usize {
        let units = match units {
            Units::Count(units) => units,
            Units::Classes => self.classes,
        };
        let (activation, relus) = relu(next);
        let set = self.set;
        match self.shape {
            Shape::Sequence { steps, features } => {
                let layer = SequenceDenseLayer::new(set, steps, [features, units], bias, activation);
                self.push("dense", layer, Shape::Sequence { steps, features: units });
            }
            Shape::Image { .. } | Shape::Vector(_) => {
                let layer = DenseLayer::new(set, [self.shape.length(), units], bias, activation);
                self.push("dense", layer, Shape::Vector(units));
            }
        }
        1 + relus
    }

    fn add_recurrent(&mut self, spec: RecurrentSpec, output: Shape) {
        let (steps, inputs) = match self.shape {
            Shape::Image { height, width, channels } => (height, width * channels),
            Shape::Sequence { .. } | Shape::Vector(_) => self.sequence(),
        };
        // Of the images themselves no training asks for a derivative.
        let layer = RecurrentLayer::new(self.set, spec, steps, inputs, self.place == 0);
        self.push(spec.cell.kind(), layer, output);
    }

    fn add_residual(&mut self, body: &[LayerSpec], shortcut: &[LayerSpec]) {
        let (place, shape) = (self.place, self.shape);
        self.add_all(body);
        let (sum, output) = (self.place, self.shape);
        (self.place, self.shape) = (place, shape);
        self.add_all(shortcut);
        let other = Operand::at(self.place);
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
            input: Operand::at(self.place),
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

/// A pool's windows.
fn windows(PoolSpec { size, stride }: PoolSpec) -> Sliding {
    Sliding { stride, ..Sliding::over(size, size) }
}
