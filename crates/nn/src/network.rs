//! From an architecture to layers that compute.

use crate::{
    Architecture, LayerSpec, ParameterSpec, Shape, ShapeError,
    layers::{ConvolutionLayer, DenseLayer, Layer, LstmCell, RecurrentLayer, States},
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

/// A layer and its parameters' place.
pub(crate) struct Stage<E> {
    pub(crate) name: String,
    pub(crate) layer: Box<dyn Layer<E>>,
    pub(crate) parameters: Range<usize>,
    pub(crate) output_length: usize,
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
            shape: Shape::Image { height, width, channels: 1 },
            specs: Vec::new(),
            parameters: 0,
            stages: Vec::new(),
            counts: Vec::new(),
        };
        let mut at = 0;
        while at < architecture.layers.len() {
            at +=
                builder.add(&architecture.layers[at..]).map_err(|problem| architecture.unfit(at, problem))?;
        }
        if builder.stages.is_empty() {
            return Err(architecture.unfit(0, "a layer that has parameters is expected".into()));
        }
        let Builder { specs, parameters, stages, .. } = builder;
        Ok(Self { specs, parameters, stages })
    }
}

/// Turns layer specifications, whose shapes [`Architecture::describe`] has checked, into stages, taking several at once
/// where one pass computes them.
struct Builder<E> {
    set: InstructionSet,
    classes: usize,
    shape: Shape,
    specs: Vec<ParameterSpec>,
    parameters: usize,
    stages: Vec<Stage<E>>,
    /// How many layers of each kind there are, for their names.
    counts: Vec<(&'static str, usize)>,
}

impl<E: Element> Builder<E> {
    /// Adds the first of `layers` and those that are computed with it; returns how many that were.
    fn add(&mut self, layers: &[LayerSpec]) -> Result<usize, String> {
        Ok(match layers[0] {
            LayerSpec::Convolution { filters, kernel } => self.add_convolution(filters, kernel, &layers[1..]),
            LayerSpec::Dense { units } => self.add_dense(units, &layers[1..]),
            LayerSpec::Classes => self.add_dense(self.classes, &layers[1..]),
            LayerSpec::Lstm { units } => self.add_lstm(units),
            LayerSpec::Flatten => {
                self.shape = Shape::Vector(self.shape.length());
                1
            }
            LayerSpec::Relu => return Err("a relu must follow a convolution or a dense layer".into()),
            LayerSpec::MaxPool { .. } => {
                return Err("max-pooling must follow a convolution and its relu".into());
            }
        })
    }

    fn add_convolution(&mut self, filters: usize, kernel: usize, next: &[LayerSpec]) -> usize {
        let (height, width, channels) = self.image();
        let (activation, relus) = match next.first() {
            Some(LayerSpec::Relu) => (Activation::Relu, 1),
            _ => (Activation::Linear, 0),
        };
        let (pool, pools) = match next.get(relus) {
            Some(LayerSpec::MaxPool { size }) => (*size, 1),
            _ => (1, 0),
        };
        let geometry = Geometry::new(Size {
            height,
            width,
            channels,
            filters,
            kernel_height: kernel,
            kernel_width: kernel,
            stride: 1,
            pool_height: pool,
            pool_width: pool,
            activation,
        });
        let shape = Shape::Image {
            height: geometry.output_height(),
            width: geometry.output_width(),
            channels: filters,
        };
        self.push("conv", Box::new(ConvolutionLayer::new(self.set, geometry)), shape);
        1 + relus + pools
    }

    fn add_dense(&mut self, units: usize, next: &[LayerSpec]) -> usize {
        let inputs = self.shape.length();
        let (activation, relus) = match next.first() {
            Some(LayerSpec::Relu) => (Activation::Relu, 1),
            _ => (Activation::Linear, 0),
        };
        let layer = DenseLayer::new(self.set, inputs, units, activation);
        self.push("dense", Box::new(layer), Shape::Vector(units));
        1 + relus
    }

    fn add_lstm(&mut self, units: usize) -> usize {
        let (height, width, channels) = self.image();
        let cell = Box::new(LstmCell::new(self.set, width * channels, units));
        let layer = RecurrentLayer::new(height, States::Last, self.stages.is_empty(), vec![cell]);
        self.push("lstm", Box::new(layer), Shape::Vector(units));
        1
    }

    /// Height, width and channels of what comes before.
    fn image(&self) -> (usize, usize, usize) {
        match self.shape {
            Shape::Image { height, width, channels } => (height, width, channels),
            Shape::Vector(_) => unreachable!("the description lets no layer read a list as an image"),
        }
    }

    fn push(&mut self, kind: &'static str, layer: Box<dyn Layer<E>>, shape: Shape) {
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
        let (first, stage) = (self.parameters, format!("{kind}{number}"));
        for parameter in layer.parameters() {
            let length: usize = parameter.shape.iter().product();
            self.specs.push(ParameterSpec {
                name: format!("{stage}.{}", parameter.name),
                shape: parameter.shape,
                range: self.parameters..self.parameters + length,
                initialiser: parameter.initialiser,
            });
            self.parameters += length;
        }
        self.stages.push(Stage {
            name: stage,
            layer,
            parameters: first..self.parameters,
            output_length: shape.length(),
        });
        self.shape = shape;
    }
}
