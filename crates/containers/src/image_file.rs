//! One image file: what its head says, and its pixels in eight bits, upright and opaque.

use crate::{
    Error,
    pixels::{luma, on_white},
};
use image::{ColorType, DynamicImage, ImageDecoder, ImageError, ImageFormat, Limits, metadata::Orientation};
use pictures::{Opened, Stored, format_of, is_whole_jpeg, title, unsupported};
use std::{
    fs::File,
    io::{self, Read},
    path::Path,
};

/// The longest file that is read.
const MAXIMUM_FILE_BYTES: u64 = 256 << 20;

/// The most bytes that a decoder may take, for the image and for its own tables.
const MAXIMUM_DECODED_BYTES: u64 = 256 << 20;

/// The most pixels on a side of an image, which is then resized.
pub(crate) const MAXIMUM_STORED_SIDE: u32 = 16_384;

/// What the files of images are called.
const EXTENSIONS: &[(&str, ImageFormat)] = &[
    ("png", ImageFormat::Png),
    ("jpg", ImageFormat::Jpeg),
    ("jpeg", ImageFormat::Jpeg),
    ("jpe", ImageFormat::Jpeg),
    ("jfif", ImageFormat::Jpeg),
    ("gif", ImageFormat::Gif),
    ("bmp", ImageFormat::Bmp),
    ("dib", ImageFormat::Bmp),
    ("webp", ImageFormat::WebP),
    ("tif", ImageFormat::Tiff),
    ("tiff", ImageFormat::Tiff),
    ("pbm", ImageFormat::Pnm),
    ("pgm", ImageFormat::Pnm),
    ("ppm", ImageFormat::Pnm),
    ("pnm", ImageFormat::Pnm),
    ("pam", ImageFormat::Pnm),
    ("qoi", ImageFormat::Qoi),
];

/// The format that a file's name states.
pub(crate) fn format_of_name(path: &Path) -> Option<ImageFormat> {
    let extension = path.extension()?.to_str()?;
    EXTENSIONS.iter().find(|(name, _)| extension.eq_ignore_ascii_case(name)).map(|(_, format)| *format)
}

/// Whether a file whose name has no extension begins as an image does.
pub(crate) fn is_unnamed_image(path: &Path) -> bool {
    let mut head = [0; 16];
    path.extension().is_none()
        && path.is_file()
        && File::open(path)
            .and_then(|mut file| file.read(&mut head))
            .is_ok_and(|read| format_of(&head[..read]).is_some())
}

/// What is known of an image before its pixels are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Head {
    pub(crate) height: u32,
    pub(crate) width: u32,
    pub(crate) format: ImageFormat,
    pub(crate) has_colour: bool,
    /// Whether there are more than eight bits a value.
    pub(crate) is_deep: bool,
    pub(crate) stored: Stored,
}

/// A file's bytes.
pub(crate) fn bytes(path: &Path, name: &str) -> Result<Vec<u8>, Error> {
    let of = |error: io::Error| Error::unreadable(name, &error);
    // Opening a pipe would wait for its writer.
    if !path.metadata().map_err(of)?.is_file() {
        return Err(of(io::Error::other("not a plain file")));
    }
    let file = File::open(path).map_err(of)?;
    let length = file.metadata().map_err(of)?.len();
    let too_large = |found| Error::TooLarge {
        file: name.to_owned(),
        of: "of an image file",
        limit: MAXIMUM_FILE_BYTES,
        found,
    };
    if length > MAXIMUM_FILE_BYTES {
        return Err(too_large(Some(length)));
    }
    let mut bytes = Vec::with_capacity(length as usize + 1);
    // What grows, or has no length, is not read without end.
    file.take(MAXIMUM_FILE_BYTES + 1).read_to_end(&mut bytes).map_err(of)?;
    if bytes.is_empty() {
        return Err(Error::EmptyFile { file: name.to_owned(), expected: "an image" });
    }
    if bytes.len() as u64 > MAXIMUM_FILE_BYTES {
        return Err(too_large(None));
    }
    Ok(bytes)
}

/// What the file `name` says of its image.
pub(crate) fn head(bytes: &[u8], name: &str) -> Result<Head, Error> {
    let format = format_of(bytes)
        .ok_or_else(|| Error::NotAnImage { file: name.to_owned(), found: described(bytes) })?;
    // The decoder fills what is missing with grey.
    if format == ImageFormat::Jpeg && !is_whole_jpeg(bytes) {
        return Err(Error::DamagedImage {
            file: name.to_owned(),
            format: title(format),
            reason: ENDS_EARLY.to_owned(),
        });
    }
    let Opened { decoder, orientation, stored } = open(bytes, format, name)?;
    let (width, height) = decoder.dimensions();
    let colour = decoder.color_type();
    let turns = matches!(
        orientation,
        Orientation::Rotate90
            | Orientation::Rotate270
            | Orientation::Rotate90FlipH
            | Orientation::Rotate270FlipH
    );
    let (height, width) = if turns { (width, height) } else { (height, width) };
    Ok(Head {
        height,
        width,
        format,
        has_colour: colour.has_color(),
        is_deep: !matches!(colour, ColorType::L8 | ColorType::La8 | ColorType::Rgb8 | ColorType::Rgba8),
        stored,
    })
}

/// An image's pixels in eight bits, `channels` (1 or 3) a pixel: turned as the camera says, opacity laid on white. And whether there
/// was anything to lay.
pub(crate) fn decode(
    bytes: &[u8],
    head: &Head,
    channels: usize,
    name: &str,
) -> Result<(Vec<u8>, bool), Error> {
    let Opened { decoder, orientation, .. } = open(bytes, head.format, name)?;
    let mut image = DynamicImage::from_decoder(decoder).map_err(|error| refused(error, head.format, name))?;
    image.apply_orientation(orientation);
    if (image.height(), image.width()) != (head.height, head.width) {
        return Err(Error::DamagedImage {
            file: name.to_owned(),
            format: title(head.format),
            reason: "its head and its pixels state different sizes".to_owned(),
        });
    }
    let (samples, stored) = match image {
        DynamicImage::ImageLuma8(image) => (image.into_raw(), 1),
        DynamicImage::ImageLumaA8(image) => (image.into_raw(), 2),
        DynamicImage::ImageRgb8(image) => (image.into_raw(), 3),
        DynamicImage::ImageRgba8(image) => (image.into_raw(), 4),
        DynamicImage::ImageLuma16(image) => (of_words(&image), 1),
        DynamicImage::ImageLumaA16(image) => (of_words(&image), 2),
        DynamicImage::ImageRgb16(image) => (of_words(&image), 3),
        DynamicImage::ImageRgba16(image) => (of_words(&image), 4),
        DynamicImage::ImageRgb32F(image) => (of_floats(&image), 3),
        DynamicImage::ImageRgba32F(image) => (of_floats(&image), 4),
        other => {
            return Err(Error::UnsupportedImage {
                file: name.to_owned(),
                format: title(head.format),
                reason: format!("pixels of type {:?}", other.color()),
            });
        }
    };
    let is_laid =
        matches!(stored, 2 | 4) && samples.chunks_exact(stored).any(|sample| sample[stored - 1] < u8::MAX);
    Ok((rearranged(samples, stored, channels), is_laid))
}

/// Sixteen bits to eight, rounded.
fn of_words(samples: &[u16]) -> Vec<u8> {
    samples.iter().map(|sample| ((u32::from(*sample) + 128) / 257) as u8).collect()
}

/// Scales floats from 0..=1 to 0..=255 and rounds them; NaN becomes 0.
fn of_floats(samples: &[f32]) -> Vec<u8> {
    samples.iter().map(|sample| (sample.clamp(0.0, 1.0) * 255.0).round() as u8).collect()
}

/// Pixels of 1 to 4 values as pixels of 1 or 3.
fn rearranged(samples: Vec<u8>, stored: usize, channels: usize) -> Vec<u8> {
    if stored == channels {
        return samples;
    }
    let mut pixels = Vec::with_capacity(samples.len() / stored * channels);
    for sample in samples.chunks_exact(stored) {
        let [red, green, blue] = match *sample {
            [grey] => [grey; 3],
            [grey, opacity] => [on_white(grey, opacity); 3],
            [red, green, blue, opacity] => [red, green, blue].map(|value| on_white(value, opacity)),
            [red, green, blue, ..] => [red, green, blue],
            [] => [0; 3],
        };
        match channels {
            1 if stored < 3 => pixels.push(red),
            1 => pixels.push(luma(red, green, blue)),
            _ => pixels.extend([red, green, blue]),
        }
    }
    pixels
}

fn open<'bytes>(bytes: &'bytes [u8], format: ImageFormat, name: &str) -> Result<Opened<'bytes>, Error> {
    let mut limits = Limits::no_limits();
    limits.max_alloc = Some(MAXIMUM_DECODED_BYTES);
    let opened = pictures::open(bytes, format, limits).map_err(|error| refused(error, format, name))?;
    let (width, height) = opened.decoder.dimensions();
    if !(1..=MAXIMUM_STORED_SIDE).contains(&width) || !(1..=MAXIMUM_STORED_SIDE).contains(&height) {
        return Err(Error::StoredSize { file: name.to_owned(), height, width });
    }
    match opened.decoder.total_bytes() {
        ..=MAXIMUM_DECODED_BYTES => Ok(opened),
        found => Err(too_large(name, Some(found))),
    }
}

fn too_large(name: &str, found: Option<u64>) -> Error {
    Error::TooLarge { file: name.to_owned(), of: "of a decoded image", limit: MAXIMUM_DECODED_BYTES, found }
}

const ENDS_EARLY: &str = "the file ends early";

/// What the decoder refused.
fn refused(error: ImageError, format: ImageFormat, name: &str) -> Error {
    let reason = match error {
        ImageError::Limits(_) => return too_large(name, None),
        ImageError::Unsupported(error) => {
            let reason = unsupported(&error);
            return Error::UnsupportedImage { file: name.to_owned(), format: title(format), reason };
        }
        ImageError::IoError(error) if error.kind() == io::ErrorKind::UnexpectedEof => ENDS_EARLY.to_owned(),
        error => error.to_string(),
    };
    Error::DamagedImage { file: name.to_owned(), format: title(format), reason }
}

/// What bytes that are no image look like.
fn described(bytes: &[u8]) -> String {
    const KNOWN: [(usize, &[u8], &str); 14] = [
        (4, b"ftyphei", "a HEIC photo"),
        (4, b"ftypmif1", "a HEIC photo"),
        (4, b"ftypavif", "an AVIF image"),
        (0, b"%PDF", "a PDF document"),
        (0, b"II+\0", "a BigTIFF image"),
        (0, b"MM\0+", "a BigTIFF image"),
        (0, b"<svg", "an SVG drawing"),
        (0, b"<?xml", "an XML document"),
        (0, b"<!DOCTYPE", "a web page (HTML)"),
        (0, b"<!doctype", "a web page (HTML)"),
        (0, b"<html", "a web page (HTML)"),
        (0, b"PK\x03\x04", "a zip archive"),
        (0, b"version https://git-lfs", "a Git LFS pointer instead of the file itself"),
        (0, b"\x93NUMPY", "a NumPy array"),
    ];
    let known = KNOWN
        .iter()
        .find(|(place, mark, _)| bytes.get(*place..).is_some_and(|bytes| bytes.starts_with(mark)));
    match known {
        Some((_, _, what)) => (*what).to_owned(),
        None if bytes.iter().take(512).all(|byte| *byte == 0) => {
            "nothing but zeros, as an interrupted download leaves".to_owned()
        }
        None => format!("a file that begins with {}", bytes[..bytes.len().min(8)].escape_ascii()),
    }
}
