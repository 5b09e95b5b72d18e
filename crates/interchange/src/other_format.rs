//! Files of other kinds that are taken for weights, told by how they begin.

use std::fmt;

/// What a file is that is not safetensors.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OtherFormat {
    /// Nothing.
    Empty,
    /// What stands in the place of a large file in a Git repository.
    GitLfsPointer,
    /// A web page.
    Html,
    /// What `torch.save` writes.
    PyTorchArchive,
    /// A Python pickle; `torch.save` wrote such ones before PyTorch 1.6.
    Pickle,
    /// A `.keras` file.
    KerasArchive,
    /// What Keras writes into `.h5`, and others.
    Hdf5,
    /// A `.npz` file.
    NumpyArchive,
    /// A `.npy` file.
    NumpyArray,
    /// Any other zip file.
    Zip,
    /// A file compressed by gzip.
    Gzip,
    /// An ONNX file.
    Onnx,
    /// A TensorFlow Lite file.
    TensorFlowLite,
    /// A GGUF file.
    Gguf,
}

impl OtherFormat {
    /// What the bytes are of, where they are of something known. Only for bytes that are not safetensors: the beginning
    /// of a pickle can be the length of a header too.
    pub(crate) fn of(bytes: &[u8]) -> Option<Self> {
        let text = bytes.trim_ascii_start();
        let tag = |tag: &[u8]| text.get(..tag.len()).is_some_and(|start| start.eq_ignore_ascii_case(tag));
        Some(match bytes {
            [] => Self::Empty,
            _ if bytes.starts_with(b"version https://git-lfs") => Self::GitLfsPointer,
            _ if tag(b"<!doctype") || tag(b"<html") || tag(b"<head") || tag(b"<?xml") => Self::Html,
            _ if bytes.starts_with(b"PK\x03\x04") => Self::of_zip(bytes),
            [0x80, 2..=5, ..] => Self::Pickle,
            _ if bytes.starts_with(b"\x89HDF\r\n\x1a\n") => Self::Hdf5,
            _ if bytes.starts_with(b"\x93NUMPY") => Self::NumpyArray,
            [0x1f, 0x8b, ..] => Self::Gzip,
            _ if bytes.starts_with(b"GGUF") => Self::Gguf,
            [_, _, _, _, b'T', b'F', b'L', b'3', ..] => Self::TensorFlowLite,
            // The format's version, then the name or version of a producer, a domain, the graph, or the operator sets.
            [0x08, 1..=31, 0x12 | 0x1a | 0x22 | 0x3a | 0x42, ..] => Self::Onnx,
            _ => return None,
        })
    }

    /// By the first entry's name, which stands behind 30 bytes, its length at the 26th.
    fn of_zip(bytes: &[u8]) -> Self {
        let length =
            bytes.get(26..28).map_or(0, |length| usize::from(u16::from_le_bytes([length[0], length[1]])));
        match bytes.get(30..30 + length).unwrap_or_default() {
            name if name.ends_with(b"data.pkl") => Self::PyTorchArchive,
            b"metadata.json" | b"config.json" | b"model.weights.h5" => Self::KerasArchive,
            name if name.ends_with(b".npy") => Self::NumpyArchive,
            _ => Self::Zip,
        }
    }
}

impl fmt::Display for OtherFormat {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Empty => "the file is empty",
            Self::GitLfsPointer => "this is a Git LFS pointer, which stands in the place of the file",
            Self::Html => "this is an HTML page",
            Self::PyTorchArchive => "this is a PyTorch file (a zip with a pickle) that torch.save wrote",
            Self::Pickle => "this is a Python pickle, as torch.save wrote before PyTorch 1.6",
            Self::KerasArchive => "this is a Keras file (a zip with HDF5)",
            Self::Hdf5 => "this is an HDF5 file, as Keras writes",
            Self::NumpyArchive => "this is a NumPy archive (.npz)",
            Self::NumpyArray => "this is a NumPy array (.npy)",
            Self::Zip => "this is a zip file",
            Self::Gzip => "this is compressed by gzip",
            Self::Onnx => "this is an ONNX file",
            Self::TensorFlowLite => "this is a TensorFlow Lite file",
            Self::Gguf => "this is a GGUF file",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The first entry's local header.
    fn zip(name: &str) -> Vec<u8> {
        let mut bytes = b"PK\x03\x04".to_vec();
        bytes.resize(26, 0);
        bytes.extend((name.len() as u16).to_le_bytes());
        bytes.extend([0, 0]);
        bytes.extend(name.as_bytes());
        bytes
    }

    #[test]
    fn each_is_known_by_its_beginning() {
        for (bytes, expected) in [
            (Vec::new(), Some(OtherFormat::Empty)),
            (b"version https://git-lfs.github.com/spec/v1\noid".to_vec(), Some(OtherFormat::GitLfsPointer)),
            (b"\n <!DOCTYPE html><html>".to_vec(), Some(OtherFormat::Html)),
            (zip("archive/data.pkl"), Some(OtherFormat::PyTorchArchive)),
            (zip("metadata.json"), Some(OtherFormat::KerasArchive)),
            (zip("conv1.weight.npy"), Some(OtherFormat::NumpyArchive)),
            (zip("a.safetensors"), Some(OtherFormat::Zip)),
            (b"PK\x03\x04".to_vec(), Some(OtherFormat::Zip)),
            (b"\x80\x02}q\0.".to_vec(), Some(OtherFormat::Pickle)),
            (b"\x89HDF\r\n\x1a\n\0\0".to_vec(), Some(OtherFormat::Hdf5)),
            (b"\x93NUMPY\x01\0".to_vec(), Some(OtherFormat::NumpyArray)),
            (b"\x1f\x8b\x08\0".to_vec(), Some(OtherFormat::Gzip)),
            (b"\x1c\0\0\0TFL3".to_vec(), Some(OtherFormat::TensorFlowLite)),
            (b"GGUF\x03".to_vec(), Some(OtherFormat::Gguf)),
            (b"\x08\x08\x12\x07pytorch".to_vec(), Some(OtherFormat::Onnx)),
            (b"\x40\0\0\0\0\0\0\0{}".to_vec(), None),
            (b"nonsense".to_vec(), None),
        ] {
            assert_eq!(OtherFormat::of(&bytes), expected, "{:?}", bytes.escape_ascii().to_string());
        }
    }
}
