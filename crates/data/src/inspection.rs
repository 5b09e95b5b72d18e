//! A closer look at a corpus: what each part holds, which images are there twice, which are of one shade.

use std::collections::HashMap;
use std::ops::Range;

use crate::sanity::hash;
use crate::{Corpus, Dataset};

/// What a look at a corpus shows.
#[derive(Debug, Clone, PartialEq)]
pub struct Inspection {
    /// The training images, the validation images where the data states some, and the test images.
    pub parts: Vec<InspectedPart>,
    /// Images that are identical to an earlier one, in the order of the parts.
    pub copies: Vec<ImageCopy>,
}

/// A part of a corpus.
#[derive(Debug, Clone, PartialEq)]
pub struct InspectedPart {
    /// `training`, `validation` or `test`.
    pub name: &'static str,
    /// Its images' places in [`Corpus::training`] or, for the test images, in [`Corpus::test`].
    pub images: Range<usize>,
    /// The images of each class.
    pub by_class: Vec<usize>,
    /// The smallest and the largest value.
    pub range: [u8; 2],
    /// The places in the part of images all of whose pixels are the same.
    pub constant: Vec<usize>,
}

/// An image that is identical to an earlier one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ImageCopy {
    /// The image.
    pub image: Place,
    /// The first image that it is identical to.
    pub of: Place,
    /// Whether the two have different labels.
    pub is_relabelled: bool,
}

/// An image's place.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// Which of [`Inspection::parts`].
    pub part: usize,
    /// Counted from 0 within the part.
    pub index: usize,
}

impl Inspection {
    /// Looks at every image of a corpus.
    pub fn of(corpus: &Corpus) -> Self {
        let training = corpus.training().len();
        let stated = training - corpus.validation_images().unwrap_or(0);
        let mut parts = vec![inspect("training", corpus.training(), 0..stated)];
        if stated < training {
            parts.push(inspect("validation", corpus.training(), stated..training));
        }
        parts.push(inspect("test", corpus.test(), 0..corpus.test().len()));
        let copies = copies(corpus, &parts);
        Self { parts, copies }
    }
}

impl InspectedPart {
    /// The set that its images are in.
    pub fn set<'corpus>(&self, corpus: &'corpus Corpus) -> &'corpus Dataset {
        if self.name == "test" { corpus.test() } else { corpus.training() }
    }
}

fn inspect(name: &'static str, set: &Dataset, images: Range<usize>) -> InspectedPart {
    let mut by_class = vec![0; set.classes()];
    let mut range = [u8::MAX, u8::MIN];
    let mut constant = Vec::new();
    let channels = set.shape().channels;
    for (index, place) in images.clone().enumerate() {
        by_class[usize::from(set.labels()[place])] += 1;
        let image = set.image(place);
        // Slices are compared, and searched, many bytes at once.
        let [least, most] = [image.iter().min(), image.iter().max()].map(|value| value.copied().unwrap_or(0));
        range = [range[0].min(least), range[1].max(most)];
        if set.shape().pixels() > 1 && image[channels..] == image[..image.len() - channels] {
            constant.push(index);
        }
    }
    InspectedPart { name, images, by_class, range, constant }
}

fn copies(corpus: &Corpus, parts: &[InspectedPart]) -> Vec<ImageCopy> {
    let image = |place: Place| {
        let part = &parts[place.part];
        let (set, index) = (part.set(corpus), part.images.start + place.index);
        (set.image(index), set.labels()[index])
    };
    let mut copies = Vec::new();
    let mut first: HashMap<u64, Place> = HashMap::new();
    for (part, inspected) in parts.iter().enumerate() {
        for index in 0..inspected.images.len() {
            let place = Place { part, index };
            let (pixels, label) = image(place);
            let of = *first.entry(hash(pixels)).or_insert(place);
            let (others, other) = image(of);
            if of != place && others == pixels {
                copies.push(ImageCopy { image: place, of, is_relabelled: label != other });
            }
        }
    }
    copies
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn copies_and_images_of_one_shade_are_found() {
        let set = |images: &[[u8; 4]], labels: &[u8]| {
            Dataset::new("set", images.concat(), labels.to_vec(), [2, 2], 2).expect("a set")
        };
        let training =
            set(&[[1, 2, 3, 4], [7; 4], [5, 6, 7, 8], [1, 2, 3, 4], [5, 6, 7, 8]], &[0, 1, 0, 0, 1]);
        let test = set(&[[9, 9, 9, 200], [7; 4]], &[0, 1]);
        let corpus = Corpus::new("set", training, test).expect("a corpus").with_validation(2);
        let inspection = Inspection::of(&corpus);
        let [training, validation, test] = &inspection.parts[..] else { panic!("{inspection:?}") };
        assert_eq!(
            (training.images.clone(), validation.images.clone(), test.images.clone()),
            (0..3, 3..5, 0..2)
        );
        assert_eq!((&training.by_class[..], &validation.by_class[..]), (&[2, 1][..], &[1, 1][..]));
        assert_eq!((training.range, test.range), ([1, 8], [7, 200]));
        assert_eq!(
            (&training.constant[..], &validation.constant[..], &test.constant[..]),
            (&[1][..], &[][..], &[1][..])
        );
        let place = |part, index| Place { part, index };
        let copy = |image, of, is_relabelled| ImageCopy { image, of, is_relabelled };
        assert_eq!(
            inspection.copies,
            [
                copy(place(1, 0), place(0, 0), false),
                copy(place(1, 1), place(0, 2), true),
                copy(place(2, 1), place(0, 1), false),
            ]
        );
    }

    #[test]
    fn a_colour_image_of_one_shade_is_constant() {
        let images = [[3, 200, 9, 3, 200, 9], [3, 200, 9, 3, 200, 8]];
        let set = |images: Vec<u8>| Dataset::new("set", images, vec![0, 1], [1, 2, 3], 2).expect("a set");
        let corpus = Corpus::new("set", set(images.concat()), set(images.concat())).expect("a corpus");
        assert_eq!(Inspection::of(&corpus).parts[0].constant, [0]);
    }
}
