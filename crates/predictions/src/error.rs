//! What can be wrong with a file of answers.

/// Why a file of answers cannot be used: which, where in it, what was expected, what was found, and what to do.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{file}{}: {expected} expected, {found} found", place.as_ref().map_or_else(String::new, |place| format!(", {place}")))]
pub struct Error {
    /// The file, as it was named.
    pub file: String,
    /// The line, row or array.
    pub place: Option<String>,
    /// What should be there.
    pub expected: String,
    /// What is there.
    pub found: String,
    /// What to do about it.
    pub advice: String,
}

impl Error {
    pub(crate) fn new(
        file: &str,
        expected: impl Into<String>,
        found: impl Into<String>,
        advice: impl Into<String>,
    ) -> Self {
        Self {
            file: file.to_owned(),
            place: None,
            expected: expected.into(),
            found: found.into(),
            advice: advice.into(),
        }
    }

    pub(crate) fn at(mut self, place: impl Into<String>) -> Self {
        self.place = Some(place.into());
        self
    }
}

/// A text that a file holds, fit for a message.
pub(crate) fn quoted(text: &str) -> String {
    const LONGEST: usize = 40;
    let mut short: String = text.chars().take(LONGEST).collect();
    if short.len() < text.len() {
        short.push('…');
    }
    format!("`{}`", short.escape_debug())
}
