//! The page of a study on this machine.
//!
//! [`Studio`] is the native engine: it makes the runs of a study one after the other in a results folder, as `compare` does, and tells a
//! [`page::Desk`] what comes of them. [`serve`] lets a browser of this machine talk to it, and nobody else.

mod access;
mod datasets;
mod folders;
mod http;
mod looking;
mod studio;

use std::sync::{Mutex, MutexGuard, PoisonError};

pub use access::{Access, Token};
pub use folders::Folders;
pub use http::{ServeError, listen, serve};
pub use studio::{Studio, StudioError};

/// What a mutex guards, whether a thread ended while it held it or not.
fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
