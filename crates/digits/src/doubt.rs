//! Why a digit's image may not be what was meant.

use std::fmt;

/// A reason to look at the picture before the answer is believed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Doubt {
    /// Both dark and light things look like digits.
    Polarity {
        /// Whether the dark ones were taken.
        dark: bool,
    },
    /// Other things in the picture are nearly as large as a digit.
    LeftOut {
        /// How many.
        count: usize,
    },
    /// The picture's border cuts through other digits.
    CutOff {
        /// How many.
        count: usize,
    },
    /// The digit touches the picture's border.
    Border,
    /// The digit hardly differs from its ground.
    Faint,
    /// The digit hardly stands out of the noise.
    Noise,
    /// What was found is no line that a pen drew.
    NoStrokes,
    /// The digit is much wider than high, as two that touch are.
    Wide,
    /// An image that was to be taken as it is shows dark ink on a light ground, where models learnt light ink on a dark
    /// one.
    LightGround,
}

impl fmt::Display for Doubt {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = match self {
            Self::Polarity { dark: true } => {
                "both dark and light shapes look like digits; the dark ones were read"
            }
            Self::Polarity { dark: false } => {
                "both dark and light shapes look like digits; the light ones were read"
            }
            Self::LeftOut { count: 1 } => "one other shape was left out",
            Self::LeftOut { count } => return write!(formatter, "{count} other shapes were left out"),
            Self::CutOff { count: 1 } => "one digit cut off by the edge of the picture was left out",
            Self::CutOff { count } => {
                return write!(formatter, "{count} digits cut off by the edge of the picture were left out");
            }
            Self::Border => "the digit touches the edge of the picture, and may be cut off",
            Self::Faint => "the digit has very low contrast",
            Self::Noise => "the digit hardly stands out from the noise",
            Self::NoStrokes => "the shape is not made of pen strokes",
            Self::Wide => "the shape is much wider than high: it may be several digits that touch",
            Self::LightGround => {
                "dark ink on a light ground, but the model learnt light ink on a dark ground: the image must be inverted"
            }
        };
        formatter.write_str(text)
    }
}
