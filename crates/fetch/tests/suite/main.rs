//! Downloads from a server on this machine, of small sets that are made here.

mod archive;
mod cache;
mod mirrors;
mod resume;
mod server;
mod sets;
mod trust;
mod waiting;
