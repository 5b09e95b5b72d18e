//! Published data sets as they lie in the cache: files as downloaded, verified each time they are read.

use std::fmt;
use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use sha2::{Digest, Sha256};
use spec::ImageShape;

use crate::parse::parse_images_and_labels;
use crate::paths::{PathKind, path_kind, read_file};
use crate::{Corpus, Dataset, Download, Error, LabelLayout, Origin, Published, idx};
use base16ct::lower::encode_string as hexadecimal;

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
/// Each file's SHA-256 is compared with the published one, or for a file out of an archive with the one that was taken
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
    let names = set.file_names().expect("a set with files");
    let folder = set.folder(cache);
    if let Origin::Containers(files) = &set.origin {
        return load_containers(set, &folder, files);
    }
    let digests = expected_digests(set, &folder)?;
    let mut files = Vec::with_capacity(names.len());
    for (name, expected) in names.into_iter().zip(digests) {
        let path = folder.join(name);
        let bytes = read_present(set, &folder, name)?;
        let found = hexadecimal(&Sha256::digest(&bytes));
        if found != expected {
            let name = set.name.to_owned();
            return Err(Error::WrongDigest { name, file: path.display().to_string(), expected, found });
        }
        files.push((path.display().to_string(), bytes));
    }
    let [a, b, c, d]: [(String, Vec<u8>); 4] = files.try_into().expect("four files");
    let training = dataset(set, "training", a, b, set.training_images)?;
    let test = dataset(set, "test", c, d, set.test_images)?;
    let class_names = set.classes.iter().map(ToString::to_string).collect();
    Corpus::examined(set.name.to_owned(), training, test, class_names)
}

/// The SHA-256 of a file, which is not kept in memory.
fn digest_of(path: &Path) -> io::Result<String> {
    let (mut file, mut hasher) = (File::open(path)?, Sha256::new());
    let mut chunk = vec![0; 1 << 16];
    loop {
        match file.read(&mut chunk)? {
            0 => return Ok(hexadecimal(&hasher.finalize())),
            read => hasher.update(&chunk[..read]),
        }
    }
}

/// Loads a set whose files are of a format of their own.
fn load_containers(set: &Published, folder: &Path, files: &[Download]) -> Result<Corpus, Error> {
    for file in files {
        let path = folder.join(file.name);
        if matches!(path_kind(&path), PathKind::Nothing) {
            return Err(not_fetched(set, folder, file.name));
        }
        let unreadable = |error: io::Error| Error::Unreadable {
            file: path.display().to_string(),
            reason: error.to_string(),
        };
        let found = digest_of(&path).map_err(unreadable)?;
        if found != file.sha256 {
            let (name, file, expected) =
                (set.name.to_owned(), path.display().to_string(), file.sha256.to_owned());
            return Err(Error::WrongDigest { name, file, expected, found });
        }
    }
    let path = match files {
        [only] => folder.join(only.name),
        _ => folder.to_path_buf(),
    };
    let contents = containers::read(&path, &containers::Reading::default())?;
    let (name, file) = (|| set.name.to_owned(), || path.display().to_string());
    if contents.class_names.len() != set.classes.len() {
        return Err(Error::ClassCount { name: name(), found: contents.class_names.len() });
    }
    let part = |part: containers::Part, called: &str, expected: usize| {
        let containers::Images { pixels, count, height, width, channels } = part.images;
        if count != expected {
            return Err(Error::SetSize { file: file(), expected: expected as u64, found: count as u64 });
        }
        let labels = part.labels.into_iter().map(|label| label as u8).collect();
        let shape = ImageShape { height, width, channels };
        Dataset::new(format!("{} ({called})", set.name), pixels, labels, shape, set.classes.len())
    };
    let training = part(contents.training, "training", set.training_images)?;
    let no_test = || Error::SetSize { file: file(), expected: set.test_images as u64, found: 0 };
    let test = part(contents.test.ok_or_else(no_test)?, "test", set.test_images)?;
    Corpus::examined(name(), training, test, set.classes.iter().map(ToString::to_string).collect())
}

/// The SHA-256 that each of the four files should have.
fn expected_digests(set: &Published, folder: &Path) -> Result<[String; 4], Error> {
    match &set.origin {
        Origin::Embedded | Origin::Coloured | Origin::Containers(_) => panic!("{}: no four files", set.name),
        Origin::Files(files) => Ok(files.each_ref().map(|file| file.sha256.to_owned())),
        Origin::Archive { members, .. } => {
            let text = read_present(set, folder, CHECKSUMS_FILE)?;
            let sums = Checksums::parse(&String::from_utf8_lossy(&text));
            let mut digests = members.map(|_| String::new());
            for (digest, member) in digests.iter_mut().zip(members) {
                *digest = sums
                    .of(member)
                    .ok_or_else(|| {
                        not_fetched(set, folder, &format!("{CHECKSUMS_FILE} with a line for {member}"))
                    })?
                    .to_owned();
            }
            Ok(digests)
        }
    }
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
