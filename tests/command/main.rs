//! The command end to end, on a small set that is made here: exit codes, files, the JSON contract, what goes wrong.

mod augmented;
mod bench;
mod book;
mod common;
mod compare;
mod datasets;
#[cfg(unix)]
mod endings;
mod export;
mod failures;
mod folders;
mod forecast;
mod foreign;
mod inspect;
mod interface;
mod judge;
mod kept_models;
mod lessons;
mod models;
mod own_data;
mod own_images;
mod paper;
mod precision;
mod predict;
mod records;
mod rendered;
mod scenes;
mod shards;
mod sheet;
mod studies;
mod tune;
