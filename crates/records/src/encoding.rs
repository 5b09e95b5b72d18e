//! Byte arrays inside JSON: deflated, then written as base64 text.

/// For `Vec<u8>` fields: `#[serde(with = "crate::encoding::bytes")]`.
pub(crate) mod bytes {
    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    pub(crate) fn packed(values: &[u8]) -> String {
        super::encode(values)
    }

    pub(crate) fn serialize<S: Serializer>(values: &[u8], serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&packed(values))
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<u8>, D::Error> {
        super::decode(&String::deserialize(deserializer)?).map_err(D::Error::custom)
    }
}

/// For `Vec<u16>` fields, little-endian: `#[serde(with = "crate::encoding::words")]`.
pub(crate) mod words {
    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    pub(crate) fn packed(values: &[u16]) -> String {
        let bytes: Vec<u8> = values.iter().flat_map(|value| value.to_le_bytes()).collect();
        super::encode(&bytes)
    }

    pub(crate) fn serialize<S: Serializer>(values: &[u16], serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&packed(values))
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<u16>, D::Error> {
        let bytes = super::decode(&String::deserialize(deserializer)?).map_err(D::Error::custom)?;
        let (pairs, rest) = bytes.as_chunks::<2>();
        if !rest.is_empty() {
            return Err(D::Error::custom("an odd number of bytes where 16-bit values were expected"));
        }
        Ok(pairs.iter().map(|pair| u16::from_le_bytes(*pair)).collect())
    }
}

use base64::{Engine, engine::general_purpose::STANDARD};
use flate2::{Compression, read::DeflateDecoder, write::DeflateEncoder};
use std::io::{Read, Write};

/// No field of a record inflates beyond this: 64 MiB holds the probabilities of 100,000 images of 256 classes.
const MAXIMUM_BYTES: u64 = 64 << 20;

/// Standard base64 with padding.
pub fn base64(bytes: &[u8]) -> String {
    STANDARD.encode(bytes)
}

/// Beyond it the time counts more than the space that a thorough search for repetitions saves.
const LARGE_BYTES: usize = 1 << 19;

fn encode(bytes: &[u8]) -> String {
    let level = if bytes.len() > LARGE_BYTES { 1 } else { 6 };
    let mut encoder = DeflateEncoder::new(Vec::new(), Compression::new(level));
    encoder.write_all(bytes).expect("writing to memory does not fail");
    base64(&encoder.finish().expect("writing to memory does not fail"))
}

fn decode(text: &str) -> Result<Vec<u8>, String> {
    let deflated = STANDARD.decode(text).map_err(|error| format!("not base64: {error}"))?;
    let mut bytes = Vec::new();
    DeflateDecoder::new(deflated.as_slice())
        .take(MAXIMUM_BYTES + 1)
        .read_to_end(&mut bytes)
        .map_err(|error| format!("not deflated data: {error}"))?;
    if bytes.len() as u64 > MAXIMUM_BYTES {
        return Err(format!("more than {MAXIMUM_BYTES} bytes"));
    }
    Ok(bytes)
}
