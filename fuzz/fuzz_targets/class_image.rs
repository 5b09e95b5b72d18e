//! An image file in a class folder, beside one that is whole.
#![no_main]

use containers::{Reading, read};
use libfuzzer_sys::fuzz_target;
use std::{env, fs, process};

/// A grey image of 2×2 pixels.
const WHOLE: &[u8] = b"P5 2 2 255 abcd";

fuzz_target!(|bytes: &[u8]| {
    let folder = env::temp_dir().join(format!("mnist-study-fuzz-images-{}", process::id()));
    for (class, bytes) in [("a", bytes), ("b", WHOLE)] {
        fs::create_dir_all(folder.join(class)).expect("a folder");
        fs::write(folder.join(class).join("image"), bytes).expect("written");
    }
    for resize in [None, Some([3, 2])] {
        if let Ok(contents) = read(&folder, &Reading { resize, ..Reading::default() }) {
            fuzz::check(&contents);
        }
    }
});
