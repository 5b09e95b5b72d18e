//! Event files: TFRecord frames of protobuf messages `Event`
//! (<https://github.com/tensorflow/tensorflow/blob/master/tensorflow/core/util/event.proto>, `summary.proto`, `tensor.proto`).

use super::meaning::{Point, Series};
use crate::{error::Error, files::unreadable};
use prost::Message;
use std::{
    collections::HashMap,
    fs::File,
    io::{BufReader, Read},
    path::Path,
};

/// No event is larger: one may hold pictures.
const LARGEST_EVENT: u64 = 256 << 20;

/// No file holds more values of scalars.
const MOST_POINTS: usize = 10_000_000;

#[derive(Clone, PartialEq, Message)]
struct Event {
    #[prost(int64, tag = "2")]
    step: i64,
    #[prost(message, optional, tag = "5")]
    summary: Option<Summary>,
}

#[derive(Clone, PartialEq, Message)]
struct Summary {
    #[prost(message, repeated, tag = "1")]
    value: Vec<Value>,
}

#[derive(Clone, PartialEq, Message)]
struct Value {
    #[prost(string, tag = "1")]
    tag: String,
    #[prost(float, optional, tag = "2")]
    simple_value: Option<f32>,
    #[prost(message, optional, tag = "8")]
    tensor: Option<Tensor>,
}

#[derive(Clone, PartialEq, Message)]
struct Tensor {
    #[prost(int32, tag = "1")]
    dtype: i32,
    #[prost(message, optional, tag = "2")]
    shape: Option<Shape>,
    #[prost(bytes = "vec", tag = "4")]
    content: Vec<u8>,
    #[prost(float, repeated, tag = "5")]
    float: Vec<f32>,
    #[prost(double, repeated, tag = "6")]
    double: Vec<f64>,
    #[prost(int32, repeated, tag = "7")]
    int: Vec<i32>,
    #[prost(int64, repeated, tag = "10")]
    int64: Vec<i64>,
}

#[derive(Clone, PartialEq, Message)]
struct Shape {
    #[prost(message, repeated, tag = "2")]
    sides: Vec<Side>,
}

#[derive(Clone, PartialEq, Message)]
struct Side {
    #[prost(int64, tag = "1")]
    size: i64,
}

impl Value {
    /// The number that it is; none for a picture, a histogram or a text.
    fn scalar(&self) -> Option<f64> {
        if let Some(value) = self.simple_value {
            return Some(value.into());
        }
        let tensor = self.tensor.as_ref()?;
        if tensor.shape.as_ref().is_some_and(|shape| shape.sides.iter().any(|side| side.size != 1)) {
            return None;
        }
        let content = &tensor.content[..];
        let only = |value: Option<f64>, count: usize| value.filter(|_| count == 1);
        // Types of a tensor's elements: single and double precision, and integers of 32 and 64 bits.
        match tensor.dtype {
            1 => match content.try_into() {
                Ok(bytes) => Some(f32::from_le_bytes(bytes).into()),
                Err(_) => only(tensor.float.first().map(|value| (*value).into()), tensor.float.len()),
            },
            2 => match content.try_into() {
                Ok(bytes) => Some(f64::from_le_bytes(bytes)),
                Err(_) => only(tensor.double.first().copied(), tensor.double.len()),
            },
            3 => match content.try_into() {
                Ok(bytes) => Some(i32::from_le_bytes(bytes).into()),
                Err(_) => only(tensor.int.first().map(|value| (*value).into()), tensor.int.len()),
            },
            9 => match content.try_into() {
                Ok(bytes) => Some(i64::from_le_bytes(bytes) as f64),
                Err(_) => only(tensor.int64.first().map(|value| *value as f64), tensor.int64.len()),
            },
            _ => None,
        }
    }
}

/// The scalars of an event file, by their tags.
#[derive(Debug, Default)]
pub(super) struct Scalars {
    pub(super) series: Vec<Series>,
    /// Whether the file ends within an event.
    pub(super) cut: bool,
}

pub(super) fn read(path: &Path) -> Result<Scalars, Error> {
    let file = path.display().to_string();
    let opened = File::open(path).map_err(|problem| unreadable(&file, &problem))?;
    parse(BufReader::with_capacity(1 << 16, opened), &file)
}

pub(super) fn parse(mut reader: impl Read, file: &str) -> Result<Scalars, Error> {
    let mut scalars = Scalars::default();
    let mut places: HashMap<String, usize> = HashMap::new();
    let mut points = 0;
    for at in 1.. {
        let refused = |expected: &str, found: String| {
            Error::new(file, expected, found, "copy the event file again").at(format!("event {at}"))
        };
        // A length of eight bytes and its checksum, so many bytes and theirs.
        let head = take(&mut reader, 12, file)?;
        if head.len() < 12 {
            scalars.cut = !head.is_empty();
            break;
        }
        let length = u64::from_le_bytes(head[..8].try_into().expect("eight bytes"));
        if checksum(&head[..8]) != word(&head[8..]) {
            let what = if at == 1 { "an event file" } else { "an event's length with its checksum" };
            return Err(refused(what, "other bytes".to_owned()));
        }
        if length > LARGEST_EVENT {
            return Err(refused(&format!("an event of at most {LARGEST_EVENT} bytes"), length.to_string()));
        }
        let body = take(&mut reader, length + 4, file)?;
        if (body.len() as u64) < length + 4 {
            scalars.cut = true;
            break;
        }
        let (bytes, sum) = body.split_at(length as usize);
        if checksum(bytes) != word(sum) {
            return Err(refused("an event with its checksum", "other bytes".to_owned()));
        }
        let event = Event::decode(bytes).map_err(|error| refused("an event", error.to_string()))?;
        for value in event.summary.map(|summary| summary.value).unwrap_or_default() {
            let Some(scalar) = value.scalar() else { continue };
            points += 1;
            if points > MOST_POINTS {
                return Err(refused(&format!("at most {MOST_POINTS} values"), "more".to_owned()));
            }
            let place = *places.entry(value.tag).or_insert_with_key(|tag| {
                scalars.series.push(Series::new(tag, file, "event"));
                scalars.series.len() - 1
            });
            scalars.series[place].points.push(Point { step: event.step, value: scalar, at });
        }
    }
    Ok(scalars)
}

/// So many bytes, or what there is.
fn take(reader: &mut impl Read, count: u64, file: &str) -> Result<Vec<u8>, Error> {
    let mut bytes = Vec::new();
    reader.take(count).read_to_end(&mut bytes).map_err(|problem| unreadable(file, &problem))?;
    Ok(bytes)
}

fn word(bytes: &[u8]) -> u32 {
    bytes.try_into().map_or(0, u32::from_le_bytes)
}

/// For each byte its remainder by Castagnoli's polynomial, bits reversed.
const REMAINDERS: [u32; 256] = {
    let mut table = [0; 256];
    let mut byte = 0;
    while byte < 256 {
        let mut rest = byte as u32;
        let mut bit = 0;
        while bit < 8 {
            rest = if rest & 1 == 1 { (rest >> 1) ^ 0x82f6_3b78 } else { rest >> 1 };
            bit += 1;
        }
        table[byte] = rest;
        byte += 1;
    }
    table
};

/// CRC-32C, masked as TFRecord files have it.
fn checksum(bytes: &[u8]) -> u32 {
    let rest =
        bytes.iter().fold(!0_u32, |rest, byte| (rest >> 8) ^ REMAINDERS[usize::from(rest as u8 ^ byte)]);
    (!rest).rotate_right(15).wrapping_add(0xa282_ead8)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(event: &[u8]) -> Vec<u8> {
        let length = (event.len() as u64).to_le_bytes();
        let sums = [checksum(&length).to_le_bytes(), checksum(event).to_le_bytes()];
        [&length[..], &sums[0], event, &sums[1]].concat()
    }

    fn event(step: i64, value: Value) -> Vec<u8> {
        frame(&Event { step, summary: Some(Summary { value: vec![value] }) }.encode_to_vec())
    }

    fn simple(step: i64, value: f32) -> Vec<u8> {
        event(step, Value { tag: "loss".to_owned(), simple_value: Some(value), tensor: None })
    }

    #[test]
    fn the_checksum_is_the_published_one() {
        // RFC 3720, B.4: 32 bytes of zeros and of ones.
        let unmasked = |bytes: &[u8]| checksum(bytes).wrapping_sub(0xa282_ead8).rotate_left(15);
        assert_eq!((unmasked(&[0; 32]), unmasked(&[255; 32])), (0x8a91_36aa, 0x62a8_ab43));
    }

    #[test]
    fn a_file_that_was_cut_off_gives_what_came_before() {
        let whole = [simple(1, 0.5), simple(2, 0.25)].concat();
        let second = simple(1, 0.5).len();
        for end in 0..=whole.len() {
            let read = parse(&whole[..end], "f").expect("no fault");
            let points: usize = read.series.iter().map(|series| series.points.len()).sum();
            assert_eq!(points, usize::from(end >= second) + usize::from(end == whole.len()), "{end}");
            assert_eq!(read.cut, end % second != 0, "{end}");
        }
    }

    #[test]
    fn a_changed_byte_is_refused_where_it_stands() {
        let whole = [simple(1, 0.5), simple(2, 0.25)].concat();
        for at in 0..whole.len() {
            let mut changed = whole.clone();
            changed[at] ^= 4;
            let refused = parse(&changed[..], "f").expect_err("changed").to_string();
            let event = if at < whole.len() / 2 { "f, event 1: " } else { "f, event 2: " };
            assert!(refused.starts_with(event), "{at}: {refused}");
        }
        // A length that no file has, with the right checksum.
        let length = (u64::MAX - 3).to_le_bytes();
        let hostile = [&length[..], &checksum(&length).to_le_bytes()].concat();
        let refused = parse(&hostile[..], "f").expect_err("too long").to_string();
        assert!(
            refused.contains("at most 268435456 bytes expected, 18446744073709551612 found"),
            "{refused}"
        );
    }

    #[test]
    fn scalars_are_told_from_other_tensors() {
        let tensor = |dtype, content: &[u8], sides: &[i64]| {
            let shape = Shape { sides: sides.iter().map(|size| Side { size: *size }).collect() };
            let tensor = Tensor { dtype, shape: Some(shape), content: content.to_vec(), ..Tensor::default() };
            Value { tag: "x".to_owned(), simple_value: None, tensor: Some(tensor) }.scalar()
        };
        assert_eq!(tensor(1, &0.5_f32.to_le_bytes(), &[]), Some(0.5));
        assert_eq!(tensor(2, &0.5_f64.to_le_bytes(), &[1]), Some(0.5));
        assert_eq!(tensor(9, &7_i64.to_le_bytes(), &[]), Some(7.0));
        assert_eq!(tensor(1, &[0; 8], &[2]), None, "two numbers");
        assert_eq!(tensor(7, b"text", &[]), None);
        assert_eq!(tensor(1, &[0; 3], &[]), None);
        let listed = Tensor { dtype: 1, float: vec![0.25], ..Tensor::default() };
        assert_eq!(Value { tensor: Some(listed), ..Value::default() }.scalar(), Some(0.25));
    }
}
