//! A search for better settings: its picture, its page, its tables.

mod chart;
mod files;
mod words;

pub use chart::search_chart;
pub(crate) use chart::{search, setting};
pub use files::{TUNING_SCHEMA, tuning_json};
pub(crate) use words::{best_first, domain, ended, figures, gains, method, number, plain};
pub use words::{settings, tuning_markdown, tuning_terminal};
