use thiserror::Error;

/// Why a figure cannot be computed.
#[derive(Debug, Clone, PartialEq, Error)]
pub enum StatsError {
    /// Fewer values than the formula needs.
    #[error("{what}: at least {expected} values expected, {found} found")]
    TooFew {
        /// The input that is too short.
        what: &'static str,
        /// The smallest number that works.
        expected: usize,
        /// The number that came.
        found: usize,
    },
    /// A NaN or an infinity among the values.
    #[error("{what}: finite values expected, {value} found at position {position}")]
    NotFinite {
        /// The input that holds it.
        what: &'static str,
        /// Counted from 0.
        position: usize,
        /// The value itself.
        value: f64,
    },
    /// A parameter outside its range.
    #[error("{what}: {expected} expected, {value} found")]
    OutOfRange {
        /// The parameter.
        what: &'static str,
        /// The range in words.
        expected: &'static str,
        /// The value that came.
        value: f64,
    },
    /// Two inputs that belong together differ in length.
    #[error("{what}: {expected} values expected, {found} found")]
    LengthMismatch {
        /// The input of the wrong length.
        what: &'static str,
        /// The length of its partner.
        expected: usize,
        /// The length that came.
        found: usize,
    },
}

pub(crate) fn check_finite(what: &'static str, values: &[f64]) -> Result<(), StatsError> {
    match values.iter().position(|value| !value.is_finite()) {
        Some(position) => Err(StatsError::NotFinite { what, position, value: values[position] }),
        None => Ok(()),
    }
}

pub(crate) fn check_count(what: &'static str, expected: usize, found: usize) -> Result<(), StatsError> {
    if found < expected { Err(StatsError::TooFew { what, expected, found }) } else { Ok(()) }
}

/// Confidence levels, significance levels and powers: strictly between 0 and 1. A NaN fails.
pub(crate) fn check_open_unit(what: &'static str, value: f64) -> Result<(), StatsError> {
    if value > 0.0 && value < 1.0 {
        Ok(())
    } else {
        Err(StatsError::OutOfRange { what, expected: "a value between 0 and 1, ends excluded", value })
    }
}
