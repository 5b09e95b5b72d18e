//! From records to figures and verdicts, whoever made the records.

pub mod figures;
pub mod measured;
pub mod verdict;
