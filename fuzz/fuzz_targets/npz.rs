//! An npz file: the zip archive, the heads of its arrays, pixels and labels.
#![no_main]

use containers::{Layout, Reading, read};
use libfuzzer_sys::fuzz_target;
use std::{env, fs, process};

const NAMES: &[&str] = &["images.npz"];

fuzz_target!(|bytes: &[u8]| {
    let folder = env::temp_dir().join(format!("mnist-study-fuzz-{}", process::id()));
    fs::create_dir_all(&folder).expect("a folder");
    for name in NAMES {
        let path = folder.join(name);
        let compressed = name.ends_with("gz") && !bytes.starts_with(b"\x1f\x8b");
        let written = if compressed { data::idx::compress(bytes) } else { bytes.to_vec() };
        fs::write(&path, written).expect("written");
        for layout in [None, Some(Layout::ChannelsFirst)] {
            if let Ok(contents) = read(&path, &Reading { layout, ..Reading::default() }) {
                let images = &contents.training.images;
                assert_eq!(images.pixels.len(), images.count * images.height * images.width * images.channels);
                assert_eq!(contents.training.labels.len(), images.count);
            }
        }
    }
});
