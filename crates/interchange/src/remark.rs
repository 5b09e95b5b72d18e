//! What reading a file had to guess or convert.

use crate::escape::shown;
use std::fmt;

/// Something that was guessed, left out or converted when a file was read, to be told.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Remark {
    /// What all names of tensors begin with was left out.
    Prefix(String),
    /// The file's names of layers, and the network's that they were taken for.
    Renamed(Vec<(String, String)>),
    /// Weights of another number type became float32.
    Converted(String),
}

impl Remark {
    /// Whether a layer with that beginning of its name was taken from one of another name.
    pub fn renames(&self, kind: &str) -> bool {
        matches!(self, Self::Renamed(layers) if layers.iter().any(|(_, ours)| ours.starts_with(kind)))
    }
}

impl fmt::Display for Remark {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Prefix(prefix) => {
                write!(formatter, "removed the prefix `{}` that all tensor names share", shown(prefix))
            }
            Self::Renamed(layers) => {
                let pairs: Vec<String> =
                    layers.iter().map(|(theirs, ours)| format!("{theirs} as {ours}")).collect();
                write!(formatter, "matched layers by given name, shape or number: {}", pairs.join(", "))
            }
            Self::Converted(kind) if kind == "F64" => {
                formatter.write_str("rounded weights of float64 to float32")
            }
            Self::Converted(kind) => write!(formatter, "widened weights of {kind} to float32"),
        }
    }
}
