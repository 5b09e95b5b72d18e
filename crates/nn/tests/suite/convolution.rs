//! Convolutions of every kind and pools by themselves: central differences, and what Keras computes.

use crate::{
    common::{Golden, architecture, assert_close, largest, set_parameters, sets, widen},
    differences::assert_right,
};
use nn::{Element, InstructionSet, Model};

fn check(layers: &[&str], sizes: [usize; 3], classes: usize) {
    assert_right(&architecture(&layers.join(", "), layers), sizes, classes);
}

#[test]
fn strides() {
    check(
        &["conv 3 3x3 stride 2", "relu", "conv 4 2x2 stride 3 no bias", "flatten", "dense classes"],
        [2, 13, 12],
        3,
    );
    check(&["conv 3 1x1 stride 2", "conv 2 2x2 stride 2", "relu", "flatten", "dense classes"], [18, 7, 9], 2);
}

#[test]
fn dilations_and_groups() {
    check(
        &["conv 4 3x2 dilation 2", "relu", "conv 6 2x2 dilation 3 groups 2", "flatten", "dense classes"],
        [3, 9, 10],
        3,
    );
    check(
        &[
            "conv 6 2x2",
            "relu",
            "conv 9 3x3 stride 2 same groups 3 no bias",
            "relu",
            "flatten",
            "dense classes",
        ],
        [2, 7, 6],
        3,
    );
}

/// Fused with a pool, by minimal filtering, and unfolded.
#[test]
fn padding() {
    check(
        &["conv 3 3x3 same", "relu", "maxpool 2", "conv 3 3x5 same no bias", "flatten", "dense classes"],
        [2, 7, 6],
        3,
    );
    check(&["conv 8 1x1", "conv 9 3x3 same", "relu", "flatten", "dense classes"], [2, 5, 5], 2);
    check(
        &["conv 2 2x2 pad 1", "relu", "conv 2 5x5 pad 3 stride 2", "flatten", "dense classes"],
        [3, 5, 6],
        3,
    );
    check(&["conv 3 3x3 same dilation 2", "relu", "maxpool 3", "flatten", "dense classes"], [17, 6, 7], 2);
}

#[test]
fn no_bias() {
    let layers =
        ["conv 3 3x3 no bias", "relu", "maxpool 2", "conv 2 2x2 no bias", "flatten", "dense classes"];
    check(&layers, [2, 9, 8], 3);
}

#[test]
fn depthwise() {
    check(
        &["conv 5 1x1", "depthwise 3x3 same", "relu", "depthwise 2x3 no bias", "flatten", "dense classes"],
        [2, 6, 5],
        3,
    );
    check(
        &[
            "conv 3 2x2",
            "depthwise 3x3 stride 2 pad 1",
            "depthwise 2x2 dilation 2",
            "relu",
            "flatten",
            "dense classes",
        ],
        [18, 9, 8],
        2,
    );
}

#[test]
fn pools_by_themselves() {
    check(&["conv 3 2x2", "relu", "maxpool 3 stride 2", "flatten", "dense classes"], [2, 10, 9], 3);
    check(&["conv 2 2x2 stride 2", "relu", "maxpool 2", "flatten", "dense classes"], [17, 9, 8], 2);
    check(
        &["conv 3 2x2", "avgpool 2", "conv 2 2x2", "relu", "avgpool 3 stride 1", "flatten", "dense classes"],
        [2, 10, 9],
        3,
    );
    check(&["maxpool 2 stride 1", "conv 3 2x2", "flatten", "dense classes"], [2, 5, 6], 3);
}

#[test]
fn global_pools() {
    check(&["conv 4 3x2", "relu", "conv 5 2x2", "global avgpool", "dense classes"], [3, 6, 7], 3);
    check(&["conv 4 3x2", "conv 5 2x2", "global maxpool", "dense classes"], [2, 6, 7], 3);
    check(&["conv 2 2x2", "rows", "global maxpool", "dense classes"], [2, 5, 4], 3);
    check(&["conv 2 2x2", "pixels", "global avgpool", "dense 3", "dense classes"], [2, 5, 4], 3);
}
