//! A MATLAB file: its elements, compressed ones among them, and the arrays of images and labels.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| fuzz::read_as(&["images.mat"], bytes));
