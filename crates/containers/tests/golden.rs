//! Files of NumPy's, Pillow's and pandas's (golden/containers) are read as Python says that they are.

use containers::{Contents, Kind, Layout, Part, Reading, read, recognise};
use flate2::read::GzDecoder;
use serde_json::Value;
use sha2::{Digest, Sha256};
use std::{
    fs::{self, File},
    io::{self, Read, Write},
    path::{Path, PathBuf},
};
use zip::ZipArchive;

fn golden(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../golden/containers").join(name)
}

fn expected() -> Value {
    serde_json::from_str(&fs::read_to_string(golden("expected.json")).expect("a file")).expect("JSON")
}

/// The archive of folders, below a new one.
fn folders() -> tempfile::TempDir {
    unpacked(&golden("folders.zip"))
}

/// A zip archive's members below a new folder.
fn unpacked(archive: &Path) -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    let mut archive = ZipArchive::new(File::open(archive).expect("a file")).expect("a zip file");
    for index in 0..archive.len() {
        let mut member = archive.by_index(index).expect("a member");
        let path = folder.path().join(member.enclosed_name().expect("a name"));
        fs::create_dir_all(path.parent().expect("a folder")).expect("made");
        io::copy(&mut member, &mut File::create(path).expect("made")).expect("unpacked");
    }
    folder
}

fn gunzip(name: &str) -> Vec<u8> {
    let mut bytes = Vec::new();
    GzDecoder::new(File::open(golden(name)).expect("a file")).read_to_end(&mut bytes).expect("gzip");
    bytes
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn bytes(text: &str) -> Vec<u8> {
    (0..text.len() / 2)
        .map(|byte| u8::from_str_radix(&text[2 * byte..][..2], 16).expect("hexadecimal"))
        .collect()
}

fn shape(part: &Part) -> [usize; 4] {
    let images = &part.images;
    [images.count, images.height, images.width, images.channels]
}

fn check_part(expected: &Value, part: Option<&Part>, about: &str) {
    let Some(part) = part else { return assert_eq!(expected, &Value::Null, "{about}") };
    assert_eq!(expected["shape"], serde_json::json!(shape(part)), "{about}");
    assert_eq!(expected["labels"], serde_json::json!(part.labels), "{about}");
    let pixels = expected["pixels"].as_str().expect("pixels");
    match pixels.strip_prefix("sha256:") {
        Some(digest) => assert_eq!(digest, hex(&Sha256::digest(&part.images.pixels)), "{about}"),
        None => assert_eq!(pixels, hex(&part.images.pixels), "{about}"),
    }
}

fn check(expected: &Value, contents: &Contents, about: &str) {
    assert_eq!(expected["classes"], serde_json::json!(contents.class_names), "{about}");
    check_part(&expected["training"], Some(&contents.training), about);
    check_part(&expected["validation"], contents.validation.as_ref(), about);
    check_part(&expected["test"], contents.test.as_ref(), about);
}

fn reading(of: &Value) -> Reading {
    let size = |of: &Value| {
        let side = |index: usize| of[index].as_u64().expect("a side") as usize;
        (!of.is_null()).then(|| [side(0), side(1)])
    };
    Reading {
        grey: of["grey"] == true,
        resize: None,
        size: size(&of["size"]),
        layout: of["layout"].as_str().map(|layout| match layout {
            "first" => Layout::ChannelsFirst,
            _ => Layout::ChannelsLast,
        }),
    }
}

#[test]
fn arrays_and_tables_are_what_python_says() {
    let expected = expected();
    let cases = expected["cases"].as_array().expect("cases");
    assert!(cases.len() > 20);
    let mut folders = 0;
    for case in cases.iter().filter(|case| case["path"] != "same") {
        let path = case["path"].as_str().expect("a path");
        let reading = reading(&case["reading"]);
        let contents = read(&golden(path), &reading).unwrap_or_else(|error| panic!("{path}: {error}"));
        check(case, &contents, path);
        if path.ends_with(".npz") {
            // An archive's members are the files that `numpy.save` writes.
            let folder = unpacked(&golden(path));
            assert_eq!(recognise(folder.path()), Some(Kind::Npz), "{path}");
            let of_folder = read(folder.path(), &reading).unwrap_or_else(|error| panic!("{path}: {error}"));
            assert_eq!(of_folder, contents, "{path}");
            folders += 1;
        }
    }
    assert!(folders > 10);
}

#[test]
fn the_same_images_in_every_container_are_the_same() {
    let expected = expected();
    let expected =
        expected["cases"].as_array().expect("cases").iter().find(|case| case["path"] == "same").expect("it");
    let folder = folders();
    let put = |name: &str, bytes: &[u8]| {
        let path = folder.path().join(name);
        fs::create_dir_all(path.parent().expect("a folder")).expect("made");
        File::create(&path).and_then(|mut file| file.write_all(bytes)).expect("written");
        path
    };
    let mut paths = Vec::new();
    for format in ["png", "bmp", "ppm", "tiff", "webp", "qoi"] {
        paths.push((folder.path().join("same").join(format), Kind::ClassFolders));
    }
    for archive in ["nhwc", "nchw", "float", "fortran", "strings", "rows"] {
        paths.push((golden(&format!("same-{archive}.npz")), Kind::Npz));
    }
    let [cifar_10, cifar_100] = ["same-cifar.bin.gz", "same-cifar-100.bin.gz"].map(gunzip);
    // Two batches, as the published ones are five.
    put("cifar/cifar-10-batches-bin/data_batch_1.bin", &cifar_10[..3073 * 15]);
    put("cifar/cifar-10-batches-bin/data_batch_2.bin", &cifar_10[3073 * 15..]);
    paths.push((folder.path().join("cifar"), Kind::Cifar));
    paths.push((put("data_batch_1.bin", &cifar_10), Kind::Cifar));
    paths.push((put("other-name.bin", &cifar_10), Kind::Cifar));
    paths.push((put("train.bin", &cifar_100), Kind::Cifar));
    paths.push((
        put("cifar-10-binary.tar.gz", &gzip(&tar(&[("cifar-10-batches-bin/data_batch_1.bin", &cifar_10)]))),
        Kind::Cifar,
    ));
    paths.push((golden("same.csv.gz"), Kind::Csv));
    let table = gunzip("same.csv.gz");
    paths.push((put("same.csv", &table), Kind::Csv));
    put("tables/training.csv.gz", &table);
    paths.push((folder.path().join("tables"), Kind::Csv));
    paths.push((golden("same.mat"), Kind::Mat));
    let matlab = fs::read(golden("same.mat")).expect("a file");
    put("svhn/train_32x32.mat", &matlab);
    paths.push((folder.path().join("svhn"), Kind::Mat));
    assert_eq!(paths.len(), 22);
    for (path, kind) in paths {
        let about = path.display().to_string();
        assert_eq!(recognise(&path), Some(kind), "{about}");
        let layout = about.contains("rows").then_some(Layout::ChannelsFirst);
        let contents = read(&path, &Reading { layout, ..Reading::default() });
        check(expected, &contents.unwrap_or_else(|error| panic!("{error}")), &about);
    }
}

#[test]
fn every_kind_of_image_file_is_what_pillow_says() {
    let (expected, folder) = (expected(), folders());
    let pictures = expected["pictures"].as_array().expect("pictures");
    assert!(pictures.len() > 25);
    for picture in pictures {
        let name = picture["name"].as_str().expect("a name");
        // Two classes of one image each.
        let source = folder.path().join("pictures").join(name);
        let one = tempfile::tempdir().expect("a folder");
        for class in ["a", "b"] {
            fs::create_dir(one.path().join(class)).expect("made");
            fs::copy(&source, one.path().join(class).join(name)).expect("copied");
        }
        let contents =
            read(one.path(), &Reading::default()).unwrap_or_else(|error| panic!("{name}: {error}"));
        let images = &contents.training.images;
        let found = [images.height, images.width, images.channels];
        let shape = picture["shape"].as_array().expect("a shape");
        // A grey palette image is stored as colour.
        assert_eq!(serde_json::json!(found), serde_json::json!(shape), "{name}");
        let pixels = bytes(picture["pixels"].as_str().expect("pixels"));
        let tolerance = picture["tolerance"].as_u64().expect("a tolerance") as u8;
        let furthest = pixels.iter().zip(&images.pixels).map(|(one, other)| one.abs_diff(*other)).max();
        assert!(furthest.is_some_and(|furthest| furthest <= tolerance), "{name}: {furthest:?}");
        let said = |part: &str| contents.remarks.iter().any(|remark| remark.contains(part));
        assert_eq!(
            said("laid on white"),
            ["LA.png", "RGBA.png", "P-transparent.png"].contains(&name),
            "{name}"
        );
        assert_eq!(said("16 bits"), name == "I16.png", "{name}");
        assert_eq!(said("camera"), name.starts_with("exif") && name != "exif-1.jpg", "{name}");
    }
}

#[test]
fn another_size_is_about_that_of_pillow() {
    let (expected, folder) = (expected(), folders());
    let path = folder.path().join("resized");
    let error = read(&path, &Reading::default()).expect_err("two sizes");
    assert!(error.to_string().contains("1 of 8×10, 1 of 48×64 found"), "{error}");
    let contents =
        read(&path, &Reading { resize: Some([12, 16]), ..Reading::default() }).expect("two images");
    assert!(
        contents
            .remarks
            .iter()
            .any(|remark| remark == "2 of 2 images are resized from 2 sizes to 12×16 by a triangle filter"),
        "{:?}",
        contents.remarks
    );
    let pixels = bytes(expected["resized"]["pixels"].as_str().expect("pixels"));
    let furthest =
        pixels.iter().zip(&contents.training.images.pixels).map(|(one, other)| one.abs_diff(*other)).max();
    assert_eq!(pixels.len(), contents.training.images.pixels.len());
    assert!(furthest <= Some(2), "{furthest:?}");
}

#[test]
fn what_is_none_of_these_is_refused_by_its_reason() {
    for (name, reason) in [
        ("multi-label.npz", "array train_labels: one class an image expected, 2 found at index 1"),
        (
            "objects.npz",
            "array labels: numbers or strings of fixed length expected, Python objects (a pickle) found, which could run code and are not read",
        ),
        ("positional.npz", "X and y, or data and target expected, arr_0, arr_1 found"),
        ("range.npz", "array images: pixels from 0 to 1 or from 0 to 255 expected, from -"),
        ("words.npz", "array images: pixels from 0 to 1 or from 0 to 255 expected, from "),
        ("volumes.npz", "with 1 or 3 channels expected, shape (3, 5, 5, 5) found"),
        ("ambiguous.npz", "a shape that tells where the channels are expected, (4, 3, 3, 3) found"),
        ("no-labels.csv", "labels of rows of 9 pixels expected, none found"),
        ("utf-16.csv", "line 1: text in UTF-8 expected, text in UTF-16 found"),
        ("latin.csv", "line 4: text in UTF-8 expected, bytes of another encoding found"),
        ("wide.csv", "a label and H×W pixels (or 3·H·W) in a row expected, 6 columns of pixels found"),
    ] {
        let error = read(&golden(name), &Reading::default()).expect_err(name).to_string();
        assert!(error.contains(reason), "{error}");
    }
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(bytes).and_then(|()| encoder.finish()).expect("memory")
}

/// A tar archive as GNU tar writes it: the only thing that Python need not write for us.
fn tar(members: &[(&str, &[u8])]) -> Vec<u8> {
    let mut archive = Vec::new();
    for (name, bytes) in members {
        let mut block = [0; 512];
        block[..name.len()].copy_from_slice(name.as_bytes());
        block[124..136].copy_from_slice(format!("{:011o}\0", bytes.len()).as_bytes());
        block[156] = b'0';
        block[257..265].copy_from_slice(b"ustar  \0");
        archive.extend(block);
        archive.extend(*bytes);
        archive.resize(archive.len().next_multiple_of(512), 0);
    }
    archive.resize(archive.len() + 1024, 0);
    archive
}
