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
        let files: Vec<Vec<u8>> = digits.iter().map(|(typeface, digit)| drawn(*typeface, *digit).png()).collect();
        let classes = self.classes(&files);
        let right = classes.iter().zip(&digits).filter(|(class, (_, digit))| **class == digit.to_string());
        right.count() as f64 / digits.len() as f64
    }
}
