//! What can be wrong with images that were handed over: the file, the place in it, what was expected, what was found.

use crate::{
    Layout, MAXIMUM_BYTES, MAXIMUM_CLASSES, MAXIMUM_SIDE, image_file::MAXIMUM_STORED_SIDE, words::thousands,
};
use std::fmt;

/// Why images cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// A path holds nothing that is read here.
    #[error("{path}: class folders, an npz, CSV or MATLAB file or CIFAR's binary files expected, none found")]
    Unrecognised {
        /// The path.
        path: String,
    },
    /// A file or folder cannot be read.
    #[error("{file}: cannot read the file ({reason})")]
    Unreadable {
        /// The path.
        file: String,
        /// What the system said.
        reason: String,
    },
    /// A file has no bytes.
    #[error("{file}: {expected} expected, an empty file (0 bytes) found")]
    EmptyFile {
        /// The path.
        file: String,
        /// What it should hold.
        expected: &'static str,
    },
    /// A file named as an image is none.
    #[error("{file}: a PNG, JPEG, GIF, BMP, WebP, TIFF, PNM or QOI image expected, {found} found")]
    NotAnImage {
        /// The path.
        file: String,
        /// What its first bytes look like.
        found: String,
    },
    /// An image file breaks off or cannot be decoded.
    #[error("{file}: a whole {format} image expected, a damaged one found ({reason})")]
    DamagedImage {
        /// The path.
        file: String,
        /// Its format.
        format: String,
        /// What the decoder found.
        reason: String,
    },
    /// An image file has what its format allows and no decoder here reads.
    #[error("{file}: a {format} image of a usual kind expected, one that cannot be read found ({reason})")]
    UnsupportedImage {
        /// The path.
        file: String,
        /// Its format.
        format: String,
        /// What it has.
        reason: String,
    },
    /// An image is stored with more pixels than are read and scaled, or with none.
    #[error("{file}: an image file of 1 to {} pixels a side expected, {}×{} found", thousands(u64::from(MAXIMUM_STORED_SIDE)), thousands(u64::from(*.height)), thousands(u64::from(*.width)))]
    StoredSize {
        /// The path.
        file: String,
        /// Pixels from top to bottom, as they are stored.
        height: u32,
        /// Pixels from left to right.
        width: u32,
    },
    /// A compressed file is damaged or breaks off.
    #[error("{file}: whole {format} data expected, damaged data found ({reason})")]
    Damaged {
        /// The path, with the member where it is of an archive.
        file: String,
        /// The format.
        format: &'static str,
        /// What the decoder found.
        reason: String,
    },
    /// There is more than is read.
    #[error("{file}: at most {} bytes {of} expected, {} found", thousands(*.limit), more(*.found))]
    TooLarge {
        /// The path, with the array where it is of an archive.
        file: String,
        /// Of what: pixels, an image file, a row.
        of: &'static str,
        /// The most that is read.
        limit: u64,
        /// How much there is, where that is known.
        found: Option<u64>,
    },
    /// Images are too large, or have no pixels.
    #[error("{file}: images of 1×1 to {MAXIMUM_SIDE}×{MAXIMUM_SIDE} pixels expected, {}×{} found", thousands(*.height), thousands(*.width))]
    ImageSize {
        /// The path.
        file: String,
        /// Pixels from top to bottom.
        height: u64,
        /// Pixels from left to right.
        width: u64,
    },
    /// The images of a folder are of different sizes.
    #[error("{path}: images of one size expected, {} found, for example {example}", listed_sizes(.sizes))]
    SeveralSizes {
        /// The folder.
        path: String,
        /// Height, width and number of images, the most frequent first.
        sizes: Vec<(usize, usize, usize)>,
        /// An image of the least frequent size.
        example: String,
    },
    /// A part's images are of another size or have other channels than the training images.
    #[error("{path}: {part} images of {} expected, as the training images, {} found", shape(.expected), shape(.found))]
    PartsDiffer {
        /// The path.
        path: String,
        /// `test` or `validation`.
        part: &'static str,
        /// Height, width and channels of the training images.
        expected: [usize; 3],
        /// Those of the part.
        found: [usize; 3],
    },
    /// A part has no images.
    #[error("{path}: at least 1 image expected, 0 found")]
    NoImages {
        /// The path, with the array where it is of an archive.
        path: String,
    },
    /// A folder has no training images, but others.
    #[error("{path}: {expected} expected beside {found}, not found")]
    NoTraining {
        /// The folder.
        path: String,
        /// What the training images would be in.
        expected: &'static str,
        /// What there is.
        found: String,
    },
    /// Two files or folders could be the same part.
    #[error("{path}: one {what} expected, {one} and {other} found")]
    Several {
        /// The folder.
        path: String,
        /// What there should be one of.
        what: &'static str,
        /// The name of one of them.
        one: String,
        /// The name of another.
        other: String,
    },
    /// A class folder of the training images is empty.
    #[error("{folder}: at least 1 image of class {class:?} expected, none found")]
    EmptyClass {
        /// The folder.
        folder: String,
        /// The class.
        class: String,
    },
    /// A class has images in another part alone.
    #[error(
        "{folder}: a class of the training images expected, {class:?} found, which has none in {training}"
    )]
    UnknownClass {
        /// The class folder.
        folder: String,
        /// The class.
        class: String,
        /// The folder of the training images.
        training: String,
    },
    /// There is nothing to tell apart.
    #[error("{path}: at least 2 classes expected, all images are of class {class:?}")]
    OneClass {
        /// The path.
        path: String,
        /// The only class.
        class: String,
        /// A folder inside that has several class folders.
        inside: Option<String>,
    },
    /// There are more classes than are told apart.
    #[error("{path}: 2 to {MAXIMUM_CLASSES} classes expected, {found} found")]
    ClassCount {
        /// The path.
        path: String,
        /// Number of classes, or where not all were counted the first that is one too many.
        found: String,
    },
    /// An archive's arrays have no names that tell what they are.
    #[error("{file}: arrays {expected} expected, {} found", names(.found))]
    Arrays {
        /// The path.
        file: String,
        /// The names that are known.
        expected: &'static str,
        /// The names that there are.
        found: Vec<String>,
    },
    /// There are images without labels.
    #[error("{file}: labels of {images} expected, none found")]
    MissingLabels {
        /// The path.
        file: String,
        /// What they are of: an array, or rows of so many pixels.
        images: String,
    },
    /// There are more or fewer labels than images.
    #[error("{file}: {} labels expected, one for each image, {} found", thousands(*.images), thousands(*.labels))]
    CountsDiffer {
        /// The path, with the array of the labels.
        file: String,
        /// Number of images.
        images: u64,
        /// Number of labels.
        labels: u64,
    },
    /// An array can only be read by running code.
    #[error(
        "{array}: numbers or strings of fixed length expected, Python objects (a pickle) found, which could run code and are not read"
    )]
    Pickle {
        /// The path and the array.
        array: String,
    },
    /// An array's elements are of a type that is not read.
    #[error("{array}: {expected} expected, elements of type {found} found")]
    ElementType {
        /// The path and the array.
        array: String,
        /// What was expected.
        expected: &'static str,
        /// The type, as its file has it.
        found: String,
    },
    /// An array's shape is that of nothing that is read.
    #[error("{array}: {expected} expected, shape {} found", tuple(.found))]
    Shape {
        /// The path and the array.
        array: String,
        /// What was expected.
        expected: &'static str,
        /// The shape.
        found: Vec<u64>,
    },
    /// An array's shape does not tell where its channels are.
    #[error("{array}: a shape that tells where the channels are expected, {} found", tuple(.found))]
    Ambiguous {
        /// The path and the array.
        array: String,
        /// The shape.
        found: Vec<u64>,
    },
    /// The data is not as it was stated to be.
    #[error("{file}: {asked} expected, as asked for, {found} found")]
    Contradicted {
        /// The path, with the array where it is of an archive.
        file: String,
        /// What was stated.
        asked: Asked,
        /// What is there.
        found: String,
    },
    /// Pixels are none of the ranges that are read.
    #[error("{array}: pixels from 0 to 1 or from 0 to 255 expected, from {least} to {most} found")]
    Range {
        /// The path and the array.
        array: String,
        /// The smallest value, as text; `NaN` where one is no number.
        least: String,
        /// The largest.
        most: String,
    },
    /// An image belongs to several classes, or to none.
    #[error("{array}: one class an image expected, {positives} found at index {}", thousands(*.index))]
    SeveralLabels {
        /// The path and the array.
        array: String,
        /// The image, counted from 0.
        index: u64,
        /// How many classes it has.
        positives: usize,
    },
    /// A label is no class.
    #[error("{file}: {expected} expected, {found} found at index {}", thousands(*.index))]
    Label {
        /// The path, with the array where it is of an archive.
        file: String,
        /// What labels are.
        expected: &'static str,
        /// The image, counted from 0.
        index: u64,
        /// The label, as text.
        found: String,
    },
    /// The head of a file says what cannot be.
    #[error("{file}: {expected} expected, {found} found")]
    Header {
        /// The path, with the array where it is of an archive.
        file: String,
        /// What a head says.
        expected: &'static str,
        /// What this one says.
        found: String,
    },
    /// A file has fewer bytes than its head promises, or more.
    #[error("{file}: {} bytes expected by its head, {} found", thousands(*.expected), more(*.found))]
    Length {
        /// The path, with the array where it is of an archive.
        file: String,
        /// By the head.
        expected: u64,
        /// How many there are; none for more than expected.
        found: Option<u64>,
    },
    /// An archive holds nothing that is read from it.
    #[error("{file}: CIFAR's binary files expected in the archive, none found")]
    Archive {
        /// The path.
        file: String,
    },
    /// A file is no whole number of records.
    #[error("{file}: a multiple of {} bytes expected, the records of {set}, {} found", thousands(*.record), thousands(*.found))]
    RecordLength {
        /// The path.
        file: String,
        /// CIFAR-10 or CIFAR-100.
        set: &'static str,
        /// Bytes of a record.
        record: u64,
        /// Bytes of the file.
        found: u64,
    },
    /// The columns of a table are no square of pixels.
    #[error("{file}: a label and H×W pixels (or 3·H·W) in a row expected, {} columns of pixels found", thousands(*.columns))]
    PixelColumns {
        /// The path.
        file: String,
        /// Columns beside the label.
        columns: u64,
        /// The size that was asked for.
        size: Option<[usize; 2]>,
    },
    /// A row has more or fewer values than the first.
    #[error("{file}, line {}: {} values expected, as in the first row, {} found", thousands(*.line), thousands(*.expected), thousands(*.found))]
    RowLength {
        /// The path.
        file: String,
        /// The line, counted from 1.
        line: u64,
        /// Values of the first row.
        expected: u64,
        /// Values of this one.
        found: u64,
    },
    /// The values of a row are separated by something else than those of other tables, or rows.
    #[error("{file}, line {}: values separated by {expected} expected, by {found} found", thousands(*.line))]
    Separator {
        /// The path.
        file: String,
        /// The line, counted from 1.
        line: u64,
        /// By what they should be.
        expected: &'static str,
        /// By what they are.
        found: &'static str,
    },
    /// A value is no pixel.
    #[error("{file}, line {}, column {column}: a whole number from 0 to 255 expected, {found:?} found", thousands(*.line))]
    Value {
        /// The path.
        file: String,
        /// The line, counted from 1.
        line: u64,
        /// The column, counted from 1, with its name where there is one.
        column: String,
        /// The value as it stands there.
        found: String,
    },
    /// A table is no text in UTF-8.
    #[error("{file}, line {}: text in UTF-8 expected, {found} found", thousands(*.line))]
    Encoding {
        /// The path.
        file: String,
        /// The line, counted from 1.
        line: u64,
        /// What it is instead.
        found: &'static str,
    },
}

/// What was stated of images, where it need not be stated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Asked {
    /// Where an array's channels are.
    Layout(Layout),
    /// Height and width.
    Size([usize; 2]),
}

impl fmt::Display for Asked {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Layout(Layout::ChannelsFirst) => formatter.write_str("images with their channels first"),
            Self::Layout(Layout::ChannelsLast) => formatter.write_str("images with their channels last"),
            Self::Size([height, width]) => write!(formatter, "images of {height}×{width}"),
        }
    }
}

/// What the person who handed over the images can do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Remedy {
    /// Hand over another path: there is nothing to read at this one.
    OtherPath,
    /// Unpack the archive, and hand over its folder.
    Unpack,
    /// Hand over the folder inside.
    Folder(String),
    /// Get or save the file again: it is damaged or something else.
    Again,
    /// Save the image as a plain PNG, or a smaller one.
    AnotherImage,
    /// Ask for images of one size, for example this one.
    Resize([usize; 2]),
    /// State height and width of a row's pixels.
    Size,
    /// State whether channels are first or last.
    Layout,
    /// Leave out what was stated.
    LeaveOut(Asked),
    /// Ask for one channel in all parts.
    Grey,
    /// Remove or fill the folder, or correct its name.
    ClassFolder(String),
    /// Remove or rename one of the two.
    OneOf(String, String),
    /// Save the arrays under the names that are known.
    ArrayNames,
    /// Save the array as numbers or as strings of fixed length: `array.astype(str)`.
    FixedStrings,
    /// Save the pixels as bytes.
    Bytes,
    /// Choose one class an image.
    OneLabel,
    /// Add a column or an array of the labels.
    Labels,
    /// Correct the line of the file.
    Line(u64),
    /// Save the table with commas between the values.
    Commas,
    /// Save the table as UTF-8.
    Utf8,
    /// Hand over fewer images, or smaller ones.
    Fewer,
    /// Hand over labels that are classes, and fewer of them.
    Classes,
}

impl Error {
    /// What to do about it.
    pub fn remedy(&self) -> Remedy {
        match self {
            Self::Unrecognised { .. }
            | Self::Unreadable { .. }
            | Self::NoTraining { .. }
            | Self::NoImages { .. } => Remedy::OtherPath,
            Self::EmptyFile { .. }
            | Self::NotAnImage { .. }
            | Self::DamagedImage { .. }
            | Self::Damaged { .. }
            | Self::Header { .. }
            | Self::Length { .. }
            | Self::RecordLength { .. } => Remedy::Again,
            Self::UnsupportedImage { .. } | Self::StoredSize { .. } => Remedy::AnotherImage,
            Self::Archive { .. } => Remedy::Unpack,
            Self::TooLarge { .. } => Remedy::Fewer,
            Self::ClassCount { .. } => Remedy::Classes,
            Self::ImageSize { height, width, .. } => Remedy::Resize(reduced(*height, *width)),
            Self::SeveralSizes { sizes, .. } => {
                let [height, width] = sizes.first().map_or([32, 32], |(height, width, _)| [*height, *width]);
                Remedy::Resize(reduced(height as u64, width as u64))
            }
            Self::PartsDiffer { expected, found, .. } if expected[..2] == found[..2] => Remedy::Grey,
            Self::PartsDiffer { expected, .. } => Remedy::Resize([expected[0], expected[1]]),
            Self::Several { one, other, .. } => Remedy::OneOf(one.clone(), other.clone()),
            Self::EmptyClass { folder, .. } | Self::UnknownClass { folder, .. } => {
                Remedy::ClassFolder(folder.clone())
            }
            Self::OneClass { inside: Some(inside), .. } => Remedy::Folder(inside.clone()),
            Self::OneClass { .. } => Remedy::OtherPath,
            Self::Arrays { .. } => Remedy::ArrayNames,
            Self::MissingLabels { .. } | Self::CountsDiffer { .. } => Remedy::Labels,
            Self::Pickle { .. } => Remedy::FixedStrings,
            Self::ElementType { .. } | Self::Shape { .. } | Self::Range { .. } => Remedy::Bytes,
            Self::Ambiguous { .. } => Remedy::Layout,
            Self::Contradicted { asked, .. } => Remedy::LeaveOut(*asked),
            Self::SeveralLabels { .. } | Self::Label { .. } => Remedy::OneLabel,
            Self::PixelColumns { .. } => Remedy::Size,
            Self::RowLength { line, .. } | Self::Value { line, .. } => Remedy::Line(*line),
            Self::Separator { .. } => Remedy::Commas,
            Self::Encoding { .. } => Remedy::Utf8,
        }
    }

    pub(crate) fn unreadable(file: impl Into<String>, error: &std::io::Error) -> Self {
        Self::Unreadable { file: file.into(), reason: error.to_string() }
    }

    /// There are more than [`MAXIMUM_BYTES`] of pixels.
    pub(crate) fn too_large(file: impl Into<String>, found: Option<u64>) -> Self {
        Self::TooLarge { file: file.into(), of: "of pixels", limit: MAXIMUM_BYTES, found }
    }
}

/// A size with these proportions that is read.
fn reduced(height: u64, width: u64) -> [usize; 2] {
    let largest = height.max(width).max(1);
    let most = MAXIMUM_SIDE as u64;
    let side = |side: u64| {
        let side = if largest > most {
            (u128::from(side) * u128::from(most) / u128::from(largest)) as u64
        } else {
            side
        };
        side.max(1) as usize
    };
    [side(height), side(width)]
}

fn more(found: Option<u64>) -> String {
    found.map_or_else(|| "more".to_owned(), thousands)
}

fn listed_sizes(sizes: &[(usize, usize, usize)]) -> String {
    const NAMED: usize = 5;
    let named = sizes.iter().take(NAMED);
    let mut texts: Vec<String> = named
        .map(|(height, width, count)| format!("{} of {height}×{width}", thousands(*count as u64)))
        .collect();
    if let Some(others @ 1..) = sizes.len().checked_sub(NAMED) {
        let images: usize = sizes[NAMED..].iter().map(|(_, _, count)| count).sum();
        texts.push(format!("{} of {} other sizes", thousands(images as u64), thousands(others as u64)));
    }
    texts.join(", ")
}

fn shape(shape: &[usize; 3]) -> String {
    let [height, width, channels] = shape;
    format!("{height}×{width} with {channels} channel{}", if *channels == 1 { "" } else { "s" })
}

/// As Python writes a shape.
pub(crate) fn tuple(shape: &[u64]) -> String {
    match shape {
        [one] => format!("({one},)"),
        _ => format!("({})", shape.iter().map(u64::to_string).collect::<Vec<_>>().join(", ")),
    }
}

fn names(found: &[String]) -> String {
    const NAMED: usize = 12;
    match found.len() {
        0 => "no arrays".to_owned(),
        1..=NAMED => found.join(", "),
        count => format!("{} and {} more", found[..NAMED].join(", "), thousands((count - NAMED) as u64)),
    }
}
