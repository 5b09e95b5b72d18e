//! The command end to end, on a small set that is made here: exit codes, files, the JSON contract, what goes wrong.

mod augmented;
mod bench;
mod common;
mod compare;
mod datasets;
mod export;
mod failures;
mod forecast;
mod interface;
mod models;
mod predict;
mod records;
mod rendered;
mod studies;
mod tune;
