//! MATLAB's files of version 5 to 7, as SVHN is published in: an array `X` of images and an array `y` of labels.
//!
//! Arrays lie column by column, the last dimension counts the images. SVHN's labels run from 1 to 10, of which 10 is the digit 0.

use crate::{
    Error, Images, MAXIMUM_BYTES,
    array::{self, ElementError, ElementKind, ElementType},
    finish::{Raw, RawPart},
    labels::Labels,
    reading::read_exactly,
    words::list,
};
use flate2::read::ZlibDecoder;
use std::{
    fs::{self, File},
    io::{self, BufReader, Read},
    path::{Path, PathBuf},
};

/// The files of SVHN's cropped digits, in the order of the parts. There is a third, `extra_32x32.mat`, which is passed over.
const PART_FILES: [&[&str]; 3] =
    [&["train_32x32.mat", "train.mat"], &["val.mat"], &["test_32x32.mat", "test.mat"]];

const HEAD: usize = 128;

/// Types of elements.
const INT_32: u32 = 5;
const UINT_8: u32 = 2;
const MATRIX: u32 = 14;
const COMPRESSED: u32 = 15;

/// Before an array's values there are its flags, sides and name: no more than a few hundred bytes.
const LONGEST_ELEMENT: u64 = 4096;

/// The parts' files in a folder.
fn files(path: &Path) -> [Option<PathBuf>; 3] {
    PART_FILES.map(|names| names.iter().map(|name| path.join(name)).find(|file| file.is_file()))
}

pub(crate) fn is_folder(path: &Path) -> bool {
    files(path).iter().any(Option::is_some)
}

pub(crate) fn is_file(name: &str) -> bool {
    name.ends_with(".mat")
}

pub(crate) fn read(path: &Path) -> Result<Raw, Error> {
    let mut raw = Raw::default();
    if !path.is_dir() {
        raw.parts[0] = Some(read_file(path, &mut raw.remarks)?);
        return Ok(raw);
    }
    let files = files(path);
    if files[0].is_none() {
        let found: Vec<String> = files.iter().flatten().map(|file| file.display().to_string()).collect();
        let (path, expected) = (path.display().to_string(), "train_32x32.mat");
        return Err(Error::NoTraining { path, expected, found: list(&found) });
    }
    for (file, part) in files.iter().zip(&mut raw.parts) {
        if let Some(file) = file {
            *part = Some(read_file(file, &mut raw.remarks)?);
        }
    }
    let others = fs::read_dir(path).into_iter().flatten().flatten().map(|entry| entry.path());
    let is_other = |path: &PathBuf| {
        is_file(&path.to_string_lossy().to_lowercase()) && !files.iter().flatten().any(|file| file == path)
    };
    let mut others: Vec<String> = others
        .filter(is_other)
        .map(|path| path.file_name().unwrap_or_default().to_string_lossy().into_owned())
        .collect();
    others.sort();
    if !others.is_empty() {
        raw.remarks.push(format!("MATLAB files passed over: {}", list(&others)));
    }
    Ok(raw)
}

/// What the head of an array says.
struct Head {
    name: String,
    sides: Vec<u64>,
    element: ElementType,
    /// Of its values.
    bytes: u64,
}

/// How an element begins.
struct Tag {
    kind: u32,
    length: u64,
    /// Its values, where they are in the tag itself.
    within: Option<[u8; 4]>,
}

/// Reads a file's numbers in its byte order.
struct Words {
    big_endian: bool,
}

impl Words {
    fn word(&self, bytes: [u8; 4]) -> u32 {
        if self.big_endian { u32::from_be_bytes(bytes) } else { u32::from_le_bytes(bytes) }
    }

    /// The next element's; none at the end.
    fn tag(&self, reader: &mut impl Read) -> io::Result<Option<Tag>> {
        let mut tag = [0; 8];
        let mut have = 0;
        while have < tag.len() {
            match reader.read(&mut tag[have..]) {
                Ok(0) if have == 0 => return Ok(None),
                Ok(0) => return Err(io::ErrorKind::UnexpectedEof.into()),
                Ok(read) => have += read,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        let [first, second] = [0, 4].map(|at| [tag[at], tag[at + 1], tag[at + 2], tag[at + 3]]);
        let kind = self.word(first);
        Ok(Some(match kind >> 16 {
            0 => Tag { kind, length: self.word(second).into(), within: None },
            // Four bytes at most stand in the place of the length.
            length => Tag { kind: kind & 0xffff, length: length.min(4).into(), within: Some(second) },
        }))
    }

    /// A short element: its type and values.
    fn short(&self, reader: &mut impl Read) -> io::Result<(u32, Vec<u8>)> {
        let Tag { kind, length, within } = self.tag(reader)?.ok_or(io::ErrorKind::UnexpectedEof)?;
        if let Some(within) = within {
            return Ok((kind, within[..length as usize].to_vec()));
        }
        if length > LONGEST_ELEMENT {
            return Err(no_file("an array's head of another length"));
        }
        let mut bytes = vec![0; length.next_multiple_of(8) as usize];
        reader.read_exact(&mut bytes)?;
        bytes.truncate(length as usize);
        Ok((kind, bytes))
    }

    /// Reads the header of an array element after its tag and leaves `reader` at the values. No header comes back for a class
    /// that is not numeric.
    fn head(&self, reader: &mut impl Read) -> io::Result<(Option<Head>, Option<[u8; 4]>)> {
        let (_, flags) = self.short(reader)?;
        let (kind, sides) = self.short(reader)?;
        let (_, name) = self.short(reader)?;
        let class = flags.first_chunk().map_or(0, |flags| self.word(*flags) & 0xff);
        // Doubles to 64-bit integers: no cells, structures, characters or sparse ones.
        if kind != INT_32 || !(6..=15).contains(&class) {
            return Ok((None, None));
        }
        let side = |side: &[u8]| side.try_into().map_or(0, |side| u64::from(self.word(side)));
        let sides = sides.chunks_exact(4).map(side).collect();
        let name = String::from_utf8_lossy(&name).into_owned();
        let Tag { kind, length: bytes, within } = self.tag(reader)?.ok_or(io::ErrorKind::UnexpectedEof)?;
        let (kind, size) = match kind {
            1 => (ElementKind::Signed, 1),
            UINT_8 => (ElementKind::Unsigned, 1),
            3 => (ElementKind::Signed, 2),
            4 => (ElementKind::Unsigned, 2),
            INT_32 => (ElementKind::Signed, 4),
            6 => (ElementKind::Unsigned, 4),
            7 => (ElementKind::Float, 4),
            9 => (ElementKind::Float, 8),
            12 => (ElementKind::Signed, 8),
            13 => (ElementKind::Unsigned, 8),
            _ => return Ok((None, None)),
        };
        let element = ElementType::new(kind, size, self.big_endian);
        Ok((Some(Head { name, sides, element, bytes }), within))
    }
}

fn no_file(reason: &'static str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, reason)
}

/// What was found of a file's arrays.
#[derive(Default)]
struct Found {
    images: Option<Images>,
    labels: Option<Labels>,
    others: Vec<String>,
    has_ten: bool,
}

fn read_file(path: &Path, remarks: &mut Vec<String>) -> Result<RawPart, Error> {
    let file = path.display().to_string();
    let of = |error: io::Error| match error.kind() {
        io::ErrorKind::UnexpectedEof => damaged(&file, "the file ends early"),
        io::ErrorKind::InvalidData | io::ErrorKind::InvalidInput => damaged(&file, &error.to_string()),
        _ => Error::unreadable(&file, &error),
    };
    let mut reader = BufReader::new(File::open(path).map_err(of)?);
    let words = open(&mut reader, &file)?;
    let mut found = Found::default();
    while let Some(Tag { kind, length, within }) = words.tag(&mut reader).map_err(of)? {
        if within.is_some() {
            continue;
        }
        let mut element = reader.by_ref().take(length);
        match kind {
            MATRIX => found.array(&words, &mut element, &file)?,
            COMPRESSED => {
                let mut unpacked = ZlibDecoder::new(&mut element);
                if let Some(Tag { kind: MATRIX, .. }) = words.tag(&mut unpacked).map_err(of)? {
                    found.array(&words, &mut unpacked, &file)?;
                }
            }
            _ => {}
        }
        // Only compressed elements may end off a multiple of eight bytes.
        let padding = if kind == COMPRESSED { 0 } else { length.next_multiple_of(8) - length };
        let rest = element.limit() + padding;
        if io::copy(&mut reader.by_ref().take(rest), &mut io::sink()).map_err(of)? < rest {
            return Err(damaged(&file, "the file ends early"));
        }
    }
    let Found { images, labels, others, has_ten } = found;
    let Some(images) = images else {
        return Err(Error::Arrays { file, expected: "X and y", found: others });
    };
    let Some(labels) = labels else {
        return Err(Error::MissingLabels { file, images: "array X".to_owned() });
    };
    if labels.len() != images.count {
        let (images, labels) = (images.count as u64, labels.len() as u64);
        return Err(Error::CountsDiffer { file: format!("{file}, array y"), images, labels });
    }
    if has_ten {
        remarks.push(format!("{file}: label 10 is read as the digit 0, as in SVHN"));
    }
    if !others.is_empty() {
        remarks.push(format!("{file}: arrays passed over: {}", list(&others)));
    }
    Ok(RawPart { images, labels, names: None })
}

fn damaged(file: &str, reason: &str) -> Error {
    Error::Damaged { file: file.to_owned(), format: "MATLAB", reason: reason.to_owned() }
}

/// Reads a file's head: what follows are its elements.
fn open(reader: &mut impl Read, file: &str) -> Result<Words, Error> {
    let mut head = Vec::new();
    reader.take(HEAD as u64).read_to_end(&mut head).map_err(|error| Error::unreadable(file, &error))?;
    let refused = |found: String| Error::Header {
        file: file.to_owned(),
        expected: "a MATLAB file of version 5 to 7 (save with -v7)",
        found,
    };
    if head.is_empty() {
        return Err(Error::EmptyFile { file: file.to_owned(), expected: "a MATLAB file" });
    }
    if head.starts_with(b"MATLAB 7.3") || head.starts_with(b"\x89HDF") {
        return Err(refused("one of version 7.3 (HDF5)".to_owned()));
    }
    match head.get(126..128) {
        Some(b"IM") => Ok(Words { big_endian: false }),
        Some(b"MI") => Ok(Words { big_endian: true }),
        _ => Err(refused(format!("a file that begins with {}", head[..head.len().min(8)].escape_ascii()))),
    }
}

impl Found {
    /// Takes an array if it is one of the two.
    fn array(&mut self, words: &Words, reader: &mut impl Read, file: &str) -> Result<(), Error> {
        let of = |error: io::Error| damaged(file, &error.to_string());
        let (head, within) = words.head(reader).map_err(of)?;
        let Some(head) = head else { return Ok(()) };
        let shown = format!("{file}, array {}", head.name);
        // Values of four bytes at most stand in their tag.
        let within = within.map(|within| within[..head.bytes as usize].to_vec());
        let mut values: Box<dyn Read> = match &within {
            Some(within) => Box::new(&within[..]),
            None => Box::new(reader.take(head.bytes)),
        };
        let elements = head.sides.iter().try_fold(1_u64, |product, side| product.checked_mul(*side));
        if elements.and_then(|elements| elements.checked_mul(head.element.size as u64)) != Some(head.bytes) {
            let expected = elements.unwrap_or(u64::MAX).saturating_mul(head.element.size as u64);
            return Err(Error::Length { file: shown, expected, found: Some(head.bytes) });
        }
        match head.name.as_str() {
            "X" => self.images = Some(images(&mut values, &head, &shown)?),
            "y" => self.labels = Some(self.labels(&mut values, &head, &shown)?),
            _ => self.others.push(head.name),
        }
        Ok(())
    }

    fn labels(&mut self, values: &mut impl Read, head: &Head, shown: &str) -> Result<Labels, Error> {
        let count = match head.sides[..] {
            [count, 1] | [1, count] => count,
            _ => {
                return Err(Error::Shape {
                    array: shown.to_owned(),
                    expected: "labels of shape (N, 1)",
                    found: head.sides.clone(),
                });
            }
        };
        let mut numbers: Vec<i64> = Vec::new();
        let read = array::each_number(values, head.element, count, &mut |value| {
            let label = value as i64;
            if label as f64 != value {
                let (file, index) = (shown.to_owned(), numbers.len() as u64);
                return Err(Error::Label {
                    file,
                    expected: "a whole number",
                    index,
                    found: value.to_string(),
                });
            }
            numbers.push(label);
            Ok(())
        });
        read.map_err(|error| match error {
            ElementError::Refused(error) => error,
            ElementError::Ended(found) => {
                Error::Length { file: shown.to_owned(), expected: head.bytes, found: Some(found) }
            }
            ElementError::Io(error) => damaged(shown, &error.to_string()),
        })?;
        // Other labels that reach 10 are not SVHN's.
        self.has_ten = numbers.contains(&10) && numbers.iter().all(|label| (1..=10).contains(label));
        let mut labels = Labels::default();
        for number in numbers {
            let label = if self.has_ten && number == 10 { 0 } else { number };
            labels.push(&label.to_string(), &|| shown.to_owned())?;
        }
        Ok(labels)
    }
}

fn images(values: &mut impl Read, head: &Head, shown: &str) -> Result<Images, Error> {
    let [height, width, channels, count] = match head.sides[..] {
        [height, width, channels @ (1 | 3), count] => [height, width, channels, count],
        [height, width, count] => [height, width, 1, count],
        _ => {
            return Err(Error::Shape {
                array: shown.to_owned(),
                expected: "images of shape (H, W, N) or (H, W, C, N) with 1 or 3 channels",
                found: head.sides.clone(),
            });
        }
    };
    if !head.element.is_bytes() {
        let found = format!("{:?} of {} bytes", head.element.kind, head.element.size).to_lowercase();
        return Err(Error::ElementType { array: shown.to_owned(), expected: "pixels of type uint8", found });
    }
    if head.bytes > MAXIMUM_BYTES {
        return Err(Error::too_large(shown, Some(head.bytes)));
    }
    if head.bytes == 0 {
        return Err(Error::NoImages { path: shown.to_owned() });
    }
    let mut pixels =
        read_exactly(values, head.bytes as usize).map_err(|error| error.of(shown, "MATLAB", head.bytes))?;
    let [height, width, channels, count] = [height, width, channels, count].map(|side| side as usize);
    let mut columns = vec![0; height * width * channels];
    for image in pixels.chunks_exact_mut(columns.len()) {
        columns.copy_from_slice(image);
        for (row, values) in image.chunks_exact_mut(width * channels).enumerate() {
            for (column, pixel) in values.chunks_exact_mut(channels).enumerate() {
                for (channel, value) in pixel.iter_mut().enumerate() {
                    *value = columns[(channel * width + column) * height + row];
                }
            }
        }
    }
    Ok(Images { pixels, count, height, width, channels })
}
