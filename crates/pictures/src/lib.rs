//! Image files of the usual kinds, opened with limits: PNG, JPEG, GIF, BMP, WebP, TIFF, PNM and QOI.
//!
//! Decoders are compiled for what they read from, once in each crate that opens files by itself: 275 kB of the program and some
//! ten seconds of its build each time. So whoever reads image files opens them here.
//!
//! ```
//! let file = b"P5 2 1 255\n\x07\xff";
//! let format = pictures::format_of(file).expect("a portable grey map");
//! let (decoder, _) = pictures::open(file, format, image::Limits::default())?;
//! assert_eq!(image::DynamicImage::from_decoder(decoder)?.as_bytes(), [7, 255]);
//! # Ok::<(), image::ImageError>(())
//! ```

mod jpeg;

pub use jpeg::is_whole_jpeg;

use image::{ImageDecoder, ImageFormat, ImageReader, ImageResult, Limits, metadata::Orientation};
use std::io::Cursor;

/// An image of which the head is read.
pub type Decoder<'bytes> = Box<dyn ImageDecoder + 'bytes>;

/// The format of a file by its first bytes; none where it is none of those that are read.
pub fn format_of(bytes: &[u8]) -> Option<ImageFormat> {
    image::guess_format(bytes).ok().filter(ImageFormat::reading_enabled)
}

/// Reads the head of a file, given as its bytes, and how the camera says that it is to be turned: not at all where its notes on
/// that are damaged, which leaves the image an image.
///
/// # Errors
/// What the decoder says: the head is damaged, the format is not the file's, or a limit is exceeded.
pub fn open(bytes: &[u8], format: ImageFormat, limits: Limits) -> ImageResult<(Decoder<'_>, Orientation)> {
    let mut reader = ImageReader::with_format(Cursor::new(bytes), format);
    reader.limits(limits);
    let mut decoder: Decoder<'_> = Box::new(reader.into_decoder()?);
    let orientation = decoder.orientation().unwrap_or(Orientation::NoTransforms);
    Ok((decoder, orientation))
}
