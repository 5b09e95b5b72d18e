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
    /// `[steps, features]`, features innermost.
    Sequence {
        /// Steps, one after the other.
        steps: usize,
        /// Values of a step.
        features: usize,
    },
    /// A plain list of features.
    Vector(usize),
}

impl Shape {
    /// Number of values; too many to count are as many as there are numbers, which no limit lets pass.
    pub fn length(self) -> usize {
        match self {
            Shape::Image { height, width, channels } => height.saturating_mul(width).saturating_mul(channels),
            Shape::Sequence { steps, features } => steps.saturating_mul(features),
            Shape::Vector(length) => length,
        }
    }

    /// Values along the innermost axis: channels of a pixel, features of a step or of a list.
    pub fn features(self) -> usize {
        match self {
            Shape::Image { channels: features, .. }
            | Shape::Sequence { features, .. }
            | Shape::Vector(features) => features,
        }
    }

    /// The axes' lengths, outermost first.
    pub fn axes(self) -> Vec<usize> {
        match self {
            Shape::Image { height, width, channels } => vec![height, width, channels],
            Shape::Sequence { steps, features } => vec![steps, features],
            Shape::Vector(length) => vec![length],
        }
    }
}

impl fmt::Display for Shape {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Shape::Image { height, width, channels } => write!(formatter, "{height}×{width}×{channels}"),
            Shape::Sequence { steps, features } => write!(formatter, "{steps}×{features}"),
            Shape::Vector(length) => write!(formatter, "{length}"),
        }
    }
}

/// A layer that does not fit what comes before it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("model {model}, layer {position} ({layer}): {problem}")]
pub struct ShapeError {
    /// The architecture's name.
    pub model: String,
    /// The layer's number, counted from 1; of a layer within a residual one `3.2`, or `3.shortcut.1`.
    pub position: String,
    /// The layer as the architecture spells it.
    pub layer: String,
    /// What was expected and what was found.
    pub problem: String,
    /// What to write instead, where that can be known; else empty.
    pub hint: String,
}
