//! Networks as data.

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
