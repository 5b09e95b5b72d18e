//! What several targets do with bytes.

use containers::{Contents, Layout, Reading, read};
use std::{env, fs, process};

/// Writes the bytes as files of these names, compressed by gzip where a name says so and they are not yet, and reads each.
pub fn read_as(names: &[&str], bytes: &[u8]) {
    let folder = env::temp_dir().join(format!("mnist-study-fuzz-{}", process::id()));
    fs::create_dir_all(&folder).expect("a folder");
    for name in names {
        let path = folder.join(name);
        let compressed = name.ends_with("gz") && !bytes.starts_with(b"\x1f\x8b");
        let written = if compressed { data::idx::compress(bytes) } else { bytes.to_vec() };
        fs::write(&path, written).expect("written");
        for layout in [None, Some(Layout::ChannelsFirst)] {
            if let Ok(contents) = read(&path, &Reading { layout, ..Reading::default() }) {
                check(&contents);
            }
        }
    }
}

/// Whether the training part holds together.
pub fn check(contents: &Contents) {
    let images = &contents.training.images;
    assert_eq!(images.pixels.len(), images.count * images.height * images.width * images.channels);
    assert_eq!(contents.training.labels.len(), images.count);
}
