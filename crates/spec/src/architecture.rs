//! Networks as data.

use crate::{LayerSpec, Shape, ShapeError, advice, layer_shape::Measure};

/// Most layers of a network, those within residual ones counted.
pub const MAXIMUM_LAYERS: usize = 2000;

/// Most values that a layer may make of one image: a thread holds 16 images' activations and their derivatives.
const LARGEST_OUTPUT: usize = 1 << 21;

/// Most values that all layers together may make of one image.
const LARGEST_OUTPUTS: usize = 1 << 23;

/// Most weights and biases: an optimiser holds four numbers of each.
const MOST_PARAMETERS: u64 = 1 << 26;

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
        let image = Shape::Image { height, width, channels: 1 };
        if !(1..=LARGEST_OUTPUT).contains(&image.length()) {
            let problem = format!("images of 1 to {LARGEST_OUTPUT} pixels expected, {height}×{width} found");
            return Err(self.unfit_at_the_end(problem, String::new()));
        }
        let shape = walk.through(&self.layers, image, "")?;
        if shape != Shape::Vector(classes) {
            let problem = format!("the output must be {classes} values, one a class; it is {shape}");
            return Err(self.unfit_at_the_end(problem, advice::for_the_end(&self.layers, shape)));
        }
        if walk.parameters == 0 {
            let problem = "a layer that has parameters is expected".into();
            return Err(self.unfit_at_the_end(problem, advice::for_the_end(&self.layers, shape)));
        }
        Ok(walk.described)
    }

    /// What is probably not meant, though it can be trained: a last layer that changes the scores of the classes.
    pub fn doubt(&self) -> Option<String> {
        advice::of_the_last(&self.layers)
    }

    /// What is wrong with the whole, told of its last layer.
    fn unfit_at_the_end(&self, problem: String, hint: String) -> ShapeError {
        let layer = self.layers.last().map_or("no layer".into(), ToString::to_string);
        ShapeError { model: self.name.clone(), position: self.layers.len().to_string(), layer, problem, hint }
    }
}

struct Walk<'a> {
    architecture: &'a Architecture,
    classes: usize,
    described: Vec<LayerDescription>,
    values: usize,
    parameters: u64,
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
                    let hint = "give both the same filters or units and the same strides; without a shortcut, the \
                                body must keep its input's shape";
                    return Err(self.unfit(&position, layer, problem, hint.into()));
                }
                spelled = "residual sum".into();
            }
            let measure = layer.measure(input, self.classes).and_then(|measure| self.count(measure));
            let Measure { output, parameters, multiply_adds } = measure.map_err(|problem| {
                let hint = advice::for_layer(&layers[..index], layer, input);
                self.unfit(&position, layer, problem, hint)
            })?;
            self.described.push(LayerDescription {
                position,
                layer: spelled,
                output,
                // At most as many as a network may have.
                parameters: parameters as usize,
                multiply_adds,
            });
            shape = output;
        }
        Ok(shape)
    }

    /// What is wrong with a layer.
    fn unfit(&self, position: &str, layer: &LayerSpec, problem: String, hint: String) -> ShapeError {
        let (model, position) = (self.architecture.name.clone(), position.to_owned());
        ShapeError { model, position, layer: layer.to_string(), problem, hint }
    }

    /// Nothing is allocated before every layer has passed here.
    fn count(&mut self, measure: Measure) -> Result<Measure, String> {
        let length = measure.output.length();
        self.values = self.values.saturating_add(length);
        self.parameters = self.parameters.saturating_add(measure.parameters);
        if self.described.len() >= MAXIMUM_LAYERS {
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
