//! Layers on sequences: dense at every step, position embedding, self-attention.

use crate::{
    common::{Golden, architecture, assert_close, largest, sets, widen},
    differences::{assert_right, residual},
};
use nn::{Architecture, Build, InstructionSet, Model, Optimiser, UpdateRule};
use rand_chacha::{ChaCha8Rng, rand_core::SeedableRng};

#[test]
fn dense_layers_at_every_step() {
    let layers = ["rows", "dense 5", "relu", "dense 3", "flatten", "dense classes"];
    assert_right(&architecture("dense", &layers), [3, 4, 6], 3);
    let layers = ["pixels", "dense 2 no bias", "transpose", "dense 3", "flatten", "dense classes no bias"];
    assert_right(&architecture("without bias", &layers), [18, 3, 2], 3);
}

#[test]
fn positions() {
    let layers = ["rows", "position", "dense 2", "relu", "position", "flatten", "dense classes"];
    assert_right(&architecture("position", &layers), [18, 3, 4], 3);
}

/// More images than a group holds; heads whose features are no whole vector; a residual sum around it; as the first layer
/// of the network.
#[test]
fn attention() {
    let layers = ["rows", "dense 6", "attention 2", "flatten", "dense classes"];
    assert_right(&architecture("two heads", &layers), [18, 4, 3], 3);
    assert_right(&architecture("first", &["rows", "attention 1", "flatten", "dense classes"]), [3, 5, 3], 3);
    assert_right(
        &architecture("one step", &["rows", "attention 2", "flatten", "dense classes"]),
        [3, 1, 4],
        3,
    );
    let mut stacked =
        architecture("stacked", &["patches 2", "dense 6", "position", "flatten", "dense classes"]);
    stacked.layers.insert(3, residual(&["attention 3"], &[]));
    stacked.layers.insert(4, residual(&["attention 2", "dense 4", "relu", "dense 6"], &[]));
    assert_right(&stacked, [2, 4, 6], 3);
}

/// The network of golden/layers/sequences.py.
fn golden_network() -> Architecture {
    let mut network = architecture(
        "golden",
        &["patches 2", "dense 8 no bias", "position", "transpose", "dense 5", "flatten"],
    );
    network.layers.insert(3, residual(&["attention 2"], &[]));
    network.layers.insert(4, residual(&["dense 9", "relu", "dense 8"], &[]));
    network.layers.extend(architecture("", &["dense classes no bias"]).layers);
    network
}

/// Logits, loss and every gradient. Keras's float64 is some roundings away from ours, and float32 from it.
#[test]
fn keras_computes_the_same() {
    fn check<E: Build>(set: InstructionSet, tolerance: f64) {
        let golden = Golden::read("layers/sequences.safetensors");
        let mut model = Model::<E>::new(set, &golden_network(), [8, 6], 4, 3).expect("it fits");
        for spec in model.specs().to_vec() {
            let values = golden.values(&spec.name);
            assert_eq!(values.len(), spec.range.len(), "{}", spec.name);
            let parameters = &mut model.parameters_mut()[spec.range];
            parameters.iter_mut().zip(values).for_each(|(ours, value)| *ours = E::from_f64(*value));
        }
        let pixels = golden.values("pixels");
        model.input_mut().iter_mut().zip(pixels).for_each(|(ours, value)| *ours = E::from_f64(*value));
        let labels: Vec<u8> = golden.values("labels").iter().map(|label| *label as u8).collect();
        let close = |what: &str, ours: &[E]| {
            let expected = golden.values(what);
            let what = format!("{what}, {}", set.name());
            assert_close(&what, &widen(ours), expected, tolerance * largest(expected));
        };
        close("logits", model.forward(3));
        let mut d_input = vec![E::from_f64(f64::NAN); pixels.len()];
        let loss = model.differentiate(&labels, Some(&mut d_input)).loss();
        assert_close("loss", &[loss], golden.values("loss"), tolerance);
        close("d/pixels", &d_input);
        for spec in model.specs() {
            close(&format!("d/{}", spec.name), &model.gradient()[spec.range.clone()]);
        }
    }
    check::<f64>(InstructionSet::PORTABLE, 1e-13);
    for set in sets() {
        check::<f32>(set, 5e-6);
    }
}

/// A small transformer on images of 12 × 12.
fn transformer() -> Architecture {
    let mut network = architecture("transformer", &["patches 4", "dense 16", "position", "flatten"]);
    network.layers.insert(3, residual(&["attention 2"], &[]));
    network.layers.insert(4, residual(&["dense 24", "relu", "dense 16"], &[]));
    network
        .layers
        .insert(5, residual(&["transpose", "dense 11 no bias", "relu", "dense 9", "transpose"], &[]));
    network.layers.extend(architecture("", &["dense classes"]).layers);
    network
}

/// Images whose every pixel is a function of its place.
fn images(count: usize) -> Vec<u8> {
    (0..count * 144).map(|index| ((index * 2_654_435_761) >> 13) as u8 * u8::from(index % 5 < 2)).collect()
}

fn labels(count: usize) -> Vec<u8> {
    (0..count).map(|image| (image * 3 % 10) as u8).collect()
}

fn train(set: InstructionSet, threads: usize) -> Vec<u32> {
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("threads");
    pool.install(|| {
        let mut model = Model::<f32>::new(set, &transformer(), [12, 12], 10, 50).expect("it fits");
        model.initialise(&mut ChaCha8Rng::seed_from_u64(3));
        let mut optimiser = Optimiser::new(&UpdateRule::default(), model.specs());
        for count in [50, 50, 17, 1] {
            let images = images(count);
            model.set_batch(count, |image| &images[image * 144..][..144]);
            model.differentiate(&labels(count), None);
            model.update(&mut optimiser, 1e-3);
        }
        model.parameters().iter().map(|value| value.to_bits()).collect()
    })
}

#[test]
fn the_same_bits_on_any_number_of_threads() {
    for set in sets() {
        let one = train(set, 1);
        for threads in [2, 3] {
            assert!(train(set, threads) == one, "{}, {threads} threads", set.name());
        }
    }
}

#[test]
fn an_image_gives_the_same_logits_in_any_company() {
    for set in sets() {
        let all = images(33);
        let mut model = Model::<f32>::new(set, &transformer(), [12, 12], 10, 33).expect("it fits");
        model.initialise(&mut ChaCha8Rng::seed_from_u64(3));
        model.set_batch(33, |image| &all[image * 144..][..144]);
        let together = model.forward(33).to_vec();
        for image in [0, 15, 16, 32] {
            model.set_batch(1, |_| &all[image * 144..][..144]);
            assert_eq!(model.forward(1), &together[image * 10..][..10], "image {image}, {}", set.name());
        }
    }
}

/// On one thread, where the counter sees all of it.
#[test]
fn a_step_allocates_nothing() {
    let pool = rayon::ThreadPoolBuilder::new().num_threads(1).build().expect("a thread");
    let mut model = Model::<f32>::new(sets()[0], &transformer(), [12, 12], 10, 50).expect("it fits");
    model.initialise(&mut ChaCha8Rng::seed_from_u64(3));
    let mut optimiser = Optimiser::new(&UpdateRule::default(), model.specs());
    let (images, labels) = (images(50), labels(50));
    let mut step = |count: usize| {
        model.differentiate_images(&labels[..count], |image| &images[image * 144..][..144]);
        model.update(&mut optimiser, 1e-3);
    };
    let counted = pool.install(|| {
        step(50);
        allocation_counter::measure(|| [50, 17, 50].into_iter().for_each(&mut step))
    });
    assert_eq!(counted.count_total, 0, "{} bytes", counted.bytes_total);
}
