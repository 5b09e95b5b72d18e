//! Networks for images in red, green and blue, in every format.

use crate::{
    c_header::{self, files, largest_difference, run_on},
    common::{COLOUR, built_in, every_layer, further, logits, trained_as},
    onnx_runtime::{report, write_floats},
    preparation::check_eight_bits,
};
use interchange::{
    Arithmetic, Description, FormatError, ImageKind, OnnxOptions, describe, encode, load, onnx,
    pytorch_module,
};
use nn::{InstructionSet, Model, Preparation};
use std::fs;
use study::study_file::ModelSpec;
use tempfile::TempDir;

const IMAGES: usize = 1000;

fn described(spec: &ModelSpec) -> Description {
    let (shape, classes) = (COLOUR.training().shape(), COLOUR.class_names().to_vec());
    let mut description = Description::of(&spec.architecture, shape, classes);
    let preparation = Preparation::new(&[0.13, 0.87, 0.2], &[0.31, 0.3, 0.25]);
    description.preparation = Some(preparation.expect("of 0 to 1"));
    description
}

/// A network as it is after a few steps.
fn trained(spec: &ModelSpec, steps: usize) -> (Description, Model<f32>) {
    let description = described(spec);
    let model = trained_as(&description, steps);
    (description, model)
}

/// Of those that are built in, one of each way of reading an image.
fn some() -> Vec<ModelSpec> {
    let names = ["cnn", "lstm", "vit"];
    let some = built_in().into_iter().filter(|spec| names.contains(&spec.architecture.name.as_str()));
    some.chain(every_layer()).chain([further()]).collect()
}

#[test]
fn every_network_gives_the_same_logits_in_onnx_runtime() {
    let folder = TempDir::new().expect("a folder");
    let models = some();
    fs::write(folder.path().join("images.u8"), COLOUR.test().images()).expect("written");
    for spec in &models {
        let (description, mut model) = trained(spec, 5);
        let name = &spec.architecture.name;
        let bytes = onnx(&description, &model, OnnxOptions::default());
        fs::write(folder.path().join(format!("{name}.onnx")), bytes).expect("written");
        write_floats(&folder.path().join(format!("{name}.f32")), &logits(&mut model, IMAGES));
    }
    let report = report(folder.path(), &[]);
    for spec in &models {
        let (name, found) = (&spec.architecture.name, &report[&spec.architecture.name]);
        let number = |key: &str| found[key].as_f64().expect("a number");
        let tolerance = 1e-4 * number("largest").max(1.0);
        assert!(number("difference") < tolerance, "{name}: logits {} apart", number("difference"));
        assert_eq!(found["other_classes"], 0, "{name}");
        let stated = found["metadata"]["preprocessing"].as_str().expect("a text");
        assert!(
            stated.contains("red, green and blue") && stated.contains("[n, 3, height, width]"),
            "{stated}"
        );
    }
}

#[test]
fn networks_give_the_same_logits_in_c() {
    let folder = TempDir::new().expect("a folder");
    for spec in some() {
        let (description, mut model) = trained(&spec, 5);
        let name = &spec.architecture.name;
        let header = files(&description, &mut model, Arithmetic::Float32, COLOUR.test(), None).header;
        assert!(header.contains("_CHANNELS 3"), "{name}");
        let found = run_on(folder.path(), name, &header, COLOUR.test());
        let expected = logits(&mut model, c_header::IMAGES);
        let largest = expected.iter().fold(1.0f32, |largest, value| largest.max(value.abs()));
        let difference = largest_difference(&found, &expected);
        assert!(difference < 1e-4 * largest, "{name}: logits {difference} apart");
    }
}

#[test]
fn eight_bit_networks_are_what_they_are_emulated_to_be() {
    check_eight_bits(&some(), &COLOUR, |spec| trained(spec, 20));
}

#[test]
fn files_state_colour_and_come_back() {
    for spec in some() {
        let (description, mut model) = trained(&spec, 3);
        let bytes = encode(&model, &description).expect("a file");
        let read = describe(&bytes).expect("described");
        assert_eq!((&read, read.kind(), read.image().channels), (&description, ImageKind::Colour, 3));
        let mut again = read.model(InstructionSet::detect(), 1000).expect("it fits");
        load(&bytes, &read, &[], &mut again).expect("read");
        assert_eq!(logits(&mut again, 100), logits(&mut model, 100), "{}", spec.architecture.name);
    }
}

#[test]
fn a_preparation_of_one_channel_is_refused() {
    let spec = built_in().remove(0);
    let mut description = described(&spec);
    let model = description.model(InstructionSet::detect(), 1).expect("it fits");
    let bytes = encode(&model, &description).expect("a file");
    let text = "\\\"preparation\\\":{\\\"mean\\\":[0.13,0.87,0.2],\\\"std\\\":[0.31,0.3,0.25]}";
    let place = bytes.windows(text.len()).position(|window| window == text.as_bytes()).expect("stated");
    let mut changed = bytes.clone();
    let other = "\\\"preparation\\\":{\\\"mean\\\":[0.13],\\\"std\\\":[0.31]}                   ";
    changed[place..place + text.len()].copy_from_slice(&other.as_bytes()[..text.len()]);
    let error = describe(&changed).expect_err("of one channel");
    assert!(
        matches!(&error, FormatError::Description(told) if told.contains("of 3 channels expected")),
        "{error}"
    );
    description.preparation = None;
    assert!(describe(&encode(&model, &description).expect("a file")).is_ok());
}

#[test]
fn python_modules_prepare_each_channel() {
    let spec =
        every_layer().into_iter().find(|spec| spec.architecture.name == "pictures").expect("there is one");
    let (description, model) = trained(&spec, 1);
    let module = pytorch_module(&description, &model);
    let line = "x = (x - x.new_tensor([0.13, 0.87, 0.2]).reshape(-1, 1, 1)) / x.new_tensor([0.31, 0.3, 0.25]).reshape(-1, 1, 1)";
    assert!(module.contains(line) && module.contains("[n, 3, 28, 28]"), "{module}");
    assert!(module.contains("nn.Conv2d(3, "), "{module}");
}
