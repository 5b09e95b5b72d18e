//! Images with their labels.

use std::ops::RangeInclusive;

use crate::Error;
use spec::ImageShape;

/// The largest height and width of an image, in pixels.
pub const MAXIMUM_SIDE: usize = 256;

/// The largest number of classes: a label is one byte.
pub const MAXIMUM_CLASSES: usize = 256;

const CLASSES: RangeInclusive<usize> = 2..=MAXIMUM_CLASSES;

/// Labelled images of one shape, grey or of red, green and blue: at least one image, every label below [`Dataset::classes`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dataset {
    name: String,
    images: Vec<u8>,
    labels: Vec<u8>,
    shape: ImageShape,
    classes: usize,
    /// Of each image, where images are files.
    files: Option<Vec<String>>,
}

impl Dataset {
    /// Checks and joins the parts: `images` is `[image, row, column, channel]`, one byte a value; `labels` is `[image]`.
    /// A shape of `[height, width]` is of grey images.
    ///
    /// # Errors
    /// [`Error::ImageSize`] unless both sides are 1 to [`MAXIMUM_SIDE`] pixels, [`Error::Channels`] unless a pixel has one value or three, [`Error::ClassCount`] unless there
    /// are 2 to [`MAXIMUM_CLASSES`] classes, [`Error::Empty`] without images, [`Error::PixelCount`] when the
    /// values are not those of as many images as there are labels, [`Error::LabelOutOfRange`] for a label of no class.
    pub fn new(
        name: impl Into<String>,
        images: Vec<u8>,
        labels: Vec<u8>,
        shape: impl Into<ImageShape>,
        classes: usize,
    ) -> Result<Self, Error> {
        let (name, shape) = (name.into(), shape.into());
        let ImageShape { height, width, channels } = shape;
        let side = 1..=MAXIMUM_SIDE;
        if !side.contains(&height) || !side.contains(&width) {
            return Err(Error::ImageSize { file: name, height: height as u64, width: width as u64 });
        }
        if !ImageShape::CHANNELS.contains(&channels) {
            return Err(Error::Channels { file: name, found: channels as u64 });
        }
        if !CLASSES.contains(&classes) {
            return Err(Error::ClassCount { name, found: classes });
        }
        if labels.is_empty() {
            return Err(Error::Empty { file: name });
        }
        let expected = labels.len() as u64 * shape.length() as u64;
        if images.len() as u64 != expected {
            return Err(Error::PixelCount { name, expected, found: images.len() as u64 });
        }
        check_labels(&name, &labels, classes)?;
        Ok(Self { name, images, labels, shape, classes, files: None })
    }

    /// With the path of each image's file within the folder.
    pub(crate) fn with_names(self, files: Vec<String>) -> Self {
        Self { files: Some(files), ..self }
    }

    /// The path of an image's file within the folder, where images are files.
    pub fn file(&self, index: usize) -> Option<&str> {
        Some(self.files.as_ref()?.get(index)?)
    }

    /// The path of each image's file within the folder; empty where images are no files.
    pub fn files(&self) -> &[String] {
        self.files.as_deref().unwrap_or_default()
    }

    /// Its images and then those of another set of the same shape and classes.
    pub(crate) fn joined(&self, other: &Self) -> Self {
        debug_assert_eq!((self.shape, self.classes), (other.shape, other.classes));
        let files = self.files.as_ref().zip(other.files.as_ref());
        Self {
            name: format!("{} and {}", self.name, other.name),
            images: [&self.images[..], &other.images].concat(),
            labels: [&self.labels[..], &other.labels].concat(),
            files: files.map(|(one, other)| [&one[..], other].concat()),
            ..*self
        }
    }

    /// The values, which are what is left of it.
    pub(crate) fn into_images(self) -> Vec<u8> {
        self.images
    }

    /// What the set is called in messages, for example `mnist (training)`.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// All values, `[image, row, column, channel]`; 0 is background in MNIST.
    pub fn images(&self) -> &[u8] {
        &self.images
    }

    /// The class of each image, below [`Dataset::classes`].
    pub fn labels(&self) -> &[u8] {
        &self.labels
    }

    /// Height, width and channels of every image.
    pub fn shape(&self) -> ImageShape {
        self.shape
    }

    /// Pixels from top to bottom.
    pub fn height(&self) -> usize {
        self.shape.height
    }

    /// Pixels from left to right.
    pub fn width(&self) -> usize {
        self.shape.width
    }

    /// Whether the images are of light ink on a bare dark ground, as MNIST's are: grey, and a quarter or more of their
    /// values 0. Of MNIST's values 81 % are, of Fashion-MNIST's 50 %; of photographs hardly any.
    pub fn is_ink(&self) -> bool {
        let bare = self.images.iter().filter(|value| **value == 0).count();
        !self.shape.is_colour() && 4 * bare >= self.images.len()
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

    /// Values of one image: those of all channels of its pixels.
    pub fn image_length(&self) -> usize {
        self.shape.length()
    }

    /// The values of one image, `[row, column, channel]`.
    ///
    /// # Panics
    /// When `index` is not below [`Dataset::len`], as a slice does.
    pub fn image(&self, index: usize) -> &[u8] {
        &self.images[index * self.image_length()..][..self.image_length()]
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
