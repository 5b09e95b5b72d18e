//! Networks as data.

use crate::{LayerSpec, Shape, ShapeError, layer_shape::Measure};

/// Most values that a layer may make of one image: a thread holds 16 images' activations and their derivatives.
const LARGEST_OUTPUT: usize = 1 << 21;

/// Most values that all layers together may make of one image.
const LARGEST_OUTPUTS: usize = 1 << 23;

/// Most weights and biases: an optimiser holds four numbers of each.
const MOST_PARAMETERS: usize = 1 << 26;

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

/// What stands in a position for a residual layer's second way.
const SHORTCUT: &str = "shortcut";

impl Architecture {
    /// Each layer's output, parameters and multiply-adds, for grey images of `height` × `width` pixels and so many classes.
    /// The layers of a residual one stand before it.
    ///
    /// # Errors
    /// When a layer does not fit what comes before it, the last does not give one value a class, nothing can be learnt, or the network is larger
    /// than memory is made for.
    pub fn describe(
        &self,
        height: usize,
        width: usize,
        classes: usize,
    ) -> Result<Vec<LayerDescription>, ShapeError> {
        let mut walk = Walk { architecture: self, classes, described: Vec::new(), values: 0, parameters: 0 };
        let shape = walk.through(&self.layers, Shape::Image { height, width, channels: 1 }, "")?;
        let mut problem = None;
        if shape != Shape::Vector(classes) {
            problem = Some(format!("the output must be {classes} values, one a class; it is {shape}"));
        } else if walk.parameters == 0 {
            problem = Some("a layer that has parameters is expected".into());
        }
        if let Some(problem) = problem {
            return Err(match self.layers.last() {
                Some(layer) => self.unfit(&self.layers.len().to_string(), layer, problem),
                None => ShapeError {
                    model: self.name.clone(),
                    position: "0".into(),
                    layer: "no layer".into(),
                    problem,
                },
            });
        }
        Ok(walk.described)
    }

    /// What is wrong with a layer.
    pub(crate) fn unfit(&self, position: &str, layer: &LayerSpec, problem: String) -> ShapeError {
        ShapeError {
            model: self.name.clone(),
            position: position.to_owned(),
            layer: layer.to_string(),
            problem,
        }
    }
}

struct Walk<'a> {
    architecture: &'a Architecture,
    classes: usize,
    described: Vec<LayerDescription>,
    values: usize,
    parameters: usize,
}

impl Walk<'_> {
    /// The shape that comes out of `layers`, whose positions begin with `prefix`.
    fn through(&mut self, layers: &[LayerSpec], mut shape: Shape, prefix: &str) -> Result<Shape, ShapeError> {
        for (index, layer) in layers.iter().enumerate() {
            let position = format!("{prefix}{}", index + 1);
            let mut input = shape;
            let mut spelled = layer.to_string();
            if let LayerSpec::Residual { body, shortcut } = layer {
                input = self.through(body, shape, &format!("{position}."))?;
                let other = self.through(shortcut, shape, &format!("{position}.{SHORTCUT}."))?;
                if input != other {
                    let problem =
                        format!("the body gives {input}, the shortcut {other}: they cannot be added");
                    return Err(self.architecture.unfit(&position, layer, problem));
                }
                spelled = "residual sum".into();
            }
            let measure = layer
                .measure(input, self.classes)
                .and_then(|measure| self.count(measure))
                .map_err(|problem| self.architecture.unfit(&position, layer, problem))?;
            let Measure { output, parameters, multiply_adds } = measure;
            self.described.push(LayerDescription {
                position,
                layer: spelled,
                output,
                parameters,
                multiply_adds,
            });
            shape = output;
        }
        Ok(shape)
    }

    /// Nothing is allocated before every layer has passed here.
    fn count(&mut self, measure: Measure) -> Result<Measure, String> {
        let length = measure.output.length();
        self.values += length;
        self.parameters += measure.parameters;
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
