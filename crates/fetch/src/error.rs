//! Why a set could not be fetched.

use data::Download;
use std::{
    fmt::Write,
    io,
    path::{Path, PathBuf},
};

/// Why a set could not be fetched. What was received is kept, but for what proved wrong.
#[derive(Debug, thiserror::Error)]
pub enum FetchError {
    /// No address gave a file.
    #[error("{set}: {file} was not received: {}", told(attempts))]
    Unreachable {
        /// The set's name.
        set: String,
        /// The file's name.
        file: String,
        /// Every address and why it failed.
        attempts: Vec<Attempt>,
        /// Every file that is still needed.
        missing: Missing,
    },
    /// The listener ended it.
    #[error("interrupted before it was fetched")]
    Interrupted,
    /// A file or folder cannot be read or written.
    #[error("{}: {problem}", path.display())]
    File {
        /// Which.
        path: PathBuf,
        /// What the system said.
        problem: io::Error,
    },
    /// Another process holds the unfinished download, and does not go on with it.
    #[error("{}: another process holds it and receives nothing", path.display())]
    Busy {
        /// The unfinished download.
        path: PathBuf,
    },
    /// The file of certificates cannot be used.
    #[error("{}: certificates in PEM format expected, {problem}", path.display())]
    Certificates {
        /// Which.
        path: PathBuf,
        /// What was found.
        problem: String,
    },
    /// An archive cannot be unpacked, or lacks a member.
    #[error("{}: {problem}", path.display())]
    Archive {
        /// The archive.
        path: PathBuf,
        /// What was expected and what was found.
        problem: String,
    },
}

impl FetchError {
    /// Whether the same may succeed in a moment, though nothing is changed.
    pub fn is_passing(&self) -> bool {
        use io::ErrorKind::{QuotaExceeded, StorageFull};
        match self {
            Self::Unreachable { attempts, .. } => attempts.iter().any(|attempt| attempt.is_passing),
            Self::Busy { .. } => true,
            Self::File { problem, .. } => matches!(problem.kind(), StorageFull | QuotaExceeded),
            Self::Interrupted | Self::Certificates { .. } | Self::Archive { .. } => false,
        }
    }
}

/// An address and why it did not give the file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attempt {
    /// The address, without a user's name and password.
    pub url: String,
    /// What was expected and what was found.
    pub problem: String,
    /// Whether the address may do better in a moment.
    pub is_passing: bool,
}

/// Files to be put in a folder by hand.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Missing {
    /// The folder.
    pub folder: PathBuf,
    /// Each file's name, its digest and its first published address.
    pub files: Vec<(String, String, String)>,
}

impl FetchError {
    pub(crate) fn file(path: &Path, problem: &io::Error) -> Self {
        let problem = io::Error::new(problem.kind(), problem.to_string());
        Self::File { path: path.to_owned(), problem }
    }

    /// Adds which files belong in which folder: the failed one, which is the first of `files`, and those that are not there.
    pub(crate) fn with_missing(mut self, files: &[Download], folder: &Path) -> Self {
        if let Self::Unreachable { missing, .. } = &mut self {
            let folder = std::path::absolute(folder).unwrap_or_else(|_| folder.to_owned());
            for (index, file) in files.iter().enumerate() {
                if index == 0 || !folder.join(file.name).is_file() {
                    let mirror = file.mirrors.first().copied().unwrap_or_default();
                    let url = format!("{mirror}{}", file.name);
                    let digest = format!("{} {}", file.digest.algorithm(), file.digest.digits());
                    missing.files.push((file.name.to_owned(), digest, url));
                }
            }
            missing.folder = folder;
        }
        self
    }

    /// What to do about it: a line, or for files to be put in place by hand a line each below it.
    pub fn hint(&self) -> String {
        match self {
            Self::Unreachable { missing, .. } => {
                let mut text = format!(
                    "try again later (what was received is kept), or put into {} by hand:",
                    missing.folder.display()
                );
                for (name, digest, url) in &missing.files {
                    write!(text, "\n  {name}  {digest}  {url}").expect("a string takes everything");
                }
                text + "\nany file or folder of images is a data set, too"
            }
            Self::Interrupted => "what was received is kept: the same command goes on from there".to_owned(),
            Self::File { problem, .. } => match problem.kind() {
                io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded | io::ErrorKind::FileTooLarge => {
                    format!(
                        "free some space, or set {} to a folder on another disk; what was received is kept",
                        data::CACHE_VARIABLE
                    )
                }
                _ => format!(
                    "check the path, or set {} to a folder that you may write to",
                    data::CACHE_VARIABLE
                ),
            },
            Self::Busy { .. } => "end that process, then run the same command again".to_owned(),
            Self::Certificates { .. } => {
                "set SSL_CERT_FILE to a file of certificates, or unset it to use the built-in ones".to_owned()
            }
            Self::Archive { .. } => "remove the archive and run the same command again".to_owned(),
        }
    }
}

fn told(attempts: &[Attempt]) -> String {
    let each: Vec<String> =
        attempts.iter().map(|attempt| format!("{}: {}", attempt.url, attempt.problem)).collect();
    each.join("; ")
}
