//! The arrays of an npy or npz file as plain numbers or strings, whatever they stand for.

use crate::{
    Error,
    array::{self, ElementError, Head},
    reading::goes_on,
};
use std::{
    borrow::Cow,
    fs::File,
    io::{BufReader, Read},
    path::Path,
};
use zip::ZipArchive;

/// The most elements of an array that is read whole.
pub const MAXIMUM_ELEMENTS: u64 = 1 << 28;

/// The most arrays of an archive.
const MOST_ARRAYS: usize = 1000;

/// An array as it was saved, its last index running fastest.
#[derive(Debug, Clone, PartialEq)]
pub struct Array {
    /// What it is called in its archive; of an npy file the file's name without `.npy`.
    pub name: String,
    /// Length of each dimension.
    pub shape: Vec<usize>,
    /// The elements.
    pub values: Values,
}

/// The elements of an array.
#[derive(Debug, Clone, PartialEq)]
pub enum Values {
    /// Integers, booleans and floats; integers beyond 2⁵³ are rounded.
    Numbers(Vec<f64>),
    /// Strings of fixed length, without the zeros behind them.
    Strings(Vec<String>),
}

impl Values {
    /// How many there are.
    pub fn len(&self) -> usize {
        match self {
            Self::Numbers(values) => values.len(),
            Self::Strings(values) => values.len(),
        }
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// Reads the one array of an npy file.
///
/// # Errors
/// When it cannot be read, is no array of numbers or strings, or has more than [`MAXIMUM_ELEMENTS`].
pub fn read_npy(path: &Path) -> Result<Array, Error> {
    let shown = path.display().to_string();
    let file = File::open(path).map_err(|error| Error::unreadable(&shown, &error))?;
    let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
    read(&mut BufReader::new(file), name, &shown)
}

/// Reads the arrays of an npz file, in the order of their names.
///
/// # Errors
/// As [`read_npy`], and when the archive is damaged.
pub fn read_npz(path: &Path) -> Result<Vec<Array>, Error> {
    let shown = path.display().to_string();
    let damaged =
        |of: &str, reason: String| Error::Damaged { file: of.to_owned(), format: "npz (zip)", reason };
    let file = File::open(path).map_err(|error| Error::unreadable(&shown, &error))?;
    let mut archive =
        ZipArchive::new(BufReader::new(file)).map_err(|error| damaged(&shown, error.to_string()))?;
    let mut members: Vec<String> =
        archive.file_names().flatten().filter(|name| name.ends_with(".npy")).map(Cow::into_owned).collect();
    members.sort();
    if members.is_empty() || members.len() > MOST_ARRAYS {
        return Err(damaged(&shown, format!("1 to {MOST_ARRAYS} arrays expected, {} found", members.len())));
    }
    let mut arrays = Vec::new();
    let mut elements = 0_u64;
    for member in members {
        let name = member.trim_end_matches(".npy").to_owned();
        let of = format!("{shown}, array {name}");
        let mut reader = archive.by_name(&member).map_err(|error| damaged(&of, error.to_string()))?;
        let array = read(&mut reader, name, &of)?;
        elements += array.values.len() as u64;
        if elements > MAXIMUM_ELEMENTS {
            return Err(Error::too_large(&shown, Some(elements)));
        }
        arrays.push(array);
    }
    Ok(arrays)
}

fn read(reader: &mut impl Read, name: String, shown: &str) -> Result<Array, Error> {
    let head = array::read_head(reader, shown)?;
    let count = head.elements().filter(|count| *count <= MAXIMUM_ELEMENTS);
    let count = count.ok_or_else(|| Error::too_large(shown, head.elements()))?;
    let bytes = count.saturating_mul(head.element.size as u64);
    let refused = |error: ElementError| match error {
        ElementError::Ended(found) => {
            Error::Length { file: shown.to_owned(), expected: bytes, found: Some(found) }
        }
        ElementError::Io(error) => {
            Error::Damaged { file: shown.to_owned(), format: "npy", reason: error.to_string() }
        }
        ElementError::Refused(error) => error,
    };
    let values = if head.element.is_string() {
        let mut strings = Vec::new();
        array::strings(reader, head.element, count, &mut |text| {
            strings.push(text.ok_or_else(|| Error::Label {
                file: shown.to_owned(),
                expected: "a string of characters",
                index: strings.len() as u64,
                found: "bytes that are none".to_owned(),
            })?);
            Ok(())
        })
        .map_err(refused)?;
        Values::Strings(in_rows(strings, &head))
    } else {
        let mut numbers = Vec::new();
        array::numbers(reader, head.element, count, &mut |values| {
            numbers.extend_from_slice(values);
            Ok(())
        })
        .map_err(refused)?;
        Values::Numbers(in_rows(numbers, &head))
    };
    match goes_on(reader) {
        Ok(false) => {}
        Ok(true) => return Err(Error::Length { file: shown.to_owned(), expected: bytes, found: None }),
        Err(error) => {
            return Err(Error::Damaged { file: shown.to_owned(), format: "npy", reason: error.to_string() });
        }
    }
    Ok(Array { name, shape: head.shape.iter().map(|side| *side as usize).collect(), values })
}

/// Elements whose first index runs fastest, as if the last did.
fn in_rows<T: Clone>(values: Vec<T>, head: &Head) -> Vec<T> {
    if !head.fortran || head.shape.len() < 2 || values.is_empty() {
        return values;
    }
    let shape: Vec<usize> = head.shape.iter().map(|side| *side as usize).collect();
    let mut index = vec![0; shape.len()];
    (0..values.len())
        .map(|_| {
            let place = index.iter().zip(&shape).rev().fold(0, |place, (at, side)| place * side + at);
            for (at, side) in index.iter_mut().zip(&shape).rev() {
                *at += 1;
                if *at < *side {
                    break;
                }
                *at = 0;
            }
            values[place].clone()
        })
        .collect()
}
