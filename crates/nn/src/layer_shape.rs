//! What each layer makes of its input: shapes, parameters, operations.

use crate::{Cell, LayerSpec, PoolSpec, RecurrentSpec, Shape, Sliding, Units};

/// Rows and columns of the largest pooling window: which of its positions has won is a byte.
const LARGEST_POOL: usize = 15;

/// Most probabilities that an attention layer keeps of one image.
const MOST_ATTENTION: usize = 1 << 24;

/// What one layer does to one image, but for the layers within it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Measure {
    pub(crate) output: Shape,
    /// Those that are learnt.
    pub(crate) parameters: usize,
    /// Multiplications that are added up, by the layer's definition.
    pub(crate) multiply_adds: u64,
}

impl LayerSpec {
    /// The shape of one image's output, of `input` and so many classes.
    ///
    /// # Errors
    /// What was expected, and what was found, where the input does not fit.
    pub fn output(&self, input: Shape, classes: usize) -> Result<Shape, String> {
        Ok(self.measure(input, classes)?.output)
    }

    /// As [`Self::output`], with what is learnt and computed. A residual layer has nothing of its own but the sum of
    /// its ways, which must have been found to be of one shape.
    pub(crate) fn measure(&self, input: Shape, classes: usize) -> Result<Measure, String> {
        let plain = |output| Ok(Measure { output, parameters: 0, multiply_adds: 0 });
        match self {
            Self::Convolution(spec) => {
                let (height, width, channels) = image(input)?;
                let (filters, groups) = (spec.filters, spec.groups);
                if channels % groups != 0 || filters % groups != 0 {
                    return Err(format!(
                        "{groups} groups do not divide both {channels} channels and {filters} filters"
                    ));
                }
                let [height, width] = spec.sliding.positions(height, width, input)?;
                let filter = spec.sliding.taps() * (channels / groups);
                Ok(Measure {
                    output: Shape::Image { height, width, channels: filters },
                    parameters: filters * (filter + usize::from(spec.bias)),
                    multiply_adds: (height * width * filters * filter) as u64,
                })
            }
            Self::Depthwise(spec) => {
                let (height, width, channels) = image(input)?;
                let [height, width] = spec.sliding.positions(height, width, input)?;
                let taps = spec.sliding.taps();
                Ok(Measure {
                    output: Shape::Image { height, width, channels },
                    parameters: channels * (taps + usize::from(spec.bias)),
                    multiply_adds: (height * width * channels * taps) as u64,
                })
            }
            Self::MaxPool(pool) | Self::AveragePool(pool) => plain(pooled(*pool, input)?),
            Self::GlobalMaxPool | Self::GlobalAveragePool => match input {
                Shape::Image { channels: features, .. } | Shape::Sequence { features, .. } => {
                    plain(Shape::Vector(features))
                }
                Shape::Vector(_) => {
                    Err(format!("an image or a sequence is expected, {input} values were found"))
                }
            },
            Self::Dense { units, bias } => dense(*units, *bias, input, classes),
            Self::Flatten => plain(Shape::Vector(input.length())),
            Self::Activation(_) | Self::Dropout { .. } | Self::Residual { .. } => plain(input),
            Self::BatchNorm | Self::LayerNorm => Ok(Measure {
                output: input,
                parameters: 2 * input.features(),
                multiply_adds: input.length() as u64,
            }),
            Self::Rows => {
                let (height, width, channels) = image(input)?;
                plain(Shape::Sequence { steps: height, features: width * channels })
            }
            Self::Columns => {
                let (height, width, channels) = image(input)?;
                plain(Shape::Sequence { steps: width, features: height * channels })
            }
            Self::Pixels => {
                let (height, width, channels) = image(input)?;
                plain(Shape::Sequence { steps: height * width, features: channels })
            }
            Self::Patches { size } => {
                let (height, width, channels) = image(input)?;
                if height % size != 0 || width % size != 0 {
                    return Err(format!("patches of {size}×{size} do not divide an image of {input}"));
                }
                let steps = (height / size) * (width / size);
                plain(Shape::Sequence { steps, features: size * size * channels })
            }
            Self::Position => {
                let (steps, features) = sequence(input)?;
                Ok(Measure { output: input, parameters: steps * features, multiply_adds: 0 })
            }
            Self::Attention { heads } => attention(*heads, input),
            Self::Transpose => {
                let (steps, features) = sequence(input)?;
                plain(Shape::Sequence { steps: features, features: steps })
            }
            Self::Recurrent(spec) => recurrent(*spec, input),
        }
    }
}

impl Sliding {
    /// Taps of the kernel.
    pub(crate) fn taps(&self) -> usize {
        self.kernel[0] * self.kernel[1]
    }

    /// Rows and columns of the output.
    fn positions(&self, height: usize, width: usize, input: Shape) -> Result<[usize; 2], String> {
        let mut positions = [0; 2];
        for (axis, side) in [height, width].into_iter().enumerate() {
            let (padded, extent) = (side + 2 * self.padding[axis], self.extent()[axis]);
            if self.padding[axis] >= extent {
                return Err(format!(
                    "a padding of {} leaves windows of a kernel {self} that see nothing else",
                    self.padding[axis]
                ));
            }
            if extent > padded {
                return Err(format!("a kernel of {self} does not fit an image of {input}"));
            }
            positions[axis] = (padded - extent) / self.stride + 1;
        }
        Ok(positions)
    }
}

fn image(input: Shape) -> Result<(usize, usize, usize), String> {
    match input {
        Shape::Image { height, width, channels } => Ok((height, width, channels)),
        Shape::Sequence { .. } => Err(format!("an image is expected, a sequence of {input} was found")),
        Shape::Vector(_) => Err(format!("an image is expected, {input} values were found")),
    }
}

fn sequence(input: Shape) -> Result<(usize, usize), String> {
    match input {
        Shape::Sequence { steps, features } => Ok((steps, features)),
        Shape::Image { .. } => Err(format!(
            "a sequence is expected, an image of {input} was found: put rows, columns, pixels or patches before it"
        )),
        Shape::Vector(_) => Err(format!("a sequence is expected, {input} values were found")),
    }
}

fn pooled(PoolSpec { size, stride }: PoolSpec, input: Shape) -> Result<Shape, String> {
    let (height, width, channels) = image(input)?;
    if size > LARGEST_POOL {
        return Err(format!("windows of 1×1 to {LARGEST_POOL}×{LARGEST_POOL} are expected"));
    }
    if size > height.min(width) {
        return Err(format!("windows of {size}×{size} do not fit an image of {input}"));
    }
    let positions = |side: usize| (side - size) / stride + 1;
    Ok(Shape::Image { height: positions(height), width: positions(width), channels })
}

fn dense(units: Units, bias: bool, input: Shape, classes: usize) -> Result<Measure, String> {
    let units = match units {
        Units::Count(units) => units,
        Units::Classes => classes,
    };
    let (steps, inputs, output) = match input {
        Shape::Vector(inputs) => (1, inputs, Shape::Vector(units)),
        Shape::Sequence { steps, features } => (steps, features, Shape::Sequence { steps, features: units }),
        Shape::Image { .. } => {
            return Err(format!("a list of features is expected, an image of {input} was found: flatten it"));
        }
    };
    Ok(Measure {
        output,
        parameters: units * (inputs + usize::from(bias)),
        multiply_adds: (steps * inputs * units) as u64,
    })
}

/// Four products with the features' square, and two of each head's steps with each other.
fn attention(heads: usize, input: Shape) -> Result<Measure, String> {
    let (steps, features) = sequence(input)?;
    if features % heads != 0 {
        return Err(format!("{heads} heads do not divide {features} features"));
    }
    if steps * steps * heads > MOST_ATTENTION {
        return Err(format!(
            "{heads} heads over {steps} steps: at most {MOST_ATTENTION} probabilities expected"
        ));
    }
    Ok(Measure {
        output: input,
        parameters: 4 * features * (features + 1),
        multiply_adds: (4 * steps * features * features + 2 * steps * steps * features) as u64,
    })
}

fn recurrent(spec: RecurrentSpec, input: Shape) -> Result<Measure, String> {
    let (steps, inputs) = match input {
        Shape::Image { height, width, channels } => (height, width * channels),
        _ => sequence(input)?,
    };
    let (units, directions) = (spec.units, if spec.bidirectional { 2 } else { 1 });
    // A GRU has two biases a gate, since its reset gate stands between them.
    let (gates, biases) = match spec.cell {
        Cell::Lstm => (4, 1),
        Cell::Gru => (3, 2),
        Cell::Rnn => (1, 1),
    };
    let features = directions * units;
    Ok(Measure {
        output: if spec.sequence { Shape::Sequence { steps, features } } else { Shape::Vector(features) },
        parameters: directions * gates * units * (inputs + units + biases),
        multiply_adds: (directions * steps * gates * units * (inputs + units)) as u64,
    })
}
