//! ONNX files (<https://onnx.ai>), which most other runtimes read.

mod proto;
mod writer;

use crate::{
    Description,
    escape::identifier,
    graph::{Graph, Node, Operation, Place},
    quantisation::{Grid, Quantisation, Rows, transposed},
    state_dict::{StateTensor, inputs},
};
use nn::{ActivationSpec, Cell, ImageShape, LayerSpec, Model, PoolSpec, RecurrentSpec, Shape, Sliding};
use prost::Message;
use proto::{Dimension, Entry, FLOAT, Length, OperatorSet, TensorShape, TensorType, Value, ValueType};
use std::collections::BTreeSet;
use writer::{Writer, list, number, text, whole};

/// The operator set: that of 2022, whose operations every runtime of today has.
const OPERATOR_SET: i64 = 17;

/// The file format's version that came with it.
const FORMAT_VERSION: i64 = 8;

/// What an ONNX file is to be.
#[derive(Debug, Clone, Copy, Default)]
pub struct OnnxOptions<'a> {
    /// Whether it gives probabilities instead of logits.
    pub softmax: bool,
    /// With eight-bit weights and inputs on these grids, in the form (QuantizeLinear, DequantizeLinear) from which runtimes
    /// make products of whole numbers.
    pub quantisation: Option<&'a Quantisation>,
}

/// The model as an ONNX file: `images [n, channels, height, width]` float32 to `logits [n, classes]`, n free.
///
/// Where the description says how pixels are prepared, that is part of the graph. The metadata says how images are to be prepared, and what the classes are called.
///
/// # Panics
/// When `model` is not the one that `description` describes.
pub fn onnx(description: &Description, model: &Model<f32>, options: OnnxOptions) -> Vec<u8> {
    let graph = description.graph(model);
    let (ImageShape { height, width, channels }, classes) = (description.image(), &description.classes);
    let mut exporter = Exporter {
        writer: Writer::default(),
        parameters: model.parameters(),
        quantisation: options.quantisation,
        epsilon: description.normalisation_epsilon() as f32,
        places: Vec::new(),
        rounded: BTreeSet::new(),
    };
    exporter.images(description);
    for (index, node) in graph.nodes.iter().enumerate() {
        let mut output = exporter.node(node);
        if let Some((reader, grid)) = exporter.grid_after(&graph, index) {
            output = exporter.writer.on_grid(&output, &format!("{output}.rounded"), grid);
            exporter.rounded.insert(reader);
        }
        exporter.places.push(output);
    }
    let last = exporter.places.pop().expect("the images' place at least");
    let mut writer = exporter.writer;
    let output = if options.softmax { "probabilities" } else { "logits" };
    match options.softmax {
        true => writer.add("Softmax", &[&last], output, vec![whole("axis", 1)]),
        false => writer.add("Identity", &[&last], output, Vec::new()),
    };
    let mut metadata = vec![
        entry("preprocessing", description.kind().preprocessing()),
        entry("classes", &serde_json::json!(classes).to_string()),
        entry("architecture", &description.architecture),
    ];
    if let Some(training) = &description.training {
        metadata.push(entry("training", &serde_json::json!(training).to_string()));
    }
    let value = |name: &str, axes: &[usize]| {
        let free = Dimension { length: Some(Length::Free("n".to_owned())) };
        let fixed = axes.iter().map(|length| Dimension { length: Some(Length::Fixed(*length as i64)) });
        let shape = TensorShape { dimension: [free].into_iter().chain(fixed).collect() };
        let tensor = TensorType { element: FLOAT, shape: Some(shape) };
        Value { name: name.to_owned(), kind: Some(ValueType { tensor: Some(tensor) }) }
    };
    proto::Model {
        ir_version: FORMAT_VERSION,
        producer_name: "mnist-study".to_owned(),
        producer_version: env!("CARGO_PKG_VERSION").to_owned(),
        opset_import: vec![OperatorSet { domain: String::new(), version: OPERATOR_SET }],
        graph: Some(proto::Graph {
            node: writer.nodes,
            name: identifier(&description.architecture),
            initializer: writer.constants,
            doc_string: description.kind().preprocessing().to_owned(),
            input: vec![value("images", &[channels, height, width])],
            output: vec![value(output, &[classes.len()])],
        }),
        metadata_props: metadata,
    }
    .encode_to_vec()
}

fn entry(key: &str, value: &str) -> Entry {
    Entry { key: key.to_owned(), value: value.to_owned() }
}

struct Exporter<'a> {
    writer: Writer,
    parameters: &'a [f32],
    quantisation: Option<&'a Quantisation>,
    epsilon: f32,
    /// The names of the values by place.
    places: Vec<String>,
    /// The layers whose inputs are on their grids already.
    rounded: BTreeSet<String>,
}

impl Exporter<'_> {
    /// The input, and what is made of its pixels.
    fn images(&mut self, description: &Description) {
        let mut place = "images".to_owned();
        if let Some(preparation) = description.preparation {
            // Of one channel a scalar; of several `[channel, 1, 1]`, which is repeated over images, rows and columns.
            let channels = preparation.mean().len();
            let shape = if channels == 1 { &[][..] } else { &[channels, 1, 1] };
            let mut values = |name, values: &[f64]| {
                let values: Vec<f32> = values.iter().map(|value| *value as f32).collect();
                self.writer.floats(name, shape, &values)
            };
            let (mean, std) =
                (values("images.mean", preparation.mean()), values("images.std", preparation.std()));
            let centred = self.writer.add("Sub", &[&place, &mean], "images.centred", Vec::new());
            place = self.writer.add("Div", &[&centred, &std], "images.prepared", Vec::new());
        }
        self.places.push(place);
    }

    /// Adds a node; the name of its output.
    fn node(&mut self, node: &Node) -> String {
        let input = self.place(node.input);
        match &node.operation {
            Operation::Sum(other) => {
                let other = self.place(*other);
                self.writer.add("Add", &[&input, &other], &node.name, Vec::new())
            }
            Operation::Layer(layer) => self.layer(node, layer, &input),
        }
    }

    /// The grid that a node's output can be rounded to, and for which layer: where nothing but pools of maxima and new
    /// shapes are between, so that it comes to the same. Runtimes join products, activation and rounding, and pool bytes
    /// where what they pool is rounded before and behind.
    fn grid_after(&self, graph: &Graph, index: usize) -> Option<(String, Grid)> {
        // A dropout has no node of its own.
        if matches!(graph.nodes[index].operation, Operation::Layer(LayerSpec::Dropout { .. })) {
            return None;
        }
        let mut place = index + 1;
        loop {
            let mut readers = graph.readers(place);
            let (Some(reader), None) = (readers.next(), readers.next()) else { return None };
            let node = &graph.nodes[reader];
            match (self.quantisation?.inputs.get(&node.name), &node.operation) {
                (Some(grid), _) => return Some((node.name.clone(), *grid)),
                (None, Operation::Layer(layer)) if keeps_values(layer) => place = reader + 1,
                (None, Operation::Layer(_) | Operation::Sum(_)) => return None,
            }
        }
    }

    /// A layer's input, on its grid where it has one, and that grid.
    fn input_on_grid(&mut self, node: &Node, input: &str) -> (String, Option<Grid>) {
        match self.quantisation.and_then(|quantisation| quantisation.inputs.get(&node.name)).copied() {
            Some(grid) if !self.rounded.contains(&node.name) => {
                (self.writer.on_grid(input, &format!("{}.input", node.name), grid), Some(grid))
            }
            grid => (input.to_owned(), grid),
        }
    }

    fn place(&self, place: Place) -> String {
        self.places[place].clone()
    }

    fn layer(&mut self, node: &Node, layer: &LayerSpec, input: &str) -> String {
        let name = &node.name;
        let image = matches!(node.from, Shape::Image { .. });
        match layer {
            LayerSpec::Convolution(spec) => self.convolution(node, input, &spec.sliding, spec.groups),
            LayerSpec::Depthwise(spec) => self.convolution(node, input, &spec.sliding, node.from.features()),
            LayerSpec::Dense { .. } => self.dense(node, input),
            LayerSpec::Activation(spec) => self.activation(*spec, name, input),
            LayerSpec::MaxPool(spec) => self.pool("MaxPool", *spec, name, input),
            LayerSpec::AveragePool(spec) => self.pool("AveragePool", *spec, name, input),
            LayerSpec::GlobalMaxPool | LayerSpec::GlobalAveragePool => {
                let largest = *layer == LayerSpec::GlobalMaxPool;
                if image {
                    let kind = if largest { "GlobalMaxPool" } else { "GlobalAveragePool" };
                    let pooled = self.writer.add(kind, &[input], &format!("{name}.pooled"), Vec::new());
                    return self.writer.add("Flatten", &[&pooled], name, vec![whole("axis", 1)]);
                }
                let kind = if largest { "ReduceMax" } else { "ReduceMean" };
                self.writer.add(kind, &[input], name, vec![list("axes", &[1]), whole("keepdims", 0)])
            }
            LayerSpec::Flatten => {
                let mut input = input.to_owned();
                if image && node.channels_first.is_none() && node.from.features() > 1 {
                    input = self.writer.transpose(&input, &format!("{name}.channels_last"), &[0, 2, 3, 1]);
                }
                self.writer.add("Flatten", &[&input], name, vec![whole("axis", 1)])
            }
            LayerSpec::Dropout { .. } => input.to_owned(),
            LayerSpec::BatchNorm => self.batch_norm(node, input),
            LayerSpec::LayerNorm => self.layer_norm(node, input),
            LayerSpec::Rows => {
                let pixels = self.channels_last(node, input);
                self.writer.reshape(&pixels, name, &of_sequence(node.to))
            }
            LayerSpec::Columns => {
                let columns = self.writer.transpose(input, &format!("{name}.columns"), &[0, 3, 2, 1]);
                self.writer.reshape(&columns, name, &of_sequence(node.to))
            }
            LayerSpec::Pixels => {
                let pixels = self.channels_last(node, input);
                self.writer.reshape(&pixels, name, &of_sequence(node.to))
            }
            LayerSpec::Patches { size } => self.patches(node, *size, input),
            LayerSpec::Position => {
                let embedding = self.constant(node, "embedding");
                self.writer.add("Add", &[input, &embedding], name, Vec::new())
            }
            LayerSpec::Attention { heads } => self.attention(node, *heads, input),
            LayerSpec::Transpose => self.writer.transpose(input, name, &[0, 2, 1]),
            LayerSpec::Recurrent(spec) => self.recurrent(node, *spec, input),
            LayerSpec::Residual { .. } => unreachable!("a residual layer is its ways and a sum"),
        }
    }

    fn values(&self, tensor: &StateTensor) -> Vec<f32> {
        tensor.values(self.parameters)
    }

    /// A tensor of the layer, as it is.
    fn constant(&mut self, node: &Node, name: &str) -> String {
        let tensor = node.tensor(name).expect("the layer has it");
        let values = self.values(tensor);
        self.writer.floats(&tensor.name, &tensor.shape, &values)
    }

    /// A weight whose first axis is the output's, and a bias, if any; with the input on its grid, where it has one.
    fn operands(&mut self, node: &Node, input: &str) -> Vec<String> {
        let tensor = node.tensor("weight").expect("the layer has it");
        let bias = node.tensor("bias");
        let (input, grid) = self.input_on_grid(node, input);
        let (weight, bias_values) = (self.values(tensor), bias.map(|bias| self.values(bias)));
        let mut operands = vec![input];
        match grid {
            None => {
                operands.push(self.writer.floats(&tensor.name, &tensor.shape, &weight));
                if let (Some(bias), Some(values)) = (bias, &bias_values) {
                    operands.push(self.writer.floats(&bias.name, &bias.shape, values));
                }
            }
            Some(grid) => {
                let rows = Rows::of(&weight, tensor.shape[0]);
                operands.push(self.writer.quantised_weight(&tensor.name, &tensor.shape, 0, &rows));
                if let (Some(bias), Some(values)) = (bias, &bias_values) {
                    let units: Vec<f32> = rows.scales.iter().map(|scale| scale * grid.scale).collect();
                    operands.push(self.writer.quantised_bias(&bias.name, values, &units));
                }
            }
        }
        operands
    }

    /// A weight `[outputs, inputs]` as the right factor `[inputs, outputs]`, in eight bits where anything is.
    fn factor(&mut self, name: &str, values: &[f32], [outputs, inputs]: [usize; 2]) -> String {
        if self.quantisation.is_none() {
            return self.writer.floats(name, &[inputs, outputs], &transposed(values, inputs));
        }
        let mut rows = Rows::of(values, outputs);
        rows.values = transposed(&rows.values, inputs);
        self.writer.quantised_weight(name, &[inputs, outputs], 1, &rows)
    }

    fn convolution(&mut self, node: &Node, input: &str, sliding: &Sliding, groups: usize) -> String {
        let operands = self.operands(node, input);
        let Sliding { kernel, stride, padding: [rows, columns], dilation } = *sliding;
        let attributes = vec![
            list("kernel_shape", &kernel),
            list("strides", &[stride; 2]),
            list("pads", &[rows, columns, rows, columns]),
            list("dilations", &[dilation; 2]),
            whole("group", groups as i64),
        ];
        let operands: Vec<&str> = operands.iter().map(String::as_str).collect();
        self.writer.add("Conv", &operands, &node.name, attributes)
    }

    fn dense(&mut self, node: &Node, input: &str) -> String {
        let name = &node.name;
        if !matches!(node.from, Shape::Sequence { .. }) {
            let operands = self.operands(node, input);
            let operands: Vec<&str> = operands.iter().map(String::as_str).collect();
            return self.writer.add("Gemm", &operands, name, vec![whole("transB", 1)]);
        }
        let tensor = node.tensor("weight").expect("the layer has it");
        let values = self.values(tensor);
        let weight = self.factor(&tensor.name, &values, [tensor.shape[0], tensor.shape[1]]);
        let (input, _) = self.input_on_grid(node, input);
        self.product(node, &input, &weight, "bias", name)
    }

    /// `input · factor`, and a bias, if the layer has that tensor.
    fn product(&mut self, node: &Node, input: &str, factor: &str, bias: &str, output: &str) -> String {
        if node.tensor(bias).is_none() {
            return self.writer.add("MatMul", &[input, factor], output, Vec::new());
        }
        let product = self.writer.add("MatMul", &[input, factor], &format!("{output}.product"), Vec::new());
        let bias = self.constant(node, bias);
        self.writer.add("Add", &[&product, &bias], output, Vec::new())
    }

    fn activation(&mut self, spec: ActivationSpec, name: &str, input: &str) -> String {
        match spec {
            ActivationSpec::Relu => self.writer.add("Relu", &[input], name, Vec::new()),
            ActivationSpec::LeakyRelu { slope } => {
                self.writer.add("LeakyRelu", &[input], name, vec![number("alpha", slope as f32)])
            }
            ActivationSpec::Tanh => self.writer.add("Tanh", &[input], name, Vec::new()),
            ActivationSpec::Sigmoid => self.writer.add("Sigmoid", &[input], name, Vec::new()),
            ActivationSpec::Silu => {
                let gate = self.writer.add("Sigmoid", &[input], &format!("{name}.gate"), Vec::new());
                self.writer.add("Mul", &[input, &gate], name, Vec::new())
            }
            // x · (1 + erf(x / √2)) / 2; its own operation is younger than this operator set.
            ActivationSpec::Gelu => {
                let part = |part: &str| format!("{name}.{part}");
                let root = self.writer.floats(&part("root"), &[], &[std::f32::consts::FRAC_1_SQRT_2]);
                let one = self.writer.floats(&part("one"), &[], &[1.0]);
                let half = self.writer.floats(&part("half"), &[], &[0.5]);
                let scaled = self.writer.add("Mul", &[input, &root], &part("scaled"), Vec::new());
                let erf = self.writer.add("Erf", &[&scaled], &part("erf"), Vec::new());
                let sum = self.writer.add("Add", &[&erf, &one], &part("sum"), Vec::new());
                let twice = self.writer.add("Mul", &[input, &sum], &part("twice"), Vec::new());
                self.writer.add("Mul", &[&twice, &half], name, Vec::new())
            }
        }
    }

    fn pool(&mut self, kind: &str, PoolSpec { size, stride }: PoolSpec, name: &str, input: &str) -> String {
        let attributes = vec![list("kernel_shape", &[size; 2]), list("strides", &[stride; 2])];
        self.writer.add(kind, &[input], name, attributes)
    }

    /// Of an image the operation of that name; of anything else, whose features come last, a product and a sum.
    fn batch_norm(&mut self, node: &Node, input: &str) -> String {
        let name = &node.name;
        let names = ["weight", "bias", "running_mean", "running_var"];
        if matches!(node.from, Shape::Image { .. }) {
            let [scale, offset, mean, variance] = names.map(|name| self.constant(node, name));
            let inputs = [input, &scale, &offset, &mean, &variance];
            return self.writer.add(
                "BatchNormalization",
                &inputs,
                name,
                vec![number("epsilon", self.epsilon)],
            );
        }
        let [scale, offset, mean, variance] =
            names.map(|name| self.values(node.tensor(name).expect("the layer has it")));
        let factor: Vec<f32> = scale
            .iter()
            .zip(&variance)
            .map(|(scale, variance)| scale / (variance + self.epsilon).sqrt())
            .collect();
        let addend: Vec<f32> = offset
            .iter()
            .zip(mean.iter().zip(&factor))
            .map(|(offset, (mean, factor))| offset - mean * factor)
            .collect();
        let factor = self.writer.floats(&format!("{name}.factor"), &[factor.len()], &factor);
        let addend = self.writer.floats(&format!("{name}.addend"), &[addend.len()], &addend);
        let scaled = self.writer.add("Mul", &[input, &factor], &format!("{name}.scaled"), Vec::new());
        self.writer.add("Add", &[&scaled, &addend], name, Vec::new())
    }

    fn layer_norm(&mut self, node: &Node, input: &str) -> String {
        let name = &node.name;
        let (scale, offset) = (self.constant(node, "weight"), self.constant(node, "bias"));
        let attributes = vec![whole("axis", -1), number("epsilon", self.epsilon)];
        if !matches!(node.from, Shape::Image { .. }) {
            return self.writer.add("LayerNormalization", &[input, &scale, &offset], name, attributes);
        }
        let pixels = self.writer.transpose(input, &format!("{name}.pixels"), &[0, 2, 3, 1]);
        let normal = format!("{name}.normal");
        let normal = self.writer.add("LayerNormalization", &[&pixels, &scale, &offset], &normal, attributes);
        self.writer.transpose(&normal, name, &[0, 3, 1, 2])
    }

    /// An image with its channels last, which it is already where there is one.
    fn channels_last(&mut self, node: &Node, input: &str) -> String {
        match node.from.features() {
            1 => input.to_owned(),
            _ => self.writer.transpose(input, &format!("{}.channels_last", node.name), &[0, 2, 3, 1]),
        }
    }

    fn patches(&mut self, node: &Node, size: usize, input: &str) -> String {
        let name = &node.name;
        let Shape::Image { height, width, channels } = node.from else { unreachable!("an image") };
        let cut = [0, channels, height / size, size, width / size, size];
        let cut = self.writer.reshape(input, &format!("{name}.cut"), &cut);
        let sorted = self.writer.transpose(&cut, &format!("{name}.sorted"), &[0, 2, 4, 3, 5, 1]);
        self.writer.reshape(&sorted, name, &of_sequence(node.to))
    }

    /// softmax(q kᵀ / √d) v of each head, d its features, from the three thirds of one projection, through another.
    fn attention(&mut self, node: &Node, heads: usize, input: &str) -> String {
        let name = &node.name;
        let Shape::Sequence { steps, features } = node.from else { unreachable!("a sequence") };
        let width = features / heads;
        let weight = self.values(node.tensor("in_proj_weight").expect("the layer has it"));
        let bias = self.values(node.tensor("in_proj_bias").expect("the layer has it"));
        // Keys with their axes exchanged, for the product with the queries.
        let parts = [("query", [0, 2, 1, 3]), ("key", [0, 2, 3, 1]), ("value", [0, 2, 1, 3])];
        let mut made = Vec::new();
        for (index, (part, axes)) in parts.into_iter().enumerate() {
            let output = format!("{name}.{part}");
            let matrix = features * features;
            let weight = &weight[index * matrix..][..matrix];
            let weight = self.factor(&format!("{output}.weight"), weight, [features, features]);
            let bias = &bias[index * features..][..features];
            let bias = self.writer.floats(&format!("{output}.bias"), &[features], bias);
            let product =
                self.writer.add("MatMul", &[input, &weight], &format!("{output}.product"), Vec::new());
            let sum = self.writer.add("Add", &[&product, &bias], &format!("{output}.sum"), Vec::new());
            let heads = self.writer.reshape(&sum, &format!("{output}.heads"), &[0, steps, heads, width]);
            made.push(self.writer.transpose(&heads, &output, &axes));
        }
        let part = |part: &str| format!("{name}.{part}");
        let scores = self.writer.add("MatMul", &[&made[0], &made[1]], &part("scores"), Vec::new());
        let scale = self.writer.floats(&part("scale"), &[], &[1.0 / (width as f32).sqrt()]);
        let scaled = self.writer.add("Mul", &[&scores, &scale], &part("scaled"), Vec::new());
        let shares = self.writer.add("Softmax", &[&scaled], &part("shares"), vec![whole("axis", -1)]);
        let mixed = self.writer.add("MatMul", &[&shares, &made[2]], &part("mixed"), Vec::new());
        let steps_first = self.writer.transpose(&mixed, &part("steps_first"), &[0, 2, 1, 3]);
        let context = self.writer.reshape(&steps_first, &part("context"), &[0, steps, features]);
        let tensor = node.tensor("out_proj.weight").expect("the layer has it");
        let values = self.values(tensor);
        let weight = self.factor(&tensor.name, &values, [features, features]);
        self.product(node, &context, &weight, "out_proj.bias", name)
    }

    fn recurrent(&mut self, node: &Node, spec: RecurrentSpec, input: &str) -> String {
        let name = &node.name;
        let part = |part: &str| format!("{name}.{part}");
        let mut input = input.to_owned();
        if let Shape::Image { height, .. } = node.from {
            let pixels = self.channels_last(node, &input);
            input = self.writer.reshape(&pixels, &part("rows"), &[0, height, inputs(node.from)]);
        }
        let steps_first = self.writer.transpose(&input, &part("steps_first"), &[1, 0, 2]);
        // Which of PyTorch's gates ONNX's are: i, o, f, c of i, f, c, o; z, r, h of r, z, h.
        let (kind, gates): (_, &[usize]) = match spec.cell {
            Cell::Lstm => ("LSTM", &[0, 3, 1, 2]),
            Cell::Gru => ("GRU", &[1, 0, 2]),
            Cell::Rnn => ("RNN", &[0]),
        };
        let (units, width) = (spec.units, gates.len() * spec.units);
        let suffixes: &[&str] = if spec.bidirectional { &["", "_reverse"] } else { &[""] };
        let (directions, features) = (suffixes.len(), suffixes.len() * units);
        let gathered = |exporter: &Self, name: &str, suffix: &str| {
            let values =
                exporter.values(node.tensor(&format!("{name}_l0{suffix}")).expect("the layer has it"));
            let gate = values.len() / gates.len();
            gates.iter().flat_map(|index| values[index * gate..][..gate].to_vec()).collect::<Vec<f32>>()
        };
        let mut operands = vec![steps_first];
        for (what, columns) in [("weight_ih", inputs(node.from)), ("weight_hh", units)] {
            let values: Vec<Vec<f32>> = suffixes.iter().map(|suffix| gathered(self, what, suffix)).collect();
            let shape = [directions, width, columns];
            operands.push(self.recurrent_weight(&part(what), &values, shape));
        }
        let mut bias = Vec::new();
        for suffix in suffixes {
            bias.extend(gathered(self, "bias_ih", suffix));
            bias.extend(gathered(self, "bias_hh", suffix));
        }
        operands.push(self.writer.floats(&part("bias"), &[directions, 2 * width], &bias));
        let direction = if spec.bidirectional { "bidirectional" } else { "forward" };
        let mut attributes = vec![whole("hidden_size", units as i64), text("direction", direction)];
        if spec.cell == Cell::Gru {
            attributes.push(whole("linear_before_reset", 1));
        }
        let operands: Vec<&str> = operands.iter().map(String::as_str).collect();
        let states = part("states");
        if spec.sequence {
            self.writer.add_with(kind, &operands, &states, &[&states], attributes);
            let sorted = self.writer.transpose(&states, &part("sorted"), &[2, 0, 1, 3]);
            return self.writer.reshape(&sorted, name, &of_sequence(node.to));
        }
        self.writer.add_with(kind, &operands, &states, &["", &states], attributes);
        let sorted = self.writer.transpose(&states, &part("sorted"), &[1, 0, 2]);
        self.writer.reshape(&sorted, name, &[0, features])
    }

    /// `[directions, gates · units, columns]`, of one matrix a direction.
    fn recurrent_weight(&mut self, name: &str, values: &[Vec<f32>], shape: [usize; 3]) -> String {
        let [_, width, columns] = shape;
        if self.quantisation.is_none() {
            return self.writer.floats(name, &shape, &values.concat());
        }
        let mut parts = Vec::new();
        for (direction, values) in values.iter().enumerate() {
            let rows = Rows::of(values, width);
            parts.push(self.writer.quantised_weight(
                &format!("{name}.{direction}"),
                &[1, width, columns],
                1,
                &rows,
            ));
        }
        match &parts[..] {
            [one] => one.clone(),
            _ => {
                let parts: Vec<&str> = parts.iter().map(String::as_str).collect();
                self.writer.add("Concat", &parts, name, vec![whole("axis", 0)])
            }
        }
    }
}

/// Whether each value that comes out of a layer is one that went in, for a grid's rounding is then the same before and behind.
fn keeps_values(layer: &LayerSpec) -> bool {
    match layer {
        LayerSpec::MaxPool(_) | LayerSpec::GlobalMaxPool | LayerSpec::Flatten | LayerSpec::Dropout { .. } => {
            true
        }
        // These move values and keep them too; a layer behind them rounds its own input.
        LayerSpec::Rows
        | LayerSpec::Columns
        | LayerSpec::Pixels
        | LayerSpec::Patches { .. }
        | LayerSpec::Transpose => false,
        LayerSpec::Convolution(_)
        | LayerSpec::Depthwise(_)
        | LayerSpec::Activation(_)
        | LayerSpec::AveragePool(_)
        | LayerSpec::GlobalAveragePool
        | LayerSpec::Dense { .. }
        | LayerSpec::BatchNorm
        | LayerSpec::LayerNorm
        | LayerSpec::Position
        | LayerSpec::Attention { .. }
        | LayerSpec::Recurrent(_)
        | LayerSpec::Residual { .. } => false,
    }
}

/// `[n, steps, features]`.
fn of_sequence(shape: Shape) -> [usize; 3] {
    let Shape::Sequence { steps, features } = shape else { unreachable!("a sequence") };
    [0, steps, features]
}
