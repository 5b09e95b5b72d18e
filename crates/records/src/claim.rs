//! Who makes which run: a file for each run that is being made.
//!
//! Three things must be told from each other: a living process of this machine, a living one of another machine, and one that was
//! killed. A lock of the operating system on the file tells the first, since it ends with its process, however that ends. It need not
//! reach another machine: some network file systems know no locks, or keep them on the machine that asked. So the file names its
//! machine, its process writes it anew every [`BEAT`], and where it is another machine's it counts as abandoned once it is older than
//! [`STALE`]. Its age is the difference of two times that the file system gave, so that the machines' clocks need not agree. A task that
//! its scheduler began again takes over what it had claimed before.
//!
//! Nothing rests on this but time: where two processes take the same run all the same, both come to the same bits, and the first record
//! stays.

use crate::{
    files::{self, FileError, temporary},
    record::Place,
};
use serde::{Deserialize, Serialize};
use std::{
    fs::{self, File, OpenOptions, TryLockError},
    io::{self, Seek, SeekFrom, Write},
    path::{Path, PathBuf},
    time::{Duration, SystemTime},
};

/// How often a process says that it is at work still.
pub const BEAT: Duration = Duration::from_secs(15);

/// How long another machine's process may be silent. Network file systems may show a file's time with a delay of a minute.
pub const STALE: Duration = Duration::from_secs(150);

/// No claim's file is longer.
const MAXIMUM_CLAIM_BYTES: u64 = 4096;

/// So often is a claim tried for that others take and let go meanwhile.
const ATTEMPTS: usize = 8;

/// What the names of claims end with.
const ENDING: &str = "claim";

/// Who makes a run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Holder {
    /// On which machine.
    pub place: Place,
    /// The process there.
    pub process: u32,
}

impl Holder {
    /// This process.
    pub(crate) fn here(place: &Place) -> Self {
        Self { place: place.clone(), process: std::process::id() }
    }

    /// Whether it is an earlier attempt at the task that this process is.
    fn was_begun_again_as(&self, other: &Self) -> bool {
        match (&self.place.task, &other.place.task) {
            (Some(before), Some(now)) => {
                (before.scheduler, &before.job, before.number) == (now.scheduler, &now.job, now.number)
                    && now.job.is_some()
                    && before.restarts < now.restarts
            }
            _ => false,
        }
    }
}

/// The claims of a folder.
#[derive(Debug)]
pub(crate) struct Claims {
    folder: PathBuf,
    here: Holder,
    stale: Duration,
}

/// A run that this process makes, until it is dropped.
#[derive(Debug)]
pub struct Claim {
    path: PathBuf,
    /// None where something stands in its place that is no claim: the run is made without one.
    file: Option<File>,
    holder: Holder,
}

impl Claim {
    /// Says that the process is at work still.
    ///
    /// # Errors
    /// What the system said: whoever looks from another machine may then take the run over.
    pub fn beat(&self) -> io::Result<()> {
        self.file.as_ref().map_or(Ok(()), |file| write(file, &self.holder))
    }
}

impl Drop for Claim {
    fn drop(&mut self) {
        // While it is locked still: the next one to open the path makes a file of its own.
        if REMOVABLE && self.file.as_ref().is_some_and(|file| is_at(file, &self.path)) {
            let _ = fs::remove_file(&self.path);
        }
    }
}

impl Claims {
    pub(crate) fn of(folder: &Path, here: Holder) -> Self {
        Self { folder: folder.to_owned(), here, stale: STALE }
    }

    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }

    fn path(&self, id: &str) -> PathBuf {
        self.folder.join(format!("{id}.{ENDING}"))
    }

    /// Takes a run, so that nobody else makes it meanwhile; none where somebody else does.
    ///
    /// # Errors
    /// When the claim's file can neither be made nor opened.
    pub(crate) fn claim(&self, id: &str) -> Result<Option<Claim>, FileError> {
        let path = self.path(id);
        let error = |problem| FileError { path: path.clone(), problem };
        for _ in 0..ATTEMPTS {
            match self.attempt(&path).map_err(error)? {
                Attempt::Taken(claim) => return Ok(Some(claim)),
                Attempt::Busy => return Ok(None),
                Attempt::Again => {}
            }
        }
        Ok(None)
    }

    fn attempt(&self, path: &Path) -> io::Result<Attempt> {
        // A folder, a pipe or a link is nobody's claim, and to open one may take for ever.
        if fs::symlink_metadata(path).is_ok_and(|there| !there.is_file()) {
            return Ok(Attempt::Taken(self.without_file(path)));
        }
        let there = match OpenOptions::new().read(true).write(true).open(path) {
            Err(problem) if problem.kind() == io::ErrorKind::NotFound => return self.make(path),
            // Another user's. While it is fresh it counts; later the run is made without a claim.
            Err(problem) if problem.kind() == io::ErrorKind::PermissionDenied => {
                let written = fs::metadata(path)?.modified()?;
                return Ok(match apart(now_there(&self.folder)?, written) <= self.stale {
                    true => Attempt::Busy,
                    false => Attempt::Taken(self.without_file(path)),
                });
            }
            there => there?,
        };
        let is_locked = match there.try_lock() {
            Ok(()) => true,
            Err(TryLockError::WouldBlock) => return Ok(Attempt::Busy),
            Err(TryLockError::Error(problem)) => ignore_unsupported(problem).map(|()| false)?,
        };
        if !is_at(&there, path) {
            // Whoever had it has just let it go.
            return Ok(Attempt::Again);
        }
        let holder = read(&there);
        let is_dead = match &holder {
            // Alive it would have the lock.
            Some(holder) if holder.place.host == self.here.place.host && is_locked => true,
            Some(holder) if holder.was_begun_again_as(&self.here) => true,
            _ => match age(&there, &self.folder) {
                // The last one to leave has removed the folder just now.
                Err(problem) if problem.kind() == io::ErrorKind::NotFound => return Ok(Attempt::Again),
                age => age? > self.stale,
            },
        };
        if !is_dead {
            return Ok(Attempt::Busy);
        }
        if is_locked && holder.is_some_and(|holder| holder.place.host == self.here.place.host) {
            // No other process of this machine has the lock.
            write(&there, &self.here)?;
            return Ok(Attempt::Taken(self.taken(path, there)));
        }
        // Of those who see that it is abandoned one moves it away; the others begin again, and find the claim of that one.
        let aside = temporary(&self.folder)?;
        match fs::rename(path, aside.path()) {
            Err(problem) if problem.kind() != io::ErrorKind::NotFound => Err(problem),
            _ => Ok(Attempt::Again),
        }
    }

    /// Makes the file of a run that nobody has. A second name for a file is given to one process alone, also where the file system is that
    /// of another machine.
    fn make(&self, path: &Path) -> io::Result<Attempt> {
        fs::create_dir_all(&self.folder)?;
        let named = match temporary(&self.folder) {
            // The last one to leave has removed the folder just now.
            Err(problem) if problem.kind() == io::ErrorKind::NotFound => return Ok(Attempt::Again),
            named => named?,
        };
        let file = named.as_file().try_clone()?;
        write(&file, &self.here)?;
        lock(&file)?;
        match fs::hard_link(named.path(), path) {
            Ok(()) => Ok(Attempt::Taken(self.taken(path, file))),
            // The answer to a first request may have been lost, and a second one sent.
            Err(problem) if problem.kind() == io::ErrorKind::AlreadyExists => {
                match is_at(&file, path) && REMOVABLE {
                    true => Ok(Attempt::Taken(self.taken(path, file))),
                    false => Ok(Attempt::Again),
                }
            }
            Err(problem) if problem.kind() == io::ErrorKind::NotFound => Ok(Attempt::Again),
            // A file system whose files have one name each.
            Err(_) => {
                let file = match OpenOptions::new().read(true).write(true).create_new(true).open(path) {
                    Err(problem) if problem.kind() == io::ErrorKind::AlreadyExists => {
                        return Ok(Attempt::Again);
                    }
                    file => file?,
                };
                lock(&file)?;
                write(&file, &self.here)?;
                Ok(Attempt::Taken(self.taken(path, file)))
            }
        }
    }

    fn without_file(&self, path: &Path) -> Claim {
        Claim { path: path.to_owned(), file: None, holder: self.here.clone() }
    }

    fn taken(&self, path: &Path, file: File) -> Claim {
        Claim { path: path.to_owned(), file: Some(file), holder: self.here.clone() }
    }

    /// The runs that are being made, with who makes them; what is abandoned is not among them. Nothing is written: the age of another machine's
    /// claim is taken by this one's clock.
    pub(crate) fn held(&self) -> io::Result<Vec<(String, Holder)>> {
        self.held_at(SystemTime::now())
    }

    fn held_at(&self, now: SystemTime) -> io::Result<Vec<(String, Holder)>> {
        let entries = match fs::read_dir(&self.folder) {
            Err(problem) if problem.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            entries => entries?,
        };
        let mut held = Vec::new();
        for entry in entries {
            let path = entry?.path();
            let Some(id) = id_of(&path).filter(|_| is_plain(&path)) else { continue };
            let Ok(file) = File::open(&path) else { continue };
            let lock = file.try_lock_shared();
            // Where a lock keeps others from reading, it tells enough.
            let unread =
                || Holder { place: Place { host: self.here.place.host.clone(), task: None }, process: 0 };
            let is_locked = matches!(lock, Err(TryLockError::WouldBlock));
            let Some(holder) = read(&file).or_else(|| is_locked.then(unread)) else { continue };
            let is_here = holder.place.host == self.here.place.host;
            let is_fresh = || {
                let written = file.metadata().and_then(|metadata| metadata.modified());
                written.is_ok_and(|written| apart(now, written) <= self.stale)
            };
            let is_alive = match lock {
                Err(TryLockError::WouldBlock) => true,
                Ok(()) if is_here => false,
                _ => is_fresh(),
            };
            if is_alive {
                held.push((id, holder));
            }
        }
        held.sort_by(|(one, _), (other, _)| one.cmp(other));
        Ok(held)
    }

    /// The same by the clock of the file system; none where it cannot be looked at.
    fn others(&self) -> Option<Vec<(String, Holder)>> {
        if fs::symlink_metadata(&self.folder).is_err() {
            return Some(Vec::new());
        }
        now_there(&self.folder).and_then(|now| self.held_at(now)).ok()
    }

    /// Whether nobody makes a run, as far as can be seen: where nothing can, somebody may.
    pub(crate) fn is_idle(&self) -> bool {
        self.others().is_some_and(|held| held.is_empty())
    }

    /// Whether a process of another machine is seen at work.
    pub(crate) fn is_another_machine_at_work(&self) -> bool {
        let is_away = |(_, holder): &(String, Holder)| holder.place.host != self.here.place.host;
        self.others().is_some_and(|held| held.iter().any(is_away))
    }

    /// Removes the claims of killed processes of this machine.
    pub(crate) fn sweep(&self) {
        let _ = files::sweep(&self.folder);
        let Ok(entries) = fs::read_dir(&self.folder) else { return };
        for path in entries
            .filter_map(|entry| Some(entry.ok()?.path()))
            .filter(|path| id_of(path).is_some() && is_plain(path))
        {
            let Ok(file) = OpenOptions::new().read(true).write(true).open(&path) else { continue };
            let is_own = read(&file).is_some_and(|holder| holder.place.host == self.here.place.host);
            if is_own && file.try_lock().is_ok() && is_at(&file, &path) && REMOVABLE {
                let _ = fs::remove_file(&path);
            }
        }
    }
}

enum Attempt {
    Taken(Claim),
    /// Somebody else makes the run.
    Busy,
    /// What was there changed meanwhile.
    Again,
}

/// Whether it is a file, and no link to one.
fn is_plain(path: &Path) -> bool {
    fs::symlink_metadata(path).is_ok_and(|there| there.is_file())
}

fn id_of(path: &Path) -> Option<String> {
    let is_claim = path.extension().is_some_and(|ending| ending == ENDING);
    is_claim.then(|| Some(path.file_stem()?.to_str()?.to_owned())).flatten()
}

fn read(mut file: &File) -> Option<Holder> {
    file.seek(SeekFrom::Start(0)).ok()?;
    serde_json::from_slice(&files::read_at_most(file, MAXIMUM_CLAIM_BYTES).ok()?).ok()
}

/// Writes it in place: the file's time is then that of the file system's machine.
fn write(mut file: &File, holder: &Holder) -> io::Result<()> {
    let text = serde_json::to_vec(holder).expect("a holder has only plain values");
    file.seek(SeekFrom::Start(0))?;
    file.write_all(&text)?;
    file.set_len(text.len() as u64)?;
    file.sync_data()
}

/// How long a file was not written, by the times of the file system that it is on.
fn age(file: &File, folder: &Path) -> io::Result<Duration> {
    Ok(apart(now_there(folder)?, file.metadata()?.modified()?))
}

/// The time on the clock of a folder's file system.
fn now_there(folder: &Path) -> io::Result<SystemTime> {
    let mut now = temporary(folder)?;
    // Its time is that of its first byte.
    now.write_all(b".")?;
    now.as_file().sync_data()?;
    now.as_file().metadata()?.modified()
}

/// How far two times are from each other: one that is to come is as wrong as one long gone.
fn apart(now: SystemTime, written: SystemTime) -> Duration {
    now.duration_since(written).unwrap_or_else(|ahead| ahead.duration())
}

fn lock(file: &File) -> io::Result<()> {
    match file.try_lock() {
        Err(TryLockError::Error(problem)) => ignore_unsupported(problem),
        _ => Ok(()),
    }
}

/// A file system without locks is worked in without them.
pub(crate) fn ignore_unsupported(problem: io::Error) -> io::Result<()> {
    /// What a network file system says whose server grants no locks.
    const NO_LOCKS_AVAILABLE: Option<i32> = if cfg!(target_os = "linux") {
        Some(37)
    } else if cfg!(target_os = "macos") {
        Some(77)
    } else {
        None
    };
    let is_without = problem.kind() == io::ErrorKind::Unsupported
        || (problem.raw_os_error().is_some() && problem.raw_os_error() == NO_LOCKS_AVAILABLE);
    if is_without { Ok(()) } else { Err(problem) }
}

/// Whether a locked file can be removed while it is open, and [`is_at`] tells afterwards.
pub(crate) const REMOVABLE: bool = cfg!(unix);

/// Whether the file is still the one that the path names: another process may have removed it before it was locked.
#[cfg(unix)]
pub(crate) fn is_at(file: &File, path: &Path) -> bool {
    use std::os::unix::fs::MetadataExt;
    let identity = |metadata: fs::Metadata| (metadata.dev(), metadata.ino());
    match (file.metadata(), fs::metadata(path)) {
        (Ok(open), Ok(named)) => identity(open) == identity(named),
        _ => false,
    }
}

#[cfg(not(unix))]
pub(crate) fn is_at(_: &File, _: &Path) -> bool {
    true
}

#[cfg(test)]
mod tests;
