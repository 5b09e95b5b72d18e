//! Networks as data.

use crate::{Shape, ShapeError};
use std::fmt;

/// One layer of an architecture, in the words of the field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LayerSpec {
    /// Two-dimensional convolution without padding, stride 1, with a bias.
    Convolution {
        /// Output channels.
        filters: usize,
        /// Rows and columns of the kernel.
        kernel: usize,
    },
    /// max(x, 0).
    Relu,
    /// Largest of each `size` × `size` window; windows do not overlap, a remainder is left out.
    MaxPool {
        /// Rows and columns of a window.
        size: usize,
    },
    /// An image as a plain list of features, in the order row, column, channel.
    Flatten,
    /// Fully connected, with a bias.
    Dense {
        /// Output features.
        units: usize,
    },
    /// Fully connected to as many outputs as the data set has classes.
    Classes,
    /// Long short-term memory over the image's rows, from the first to the last; its output is the last state.
    Lstm {
        /// Elements of the state.
        units: usize,
    },
}

impl fmt::Display for LayerSpec {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            LayerSpec::Convolution { filters, kernel } => {
                write!(formatter, "conv {filters} {kernel}x{kernel}")
            }
            LayerSpec::Relu => write!(formatter, "relu"),
            LayerSpec::MaxPool { size } => write!(formatter, "maxpool {size}"),
            LayerSpec::Flatten => write!(formatter, "flatten"),
            LayerSpec::Dense { units } => write!(formatter, "dense {units}"),
            LayerSpec::Classes => write!(formatter, "dense classes"),
            LayerSpec::Lstm { units } => write!(formatter, "lstm {units}"),
        }
    }
}

impl LayerSpec {
    /// The shape of one image's output, of `input` and so many classes.
    ///
    /// # Errors
    /// What was expected, and what was found, where the input does not fit.
    pub fn output(&self, input: Shape, classes: usize) -> Result<Shape, String> {
        match (self, input) {
            (LayerSpec::Convolution { filters, kernel }, Shape::Image { height, width, .. }) => {
                if *filters == 0 || !(1..=height.min(width)).contains(kernel) {
                    return Err(format!(
                        "{filters} filters of {kernel}×{kernel} do not fit an image of {input}"
                    ));
                }
                Ok(Shape::Image {
                    height: height - kernel + 1,
                    width: width - kernel + 1,
                    channels: *filters,
                })
            }
            (LayerSpec::MaxPool { size }, Shape::Image { height, width, channels }) => {
                if !(1..=LARGEST_POOL).contains(size) {
                    return Err(format!("windows of 1×1 to {LARGEST_POOL}×{LARGEST_POOL} are expected"));
                }
                if *size > height.min(width) {
                    return Err(format!("windows of {size}×{size} do not fit an image of {input}"));
                }
                Ok(Shape::Image { height: height / size, width: width / size, channels })
            }
            (LayerSpec::Lstm { units }, Shape::Image { .. }) => features(*units),
            (
                LayerSpec::Convolution { .. } | LayerSpec::MaxPool { .. } | LayerSpec::Lstm { .. },
                Shape::Vector(_),
            ) => Err(format!("an image is expected, {input} values were found")),
            (LayerSpec::Dense { .. } | LayerSpec::Classes, Shape::Image { .. }) => {
                Err(format!("a list of features is expected, an image of {input} was found: flatten it"))
            }
            (LayerSpec::Dense { units }, Shape::Vector(_)) => features(*units),
            (LayerSpec::Classes, Shape::Vector(_)) => features(classes),
            (LayerSpec::Relu, _) => Ok(input),
            (LayerSpec::Flatten, _) => Ok(Shape::Vector(input.length())),
        }
    }

    /// Weights and biases, for an input and an output of [`Self::output`].
    fn parameters(&self, input: Shape, output: Shape) -> usize {
        match (self, input) {
            (LayerSpec::Convolution { filters, kernel }, Shape::Image { channels, .. }) => {
                filters * (kernel * kernel * channels + 1)
            }
            (LayerSpec::Dense { .. } | LayerSpec::Classes, _) => output.length() * (input.length() + 1),
            (LayerSpec::Lstm { units }, Shape::Image { width, channels, .. }) => {
                4 * units * (width * channels + units + 1)
            }
            _ => 0,
        }
    }

    /// Multiplications that are added up for one image, by the layer's definition.
    fn multiply_adds(&self, input: Shape, output: Shape) -> u64 {
        let count = match (self, input, output) {
            (
                LayerSpec::Convolution { kernel, .. },
                Shape::Image { channels, .. },
                Shape::Image { height, width, channels: filters },
            ) => height * width * filters * kernel * kernel * channels,
            (LayerSpec::Dense { .. } | LayerSpec::Classes, _, _) => input.length() * output.length(),
            (LayerSpec::Lstm { units }, Shape::Image { height, width, channels }, _) => {
                height * 4 * units * (width * channels + units)
            }
            _ => 0,
        };
        count as u64
    }
}

/// Rows and columns of the largest pooling window: which of its positions has won is a byte.
const LARGEST_POOL: usize = 15;

fn features(units: usize) -> Result<Shape, String> {
    if units == 0 { Err("at least one unit is expected".into()) } else { Ok(Shape::Vector(units)) }
}

/// What a layer makes of one image.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LayerDescription {
    /// The layer as the architecture spells it.
    pub layer: String,
    /// Its output's shape.
    pub output: Shape,
    /// Weights and biases.
    pub parameters: usize,
    /// Multiplications that are added up, forward, by the layer's definition: what no window of a following pool reads
    /// counts, though it is never computed.
    pub multiply_adds: u64,
}

/// A network that can be built for any image size and number of classes that fit it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Architecture {
    /// The name on the command line and in files.
    pub name: String,
    /// One line on what it is.
    pub summary: String,
    /// Where it comes from.
    pub citation: String,
    /// The layers, in order.
    pub layers: Vec<LayerSpec>,
}

impl Architecture {
    /// Each layer's output, parameters and multiply-adds, for grey images of `height` × `width` pixels and so many classes.
    ///
    /// # Errors
    /// When a layer does not fit what comes before it, or the last does not give one value a class.
    pub fn describe(
        &self,
        height: usize,
        width: usize,
        classes: usize,
    ) -> Result<Vec<LayerDescription>, ShapeError> {
        let mut shape = Shape::Image { height, width, channels: 1 };
        let mut described = Vec::with_capacity(self.layers.len());
        for (index, layer) in self.layers.iter().enumerate() {
            let output = layer.output(shape, classes).map_err(|problem| self.unfit(index, problem))?;
            described.push(LayerDescription {
                layer: layer.to_string(),
                output,
                parameters: layer.parameters(shape, output),
                multiply_adds: layer.multiply_adds(shape, output),
            });
            shape = output;
        }
        if shape != Shape::Vector(classes) {
            let last = self.layers.len().saturating_sub(1);
            let problem = format!("the output must be {classes} values, one a class; it is {shape}");
            return Err(self.unfit(last, problem));
        }
        Ok(described)
    }

    /// What is wrong with the layer of that index.
    pub(crate) fn unfit(&self, index: usize, problem: String) -> ShapeError {
        ShapeError {
            model: self.name.clone(),
            number: index + usize::from(!self.layers.is_empty()),
            layer: self.layers.get(index).map_or_else(|| "no layer".into(), LayerSpec::to_string),
            problem,
        }
    }
}

/// Every built-in architecture; the one place to add another.
pub fn built_in_architectures() -> Vec<Architecture> {
    use LayerSpec::{Classes, Convolution, Dense, Flatten, Lstm, MaxPool, Relu};
    vec![
        Architecture {
            name: "cnn".into(),
            summary: "two convolutions with max-pooling and a dense layer, reading the image as a picture"
                .into(),
            citation: "after LeCun, Bottou, Bengio and Haffner, Gradient-based learning applied to document \
                       recognition, 1998"
                .into(),
            layers: vec![
                Convolution { filters: 32, kernel: 3 },
                Relu,
                MaxPool { size: 2 },
                Convolution { filters: 64, kernel: 3 },
                Relu,
                MaxPool { size: 2 },
                Flatten,
                Dense { units: 128 },
                Relu,
                Classes,
            ],
        },
        Architecture {
            name: "lstm".into(),
            summary: "a long short-term memory of 128 units, reading the image row by row".into(),
            citation:
                "Hochreiter and Schmidhuber, Long short-term memory, 1997; forget gate: Gers, Schmidhuber \
                       and Cummins, 2000"
                    .into(),
            layers: vec![Lstm { units: 128 }, Classes],
        },
    ]
}

/// The built-in architecture of that name.
pub fn built_in(name: &str) -> Option<Architecture> {
    built_in_architectures().into_iter().find(|architecture| architecture.name == name)
}
