//! A network in whole numbers of eight bits: what is computed in one pass, and the memory that it takes.
//!
//! Jacob et al., Quantization and training of neural networks for efficient integer-arithmetic-only inference, 2018. Here
//! stands what follows from the layers alone; the numbers themselves are the exporter's.

use crate::{
    ActivationSpec, Graph, ImageShape, LayerSpec, Memory, MemoryStep, Node, Operation, Place, Shape, Sliding,
    Way,
};
use serde::Serialize;

/// Most products in a sum: so many of −128 · 127, the input's zero point taken off them and a bias stay within 32 bits.
const MOST_PRODUCTS: usize = 1 << 15;

/// A pass over values of eight bits.
#[derive(Debug, Clone, PartialEq)]
pub struct Stage {
    /// The first of the graph's nodes that it computes.
    pub first: usize,
    /// The last of them, whose output is the stage's.
    pub last: usize,
    /// What it reads: 0 is the image, n + 1 the output of stage n.
    pub input: Place,
    /// What it computes.
    pub operation: StageOperation,
    /// The batch normalisation whose factors and addends are in its weights and biases.
    pub normalisation: Option<usize>,
    /// Whether what is below zero becomes zero.
    pub relu: bool,
}

/// What a stage computes. Images are `[height, width, channels]`; a sequence is `[steps, 1, features]`, a list
/// `[1, 1, features]`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum StageOperation {
    /// Sums of products of windows of the channels of a group.
    Convolution {
        /// Image that is read.
        from: [usize; 3],
        /// Image that is made.
        to: [usize; 3],
        /// Where it looks.
        sliding: Sliding,
        /// How many parts the channels are divided into.
        groups: usize,
    },
    /// Sums of products of windows of each channel. A batch normalisation that no products precede is one of 1×1.
    Depthwise {
        /// Image that is read.
        from: [usize; 3],
        /// Image that is made.
        to: [usize; 3],
        /// Where it looks.
        sliding: Sliding,
    },
    /// Sums of products of a whole list.
    Dense {
        /// Values of the list.
        inputs: usize,
        /// Sums.
        units: usize,
        /// Whether the sums themselves are the network's logits, in units of what they are worth.
        logits: bool,
    },
    /// A function of each value, of which there are 256.
    Table(ActivationSpec),
    /// The largest value, or the mean, of each window.
    Pool {
        /// Image that is read.
        from: [usize; 3],
        /// Image that is made.
        to: [usize; 3],
        /// Rows and columns of a window.
        window: [usize; 2],
        /// Rows and columns between neighbouring windows.
        stride: usize,
        /// Whether it is the mean.
        mean: bool,
    },
    /// Adds another place's values to the input's.
    Sum(Place),
    /// An image as the sequence of its columns.
    Columns([usize; 3]),
    /// An image as the sequence of its square patches.
    Patches {
        /// Image that is read.
        from: [usize; 3],
        /// Rows and columns of a patch.
        size: usize,
    },
}

/// A network's stages in the order in which they are computed, and their memory.
#[derive(Debug, Clone, PartialEq)]
pub struct IntegerGraph {
    /// At least one.
    pub stages: Vec<Stage>,
    /// Values of each stage's output.
    pub lengths: Vec<usize>,
    /// Where values lie, in bytes.
    pub memory: Memory,
    /// Where they lie when Arm's CMSIS-NN computes convolutions: with its buffers, and no output over its input, which the library reads
    /// more than once.
    pub cmsis_nn_memory: Memory,
    /// Whether each channel of an image has a table from its bytes to what the first stage reads.
    pub has_input_tables: bool,
    /// Bytes of weights, biases, factors and tables.
    pub constant_bytes: usize,
}

/// What an int8 network takes of a microcontroller's memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Footprint {
    /// Bytes of working memory, which the caller gives.
    pub ram_bytes: usize,
    /// Bytes of constants: weights, biases, factors and tables; without the code.
    pub flash_bytes: usize,
}

impl IntegerGraph {
    /// The stages of a graph whose images are prepared, or not.
    ///
    /// # Errors
    /// Names a layer that has no form in whole numbers.
    pub fn of(graph: &Graph, is_prepared: bool) -> Result<Self, String> {
        let mut walk = Walk { graph, stages: Vec::new(), places: vec![0] };
        let mut index = 0;
        while index < graph.nodes.len() {
            index = walk.stage(index)?;
        }
        let stages = walk.stages;
        if stages.is_empty() {
            return Err("a layer that computes something is needed".to_owned());
        }
        let image = graph.nodes[0].from;
        let has_input_tables = is_prepared && image.features() > 1;
        let tables = if has_input_tables { 256 * image.features() } else { 0 };
        let constants = |stage: &Stage| stage.operation.constant_bytes();
        let constant_bytes = tables + stages.iter().map(constants).sum::<usize>();
        let steps: Vec<MemoryStep> = stages.iter().map(|stage| stage.memory(graph)).collect();
        let memory = Memory::of(words(image.length()), &steps);
        let cmsis_nn_steps = steps.iter().zip(&stages).map(|(step, stage)| match stage.operation {
            StageOperation::Convolution { .. } | StageOperation::Depthwise { .. } => MemoryStep {
                way: Way::Apart,
                scratch: stage.operation.cmsis_nn_buffer_bytes(),
                ..step.clone()
            },
            _ => step.clone(),
        });
        let cmsis_nn_memory = Memory::of(words(image.length()), &cmsis_nn_steps.collect::<Vec<_>>());
        let lengths = stages.iter().map(|stage| graph.nodes[stage.last].to.length()).collect();
        Ok(Self { stages, lengths, memory, cmsis_nn_memory, has_input_tables, constant_bytes })
    }

    /// The memory that it takes.
    pub fn footprint(&self) -> Footprint {
        Footprint { ram_bytes: self.memory.length, flash_bytes: self.constant_bytes }
    }
}

/// Bytes, rounded up so that what follows them begins at a word.
fn words(bytes: usize) -> usize {
    bytes.next_multiple_of(4)
}

/// The image that a shape is read as.
fn image(shape: Shape) -> [usize; 3] {
    match shape {
        Shape::Image { height, width, channels } => [height, width, channels],
        Shape::Sequence { steps, features } => [steps, 1, features],
        Shape::Vector(features) => [1, 1, features],
    }
}

impl Stage {
    fn memory(&self, graph: &Graph) -> MemoryStep {
        let other = match self.operation {
            StageOperation::Sum(other) => Some(other),
            _ => None,
        };
        let length = if self.gives_logits() { 0 } else { words(graph.nodes[self.last].to.length()) };
        let (way, scratch) = (self.operation.way(), words(self.operation.scratch()));
        MemoryStep { input: self.input, other, way, length, scratch }
    }

    /// Whether its sums are the network's logits.
    pub fn gives_logits(&self) -> bool {
        matches!(self.operation, StageOperation::Dense { logits: true, .. })
    }
}

impl StageOperation {
    /// Bytes of its constants. Each sum has a bias and a factor of four bytes, and but for logits one that says how far to
    /// shift.
    fn constant_bytes(&self) -> usize {
        match *self {
            Self::Convolution { to: [_, _, filters], .. } => filters * (self.window_length() + 9),
            Self::Depthwise {
                to: [_, _, channels],
                sliding: Sliding { kernel: [rows, columns], .. },
                ..
            } => channels * (rows * columns + 9),
            Self::Dense { inputs, units, logits } => units * (inputs + if logits { 8 } else { 9 }),
            Self::Table(_) => 256,
            Self::Pool { .. } | Self::Sum(_) | Self::Columns(_) | Self::Patches { .. } => 0,
        }
    }

    /// Products of one sum.
    fn window_length(&self) -> usize {
        match *self {
            Self::Convolution { from, sliding: Sliding { kernel: [rows, columns], .. }, groups, .. } => {
                rows * columns * (from[2] / groups)
            }
            Self::Depthwise { sliding: Sliding { kernel: [rows, columns], .. }, .. } => rows * columns,
            Self::Dense { inputs, .. } => inputs,
            Self::Table(_) | Self::Pool { .. } | Self::Sum(_) | Self::Columns(_) | Self::Patches { .. } => 0,
        }
    }

    /// Bytes that it needs beside its input and output: a convolution gathers a window.
    fn scratch(&self) -> usize {
        match self {
            Self::Convolution { .. } => self.window_length(),
            Self::Depthwise { .. }
            | Self::Dense { .. }
            | Self::Table(_)
            | Self::Pool { .. }
            | Self::Sum(_)
            | Self::Columns(_)
            | Self::Patches { .. } => 0,
        }
    }

    /// Bytes of the buffer that CMSIS-NN 7 asks for: of a convolution two windows of 16 bits or four whole vectors of 8, of a depthwise one
    /// a window of 16 bits; 0 of what it does not compute.
    pub fn cmsis_nn_buffer_bytes(&self) -> usize {
        match *self {
            Self::Convolution { from, sliding: Sliding { kernel: [rows, columns], .. }, .. } => {
                4 * (rows * columns * from[2]).next_multiple_of(16)
            }
            Self::Depthwise { from, sliding: Sliding { kernel: [rows, columns], .. }, .. } => {
                words(2 * rows * columns * from[2])
            }
            _ => 0,
        }
    }

    fn way(&self) -> Way {
        match *self {
            // Where no output lies behind the window that it is made of, those before it can be overwritten: windows are
            // gathered before their sums are written.
            Self::Convolution { from, to, sliding, groups } => {
                let Sliding { stride, padding, .. } = sliding;
                let never_ahead = to[2] <= stride * from[2] && to[1] * to[2] <= stride * from[1] * from[2];
                let fits = to.iter().product::<usize>() <= from.iter().product();
                match groups == 1 && padding == [0, 0] && never_ahead && fits {
                    true => Way::InPlace,
                    false => Way::Apart,
                }
            }
            // As are a pool's windows, which are read before their value is written.
            Self::Pool { .. } | Self::Table(_) | Self::Sum(_) => Way::InPlace,
            Self::Depthwise { .. } | Self::Dense { .. } | Self::Columns(_) | Self::Patches { .. } => {
                Way::Apart
            }
        }
    }
}

struct Walk<'a> {
    graph: &'a Graph,
    stages: Vec<Stage>,
    /// The stages' places by the graph's.
    places: Vec<Place>,
}

impl Walk<'_> {
    /// Adds the stage that a node begins, if any; the node behind it.
    fn stage(&mut self, index: usize) -> Result<usize, String> {
        let node = &self.graph.nodes[index];
        let input = self.places[node.input];
        let Some(operation) = self.operation(node)? else {
            self.places.push(input);
            return Ok(index + 1);
        };
        let mut stage =
            Stage { first: index, last: index, input, operation, normalisation: None, relu: false };
        if stage.operation.window_length() > MOST_PRODUCTS {
            let products = stage.operation.window_length();
            return Err(format!(
                "{} adds {products} products, of which {MOST_PRODUCTS} fit 32 bits",
                node.name
            ));
        }
        self.take_followers(&mut stage);
        self.places.resize(stage.last + 2, self.stages.len() + 1);
        let behind = &self.graph.nodes[stage.last + 1..];
        if let StageOperation::Dense { logits, .. } = &mut stage.operation {
            *logits = !stage.relu && behind.iter().all(is_alias);
        }
        self.stages.push(stage);
        Ok(self.places.len() - 1)
    }

    /// Normalisation and ReLU behind products or a sum are part of its last step.
    fn take_followers(&self, stage: &mut Stage) {
        let is_product = match stage.operation {
            StageOperation::Convolution { .. }
            | StageOperation::Depthwise { .. }
            | StageOperation::Dense { .. } => true,
            StageOperation::Sum(_) => false,
            StageOperation::Table(_)
            | StageOperation::Pool { .. }
            | StageOperation::Columns(_)
            | StageOperation::Patches { .. } => return,
        };
        if is_batch_norm(&self.graph.nodes[stage.first]) {
            stage.normalisation = Some(stage.first);
        }
        while let Some(next) = self.graph.follower(stage.last) {
            match next.operation {
                Operation::Layer(LayerSpec::Dropout { .. }) => {}
                Operation::Layer(LayerSpec::BatchNorm)
                    if is_product && stage.normalisation.is_none() && !stage.relu =>
                {
                    stage.normalisation = Some(stage.last + 1);
                }
                Operation::Layer(LayerSpec::Activation(ActivationSpec::Relu)) => stage.relu = true,
                _ => break,
            }
            stage.last += 1;
        }
    }

    /// What a node computes, if anything.
    fn operation(&self, node: &Node) -> Result<Option<StageOperation>, String> {
        let layer = match &node.operation {
            Operation::Sum(other) => return Ok(Some(StageOperation::Sum(self.places[*other]))),
            Operation::Layer(layer) => layer,
        };
        let (from, to) = (image(node.from), image(node.to));
        let operation = match layer {
            LayerSpec::Convolution(spec) => {
                StageOperation::Convolution { from, to, sliding: spec.sliding, groups: spec.groups }
            }
            LayerSpec::Depthwise(spec) => StageOperation::Depthwise { from, to, sliding: spec.sliding },
            LayerSpec::BatchNorm => StageOperation::Depthwise { from, to, sliding: Sliding::over(1, 1) },
            LayerSpec::Dense { .. } => match node.from {
                Shape::Sequence { .. } => {
                    StageOperation::Convolution { from, to, sliding: Sliding::over(1, 1), groups: 1 }
                }
                list => {
                    StageOperation::Dense { inputs: list.length(), units: node.to.length(), logits: false }
                }
            },
            LayerSpec::Activation(function) => StageOperation::Table(*function),
            LayerSpec::MaxPool(spec) | LayerSpec::AveragePool(spec) => {
                let mean = matches!(layer, LayerSpec::AveragePool(_));
                StageOperation::Pool { from, to, window: [spec.size; 2], stride: spec.stride, mean }
            }
            LayerSpec::GlobalMaxPool | LayerSpec::GlobalAveragePool => {
                let mean = *layer == LayerSpec::GlobalAveragePool;
                StageOperation::Pool { from, to, window: [from[0], from[1]], stride: 1, mean }
            }
            LayerSpec::Columns => StageOperation::Columns(from),
            // A sequence is read as an image of so many rows and columns.
            LayerSpec::Transpose => StageOperation::Columns([from[0], from[2], 1]),
            LayerSpec::Patches { size } => StageOperation::Patches { from, size: *size },
            LayerSpec::Flatten | LayerSpec::Rows | LayerSpec::Pixels | LayerSpec::Dropout { .. } => {
                return Ok(None);
            }
            LayerSpec::LayerNorm
            | LayerSpec::Position
            | LayerSpec::Attention { .. }
            | LayerSpec::Recurrent(_) => {
                return Err(format!("{} has no form in whole numbers", node.name));
            }
            LayerSpec::Residual { .. } => unreachable!("a residual layer is its ways and a sum"),
        };
        Ok(Some(operation))
    }
}

fn is_batch_norm(node: &Node) -> bool {
    node.operation == Operation::Layer(LayerSpec::BatchNorm)
}

/// Whether a node's output is its input as it lies in memory.
fn is_alias(node: &Node) -> bool {
    match &node.operation {
        Operation::Sum(_) => false,
        Operation::Layer(layer) => match layer {
            LayerSpec::Flatten | LayerSpec::Rows | LayerSpec::Pixels | LayerSpec::Dropout { .. } => true,
            LayerSpec::Convolution(_)
            | LayerSpec::Depthwise(_)
            | LayerSpec::Activation(_)
            | LayerSpec::MaxPool(_)
            | LayerSpec::AveragePool(_)
            | LayerSpec::GlobalMaxPool
            | LayerSpec::GlobalAveragePool
            | LayerSpec::Dense { .. }
            | LayerSpec::BatchNorm
            | LayerSpec::LayerNorm
            | LayerSpec::Columns
            | LayerSpec::Patches { .. }
            | LayerSpec::Position
            | LayerSpec::Attention { .. }
            | LayerSpec::Transpose
            | LayerSpec::Recurrent(_)
            | LayerSpec::Residual { .. } => false,
        },
    }
}

impl Footprint {
    /// Of the int8 network of these layers for images of that shape.
    ///
    /// # Errors
    /// Names a layer that has no form in whole numbers, or that does not fit.
    pub fn of(
        layers: &[LayerSpec],
        image: ImageShape,
        classes: usize,
        is_prepared: bool,
    ) -> Result<Self, String> {
        let graph = Graph::of("", layers, image, classes).map_err(|error| error.to_string())?;
        Ok(IntegerGraph::of(&graph, is_prepared)?.footprint())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn graph(lines: &[&str], image: [usize; 3], is_prepared: bool) -> Result<(Graph, IntegerGraph), String> {
        let layers: Vec<LayerSpec> = lines.iter().map(|line| line.parse().expect("a layer")).collect();
        let graph = Graph::of("m", &layers, image, 2).expect("it fits");
        let integer = IntegerGraph::of(&graph, is_prepared)?;
        Ok((graph, integer))
    }

    #[test]
    fn what_follows_products_is_part_of_them() {
        let lines = [
            "conv 4 3x3 no bias",
            "batchnorm",
            "relu",
            "dropout 0.1",
            "maxpool 2",
            "batchnorm",
            "relu",
            "tanh",
            "flatten",
            "dense 3",
            "relu",
            "batchnorm",
            "dropout 0.1",
            "dense classes",
        ];
        let (graph, integer) = graph(&lines, [8, 8, 1], false).expect("whole numbers");
        let told: Vec<_> = integer
            .stages
            .iter()
            .map(|stage| {
                let [first, last] = [stage.first, stage.last].map(|node| graph.nodes[node].name.as_str());
                (first, last, stage.normalisation.map(|node| graph.nodes[node].name.as_str()), stage.relu)
            })
            .collect();
        let expected = [
            ("conv1", "dropout1", Some("batchnorm1"), true),
            ("maxpool1", "maxpool1", None, false),
            ("batchnorm2", "relu2", Some("batchnorm2"), true),
            ("tanh1", "tanh1", None, false),
            ("dense1", "relu3", None, true),
            ("batchnorm3", "dropout2", Some("batchnorm3"), false),
            ("dense2", "dense2", None, false),
        ];
        assert_eq!(told, expected);
        assert!(integer.stages[6].gives_logits() && !integer.stages[4].gives_logits());
        // 36 weights, 4 factors; 4 and 4; a table; 36 and 3, of 9 values each; 3 and 3; 6 and 2 logits.
        let constants = (36 + 4 * 9) + (4 + 4 * 9) + 256 + (3 * 36 + 3 * 9) + (3 + 3 * 9) + (2 * 3 + 2 * 8);
        assert_eq!(integer.footprint().flash_bytes, constants);
    }

    /// By hand: 8×8 bytes of image; 6×6×4 of the first convolution, with a window of 9 gathered beside both; the second, of as
    /// many channels, is written over what it reads, and so is the pool.
    #[test]
    fn outputs_are_written_over_inputs_where_they_never_overtake_them() {
        let lines = ["conv 4 3x3", "conv 4 3x3", "maxpool 2", "flatten", "dense classes"];
        let (_, integer) = graph(&lines, [8, 8, 1], false).expect("whole numbers");
        assert_eq!(integer.memory.ways, [Way::Apart, Way::InPlace, Way::InPlace, Way::Apart]);
        assert_eq!(integer.footprint().ram_bytes, 64 + 144 + 12);
        // CMSIS-NN reads a window more than once: 64 bytes, 144 beside them and 64 over the image, with 4·16 and 4·48 for windows of 9 and 36.
        assert_eq!(integer.cmsis_nn_memory.ways, [Way::Apart, Way::Apart, Way::InPlace, Way::Apart]);
        assert_eq!(integer.cmsis_nn_memory.length, 64 + 144 + 192);
        // More filters than channels overtake, and so does padding, which reads rows above.
        for line in ["conv 5 3x3", "conv 4 3x3 same"] {
            let lines = ["conv 4 3x3", line, "flatten", "dense classes"];
            let (_, integer) = graph(&lines, [8, 8, 1], false).expect("whole numbers");
            assert_eq!(integer.memory.ways[1], Way::Apart, "{line}");
        }
    }

    #[test]
    fn colour_is_prepared_by_tables() {
        let lines = ["flatten", "dense classes"];
        let of = |image, is_prepared| {
            graph(&lines, image, is_prepared).expect("whole numbers").1.footprint().flash_bytes
        };
        assert_eq!(of([2, 2, 3], true), of([2, 2, 3], false) + 3 * 256);
        assert_eq!(of([2, 2, 1], true), of([2, 2, 1], false));
    }

    #[test]
    fn layers_without_a_form_in_whole_numbers_are_named() {
        let refused = |lines: &[&str], image| graph(lines, image, false).expect_err("float32");
        for (line, name) in [("layernorm", "layernorm1"), ("lstm 3 sequence", "lstm1")] {
            let found = refused(&[line, "flatten", "dense classes"], [4, 4, 1]);
            assert_eq!(found, format!("{name} has no form in whole numbers"));
        }
        let found = refused(&["flatten", "dense classes"], [256, 256, 1]);
        assert_eq!(found, "dense1 adds 65536 products, of which 32768 fit 32 bits");
        let found = refused(&["conv 1 1x1", "flatten", "relu", "tanh", "dense classes"], [200, 200, 1]);
        assert!(found.starts_with("dense1 adds 40000 products"), "{found}");
    }
}
