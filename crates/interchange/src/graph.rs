//! A network's operations with their weights as other formats want them.

use crate::state_dict::{StateTensor, of_layer, parameter};
use nn::{LayerSpec, ParameterSpec, Shape};
use std::ops::Deref;

pub(crate) use spec::{Operation, Place};

/// A network's nodes in the order in which they are computed; the last one's output is the logits.
pub(crate) struct Graph {
    pub(crate) nodes: Vec<Node>,
}

/// A node of the network, with its parameters.
pub(crate) struct Node {
    node: spec::Node,
    /// Height, width and channels of the image whose values, channel by channel, the input list is; see [`Graph::of`].
    pub(crate) channels_first: Option<[usize; 3]>,
    /// The parameters as PyTorch has them.
    pub(crate) tensors: Vec<StateTensor>,
    /// The parameters as the model has them.
    pub(crate) parameters: Vec<ParameterSpec>,
}

impl Deref for Node {
    type Target = spec::Node;

    fn deref(&self) -> &spec::Node {
        &self.node
    }
}

impl Node {
    /// The parameter of a name within the layer, as the model has it.
    pub(crate) fn parameter(&self, name: &str) -> Option<&ParameterSpec> {
        parameter(&self.node, &self.parameters, name)
    }

    /// The tensor of a name within the layer, as PyTorch has it.
    pub(crate) fn tensor(&self, name: &str) -> Option<&StateTensor> {
        self.tensors.iter().find(|tensor| tensor.name.strip_prefix(&self.name) == Some(&format!(".{name}")))
    }
}

impl Graph {
    /// The nodes of `graph`, whose model has the parameters `specs`.
    ///
    /// Images lie in memory channels last here and channels first in PyTorch and ONNX, so a flattened image is another
    /// order of the same list there. Where only functions of single values stand between `flatten` and the dense layer
    /// that reads it, the order is theirs ([`Node::channels_first`]) and the dense layer's columns follow; elsewhere, as
    /// within sums, the order is ours and their flattening has to transpose first.
    pub(crate) fn of(graph: spec::Graph, specs: &[ParameterSpec]) -> Self {
        let mut order = None;
        let orders: Vec<Option<[usize; 3]>> = (0..graph.nodes.len())
            .map(|index| {
                let node = &graph.nodes[index];
                if let (Operation::Layer(LayerSpec::Flatten), Shape::Image { height, width, channels }) =
                    (&node.operation, node.from)
                {
                    let moved = channels > 1 && height * width > 1;
                    order = (moved && ends_in_dense(&graph, index)).then_some([height, width, channels]);
                }
                let of_this = order;
                if let Operation::Layer(LayerSpec::Dense { .. }) = node.operation {
                    order = None;
                }
                of_this
            })
            .collect();
        let nodes = graph.nodes.into_iter().zip(orders).map(|(node, channels_first)| {
            let of_this = |spec: &&ParameterSpec| {
                spec.name.split_once('.').is_some_and(|(layer, _)| layer == node.name)
            };
            let parameters: Vec<ParameterSpec> = specs.iter().filter(of_this).cloned().collect();
            let tensors = of_layer(&node, channels_first, &parameters);
            Node { node, channels_first, tensors, parameters }
        });
        Self { nodes: nodes.collect() }
    }

    /// The nodes that read a place.
    pub(crate) fn readers(&self, place: Place) -> impl Iterator<Item = usize> {
        (place..self.nodes.len()).filter(move |index| self.nodes[*index].reads(place))
    }

    /// Whether a place is read otherwise than as the next node's input.
    pub(crate) fn is_kept(&self, place: Place) -> bool {
        let is_sum = |index: usize| self.nodes[index].operation == Operation::Sum(place);
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

/// Whether a dense layer follows the node with nothing before it but functions of single values of the list.
fn ends_in_dense(graph: &spec::Graph, index: usize) -> bool {
    let Some(next) = graph.follower(index) else { return false };
    let layer = match &next.operation {
        Operation::Layer(layer) => layer,
        Operation::Sum(_) => return false,
    };
    match layer {
        LayerSpec::Dense { .. } => true,
        LayerSpec::Activation(_) | LayerSpec::Dropout { .. } | LayerSpec::BatchNorm => {
            ends_in_dense(graph, index + 1)
        }
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
        | LayerSpec::Residual { .. } => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use nn::{Architecture, InstructionSet, Model};

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
            Model::new(InstructionSet::detect(), &architecture, [5, 5], 2, 1).expect("it fits");
        let graph = architecture.graph([5, 5], 2).expect("it fits");
        (Graph::of(graph, model.specs()), model.parameters().len())
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
