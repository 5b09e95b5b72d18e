//! Image data sets as people have them, read to arrays: class folders of image files, NumPy's arrays, CSV tables, CIFAR's
//! binary files, SVHN's MATLAB files.
//!
//! [`recognise`] says what a path holds, [`read`] reads it. Nothing is resized, transposed, converted or left out in silence: what was
//! is a sentence of [`Contents::remarks`], what cannot be decided is an [`Error`] whose [`Remedy`] says what to state. No file can
//! make this run code, and nothing is allocated by a number of a file's head before the bytes that it promises have been seen.
//!
//! ```
//! let folder = tempfile::tempdir()?;
//! let file = folder.path().join("train.csv");
//! std::fs::write(&file, "label,a,b,c,d\ncat,0,50,100,255\ndog,9,8,7,6\n")?;
//! let contents = containers::read(&file, &containers::Reading::default())?;
//! assert_eq!(contents.class_names, ["cat", "dog"]);
//! assert_eq!((contents.training.images.height, contents.training.images.width), (2, 2));
//! assert_eq!(contents.training.images.pixels, [0, 50, 100, 255, 9, 8, 7, 6]);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod array;
pub mod arrays;
mod cifar;
mod class_folders;
mod csv;
mod error;
mod finish;
mod image_file;
mod labels;
mod mat;
mod npz;
mod one_image;
mod pixels;
mod reading;
mod words;

pub use error::{Asked, Error, Remedy};
pub use one_image::read_image;
pub use words::thousands;

use std::{fs, path::Path};

/// The most pixels from top to bottom, and from left to right.
pub const MAXIMUM_SIDE: usize = 256;

/// The most classes that are told apart.
pub const MAXIMUM_CLASSES: usize = 256;

/// The most bytes of pixels in a part.
pub const MAXIMUM_BYTES: u64 = 4 << 30;

/// Images of one size.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Images {
    /// `[image, row, column, channel]`.
    pub pixels: Vec<u8>,
    /// Number of images, at least 1.
    pub count: usize,
    /// Pixels from top to bottom, 1 to [`MAXIMUM_SIDE`].
    pub height: usize,
    /// Pixels from left to right, 1 to [`MAXIMUM_SIDE`].
    pub width: usize,
    /// 1 for grey, 3 for red, green and blue.
    pub channels: usize,
}

/// Images with their classes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part {
    /// The images.
    pub images: Images,
    /// For each image the index of its class in [`Contents::class_names`].
    pub labels: Vec<u16>,
    /// Where images are files: the path of each, relative to the folder that was handed over, with `/` between its names.
    pub names: Option<Vec<String>>,
}

/// What a path holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Contents {
    /// The classes that occur: numbers in their order, other names in the order of their bytes (NFC), CIFAR's in the file's order.
    pub class_names: Vec<String>,
    /// The training images.
    pub training: Part,
    /// The validation images, where the path states some.
    pub validation: Option<Part>,
    /// The test images, where the path states some.
    pub test: Option<Part>,
    /// What was guessed, converted or passed over, a sentence each.
    pub remarks: Vec<String>,
}

/// How to read what does not tell it by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Reading {
    /// Makes one channel of three: `(19595 R + 38470 G + 7471 B + 32768) / 65536`, the luma of ITU-R BT.601.
    pub grey: bool,
    /// Resizes all images to this height and width, by a triangle filter as wide as a pixel of the smaller image.
    pub resize: Option<[usize; 2]>,
    /// Height and width of images that stand in a row each, where they are no squares.
    pub size: Option<[usize; 2]>,
    /// Where an array's channels are, where its shape does not tell.
    pub layout: Option<Layout>,
}

/// Where an array's channels are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Layout {
    /// `[image, channel, row, column]`.
    ChannelsFirst,
    /// `[image, row, column, channel]`.
    ChannelsLast,
}

/// What a path can hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A folder of a folder a class, or of one such folder a part.
    ClassFolders,
    /// NumPy's arrays, in an archive or in a folder.
    Npz,
    /// A table of a row an image, or a folder of such tables.
    Csv,
    /// MATLAB's files of an array of images and one of labels, as SVHN is published in: one, or a folder of them.
    Mat,
    /// The binary version of CIFAR-10 or CIFAR-100: a file, its folder, or the archive that is published.
    Cifar,
}

/// Whether a file is called as image files are.
pub fn is_image_name(path: &Path) -> bool {
    image_file::format_of_name(path).is_some()
}

/// What `path` holds; none for what is not read here. IDX files are none of these.
///
/// A folder is told by the names in it, a file by its name and its first bytes.
pub fn recognise(path: &Path) -> Option<Kind> {
    if path.is_dir() {
        // Beside images in class folders there may be a table of their names.
        return if class_folders::has_parts(path) {
            Some(Kind::ClassFolders)
        } else if csv::is_folder(path) {
            Some(Kind::Csv)
        } else if cifar::is_folder(path) {
            Some(Kind::Cifar)
        } else if mat::is_folder(path) {
            Some(Kind::Mat)
        } else if npz::is_folder_of_images(path) {
            Some(Kind::Npz)
        } else if class_folders::is_folder(path) {
            Some(Kind::ClassFolders)
        } else {
            npz::is_folder(path).then_some(Kind::Npz)
        };
    }
    let name = path.file_name()?.to_string_lossy().to_lowercase();
    if npz::is_file(path, &name) {
        Some(Kind::Npz)
    } else if csv::is_name(&name) {
        Some(Kind::Csv)
    } else if mat::is_file(&name) {
        Some(Kind::Mat)
    } else {
        cifar::is_file(path, &name).then_some(Kind::Cifar)
    }
}

/// Reads what `path` holds.
///
/// # Errors
/// [`Error::Unrecognised`] where [`recognise`] knows nothing, and any other for what is damaged, ambiguous or not readable.
pub fn read(path: &Path, reading: &Reading) -> Result<Contents, Error> {
    if let Err(error) = fs::metadata(path) {
        return Err(Error::unreadable(path.display().to_string(), &error));
    }
    let raw = match recognise(path).ok_or_else(|| Error::Unrecognised { path: path.display().to_string() })? {
        Kind::ClassFolders => class_folders::read(path, reading),
        Kind::Npz => npz::read(path, reading),
        Kind::Csv => csv::read(path, reading),
        Kind::Cifar => cifar::read(path),
        Kind::Mat => mat::read(path),
    }?;
    finish::finish(path, raw, reading)
}
