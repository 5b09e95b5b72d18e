//! The unfinished download of a file.

use crate::{Event, FetchError, Listener, own, tell};
use data::Digest;
use std::{
    fs::{self, File},
    io::{Read, Seek, SeekFrom, Write},
    path::{Path, PathBuf},
    time::Duration,
};

/// Bytes whose digest is taken between two looks at the listener: some milliseconds' work.
const DIGEST_CHUNK_BYTES: usize = 1 << 20;

/// `NAME.part`, which no other process writes meanwhile.
pub(crate) struct Part {
    path: PathBuf,
    target: PathBuf,
    file: File,
    bytes: u64,
}

impl Part {
    /// Opens what an earlier download left, or begins anew; makes the folder where there is none, and waits while another
    /// process writes it, which is the second value: the file may be in its place then.
    pub(crate) fn open(
        target: &Path,
        name: &str,
        patience: Duration,
        listener: &mut Listener,
    ) -> Result<(Self, bool), FetchError> {
        let mut file_name = target.file_name().unwrap_or_default().to_owned();
        file_name.push(".part");
        let path = target.with_file_name(file_name);
        let failed = |error| FetchError::file(&path, &error);
        if let Some(folder) = target.parent() {
            fs::create_dir_all(folder).map_err(|error| FetchError::file(folder, &error))?;
        }
        let mut waited = false;
        loop {
            let mut file = own::open(&path).map_err(failed)?;
            waited |= own::lock(&file, &path, name, patience, listener)?;
            // The process that held it may have given it its name, or removed it.
            if own::stands_at(&file, &path).map_err(failed)? {
                let bytes = file.seek(SeekFrom::End(0)).map_err(failed)?;
                return Ok((Self { path, target: target.to_owned(), file, bytes }, waited));
            }
        }
    }

    /// What has been received.
    pub(crate) fn bytes(&self) -> u64 {
        self.bytes
    }

    pub(crate) fn append(&mut self, chunk: &[u8]) -> Result<(), FetchError> {
        self.file.write_all(chunk).map_err(|error| FetchError::file(&self.path, &error))?;
        self.bytes += chunk.len() as u64;
        Ok(())
    }

    /// Throws away what has been received.
    pub(crate) fn clear(&mut self) -> Result<(), FetchError> {
        let cleared = self.file.set_len(0).and_then(|()| self.file.rewind());
        self.bytes = 0;
        cleared.map_err(|error| FetchError::file(&self.path, &error))
    }

    /// The digest of what has been received, to compare with `expected`.
    ///
    /// Read through the handle that holds the lock: some systems let no other one read what is locked.
    pub(crate) fn digest(
        &mut self,
        name: &str,
        expected: Digest,
        listener: &mut Listener,
    ) -> Result<String, FetchError> {
        self.file.rewind().map_err(|error| FetchError::file(&self.path, &error))?;
        digest_of_reader(&mut self.file, &self.path, name, expected, listener)
    }

    /// Gives the file its name.
    pub(crate) fn finish(self) -> Result<(), FetchError> {
        self.file.sync_all().map_err(|error| FetchError::file(&self.path, &error))?;
        // Held until it has its name, so that whoever waits for it sees that; but Windows renames no open file.
        let held = (!cfg!(windows)).then_some(self.file);
        let renamed = fs::rename(&self.path, &self.target);
        drop(held);
        renamed.map_err(|error| FetchError::file(&self.target, &error))
    }

    /// Leaves no empty file behind when nothing came.
    pub(crate) fn leave(self) {
        if self.bytes == 0 {
            let held = (!cfg!(windows)).then_some(self.file);
            // A failure to tidy up would hide the error that led here.
            let _ = fs::remove_file(&self.path);
            drop(held);
        }
    }
}

/// The digest of a plain file, to compare with `expected`.
pub(crate) fn digest_of(
    path: &Path,
    name: &str,
    expected: Digest,
    listener: &mut Listener,
) -> Result<String, FetchError> {
    let mut file = data::open_plain(path).map_err(|error| FetchError::file(path, &error))?;
    digest_of_reader(&mut file, path, name, expected, listener)
}

/// Reads to the end, which is where the reader then stands.
fn digest_of_reader(
    file: &mut File,
    path: &Path,
    name: &str,
    expected: Digest,
    listener: &mut Listener,
) -> Result<String, FetchError> {
    let mut hasher = expected.hasher();
    let mut chunk = vec![0; DIGEST_CHUNK_BYTES];
    loop {
        let length = file.read(&mut chunk).map_err(|error| FetchError::file(path, &error))?;
        if length == 0 {
            return Ok(hasher.finish());
        }
        hasher.update(&chunk[..length]);
        tell(listener, Event::Verifying { file: name })?;
    }
}
