//! An image file, and the digit in it.
#![no_main]

use digits::{Picture, digit};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    if let Ok(picture) = Picture::decode(bytes) {
        let _ = digit(&picture);
    }
});
