//! Images made by code: valid, the same everywhere, learnable, and not trivial.

use data::{Dataset, synthetic};

/// The share of test images whose class has the nearest mean training image.
fn nearest_mean_accuracy(training: &Dataset, test: &Dataset) -> f64 {
    let (pixels, classes) = (training.image_length(), training.classes());
    let mut means = vec![vec![0.0; pixels]; classes];
    let mut counts = vec![0.0; classes];
    for (index, &label) in training.labels().iter().enumerate() {
        counts[usize::from(label)] += 1.0;
        for (sum, &pixel) in means[usize::from(label)].iter_mut().zip(training.image(index)) {
            *sum += f64::from(pixel);
        }
    }
    for (mean, count) in means.iter_mut().zip(counts) {
        mean.iter_mut().for_each(|sum| *sum /= count);
    }
    let distance = |mean: &[f64], image: &[u8]| -> f64 {
        mean.iter().zip(image).map(|(mean, &pixel)| (mean - f64::from(pixel)).powi(2)).sum()
    };
    let right = (0..test.len()).filter(|&index| {
        let image = test.image(index);
        let nearest = (0..classes)
            .min_by(|&a, &b| distance(&means[a], image).total_cmp(&distance(&means[b], image)))
            .unwrap();
        nearest == usize::from(test.labels()[index])
    });
    right.count() as f64 / test.len() as f64
}

#[test]
fn the_classes_can_be_learnt() {
    for seed in 0..3 {
        let corpus = synthetic(seed, 1_000, 500, 28, 28, 10);
        let accuracy = nearest_mean_accuracy(corpus.training(), corpus.test());
        assert!(accuracy > 0.9, "seed {seed}: {accuracy}");
    }
    let small = synthetic(1, 400, 200, 12, 12, 4);
    let accuracy = nearest_mean_accuracy(small.training(), small.test());
    assert!(accuracy > 0.85, "12×12: {accuracy}");
}

#[test]
fn no_two_images_are_alike() {
    let corpus = synthetic(1, 300, 300, 12, 12, 4);
    let sets = [corpus.training(), corpus.test()];
    let images: std::collections::BTreeSet<&[u8]> =
        sets.iter().flat_map(|set| (0..set.len()).map(|index| set.image(index))).collect();
    assert_eq!(images.len(), 600);
}

#[test]
fn shapes_and_frequencies_are_those_asked_for() {
    let corpus = synthetic(9, 101, 17, 3, 256, 256);
    assert_eq!((corpus.training().height(), corpus.training().width(), corpus.classes()), (3, 256, 256));
    assert_eq!((corpus.training().len(), corpus.test().len()), (101, 17));
    let corpus = synthetic(9, 101, 17, 1, 1, 4);
    for set in [corpus.training(), corpus.test()] {
        for class in 0..4 {
            let count = set.labels().iter().filter(|&&label| label == class).count();
            assert!(count == set.len() / 4 || count == set.len() / 4 + 1, "class {class}: {count}");
        }
        assert!(!set.labels().is_sorted(), "in random order");
    }
}

/// Rounding by another rule, on another machine or of another compiler, would show here.
#[test]
fn the_bytes_never_change() {
    assert_eq!(
        synthetic(1, 50, 20, 14, 11, 5).sha256(),
        "06a092cea12456ed0c336fb72831724479c928ceefee5ca2f7181543a8e8b828"
    );
    assert_ne!(synthetic(1, 50, 20, 14, 11, 5), synthetic(2, 50, 20, 14, 11, 5));
}
