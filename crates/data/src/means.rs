//! The mean image of each class, from every so-manieth image: what can be seen of data at a glance.

use crate::mnist::own_test_files;
use crate::{Dataset, Error, idx};

/// Images that means are taken of, at most.
const TRAINING_IMAGES: usize = 10_000;

/// Bytes that are looked at for one question, at most: some hundredths of a second.
const MOST_WORK: usize = 1 << 27;

/// Mean images, rounded to bytes: sums of integers are the same on every machine.
pub(crate) struct ClassMeans {
    /// None for a class without an image among those that were looked at.
    means: Vec<Option<Vec<u8>>>,
}

impl ClassMeans {
    /// Of a set's images.
    pub(crate) fn of(set: &Dataset) -> Self {
        let most = TRAINING_IMAGES.min(MOST_WORK / set.image_length());
        let mut sums = vec![vec![0_u32; set.image_length()]; set.classes()];
        let mut counts = vec![0_u32; set.classes()];
        for index in every_so_many(set.len(), most) {
            let class = usize::from(set.labels()[index]);
            counts[class] += 1;
            sums[class].iter_mut().zip(set.image(index)).for_each(|(sum, pixel)| *sum += u32::from(*pixel));
        }
        let mean = |sums: Vec<u32>, count: u32| {
            (count > 0).then(|| sums.iter().map(|sum| ((sum + count / 2) / count) as u8).collect())
        };
        Self { means: sums.into_iter().zip(counts).map(|(sums, count)| mean(sums, count)).collect() }
    }

    /// How alike two sets' mean images are: the mean over the first `classes` classes of the correlation of their pixels. None
    /// where one of them has no mean, or one without contrast.
    fn resemblance(&self, other: &Self, classes: usize) -> Option<f64> {
        let pairs = self.means.iter().zip(&other.means).take(classes);
        let each: Option<Vec<f64>> =
            pairs.map(|(one, other)| correlation(one.as_ref()?, other.as_ref()?)).collect();
        let each = each.filter(|each| each.len() == classes)?;
        Some(each.iter().sum::<f64>() / classes as f64)
    }

    fn transposed(&self, side: usize) -> Self {
        let transpose = |mean: &Vec<u8>| {
            (0..mean.len()).map(|index| mean[index % side * side + index / side]).collect::<Vec<u8>>()
        };
        Self { means: self.means.iter().map(|mean| mean.as_ref().map(transpose)).collect() }
    }
}

/// Whether the images of labels 0 to 9 are digits as MNIST has them, but with rows and columns exchanged, as EMNIST's published
/// files hold them: none where they are no digits of that size, or where the program has no digits to compare them with.
///
/// # Errors
/// When the program's own copy of MNIST is damaged.
pub(crate) fn are_transposed_digits(set: &Dataset, names: &[String]) -> Result<Option<bool>, Error> {
    // Chosen so that MNIST itself is clear both ways round, which a test shows; other images are to be left alone.
    const ALIKE: f64 = 0.6;
    const APART: f64 = 0.2;
    const DIGITS: usize = 10;
    const SIDE: usize = 28;
    let begins_with_digits = (0..DIGITS).all(|digit| names.get(digit) == Some(&digit.to_string()));
    if set.shape() != [SIDE, SIDE].into() || !begins_with_digits {
        return Ok(None);
    }
    let Some([images, labels]) = own_test_files()? else { return Ok(None) };
    let known = idx::read_images("MNIST", images).ok().zip(idx::read_labels("MNIST", labels).ok());
    let known = known
        .and_then(|(images, labels)| Dataset::new("MNIST", images.pixels, labels, [SIDE, SIDE], DIGITS).ok());
    let Some(known) = known else { return Ok(None) };
    let (known, means) = (ClassMeans::of(&known), ClassMeans::of(set));
    let upright = means.resemblance(&known, DIGITS).unwrap_or(0.0);
    let turned = means.transposed(SIDE).resemblance(&known, DIGITS).unwrap_or(0.0);
    let is_clear = upright.max(turned) > ALIKE && (upright - turned).abs() > APART;
    Ok(is_clear.then_some(turned > upright))
}

/// At most `most` of `length` indices, evenly spread.
fn every_so_many(length: usize, most: usize) -> impl Iterator<Item = usize> {
    (0..length).step_by(length.div_ceil(most.max(1)).max(1))
}

fn correlation(one: &[u8], other: &[u8]) -> Option<f64> {
    let mean = |image: &[u8]| image.iter().map(|pixel| f64::from(*pixel)).sum::<f64>() / image.len() as f64;
    let (one_mean, other_mean) = (mean(one), mean(other));
    let (mut product, mut one_square, mut other_square) = (0.0, 0.0, 0.0);
    for (one, other) in one.iter().zip(other) {
        let (one, other) = (f64::from(*one) - one_mean, f64::from(*other) - other_mean);
        product += one * other;
        one_square += one * one;
        other_square += other * other;
    }
    (one_square > 0.0 && other_square > 0.0).then(|| product / (one_square * other_square).sqrt())
}
