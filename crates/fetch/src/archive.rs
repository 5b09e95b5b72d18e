//! The members of an archive that make up a set.

use crate::{Event, FetchError, Listener, own, part::digest_of, tell};
use data::{CHECKSUMS_FILE, Checksums, Digest, idx::MAXIMUM_BYTES};
use std::{
    fs,
    io::{self, BufReader, Read, Write},
    path::{Path, PathBuf},
    time::Duration,
};
use zip::ZipArchive;

/// Bytes that are unpacked at once.
const CHUNK_BYTES: usize = 1 << 16;

/// No list of digests is longer, in bytes.
const MAXIMUM_CHECKSUMS_BYTES: u64 = 1 << 16;

/// Unpacking an archive takes seconds: whoever holds it for longer has been stopped.
const PATIENCE: Duration = Duration::from_secs(600);

/// Whether every member is in `folder` as it came out of the archive.
pub(crate) fn is_unpacked(
    folder: &Path,
    members: &[&str; 4],
    listener: &mut Listener,
) -> Result<bool, FetchError> {
    let mut text = String::new();
    let sums = data::open_plain(&folder.join(CHECKSUMS_FILE));
    if sums.and_then(|file| file.take(MAXIMUM_CHECKSUMS_BYTES).read_to_string(&mut text)).is_err() {
        return Ok(false);
    }
    let sums = Checksums::parse(&text);
    for member in members {
        let path = folder.join(member);
        let Some(noted) = sums.of(member) else { return Ok(false) };
        if !path.is_file() || digest_of(&path, member, Digest::Sha256(noted), listener)? != noted {
            return Ok(false);
        }
    }
    for member in members {
        let path = folder.join(member);
        let bytes = fs::metadata(&path).map_err(|error| FetchError::file(&path, &error))?.len();
        tell(listener, Event::Ready { file: member, bytes, downloaded: false })?;
    }
    Ok(true)
}

/// Unpacks the members into `folder`, whatever folders the archive has them in, and notes their digests last.
///
/// Memory does not depend on the members' lengths, and no member may be longer than [`MAXIMUM_BYTES`].
pub(crate) fn unpack(
    archive: &Path,
    members: &[&str; 4],
    folder: &Path,
    listener: &mut Listener,
) -> Result<(), FetchError> {
    let broken = |problem: String| FetchError::Archive { path: archive.to_owned(), problem };
    let file = data::open_plain(archive).map_err(|error| FetchError::file(archive, &error))?;
    let mut zip = ZipArchive::new(BufReader::new(file)).map_err(|error| broken(error.to_string()))?;
    fs::create_dir_all(folder).map_err(|error| FetchError::file(folder, &error))?;
    // Two processes that unpack the same archive take turns; the second finds it done. File systems without locks exist.
    let path = folder.join("unpacking.lock");
    let lock = own::open(&path).map_err(|error| FetchError::file(&path, &error))?;
    own::lock(&lock, &path, members[0], PATIENCE, listener)?;
    if is_unpacked(folder, members, listener)? {
        return Ok(());
    }
    let mut sums = Checksums::default();
    for member in members {
        tell(listener, Event::Unpacking { file: member })?;
        let index = zip
            .file_names()
            .position(|name| name.is_ok_and(|name| name.rsplit('/').next() == Some(*member)))
            .ok_or_else(|| broken(format!("a member {member} expected, none found")))?;
        let content = zip.by_index(index).map_err(|error| broken(format!("{member}: {error}")))?;
        let unpacked = Member { content, name: member, path: folder.join(member) }.write(listener);
        let (sha256, bytes) = unpacked.map_err(|failed| match failed {
            Failed::Content(problem) => broken(format!("{member}: {problem}")),
            Failed::Ours(error) => error,
        })?;
        sums.push(member, sha256);
        tell(listener, Event::Ready { file: member, bytes, downloaded: false })?;
    }
    let path = folder.join(CHECKSUMS_FILE);
    let temporary = folder.join(format!("{CHECKSUMS_FILE}.part"));
    own::create(&temporary)
        .and_then(|mut file| file.write_all(sums.to_string().as_bytes()).and_then(|()| file.sync_all()))
        .and_then(|()| fs::rename(&temporary, &path))
        .map_err(|error| FetchError::file(&path, &error))
}

/// A member on its way to its place.
struct Member<'a, R> {
    content: R,
    name: &'a str,
    path: PathBuf,
}

/// Why a member could not be unpacked.
enum Failed {
    /// By what is in the archive.
    Content(String),
    /// By something else.
    Ours(FetchError),
}

impl<R: Read> Member<'_, R> {
    /// Writes it under a temporary name and renames it; returns its SHA-256 and its length.
    fn write(mut self, listener: &mut Listener) -> Result<(String, u64), Failed> {
        let temporary = self.path.with_file_name(format!("{}.part", self.name));
        let written = self.write_to(&temporary, listener);
        if written.is_err() {
            // A failure to tidy up would hide the error that led here.
            let _ = fs::remove_file(&temporary);
        }
        let written = written?;
        fs::rename(&temporary, &self.path)
            .map_err(|error| Failed::Ours(FetchError::file(&self.path, &error)))?;
        Ok(written)
    }

    fn write_to(&mut self, temporary: &Path, listener: &mut Listener) -> Result<(String, u64), Failed> {
        let failed = |error: io::Error| Failed::Ours(FetchError::file(temporary, &error));
        let mut file = own::create(temporary).map_err(failed)?;
        let mut hasher = Digest::Sha256("").hasher();
        let (mut chunk, mut bytes) = (vec![0; CHUNK_BYTES], 0);
        loop {
            // The end of a member is where its CRC-32 is compared.
            let length = self.content.read(&mut chunk).map_err(|error| Failed::Content(error.to_string()))?;
            if length == 0 {
                break;
            }
            bytes += length as u64;
            if bytes > MAXIMUM_BYTES {
                return Err(Failed::Content(format!("at most {MAXIMUM_BYTES} bytes expected, more found")));
            }
            hasher.update(&chunk[..length]);
            file.write_all(&chunk[..length]).map_err(failed)?;
            tell(listener, Event::Unpacking { file: self.name }).map_err(Failed::Ours)?;
        }
        file.sync_all().map_err(failed)?;
        Ok((hasher.finish(), bytes))
    }
}
