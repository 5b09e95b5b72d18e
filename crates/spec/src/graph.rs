//! A network's layers unrolled: what is computed, in which order, and who reads whose output.

use crate::{
    ConvolutionSpec, DepthwiseSpec, ImageShape, LayerSpec, Shape, ShapeError, advice, layer_shape::Measure,
};
use std::collections::HashMap;

/// Most layers of a network, those within residual ones counted.
pub const MAXIMUM_LAYERS: usize = 2000;

/// Most values that a layer may make of one image: a thread holds 16 images' activations and their derivatives.
pub(crate) const LARGEST_OUTPUT: usize = 1 << 21;

/// Most values that all layers together may make of one image.
const LARGEST_OUTPUTS: usize = 1 << 23;

/// Most weights and biases: an optimiser holds four numbers of each.
const MOST_PARAMETERS: u64 = 1 << 26;

/// What stands in a position for a residual layer's second way.
pub(crate) const SHORTCUT: &str = "shortcut";

/// Where a value lies: 0 is the images, n + 1 the output of node n.
pub type Place = usize;

/// A network's layers as nodes, in the order in which they are computed; the last one's output is the logits.
///
/// This is the one place that unrolls residual layers: the engine, the exporters and [`crate::Architecture::describe`]
/// walk these nodes. It is made for one size of images, and only of layers that fit.
#[derive(Debug, Clone, PartialEq)]
pub struct Graph {
    /// At least one; the first reads the images.
    pub nodes: Vec<Node>,
}

/// A layer, or a residual layer's sum.
#[derive(Debug, Clone, PartialEq)]
pub struct Node {
    /// The layer's kind and its number among those of its kind, such as `conv1`: unique in the network. What it learns is
    /// named after it.
    pub name: String,
    /// As [`ShapeError::position`].
    pub position: String,
    /// What it does.
    pub operation: Operation,
    /// What it reads: an earlier node's output, or the images.
    pub input: Place,
    /// The input's shape.
    pub from: Shape,
    /// The output's shape.
    pub to: Shape,
    /// Weights and biases.
    pub parameters: usize,
    /// Multiplications that are added up, forward, by the layer's definition: what no window of a following pool reads
    /// counts, though it is never computed.
    pub multiply_adds: u64,
}

/// What a node does.
#[derive(Debug, Clone, PartialEq)]
pub enum Operation {
    /// A layer; never [`LayerSpec::Residual`], which is the nodes of its ways and a sum.
    Layer(LayerSpec),
    /// Adds another place's values to the input: a residual layer's body is the input, its shortcut the other.
    Sum(Place),
}

/// A batch normalisation that [`Graph::folded`] has left out, and the layer whose constants it became: their nodes' names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Folded {
    /// The convolution or the dense layer.
    pub layer: String,
    /// The normalisation.
    pub norm: String,
}

impl Node {
    /// Whether it reads a place.
    pub fn reads(&self, place: Place) -> bool {
        self.input == place || self.operation == Operation::Sum(place)
    }
}

impl Graph {
    /// The nodes of `layers`, the network `model`'s, for images of that shape and so many classes.
    ///
    /// # Errors
    /// When a layer does not fit what comes before it, the last does not give one value a class, nothing can be learnt, or
    /// the network is larger than memory is made for.
    pub fn of(
        model: &str,
        layers: &[LayerSpec],
        image: impl Into<ImageShape>,
        classes: usize,
    ) -> Result<Self, ShapeError> {
        // What is wrong with the whole, told of its last layer.
        let unfit_at_the_end = |problem, hint| ShapeError {
            model: model.to_owned(),
            position: layers.len().to_string(),
            layer: layers.last().map_or("no layer".into(), ToString::to_string),
            problem,
            hint,
        };
        let image: ImageShape = image.into();
        if !(1..=LARGEST_OUTPUT).contains(&image.length()) {
            let problem = format!("images of 1 to {LARGEST_OUTPUT} values expected, {image} found");
            return Err(unfit_at_the_end(problem, String::new()));
        }
        let mut walk = Walk {
            model,
            classes,
            place: 0,
            shape: image.into(),
            nodes: Vec::new(),
            kinds: HashMap::new(),
            values: 0,
            parameters: 0,
        };
        walk.through(layers, "")?;
        let shape = walk.shape;
        if shape != Shape::Vector(classes) {
            let problem = format!("the output must be {classes} values, one a class; it is {shape}");
            return Err(unfit_at_the_end(problem, advice::for_the_end(layers, shape)));
        }
        if walk.parameters == 0 {
            let problem = "a layer that has parameters is expected".into();
            return Err(unfit_at_the_end(problem, advice::for_the_end(layers, shape)));
        }
        Ok(Self { nodes: walk.nodes })
    }

    /// The numbers of the nodes that read a place.
    pub fn readers(&self, place: Place) -> impl Iterator<Item = usize> {
        // No node reads what comes after it.
        (place..self.nodes.len()).filter(move |index| self.nodes[*index].reads(place))
    }

    /// The node behind the one of that number, where it alone reads that one's output, once: what one pass may compute
    /// with it, since nothing else asks for the value between them.
    pub fn follower(&self, index: usize) -> Option<&Node> {
        let place = index + 1;
        let next = self.nodes.get(place)?;
        let is_once = next.input == place && next.operation != Operation::Sum(place);
        (is_once && self.readers(place).eq([place])).then_some(next)
    }

    /// The same function in inference, where a batch normalisation multiplies and adds constants: those that follow a convolution or a
    /// dense layer, which nothing else reads, are left out, and that layer has a bias. Returned with what was left out.
    pub fn folded(&self) -> (Self, Vec<Folded>) {
        let mut nodes: Vec<Node> = Vec::new();
        let mut places: Vec<Place> = vec![0];
        let mut folded = Vec::new();
        for (index, node) in self.nodes.iter().enumerate() {
            let before = index.checked_sub(1).filter(|before| self.follower(*before).is_some());
            let is_norm = node.operation == Operation::Layer(LayerSpec::BatchNorm);
            let last = nodes.last_mut().filter(|_| is_norm);
            if let (Some(before), Some(last)) = (before, last)
                && let Operation::Layer(layer) = &self.nodes[before].operation
                && let Some((layer, added)) = layer.with_bias(last.to)
            {
                (last.operation, last.parameters) = (Operation::Layer(layer), last.parameters + added);
                folded.push(Folded { layer: last.name.clone(), norm: node.name.clone() });
            } else {
                let mut node = node.clone();
                node.input = places[node.input];
                if let Operation::Sum(other) = &mut node.operation {
                    *other = places[*other];
                }
                nodes.push(node);
            }
            places.push(nodes.len());
        }
        (Self { nodes }, folded)
    }
}

impl LayerSpec {
    /// The same layer, which gives `to`, with a constant for each channel or feature, and how many parameters that adds; none where
    /// its kind has no such constants.
    fn with_bias(&self, to: Shape) -> Option<(Self, usize)> {
        let mut layer = self.clone();
        let bias = match &mut layer {
            Self::Convolution(ConvolutionSpec { bias, .. }) | Self::Depthwise(DepthwiseSpec { bias, .. }) => {
                bias
            }
            Self::Dense { bias, .. } => bias,
            _ => return None,
        };
        let added = if std::mem::replace(bias, true) { 0 } else { to.features() };
        Some((layer, added))
    }
}

struct Walk<'a> {
    model: &'a str,
    classes: usize,
    /// Where the last value lies, and its shape.
    place: Place,
    shape: Shape,
    nodes: Vec<Node>,
    /// How many nodes of each kind there are, for their names.
    kinds: HashMap<&'static str, usize>,
    /// Values of one image, and parameters, of all nodes.
    values: usize,
    parameters: u64,
}

impl Walk<'_> {
    /// Adds the nodes of `layers`, whose positions begin with `prefix`, behind the last value.
    fn through(&mut self, layers: &[LayerSpec], prefix: &str) -> Result<(), ShapeError> {
        for (index, layer) in layers.iter().enumerate() {
            let position = format!("{prefix}{}", index + 1);
            let operation = match layer.ways() {
                Some([body, shortcut]) => Operation::Sum(self.ways(body, shortcut, &position, layer)?),
                None => Operation::Layer(layer.clone()),
            };
            let measure = layer.measure(self.shape, self.classes).and_then(|measure| self.count(measure));
            let measure = measure.map_err(|problem| {
                let hint = advice::for_layer(&layers[..index], layer, self.shape);
                self.unfit(&position, layer, problem, hint)
            })?;
            self.push(layer.kind(), position, operation, measure);
        }
        Ok(())
    }

    /// Adds the nodes of both ways and goes on from the body's end; where the shortcut ends.
    fn ways(
        &mut self,
        body: &[LayerSpec],
        shortcut: &[LayerSpec],
        position: &str,
        layer: &LayerSpec,
    ) -> Result<Place, ShapeError> {
        let start = (self.place, self.shape);
        self.through(body, &format!("{position}."))?;
        let end = (self.place, self.shape);
        (self.place, self.shape) = start;
        self.through(shortcut, &format!("{position}.{SHORTCUT}."))?;
        let (other, shape) = (self.place, self.shape);
        (self.place, self.shape) = end;
        if self.shape != shape {
            let problem =
                format!("the body gives {}, the shortcut {shape}: they cannot be added", self.shape);
            let hint = "give both the same filters or units and the same strides; without a shortcut, the body must keep \
                        its input's shape";
            return Err(self.unfit(position, layer, problem, hint.into()));
        }
        Ok(other)
    }

    fn push(&mut self, kind: &'static str, position: String, operation: Operation, measure: Measure) {
        let number = self.kinds.entry(kind).or_default();
        *number += 1;
        self.nodes.push(Node {
            name: format!("{kind}{number}"),
            position,
            operation,
            input: self.place,
            from: self.shape,
            to: measure.output,
            // At most as many as a network may have.
            parameters: measure.parameters as usize,
            multiply_adds: measure.multiply_adds,
        });
        self.place = self.nodes.len();
        self.shape = measure.output;
    }

    /// What is wrong with a layer.
    fn unfit(&self, position: &str, layer: &LayerSpec, problem: String, hint: String) -> ShapeError {
        let (model, position) = (self.model.to_owned(), position.to_owned());
        ShapeError { model, position, layer: layer.to_string(), problem, hint }
    }

    /// Nothing is allocated before every layer has passed here.
    fn count(&mut self, measure: Measure) -> Result<Measure, String> {
        let length = measure.output.length();
        self.values = self.values.saturating_add(length);
        self.parameters = self.parameters.saturating_add(measure.parameters);
        if self.nodes.len() >= MAXIMUM_LAYERS {
            return Err(format!("more than {MAXIMUM_LAYERS} layers"));
        }
        if length > LARGEST_OUTPUT {
            return Err(format!("{length} values of one image: at most {LARGEST_OUTPUT} expected"));
        }
        if self.values > LARGEST_OUTPUTS {
            return Err(format!("more than {LARGEST_OUTPUTS} values of one image in all layers so far"));
        }
        if self.parameters > MOST_PARAMETERS {
            return Err(format!("more than {MOST_PARAMETERS} parameters so far"));
        }
        Ok(measure)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn layers(lines: &[&str]) -> Vec<LayerSpec> {
        lines.iter().map(|line| line.parse().expect("a layer")).collect()
    }

    fn residual(body: &[&str], shortcut: &[&str]) -> LayerSpec {
        LayerSpec::Residual { body: layers(body), shortcut: layers(shortcut) }
    }

    /// `conv 1 1x1` of one channel keeps an image's shape, so any number of them fits anywhere.
    fn graph(middle: Vec<LayerSpec>) -> Graph {
        let all = [layers(&["conv 1 1x1"]), middle, layers(&["flatten", "dense classes"])].concat();
        Graph::of("m", &all, [4, 4], 2).expect("it fits")
    }

    #[test]
    fn residual_layers_are_their_ways_and_a_sum() {
        let graph = graph(vec![residual(&["conv 1 1x1", "relu"], &["conv 1 1x1"]), residual(&["relu"], &[])]);
        let told: Vec<_> = graph
            .nodes
            .iter()
            .map(|node| {
                let other = match node.operation {
                    Operation::Layer(_) => None,
                    Operation::Sum(other) => Some(other),
                };
                (&*node.name, &*node.position, node.input, other)
            })
            .collect();
        let expected = [
            ("conv1", "1", 0, None),
            ("conv2", "2.1", 1, None),
            ("relu1", "2.2", 2, None),
            ("conv3", "2.shortcut.1", 1, None),
            ("sum1", "2", 3, Some(4)),
            ("relu2", "3.1", 5, None),
            ("sum2", "3", 6, Some(5)),
            ("flatten1", "4", 7, None),
            ("dense1", "5", 8, None),
        ];
        assert_eq!(told, expected);
        let layers = [layers(&["conv 1 1x1"]), vec![residual(&["tanh"], &["relu"])]].concat();
        let kinds: Vec<&str> = LayerSpec::all(&layers).into_iter().map(LayerSpec::kind).collect();
        assert_eq!(kinds, ["conv", "tanh", "relu", "sum"]);
    }

    /// Only what follows a layer with constants, and alone reads it, becomes part of them.
    #[test]
    fn batch_norms_become_constants() {
        let told = |graph: &Graph| -> Vec<(String, String, usize, usize)> {
            let text = |operation: &Operation| match operation {
                Operation::Layer(layer) => layer.to_string(),
                Operation::Sum(other) => format!("+ {other}"),
            };
            let of = |node: &Node| (node.name.clone(), text(&node.operation), node.input, node.parameters);
            graph.nodes.iter().map(of).collect()
        };
        let graph = graph(vec![
            residual(
                &["conv 2 3x3 same no bias", "batchnorm", "relu", "conv 1 1x1", "batchnorm"],
                &["depthwise 1x1 no bias", "batchnorm", "batchnorm"],
            ),
            residual(&["batchnorm"], &["conv 1 1x1"]),
            layers(&["conv 1 1x1"]).remove(0),
            residual(&["batchnorm"], &[]),
        ]);
        let (folded, which) = graph.folded();
        let expected = [
            ("conv1", "conv 1 1x1", 0, 2),
            ("conv2", "conv 2 3x3 same", 1, 20),
            ("relu1", "relu", 2, 0),
            ("conv3", "conv 1 1x1", 3, 3),
            ("depthwise1", "depthwise 1x1", 1, 2),
            ("batchnorm4", "batchnorm", 5, 2),
            ("sum1", "+ 6", 4, 0),
            ("batchnorm5", "batchnorm", 7, 2),
            ("conv4", "conv 1 1x1", 7, 2),
            ("sum2", "+ 9", 8, 0),
            ("conv5", "conv 1 1x1", 10, 2),
            ("batchnorm6", "batchnorm", 11, 2),
            ("sum3", "+ 11", 12, 0),
            ("flatten1", "flatten", 13, 0),
            ("dense1", "dense classes", 14, 34),
        ];
        let expected =
            expected.map(|(name, text, input, parameters)| (name.into(), text.into(), input, parameters));
        assert_eq!(told(&folded), expected);
        let which: Vec<_> = which.iter().map(|folded| (&*folded.layer, &*folded.norm)).collect();
        assert_eq!(which, [("conv2", "batchnorm1"), ("conv3", "batchnorm2"), ("depthwise1", "batchnorm3")]);
    }

    /// What follows in the same list, unless a residual layer's edge is between: there another node reads the value too.
    #[test]
    fn a_follower_alone_reads_a_node() {
        let named = |graph: &Graph, index| graph.follower(index).map(|node| node.name.clone());
        let plain = graph(layers(&["relu", "maxpool 1"]));
        assert_eq!(named(&plain, 0).as_deref(), Some("relu1"));
        assert_eq!(named(&plain, 1).as_deref(), Some("maxpool1"));
        assert_eq!(named(&plain, plain.nodes.len() - 1), None);
        for (body, shortcut) in
            [(&["relu"][..], &[][..]), (&[], &["relu"]), (&["relu"], &["relu"]), (&[], &[])]
        {
            let graph = graph(vec![residual(body, shortcut)]);
            assert_eq!(named(&graph, 0), None, "before {body:?} {shortcut:?}");
        }
        let ends = graph(vec![residual(&["conv 1 1x1"], &["relu"]), residual(&["conv 1 1x1"], &[])]);
        assert_eq!(ends.nodes[2].name, "relu1");
        assert_eq!(named(&ends, 1), None, "a body's end and a shortcut's beginning");
        assert_eq!(named(&ends, 2), None, "a shortcut's end is the sum's second operand");
        assert_eq!(ends.nodes[4].name, "conv3");
        assert_eq!(named(&ends, 4).as_deref(), Some("sum2"));
    }
}
