//! A network as a list of plain operations, as other formats want it.

use crate::state_dict::{StateTensor, of_layer};
use nn::{Architecture, LayerSpec, ParameterSpec, Shape};

/// Where a value lies: 0 is the images, n + 1 the output of node n.
pub(crate) type Place = usize;

/// A network's nodes in the order in which they are computed; the last one's output is the logits.
pub(crate) struct Graph {
    pub(crate) nodes: Vec<Node>,
    pub(crate) height: usize,
    pub(crate) width: usize,
}

/// One operation.
pub(crate) struct Node {
    /// The layer's kind and number, such as `conv1`: unique, and for those that learn the name that the model gives it.
    pub(crate) name: String,
    pub(crate) operation: Operation,
    pub(crate) input: Place,
    /// The input's shape.
    pub(crate) from: Shape,
    /// The output's shape.
    pub(crate) to: Shape,
    /// Height, width and channels of the image whose values, channel by channel, the input list is; see [`Graph::of`].
    pub(crate) channels_first: Option<[usize; 3]>,
    /// The parameters as PyTorch has them.
    pub(crate) tensors: Vec<StateTensor>,
    /// The parameters as the model has them.
    pub(crate) parameters: Vec<ParameterSpec>,
}

/// What a node does.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Operation {
    /// A layer, but for a residual one.
    Layer(LayerSpec),
    /// Adds another place's values.
    Sum(Place),
}

impl Node {
    /// The parameter of a name within the layer, as the model has it.
    pub(crate) fn parameter(&self, name: &str) -> Option<&ParameterSpec> {
        let found = |spec: &&ParameterSpec| spec.name.strip_prefix(&self.name) == Some(&format!(".{name}"));
        self.parameters.iter().find(found)
    }

    /// The tensor of a name within the layer, as PyTorch has it.
    pub(crate) fn tensor(&self, name: &str) -> Option<&StateTensor> {
        self.tensors.iter().find(|tensor| tensor.name.strip_prefix(&self.name) == Some(&format!(".{name}")))
    }
}

impl Graph {
    /// The nodes of an architecture whose shapes the model that has the parameters `specs` has checked.
    ///
    /// Images lie in memory channels last here and channels first in PyTorch and ONNX, so a flattened image is another
    /// order of the same list there. Where only functions of single values stand between `flatten` and the dense layer
    /// that reads it, the order is theirs ([`Node::channels_first`]) and the dense layer's columns follow; elsewhere, as
    /// within sums, the order is ours and their flattening has to transpose first.
    pub(crate) fn of(
        architecture: &Architecture,
        height: usize,
        width: usize,
        classes: usize,
        specs: &[ParameterSpec],
    ) -> Self {
        let mut builder = Builder {
            classes,
            specs,
            place: 0,
            shape: Shape::Image { height, width, channels: 1 },
            order: None,
            nodes: Vec::new(),
            counts: Vec::new(),
        };
        builder.add_all(&architecture.layers);
        Self { nodes: builder.nodes, height, width }
    }

    /// The nodes that read a place.
    pub(crate) fn readers(&self, place: Place) -> impl Iterator<Item = usize> {
        let reads = move |node: &Node| {
            node.input == place || matches!(node.operation, Operation::Sum(other) if other == place)
        };
        self.nodes.iter().enumerate().filter(move |(_, node)| reads(node)).map(|(index, _)| index)
    }

    /// Whether a place is read otherwise than as the next node's input.
    pub(crate) fn is_kept(&self, place: Place) -> bool {
        let is_sum =
            |index: usize| matches!(self.nodes[index].operation, Operation::Sum(other) if other == place);
        self.readers(place).any(|index| index != place || is_sum(index))
    }

    /// Holds that the tensors cover each of the model's parameters once: a layer whose parameters had no tensor would
    /// lose them when it is saved, and keep zeros when it is loaded.
    pub(crate) fn assert_complete(&self, parameters: usize) {
        let mut covered = vec![false; parameters];
        for tensor in self.tensors().filter(|tensor| !tensor.addend) {
            for index in tensor.indices() {
                assert!(!std::mem::replace(&mut covered[index], true), "{} has a value twice", tensor.name);
            }
        }
        let lost = covered.iter().filter(|covered| !**covered).count();
        assert_eq!(lost, 0, "parameters without a tensor");
    }

    /// Every tensor, as PyTorch has them.
    pub(crate) fn tensors(&self) -> impl Iterator<Item = &StateTensor> {
        self.nodes.iter().flat_map(|node| &node.tensors)
    }
}

struct Builder<'a> {
    classes: usize,
    specs: &'a [ParameterSpec],
    place: Place,
    shape: Shape,
    order: Option<[usize; 3]>,
    nodes: Vec<Node>,
    counts: Vec<(&'static str, usize)>,
}

impl Builder<'_> {
    fn add_all(&mut self, layers: &[LayerSpec]) {
        for (index, layer) in layers.iter().enumerate() {
            match layer {
                LayerSpec::Residual { body, shortcut } => self.add_residual(body, shortcut),
                _ => self.add(layer, &layers[index + 1..]),
            }
        }
    }

    fn add(&mut self, layer: &LayerSpec, next: &[LayerSpec]) {
        let to = layer.output(self.shape, self.classes).expect("the model has been built of it");
        if let (LayerSpec::Flatten, Shape::Image { height, width, channels }) = (layer, self.shape) {
            let moved = channels > 1 && height * width > 1;
            self.order = (moved && ends_in_dense(next)).then_some([height, width, channels]);
        }
        self.push(layer.kind(), Operation::Layer(layer.clone()), to);
        if matches!(layer, LayerSpec::Dense { .. }) {
            self.order = None;
        }
    }

    fn add_residual(&mut self, body: &[LayerSpec], shortcut: &[LayerSpec]) {
        let (place, shape) = (self.place, self.shape);
        self.add_all(body);
        let (sum, to) = (self.place, self.shape);
        (self.place, self.shape) = (place, shape);
        self.add_all(shortcut);
        let other = self.place;
        (self.place, self.shape) = (sum, to);
        self.push("sum", Operation::Sum(other), to);
    }

    fn push(&mut self, kind: &'static str, operation: Operation, to: Shape) {
        let number = match self.counts.iter_mut().find(|(name, _)| *name == kind) {
            Some((_, count)) => {
                *count += 1;
                *count
            }
            None => {
                self.counts.push((kind, 1));
                1
            }
        };
        let name = format!("{kind}{number}");
        let of_this =
            |spec: &&ParameterSpec| spec.name.split_once('.').is_some_and(|(layer, _)| layer == name);
        let parameters: Vec<ParameterSpec> = self.specs.iter().filter(of_this).cloned().collect();
        let mut node = Node {
            name,
            operation,
            input: self.place,
            from: self.shape,
            to,
            channels_first: self.order,
            tensors: Vec::new(),
            parameters,
        };
        node.tensors = of_layer(&node);
        self.nodes.push(node);
        self.place = self.nodes.len();
        self.shape = to;
    }
}

/// Whether a dense layer follows with nothing before it but functions of single values of the list.
fn ends_in_dense(next: &[LayerSpec]) -> bool {
    for layer in next {
        match layer {
            LayerSpec::Dense { .. } => return true,
            LayerSpec::Activation(_) | LayerSpec::Dropout { .. } | LayerSpec::BatchNorm => {}
            LayerSpec::Convolution(_)
            | LayerSpec::Depthwise(_)
            | LayerSpec::MaxPool(_)
            | LayerSpec::AveragePool(_)
            | LayerSpec::GlobalMaxPool
            | LayerSpec::GlobalAveragePool
            | LayerSpec::Flatten
            | LayerSpec::LayerNorm
            | LayerSpec::Rows
            | LayerSpec::Columns
            | LayerSpec::Pixels
            | LayerSpec::Patches { .. }
            | LayerSpec::Position
            | LayerSpec::Attention { .. }
            | LayerSpec::Transpose
            | LayerSpec::Recurrent(_)
            | LayerSpec::Residual { .. } => return false,
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;
    use nn::{InstructionSet, Model};

    /// A small network's graph, and how many parameters it has.
    fn graph() -> (Graph, usize) {
        let layers = ["conv 2 3x3", "batchnorm", "flatten", "dense classes"];
        let architecture = Architecture {
            name: "small".to_owned(),
            summary: String::new(),
            citation: String::new(),
            layers: layers.iter().map(|layer| layer.parse().expect("a layer")).collect(),
        };
        let model: Model<f32> =
            Model::new(InstructionSet::detect(), &architecture, 5, 5, 2, 1).expect("it fits");
        (Graph::of(&architecture, 5, 5, 2, model.specs()), model.parameters().len())
    }

    #[test]
    fn every_parameter_has_a_tensor() {
        let (graph, parameters) = graph();
        graph.assert_complete(parameters);
    }

    #[test]
    #[should_panic(expected = "parameters without a tensor")]
    fn a_layer_that_would_lose_a_parameter_is_found() {
        let (mut graph, parameters) = graph();
        graph.nodes[1].tensors.pop();
        graph.assert_complete(parameters);
    }

    #[test]
    #[should_panic(expected = "conv1.bias has a value twice")]
    fn a_parameter_of_two_tensors_is_found() {
        let (mut graph, parameters) = graph();
        let again = graph.nodes[0].tensors[1].clone();
        graph.nodes[0].tensors.push(again);
        graph.assert_complete(parameters);
    }
}
