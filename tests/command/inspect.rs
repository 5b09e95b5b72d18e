//! `datasets inspect`: a look at data before anything is trained on it.

use crate::common::{Bench, said};
use data::{FILE_NAMES, idx};
use image::{ImageFormat, Rgb, RgbImage};
use serde_json::json;
use std::{fs, io::Cursor};

/// Pictures in class folders: cats are red, dogs blue, each of another shade; `0` of an image's shade makes it of one shade.
fn put(bench: &Bench, name: &str, shade: u8) {
    let is_cat = name.contains("cat");
    let image = RgbImage::from_fn(8, 6, |x, y| match shade {
        0 => Rgb([40, 50, 60]),
        _ if is_cat => Rgb([200 + (x * y) as u8, shade, 0]),
        _ => Rgb([0, shade, 200 + (x + y) as u8]),
    });
    let mut bytes = Cursor::new(Vec::new());
    image.write_to(&mut bytes, ImageFormat::Png).expect("memory");
    let path = bench.path().join("pets").join(name);
    fs::create_dir_all(path.parent().expect("a folder")).expect("made");
    fs::write(path, bytes.into_inner()).expect("written");
}

fn pets() -> Bench {
    let bench = Bench::new();
    for index in 1..=6 {
        put(&bench, &format!("train/cat/{index}.png"), 10 * index);
        put(&bench, &format!("train/dog/{index}.png"), 20 * index);
    }
    put(&bench, "train/dog/copy.png", 20);
    put(&bench, "train/cat/plain.png", 0);
    put(&bench, "val/cat/7.png", 70);
    put(&bench, "val/dog/plain.png", 0);
    put(&bench, "test/cat/leaked.png", 30);
    put(&bench, "test/dog/8.png", 80 + 7);
    fs::write(bench.path().join("pets/train/notes.txt"), "text").expect("written");
    bench
}

#[test]
fn a_look_counts_measures_and_tells_leakage() {
    let bench = pets();
    let looked = said(&mut bench.command(&["datasets", "inspect", "pets"]));
    assert_eq!((looked.code, looked.stderr.as_str()), (Some(0), ""));
    insta::assert_snapshot!("inspect", looked.stdout);
    assert!(
        looked.stdout.contains(
            "1 test image identical to training images (leakage: accuracy on them is overstated), for example \
             test/cat/leaked.png = train/cat/3.png\n"
        ),
        "{}",
        looked.stdout
    );
    let grey = said(&mut bench.command(&["datasets", "inspect", "pets", "--grey", "--resize", "4x4"]));
    assert!(
        grey.stdout.starts_with("pets:grey:resize=4x4: 18 images of 4×4 pixels in grey, 2 classes\n"),
        "{}",
        grey.stdout
    );
}

#[test]
fn the_same_is_said_as_json() {
    let bench = pets();
    let looked = said(&mut bench.command(&["datasets", "inspect", "pets", "--json"]));
    let looked: serde_json::Value = serde_json::from_str(&looked.stdout).expect("JSON");
    assert_eq!(looked["class_names"], json!(["cat", "dog"]));
    assert_eq!([&looked["height"], &looked["width"], &looked["channels"]], [&json!(6), &json!(8), &json!(3)]);
    let parts = looked["parts"].as_array().expect("parts");
    let counts: Vec<_> = parts.iter().map(|part| (part["name"].clone(), part["by_class"].clone())).collect();
    assert_eq!(
        counts,
        [
            (json!("training"), json!([7, 7])),
            (json!("validation"), json!([1, 1])),
            (json!("test"), json!([1, 1]))
        ]
    );
    let copies = looked["copies"].as_array().expect("copies");
    assert_eq!(copies.len(), 3);
    assert_eq!(copies[1]["image"], json!({ "part": "validation", "index": 1, "file": "val/dog/plain.png" }));
    assert_eq!(copies[1]["is_relabelled"], true);
    assert_eq!(parts[0]["constant"][0]["file"], "train/cat/plain.png");
    // Of the red channel: what a person computes from the pictures.
    let of_cats: f64 = (0..6).flat_map(|y| (0..8).map(move |x| f64::from(200 + x * y))).sum::<f64>() * 6.0;
    let mean = (of_cats + 48.0 * 40.0) / (14.0 * 48.0) / 255.0;
    assert!((parts[0]["mean"][0].as_f64().expect("a number") - mean).abs() < 1e-12, "{}", parts[0]["mean"]);
}

#[test]
fn any_set_has_a_look_and_a_sheet() {
    let bench = Bench::new();
    let looked = said(&mut bench.command(&["datasets", "inspect", "data", "--sheet", "sheet.png"]));
    assert_eq!((looked.code, looked.stderr.as_str()), (Some(0), ""), "{}", looked.stderr);
    assert!(looked.stdout.contains("\nno two images are identical\n"), "{}", looked.stdout);
    assert!(
        looked.stdout.ends_with("\nsheet.png: the first training images of each class\n"),
        "{}",
        looked.stdout
    );
    let sheet =
        image::load_from_memory(&fs::read(bench.path().join("sheet.png")).expect("drawn")).expect("a PNG");
    // Three rows of ten images.
    assert!(sheet.width() > 10 * 96 && sheet.height() > 3 * 112, "{}×{}", sheet.width(), sheet.height());
    // A copy across the parts, by index where images have no files.
    let [images, _, test, _] = FILE_NAMES.map(|name| bench.path().join("data").join(name));
    let training = idx::read_images("images", fs::read(&images).expect("there")).expect("images");
    let mut leaking = idx::read_images("images", fs::read(&test).expect("there")).expect("images");
    let length = training.shape.length();
    leaking.pixels[5 * length..6 * length].copy_from_slice(&training.pixels[17 * length..18 * length]);
    fs::write(&test, idx::write_images(&leaking.pixels, leaking.count, leaking.shape)).expect("written");
    let looked = said(&mut bench.command(&["datasets", "inspect", "data"]));
    assert!(looked.stdout.contains("test image 5 = training image 17"), "{}", looked.stdout);
}

#[test]
fn what_cannot_be_looked_at_is_refused() {
    let bench = pets();
    fs::write(bench.path().join("pets/train/cat/half.png"), b"\x89PNG\r\n\x1a\n").expect("written");
    let looked = said(&mut bench.command(&["datasets", "inspect", "pets"]));
    assert_eq!(looked.code, Some(1));
    assert!(
        looked.stderr.starts_with("error: pets/train/cat/half.png: a whole PNG image expected"),
        "{}",
        looked.stderr
    );
    fs::remove_dir_all(bench.path().join("pets/train")).expect("removed");
    fs::remove_dir_all(bench.path().join("pets/val")).expect("removed");
    let looked = said(&mut bench.command(&["datasets", "inspect", "pets"]));
    assert!(looked.stderr.ends_with("hint: name a folder of class folders, an npz file, a CSV file, CIFAR's binary files or four IDX files\n"), "{}", looked.stderr);
    let over = said(&mut bench.command(&["datasets", "inspect", "pets", "--sheet", "pets"]));
    assert_eq!(over.code, Some(1), "{}", over.stderr);
    let file =
        said(&mut bench.command(&["datasets", "inspect", "data", "--sheet", "data/train-images-idx3-ubyte"]));
    assert_eq!(file.code, Some(2), "{}", file.stderr);
}
