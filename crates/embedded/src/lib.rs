//! The MNIST database, compressed, inside the binary.
//!
//! [`files`] unpacks the four original files and verifies each one's SHA-256, so that a damaged copy of the program
//! reports itself instead of training on something else.
//!
//! A coder of this crate's own holds the data, since the binary is to stay under 20 MB and the published package under 10 MB:
//! a range coder whose contexts are the pixels around (`coder.rs`, `model.rs`).
//!
//! | codec | all four files (of 54,950,048 bytes) | unpacking the training images, one core |
//! |---|---|---|
//! | LZ4 level 12, `lz4_flex` 0.14 | 12,617,696 bytes | 25 ms |
//! | zstd level 22, `ruzstd` 0.9 | 9,987,375 bytes | 250–290 ms |
//! | this one | 7,960,114 bytes | 680 ms |
//!
//! The first two were measured on a 2.6 GHz Xeon with SHA extensions, the last one on a machine with other work.
//! `examples/measure.rs` repeats the measurement of time. The training images are four parts, unpacked in parallel by the current
//! `rayon` pool, and one after the other where there are no threads.
//!
//! Each packed part is a `static` of its own. Bytes behind a reference in a constant or in another static have no name: every
//! codegen unit that reads the reference gets a copy, and the binary held the data three times.
//!
//! The data's authors are Yann LeCun, Corinna Cortes and Christopher J. C. Burges; it is derived from NIST SD-3 and
//! SD-1 and commonly distributed under CC BY-SA 3.0. `files/NOTICE` states this beside the data, and
//! `examples/pack.rs` makes the compressed files from the original ones, by [`pack`].

mod coder;
mod model;

use base16ct::lower::encode_string as hexadecimal;
use coder::{Decoder, Encoder};
use rayon::prelude::*;
use sha2::{Digest, Sha256};

/// One of the four files in its compressed form.
#[derive(Debug)]
pub struct PackedFile {
    /// The original file's name.
    pub name: &'static str,
    /// SHA-256 of the original file, in lower-case hexadecimal.
    pub sha256: &'static str,
    /// The original file's length.
    pub length_bytes: usize,
    /// What the original begins with.
    pub header: &'static [u8],
    /// What follows the header.
    pub content: Content,
    /// The content as [`pack`] makes it, divided as evenly as whole images or labels can be; the last part is the shortest.
    pub parts: &'static [&'static [u8]],
}

/// What a file holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Content {
    /// Images of 28×28 pixels, a byte each.
    Images,
    /// Labels from 0 to 9, a byte each.
    Labels,
}

impl Content {
    /// Bytes that must stay together.
    fn unit(self) -> usize {
        match self {
            Self::Images => model::PIXELS,
            Self::Labels => 1,
        }
    }
}

static TRAINING_IMAGES_0: [u8; 1_700_649] = *include_bytes!("../files/train-images-idx3-ubyte.0.packed");
static TRAINING_IMAGES_1: [u8; 1_689_635] = *include_bytes!("../files/train-images-idx3-ubyte.1.packed");
static TRAINING_IMAGES_2: [u8; 1_701_139] = *include_bytes!("../files/train-images-idx3-ubyte.2.packed");
static TRAINING_IMAGES_3: [u8; 1_712_950] = *include_bytes!("../files/train-images-idx3-ubyte.3.packed");
static PACKED_TRAINING_LABELS: [u8; 25_266] = *include_bytes!("../files/train-labels-idx1-ubyte.packed");
static PACKED_TEST_IMAGES: [u8; 1_126_243] = *include_bytes!("../files/t10k-images-idx3-ubyte.packed");
static PACKED_TEST_LABELS: [u8; 4_232] = *include_bytes!("../files/t10k-labels-idx1-ubyte.packed");

/// The training images: 60,000 images of 28×28 pixels.
pub static TRAINING_IMAGES: PackedFile = PackedFile {
    name: "train-images-idx3-ubyte",
    sha256: "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
    length_bytes: 47_040_016,
    header: &[0, 0, 8, 3, 0, 0, 0xea, 0x60, 0, 0, 0, 28, 0, 0, 0, 28],
    content: Content::Images,
    parts: &[&TRAINING_IMAGES_0, &TRAINING_IMAGES_1, &TRAINING_IMAGES_2, &TRAINING_IMAGES_3],
};

/// The training labels: one byte an image.
pub static TRAINING_LABELS: PackedFile = PackedFile {
    name: "train-labels-idx1-ubyte",
    sha256: "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
    length_bytes: 60_008,
    header: &[0, 0, 8, 1, 0, 0, 0xea, 0x60],
    content: Content::Labels,
    parts: &[&PACKED_TRAINING_LABELS],
};

/// The test images: 10,000 images of 28×28 pixels.
pub static TEST_IMAGES: PackedFile = PackedFile {
    name: "t10k-images-idx3-ubyte",
    sha256: "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
    length_bytes: 7_840_016,
    header: &[0, 0, 8, 3, 0, 0, 0x27, 0x10, 0, 0, 0, 28, 0, 0, 0, 28],
    content: Content::Images,
    parts: &[&PACKED_TEST_IMAGES],
};

/// The test labels: one byte an image.
pub static TEST_LABELS: PackedFile = PackedFile {
    name: "t10k-labels-idx1-ubyte",
    sha256: "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
    length_bytes: 10_008,
    header: &[0, 0, 8, 1, 0, 0, 0x27, 0x10],
    content: Content::Labels,
    parts: &[&PACKED_TEST_LABELS],
};

/// The four original files, byte for byte (IDX format, headers included).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Files {
    /// `train-images-idx3-ubyte`, 47,040,016 bytes.
    pub training_images: Vec<u8>,
    /// `train-labels-idx1-ubyte`, 60,008 bytes.
    pub training_labels: Vec<u8>,
    /// `t10k-images-idx3-ubyte`, 7,840,016 bytes.
    pub test_images: Vec<u8>,
    /// `t10k-labels-idx1-ubyte`, 10,008 bytes.
    pub test_labels: Vec<u8>,
}

/// The embedded copy is damaged.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CorruptError {
    /// A compressed part cannot be unpacked.
    #[error("the embedded copy of {file} is damaged: part {part} of {parts} cannot be unpacked ({reason})")]
    Unreadable {
        /// The original file's name.
        file: &'static str,
        /// Which part, counted from 1.
        part: usize,
        /// How many parts there are.
        parts: usize,
        /// What the decoder found.
        reason: &'static str,
    },
    /// The unpacked bytes are not the original ones.
    #[error("the embedded copy of {file} is damaged: SHA-256 {expected} expected, {found} found")]
    WrongDigest {
        /// The original file's name.
        file: &'static str,
        /// SHA-256 of the original file.
        expected: &'static str,
        /// SHA-256 of the unpacked bytes.
        found: String,
    },
}

/// Unpacks and verifies the four files, in parallel on the current `rayon` pool.
///
/// A program that sets the number of threads of the global pool does so before the first call.
///
/// # Errors
/// [`CorruptError`] when the copy in this binary is not, bit for bit, the published database.
pub fn files() -> Result<Files, CorruptError> {
    let ((training_images, training_labels), (test_images, test_labels)) = rayon::join(
        || rayon::join(|| unpack_whole(&TRAINING_IMAGES), || unpack_whole(&TRAINING_LABELS)),
        || rayon::join(|| unpack_whole(&TEST_IMAGES), || unpack_whole(&TEST_LABELS)),
    );
    Ok(Files {
        training_images: training_images?,
        training_labels: training_labels?,
        test_images: test_images?,
        test_labels: test_labels?,
    })
}

fn unpack_whole(file: &PackedFile) -> Result<Vec<u8>, CorruptError> {
    unpack(file, file.parts)
}

/// Unpacks `parts` and verifies that together they are the original `file`.
///
/// The parts are an argument, rather than `file.parts`, so that a test can damage them.
///
/// # Errors
/// [`CorruptError`] when a part cannot be unpacked, or the whole has another SHA-256 than the original file.
pub fn unpack(file: &PackedFile, parts: &[&[u8]]) -> Result<Vec<u8>, CorruptError> {
    let mut bytes = vec![0; file.length_bytes];
    let (header, content) = bytes.split_at_mut(file.header.len());
    header.copy_from_slice(file.header);
    let part_bytes = part_bytes(file, parts.len());
    content.par_chunks_mut(part_bytes).zip(parts).enumerate().try_for_each(|(index, (target, part))| {
        unpack_part(file.content, part, target).map_err(|reason| CorruptError::Unreadable {
            file: file.name,
            part: index + 1,
            parts: parts.len(),
            reason,
        })
    })?;
    let found = hexadecimal(&Sha256::digest(&bytes));
    if found == file.sha256 {
        Ok(bytes)
    } else {
        Err(CorruptError::WrongDigest { file: file.name, expected: file.sha256, found })
    }
}

/// Packs an original into as many parts as `file` has, for [`unpack`].
///
/// # Panics
/// When `original` is not the original `file`: nothing else can be packed.
pub fn pack(file: &PackedFile, original: &[u8]) -> Vec<Vec<u8>> {
    assert_eq!(hexadecimal(&Sha256::digest(original)), file.sha256, "{}", file.name);
    let content = &original[file.header.len()..];
    content.par_chunks(part_bytes(file, file.parts.len())).map(|part| pack_part(file.content, part)).collect()
}

fn part_bytes(file: &PackedFile, parts: usize) -> usize {
    let unit = file.content.unit();
    let units = (file.length_bytes - file.header.len()) / unit;
    units.div_ceil(parts.max(1)).max(1) * unit
}

fn unpack_part(content: Content, part: &[u8], target: &mut [u8]) -> Result<(), &'static str> {
    let mut decoder = Decoder::new(part);
    match content {
        Content::Images => model::images(&mut decoder, target),
        Content::Labels => model::labels(&mut decoder, target),
    }
    decoder.finish()
}

fn pack_part(content: Content, part: &[u8]) -> Vec<u8> {
    let mut encoder = Encoder::new();
    // Coding writes each value back, since reading and writing are one function.
    let mut values = part.to_vec();
    match content {
        Content::Images => model::images(&mut encoder, &mut values),
        Content::Labels => model::labels(&mut encoder, &mut values),
    }
    encoder.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: [&PackedFile; 4] = [&TRAINING_IMAGES, &TRAINING_LABELS, &TEST_IMAGES, &TEST_LABELS];

    #[test]
    fn every_file_is_the_published_one() {
        let files = files().unwrap();
        let unpacked = [files.training_images, files.training_labels, files.test_images, files.test_labels];
        let headers: [&[u8]; 4] = [
            &[0, 0, 8, 3, 0, 0, 0xea, 0x60, 0, 0, 0, 28, 0, 0, 0, 28],
            &[0, 0, 8, 1, 0, 0, 0xea, 0x60],
            &[0, 0, 8, 3, 0, 0, 0x27, 0x10, 0, 0, 0, 28, 0, 0, 0, 28],
            &[0, 0, 8, 1, 0, 0, 0x27, 0x10],
        ];
        for ((file, bytes), header) in ALL.iter().zip(unpacked).zip(headers) {
            assert_eq!(bytes.len(), file.length_bytes, "{}", file.name);
            assert_eq!(hexadecimal(&Sha256::digest(&bytes)), file.sha256, "{}", file.name);
            assert!(bytes.starts_with(header), "{}", file.name);
        }
    }

    /// Flips one bit at 200 places all over a file. A flip that the decoder does not see must be seen by the digest,
    /// unless it changes none of the unpacked bytes (a reserved field, a match of the same text elsewhere).
    #[test]
    fn a_flipped_bit_never_yields_other_bytes() {
        let original = unpack_whole(&TEST_LABELS).unwrap();
        let packed = TEST_LABELS.parts[0];
        let (mut unreadable, mut wrong) = (0, 0);
        for step in 0..200 {
            let mut damaged = packed.to_vec();
            damaged[step * packed.len() / 200] ^= 1 << (step % 8);
            match unpack(&TEST_LABELS, &[&damaged]) {
                Ok(bytes) => assert!(bytes == original, "flip {step} went unseen"),
                Err(CorruptError::Unreadable { .. }) => unreadable += 1,
                Err(CorruptError::WrongDigest { .. }) => wrong += 1,
            }
        }
        assert!(unreadable > 0 && wrong > 0, "{unreadable} unreadable, {wrong} with another digest");
    }

    #[test]
    fn the_error_names_the_file_and_both_digests() {
        let all_zero = packed_zeros(10_000);
        let error = unpack(&TEST_LABELS, &[&all_zero]).unwrap_err();
        let mut zeros = TEST_LABELS.header.to_vec();
        zeros.resize(TEST_LABELS.length_bytes, 0);
        let found = hexadecimal(&Sha256::digest(zeros));
        assert_eq!(
            error.to_string(),
            format!(
                "the embedded copy of t10k-labels-idx1-ubyte is damaged: SHA-256 {} expected, {found} found",
                TEST_LABELS.sha256
            )
        );
    }

    #[test]
    fn a_part_too_short_too_long_missing_or_exchanged_is_an_error() {
        let part = TEST_LABELS.parts[0];
        let reason = |parts: &[&[u8]]| match unpack(&TEST_LABELS, parts).unwrap_err() {
            CorruptError::Unreadable { part, reason, .. } => format!("part {part}: {reason}"),
            CorruptError::WrongDigest { .. } => "wrong digest".to_owned(),
        };
        assert_eq!(reason(&[&part[..part.len() / 2]]), "part 1: shorter than expected");
        assert_eq!(reason(&[&[part, &[0]].concat()]), "part 1: longer than expected");
        assert_eq!(reason(&[]), "wrong digest");
        let parts = TRAINING_IMAGES.parts;
        let exchanged = unpack(&TRAINING_IMAGES, &[parts[1], parts[0], parts[2], parts[3]]).unwrap_err();
        assert!(matches!(exchanged, CorruptError::WrongDigest { .. }));
    }

    /// So whoever has the original files can tell that these are what [`pack`] makes of them.
    #[test]
    fn the_embedded_parts_are_what_packing_makes() {
        for file in ALL {
            let original = unpack_whole(file).unwrap();
            assert!(pack(file, &original) == file.parts, "{}", file.name);
        }
    }

    /// Dark images, full ones, every value, and every margin.
    #[test]
    fn any_image_comes_back() {
        let mut pixels = vec![0; 2 * model::PIXELS];
        pixels.extend([255; model::PIXELS]);
        pixels.extend((0..model::PIXELS * 4).map(|index| (index * index / 7) as u8));
        for place in 0..model::PIXELS {
            let start = pixels.len();
            pixels.resize(start + model::PIXELS, 0);
            pixels[start + place] = 1 + (place % 255) as u8;
        }
        let packed = pack_part(Content::Images, &pixels);
        let mut unpacked = vec![0; pixels.len()];
        unpack_part(Content::Images, &packed, &mut unpacked).unwrap();
        assert!(unpacked == pixels);
    }

    /// Damaged bytes are an error or other images, never a panic.
    #[test]
    fn noise_is_read_to_its_end() {
        let noise: Vec<u8> =
            (0..200_000_u32).map(|index| (index.wrapping_mul(2_654_435_761) >> 13) as u8).collect();
        for start in 0..50 {
            let mut images = vec![0; 20 * model::PIXELS];
            assert!(unpack_part(Content::Images, &noise[start..], &mut images).is_err());
        }
        let mut images = vec![0; model::PIXELS];
        assert!(unpack_part(Content::Images, &[255; 8], &mut images).is_err());
    }

    fn packed_zeros(labels: usize) -> Vec<u8> {
        pack_part(Content::Labels, &vec![0; labels])
    }
}
