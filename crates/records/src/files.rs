//! Files that are there whole or not at all, and reads that end.

use std::{
    collections::BTreeSet,
    fs::{self, File},
    io::{self, Read, Write},
    path::{Path, PathBuf},
    sync::{Mutex, PoisonError},
};
use tempfile::NamedTempFile;

/// A file that could not be written or read.
#[derive(Debug, thiserror::Error)]
#[error("{}: {problem}", path.display())]
pub struct FileError {
    /// Which.
    pub path: PathBuf,
    /// What the system said.
    pub problem: io::Error,
}

/// What the names of temporary files begin with; the machine follows, then [`RANDOM_CHARACTERS`].
const TEMPORARY_PREFIX: &str = ".mnist-study-";

/// So many random letters and digits follow.
const RANDOM_CHARACTERS: usize = 6;

/// Writes a file under a temporary name beside it, flushes it to the disk and renames it: at no moment does the path
/// hold half a file, and once this returns, neither a crash nor a power failure takes the file away.
///
/// A pipe or a device, such as `/dev/stdout`, is written to directly and stays what it is.
///
/// Temporary files that killed processes of this machine left in the folder are removed. A process holds a lock on its own while it
/// writes, so that no other takes them for abandoned. Their names tell the machine: those of another one are its own to remove, since
/// locks do not reach there on every network file system.
///
/// # Errors
/// With the path and what the system said; the temporary file is removed.
pub fn write_atomically(path: &Path, bytes: &[u8]) -> Result<(), FileError> {
    let folder = folder_of(path);
    let write = || {
        // A device or a pipe is written to: a file in its place would be another thing.
        if fs::metadata(path).is_ok_and(|there| !there.is_file() && !there.is_dir()) {
            return File::options().write(true).open(path)?.write_all(bytes);
        }
        fs::create_dir_all(folder)?;
        sweep_once(folder);
        replace(path, folder, bytes)
    };
    write().map_err(|problem| FileError { path: path.to_owned(), problem })
}

/// As [`write_atomically`], where there is no file of that name.
///
/// # Errors
/// When there is one, or as there.
pub(crate) fn write_new_atomically(path: &Path, bytes: &[u8]) -> Result<(), FileError> {
    let folder = folder_of(path);
    let write = || {
        fs::create_dir_all(folder)?;
        sweep_once(folder);
        let mut file = temporary(folder)?;
        file.write_all(bytes)?;
        file.as_file().sync_all()?;
        file.persist_noclobber(path).map_err(|failed| failed.error)?;
        flush_folder(folder)
    };
    write().map_err(|problem| FileError { path: path.to_owned(), problem })
}

/// Writes a file unless it is there as it is to be.
///
/// # Errors
/// As [`write_atomically`].
pub(crate) fn write_if_changed(path: &Path, bytes: &[u8]) -> Result<(), FileError> {
    match read_plain_file(path, bytes.len() as u64) {
        Ok(there) if there == bytes => Ok(()),
        _ => write_atomically(path, bytes),
    }
}

/// A temporary file disappears under its writer only where locks do not work, or two machines bear one name: the sweep of another
/// process took it. A process sweeps a folder once, so a few attempts will do.
const ATTEMPTS: usize = 5;

fn replace(path: &Path, folder: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut attempts = 1;
    loop {
        let mut file = temporary(folder)?;
        file.write_all(bytes)?;
        file.as_file().sync_all()?;
        match file.persist(path) {
            Ok(_) => return flush_folder(folder),
            Err(failed) if failed.error.kind() == io::ErrorKind::NotFound && attempts < ATTEMPTS => {
                attempts += 1
            }
            Err(failed) => return Err(failed.error),
        }
    }
}

/// A new temporary file, locked.
pub(crate) fn temporary(folder: &Path) -> io::Result<NamedTempFile> {
    let mut builder = tempfile::Builder::new();
    let prefix = temporary_prefix();
    builder.prefix(&prefix).rand_bytes(RANDOM_CHARACTERS);
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        // As any program would create it, less the user's mask; the default is for secrets.
        builder.permissions(fs::Permissions::from_mode(0o666));
    }
    let file = builder.tempfile_in(folder)?;
    // A file system without locks has no sweep either.
    let _ = file.as_file().try_lock();
    Ok(file)
}

/// Makes the rename last: a file's own flush does not include its name.
fn flush_folder(folder: &Path) -> io::Result<()> {
    if !cfg!(unix) {
        return Ok(());
    }
    // A folder that may be written to but not read cannot be opened, and some file systems flush no folders.
    match File::open(folder).and_then(|folder| folder.sync_all()) {
        Err(error)
            if !matches!(
                error.kind(),
                io::ErrorKind::PermissionDenied | io::ErrorKind::InvalidInput | io::ErrorKind::Unsupported
            ) =>
        {
            Err(error)
        }
        _ => Ok(()),
    }
}

/// Folders that this process has swept: killed processes leave something in a folder now and then, so once will do.
static SWEPT: Mutex<BTreeSet<PathBuf>> = Mutex::new(BTreeSet::new());

fn sweep_once(folder: &Path) {
    if SWEPT.lock().unwrap_or_else(PoisonError::into_inner).insert(folder.to_owned()) {
        // What cannot be swept is in nobody's way.
        let _ = sweep(folder);
    }
}

/// Removes the temporary files that no living process holds.
pub(crate) fn sweep(folder: &Path) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        if is_temporary(&entry.file_name().to_string_lossy()) && entry.file_type()?.is_file() {
            let file = File::options().read(true).write(true).open(entry.path());
            if file.is_ok_and(|file| file.try_lock().is_ok()) {
                let _ = fs::remove_file(entry.path());
            }
        }
    }
    Ok(())
}

/// That of this machine's temporary files.
fn temporary_prefix() -> String {
    format!("{TEMPORARY_PREFIX}{}-", crate::identity::short_hash(&crate::host::name()))
}

/// Whether it is the name of one of this machine's temporary files.
fn is_temporary(name: &str) -> bool {
    let prefix = temporary_prefix();
    let random = name.strip_prefix(prefix.as_str());
    random.is_some_and(|random| {
        random.len() == RANDOM_CHARACTERS && random.bytes().all(|byte| byte.is_ascii_alphanumeric())
    })
}

/// All bytes, of which there may be `limit`: no more are read, also where the source does not know its length.
///
/// # Errors
/// What the system said, or that there are more.
pub fn read_at_most(reader: impl Read, limit: u64) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    reader.take(limit.saturating_add(1)).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > limit {
        return Err(io::Error::other(format!("{limit} bytes at most expected, more found")));
    }
    Ok(bytes)
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
    read_at_most(File::open(path)?, limit)
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
    let created = fs::create_dir_all(folder).and_then(|()| temporary(folder));
    created.map(drop).map_err(|problem| FileError { path: folder.to_owned(), problem })
}

fn folder_of(path: &Path) -> &Path {
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    }
}

/// The names of a folder's files, sorted.
#[cfg(test)]
pub(crate) fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("an entry"));
    let mut names: Vec<String> =
        entries.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
    names.sort();
    names
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicBool, Ordering};

    #[cfg(unix)]
    #[test]
    fn a_pipe_is_written_to_and_stays_one() {
        use std::{os::unix::fs::FileTypeExt, process::Command, thread};
        let folder = tempfile::tempdir().expect("a folder");
        let pipe = folder.path().join("pipe");
        assert!(Command::new("mkfifo").arg(&pipe).status().expect("it runs").success());
        let reader = thread::spawn({
            let pipe = pipe.clone();
            move || fs::read(pipe)
        });
        write_atomically(&pipe, b"whole").expect("written");
        assert!(fs::symlink_metadata(&pipe).expect("there").file_type().is_fifo());
        assert_eq!(reader.join().expect("it ends").expect("read"), b"whole");
        assert_eq!(names(folder.path()), ["pipe"]);
    }

    #[test]
    fn what_killed_processes_left_is_swept_and_nothing_else() {
        let folder = tempfile::tempdir().expect("a folder");
        let at = |name: &str| folder.path().join(name);
        let own = ["AbC123", "000000"].map(|random| format!("{}{random}", temporary_prefix()));
        // The third is that of a process on another machine.
        let others =
            [".mnist-study-notes", ".mnist-study-a.b.c.", ".mnist-study-0123456789abcdef-AbC123", "x.json"];
        for name in own.iter().map(String::as_str).chain(others) {
            fs::write(at(name), "half").expect("written");
        }
        fs::create_dir(at(".mnist-study-folder")).expect("made");
        // Another process that is writing: a lock belongs to an opened file, so another opening in this process will do.
        let held = temporary(folder.path()).expect("made");
        let held_name = held.path().file_name().expect("a name").to_string_lossy().into_owned();
        write_atomically(&at("record.json"), b"whole").expect("written");
        let mut expected: Vec<String> = others.iter().map(|name| (*name).to_owned()).collect();
        expected.extend([".mnist-study-folder".to_owned(), held_name, "record.json".to_owned()]);
        expected.sort();
        assert_eq!(names(folder.path()), expected);
        assert_eq!(fs::read(at("record.json")).expect("there"), b"whole");
    }

    #[test]
    fn a_temporary_file_that_another_machine_swept_is_written_again() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("record.json");
        let swept = AtomicBool::new(false);
        std::thread::scope(|scope| {
            scope.spawn(|| {
                // Without regard to locks, as where there are none: the first that is seen is taken away.
                let remove =
                    |name: &String| is_temporary(name) && fs::remove_file(folder.path().join(name)).is_ok();
                while !names(folder.path()).iter().any(remove) {}
                swept.store(true, Ordering::Relaxed);
            });
            while !swept.load(Ordering::Relaxed) {
                write_atomically(&path, &[7; 100_000]).expect("written");
                assert_eq!(fs::read(&path).expect("there"), [7; 100_000]);
            }
        });
    }

    #[test]
    fn no_more_is_read_than_the_limit_says() {
        assert_eq!(read_at_most(&b"four"[..], 4).expect("four bytes"), b"four");
        let error = read_at_most(io::repeat(0), 1000).expect_err("no end");
        assert_eq!(error.to_string(), "1000 bytes at most expected, more found");
        assert_eq!(read_at_most(&b"four"[..], u64::MAX).expect("no limit"), b"four");
    }

    #[test]
    fn a_folder_that_cannot_be_written_to_is_named_before_any_work() {
        let folder = tempfile::tempdir().expect("a folder");
        check_writable(&folder.path().join("new/file")).expect("the folder is made");
        assert_eq!(names(&folder.path().join("new")), [""; 0], "nothing is left");
        let error = check_writable(&folder.path().join("new")).expect_err("a folder");
        assert!(error.to_string().ends_with("new: a file is expected, a folder was found"), "{error}");
        fs::write(folder.path().join("taken"), "").expect("written");
        let error = check_writable(&folder.path().join("taken/file")).expect_err("no folder");
        assert_eq!(error.path, folder.path().join("taken"));
    }
}
