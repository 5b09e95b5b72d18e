//! The page of a study on this machine.
//!
//! [`Studio`] is the native engine: it makes the runs of a study one after the other in a results folder, as `compare` does, and tells a
//! [`page::Desk`] what comes of them. [`serve`] lets a browser of this machine talk to it, and nobody else.

mod access;
mod http;
mod studio;

pub use access::{Access, Token};
pub use http::{ServeError, listen, serve};
pub use studio::{Folders, Studio, StudioError};
