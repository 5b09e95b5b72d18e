//! Networks as data.

use crate::{
    Graph, ImageShape, LayerSpec, Shape, ShapeError, advice,
    graph::{Operation, SHORTCUT},
};

/// A network that can be built for any image size and number of classes that fit it.
#[derive(Debug, Clone, PartialEq)]
pub struct Architecture {
    /// The name on the command line and in files.
    pub name: String,
    /// One line on what it is.
    pub summary: String,
    /// Where it comes from.
    pub citation: String,
    /// The layers, in order.
    pub layers: Vec<LayerSpec>,
}

/// What a layer makes of one image.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LayerDescription {
    /// As [`ShapeError::position`].
    pub position: String,
    /// The layer as the architecture spells it; of a residual one, whose layers precede it, only that it adds.
    pub layer: String,
    /// Its output's shape.
    pub output: Shape,
    /// Weights and biases.
    pub parameters: usize,
    /// Multiplications that are added up, forward, by the layer's definition: what no window of a following pool reads
    /// counts, though it is never computed.
    pub multiply_adds: u64,
}

impl LayerDescription {
    /// How many residual layers it is within.
    pub fn depth(&self) -> usize {
        self.position.split('.').filter(|part| *part != SHORTCUT).count() - 1
    }
}

impl Architecture {
    /// The layers unrolled, for images of that shape and so many classes.
    ///
    /// # Errors
    /// As [`Graph::of`].
    pub fn graph(&self, image: impl Into<ImageShape>, classes: usize) -> Result<Graph, ShapeError> {
        Graph::of(&self.name, &self.layers, image, classes)
    }

    /// Each layer's output, parameters and multiply-adds, in the order of [`Self::graph`]: the layers of a residual one stand
    /// before it.
    ///
    /// # Errors
    /// As [`Graph::of`].
    pub fn describe(
        &self,
        image: impl Into<ImageShape>,
        classes: usize,
    ) -> Result<Vec<LayerDescription>, ShapeError> {
        let nodes = self.graph(image, classes)?.nodes.into_iter();
        let described = nodes.map(|node| LayerDescription {
            position: node.position,
            layer: match node.operation {
                Operation::Layer(layer) => layer.to_string(),
                Operation::Sum(_) => "residual sum".into(),
            },
            output: node.to,
            parameters: node.parameters,
            multiply_adds: node.multiply_adds,
        });
        Ok(described.collect())
    }

    /// What is probably not meant, though it can be trained: a last layer that changes the scores of the classes.
    pub fn doubt(&self) -> Option<String> {
        advice::of_the_last(&self.layers)
    }
}
