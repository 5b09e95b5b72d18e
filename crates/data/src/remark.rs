//! What there is to say of data.

use std::fmt;

/// A sentence for a person about data.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Remark {
    /// How it was read, where that is not plain: what was guessed, converted, set apart or passed over.
    Note(String),
    /// What is probably wrong with it, or makes its figures mean something else than they seem to.
    Warning(String),
}

impl Remark {
    /// The sentence.
    pub fn text(&self) -> &str {
        match self {
            Self::Note(text) | Self::Warning(text) => text,
        }
    }
}

impl fmt::Display for Remark {
    /// With its kind before it, as the command prints it: `note: …`, `warning: …`.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = match self {
            Self::Note(_) => "note",
            Self::Warning(_) => "warning",
        };
        write!(formatter, "{kind}: {}", self.text())
    }
}
