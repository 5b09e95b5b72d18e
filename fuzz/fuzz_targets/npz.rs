//! An npz file, or two npy files one after the other: the zip archive, the heads of arrays, pixels and labels.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| match bytes.starts_with(b"\x93NUMPY") {
    true => fuzz::read_arrays(bytes),
    false => fuzz::read_as(&["images.npz"], bytes),
});
