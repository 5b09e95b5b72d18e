//! The network as a module of PyTorch, as text.

use crate::{
    Description,
    escape::python_string,
    graph::{Graph, Node, Operation, Place},
    state_dict::inputs,
};
use nn::{ActivationSpec, Cell, ImageShape, LayerSpec, Model, PoolSpec, RecurrentSpec, Shape, Sliding};
use std::fmt::Write;

/// What stands at the head of every module.
const HEAD: &str = "\
import sys

import torch
from safetensors.torch import load_file
from torch import Tensor, nn
from torch.nn import functional
";

/// What learns a value for each feature of each step.
const POSITION: &str = "

class Position(nn.Module):
    \"\"\"A learnt value added to each feature of each step.\"\"\"

    def __init__(self, steps: int, features: int) -> None:
        super().__init__()
        self.embedding = nn.Parameter(torch.zeros(steps, features))

    def forward(self, x: Tensor) -> Tensor:
        return x + self.embedding
";

const TAIL: &str = "

def load(file: str) -> Network:
    \"\"\"The network with the weights of a file, ready to classify.\"\"\"
    network = Network()
    network.load_state_dict(load_file(file))
    return network.eval()


if __name__ == \"__main__\":
    print(load(sys.argv[1]))
";

/// A Python file that defines the network, whose `load_state_dict` takes the tensors of [`crate::encode`] as they are.
///
/// It takes images of 0 to 1 and prepares them itself, where the description says how.
///
/// In training its batch normalisation takes statistics over the whole batch, ours over sixteen images each; what it
/// computes of images is the same.
///
/// # Panics
/// When `model` is not the one that `description` describes.
pub fn pytorch_module(description: &Description, model: &Model<f32>) -> String {
    let graph = description.graph(model);
    let (ImageShape { height, width, channels }, classes) = (description.image(), description.classes.len());
    let kind = description.kind().in_words();
    let title =
        format!("`{}`, written by mnist-study {}.", description.architecture, env!("CARGO_PKG_VERSION"));
    let mut text = format!("{}\n\n{HEAD}", python_string(&title));
    let has_position = |node: &Node| node.operation == Operation::Layer(LayerSpec::Position);
    if graph.nodes.iter().any(has_position) {
        text.push_str(POSITION);
    }
    let _ = write!(
        text,
        "\n\nclass Network(nn.Module):\n    \"\"\"{kind}, [n, {channels}, {height}, {width}] of 0 to 1, \
         to logits [n, {classes}].\"\"\"\n\n    def __init__(self) -> None:\n        super().__init__()\n"
    );
    for node in &graph.nodes {
        if let Some(module) = module(node, description.normalisation_epsilon()) {
            let _ = writeln!(text, "        self.{} = {module}", node.name);
        }
    }
    text.push_str("\n    def forward(self, x: Tensor) -> Tensor:\n");
    let images = name_of(&graph, 0);
    if let Some(preparation) = description.preparation {
        let [mean, std] = [preparation.mean(), preparation.std()].map(|values| match values {
            [value] => format!("{value:?}"),
            values => format!("x.new_tensor({values:?}).reshape(-1, 1, 1)"),
        });
        let _ = writeln!(text, "        {images} = (x - {mean}) / {std}");
    } else if images != "x" {
        let _ = writeln!(text, "        {images} = x");
    }
    for (index, node) in graph.nodes.iter().enumerate() {
        let (from, to) = (name_of(&graph, node.input), name_of(&graph, index + 1));
        let value = match &node.operation {
            Operation::Sum(other) => format!("{from} + {}", name_of(&graph, *other)),
            Operation::Layer(layer) => called(node, layer, &from),
        };
        if value != to {
            let _ = writeln!(text, "        {to} = {value}");
        }
    }
    let _ = writeln!(text, "        return {}", name_of(&graph, graph.nodes.len()));
    text.push_str(TAIL);
    text
}

/// A place's variable: `x`, unless something further down reads it again.
fn name_of(graph: &Graph, place: Place) -> String {
    if graph.is_kept(place) { format!("x{place}") } else { "x".to_owned() }
}

/// The module that holds a node's parameters, or that behaves otherwise in training.
fn module(node: &Node, epsilon: f64) -> Option<String> {
    let Operation::Layer(layer) = &node.operation else { return None };
    let features = node.from.features();
    Some(match layer {
        LayerSpec::Convolution(spec) => {
            convolution(features, spec.filters, &spec.sliding, spec.groups, spec.bias)
        }
        LayerSpec::Depthwise(spec) => convolution(features, features, &spec.sliding, features, spec.bias),
        LayerSpec::Dense { bias, .. } => {
            let bias = if *bias { "" } else { ", bias=False" };
            format!("nn.Linear({features}, {}{bias})", node.to.features())
        }
        LayerSpec::BatchNorm => {
            let axes = if matches!(node.from, Shape::Image { .. }) { 2 } else { 1 };
            format!("nn.BatchNorm{axes}d({features}, eps={epsilon:?})")
        }
        LayerSpec::LayerNorm => format!("nn.LayerNorm({features}, eps={epsilon:?})"),
        LayerSpec::Dropout { rate } => format!("nn.Dropout({rate})"),
        LayerSpec::Position => {
            let Shape::Sequence { steps, features } = node.from else { unreachable!("a sequence") };
            format!("Position({steps}, {features})")
        }
        LayerSpec::Attention { heads } => {
            format!("nn.MultiheadAttention({features}, {heads}, batch_first=True)")
        }
        LayerSpec::Recurrent(spec) => {
            let class = match spec.cell {
                Cell::Lstm => "LSTM",
                Cell::Gru => "GRU",
                Cell::Rnn => "RNN",
            };
            let both = if spec.bidirectional { ", bidirectional=True" } else { "" };
            format!("nn.{class}({}, {}, batch_first=True{both})", inputs(node.from), spec.units)
        }
        LayerSpec::Activation(_)
        | LayerSpec::MaxPool(_)
        | LayerSpec::AveragePool(_)
        | LayerSpec::GlobalMaxPool
        | LayerSpec::GlobalAveragePool
        | LayerSpec::Flatten
        | LayerSpec::Rows
        | LayerSpec::Columns
        | LayerSpec::Pixels
        | LayerSpec::Patches { .. }
        | LayerSpec::Transpose => return None,
        LayerSpec::Residual { .. } => unreachable!("a residual layer is its ways and a sum"),
    })
}

fn convolution(channels: usize, filters: usize, sliding: &Sliding, groups: usize, bias: bool) -> String {
    let Sliding { kernel, stride, padding, dilation } = sliding;
    let mut text = format!("nn.Conv2d({channels}, {filters}, {}", pair(*kernel));
    if *stride != 1 {
        let _ = write!(text, ", stride={stride}");
    }
    if *padding != [0, 0] {
        let _ = write!(text, ", padding={}", pair(*padding));
    }
    if *dilation != 1 {
        let _ = write!(text, ", dilation={dilation}");
    }
    if groups != 1 {
        let _ = write!(text, ", groups={groups}");
    }
    if !bias {
        text.push_str(", bias=False");
    }
    text + ")"
}

fn pair([rows, columns]: [usize; 2]) -> String {
    if rows == columns { rows.to_string() } else { format!("({rows}, {columns})") }
}

/// What a node makes of `x`.
fn called(node: &Node, layer: &LayerSpec, x: &str) -> String {
    let name = &node.name;
    let image = matches!(node.from, Shape::Image { .. });
    match layer {
        LayerSpec::LayerNorm if image => {
            format!("self.{name}({x}.permute(0, 2, 3, 1)).permute(0, 3, 1, 2)")
        }
        LayerSpec::BatchNorm if matches!(node.from, Shape::Sequence { .. }) => {
            format!("self.{name}({x}.transpose(1, 2)).transpose(1, 2)")
        }
        LayerSpec::Convolution(_)
        | LayerSpec::Depthwise(_)
        | LayerSpec::Dense { .. }
        | LayerSpec::BatchNorm
        | LayerSpec::LayerNorm
        | LayerSpec::Dropout { .. }
        | LayerSpec::Position => format!("self.{name}({x})"),
        LayerSpec::Attention { .. } => format!("self.{name}({x}, {x}, {x}, need_weights=False)[0]"),
        LayerSpec::Recurrent(spec) => recurrent(node, *spec, x),
        LayerSpec::Activation(spec) => match spec {
            ActivationSpec::Relu => format!("functional.relu({x})"),
            ActivationSpec::LeakyRelu { slope } => format!("functional.leaky_relu({x}, {slope})"),
            ActivationSpec::Gelu => format!("functional.gelu({x})"),
            ActivationSpec::Silu => format!("functional.silu({x})"),
            ActivationSpec::Tanh => format!("torch.tanh({x})"),
            ActivationSpec::Sigmoid => format!("torch.sigmoid({x})"),
        },
        LayerSpec::MaxPool(PoolSpec { size, stride }) => {
            format!("functional.max_pool2d({x}, {size}, {stride})")
        }
        LayerSpec::AveragePool(PoolSpec { size, stride }) => {
            format!("functional.avg_pool2d({x}, {size}, {stride})")
        }
        LayerSpec::GlobalMaxPool => format!("{x}.amax({})", if image { "(2, 3)" } else { "1" }),
        LayerSpec::GlobalAveragePool => format!("{x}.mean({})", if image { "(2, 3)" } else { "1" }),
        LayerSpec::Flatten if image && node.channels_first.is_none() && node.from.features() > 1 => {
            format!("{x}.permute(0, 2, 3, 1).flatten(1)")
        }
        LayerSpec::Flatten => format!("{x}.flatten(1)"),
        LayerSpec::Rows => rows(x),
        LayerSpec::Columns => format!("{x}.permute(0, 3, 2, 1).flatten(2)"),
        LayerSpec::Pixels => format!("{x}.permute(0, 2, 3, 1).flatten(1, 2)"),
        LayerSpec::Patches { size } => {
            let Shape::Image { height, width, channels } = node.from else { unreachable!("an image") };
            let (rows, columns, length) = (height / size, width / size, size * size * channels);
            format!(
                "{x}.reshape(-1, {channels}, {rows}, {size}, {columns}, {size}).permute(0, 2, 4, 3, 5, 1)\
                 .reshape(-1, {}, {length})",
                rows * columns
            )
        }
        LayerSpec::Transpose => format!("{x}.transpose(1, 2)"),
        LayerSpec::Residual { .. } => unreachable!("a residual layer is its ways and a sum"),
    }
}

fn rows(x: &str) -> String {
    format!("{x}.permute(0, 2, 3, 1).flatten(2)")
}

fn recurrent(node: &Node, spec: RecurrentSpec, x: &str) -> String {
    let name = &node.name;
    let x = if matches!(node.from, Shape::Image { .. }) { rows(x) } else { x.to_owned() };
    if spec.sequence {
        return format!("self.{name}({x})[0]");
    }
    let state = if spec.cell == Cell::Lstm { "[1][0]" } else { "[1]" };
    // Each direction's last state, side by side.
    format!("self.{name}({x}){state}.transpose(0, 1).flatten(1)")
}
