//! Bytes inside JSON: base64.

use crate::Problem;
use base64::{Engine, engine::general_purpose::STANDARD};

pub(crate) fn encoded(bytes: &[u8]) -> String {
    STANDARD.encode(bytes)
}

/// 32-bit floats, little-endian.
pub(crate) fn of_floats(values: &[f32]) -> String {
    let bytes: Vec<u8> = values.iter().flat_map(|value| value.to_le_bytes()).collect();
    encoded(&bytes)
}

pub(crate) fn decoded(text: &str, what: &str) -> Result<Vec<u8>, Problem> {
    STANDARD.decode(text).map_err(|error| Problem::new(format!("{what}: base64 expected: {error}")))
}
