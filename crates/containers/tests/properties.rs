//! Files with any byte changed, or any end missing: read or refused, never more, in bounded memory.

use containers::{Reading, read};
use proptest::prelude::*;
use std::{
    fs,
    io::{Cursor, Read},
    path::Path,
};

fn golden(name: &str) -> Vec<u8> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../golden/containers").join(name);
    fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn member(name: &str) -> Vec<u8> {
    member_of("folders.zip", name)
}

fn member_of(archive: &str, name: &str) -> Vec<u8> {
    let mut archive = zip::ZipArchive::new(Cursor::new(golden(archive))).expect("a zip file");
    let mut bytes = Vec::new();
    archive.by_name(name).expect("a member").read_to_end(&mut bytes).expect("unpacked");
    bytes
}

thread_local! {
    /// Images are decoded on this thread, where allocations are counted.
    static POOL: rayon::ThreadPool =
        rayon::ThreadPoolBuilder::new().num_threads(1).use_current_thread().build().expect("a pool of this thread");
}

/// What a small file may take.
const MOST_BYTES: u64 = 48 << 20;

/// What a small image file may take: decoders allocate an image of the size that its head states, 256 MiB at most, and turning
/// one makes another.
const MOST_BYTES_OF_AN_IMAGE: u64 = 600 << 20;

/// Reads a file of these bytes as what its name says, and its images again at another size.
fn survives(name: &str, bytes: &[u8]) -> Result<(), TestCaseError> {
    let folder = tempfile::tempdir().expect("a folder");
    let path = match name.split_once('/') {
        Some(("arrays", changed)) => {
            for name in ["train_images.npy", "train_labels.npy"] {
                let whole = member_of("medmnist.npz", name);
                fs::write(folder.path().join(name), if name == changed { bytes } else { &whole })
                    .expect("written");
            }
            folder.path().to_path_buf()
        }
        Some((class, _)) => {
            for (class, bytes) in [(class, bytes), ("other", &member("pictures/L.png")[..])] {
                let file = name.rsplit('/').next().expect("a name");
                fs::create_dir(folder.path().join(class)).expect("made");
                fs::write(folder.path().join(class).join(file), bytes).expect("written");
            }
            folder.path().to_path_buf()
        }
        None => {
            let path = folder.path().join(name);
            fs::write(&path, bytes).expect("written");
            path
        }
    };
    let mut results = Vec::new();
    let measured = allocation_counter::measure(|| {
        POOL.with(|pool| {
            pool.install(|| {
                for resize in [None, Some([5, 5])] {
                    results.push(read(&path, &Reading { resize, ..Reading::default() }));
                }
            });
        });
    });
    let most = if name.starts_with("class/") { MOST_BYTES_OF_AN_IMAGE } else { MOST_BYTES };
    prop_assert!(measured.bytes_max < most, "{name}: {measured:?}");
    for result in results {
        match result {
            Err(error) => prop_assert!(error.to_string().len() < 2_000, "{error}"),
            Ok(contents) => {
                let images = &contents.training.images;
                let pixels = images.count * images.height * images.width * images.channels;
                prop_assert_eq!(images.pixels.len(), pixels);
                prop_assert_eq!(contents.training.labels.len(), images.count);
                prop_assert!(
                    contents
                        .training
                        .labels
                        .iter()
                        .all(|label| usize::from(*label) < contents.class_names.len())
                );
            }
        }
    }
    Ok(())
}

/// Each kind of file, small.
fn files() -> Vec<(&'static str, Vec<u8>)> {
    let archives =
        ["medmnist.npz", "keras.npz", "f2.npz", "bytes.npz", "opacity.npz", "rows.npz", "multi-label.npz"];
    let tables = ["index.csv", "bom-crlf.csv", "quoted.csv", "tabs.csv"];
    let mut files: Vec<(&str, Vec<u8>)> =
        archives.iter().chain(&tables).map(|name| (*name, golden(name))).collect();
    files.extend(["same.csv.gz", "same.mat"].map(|name| (name, golden(name))));
    files.extend(
        ["arrays/train_images.npy", "arrays/train_labels.npy"]
            .map(|name| (name, member_of("medmnist.npz", name.trim_start_matches("arrays/")))),
    );
    for name in [
        "RGB.png",
        "P-transparent.png",
        "I16.png",
        "RGB.jpg",
        "exif-6.jpg",
        "RGB.webp",
        "RGB.tiff",
        "P.gif",
        "P.bmp",
        "1.pbm",
        "RGB.qoi",
    ] {
        files
            .push((Box::leak(format!("class/{name}").into_boxed_str()), member(&format!("pictures/{name}"))));
    }
    files
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(1_500) })]

    #[test]
    fn any_change_is_survived(file in 0..26_usize, place in any::<prop::sample::Index>(), byte: u8, cut: bool) {
        let files = files();
        let (name, mut bytes) = files[file % files.len()].clone();
        let place = place.index(bytes.len());
        if cut {
            bytes.truncate(place);
        } else {
            bytes[place] = byte;
        }
        survives(name, &bytes)?;
    }
}

#[test]
fn every_beginning_of_small_files_is_survived() {
    for (name, bytes) in files().into_iter().filter(|(_, bytes)| bytes.len() < 700) {
        for length in 0..bytes.len() {
            survives(name, &bytes[..length]).expect("survived");
        }
    }
}
