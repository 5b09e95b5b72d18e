//! ONNX files in ONNX Runtime, which the test installs.

use crate::{
    common::{MNIST, built_in, every_layer, logits, logits_by, trained},
    environment::with_requirements,
};
use interchange::{OnnxOptions, Quantisation, onnx};
use nn::Model;
use serde_json::Value;
use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
    sync::OnceLock,
};
use study::study_file::ModelSpec;
use tempfile::TempDir;

/// Test images that are compared.
const IMAGES: usize = 2_000;

/// Those of eight-bit models, which ONNX Runtime takes its time for.
const EIGHT_BIT_IMAGES: usize = 1_000;

/// A Python that has ONNX Runtime, installed once for all tests of this target folder.
fn python() -> &'static Path {
    static PYTHON: OnceLock<PathBuf> = OnceLock::new();
    PYTHON.get_or_init(|| with_requirements("interchange"))
}

/// What ONNX Runtime says of the models in a folder.
pub(crate) fn report(folder: &Path, options: &[&str]) -> Value {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/interchange/onnx_runtime.py");
    let output = Command::new(python()).arg(script).arg(folder).args(options).output().expect("Python runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).expect("JSON")
}

pub(crate) fn write_floats(path: &Path, values: &[f32]) {
    let bytes: Vec<u8> = values.iter().flat_map(|value| value.to_le_bytes()).collect();
    fs::write(path, bytes).expect("written");
}

/// Exports each model, and holds ONNX Runtime's logits against ours.
fn check(models: Vec<ModelSpec>, steps: usize) {
    let folder = TempDir::new().expect("a folder");
    fs::write(folder.path().join("images.u8"), &MNIST.test().images()[..IMAGES * 28 * 28]).expect("written");
    for spec in &models {
        let (description, mut model) = trained(spec, steps);
        let name = &spec.architecture.name;
        let bytes = onnx(&description, &model, OnnxOptions::default());
        fs::write(folder.path().join(format!("{name}.onnx")), bytes).expect("written");
        write_floats(&folder.path().join(format!("{name}.f32")), &logits(&mut model, IMAGES));
    }
    let report = report(folder.path(), &[]);
    for spec in &models {
        let found = &report[&spec.architecture.name];
        assert_eq!(found["output"], "logits");
        let difference = found["difference"].as_f64().expect("a number");
        assert!(difference < 1e-4, "{}: logits {difference} apart", spec.architecture.name);
        assert_eq!(found["other_classes"], 0, "{}", spec.architecture.name);
        assert!(
            found["metadata"]["preprocessing"].as_str().is_some_and(|text| text.contains("divided by 255"))
        );
        assert_eq!(found["metadata"]["classes"], r#"["0","1","2","3","4","5","6","7","8","9"]"#);
    }
}

/// Exports each model with eight-bit weights, and holds ONNX Runtime's classes against ours.
fn check_eight_bits(models: Vec<ModelSpec>) {
    let folder = TempDir::new().expect("a folder");
    let pixels = &MNIST.test().images()[..EIGHT_BIT_IMAGES * 28 * 28];
    fs::write(folder.path().join("images.u8"), pixels).expect("written");
    for spec in &models {
        let (description, mut model) = trained(spec, 60);
        let quantisation = Quantisation::calibrate(&description, &mut model, MNIST.training());
        let options = OnnxOptions { quantisation: Some(&quantisation), ..OnnxOptions::default() };
        let name = &spec.architecture.name;
        let float = onnx(&description, &model, OnnxOptions::default());
        let bytes = onnx(&description, &model, options);
        // Every weight of a product is a byte, and there are at least as many of them as everything else takes.
        if model.parameters().len() > 20_000 {
            assert!(2 * bytes.len() < float.len(), "{name}: {} bytes for {}", bytes.len(), float.len());
        }
        fs::write(folder.path().join(format!("{name}.onnx")), bytes).expect("written");
        quantisation.round_weights(&description, &mut model);
        let on_grids = |model: &mut Model<f32>, images| quantisation.logits(model, images).to_vec();
        let logits = logits_by(&mut model, EIGHT_BIT_IMAGES, on_grids);
        write_floats(&folder.path().join(format!("{name}.f32")), &logits);
    }
    let report = report(folder.path(), &["plain"]);
    for spec in &models {
        let found = &report[&spec.architecture.name];
        let number = |key: &str| found[key].as_f64().expect("a number");
        // A value on the border of two numbers goes to one here and to the other there, and that goes on from layer to layer.
        let (difference, largest) = (number("difference"), number("largest"));
        assert!(difference < 0.05 * largest, "{}: {difference} of {largest}", spec.architecture.name);
        let others = number("other_classes");
        assert!(
            others < 0.003 * EIGHT_BIT_IMAGES as f64,
            "{}: {others} other classes",
            spec.architecture.name
        );
        let operators = found["operators"].as_array().expect("a list");
        assert!(operators.contains(&Value::from("DequantizeLinear")));
    }
}

#[test]
fn eight_bit_models_give_the_same_classes() {
    check_eight_bits(
        built_in().into_iter().filter(|spec| spec.architecture.name != "best").chain(every_layer()).collect(),
    );
}

#[test]
fn probabilities_are_the_softmax_of_the_logits() {
    let folder = TempDir::new().expect("a folder");
    fs::write(folder.path().join("images.u8"), &MNIST.test().images()[..IMAGES * 28 * 28]).expect("written");
    let spec = built_in().into_iter().find(|spec| spec.architecture.name == "mlp").expect("built in");
    let (description, mut model) = trained(&spec, 60);
    let options = OnnxOptions { softmax: true, ..OnnxOptions::default() };
    fs::write(folder.path().join("mlp.onnx"), onnx(&description, &model, options)).expect("written");
    let mut probabilities = logits(&mut model, IMAGES);
    for row in probabilities.chunks_exact_mut(10) {
        row.iter_mut().for_each(|value| *value = value.exp());
        let sum: f32 = row.iter().sum();
        row.iter_mut().for_each(|value| *value /= sum);
    }
    write_floats(&folder.path().join("mlp.f32"), &probabilities);
    let report = report(folder.path(), &[]);
    assert_eq!(report["mlp"]["output"], "probabilities");
    assert!(report["mlp"]["difference"].as_f64().expect("a number") < 1e-5);
}

#[test]
fn every_built_in_model_gives_the_same_logits() {
    check(built_in(), 60);
}

#[test]
fn every_kind_of_layer_gives_the_same_logits() {
    check(every_layer(), 60);
}
