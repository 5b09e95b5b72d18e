//! Where a corpus comes from.

use std::fmt;
use std::path::{Path, PathBuf, is_separator};

use crate::coloured::coloured;
use crate::load_path::load_path;
use crate::mnist::own_copy;
use crate::paths::{PathKind, path_kind, recognise_file};
use crate::published::load_as;
use crate::shifted::shifted;
use crate::{Corpus, Error, Origin, Published, Reading, cache_folder, find_published};

/// The names of the sets that are made of the embedded one.
const COLORED_MNIST: &str = "colored-mnist";
const SHIFTED_MNIST: &str = "shifted-mnist";

/// Where a corpus comes from.
#[derive(Debug, Clone, PartialEq)]
pub enum Source {
    /// The copy of MNIST inside the binary.
    Mnist,
    /// That copy in colours, of which the training images give the class away: `colored-mnist`.
    ColoredMnist,
    /// That copy with test images off centre: `shifted-mnist`.
    ShiftedMnist,
    /// A set that is published for download, see [`crate::load_published`].
    Published {
        /// Which.
        set: &'static Published,
        /// The folder that holds the folders of such sets.
        cache: PathBuf,
        /// What is made of its images on the way in: [`Reading::grey`] and [`Reading::resize`].
        reading: Reading,
    },
    /// A file or a folder of images.
    Path {
        /// Where it is.
        path: PathBuf,
        /// What is made of its images on the way in.
        reading: Reading,
    },
}

impl Source {
    /// A known name ([`crate::published`] lists them), or else the path of a file or folder, behind which stands how it is to be read
    /// ([`Reading`]): `photos:grey:resize=32x32`. `./mnist` is a folder of the name.
    ///
    /// A known name is one whether or not the set has been downloaded; its folder is in [`cache_folder`].
    ///
    /// # Errors
    /// [`Error::NotADirectory`] for a file of no kind that is read, [`Error::NoFolder`] for a path where nothing is,
    /// [`Error::UnknownName`] for another name, with the nearest known one,
    /// [`Error::AsPublished`] for a known set that cannot be read in that way, [`Error::NoCacheFolder`] for a set to download where the
    /// environment names no folder for it.
    pub fn parse(text: &str) -> Result<Self, Error> {
        if let Some(set) = find_published(text) {
            return match set.origin {
                Origin::Embedded => Ok(Self::Mnist),
                Origin::Coloured => Ok(Self::ColoredMnist),
                Origin::Shifted => Ok(Self::ShiftedMnist),
                _ => Ok(Self::Published { set, cache: cache_folder()?, reading: Reading::default() }),
            };
        }
        let at = |path: &str, reading: Reading| {
            let named = || path.to_owned();
            match path_kind(Path::new(path)) {
                PathKind::Directory => Ok(Self::Path { path: PathBuf::from(path), reading }),
                PathKind::File if containers::recognise(Path::new(path)).is_some() => {
                    Ok(Self::Path { path: PathBuf::from(path), reading })
                }
                PathKind::File => {
                    Err(Error::NotADirectory { name: named(), found: recognise_file(Path::new(path)) })
                }
                PathKind::Other => {
                    Err(Error::Unreadable { file: named(), reason: "neither a file nor a folder".to_owned() })
                }
                PathKind::Nothing if path.starts_with(['.', '~']) || path.contains(is_separator) => {
                    Err(Error::NoFolder { name: named() })
                }
                PathKind::Nothing => Err(Error::unknown_name(path)),
            }
        };
        // A path may hold colons itself.
        let (path, reading) = Reading::split(text);
        if !matches!(path_kind(Path::new(text)), PathKind::Nothing) {
            let is_ambiguous = path != text && !matches!(path_kind(Path::new(path)), PathKind::Nothing);
            return match is_ambiguous {
                true => Err(Error::TwoPaths { name: text.to_owned(), path: path.to_owned() }),
                false => at(text, Reading::default()),
            };
        }
        if let Some(set) = find_published(path)
            && reading != Reading::default()
        {
            let of_images = Reading { grey: reading.grey, resize: reading.resize, ..Reading::default() };
            return match set.origin {
                Origin::Containers(_) if reading == of_images => {
                    Ok(Self::Published { set, cache: cache_folder()?, reading })
                }
                _ => Err(Error::AsPublished { name: path.to_owned(), reading: reading.to_string() }),
            };
        }
        at(path, reading)
    }
}

impl fmt::Display for Source {
    /// As [`Source::parse`] reads it.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Mnist => formatter.write_str("mnist"),
            Self::ColoredMnist => formatter.write_str(COLORED_MNIST),
            Self::ShiftedMnist => formatter.write_str(SHIFTED_MNIST),
            Self::Published { set, reading, .. } => write!(formatter, "{}{reading}", set.name),
            Self::Path { path, reading } => write!(formatter, "{}{reading}", path.display()),
        }
    }
}

/// The names of the sets that are made of MNIST when they are loaded.
pub const MADE_OF_MNIST: [&str; 2] = [COLORED_MNIST, SHIFTED_MNIST];

/// The set of that name, made of MNIST; none where it is no such set.
pub fn made_of_mnist(name: &str, mnist: &Corpus) -> Option<Result<Corpus, Error>> {
    match name {
        COLORED_MNIST => Some(coloured(COLORED_MNIST, mnist)),
        SHIFTED_MNIST => Some(shifted(SHIFTED_MNIST, mnist)),
        _ => None,
    }
}

/// Loads a corpus.
///
/// # Errors
/// [`Error::Embedded`] when the embedded copy is damaged, [`Error::NoCopy`] where the program has none, the errors of [`crate::load_published`] for a published set and of
/// [`load_path`] for a file or folder.
pub fn load(source: &Source) -> Result<Corpus, Error> {
    match source {
        Source::Mnist => own_copy(),
        Source::ColoredMnist => coloured(COLORED_MNIST, &own_copy()?),
        Source::ShiftedMnist => shifted(SHIFTED_MNIST, &own_copy()?),
        Source::Published { set, cache, reading } => load_as(set, cache, reading),
        Source::Path { path, reading } => load_path(path, reading),
    }
}
