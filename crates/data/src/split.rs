//! Which training images are held back to validate on.

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
    order.sort_by_key(|&class| std::cmp::Reverse(product(class) % images));
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
