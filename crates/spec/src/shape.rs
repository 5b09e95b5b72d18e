//! Shapes of what flows between layers.

use std::fmt;

/// The shape of the images that a network reads: `[height, width, channels]`, channels innermost.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct ImageShape {
    /// Rows.
    pub height: usize,
    /// Columns.
    pub width: usize,
    /// Values of a pixel: 1 of grey images, 3 of colour ones (red, green, blue).
    pub channels: usize,
}

impl ImageShape {
    /// The numbers of channels that images have.
    pub const CHANNELS: [usize; 2] = [1, 3];

    /// Number of values; too many to count are as many as there are numbers.
    pub fn length(self) -> usize {
        self.pixels().saturating_mul(self.channels)
    }

    /// Number of pixels.
    pub fn pixels(self) -> usize {
        self.height.saturating_mul(self.width)
    }

    /// Whether its pixels have red, green and blue.
    pub fn is_colour(self) -> bool {
        self.channels == 3
    }
}

/// Of grey images: `[height, width]`.
impl From<[usize; 2]> for ImageShape {
    fn from([height, width]: [usize; 2]) -> Self {
        Self { height, width, channels: 1 }
    }
}

/// `[height, width, channels]`.
impl From<[usize; 3]> for ImageShape {
    fn from([height, width, channels]: [usize; 3]) -> Self {
        Self { height, width, channels }
    }
}

/// `28×28`, and of colour images `32×32×3`.
impl fmt::Display for ImageShape {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}×{}", self.height, self.width)?;
        if self.channels == 1 { Ok(()) } else { write!(formatter, "×{}", self.channels) }
    }
}

impl From<ImageShape> for Shape {
    fn from(ImageShape { height, width, channels }: ImageShape) -> Self {
        Shape::Image { height, width, channels }
    }
}

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
