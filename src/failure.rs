//! The one place where errors become `error:` and `hint:` lines and exit codes.

use std::{fmt::Display, process::ExitCode};
use study::{
    execute::ExecutionError, folder::FolderError, results::CollectError, run::RunError, store::FileError,
    tune::TuneError, verify::VerifyError,
};

/// Why the command did not do what it was asked to.
#[derive(Debug)]
pub(crate) struct Failure {
    /// The thing, what was expected, what was found.
    pub(crate) message: String,
    /// What to do.
    pub(crate) hint: Option<String>,
    kind: Kind,
}

#[derive(Debug)]
enum Kind {
    Failed,
    Usage,
    Interrupted,
}

impl Failure {
    /// Something went wrong.
    pub(crate) fn new(message: impl Display, hint: impl Into<String>) -> Self {
        Self { message: message.to_string(), hint: Some(hint.into()), kind: Kind::Failed }
    }

    /// The command line cannot be meant as it stands.
    pub(crate) fn usage(message: impl Display, hint: impl Into<String>) -> Self {
        Self { message: message.to_string(), hint: Some(hint.into()), kind: Kind::Usage }
    }

    /// The user pressed Ctrl-C.
    pub(crate) fn interrupted(message: impl Display, hint: impl Into<String>) -> Self {
        Self { message: message.to_string(), hint: Some(hint.into()), kind: Kind::Interrupted }
    }

    /// 1 failed, 2 wrong usage, 130 interrupted.
    pub(crate) fn exit_code(&self) -> ExitCode {
        ExitCode::from(match self.kind {
            Kind::Failed => 1,
            Kind::Usage => 2,
            Kind::Interrupted => 130,
        })
    }
}

impl From<RunError> for Failure {
    fn from(error: RunError) -> Self {
        let hint = error.hint();
        match error {
            RunError::UnknownModel(_) | RunError::Recipe(_) => Self::usage(error, hint),
            _ if error.is_interruption() => Self::interrupted(error, hint),
            _ => Self::new(error, hint),
        }
    }
}

impl From<FileError> for Failure {
    fn from(error: FileError) -> Self {
        let hint = error.hint();
        Self::new(error, hint)
    }
}

impl From<ExecutionError> for Failure {
    fn from(error: ExecutionError) -> Self {
        match error {
            ExecutionError::Run(error) => error.into(),
            ExecutionError::File(error) => error.into(),
            ExecutionError::Interrupted { .. } => {
                Self::interrupted(error, "the runs that were finished are kept; the same command goes on")
            }
        }
    }
}

impl From<FolderError> for Failure {
    fn from(error: FolderError) -> Self {
        let hint = match error {
            FolderError::File(error) => return error.into(),
            FolderError::Foreign { .. } => "choose a new or empty folder with --out",
            FolderError::OtherStudy { .. } => {
                "choose another folder with --out, or replace the study that is there with --fresh"
            }
            FolderError::Busy { .. } => {
                "choose another folder with --out, or wait until that study has ended"
            }
        };
        Self::new(error, hint)
    }
}

impl From<TuneError> for Failure {
    fn from(error: TuneError) -> Self {
        match error {
            TuneError::Run(error) => error.into(),
            TuneError::File(error) => error.into(),
            TuneError::StudyFile(error) => RunError::from(error).into(),
            TuneError::OtherSearch { .. } => Self::new(
                error,
                "choose another folder with --out, or pass --fresh to begin anew in this one",
            ),
        }
    }
}

impl From<CollectError> for Failure {
    fn from(error: CollectError) -> Self {
        match error {
            CollectError::File(error) => error.into(),
            CollectError::NoRecord { .. } => {
                Self::new(error, "name a folder that `mnist-study compare` made, such as Results")
            }
            CollectError::AllFailed { .. } => Self::new(
                error,
                "change the recipe and run the study again: a smaller learning rate usually helps",
            ),
        }
    }
}

impl From<VerifyError> for Failure {
    fn from(error: VerifyError) -> Self {
        let hint = match error {
            VerifyError::Run(error) => return error.into(),
            VerifyError::Revision { .. } => "verify it with that version of the program",
            VerifyError::Kernels { .. } => "verify it where these instructions are",
            VerifyError::Data { .. } => "name the data that it was made on with --dataset",
        };
        Self::new(error, hint)
    }
}

impl From<data::Error> for Failure {
    fn from(error: data::Error) -> Self {
        let hint = error.hint();
        Self::new(error, hint)
    }
}

impl From<data::AugmentationError> for Failure {
    fn from(error: data::AugmentationError) -> Self {
        let hint = format!("pass --{} with a value in that range", error.field);
        Self::usage(error, hint)
    }
}
