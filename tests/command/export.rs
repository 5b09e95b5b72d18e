//! Saved models in other programs' formats.

use crate::common::{Bench, said};
use report::thousands;
use serde_json::Value;
use std::fs;

/// A bench with a trained model in the file `m`.
fn trained(model: &str) -> Bench {
    let bench = Bench::new();
    let train = [
        "train",
        model,
        "--save",
        "m",
        "--dataset",
        "data",
        "--epochs",
        "2",
        "--batch-size",
        "32",
        "--quiet",
    ];
    let ran = said(&mut bench.command(&train));
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    bench
}

#[test]
fn every_format_is_written_and_told() {
    let bench = trained("mlp");
    let export = ["export", "m", "--onnx", "o/m.onnx", "--c-header", "m.h", "--pytorch", "m.py", "--softmax"];
    let ran = said(&mut bench.command(&export));
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    let files = ["o/m.onnx", "m.h", "m.py"].map(|file| fs::read(bench.path().join(file)).expect("written"));
    let formats = ["ONNX", "C header", "PyTorch module"];
    for ((line, file), format) in ran.stdout.lines().zip(&files).zip(formats) {
        let bytes = thousands(file.len() as u64);
        assert!(line.ends_with(&format!(": {format}, {bytes} bytes")), "{line}");
    }
    assert!(files[0].windows(13).any(|bytes| bytes == b"probabilities"));
    let header = String::from_utf8(files[1].clone()).expect("text");
    assert!(header.contains("static inline int mlp_classify(") && header.contains("#define MLP_HEIGHT 14"));
    let module = String::from_utf8(files[2].clone()).expect("text");
    assert!(
        module.contains("self.dense1 = nn.Linear(168, 256)") && module.contains("x = functional.relu(x)")
    );
}

#[test]
fn eight_bits_say_what_they_cost() {
    let bench = trained("lenet5");
    let words = ["export", "m", "--int8", "--dataset", "data", "--onnx", "8.onnx"];
    let ran = said(bench.command(&words).arg("--json"));
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    let json: Value = serde_json::from_str(&ran.stdout).expect("JSON");
    let accuracy = |name: &str| json["int8"][name].as_f64().expect("a number");
    let difference = accuracy("test_accuracy") - accuracy("float32_test_accuracy");
    let told = json["int8"]["comparison"]["difference"].as_f64().expect("a number");
    assert!((difference - told).abs() < 1e-12 && difference.abs() < 0.1, "{json}");
    let evaluated = said(&mut bench.command(&["evaluate", "m", "--dataset", "data", "--json"]));
    let evaluated: Value = serde_json::from_str(&evaluated.stdout).expect("JSON");
    assert_eq!(evaluated["test_accuracy"], json["int8"]["float32_test_accuracy"]);
    let text = said(&mut bench.command(&words)).stdout;
    assert!(text.contains("\nint8: test accuracy ") && text.contains(" points ["), "{text}");
    let plain = said(&mut bench.command(&["export", "m", "--onnx", "32.onnx"]));
    assert_eq!(plain.code, Some(0), "{}", plain.stderr);
    let bytes = |file: &str| fs::metadata(bench.path().join(file)).expect("written").len();
    assert!(2 * bytes("8.onnx") < bytes("32.onnx"));
    let other = said(&mut bench.command(&["export", "m", "--int8", "--onnx", "x.onnx"]));
    assert!(other.code == Some(1) && other.stderr.contains("28×28 pixels"), "{}", other.stderr);
}

#[test]
fn a_header_in_whole_numbers_takes_what_a_study_can_limit() {
    let bench = trained("mlp");
    let words = ["export", "m", "--int8", "--dataset", "data", "--c-header", "o/m.h", "--c-source", "o/m.c"];
    let ran = said(bench.command(&words).arg("--json"));
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    let json: Value = serde_json::from_str(&ran.stdout).expect("JSON");
    assert_eq!(json["files"][1]["int8"], json["int8"]);
    assert!(json["int8"]["test_accuracy"].is_f64() && json["files"][0]["int8"].is_null(), "{json}");
    let bytes = |name: &str| json["footprint"][name].as_u64().expect("a number");
    let (ram, flash) = (bytes("ram_bytes"), bytes("flash_bytes"));
    let (header, source) = (bench.read("o/m.h"), bench.read("o/m.c"));
    assert!(header.contains(&format!("#define MLP_WORKSPACE {}\n", ram / 4)), "{header}");
    assert!(header.contains("int mlp_self_test(float *workspace);") && !header.contains("static inline"));
    assert!(source.contains("#include \"m.h\"\n") && source.contains("of class "));
    let text = said(&mut bench.command(&words)).stdout;
    assert!(
        text.contains(&format!("int8: {} bytes of RAM and {} of flash", thousands(ram), thousands(flash))),
        "{text}"
    );
    let compared = |ram: u64, flash: u64| {
        let (ram, flash) = (ram.to_string(), flash.to_string());
        let words = [
            "compare",
            "mlp",
            "lstm",
            "--dataset",
            "data",
            "--epochs",
            "1",
            "--seeds",
            "1",
            "--target",
            "0.01",
            "--max-ram",
            &ram,
            "--max-flash",
            &flash,
            "--out",
            "out",
        ];
        let ran = said(&mut bench.command(&words));
        assert_eq!(ran.code, Some(0), "{}", ran.stderr);
        bench.read("out/report.md")
    };
    let within = compared(ram, flash);
    assert!(
        within.contains("mlp reaches it")
            && within.contains("no limit of memory can be checked: lstm1 has no form"),
        "{within}"
    );
    let limits = compared(ram - 1, flash - 1);
    for (what, most) in [("RAM", ram), ("flash", flash)] {
        let exceeded = format!("{} bytes of {what}, {} allowed", thousands(most), thousands(most - 1));
        assert!(limits.contains(&exceeded), "{exceeded}: {limits}");
    }
}

#[test]
fn layers_without_a_form_in_whole_numbers_are_told_and_exported() {
    let bench = trained("lstm");
    let words = ["export", "m", "--int8", "--dataset", "data", "--c-header", "m.h", "--json"];
    let ran = said(&mut bench.command(&words));
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    let json: Value = serde_json::from_str(&ran.stdout).expect("JSON");
    assert!(json["footprint"].is_null() && json["int8"]["test_accuracy"].is_f64(), "{json}");
    let note = json["notes"][0].as_str().expect("a note");
    assert!(
        note.starts_with("lstm1 has no form in whole numbers: the C header has eight-bit weights"),
        "{note}"
    );
    assert!(ran.stderr.contains(note), "{}", ran.stderr);
    assert!(bench.read("m.h").contains("Weights are int8, activations float32."));
}

#[test]
fn each_file_in_eight_bits_has_its_accuracy() {
    let bench = trained("mlp");
    let words = ["export", "m", "--int8", "--dataset", "data", "--c-header", "m.h", "--onnx", "m.onnx"];
    let text = said(&mut bench.command(&words)).stdout;
    assert!(
        text.contains("\nint8, ONNX: test accuracy ") && text.contains("\nint8, C header: test accuracy "),
        "{text}"
    );
}

#[test]
fn what_cannot_be_exported_is_told() {
    let bench = trained("mlp");
    let words = ["export", "m", "--c-header", "a\"b.h", "--c-source", "a.c"];
    let unincluded = said(&mut bench.command(&words));
    assert!(
        unincluded.code == Some(2) && unincluded.stderr.contains("without quotes"),
        "{}",
        unincluded.stderr
    );
    // A source that cannot be written leaves the header that is there; one in another folder is told how to find it.
    fs::write(bench.path().join("a.h"), "old").expect("written");
    let words = ["export", "m", "--dataset", "data", "--c-header", "a.h", "--c-source"];
    let unwritten = said(bench.command(&words).arg("data"));
    assert!(unwritten.code == Some(1) && bench.read("a.h") == "old", "{}", unwritten.stderr);
    let apart = said(bench.command(&words).arg("o/a.c"));
    assert!(apart.code == Some(0) && apart.stderr.contains("o/a.c includes \"a.h\""), "{}", apart.stderr);
    let nothing = said(&mut bench.command(&["export", "m"]));
    assert_eq!(nothing.code, Some(2));
    assert!(nothing.stderr.contains("no file to write was named") && nothing.stderr.contains("--onnx FILE"));
    let lone = said(&mut bench.command(&["export", "m", "--softmax", "--pytorch", "m.py"]));
    assert_eq!(lone.code, Some(2), "{}", lone.stderr);
    let folder = said(&mut bench.command(&["export", "m", "--onnx", "data"]));
    assert!(folder.code == Some(1) && folder.stderr.contains("data"), "{}", folder.stderr);
}

#[test]
fn weights_that_do_not_say_what_they_are_need_an_architecture() {
    let bench = Bench::new();
    let golden = concat!(env!("CARGO_MANIFEST_DIR"), "/golden/interchange/columns.safetensors");
    let networks = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/interchange/every-layer.toml");
    let said_of = |more: &[&str]| said(&mut bench.command(&[&["evaluate", golden][..], more].concat()));
    let without = said_of(&[]);
    assert_eq!(without.code, Some(1));
    assert!(
        without.stderr.contains("no `mnist-study` entry")
            && without.stderr.contains("hint: pass --architecture")
    );
    let with = said_of(&["--architecture", &format!("{networks}:columns")]);
    assert_eq!(with.code, Some(0), "{}", with.stderr);
    assert!(with.stdout.starts_with("columns: test accuracy "), "{}", with.stdout);
    let other = said_of(&["--architecture", &format!("{networks}:rows")]);
    assert!(other.code == Some(1) && other.stderr.contains("export FILE --pytorch"), "{}", other.stderr);
    let unknown = said_of(&["--architecture", "colums"]);
    assert_eq!(unknown.code, Some(2), "{}", unknown.stderr);
}

#[test]
fn latency_is_measured_when_asked_for() {
    let bench = trained("mlp");
    let words = ["evaluate", "m", "--dataset", "data", "--latency"];
    let ran = said(bench.command(&words).arg("--json"));
    let json: Value = serde_json::from_str(&ran.stdout).expect("JSON");
    let speeds = json["latency"].as_array().expect("two sizes");
    assert_eq!([&speeds[0]["batch"], &speeds[1]["batch"]], [1, 1000]);
    let number = |index: usize, name: &str| speeds[index][name].as_f64().expect("a number");
    assert!(number(0, "p50_us") > 0.0 && number(0, "p99_us") >= number(0, "p50_us"));
    assert!(number(1, "images_per_second") > 0.0);
    let text = said(&mut bench.command(&words)).stdout;
    assert!(
        text.contains("\none image at a time: p50 ") && text.contains("\n1,000 images at once: "),
        "{text}"
    );
}
