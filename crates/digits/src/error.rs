//! What can be wrong with a picture.

/// Why there is no digit from an image file.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PictureError {
    /// The bytes are no image file that can be read here.
    #[error("a PNG, JPEG, GIF, BMP, WebP, TIFF, PNM or QOI file expected, {found} found")]
    Format {
        /// What the first bytes look like.
        found: String,
    },
    /// The file is of a known format, but broken.
    #[error("the {format} file is damaged: {reason}")]
    Damaged {
        /// The format's name.
        format: String,
        /// What the decoder said.
        reason: String,
    },
    /// The file is of a known format, but of a kind that the decoder does not know.
    #[error("a usual kind of {format} file expected, another found ({reason})")]
    Unsupported {
        /// The format's name.
        format: String,
        /// What the decoder said.
        reason: String,
    },
    /// The picture has no pixels, or too many on a side.
    #[error("a picture of 1 to {} pixels a side expected, {width}×{height} found", crate::MAXIMUM_SIDE)]
    Sides {
        /// Pixels from left to right.
        width: usize,
        /// Pixels from top to bottom.
        height: usize,
    },
    /// Decoding would take too much memory.
    #[error("a picture that takes at most {limit} bytes to decode expected, a larger one found")]
    Memory {
        /// The most that there may be.
        limit: u64,
    },
    /// The number of values is not that of the pixels.
    #[error("{expected} values expected, one for each pixel, {found} found")]
    PixelCount {
        /// Width × height.
        expected: usize,
        /// Values given.
        found: usize,
    },
    /// A value is not a number, or infinite.
    #[error("a finite value expected for each pixel, {found} found at index {index}")]
    NotFinite {
        /// The first such value's place, row by row.
        index: usize,
        /// The value, in words.
        found: String,
    },
    /// Nothing in the picture stands out of its ground as a digit does.
    #[error("no digit found: {}", if *.uniform {
        "the picture is one uniform colour"
    } else {
        "nothing in the picture looks like pen strokes on plain ground"
    })]
    NoInk {
        /// Whether all pixels are alike.
        uniform: bool,
    },
    /// The border of the picture cuts through all digits.
    #[error("the edge of the picture cuts off {}", if *.count == 1 { "the digit".to_owned() } else { format!("all {count} digits") })]
    CutOff {
        /// How many digits.
        count: usize,
    },
    /// One digit was asked for.
    #[error("one digit expected, {count} digits found")]
    Several {
        /// How many.
        count: usize,
    },
}
