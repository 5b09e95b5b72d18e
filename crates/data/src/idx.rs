//! IDX files, the format of MNIST: big-endian, optionally compressed by gzip.
//!
//! | bytes | images | labels |
//! |---|---|---|
//! | 0..4 | [`IMAGES_MAGIC`] | [`LABELS_MAGIC`] |
//! | 4..8 | number of images | number of labels |
//! | 8..12 | height | the labels, one byte each |
//! | 12..16 | width | |
//! | 16.. | the pixels, `[image, row, column]`, one byte each | |
//!
//! Images in colour have [`COLOUR_IMAGES_MAGIC`], a fourth dimension of 3 in bytes 16..20, and `[image, row, column, channel]` from there on.
//!
//! Whether a file is compressed is seen from its first two bytes, not from its name: browsers unpack downloads and
//! keep the name. A file of another kind is named by what it is where its beginning tells, a web page for example. Nothing is allocated by a number of the header before the file has shown that it holds as much.
//!
//! ```
//! let file = data::idx::write_images(&[1, 2, 3, 4, 5, 6], 1, [2, 3]);
//! let images = data::idx::read_images("images", data::idx::compress(&file))?;
//! assert_eq!((images.count, images.shape), (1, [2, 3].into()));
//! assert_eq!(images.pixels, [1, 2, 3, 4, 5, 6]);
//! # Ok::<(), data::Error>(())
//! ```

use std::io::{Read, Write};

use flate2::read::MultiGzDecoder;
use flate2::write::GzEncoder;

use spec::ImageShape;

use crate::recognise::{GZIP_MAGIC, GZIP_TWICE, HEAD_BYTES, recognise};
use crate::{Dataset, Error, MAXIMUM_SIDE};

/// First four bytes of a file of images: unsigned bytes (08), three dimensions (03).
pub const IMAGES_MAGIC: u32 = 0x0000_0803;

/// First four bytes of a file of images of several channels: unsigned bytes (08), four dimensions (04).
pub const COLOUR_IMAGES_MAGIC: u32 = 0x0000_0804;

/// First four bytes of a file of labels: unsigned bytes (08), one dimension (01).
pub const LABELS_MAGIC: u32 = 0x0000_0801;

/// First four bytes of a file of rows of labels: signed 32-bit numbers (0c), two dimensions (02).
pub const LABEL_ROWS_MAGIC: u32 = 0x0000_0c02;

/// Numbers in a row of QMNIST's labels: class, NIST's partition, writer, index with the writer, NIST's class, index in
/// NIST's files, and two that are zero.
pub const LABEL_ROW: usize = 8;

/// The longest file that is read, compressed or not.
///
/// The largest set of this family (EMNIST by class) has 547 MB; a gigabyte still fits into a laptop's memory twice.
pub const MAXIMUM_BYTES: u64 = 1 << 30;

const IMAGES_HEADER_BYTES: usize = 16;
const COLOUR_IMAGES_HEADER_BYTES: usize = 20;
const LABELS_HEADER_BYTES: usize = 8;
const LABEL_ROWS_HEADER_BYTES: usize = 12;
/// Deflate spends at least two bits on 258 bytes, so this many bytes are the most that one compressed byte becomes.
const DEFLATE_RATIO: u64 = 1032;

/// What a file of images holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Images {
    /// `[image, row, column, channel]`.
    pub pixels: Vec<u8>,
    /// Number of images, at least 1.
    pub count: usize,
    /// Sides of 1 to [`MAXIMUM_SIDE`] pixels, 1 or 3 channels.
    pub shape: ImageShape,
}

impl Images {
    /// Exchanges rows and columns of every image.
    pub(crate) fn transpose(&mut self) {
        let ImageShape { height, width, channels } = self.shape;
        let mut image = vec![0; self.shape.length()];
        for pixels in self.pixels.chunks_exact_mut(image.len()) {
            image.copy_from_slice(pixels);
            for (index, pixel) in pixels.chunks_exact_mut(channels).enumerate() {
                let from = index % height * width + index / height;
                pixel.copy_from_slice(&image[from * channels..][..channels]);
            }
        }
        self.shape = ImageShape { height: width, width: height, channels };
    }
}

/// Reads a file of images, compressed or not; `file` is its name in errors.
///
/// # Errors
/// [`Error::NotIdx`], [`Error::WrongMagic`], [`Error::Truncated`], [`Error::TrailingBytes`], [`Error::TooLarge`],
/// [`Error::Memory`], [`Error::Compression`], [`Error::Empty`], [`Error::ImageSize`] and [`Error::Channels`].
pub fn read_images(file: &str, bytes: Vec<u8>) -> Result<Images, Error> {
    let mut bytes = unpack(file, bytes, images_length)?;
    let [count, height, width] = [4, 8, 12].map(|offset| word(&bytes, offset) as usize);
    let is_colour = word(&bytes, 0) == COLOUR_IMAGES_MAGIC;
    let channels = if is_colour { word(&bytes, 16) as usize } else { 1 };
    bytes.drain(..if is_colour { COLOUR_IMAGES_HEADER_BYTES } else { IMAGES_HEADER_BYTES });
    Ok(Images { pixels: bytes, count, shape: ImageShape { height, width, channels } })
}

/// Reads a file of labels, compressed or not; `file` is its name in errors.
///
/// # Errors
/// [`Error::NotIdx`], [`Error::WrongMagic`], [`Error::Truncated`], [`Error::TrailingBytes`], [`Error::TooLarge`],
/// [`Error::Memory`], [`Error::Compression`] and [`Error::Empty`].
pub fn read_labels(file: &str, bytes: Vec<u8>) -> Result<Vec<u8>, Error> {
    let mut bytes = unpack(file, bytes, labels_length)?;
    bytes.drain(..LABELS_HEADER_BYTES);
    Ok(bytes)
}

/// Reads the classes from a file of rows of [`LABEL_ROW`] numbers, compressed or not; `file` is its name in errors.
///
/// A negative number comes out as one above every class.
///
/// # Errors
/// As [`read_labels`], and [`Error::LabelColumns`] for rows of another length.
pub fn read_label_rows(file: &str, bytes: Vec<u8>) -> Result<Vec<u32>, Error> {
    let bytes = unpack(file, bytes, label_rows_length)?;
    let rows = bytes[LABEL_ROWS_HEADER_BYTES..].chunks_exact(4 * LABEL_ROW);
    Ok(rows.map(|row| word(row, 0)).collect())
}

/// The uncompressed file of `pixels`, `[image, row, column, channel]`.
///
/// # Panics
/// When the pixels are not those of so many images, or a number does not fit into 32 bits.
pub fn write_images(pixels: &[u8], count: usize, shape: impl Into<ImageShape>) -> Vec<u8> {
    let shape = shape.into();
    assert_eq!(count.checked_mul(shape.length()), Some(pixels.len()), "pixels of {count} images of {shape}");
    [&shape_header(count, shape), pixels].concat()
}

/// The uncompressed file of `labels`.
///
/// # Panics
/// When the number of labels does not fit into 32 bits.
pub fn write_labels(labels: &[u8]) -> Vec<u8> {
    [&header(LABELS_MAGIC, [labels.len()]), labels].concat()
}

/// The gzip file of an uncompressed one; the same bytes always give the same file.
pub fn compress(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), flate2::Compression::best());
    encoder.write_all(bytes).and_then(|()| encoder.finish()).expect("writing to memory does not fail")
}

pub(crate) fn images_header(set: &Dataset) -> Vec<u8> {
    shape_header(set.len(), set.shape())
}

fn shape_header(count: usize, ImageShape { height, width, channels }: ImageShape) -> Vec<u8> {
    match channels {
        1 => header(IMAGES_MAGIC, [count, height, width]),
        _ => header(COLOUR_IMAGES_MAGIC, [count, height, width, channels]),
    }
}

pub(crate) fn labels_header(set: &Dataset) -> Vec<u8> {
    header(LABELS_MAGIC, [set.len()])
}

fn header<const DIMENSIONS: usize>(magic: u32, dimensions: [usize; DIMENSIONS]) -> Vec<u8> {
    let mut bytes = magic.to_be_bytes().to_vec();
    for dimension in dimensions {
        bytes.extend(u32::try_from(dimension).expect("an IDX file's numbers have 32 bits").to_be_bytes());
    }
    bytes
}

/// The big-endian word at `offset`, which is inside.
fn word(bytes: &[u8], offset: usize) -> u32 {
    u32::from_be_bytes([bytes[offset], bytes[offset + 1], bytes[offset + 2], bytes[offset + 3]])
}

/// Checks the header of a file of images, whole or cut off, and returns the file's length by it.
fn images_length(file: &str, bytes: &[u8]) -> Result<u64, Error> {
    let is_colour = bytes.len() >= 4 && word(bytes, 0) == COLOUR_IMAGES_MAGIC;
    let (magic, header_bytes) = match is_colour {
        true => (COLOUR_IMAGES_MAGIC, COLOUR_IMAGES_HEADER_BYTES),
        false => (IMAGES_MAGIC, IMAGES_HEADER_BYTES),
    };
    check_header(file, bytes, magic, header_bytes)?;
    let channels = if is_colour { word(bytes, 16) } else { 1 };
    if !ImageShape::CHANNELS.contains(&(channels as usize)) {
        return Err(Error::Channels { file: file.to_owned(), found: u64::from(channels) });
    }
    let [count, height, width] = [4, 8, 12].map(|offset| u64::from(word(bytes, offset)));
    let side = 1..=MAXIMUM_SIDE as u64;
    if !side.contains(&height) || !side.contains(&width) {
        return Err(Error::ImageSize { file: file.to_owned(), height, width });
    }
    // Of 32 bits, twice 256 and 3.
    check_length(file, count, header_bytes as u64 + count * height * width * u64::from(channels))
}

/// Checks the header of a file of labels, whole or cut off, and returns the file's length by it.
fn labels_length(file: &str, bytes: &[u8]) -> Result<u64, Error> {
    check_header(file, bytes, LABELS_MAGIC, LABELS_HEADER_BYTES)?;
    let count = u64::from(word(bytes, 4));
    check_length(file, count, LABELS_HEADER_BYTES as u64 + count)
}

/// Checks the header of a file of rows of labels, whole or cut off, and returns the file's length by it.
fn label_rows_length(file: &str, bytes: &[u8]) -> Result<u64, Error> {
    check_header(file, bytes, LABEL_ROWS_MAGIC, LABEL_ROWS_HEADER_BYTES)?;
    let (count, columns) = (u64::from(word(bytes, 4)), word(bytes, 8));
    if columns != LABEL_ROW as u32 {
        return Err(Error::LabelColumns {
            file: file.to_owned(),
            expected: LABEL_ROW as u32,
            found: columns,
        });
    }
    check_length(file, count, LABEL_ROWS_HEADER_BYTES as u64 + count * 4 * LABEL_ROW as u64)
}

fn check_header(file: &str, bytes: &[u8], magic: u32, header_bytes: usize) -> Result<(), Error> {
    if bytes.len() >= 4 && word(bytes, 0) != magic {
        let is_of_this_format =
            [IMAGES_MAGIC, COLOUR_IMAGES_MAGIC, LABELS_MAGIC, LABEL_ROWS_MAGIC].contains(&word(bytes, 0));
        let head = &bytes[..bytes.len().min(HEAD_BYTES)];
        // What is compressed has been unpacked once.
        let found = match head.starts_with(&GZIP_MAGIC) {
            true => Some(GZIP_TWICE),
            false => recognise(file, head, 0).filter(|_| !is_of_this_format),
        };
        if let Some(found) = found {
            let expected =
                if [IMAGES_MAGIC, COLOUR_IMAGES_MAGIC].contains(&magic) { "images" } else { "labels" };
            return Err(Error::NotIdx { file: file.to_owned(), expected, found });
        }
        return Err(Error::WrongMagic { file: file.to_owned(), expected: magic, found: word(bytes, 0) });
    }
    if bytes.len() < header_bytes {
        let (expected, found) = (header_bytes as u64, bytes.len() as u64);
        return Err(Error::Truncated { file: file.to_owned(), expected, found });
    }
    Ok(())
}

fn check_length(file: &str, count: u64, length: u64) -> Result<u64, Error> {
    if count == 0 {
        return Err(Error::Empty { file: file.to_owned() });
    }
    Ok(length)
}

/// The uncompressed file, exactly as long as `length_by_header` says of its beginning.
fn unpack(
    file: &str,
    bytes: Vec<u8>,
    length_by_header: fn(&str, &[u8]) -> Result<u64, Error>,
) -> Result<Vec<u8>, Error> {
    if bytes.starts_with(&GZIP_MAGIC) {
        return decompress(file, &bytes, length_by_header);
    }
    let expected = length_by_header(file, &bytes)?;
    check_found(file, expected, bytes.len() as u64, Some(bytes.len() as u64))?;
    Ok(bytes)
}

fn decompress(
    file: &str,
    compressed: &[u8],
    length_by_header: fn(&str, &[u8]) -> Result<u64, Error>,
) -> Result<Vec<u8>, Error> {
    let failed =
        |error: std::io::Error| Error::Compression { file: file.to_owned(), reason: error.to_string() };
    let mut decoder = MultiGzDecoder::new(compressed);
    let mut bytes = Vec::new();
    decoder.by_ref().take(HEAD_BYTES as u64).read_to_end(&mut bytes).map_err(failed)?;
    let expected = length_by_header(file, &bytes)?;
    if expected > MAXIMUM_BYTES {
        return Err(Error::TooLarge { file: file.to_owned(), limit: MAXIMUM_BYTES, found: expected });
    }
    // One byte more than expected tells a longer file, however long it is.
    let rest = (expected + 1).saturating_sub(bytes.len() as u64);
    let possible = (compressed.len() as u64).saturating_mul(DEFLATE_RATIO);
    bytes
        .try_reserve_exact(rest.min(possible) as usize)
        .map_err(|_| Error::Memory { file: file.to_owned(), bytes: expected })?;
    decoder.take(rest).read_to_end(&mut bytes).map_err(failed)?;
    check_found(file, expected, bytes.len() as u64, None)?;
    Ok(bytes)
}

fn check_found(file: &str, expected: u64, found: u64, total: Option<u64>) -> Result<(), Error> {
    match found.cmp(&expected) {
        std::cmp::Ordering::Less => Err(Error::Truncated { file: file.to_owned(), expected, found }),
        std::cmp::Ordering::Equal => Ok(()),
        std::cmp::Ordering::Greater => {
            Err(Error::TrailingBytes { file: file.to_owned(), expected, found: total })
        }
    }
}
