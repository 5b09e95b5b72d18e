//! Shapes of what flows between layers.

use std::fmt;

/// The shape of one image's activation, without the batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    /// `[height, width, channels]`, channels innermost.
    Image {
        /// Rows.
        height: usize,
        /// Columns.
        width: usize,
        /// Values of a pixel.
        channels: usize,
    },
    /// A plain list of features.
    Vector(usize),
}

impl Shape {
    /// Number of values.
    pub fn length(self) -> usize {
        match self {
            Shape::Image { height, width, channels } => height * width * channels,
            Shape::Vector(length) => length,
        }
    }
}

impl fmt::Display for Shape {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Shape::Image { height, width, channels } => write!(formatter, "{height}×{width}×{channels}"),
            Shape::Vector(length) => write!(formatter, "{length}"),
        }
    }
}

/// A layer that does not fit what comes before it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("model {model}, layer {number} ({layer}): {problem}")]
pub struct ShapeError {
    /// The architecture's name.
    pub model: String,
    /// The layer's number, counted from 1.
    pub number: usize,
    /// The layer as the architecture spells it.
    pub layer: String,
    /// What was expected and what was found.
    pub problem: String,
}
