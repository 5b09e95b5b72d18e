//! Safetensors files: a model's tensors, and what the file says of them.

use crate::{
    Description, FormatError, NameMap, Remark,
    description::METADATA_KEY,
    escape::shown,
    names::{FileTensor, Pairing, pair},
    other_format::OtherFormat,
    state_dict::StateTensor,
};
use nn::{Model, sha256};
use safetensors::{
    Dtype, SafeTensorError, SafeTensors,
    tensor::{Metadata, TensorView},
};
use serde::Serialize;
use serde_json::Value;
use std::collections::HashMap;

/// Largest header that is read: it names every tensor, and holds the description.
const MAXIMUM_HEADER_BYTES: u64 = 8 << 20;

/// Largest description that is read.
const MAXIMUM_DESCRIPTION_BYTES: usize = 1 << 20;

/// The description's entry with the digest of the others.
const SEAL: &str = "description_sha256";

/// What PyTorch's batch normalisation counts and nothing here needs.
const BATCHES_TRACKED: &str = "num_batches_tracked";

/// What PyTorch's batch normalisation takes the square root of.
const VARIANCE: &str = "running_var";

/// A description as it is written.
#[derive(Serialize)]
struct Sealed<'a> {
    #[serde(flatten)]
    description: &'a Description,
    /// [`SEAL`].
    description_sha256: String,
}

/// The bytes of a model's file; the same model gives the same bytes.
///
/// Names and layouts are those of PyTorch's modules, attributes of one module with the layers' names: `conv1.weight`
/// `[filters, channels, rows, columns]`, `dense1.weight` `[units, inputs]`, `lstm1.weight_ih_l0` and so on, as
/// [`crate::pytorch_module`] writes it.
///
/// # Errors
/// When the description's fingerprint is another than that of the model's weights.
///
/// # Panics
/// When `model` is not the one that `description` describes.
pub fn encode(model: &Model<f32>, description: &Description) -> Result<Vec<u8>, FormatError> {
    description.check_fingerprint(model)?;
    let damaged = |error: &dyn std::fmt::Display| FormatError::Damaged(error.to_string());
    let graph = description.graph(model);
    let bytes: Vec<(&StateTensor, Vec<u8>)> = graph
        .tensors()
        .map(|tensor| {
            let values = tensor.values(model.parameters());
            (tensor, values.into_iter().flat_map(f32::to_le_bytes).collect())
        })
        .collect();
    let mut tensors = Vec::new();
    for (tensor, data) in &bytes {
        let view =
            TensorView::new(Dtype::F32, tensor.shape.clone(), data).map_err(|error| damaged(&error))?;
        tensors.push((tensor.name.clone(), view));
    }
    let plain = serde_json::to_value(description).map_err(|error| damaged(&error))?;
    let sealed = Sealed { description, description_sha256: digest(&plain) };
    let text = serde_json::to_string(&sealed).map_err(|error| damaged(&error))?;
    let metadata = HashMap::from([(METADATA_KEY.to_owned(), text)]);
    safetensors::serialize(tensors, Some(metadata)).map_err(|error| damaged(&error))
}

/// The description in a model's file.
///
/// # Errors
/// When the bytes are no safetensors file, carry no description, one of what no data set can have, or one that was changed
/// after it was written.
pub fn describe(bytes: &[u8]) -> Result<Description, FormatError> {
    let metadata = read_header(bytes)?;
    let text = metadata.metadata().as_ref().and_then(|entries| entries.get(METADATA_KEY));
    let text = text.ok_or(FormatError::NoDescription)?;
    if text.len() > MAXIMUM_DESCRIPTION_BYTES {
        let problem = format!("{MAXIMUM_DESCRIPTION_BYTES} bytes at most expected, {} found", text.len());
        return Err(FormatError::Description(problem));
    }
    let description: Description =
        serde_json::from_str(text).map_err(|error| FormatError::Description(shown(&error.to_string())))?;
    description.check()?;
    check_seal(text)?;
    Ok(description)
}

/// SHA-256 of JSON without spaces and with its names in alphabetical order, so that only what is changed in what it says
/// changes it.
fn digest(json: &Value) -> String {
    sha256(json.to_string().as_bytes())
}

/// Refuses a description whose digest is another than it states; files of other programs and older versions state none.
fn check_seal(text: &str) -> Result<(), FormatError> {
    let wrong = |error: serde_json::Error| FormatError::Description(shown(&error.to_string()));
    let mut json: Value = serde_json::from_str(text).map_err(wrong)?;
    let Some(stated) = json.as_object_mut().and_then(|entries| entries.remove(SEAL)) else { return Ok(()) };
    let found = digest(&json);
    if stated == found.as_str() {
        return Ok(());
    }
    let stated = stated.as_str().map_or_else(|| stated.to_string(), str::to_owned);
    Err(FormatError::Redescribed { stated, found })
}

fn read_header(bytes: &[u8]) -> Result<Metadata, FormatError> {
    let length = bytes.first_chunk().map(|length| u64::from_le_bytes(*length));
    if length.is_some_and(|length| length <= bytes.len() as u64 && length > MAXIMUM_HEADER_BYTES) {
        return Err(FormatError::Damaged(format!(
            "a header of at most {MAXIMUM_HEADER_BYTES} bytes expected"
        )));
    }
    SafeTensors::read_metadata(bytes).map(|(_, metadata)| metadata).map_err(|error| unreadable(bytes, &error))
}

/// What is wrong with bytes that are not safetensors.
fn unreadable(bytes: &[u8], error: &SafeTensorError) -> FormatError {
    match (OtherFormat::of(bytes), error) {
        (Some(format), _) => FormatError::OtherFormat(format),
        (None, SafeTensorError::MetadataIncompleteBuffer) => FormatError::Damaged(
            "its header tells of another number of bytes than follow it: the file was cut off, or something was added"
                .to_owned(),
        ),
        (None, error) => FormatError::Damaged(shown(&error.to_string())),
    }
}

/// Gives `model`, built from `description`, the file's weights; what was converted or guessed on the way.
///
/// The tensors are found by the names that [`encode`] writes, once what all names begin with (`module.`) is left out and
/// `maps` are applied. What remains is taken by its shapes and by the numbers in its names, as of an `nn.Sequential`
/// (`0.weight`, `3.bias`) or `fc1`, `fc2`. Weights of 16 bits are widened to float32, those of 64 bits rounded.
///
/// # Errors
/// When a tensor is missing, surplus, misshapen, not finite, a negative variance, or could be one of several, or when the
/// weights are not those whose fingerprint the description states; the model is then partly overwritten.
///
/// # Panics
/// When `model` is not the one that `description` describes.
pub fn load(
    bytes: &[u8],
    description: &Description,
    maps: &[NameMap],
    model: &mut Model<f32>,
) -> Result<Vec<Remark>, FormatError> {
    read_header(bytes)?;
    let file = SafeTensors::deserialize(bytes).map_err(|error| unreadable(bytes, &error))?;
    let graph = description.graph(model);
    let mut views: Vec<(&str, TensorView)> =
        file.iter().filter(|(name, _)| !is_last(name, BATCHES_TRACKED)).collect();
    views.sort_unstable_by_key(|(name, _)| *name);
    let tensors: Vec<FileTensor> =
        views.iter().map(|(name, view)| FileTensor { name, shape: view.shape() }).collect();
    let views: HashMap<&str, &TensorView> = views.iter().map(|(name, view)| (*name, view)).collect();
    let Pairing { pairs, mut remarks } = pair(&graph, &tensors, maps)?;
    // An addend goes onto what another tensor sets.
    let (addends, others): (Vec<_>, Vec<_>) = pairs.into_iter().partition(|(tensor, _)| tensor.addend);
    let mut converted = Vec::new();
    for (tensor, name) in others.into_iter().chain(addends) {
        let found = views[name];
        let shape = || FormatError::Shape {
            name: name.to_owned(),
            expected: format!("float32 {:?}", tensor.shape),
            found: format!("{:?} {:?}", found.dtype(), found.shape()),
        };
        if found.shape() != tensor.shape {
            return Err(shape());
        }
        let values = numbers(found).ok_or_else(shape)?;
        if !values.iter().all(|value| value.is_finite()) {
            return Err(FormatError::NotFinite(name.to_owned()));
        }
        let negative = values.iter().find(|value| is_last(&tensor.name, VARIANCE) && **value < 0.0);
        if let Some(value) = negative {
            return Err(FormatError::Variance { name: name.to_owned(), found: value.to_string() });
        }
        if found.dtype() != Dtype::F32 && !converted.contains(&found.dtype()) {
            converted.push(found.dtype());
        }
        tensor.set(values.into_iter(), model.parameters_mut());
    }
    remarks.extend(converted.iter().map(|kind| Remark::Converted(kind.to_string())));
    description.check_fingerprint(model)?;
    Ok(remarks)
}

/// Whether a tensor has that name within its layer.
fn is_last(name: &str, last: &str) -> bool {
    name.rsplit_once('.').is_some_and(|(_, found)| found == last)
}

/// A tensor's values, where it is of floating-point numbers: exact, but for float64, which is rounded.
fn numbers(view: &TensorView) -> Option<Vec<f32>> {
    let data = view.data();
    Some(match view.dtype() {
        Dtype::F32 => data.as_chunks().0.iter().map(|bytes| f32::from_le_bytes(*bytes)).collect(),
        Dtype::F64 => data.as_chunks().0.iter().map(|bytes| f64::from_le_bytes(*bytes) as f32).collect(),
        Dtype::F16 => data.as_chunks().0.iter().map(|bytes| of_half(u16::from_le_bytes(*bytes))).collect(),
        Dtype::BF16 => {
            let widened = |bytes: &[u8; 2]| f32::from_bits(u32::from(u16::from_le_bytes(*bytes)) << 16);
            data.as_chunks().0.iter().map(widened).collect()
        }
        _ => return None,
    })
}

/// IEEE 754 binary16 as float32: one bit of sign, five of exponent with bias 15, ten of fraction.
fn of_half(bits: u16) -> f32 {
    let (sign, exponent, fraction) =
        (u32::from(bits >> 15) << 31, u32::from(bits >> 10) & 0x1f, u32::from(bits) & 0x3ff);
    match exponent {
        // Subnormal: so many times 2⁻²⁴.
        0 => {
            let magnitude = fraction as f32 * f32::from_bits((127 - 24) << 23);
            f32::from_bits(sign | magnitude.to_bits())
        }
        0x1f => f32::from_bits(sign | 0xff << 23 | fraction << 13),
        _ => f32::from_bits(sign | (exponent + 127 - 15) << 23 | fraction << 13),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn halves_are_what_numpy_makes_of_them() {
        // numpy.uint16(bits).view(numpy.float16).astype(numpy.float32), 2.4.6.
        for (bits, expected) in [
            (0x3c00, 1.0),
            (0xc500, -5.0),
            (0x7bff, 65504.0),
            (0x0001, 5.960_464_5e-8),
            (0x83ff, -6.097_555e-5),
            (0x0400, 6.103_515_6e-5),
            (0x3555, 0.333_251_95),
            (0x0000, 0.0),
            (0x7c00, f32::INFINITY),
            (0xfc00, f32::NEG_INFINITY),
        ] {
            assert_eq!(of_half(bits), expected, "{bits:04x}");
        }
        assert!(of_half(0x8000).is_sign_negative() && of_half(0x7e00).is_nan());
    }
}
