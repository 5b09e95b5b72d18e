//! One layer as data.

/// One layer of an architecture. Each is spelled as [`crate::LAYER_FORMS`] says; [`std::fmt::Display`] and
/// [`std::str::FromStr`] go both ways.
#[derive(Debug, Clone, PartialEq)]
pub enum LayerSpec {
    /// Two-dimensional convolution.
    Convolution(ConvolutionSpec),
    /// Two-dimensional convolution with one filter for each channel.
    Depthwise(DepthwiseSpec),
    /// A function of each value.
    Activation(ActivationSpec),
    /// Largest of each window.
    MaxPool(PoolSpec),
    /// Mean of each window.
    AveragePool(PoolSpec),
    /// Largest value of each channel, or of each feature of a sequence.
    GlobalMaxPool,
    /// Mean of each channel, or of each feature of a sequence.
    GlobalAveragePool,
    /// Fully connected: of a list of features, or of each step of a sequence alike.
    Dense {
        /// Output features.
        units: Units,
        /// Whether a constant is added to each.
        bias: bool,
    },
    /// Anything as a plain list of features, in the order in which it lies in memory.
    Flatten,
    /// While learning, each value is zero with this probability and otherwise scaled to keep its mean.
    Dropout {
        /// A fraction of 0..1.
        rate: f64,
    },
    /// Each channel or feature to mean 0 and variance 1 over a group of images, then scaled and shifted.
    BatchNorm,
    /// The channels of each pixel, or the features of each step, to mean 0 and variance 1, then scaled and shifted.
    LayerNorm,
    /// An image as the sequence of its rows.
    Rows,
    /// An image as the sequence of its columns.
    Columns,
    /// An image as the sequence of its pixels, row by row.
    Pixels,
    /// An image as the sequence of its square patches, row by row; a remainder is an error.
    Patches {
        /// Rows and columns of a patch.
        size: usize,
    },
    /// A learnt value added to every feature of every step.
    Position,
    /// Multi-head self-attention (Vaswani et al., 2017).
    Attention {
        /// Number of heads; the features are divided among them.
        heads: usize,
    },
    /// A sequence with steps and features exchanged.
    Transpose,
    /// A recurrent layer; an image is read by rows.
    Recurrent(RecurrentSpec),
    /// The sum of two ways through (He et al., 2016).
    Residual {
        /// The one way.
        body: Vec<LayerSpec>,
        /// The other; none means the input as it is.
        shortcut: Vec<LayerSpec>,
    },
}

/// ε of batch and layer normalisation, which is added to a variance: Keras's default.
pub const NORMALISATION_EPSILON: f64 = 1e-3;

/// How many outputs a dense layer has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Units {
    /// So many.
    Count(usize),
    /// As many as the data set has classes.
    Classes,
}

/// What a kernel that slides over an image looks at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sliding {
    /// Rows and columns of the kernel.
    pub kernel: [usize; 2],
    /// Rows and columns between neighbouring positions.
    pub stride: usize,
    /// Rows of zeros above and below, columns of zeros to the left and to the right.
    pub padding: [usize; 2],
    /// Rows and columns between neighbouring taps of the kernel.
    pub dilation: usize,
}

impl Sliding {
    /// Stride 1, no padding, no dilation.
    pub fn over(height: usize, width: usize) -> Self {
        Self { kernel: [height, width], stride: 1, padding: [0, 0], dilation: 1 }
    }

    /// The padding that keeps an image's size at stride 1, where the kernel's sides are odd.
    pub fn same_padding(&self) -> Option<[usize; 2]> {
        let half = |side: usize| (side % 2 == 1).then_some(self.dilation.saturating_mul(side / 2));
        Some([half(self.kernel[0])?, half(self.kernel[1])?])
    }

    /// Rows and columns that the taps span.
    pub fn extent(&self) -> [usize; 2] {
        self.kernel.map(|side| self.dilation.saturating_mul(side.saturating_sub(1)).saturating_add(1))
    }
}

/// A convolution with a bias, if any:
/// `output[y, x, f] = bias[f] + Σ weight[f, dy, dx, c] · input[stride · y + dilation · dy − padding, …, c]`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ConvolutionSpec {
    /// Output channels.
    pub filters: usize,
    /// Where it looks.
    pub sliding: Sliding,
    /// The input's and the output's channels are divided into so many groups that do not see each other.
    pub groups: usize,
    /// Whether a constant is added to each filter's sums.
    pub bias: bool,
}

impl ConvolutionSpec {
    /// Square, without padding, stride 1, with a bias.
    pub fn square(filters: usize, kernel: usize) -> Self {
        Self { filters, sliding: Sliding::over(kernel, kernel), groups: 1, bias: true }
    }
}

/// A convolution with one filter for each channel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DepthwiseSpec {
    /// Where it looks.
    pub sliding: Sliding,
    /// Whether a constant is added to each channel's sums.
    pub bias: bool,
}

/// Windows of a pool; a remainder at the right and at the bottom is left out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PoolSpec {
    /// Rows and columns of a window.
    pub size: usize,
    /// Rows and columns between neighbouring windows.
    pub stride: usize,
}

impl PoolSpec {
    /// Windows that do not overlap.
    pub fn side_by_side(size: usize) -> Self {
        Self { size, stride: size }
    }
}

/// A function of one value.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum ActivationSpec {
    /// max(x, 0).
    Relu,
    /// x where positive, else slope · x (Maas et al., 2013).
    LeakyRelu {
        /// Of 0..1.
        slope: f64,
    },
    /// x · Φ(x), Φ the normal distribution function (Hendrycks and Gimpel, 2016).
    Gelu,
    /// x / (1 + e⁻ˣ) (Elfwing et al., 2018).
    Silu,
    /// tanh x.
    Tanh,
    /// 1 / (1 + e⁻ˣ).
    Sigmoid,
}

impl ActivationSpec {
    fn kind(self) -> &'static str {
        match self {
            Self::Relu | Self::LeakyRelu { .. } => "relu",
            Self::Gelu => "gelu",
            Self::Silu => "silu",
            Self::Tanh => "tanh",
            Self::Sigmoid => "sigmoid",
        }
    }
}

/// A recurrent layer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RecurrentSpec {
    /// What a step computes.
    pub cell: Cell,
    /// Elements of the state, of each direction.
    pub units: usize,
    /// Whether a second cell reads the steps from the last to the first.
    pub bidirectional: bool,
    /// Whether the output is every step's state, or the last one's.
    pub sequence: bool,
}

/// What a recurrent layer computes in a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cell {
    /// Long short-term memory (Hochreiter and Schmidhuber, 1997).
    Lstm,
    /// Gated recurrent unit (Cho et al., 2014), the reset gate after the product.
    Gru,
    /// tanh of a sum (Elman, 1990).
    Rnn,
}

impl Cell {
    /// Its name in a layer's text.
    pub fn kind(self) -> &'static str {
        match self {
            Self::Lstm => "lstm",
            Self::Gru => "gru",
            Self::Rnn => "rnn",
        }
    }
}

impl LayerSpec {
    /// The first word of its spelling, or the last where the first says only how: what its name in a model begins with.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Convolution(_) => "conv",
            Self::Depthwise(_) => "depthwise",
            Self::Activation(spec) => spec.kind(),
            Self::MaxPool(_) | Self::GlobalMaxPool => "maxpool",
            Self::AveragePool(_) | Self::GlobalAveragePool => "avgpool",
            Self::Dense { .. } => "dense",
            Self::Flatten => "flatten",
            Self::Dropout { .. } => "dropout",
            Self::BatchNorm => "batchnorm",
            Self::LayerNorm => "layernorm",
            Self::Rows => "rows",
            Self::Columns => "columns",
            Self::Pixels => "pixels",
            Self::Patches { .. } => "patches",
            Self::Position => "position",
            Self::Attention { .. } => "attention",
            Self::Transpose => "transpose",
            Self::Recurrent(spec) => spec.cell.kind(),
            Self::Residual { .. } => "sum",
        }
    }

    /// The layers within it: a residual layer's body and shortcut. None of any other layer.
    pub fn ways(&self) -> Option<[&[Self]; 2]> {
        match self {
            Self::Residual { body, shortcut } => Some([body, shortcut]),
            Self::Convolution(_)
            | Self::Depthwise(_)
            | Self::Activation(_)
            | Self::MaxPool(_)
            | Self::AveragePool(_)
            | Self::GlobalMaxPool
            | Self::GlobalAveragePool
            | Self::Dense { .. }
            | Self::Flatten
            | Self::Dropout { .. }
            | Self::BatchNorm
            | Self::LayerNorm
            | Self::Rows
            | Self::Columns
            | Self::Pixels
            | Self::Patches { .. }
            | Self::Position
            | Self::Attention { .. }
            | Self::Transpose
            | Self::Recurrent(_) => None,
        }
    }

    /// All of these layers, those within residual ones too, in the order of a [`crate::Graph`]'s nodes.
    pub fn all(layers: &[Self]) -> Vec<&Self> {
        let mut all = Vec::new();
        for layer in layers {
            layer.ways().into_iter().flatten().for_each(|way| all.extend(Self::all(way)));
            all.push(layer);
        }
        all
    }

    /// A square convolution without padding, stride 1, with a bias.
    pub fn convolution(filters: usize, kernel: usize) -> Self {
        Self::Convolution(ConvolutionSpec::square(filters, kernel))
    }

    /// A dense layer with a bias.
    pub fn dense(units: usize) -> Self {
        Self::Dense { units: Units::Count(units), bias: true }
    }

    /// Max-pooling by windows that do not overlap.
    pub fn max_pool(size: usize) -> Self {
        Self::MaxPool(PoolSpec::side_by_side(size))
    }

    /// A long short-term memory whose output is the last state.
    pub fn lstm(units: usize) -> Self {
        Self::Recurrent(RecurrentSpec { cell: Cell::Lstm, units, bidirectional: false, sequence: false })
    }
}
