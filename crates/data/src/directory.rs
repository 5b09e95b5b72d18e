//! A corpus as a folder of four files; with `published.rs` the only module that touches the file system.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use crate::source::corpus_of_files;
use crate::{Corpus, Error, idx};

/// The files of a folder: training images, training labels, test images, test labels.
pub const FILE_NAMES: [&str; 4] = [
    "train-images-idx3-ubyte",
    "train-labels-idx1-ubyte",
    "t10k-images-idx3-ubyte",
    "t10k-labels-idx1-ubyte",
];

/// Loads the four files of a folder, each as it is or compressed with `.gz` added to its name.
///
/// Where both are present the uncompressed one is read. The corpus is named as the folder was.
///
/// # Errors
/// Every [`Error`] of files and sets: missing, unreadable, malformed, of different counts, sizes or classes.
pub fn load_directory(directory: &Path) -> Result<Corpus, Error> {
    let mut files = Vec::with_capacity(FILE_NAMES.len());
    for name in FILE_NAMES {
        let path = find(directory, name)?;
        files.push((text(&path), read_file(&path)?));
    }
    let files = files.try_into().expect("one file for each name");
    corpus_of_files(&text(directory), files)
}

/// Writes a corpus as four uncompressed files, making the folder if there is none.
///
/// Each file is complete before it takes its name: four temporary files are written first and then renamed.
///
/// # Errors
/// [`Error::Unwritable`] with the path and what the system said.
pub fn write_directory(corpus: &Corpus, directory: &Path) -> Result<(), Error> {
    let unwritable =
        |path: &Path, error: io::Error| Error::Unwritable { file: text(path), reason: error.to_string() };
    fs::create_dir_all(directory).map_err(|error| unwritable(directory, error))?;
    let (training, test) = (corpus.training(), corpus.test());
    let contents = [
        (idx::images_header(training), training.images()),
        (idx::labels_header(training), training.labels()),
        (idx::images_header(test), test.images()),
        (idx::labels_header(test), test.labels()),
    ];
    let mut written = Vec::new();
    for (name, (header, body)) in FILE_NAMES.iter().zip(contents) {
        let path = directory.join(name);
        let temporary = Temporary::write(&path, &header, body).map_err(|error| unwritable(&path, error))?;
        written.push((temporary, path));
    }
    for (temporary, path) in written {
        temporary.rename(&path).map_err(|error| unwritable(&path, error))?;
    }
    Ok(())
}

/// What a path names, following links.
pub(crate) enum PathKind {
    Directory,
    File,
    Nothing,
}

pub(crate) fn path_kind(path: &Path) -> PathKind {
    match fs::metadata(path) {
        Ok(metadata) if metadata.is_dir() => PathKind::Directory,
        Ok(_) => PathKind::File,
        Err(_) => PathKind::Nothing,
    }
}

fn text(path: &Path) -> String {
    path.display().to_string()
}

fn unreadable(path: &Path, error: &io::Error) -> Error {
    Error::Unreadable { file: text(path), reason: error.to_string() }
}

/// The path of the file `name`, or else of `name.gz`.
fn find(directory: &Path, name: &'static str) -> Result<PathBuf, Error> {
    for candidate in [directory.join(name), directory.join(format!("{name}.gz"))] {
        match fs::metadata(&candidate) {
            Ok(_) => return Ok(candidate),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(unreadable(&candidate, &error)),
        }
    }
    Err(Error::MissingFile { directory: text(directory), name })
}

/// A plain file of at most [`idx::MAXIMUM_BYTES`].
pub(crate) fn read_file(path: &Path) -> Result<Vec<u8>, Error> {
    read(path).map_err(|error| match error {
        Failure::System(error) => unreadable(path, &error),
        Failure::TooLarge(found) => Error::TooLarge { file: text(path), limit: idx::MAXIMUM_BYTES, found },
    })
}

enum Failure {
    System(io::Error),
    TooLarge(u64),
}

fn read(path: &Path) -> Result<Vec<u8>, Failure> {
    let metadata = fs::metadata(path).map_err(Failure::System)?;
    // Opening a pipe would wait for its writer.
    if !metadata.is_file() {
        return Err(Failure::System(io::Error::other("not a plain file")));
    }
    if metadata.len() > idx::MAXIMUM_BYTES {
        return Err(Failure::TooLarge(metadata.len()));
    }
    let mut bytes = Vec::with_capacity(metadata.len() as usize);
    // The file may have grown since, or be one of those whose length the system does not know.
    let mut file = File::open(path).map_err(Failure::System)?.take(idx::MAXIMUM_BYTES + 1);
    file.read_to_end(&mut bytes).map_err(Failure::System)?;
    match bytes.len() as u64 {
        found if found > idx::MAXIMUM_BYTES => Err(Failure::TooLarge(found)),
        _ => Ok(bytes),
    }
}

/// A complete file beside the place it is meant for; removed unless it is renamed. An empty path is none.
struct Temporary {
    path: PathBuf,
}

impl Temporary {
    fn write(target: &Path, header: &[u8], body: &[u8]) -> io::Result<Self> {
        let (mut file, temporary) = Self::create(target)?;
        file.write_all(header)?;
        file.write_all(body)?;
        file.sync_all()?;
        Ok(temporary)
    }

    /// Takes the first free name, so that two programs that write the same folder never share a file.
    fn create(target: &Path) -> io::Result<(File, Self)> {
        let mut number = 0_u32;
        loop {
            let path = target.with_extension(format!("{number}.tmp"));
            match OpenOptions::new().write(true).create_new(true).open(&path) {
                Ok(file) => return Ok((file, Self { path })),
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists && number < 1_000 => number += 1,
                Err(error) => return Err(error),
            }
        }
    }

    fn rename(mut self, target: &Path) -> io::Result<()> {
        fs::rename(&self.path, target)?;
        // From here on another program's file may bear the temporary name.
        self.path = PathBuf::new();
        Ok(())
    }
}

impl Drop for Temporary {
    fn drop(&mut self) {
        if !self.path.as_os_str().is_empty() {
            // A failure to tidy up would hide the error that led here.
            let _ = fs::remove_file(&self.path);
        }
    }
}
