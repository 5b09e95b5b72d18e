//! Where a network's values lie in one piece of memory.

use crate::graph::{Graph, Node, Operation, Place};
use nn::LayerSpec;

/// How a node's output comes about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Way {
    /// It is the input as it lies in memory.
    Alias,
    /// The input is overwritten.
    InPlace,
    /// The input is copied, and the copy overwritten.
    Copied,
    /// Written apart from the input.
    Apart,
}

/// One stretch of the memory.
#[derive(Debug, Clone)]
struct Stretch {
    length: usize,
    /// The first node that uses it, and the last.
    nodes: [usize; 2],
    offset: usize,
}

/// The layout of a network's memory, in floats.
pub(super) struct Memory {
    /// By node.
    pub(super) ways: Vec<Way>,
    stretches: Vec<Stretch>,
    /// Each place's stretch.
    places: Vec<usize>,
    /// Each node's stretch of its own, used by nothing else.
    scratch: Vec<usize>,
    /// Floats in all.
    pub(super) length: usize,
}

impl Memory {
    /// Lays out the memory; `scratch` is what a node needs beside its input and output.
    pub(super) fn of(graph: &Graph, scratch: impl Fn(&Node) -> usize) -> Self {
        let last = graph.nodes.len();
        let mut last_use = vec![0; last + 1];
        for (index, node) in graph.nodes.iter().enumerate() {
            last_use[node.input] = index;
            if let Operation::Sum(other) = node.operation {
                last_use[other] = index;
            }
        }
        last_use[last] = last;
        let mut memory = Self {
            ways: Vec::new(),
            stretches: Vec::new(),
            places: Vec::new(),
            scratch: Vec::new(),
            length: 0,
        };
        memory.new_place(graph.nodes[0].from.length(), 0, last_use[0]);
        for (index, node) in graph.nodes.iter().enumerate() {
            let stretch = memory.places[node.input];
            let free = memory.stretches[stretch].nodes[1] <= index;
            let way = match kind(node) {
                Way::InPlace if !free => Way::Copied,
                way => way,
            };
            memory.ways.push(way);
            let after = last_use[index + 1];
            match way {
                Way::Alias | Way::InPlace => {
                    memory.places.push(stretch);
                    let end = &mut memory.stretches[stretch].nodes[1];
                    *end = after.max(*end);
                }
                Way::Copied | Way::Apart => memory.new_place(node.to.length(), index, after),
            }
            memory.scratch.push(memory.stretches.len());
            memory.stretches.push(Stretch { length: scratch(node), nodes: [index; 2], offset: 0 });
        }
        memory.lay_out();
        memory
    }

    fn new_place(&mut self, length: usize, first: usize, last: usize) {
        self.places.push(self.stretches.len());
        self.stretches.push(Stretch { length, nodes: [first, last], offset: 0 });
    }

    /// Each stretch, in the order of their beginnings, in the first gap between those that are in use with it.
    fn lay_out(&mut self) {
        for index in 0..self.stretches.len() {
            let (before, from) = self.stretches.split_at_mut(index);
            let stretch = &mut from[0];
            let [first, last] = stretch.nodes;
            let meets =
                |other: &&Stretch| other.nodes[0] <= last && first <= other.nodes[1] && other.length > 0;
            let mut others: Vec<&Stretch> = before.iter().filter(meets).collect();
            others.sort_unstable_by_key(|other| other.offset);
            for other in others {
                if stretch.offset + stretch.length <= other.offset {
                    break;
                }
                stretch.offset = stretch.offset.max(other.offset + other.length);
            }
            self.length = self.length.max(stretch.offset + stretch.length);
        }
    }

    /// The offset of a place's values.
    pub(super) fn place(&self, place: Place) -> usize {
        self.stretches[self.places[place]].offset
    }

    /// The offset of what a node has for itself.
    pub(super) fn scratch(&self, node: usize) -> usize {
        self.stretches[self.scratch[node]].offset
    }
}

/// How a node would go about it were its input read by nothing else.
fn kind(node: &Node) -> Way {
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
