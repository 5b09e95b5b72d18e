//! ONNX files in ONNX Runtime, which the test installs.

use crate::common::{MNIST, built_in, every_layer, logits, trained};
use interchange::{OnnxOptions, onnx};
use serde_json::Value;
use std::{fs, path::Path, process::Command, sync::Once};
use study::study_file::ModelSpec;
use tempfile::TempDir;

/// Test images that are compared.
const IMAGES: usize = 10_000;

/// A Python that has ONNX Runtime, installed once for all tests of this target folder.
fn python() -> std::path::PathBuf {
    static INSTALL: Once = Once::new();
    let sources = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/interchange");
    let environment = Path::new(env!("CARGO_TARGET_TMPDIR")).join("onnx-runtime");
    let python = environment.join("bin/python");
    INSTALL.call_once(|| {
        let run = |command: &mut Command| {
            let output = command.output().expect("Python 3 with venv is needed to test what is exported");
            assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        };
        let imports = ["-c", "import onnx, onnxruntime, numpy"];
        let is_there = Command::new(&python).args(imports).output().is_ok_and(|output| output.status.success());
        if !is_there {
            run(Command::new("python3").args(["-m", "venv"]).arg(&environment));
            run(Command::new(&python).args(["-m", "pip", "install", "--quiet", "-r"]).arg(sources.join("requirements.txt")));
        }
    });
    python
}

/// What ONNX Runtime says of the models in a folder.
fn report(folder: &Path) -> Value {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/interchange/onnx_runtime.py");
    let output = Command::new(python()).arg(script).arg(folder).output().expect("Python runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).expect("JSON")
}

fn write_floats(path: &Path, values: &[f32]) {
    let bytes: Vec<u8> = values.iter().flat_map(|value| value.to_le_bytes()).collect();
    fs::write(path, bytes).expect("written");
}

/// Exports each model, and holds ONNX Runtime's logits against ours.
fn check(models: Vec<ModelSpec>, steps: usize) {
    let folder = TempDir::new().expect("a folder");
    fs::write(folder.path().join("images.u8"), MNIST.test().images()).expect("written");
    for spec in &models {
        let (description, mut model) = trained(spec, steps);
        let name = &spec.architecture.name;
        let bytes = onnx(&description, &model, OnnxOptions::default());
        fs::write(folder.path().join(format!("{name}.onnx")), bytes).expect("written");
        write_floats(&folder.path().join(format!("{name}.f32")), &logits(&mut model, IMAGES));
    }
    let report = report(folder.path());
    for spec in &models {
        let found = &report[&spec.architecture.name];
        println!("{}: {} of {}", spec.architecture.name, found["difference"], found["largest"]);
        assert_eq!(found["output"], "logits");
        let difference = found["difference"].as_f64().expect("a number");
        assert!(difference < 1e-4, "{}: logits {difference} apart", spec.architecture.name);
        assert_eq!(found["other_classes"], 0, "{}", spec.architecture.name);
        assert!(found["metadata"]["preprocessing"].as_str().is_some_and(|text| text.contains("divided by 255")));
        assert_eq!(found["metadata"]["classes"], r#"["0","1","2","3","4","5","6","7","8","9"]"#);
    }
}

#[test]
fn every_built_in_model_gives_the_same_logits() {
    check(built_in(), 60);
}

#[test]
fn every_kind_of_layer_gives_the_same_logits() {
    check(every_layer(), 60);
}
