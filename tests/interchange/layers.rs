//! The networks of every-layer.toml have every kind of layer that there is.

use crate::common::every_layer;
use nn::{ActivationSpec, Cell, LAYER_FORMS, LayerSpec};
use std::collections::BTreeSet;

/// What [`LAYER_FORMS`] calls a layer; a new kind has to be named here, and then to be in every-layer.toml, whose networks
/// go through every reader and writer.
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

fn forms(layers: &[LayerSpec], found: &mut BTreeSet<&'static str>) {
    for layer in layers {
        found.insert(form(layer));
        if let LayerSpec::Residual { body, shortcut } = layer {
            forms(body, found);
            forms(shortcut, found);
        }
    }
}

#[test]
fn every_kind_of_layer_goes_through_every_reader_and_writer() {
    let mut found = BTreeSet::new();
    for spec in every_layer() {
        forms(&spec.architecture.layers, &mut found);
    }
    let known: BTreeSet<&str> = LAYER_FORMS.iter().map(|form| form.kind).chain(["residual"]).collect();
    assert_eq!(found, known);
}
