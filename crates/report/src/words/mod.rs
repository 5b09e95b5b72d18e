//! What is said of a study: plain text, which no format has touched yet.

pub(crate) mod cost;
pub(crate) mod discussion;
pub(crate) mod glossary;
pub(crate) mod learning;
pub(crate) mod measures;
pub(crate) mod method;
pub(crate) mod names;
pub(crate) mod numbers;
pub(crate) mod plain;
pub(crate) mod selection;
pub(crate) mod target;
pub(crate) mod text;
pub(crate) mod verdicts;
