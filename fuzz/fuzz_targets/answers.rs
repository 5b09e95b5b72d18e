//! A file of another program's answers, read as each kind of file, and assembled.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| fuzz::read_answers(bytes));
