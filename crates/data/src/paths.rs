//! What lies at a path, and reading it.

use std::fs::{self, File};
use std::io::{self, Read};
use std::path::Path;

use crate::recognise::{HEAD_BYTES, recognise};
use crate::{Error, Found, idx};

/// What a path names, following links.
pub(crate) enum PathKind {
    Directory,
    File,
    /// A pipe, a device, a socket.
    Other,
    Nothing,
}

pub(crate) fn path_kind(path: &Path) -> PathKind {
    match fs::metadata(path) {
        Ok(metadata) if metadata.is_dir() => PathKind::Directory,
        Ok(metadata) if metadata.is_file() => PathKind::File,
        Ok(_) => PathKind::Other,
        Err(_) => PathKind::Nothing,
    }
}

pub(crate) fn text(path: &Path) -> String {
    path.display().to_string()
}

pub(crate) fn unreadable(path: &Path, error: &io::Error) -> Error {
    Error::Unreadable { file: text(path), reason: error.to_string() }
}

/// What kind of file a path names, where its beginning tells; none also where it cannot be read.
pub(crate) fn recognise_file(path: &Path) -> Option<Found> {
    let file = open_plain(path).ok()?;
    let length = file.metadata().ok()?.len();
    let mut head = Vec::with_capacity(HEAD_BYTES);
    file.take(HEAD_BYTES as u64).read_to_end(&mut head).ok()?;
    recognise(&text(path), &head, length)
}

/// Opens a plain file to read, following links to one. Nothing else: opening a pipe would wait for its writer, and a device
/// may have no end.
///
/// # Errors
/// What the system says, or that it is not a plain file.
pub fn open_plain(path: &Path) -> io::Result<File> {
    let not_plain = || Err(io::Error::other("not a plain file"));
    if !fs::metadata(path)?.is_file() {
        return not_plain();
    }
    let file = File::open(path)?;
    // It may have been exchanged since.
    if file.metadata()?.is_file() { Ok(file) } else { not_plain() }
}

/// A plain file of at most [`idx::MAXIMUM_BYTES`].
pub(crate) fn read_file(path: &Path) -> Result<Vec<u8>, Error> {
    read(path).map_err(|error| match error {
        Failure::System(error) => unreadable(path, &error),
        Failure::TooLarge(found) => Error::TooLarge { file: text(path), limit: idx::MAXIMUM_BYTES, found },
        Failure::Memory(bytes) => Error::Memory { file: text(path), bytes },
    })
}

enum Failure {
    System(io::Error),
    TooLarge(u64),
    Memory(u64),
}

fn read(path: &Path) -> Result<Vec<u8>, Failure> {
    let file = open_plain(path).map_err(Failure::System)?;
    let length = file.metadata().map_err(Failure::System)?.len();
    if length > idx::MAXIMUM_BYTES {
        return Err(Failure::TooLarge(length));
    }
    let mut bytes = Vec::new();
    bytes.try_reserve_exact(length as usize).map_err(|_| Failure::Memory(length))?;
    // The file may have grown since, or be one of those whose length the system does not know.
    file.take(idx::MAXIMUM_BYTES + 1).read_to_end(&mut bytes).map_err(Failure::System)?;
    match bytes.len() as u64 {
        found if found > idx::MAXIMUM_BYTES => Err(Failure::TooLarge(found)),
        _ => Ok(bytes),
    }
}
