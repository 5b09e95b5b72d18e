//! Image files: their formats, what may be spent on them, transparency.

use crate::{Picture, PictureError, orientation::upright, picture::check_sides};
use image::{DynamicImage, ImageBuffer, ImageDecoder, ImageError, ImageFormat, Limits, Pixel, Primitive};
use pictures::{Opened, title, unsupported};
use std::io;

/// The most bytes that a decoder may take, for the picture and for its own tables.
const MAXIMUM_BYTES: u64 = 512 << 20;

/// Visible pixels whose greys differ by less than this are of one colour: what is drawn is then drawn by transparency.
const ONE_COLOUR: f32 = 4.0 / 255.0;

/// Pixels with less opacity than this are not seen, whatever colour they are stored with.
const VISIBLE: f32 = 1.0 / 16.0;

/// What is said of a file of which the end is missing.
const ENDS_EARLY: &str = "the file ends early";

impl Picture {
    /// The picture in an image file, given as its bytes: PNG, JPEG, GIF (its first frame), BMP, WebP, TIFF, PNM or QOI,
    /// told apart by their content.
    ///
    /// Colours become their luma; where pixels are transparent, what is visible is laid on a ground that it stands
    /// out from; a camera's orientation (Exif) is obeyed. Large pictures are reduced by averaging over squares of
    /// pixels, so the picture has at most 2,048 pixels a side.
    ///
    /// Averages are of the values as they are stored, not of the light that they stand for: so a picture and its
    /// negative give the same digit.
    ///
    /// # Errors
    /// When the bytes are no such file, the file is damaged, or the picture is larger than [`crate::MAXIMUM_SIDE`] on a side
    /// or takes more than 512 MiB to decode, which is found out before that much is allocated.
    pub fn decode(bytes: &[u8]) -> Result<Self, PictureError> {
        Ok(Self::read(bytes)?.0)
    }

    /// As [`Self::decode`], and what was passed over or converted on the way, a sentence each.
    ///
    /// # Errors
    /// As there.
    pub fn read(bytes: &[u8]) -> Result<(Self, Vec<String>), PictureError> {
        let format =
            pictures::format_of(bytes).ok_or_else(|| PictureError::Format { found: described(bytes) })?;
        if format == ImageFormat::Jpeg && !pictures::is_whole_jpeg(bytes) {
            return Err(PictureError::Damaged { format: title(format), reason: ENDS_EARLY.to_owned() });
        }
        let opened = open(bytes, format)?;
        let (orientation, mut remarks) = (opened.orientation, opened.stored.remarks());
        let image = DynamicImage::from_decoder(opened.decoder).map_err(|error| refused(error, format))?;
        let Grey { picture, had_colour, is_laid } = grey(&image);
        if had_colour {
            remarks.push("made grey by the luma of ITU-R BT.709".to_owned());
        }
        if is_laid {
            remarks.push("what shines through was laid on a ground that the rest stands out from".to_owned());
        }
        Ok((upright(picture, orientation), remarks))
    }
}

/// The file's head, of an image that is not too large.
fn open(bytes: &[u8], format: ImageFormat) -> Result<Opened<'_>, PictureError> {
    let mut limits = Limits::no_limits();
    limits.max_alloc = Some(MAXIMUM_BYTES);
    let opened = pictures::open(bytes, format, limits).map_err(|error| refused(error, format))?;
    let size = opened.decoder.dimensions();
    let (width, height) = (size.0 as usize, size.1 as usize);
    check_sides(width, height)?;
    if opened.decoder.total_bytes() > MAXIMUM_BYTES {
        return Err(PictureError::Memory { limit: MAXIMUM_BYTES });
    }
    Ok(opened)
}

/// What the decoder refused, in our words.
fn refused(error: ImageError, format: ImageFormat) -> PictureError {
    let name = title(format);
    match error {
        ImageError::Limits(_) => PictureError::Memory { limit: MAXIMUM_BYTES },
        ImageError::Unsupported(error) => {
            PictureError::Unsupported { format: name, reason: unsupported(&error) }
        }
        ImageError::IoError(error) if error.kind() == io::ErrorKind::UnexpectedEof => {
            PictureError::Damaged { format: name, reason: ENDS_EARLY.to_owned() }
        }
        error => PictureError::Damaged { format: name, reason: error.to_string() },
    }
}

/// What bytes that are none of our formats look like.
fn described(bytes: &[u8]) -> String {
    let known: [(usize, &[u8], &str); 12] = [
        (4, b"ftypheic", "a HEIC photo"),
        (4, b"ftypheix", "a HEIC photo"),
        (4, b"ftypmif1", "a HEIC photo"),
        (4, b"ftypavif", "an AVIF picture"),
        (0, b"%PDF", "a PDF document"),
        (0, b"II+\0", "a BigTIFF picture"),
        (0, b"MM\0+", "a BigTIFF picture"),
        (0, b"<svg", "an SVG drawing"),
        (0, b"<?xml", "an XML document"),
        (0, b"PK\x03\x04", "a zip archive"),
        (0, b"\0\0\x08\x03", "an IDX file of images, which belongs to a data set"),
        (0, b"\0\0\x08\x01", "an IDX file of labels, which belongs to a data set"),
    ];
    let starts = |(place, mark, _): &&(usize, &[u8], &str)| {
        bytes.get(*place..).is_some_and(|bytes| bytes.starts_with(mark))
    };
    if bytes.is_empty() {
        return "an empty file".to_owned();
    }
    known.iter().find(starts).map_or_else(
        || format!("a file that begins with {}", bytes[..bytes.len().min(8)].escape_ascii()),
        |(_, _, name)| (*name).to_owned(),
    )
}

/// The grey picture of an image.
struct Grey {
    picture: Picture,
    /// Whether the image has a pixel that is not grey.
    had_colour: bool,
    /// Whether some of it is transparent.
    is_laid: bool,
}

/// The grey picture of an image of any type.
fn grey(image: &DynamicImage) -> Grey {
    match image {
        DynamicImage::ImageLuma8(image) => grey_of(image),
        DynamicImage::ImageLumaA8(image) => grey_of(image),
        DynamicImage::ImageRgb8(image) => grey_of(image),
        DynamicImage::ImageRgba8(image) => grey_of(image),
        DynamicImage::ImageLuma16(image) => grey_of(image),
        DynamicImage::ImageLumaA16(image) => grey_of(image),
        DynamicImage::ImageRgb16(image) => grey_of(image),
        DynamicImage::ImageRgba16(image) => grey_of(image),
        DynamicImage::ImageRgb32F(image) => grey_of(image),
        DynamicImage::ImageRgba32F(image) => grey_of(image),
        other => grey_of(&other.to_rgba16()),
    }
}

fn grey_of<P>(image: &ImageBuffer<P, Vec<P::Subpixel>>) -> Grey
where
    P: Pixel,
    P::Subpixel: Primitive + Into<f32>,
{
    let (width, height) = (image.width() as usize, image.height() as usize);
    let tone = |x: usize, y: usize| tone(image.get_pixel(x as u32, y as u32).channels());
    // Without a channel for opacity everything is opaque.
    let tones = || image.pixels().map(|pixel| self::tone(pixel.channels()));
    let ground = if P::HAS_ALPHA { ground(tones()) } else { None };
    let is_laid = ground.is_some();
    let picture = match ground {
        None => Picture::averaged(width, height, |x, y| tone(x, y).grey),
        Some(Ground::OfOneColour) => Picture::averaged(width, height, |x, y| tone(x, y).opacity),
        Some(Ground::Grey(ground)) => Picture::averaged(width, height, |x, y| {
            let Tone { grey, opacity } = tone(x, y);
            grey * opacity + ground * (1.0 - opacity)
        }),
    };
    let is_coloured = |pixel: &P| match *pixel.channels() {
        [red, green, blue] | [red, green, blue, _] => red != green || green != blue,
        _ => false,
    };
    Grey { picture, had_colour: image.pixels().any(is_coloured), is_laid }
}

/// A pixel: how light it is and how opaque, both from 0 to 1.
#[derive(Debug, Clone, Copy)]
struct Tone {
    grey: f32,
    opacity: f32,
}

/// One, two, three or four channels of a pixel: grey or colour, without or with opacity.
///
/// Colours become their luma by the weights of ITU-R BT.709.
fn tone<S: Primitive + Into<f32>>(channels: &[S]) -> Tone {
    let most: f32 = S::DEFAULT_MAX_VALUE.into();
    let part = |channel: S| {
        let part: f32 = channel.into() / most;
        // Floating-point files may hold anything.
        if part.is_nan() { 0.0 } else { part.clamp(0.0, 1.0) }
    };
    let luma = |red: S, green: S, blue: S| 0.2126 * part(red) + 0.7152 * part(green) + 0.0722 * part(blue);
    let (grey, opacity) = match *channels {
        [grey, opacity] => (part(grey), part(opacity)),
        [red, green, blue] => (luma(red, green, blue), 1.0),
        [red, green, blue, opacity] => (luma(red, green, blue), part(opacity)),
        _ => (channels.first().map_or(0.0, |grey| part(*grey)), 1.0),
    };
    Tone { grey, opacity }
}

/// What transparent pixels show.
#[derive(Debug, PartialEq)]
enum Ground {
    /// All that is visible is of one colour, so that opacity itself is the drawing.
    OfOneColour,
    /// A grey.
    Grey(f32),
}

/// The ground to lay an image on; `None` if all of it is opaque.
///
/// Where less than half is visible, what is visible is ink: on white if it is dark, on black if it is light. Else it is
/// paper with ink on it, and what is missing is paper, too.
fn ground(tones: impl Iterator<Item = Tone>) -> Option<Ground> {
    const LEVELS: usize = 256;
    let mut histogram = [0.0f64; LEVELS];
    let (mut pixels, mut opaque) = (0u64, 0u64);
    let (mut least, mut most) = (1.0f32, 0.0f32);
    for Tone { grey, opacity } in tones {
        pixels += 1;
        opaque += u64::from(opacity == 1.0);
        if opacity >= VISIBLE {
            (least, most) = (least.min(grey), most.max(grey));
            histogram[(grey * (LEVELS - 1) as f32).round() as usize] += f64::from(opacity);
        }
    }
    if opaque == pixels {
        return None;
    }
    if most - least < ONE_COLOUR {
        return Some(Ground::OfOneColour);
    }
    let visible: f64 = histogram.iter().sum();
    if visible < pixels as f64 / 2.0 {
        let mean =
            histogram.iter().enumerate().map(|(level, weight)| level as f64 * weight).sum::<f64>() / visible;
        return Some(Ground::Grey(if mean < (LEVELS / 2) as f64 { 1.0 } else { 0.0 }));
    }
    let mut below = 0.0;
    let median = histogram.iter().position(|weight| {
        below += weight;
        2.0 * below >= visible
    });
    Some(Ground::Grey(median.unwrap_or(0) as f32 / (LEVELS - 1) as f32))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::MAXIMUM_SIDE;

    fn tones(of: &[(f32, f32, usize)]) -> impl Iterator<Item = Tone> {
        of.iter().flat_map(|(grey, opacity, count)| {
            std::iter::repeat_n(Tone { grey: *grey, opacity: *opacity }, *count)
        })
    }

    #[test]
    fn transparency_shows_what_the_visible_stands_out_from() {
        let found = |of: &[(f32, f32, usize)]| ground(tones(of));
        assert_eq!(found(&[(0.2, 1.0, 5), (0.7, 1.0, 9)]), None);
        // Ink of one colour; what colour transparent pixels have does not matter.
        assert_eq!(found(&[(0.0, 1.0, 3), (0.0, 0.5, 1), (1.0, 0.0, 9)]), Some(Ground::OfOneColour));
        assert_eq!(found(&[(0.3, 0.0, 9)]), Some(Ground::OfOneColour));
        // Dark ink, light ink, and paper whose margin is cut away.
        assert_eq!(found(&[(0.1, 1.0, 3), (0.3, 1.0, 3), (0.0, 0.0, 20)]), Some(Ground::Grey(1.0)));
        assert_eq!(found(&[(0.9, 1.0, 3), (0.6, 1.0, 3), (0.0, 0.0, 20)]), Some(Ground::Grey(0.0)));
        assert_eq!(found(&[(0.0, 1.0, 3), (0.8, 1.0, 30), (0.0, 0.0, 9)]), Some(Ground::Grey(0.8)));
    }

    #[test]
    fn channels_are_read_by_their_number() {
        let near = |tone: Tone, grey: f32, opacity: f32| {
            assert!((tone.grey - grey).abs() < 1e-6 && (tone.opacity - opacity).abs() < 1e-6, "{tone:?}");
        };
        near(tone(&[51u8]), 0.2, 1.0);
        near(tone(&[51u8, 102]), 0.2, 0.4);
        near(tone(&[255u8, 0, 255]), 0.2848, 1.0);
        near(tone(&[0u16, 65_535, 0, 13_107]), 0.7152, 0.2);
        near(tone(&[f32::NAN, f32::INFINITY, -1.0]), 0.7152, 1.0);
    }

    #[test]
    fn files_of_other_kinds_are_named() {
        let error = |bytes: &[u8]| Picture::decode(bytes).expect_err("it is refused").to_string();
        let expected = "a PNG, JPEG, GIF, BMP, WebP, TIFF, PNM or QOI file expected, ";
        for (bytes, found) in [
            (&b""[..], "an empty file found"),
            (b"\0\0\0\x18ftypheic\0\0\0\0", "a HEIC photo found"),
            (b"%PDF-1.7", "a PDF document found"),
            (b"hello, world", "a file that begins with hello, w found"),
            (b"\xff\n", "a file that begins with \\xff\\n found"),
        ] {
            assert_eq!(error(bytes), format!("{expected}{found}"));
        }
    }

    #[test]
    fn sides_are_told_before_anything_is_allocated() {
        let side = MAXIMUM_SIDE + 1;
        let error = Picture::decode(format!("P5 {side} 1 255\n").as_bytes()).expect_err("it is refused");
        assert_eq!(error, PictureError::Sides { width: side, height: 1 });
        let error = Picture::decode(b"P6 16384 16384 65535\n").expect_err("it is refused");
        assert_eq!(error, PictureError::Memory { limit: MAXIMUM_BYTES });
    }
}
