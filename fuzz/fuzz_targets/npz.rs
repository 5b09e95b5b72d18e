//! An npz file: the zip archive, the heads of its arrays, pixels and labels.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| fuzz::read_as(&["images.npz"], bytes));
