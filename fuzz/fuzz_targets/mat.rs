//! A MATLAB file: its elements, compressed ones among them, and the arrays of images and labels.
#![no_main]

use containers::{Reading, read};
use libfuzzer_sys::fuzz_target;
use std::{env, fs, process};

fuzz_target!(|bytes: &[u8]| {
    let path = env::temp_dir().join(format!("mnist-study-fuzz-{}.mat", process::id()));
    fs::write(&path, bytes).expect("written");
    if let Ok(contents) = read(&path, &Reading::default()) {
        let images = &contents.training.images;
        assert_eq!(images.pixels.len(), images.count * images.height * images.width * images.channels);
        assert_eq!(contents.training.labels.len(), images.count);
    }
});
