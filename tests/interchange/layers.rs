//! Every kind of layer that there is goes through every reader and writer.

use crate::{
    c_header::header,
    common::{MNIST, every_layer, trained},
};
use interchange::{
    Arithmetic, Description, OnnxOptions, Quantisation, describe, encode, load, onnx, pytorch_module,
};
use nn::{ActivationSpec, Cell, InstructionSet, LAYER_FORMS, LayerSpec, Model};
use std::collections::BTreeSet;

/// What [`LAYER_FORMS`] calls a layer; a new kind has to be named here, and then to be in every-layer.toml.
fn form(layer: &LayerSpec) -> &'static str {
    match layer {
        LayerSpec::Convolution(_) => "conv",
        LayerSpec::Depthwise(_) => "depthwise",
        LayerSpec::Activation(ActivationSpec::Relu) => "relu",
        LayerSpec::Activation(ActivationSpec::LeakyRelu { .. }) => "leaky relu",
        LayerSpec::Activation(ActivationSpec::Gelu) => "gelu",
        LayerSpec::Activation(ActivationSpec::Silu) => "silu",
        LayerSpec::Activation(ActivationSpec::Tanh) => "tanh",
        LayerSpec::Activation(ActivationSpec::Sigmoid) => "sigmoid",
        LayerSpec::MaxPool(_) => "maxpool",
        LayerSpec::AveragePool(_) => "avgpool",
        LayerSpec::GlobalMaxPool => "global maxpool",
        LayerSpec::GlobalAveragePool => "global avgpool",
        LayerSpec::Dense { .. } => "dense",
        LayerSpec::Flatten => "flatten",
        LayerSpec::Dropout { .. } => "dropout",
        LayerSpec::BatchNorm => "batchnorm",
        LayerSpec::LayerNorm => "layernorm",
        LayerSpec::Rows => "rows",
        LayerSpec::Columns => "columns",
        LayerSpec::Pixels => "pixels",
        LayerSpec::Patches { .. } => "patches",
        LayerSpec::Position => "position",
        LayerSpec::Attention { .. } => "attention",
        LayerSpec::Transpose => "transpose",
        LayerSpec::Recurrent(spec) => match spec.cell {
            Cell::Lstm => "lstm",
            Cell::Gru => "gru",
            Cell::Rnn => "rnn",
        },
        LayerSpec::Residual { .. } => "residual",
    }
}

/// What a writer makes of a model, as bytes.
type Writer = fn(&Description, &mut Model<f32>) -> Vec<u8>;

const WRITERS: &[(&str, Writer)] = &[
    ("safetensors", |description, model| encode(model, description).expect("a file")),
    ("PyTorch", |description, model| pytorch_module(description, model).into_bytes()),
    ("ONNX", |description, model| onnx(description, model, OnnxOptions::default())),
    ("C", |description, model| header(description, model, Arithmetic::Float32).into_bytes()),
    ("ONNX in eight bits", |description, model| {
        let quantisation = Some(&Quantisation::calibrate(description, model, MNIST.training()));
        onnx(description, model, OnnxOptions { softmax: false, quantisation })
    }),
    ("C in eight bits", |description, model| {
        let quantisation = Quantisation::calibrate(description, model, MNIST.training());
        header(description, model, Arithmetic::EightBitWeights(&quantisation)).into_bytes()
    }),
];

#[test]
fn every_kind_of_layer_goes_through_every_reader_and_writer() {
    let mut missing: BTreeSet<&str> = LAYER_FORMS.iter().map(|form| form.kind).chain(["residual"]).collect();
    let specs = every_layer();
    for layer in specs.iter().flat_map(|spec| LayerSpec::all(&spec.architecture.layers)) {
        missing.remove(form(layer));
    }
    assert!(missing.is_empty(), "no network of every-layer.toml has {missing:?}");
    for spec in specs {
        let (description, mut model) = trained(&spec, 1);
        let name = &spec.architecture.name;
        for (format, write) in WRITERS {
            let bytes = write(&description, &mut model);
            for layer in model.specs().iter().filter_map(|parameter| parameter.name.split('.').next()) {
                let is_there = bytes.windows(layer.len()).any(|found| found == layer.as_bytes());
                assert!(is_there, "{format} of {name} has no {layer}");
            }
        }
        let bytes = encode(&model, &description).expect("a file");
        let read = describe(&bytes).expect("described");
        assert_eq!(read, description);
        let mut again = read.model(InstructionSet::detect(), 1).expect("it fits");
        assert_eq!(load(&bytes, &read, &[], &mut again), Ok(Vec::new()), "{name}");
        assert_eq!(again.parameters(), model.parameters(), "{name}");
    }
}
