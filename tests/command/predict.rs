//! Image files to classes.

use crate::{
    common::{Bench, said},
    rendered::{Drawing, TYPEFACES, Typeface},
    scenes::SCENES,
    sheet::Sheet,
};
use image::{GrayImage, imageops};
use serde_json::Value;
use std::{fs, sync::LazyLock};

/// A CNN that learnt MNIST for a few epochs, and a folder to put pictures in.
struct Predictor {
    bench: Bench,
}

/// The model, trained once for all tests.
static MODEL: LazyLock<Vec<u8>> = LazyLock::new(|| {
    let bench = Bench::new();
    let train = ["train", "cnn", "--epochs", "4", "--save", "cnn.safetensors", "--quiet"];
    let trained = said(&mut bench.command(&train));
    assert_eq!(trained.code, Some(0), "{}", trained.stderr);
    fs::read(bench.path().join("cnn.safetensors")).expect("saved")
});

impl Predictor {
    fn new() -> Self {
        let bench = Bench::new();
        fs::write(bench.path().join("cnn.safetensors"), &*MODEL).expect("it is written");
        Self { bench }
    }

    /// The classes of pictures of one digit each, given as their files' contents.
    fn classes(&self, files: &[Vec<u8>]) -> Vec<String> {
        let told = self.told(files).into_iter();
        told.map(|told| if told.len() == 1 { told[0].clone() } else { format!("{told:?}") }).collect()
    }

    /// The classes of the digits in pictures, given as their files' contents; none where a picture is refused.
    fn told(&self, files: &[Vec<u8>]) -> Vec<Vec<String>> {
        let names: Vec<String> = (0..files.len()).map(|index| format!("{index}.image")).collect();
        for (name, file) in names.iter().zip(files) {
            fs::write(self.bench.path().join(name), file).expect("it is written");
        }
        let mut command = self.bench.command(&["predict", "cnn.safetensors", "--json"]);
        let ran = said(command.args(&names));
        let json: Value = serde_json::from_str(&ran.stdout).expect("JSON");
        let failed = json["failed"].as_array().map_or(0, Vec::len);
        assert_eq!(ran.code, Some(i32::from(failed > 0)), "{}", ran.stderr);
        let mut told = vec![Vec::new(); files.len()];
        for image in json["images"].as_array().expect("images") {
            let place = names.iter().position(|name| image["file"] == name.as_str()).expect("one of them");
            let probabilities = image["probabilities"].as_array().expect("probabilities");
            let sum: f64 = probabilities.iter().map(|value| value.as_f64().expect("a number")).sum();
            assert!(probabilities.len() == 10 && (sum - 1.0).abs() < 1e-4, "{probabilities:?}");
            told[place].push(image["class"].as_str().expect("a class").to_owned());
            assert_eq!(image["digit"].as_u64(), Some(told[place].len() as u64));
        }
        told
    }

    /// Part of the digits of typefaces that are read correctly when drawn in a way, and those that are not.
    fn accuracy(&self, typefaces: &[Typeface], drawn: impl Fn(Typeface, u8) -> Sheet) -> (f64, Vec<String>) {
        let digits: Vec<(Typeface, u8)> =
            typefaces.iter().flat_map(|typeface| (0..10).map(|digit| (*typeface, digit))).collect();
        let files: Vec<Vec<u8>> =
            digits.iter().map(|(typeface, digit)| drawn(*typeface, *digit).png()).collect();
        let classes = self.classes(&files);
        let wrong: Vec<String> = classes
            .iter()
            .zip(&digits)
            .filter(|(class, (_, digit))| **class != digit.to_string())
            .map(|(class, (typeface, digit))| {
                format!("the {digit} of {} was taken for {class}", typeface.name)
            })
            .collect();
        (1.0 - wrong.len() as f64 / digits.len() as f64, wrong)
    }
}

/// The bounds are for one network and DejaVu's designs, not for typefaces at large; bench/results/predict has the figures.
#[test]
fn digits_of_typefaces_are_told_as_screens_and_cameras_show_them() {
    let predictor = Predictor::new();
    let flat = |typeface, digit, degrees| Drawing::new(typeface, digit, 200, degrees).flat([0; 3], [255; 3]);
    // Every third one: all of them take a minute.
    let typefaces: Vec<Typeface> = TYPEFACES.into_iter().step_by(3).collect();
    let of = |drawn: &dyn Fn(Typeface, u8) -> Sheet| predictor.accuracy(&typefaces, drawn);
    let seed = |digit| u64::from(digit);
    for (name, (accuracy, wrong)) in [
        ("flat", of(&|typeface, digit| flat(typeface, digit, 0.0))),
        ("inverted", of(&|typeface, digit| flat(typeface, digit, 0.0).inverted())),
        ("small", of(&|typeface, digit| Drawing::new(typeface, digit, 28, 0.0).flat([0; 3], [255; 3]))),
        (
            "large",
            of(&|typeface, digit| {
                Drawing::new(typeface, digit, 400, 0.0).flat([20, 40, 120], [240, 230, 200])
            }),
        ),
        ("turned one way", of(&|typeface, digit| flat(typeface, digit, -10.0))),
        ("turned the other way", of(&|typeface, digit| flat(typeface, digit, 10.0))),
        ("noise", of(&|typeface, digit| flat(typeface, digit, 0.0).with_noise(0.2, seed(digit)))),
        (
            "paper",
            of(&|typeface, digit| Drawing::new(typeface, digit, 400, 0.0).on_paper(seed(digit), false)),
        ),
    ] {
        assert!(accuracy >= 0.93, "{name}: {accuracy}, {wrong:?}");
    }
}

/// MNIST's handwriting in a few pictures of each scene but those with a table, which are told worse; bench/results/predict
/// has the accuracies.
#[test]
fn digits_are_told_in_scenes() {
    const PICTURES: usize = 4;
    let predictor = Predictor::new();
    let corpus = data::load(&data::Source::Mnist).expect("it is embedded");
    let (mut all, mut wrong) = (0, Vec::new());
    for (index, scene) in SCENES.iter().enumerate().filter(|(_, scene)| !scene.has_table()) {
        let chosen = |picture: usize| {
            (0..scene.digits()).map(move |place| (1_237 * picture + 311 * index + 97 * place) % 10_000)
        };
        let files: Vec<Vec<u8>> = (0..PICTURES)
            .map(|picture| {
                let pixels: Vec<&[u8]> = chosen(picture).map(|image| corpus.test().image(image)).collect();
                scene.drawn(&pixels, (PICTURES * index + picture) as u64)
            })
            .collect();
        for (picture, told) in predictor.told(&files).into_iter().enumerate() {
            let expected: Vec<String> =
                chosen(picture).map(|image| corpus.test().labels()[image].to_string()).collect();
            all += 1;
            if told != expected {
                wrong.push(format!("{}: {told:?} for {expected:?}", scene.name));
            }
        }
    }
    assert!(10 * wrong.len() <= all, "{} of {all}: {wrong:#?}", wrong.len());
}

#[test]
fn files_without_a_digit_are_named_and_the_others_answered() {
    let predictor = Predictor::new();
    let bench = &predictor.bench;
    let write = |name: &str, bytes: &[u8]| {
        let path = bench.path().join(name);
        fs::create_dir_all(path.parent().expect("a folder")).expect("made");
        fs::write(path, bytes).expect("it is written");
    };
    let digit = |digit| Drawing::new(TYPEFACES[0], digit, 100, 0.0).flat([0; 3], [255; 3]).png();
    for (name, bytes) in [
        ("3.png", digit(3)),
        ("notes.txt", b"no image".to_vec()),
        ("even.pgm", b"P2 2 2 9 5 5 5 5".to_vec()),
        ("folder/5.PNG", digit(5)),
        ("folder/1.jpeg", digit(1)),
        ("folder/8.png", digit(8)),
        ("folder/0.png", digit(0)),
        ("folder/7.png", digit(7)),
        ("folder/2.png", digit(2)),
        ("folder/readme.md", b"left out".to_vec()),
        ("empty/readme.md", b"left out".to_vec()),
    ] {
        write(name, &bytes);
    }
    let words =
        ["predict", "cnn.safetensors", "3.png", "notes.txt", "nowhere.png", "even.pgm", "folder", "empty"];
    let ran = said(&mut bench.command(&words));
    assert_eq!(ran.code, Some(1));
    let lines: Vec<Vec<&str>> = ran.stdout.lines().map(|line| line.split_whitespace().collect()).collect();
    let answered: Vec<[&str; 2]> = lines.iter().map(|line| [line[0], line[1]]).collect();
    let of_folder =
        ["folder/0.png", "folder/1.jpeg", "folder/2.png", "folder/5.PNG", "folder/7.png", "folder/8.png"];
    let names: Vec<&str> = answered.iter().map(|[name, _]| *name).collect();
    assert_eq!(names, [&["3.png"][..], &of_folder].concat(), "{}", ran.stdout);
    for [name, class] in answered {
        assert!(name.trim_start_matches("folder/").starts_with(class), "{}", ran.stdout);
    }
    let passed = "note: folder: 1 entry that is no image file is passed over: readme.md\n";
    assert!(ran.stderr.starts_with(passed), "{}", ran.stderr);
    assert!(ran.stderr.contains("error: 4 files were not classified: notes.txt: "), "{}", ran.stderr);
    for name in ["; nowhere.png: ", "; even.pgm: ", "; empty: "] {
        assert!(ran.stderr.contains(name), "{}", ran.stderr);
    }
    let json = said(bench.command(&words).arg("--json"));
    assert_eq!(json.code, Some(1));
    let json: Value = serde_json::from_str(&json.stdout).expect("JSON");
    assert_eq!(json["failed"].as_array().map(Vec::len), Some(4));
    let alone = said(&mut bench.command(&["predict", "cnn.safetensors", "notes.txt"]));
    assert!(alone.stderr.starts_with("error: notes.txt: a PNG, JPEG"), "{}", alone.stderr);
    let standard_input =
        bench.command(&["predict", "cnn.safetensors", "-"]).write_stdin(digit(7)).output().expect("it runs");
    assert!(
        standard_input.stdout.starts_with(b"-  7 "),
        "{:?}",
        String::from_utf8_lossy(&standard_input.stdout)
    );
}

#[test]
fn prepared_images_are_taken_as_they_are() {
    let predictor = Predictor::new();
    let bench = &predictor.bench;
    let corpus = data::load(&data::Source::Mnist).expect("it is embedded");
    let image =
        |index: usize| GrayImage::from_raw(28, 28, corpus.test().image(index).to_vec()).expect("28×28");
    let names: Vec<String> = (0..50).map(|index| format!("{index:02}.png")).collect();
    for (index, name) in names.iter().enumerate() {
        image(index).save(bench.path().join(name)).expect("saved");
    }
    let mut command = bench.command(&["predict", "cnn.safetensors", "--as-is", "--json"]);
    let ran = said(command.args(&names));
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    let json: Value = serde_json::from_str(&ran.stdout).expect("JSON");
    let mut classifier =
        mnist_study::Classifier::load(bench.path().join("cnn.safetensors")).expect("a model");
    for (index, answer) in json["images"].as_array().expect("images").iter().enumerate() {
        let expected = classifier.classify_pixels(corpus.test().image(index)).expect("of its size");
        assert_eq!(answer["class"], expected.name.as_str());
        let probability = answer["probability"].as_f64().expect("a number");
        assert!((probability - f64::from(expected.probability())).abs() < 1e-6, "{index}: {probability}");
    }
    imageops::resize(&image(0), 400, 300, imageops::FilterType::Nearest)
        .save(bench.path().join("large.png"))
        .expect("saved");
    let large = said(&mut bench.command(&["predict", "cnn.safetensors", "--as-is", "large.png"]));
    assert_eq!(large.code, Some(1));
    assert!(
        large.stderr.contains("images of 28×28 pixels expected, one of more than 256 a side found"),
        "{}",
        large.stderr
    );
    let train = ["train", "mlp", "--dataset", "data", "--epochs", "1", "--save", "other", "--quiet"];
    assert_eq!(said(&mut bench.command(&train)).code, Some(0));
    // Digits are sought for models of MNIST's size alone: any other is asked of the whole image.
    let other = said(&mut bench.command(&["predict", "other", "00.png"]));
    assert_eq!(other.code, Some(0), "{}", other.stderr);
    assert!(other.stderr.contains("note: 00.png: resized from 28×28 to 14×12"), "{}", other.stderr);
}

/// What scripts read of a picture of several digits, and what people read.
#[test]
fn several_digits_are_answered_each_with_its_place() {
    let predictor = Predictor::new();
    let bench = &predictor.bench;
    let digits = [3u8, 7, 5];
    let drawings =
        digits.map(|digit| Drawing::new(TYPEFACES[0], digit, 100, 0.0).flat([0; 3], [255; 3]).png());
    let mut row = GrayImage::from_pixel(320, 120, image::Luma([255]));
    for (place, file) in drawings.iter().enumerate() {
        let digit = image::load_from_memory(file).expect("a PNG").to_luma8();
        imageops::overlay(&mut row, &digit, 10 + 100 * place as i64, 10);
    }
    row.save(bench.path().join("row.png")).expect("saved");
    let ran = said(&mut bench.command(&["predict", "cnn.safetensors", "row.png"]));
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    let lines: Vec<&str> = ran.stdout.lines().collect();
    assert_eq!(lines.len(), 3, "{}", ran.stdout);
    for (place, (line, digit)) in lines.iter().zip(digits).enumerate() {
        assert!(line.starts_with(&format!("row.png  {digit} ")), "{line}");
        assert!(line.contains(&format!("digit {} of 3: ", place + 1)), "{line}");
    }
    assert_eq!(ran.stderr, "note: row.png: 3 digits found, answered in reading order\n");
    let json = said(&mut bench.command(&["predict", "cnn.safetensors", "row.png", "--json"]));
    let json: Value = serde_json::from_str(&json.stdout).expect("JSON");
    let images = json["images"].as_array().expect("images");
    assert_eq!(images.len(), 3);
    for (place, (image, digit)) in images.iter().zip(digits).enumerate() {
        assert_eq!(image["file"], "row.png");
        assert_eq!(image["class"], digit.to_string());
        assert_eq!((image["digit"].as_u64(), image["digits"].as_u64()), (Some(place as u64 + 1), Some(3)));
        assert_eq!(image["warnings"], serde_json::json!([]));
        let bound = |name: &str| image["bounds"][name].as_u64().expect("pixels") as usize;
        // Typefaces are drawn 60 pixels high in the middle of their 100.
        assert!(bound("left").abs_diff(60 + 100 * place - bound("width") / 2) <= 2, "{image}");
        assert!(bound("top").abs_diff(30) <= 2 && bound("height").abs_diff(60) <= 3, "{image}");
    }
    let mut classifier =
        mnist_study::Classifier::load(bench.path().join("cnn.safetensors")).expect("a model");
    let error = classifier.classify_file(bench.path().join("row.png")).expect_err("three digits");
    assert!(error.to_string().ends_with("one digit expected, 3 digits found"), "{error}");
}

#[test]
fn what_cannot_be_trusted_is_refused_or_noted() {
    let predictor = Predictor::new();
    let bench = &predictor.bench;
    let sheet = Drawing::new(TYPEFACES[0], 0, 200, 0.0).flat([0; 3], [255; 3]);
    let jpeg = sheet.jpeg();
    fs::write(bench.path().join("half.jpg"), &jpeg[..jpeg.len() / 2]).expect("written");
    let half = said(&mut bench.command(&["predict", "cnn.safetensors", "half.jpg"]));
    assert_eq!((half.code, half.stdout.as_str()), (Some(1), ""));
    let expected = "error: half.jpg: the JPEG file is damaged: the file ends early\n";
    assert!(half.stderr.starts_with(expected), "{}", half.stderr);
    let picture = image::load_from_memory(&sheet.png()).expect("a PNG").to_luma8();
    imageops::crop_imm(&picture, 0, 0, 200, 100)
        .to_image()
        .save(bench.path().join("cut.png"))
        .expect("saved");
    let cut = said(&mut bench.command(&["predict", "cnn.safetensors", "cut.png"]));
    assert_eq!((cut.code, cut.stdout.as_str()), (Some(1), ""));
    assert!(
        cut.stderr.starts_with("error: cut.png: the edge of the picture cuts off the digit\n"),
        "{}",
        cut.stderr
    );
    // Dark ink that is to be taken as it is.
    let small = Drawing::new(TYPEFACES[0], 3, 28, 0.0);
    fs::write(bench.path().join("dark.png"), small.flat([0; 3], [255; 3]).png()).expect("written");
    fs::write(bench.path().join("light.png"), small.flat([255; 3], [0; 3]).png()).expect("written");
    let ran = said(&mut bench.command(&["predict", "cnn.safetensors", "--as-is", "light.png", "dark.png"]));
    assert_eq!(ran.code, Some(0));
    assert!(ran.stderr.starts_with("note: dark.png: dark ink on a light ground"), "{}", ran.stderr);
    assert_eq!(ran.stderr.lines().count(), 1, "{}", ran.stderr);
}
