//! Image files to classes.

use crate::{
    common::{Bench, said},
    rendered::{Drawing, Sheet, TYPEFACES, Typeface},
};
use image::{GrayImage, imageops};
use serde_json::Value;
use std::fs;

/// A CNN that learnt MNIST for a few epochs, and a folder to put pictures in.
struct Predictor {
    bench: Bench,
}

impl Predictor {
    fn new() -> Self {
        let bench = Bench::new();
        let train = ["train", "cnn", "--epochs", "4", "--save", "cnn.safetensors", "--quiet"];
        let trained = said(&mut bench.command(&train));
        assert_eq!(trained.code, Some(0), "{}", trained.stderr);
        Self { bench }
    }

    /// The classes of pictures, given as their files' contents.
    fn classes(&self, files: &[Vec<u8>]) -> Vec<String> {
        let names: Vec<String> = (0..files.len()).map(|index| format!("{index}.image")).collect();
        for (name, file) in names.iter().zip(files) {
            fs::write(self.bench.path().join(name), file).expect("it is written");
        }
        let mut command = self.bench.command(&["predict", "cnn.safetensors", "--json"]);
        let ran = said(command.args(&names));
        assert_eq!(ran.code, Some(0), "{}", ran.stderr);
        let json: Value = serde_json::from_str(&ran.stdout).expect("JSON");
        let images = json["images"].as_array().expect("images");
        assert_eq!(images.len(), files.len());
        let class = |(image, name): (&Value, &String)| {
            assert_eq!(image["file"].as_str(), Some(name.as_str()));
            let probabilities = image["probabilities"].as_array().expect("probabilities");
            let sum: f64 = probabilities.iter().map(|value| value.as_f64().expect("a number")).sum();
            assert!(probabilities.len() == 10 && (sum - 1.0).abs() < 1e-4, "{probabilities:?}");
            image["class"].as_str().expect("a class").to_owned()
        };
        images.iter().zip(&names).map(class).collect()
    }

    /// Part of the digits of typefaces that are told rightly when drawn in a way.
    fn accuracy(&self, typefaces: &[Typeface], drawn: impl Fn(Typeface, u8) -> Sheet) -> f64 {
        let digits: Vec<(Typeface, u8)> =
            typefaces.iter().flat_map(|typeface| (0..10).map(|digit| (*typeface, digit))).collect();
        let files: Vec<Vec<u8>> =
            digits.iter().map(|(typeface, digit)| drawn(*typeface, *digit).png()).collect();
        let classes = self.classes(&files);
        let right = classes.iter().zip(&digits).filter(|(class, (_, digit))| **class == digit.to_string());
        right.count() as f64 / digits.len() as f64
    }
}

/// Draft, to be switched on with the verb: the bounds are for one network and DejaVu's designs, not for typefaces at
/// large.
#[test]
fn digits_of_typefaces_are_told_as_screens_and_cameras_show_them() {
    let predictor = Predictor::new();
    let flat = |typeface, digit, degrees| Drawing::new(typeface, digit, 200, degrees).flat([0; 3], [255; 3]);
    let of = |drawn: &dyn Fn(Typeface, u8) -> Sheet| predictor.accuracy(&TYPEFACES, drawn);
    let seed = |digit| u64::from(digit);
    for (name, accuracy) in [
        ("flat", of(&|typeface, digit| flat(typeface, digit, 0.0))),
        ("inverted", of(&|typeface, digit| flat(typeface, digit, 0.0).inverted())),
        ("turned", of(&|typeface, digit| flat(typeface, digit, -5.0))),
        ("noise", of(&|typeface, digit| flat(typeface, digit, 0.0).with_noise(0.2, seed(digit)))),
        (
            "paper",
            of(&|typeface, digit| Drawing::new(typeface, digit, 400, 0.0).on_paper(seed(digit), false)),
        ),
    ] {
        assert!(accuracy >= 0.85, "{name}: {accuracy}");
    }
}

/// MNIST's own test images, ten times as large, as dark ink on paper.
#[test]
fn handwriting_on_paper_is_told() {
    let predictor = Predictor::new();
    let corpus = data::load(&data::Source::parse("mnist").expect("a name")).expect("it is embedded");
    let chosen: Vec<usize> = (0..100).map(|index| index * 100).collect();
    let files: Vec<Vec<u8>> = chosen
        .iter()
        .map(|index| {
            let small =
                GrayImage::from_raw(28, 28, corpus.test().image(*index).to_vec()).expect("28×28 pixels");
            let large = imageops::resize(&small, 280, 280, imageops::FilterType::CatmullRom);
            let ink = large.iter().map(|value| f32::from(*value) / 255.0).collect();
            Drawing::of(280, ink).on_paper(*index as u64, false).jpeg()
        })
        .collect();
    let classes = predictor.classes(&files);
    let right = classes
        .iter()
        .zip(&chosen)
        .filter(|(class, index)| **class == corpus.test().labels()[**index].to_string());
    assert!(right.count() >= 90);
}
