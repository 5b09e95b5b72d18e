//! Augmented images: what they are a function of, and what they never are.

use data::{Augmentation, AugmentationError, Augmenter, Corpus, Dataset, Target};
use proptest::prelude::*;

const NONE: Augmentation = Augmentation {
    shift: 0.0,
    rotation: 0.0,
    scale: 0.0,
    shear: 0.0,
    elastic: 0.0,
    smoothness: 4.0,
    erasing: 0.0,
    mixup: 0.0,
    cutmix: 0.0,
};

/// Everything at once.
const ALL: Augmentation = Augmentation {
    shift: 2.0,
    rotation: 15.0,
    scale: 0.15,
    shear: 10.0,
    elastic: 34.0,
    smoothness: 4.0,
    erasing: 0.5,
    mixup: 0.4,
    cutmix: 1.0,
};

fn corpus() -> Corpus {
    data::synthetic(1, 60, 10, 20, 14, 5)
}

fn drawn(
    augmenter: &Augmenter,
    pixels: usize,
    epoch: usize,
    batch: &[u32],
    position: usize,
) -> (Vec<f32>, Target) {
    let mut output = vec![f32::NAN; pixels];
    let target = augmenter.draw(epoch, batch, position, &mut output);
    (output, target)
}

/// The image of `index` in a batch of one.
fn alone(augmentation: Augmentation, dataset: &Dataset, seed: u64, epoch: usize, index: u32) -> Vec<f32> {
    let augmenter = Augmenter::new(&augmentation, dataset, seed).expect("usable values");
    drawn(&augmenter, dataset.image_length(), epoch, &[index], 0).0
}

fn scaled(dataset: &Dataset, index: u32) -> Vec<f32> {
    dataset.image(index as usize).iter().map(|byte| f32::from(*byte) / 255.0).collect()
}

#[test]
fn without_augmentation_pixels_are_bytes_divided() {
    let corpus = corpus();
    let set = corpus.training();
    assert!(NONE.is_none() && NONE == Augmentation::default());
    let augmenter = Augmenter::new(&NONE, set, 1).expect("usable values");
    for index in 0..10 {
        let (pixels, target) = drawn(&augmenter, set.image_length(), 1, &[3, index], 1);
        assert_eq!(pixels, scaled(set, index));
        assert_eq!(target, Target { second: set.labels()[index as usize], weight: 1.0 });
    }
}

/// One changed value is enough for another picture, and for `is_none` to say so.
#[test]
fn every_kind_changes_the_image() {
    let corpus = corpus();
    let set = corpus.training();
    let kinds = [
        Augmentation { shift: 1.0, ..NONE },
        Augmentation { rotation: 20.0, ..NONE },
        Augmentation { scale: 0.2, ..NONE },
        Augmentation { shear: 20.0, ..NONE },
        Augmentation { elastic: 34.0, ..NONE },
        Augmentation { erasing: 1.0, ..NONE },
        Augmentation { mixup: 1.0, ..NONE },
        Augmentation { cutmix: 1.0, ..NONE },
    ];
    for kind in kinds {
        assert!(!kind.is_none());
        let augmenter = Augmenter::new(&kind, set, 1).expect("usable values");
        let changed = (1..=20)
            .filter(|epoch| drawn(&augmenter, set.image_length(), *epoch, &[0, 1, 2], 0).0 != scaled(set, 0));
        assert!(changed.count() >= 15, "{kind}");
    }
    assert!(Augmentation { smoothness: 9.0, ..NONE }.is_none());
}

/// The same alone, in a batch, in another order, on several threads, and after other images.
#[test]
fn an_image_depends_on_seed_epoch_and_index_alone() {
    let corpus = corpus();
    let set = corpus.training();
    let unmixed = Augmentation { mixup: 0.0, cutmix: 0.0, ..ALL };
    let augmenter = Augmenter::new(&unmixed, set, 7).expect("usable values");
    let batch: Vec<u32> = (0..60).rev().collect();
    std::thread::scope(|scope| {
        for thread in 0..4 {
            let (augmenter, batch) = (&augmenter, &batch);
            scope.spawn(move || {
                for position in (thread..60).step_by(3) {
                    let (pixels, _) = drawn(augmenter, set.image_length(), 2, batch, position);
                    assert_eq!(pixels, alone(unmixed, set, 7, 2, batch[position]));
                }
            });
        }
    });
    let image = alone(unmixed, set, 7, 2, 5);
    assert_ne!(image, alone(unmixed, set, 8, 2, 5));
    assert_ne!(image, alone(unmixed, set, 7, 3, 5));
    assert_ne!(image, alone(unmixed, set, 7, 2, 6));
}

/// Mixed images of a batch depend on the batch, not on who draws them or when.
#[test]
fn a_batch_is_drawn_alike_by_every_thread() {
    let corpus = corpus();
    let set = corpus.training();
    let augmenter = Augmenter::new(&ALL, set, 7).expect("usable values");
    let batch: Vec<u32> = (10..40).collect();
    let once: Vec<_> =
        (0..30).map(|position| drawn(&augmenter, set.image_length(), 1, &batch, position)).collect();
    std::thread::scope(|scope| {
        for _ in 0..3 {
            scope.spawn(|| {
                let augmenter = Augmenter::new(&ALL, set, 7).expect("usable values");
                for position in (0..30).rev() {
                    assert_eq!(drawn(&augmenter, set.image_length(), 1, &batch, position), once[position]);
                }
            });
        }
    });
}

/// Mixup is the weighted mean of both images as they are without it, and the second label is the partner's.
#[test]
fn mixup_is_a_weighted_mean_of_two_augmented_images() {
    let corpus = corpus();
    let set = corpus.training();
    let augmentation = Augmentation { cutmix: 0.0, mixup: 1.0, ..ALL };
    let unmixed = Augmentation { mixup: 0.0, ..augmentation };
    let augmenter = Augmenter::new(&augmentation, set, 3).expect("usable values");
    let batch = [4, 9];
    for epoch in 1..20 {
        for (position, other) in [(0, 1), (1, 0)] {
            let (pixels, target) = drawn(&augmenter, set.image_length(), epoch, &batch, position);
            assert_eq!(target.second, set.labels()[batch[other] as usize]);
            let own = alone(unmixed, set, 3, epoch, batch[position]);
            let second = alone(unmixed, set, 3, epoch, batch[other]);
            for ((pixel, own), second) in pixels.iter().zip(own).zip(second) {
                let expected = target.weight * own + (1.0 - target.weight) * second;
                assert!((pixel - expected).abs() < 1e-6, "{pixel}, {expected}");
            }
        }
    }
}

/// In CutMix every pixel is one of both images', and those that are the second's are as many as its weight says.
#[test]
fn cutmix_pastes_as_much_as_its_weight_says() {
    let (black, white) = (vec![0; 280], vec![255; 280]);
    let set = Dataset::new("two", [black, white].concat(), vec![0, 1], [20, 14], 2).expect("a set");
    let augmenter = Augmenter::new(&Augmentation { cutmix: 1.0, ..NONE }, &set, 3).expect("usable values");
    let mut pasted = 0;
    for epoch in 1..200 {
        for position in [0, 1] {
            let (pixels, target) = drawn(&augmenter, 280, epoch, &[0, 1], position);
            let own = [0.0, 1.0][position];
            let second = pixels.iter().filter(|pixel| **pixel == 1.0 - own).count();
            assert_eq!(second + pixels.iter().filter(|pixel| **pixel == own).count(), 280);
            assert!((f64::from(target.weight) - (1.0 - second as f64 / 280.0)).abs() < 1e-7);
            assert_eq!(usize::from(target.second), 1 - position);
            pasted += second;
        }
    }
    // λ is uniform; a rectangle is cut off at the edge, so its mean share is below a half.
    assert!((0.15..0.45).contains(&(pasted as f64 / (398.0 * 280.0))), "{pasted}");
}

/// Switching a kind on draws no number of another's.
#[test]
fn each_kind_has_its_own_random_numbers() {
    let corpus = data::synthetic(1, 10, 10, 16, 16, 2);
    let set = corpus.training();
    let erasing = Augmentation { erasing: 1.0, ..NONE };
    let both = Augmentation { shift: 3.0, ..erasing };
    // Where noise is, it is the same noise: more pixels agree than two rectangles at random places would give.
    let (one, two) = (alone(erasing, set, 1, 1, 0), alone(both, set, 1, 1, 0));
    let plain = scaled(set, 0);
    let noise: Vec<usize> = (0..256).filter(|pixel| one[*pixel] != plain[*pixel]).collect();
    assert!(noise.len() > 4);
    assert!(noise.iter().all(|pixel| one[*pixel] == two[*pixel]));
}

/// Away from the edges a digit's ink stays within a few per cent when it is moved and turned.
#[test]
fn ink_is_kept_where_it_stays_inside() {
    let corpus = data::load(&data::Source::Mnist).expect("the embedded set");
    let set = corpus.training();
    let augmentation = Augmentation { shift: 2.0, rotation: 15.0, shear: 10.0, elastic: 20.0, ..NONE };
    let augmenter = Augmenter::new(&augmentation, set, 1).expect("usable values");
    let (mut before, mut after, mut kept) = (0.0, 0.0, 0);
    for index in 0..500 {
        let (pixels, _) = drawn(&augmenter, 784, 1, &[index], 0);
        let [one, other] = [scaled(set, index), pixels].map(|pixels| pixels.iter().sum::<f32>());
        kept += usize::from((other / one - 1.0).abs() < 0.25);
        before += one;
        after += other;
    }
    assert!((after / before - 1.0).abs() < 0.02, "{before} to {after}");
    assert!(kept > 450, "{kept}");
}

/// Another order of additions, or a library's sine, would show here.
#[test]
fn the_pixels_never_change() {
    let corpus = corpus();
    let set = corpus.training();
    let augmenter = Augmenter::new(&ALL, set, 1).expect("usable values");
    let batch: Vec<u32> = (0..60).collect();
    let mut sum = 0_u64;
    for position in 0..60 {
        let (pixels, target) = drawn(&augmenter, set.image_length(), 1, &batch, position);
        for value in pixels.iter().chain([&target.weight]) {
            sum = sum.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(u64::from(value.to_bits()));
        }
    }
    assert_eq!(format!("{sum:016x}"), "27f4bd8a67a7cf3d");
}

#[test]
fn values_that_cannot_be_used_are_named() {
    let corpus = corpus();
    let wrong = [
        ("shift", Augmentation { shift: -1.0, ..NONE }),
        ("shift", Augmentation { shift: 257.0, ..NONE }),
        ("rotation", Augmentation { rotation: 181.0, ..NONE }),
        ("scale", Augmentation { scale: 1.0, ..NONE }),
        ("shear", Augmentation { shear: 90.0, ..NONE }),
        ("elastic", Augmentation { elastic: f64::INFINITY, ..NONE }),
        ("smoothness", Augmentation { smoothness: 0.0, ..NONE }),
        ("erasing", Augmentation { erasing: 1.5, ..NONE }),
        ("mixup", Augmentation { mixup: f64::NAN, ..NONE }),
        ("cutmix", Augmentation { cutmix: -0.1, ..NONE }),
    ];
    for (field, augmentation) in wrong {
        let error = augmentation.check().expect_err(field);
        assert_eq!(error.field, field);
        assert!(Augmenter::new(&augmentation, corpus.training(), 1).is_err());
    }
    let AugmentationError { found, expected, .. } = wrong[3].1.check().expect_err("a scale of 1");
    assert_eq!((found, expected), (1.0, 0.0..=0.9));
    assert_eq!(
        wrong[0].1.check().expect_err("negative").to_string(),
        "augmentation shift: 0 to 256 expected, -1 found"
    );
    assert_eq!(ALL.check(), Ok(()));
}

/// Only what differs from the default is written, and an unknown name is told.
#[test]
fn augmentation_is_written_as_a_person_would() {
    let some = Augmentation { shift: 2.0, elastic: 34.0, ..NONE };
    let text = serde_json::to_string(&some).expect("JSON");
    assert_eq!(text, r#"{"shift":2.0,"elastic":34.0}"#);
    assert_eq!(serde_json::from_str::<Augmentation>(r#"{"elastic":34,"shift":2}"#).expect("fields"), some);
    assert_eq!(serde_json::to_string(&NONE).expect("JSON"), "{}");
    let error = serde_json::from_str::<Augmentation>(r#"{"shfit":2}"#).expect_err("unknown").to_string();
    assert!(error.contains("shfit") && error.contains("rotation"), "{error}");
    assert_eq!(some.to_string(), "shift 2, elastic 34, smoothness 4");
    assert_eq!(NONE.to_string(), "none");
}

/// A value at an end of its range as often as one within.
fn value(largest: f64) -> impl Strategy<Value = f64> {
    prop_oneof![Just(0.0), Just(largest), Just(1e-300), 0.0..=largest]
}

proptest! {
    /// Any usable values, any size: every pixel is from 0 to 1, every weight too, and it is the same twice.
    #[test]
    fn pixels_are_never_outside(
        (height, width) in prop_oneof![(1_usize..12, 1_usize..40), Just((1, 256)), Just((256, 1)), Just((28, 28))],
        (shift, rotation, scale, shear) in (value(256.0), value(180.0), value(0.9), value(60.0)),
        (elastic, smoothness, erasing) in (value(1000.0), prop_oneof![Just(2.0), 2.0..=64.0], value(1.0)),
        (mixup, cutmix) in (value(100.0), value(100.0)),
        (seed, epoch) in (any::<u64>(), prop_oneof![1_usize..10, Just(10_000)]),
        bytes in proptest::collection::vec(prop_oneof![Just(0_u8), Just(255), any::<u8>()], 3 * 784),
    ) {
        let pixels = height * width;
        let images = bytes.into_iter().cycle().take(3 * pixels).collect();
        let set = Dataset::new("three", images, vec![0, 1, 2], [height, width], 3).expect("a set");
        let augmentation =
            Augmentation { shift, rotation, scale, shear, elastic, smoothness, erasing, mixup, cutmix };
        let augmenter = Augmenter::new(&augmentation, &set, seed).expect("usable values");
        for position in 0..3 {
            let (output, target) = drawn(&augmenter, pixels, epoch, &[2, 0, 1], position);
            prop_assert!(output.iter().all(|pixel| (0.0..=1.0).contains(pixel)), "{output:?}");
            prop_assert!((0.0..=1.0).contains(&target.weight) && target.second < 3);
            prop_assert_eq!(drawn(&augmenter, pixels, epoch, &[2, 0, 1], position), (output, target));
        }
    }
}
