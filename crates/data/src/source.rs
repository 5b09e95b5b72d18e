//! Where a corpus comes from.

use std::fmt;
use std::path::{Path, PathBuf, is_separator};

use crate::coloured::coloured;
use crate::directory::load_folder;
use crate::parse::{Parsed, parse_files};
use crate::paths::{PathKind, path_kind, recognise_file};
use crate::{Corpus, Error, Origin, Published, cache_folder, find_published, load_published};

/// The name of the set that is made of the embedded one.
const COLORED_MNIST: &str = "colored-mnist";

/// What stands after a folder's name when its images are to be transposed.
const TRANSPOSED: &str = ":transposed";

/// Where a corpus comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// The copy of MNIST inside the binary.
    Mnist,
    /// That copy in colours, of which the training images give the class away: `colored-mnist`.
    ColoredMnist,
    /// A set that is published for download, see [`crate::load_published`].
    Published {
        /// Which.
        set: &'static Published,
        /// The folder that holds the folders of such sets.
        cache: PathBuf,
    },
    /// A folder of four IDX files, see [`crate::load_directory`].
    Directory {
        /// The folder.
        path: PathBuf,
        /// Whether rows and columns of every image are exchanged, as EMNIST's published files need it.
        transposed: bool,
    },
}

impl Source {
    /// A known name ([`crate::published`] lists them), or else the path of a folder; `./mnist` is a folder of the name.
    /// `FOLDER:transposed` is the folder with rows and columns of every image exchanged.
    ///
    /// A known name is one whether or not the set has been downloaded; its folder is in [`cache_folder`].
    ///
    /// # Errors
    /// [`Error::NotADirectory`] for a file, [`Error::NoFolder`] for a path where nothing is, [`Error::UnknownName`] for
    /// another name, with the nearest known one,
    /// [`Error::Upright`] for a known set to be transposed, [`Error::NoCacheFolder`] for a set to download where the
    /// environment names no folder for it.
    pub fn parse(text: &str) -> Result<Self, Error> {
        if let Some(set) = find_published(text) {
            return match set.origin {
                Origin::Embedded => Ok(Self::Mnist),
                Origin::Coloured => Ok(Self::ColoredMnist),
                _ => Ok(Self::Published { set, cache: cache_folder()? }),
            };
        }
        match path_kind(Path::new(text)) {
            PathKind::Directory => Ok(Self::Directory { path: PathBuf::from(text), transposed: false }),
            PathKind::File => {
                Err(Error::NotADirectory { name: text.to_owned(), found: recognise_file(Path::new(text)) })
            }
            PathKind::Other => Err(Error::Unreadable {
                file: text.to_owned(),
                reason: "neither a file nor a folder".to_owned(),
            }),
            PathKind::Nothing => match text.strip_suffix(TRANSPOSED) {
                Some(folder) => Self::parse(folder)?.transposed(),
                None if text.starts_with(['.', '~']) || text.contains(is_separator) => {
                    Err(Error::NoFolder { name: text.to_owned() })
                }
                None => Err(Error::unknown_name(text)),
            },
        }
    }

    /// The same folder, with rows and columns of every image exchanged.
    ///
    /// # Errors
    /// [`Error::Upright`] for a known set.
    pub fn transposed(self) -> Result<Self, Error> {
        match self {
            Self::Directory { path, .. } => Ok(Self::Directory { path, transposed: true }),
            Self::Mnist | Self::ColoredMnist | Self::Published { .. } => {
                Err(Error::Upright { name: self.to_string() })
            }
        }
    }
}

/// The name of a folder with rows and columns of every image exchanged, as [`Source::parse`] takes it.
pub fn transposed_name(folder: &str) -> String {
    if folder.ends_with(TRANSPOSED) { folder.to_owned() } else { format!("{folder}{TRANSPOSED}") }
}

impl fmt::Display for Source {
    /// As [`Source::parse`] reads it.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Mnist => formatter.write_str("mnist"),
            Self::ColoredMnist => formatter.write_str(COLORED_MNIST),
            Self::Published { set, .. } => formatter.write_str(set.name),
            Self::Directory { path, transposed } => {
                write!(formatter, "{}{}", path.display(), if *transposed { TRANSPOSED } else { "" })
            }
        }
    }
}

/// Loads a corpus.
///
/// # Errors
/// [`Error::Embedded`] when the embedded copy is damaged, the errors of [`load_published`] for a published set and of
/// [`crate::load_directory`] for a folder.
pub fn load(source: &Source) -> Result<Corpus, Error> {
    match source {
        Source::Mnist => load_mnist(),
        Source::ColoredMnist => coloured(COLORED_MNIST, &load_mnist()?),
        Source::Published { set, cache } => load_published(set, cache),
        Source::Directory { path, transposed } => load_folder(path, &source.to_string(), *transposed),
    }
}

fn load_mnist() -> Result<Corpus, Error> {
    let files = embedded::files()?;
    let packed = [
        &embedded::TRAINING_IMAGES,
        &embedded::TRAINING_LABELS,
        &embedded::TEST_IMAGES,
        &embedded::TEST_LABELS,
    ];
    let contents = [files.training_images, files.training_labels, files.test_images, files.test_labels];
    // `embedded` has verified the digests: taking them again would double the time of loading.
    let digests = packed.map(|file| parse_digest(file.sha256));
    let [a, b, c, d] = packed.map(|file| file.name.to_owned());
    let [e, f, g, h] = contents;
    let Parsed { training, test, class_names, .. } =
        parse_files("mnist", [(a, e), (b, f), (c, g), (d, h)], false)?;
    // Its content is known, and examined by a test.
    Corpus::known("mnist".to_owned(), training, test, class_names, &digests)
}

/// The 32 bytes of 64 hexadecimal digits, which are a constant of `embedded`.
fn parse_digest(text: &str) -> [u8; 32] {
    std::array::from_fn(|index| {
        u8::from_str_radix(&text[2 * index..][..2], 16).expect("a constant in hexadecimal")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_digest_is_read_from_its_digits() {
        let digest = parse_digest("000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1eff");
        assert_eq!((digest[0], digest[10], digest[31]), (0, 10, 255));
    }
}
