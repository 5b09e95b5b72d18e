//! Files of this crate's own in a cache that others may write to as well: plain ones, never reached through a link.

use crate::{Event, FetchError, Listener, tell};
use std::{
    fs::{self, File, Metadata, OpenOptions, TryLockError},
    io,
    path::Path,
    thread,
    time::{Duration, Instant},
};

/// How often a wait looks at the listener.
pub(crate) const GLANCE: Duration = Duration::from_millis(100);

/// A file that somebody exchanges as often while it is opened is not to be had.
const ATTEMPTS: usize = 100;

/// Opens the file that stands at `path` itself to read and write, from its beginning; makes it where there is none.
///
/// A link, a second name of another file or a pipe that stands there is removed, and what it leads to stays as it is.
pub(crate) fn open(path: &Path) -> io::Result<File> {
    let existing = || OpenOptions::new().read(true).write(true).open(path);
    let new = || OpenOptions::new().read(true).write(true).create_new(true).open(path);
    for _ in 0..ATTEMPTS {
        let opened = match fs::symlink_metadata(path) {
            Ok(found) if found.is_dir() => return Err(io::Error::other("a file expected, a folder found")),
            Ok(found) if is_ours(&found) => existing(),
            Ok(_) => fs::remove_file(path).and_then(|()| new()),
            Err(error) if error.kind() == io::ErrorKind::NotFound => new(),
            Err(error) => return Err(error),
        };
        match opened {
            Ok(file) if stands_at(&file, path)? => return Ok(file),
            // Exchanged meanwhile: nothing has been written.
            Ok(_) => {}
            Err(error) if [io::ErrorKind::NotFound, io::ErrorKind::AlreadyExists].contains(&error.kind()) => {
            }
            Err(error) => return Err(error),
        }
    }
    Err(io::Error::other("exchanged by another program all the time"))
}

/// An empty file at `path`, in the place of whatever a killed process or anybody else left there.
pub(crate) fn create(path: &Path) -> io::Result<File> {
    let file = open(path)?;
    file.set_len(0)?;
    Ok(file)
}

/// Whether the file that was opened is the one of that name still, and no link to it.
pub(crate) fn stands_at(file: &File, path: &Path) -> io::Result<bool> {
    let opened = file.metadata()?;
    match fs::symlink_metadata(path) {
        Ok(found) => Ok(is_ours(&found) && is_same(&opened, &found)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error),
    }
}

/// A plain file without a second name.
#[cfg(unix)]
fn is_ours(metadata: &Metadata) -> bool {
    metadata.is_file() && std::os::unix::fs::MetadataExt::nlink(metadata) == 1
}

#[cfg(not(unix))]
fn is_ours(metadata: &Metadata) -> bool {
    metadata.is_file()
}

#[cfg(unix)]
fn is_same(one: &Metadata, other: &Metadata) -> bool {
    use std::os::unix::fs::MetadataExt;
    (one.dev(), one.ino()) == (other.dev(), other.ino())
}

/// Without numbers of files: an open file cannot be renamed or removed there.
#[cfg(not(unix))]
fn is_same(_: &Metadata, _: &Metadata) -> bool {
    true
}

/// Waits until no other process holds the file; whether there was anything to wait for.
///
/// # Errors
/// [`FetchError::Busy`] when the file has not grown for as long as `patience`, [`FetchError::Interrupted`] by the listener.
pub(crate) fn lock(
    file: &File,
    path: &Path,
    name: &str,
    patience: Duration,
    listener: &mut Listener,
) -> Result<bool, FetchError> {
    let mut waited = false;
    let (mut length, mut since) = (None, Instant::now());
    loop {
        match file.try_lock() {
            // File systems without locks exist; two downloads at once would end in a wrong digest, no worse.
            Err(TryLockError::Error(_)) | Ok(()) => return Ok(waited),
            Err(TryLockError::WouldBlock) => {}
        }
        waited = true;
        let found = file.metadata().map(|metadata| metadata.len()).ok();
        if found != length {
            (length, since) = (found, Instant::now());
        }
        if since.elapsed() > patience {
            return Err(FetchError::Busy { path: path.to_owned() });
        }
        tell(listener, Event::Waiting { file: name })?;
        thread::sleep(GLANCE);
    }
}
