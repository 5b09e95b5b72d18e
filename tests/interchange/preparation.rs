//! Networks that were trained on (x − mean) / std, and with another ε.

use crate::{
    c_header::{self, header, in_eight_bits, largest_difference, run, run_on},
    common::{MNIST, built_in, described, every_layer, further, logits, logits_by, trained_as},
    onnx_runtime::{report, write_floats},
};
use data::Corpus;
use interchange::{
    Arithmetic, Description, OnnxOptions, Quantisation, describe, encode, load, onnx, pytorch_module,
};
use nn::{InstructionSet, LayerSpec, Model, Preparation};
use safetensors::SafeTensors;
use serde_json::{Value, json};
use std::fs;
use study::study_file::ModelSpec;
use tempfile::TempDir;

/// Images that ONNX Runtime reads.
const IMAGES: usize = 1000;

const MEAN: f64 = 0.1307;
const STD: f64 = 0.3081;
const EPSILON: f64 = 1e-5;

/// A network as of PyTorch, after a few steps on inputs prepared so.
fn prepared(spec: &ModelSpec) -> (Description, Model<f32>) {
    let mut description = described(spec);
    description.preparation = Some(Preparation::new(&[MEAN], &[STD]).expect("PyTorch's"));
    description.epsilon = Some(EPSILON);
    let model = trained_as(&description, 40);
    (description, model)
}

fn models() -> Vec<ModelSpec> {
    let some = |spec: &ModelSpec| ["cnn", "lstm", "resnet-small"].contains(&spec.architecture.name.as_str());
    built_in().into_iter().filter(some).chain(every_layer()).chain([further()]).collect()
}

fn one(name: &str) -> ModelSpec {
    let mut models = built_in().into_iter().chain(every_layer());
    models.find(|spec| spec.architecture.name == name).expect("there is one")
}

/// Holds what ONNX Runtime makes of each model's file against the engine's logits; `written` is the file's description.
fn check(options: &[&str], written: impl Fn(Description) -> Description) {
    let folder = TempDir::new().expect("a folder");
    let pixels = &MNIST.test().images()[..IMAGES * 28 * 28];
    fs::write(folder.path().join("images.u8"), pixels).expect("written");
    for spec in models() {
        let (description, mut model) = prepared(&spec);
        let name = &spec.architecture.name;
        write_floats(&folder.path().join(format!("{name}.f32")), &logits(&mut model, IMAGES));
        let bytes = onnx(&written(description), &model, OnnxOptions::default());
        fs::write(folder.path().join(format!("{name}.onnx")), bytes).expect("written");
    }
    let report = report(folder.path(), options);
    for spec in models() {
        let found = &report[&spec.architecture.name];
        let difference = found["difference"].as_f64().expect("a number");
        assert!(difference < 1e-4, "{}: logits {difference} apart", spec.architecture.name);
        assert_eq!(found["other_classes"], 0, "{}", spec.architecture.name);
    }
}

#[test]
fn the_engine_gives_what_onnx_runtime_makes_of_normalised_images() {
    let (mean, std) = (MEAN.to_string(), STD.to_string());
    check(&["normalised", &mean, &std], |description| Description { preparation: None, ..description });
}

#[test]
fn onnx_files_prepare_their_images_themselves() {
    check(&[], |description| description);
}

#[test]
fn c_headers_prepare_their_images_themselves() {
    let folder = TempDir::new().expect("a folder");
    for spec in models() {
        let (description, mut model) = prepared(&spec);
        let name = &spec.architecture.name;
        let header = header(&description, &mut model, Arithmetic::Float32);
        let found = run(folder.path(), name, &header);
        let difference = largest_difference(&found, &logits(&mut model, c_header::IMAGES));
        assert!(difference < 1e-4, "{name}: logits {difference} apart");
    }
}

#[test]
fn eight_bit_models_round_images_that_were_prepared() {
    check_eight_bits(&models(), &MNIST, prepared);
}

/// Holds what ONNX Runtime and C make of each model in eight bits against its emulation.
pub(crate) fn check_eight_bits(
    models: &[ModelSpec],
    corpus: &Corpus,
    trained: impl Fn(&ModelSpec) -> (Description, Model<f32>),
) {
    let (folder, compiled) = (TempDir::new().expect("a folder"), TempDir::new().expect("a folder"));
    let pixels = &corpus.test().images()[..IMAGES * corpus.test().image_length()];
    fs::write(folder.path().join("images.u8"), pixels).expect("written");
    for spec in models {
        let (description, mut model) = trained(spec);
        let name = &spec.architecture.name;
        let quantisation = Quantisation::calibrate(&description, &mut model, corpus.training());
        let options = OnnxOptions { quantisation: Some(&quantisation), ..OnnxOptions::default() };
        let file = folder.path().join(format!("{name}.onnx"));
        fs::write(file, onnx(&description, &model, options)).expect("written");
        let (header, emulated, is_whole) =
            in_eight_bits(&description, &mut model, [corpus.training(), corpus.test()]);
        let in_c = run_on(compiled.path(), name, &header, corpus.test());
        let largest = emulated.iter().fold(0.0f32, |largest, value| largest.max(value.abs()));
        let difference = largest_difference(&in_c, &emulated);
        let bound = if is_whole { 0.0 } else { 0.1 * largest };
        assert!(difference <= bound, "{name}: logits {difference} apart in C");
        quantisation.round_weights(&description, &mut model);
        let on_grids = |model: &mut Model<f32>, images| quantisation.logits(model, images).to_vec();
        let expected = logits_by(&mut model, IMAGES, on_grids);
        write_floats(&folder.path().join(format!("{name}.f32")), &expected);
    }
    let report = report(folder.path(), &["plain"]);
    for spec in models {
        let number = |key: &str| report[&spec.architecture.name][key].as_f64().expect("a number");
        let (difference, largest) = (number("difference"), number("largest"));
        assert!(difference < 0.05 * largest, "{}: {difference} of {largest}", spec.architecture.name);
    }
}

/// (W / std) x + b − mean · ΣW / std is W (x − mean) / std + b.
#[test]
fn folded_into_the_first_weights_it_is_the_same() {
    for (name, weight, bias) in
        [("mlp", "dense1.weight", "dense1.bias"), ("lstm", "lstm1.weight_ih_l0", "lstm1.bias_ih_l0")]
    {
        let (description, mut model) = prepared(&one(name));
        let plain = Description { preparation: None, ..description };
        let mut bytes = encode(&model, &plain).expect("a file");
        let place = |name: &str| {
            let file = SafeTensors::deserialize(&bytes).expect("a file");
            let data = file.tensor(name).expect("it is there").data();
            let start = data.as_ptr() as usize - bytes.as_ptr() as usize;
            start..start + data.len()
        };
        let [weight, bias] = [place(weight), place(bias)];
        let floats = |bytes: &[u8]| -> Vec<f64> {
            bytes.as_chunks().0.iter().map(|bytes| f64::from(f32::from_le_bytes(*bytes))).collect()
        };
        let (mut weights, mut biases) = (floats(&bytes[weight.clone()]), floats(&bytes[bias.clone()]));
        let inputs = weights.len() / biases.len();
        for (bias, row) in biases.iter_mut().zip(weights.chunks_exact_mut(inputs)) {
            *bias -= MEAN * row.iter().sum::<f64>() / STD;
            row.iter_mut().for_each(|weight| *weight /= STD);
        }
        for (place, values) in [(weight, weights), (bias, biases)] {
            let written: Vec<u8> = values.iter().flat_map(|value| (*value as f32).to_le_bytes()).collect();
            bytes[place].copy_from_slice(&written);
        }
        let mut folded = plain.model(InstructionSet::detect(), 1000).expect("it fits");
        load(&bytes, &plain, &[], &mut folded).expect("read");
        let difference = largest_difference(&logits(&mut folded, IMAGES), &logits(&mut model, IMAGES));
        assert!(difference < 2e-4, "{name}: logits {difference} apart");
    }
}

#[test]
fn files_state_it() {
    let (description, mut model) = prepared(&one("pictures"));
    let bytes = encode(&model, &description).expect("a file");
    let read = describe(&bytes).expect("described");
    assert_eq!(read, description);
    let (_, file) = SafeTensors::read_metadata(&bytes).expect("a file");
    let stated: Value =
        serde_json::from_str(&file.metadata().as_ref().expect("metadata")["mnist-study"]).expect("JSON");
    assert_eq!(stated["preparation"], json!({ "mean": [MEAN], "std": [STD] }));
    assert_eq!((&stated["epsilon"], &stated["format"]), (&EPSILON.into(), &3.into()));
    let mut again = read.model(InstructionSet::detect(), 1000).expect("it fits");
    load(&bytes, &read, &[], &mut again).expect("read");
    assert_eq!(logits(&mut again, IMAGES), logits(&mut model, IMAGES));
}

#[test]
fn python_modules_prepare_their_images_themselves() {
    let (description, model) = prepared(&one("pictures"));
    let module = pytorch_module(&description, &model);
    assert!(module.contains("        x = (x - 0.1307) / 0.3081\n        x = self.conv1(x)\n"), "{module}");
    assert!(module.contains("nn.BatchNorm2d(6, eps=1e-5)") && module.contains("nn.LayerNorm(8, eps=1e-5)"));
    // Where the input is read twice it is the prepared one.
    let mut description = Description { layers: Vec::new(), ..description };
    let line = |line: &str| -> LayerSpec { line.parse().expect("a layer") };
    let residual = LayerSpec::Residual { body: vec![line("tanh")], shortcut: Vec::new() };
    description.layers.extend([residual, line("flatten"), line("dense classes")]);
    let model = description.model(InstructionSet::detect(), 1).expect("it fits");
    let module = pytorch_module(&description, &model);
    assert!(
        module
            .contains("        x0 = (x - 0.1307) / 0.3081\n        x = torch.tanh(x0)\n        x = x + x0\n"),
        "{module}"
    );
}
