//! Measures of a classifier's answers, from the counts of each class or from its probabilities.
//!
//! Conventions are scikit-learn's (`sklearn.metrics`, with `zero_division=0`), whose values `golden/measures` holds.

use crate::error::{StatsError, check_count};

/// The margins and the diagonal of a confusion matrix, which is all that the measures below need: by class the number of images,
/// of predictions, and of correct predictions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClassCounts {
    images: Vec<u64>,
    given: Vec<u64>,
    right: Vec<u64>,
}

impl ClassCounts {
    /// No image yet, of so many classes.
    pub fn none(classes: usize) -> Self {
        Self { images: vec![0; classes], given: vec![0; classes], right: vec![0; classes] }
    }

    /// Takes the true class of each image and the class that it was given.
    ///
    /// # Errors
    /// No image, lists of different lengths, or a class of `classes` or more.
    pub fn of(labels: &[u8], given: &[u8], classes: usize) -> Result<Self, StatsError> {
        check_count("images", 1, labels.len())?;
        check_length("classes given", labels.len(), given.len())?;
        check_classes(labels, classes)?;
        check_classes(given, classes)?;
        let mut counts = Self::none(classes);
        labels.iter().zip(given).for_each(|(&label, &given)| counts.add(label, given, 1));
        Ok(counts)
    }

    /// Counts `times` images of one class that were given another.
    ///
    /// # Panics
    /// For a class that is not among those counted.
    #[inline]
    pub fn add(&mut self, label: u8, given: u8, times: u64) {
        self.images[usize::from(label)] += times;
        self.given[usize::from(given)] += times;
        if label == given {
            self.right[usize::from(label)] += times;
        }
    }

    /// One image fewer; it must have been counted.
    pub(crate) fn remove(&mut self, label: u8, given: u8) {
        self.images[usize::from(label)] -= 1;
        self.given[usize::from(given)] -= 1;
        if label == given {
            self.right[usize::from(label)] -= 1;
        }
    }

    pub(crate) fn clear(&mut self) {
        [&mut self.images, &mut self.given, &mut self.right].into_iter().for_each(|counts| counts.fill(0));
    }

    /// Number of classes.
    pub fn classes(&self) -> usize {
        self.images.len()
    }

    /// Images of a class.
    pub fn images(&self, class: usize) -> u64 {
        self.images[class]
    }

    /// Whether a class has an image or was given to one.
    fn occurs(&self, class: usize) -> bool {
        self.images[class] > 0 || self.given[class] > 0
    }

    /// Of the images that were given the class, the fraction that is of it: `right / given`, from 0 to 1; 0 where none was given it.
    pub fn precision(&self, class: usize) -> f64 {
        quotient(self.right[class], self.given[class])
    }

    /// Of the images of a class, the fraction that was given it: `right / images`, from 0 to 1; 0 where it has none.
    pub fn recall(&self, class: usize) -> f64 {
        quotient(self.right[class], self.images[class])
    }

    /// The harmonic mean of precision and recall, `2 right / (images + given)`, from 0 to 1; 0 for a class that does not occur.
    ///
    /// Source: van Rijsbergen 1979, "Information retrieval", chapter 7.
    pub fn f1(&self, class: usize) -> f64 {
        quotient(2 * self.right[class], self.images[class] + self.given[class])
    }

    /// The mean recall over the classes that have images, from 0 to 1; 1/k is what guessing one of k classes gives, however unequal
    /// they are. 0 without an image.
    ///
    /// Source: Brodersen, Ong, Stephan & Buhmann 2010, "The balanced accuracy and its posterior distribution", ICPR.
    pub fn balanced_accuracy(&self) -> f64 {
        self.mean_over(|class| self.images[class] > 0, Self::recall)
    }

    /// The mean F1 over the classes that have an image or were given to one, from 0 to 1. A class without an image that was given
    /// counts as 0. 0 without an image.
    ///
    /// Source: Sokolova & Lapalme 2009, "A systematic analysis of performance measures for classification tasks", Information
    /// Processing & Management 45 (macro-averaging); the mean of the classes' F1, not the F1 of mean precision and recall (Opitz & Burst 2019).
    pub fn macro_f1(&self) -> f64 {
        self.mean_over(|class| self.occurs(class), Self::f1)
    }

    /// Cohen's kappa, agreement beyond that of independent answers with these margins: `(p₀ - pₑ) / (1 - pₑ)` with p₀ the
    /// accuracy and `pₑ = Σ images · given / n²`; at most 1, 0 for answers without relation to the images, negative below that.
    /// None where pₑ is 1: every image of one class, and given it.
    ///
    /// Source: Cohen 1960, "A coefficient of agreement for nominal scales", Educational and Psychological Measurement 20.
    pub fn kappa(&self) -> Option<f64> {
        let all: u64 = self.images.iter().sum();
        let right: u64 = self.right.iter().sum();
        let by_chance: u128 = self
            .images
            .iter()
            .zip(&self.given)
            .map(|(images, given)| u128::from(*images) * u128::from(*given))
            .sum();
        let square = u128::from(all) * u128::from(all);
        // Whole numbers until the last step: what agreement there is may be a small difference.
        let above =
            i128::try_from(u128::from(right) * u128::from(all)).ok()? - i128::try_from(by_chance).ok()?;
        let most = square - by_chance;
        (most > 0).then(|| above as f64 / most as f64)
    }

    fn mean_over(&self, counts: impl Fn(usize) -> bool, figure: impl Fn(&Self, usize) -> f64) -> f64 {
        let classes = (0..self.classes()).filter(|class| counts(*class));
        let (sum, count) =
            classes.fold((0.0, 0u64), |(sum, count), class| (sum + figure(self, class), count + 1));
        if count == 0 { 0.0 } else { sum / count as f64 }
    }
}

fn quotient(part: u64, whole: u64) -> f64 {
    if whole == 0 { 0.0 } else { part as f64 / whole as f64 }
}

/// The area under the ROC curve, each class against the rest, as a mean over the classes that have images: from 0 to 1, 0.5 without
/// any relation between probabilities and classes. None where no class has both images and others beside it.
///
/// Of one class with n images among N, it is the probability that a random image of the class has a higher probability of it than
/// a random other image, ties counted half: `(#{higher} + #{equal}/2) / (n (N - n))` over all such pairs (Mann-Whitney's U).
/// `probabilities` are rows of `[images, classes]`, in any unit.
///
/// Source: Hanley & McNeil 1982, "The meaning and use of the area under a receiver operating characteristic (ROC) curve", Radiology 143;
/// one against the rest as in Provost & Domingos 2000, there weighted by the classes' shares, here a plain mean.
///
/// # Errors
/// No image, a class of `classes` or more, or another number of probabilities than images times classes.
pub fn macro_auc<P: Copy + PartialOrd>(
    labels: &[u8],
    probabilities: &[P],
    classes: usize,
) -> Result<Option<f64>, StatsError> {
    check_count("images", 1, labels.len())?;
    check_length("probabilities", labels.len() * classes, probabilities.len())?;
    check_classes(labels, classes)?;
    let mut scored = Vec::with_capacity(labels.len());
    let areas: Vec<f64> = (0..classes)
        .filter_map(|class| {
            scored.clear();
            let of_class = probabilities.iter().skip(class).step_by(classes);
            scored.extend(of_class.zip(labels).map(|(&score, &label)| (score, usize::from(label) == class)));
            area(&mut scored)
        })
        .collect();
    Ok((!areas.is_empty()).then(|| areas.iter().sum::<f64>() / areas.len() as f64))
}

/// The area of one class: scores, and whether each is of an image of the class.
fn area<P: Copy + PartialOrd>(scored: &mut [(P, bool)]) -> Option<f64> {
    scored
        .sort_unstable_by(|(one, _), (other, _)| one.partial_cmp(other).unwrap_or(std::cmp::Ordering::Equal));
    // Twice the pairs won, a tie being half a pair.
    let (mut twice_won, mut others, mut own) = (0u64, 0u64, 0u64);
    for equal in scored.chunk_by(|(one, _), (other, _)| one == other) {
        let of_class = equal.iter().filter(|(_, is_own)| *is_own).count() as u64;
        let rest = equal.len() as u64 - of_class;
        twice_won += of_class * (2 * others + rest);
        others += rest;
        own += of_class;
    }
    (own > 0 && others > 0).then(|| twice_won as f64 / (2 * own * others) as f64)
}

fn check_length(what: &'static str, expected: usize, found: usize) -> Result<(), StatsError> {
    if expected == found { Ok(()) } else { Err(StatsError::LengthMismatch { what, expected, found }) }
}

pub(crate) fn check_classes(values: &[u8], classes: usize) -> Result<(), StatsError> {
    match values.iter().find(|class| usize::from(**class) >= classes) {
        None => Ok(()),
        Some(class) => Err(StatsError::OutOfRange {
            what: "class",
            expected: "a number below that of the classes",
            value: f64::from(*class),
        }),
    }
}
