//! The formats: each escapes what it would take for markup, and decides nothing.

pub(crate) mod across;
pub(crate) mod epochs_csv;
pub(crate) mod markdown;
pub(crate) mod page;
pub(crate) mod terminal;
