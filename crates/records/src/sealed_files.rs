//! Files of what is sealed.

use crate::{
    files::{FileError, read_plain_file, write_atomically, write_new_atomically},
    sealed::{Sealable, bytes, open},
};
use std::{io, path::Path};

/// Writes a file, whole or not at all.
///
/// # Errors
/// When it cannot be written.
pub(crate) fn write<T: Sealable>(path: &Path, content: &T) -> Result<(), FileError> {
    write_atomically(path, &bytes(content))
}

/// The same where there is no file of that name.
///
/// # Errors
/// When there is one, or it cannot be written.
pub(crate) fn write_new<T: Sealable>(path: &Path, content: &T) -> Result<(), FileError> {
    write_new_atomically(path, &bytes(content))
}

/// What [`write`] wrote, if there is a file; else what is wrong with it. `check` says what the content must be beside
/// whole, of this layout and unchanged; it comes before the digest, which impossible figures would make expensive.
pub(crate) fn read<T: Sealable>(
    path: &Path,
    check: impl FnOnce(&T) -> Result<(), String>,
) -> Result<Option<T>, String> {
    let told = |problem: String| format!("{}: {problem}", path.display());
    let bytes = match read_plain_file(path, T::MAXIMUM_BYTES) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        bytes => bytes.map_err(|error| told(error.to_string()))?,
    };
    open(&bytes, check).map(Some).map_err(told)
}
