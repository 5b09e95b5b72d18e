//! The pair of sets that a study needs.

use std::borrow::Cow;

use base16ct::lower::encode_string as hexadecimal;
use sha2::{Digest, Sha256};

use spec::ImageShape;

use crate::error::thousands;
use crate::split::{
    SPLIT_SEED, Split, default_validation_images, grouped_split, last_split, stratified_split,
};
use crate::{Dataset, Error, HeldBack, Remark, classes::renumber, idx, sanity};

/// A training set and a test set of one image size and one set of classes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Corpus {
    name: String,
    sha256: String,
    class_names: Vec<String>,
    remarks: Vec<Remark>,
    training: Dataset,
    test: Dataset,
    /// How many of the last training images the data states as its validation part.
    validation: Option<usize>,
    /// Of each training image the group that it is of.
    groups: Option<Vec<u32>>,
    is_prepared_as_mnist: bool,
    /// Whether the test images are some of the data's only part.
    is_test_set_apart: bool,
    /// Of each test image its group, where there are groups and the test images were set apart.
    test_groups: Option<Vec<u32>>,
}

impl Corpus {
    /// Joins both sets, takes their fingerprint (see [`Corpus::sha256`]) and looks for what cannot be right (see
    /// [`Corpus::remarks`]). The classes are called by their numbers.
    ///
    /// # Errors
    /// [`Error::SetsDiffer`] when the image sizes differ, [`Error::ClassesDiffer`] when the numbers of classes do,
    /// [`Error::OneClass`] when all training images are of one class, [`Error::Alike`] when all images of a set are the same.
    pub fn new(name: impl Into<String>, training: Dataset, test: Dataset) -> Result<Self, Error> {
        let class_names = (0..training.classes()).map(|class| class.to_string()).collect();
        Self::examined(name.into(), training, test, class_names)
    }

    /// Of images in memory: of each set the values, `[image, row, column, channel]`, one byte each, and a label an image; the
    /// images' shape is `[height, width]` of grey ones and `[height, width, 3]` of red, green and blue. Any labels will do: those that occur are the classes, in ascending order, and name them.
    ///
    /// ```
    /// // Four images of 2×2 pixels to learn from and two to test on: ink on the left, or on the right.
    /// let training = (vec![255, 0, 250, 0, 0, 255, 0, 240, 200, 0, 255, 0, 0, 250, 0, 230], vec![7, 9, 7, 9]);
    /// let test = (vec![255, 0, 240, 0, 0, 245, 0, 255], vec![7, 9]);
    /// let corpus = data::Corpus::from_images("sides", [2, 2], training, test)?;
    /// assert_eq!((corpus.training().len(), corpus.class_names()), (4, &["7".to_owned(), "9".to_owned()][..]));
    /// # Ok::<(), data::Error>(())
    /// ```
    ///
    /// # Errors
    /// As [`Dataset::new`] and [`Corpus::new`].
    pub fn from_images(
        name: impl Into<String>,
        shape: impl Into<ImageShape>,
        (training_images, mut training_labels): (Vec<u8>, Vec<u8>),
        (test_images, mut test_labels): (Vec<u8>, Vec<u8>),
    ) -> Result<Self, Error> {
        let (name, shape) = (name.into(), shape.into());
        let classes = renumber(&name, &mut training_labels, &mut test_labels)?;
        let dataset = |set: &str, images, labels| {
            Dataset::new(format!("{name} ({set})"), images, labels, shape, classes.names.len())
        };
        let training = dataset("training", training_images, training_labels)?;
        let test = dataset("test", test_images, test_labels)?;
        Ok(Self::examined(name, training, test, classes.names)?
            .with_remarks(classes.remark.map(Remark::Note)))
    }

    /// As [`Corpus::new`], with names for the classes.
    ///
    /// # Errors
    /// As there.
    ///
    /// # Panics
    /// Unless there is a name for each class.
    pub(crate) fn examined(
        name: String,
        training: Dataset,
        test: Dataset,
        class_names: Vec<String>,
    ) -> Result<Self, Error> {
        Self::examined_in_parts(name, training, None, test, class_names)
    }

    /// As [`Self::examined`], of data that states so many of the last training images as its validation part: see
    /// [`Self::with_validation`].
    ///
    /// # Errors
    /// As there.
    ///
    /// # Panics
    /// As there, and unless there are fewer of them than training images, and at least one.
    pub(crate) fn examined_in_parts(
        name: String,
        training: Dataset,
        validation: Option<usize>,
        test: Dataset,
        class_names: Vec<String>,
    ) -> Result<Self, Error> {
        let mut corpus = Self::fingerprinted(name, training, test, class_names)?;
        if let Some(images) = validation {
            corpus = corpus.with_validation(images);
        }
        let stated = validation.unwrap_or(0);
        let found = sanity::examine(&corpus.training, stated, &corpus.test, &corpus.class_names)?;
        corpus.remarks = found.into_iter().map(Remark::Warning).collect();
        Ok(corpus)
    }

    /// As [`Corpus::examined`], for sets of known content, which nothing is looked for in.
    pub(crate) fn fingerprinted(
        name: String,
        training: Dataset,
        test: Dataset,
        class_names: Vec<String>,
    ) -> Result<Self, Error> {
        let digests = [
            digest(&idx::images_header(&training), training.images()),
            digest(&idx::labels_header(&training), training.labels()),
            digest(&idx::images_header(&test), test.images()),
            digest(&idx::labels_header(&test), test.labels()),
        ];
        Self::known(name, training, test, class_names, &digests)
    }

    /// For files of known content, whose SHA-256 has been taken already.
    pub(crate) fn known(
        name: String,
        training: Dataset,
        test: Dataset,
        class_names: Vec<String>,
        digests: &[[u8; 32]; 4],
    ) -> Result<Self, Error> {
        if training.shape() != test.shape() {
            return Err(Error::SetsDiffer {
                training: training.name().to_owned(),
                test: test.name().to_owned(),
                expected: training.shape(),
                found: test.shape(),
            });
        }
        if training.classes() != test.classes() {
            return Err(Error::ClassesDiffer {
                training: training.name().to_owned(),
                test: test.name().to_owned(),
                expected: training.classes(),
                found: test.classes(),
            });
        }
        assert_eq!(class_names.len(), training.classes(), "names for the classes of {name}");
        let sha256 = hexadecimal(&Sha256::digest(digests.concat()));
        let is_prepared_as_mnist = training.is_ink();
        Ok(Self {
            name,
            is_prepared_as_mnist,
            is_test_set_apart: false,
            test_groups: None,
            sha256,
            class_names,
            remarks: Vec::new(),
            training,
            test,
            validation: None,
            groups: None,
        })
    }

    /// States that the last `images` training images are the validation part, which is part of what the data is.
    ///
    /// # Panics
    /// Unless there are fewer of them than training images, and at least one.
    pub(crate) fn with_validation(mut self, images: usize) -> Self {
        assert!((1..self.training.len()).contains(&images), "{images} validation images");
        self.validation = Some(images);
        self.stamp(format!("validation {images}").as_bytes());
        self
    }

    /// States of each training image the group that it is of, which is part of what the data is.
    ///
    /// # Panics
    /// Unless there is a group for each.
    pub(crate) fn with_groups(mut self, groups: Vec<u32>) -> Self {
        assert_eq!(groups.len(), self.training.len(), "a group for each training image");
        let bytes: Vec<u8> = groups.iter().flat_map(|group| group.to_be_bytes()).collect();
        self.stamp(&[b"groups ", &bytes[..]].concat());
        self.groups = Some(groups);
        self
    }

    /// Makes the fingerprint that of the data so far and of what else belongs to it.
    fn stamp(&mut self, more: &[u8]) {
        self.sha256 = hexadecimal(&Sha256::new().chain_update(&self.sha256).chain_update(more).finalize());
    }

    /// The training images as a study divides them by default: the validation part that the data states, or else a twelfth of
    /// them ([`default_validation_images`]), whole groups where there are groups ([`grouped_split`]), each class in its
    /// proportion where there are none ([`stratified_split`]).
    ///
    /// # Errors
    /// As those.
    pub fn split(&self) -> Result<Split, Error> {
        match self.validation {
            Some(images) => Ok(self.stated_split(images)),
            None => self.drawn_split(SPLIT_SEED),
        }
    }

    /// As [`Self::split`], but drawn by a seed, as many validation images as there; a stated validation part is mixed in with the
    /// training images first.
    ///
    /// # Errors
    /// As there.
    pub fn drawn_split(&self, seed: u64) -> Result<Split, Error> {
        let (labels, classes) = (self.training.labels(), self.classes());
        let images = self.validation.unwrap_or_else(|| default_validation_images(labels.len()));
        let split = match &self.groups {
            Some(groups) => grouped_split(labels, classes, groups, images, seed),
            None => stratified_split(labels, classes, images, seed),
        };
        split.map_err(|error| error.of_division(&self.name, HeldBack::Validation))
    }

    /// As [`Self::split`], but with the last images of each class where the data states no validation part: see [`last_split`].
    ///
    /// # Errors
    /// As there.
    pub fn last_split(&self) -> Result<Split, Error> {
        let labels = self.training.labels();
        match (self.validation, &self.groups) {
            (Some(images), _) => Ok(self.stated_split(images)),
            (None, Some(_)) => self.split(),
            (None, None) => last_split(labels, self.classes(), default_validation_images(labels.len()))
                .map_err(|error| error.of_division(&self.name, HeldBack::Validation)),
        }
    }

    fn stated_split(&self, images: usize) -> Split {
        let (first, all) = ((self.training.len() - images) as u32, self.training.len() as u32);
        Split { training: (0..first).collect(), validation: (first..all).collect() }
    }

    /// States that the test images are some of the data's only part, with the group of each where there are groups.
    pub(crate) fn with_test_set_apart(self, test_groups: Option<Vec<u32>>) -> Self {
        Self { is_test_set_apart: true, test_groups, ..self }
    }

    /// Whether the data has no test part of its own, so that some of its images were set apart.
    pub fn is_test_set_apart(&self) -> bool {
        self.is_test_set_apart
    }

    /// What a cross-validation deals out: the training images, and behind them the test images where those were set apart.
    pub fn dealt(&self) -> Cow<'_, Dataset> {
        match self.is_test_set_apart {
            true => Cow::Owned(self.training.joined(&self.test)),
            false => Cow::Borrowed(&self.training),
        }
    }

    /// Of each image of [`Self::dealt`] its group, where the data has groups.
    pub fn dealt_groups(&self) -> Option<Cow<'_, [u32]>> {
        let groups = self.groups.as_deref()?;
        Some(match &self.test_groups {
            Some(test) if self.is_test_set_apart => Cow::Owned([groups, test].concat()),
            _ => Cow::Borrowed(groups),
        })
    }

    /// Whether the images are such as MNIST's are made: light ink on a bare dark ground. Of class folders, arrays and tables only
    /// those that look like MNIST's digits are taken for it.
    pub fn is_prepared_as_mnist(&self) -> bool {
        self.is_prepared_as_mnist
    }

    /// States that images are no such, though they look it.
    pub(crate) fn prepared_otherwise(mut self) -> Self {
        self.is_prepared_as_mnist = false;
        self
    }

    /// How many of the last training images the data states as its validation part.
    pub fn validation_images(&self) -> Option<usize> {
        self.validation
    }

    /// As a sentence begins that says what becomes of them.
    pub fn validation_in_words(&self) -> Option<String> {
        let images = self.validation?;
        let noun = if images == 1 { "image" } else { "images" };
        Some(format!("the data states {} validation {noun}", thousands(images as u64)))
    }

    /// Of each training image the group that it is of, where the data has groups.
    pub fn groups(&self) -> Option<&[u32]> {
        self.groups.as_deref()
    }

    /// Adds what is to be known of how it was read.
    pub(crate) fn with_remarks(mut self, remarks: impl IntoIterator<Item = Remark>) -> Self {
        self.remarks.splice(..0, remarks);
        self
    }

    /// The name that it is known by, or the folder that was named.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Which data, beyond doubt: 64 lower-case hexadecimal digits.
    ///
    /// The SHA-256 of 128 bytes, which are the SHA-256 digests of the four uncompressed IDX files joined in this
    /// order: training images, training labels, test images, test labels. It covers pixels, labels, counts and image
    /// size, and is the same for compressed and uncompressed files. Files are meant as they are used: upright, the classes
    /// that occur numbered from 0. In a shell, for files that are so:
    /// `sha256sum train-images-idx3-ubyte train-labels-idx1-ubyte t10k-images-idx3-ubyte t10k-labels-idx1-ubyte |
    /// cut -c1-64 | xxd -r -p | sha256sum`.
    pub fn sha256(&self) -> &str {
        &self.sha256
    }

    /// The images to learn from (and to validate on, see [`crate::stratified_split`]).
    pub fn training(&self) -> &Dataset {
        &self.training
    }

    /// The images that are opened once, at the end of a run.
    pub fn test(&self) -> &Dataset {
        &self.test
    }

    /// What each class is called, in the order of the labels: for example `Trouser`, or the label in the file where a set
    /// does not say.
    pub fn class_names(&self) -> &[String] {
        &self.class_names
    }

    /// What cannot be right about the data, what makes its figures mean something else than they seem to, and how it was
    /// read where that is not plain: a sentence each, none for a sound set. The same data gives the same sentences.
    ///
    /// Classes without a training or a test image, or with hardly any; test images that are training images; copies, and copies
    /// with other labels; images of one shade; pixels far from the range of bytes; digits that lie on their side.
    pub fn remarks(&self) -> &[Remark] {
        &self.remarks
    }

    /// The sentences of [`Self::remarks`] that say how the data was read.
    pub fn notes(&self) -> Vec<&str> {
        self.remarks.iter().filter(|remark| matches!(remark, Remark::Note(_))).map(Remark::text).collect()
    }

    /// The sentences of [`Self::remarks`] that say what is probably wrong with the data.
    pub fn warnings(&self) -> Vec<&str> {
        self.remarks.iter().filter(|remark| matches!(remark, Remark::Warning(_))).map(Remark::text).collect()
    }

    /// Number of classes of both sets.
    pub fn classes(&self) -> usize {
        self.training.classes()
    }
}

fn digest(header: &[u8], body: &[u8]) -> [u8; 32] {
    Sha256::new().chain_update(header).chain_update(body).finalize().into()
}
