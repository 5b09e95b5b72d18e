//! Where a corpus comes from.

use std::fmt;
use std::path::{Path, PathBuf};

use crate::directory::{PathKind, load_directory, path_kind};
use crate::{Corpus, Dataset, Error, Origin, Published, cache_folder, find_published, idx, load_published};

/// Where a corpus comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// The copy of MNIST inside the binary.
    Mnist,
    /// A set that is published for download, see [`crate::load_published`].
    Published {
        /// Which.
        set: &'static Published,
        /// The folder that holds the folders of such sets.
        cache: PathBuf,
    },
    /// A folder of four IDX files, see [`crate::load_directory`].
    Directory(PathBuf),
}

impl Source {
    /// A known name ([`crate::published`] lists them), or else the path of a folder; `./mnist` is a folder of the name.
    ///
    /// A known name is one whether or not the set has been downloaded; its folder is in [`cache_folder`].
    ///
    /// # Errors
    /// [`Error::NotADirectory`] for a file, [`Error::UnknownName`] for what is neither, with the nearest known name,
    /// [`Error::NoCacheFolder`] for a set to download where the environment names no folder for it.
    pub fn parse(text: &str) -> Result<Self, Error> {
        if let Some(set) = find_published(text) {
            return match set.origin {
                Origin::Embedded => Ok(Self::Mnist),
                _ => Ok(Self::Published { set, cache: cache_folder()? }),
            };
        }
        match path_kind(Path::new(text)) {
            PathKind::Directory => Ok(Self::Directory(PathBuf::from(text))),
            PathKind::File => Err(Error::NotADirectory { name: text.to_owned() }),
            PathKind::Nothing => Err(Error::unknown_name(text)),
        }
    }
}

impl fmt::Display for Source {
    /// As [`Source::parse`] reads it.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Mnist => formatter.write_str("mnist"),
            Self::Published { set, .. } => formatter.write_str(set.name),
            Self::Directory(path) => path.display().fmt(formatter),
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
        Source::Published { set, cache } => load_published(set, cache),
        Source::Directory(path) => load_directory(path),
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
    parse_files("mnist", [(a, e), (b, f), (c, g), (d, h)])
        .and_then(|(training, test)| Corpus::with_digests("mnist".to_owned(), training, test, &digests))
}

/// The corpus of four files, each with its name in errors, in the order of [`crate::FILE_NAMES`].
pub(crate) fn corpus_of_files(name: &str, files: [(String, Vec<u8>); 4]) -> Result<Corpus, Error> {
    let (training, test) = parse_files(name, files)?;
    Corpus::new(name, training, test)
}

fn parse_files(name: &str, files: [(String, Vec<u8>); 4]) -> Result<(Dataset, Dataset), Error> {
    let [training_images, training_labels, test_images, test_labels] = files;
    let training_name = training_images.0.clone();
    let test_name = test_images.0.clone();
    let (training, training_labels) = parse_set(training_images, training_labels)?;
    let (test, test_labels) = parse_set(test_images, test_labels)?;
    // Compared here rather than in `Corpus` alone, so that the error names the files.
    if (training.height, training.width) != (test.height, test.width) {
        return Err(Error::SetsDiffer {
            training: training_name,
            test: test_name,
            expected: (training.height, training.width),
            found: (test.height, test.width),
        });
    }
    let largest = training_labels.iter().chain(&test_labels).max().copied().unwrap_or(0);
    let classes = usize::from(largest) + 1;
    if classes < 2 {
        return Err(Error::ClassCount { name: name.to_owned(), found: classes });
    }
    let dataset = |set: &str, images: idx::Images, labels| {
        Dataset::new(format!("{name} ({set})"), images.pixels, labels, images.height, images.width, classes)
    };
    Ok((dataset("training", training, training_labels)?, dataset("test", test, test_labels)?))
}

fn parse_set(images: (String, Vec<u8>), labels: (String, Vec<u8>)) -> Result<(idx::Images, Vec<u8>), Error> {
    parse_images_and_labels(images, labels, idx::read_labels)
}

/// A file of images and a file of as many labels, each with its name in errors.
pub(crate) fn parse_images_and_labels<L>(
    images: (String, Vec<u8>),
    labels: (String, Vec<u8>),
    read_labels: impl FnOnce(&str, Vec<u8>) -> Result<Vec<L>, Error>,
) -> Result<(idx::Images, Vec<L>), Error> {
    let parsed_images = idx::read_images(&images.0, images.1)?;
    let parsed_labels = read_labels(&labels.0, labels.1)?;
    if parsed_images.count != parsed_labels.len() {
        return Err(Error::CountsDiffer {
            images_file: images.0,
            labels_file: labels.0,
            images: parsed_images.count as u64,
            labels: parsed_labels.len() as u64,
        });
    }
    Ok((parsed_images, parsed_labels))
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
