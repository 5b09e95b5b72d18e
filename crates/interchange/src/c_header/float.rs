//! Networks that compute in float32, with weights of eight bits or without.

use super::code::{Code, number};
use crate::{
    Description,
    graph::{Node, Operation},
    quantisation::{Grid, Quantisation, Rows, transposed},
    state_dict::inputs,
};
use nn::{ActivationSpec, Cell, LayerSpec, Model, RecurrentSpec, Shape, Sliding};
use spec::{Memory, MemoryStep, Way};

/// The functions that a header is made of, each behind a line with its name.
const SUPPORT: &[&str] = &[include_str!("float.c"), include_str!("moves.c")];

/// A network's code, its functions, and the bytes of its workspace.
pub(super) fn code(
    description: &Description,
    model: &Model<f32>,
    quantisation: Option<&Quantisation>,
    name: String,
) -> (Code, String, usize) {
    let graph = description.graph(model);
    let steps: Vec<MemoryStep> = graph.nodes.iter().map(|node| memory_step(node, quantisation)).collect();
    let memory = Memory::of(graph.nodes[0].from.length(), &steps);
    let epsilon = description.normalisation_epsilon() as f32;
    let parameters = model.parameters();
    let mut exporter = Exporter { parameters, quantisation, memory: &memory, epsilon, code: Code::new(name) };
    exporter.images(description);
    for (index, node) in graph.nodes.iter().enumerate() {
        exporter.node(index, node);
    }
    let (last, classes) = (memory.place(graph.nodes.len()), description.classes.len());
    exporter.call("copy", &format!("workspace + {last}, {classes}, logits"));
    let code = exporter.code;
    // What products are of.
    let [input, weight, sum] = match quantisation {
        Some(_) if graph.nodes.iter().any(|node| products(node) > MOST_PRODUCTS) => {
            ["uint8_t", "int8_t", "int64_t"]
        }
        Some(_) => ["uint8_t", "int8_t", "int32_t"],
        None => ["float"; 3],
    };
    let words = [
        ("EPSILON", &*number(epsilon)),
        ("INPUT", input),
        ("WEIGHT", weight),
        ("SUM", sum),
        ("VALUE", "float"),
    ];
    let support = code.support(SUPPORT, &words);
    (code, support, 4 * memory.length)
}

/// Most products of a byte and an eight-bit weight whose sum surely fits 32 bits.
const MOST_PRODUCTS: usize = i32::MAX as usize / (255 * 127);

/// Products of one of a node's sums, at most.
fn products(node: &Node) -> usize {
    node.parameter("weight").map_or(0, |weights| weights.range.len() / node.to.features())
}

fn memory_step(node: &Node, quantisation: Option<&Quantisation>) -> MemoryStep {
    let other = match node.operation {
        Operation::Sum(other) => Some(other),
        Operation::Layer(_) => None,
    };
    let (length, scratch) = (node.to.length(), scratch(node, quantisation));
    MemoryStep { input: node.input, other, way: way(node), length, scratch }
}

/// How a node would go about it were its input read by nothing else.
fn way(node: &Node) -> Way {
    let Operation::Layer(layer) = &node.operation else { return Way::InPlace };
    match layer {
        LayerSpec::Flatten | LayerSpec::Rows | LayerSpec::Pixels | LayerSpec::Dropout { .. } => Way::Alias,
        LayerSpec::Activation(_) | LayerSpec::BatchNorm | LayerSpec::LayerNorm | LayerSpec::Position => {
            Way::InPlace
        }
        LayerSpec::Convolution(_)
        | LayerSpec::Depthwise(_)
        | LayerSpec::MaxPool(_)
        | LayerSpec::AveragePool(_)
        | LayerSpec::GlobalMaxPool
        | LayerSpec::GlobalAveragePool
        | LayerSpec::Dense { .. }
        | LayerSpec::Columns
        | LayerSpec::Patches { .. }
        | LayerSpec::Attention { .. }
        | LayerSpec::Transpose
        | LayerSpec::Recurrent(_) => Way::Apart,
        LayerSpec::Residual { .. } => unreachable!("a residual layer is its ways and a sum"),
    }
}

/// Floats that a node needs beside its input and output.
fn scratch(node: &Node, quantisation: Option<&Quantisation>) -> usize {
    let Operation::Layer(layer) = &node.operation else { return 0 };
    match layer {
        LayerSpec::Recurrent(spec) => {
            let rows = match spec.cell {
                Cell::Lstm => 6,
                Cell::Gru => 7,
                Cell::Rnn => 2,
            };
            rows * spec.units
        }
        LayerSpec::Attention { .. } => {
            let Shape::Sequence { steps, features } = node.from else { unreachable!("a sequence") };
            3 * steps * features + steps + steps * features
        }
        LayerSpec::Convolution(_) | LayerSpec::Depthwise(_) | LayerSpec::Dense { .. } => match quantisation {
            // The input as bytes.
            Some(_) => node.from.length().div_ceil(4),
            None => 0,
        },
        LayerSpec::Activation(_)
        | LayerSpec::MaxPool(_)
        | LayerSpec::AveragePool(_)
        | LayerSpec::GlobalMaxPool
        | LayerSpec::GlobalAveragePool
        | LayerSpec::Flatten
        | LayerSpec::Dropout { .. }
        | LayerSpec::BatchNorm
        | LayerSpec::LayerNorm
        | LayerSpec::Rows
        | LayerSpec::Columns
        | LayerSpec::Pixels
        | LayerSpec::Patches { .. }
        | LayerSpec::Position
        | LayerSpec::Transpose => 0,
        LayerSpec::Residual { .. } => unreachable!("a residual layer is its ways and a sum"),
    }
}

struct Exporter<'a> {
    parameters: &'a [f32],
    quantisation: Option<&'a Quantisation>,
    memory: &'a Memory,
    epsilon: f32,
    code: Code,
}

impl Exporter<'_> {
    /// From bytes to what the first node reads.
    fn images(&mut self, description: &Description) {
        let (first, count) = (self.memory.place(0), description.image().length());
        self.call("pixels", &format!("image, {count}, workspace + {first}"));
        if let Some(preparation) = description.preparation {
            let channels = preparation.mean().len();
            for (channel, (mean, std)) in preparation.mean().iter().zip(preparation.std()).enumerate() {
                let [mean, std] = [mean, std].map(|value| number(*value as f32));
                let (from, count) = (first + channel, count - channel);
                self.call("prepare", &format!("workspace + {from}, {count}, {channels}, {mean}, {std}"));
            }
        }
    }

    fn node(&mut self, index: usize, node: &Node) {
        let (from, to) = (self.memory.place(node.input), self.memory.place(index + 1));
        let (input, output) = (format!("workspace + {from}"), format!("workspace + {to}"));
        if self.memory.ways[index] == Way::Copied {
            self.call("copy", &format!("{input}, {}, {output}", node.from.length()));
        }
        let count = node.to.length();
        let layer = match &node.operation {
            Operation::Layer(layer) => layer,
            Operation::Sum(other) => {
                let other = self.memory.place(*other);
                return self.call("add", &format!("workspace + {other}, {count}, {output}"));
            }
        };
        let features = node.to.features();
        match layer {
            LayerSpec::Convolution(spec) => {
                let depth = format!("{}, {}, ", spec.filters, spec.groups);
                self.products(
                    index,
                    node,
                    "convolution",
                    &image_sizes(node),
                    &(depth + &windows(node, &spec.sliding)),
                );
            }
            LayerSpec::Depthwise(spec) => {
                self.products(index, node, "depthwise", &image_sizes(node), &windows(node, &spec.sliding));
            }
            LayerSpec::Dense { .. } => {
                let (steps, inputs) = match node.from {
                    Shape::Sequence { steps, features } => (steps, features),
                    other => (1, other.length()),
                };
                self.products(index, node, "dense", &format!("{steps}, {inputs}"), &features.to_string());
            }
            LayerSpec::Activation(spec) => match spec {
                ActivationSpec::Relu => self.call("relu", &format!("{output}, {count}, 0.0f")),
                ActivationSpec::LeakyRelu { slope } => {
                    self.call("relu", &format!("{output}, {count}, {}", number(*slope as f32)));
                }
                ActivationSpec::Gelu => self.call("gelu", &format!("{output}, {count}")),
                ActivationSpec::Silu => self.call("silu", &format!("{output}, {count}")),
                ActivationSpec::Tanh => self.call("tanh", &format!("{output}, {count}")),
                ActivationSpec::Sigmoid => self.call("sigmoid", &format!("{output}, {count}")),
            },
            LayerSpec::MaxPool(spec) => {
                self.pool(node, [spec.size; 2], spec.stride, false, [&input, &output])
            }
            LayerSpec::AveragePool(spec) => {
                self.pool(node, [spec.size; 2], spec.stride, true, [&input, &output])
            }
            LayerSpec::GlobalMaxPool | LayerSpec::GlobalAveragePool => {
                let window = match node.from {
                    Shape::Sequence { steps, .. } => [steps, 1],
                    _ => [image(node.from).0, image(node.from).1],
                };
                let mean = *layer == LayerSpec::GlobalAveragePool;
                self.pool(node, window, 1, mean, [&input, &output]);
            }
            LayerSpec::Flatten | LayerSpec::Rows | LayerSpec::Pixels | LayerSpec::Dropout { .. } => {}
            LayerSpec::BatchNorm => {
                let [scale, offset, mean, variance] =
                    ["scale", "offset", "mean", "variance"].map(|name| self.values(node, name));
                let factor: Vec<f32> =
                    (0..features).map(|i| scale[i] / (variance[i] + self.epsilon).sqrt()).collect();
                let addend: Vec<f32> = (0..features).map(|i| offset[i] - mean[i] * factor[i]).collect();
                let factor = self.floats(node, "factor", &factor);
                let addend = self.floats(node, "addend", &addend);
                self.call(
                    "affine",
                    &format!("{output}, {}, {features}, {factor}, {addend}", count / features),
                );
            }
            LayerSpec::LayerNorm => {
                let [scale, offset] = ["scale", "offset"].map(|name| {
                    let values = self.values(node, name);
                    self.floats(node, name, &values)
                });
                self.call(
                    "layer_norm",
                    &format!("{output}, {}, {features}, {scale}, {offset}", count / features),
                );
            }
            LayerSpec::Position => {
                let values = self.values(node, "embedding");
                let embedding = self.floats(node, "embedding", &values);
                self.call("add", &format!("{embedding}, {count}, {output}"));
            }
            LayerSpec::Columns => {
                let (height, width, channels) = image(node.from);
                self.call("columns", &format!("{input}, {height}, {width}, {channels}, {output}"));
            }
            LayerSpec::Transpose => {
                let Shape::Sequence { steps, features } = node.from else { unreachable!("a sequence") };
                self.call("columns", &format!("{input}, {steps}, {features}, 1, {output}"));
            }
            LayerSpec::Patches { size } => {
                let (height, width, channels) = image(node.from);
                self.call("patches", &format!("{input}, {height}, {width}, {channels}, {size}, {output}"));
            }
            LayerSpec::Attention { heads } => self.attention(index, node, *heads, [&input, &output]),
            LayerSpec::Recurrent(spec) => self.recurrent(index, node, *spec, [from, to]),
            LayerSpec::Residual { .. } => unreachable!("a residual layer is its ways and a sum"),
        }
    }

    fn call(&mut self, function: &'static str, arguments: &str) {
        self.code.call(function, arguments);
    }

    /// A parameter of the layer, as the model has it; nothing where it has none of that name.
    fn values(&self, node: &Node, name: &str) -> Vec<f32> {
        node.parameter(name).map_or(Vec::new(), |spec| self.parameters[spec.range.clone()].to_vec())
    }

    fn floats(&mut self, node: &Node, part: &str, values: &[f32]) -> String {
        self.code.floats(&node.name, part, values)
    }

    /// Weights whose outputs are their rows, or their columns: the constant's name and, in eight bits, the scales.
    fn weights(
        &mut self,
        node: &Node,
        part: &str,
        outputs: usize,
        by_column: bool,
    ) -> (String, Option<Vec<f32>>) {
        let mut values = self.values(node, part);
        if self.quantisation.is_none() {
            return (self.floats(node, part, &values), None);
        }
        let inputs = values.len() / outputs;
        if by_column {
            values = transposed(&values, outputs);
        }
        let mut rows = Rows::of(&values, outputs);
        if by_column {
            rows.values = transposed(&rows.values, inputs);
        }
        (self.code.bytes(&node.name, part, &rows.values), Some(rows.scales))
    }

    /// Weights that multiply float32, as arguments: the names of their constant and of their scales, 0 where there are
    /// none.
    fn scaled_weights(&mut self, node: &Node, part: &str, outputs: usize, by_column: bool) -> String {
        let (weights, scales) = self.weights(node, part, outputs, by_column);
        let scales = match scales {
            Some(scales) => self.floats(node, &format!("{part}_scale"), &scales),
            None => "0".to_owned(),
        };
        format!("{weights}, {scales}")
    }

    /// A layer that multiplies whole numbers where everything is in eight bits; `before` and `after` are its sizes on both
    /// sides of its weights.
    fn products(&mut self, index: usize, node: &Node, function: &'static str, before: &str, after: &str) {
        let mut input = format!("workspace + {}", self.memory.place(node.input));
        let output = format!("workspace + {}", self.memory.place(index + 1));
        let (weight, scales) = self.weights(node, "weight", node.to.features(), function == "depthwise");
        let bias = self.values(node, "bias");
        let bias = if bias.is_empty() { "0".to_owned() } else { self.floats(node, "bias", &bias) };
        let (mut zero, mut unit) = (0, "0".to_owned());
        if let (Some(quantisation), Some(scales)) = (self.quantisation, scales) {
            let Grid { scale, zero_point } = quantisation.inputs[&node.name];
            // What a unit of a sum of products is worth.
            let units: Vec<f32> = scales.iter().map(|of_weight| of_weight * scale).collect();
            (zero, unit) = (zero_point, self.floats(node, "unit", &units));
            let bytes = format!("(uint8_t *)(workspace + {})", self.memory.scratch(index));
            let count = node.from.length();
            self.call("grid", &format!("{input}, {count}, {}, {zero}, {bytes}", number(scale)));
            input = bytes;
        }
        self.call(
            function,
            &format!("{input}, {zero}, {before}, {weight}, {unit}, {bias}, {after}, {output}"),
        );
    }

    fn pool(
        &mut self,
        node: &Node,
        [rows, columns]: [usize; 2],
        stride: usize,
        mean: bool,
        [input, output]: [&str; 2],
    ) {
        let (width, channels) = match node.from {
            Shape::Sequence { features, .. } => (1, features),
            other => (image(other).1, image(other).2),
        };
        let (out_height, out_width) = match node.to {
            Shape::Image { height, width, .. } => (height, width),
            _ => (1, 1),
        };
        let mean = u8::from(mean);
        self.call(
            "pool",
            &format!("{input}, {width}, {channels}, {rows}, {columns}, {stride}, {mean}, {out_height}, {out_width}, {output}"),
        );
    }

    fn attention(&mut self, index: usize, node: &Node, heads: usize, [input, output]: [&str; 2]) {
        let Shape::Sequence { steps, features } = node.from else { unreachable!("a sequence") };
        let projected = self.memory.scratch(index);
        let shares = projected + 3 * steps * features;
        let context = shares + steps;
        let [inward, outward] = ["in_projection", "out_projection"].map(|part| {
            let outputs = if part == "in_projection" { 3 * features } else { features };
            let weights = self.scaled_weights(node, &format!("{part}.weight"), outputs, false);
            let bias = self.values(node, &format!("{part}.bias"));
            format!("{weights}, {}, {outputs}", self.floats(node, &format!("{part}.bias"), &bias))
        });
        self.call("projection", &format!("{input}, {steps}, {features}, {inward}, workspace + {projected}"));
        self.call(
            "attention",
            &format!("workspace + {projected}, {steps}, {features}, {heads}, workspace + {shares}, workspace + {context}"),
        );
        self.call("projection", &format!("workspace + {context}, {steps}, {features}, {outward}, {output}"));
    }

    fn recurrent(&mut self, index: usize, node: &Node, spec: RecurrentSpec, [from, to]: [usize; 2]) {
        let steps = match node.from {
            Shape::Sequence { steps, .. } => steps,
            other => image(other).0,
        };
        let (function, gates) = match spec.cell {
            Cell::Lstm => ("lstm", 4),
            Cell::Gru => ("gru", 3),
            Cell::Rnn => ("rnn", 1),
        };
        let RecurrentSpec { units, bidirectional, sequence, .. } = spec;
        let directions: &[&str] = if bidirectional { &["forward.", "backward."] } else { &[""] };
        for (direction, prefix) in directions.iter().enumerate() {
            let [kernel, recurrent] = ["kernel", "recurrent_kernel"]
                .map(|part| self.scaled_weights(node, &format!("{prefix}{part}"), gates * units, true));
            let bias = self.values(node, &format!("{prefix}bias"));
            let bias = self.floats(node, &format!("{prefix}bias"), &bias);
            let (memory, output) = (self.memory.scratch(index), to + direction * units);
            let (sequence, apart) = (u8::from(sequence), directions.len() * units);
            let inputs = inputs(node.from);
            self.call(
                function,
                &format!(
                    "workspace + {from}, {steps}, {inputs}, {units}, {kernel}, {recurrent}, {bias}, {direction}, \
                     {sequence}, {apart}, workspace + {memory}, workspace + {output}"
                ),
            );
        }
    }
}

/// Height, width and channels.
fn image(shape: Shape) -> (usize, usize, usize) {
    match shape {
        Shape::Image { height, width, channels } => (height, width, channels),
        _ => unreachable!("the description lets no layer read {shape} as an image"),
    }
}

/// The sizes of the image that a node reads, as arguments.
fn image_sizes(node: &Node) -> String {
    let (height, width, channels) = image(node.from);
    format!("{height}, {width}, {channels}")
}

/// Where a kernel looks, and how many outputs there are, as arguments.
fn windows(node: &Node, sliding: &Sliding) -> String {
    let Sliding { kernel: [rows, columns], stride, padding: [above, left], dilation } = sliding;
    let (height, width, _) = image(node.to);
    format!("{rows}, {columns}, {stride}, {above}, {left}, {dilation}, {height}, {width}")
}
