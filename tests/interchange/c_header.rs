//! C headers, compiled and run.

use crate::common::{MNIST, built_in, classes, every_layer, logits, logits_by, trained};
use data::Dataset;
use interchange::{Quantisation, c_header};
use nn::Model;
use std::{fs, path::Path, process::Command};
use study::study_file::ModelSpec;
use tempfile::TempDir;

/// Test images that each program classifies: under the sanitizers a large network takes a tenth of a second for one.
pub(crate) const IMAGES: usize = 100;

/// Compiles a header as strictly as the compiler can, runs it on the first test images; their logits.
pub(crate) fn run(folder: &Path, name: &str, header: &str) -> Vec<f32> {
    run_on(folder, name, header, MNIST.test())
}

/// As [`run`], on the first images of a set.
pub(crate) fn run_on(folder: &Path, name: &str, header: &str, images: &Dataset) -> Vec<f32> {
    let path = |file: &str| folder.join(file);
    fs::write(path("model.h"), header).expect("written");
    fs::write(path("images.u8"), &images.images()[..IMAGES * images.image_length()]).expect("written");
    let symbol = name.replace('-', "_");
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/interchange/classify.c");
    let compiled = Command::new("gcc")
        .args(["-std=c99", "-pedantic", "-Wall", "-Wextra", "-Werror", "-O2", "-fsanitize=undefined,address"])
        .arg("-fno-sanitize-recover=all")
        .arg(format!("-DHEADER=\"{}\"", path("model.h").display()))
        .arg(format!("-DWORKSPACE={}_WORKSPACE", symbol.to_ascii_uppercase()))
        .arg(format!("-DCLASSIFY={symbol}_classify"))
        .arg(format!("-DIMAGE={}", images.image_length()))
        .arg(source)
        .arg("-o")
        .arg(path("classify"))
        .arg("-lm")
        .output()
        .expect("gcc is needed to test what is exported");
    assert!(compiled.status.success(), "{name}: {}", String::from_utf8_lossy(&compiled.stderr));
    let ran = Command::new(path("classify"))
        .args([path("images.u8"), path("logits.f32")])
        .output()
        .expect("it runs");
    assert!(ran.status.success(), "{name}: {}", String::from_utf8_lossy(&ran.stderr));
    let bytes = fs::read(path("logits.f32")).expect("logits");
    let (values, _) = bytes.as_chunks::<4>();
    values.iter().map(|value| f32::from_le_bytes(*value)).collect()
}

pub(crate) fn largest_difference(one: &[f32], other: &[f32]) -> f32 {
    assert_eq!(one.len(), other.len());
    one.iter().zip(other).fold(0.0, |largest, (one, other)| largest.max((one - other).abs()))
}

fn models() -> Vec<ModelSpec> {
    built_in().into_iter().chain(every_layer()).collect()
}

#[test]
fn every_network_gives_the_same_logits_in_c() {
    let folder = TempDir::new().expect("a folder");
    for spec in models() {
        let (description, mut model) = trained(&spec, 20);
        let found = run(folder.path(), &spec.architecture.name, &c_header(&description, &model, None));
        let expected = logits(&mut model, IMAGES);
        let difference = largest_difference(&found, &expected);
        assert!(difference < 1e-4, "{}: logits {difference} apart", spec.architecture.name);
    }
}

#[test]
fn eight_bit_networks_give_the_same_classes_in_c() {
    let folder = TempDir::new().expect("a folder");
    for spec in models() {
        let (description, mut model) = trained(&spec, 60);
        let quantisation = Quantisation::calibrate(&description, &mut model, MNIST.training());
        let header = c_header(&description, &model, Some(&quantisation));
        let found = run(folder.path(), &spec.architecture.name, &header);
        quantisation.round_weights(&description, &mut model);
        let on_grids = |model: &mut Model<f32>, images| quantisation.logits(model, images).to_vec();
        let expected = logits_by(&mut model, IMAGES, on_grids);
        let difference = largest_difference(&found, &expected);
        let largest = expected.iter().fold(0.0f32, |largest, value| largest.max(value.abs()));
        let others = classes(&found, 10)
            .iter()
            .zip(classes(&expected, 10))
            .filter(|(one, other)| **one != *other)
            .count();
        assert!(difference < 0.1 * largest, "{}: logits {difference} apart", spec.architecture.name);
        assert!(others <= 1, "{}: {others} other classes", spec.architecture.name);
    }
}

#[test]
fn nothing_is_allocated_and_little_is_called() {
    let folder = TempDir::new().expect("a folder");
    let spec = built_in().into_iter().find(|spec| spec.architecture.name == "nano").expect("built in");
    let (description, model) = trained(&spec, 1);
    fs::write(folder.path().join("model.h"), c_header(&description, &model, None)).expect("written");
    let source = "#include \"model.h\"\nint f(const uint8_t *i, float *w, float *l) { return nano_classify(i, w, l); }\n";
    fs::write(folder.path().join("model.c"), source).expect("written");
    let object = folder.path().join("model.o");
    let compiled = Command::new("gcc")
        .args(["-std=c99", "-Os", "-ffreestanding", "-c"])
        .arg(folder.path().join("model.c"))
        .arg("-o")
        .arg(&object)
        .output()
        .expect("gcc");
    assert!(compiled.status.success(), "{}", String::from_utf8_lossy(&compiled.stderr));
    let symbols = Command::new("nm").arg("--undefined-only").arg(&object).output().expect("nm");
    let symbols = String::from_utf8(symbols.stdout).expect("text");
    let undefined: Vec<&str> = symbols.split_whitespace().filter(|word| word.len() > 1).collect();
    assert!(
        undefined.iter().all(|symbol| ["expf", "sqrtf", "memset", "memcpy"].contains(symbol)),
        "{undefined:?}"
    );
}
