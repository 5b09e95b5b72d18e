//! The formats: each escapes what it would take for markup, and decides nothing.

pub(crate) mod across;
pub(crate) mod data_files;
pub(crate) mod latex;
pub(crate) mod markdown;
pub(crate) mod page;
pub(crate) mod paper;
pub(crate) mod terminal;
pub(crate) mod tidy;
