//! Image files of the usual kinds, opened with limits: PNG, JPEG, GIF, BMP, WebP, TIFF, PNM and QOI.
//!
//! Decoders are compiled for what they read from, once in each crate that opens files by itself: 275 kB of the program and some
//! ten seconds of its build each time. So whoever reads image files opens them here.
//!
//! ```
//! let file = b"P5 2 1 255\n\x07\xff";
//! let format = pictures::format_of(file).expect("a portable grey map");
//! let opened = pictures::open(file, format, image::Limits::default())?;
//! assert_eq!(opened.stored.frames, 1);
//! assert_eq!(image::DynamicImage::from_decoder(opened.decoder)?.as_bytes(), [7, 255]);
//! # Ok::<(), image::ImageError>(())
//! ```

mod frames;
mod jpeg;

pub use jpeg::is_whole_jpeg;

use image::{
    ExtendedColorType, ImageDecoder, ImageFormat, ImageReader, ImageResult, Limits,
    error::{UnsupportedError, UnsupportedErrorKind},
    metadata::Orientation,
};
use std::io::Cursor;

/// An image of which the head is read.
pub type Decoder<'bytes> = Box<dyn ImageDecoder + 'bytes>;

/// The format of a file by its first bytes; none where it is none of those that are read.
pub fn format_of(bytes: &[u8]) -> Option<ImageFormat> {
    image::guess_format(bytes).ok().filter(ImageFormat::reading_enabled)
}

/// An image file of which the head is read.
pub struct Opened<'bytes> {
    /// What reads the pixels, of the first image.
    pub decoder: Decoder<'bytes>,
    /// How the camera says that it is to be turned: not at all where its notes on that are damaged, which leaves the image an
    /// image.
    pub orientation: Orientation,
    /// What is to be told of the file.
    pub stored: Stored,
}

/// What a file has that is passed over or converted when it is read upright.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stored {
    /// How many images: an animation's frames, a document's pages. The first is read.
    pub frames: usize,
    /// Whether it is turned as its camera says.
    pub is_turned: bool,
    /// Whether the decoder makes red, green and blue of the colours of print.
    pub is_cmyk: bool,
}

impl Stored {
    /// A sentence for each.
    pub fn remarks(self) -> Vec<String> {
        let told = [
            (self.frames > 1, format!("the first of its {} frames or pages is read", self.frames)),
            (self.is_turned, TURNED.to_owned()),
            (self.is_cmyk, FROM_CMYK.to_owned()),
        ];
        told.into_iter().filter(|(applies, _)| *applies).map(|(_, sentence)| sentence).collect()
    }
}

/// What is said of images that their camera's notes turn.
pub const TURNED: &str = "turned as their camera says (Exif)";

/// Reads the head of a file, given as its bytes.
///
/// # Errors
/// What the decoder says: the head is damaged, the format is not the file's, or a limit is exceeded.
pub fn open(bytes: &[u8], format: ImageFormat, limits: Limits) -> ImageResult<Opened<'_>> {
    let mut reader = ImageReader::with_format(Cursor::new(bytes), format);
    reader.limits(limits);
    let mut decoder: Decoder<'_> = Box::new(reader.into_decoder()?);
    let orientation = decoder.orientation().unwrap_or(Orientation::NoTransforms);
    let is_cmyk = match format {
        ImageFormat::Jpeg => jpeg::components(bytes) == Some(4),
        _ => matches!(decoder.original_color_type(), ExtendedColorType::Cmyk8 | ExtendedColorType::Cmyk16),
    };
    let is_turned = orientation != Orientation::NoTransforms;
    let stored = Stored { frames: frames::frames(bytes, format), is_turned, is_cmyk };
    Ok(Opened { decoder, orientation, stored })
}

/// What is said of images in the colours of print.
pub const FROM_CMYK: &str = "converted from the colours of print (CMYK) to red, green and blue";

/// What an unsupported image has that is not read.
pub fn unsupported(error: &UnsupportedError) -> String {
    match error.kind() {
        UnsupportedErrorKind::Color(color) => format!("colours of type {color:?}"),
        UnsupportedErrorKind::GenericFeature(feature) => feature.clone(),
        _ => error.to_string(),
    }
}

/// A format as people write it.
pub fn title(format: ImageFormat) -> String {
    match format {
        ImageFormat::WebP => "WebP".to_owned(),
        format => format!("{format:?}").to_uppercase(),
    }
}
