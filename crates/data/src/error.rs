//! What can be wrong with data: the thing, what was expected and what was found, and what to do about it.

pub(crate) use containers::thousands;

use std::fmt;

use crate::{Found, registry::unsuitable};
use spec::ImageShape;

/// Why data cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// A file starts with the number of another format.
    #[error("{file}: magic number {expected:#010x} expected, {found:#010x} found")]
    WrongMagic {
        /// The file's path.
        file: String,
        /// [`crate::idx::IMAGES_MAGIC`], [`crate::idx::LABELS_MAGIC`] or [`crate::idx::LABEL_ROWS_MAGIC`].
        expected: u32,
        /// The file's first four bytes, big-endian.
        found: u32,
    },
    /// A file is of another kind.
    #[error("{file}: an IDX file of {expected} expected, {} found", .found.what())]
    NotIdx {
        /// The file's path.
        file: String,
        /// What it should hold: images or labels.
        expected: &'static str,
        /// What it is.
        found: Found,
    },
    /// A file ends before its header, or before what its header promises.
    #[error("{file}: {} bytes expected, {} found", thousands(*.expected), thousands(*.found))]
    Truncated {
        /// The file's path.
        file: String,
        /// Length by the header (of the header, if that is cut off), uncompressed.
        expected: u64,
        /// Length found, uncompressed.
        found: u64,
    },
    /// A file goes on after what its header promises.
    #[error("{file}: {} bytes expected, {} found", thousands(*.expected), surplus(*.found))]
    TrailingBytes {
        /// The file's path.
        file: String,
        /// Length by the header, uncompressed.
        expected: u64,
        /// Length found; `None` for a compressed file, which is not unpacked further.
        found: Option<u64>,
    },
    /// A file is too long to be loaded, by its length or by its header.
    #[error("{file}: at most {} bytes expected, {} found", thousands(*.limit), thousands(*.found))]
    TooLarge {
        /// The file's path.
        file: String,
        /// [`crate::idx::MAXIMUM_BYTES`].
        limit: u64,
        /// Length of the file, or the uncompressed length by its header.
        found: u64,
    },
    /// There is not enough memory for a file.
    #[error("{file}: {} bytes of memory expected, not found", thousands(*.bytes))]
    Memory {
        /// The file's path.
        file: String,
        /// What it needs.
        bytes: u64,
    },
    /// A gzip file cannot be unpacked.
    #[error("{file}: gzip data expected, damaged data found ({reason})")]
    Compression {
        /// The file's path.
        file: String,
        /// What the decoder found.
        reason: String,
    },
    /// A set has no images.
    #[error("{file}: at least 1 image expected, 0 found")]
    Empty {
        /// The file's path, or the set's name.
        file: String,
    },
    /// Images are of no pixels, or too large.
    #[error("{file}: images of 1×1 to 256×256 pixels expected, {}×{} found", thousands(*.height), thousands(*.width))]
    ImageSize {
        /// The file's path, or the set's name.
        file: String,
        /// Pixels from top to bottom.
        height: u64,
        /// Pixels from left to right.
        width: u64,
    },
    /// Pixels have another number of values than grey or colour.
    #[error("{file}: images of 1 or 3 channels expected, of {} found", thousands(*.found))]
    Channels {
        /// The file's path, or the set's name.
        file: String,
        /// Values of a pixel.
        found: u64,
    },
    /// The number of pixels is not that of the images.
    #[error("{name}: {} values of pixels expected, {} found", thousands(*.expected), thousands(*.found))]
    PixelCount {
        /// The set's name.
        name: String,
        /// Labels × height × width × channels.
        expected: u64,
        /// Pixels given.
        found: u64,
    },
    /// There are more or fewer labels than images.
    #[error("{labels_file}: {} labels expected, one for each image of {images_file}, {} found", thousands(*.images), thousands(*.labels))]
    CountsDiffer {
        /// The path of the file with the images.
        images_file: String,
        /// The path of the file with the labels.
        labels_file: String,
        /// Number of images.
        images: u64,
        /// Number of labels.
        labels: u64,
    },
    /// A label belongs to no class.
    #[error("{name}: labels below {classes} expected, {found} found at index {}", thousands(*.index as u64))]
    LabelOutOfRange {
        /// The set's name.
        name: String,
        /// The first such label's place, counted from 0.
        index: usize,
        /// Number of classes.
        classes: usize,
        /// The label.
        found: u8,
    },
    /// There is nothing to tell apart, or more than a label can name.
    #[error("{name}: 2 to 256 classes expected, {} found", thousands(*.found as u64))]
    ClassCount {
        /// The set's name.
        name: String,
        /// Number of classes.
        found: usize,
    },
    /// All labels, or all training labels, are the same: there is nothing to tell apart, and every accuracy would be 100 %.
    #[error("{name}: at least 2 classes expected, all labels are {class}")]
    OneClass {
        /// The set's name.
        name: String,
        /// The only class.
        class: String,
    },
    /// All images of a set are the same.
    #[error("{name}: different images expected, all {} are alike", thousands(*.images as u64))]
    Alike {
        /// The set's name.
        name: String,
        /// Number of images.
        images: usize,
    },
    /// The training and the test images are of different sizes.
    #[error("{test}: images of {expected} pixels expected, as in {training}, {found} found")]
    SetsDiffer {
        /// The training set's name.
        training: String,
        /// The test set's name.
        test: String,
        /// Shape of the training images.
        expected: ImageShape,
        /// Shape of the test images.
        found: ImageShape,
    },
    /// The training and the test set have different numbers of classes.
    #[error("{test}: {expected} classes expected, as in {training}, {found} found")]
    ClassesDiffer {
        /// The training set's name.
        training: String,
        /// The test set's name.
        test: String,
        /// Classes of the training set.
        expected: usize,
        /// Classes of the test set.
        found: usize,
    },
    /// A folder lacks one of the four files.
    #[error("{directory}: {name} or {name}.gz expected, neither found")]
    MissingFile {
        /// The folder's path.
        directory: String,
        /// The file's name without `.gz`.
        name: String,
    },
    /// A folder holds nothing that is read.
    #[error(
        "{directory}: images in class folders, a CSV, npz or MATLAB file, CIFAR's binary files or IDX files expected, none found{}",
        beside(.found)
    )]
    Nothing {
        /// The folder's path.
        directory: String,
        /// What it holds instead.
        found: Option<Beside>,
    },
    /// A folder has several files that could be the one that is wanted.
    #[error("{directory}: one file of {what} expected, {one} and {other} found")]
    SeveralFiles {
        /// The folder's path.
        directory: String,
        /// What it holds, for example training images.
        what: &'static str,
        /// The name of one of them.
        one: String,
        /// The name of another.
        other: String,
    },
    /// A file or folder cannot be read.
    #[error("{file}: cannot read the file ({reason})")]
    Unreadable {
        /// The path.
        file: String,
        /// What the system said.
        reason: String,
    },
    /// A file or folder cannot be written.
    #[error("{file}: a writable place expected, an error found ({reason})")]
    Unwritable {
        /// The path.
        file: String,
        /// What the system said.
        reason: String,
    },
    /// A row of labels has another length than QMNIST's.
    #[error("{file}: rows of {expected} numbers expected, of {} found", thousands(u64::from(*.found)))]
    LabelColumns {
        /// The file's path.
        file: String,
        /// [`crate::idx::LABEL_ROW`].
        expected: u32,
        /// Numbers in a row, by the header.
        found: u32,
    },
    /// A label of a published set is none of its labels.
    #[error("{file}: labels from {first} to {last} expected, {found} found at index {}", thousands(*.index as u64))]
    LabelRange {
        /// The path of the file with the labels.
        file: String,
        /// The first such label's place, counted from 0.
        index: usize,
        /// The label of the first class.
        first: u32,
        /// The label of the last class.
        last: u32,
        /// The label.
        found: u32,
    },
    /// A published set has more or fewer images than it is known for.
    #[error("{file}: {} labels expected, {} found", thousands(*.expected), thousands(*.found))]
    SetSize {
        /// The path of the file with the labels.
        file: String,
        /// Number of images, as published.
        expected: u64,
        /// Number of images and labels.
        found: u64,
    },
    /// A file of a published set is not as it was published.
    #[error("{file}: {algorithm} {expected} expected, {found} found")]
    WrongDigest {
        /// The set's name.
        name: String,
        /// The file's path.
        file: String,
        /// [`crate::Digest::algorithm`].
        algorithm: &'static str,
        /// In lower-case hexadecimal.
        expected: String,
        /// In lower-case hexadecimal.
        found: String,
    },
    /// A published set has not been downloaded, or not all of it.
    #[error("dataset {name}: {folder} with {file} expected, not found")]
    NotFetched {
        /// The set's name.
        name: String,
        /// The set's folder in the cache.
        folder: String,
        /// The first file that is not there.
        file: String,
    },
    /// Nothing says where downloads are kept.
    #[error("the folder for downloaded datasets: a home folder in the environment expected, none found")]
    NoCacheFolder,
    /// A dataset's name is neither known nor a folder.
    #[error("dataset {name:?}: a known name or a file or folder of images expected, neither found")]
    UnknownName {
        /// What was asked for.
        name: String,
        /// The known name that is spelt most alike, if one is near.
        suggestion: Option<&'static str>,
    },
    /// A published set that cannot be learnt from here.
    #[error("dataset {name}: {expected} expected, {found} found")]
    Unsuitable {
        /// The set's name.
        name: String,
        /// What a set has to hold.
        expected: &'static str,
        /// What it holds.
        found: &'static str,
    },
    /// A dataset's name is a path, and nothing is there.
    #[error("dataset {name:?}: a file or folder of images expected, nothing found there")]
    NoFolder {
        /// The path as it was given.
        name: String,
    },
    /// A dataset's name is that of a file.
    #[error("dataset {name:?}: a file or folder of images expected, {} found", .found.map_or("a file", |found| found.what()))]
    NotADirectory {
        /// What was asked for.
        name: String,
        /// What the file is, where that is known.
        found: Option<Found>,
    },
    /// A name is that of a path, and that of another with words behind it.
    #[error("dataset {name:?}: one path expected, both {name} and {path} found")]
    TwoPaths {
        /// The name.
        name: String,
        /// The path before the words.
        path: String,
    },
    /// Images are to be set apart as a test part, and there is one.
    #[error("dataset {name}: data without a test part expected for `test=`, one with a test part found")]
    TestStated {
        /// The set's name.
        name: String,
    },
    /// A word of a reading means nothing for this kind of data.
    #[error("dataset {name}: {expected} expected where `{word}` is asked for, data of another kind found")]
    NotForThis {
        /// The set's name.
        name: String,
        /// The word, such as `transposed`.
        word: &'static str,
        /// What it is for.
        expected: &'static str,
    },
    /// A known set was to be read in another way.
    #[error("dataset {name}: a folder or a file expected for {reading}, a known data set found")]
    AsPublished {
        /// The set's name.
        name: String,
        /// How it was to be read.
        reading: String,
    },
    /// No class has an image to spare for validation.
    #[error("a class with at least 2 of {} images expected, none found", thousands(*.images as u64))]
    Indivisible {
        /// Number of images to divide.
        images: usize,
    },
    /// Images cannot be dealt out to so many folds.
    #[error("2 to {} folds expected, one {} each at least, {folds} found", thousands(*.most as u64), if *.grouped { "group" } else { "image" })]
    Folds {
        /// How many were asked for.
        folds: usize,
        /// How many images or groups there are.
        most: usize,
        /// Whether groups are dealt out.
        grouped: bool,
    },
    /// Groups cannot be told.
    #[error("groups of {name}: {expected} expected, {found} found")]
    Groups {
        /// The set's name, or the path of the file of groups.
        name: String,
        /// What there should be.
        expected: String,
        /// What there is.
        found: String,
    },
    /// That many images cannot be held back.
    #[error(
        "1 to {} of {} images to hold back expected, {} found",
        thousands(*.largest as u64), thousands(*.images as u64), thousands(*.found as u64)
    )]
    SplitSize {
        /// Number of images to divide.
        images: usize,
        /// All images less one of each class present.
        largest: usize,
        /// How many were to be held back.
        found: usize,
    },
    /// That many images cannot be learnt from.
    #[error(
        "{name}: training_images: {} to {} expected, {} found",
        thousands(*.least as u64), thousands(*.most as u64), thousands(*.found as u64)
    )]
    TrainingImages {
        /// The set's name.
        name: String,
        /// One of each class present.
        least: usize,
        /// All that the run could learn from.
        most: usize,
        /// How many were asked for.
        found: usize,
    },
    /// A data set cannot be divided.
    #[error("data set {name}, {part}: {problem}")]
    Division {
        /// The set's name.
        name: String,
        /// What would come of it.
        part: HeldBack,
        /// Why not.
        problem: Box<Error>,
    },
    /// A run is to draw its validation part, and the data states one.
    #[error("data set {name}: data without a validation part expected where runs draw their split, {} validation images found", thousands(*.images as u64))]
    ValidationStated {
        /// The set's name.
        name: String,
        /// How many validation images it states.
        images: usize,
    },
    /// What people hand over cannot be read.
    #[error(transparent)]
    Container(#[from] containers::Error),
    /// The program's own copy of MNIST is damaged.
    #[cfg(feature = "embedded")]
    #[error(transparent)]
    Embedded(#[from] embedded::CorruptError),
    /// The program has no copy of MNIST.
    #[error("mnist: a program with a copy of it expected, this one has none")]
    NoCopy,
}

/// What comes of a division of images.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HeldBack {
    /// Images to validate on, and others.
    Validation,
    /// Images to test on, and others.
    Test,
    /// Folds.
    Folds,
}

impl fmt::Display for HeldBack {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Validation => "validation part",
            Self::Test => "test part",
            Self::Folds => "cross-validation",
        })
    }
}

/// What a folder holds in the place of images that are read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Beside {
    /// A folder below it has them.
    Folder(String),
    /// Files of another kind.
    Kind {
        /// Of which.
        kind: Found,
        /// How many.
        count: usize,
        /// The path of one, within the folder.
        example: String,
    },
    /// Files of no kind that is known.
    Files {
        /// The names of some.
        examples: Vec<String>,
        /// How many there are.
        count: usize,
    },
}

fn beside(found: &Option<Beside>) -> String {
    match found {
        None => String::new(),
        Some(Beside::Folder(folder)) => format!(", but IDX files in {folder}"),
        Some(Beside::Kind { kind, count: 1, example }) => format!(", but {}: {example}", kind.what()),
        Some(Beside::Kind { kind, count, example }) => {
            format!(", but {} files like {example}: {}", thousands(*count as u64), kind.what())
        }
        Some(Beside::Files { examples, count }) => {
            let more = count - examples.len();
            let more = if more > 0 { format!(" and {} more", thousands(more as u64)) } else { String::new() };
            format!(", but {}{more}", examples.join(", "))
        }
    }
}

impl Error {
    /// Why a data set of that name cannot be divided.
    pub fn of_division(self, name: &str, part: HeldBack) -> Self {
        Self::Division { name: name.to_owned(), part, problem: Box::new(self) }
    }

    /// For a name that is neither known nor a folder: [`Self::Unsuitable`] or [`Self::UnknownName`].
    pub fn unknown_name(name: &str) -> Self {
        if let Some((expected, found)) = unsuitable(name) {
            return Self::Unsuitable { name: name.to_owned(), expected, found };
        }
        let known = crate::published().iter().map(|set| set.name);
        Self::UnknownName { name: name.to_owned(), suggestion: crate::near(name, known) }
    }
}

fn surplus(found: Option<u64>) -> String {
    found.map_or_else(|| "more".to_owned(), thousands)
}
