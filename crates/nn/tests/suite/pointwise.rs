//! Activations, dropout and normalisations: derivatives against differences, values against Keras, what is dropped.

use crate::{
    common::{Golden, architecture, assert_close, largest, sets, widen},
    differences::residual,
};
use nn::{Architecture, Build, InstructionSet, Model, Optimiser, Role, UpdateRule};

const STEP: f64 = 1e-5;
const TOLERANCE: f64 = 1e-8;
const SEED: u64 = 5;

/// Numbers of −1..1 from a multiplicative generator: enough for a sample, and the same on every machine.
struct Numbers(u64);

impl Numbers {
    fn next(&mut self) -> f64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 11) as f64 / (1u64 << 52) as f64 - 1.0
    }
}

/// A model with random parameters and pixels.
fn sample<E: Build>(
    set: InstructionSet,
    layers: &[&str],
    sizes: [usize; 3],
    classes: usize,
) -> (Model<E>, Vec<u8>) {
    sample_of(set, &architecture("pointwise", layers), sizes, classes)
}

fn sample_of<E: Build>(
    set: InstructionSet,
    architecture: &Architecture,
    [batch, height, width]: [usize; 3],
    classes: usize,
) -> (Model<E>, Vec<u8>) {
    let mut model = Model::<E>::new(set, architecture, [height, width], classes, batch).expect("it fits");
    let mut numbers = Numbers(batch as u64 + 7);
    model.parameters_mut().iter_mut().for_each(|parameter| *parameter = E::from_f64(0.6 * numbers.next()));
    for spec in model.specs().to_vec() {
        if spec.role == Role::Scale || spec.role == Role::Statistic {
            model.parameters_mut()[spec.range].iter_mut().for_each(|parameter| *parameter += E::ONE);
        }
    }
    model.input_mut().iter_mut().for_each(|pixel| *pixel = E::from_f64(numbers.next()));
    (model, (0..batch).map(|image| (image * 7 % classes) as u8).collect())
}

/// The loss while learning, of the first step after the seed: normalised by the batch itself, with one mask.
fn loss(model: &mut Model<f64>, labels: &[u8]) -> f64 {
    model.set_dropout_seed(SEED);
    model.differentiate(labels, None).loss()
}

/// Asserts that the derivatives of the learning loss are its difference quotients.
fn assert_right(layers: &[&str], sizes: [usize; 3], classes: usize) {
    assert_right_of(&architecture("pointwise", layers), sizes, classes);
}

fn assert_right_of(architecture: &Architecture, sizes: [usize; 3], classes: usize) {
    let (mut model, labels) = sample_of::<f64>(InstructionSet::PORTABLE, architecture, sizes, classes);
    let layers = &architecture.layers;
    let mut d_input = vec![f64::NAN; sizes.iter().product()];
    model.set_dropout_seed(SEED);
    model.differentiate(&labels, Some(&mut d_input));
    let gradient = model.gradient().to_vec();
    assert!(
        gradient.iter().filter(|value| **value != 0.0).count() > gradient.len() / 3,
        "hardly any gradient"
    );
    let compare = |what: &str, index: usize, backward: f64, above: f64, below: f64| {
        let quotient = (above - below) / (2.0 * STEP);
        let off = (backward - quotient).abs();
        assert!(off <= TOLERANCE, "{layers:?}: {what} {index}: {backward}, differences say {quotient}");
    };
    for spec in model.specs().to_vec() {
        if spec.role == Role::Statistic {
            continue;
        }
        for index in spec.range {
            let value = model.parameters()[index];
            let mut moved = |by: f64| {
                model.parameters_mut()[index] = value + by;
                loss(&mut model, &labels)
            };
            let (above, below) = (moved(STEP), moved(-STEP));
            model.parameters_mut()[index] = value;
            compare(&spec.name, index, gradient[index], above, below);
        }
    }
    for (index, derivative) in d_input.iter().enumerate() {
        let value = model.input_mut()[index];
        let mut moved = |by: f64| {
            model.input_mut()[index] = value + by;
            loss(&mut model, &labels)
        };
        let (above, below) = (moved(STEP), moved(-STEP));
        model.input_mut()[index] = value;
        compare("pixel", index, *derivative, above, below);
    }
}

#[test]
fn activations_of_their_own() {
    for activation in ["relu", "leaky relu 0.1", "gelu", "silu", "tanh", "sigmoid"] {
        let layers =
            [activation, "conv 2 3x3", activation, "flatten", "dense 5", activation, "dense classes"];
        assert_right(&layers, [3, 4, 5], 3);
    }
    assert_right(&["rows", "relu", "gelu", "flatten", "dense classes"], [2, 5, 6], 3);
}

#[test]
fn layer_normalisation_of_images_sequences_and_lists() {
    let image = ["conv 3 2x2", "layernorm", "conv 2 2x2", "flatten", "dense 4", "layernorm", "dense classes"];
    assert_right(&image, [18, 4, 4], 3);
    assert_right(&["rows", "layernorm", "gelu", "layernorm", "flatten", "dense classes"], [3, 4, 5], 3);
}

/// Two groups of images, each with statistics of its own.
#[test]
fn batch_normalisation_of_images_sequences_and_lists() {
    let image = ["batchnorm", "conv 3 2x2", "batchnorm", "relu", "conv 2 2x2", "flatten", "dense classes"];
    assert_right(&image, [18, 4, 4], 3);
    assert_right(&["conv 2 2x2", "batchnorm", "gelu", "flatten", "dense classes"], [18, 4, 4], 3);
    assert_right(
        &["rows", "batchnorm", "flatten", "dense 4", "batchnorm", "tanh", "dense classes"],
        [9, 4, 3],
        3,
    );
    assert_right(
        &["conv 2 2x2", "relu", "batchnorm", "flatten", "batchnorm", "relu", "dense classes"],
        [8, 3, 4],
        3,
    );
}

/// It differentiates in place, which it may where nothing else reads its input; else its derivative is added to the others'.
#[test]
fn batch_normalisation_within_residual_layers() {
    let first: [&[&str]; 2] = [&[], &["conv 3 1x1"]];
    let ways: [[&[&str]; 2]; 4] = [
        [&["batchnorm", "relu", "conv 3 3x3 same"], &[]],
        [&["conv 3 3x3 same", "batchnorm"], &[]],
        [&["batchnorm"], &["batchnorm", "relu"]],
        [&["conv 3 3x3 same", "batchnorm", "relu"], &["conv 3 3x3 same", "batchnorm"]],
    ];
    for first in first {
        for [body, shortcut] in ways {
            // An image has one channel, which some of these bodies change.
            if first.is_empty() && shortcut.is_empty() {
                continue;
            }
            let layers: Vec<&str> =
                first.iter().chain(&["flatten", "dense 4", "dense classes"]).copied().collect();
            let mut whole = architecture("residual", &layers);
            whole.layers.insert(first.len(), residual(body, shortcut));
            assert_right_of(&whole, [18, 3, 4], 3);
        }
    }
}

#[test]
fn dropout_under_one_mask() {
    let layers = [
        "dropout 0.3",
        "conv 3 3x3",
        "relu",
        "dropout 0.5",
        "flatten",
        "dense 6",
        "dropout 0.2",
        "dense classes",
    ];
    assert_right(&layers, [18, 4, 5], 3);
}

/// The masks of a batch by what they do to its loss and gradient; none in inference.
#[test]
fn dropout_follows_seed_and_step_and_ends_with_learning() {
    let with = ["flatten", "dense 20", "dropout 0.5", "dense 10", "dropout 0.5", "dense classes"];
    let without = ["flatten", "dense 20", "dense 10", "dense classes"];
    for set in sets() {
        let (mut model, labels) = sample::<f32>(set, &with, [40, 4, 5], 3);
        let mut step = |seed: Option<u64>| {
            if let Some(seed) = seed {
                model.set_dropout_seed(seed);
            }
            (model.differentiate(&labels, None).loss(), model.gradient().to_vec())
        };
        let (first, second) = (step(Some(1)), step(None));
        assert!(first != second, "{}: every step drops the same", set.name());
        assert!(step(Some(2)) != first, "{}: every seed drops the same", set.name());
        assert!(step(Some(1)) == first && step(None) == second, "{}: not again the same", set.name());

        let (mut plain, _) = sample::<f32>(set, &without, [40, 4, 5], 3);
        assert_eq!(model.evaluate(&labels), plain.evaluate(&labels), "{}", set.name());
        assert_eq!(model.forward(40), plain.forward(40), "{}", set.name());
    }
}

/// Layers, groups and images each drop their own: otherwise equal images would have equal gradients.
#[test]
fn images_of_a_batch_drop_apart() {
    let layers = ["flatten", "dropout 0.5", "dense classes"];
    let (mut model, _) = sample::<f64>(InstructionSet::PORTABLE, &layers, [40, 6, 6], 3);
    model.input_mut().fill(1.0);
    let mut d_input = vec![f64::NAN; 40 * 36];
    model.differentiate(&[1; 40], Some(&mut d_input));
    let masks: Vec<Vec<bool>> =
        d_input.chunks_exact(36).map(|image| image.iter().map(|value| *value == 0.0).collect()).collect();
    for (one, mask) in masks.iter().enumerate() {
        let dropped = mask.iter().filter(|dropped| **dropped).count();
        assert!((5..=31).contains(&dropped), "image {one}: {dropped} of 36 dropped at a rate of a half");
        assert!(!masks[..one].contains(mask), "image {one} has another's mask");
    }
}

/// Three steps with everything in it.
fn train(set: InstructionSet, threads: usize) -> Vec<u32> {
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("threads");
    pool.install(|| {
        let layers = [
            "conv 4 3x3",
            "batchnorm",
            "relu",
            "dropout 0.2",
            "flatten",
            "dense 9",
            "layernorm",
            "gelu",
            "dropout 0.5",
            "dense classes",
        ];
        let (mut model, labels) = sample::<f32>(set, &layers, [70, 6, 7], 3);
        model.set_dropout_seed(SEED);
        let mut bits = Vec::new();
        for _ in 0..3 {
            let loss = model.differentiate(&labels, None).loss() as f32;
            bits.extend(model.gradient().iter().chain([&loss]).map(|value| value.to_bits()));
        }
        bits
    })
}

#[test]
fn the_same_bits_on_any_number_of_threads() {
    for set in sets() {
        let one = train(set, 1);
        for threads in [2, 3, 7] {
            assert!(train(set, threads) == one, "{}, {threads} threads", set.name());
        }
    }
}

/// On one thread, where the counter sees all of it.
#[test]
fn a_step_allocates_nothing() {
    let pool = rayon::ThreadPoolBuilder::new().num_threads(1).build().expect("a thread");
    let layers = ["conv 4 3x3", "batchnorm", "gelu", "flatten", "layernorm", "dropout 0.5", "dense classes"];
    let (mut model, labels) = sample::<f32>(InstructionSet::detect(), &layers, [40, 6, 7], 3);
    let mut step = || model.differentiate(&labels, None);
    let counted = pool.install(|| {
        step();
        allocation_counter::measure(|| {
            step();
        })
    });
    assert_eq!(counted.count_total, 0, "{} bytes", counted.bytes_total);
}

/// The gradient's places of `mean` and `variance` hold what the groups saw, each by its number of images.
#[test]
fn batch_statistics_are_the_mean_over_the_groups() {
    let (images, pixels) = (40, 12);
    for set in sets() {
        let (mut model, labels) =
            sample::<f32>(set, &["batchnorm", "flatten", "dense classes"], [images, 3, 4], 3);
        model.differentiate(&labels, None);
        let input = widen(model.input_mut());
        let (mut mean, mut variance) = (0.0, 0.0);
        for group in input.chunks(16 * pixels) {
            let own = group.iter().sum::<f64>() / group.len() as f64;
            let squares: f64 = group.iter().map(|x| (x - own) * (x - own)).sum();
            mean += own * group.len() as f64 / input.len() as f64;
            variance += squares / input.len() as f64;
        }
        for (name, expected) in [("batchnorm1.mean", mean), ("batchnorm1.variance", variance)] {
            let spec = model.specs().iter().find(|spec| spec.name == name).expect("a parameter");
            assert_eq!(spec.role, Role::Statistic);
            let found = widen(&model.gradient()[spec.range.clone()]);
            assert_close(&format!("{name}, {}", set.name()), &found, &[expected], 1e-6);
        }
    }
}

/// Steps of no length leave all but the running statistics, which come to the batch's own: inference then is what
/// learning computes, and after one step a tenth of the way.
#[test]
fn running_statistics_go_to_those_of_the_batch() {
    let layers = ["conv 3 2x2", "batchnorm", "relu", "flatten", "batchnorm", "dense classes"];
    let (mut model, labels) = sample::<f64>(InstructionSet::PORTABLE, &layers, [12, 4, 4], 3);
    let mut optimiser = Optimiser::new(&UpdateRule::default(), model.specs());
    let initial = model.parameters().to_vec();
    let learning = model.differentiate(&labels, None).loss();
    assert!((model.evaluate(&labels).loss() - learning).abs() > 1e-3, "they differ at first");
    for step in 0..300 {
        model.differentiate(&labels, None);
        model.update(&mut optimiser, 0.0);
        for spec in model.specs() {
            for index in spec.range.clone() {
                let (from, found) = (initial[index], model.parameters()[index]);
                if spec.role != Role::Statistic {
                    assert_eq!(found, from, "{}", spec.name);
                } else if step == 0 {
                    let expected = from + 0.1 * (model.gradient()[index] - from);
                    assert!((found - expected).abs() <= 1e-15, "{}: {found}", spec.name);
                }
            }
        }
    }
    let found = model.evaluate(&labels).loss();
    assert!((found - learning).abs() <= 1e-10, "{found} in inference, {learning} while learning");
}

/// One row has no variance: a group of one image is normalised by the running statistics, and says nothing of the batch's.
#[test]
fn a_stray_image_is_normalised_by_the_running_statistics() {
    let layers = ["flatten", "dense 4", "batchnorm", "relu", "dense 5", "batchnorm", "tanh", "dense classes"];
    for images in [1, 17] {
        assert_right(&layers, [images, 3, 4], 3);
    }
    // A batch of one is computed as in inference.
    let (mut model, labels) = sample::<f64>(InstructionSet::PORTABLE, &layers, [1, 3, 4], 3);
    let learning = model.differentiate(&labels, None).loss();
    assert!((model.evaluate(&labels).loss() - learning).abs() <= 1e-15, "{learning}");
}

#[test]
fn a_stray_image_leaves_the_running_statistics_to_the_others() {
    let layers = ["flatten", "dense 5", "batchnorm", "relu", "dense classes"];
    for set in sets() {
        let (mut model, labels) = sample::<f32>(set, &layers, [33, 3, 4], 3);
        let specs: Vec<_> =
            model.specs().iter().filter(|spec| spec.role == Role::Statistic).cloned().collect();
        let mut statistics = |images: usize| -> Vec<f32> {
            model.differentiate(&labels[..images], None);
            assert!(model.gradient().iter().all(|value| value.is_finite()));
            specs.iter().flat_map(|spec| model.gradient()[spec.range.clone()].to_vec()).collect()
        };
        let of_whole_groups = statistics(32);
        assert_eq!(statistics(33), of_whole_groups, "{}", set.name());
        assert_ne!(statistics(31), of_whole_groups, "{}: others count", set.name());
        // Alone it moves nothing: the optimiser goes towards where the statistics are.
        let alone = statistics(1);
        let running: Vec<f32> =
            specs.iter().flat_map(|spec| model.parameters()[spec.range.clone()].to_vec()).collect();
        assert_eq!(alone, running, "{}", set.name());
    }
}

/// Batches of 17 must come to the running variance that those of 16 come to: with a variance of 0 for every 17th image it
/// would be 6 % smaller.
#[test]
fn strays_do_not_shrink_the_running_variance() {
    let layers = ["flatten", "batchnorm", "dense classes"];
    let running = |images: usize| {
        let (mut model, _) = sample::<f64>(InstructionSet::PORTABLE, &layers, [images, 6, 8], 3);
        let mut optimiser = Optimiser::new(&UpdateRule::default(), model.specs());
        let mut numbers = Numbers(9);
        for _ in 0..400 {
            model.input_mut().iter_mut().for_each(|pixel| *pixel = numbers.next());
            model.differentiate(&vec![0; images], None);
            model.update(&mut optimiser, 0.0);
        }
        let spec = model.specs().iter().find(|spec| spec.name == "batchnorm1.variance").expect("a parameter");
        spec.range.clone().map(|index| model.parameters()[index]).sum::<f64>() / 48.0
    };
    // Uniform numbers of −1..1 have a variance of 1/3; a group's own is smaller by one part in 16. The standard error, of
    // 48 pixels over some twenty batches, is 0.75 %.
    for images in [16, 17] {
        let found = running(images);
        assert!((found / (15.0 / 48.0) - 1.0).abs() < 0.03, "batches of {images}: {found}");
    }
}

#[test]
fn scales_begin_at_one_and_offsets_at_zero() {
    use rand_chacha::{ChaCha8Rng, rand_core::SeedableRng};
    let architecture = architecture("m", &["batchnorm", "layernorm", "flatten", "dense classes"]);
    let mut model =
        Model::<f32>::new(InstructionSet::PORTABLE, &architecture, [3, 3], 2, 1).expect("it fits");
    model.initialise(&mut ChaCha8Rng::seed_from_u64(1));
    for spec in &model.specs()[..6] {
        let expected =
            if spec.name.ends_with("scale") || spec.name.ends_with("variance") { 1.0 } else { 0.0 };
        assert_eq!(model.parameters()[spec.range.clone()], [expected], "{}", spec.name);
    }
    assert_eq!(model.trainable_parameters(), model.parameters().len() - 2);
}

/// `tolerance` is how far a float type may be from Keras in float64, of a tensor's largest value or of 0.05: sums of some
/// parameters' derivatives cancel down to 1e-4.
fn check_golden<E: Build>(set: InstructionSet, network: &str, layers: &[&str], tolerance: f64) {
    let golden = Golden::read("layers/pointwise.safetensors");
    let values = |name: &str| golden.values(&format!("{network}/{name}"));
    let (mut model, _) = sample::<E>(set, layers, [5, 6, 7], 4);
    for spec in model.specs().to_vec() {
        let initial = values(&format!("initial/{}", spec.name));
        let parameters = &mut model.parameters_mut()[spec.range];
        assert_eq!(parameters.len(), initial.len(), "{}", spec.name);
        parameters.iter_mut().zip(initial).for_each(|(to, from)| *to = E::from_f64(*from));
    }
    model.input_mut().iter_mut().zip(values("input")).for_each(|(to, from)| *to = E::from_f64(*from));
    let labels: Vec<u8> = values("labels").iter().map(|label| *label as u8).collect();
    let close = |name: &str, found: &[E], expected: &[f64]| {
        let what = format!("{network}, {}, {name}", set.name());
        assert_close(&what, &widen(found), expected, tolerance * largest(expected).max(0.05));
    };
    close("inference", model.forward(5), values("inference/logits"));
    let mut d_input = vec![E::ZERO; 5 * 6 * 7];
    let loss = model.differentiate(&labels, Some(&mut d_input)).loss();
    close("loss", &[E::from_f64(loss)], values("loss"));
    close("input", &d_input, values("gradient/input"));
    for spec in model.specs() {
        let (name, gradient) = (&spec.name, &model.gradient()[spec.range.clone()]);
        if spec.role == Role::Statistic {
            // A momentum of 0.9 on the way from the initial value to the batch's.
            let initial = values(&format!("initial/{name}"));
            let moved: Vec<E> = initial
                .iter()
                .zip(gradient)
                .map(|(from, to)| E::from_f64(from + 0.1 * (to.to_f64() - from)))
                .collect();
            close(name, &moved, values(&format!("moved/{name}")));
        } else {
            close(name, gradient, values(&format!("gradient/{name}")));
        }
    }
}

#[test]
fn golden_activations_and_normalisations() {
    let networks: [(&str, &[&str]); 3] = [
        (
            "activations",
            &[
                "conv 3 3x3",
                "leaky relu 0.125",
                "conv 3 1x1",
                "gelu",
                "conv 2 1x1",
                "silu",
                "flatten",
                "dense 6",
                "tanh",
                "dense 5",
                "sigmoid",
                "dense classes",
            ],
        ),
        (
            "layernorm",
            &[
                "layernorm",
                "conv 3 3x3",
                "layernorm",
                "relu",
                "flatten",
                "dense 6",
                "layernorm",
                "gelu",
                "dense classes",
            ],
        ),
        (
            "batchnorm",
            &[
                "batchnorm",
                "conv 3 3x3",
                "batchnorm",
                "relu",
                "flatten",
                "dense 6",
                "batchnorm",
                "tanh",
                "dense classes",
            ],
        ),
    ];
    for (network, layers) in networks {
        check_golden::<f64>(InstructionSet::PORTABLE, network, layers, 1e-10);
        for set in sets() {
            check_golden::<f32>(set, network, layers, 2e-5);
        }
    }
}
