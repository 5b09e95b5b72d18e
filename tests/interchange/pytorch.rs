//! Files that PyTorch made (golden/interchange), and back again.

use crate::common::{MNIST, every_layer};
use interchange::{Description, FormatError, describe, encode, load};
use nn::{
    Architecture, InstructionSet, Model, Optimiser, OptimiserSpec, Preparation, SgdConstants, UpdateRule,
};
use safetensors::SafeTensors;
use serde_json::Value;
use std::{fs, path::PathBuf};

fn golden(file: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("golden/interchange").join(file)
}

/// A network like the `nn.Sequential` that golden/interchange/make.py builds.
fn sequential() -> Architecture {
    let layers = [
        "conv 4 3x3",
        "relu",
        "maxpool 2",
        "conv 6 3x3 no bias",
        "batchnorm",
        "relu",
        "maxpool 2",
        "flatten",
        "dense 12",
        "relu",
        "dropout 0.5",
        "dense classes",
    ];
    Architecture {
        name: "sequential".to_owned(),
        summary: String::new(),
        citation: String::new(),
        layers: layers.iter().map(|layer| layer.parse().expect("a layer")).collect(),
    }
}

fn described(architecture: &Architecture) -> Description {
    Description::of(architecture, [28, 28], MNIST.class_names().to_vec())
}

/// The architecture's model with the weights that PyTorch gave it.
fn loaded(architecture: &Architecture) -> (Description, Model<f32>, Vec<u8>) {
    let bytes = fs::read(golden(&format!("{}.safetensors", architecture.name))).expect("a golden file");
    let description = described(architecture);
    let mut model = description.model(InstructionSet::detect(), 8).expect("it fits");
    load(&bytes, &description, &[], &mut model)
        .unwrap_or_else(|error| panic!("{}: {error}", architecture.name));
    (description, model, bytes)
}

fn architectures() -> Vec<Architecture> {
    every_layer().into_iter().map(|spec| spec.architecture).chain([sequential()]).collect()
}

#[test]
fn weights_of_pytorch_give_its_logits() {
    let logits: Value =
        serde_json::from_slice(&fs::read(golden("logits.json")).expect("golden")).expect("JSON");
    for architecture in architectures() {
        let (_, mut model, _) = loaded(&architecture);
        model.set_batch(8, |image| MNIST.test().image(image));
        let found = model.forward(8);
        let expected = logits[&architecture.name]
            .as_array()
            .expect("rows")
            .iter()
            .flat_map(|row| row.as_array().expect("a row"));
        for (found, expected) in found.iter().zip(expected) {
            let expected = expected.as_f64().expect("a number");
            let error = (f64::from(*found) - expected).abs();
            assert!(
                error < 2e-5 * (1.0 + expected.abs()),
                "{}: {expected} expected, {found} found",
                architecture.name
            );
        }
    }
}

#[test]
fn what_pytorch_wrote_is_written_again() {
    for architecture in every_layer().into_iter().map(|spec| spec.architecture) {
        let (description, model, bytes) = loaded(&architecture);
        let written = encode(&model, &description).expect("a file");
        let (theirs, ours) = (
            SafeTensors::deserialize(&bytes).expect("a file"),
            SafeTensors::deserialize(&written).expect("a file"),
        );
        for (name, tensor) in theirs.iter().filter(|(name, _)| !name.ends_with("num_batches_tracked")) {
            let found = ours.tensor(name).unwrap_or_else(|error| panic!("{name}: {error}"));
            assert_eq!(found.shape(), tensor.shape(), "{name}");
            // One bias is written as the sum of the two that an LSTM or a simple layer has there.
            let is_sum = name.contains("bias_") && !name.starts_with("gru");
            assert!(is_sum || found.data() == tensor.data(), "{name}");
        }
        assert_eq!(describe(&written).expect("described"), description);
        let mut again = description.model(InstructionSet::detect(), 8).expect("it fits");
        load(&written, &description, &[], &mut again).expect("a file of ours");
        assert_eq!(again.parameters(), model.parameters());
    }
}

#[test]
fn a_network_in_another_order_is_refused() {
    let bytes = fs::read(golden("sequential.safetensors")).expect("a golden file");
    let load_into = |layers: &[&str]| {
        let layers = layers.iter().map(|layer| layer.parse().expect("a layer")).collect();
        let architecture = Architecture { layers, ..sequential() };
        let description = described(&architecture);
        let mut model = description.model(InstructionSet::detect(), 1).expect("it fits");
        load(&bytes, &description, &[], &mut model).expect_err("another network")
    };
    let error = load_into(&[
        "conv 4 3x3",
        "maxpool 2",
        "conv 7 3x3 no bias",
        "batchnorm",
        "maxpool 2",
        "flatten",
        "dense 12",
        "dense classes",
    ]);
    assert_eq!(error.to_string(), "tensor 3.weight: float32 [7, 4, 3, 3] expected, F32 [6, 4, 3, 3] found");
    assert!(matches!(load_into(&["flatten", "dense classes"]), FormatError::Surplus(_)));
    let longer = [
        "conv 4 3x3",
        "maxpool 2",
        "conv 6 3x3 no bias",
        "batchnorm",
        "maxpool 2",
        "flatten",
        "dense 12",
        "dense 10",
        "dense classes",
    ];
    assert!(matches!(load_into(&longer), FormatError::Missing { name, .. } if name == "dense3.weight"));
    let shorter = [
        "conv 4 3x3",
        "maxpool 2",
        "conv 6 3x3 no bias",
        "batchnorm",
        "maxpool 2",
        "flatten",
        "dense classes",
    ];
    assert!(matches!(load_into(&shorter), FormatError::Shape { .. } | FormatError::Surplus(_)));
}

/// The `nn.Sequential` that golden/interchange/colour.py builds for images of 16×12 pixels in colour.
fn colour() -> (Description, Model<f32>) {
    let layers = [
        "conv 4 3x3",
        "batchnorm",
        "relu",
        "maxpool 2",
        "conv 6 3x3",
        "layernorm",
        "relu",
        "flatten",
        "dense 12",
        "relu",
        "dense classes",
    ];
    let layers = layers.iter().map(|layer| layer.parse().expect("a layer")).collect();
    let architecture = Architecture { layers, ..sequential() };
    let mut description =
        Description::of(&architecture, [16, 12, 3], ["a", "b", "c", "d"].map(str::to_owned).to_vec());
    let preparation = Preparation::new(&[0.485, 0.456, 0.406], &[0.229, 0.224, 0.225]);
    description.preparation = Some(preparation.expect("of 0 to 1"));
    description.epsilon = Some(1e-5);
    let model = description.model(InstructionSet::detect(), 12).expect("it fits");
    (description, model)
}

#[test]
fn a_network_for_colour_computes_and_learns_as_in_pytorch() {
    let file = |name: &str| fs::read(golden(name)).expect("a golden file");
    let values = file("colour-values.safetensors");
    let values = SafeTensors::deserialize(&values).expect("a file");
    let bytes = |name: &str| values.tensor(name).expect("a tensor").data().to_vec();
    let numbers = |name: &str| -> Vec<f64> {
        bytes(name)
            .chunks_exact(8)
            .map(|number| f64::from_le_bytes(number.try_into().expect("8 bytes")))
            .collect()
    };
    let (images, labels) = (bytes("images"), bytes("labels"));
    let image = |index: usize| &images[index * 576..][..576];
    let check = |what: &str, found: &[f32], expected: &[f64]| {
        assert_eq!(found.len(), expected.len(), "{what}");
        for (found, expected) in found.iter().zip(expected) {
            let error = (f64::from(*found) - expected).abs();
            assert!(error < 1e-5 * (1.0 + expected.abs()), "{what}: {expected} expected, {found} found");
        }
    };
    let (description, mut model) = colour();
    load(&file("colour.safetensors"), &description, &[], &mut model).expect("PyTorch's weights");
    model.set_batch(labels.len(), image);
    check("logits", model.forward(labels.len()), &numbers("logits"));

    let rule = UpdateRule {
        optimiser: OptimiserSpec::Sgd(SgdConstants { momentum: 0.9, nesterov: true }),
        learning_rate: 0.05,
        weight_decay: 0.0,
        gradient_clip: None,
    };
    let mut optimiser = Optimiser::new(&rule, model.specs());
    for expected in numbers("losses") {
        let found = model.differentiate_images(&labels, image).loss_sum / labels.len() as f64;
        assert!((found - expected).abs() < 1e-5, "loss: {expected} expected, {found} found");
        model.update(&mut optimiser, 1.0);
    }
    let (_, mut theirs) = colour();
    load(&file("colour-trained.safetensors"), &description, &[], &mut theirs).expect("PyTorch's weights");
    let expected: Vec<f64> = theirs.parameters().iter().map(|weight| f64::from(*weight)).collect();
    check("weights after three steps", model.parameters(), &expected);
    model.set_batch(labels.len(), image);
    check("logits after three steps", model.forward(labels.len()), &numbers("trained_logits"));
}
