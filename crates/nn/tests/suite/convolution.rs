//! Convolutions of every kind and pools by themselves: central differences, and what Keras computes.

use crate::{
    common::{Golden, architecture, assert_close, largest, sets, widen},
    differences::assert_right,
};
use nn::{Build, InstructionSet, Model};

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

/// Fused with a pool, by minimal filtering, and the general way.
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

/// What no parameter needs is not computed where the pixels' derivative is not asked for: the gradient has the same bits.
#[test]
fn a_gradient_is_the_same_without_that_of_the_pixels() {
    let layers =
        ["maxpool 2 stride 1", "conv 3 3x3 same", "relu", "conv 2 2x2 stride 2", "flatten", "dense classes"];
    let set = InstructionSet::PORTABLE;
    let mut model = Model::<f64>::new(set, &architecture("padded", &layers), [8, 9], 3, 2).expect("it fits");
    let ramp = |index: usize| (index * 37 % 101) as f64 / 50.0 - 1.0;
    model.parameters_mut().iter_mut().enumerate().for_each(|(index, value)| *value = ramp(index));
    model.input_mut().iter_mut().enumerate().for_each(|(index, value)| *value = ramp(index + 5));
    model.differentiate(&[1, 2], Some(&mut [0.0; 2 * 72]));
    let with = model.gradient().to_vec();
    model.differentiate(&[1, 2], None);
    assert_eq!(model.gradient(), with);
}

/// The networks of golden/layers/convolution.py, less the dense layer that each ends in.
const NETWORKS: [(&str, &[&str]); 7] = [
    ("strided", &["conv 4 3x3 stride 2", "relu", "conv 5 3x3 stride 2 pad 1 no bias", "flatten"]),
    ("dilated", &["conv 4 3x3 dilation 2", "relu", "conv 5 2x3 dilation 2", "flatten"]),
    (
        "grouped",
        &["conv 4 2x2", "conv 6 3x3 groups 2", "relu", "conv 6 2x2 stride 2 groups 3 no bias", "flatten"],
    ),
    (
        "depthwise",
        &[
            "conv 5 1x1",
            "depthwise 3x3 same",
            "relu",
            "depthwise 3x3 stride 2 pad 1 no bias",
            "depthwise 2x2 dilation 2",
            "flatten",
        ],
    ),
    (
        "same",
        &[
            "conv 9 3x3 same",
            "relu",
            "maxpool 2",
            "conv 8 3x3 same",
            "relu",
            "conv 3 3x5 same no bias",
            "flatten",
        ],
    ),
    (
        "pooled",
        &["conv 3 2x2", "relu", "maxpool 3 stride 2", "avgpool 2 stride 1", "conv 6 2x2", "global avgpool"],
    ),
    ("globally_largest", &["conv 7 3x3", "global maxpool"]),
];

/// Logits, loss and every derivative, to `tolerance` of a tensor's largest value.
fn check_golden<E: Build>(set: InstructionSet, tolerance: f64) {
    const BATCH: usize = 3;
    let golden = Golden::read("layers/convolution.safetensors");
    for (name, layers) in NETWORKS {
        let architecture = architecture(name, &[layers, &["dense classes"]].concat());
        let mut model = Model::<E>::new(set, &architecture, [11, 10], 4, BATCH).expect("it fits");
        for spec in model.specs().to_vec() {
            let values = golden.parameter(&format!("{name}/initial"), &spec.name);
            let parameters = &mut model.parameters_mut()[spec.range];
            assert_eq!(parameters.len(), values.len(), "{name}: {}", spec.name);
            parameters.iter_mut().zip(values).for_each(|(parameter, value)| *parameter = E::from_f64(value));
        }
        let pixels = golden.values(&format!("{name}/input"));
        model.input_mut().iter_mut().zip(pixels).for_each(|(pixel, value)| *pixel = E::from_f64(*value));
        let targets = golden.values(&format!("{name}/targets")).chunks_exact(4);
        let labels: Vec<u8> =
            targets.map(|row| row.iter().position(|value| *value == 1.0).expect("one-hot") as u8).collect();
        let mut d_input = vec![E::from_f64(f64::NAN); pixels.len()];
        let loss = model.differentiate(&labels, Some(&mut d_input)).loss();
        let compare = |what: &str, ours: &[f64], golden: &[f64]| {
            let limit = tolerance * largest(golden);
            assert_close(&format!("{name}, {}: {what}", set.name()), ours, golden, limit);
        };
        compare("loss", &[loss], golden.values(&format!("{name}/loss")));
        compare("pixels", &widen(&d_input), golden.values(&format!("{name}/gradient/input")));
        for spec in model.specs() {
            let expected = golden.parameter(&format!("{name}/gradient"), &spec.name);
            compare(&spec.name, &widen(&model.gradient()[spec.range.clone()]), &expected);
        }
        compare("logits", &widen(model.forward(BATCH)), golden.values(&format!("{name}/logits")));
    }
}

#[test]
fn keras_computes_the_same() {
    check_golden::<f64>(InstructionSet::PORTABLE, 1e-12);
    for set in sets() {
        check_golden::<f32>(set, 1e-5);
    }
}
