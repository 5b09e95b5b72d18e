//! An image file, and the digits in it.
#![no_main]

use digits::{Picture, digits};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    if let Ok(picture) = Picture::decode(bytes) {
        let _ = digits(&picture);
    }
});
