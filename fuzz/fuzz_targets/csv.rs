//! A table, plain and compressed.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| fuzz::read_as(&["table.csv", "table.csv.gz"], bytes));
