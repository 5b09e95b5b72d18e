//! NumPy's arrays (format versions 1 to 3): the head of one, and its elements as numbers or strings.

use crate::Error;
use std::io::{self, Read};

const MAGIC: &[u8] = b"\x93NUMPY";

/// Heads are some 128 bytes; NumPy itself reads none longer than 10,000 without being asked to.
const LONGEST_HEAD: usize = 1 << 16;

/// The most characters of a string.
const LONGEST_STRING: usize = 1024;

/// Elements are read as many bytes at a time.
const CHUNK: usize = 1 << 16;

/// Of what type an array's elements are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct ElementType {
    pub(crate) kind: ElementKind,
    big_endian: bool,
    /// Bytes of one.
    pub(crate) size: usize,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ElementKind {
    Bool,
    Signed,
    Unsigned,
    Float,
    /// Strings of 32-bit characters.
    Unicode,
    /// Strings of bytes.
    Bytes,
}

/// What the head of an array says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Head {
    pub(crate) element: ElementType,
    /// Whether the first index runs fastest.
    pub(crate) fortran: bool,
    pub(crate) shape: Vec<u64>,
}

impl Head {
    /// Number of elements, where it is one.
    pub(crate) fn elements(&self) -> Option<u64> {
        self.shape.iter().try_fold(1_u64, |product, side| product.checked_mul(*side))
    }
}

/// Reads the head of the array `name`; what follows in `reader` are its elements.
pub(crate) fn read_head(reader: &mut impl Read, name: &str) -> Result<Head, Error> {
    let refused =
        |found: String| Error::Header { file: name.to_owned(), expected: "the head of a NumPy array", found };
    let mut start = [0; 8];
    let read = |error: io::Error| match error.kind() {
        io::ErrorKind::UnexpectedEof => refused("one that breaks off".to_owned()),
        _ => Error::Damaged { file: name.to_owned(), format: "npz", reason: error.to_string() },
    };
    reader.read_exact(&mut start).map_err(read)?;
    if !start.starts_with(MAGIC) {
        return Err(refused(format!("a file that begins with {}", start.escape_ascii())));
    }
    let mut length = [0; 4];
    let bytes = match start[6] {
        1 => 2,
        2 | 3 => 4,
        version => return Err(refused(format!("version {version} of the format"))),
    };
    reader.read_exact(&mut length[..bytes]).map_err(read)?;
    let length = u32::from_le_bytes(length) as usize;
    if length > LONGEST_HEAD {
        return Err(refused(format!("one of {} bytes", crate::words::thousands(length as u64))));
    }
    let mut text = vec![0; length];
    reader.read_exact(&mut text).map_err(read)?;
    let text = String::from_utf8(text).map_err(|_| refused("one that is no text".to_owned()))?;
    parse(&text, name).unwrap_or_else(|| Err(refused(text.trim_end().chars().take(80).collect())))
}

/// The dictionary of a head; none where it is none. Its description of the type may be refused by name.
fn parse(text: &str, name: &str) -> Option<Result<Head, Error>> {
    let mut rest = text.trim().strip_prefix('{')?.trim_start();
    let (mut description, mut fortran, mut shape) = (None, None, None);
    while !rest.starts_with('}') {
        let quote = rest.chars().next().filter(|quote| "'\"".contains(*quote))?;
        let (key, after) = rest[1..].split_once(quote)?;
        rest = after.trim_start().strip_prefix(':')?.trim_start();
        match key {
            "descr" if rest.starts_with('[') => {
                return Some(Err(Error::ElementType {
                    array: name.to_owned(),
                    expected: NUMBERS,
                    found: "a record of several fields".to_owned(),
                }));
            }
            "descr" => {
                let quote = rest.chars().next().filter(|quote| "'\"".contains(*quote))?;
                let (value, after) = rest[1..].split_once(quote)?;
                (description, rest) = (Some(value), after);
            }
            "fortran_order" => {
                let value = ["True", "False"].into_iter().find(|value| rest.starts_with(value))?;
                (fortran, rest) = (Some(value == "True"), &rest[value.len()..]);
            }
            "shape" => {
                let (sides, after) = rest.strip_prefix('(')?.split_once(')')?;
                let sides = sides.split(',').map(str::trim).filter(|side| !side.is_empty());
                // Python 2 wrote long integers with an L.
                let sides = sides.map(|side| side.strip_suffix('L').unwrap_or(side).parse());
                (shape, rest) = (Some(sides.collect::<Result<Vec<u64>, _>>().ok()?), after);
            }
            _ => return None,
        }
        rest = rest.trim_start();
        rest = rest.strip_prefix(',').map_or(rest, str::trim_start);
    }
    let (description, fortran, shape) = (description?, fortran?, shape?);
    // No array of NumPy's has more dimensions.
    (shape.len() <= 64).then(|| Ok(Head { element: element_type(description, name)?, fortran, shape }))
}

const NUMBERS: &str = "integers, booleans, floats or strings of fixed length";

fn element_type(description: &str, name: &str) -> Result<ElementType, Error> {
    let refused =
        || Error::ElementType { array: name.to_owned(), expected: NUMBERS, found: description.to_owned() };
    let (order, rest) = match description.split_at_checked(1) {
        Some((order @ ("<" | ">" | "|" | "="), rest)) => (order, rest),
        _ => ("|", description),
    };
    let (kind, size) = rest.split_at_checked(1).ok_or_else(refused)?;
    if kind == "O" {
        return Err(Error::Pickle { array: name.to_owned() });
    }
    let size: usize = size.parse().map_err(|_| refused())?;
    let (kind, sizes, scale): (_, &[usize], _) = match kind {
        "b" => (ElementKind::Bool, &[1], 1),
        "i" => (ElementKind::Signed, &[1, 2, 4, 8], 1),
        "u" => (ElementKind::Unsigned, &[1, 2, 4, 8], 1),
        "f" => (ElementKind::Float, &[2, 4, 8], 1),
        "U" => (ElementKind::Unicode, &[], 4),
        "S" | "a" => (ElementKind::Bytes, &[], 1),
        _ => return Err(refused()),
    };
    let fits = if sizes.is_empty() { (1..=LONGEST_STRING).contains(&size) } else { sizes.contains(&size) };
    if !fits {
        return Err(refused());
    }
    Ok(ElementType { kind, big_endian: order == ">", size: size * scale })
}

impl ElementType {
    pub(crate) fn new(kind: ElementKind, size: usize, big_endian: bool) -> Self {
        Self { kind, big_endian, size }
    }

    pub(crate) fn is_bytes(&self) -> bool {
        self.kind == ElementKind::Unsigned && self.size == 1
    }

    pub(crate) fn is_string(&self) -> bool {
        matches!(self.kind, ElementKind::Unicode | ElementKind::Bytes)
    }

    /// The element in `bytes` as a number; exact up to 2⁵³.
    fn number(&self, bytes: &[u8]) -> f64 {
        let mut word = [0; 8];
        for (place, byte) in word.iter_mut().zip(bytes) {
            *place = *byte;
        }
        if self.big_endian {
            word[..self.size].reverse();
        }
        let word = u64::from_le_bytes(word);
        match (self.kind, self.size) {
            (ElementKind::Float, 2) => half(word as u16),
            (ElementKind::Float, 4) => f32::from_bits(word as u32).into(),
            (ElementKind::Float, _) => f64::from_bits(word),
            (ElementKind::Bool, _) => f64::from(u8::from(word != 0)),
            (ElementKind::Signed, size) => {
                let unused = 64 - 8 * size as u32;
                ((word << unused) as i64 >> unused) as f64
            }
            _ => word as f64,
        }
    }

    /// The string in `bytes`, without the zeros behind it; none where its characters are none.
    fn string(&self, bytes: &[u8]) -> Option<String> {
        match self.kind {
            ElementKind::Unicode => {
                let code = |bytes: &[u8]| {
                    let bytes: [u8; 4] = bytes.try_into().ok()?;
                    let code =
                        if self.big_endian { u32::from_be_bytes(bytes) } else { u32::from_le_bytes(bytes) };
                    char::from_u32(code)
                };
                let text: String = bytes.chunks_exact(4).map(code).collect::<Option<_>>()?;
                Some(text.trim_end_matches('\0').to_owned())
            }
            _ => {
                let end = bytes.iter().rposition(|byte| *byte != 0).map_or(0, |last| last + 1);
                String::from_utf8(bytes[..end].to_vec()).ok()
            }
        }
    }
}

/// A number of sixteen bits (IEEE 754 binary16).
fn half(bits: u16) -> f64 {
    let (sign, exponent, fraction) = (bits >> 15, i32::from(bits >> 10 & 31), f64::from(bits & 1023));
    let size = match exponent {
        0 => fraction / 16_777_216.0,
        31 if fraction == 0.0 => f64::INFINITY,
        31 => f64::NAN,
        // Doubles hold each power: 2^(exponent - 15).
        _ => (1.0 + fraction / 1024.0) * f64::from_bits(((1023 - 15 + exponent) as u64) << 52),
    };
    if sign == 1 { -size } else { size }
}

/// Why elements could not be read.
pub(crate) enum ElementError {
    /// They ended after so many bytes.
    Ended(u64),
    /// The decoder refused.
    Io(io::Error),
    /// Whoever takes the elements refused one.
    Refused(Error),
}

/// Hands `count` elements to `take`, as the bytes of many at a time.
fn chunks(
    reader: &mut dyn Read,
    element: ElementType,
    count: u64,
    take: &mut dyn FnMut(&[u8]) -> Result<(), Error>,
) -> Result<(), ElementError> {
    let size = element.size;
    let mut chunk = vec![0; CHUNK / size.min(CHUNK) * size];
    let mut left = count;
    while left > 0 {
        let elements = left.min((chunk.len() / size) as u64);
        let bytes = &mut chunk[..elements as usize * size];
        let mut have = 0;
        while have < bytes.len() {
            match reader.read(&mut bytes[have..]) {
                Ok(0) => return Err(ElementError::Ended((count - left) * size as u64 + have as u64)),
                Ok(read) => have += read,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(ElementError::Io(error)),
            }
        }
        take(bytes).map_err(ElementError::Refused)?;
        left -= elements;
    }
    Ok(())
}

/// Hands `count` numbers to `take`, many at a time.
pub(crate) fn numbers(
    reader: &mut dyn Read,
    element: ElementType,
    count: u64,
    take: &mut dyn FnMut(&[f64]) -> Result<(), Error>,
) -> Result<(), ElementError> {
    let mut values = Vec::new();
    chunks(reader, element, count, &mut |bytes| {
        values.clear();
        // The kinds that are met most are decoded by loops of their own.
        match (element.kind, element.size, element.big_endian) {
            (ElementKind::Float, 4, false) => {
                values.extend(bytes.as_chunks().0.iter().map(|word| f64::from(f32::from_le_bytes(*word))));
            }
            (ElementKind::Float, 8, false) => {
                values.extend(bytes.as_chunks().0.iter().map(|word| f64::from_le_bytes(*word)));
            }
            (ElementKind::Signed, 8, false) => {
                values.extend(bytes.as_chunks().0.iter().map(|word| i64::from_le_bytes(*word) as f64));
            }
            (ElementKind::Unsigned, 1, _) => values.extend(bytes.iter().map(|byte| f64::from(*byte))),
            _ => values.extend(bytes.chunks_exact(element.size).map(|bytes| element.number(bytes))),
        }
        take(&values)
    })
}

/// Hands each of `count` numbers to `take`.
pub(crate) fn each_number(
    reader: &mut dyn Read,
    element: ElementType,
    count: u64,
    take: &mut dyn FnMut(f64) -> Result<(), Error>,
) -> Result<(), ElementError> {
    numbers(reader, element, count, &mut |values| values.iter().copied().try_for_each(&mut *take))
}

/// Hands each of `count` strings to `take`; none for one that is not UTF-8, or UTF-32.
pub(crate) fn strings(
    reader: &mut dyn Read,
    element: ElementType,
    count: u64,
    take: &mut dyn FnMut(Option<String>) -> Result<(), Error>,
) -> Result<(), ElementError> {
    chunks(reader, element, count, &mut |bytes| {
        bytes.chunks_exact(element.size).try_for_each(|bytes| take(element.string(bytes)))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(head: &str) -> Vec<u8> {
        [MAGIC, &[1, 0], &(head.len() as u16).to_le_bytes(), head.as_bytes()].concat()
    }

    fn head(text: &str) -> Result<Head, Error> {
        read_head(&mut &file(text)[..], "a")
    }

    #[test]
    fn heads_are_read_as_numpy_writes_them() {
        let read = head("{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }    \n").expect("a head");
        assert_eq!((read.fortran, &read.shape[..], read.elements()), (false, &[2, 3][..], Some(6)));
        assert_eq!((read.element.kind, read.element.size), (ElementKind::Float, 4));
        let read = head("{'shape': (7,), 'fortran_order': True, 'descr': '>i2'}").expect("a head");
        assert_eq!((read.fortran, read.shape), (true, vec![7]));
        assert_eq!(
            head("{'descr': '|u1', 'fortran_order': False, 'shape': ()}").expect("a head").elements(),
            Some(1)
        );
    }

    #[test]
    fn other_heads_are_refused() {
        for text in [
            "",
            "{",
            "{'descr': '<f4', 'fortran_order': False}",
            "{'descr': '<f4', 'fortran_order': Maybe, 'shape': (2,)}",
            "{'descr': '<f4', 'fortran_order': False, 'shape': (-2,)}",
            "{'descr': '<f4', 'fortran_order': False, 'shape': (18446744073709551616,)}",
            "{'descr': '<f4', 'fortran_order': False, 'shape': (2,), 'more': 1}",
            "{'é",
        ] {
            assert!(matches!(head(text), Err(Error::Header { .. })), "{text}");
        }
        for (kind, found) in
            [("<c8", "<c8"), ("<M8[D]", "<M8[D]"), ("", ""), ("<f3", "<f3"), ("<U99999999", "<U99999999")]
        {
            let text = format!("{{'descr': '{kind}', 'fortran_order': False, 'shape': (2,)}}");
            assert!(
                matches!(head(&text), Err(Error::ElementType { found: told, .. }) if told == found),
                "{text}"
            );
        }
        let object = head("{'descr': '|O', 'fortran_order': False, 'shape': (2,)}");
        assert!(matches!(object, Err(Error::Pickle { .. })));
        let record = head("{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (2,)}");
        assert!(matches!(record, Err(Error::ElementType { .. })));
        for length in 0..10 {
            let whole = file("{'descr': '|u1', 'fortran_order': False, 'shape': (2,)}");
            assert!(read_head(&mut &whole[..length], "a").is_err());
        }
    }

    #[test]
    fn elements_are_read_in_both_byte_orders() {
        let number =
            |description: &str, bytes: &[u8]| element_type(description, "a").expect("a type").number(bytes);
        assert_eq!(number("<i2", &[0xfe, 0xff]), -2.0);
        assert_eq!(number(">i2", &[0xff, 0xfe]), -2.0);
        assert_eq!(number("|i1", &[0x80]), -128.0);
        assert_eq!(number("<u8", &[1, 0, 0, 0, 1, 0, 0, 0]), 4_294_967_297.0);
        assert_eq!(number("<i8", &[0xff; 8]), -1.0);
        assert_eq!(number(">f4", &0.5_f32.to_be_bytes()), 0.5);
        assert_eq!(number("<f8", &(-0.1_f64).to_le_bytes()), -0.1);
        assert_eq!(number("|b1", &[1]), 1.0);
        // 1.0, -2.0, the largest, the smallest above 0, infinity.
        let halves = [0x3c00, 0xc000, 0x7bff, 0x0001, 0x7c00].map(half);
        assert_eq!(halves, [1.0, -2.0, 65_504.0, 2.0_f64.powi(-24), f64::INFINITY]);
        assert!(half(0x7c01).is_nan());
        let string =
            |description: &str, bytes: &[u8]| element_type(description, "a").expect("a type").string(bytes);
        assert_eq!(string("<U2", &[0xe9, 0, 0, 0, 0, 0, 0, 0]).as_deref(), Some("é"));
        assert_eq!(string(">U1", &[0, 0, 0, 0x41]).as_deref(), Some("A"));
        assert_eq!(string("|S4", b"cat\0").as_deref(), Some("cat"));
        assert_eq!(string("|S1", &[0xff]), None);
        assert_eq!(string("<U1", &[0, 0, 0xff, 0xff]), None);
    }
}
