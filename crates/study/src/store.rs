//! Records on disk: one file a run, complete or absent.

use crate::{
    encoding,
    plan::{hexadecimal, run_id},
    record::{FailedRun, RECORD_SCHEMA, RunRecord, TestRecord},
    seal::{compare, digest_of, seal, unseal},
};
use serde::Deserialize;
use sha2::{Digest, Sha256};
use std::{
    fs, io,
    io::{Read, Write},
    path::{Path, PathBuf},
};

/// The folders `records` and `failed` of a results folder.
#[derive(Debug, Clone)]
pub struct Store {
    folder: PathBuf,
    failed: PathBuf,
}

/// No record is larger: the probabilities of 100,000 images of 256 classes are 64 MiB before they are deflated.
const MAXIMUM_RECORD_BYTES: u64 = 96 << 20;

/// No failed run's file is larger: its longest part are its layers.
const MAXIMUM_FAILED_BYTES: u64 = 16 << 20;

/// A file that could not be written or read.
#[derive(Debug, thiserror::Error)]
#[error("{}: {problem}", path.display())]
pub struct FileError {
    /// Which.
    pub path: PathBuf,
    /// What the system said.
    pub problem: io::Error,
}

impl FileError {
    /// What to do about it.
    pub fn hint(&self) -> String {
        match self.problem.kind() {
            io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => {
                "choose a folder that you may write to with --out".into()
            }
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
                "free some space, or choose a folder on another disk with --out".into()
            }
            io::ErrorKind::NotADirectory | io::ErrorKind::AlreadyExists => {
                "a file stands where a folder is needed: choose another folder with --out".into()
            }
            _ => "check the path, or choose another folder with --out".into(),
        }
    }
}

/// Writes a file under a temporary name beside it, flushes it to the disk and renames it: at no moment does the path
/// hold half a file.
///
/// # Errors
/// With the path and what the system said; the temporary file is removed.
pub fn write_atomically(path: &Path, bytes: &[u8]) -> Result<(), FileError> {
    let error = |problem| FileError { path: path.to_owned(), problem };
    let folder = folder_of(path);
    fs::create_dir_all(folder).map_err(error)?;
    let mut builder = tempfile::Builder::new();
    builder.prefix(".mnist-study-");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        // As any program would create it, less the user's mask; the default is for secrets.
        builder.permissions(fs::Permissions::from_mode(0o666));
    }
    let mut file = builder.tempfile_in(folder).map_err(error)?;
    file.write_all(bytes).map_err(error)?;
    file.as_file().sync_all().map_err(error)?;
    file.persist(path).map_err(|failed| error(failed.error))?;
    Ok(())
}

/// All bytes, of which there may be `limit`: no more are read, also where the source does not know its length.
///
/// # Errors
/// What the system said, or that there are more.
pub fn read_at_most(reader: impl Read, limit: u64) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    reader.take(limit + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > limit {
        return Err(io::Error::other(format!("{limit} bytes at most expected, more found")));
    }
    Ok(bytes)
}

/// Creates the folder of a file that is to be written later, and a file in it that is gone at once.
///
/// # Errors
/// When the folder cannot be made or written to, or `path` is a folder.
pub fn check_writable(path: &Path) -> Result<(), FileError> {
    if path.is_dir() {
        let problem = io::Error::new(io::ErrorKind::IsADirectory, "a file is expected, a folder was found");
        return Err(FileError { path: path.to_owned(), problem });
    }
    let folder = folder_of(path);
    let error = |problem| FileError { path: folder.to_owned(), problem };
    fs::create_dir_all(folder).map_err(error)?;
    tempfile::tempfile_in(folder).map_err(error)?;
    Ok(())
}

fn folder_of(path: &Path) -> &Path {
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    }
}

impl Store {
    /// The records of a results folder, which need not exist.
    pub fn of(results: &Path) -> Self {
        Self { folder: results.join("records"), failed: results.join("failed") }
    }

    /// Creates the folder, and shows that it can be written to before any run is made for it.
    ///
    /// # Errors
    /// When it cannot.
    pub fn prepare(&self) -> Result<(), FileError> {
        check_writable(&self.folder.join("record"))
    }

    /// Where the record of that identity is kept.
    pub fn path(&self, id: &str) -> PathBuf {
        self.folder.join(format!("{id}.json"))
    }

    /// Keeps a record. One of the same run that has the same bits is replaced; one that has others never is.
    ///
    /// # Errors
    /// When the file cannot be written, or holds another result of the same run.
    pub fn write(&self, record: &RunRecord) -> Result<(), FileError> {
        if let Ok(Some(there)) = self.read(&record.id)
            && let Some(difference) = difference(&there, record)
        {
            let problem = io::Error::new(io::ErrorKind::AlreadyExists, difference);
            return Err(FileError { path: self.path(&record.id), problem });
        }
        self.replace(record)
    }

    /// Keeps a record, whatever the file holds.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn replace(&self, record: &RunRecord) -> Result<(), FileError> {
        write_atomically(&self.path(&record.id), &seal(record, &digest(record)))
    }

    /// Moves a file that is not a sound record to another name; where it is then.
    ///
    /// # Errors
    /// When it cannot be renamed.
    pub fn set_aside(&self, id: &str) -> Result<PathBuf, FileError> {
        let (path, aside) = (self.path(id), self.folder.join(format!("{id}.set-aside")));
        fs::rename(&path, &aside).map_err(|problem| FileError { path, problem })?;
        Ok(aside)
    }

    /// Keeps that a run failed.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn write_failed(&self, run: &FailedRun) -> Result<(), FileError> {
        write_atomically(&self.failed_path(&run.id), &seal(run, &digest_of(run)))
    }

    fn failed_path(&self, id: &str) -> PathBuf {
        self.failed.join(format!("{id}.json"))
    }

    /// That the run of that identity failed, if it did; why a file that says so is not believed.
    pub fn read_failed(&self, id: &str) -> Result<Option<FailedRun>, String> {
        let path = self.failed_path(id);
        read_as(&path, MAXIMUM_FAILED_BYTES, |bytes| {
            let unsealed = unseal::<FailedRun>(bytes, "record", RECORD_SCHEMA)?;
            let run = unsealed.content;
            check_identity(id, &run.id, &run_id(&run.specification, &run.environment))?;
            compare(&unsealed.digest, &digest_of(&run))?;
            run.check()?;
            Ok(run)
        })
    }

    /// The identities of all files that are named as records, sorted.
    ///
    /// # Errors
    /// When the folder is there and cannot be read.
    pub fn identities(&self) -> Result<Vec<String>, FileError> {
        let error = |problem| FileError { path: self.folder.clone(), problem };
        let entries = match fs::read_dir(&self.folder) {
            Err(problem) if problem.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            entries => entries.map_err(error)?,
        };
        let mut identities = Vec::new();
        for entry in entries {
            let path = entry.map_err(error)?.path();
            if path.extension().is_some_and(|extension| extension == "json")
                && let Some(name) = path.file_stem().and_then(|name| name.to_str())
            {
                identities.push(name.to_owned());
            }
        }
        identities.sort();
        Ok(identities)
    }

    /// The record of that identity, if there is a sound one; why a file that is there was left aside.
    pub fn read(&self, id: &str) -> Result<Option<RunRecord>, String> {
        read_as(&self.path(id), MAXIMUM_RECORD_BYTES, |bytes| parse(bytes, id))
    }
}

/// A file as what it should hold; none where there is no file.
fn read_as<T>(
    path: &Path,
    limit: u64,
    parse: impl FnOnce(&[u8]) -> Result<T, String>,
) -> Result<Option<T>, String> {
    let told = |problem: String| format!("{}: {problem}", path.display());
    match read_plain_file(path, limit) {
        Ok(bytes) => parse(&bytes).map(Some).map_err(told),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(told(error.to_string())),
    }
}

/// The bytes of a file that is no device, pipe or folder, of which there may be `limit`.
///
/// # Errors
/// What the system said, that it is another kind of file, or that there are more bytes.
pub fn read_plain_file(path: &Path, limit: u64) -> io::Result<Vec<u8>> {
    // A pipe would be waited for when it is opened.
    if !fs::metadata(path)?.is_file() {
        return Err(io::Error::new(
            io::ErrorKind::InvalidInput,
            "a plain file is expected, something else was found",
        ));
    }
    read_at_most(fs::File::open(path)?, limit)
}

/// What two results of one run do not share, of that which is the same wherever it is made.
fn difference(there: &RunRecord, made: &RunRecord) -> Option<String> {
    let differ = |what: &str, there: &dyn std::fmt::Display, made: &dyn std::fmt::Display| {
        Some(format!("holds another result of the same run: {what} {there} there, {made} now"))
    };
    let (one, other) = (&there.test, &made.test);
    if there.fingerprint != made.fingerprint {
        differ("fingerprint", &there.fingerprint, &made.fingerprint)
    } else if one.accuracy != other.accuracy || one.loss != other.loss || one.predictions != other.predictions
    {
        differ("test accuracy", &one.accuracy, &other.accuracy)
    } else {
        None
    }
}

/// SHA-256 of a record's content: of its JSON without white space and without the test images' bytes, then of those bytes
/// as they are before they are deflated. So it does not depend on the compressor.
fn digest(record: &RunRecord) -> String {
    let bare = TestRecord {
        labels: Vec::new(),
        predictions: Vec::new(),
        probabilities: Vec::new(),
        ..record.test.clone()
    };
    let bare = RunRecord { test: bare, ..record.clone() };
    let mut hasher = Sha256::new();
    hasher.update(serde_json::to_vec(&bare).expect("a record has only plain values"));
    hasher.update(&record.test.labels);
    hasher.update(&record.test.predictions);
    for probability in &record.test.probabilities {
        hasher.update(probability.to_le_bytes());
    }
    hexadecimal(&hasher.finalize())
}

/// SHA-256 of a record as JSON without white space, its test images' bytes deflated as the file has them: what another
/// program that writes records can seal them by without inflating anything.
fn digest_of_text(bytes: &[u8], record: &RunRecord) -> Option<String> {
    #[derive(Deserialize)]
    struct File {
        test: Packed,
    }
    #[derive(Deserialize)]
    struct Packed {
        labels: String,
        predictions: String,
        probabilities: String,
    }
    let Packed { labels, predictions, probabilities } = serde_json::from_slice::<File>(bytes).ok()?.test;
    let mut text = serde_json::to_string(record).ok()?;
    // Base64 text is the same within JSON.
    for (own, written) in [
        (encoding::bytes::packed(&record.test.labels), labels),
        (encoding::bytes::packed(&record.test.predictions), predictions),
        (encoding::words::packed(&record.test.probabilities), probabilities),
    ] {
        text = text.replacen(&own, &written, 1);
    }
    Some(hexadecimal(&Sha256::digest(text)))
}

fn check_identity(name: &str, stated: &str, found: &str) -> Result<(), String> {
    match [name, stated] == [found; 2] {
        true => Ok(()),
        false => Err(format!("its specification belongs to run {found}, its name says {name}")),
    }
}

/// A record, if it is whole, of this layout, unchanged, of the run that its name says, and possible.
fn parse(bytes: &[u8], id: &str) -> Result<RunRecord, String> {
    let unsealed = unseal::<RunRecord>(bytes, "record", RECORD_SCHEMA)?;
    let record = unsealed.content;
    check_identity(id, &record.id, &run_id(&record.specification, &record.environment))?;
    // Figures that cannot be would make the digest expensive to take.
    record.check()?;
    let sealed = compare(&unsealed.digest, &digest(&record));
    if sealed.is_err() && digest_of_text(bytes, &record).as_ref() != Some(&unsealed.digest) {
        sealed?;
    }
    Ok(record)
}
