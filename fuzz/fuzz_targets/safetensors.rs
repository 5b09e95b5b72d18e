//! A model's file: what it says of itself, its network, its weights, and what is exported of them.
#![no_main]

use interchange::{OnnxOptions, c_header, describe, encode, load, onnx, pytorch_module};
use libfuzzer_sys::fuzz_target;
use nn::InstructionSet;

/// Layers of a network that is built: larger ones only slow the search down.
const MOST_VALUES: usize = 1 << 16;

fuzz_target!(|bytes: &[u8]| {
    let Ok(description) = describe(bytes) else { return };
    let (height, width, classes) = (description.height, description.width, description.classes.len());
    let Ok(layers) = description.architecture().describe(height, width, classes) else { return };
    if layers.iter().map(|layer| layer.output.length() + layer.parameters).sum::<usize>() > MOST_VALUES {
        return;
    }
    let mut model = description.model(InstructionSet::detect(), 1).expect("its layers fit");
    if load(bytes, &description, &[], &mut model).is_err() {
        return;
    }
    let written = encode(&model, &description).expect("it was read");
    let before = model.parameters().to_vec();
    load(&written, &description, &[], &mut model).expect("what was written is read");
    assert_eq!(before, model.parameters());
    model.forward(1);
    onnx(&description, &model, OnnxOptions::default());
    c_header(&description, &model, None);
    pytorch_module(&description, &model);
});
