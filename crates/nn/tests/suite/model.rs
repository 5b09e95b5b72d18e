//! What a model promises as a whole: sizes, errors, the same bits on any number of threads and in every batch.

use crate::{
    common::{architecture, assert_close, largest, sets, study_model, widen},
    differences::residual,
};
use nn::{Architecture, Build, InstructionSet, LayerSpec, Model, Optimiser, UpdateRule};
use rand_chacha::{ChaCha8Rng, rand_core::SeedableRng};

pub fn model(set: InstructionSet, name: &str, capacity: usize) -> Model<f32> {
    let mut model = Model::new(set, &study_model(name), [28, 28], 10, capacity).expect("it fits");
    model.initialise(&mut ChaCha8Rng::seed_from_u64(3));
    model
}

/// Images whose every pixel is a function of its place.
fn images(count: usize) -> Vec<u8> {
    (0..count * 784).map(|index| ((index * 2_654_435_761) >> 13) as u8 * u8::from(index % 5 < 2)).collect()
}

fn labels(count: usize) -> Vec<u8> {
    (0..count).map(|image| (image * 3 % 10) as u8).collect()
}

/// The weighted gradient is the sum of each image's own, times its class's weight; the loss that is told is not weighted.
#[test]
fn classes_weigh_in_the_gradient() {
    let set = InstructionSet::PORTABLE;
    let (images, labels) = (images(3), [1_u8, 4, 1]);
    let weights: Vec<f64> = (0..10).map(|class| 0.5 + 0.25 * f64::from(class)).collect();
    let image = |index: usize| &images[index * 784..][..784];
    let one = |index: usize| {
        let mut model = model(set, "lstm", 3);
        let loss = model.differentiate_images(&labels[index..=index], |_| image(index)).loss_sum;
        let weight = weights[usize::from(labels[index])];
        (loss, model.gradient().iter().map(|value| f64::from(*value) * weight / 3.0).collect::<Vec<_>>())
    };
    let parts = [0, 1, 2].map(one);
    let mut model = model(set, "lstm", 3);
    model.set_class_weights(Some(weights.clone()));
    let told = model.differentiate_images(&labels, image);
    assert!((told.loss_sum - parts.iter().map(|(loss, _)| loss).sum::<f64>()).abs() < 1e-6);
    for (index, value) in model.gradient().iter().enumerate() {
        let expected: f64 = parts.iter().map(|(_, gradient)| gradient[index]).sum();
        assert!((f64::from(*value) - expected).abs() < 1e-6, "{index}: {value}, {expected}");
    }
}

#[test]
fn channels_are_prepared_each_by_its_own() {
    let layers = ["flatten", "dense classes"];
    let architecture = architecture("plain", &layers);
    let mut model =
        Model::<f32>::new(InstructionSet::PORTABLE, &architecture, [1, 2, 3], 2, 1).expect("it fits");
    let preparation = nn::Preparation::new(&[0.0, 0.5, 1.0], &[1.0, 0.5, 0.25]).expect("of 0 to 1");
    model.set_preparation(Some(preparation));
    model.set_batch(1, |_| &[0, 255, 255, 255, 0, 0]);
    assert_eq!(model.input_mut(), [0.0, 1.0, 0.0, 1.0, -1.0, -4.0]);
}

#[test]
fn the_models_have_the_sizes_of_the_study() {
    let count = |name| model(InstructionSet::PORTABLE, name, 1).trainable_parameters();
    assert_eq!([count("cnn"), count("lstm")], [225_034, 81_674]);
}

#[test]
fn initial_parameters_are_those_of_keras() {
    for name in ["cnn", "lstm"] {
        let model = model(InstructionSet::PORTABLE, name, 1);
        for spec in model.specs() {
            let values = &model.parameters()[spec.range.clone()];
            let largest = values.iter().fold(0f32, |largest, value| largest.max(value.abs()));
            // The limits that golden/README.md lists; a uniform sample of this size comes within 5 % of its limit.
            let limit = match (name, spec.name.as_str()) {
                ("cnn", "conv1.weight") => 0.142_134,
                ("cnn", "conv2.weight") => 0.083_333,
                ("cnn", "dense1.weight") => 0.058_926,
                ("cnn", "dense2.weight") | ("lstm", "dense1.weight") => 0.208_514,
                ("lstm", "lstm1.kernel") => 0.105_409,
                ("lstm", "lstm1.recurrent_kernel") => {
                    let norm: f32 = values[..512].iter().map(|value| value * value).sum();
                    assert!((norm - 1.0).abs() < 1e-5, "the first row's square sum is {norm}");
                    continue;
                }
                ("lstm", "lstm1.bias") => {
                    assert!(values[128..256].iter().all(|value| *value == 1.0));
                    assert_eq!(values.iter().filter(|value| **value == 0.0).count(), 384);
                    continue;
                }
                _ => 0.0,
            };
            assert!(
                largest <= limit && largest >= 0.95 * limit,
                "{name} {}: {largest}, limit {limit}",
                spec.name
            );
        }
    }
}

/// Parameters after steps on a full and a short batch.
fn train(set: InstructionSet, name: &str, threads: usize) -> Vec<u32> {
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("threads");
    pool.install(|| {
        let mut model = model(set, name, 50);
        let mut optimiser = Optimiser::new(&UpdateRule::default(), model.specs());
        for count in [50, 50, 17, 1] {
            let images = images(count);
            model.set_batch(count, |image| &images[image * 784..][..784]);
            model.differentiate(&labels(count), None);
            model.update(&mut optimiser, 1.0);
        }
        model.parameters().iter().map(|value| value.to_bits()).collect()
    })
}

#[test]
fn the_same_bits_on_any_number_of_threads() {
    for set in sets() {
        for name in ["cnn", "lstm"] {
            let one = train(set, name, 1);
            for threads in [2, 3, 7] {
                assert!(train(set, name, threads) == one, "{name}, {}, {threads} threads", set.name());
            }
        }
    }
}

#[test]
fn bytes_become_pixels_before_the_step_or_within_it() {
    let (images, labels) = (images(40), labels(40));
    let mut model = model(sets()[0], "cnn", 40);
    model.set_batch(40, |image| &images[image * 784..][..784]);
    let before = (model.differentiate(&labels, None), model.gradient().to_vec());
    model.input_mut().fill(7.0);
    let within = model.differentiate_images(&labels, |image| &images[image * 784..][..784]);
    assert_eq!((within, model.gradient()), (before.0, &*before.1));
}

/// On one thread, where the counter sees all of it: what is divided among more threads is the same work.
#[test]
fn a_step_allocates_nothing() {
    let pool = rayon::ThreadPoolBuilder::new().num_threads(1).build().expect("a thread");
    for set in sets() {
        for name in ["cnn", "lstm"] {
            let (images, labels) = (images(50), labels(50));
            let mut model = model(set, name, 50);
            let mut optimiser = Optimiser::new(&UpdateRule::default(), model.specs());
            let mut step = |count: usize| {
                model.differentiate_images(&labels[..count], |image| &images[image * 784..][..784]);
                model.update(&mut optimiser, 1.0);
            };
            let counted = pool.install(|| {
                step(50);
                allocation_counter::measure(|| [50, 17, 50].into_iter().for_each(&mut step))
            });
            assert_eq!(counted.count_total, 0, "{name}, {}: {} bytes", set.name(), counted.bytes_total);
            assert_eq!(
                pool.install(|| allocation_counter::measure(|| drop(std::hint::black_box(vec![1]))))
                    .count_total,
                1,
                "it counts"
            );
        }
    }
}

#[test]
fn an_image_gives_the_same_logits_in_any_company() {
    for set in sets() {
        for name in ["cnn", "lstm"] {
            let all = images(33);
            let mut model = model(set, name, 33);
            model.set_batch(33, |image| &all[image * 784..][..784]);
            let together = model.forward(33).to_vec();
            for image in [0, 15, 16, 32] {
                model.set_batch(1, |_| &all[image * 784..][..784]);
                assert_eq!(
                    model.forward(1),
                    &together[image * 10..][..10],
                    "{name}, {}, image {image}",
                    set.name()
                );
            }
        }
    }
}

/// Few images are divided among the threads, one is shared by them: filtered convolutions with a border, without one, pooled and of a
/// single tile, direct ones of several panels and of one, batch normalisation and a sum between them, and parameters enough to be packed together.
#[test]
fn logits_are_the_same_by_any_number_of_threads() {
    let layers = [
        "conv 16 3x3 same",
        "batchnorm",
        "relu",
        "conv 80 5x5 stride 2",
        "relu",
        "conv 70 3x3 no bias",
        "batchnorm",
        "conv 33 3x3 same",
        "batchnorm",
        "relu",
        "maxpool 2",
        "conv 40 3x3",
        "flatten",
        "dense classes",
    ];
    let mut network = architecture("shared", &layers);
    network.layers.insert(3, residual(&["conv 16 3x3 same", "relu", "conv 16 3x3 same"], &[]));
    let all = images(33);
    for set in sets() {
        let logits = |threads: usize| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("a pool");
            pool.install(|| {
                let mut model: Model<f32> = Model::new(set, &network, [28, 28], 10, 33).expect("it fits");
                model.initialise(&mut ChaCha8Rng::seed_from_u64(3));
                let mut logits = Vec::new();
                for images in [1, 2, 5, 16, 33] {
                    model.set_batch(images, |image| &all[image * 784..][..784]);
                    logits.push(model.forward(images).to_vec());
                }
                logits
            })
        };
        let alone = logits(1);
        assert!(alone[4].iter().all(|logit| logit.is_finite()));
        for part in &alone {
            assert_eq!(part[..], alone[4][..part.len()], "{}", set.name());
        }
        for threads in [2, 3, 7] {
            assert_eq!(logits(threads), alone, "{threads} threads, {}", set.name());
        }
    }
}

/// What infers has batch normalisation within the layers before it, with their ReLU and pool; what is looked into computes each layer by
/// itself. They agree up to rounding, whatever the statistics, ε and parameters are, and after each change of them.
#[test]
fn inference_with_folded_batch_norms_is_the_definitions() {
    let layers = [
        "conv 8 3x3 same no bias",
        "batchnorm",
        "relu",
        "maxpool 2",
        "conv 9 3x3 groups 1",
        "batchnorm",
        "conv 12 3x3 stride 2 groups 3",
        "batchnorm",
        "relu",
        "depthwise 3x3 same no bias",
        "batchnorm",
        "tanh",
        "depthwise 1x1",
        "batchnorm",
        "batchnorm",
        "relu",
        "batchnorm",
        "pixels",
        "dense 10 no bias",
        "batchnorm",
        "flatten",
        "dense 20",
        "batchnorm",
        "relu",
        "dense classes",
        "batchnorm",
    ];
    let mut network = architecture("folded", &layers);
    network
        .layers
        .insert(4, residual(&["conv 8 3x3 same", "batchnorm"], &["conv 8 1x1 no bias", "batchnorm"]));
    fn check<E: Build>(set: InstructionSet, network: &Architecture, tolerance: f64) {
        let mut folded: Model<E> = Model::new(set, network, [20, 18], 10, 1).expect("it fits");
        let mut plain: Model<E> = Model::to_look_into(set, network, [20, 18], 10).expect("it fits");
        let mut number = 0_u32;
        let mut random = || {
            number = number.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            f64::from(number >> 8) / f64::from(1 << 24)
        };
        let mut is_first = true;
        for epsilon in [0.001, 0.3] {
            for changed in ["mean", "variance", "scale", "offset", "weight", "bias"] {
                for model in [&mut folded, &mut plain] {
                    model.set_epsilon(epsilon);
                }
                for spec in plain.specs().to_vec() {
                    if !is_first && !spec.name.ends_with(changed) {
                        continue;
                    }
                    let least = if spec.name.ends_with("variance") { 0.05 } else { -0.5 };
                    for at in spec.range {
                        let value = E::from_f64(random() + least);
                        folded.parameters_mut()[at] = value;
                        plain.parameters_mut()[at] = value;
                    }
                }
                is_first = false;
                for at in 0..360 {
                    let value = E::from_f64(random());
                    folded.input_mut()[at] = value;
                    plain.input_mut()[at] = value;
                }
                let [found, expected] = [&mut folded, &mut plain].map(|model| widen(model.forward(1)));
                assert_ne!(found, expected, "nothing was folded");
                let tolerance = tolerance * largest(&expected);
                assert_close(
                    &format!("ε {epsilon}, {changed}, {}", set.name()),
                    &found,
                    &expected,
                    tolerance,
                );
                let unfolded = widen(folded.forward_changed(1, &|_, _| ()));
                assert_close("unfolded", &unfolded, &expected, tolerance);
                assert_ne!(unfolded, found);
                assert_eq!(widen(folded.forward(1)), found, "after another way");
            }
        }
    }
    for set in sets() {
        check::<f32>(set, &network, 1e-4);
    }
    let set = InstructionSet::PORTABLE;
    let mut model: Model<f32> = Model::new(set, &network, [20, 18], 10, 1).expect("it fits");
    let [first, second] = [1, 2].map(|seed| {
        model.initialise(&mut ChaCha8Rng::seed_from_u64(seed));
        model.input_mut().fill(0.5);
        model.forward(1).to_vec()
    });
    assert_ne!(first, second, "drawn anew");
    check::<f64>(InstructionSet::PORTABLE, &network, 1e-11);
}

/// By hand: 26² · 32 · 9, 11² · 64 · 9 · 32, 1600 · 128 and 128 · 10; 28 steps of 4 · 128 sums over 28 + 128.
#[test]
fn descriptions_count_by_the_definition() {
    let described = |name| study_model(name).describe([28, 28], 10).expect("it fits");
    let lines = |name| -> Vec<String> {
        described(name)
            .iter()
            .map(|one| format!("{} {} {} {}", one.layer, one.output, one.parameters, one.multiply_adds))
            .collect()
    };
    assert_eq!(
        lines("cnn"),
        [
            "conv 32 3x3 26×26×32 320 194688",
            "relu 26×26×32 0 0",
            "maxpool 2 13×13×32 0 0",
            "conv 64 3x3 11×11×64 18496 2230272",
            "relu 11×11×64 0 0",
            "maxpool 2 5×5×64 0 0",
            "flatten 1600 0 0",
            "dense 128 128 204928 204800",
            "relu 128 0 0",
            "dense classes 10 1290 1280",
        ]
    );
    assert_eq!(lines("lstm"), ["lstm 128 128 80384 2236416", "dense classes 10 1290 1280"]);
    for name in ["cnn", "lstm"] {
        let counted: usize = described(name).iter().map(|one| one.parameters).sum();
        assert_eq!(counted, model(InstructionSet::PORTABLE, name, 1).parameters().len());
    }
}

#[test]
fn layers_that_do_not_fit_are_named() {
    let problem = |layers: &[&str]| {
        let architecture = architecture("m", layers);
        match Model::<f32>::new(InstructionSet::PORTABLE, &architecture, [8, 9], 4, 1) {
            Ok(_) => panic!("it fits"),
            Err(error) => error.to_string(),
        }
    };
    for (layers, told) in [
        (
            &["conv 2 3x3", "relu", "conv 2 7x7"][..],
            "layer 3 (conv 2 7x7): a kernel of 7x7 does not fit an image of 6×7×2",
        ),
        (
            &["conv 2 3x3 pad 3"],
            "layer 1 (conv 2 3x3 pad 3): a padding of 3 leaves windows of a kernel 3x3 pad 3 that see nothing else",
        ),
        (
            &["conv 4 1x1", "conv 6 1x1 groups 4"],
            "layer 2 (conv 6 1x1 groups 4): 4 groups do not divide both 4 channels and 6 filters",
        ),
        (
            &["conv 2 3x3", "relu", "maxpool 7"],
            "layer 3 (maxpool 7): windows of 7×7 do not fit an image of 6×7×2",
        ),
        (&["conv 2 3x3", "maxpool 16"], "layer 2 (maxpool 16): windows of 1×1 to 15×15 are expected"),
        (
            &["dense 3"],
            "layer 1 (dense 3): a list of features is expected, an image of 8×9×1 was found: flatten it",
        ),
        (&["flatten", "lstm 3"], "layer 2 (lstm 3): a sequence is expected, 72 values were found"),
        (&["flatten", "maxpool 2"], "layer 2 (maxpool 2): an image is expected, 72 values were found"),
        (&["rows", "conv 2 1x1"], "layer 2 (conv 2 1x1): an image is expected, a sequence of 8×9 was found"),
        (
            &["position"],
            "layer 1 (position): a sequence is expected, an image of 8×9×1 was found: put rows, columns, pixels or \
             patches before it",
        ),
        (&["patches 3"], "layer 1 (patches 3): patches of 3×3 do not divide an image of 8×9×1"),
        (&["rows", "attention 2"], "layer 2 (attention 2): 2 heads do not divide 9 features"),
        (
            &["flatten", "global avgpool"],
            "layer 2 (global avgpool): an image or a sequence is expected, 72 values were found",
        ),
        (&["flatten", "dense 5"], "layer 2 (dense 5): the output must be 4 values, one a class; it is 5"),
        (&[], "layer 0 (no layer): the output must be 4 values, one a class; it is 8×9×1"),
        (&["maxpool 4", "flatten"], "layer 2 (flatten): a layer that has parameters is expected"),
        (
            &["conv 65536 1x1"],
            "layer 1 (conv 65536 1x1): 4718592 values of one image: at most 2097152 expected",
        ),
        (
            &["conv 1 3x3 same dilation 40000"],
            "layer 1 (conv 1 3x3 same dilation 40000): 6401360072 values of one image with its padding: at most 4194304 expected, \
             by a smaller padding or dilation",
        ),
        (
            &["conv 1 2x2 dilation 65535 pad 65535 stride 65535"],
            "layer 1 (conv 1 2x2 stride 65535 pad 65535 dilation 65535): 17181573162 values of one image with its padding: at most \
             4194304 expected, by a smaller padding or dilation",
        ),
        (
            &["depthwise 3x3 same dilation 15000"],
            "layer 1 (depthwise 3x3 same dilation 15000): 900510072 values of one image with its padding: at most 4194304 expected, \
             by a smaller padding or dilation",
        ),
        (
            &["flatten", "dense 65536", "dense 65536"],
            "layer 3 (dense 65536): more than 67108864 parameters so far",
        ),
    ] {
        assert_eq!(problem(layers), format!("model m, {told}"));
    }
}

/// Within residual layers a position says the way.
#[test]
fn layers_within_residual_ones_are_named() {
    let problem = |body: &[&str], shortcut: &[&str]| {
        let layers = |layers| architecture("", layers).layers;
        let mut whole = architecture("m", &["conv 2 1x1", "flatten", "dense classes"]);
        let residual = LayerSpec::Residual { body: layers(body), shortcut: layers(shortcut) };
        whole.layers.insert(1, residual);
        whole.describe([8, 9], 4).map(|_| ()).expect_err("it does not fit").to_string()
    };
    assert_eq!(
        problem(&["relu", "conv 2 9x9"], &[]),
        "model m, layer 2.2 (conv 2 9x9): a kernel of 9x9 does not fit an image of 8×9×2"
    );
    assert_eq!(
        problem(&["relu"], &["dense 3"]),
        "model m, layer 2.shortcut.1 (dense 3): a list of features is expected, an image of 8×9×2 was found: flatten it"
    );
    assert_eq!(
        problem(&["conv 3 1x1"], &[]),
        "model m, layer 2 (residual [conv 3 1x1]): the body gives 8×9×3, the shortcut 8×9×2: they cannot be added"
    );
}
