//! Images with their labels.

use std::ops::RangeInclusive;

use crate::Error;

/// The largest height and width of an image, in pixels.
pub const MAXIMUM_SIDE: usize = 256;

/// The largest number of classes: a label is one byte.
pub const MAXIMUM_CLASSES: usize = 256;

const CLASSES: RangeInclusive<usize> = 2..=MAXIMUM_CLASSES;

/// Labelled greyscale images of one size: at least one image, every label below [`Dataset::classes`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dataset {
    name: String,
    images: Vec<u8>,
    labels: Vec<u8>,
    height: usize,
    width: usize,
    classes: usize,
}

impl Dataset {
    /// Checks and joins the parts: `images` is `[image, row, column]`, one byte a pixel; `labels` is `[image]`.
    ///
    /// # Errors
    /// [`Error::ImageSize`] unless both sides are 1 to [`MAXIMUM_SIDE`] pixels, [`Error::ClassCount`] unless there
    /// are 2 to [`MAXIMUM_CLASSES`] classes, [`Error::Empty`] without images, [`Error::PixelCount`] when the
    /// pixels are not `labels.len() × height × width`, [`Error::LabelOutOfRange`] for a label of no class.
    pub fn new(
        name: impl Into<String>,
        images: Vec<u8>,
        labels: Vec<u8>,
        height: usize,
        width: usize,
        classes: usize,
    ) -> Result<Self, Error> {
        let name = name.into();
        let side = 1..=MAXIMUM_SIDE;
        if !side.contains(&height) || !side.contains(&width) {
            return Err(Error::ImageSize { file: name, height: height as u64, width: width as u64 });
        }
        if !CLASSES.contains(&classes) {
            return Err(Error::ClassCount { name, found: classes });
        }
        if labels.is_empty() {
            return Err(Error::Empty { file: name });
        }
        let expected = labels.len() as u64 * (height * width) as u64;
        if images.len() as u64 != expected {
            return Err(Error::PixelCount { name, expected, found: images.len() as u64 });
        }
        check_labels(&name, &labels, classes)?;
        Ok(Self { name, images, labels, height, width, classes })
    }

    /// What the set is called in messages, for example `mnist (training)`.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// All pixels, `[image, row, column]`; 0 is background in MNIST.
    pub fn images(&self) -> &[u8] {
        &self.images
    }

    /// The class of each image, below [`Dataset::classes`].
    pub fn labels(&self) -> &[u8] {
        &self.labels
    }

    /// Pixels from top to bottom.
    pub fn height(&self) -> usize {
        self.height
    }

    /// Pixels from left to right.
    pub fn width(&self) -> usize {
        self.width
    }

    /// Number of classes; a class need not have an image in this set.
    pub fn classes(&self) -> usize {
        self.classes
    }

    /// Number of images.
    #[allow(clippy::len_without_is_empty, reason = "a dataset is never empty")]
    pub fn len(&self) -> usize {
        self.labels.len()
    }

    /// Pixels of one image.
    pub fn pixels(&self) -> usize {
        self.height * self.width
    }

    /// The pixels of one image, `[row, column]`.
    ///
    /// # Panics
    /// When `index` is not below [`Dataset::len`], as a slice does.
    pub fn image(&self, index: usize) -> &[u8] {
        &self.images[index * self.pixels()..][..self.pixels()]
    }
}

/// Names the first label that belongs to no class.
pub(crate) fn check_labels(name: &str, labels: &[u8], classes: usize) -> Result<(), Error> {
    match labels.iter().position(|&label| usize::from(label) >= classes) {
        None => Ok(()),
        Some(index) => {
            Err(Error::LabelOutOfRange { name: name.to_owned(), index, classes, found: labels[index] })
        }
    }
}
