//! A model's parameters under the names and in the layouts of PyTorch's modules.
//!
//! | layer | module | tensors |
//! |---|---|---|
//! | conv, depthwise | `Conv2d` | `weight [filters, channels / groups, rows, columns]`, `bias` |
//! | dense | `Linear` | `weight [units, inputs]`, `bias` |
//! | batchnorm | `BatchNorm1d`, `BatchNorm2d` | `weight`, `bias`, `running_mean`, `running_var` |
//! | layernorm | `LayerNorm` | `weight`, `bias` |
//! | lstm, gru, rnn | `LSTM`, `GRU`, `RNN` | `weight_ih_l0`, `weight_hh_l0`, `bias_ih_l0`, `bias_hh_l0`, and with `_reverse` |
//! | attention | `MultiheadAttention` | `in_proj_weight`, `in_proj_bias`, `out_proj.weight`, `out_proj.bias` |
//! | position | a parameter | `embedding [steps, features]` |
//!
//! Gates are in PyTorch's order: i, f, g, o of an LSTM; r, z, n of a GRU. PyTorch gives an LSTM and a simple layer a second
//! bias that is added to the first: it is written as zeros, and added when read.

use nn::{Cell, LayerSpec, ParameterSpec, RecurrentSpec, Shape};
use spec::{Node, Operation};

/// A tensor of PyTorch's, each of whose values is one of the model's parameters.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct StateTensor {
    pub(crate) name: String,
    pub(crate) shape: Vec<usize>,
    /// One after the other along the first axis.
    blocks: Vec<Block>,
    /// Whether the model has no such values: those of a file are added to the parameters of another tensor.
    pub(crate) addend: bool,
}

/// Value `[i, j, …]` is parameter `first + i · strides[0] + j · strides[1] + …`.
#[derive(Debug, Clone, PartialEq)]
struct Block {
    first: usize,
    shape: Vec<usize>,
    strides: Vec<usize>,
}

impl StateTensor {
    /// For each value of the tensor, in order, the index of its parameter.
    pub(crate) fn indices(&self) -> impl Iterator<Item = usize> {
        self.blocks.iter().flat_map(|block| {
            let length: usize = block.shape.iter().product();
            (0..length).map(|position| {
                let mut rest = position;
                let axes = block.shape.iter().zip(&block.strides).rev();
                block.first
                    + axes
                        .map(|(length, stride)| {
                            let index = rest % length;
                            rest /= length;
                            index * stride
                        })
                        .sum::<usize>()
            })
        })
    }

    /// The tensor's values.
    pub(crate) fn values(&self, parameters: &[f32]) -> Vec<f32> {
        if self.addend {
            return vec![0.0; self.shape.iter().product()];
        }
        self.indices().map(|index| parameters[index]).collect()
    }

    /// Sets the parameters, or adds to them.
    pub(crate) fn set(&self, values: impl Iterator<Item = f32>, parameters: &mut [f32]) {
        for (index, value) in self.indices().zip(values) {
            match self.addend {
                // Adding zero would turn a negative zero positive.
                true if value == 0.0 => {}
                true => parameters[index] += value,
                false => parameters[index] = value,
            }
        }
    }
}

/// The tensors of a node's layer, whose parameters are `specs`; `channels_first`, where its input list is an image's values
/// channel by channel, is that image's height, width and channels.
pub(crate) fn of_layer(
    node: &Node,
    channels_first: Option<[usize; 3]>,
    specs: &[ParameterSpec],
) -> Vec<StateTensor> {
    let layer = match &node.operation {
        Operation::Layer(layer) => layer,
        Operation::Sum(_) => return Vec::new(),
    };
    let plain = |ours: &str, theirs: &str| plain(node, specs, ours, theirs);
    match layer {
        LayerSpec::Convolution(_) => {
            let weight = plain("weight", "weight").map(|tensor| tensor.permuted([0, 3, 1, 2]));
            [weight, plain("bias", "bias")].into_iter().flatten().collect()
        }
        LayerSpec::Depthwise(_) => {
            let weight = plain("weight", "weight").map(|tensor| tensor.with_axis(3).permuted([2, 3, 0, 1]));
            [weight, plain("bias", "bias")].into_iter().flatten().collect()
        }
        LayerSpec::Dense { .. } => {
            let weight = plain("weight", "weight").map(|tensor| tensor.columns_of(channels_first));
            [weight, plain("bias", "bias")].into_iter().flatten().collect()
        }
        LayerSpec::BatchNorm => {
            let names = [
                ("scale", "weight"),
                ("offset", "bias"),
                ("mean", "running_mean"),
                ("variance", "running_var"),
            ];
            let tensors = names.into_iter().filter_map(|(ours, theirs)| plain(ours, theirs));
            tensors.map(|tensor| tensor.columns_of(channels_first)).collect()
        }
        LayerSpec::LayerNorm => {
            let names = [("scale", "weight"), ("offset", "bias")];
            names.into_iter().filter_map(|(ours, theirs)| plain(ours, theirs)).collect()
        }
        LayerSpec::Position => plain("embedding", "embedding").into_iter().collect(),
        LayerSpec::Attention { .. } => {
            let names = [
                ("in_projection.weight", "in_proj_weight"),
                ("in_projection.bias", "in_proj_bias"),
                ("out_projection.weight", "out_proj.weight"),
                ("out_projection.bias", "out_proj.bias"),
            ];
            names.into_iter().filter_map(|(ours, theirs)| plain(ours, theirs)).collect()
        }
        LayerSpec::Recurrent(spec) => recurrent(node, specs, *spec),
        LayerSpec::Activation(_)
        | LayerSpec::MaxPool(_)
        | LayerSpec::AveragePool(_)
        | LayerSpec::GlobalMaxPool
        | LayerSpec::GlobalAveragePool
        | LayerSpec::Flatten
        | LayerSpec::Dropout { .. }
        | LayerSpec::Rows
        | LayerSpec::Columns
        | LayerSpec::Pixels
        | LayerSpec::Patches { .. }
        | LayerSpec::Transpose => Vec::new(),
        LayerSpec::Residual { .. } => unreachable!("a residual layer is its ways and a sum"),
    }
}

/// The parameter of a name within a layer, of those that the model has in it.
pub(crate) fn parameter<'a>(
    node: &Node,
    specs: &'a [ParameterSpec],
    name: &str,
) -> Option<&'a ParameterSpec> {
    specs.iter().find(|spec| spec.name.strip_prefix(&node.name) == Some(&format!(".{name}")))
}

/// A parameter as it is, under PyTorch's name.
fn plain(node: &Node, specs: &[ParameterSpec], ours: &str, theirs: &str) -> Option<StateTensor> {
    let spec = parameter(node, specs, ours)?;
    let mut strides = vec![1; spec.shape.len()];
    for axis in (1..spec.shape.len()).rev() {
        strides[axis - 1] = strides[axis] * spec.shape[axis];
    }
    Some(StateTensor {
        name: format!("{}.{theirs}", node.name),
        shape: spec.shape.clone(),
        blocks: vec![Block { first: spec.range.start, shape: spec.shape.clone(), strides }],
        addend: false,
    })
}

impl StateTensor {
    /// With the axes in another order, of a single block.
    fn permuted<const N: usize>(mut self, axes: [usize; N]) -> Self {
        let [block] = &mut self.blocks[..] else { unreachable!("only whole parameters are permuted") };
        block.shape = axes.iter().map(|axis| block.shape[*axis]).collect();
        block.strides = axes.iter().map(|axis| block.strides[*axis]).collect();
        self.shape = block.shape.clone();
        self
    }

    /// With a further axis of length 1.
    fn with_axis(mut self, axis: usize) -> Self {
        for block in &mut self.blocks {
            block.shape.insert(axis, 1);
            block.strides.insert(axis, 0);
        }
        self.shape.insert(axis, 1);
        self
    }

    /// With the last axis, an image's values channels last, in the order channels first.
    fn columns_of(mut self, image: Option<[usize; 3]>) -> Self {
        let Some([height, width, channels]) = image else { return self };
        for block in &mut self.blocks {
            block.shape.pop();
            block.strides.pop();
            block.shape.extend([channels, height, width]);
            block.strides.extend([1, width * channels, channels]);
        }
        self
    }
}

/// `kernel [inputs, gates · units]` and the like as PyTorch's `[gates · units, inputs]`.
fn recurrent(node: &Node, specs: &[ParameterSpec], spec: RecurrentSpec) -> Vec<StateTensor> {
    let units = spec.units;
    // Which of our gates PyTorch's are.
    let gates: &[usize] = match spec.cell {
        Cell::Lstm => &[0, 1, 2, 3],
        Cell::Gru => &[1, 0, 2],
        Cell::Rnn => &[0],
    };
    let width = gates.len() * units;
    let directions: &[(&str, &str)] =
        if spec.bidirectional { &[("forward.", ""), ("backward.", "_reverse")] } else { &[("", "")] };
    let mut tensors = Vec::new();
    for (prefix, suffix) in directions {
        let start =
            |name: &str| parameter(node, specs, &format!("{prefix}{name}")).map(|spec| spec.range.start);
        let (Some(kernel), Some(recurrent), Some(bias)) =
            (start("kernel"), start("recurrent_kernel"), start("bias"))
        else {
            unreachable!("a recurrent layer has them");
        };
        let mut push = |name: &str, first: usize, columns: Option<usize>, addend: bool| {
            let block = |gate: &usize| {
                let first = first + gate * units;
                match columns {
                    Some(columns) => Block { first, shape: vec![units, columns], strides: vec![1, width] },
                    None => Block { first, shape: vec![units], strides: vec![1] },
                }
            };
            tensors.push(StateTensor {
                name: format!("{}.{name}_l0{suffix}", node.name),
                shape: [width].into_iter().chain(columns).collect(),
                blocks: gates.iter().map(block).collect(),
                addend,
            });
        };
        push("weight_ih", kernel, Some(inputs(node.from)), false);
        push("weight_hh", recurrent, Some(units), false);
        push("bias_ih", bias, None, false);
        // A GRU's second bias is behind its first; the others have none.
        match spec.cell {
            Cell::Gru => push("bias_hh", bias + width, None, false),
            Cell::Lstm | Cell::Rnn => push("bias_hh", bias, None, true),
        }
    }
    tensors
}

/// Values of a step.
pub(crate) fn inputs(shape: Shape) -> usize {
    match shape {
        Shape::Image { width, channels, .. } => width * channels,
        Shape::Sequence { features, .. } | Shape::Vector(features) => features,
    }
}
