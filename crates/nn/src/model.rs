//! A network with its parameters and buffers.

use crate::{
    Architecture, Initialiser, LayerSpec, Optimiser, Shape, ShapeError,
    layers::{ConvolutionLayer, DenseLayer, Layer, LstmLayer, Pass},
};
use kernels::{
    Buffer, Element, InstructionSet,
    convolution::{Activation, Geometry, Size},
    pixels::scale_pixels,
    softmax::{softmax_cross_entropy, softmax_cross_entropy_backward},
};
use rand_chacha::ChaCha8Rng;
use std::ops::Range;

/// One parameter of a model and where its values lie in the flat buffer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ParameterSpec {
    /// Layer and parameter, such as `conv1.weight`.
    pub name: String,
    /// Its shape; the layout is stated at the layer.
    pub shape: Vec<usize>,
    /// Its values in [`Model::parameters`].
    pub range: Range<usize>,
    /// How it is drawn at first.
    pub initialiser: Initialiser,
}

/// What a batch of images gave.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Evaluation {
    /// Sum over the images of the softmax cross-entropy, in nats.
    pub loss_sum: f64,
    /// Images classified rightly.
    pub correct: usize,
    /// Images.
    pub images: usize,
}

impl Evaluation {
    /// Adds another batch.
    pub fn add(&mut self, other: Self) {
        self.loss_sum += other.loss_sum;
        self.correct += other.correct;
        self.images += other.images;
    }

    /// Mean loss in nats.
    pub fn loss(&self) -> f64 {
        self.loss_sum / self.images as f64
    }

    /// Fraction classified rightly.
    pub fn accuracy(&self) -> f64 {
        self.correct as f64 / self.images as f64
    }
}

/// A layer, its parameters' place and the buffers between it and the next.
struct Stage<E> {
    layer: Box<dyn Layer<E>>,
    parameters: Range<usize>,
    output_length: usize,
    output: Buffer<E>,
    d_output: Buffer<E>,
}

/// A network for batches of up to a fixed number of images.
pub struct Model<E> {
    set: InstructionSet,
    capacity: usize,
    input_length: usize,
    classes: usize,
    specs: Vec<ParameterSpec>,
    parameters: Buffer<E>,
    gradient: Buffer<E>,
    input: Buffer<E>,
    stages: Vec<Stage<E>>,
    probabilities: Buffer<E>,
    /// Whether the layers have seen the parameters as they are.
    prepared: bool,
}

impl<E: Element> Model<E> {
    /// Builds the architecture for images of `height` × `width` pixels and so many classes; all parameters are zero.
    ///
    /// # Errors
    /// When a layer does not fit what comes before it.
    ///
    /// # Panics
    /// When `height`, `width`, `classes` or `capacity` is zero.
    pub fn new(
        set: InstructionSet,
        architecture: &Architecture,
        height: usize,
        width: usize,
        classes: usize,
        capacity: usize,
    ) -> Result<Self, ShapeError> {
        assert!(height > 0 && width > 0 && classes > 0 && capacity > 0, "a size of zero");
        let mut builder = Builder {
            set,
            capacity,
            classes,
            shape: Shape::Image { height, width, channels: 1 },
            specs: Vec::new(),
            parameters: 0,
            stages: Vec::new(),
            counts: Vec::new(),
        };
        let mut at = 0;
        while at < architecture.layers.len() {
            at += builder.add(&architecture.layers[at..]).map_err(|problem| ShapeError {
                model: architecture.name.clone(),
                number: at + 1,
                layer: architecture.layers[at].to_string(),
                problem,
            })?;
        }
        if builder.shape != Shape::Vector(classes) || builder.stages.is_empty() {
            return Err(ShapeError {
                model: architecture.name.clone(),
                number: architecture.layers.len(),
                layer: architecture.layers.last().map_or_else(|| "no layer".into(), LayerSpec::to_string),
                problem: format!("the output must be {classes} values, one a class; it is {}", builder.shape),
            });
        }
        Ok(Self {
            set,
            capacity,
            input_length: height * width,
            classes,
            specs: builder.specs,
            parameters: Buffer::zeros(builder.parameters),
            gradient: Buffer::zeros(builder.parameters),
            input: Buffer::zeros(capacity * height * width),
            stages: builder.stages,
            probabilities: Buffer::zeros(capacity * classes),
            prepared: false,
        })
    }

    /// Draws every parameter anew, in order, from one stream.
    pub fn initialise(&mut self, random: &mut ChaCha8Rng) {
        for spec in &self.specs {
            spec.initialiser.fill(random, &mut self.parameters[spec.range.clone()]);
        }
        self.prepared = false;
    }

    /// The parameters' names, shapes and places.
    pub fn specs(&self) -> &[ParameterSpec] {
        &self.specs
    }

    /// All parameters.
    pub fn parameters(&self) -> &[E] {
        &self.parameters
    }

    /// All parameters, to change them.
    pub fn parameters_mut(&mut self) -> &mut [E] {
        self.prepared = false;
        &mut self.parameters
    }

    /// The gradient of the last [`Self::backward`], in the layout of the parameters.
    pub fn gradient(&self) -> &[E] {
        &self.gradient
    }

    /// Largest number of images in a batch.
    pub fn capacity(&self) -> usize {
        self.capacity
    }

    /// Pixels of an image.
    pub fn input_length(&self) -> usize {
        self.input_length
    }

    /// Number of classes.
    pub fn classes(&self) -> usize {
        self.classes
    }

    /// Multiplications and additions of one image's forward pass.
    pub fn forward_flops(&self) -> u64 {
        self.stages.iter().map(|stage| stage.layer.forward_flops()).sum()
    }

    /// Sets the batch from images of bytes, each pixel divided by 255.
    ///
    /// # Panics
    /// When there are more images than the capacity, or one has another number of pixels.
    pub fn set_batch<'a>(&mut self, images: impl ExactSizeIterator<Item = &'a [u8]>) {
        assert!(
            images.len() <= self.capacity,
            "{} images in a batch of at most {}",
            images.len(),
            self.capacity
        );
        for (image, input) in images.zip(self.input.chunks_exact_mut(self.input_length)) {
            scale_pixels(self.set, image, input);
        }
    }

    /// The batch's pixels `[capacity, height, width]`, to be set directly.
    pub fn input_mut(&mut self) -> &mut [E] {
        &mut self.input
    }

    /// The logits `[images, classes]` of the batch's first `images`.
    ///
    /// # Panics
    /// When `images` is more than the capacity.
    pub fn forward(&mut self, images: usize) -> &[E] {
        assert!(images <= self.capacity, "{images} images in a batch of at most {}", self.capacity);
        if !self.prepared {
            for stage in &mut self.stages {
                stage.layer.prepare(&self.parameters[stage.parameters.clone()]);
            }
            self.prepared = true;
        }
        let mut input = &self.input[..images * self.input_length];
        for stage in &mut self.stages {
            let output = &mut stage.output[..images * stage.output_length];
            stage.layer.forward(&self.parameters[stage.parameters.clone()], input, output);
            input = output;
        }
        input
    }

    /// Forward pass and loss of the batch against `labels`; afterwards [`Self::probabilities`] holds the softmax.
    ///
    /// # Panics
    /// When there are more labels than the capacity, or one is not below the number of classes.
    pub fn evaluate(&mut self, labels: &[u8]) -> Evaluation {
        self.forward(labels.len());
        let length = labels.len() * self.classes;
        let logits = &self.stages[self.stages.len() - 1].output[..length];
        let probabilities = &mut self.probabilities[..length];
        let (loss_sum, correct) = softmax_cross_entropy(logits, labels, self.classes, probabilities);
        Evaluation { loss_sum, correct, images: labels.len() }
    }

    /// Class probabilities `[capacity, classes]` of the last [`Self::evaluate`].
    pub fn probabilities(&self) -> &[E] {
        &self.probabilities
    }

    /// The gradient of the mean loss after [`Self::evaluate`] of the same labels; overwrites [`Self::gradient`].
    ///
    /// `d_input`, where given, receives the derivative with respect to the batch's pixels.
    ///
    /// # Panics
    /// When there are more labels than the capacity, or `d_input` has another length than their images.
    pub fn backward(&mut self, labels: &[u8], mut d_input: Option<&mut [E]>) {
        let images = labels.len();
        let last = self.stages.len() - 1;
        let d_logits = &mut self.stages[last].d_output[..images * self.classes];
        d_logits.copy_from_slice(&self.probabilities[..images * self.classes]);
        softmax_cross_entropy_backward(d_logits, labels, self.classes, images);
        self.gradient.fill(E::ZERO);
        for index in (0..=last).rev() {
            let (before, from) = self.stages.split_at_mut(index);
            let stage = &mut from[0];
            let (input, d_input) = match before.last_mut() {
                Some(previous) => {
                    let length = images * previous.output_length;
                    (&previous.output[..length], Some(&mut previous.d_output[..length]))
                }
                None => (&self.input[..images * self.input_length], d_input.take()),
            };
            let length = images * stage.output_length;
            let pass =
                Pass { input, output: &stage.output[..length], d_output: &mut stage.d_output[..length] };
            let range = stage.parameters.clone();
            stage.layer.backward(&self.parameters[range.clone()], pass, d_input, &mut self.gradient[range]);
        }
    }

    /// Moves the parameters along the last gradient.
    pub fn update(&mut self, optimiser: &mut Optimiser<E>, learning_rate: f64) {
        optimiser.step(self.set, learning_rate, &mut self.parameters, &self.gradient);
        self.prepared = false;
    }
}

/// Turns layer specifications into stages, taking several at once where one pass computes them.
struct Builder<E> {
    set: InstructionSet,
    capacity: usize,
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
        match layers[0] {
            LayerSpec::Convolution { filters, kernel } => self.add_convolution(filters, kernel, &layers[1..]),
            LayerSpec::Dense { units } => self.add_dense(units, &layers[1..]),
            LayerSpec::Classes => self.add_dense(self.classes, &layers[1..]),
            LayerSpec::Lstm { units } => self.add_lstm(units),
            LayerSpec::Flatten => {
                self.shape = Shape::Vector(self.shape.length());
                Ok(1)
            }
            LayerSpec::Relu => Err("a relu must follow a convolution or a dense layer".into()),
            LayerSpec::MaxPool { .. } => Err("max-pooling must follow a convolution and its relu".into()),
        }
    }

    fn add_convolution(
        &mut self,
        filters: usize,
        kernel: usize,
        next: &[LayerSpec],
    ) -> Result<usize, String> {
        let Shape::Image { height, width, channels } = self.shape else {
            return Err(format!("an image is expected, {} values were found", self.shape));
        };
        if filters == 0 || kernel == 0 || kernel > height || kernel > width {
            return Err(format!(
                "{filters} filters of {kernel}×{kernel} do not fit an image of {}",
                self.shape
            ));
        }
        let (activation, relus) = match next.first() {
            Some(LayerSpec::Relu) => (Activation::Relu, 1),
            _ => (Activation::Linear, 0),
        };
        let (pool, pools) = match next.get(relus) {
            Some(LayerSpec::MaxPool { size }) => (*size, 1),
            _ => (1, 0),
        };
        if pool == 0 || pool > 15 || height - kernel + 1 < pool || width - kernel + 1 < pool {
            let (height, width) = (height - kernel + 1, width - kernel + 1);
            return Err(format!("the max-pooling of {pool}×{pool} after it does not fit {height}×{width}"));
        }
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
        self.push("conv", Box::new(ConvolutionLayer::new(self.set, geometry, self.capacity)), shape);
        Ok(1 + relus + pools)
    }

    fn add_dense(&mut self, units: usize, next: &[LayerSpec]) -> Result<usize, String> {
        let Shape::Vector(inputs) = self.shape else {
            return Err(format!(
                "a list of features is expected, an image of {} was found: flatten it",
                self.shape
            ));
        };
        if units == 0 {
            return Err("at least one unit is expected".into());
        }
        let (activation, relus) = match next.first() {
            Some(LayerSpec::Relu) => (Activation::Relu, 1),
            _ => (Activation::Linear, 0),
        };
        let layer = DenseLayer::new(self.set, inputs, units, activation, self.capacity);
        self.push("dense", Box::new(layer), Shape::Vector(units));
        Ok(1 + relus)
    }

    fn add_lstm(&mut self, units: usize) -> Result<usize, String> {
        let Shape::Image { height, width, channels } = self.shape else {
            return Err(format!("an image is expected, {} values were found", self.shape));
        };
        if units == 0 {
            return Err("at least one unit is expected".into());
        }
        let layer = LstmLayer::new(self.set, height, width * channels, units, self.capacity);
        self.push("lstm", Box::new(layer), Shape::Vector(units));
        Ok(1)
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
        let first = self.parameters;
        for parameter in layer.parameters() {
            let length: usize = parameter.shape.iter().product();
            self.specs.push(ParameterSpec {
                name: format!("{kind}{number}.{}", parameter.name),
                shape: parameter.shape,
                range: self.parameters..self.parameters + length,
                initialiser: parameter.initialiser,
            });
            self.parameters += length;
        }
        let output_length = shape.length();
        self.stages.push(Stage {
            layer,
            parameters: first..self.parameters,
            output_length,
            output: Buffer::zeros(self.capacity * output_length),
            d_output: Buffer::zeros(self.capacity * output_length),
        });
        self.shape = shape;
    }
}
