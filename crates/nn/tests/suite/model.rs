//! What a model promises as a whole: sizes, errors, the same bits on any number of threads and in every batch.

use crate::common::{architecture, sets};
use nn::{InstructionSet, LayerSpec, Model, Optimiser, built_in, built_in_architectures};
use rand_chacha::{ChaCha8Rng, rand_core::SeedableRng};

fn model(set: InstructionSet, name: &str, capacity: usize) -> Model<f32> {
    let mut model =
        Model::new(set, &built_in(name).expect("built in"), 28, 28, 10, capacity).expect("it fits");
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

#[test]
fn the_models_have_the_sizes_of_the_study() {
    let counts: Vec<(String, usize)> = built_in_architectures()
        .iter()
        .map(|one| (one.name.clone(), model(InstructionSet::PORTABLE, &one.name, 1).parameters().len()))
        .collect();
    assert_eq!(counts, [("cnn".to_owned(), 225_034), ("lstm".to_owned(), 81_674)]);
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
        let mut optimiser = Optimiser::new(model.parameters().len());
        for count in [50, 50, 17, 1] {
            let images = images(count);
            model.set_batch(count, |image| &images[image * 784..][..784]);
            model.differentiate(&labels(count), None);
            model.update(&mut optimiser, 1e-3);
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
            let mut optimiser = Optimiser::new(model.parameters().len());
            let mut step = |count: usize| {
                model.differentiate_images(&labels[..count], |image| &images[image * 784..][..784]);
                model.update(&mut optimiser, 1e-3);
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

/// By hand: 26² · 32 · 9, 11² · 64 · 9 · 32, 1600 · 128 and 128 · 10; 28 steps of 4 · 128 sums over 28 + 128.
#[test]
fn descriptions_count_by_the_definition() {
    let described = |name| built_in(name).expect("built in").describe(28, 28, 10).expect("it fits");
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
    use LayerSpec::{Classes, Convolution, Dense, Flatten, Lstm, MaxPool, Relu};
    let problem = |layers: Vec<LayerSpec>| match Model::<f32>::new(
        InstructionSet::PORTABLE,
        &architecture("m", layers),
        8,
        9,
        4,
        1,
    ) {
        Ok(_) => panic!("it fits"),
        Err(error) => error.to_string(),
    };
    let conv = |filters, kernel| Convolution { filters, kernel };
    assert_eq!(
        problem(vec![conv(2, 3), Relu, conv(2, 7), Flatten, Classes]),
        "model m, layer 3 (conv 2 7x7): 2 filters of 7×7 do not fit an image of 6×7×2"
    );
    assert_eq!(
        problem(vec![conv(2, 3), Relu, MaxPool { size: 7 }, Flatten, Classes]),
        "model m, layer 3 (maxpool 7): windows of 7×7 do not fit an image of 6×7×2"
    );
    assert_eq!(
        problem(vec![Dense { units: 3 }]),
        "model m, layer 1 (dense 3): a list of features is expected, an image of 8×9×1 was found: flatten it"
    );
    assert_eq!(
        problem(vec![Flatten, Lstm { units: 3 }]),
        "model m, layer 2 (lstm 3): an image is expected, 72 values were found"
    );
    assert_eq!(
        problem(vec![Relu, Flatten, Classes]),
        "model m, layer 1 (relu): a relu must follow a convolution or a dense layer"
    );
    assert_eq!(
        problem(vec![Flatten, MaxPool { size: 2 }]),
        "model m, layer 2 (maxpool 2): an image is expected, 72 values were found"
    );
    for size in [0, 16] {
        assert_eq!(
            problem(vec![conv(2, 3), MaxPool { size }, Flatten, Classes]),
            format!("model m, layer 2 (maxpool {size}): windows of 1×1 to 15×15 are expected")
        );
    }
    assert_eq!(
        problem(vec![MaxPool { size: 2 }, Flatten, Classes]),
        "model m, layer 1 (maxpool 2): max-pooling must follow a convolution and its relu"
    );
    assert_eq!(
        problem(vec![conv(2, 3), conv(2, 0), Flatten, Classes]),
        "model m, layer 2 (conv 2 0x0): 2 filters of 0×0 do not fit an image of 6×7×2"
    );
    assert_eq!(
        problem(vec![Flatten, Dense { units: 5 }]),
        "model m, layer 2 (dense 5): the output must be 4 values, one a class; it is 5"
    );
    assert_eq!(
        problem(vec![]),
        "model m, layer 0 (no layer): the output must be 4 values, one a class; it is 8×9×1"
    );
    assert_eq!(
        problem(vec![Flatten, Dense { units: 0 }]),
        "model m, layer 2 (dense 0): at least one unit is expected"
    );
}
