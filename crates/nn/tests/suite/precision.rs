//! Training steps whose operands are rounded to bfloat16, against those in float32.

use crate::{
    common::{architecture, sets},
    differences::residual,
};
use nn::{Architecture, InstructionSet, Model, Precision, check_precision};
use rand_chacha::{ChaCha8Rng, rand_core::SeedableRng};

/// More images than a group holds, and a group that is not whole.
const IMAGES: usize = 37;
const SIDE: usize = 12;
const PIXELS: usize = SIDE * SIDE;

/// The instruction sets that tiles go with: the portable one, and this machine's where it has tiles.
fn sets_with_tiles() -> Vec<InstructionSet> {
    sets().into_iter().filter(|set| check_precision(*set, Precision::Bf16).is_ok()).collect()
}

/// Images that begin dark, so that steps are shared, and end so.
fn pixel(index: usize) -> f32 {
    let row = index % PIXELS / SIDE;
    match (2..SIDE - 1).contains(&row) && index % 5 < 3 {
        true => ((index * 2_654_435_761) >> 13) as u8 as f32 / 255.0,
        false => 0.0,
    }
}

fn model(set: InstructionSet, network: &Architecture, precision: Precision) -> Model<f32> {
    let mut model = Model::new(set, network, [SIDE, SIDE], 10, IMAGES).expect("it fits");
    model.initialise(&mut ChaCha8Rng::seed_from_u64(5));
    model.set_precision(precision);
    model.input_mut().iter_mut().enumerate().for_each(|(index, value)| *value = pixel(index));
    model
}

/// The gradient of the parameters, and with `pixels` that of the images, for which no steps are shared.
fn gradient(model: &mut Model<f32>, pixels: bool) -> (Vec<f32>, Vec<f32>) {
    let labels: Vec<u8> = (0..IMAGES).map(|image| (image * 3 % 10) as u8).collect();
    let mut d_input = vec![0.0; IMAGES * PIXELS];
    model.differentiate(&labels, pixels.then_some(&mut d_input[..]));
    (model.gradient().to_vec(), d_input)
}

/// ‖a − b‖ / ‖b‖.
fn distance(a: &[f32], b: &[f32]) -> f64 {
    let norm = |values: &mut dyn Iterator<Item = f64>| values.map(|value| value * value).sum::<f64>().sqrt();
    let difference = norm(&mut a.iter().zip(b).map(|(a, b)| f64::from(a - b)));
    difference / norm(&mut b.iter().map(|value| f64::from(*value)))
}

/// Every gradient is float32's but for rounding, the less so where more of it cancels, and is rounded; it has the same bits on any number of threads.
fn check_rounding(network: &Architecture) {
    let on_threads = |threads: usize, set: InstructionSet, precision: Precision, pixels: bool| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("threads");
        pool.install(|| gradient(&mut model(set, network, precision), pixels))
    };
    for set in sets_with_tiles() {
        let specs = model(set, network, Precision::Float32).specs().to_vec();
        for pixels in [false, true] {
            let context = format!("{}, {}, of pixels: {pixels}", network.name, set.name());
            let (exact, d_exact) = on_threads(1, set, Precision::Float32, pixels);
            let (rounded, d_rounded) = on_threads(1, set, Precision::Bf16, pixels);
            let rounds = |what: &str, rounded: &[f32], exact: &[f32]| {
                let distance = distance(rounded, exact);
                assert!(distance < 0.03, "{context}, {what}: {distance:e}");
                distance
            };
            let all = rounds("all", &rounded, &exact);
            assert!(all > 1e-6, "{context}: nothing is rounded");
            for spec in &specs {
                rounds(&spec.name, &rounded[spec.range.clone()], &exact[spec.range.clone()]);
            }
            if pixels {
                rounds("pixels", &d_rounded, &d_exact);
            }
            let same = |a: &[f32], b: &[f32]| a.iter().zip(b).all(|(a, b)| a.to_bits() == b.to_bits());
            let (threaded, d_threaded) = on_threads(2, set, Precision::Bf16, pixels);
            assert!(same(&threaded, &rounded) && same(&d_threaded, &d_rounded), "{context}: threads");
        }
    }
}

/// Recurrent layers, and what makes their output classes.
fn check_recurrent(layers: &[&str]) {
    check_rounding(&architecture(&layers.join(", "), &[layers, &["flatten", "dense classes"]].concat()));
}

/// Units that are whole tiles and blocks, and units that are neither.
#[test]
fn recurrent_layers_on_tiles() {
    for cell in ["lstm", "gru", "rnn"] {
        for units in [16, 37, 64] {
            check_recurrent(&[&format!("{cell} {units}")]);
        }
        check_recurrent(&[&format!("{cell} 20 bidirectional sequence")]);
        check_recurrent(&[
            &format!("{cell} 33 bidirectional sequence"),
            &format!("{cell} 16 sequence"),
            &format!("{cell} 17 bidirectional"),
        ]);
    }
}

/// A sequence of one step has no state before any: the recurrent kernel's gradient is zero.
#[test]
fn recurrent_layers_of_one_step() {
    for cell in ["lstm", "gru", "rnn"] {
        let layers = [&format!("conv 20 {SIDE}x{SIDE}"), &format!("{cell} 18"), "dense classes"];
        let network = architecture(cell, &layers);
        for set in sets_with_tiles() {
            let mut model = model(set, &network, Precision::Bf16);
            let (gradient, _) = gradient(&mut model, false);
            for spec in model.specs() {
                let is_zero = gradient[spec.range.clone()].iter().all(|value| *value == 0.0);
                let is_recurrent = spec.name.ends_with("recurrent_kernel");
                assert_eq!(is_zero, is_recurrent, "{cell}, {}: {}", set.name(), spec.name);
            }
        }
    }
}

/// Heads whose features are no whole vector, sums around it, and as the first layer of the network.
#[test]
fn attention_between_projections() {
    let first = architecture("first", &["patches 4", "attention 2", "flatten", "dense classes"]);
    check_rounding(&first);
    let mut stacked =
        architecture("stacked", &["patches 4", "dense 24", "position", "flatten", "dense classes"]);
    stacked.layers.insert(3, residual(&["attention 3"], &[]));
    stacked.layers.insert(4, residual(&["layernorm", "attention 2", "dense 40", "relu", "dense 24"], &[]));
    check_rounding(&stacked);
}

/// On one thread, where the counter sees all of it, and on the machine's tiles: the portable ones are memory themselves.
#[test]
fn a_rounded_step_allocates_nothing() {
    let mut network = architecture(
        "all",
        &["gru 20 bidirectional sequence", "rnn 32 sequence", "lstm 16", "dense 16", "dense classes"],
    );
    network.layers.insert(2, residual(&["attention 2"], &[]));
    let pool = rayon::ThreadPoolBuilder::new().num_threads(1).build().expect("a thread");
    for set in sets_with_tiles().into_iter().filter(|set| *set != InstructionSet::PORTABLE) {
        let mut model = model(set, &network, Precision::Bf16);
        let labels = [1; IMAGES];
        let counted = pool.install(|| {
            model.differentiate(&labels, None);
            allocation_counter::measure(|| {
                // As after an update: the parameters are packed anew.
                model.parameters_mut()[0] += 0.5;
                model.differentiate(&labels, None);
            })
        });
        assert_eq!(counted.count_total, 0, "{}: {} bytes", set.name(), counted.bytes_total);
    }
}

/// Strides, dilations, borders, derivatives that are added to, and numbers of channels that are no whole tiles. Nothing has a kink: beside one,
/// a rounding changes what is learnt from.
#[test]
fn convolutions_and_dense_layers_on_tiles() {
    check_rounding(&architecture(
        "convolutions",
        &[
            "conv 20 3x3 same",
            "tanh",
            "conv 33 3x3 stride 2",
            "tanh",
            "conv 16 2x3 dilation 2",
            "tanh",
            "flatten",
            "dense 37",
            "tanh",
            "dense classes",
        ],
    ));
    let mut network = architecture(
        "residual",
        &["conv 16 3x3 same no bias", "batchnorm", "tanh", "avgpool 2", "flatten", "dense classes"],
    );
    let body = ["conv 24 3x3 stride 2 same no bias", "batchnorm", "tanh", "conv 24 3x3 same"];
    network.layers.insert(3, residual(&body, &["conv 24 1x1 stride 2"]));
    check_rounding(&network);
}

/// Both precisions leave out the same: what one pass computes takes as many of dropout's numbers in either.
#[test]
fn dropout_leaves_out_the_same() {
    let layers =
        ["conv 16 3x3", "relu", "conv 16 3x3 same", "maxpool 2", "dropout 0.5", "flatten", "dense classes"];
    let network = architecture("dropout", &layers);
    for set in sets_with_tiles() {
        let of = |precision| gradient(&mut model(set, &network, precision), false).0;
        let distance = distance(&of(Precision::Bf16), &of(Precision::Float32));
        // A pool's other winners are some hundredths of it, what is left out otherwise is all of it.
        assert!(distance < 0.3, "{}: {distance}", set.name());
    }
}

/// Parameters are what they were, and so is every answer, whatever was learnt in between, also of normalisations with another ε.
#[test]
fn inference_stays_in_float32() {
    let plain =
        architecture("plain", &["conv 16 3x3", "relu", "maxpool 2", "flatten", "dense 20", "dense classes"]);
    let normalised = architecture(
        "normalised",
        &["conv 16 3x3 same", "batchnorm", "relu", "conv 16 3x3", "flatten", "dense classes"],
    );
    let padded = architecture(
        "padded",
        &["conv 16 3x3", "conv 16 3x3 same", "relu", "maxpool 2", "flatten", "dense classes"],
    );
    let networks = [&plain, &normalised, &padded];
    for (set, network) in sets_with_tiles().into_iter().flat_map(|set| networks.map(|network| (set, network)))
    {
        let mut models = [Precision::Float32, Precision::Bf16].map(|precision| {
            let mut model = model(set, network, Precision::Float32);
            model.set_epsilon(0.01);
            model.set_precision(precision);
            model
        });
        for round in 0..2 {
            let [float32, bf16] = models.each_mut().map(|model| model.forward(IMAGES).to_vec());
            let context = format!("{}, {}, round {round}", network.name, set.name());
            assert!(
                float32.iter().zip(&bf16).all(|(one, other)| one.to_bits() == other.to_bits()),
                "{context}"
            );
            let gradients = models.each_mut().map(|model| gradient(model, false).0);
            assert!(
                (1e-6..0.2).contains(&distance(&gradients[1], &gradients[0])),
                "{context}: another gradient"
            );
            for model in &mut models {
                for (parameter, derivative) in model.parameters_mut().iter_mut().zip(&gradients[1]) {
                    *parameter -= 0.1 * derivative;
                }
            }
        }
        // And back again.
        let [float32, bf16] = &mut models;
        bf16.set_precision(Precision::Float32);
        assert_eq!(gradient(float32, false), gradient(bf16, false), "{}", network.name);
    }
}
