//! Augmented images: what they are a function of, and what they never are.

use data::{Augmentation, AugmentationError, Augmenter, Corpus, Dataset, Target};
use proptest::prelude::*;

const NONE: Augmentation = Augmentation {
    crop: 0,
    flip: 0.0,
    shift: 0.0,
    rotation: 0.0,
    scale: 0.0,
    shear: 0.0,
    elastic: 0.0,
    smoothness: 4.0,
    brightness: 0.0,
    contrast: 0.0,
    saturation: 0.0,
    grey: 0.0,
    erasing: 0.0,
    mixup: 0.0,
    cutmix: 0.0,
};

/// Every kind that a grey image had first; their bits are pinned.
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
    ..NONE
};

/// Everything at once.
const ALL_COLOUR: Augmentation =
    Augmentation { crop: 2, flip: 0.5, brightness: 0.4, contrast: 0.4, saturation: 0.4, grey: 0.3, ..ALL };

fn corpus() -> Corpus {
    data::synthetic(1, 60, 10, 20, 14, 5)
}

/// Colour images of 20×14 with the labels 0, 1, 2, 0, …; no two values near each other are alike.
fn colour() -> Dataset {
    let bytes = (0..60 * 840_u32).map(|at| (at.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
    let labels = (0..60).map(|at| at % 3).collect();
    Dataset::new("colour (training)", bytes, labels, [20, 14, 3], 3).expect("a set")
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
        Augmentation { crop: 3, ..NONE },
        Augmentation { flip: 1.0, ..NONE },
        Augmentation { brightness: 0.4, ..NONE },
        Augmentation { contrast: 0.4, ..NONE },
        Augmentation { saturation: 0.4, ..NONE },
        Augmentation { grey: 1.0, ..NONE },
    ];
    let colour = colour();
    for kind in kinds {
        assert!(!kind.is_none());
        let set = if kind.saturation + kind.grey > 0.0 { &colour } else { set };
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
    let (grey, colour) = (corpus(), colour());
    let unmixed = Augmentation { mixup: 0.0, cutmix: 0.0, ..ALL };
    depends_on_seed_epoch_and_index_alone(grey.training(), unmixed);
    depends_on_seed_epoch_and_index_alone(&colour, Augmentation { mixup: 0.0, cutmix: 0.0, ..ALL_COLOUR });
}

fn depends_on_seed_epoch_and_index_alone(set: &Dataset, unmixed: Augmentation) {
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
    let (grey, colour) = (corpus(), colour());
    is_drawn_alike_by_every_thread(grey.training(), ALL);
    is_drawn_alike_by_every_thread(&colour, ALL_COLOUR);
}

fn is_drawn_alike_by_every_thread(set: &Dataset, all: Augmentation) {
    let augmenter = Augmenter::new(&all, set, 7).expect("usable values");
    let batch: Vec<u32> = (10..40).collect();
    let once: Vec<_> =
        (0..30).map(|position| drawn(&augmenter, set.image_length(), 1, &batch, position)).collect();
    std::thread::scope(|scope| {
        for _ in 0..3 {
            scope.spawn(|| {
                let augmenter = Augmenter::new(&all, set, 7).expect("usable values");
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
    let (grey, colour) = (corpus(), colour());
    is_mixed(grey.training(), Augmentation { cutmix: 0.0, mixup: 1.0, ..ALL });
    is_mixed(&colour, Augmentation { cutmix: 0.0, mixup: 1.0, ..ALL_COLOUR });
}

fn is_mixed(set: &Dataset, augmentation: Augmentation) {
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

/// In colour a pasted pixel has all three of its values from the second image, and noise is drawn for each.
#[test]
fn cutmix_and_erasing_take_whole_pixels() {
    let (black, white) = (vec![0; 840], vec![255; 840]);
    let set = Dataset::new("two", [black, white].concat(), vec![0, 1], [20, 14, 3], 2).expect("a set");
    let cutmix = Augmenter::new(&Augmentation { cutmix: 1.0, ..NONE }, &set, 3).expect("usable values");
    let erasing = Augmenter::new(&Augmentation { erasing: 1.0, ..NONE }, &set, 3).expect("usable values");
    let (mut pasted, mut noisy, mut unequal) = (0, 0, 0);
    for epoch in 1..100 {
        let (pixels, target) = drawn(&cutmix, 840, epoch, &[0, 1], 0);
        let second = pixels.as_chunks::<3>().0.iter().filter(|pixel| **pixel == [1.0; 3]).count();
        assert_eq!(
            second + pixels.as_chunks::<3>().0.iter().filter(|pixel| **pixel == [0.0; 3]).count(),
            280
        );
        assert!((f64::from(target.weight) - (1.0 - second as f64 / 280.0)).abs() < 1e-7);
        pasted += second;
        let (pixels, _) = drawn(&erasing, 840, epoch, &[0], 0);
        let covered: Vec<usize> = (0..280).filter(|at| pixels[3 * at..][..3] != [0.0; 3]).collect();
        let rows = covered.iter().map(|at| at / 14);
        // A rectangle: as many pixels as between its corners, a byte of noise being 0 in three channels once in 16 million.
        let (top, bottom) = (rows.clone().min().expect("noise"), rows.max().expect("noise"));
        let columns = covered.iter().map(|at| at % 14);
        let (left, right) = (columns.clone().min().expect("noise"), columns.max().expect("noise"));
        assert_eq!(covered.len(), (bottom - top + 1) * (right - left + 1));
        noisy += covered.len();
        unequal += covered.iter().filter(|at| pixels[3 * **at] != pixels[3 * **at + 1]).count();
    }
    assert!(pasted > 1000 && noisy > 1000, "{pasted}, {noisy}");
    assert!(unequal as f64 > 0.98 * noisy as f64, "{unequal} of {noisy}");
}

/// Alone, a crop and a flip copy: the values are the image's own, shifted by whole pixels, and 0 from outside.
#[test]
fn crops_and_flips_copy() {
    let (grey, colour) = (corpus(), colour());
    for set in [grey.training(), &colour] {
        let channels = set.shape().channels;
        let flip = alone(Augmentation { flip: 1.0, ..NONE }, set, 1, 1, 0);
        let mut offsets = std::collections::BTreeSet::new();
        for epoch in 1..200 {
            let both = alone(Augmentation { flip: 1.0, crop: 2, ..NONE }, set, 1, epoch, 0);
            let crop = alone(Augmentation { crop: 2, ..NONE }, set, 1, epoch, 0);
            let plain = scaled(set, 0);
            let at = |pixels: &[f32], row: isize, column: isize, channel: usize| {
                let inside = (0..20).contains(&row) && (0..14).contains(&column);
                if inside { pixels[(row * 14 + column) as usize * channels + channel] } else { 0.0 }
            };
            let places = || {
                (0..20).flat_map(|row| {
                    (0..14).flat_map(move |column| (0..channels).map(move |channel| (row, column, channel)))
                })
            };
            let offset = (-2..=2).flat_map(|down| (-2..=2).map(move |across| (down, across))).find(
                |(down, across)| {
                    places().all(|(row, column, channel)| {
                        at(&crop, row, column, channel) == at(&plain, row + down, column + across, channel)
                    })
                },
            );
            assert!(places().all(|(row, column, channel)| {
                at(&both, row, column, channel) == at(&crop, row, 13 - column, channel)
                    && at(&flip, row, column, channel) == at(&plain, row, 13 - column, channel)
            }));
            offsets.insert(offset.expect("an offset within the padding"));
        }
        // Of 25, all but one in three thousand times.
        assert_eq!(offsets.len(), 25);
    }
}

/// A colour image with three equal channels is a grey one for everything but noise, which is each channel's own, and for
/// what only colour images have.
#[test]
fn equal_channels_stay_equal() {
    let corpus = corpus();
    let set = corpus.training();
    let bytes = set.images().iter().flat_map(|byte| [*byte; 3]).collect();
    let colour = Dataset::new("equal", bytes, set.labels().to_vec(), [20, 14, 3], 5).expect("a set");
    let maps = Augmentation { erasing: 0.0, crop: 2, flip: 0.5, ..ALL };
    let [one, three] = [set, &colour].map(|set| Augmenter::new(&maps, set, 9).expect("usable values"));
    let batch: Vec<u32> = (0..60).collect();
    for position in 0..60 {
        let (grey, target) = drawn(&one, 280, 1, &batch, position);
        let (pixels, other) = drawn(&three, 840, 1, &batch, position);
        assert_eq!(other, target);
        assert!(grey.iter().zip(pixels.as_chunks::<3>().0).all(|(grey, pixel)| *pixel == [*grey; 3]));
    }
    let coloured = Augmentation { brightness: 0.4, contrast: 0.4, ..maps };
    let [one, three] = [set, &colour].map(|set| Augmenter::new(&coloured, set, 9).expect("usable values"));
    for position in 0..60 {
        let (grey, _) = drawn(&one, 280, 1, &batch, position);
        let (pixels, _) = drawn(&three, 840, 1, &batch, position);
        for (grey, pixel) in grey.iter().zip(pixels.as_chunks::<3>().0) {
            assert!(*pixel == [pixel[0]; 3] && (pixel[0] - grey).abs() < 1e-6, "{grey}, {pixel:?}");
        }
    }
}

/// All three channels have the grey of Rec. 601, and an image is grey as often as asked.
#[test]
fn grey_is_the_luma_at_times() {
    let set = colour();
    let whole = alone(Augmentation { grey: 1.0, ..NONE }, &set, 1, 1, 7);
    for (pixel, bytes) in whole.as_chunks::<3>().0.iter().zip(set.image(7).as_chunks::<3>().0) {
        let [red, green, blue] = bytes.map(f64::from);
        let luma = (0.299 * red + 0.587 * green + 0.114 * blue) / 255.0;
        assert!(*pixel == [pixel[0]; 3] && (f64::from(pixel[0]) - luma).abs() < 1e-6, "{pixel:?}, {luma}");
    }
    let augmenter = Augmenter::new(&Augmentation { grey: 0.3, ..NONE }, &set, 1).expect("usable values");
    let grey = (1..=1000).filter(|epoch| {
        let (pixels, _) = drawn(&augmenter, 840, *epoch, &[3], 0);
        pixels != scaled(&set, 3)
    });
    // Five standard deviations of a binomial count with n = 1,000 and p = 0.3 are 72.
    assert!(grey.count().abs_diff(300) < 72);
}

/// An image of one colour shows its factors in every pixel, whatever else is drawn.
#[test]
fn colours_are_drawn_by_themselves() {
    let flat = Dataset::new("flat", vec![100; 2 * 840], vec![0, 1], [20, 14, 3], 2).expect("a set");
    let brightness = Augmentation { brightness: 0.5, ..NONE };
    let others =
        Augmentation { crop: 2, flip: 0.5, rotation: 10.0, contrast: 0.5, saturation: 0.5, ..brightness };
    for epoch in 1..50 {
        let [one, two] =
            [brightness, others].map(|kinds| alone(kinds, &flat, 1, epoch, 0)[3 * (10 * 14 + 7)]);
        assert!((one - two).abs() < 1e-6, "{one}, {two}");
        assert!((0.5 - 1e-6..1.5 + 1e-6).contains(&(one * 2.55)), "{one}");
    }
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

/// And of colour images.
#[test]
fn the_pixels_of_colour_images_never_change() {
    let set = colour();
    let augmenter = Augmenter::new(&ALL_COLOUR, &set, 1).expect("usable values");
    let batch: Vec<u32> = (0..60).collect();
    let mut sum = 0_u64;
    for position in 0..60 {
        let (pixels, target) = drawn(&augmenter, 840, 1, &batch, position);
        for value in pixels.iter().chain([&target.weight]) {
            sum = sum.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(u64::from(value.to_bits()));
        }
    }
    assert_eq!(format!("{sum:016x}"), "dfed0b8fd9e32d0b");
}

#[test]
fn what_only_colour_images_have_is_refused_on_grey_ones() {
    let corpus = corpus();
    for (field, kind) in [
        ("saturation", Augmentation { saturation: 0.1, ..ALL }),
        ("grey", Augmentation { grey: 0.1, ..NONE }),
    ] {
        assert!(kind.check().is_ok() && Augmenter::new(&kind, &colour(), 1).is_ok());
        let error = Augmenter::new(&kind, corpus.training(), 1).expect_err(field);
        assert_eq!(error.field(), field);
        let name = corpus.training().name();
        let expected = format!("augmentation {field}: colour images expected, those of {name} are grey");
        assert_eq!(error.to_string(), expected);
    }
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
        ("crop", Augmentation { crop: 257, ..NONE }),
        ("flip", Augmentation { flip: 1.1, ..NONE }),
        ("brightness", Augmentation { brightness: -0.1, ..NONE }),
        ("contrast", Augmentation { contrast: 11.0, ..NONE }),
        ("saturation", Augmentation { saturation: f64::NAN, ..NONE }),
        ("grey", Augmentation { grey: 2.0, ..NONE }),
    ];
    for (field, augmentation) in wrong {
        let error = augmentation.check().expect_err(field);
        assert_eq!(error.field(), field);
        assert!(Augmenter::new(&augmentation, corpus.training(), 1).is_err());
    }
    let expected = AugmentationError::OutOfRange { field: "scale", expected: 0.0..=0.9, found: 1.0 };
    assert_eq!(wrong[3].1.check(), Err(expected));
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
    let coloured = Augmentation { crop: 4, flip: 0.5, grey: 0.2, ..NONE };
    assert_eq!(serde_json::to_string(&coloured).expect("JSON"), r#"{"crop":4,"flip":0.5,"grey":0.2}"#);
    assert_eq!(coloured.to_string(), "crop 4, flip 0.5, grey 0.2");
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
        (crop, flip, channels) in (prop_oneof![Just(0_usize), Just(256), 0..9_usize], value(1.0), prop_oneof![Just(1_usize), Just(3)]),
        (brightness, contrast, saturation, grey) in (value(10.0), value(10.0), value(10.0), value(1.0)),
        (seed, epoch) in (any::<u64>(), prop_oneof![1_usize..10, Just(10_000)]),
        bytes in proptest::collection::vec(prop_oneof![Just(0_u8), Just(255), any::<u8>()], 3 * 784),
    ) {
        let pixels = height * width * channels;
        let images = bytes.into_iter().cycle().take(3 * pixels).collect();
        let set = Dataset::new("three", images, vec![0, 1, 2], [height, width, channels], 3).expect("a set");
        let (saturation, grey) = if channels == 3 { (saturation, grey) } else { (0.0, 0.0) };
        let augmentation = Augmentation {
            crop, flip, shift, rotation, scale, shear, elastic, smoothness,
            brightness, contrast, saturation, grey, erasing, mixup, cutmix,
        };
        let augmenter = Augmenter::new(&augmentation, &set, seed).expect("usable values");
        for position in 0..3 {
            let (output, target) = drawn(&augmenter, pixels, epoch, &[2, 0, 1], position);
            prop_assert!(output.iter().all(|pixel| (0.0..=1.0).contains(pixel)), "{output:?}");
            prop_assert!((0.0..=1.0).contains(&target.weight) && target.second < 3);
            prop_assert_eq!(drawn(&augmenter, pixels, epoch, &[2, 0, 1], position), (output, target));
        }
    }
}
