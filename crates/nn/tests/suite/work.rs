//! What a network's stages have to do, counted by hand.

use crate::{common::architecture, differences::residual};
use nn::{Architecture, InstructionSet, Model, Optimiser, StageWork, UpdateRule};

fn model(architecture: &Architecture) -> Model<f32> {
    Model::new(InstructionSet::PORTABLE, architecture, [6, 6], 3, 1).expect("it fits")
}

/// 6·6 pixels to 4·4 positions of two filters, of which a pool of 2×2 leaves 2·2·2 values; then 8 to 5 to 3.
#[test]
fn operations_and_values_are_those_of_the_layers_definitions() {
    let layers = ["conv 2 3x3", "relu", "maxpool 2", "flatten", "dense 5", "relu", "dense classes"];
    let model = model(&architecture("small", &layers));
    let conv = StageWork {
        name: "conv1".into(),
        forward_flops: 2 * (4 * 4 * 2) * 9,
        // The weights' alone: nobody asks for the images'.
        backward_flops: 2 * (4 * 4 * 2) * 9,
        sum_flops: 0,
        inputs: 36,
        input_derivatives: 0,
        outputs: 8,
        parameters: 2 * 9 + 2,
        kept: 2 * 9 + 2,
        in_place: false,
    };
    let dense = |number: usize, inputs: usize, outputs: usize| StageWork {
        name: format!("dense{number}"),
        forward_flops: (2 * inputs * outputs) as u64,
        // The inputs'; the weights' are one product of all groups.
        backward_flops: (2 * inputs * outputs) as u64,
        sum_flops: (2 * inputs * outputs) as u64,
        inputs,
        input_derivatives: inputs,
        outputs,
        parameters: inputs * outputs + outputs,
        kept: 16 * (inputs + outputs),
        in_place: false,
    };
    let work = model.work();
    assert_eq!(work, [conv, dense(1, 8, 5), dense(2, 5, 3)]);
    let values = |stage: &StageWork| (stage.forward_values(), stage.backward_values(), stage.sum_values(2));
    // Images and pooled values, and the weights; back the pooled values' derivatives and the images, and the weights' derivatives.
    assert_eq!(values(&work[0]), (16 * (36 + 8) + 20, 16 * (8 + 36) + 20, 2 * 20 + 20));
    // Back the derivatives of both sides, the inputs and the weights, and what is kept.
    assert_eq!(values(&work[1]), (16 * 13 + 45, 16 * (5 + 8 + 8) + 45 + 16 * 13, 2 * 16 * 13 + 45));
    assert_eq!(model.forward_flops(), 576 + 80 + 30);
    assert_eq!(model.step_flops(), 2 * 576 + 3 * 80 + 3 * 30);
    // Adam reads parameters, gradient and two moments, and writes all but the gradient.
    assert_eq!(
        Optimiser::<f32>::new(&UpdateRule::default(), model.specs()).step_values(),
        7 * (20 + 45 + 18)
    );
    assert_eq!(
        Optimiser::<f32>::new(&UpdateRule::default(), model.specs()).step_footprint(),
        4 * (20 + 45 + 18)
    );
}

/// A sum reads two values for each that it gives, and its derivative need only be copied for one of them. What no parameter is
/// before has nothing to do on the way back.
#[test]
fn a_sum_and_a_layer_before_all_parameters_move_what_they_must() {
    let mut network = architecture("both", &["maxpool 2", "conv 2 1x1", "flatten", "dense classes"]);
    network.layers.insert(2, residual(&["conv 2 1x1"], &[]));
    let work = model(&network).work();
    let named = |name: &str| work.iter().find(|stage| stage.name == name).expect("a stage");
    let sum = named("sum1");
    assert_eq!((sum.inputs, sum.outputs, sum.input_derivatives), (36, 18, 18));
    assert_eq!((sum.forward_values(), sum.backward_values()), (16 * 54, 16 * 36));
    assert_eq!((sum.forward_flops, sum.backward_flops, sum.sum_flops), (0, 0, 0));
    // Both derivatives of a sum are one.
    assert_eq!((sum.in_place, sum.backward_footprint()), (true, 16 * 18));
    let pool = named("maxpool1");
    assert_eq!((pool.forward_values(), pool.backward_values()), (16 * (36 + 9), 0));
}
