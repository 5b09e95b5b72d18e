//! What several targets do with bytes.

use containers::{Contents, Layout, Reading, read};
use predictions::{
    About, Source,
    curves::{Choice, Logger},
};
use std::{
    env, fs,
    path::{Path, PathBuf},
    process,
};

/// Writes the bytes as files of these names, compressed by gzip where a name says so and they are not yet, and reads each.
pub fn read_as(names: &[&str], bytes: &[u8]) {
    let folder = folder("files");
    for name in names {
        let path = folder.join(name);
        let compressed = name.ends_with("gz") && !bytes.starts_with(b"\x1f\x8b");
        let written = if compressed { data::idx::compress(bytes) } else { bytes.to_vec() };
        fs::write(&path, written).expect("written");
        read_both_ways(&path);
    }
}

/// Reads a folder of arrays: images, and from the second head on labels.
pub fn read_arrays(bytes: &[u8]) {
    let magic = b"\x93NUMPY";
    let second = bytes.windows(magic.len()).skip(1).position(|window| window == magic);
    let (images, labels) = bytes.split_at(second.map_or(bytes.len(), |place| place + 1));
    let folder = folder("arrays");
    fs::write(folder.join("x_train.npy"), images).expect("written");
    fs::write(folder.join("y_train.npy"), labels).expect("written");
    read_both_ways(&folder);
}

/// Reads the bytes as each kind of file of answers, and assembles two runs of it.
pub fn read_answers(bytes: &[u8]) {
    let folder = folder("answers");
    for name in ["a.csv", "a.npy", "a.npz", "a.json", "a.safetensors"] {
        let path = folder.join(name);
        fs::write(&path, bytes).expect("written");
        let run = |run| Source::of("a", run, &path).expect("nothing beside it");
        let labels = predictions::read(&path).ok();
        let _ = predictions::assemble(vec![run("seed-0"), run("seed-1")], labels, None);
    }
}

/// Reads the bytes as what each program logs, and brings it to epochs.
pub fn read_curves(bytes: &[u8]) {
    let folder = folder("curves");
    fs::create_dir_all(folder.join("metrics")).expect("a folder");
    for (logger, name) in [
        (Logger::KerasCsvLog, "a.csv"),
        (Logger::TensorBoard, "a.tfevents"),
        (Logger::Wandb, "a.csv"),
        (Logger::MlFlow, "a.csv"),
        (Logger::MlFlow, "metrics/loss"),
    ] {
        let path = folder.join(name);
        fs::write(&path, bytes).expect("written");
        for log in logger.read(&[path]).unwrap_or_default() {
            for steps_per_epoch in [None, Some(2)] {
                let choice = Choice { steps_per_epoch, ..Choice::default() };
                if let Ok(about) = log.about(logger, &choice) {
                    let file = folder.join("a.run.json");
                    fs::write(&file, about.to_json()).expect("written");
                    let read = About::read(&file).expect("what was written is read");
                    assert_eq!(read.to_json(), about.to_json());
                }
            }
        }
    }
}

fn folder(name: &str) -> PathBuf {
    let folder = env::temp_dir().join(format!("mnist-study-fuzz-{}", process::id())).join(name);
    fs::create_dir_all(&folder).expect("a folder");
    folder
}

fn read_both_ways(path: &Path) {
    for layout in [None, Some(Layout::ChannelsFirst)] {
        if let Ok(contents) = read(path, &Reading { layout, ..Reading::default() }) {
            check(&contents);
        }
    }
}

/// Whether the training part holds together.
pub fn check(contents: &Contents) {
    let images = &contents.training.images;
    assert_eq!(images.pixels.len(), images.count * images.height * images.width * images.channels);
    assert_eq!(contents.training.labels.len(), images.count);
}
