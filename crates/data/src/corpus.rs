//! The pair of sets that a study needs.

use base16ct::lower::encode_string as hexadecimal;
use sha2::{Digest, Sha256};

use spec::ImageShape;

use crate::{Dataset, Error, classes::renumber, idx, sanity};

/// A training set and a test set of one image size and one set of classes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Corpus {
    name: String,
    sha256: String,
    class_names: Vec<String>,
    warnings: Vec<String>,
    training: Dataset,
    test: Dataset,
}

impl Corpus {
    /// Joins both sets, takes their fingerprint (see [`Corpus::sha256`]) and looks for what cannot be right (see
    /// [`Corpus::warnings`]). The classes are called by their numbers.
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
        Ok(Self::examined(name, training, test, classes.names)?.with_remarks(classes.remark))
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
        let mut corpus = Self::fingerprinted(name, training, test, class_names)?;
        corpus.warnings = sanity::examine(&corpus.training, &corpus.test, &corpus.class_names)?;
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
        Ok(Self { name, sha256, class_names, warnings: Vec::new(), training, test })
    }

    /// Adds what is to be known of how it was read.
    pub(crate) fn with_remarks(mut self, remarks: impl IntoIterator<Item = String>) -> Self {
        self.warnings.splice(..0, remarks);
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
    pub fn warnings(&self) -> &[String] {
        &self.warnings
    }

    /// Number of classes of both sets.
    pub fn classes(&self) -> usize {
        self.training.classes()
    }
}

fn digest(header: &[u8], body: &[u8]) -> [u8; 32] {
    Sha256::new().chain_update(header).chain_update(body).finalize().into()
}
