//! The split: disjoint, complete, in proportion, and always the same.

use data::{Error, SPLIT_SEED, Split, last_split, stratified_split};
use proptest::prelude::*;

fn counts(labels: &[u8], indices: &[u32]) -> [usize; 256] {
    let mut counts = [0; 256];
    for &index in indices {
        counts[usize::from(labels[index as usize])] += 1;
    }
    counts
}

fn check_complete(labels: &[u8], validation_images: usize, split: &Split) -> Result<(), TestCaseError> {
    prop_assert_eq!(split.validation.len(), validation_images);
    prop_assert!(split.training.is_sorted() && split.validation.is_sorted());
    let mut all = [split.training.clone(), split.validation.clone()].concat();
    all.sort_unstable();
    prop_assert_eq!(all, (0..labels.len() as u32).collect::<Vec<_>>());
    Ok(())
}

proptest! {
    /// Up to half of the images, at least two of each class: the proportions hold within one image.
    #[test]
    fn each_class_gives_its_proportion(mut labels in proptest::collection::vec(0_u8..7, 10..300), share in 0.0_f64..0.5, seed in any::<u64>()) {
        labels.extend((0..7).chain(0..7));
        let images = labels.len();
        let validation_images = ((images as f64 * share) as usize).max(1);
        let split = stratified_split(&labels, 7, validation_images, seed).unwrap();
        check_complete(&labels, validation_images, &split)?;
        let all: Vec<u32> = (0..images as u32).collect();
        let (given, present) = (counts(&labels, &split.validation), counts(&labels, &all));
        for class in 0..7 {
            let proportion = (validation_images * present[class]) as f64 / images as f64;
            prop_assert!((given[class] as f64 - proportion).abs() < 1.0, "class {}: {} of {}", class, given[class], proportion);
        }
    }

    /// Tiny sets, rare classes, every possible size: each class present keeps an image to learn from.
    #[test]
    fn every_class_keeps_an_image(labels in proptest::collection::vec(0_u8..5, 1..30), seed in any::<u64>()) {
        let all: Vec<u32> = (0..labels.len() as u32).collect();
        let present = counts(&labels, &all);
        let largest = labels.len() - present.iter().filter(|&&count| count > 0).count();
        for validation_images in 1..=largest {
            let split = stratified_split(&labels, 5, validation_images, seed).unwrap();
            check_complete(&labels, validation_images, &split)?;
            let kept = counts(&labels, &split.training);
            prop_assert!(present.iter().zip(kept).all(|(&present, kept)| present == 0 || kept > 0));
        }
        for found in [0, largest + 1, usize::MAX] {
            let images = labels.len();
            let expected = if largest == 0 { Error::Indivisible { images } } else { Error::SplitSize { images, largest, found } };
            prop_assert_eq!(stratified_split(&labels, 5, found, seed), Err(expected));
        }
    }
}

#[test]
fn another_seed_is_another_split() {
    let labels: Vec<u8> = (0..200).map(|index| index % 4).collect();
    let split = |seed| stratified_split(&labels, 4, 40, seed).unwrap();
    assert_eq!(split(SPLIT_SEED), split(SPLIT_SEED));
    assert_ne!(split(SPLIT_SEED), split(SPLIT_SEED + 1));
}

/// Classes are drawn from streams of their own: the same places in two classes would tell a shared stream.
#[test]
fn classes_are_drawn_independently() {
    let labels: Vec<u8> = (0..200).map(|index| index % 2).collect();
    let validation = stratified_split(&labels, 2, 60, SPLIT_SEED).unwrap().validation;
    let places = |class| {
        validation.iter().filter(|&index| index % 2 == class).map(|index| index / 2).collect::<Vec<_>>()
    };
    assert_eq!((places(0).len(), places(1).len()), (30, 30));
    assert_ne!(places(0), places(1));
}

/// Ten of class 0, then five of class 1, then one of class 2: of 16, a quarter.
#[test]
fn the_last_of_each_class_are_held_back() {
    let labels = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 2];
    let split = last_split(&labels, 3, 4).unwrap();
    assert_eq!(split.validation, [7, 8, 9, 14]);
    let training: Vec<u32> = (0..16).filter(|index| !split.validation.contains(index)).collect();
    assert_eq!(split.training, training);
    assert_eq!(last_split(&labels, 3, 16), stratified_split(&labels, 3, 16, SPLIT_SEED), "as impossible");
}

#[test]
fn what_cannot_be_divided_is_an_error() {
    let error = stratified_split(&[0, 1], 2, 1, SPLIT_SEED).unwrap_err();
    assert_eq!(error.to_string(), "a class with at least 2 of 2 images expected, none found");
    let error = stratified_split(&[0; 2_000], 2, 2_000, SPLIT_SEED).unwrap_err();
    assert_eq!(error.to_string(), "1 to 1,999 of 2,000 images to hold back expected, 2,000 found");
    let error = stratified_split(&[0, 1, 2, 1], 2, 1, SPLIT_SEED).unwrap_err();
    assert_eq!(error.to_string(), "training labels: labels below 2 expected, 2 found at index 2");
    assert!(stratified_split(&[], 0, 1, SPLIT_SEED).is_err());
}
