//! Which training images are held back to validate on.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use crate::dataset::check_labels;
use crate::{Error, generator, shuffle};

/// The published seed of the split of every study: "MNIST" in ASCII.
pub const SPLIT_SEED: u64 = 0x4d_4e49_5354;

/// Indices of the training file's images, each in exactly one of both lists.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Split {
    /// The images to learn from, ascending.
    pub training: Vec<u32>,
    /// The images to validate on, ascending.
    pub validation: Vec<u32>,
}

/// How many of `images` training images are held back by default: a twelfth, rounded, and at least one.
///
/// That is 5,000 of MNIST's 60,000.
pub fn default_validation_images(images: usize) -> usize {
    (images / 12 + usize::from(images % 12 >= 6)).max(1)
}

/// Holds back `validation_images` of the images whose classes are `labels`, each class in its proportion, at random.
///
/// A class of `m` of `n` images gives `validation_images × m / n` images, rounded by the method of largest
/// remainders (the lower class first among equals). Every class keeps one image for training at least, so in tiny
/// sets other classes give more in its place, and a class with one image gives none.
/// Within class `c`, the images are those that [`shuffle`] with [`generator`]`(seed, c)` brings to the front.
///
/// # Errors
/// [`Error::Indivisible`] when no class has two images, [`Error::SplitSize`] unless at least one image is validated
/// on and one of each class present is left to learn from, [`Error::LabelOutOfRange`] for a label of no class.
pub fn stratified_split(
    labels: &[u8],
    classes: usize,
    validation_images: usize,
    seed: u64,
) -> Result<Split, Error> {
    divide(labels, classes, validation_images, |class, members| shuffle(members, &mut generator(seed, class)))
}

/// Holds back the last images of each class, as many as [`stratified_split`] would.
///
/// Where the file is in the order of its writers, as MNIST's training file is, these are the work of writers of whom hardly
/// an image is left to learn from.
///
/// # Errors
/// As [`stratified_split`].
pub fn last_split(labels: &[u8], classes: usize, validation_images: usize) -> Result<Split, Error> {
    divide(labels, classes, validation_images, |_, members| members.reverse())
}

/// Holds back whole groups, `groups` being that of each image, as near to `validation_images` images as they add up to; each
/// class keeps images to learn from.
///
/// Groups come in the order that [`shuffle`] with [`generator`]`(seed, 0)` gives them. Each is held back where that brings the
/// number of images nearer to what is asked for, and leaves every class an image to learn from that had one.
///
/// # Errors
/// [`Error::Indivisible`] when no group can be held back, [`Error::LabelOutOfRange`] for a label of no class.
///
/// # Panics
/// Unless there is a group for each label.
pub fn grouped_split(
    labels: &[u8],
    classes: usize,
    groups: &[u32],
    validation_images: usize,
    seed: u64,
) -> Result<Split, Error> {
    check_labels("training labels", labels, classes)?;
    assert_eq!(groups.len(), labels.len(), "a group for each image");
    let mut members: BTreeMap<u32, Vec<u32>> = BTreeMap::new();
    let mut left = vec![0_usize; classes.max(1)];
    for (index, (group, label)) in (0_u32..).zip(groups.iter().zip(labels)) {
        members.entry(*group).or_default().push(index);
        left[usize::from(*label)] += 1;
    }
    let mut order: Vec<u32> = members.keys().copied().collect();
    shuffle(&mut order, &mut generator(seed, 0));
    let mut validation: Vec<u32> = Vec::new();
    for group in order {
        let images = &members[&group];
        let distance = |images: usize| images.abs_diff(validation_images);
        let mut after = left.clone();
        images.iter().for_each(|image| after[usize::from(labels[*image as usize])] -= 1);
        let keeps_classes = left.iter().zip(&after).all(|(before, after)| *before == 0 || *after > 0);
        if keeps_classes && distance(validation.len() + images.len()) < distance(validation.len()) {
            validation.extend(images);
            left = after;
        }
    }
    if validation.is_empty() {
        return Err(Error::Groups {
            name: format!("{} images", labels.len()),
            expected: "a group that can be held back, while each class keeps images to learn from,"
                .to_owned(),
            found: format!("none of {}", members.len()),
        });
    }
    validation.sort_unstable();
    let training = (0..labels.len() as u32).filter(|index| validation.binary_search(index).is_err());
    Ok(Split { training: training.collect(), validation })
}

/// Deals the images out to `folds` folds, for each image its fold: each class evenly, in an order that `seed` and the
/// number of the repeat draw; with `groups` whole groups, the largest first, each to the fold that has the fewest images.
///
/// Within class `c` of repeat `r` the images are in the order of [`shuffle`] with [`generator`]`(seed, r × 256 + c)`, and the
/// dealing goes on from class to class, so that the folds' sizes differ by one image at most.
///
/// # Errors
/// [`Error::Folds`] unless there are 2 folds at least and each has an image, [`Error::LabelOutOfRange`] for a label of no class.
///
/// # Panics
/// Unless there is a group for each label.
pub fn deal_folds(
    labels: &[u8],
    classes: usize,
    groups: Option<&[u32]>,
    folds: usize,
    repeat: u64,
    seed: u64,
) -> Result<Vec<u32>, Error> {
    check_labels("training labels", labels, classes)?;
    let mut of_image = vec![0; labels.len()];
    let units = match groups {
        None => labels.len(),
        Some(groups) => groups.iter().collect::<BTreeSet<_>>().len(),
    };
    if folds < 2 || folds > units {
        return Err(Error::Folds { folds, most: units, grouped: groups.is_some() });
    }
    match groups {
        None => {
            let mut next = 0;
            for class in 0..classes.min(256) {
                let mut members: Vec<u32> = (0..labels.len() as u32)
                    .filter(|index| usize::from(labels[*index as usize]) == class)
                    .collect();
                shuffle(&mut members, &mut generator(seed, repeat * 256 + class as u64));
                for image in members {
                    of_image[image as usize] = next;
                    next = (next + 1) % folds as u32;
                }
            }
        }
        Some(groups) => {
            assert_eq!(groups.len(), labels.len(), "a group for each image");
            let mut members: BTreeMap<u32, Vec<usize>> = BTreeMap::new();
            groups
                .iter()
                .enumerate()
                .for_each(|(image, group)| members.entry(*group).or_default().push(image));
            let mut order: Vec<u32> = members.keys().copied().collect();
            shuffle(&mut order, &mut generator(seed, repeat * 256));
            order.sort_by_key(|group| Reverse(members[group].len()));
            let mut sizes = vec![0_usize; folds];
            for group in order {
                let fold = (0..folds).min_by_key(|fold| sizes[*fold]).unwrap_or(0);
                sizes[fold] += members[&group].len();
                members[&group].iter().for_each(|image| of_image[*image] = fold as u32);
            }
        }
    }
    Ok(of_image)
}

/// Holds back those of each class that `order` brings to the front of its images.
fn divide(
    labels: &[u8],
    classes: usize,
    validation_images: usize,
    order: impl Fn(u64, &mut [u32]),
) -> Result<Split, Error> {
    check_labels("training labels", labels, classes)?;
    let mut members = vec![Vec::new(); classes.min(256)];
    for (index, &label) in (0_u32..).zip(labels) {
        members[usize::from(label)].push(index);
    }
    let counts: Vec<usize> = members.iter().map(Vec::len).collect();
    let largest = counts.iter().map(|count| count.saturating_sub(1)).sum();
    if largest == 0 {
        return Err(Error::Indivisible { images: labels.len() });
    }
    if validation_images == 0 || validation_images > largest {
        return Err(Error::SplitSize { images: labels.len(), largest, found: validation_images });
    }
    let quotas = quotas(&counts, validation_images);

    let (mut training, mut validation) = (Vec::new(), Vec::new());
    for (class, (mut indices, quota)) in (0..).zip(members.into_iter().zip(quotas)) {
        order(class, &mut indices);
        validation.extend_from_slice(&indices[..quota]);
        training.extend_from_slice(&indices[quota..]);
    }
    training.sort_unstable();
    validation.sort_unstable();
    Ok(Split { training, validation })
}

/// How many images each class gives, `total` together, by largest remainders and below each count.
///
/// `total` is at most the sum of all counts less one each.
fn quotas(counts: &[usize], total: usize) -> Vec<usize> {
    let images = counts.iter().sum::<usize>() as u128;
    let product = |class: usize| total as u128 * counts[class] as u128;
    // Whole parts are below the counts by themselves, because `total` is below `images`.
    let mut quotas: Vec<usize> = (0..counts.len()).map(|class| (product(class) / images) as usize).collect();
    let mut order: Vec<usize> = (0..counts.len()).collect();
    order.sort_by_key(|&class| Reverse(product(class) % images));
    let mut left = total - quotas.iter().sum::<usize>();
    while left > 0 {
        for &class in &order {
            if left > 0 && quotas[class] + 1 < counts[class] {
                quotas[class] += 1;
                left -= 1;
            }
        }
    }
    quotas
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_twelfth_is_rounded_and_never_none() {
        let expected = [
            (60_000, 5_000),
            (1, 1),
            (2, 1),
            (17, 1),
            (18, 2),
            (29, 2),
            (30, 3),
            (usize::MAX, usize::MAX / 12),
        ];
        for (images, validation) in expected {
            assert_eq!(default_validation_images(images), validation, "{images} images");
        }
    }

    #[test]
    fn no_group_is_on_both_sides() {
        let labels: Vec<u8> = (0..120).map(|index| (index % 3) as u8).collect();
        let groups: Vec<u32> = (0..120).map(|index| index / 7).collect();
        let split = grouped_split(&labels, 3, &groups, 20, 1).expect("divisible");
        let of = |images: &[u32]| images.iter().map(|image| groups[*image as usize]).collect::<BTreeSet<_>>();
        assert!(of(&split.training).is_disjoint(&of(&split.validation)));
        assert_eq!(split.training.len() + split.validation.len(), 120);
        assert!(split.validation.len().abs_diff(20) <= 3, "{}", split.validation.len());
        assert_ne!(split, grouped_split(&labels, 3, &groups, 20, 2).expect("divisible"));
        assert!(grouped_split(&labels, 3, &[5; 120], 20, 1).is_err(), "one group");
        // The only images of a class are not held back.
        let split = grouped_split(&[0, 0, 1, 1], 2, &[0, 1, 2, 2], 3, 1).expect("divisible");
        assert!(split.training.contains(&2) && split.training.contains(&3), "{split:?}");
    }

    #[test]
    fn folds_are_even_in_images_and_classes() {
        let labels: Vec<u8> = (0..103).map(|index| u8::from(index % 10 == 0)).collect();
        let folds = deal_folds(&labels, 2, None, 5, 0, SPLIT_SEED).expect("enough");
        let count =
            |fold: u32, class: u8| (0..103).filter(|at| folds[*at] == fold && labels[*at] == class).count();
        let sizes: Vec<usize> = (0..5).map(|fold| count(fold, 0) + count(fold, 1)).collect();
        assert_eq!((sizes.iter().max(), sizes.iter().min()), (Some(&21), Some(&20)));
        assert!((0..5).all(|fold| (2..=3).contains(&count(fold, 1))));
        assert_ne!(folds, deal_folds(&labels, 2, None, 5, 1, SPLIT_SEED).expect("enough"), "another repeat");
        let groups: Vec<u32> = (0..103).map(|index| index % 13).collect();
        let folds = deal_folds(&labels, 2, Some(&groups), 5, 0, SPLIT_SEED).expect("enough");
        for group in 0..13 {
            let of_group: BTreeSet<u32> =
                (0..103).filter(|at| groups[*at] == group).map(|at| folds[at]).collect();
            assert_eq!(of_group.len(), 1);
        }
        assert!(deal_folds(&labels, 2, Some(&groups), 14, 0, 1).is_err());
        assert!(deal_folds(&labels, 2, None, 1, 0, 1).is_err());
    }

    /// By hand, 10 of 100: 47 → 4.7, 16 → 1.6, 15 → 1.5, 12 → 1.2, 10 → 1.0. Whole parts 4+1+1+1+1 = 8; the
    /// remainders .7 and .6 get the other two.
    #[test]
    fn quotas_go_to_the_largest_remainders() {
        assert_eq!(quotas(&[12, 10, 15, 47, 16], 10), [1, 1, 1, 5, 2]);
        assert_eq!(quotas(&[10, 10, 10, 10], 2), [1, 1, 0, 0], "the lower class first among equals");
        assert_eq!(quotas(&[1, 2, 0, 9], 9), [0, 1, 0, 8], "one image of each class stays");
        assert_eq!(quotas(&[1; 5].map(|one| one + 1), 5), [1; 5]);
    }
}
