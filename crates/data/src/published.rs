//! Published data sets as they lie in the cache: files as downloaded, verified each time they are read.

use std::fmt;
use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use crate::load_path::assemble;
use crate::parse::parse_images_and_labels;
use crate::paths::{PathKind, path_kind, read_file};
use crate::{Corpus, Dataset, Digest, Download, Error, LabelLayout, Origin, Published, Reading, idx};

/// Beside files that came out of an archive: their digests, as `sha256sum -c` reads them.
pub const CHECKSUMS_FILE: &str = "SHA256SUMS";

/// The digests of files, one line each: 64 hexadecimal digits, two spaces, the name.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Checksums(Vec<(String, String)>);

impl Checksums {
    /// Reads the lines; what is no such line says nothing of any file.
    pub fn parse(text: &str) -> Self {
        let lines = text.lines().filter_map(|line| line.split_once("  "));
        Self(lines.map(|(sha256, name)| (name.to_owned(), sha256.to_owned())).collect())
    }

    /// Adds a file.
    pub fn push(&mut self, name: &str, sha256: String) {
        self.0.push((name.to_owned(), sha256));
    }

    /// The digest of a file.
    pub fn of(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(known, _)| known == name).map(|(_, sha256)| sha256.as_str())
    }
}

impl fmt::Display for Checksums {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|(name, sha256)| writeln!(formatter, "{sha256}  {name}"))
    }
}

/// Loads a published data set from its folder in `cache`.
///
/// Each file's digest is compared with the published one, or for a file out of an archive with the one that was taken
/// when the verified archive was unpacked: a file that was changed since is never trained on in silence. Images are
/// turned upright and labels counted from 0, so that [`Corpus::sha256`] is that of the set as it is used.
///
/// # Errors
/// [`Error::NotFetched`] for a file that is not there, [`Error::WrongDigest`] for one that is not as published,
/// [`Error::LabelRange`] and [`Error::SetSize`] when the files do not hold what the set is known for, and the errors of
/// reading, parsing and [`Corpus::new`].
///
/// # Panics
/// For the set that is inside the program, which has no folder.
pub fn load_published(set: &Published, cache: &Path) -> Result<Corpus, Error> {
    load_as(set, cache, &Reading::default())
}

/// As [`load_published`]; what `containers` reads may become grey and of another size.
pub(crate) fn load_as(set: &Published, cache: &Path, reading: &Reading) -> Result<Corpus, Error> {
    let names = set.file_names().expect("a set with files");
    let folder = set.folder(cache);
    if let Origin::Containers(files) = &set.origin {
        return load_containers(set, &folder, files, reading);
    }
    let sums = match &set.origin {
        Origin::Archive { .. } => {
            let text = read_present(set, &folder, CHECKSUMS_FILE)?;
            Checksums::parse(&String::from_utf8_lossy(&text))
        }
        _ => Checksums::default(),
    };
    let mut files = Vec::with_capacity(names.len());
    for (index, name) in names.into_iter().enumerate() {
        let expected = match &set.origin {
            Origin::Files(files) => files[index].digest,
            _ => Digest::Sha256(sums.of(name).ok_or_else(|| {
                not_fetched(set, &folder, &format!("{CHECKSUMS_FILE} with a line for {name}"))
            })?),
        };
        let path = folder.join(name);
        let bytes = read_present(set, &folder, name)?;
        let mut hasher = expected.hasher();
        hasher.update(&bytes);
        verify(set, &path, expected, hasher.finish())?;
        files.push((path.display().to_string(), bytes));
    }
    let [a, b, c, d]: [(String, Vec<u8>); 4] = files.try_into().expect("four files");
    let training = dataset(set, "training", a, b, set.training_images)?;
    let test = dataset(set, "test", c, d, set.test_images)?;
    let class_names = set.classes.iter().map(ToString::to_string).collect();
    Corpus::examined(set.name.to_owned(), training, test, class_names)
}

/// Refuses a file whose digest is not the expected one.
fn verify(set: &Published, path: &Path, expected: Digest, found: String) -> Result<(), Error> {
    if found == expected.digits() {
        return Ok(());
    }
    Err(Error::WrongDigest {
        name: set.name.to_owned(),
        file: path.display().to_string(),
        algorithm: expected.algorithm(),
        expected: expected.digits().to_owned(),
        found,
    })
}

/// The digest of a file, which is not kept in memory, to compare with `expected`.
fn digest_of(path: &Path, expected: Digest) -> io::Result<String> {
    let (mut file, mut hasher) = (File::open(path)?, expected.hasher());
    let mut chunk = vec![0; 1 << 16];
    loop {
        match file.read(&mut chunk)? {
            0 => return Ok(hasher.finish()),
            read => hasher.update(&chunk[..read]),
        }
    }
}

/// Loads a set whose files are of a format of their own.
fn load_containers(
    set: &Published,
    folder: &Path,
    files: &[Download],
    reading: &Reading,
) -> Result<Corpus, Error> {
    for file in files {
        let path = folder.join(file.name);
        if matches!(path_kind(&path), PathKind::Nothing) {
            return Err(not_fetched(set, folder, file.name));
        }
        let unreadable = |error: io::Error| Error::Unreadable {
            file: path.display().to_string(),
            reason: error.to_string(),
        };
        let found = digest_of(&path, file.digest).map_err(unreadable)?;
        verify(set, &path, file.digest, found)?;
    }
    let path = match files {
        [only] => folder.join(only.name),
        _ => folder.to_path_buf(),
    };
    let mut contents = containers::read(&path, &reading.of_images())?;
    if contents.class_names.len() != set.classes.len() {
        return Err(Error::ClassCount { name: set.name.to_owned(), found: contents.class_names.len() });
    }
    contents.class_names = set.classes.iter().map(ToString::to_string).collect();
    let count = |part: &Option<containers::Part>| part.as_ref().map_or(0, |part| part.images.count);
    for (expected, found) in [
        (set.training_images - set.validation_images, contents.training.images.count),
        (set.validation_images, count(&contents.validation)),
        (set.test_images, count(&contents.test)),
    ] {
        if found != expected {
            let file = path.display().to_string();
            return Err(Error::SetSize { file, expected: expected as u64, found: found as u64 });
        }
    }
    let mut remarks = Vec::new();
    let corpus = assemble(format!("{}{reading}", set.name), contents, &mut remarks)?;
    Ok(corpus.prepared_otherwise().with_remarks(remarks))
}

fn read_present(set: &Published, folder: &Path, name: &str) -> Result<Vec<u8>, Error> {
    let path = folder.join(name);
    match path_kind(&path) {
        PathKind::Nothing => Err(not_fetched(set, folder, name)),
        _ => read_file(&path),
    }
}

fn not_fetched(set: &Published, folder: &Path, file: &str) -> Error {
    Error::NotFetched {
        name: set.name.to_owned(),
        folder: folder.display().to_string(),
        file: file.to_owned(),
    }
}

fn dataset(
    set: &Published,
    part: &str,
    images: (String, Vec<u8>),
    labels: (String, Vec<u8>),
    expected: usize,
) -> Result<Dataset, Error> {
    let labels_file = labels.0.clone();
    let (mut images, labels) = match set.labels {
        LabelLayout::Bytes => parse_images_and_labels(images, labels, |file, bytes| {
            Ok(idx::read_labels(file, bytes)?.into_iter().map(u32::from).collect())
        }),
        LabelLayout::Rows => parse_images_and_labels(images, labels, idx::read_label_rows),
    }?;
    if set.transposed {
        images.transpose();
    }
    if labels.len() != expected {
        return Err(Error::SetSize {
            file: labels_file,
            expected: expected as u64,
            found: labels.len() as u64,
        });
    }
    let first = u32::from(set.first_label);
    let last = first + set.classes.len() as u32 - 1;
    if let Some(index) = labels.iter().position(|label| !(first..=last).contains(label)) {
        return Err(Error::LabelRange { file: labels_file, index, first, last, found: labels[index] });
    }
    let labels = labels.into_iter().map(|label| (label - first) as u8).collect();
    let name = format!("{} ({part})", set.name);
    Dataset::new(name, images.pixels, labels, images.shape, set.classes.len())
}
