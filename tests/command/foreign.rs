//! Weights that other programs trained.

use crate::common::{Bench, Said, said};
use safetensors::{Dtype, SafeTensors, tensor::TensorView};
use serde_json::Value;
use std::fs;

/// A bench with a trained model in the file `m`, and its tensors alone, under other names, in `foreign`.
fn trained(rename: impl Fn(&str) -> String) -> Bench {
    let bench = Bench::new();
    let train =
        ["train", "mlp", "--save", "m", "--dataset", "data", "--epochs", "2", "--batch-size", "32", "-q"];
    let ran = said(&mut bench.command(&train));
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    let bytes = fs::read(bench.path().join("m")).expect("a file");
    let file = SafeTensors::deserialize(&bytes).expect("a file");
    let tensors = file.iter().map(|(name, view)| (rename(name), view)).collect::<Vec<_>>();
    fs::write(bench.path().join("foreign"), safetensors::serialize(tensors, None).expect("a file"))
        .expect("written");
    bench
}

fn evaluate(bench: &Bench, file: &str, more: &[&str]) -> Said {
    said(bench.command(&["evaluate", file, "--dataset", "data", "--json"]).args(more))
}

fn json(ran: &Said) -> Value {
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    serde_json::from_str(&ran.stdout).expect("JSON")
}

/// The figure that a training stated and the one that is measured differ where one of them was tested otherwise.
#[test]
fn another_figure_than_the_training_stated_is_explained() {
    let bench = trained(str::to_owned);
    let same = evaluate(&bench, "m", &[]);
    assert_eq!((same.code, same.stderr.as_str()), (Some(0), ""));
    let other = evaluate(&bench, "m", &["--test-time-augmentation", "four-shifts"]);
    assert_eq!(other.code, Some(0));
    assert!(other.stderr.starts_with("note: m: after its training it classified "), "{}", other.stderr);
    assert!(
        other.stderr.contains("another --test-time-augmentation, preparation or epsilon"),
        "{}",
        other.stderr
    );
}

/// Weights that are finite and whose answers are not, and weights that give one answer to every image.
#[test]
fn answers_that_say_nothing_are_not_passed_off_as_an_accuracy() {
    let bench = trained(str::to_owned);
    let bytes = fs::read(bench.path().join("m")).expect("a file");
    let file = SafeTensors::deserialize(&bytes).expect("a file");
    for (value, code, expected) in [
        (
            3e38_f32,
            1,
            "error: changed: numbers expected as answers to the test images, infinity or not a number found",
        ),
        (0.0, 0, "note: changed: answers class 0 for every test image"),
    ] {
        let changed = value.to_le_bytes();
        let of = |length: usize| changed.iter().copied().cycle().take(length).collect::<Vec<u8>>();
        let data: Vec<_> =
            file.iter().map(|(name, view)| (name, view.shape().to_vec(), of(view.data().len()))).collect();
        let view =
            |shape: &Vec<usize>, data| TensorView::new(Dtype::F32, shape.clone(), data).expect("a tensor");
        let tensors: Vec<_> = data.iter().map(|(name, shape, data)| (*name, view(shape, data))).collect();
        fs::write(bench.path().join("changed"), safetensors::serialize(tensors, None).expect("a file"))
            .expect("written");
        let ran = evaluate(&bench, "changed", &["--architecture", "mlp"]);
        assert_eq!(ran.code, Some(code), "{}", ran.stderr);
        assert!(ran.stderr.contains(expected), "{}", ran.stderr);
        let onnx = ["export", "changed", "--architecture", "mlp", "--dataset", "data", "--onnx", "x"];
        let exported = said(&mut bench.command(&onnx));
        assert_eq!((exported.code, bench.path().join("x").exists()), (Some(code), code == 0));
        assert_eq!(
            exported
                .stderr
                .contains("numbers expected as answers to plain images, infinity or not a number found"),
            code == 1,
            "{}",
            exported.stderr
        );
    }
}

/// A model of 14×12 pixels that saw ten classes, on images whose labels another rule has given.
#[test]
fn a_model_at_chance_is_told() {
    let bench = trained(str::to_owned);
    let file = bench.path().join("data/t10k-labels-idx1-ubyte");
    let mut labels = fs::read(&file).expect("labels");
    let own = labels[8..].to_vec();
    // Each image bears the label of the next one.
    for (index, label) in labels[8..].iter_mut().enumerate() {
        *label = own[(index + 1) % own.len()];
    }
    fs::write(&file, labels).expect("written");
    let ran = evaluate(&bench, "m", &[]);
    assert!(
        ran.stderr.contains("note: m: not better than chance, as far as these images show"),
        "{}",
        ran.stderr
    );
}

#[test]
fn what_was_guessed_is_told() {
    let bench = trained(|name| format!("module.{}", name.replace("dense", "fc")));
    let own = json(&evaluate(&bench, "m", &[]));
    let ran = evaluate(&bench, "foreign", &["--architecture", "mlp", "--quiet"]);
    let foreign = json(&ran);
    assert_eq!((&foreign["test_loss"], &foreign["fingerprint"]), (&own["test_loss"], &own["fingerprint"]));
    let notes = [
        "states no preparation: pixels of 0 to 1 assumed; pass --mean 0.1307 --std 0.3081",
        "removed the prefix `module.` that all tensor names share",
        "matched layers by given name, shape or number: fc1 as dense1, fc2 as dense2",
    ];
    for note in notes {
        assert!(ran.stderr.contains(&format!("note: foreign: {note}")), "{}", ran.stderr);
        let listed = foreign["notes"].as_array().expect("notes").iter();
        assert!(listed.filter_map(Value::as_str).any(|one| one.starts_with(note)), "{}", ran.stdout);
    }
    assert_eq!(own["notes"], serde_json::json!([]));
    let mapped =
        evaluate(&bench, "foreign", &["--architecture", "mlp", "--map", "fc1=dense1", "--map", "fc2=dense2"]);
    assert_eq!(json(&mapped)["fingerprint"], own["fingerprint"]);
    let wrong = evaluate(&bench, "foreign", &["--architecture", "mlp", "--map", "fb=dense"]);
    assert!(wrong.code == Some(1) && wrong.stderr.contains("hint: write --map FROM=TO"), "{}", wrong.stderr);
    let usage = evaluate(&bench, "foreign", &["--architecture", "mlp", "--map", "fc"]);
    assert_eq!(usage.code, Some(2), "{}", usage.stderr);
}

#[test]
fn a_preparation_is_used_and_kept() {
    let bench = trained(str::to_owned);
    let prepared = ["--architecture", "mlp", "--mean", "0.25", "--std", "0.5"];
    let ran = evaluate(&bench, "foreign", &prepared);
    let with = json(&ran);
    assert!(!ran.stderr.contains("states no preparation"), "{}", ran.stderr);
    assert_eq!(with["preparation"], serde_json::json!({ "mean": [0.25], "std": [0.5] }));
    let without = json(&evaluate(&bench, "foreign", &["--architecture", "mlp"]));
    assert_ne!(with["test_loss"], without["test_loss"]);
    let export = [
        "export",
        "foreign",
        "--dataset",
        "data",
        "--safetensors",
        "kept",
        "--c-header",
        "kept.h",
        "--onnx",
        "o",
    ];
    let ran = said(bench.command(&export).args(prepared));
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    assert!(bench.read("kept.h").contains("mlp_prepare(workspace + 0, 168, 1, 2.5e-1f, 5e-1f);"));
    assert!(
        fs::read(bench.path().join("o")).expect("a file").windows(15).any(|text| text == b"images.prepared")
    );
    let ran = evaluate(&bench, "kept", &[]);
    assert_eq!((json(&ran)["test_loss"].clone(), ran.stderr.as_str()), (with["test_loss"].clone(), ""));
    // Another than the file states is used, and told.
    let ran = evaluate(&bench, "kept", &["--mean", "0", "--std", "1"]);
    assert_eq!(json(&ran)["test_loss"], without["test_loss"]);
    let told = "note: kept: states mean 0.25 and std 0.5 of its pixels; --mean 0 --std 1 are used instead";
    assert!(ran.stderr.contains(told), "{}", ran.stderr);
    for (options, expected) in [
        (&["--mean", "33.3", "--std", "78.6"][..], "divide one of 0..255 by 255"),
        (&["--mean", "0.1"], "--std"),
        (&["--std", "0.1"], "--mean"),
        (&["--mean", "0.1", "--std", "0"], "a number from 0.00001 to 1"),
        (&["--mean", "NaN", "--std", "1"], "a number from 0 to 1"),
        (&["--epsilon", "0"], "a number from 1e-12 to 0.1"),
    ] {
        let ran = evaluate(&bench, "m", options);
        assert!(ran.code == Some(2) && ran.stderr.contains(expected), "{}", ran.stderr);
    }
}

#[test]
fn an_epsilon_is_assumed_by_the_names_and_told() {
    let bench = Bench::new();
    let golden = |name: &str| format!("{}/golden/interchange/{name}.safetensors", env!("CARGO_MANIFEST_DIR"));
    let networks = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/interchange/every-layer.toml:sequences");
    let bytes = fs::read(golden("sequences")).expect("a golden file");
    let file = SafeTensors::deserialize(&bytes).expect("a file");
    let renamed = file.iter().map(|(name, view)| (name.replace("batchnorm", "bn"), view)).collect::<Vec<_>>();
    fs::write(bench.path().join("renamed"), safetensors::serialize(renamed, None).expect("a file"))
        .expect("written");
    let describe = |file: &str, more: &[&str]| {
        let export = ["export", file, "--architecture", networks, "--pytorch", "m.py"];
        let ran = said(bench.command(&export).args(more));
        assert_eq!(ran.code, Some(0), "{}", ran.stderr);
        let module = bench.read("m.py");
        let epsilon =
            module.split_once("eps=").and_then(|(_, rest)| rest.split_once(')')).expect("an epsilon");
        (epsilon.0.to_owned(), ran.stderr)
    };
    let (epsilon, told) = describe(&golden("sequences"), &[]);
    assert!(
        epsilon == "0.001" && told.contains("0.001 assumed, that of `export --pytorch`'s modules"),
        "{told}"
    );
    let (epsilon, told) = describe("renamed", &[]);
    assert!(
        epsilon == "1e-5" && told.contains("1e-5 assumed, PyTorch's default; pass --epsilon 0.001"),
        "{told}"
    );
    assert!(told.contains("pass that too"), "{told}");
    let (epsilon, told) = describe("renamed", &["--epsilon", "3e-4"]);
    assert!(epsilon == "0.0003" && !told.contains("epsilon"), "{told}");
}

#[test]
fn a_file_that_was_changed_or_is_of_another_network_is_refused() {
    let bench = trained(str::to_owned);
    let mut bytes = fs::read(bench.path().join("m")).expect("a file");
    *bytes.last_mut().expect("weights") ^= 1;
    fs::write(bench.path().join("changed"), bytes).expect("written");
    let stated = json(&evaluate(&bench, "m", &[]))["fingerprint"].as_str().expect("text").to_owned();
    let ran = evaluate(&bench, "changed", &[]);
    assert_eq!(ran.code, Some(1));
    let found = ran.stderr.split("that of its weights ").nth(1).expect("another digest");
    assert!(
        ran.stderr.contains(&stated) && found.len() > 64 && !found.starts_with(&stated),
        "{}",
        ran.stderr
    );
    // What the file says of itself holds beside --architecture.
    assert_eq!(evaluate(&bench, "changed", &["--architecture", "mlp"]).code, Some(1));
    assert_eq!(json(&evaluate(&bench, "m", &["--architecture", "mlp"]))["fingerprint"], stated.as_str());
    let other = evaluate(&bench, "m", &["--architecture", "cnn"]);
    assert!(
        other.code == Some(1) && other.stderr.contains("hint: leave out --architecture"),
        "{}",
        other.stderr
    );
}

#[test]
fn a_description_that_was_changed_is_refused() {
    let bench = trained(str::to_owned);
    let bytes = fs::read(bench.path().join("m")).expect("a file");
    // As long as what was there, so that the header's length stays.
    let at = bytes.windows(6).position(|six| six == b"\"relu\\").expect("an activation");
    let mut changed = bytes;
    changed[at..at + 5].copy_from_slice(b"\"tanh");
    fs::write(bench.path().join("changed"), changed).expect("written");
    let ran = evaluate(&bench, "changed", &[]);
    assert!(
        ran.code == Some(1)
            && ran.stderr.contains("changed: its description of the network was changed: the SHA-256")
            && ran.stderr.contains("hint: get the file again"),
        "{}",
        ran.stderr
    );
}

#[test]
fn eight_bits_tell_of_other_data_and_need_a_format_that_has_them() {
    let bench = trained(str::to_owned);
    let export = |more: &[&str]| said(bench.command(&["export", "m", "--int8", "-q"]).args(more));
    for option in ["--pytorch", "--safetensors"] {
        let ran = export(&[option, "x"]);
        assert!(ran.code == Some(2) && ran.stderr.contains("--c-header <FILE>"), "{}", ran.stderr);
    }
    let ran = export(&["--onnx", "x", "--dataset", "data"]);
    assert!(ran.code == Some(0) && ran.stderr.is_empty(), "{}", ran.stderr);
    // The same data at another place is the same.
    let folder = |name: &str| {
        fs::create_dir(bench.path().join(name)).expect("made");
        for file in fs::read_dir(bench.path().join("data")).expect("a folder") {
            let file = file.expect("a file");
            fs::copy(file.path(), bench.path().join(name).join(file.file_name())).expect("copied");
        }
    };
    folder("copy");
    let ran = export(&["--onnx", "x", "--dataset", "copy"]);
    assert!(ran.code == Some(0) && ran.stderr.is_empty(), "{}", ran.stderr);
    let file = bench.path().join("copy/t10k-images-idx3-ubyte");
    let mut images = fs::read(&file).expect("images");
    *images.last_mut().expect("a pixel") ^= 1;
    fs::write(&file, images).expect("written");
    let ran = export(&["--onnx", "x", "--dataset", "copy", "--json"]);
    let note = "trained on data, and judged here by copy: pass --dataset with the data it was trained on";
    assert!(ran.stderr.contains(&format!("note: m: {note}")), "{}", ran.stderr);
    assert_eq!(json(&ran)["notes"], serde_json::json!([note]));
}

#[test]
fn no_output_is_written_over_another_or_over_what_is_read() {
    let bench = trained(str::to_owned);
    let model = fs::read(bench.path().join("m")).expect("a file");
    let study = "[model.a]\nlayers = [\"flatten\", \"dense classes\"]\n";
    fs::write(bench.path().join("s.toml"), study).expect("written");
    for (more, told) in [
        (
            &["--onnx", "x", "--c-header", "./x"][..],
            "--c-header ./x: a file of its own expected, that of --onnx (x) found",
        ),
        (
            &["--onnx", "data/../m"],
            "--onnx data/../m: a file of its own expected, that of the model (m) found",
        ),
        (&["--safetensors", "m"], "--safetensors m: a file of its own expected, that of the model (m) found"),
        (
            &["--onnx", "s.toml", "--architecture", "s.toml:a"],
            "--onnx s.toml: a file of its own expected, that of --architecture (s.toml) found",
        ),
    ] {
        let ran = said(bench.command(&["export", "m"]).args(more));
        assert!(ran.code == Some(2) && ran.stderr.contains(told), "{}", ran.stderr);
        assert!(ran.stderr.contains("hint: pass another file with --"), "{}", ran.stderr);
    }
    let images = fs::read(bench.path().join("data/t10k-images-idx3-ubyte")).expect("a file");
    for (arguments, told) in [
        (
            &["train", "s.toml", "--dataset", "data", "--save", "./s.toml"][..],
            "--save ./s.toml: a file of its own expected, that of the model (s.toml) found",
        ),
        (
            &["train", "mlp", "--dataset", "data", "--save", "data/t10k-images-idx3-ubyte"],
            "--save data/t10k-images-idx3-ubyte: a file of its own expected, that of --dataset (data) found",
        ),
        (
            &["datasets", "--dataset", "data", "--augmented", "data/t10k-images-idx3-ubyte"],
            "--augmented data/t10k-images-idx3-ubyte: a file of its own expected, that of --dataset (data) found",
        ),
    ] {
        let ran = said(&mut bench.command(arguments));
        assert!(ran.code == Some(2) && ran.stderr.contains(told), "{}", ran.stderr);
    }
    assert_eq!(fs::read(bench.path().join("data/t10k-images-idx3-ubyte")).expect("a file"), images);
    assert!(!bench.path().join("x").exists());
    assert_eq!(fs::read(bench.path().join("m")).expect("a file"), model);
    assert_eq!(fs::read_to_string(bench.path().join("s.toml")).expect("a file"), study);
}

#[test]
fn files_of_other_formats_come_with_the_remedy() {
    let bench = Bench::new();
    for (bytes, told, remedy) in [
        (
            &b"version https://git-lfs.github.com/spec/v1\noid sha256:00\n"[..],
            "Git LFS pointer",
            "git lfs pull",
        ),
        (
            b"PK\x03\x04\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x0a\0\0\0m/data.pkl",
            "PyTorch file",
            "torch.load(\"x.pt\"",
        ),
        (b"\x80\x02}q\0.", "pickle", "save_file"),
        (b"\x89HDF\r\n\x1a\n\0", "HDF5", "From Keras"),
        (b"\x08\x08\x12\x07pytorch", "ONNX", "onnx.load(\"x.pt\")"),
        (b"<html><title>404</title>", "HTML page", "download the file itself"),
        (b"", "empty", "again"),
    ] {
        fs::write(bench.path().join("x.pt"), bytes).expect("written");
        let ran = said(&mut bench.command(&["evaluate", "x.pt", "--architecture", "mlp"]));
        let hint = ran.stderr.split_once("hint: ").expect("a hint").1;
        assert!(ran.code == Some(1) && ran.stderr.contains(told) && hint.contains(remedy), "{}", ran.stderr);
    }
}
