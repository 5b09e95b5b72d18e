//! Curves that another program logged, read as the files of each, and brought to epochs.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| fuzz::read_curves(bytes));
