//! Saved models.

use crate::common::{Bench, said};
use std::fs;

#[test]
fn versions_of_an_image_are_asked_about_as_in_the_recipe() {
    let bench = Bench::new();
    let study = "[model.shifted]\nlike = \"mlp\"\nrecipe = { epochs = 1, test_time_augmentation = \"four-shifts\" }\n";
    fs::write(bench.path().join("study.toml"), study).expect("it is written");
    let train = ["train", "study.toml", "--dataset", "data", "--save", "m", "--json"];
    let evaluate = ["evaluate", "m", "--dataset", "data", "--json", "--test-time-augmentation"];
    let loss = |words: &[&str]| {
        let ran = said(&mut bench.command(words));
        assert_eq!(ran.code, Some(0), "{}", ran.stderr);
        let json: serde_json::Value = serde_json::from_str(&ran.stdout).expect("JSON");
        json["test_loss"].as_f64().expect("a loss")
    };
    let trained = loss(&train);
    let [none, four, eight] =
        ["none", "four-shifts", "eight-shifts"].map(|versions| loss(&[&evaluate[..], &[versions]].concat()));
    assert!((trained - four).abs() < 1e-12, "{trained}, {four}");
    assert!((none - four).abs() > 1e-6 && (eight - four).abs() > 1e-6, "{none}, {four}, {eight}");
}

#[test]
fn a_saved_model_measures_as_it_did_when_it_was_made() {
    let bench = Bench::new();
    let mut train = bench.command(&["train", "lstm", "--save", "models/m.safetensors", "--dataset", "data"]);
    let trained = said(train.args(["--epochs", "2", "--batch-size", "32", "--json"]));
    assert_eq!(trained.code, Some(0), "{}", trained.stderr);
    let trained: serde_json::Value = serde_json::from_str(&trained.stdout).expect("JSON");
    let mut evaluate = bench.command(&["evaluate", "models/m.safetensors", "--dataset", "data", "--json"]);
    let evaluated: serde_json::Value = serde_json::from_str(&said(&mut evaluate).stdout).expect("JSON");
    for field in ["test_accuracy", "fingerprint", "model"] {
        assert_eq!(trained[field], evaluated[field], "{field}");
    }
    let loss = |value: &serde_json::Value| value["test_loss"].as_f64().expect("a loss");
    assert!((loss(&trained) - loss(&evaluated)).abs() < 1e-12);
    let text = said(&mut bench.command(&["evaluate", "models/m.safetensors", "--dataset", "data"])).stdout;
    assert!(text.starts_with("lstm: test accuracy ") && text.contains("class 2: "), "{text}");
    let again = said(&mut bench.command(&["evaluate", "models/m.safetensors"]));
    assert_eq!(again.code, Some(1));
    assert!(
        again.stderr.contains("made for images of 14×12 pixels and 3 classes, mnist")
            && again.stderr.contains("28×28 pixels and 10 classes"),
        "{}",
        again.stderr
    );
}

#[test]
fn files_that_are_no_models_are_refused() {
    let bench = Bench::new();
    let mut train =
        bench.command(&["train", "lstm", "--save", "m", "--dataset", "data", "--epochs", "1", "--quiet"]);
    assert_eq!(said(&mut train).code, Some(0));
    let good = fs::read(bench.path().join("m")).expect("saved");
    let huge_header = [&u64::MAX.to_le_bytes()[..], &good[8..]].concat();
    let mut not_a_number = good.clone();
    let end = not_a_number.len();
    not_a_number[end - 4..].copy_from_slice(&f32::NAN.to_le_bytes());
    for (bytes, problem) in [
        (Vec::new(), "not a safetensors file"),
        (b"hello".to_vec(), "not a safetensors file"),
        (good[..good.len() - 1].to_vec(), "not a safetensors file"),
        (huge_header, "not a safetensors file"),
        (not_a_number, "holds a value that is not a finite number"),
        (String::from_utf8_lossy(&good[8..64]).into_owned().into_bytes(), "not a safetensors file"),
    ] {
        fs::write(bench.path().join("bad"), bytes).expect("written");
        let said = said(&mut bench.command(&["evaluate", "bad", "--dataset", "data"]));
        assert_eq!(said.code, Some(1));
        assert!(said.stderr.starts_with("error: bad: ") && said.stderr.contains(problem), "{}", said.stderr);
        assert!(said.stderr.contains("\nhint: "), "{}", said.stderr);
    }
    let missing = said(&mut bench.command(&["evaluate", "nowhere"]));
    assert_eq!(missing.code, Some(1));
    assert!(missing.stderr.starts_with("error: nowhere: "), "{}", missing.stderr);
}

#[test]
fn a_place_that_cannot_be_saved_to_is_told_before_any_work() {
    let bench = Bench::new();
    let said = said(&mut bench.command(&["train", "cnn", "--save", "data", "--dataset", "data"]));
    assert_eq!(said.code, Some(1));
    assert!(
        said.stderr.starts_with("error: data: a file is expected, a folder was found"),
        "{}",
        said.stderr
    );
    assert!(!said.stderr.contains("epoch"), "{}", said.stderr);
}
