//! The unfinished download of a file.

use crate::{Event, FetchError, Listener, tell};
use sha2::{Digest, Sha256};
use std::{
    fs::{self, File, OpenOptions, TryLockError},
    io::{Read, Seek, SeekFrom, Write},
    path::{Path, PathBuf},
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
    /// Opens what an earlier download left, or begins anew; makes the folder where there is none.
    pub(crate) fn open(target: &Path) -> Result<Self, FetchError> {
        let mut name = target.file_name().unwrap_or_default().to_owned();
        name.push(".part");
        let path = target.with_file_name(name);
        let failed = |error| FetchError::file(&path, &error);
        if let Some(folder) = target.parent() {
            fs::create_dir_all(folder).map_err(|error| FetchError::file(folder, &error))?;
        }
        let mut file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(&path)
            .map_err(failed)?;
        match file.try_lock() {
            Err(TryLockError::WouldBlock) => return Err(FetchError::Busy { path }),
            // File systems without locks exist; two downloads at once would end in a wrong digest, no worse.
            Err(TryLockError::Error(_)) | Ok(()) => {}
        }
        let bytes = file.seek(SeekFrom::End(0)).map_err(failed)?;
        Ok(Self { path, target: target.to_owned(), file, bytes })
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

    /// SHA-256 of what has been received.
    ///
    /// Read through the handle that holds the lock: some systems let no other one read what is locked.
    pub(crate) fn digest(&mut self, name: &str, listener: &mut Listener) -> Result<String, FetchError> {
        self.file.rewind().map_err(|error| FetchError::file(&self.path, &error))?;
        digest_of_reader(&mut self.file, &self.path, name, listener)
    }

    /// Gives the file its name.
    pub(crate) fn finish(self) -> Result<(), FetchError> {
        self.file.sync_all().map_err(|error| FetchError::file(&self.path, &error))?;
        // Some systems rename no open file.
        drop(self.file);
        fs::rename(&self.path, &self.target).map_err(|error| FetchError::file(&self.target, &error))
    }

    /// Leaves no empty file behind when nothing came.
    pub(crate) fn leave(self) {
        if self.bytes == 0 {
            drop(self.file);
            // A failure to tidy up would hide the error that led here.
            let _ = fs::remove_file(&self.path);
        }
    }
}

/// SHA-256 of a file in lower-case hexadecimal.
pub(crate) fn digest_of(path: &Path, name: &str, listener: &mut Listener) -> Result<String, FetchError> {
    let mut file = File::open(path).map_err(|error| FetchError::file(path, &error))?;
    digest_of_reader(&mut file, path, name, listener)
}

/// Reads to the end, which is where the reader then stands.
fn digest_of_reader(
    file: &mut File,
    path: &Path,
    name: &str,
    listener: &mut Listener,
) -> Result<String, FetchError> {
    let mut hasher = Sha256::new();
    let mut chunk = vec![0; DIGEST_CHUNK_BYTES];
    loop {
        let length = file.read(&mut chunk).map_err(|error| FetchError::file(path, &error))?;
        if length == 0 {
            return Ok(hexadecimal(&hasher.finalize()));
        }
        hasher.update(&chunk[..length]);
        tell(listener, Event::Verifying { file: name })?;
    }
}

pub(crate) fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
