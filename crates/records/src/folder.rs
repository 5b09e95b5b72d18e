//! A results folder while runs are made for it: whose it is, and who makes which run.
//!
//! Several programs may work in one folder, also on several machines. Those of one study, whatever their seeds, share its plan and
//! divide its runs by [claims](Claim); one of another study is refused. What says so are locks of the operating system on files below
//! `.mnist-study`, which end with the process that holds them, however it ends, and between machines the claims; the last one to leave removes them.

use crate::{
    claim::{Claims, Holder, REMOVABLE, ignore_unsupported, is_at},
    host,
    imported::Imports,
    plan_file::{Engine, PARTS, PLAN, Plan, is_parts, is_plan, read_parts, write_parts},
    question::{Part, Question},
    record::{Environment, Place, RunSpec, Task},
    store::{FileError, Store},
};
use std::{
    fs::{self, File, OpenOptions, TryLockError},
    io,
    path::{Path, PathBuf},
};

pub use crate::claim::{BEAT, Claim};

/// The folder of the locks and claims.
pub(crate) const LOCKS: &str = ".mnist-study";

/// Held while the plan is read and written, or the locks are removed.
const GUARD: &str = "guard";

/// Held, shared, by all that work in the folder.
const USERS: &str = "users";

/// A folder that this process may make runs for, until it is dropped.
#[derive(Debug)]
pub struct StudyFolder {
    store: Store,
    claims: Claims,
    locks: PathBuf,
    users: Option<File>,
}

/// Why a folder cannot be worked in.
#[derive(Debug, thiserror::Error)]
pub enum FolderError {
    /// A file could not be read or written.
    #[error(transparent)]
    File(#[from] FileError),
    /// Files are in the way that this program did not write.
    #[error("{}: holds {name}, and no records of this program", folder.display())]
    Foreign {
        /// The folder.
        folder: PathBuf,
        /// The first file that would have been replaced.
        name: &'static str,
    },
    /// The folder is another study's.
    #[error("{}: holds the study \"{there}\", not \"{asked}\"{}", folder.display(), alike(there, asked))]
    OtherStudy {
        /// The folder.
        folder: PathBuf,
        /// The name of the study that is there.
        there: String,
        /// That of the study that was to be carried out.
        asked: String,
    },
    /// The folder's plan cannot be read.
    #[error("{problem}")]
    DamagedPlan {
        /// Which file, and why.
        problem: String,
    },
    /// Runs are being made in the folder.
    #[error("{}: a study is being run here", folder.display())]
    Running {
        /// The folder.
        folder: PathBuf,
    },
    /// The folder's study is this one, made with another engine.
    #[error("{}: the study \"{study}\" is made here with {there}, this process computes with {here}", folder.display())]
    OtherEngine {
        /// The folder.
        folder: PathBuf,
        /// The name of the study.
        study: String,
        /// What its runs are made with.
        there: Engine,
        /// What this process makes runs with.
        here: Engine,
    },
    /// Another study is being carried out in the folder.
    #[error("{}: the study \"{there}\" is being run here, and is not \"{asked}\"{}", folder.display(), alike(there, asked))]
    Busy {
        /// The folder.
        folder: PathBuf,
        /// The name of the study that is being run.
        there: String,
        /// That of the study that was to be carried out.
        asked: String,
    },
}

/// What becomes of the study that a folder is for already.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Entry {
    /// Another one is replaced where neither has a title, else refused.
    ReplaceUntitled,
    /// It is replaced, whatever it is.
    Replace,
    /// This process is one of several that share a study, at the same time or one after the other: another one is refused, and the runs of
    /// the same one are added to.
    Join,
}

fn alike(there: &str, asked: &str) -> &'static str {
    if there == asked { " with these settings, data or kernels" } else { "" }
}

/// What this program writes to a results folder beside records: a folder with one of these and without records is not its
/// own. Files that are named by the identities of runs, as weights in `models` are, replace nobody's: a folder with them can be
/// entered.
pub const OUTPUTS: [&str; 15] = [
    PLAN,
    PARTS,
    "report.html",
    "report.md",
    "summary.json",
    "epochs.csv",
    "Differences.png",
    "Accuracy_Comparison.png",
    "Loss_Comparison.png",
    "Training_Time.png",
    "Confusion_Matrices.png",
    "Hardest_Digits.png",
    "across.md",
    "across.json",
    "paper",
];

impl StudyFolder {
    /// Makes the folder that of a study over one data set, and keeps its plan and the runs of other programs that it compares.
    ///
    /// `entry` says what becomes of another command's plan. While other commands of the same study are at work, theirs is added to.
    ///
    /// # Errors
    /// When the folder holds what is not this program's, or is another study's.
    pub fn open(
        folder: &Path,
        question: &Question,
        trained: Option<(&[RunSpec], &Environment)>,
        imported: Imports,
        entry: Entry,
    ) -> Result<Self, FolderError> {
        let mut plan = Plan::of(question, trained, imported);
        let task = trained.and_then(|(_, environment)| environment.place.as_ref()?.task.clone());
        Self::enter(folder, task, |alone| {
            let there = match Plan::read(folder) {
                // What the others of a study go by is not guessed.
                Err(problem) if entry == Entry::Join => return Err(FolderError::DamagedPlan { problem }),
                // A plan that cannot be read says nothing: what is asked for takes its place.
                there => there.ok().flatten(),
            };
            if entry != Entry::Replace
                && let Some(there) = over_several(folder, entry)?
            {
                return Err(FolderError::OtherStudy {
                    folder: folder.to_owned(),
                    there,
                    asked: plan.name.clone(),
                });
            }
            let other = |there: &Plan| FolderError::OtherStudy {
                folder: folder.to_owned(),
                there: there.name.clone(),
                asked: plan.name.clone(),
            };
            let share = !alone || entry == Entry::Join;
            match &there {
                Some(there) if share && there.study == plan.study => plan.unite(there),
                Some(there) if entry == Entry::Join && plan.differs_by_engine_alone(there) => {
                    let (study, engine) = (plan.name.clone(), |plan: &Plan| plan.engine.clone());
                    return Err(match (engine(there), engine(&plan)) {
                        (Some(there), Some(here)) => {
                            FolderError::OtherEngine { folder: folder.to_owned(), study, there, here }
                        }
                        _ => other(there),
                    });
                }
                Some(there) if !alone => return Err(busy(folder, &there.name, &plan.name)),
                None if !alone => return Err(busy(folder, "another", &plan.name)),
                Some(there) if entry == Entry::Join => return Err(other(there)),
                Some(there) if there.question.title != question.title && entry == Entry::ReplaceUntitled => {
                    return Err(other(there));
                }
                _ => {}
            }
            // No plan names a run that is not there.
            let store = Store::of(folder);
            imported.runs.iter().try_for_each(|run| store.write_imported(run))?;
            Ok(plan.write(folder)?)
        })
    }

    /// Makes the folder that of a merged plan.
    ///
    /// # Errors
    /// As [`StudyFolder::open`].
    pub(crate) fn open_for(folder: &Path, plan: &Plan) -> Result<Self, FolderError> {
        Self::enter(folder, None, |alone| match alone {
            true => Ok(plan.write(folder)?),
            false => Err(FolderError::Running { folder: folder.to_owned() }),
        })
    }

    /// Makes the folder that of a study over several data sets, whose results go to folders within it.
    ///
    /// # Errors
    /// As [`StudyFolder::open`].
    pub fn open_parts(folder: &Path, name: &str, parts: &[Part], entry: Entry) -> Result<Self, FolderError> {
        Self::enter(folder, None, |alone| {
            let there = read_parts(folder).unwrap_or_default();
            if !alone && there != parts {
                return Err(busy(folder, "another", name));
            }
            if entry == Entry::Join
                && there != parts
                && let Some(there) = over_several(folder, entry)?
            {
                let (folder, asked) = (folder.to_owned(), name.to_owned());
                return Err(FolderError::OtherStudy { folder, there, asked });
            }
            let plan = match Plan::read(folder) {
                Err(problem) if entry == Entry::Join => return Err(FolderError::DamagedPlan { problem }),
                plan => plan.ok().flatten().filter(|_| entry != Entry::Replace),
            };
            if let Some(plan) = plan
                && (plan.question.title.is_some() || entry == Entry::Join)
            {
                let (folder, there, asked) = (folder.to_owned(), plan.name, name.to_owned());
                return Err(FolderError::OtherStudy { folder, there, asked });
            }
            Ok(write_parts(folder, parts)?)
        })
    }

    /// Makes the folder one that this process alone works in, until it is dropped.
    ///
    /// # Errors
    /// When another process works in it.
    pub fn open_alone(folder: &Path, name: &str) -> Result<Self, FolderError> {
        Self::enter(folder, None, |alone| if alone { Ok(()) } else { Err(busy(folder, "another", name)) })
    }

    /// Does what must not be done twice at a time, told whether no other process works in the folder, and works in it from
    /// then on.
    fn enter(
        folder: &Path,
        task: Option<Task>,
        prepare: impl FnOnce(bool) -> Result<(), FolderError>,
    ) -> Result<Self, FolderError> {
        let store = Store::of(folder);
        if let Some(name) = foreign(folder, &store)? {
            return Err(FolderError::Foreign { folder: folder.to_owned(), name });
        }
        store.prepare()?;
        let locks = folder.join(LOCKS);
        let error = |problem| FileError { path: locks.clone(), problem };
        let guard = wait_for(&locks.join(GUARD)).map_err(error)?;
        let users = open(&locks.join(USERS)).map_err(error)?;
        let claims = Claims::of(&locks, Holder::here(&Place { host: host::name(), task }));
        // Where a lock does not reach, or there are none, claims tell who else is at work.
        let is_idle = || claims.is_idle();
        let alone = match users.try_lock() {
            Ok(()) => is_idle(),
            Err(TryLockError::WouldBlock) => false,
            Err(TryLockError::Error(problem)) => {
                ignore_unsupported(problem).map(|()| is_idle()).map_err(error)?
            }
        };
        prepare(alone)?;
        // Nobody else looks before the guard is let go.
        let _ = users.unlock();
        users.lock_shared().or_else(ignore_unsupported).map_err(error)?;
        drop(guard);
        Ok(Self { store, claims, locks, users: Some(users) })
    }

    /// The folder's records.
    pub fn store(&self) -> &Store {
        &self.store
    }

    /// Whether other processes work in the folder too: on this machine by their locks, on others by the runs that they make.
    pub fn is_shared(&self) -> bool {
        let Some(users) = &self.users else { return false };
        let Ok(_guard) = wait_for(&self.locks.join(GUARD)) else { return false };
        // Nobody else looks before the guard is let go, so that the lock may be gone for a moment.
        let _ = users.unlock();
        let probe = open(&self.locks.join(USERS));
        let shared = probe.is_ok_and(|probe| matches!(probe.try_lock(), Err(TryLockError::WouldBlock)));
        let _ = users.lock_shared();
        shared || self.claims.is_another_machine_at_work()
    }

    /// Takes a run, so that nobody else makes it meanwhile; none where somebody else does.
    ///
    /// # Errors
    /// When the claim's file can neither be made nor opened.
    pub fn claim(&self, id: &str) -> Result<Option<Claim>, FileError> {
        self.claims.claim(id)
    }
}

impl Drop for StudyFolder {
    fn drop(&mut self) {
        // What cannot be removed does no harm: a lock ends with its process.
        let Ok(_guard) = wait_for(&self.locks.join(GUARD)) else { return };
        self.users = None;
        let alone = open(&self.locks.join(USERS)).is_ok_and(|users| users.try_lock().is_ok());
        if alone && REMOVABLE {
            self.claims.sweep();
            for name in [USERS, GUARD] {
                let _ = fs::remove_file(self.locks.join(name));
            }
            // Not where another machine's claims are.
            let _ = fs::remove_dir(&self.locks);
        }
    }
}

/// The name of a study over several data sets, where the folder is that of one.
fn over_several(folder: &Path, entry: Entry) -> Result<Option<String>, FileError> {
    let parts = match read_parts(folder) {
        // As with a plan: what cannot be read says nothing, but to those who go by it.
        Err(_) if entry != Entry::Join => Vec::new(),
        parts => parts?,
    };
    let datasets: Vec<&str> = parts.iter().map(|part| part.dataset.as_str()).collect();
    Ok((!parts.is_empty()).then(|| format!("a study over {}", datasets.join(", "))))
}

fn busy(folder: &Path, there: &str, asked: &str) -> FolderError {
    FolderError::Busy { folder: folder.to_owned(), there: there.to_owned(), asked: asked.to_owned() }
}

/// The first file in the folder that would be replaced and is somebody else's.
fn foreign(folder: &Path, store: &Store) -> Result<Option<&'static str>, FileError> {
    if is_plan(&folder.join(PLAN)) || is_parts(&folder.join(PARTS)) || !store.identities()?.is_empty() {
        return Ok(None);
    }
    Ok(OUTPUTS.into_iter().find(|name| folder.join(name).symlink_metadata().is_ok()))
}

fn open(path: &Path) -> io::Result<File> {
    OpenOptions::new().read(true).write(true).create(true).truncate(false).open(path)
}

/// Waits until the lock of a file is free and takes it; its folder is made.
fn wait_for(path: &Path) -> io::Result<File> {
    /// More is no coincidence: what stands in its place cannot be opened.
    const ATTEMPTS: usize = 100;
    let mut attempts = 0;
    loop {
        attempts += 1;
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder)?;
        }
        let file = match open(path) {
            // The last one to leave has removed the folder just now.
            Err(problem) if problem.kind() == io::ErrorKind::NotFound && attempts < ATTEMPTS => continue,
            file => file?,
        };
        file.lock().or_else(ignore_unsupported)?;
        if is_at(&file, path) {
            return Ok(file);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_tells_who_else_works_in_it_and_stays_taken() {
        let folder = tempfile::tempdir().expect("a folder");
        let parts = [Part { dataset: "d".to_owned(), folder: "d".to_owned() }];
        let enter =
            || StudyFolder::open_parts(folder.path(), "a", &parts, Entry::ReplaceUntitled).expect("free");
        let first = enter();
        assert!(!first.is_shared());
        let second = enter();
        assert!(first.is_shared() && second.is_shared());
        // To have looked lets nothing go.
        assert!(StudyFolder::open_alone(folder.path(), "b").is_err());
        drop(second);
        assert!(!first.is_shared());
        assert!(StudyFolder::open_alone(folder.path(), "b").is_err());
        drop(first);
        assert!(StudyFolder::open_alone(folder.path(), "b").is_ok());
    }
}
