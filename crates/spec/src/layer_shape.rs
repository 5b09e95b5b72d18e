//! What each layer makes of its input: shapes, parameters, operations.

use crate::{Cell, LayerSpec, PoolSpec, RecurrentSpec, Shape, Sliding, Units, graph::LARGEST_OUTPUT};

/// Most values of one image with its padding: an image as large as any with a usual border.
const LARGEST_PADDED: usize = 2 * LARGEST_OUTPUT;

/// Rows and columns of the largest pooling window: which of its positions has won is a byte.
const LARGEST_POOL: usize = 15;

/// Most probabilities that an attention layer keeps of one image.
const MOST_ATTENTION: u64 = 1 << 24;

/// What one layer does to one image, but for the layers within it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Measure {
    pub(crate) output: Shape,
    /// Those that are learnt. Too many to count are as many as there are numbers: no limit lets them pass.
    pub(crate) parameters: u64,
    /// Multiplications that are added up, by the layer's definition; counted likewise.
    pub(crate) multiply_adds: u64,
}

/// The product of sizes; too large to be counted, it is the largest number, on every machine the same one.
fn product(factors: &[usize]) -> u64 {
    factors.iter().fold(1, |product: u64, factor| product.saturating_mul(*factor as u64))
}

/// So many outputs with so many inputs each, and perhaps a constant.
fn weights(outputs: usize, inputs: u64, bias: bool) -> u64 {
    inputs.saturating_add(u64::from(bias)).saturating_mul(outputs as u64)
}

/// What is spelled is checked by its spelling; a layer that a program made may still hold a zero.
fn positive(numbers: &[usize]) -> Result<(), String> {
    if numbers.contains(&0) { Err("numbers above 0 are expected, 0 was found".into()) } else { Ok(()) }
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
                positive(&[filters, groups])?;
                if channels % groups != 0 || filters % groups != 0 {
                    return Err(format!(
                        "{groups} groups do not divide both {channels} channels and {filters} filters"
                    ));
                }
                let [height, width] = spec.sliding.positions(height, width, input)?;
                let [rows, columns] = spec.sliding.kernel;
                let filter = product(&[rows, columns, channels / groups]);
                Ok(Measure {
                    output: Shape::Image { height, width, channels: filters },
                    parameters: weights(filters, filter, spec.bias),
                    multiply_adds: product(&[height, width, filters]).saturating_mul(filter),
                })
            }
            Self::Depthwise(spec) => {
                let (height, width, channels) = image(input)?;
                let [height, width] = spec.sliding.positions(height, width, input)?;
                let taps = product(&spec.sliding.kernel);
                Ok(Measure {
                    output: Shape::Image { height, width, channels },
                    parameters: weights(channels, taps, spec.bias),
                    multiply_adds: product(&[height, width, channels]).saturating_mul(taps),
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
                parameters: product(&[2, input.features()]),
                multiply_adds: input.length() as u64,
            }),
            Self::Rows => {
                let (height, width, channels) = image(input)?;
                plain(Shape::Sequence { steps: height, features: width.saturating_mul(channels) })
            }
            Self::Columns => {
                let (height, width, channels) = image(input)?;
                plain(Shape::Sequence { steps: width, features: height.saturating_mul(channels) })
            }
            Self::Pixels => {
                let (height, width, channels) = image(input)?;
                plain(Shape::Sequence { steps: height.saturating_mul(width), features: channels })
            }
            Self::Patches { size } => {
                let (height, width, channels) = image(input)?;
                positive(&[*size])?;
                if height % size != 0 || width % size != 0 {
                    return Err(format!("patches of {size}×{size} do not divide an image of {input}"));
                }
                let steps = (height / size) * (width / size);
                plain(Shape::Sequence { steps, features: size * size * channels })
            }
            Self::Position => {
                let (steps, features) = sequence(input)?;
                Ok(Measure { output: input, parameters: product(&[steps, features]), multiply_adds: 0 })
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
    /// Rows and columns of the output.
    fn positions(&self, height: usize, width: usize, input: Shape) -> Result<[usize; 2], String> {
        positive(&self.kernel)?;
        positive(&[self.stride, self.dilation])?;
        let mut positions = [0; 2];
        let padded = |axis: usize, side: usize| self.padding[axis].saturating_mul(2).saturating_add(side);
        let length = product(&[padded(0, height), padded(1, width), input.features()]);
        if length > LARGEST_PADDED as u64 {
            return Err(format!(
                "{length} values of one image with its padding: at most {LARGEST_PADDED} expected, by a smaller padding or dilation"
            ));
        }
        for (axis, side) in [height, width].into_iter().enumerate() {
            let padded = padded(axis, side);
            let extent = self.extent()[axis];
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
    positive(&[size, stride])?;
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
    positive(&[units])?;
    let (steps, inputs, output) = match input {
        Shape::Vector(inputs) => (1, inputs, Shape::Vector(units)),
        Shape::Sequence { steps, features } => (steps, features, Shape::Sequence { steps, features: units }),
        Shape::Image { .. } => {
            return Err(format!("a list of features is expected, an image of {input} was found: flatten it"));
        }
    };
    Ok(Measure {
        output,
        parameters: weights(units, inputs as u64, bias),
        multiply_adds: product(&[steps, inputs, units]),
    })
}

/// Four products with the features' square, and two of each head's steps with each other.
fn attention(heads: usize, input: Shape) -> Result<Measure, String> {
    let (steps, features) = sequence(input)?;
    positive(&[heads])?;
    if features % heads != 0 {
        return Err(format!("{heads} heads do not divide {features} features"));
    }
    if product(&[steps, steps, heads]) > MOST_ATTENTION {
        return Err(format!(
            "{heads} heads over {steps} steps: at most {MOST_ATTENTION} probabilities expected"
        ));
    }
    Ok(Measure {
        output: input,
        parameters: weights(features, features as u64, true).saturating_mul(4),
        multiply_adds: product(&[4, steps, features, features])
            .saturating_add(product(&[2, steps, steps, features])),
    })
}

fn recurrent(spec: RecurrentSpec, input: Shape) -> Result<Measure, String> {
    let (steps, inputs) = match input {
        Shape::Image { height, width, channels } => (height, width.saturating_mul(channels)),
        _ => sequence(input)?,
    };
    let (units, directions) = (spec.units, if spec.bidirectional { 2 } else { 1 });
    // A GRU has two biases a gate, since its reset gate stands between them.
    let (gates, biases) = match spec.cell {
        Cell::Lstm => (4, 1),
        Cell::Gru => (3, 2),
        Cell::Rnn => (1, 1),
    };
    positive(&[units])?;
    let features = units.saturating_mul(directions);
    let read = inputs.saturating_add(units);
    Ok(Measure {
        output: if spec.sequence { Shape::Sequence { steps, features } } else { Shape::Vector(features) },
        parameters: product(&[directions, gates, units, read.saturating_add(biases)]),
        multiply_adds: product(&[directions, steps, gates, units, read]),
    })
}
