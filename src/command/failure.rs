//! The one place where errors become `error:` and `hint:` lines and exit codes.

use crate::{
    command::{hints, interrupt, output, reproduce::shell_path, verb::Verb},
    report_files::ReportError,
};
use data::AugmentationError;
use records::{
    files::FileError, folder::FolderError, merge::MergeError, results::CollectError,
    search_merge::SearchMergeError, store::RECORDS,
};
use server::StudioError;
use std::{fmt::Display, io, path::Path, process::ExitCode};
use study::{execute::ExecutionError, run::RunError, tune::TuneError, verify::VerifyError};
use train::{RecipeError, Stopped};

/// What to do about a plan that cannot be read.
pub(crate) const WRITE_PLAN_ANEW: &str =
    "run the whole study once in that folder: it writes the plan anew and keeps the records";

/// Why the command did not do what it was asked to.
#[derive(Debug)]
pub(crate) struct Failure {
    /// The thing, what was expected, what was found.
    pub(crate) message: String,
    /// What to do.
    pub(crate) hint: Hint,
    kind: Kind,
}

#[derive(Debug)]
enum Kind {
    Failed,
    /// The same command may do better in a moment.
    Passing,
    /// Nothing went wrong: what was asked about is not finished.
    Unfinished,
    Usage,
    Interrupted,
}

/// What to do about a failure. Verbs have different options: where a hint is to name one, the verb that failed decides.
#[derive(Debug)]
pub(crate) enum Hint {
    /// The same for every verb that meets the failure.
    Words(String),
    /// A file that cannot be written or read belongs elsewhere.
    Place(io::ErrorKind),
    /// The file holds what is not to be replaced unasked.
    Occupied,
    /// The training diverged.
    LearningRate,
    /// A value of the recipe is unusable.
    Recipe,
    /// This machine does not have the recipe's precision.
    Precision,
    /// An interrupted verb can be called again.
    Again,
    /// A file of weights does not say which network it is of, or its names are another's: what options of the verbs of a
    /// saved model say it.
    Network(String),
    /// The data is not what a model or record was made for.
    Dataset,
    /// The images are not of a size that the model takes.
    Shape,
}

impl From<String> for Hint {
    fn from(words: String) -> Self {
        Self::Words(words)
    }
}

impl From<&str> for Hint {
    fn from(words: &str) -> Self {
        Self::Words(words.to_owned())
    }
}

impl Hint {
    /// For a verb: no option is named that it does not have.
    pub(crate) fn in_words(&self, verb: &Verb) -> String {
        let has = |option| verb.has(option);
        match self {
            // Its data set is no option.
            Self::Words(words) if verb.name.ends_with(" inspect") => words
                .replace("pass --dataset with ", "name ")
                .replace("pass --dataset ", "name ")
                .replace(" with --dataset", "")
                .replace("--dataset ", ""),
            // Where the folder is no option, it is an argument.
            Self::Words(words) if !has("--out") => words.replace(" with --out", ""),
            Self::Words(words) => words.clone(),
            Self::Place(kind) => place(*kind, verb),
            Self::Occupied if has("--fresh") && has("--out") => {
                "choose another folder with --out, or replace what is there with --fresh".into()
            }
            Self::Occupied => place(io::ErrorKind::Other, verb),
            Self::LearningRate if has("--learning-rate") => "a smaller --learning-rate usually helps".into(),
            Self::LearningRate => "a smaller learning rate in the model's recipe usually helps".into(),
            Self::Precision => {
                let float32 = match has("--precision") {
                    true => "pass --precision float32 (where a study varies precision, leave bf16 out there)",
                    false => "leave precision out of the model's recipe",
                };
                format!(
                    "{float32}, or set MNIST_STUDY_KERNELS=portable, which computes the same products on any processor, slowly"
                )
            }
            Self::Recipe => format!("`{} --help` says what each option means", verb.name),
            Self::Again if has("--fresh") => {
                "what was finished is kept: run the same command to continue (without --fresh)".into()
            }
            Self::Again => "run the same command again".into(),
            Self::Network(options) if has("--architecture") => options.clone(),
            Self::Network(_) => {
                "`mnist-study export FILE --architecture MODEL --safetensors OTHER` makes a file that says what it is of".into()
            }
            Self::Shape if has("--resize") => {
                "images of 28×28 pixels fit every built-in model: pass --resize 28x28, or another model".into()
            }
            Self::Shape => {
                "images of 28×28 pixels fit every built-in model: name the data set with its size, NAME:resize=28x28, or choose another model".into()
            }
            Self::Dataset if has("--dataset") => {
                "pass the data set that it was made on with --dataset".into()
            }
            Self::Dataset => format!("`{}` uses MNIST alone: pass what was made on it", verb.name),
        }
    }
}

fn place(kind: io::ErrorKind, verb: &Verb) -> String {
    let option = ["--out", "--save"].into_iter().find(|option| verb.has(option));
    let with = option.map_or_else(String::new, |option| format!(" with {option}"));
    match kind {
        io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => {
            format!("choose a folder that you may write to{with}")
        }
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
            format!("free some space, or choose a folder on another disk{with}")
        }
        io::ErrorKind::FileTooLarge => {
            "allow larger files (`ulimit -f` shows the limit), then run the same command again".into()
        }
        io::ErrorKind::NotADirectory | io::ErrorKind::AlreadyExists => {
            format!("a file is where a folder is needed: choose another folder{with}")
        }
        _ => format!("check the path, or choose another one{with}"),
    }
}

impl Failure {
    /// Something went wrong.
    pub(crate) fn new(message: impl Display, hint: impl Into<Hint>) -> Self {
        Self { message: message.to_string(), hint: hint.into(), kind: Kind::Failed }
    }

    /// Something went wrong that may be right in a moment, such as a full disk or a lost network: schedulers are to try again.
    pub(crate) fn passing(message: impl Display, hint: impl Into<Hint>) -> Self {
        Self { message: message.to_string(), hint: hint.into(), kind: Kind::Passing }
    }

    /// What was asked about is not finished: scripts and schedulers are to ask again.
    pub(crate) fn unfinished(message: impl Display, hint: impl Into<Hint>) -> Self {
        Self { message: message.to_string(), hint: hint.into(), kind: Kind::Unfinished }
    }

    /// Whether it is no error.
    pub(crate) fn is_unfinished(&self) -> bool {
        matches!(self.kind, Kind::Unfinished)
    }

    /// The system refused something, which may pass.
    pub(crate) fn of_system(kind: io::ErrorKind, message: impl Display, hint: impl Into<Hint>) -> Self {
        if is_passing(kind) { Self::passing(message, hint) } else { Self::new(message, hint) }
    }

    /// A model whose answers are not numbers.
    pub(crate) fn no_numbers(file: impl Display, images: &str) -> Self {
        Self::new(
            format!("{file}: numbers expected as answers to {images}, infinity or not a number found"),
            "check that the weights are whole and belong to this architecture; of a file from elsewhere also --map and --epsilon",
        )
    }

    /// The command line cannot be meant as it stands.
    pub(crate) fn usage(message: impl Display, hint: impl Into<Hint>) -> Self {
        Self { message: message.to_string(), hint: hint.into(), kind: Kind::Usage }
    }

    /// A signal asked for an end.
    pub(crate) fn interrupted(message: impl Display, hint: impl Into<Hint>) -> Self {
        Self { message: message.to_string(), hint: hint.into(), kind: Kind::Interrupted }
    }

    /// What went wrong.
    pub(crate) fn message(&self) -> &str {
        &self.message
    }

    /// Whether a signal asked for it.
    pub(crate) fn is_interruption(&self) -> bool {
        matches!(self.kind, Kind::Interrupted)
    }

    /// 1 failed, 2 wrong usage, 75 failed and worth repeating (`EX_TEMPFAIL` of BSD's sysexits), 128 and the number of the signal.
    pub(crate) fn exit_code(&self) -> ExitCode {
        ExitCode::from(match self.kind {
            Kind::Failed => 1,
            Kind::Passing | Kind::Unfinished => 75,
            Kind::Usage => 2,
            Kind::Interrupted => interrupt::exit_code(),
        })
    }
}

/// How a verb ended whose work was followed by a report of what had been finished. Where both failed, the work's failure
/// is the cause, and the report's is a note.
pub(crate) fn before_report(work: Result<(), Failure>, report: Result<(), Failure>) -> Result<(), Failure> {
    if let (Err(_), Err(report)) = (&work, &report) {
        output::note(&format!("what was finished could not be reported: {}", report.message));
    }
    work.and(report)
}

impl From<RunError> for Failure {
    fn from(error: RunError) -> Self {
        let hint = match &error {
            RunError::UnknownModel(error) => hints::of_unknown_model(error).into(),
            RunError::StudyFile(error) => error.hint.clone().into(),
            RunError::Shape(_) => Hint::Shape,
            RunError::Recipe(RecipeError::Augmentation(AugmentationError::NeedsColour { field, .. })) => {
                format!("leave {field} out of the augmentation, or train on colour images").into()
            }
            RunError::Recipe(_) => Hint::Recipe,
            RunError::Precision(_) => Hint::Precision,
            RunError::Channels { expected, .. } => {
                format!("give {expected} of each, or write preparation = \"standardise\"").into()
            }
            RunError::Data(error) => hints::of_data(error).into(),
            RunError::Stopped { stopped: Stopped::Diverged { .. }, .. } => Hint::LearningRate,
            RunError::Stopped { stopped: Stopped::Interrupted { .. }, .. } => Hint::Again,
            RunError::Threads { .. } => "pass a smaller --threads".into(),
        };
        match error {
            RunError::UnknownModel(_) | RunError::Recipe(_) | RunError::Precision(_) => {
                Self::usage(error, hint)
            }
            _ if error.is_interruption() => Self::interrupted(error, hint),
            _ => Self::new(error, hint),
        }
    }
}

impl From<FileError> for Failure {
    fn from(error: FileError) -> Self {
        let kind = error.problem.kind();
        // The system says the same of a file where a folder is to be made, which is another matter.
        let is_ours = kind == io::ErrorKind::AlreadyExists && error.problem.raw_os_error().is_none();
        let hint = if is_ours { Hint::Occupied } else { Hint::Place(kind) };
        Self::of_system(kind, error, hint)
    }
}

/// Whether what the system could not do it may do in a moment: room that others free, a file server that comes back.
fn is_passing(kind: io::ErrorKind) -> bool {
    use io::ErrorKind::{
        HostUnreachable, NetworkDown, NetworkUnreachable, OutOfMemory, QuotaExceeded, ResourceBusy,
        StaleNetworkFileHandle, StorageFull, TimedOut,
    };
    matches!(
        kind,
        StorageFull
            | QuotaExceeded
            | StaleNetworkFileHandle
            | TimedOut
            | ResourceBusy
            | NetworkDown
            | NetworkUnreachable
            | HostUnreachable
            | OutOfMemory
    )
}

impl From<StudioError> for Failure {
    fn from(error: StudioError) -> Self {
        match error {
            StudioError::Run(error) => error.into(),
            StudioError::Study(problem) => {
                let line = problem.line.map_or_else(String::new, |line| format!("line {line}: "));
                Self::new(format!("{line}{}", problem.message), problem.hint.unwrap_or_default())
            }
            StudioError::Thread(_) => Self::new(error, "close other programs"),
        }
    }
}

impl From<ReportError> for Failure {
    fn from(error: ReportError) -> Self {
        let message = error.to_string();
        Self { message, ..Self::from(error.first) }
    }
}

impl From<ExecutionError> for Failure {
    fn from(error: ExecutionError) -> Self {
        match error {
            ExecutionError::Run(error) => error.into(),
            ExecutionError::File(error) => error.into(),
            ExecutionError::Interrupted { .. } => Self::interrupted(error, Hint::Again),
        }
    }
}

impl From<FolderError> for Failure {
    fn from(error: FolderError) -> Self {
        let hint = match error {
            FolderError::File(error) => return error.into(),
            FolderError::Foreign { .. } => "choose a new or empty folder with --out",
            FolderError::OtherStudy { .. } => {
                "choose another folder with --out, or, outside of shards, replace the study that is there with --fresh"
            }
            FolderError::OtherEngine { .. } => {
                "set MNIST_STUDY_KERNELS to an instruction set that every machine has, such as avx2, and make all runs in another folder with --out"
            }
            FolderError::DamagedPlan { .. } => WRITE_PLAN_ANEW,
            FolderError::Running { .. } => {
                return Self::passing(error, "wait until that study has ended, then try again");
            }
            FolderError::Busy { .. } => {
                "choose another folder with --out, or wait until that study has ended"
            }
        };
        Self::new(error, hint)
    }
}

impl From<MergeError> for Failure {
    fn from(error: MergeError) -> Self {
        let hint = match error {
            MergeError::File(error) => return error.into(),
            MergeError::Folder(error) => return error.into(),
            MergeError::DamagedPlan { .. } => WRITE_PLAN_ANEW,
            MergeError::NoPlan { .. } => {
                "name folders that `mnist-study run` or `mnist-study compare` made, first the one that all results go to"
            }
            MergeError::OtherStudy { .. } => {
                "merge folders of one study, the others into a folder of their own"
            }
        };
        Self::new(error, hint)
    }
}

impl From<SearchMergeError> for Failure {
    fn from(error: SearchMergeError) -> Self {
        let hint = match error {
            SearchMergeError::File(error) => return error.into(),
            SearchMergeError::NoSearch { .. } => {
                "name folders that `mnist-study tune` made with one set of options, first the one that all trials go to"
            }
            SearchMergeError::OtherSearch { .. } => {
                "merge folders of one search, the others into a folder of their own"
            }
            SearchMergeError::Conflict { .. } => {
                "one of them was not made by this search: remove the wrong one, or both, and `mnist-study tune` makes the trial again"
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
            TuneError::Foreign { .. } => {
                Self::new(error, "choose another folder with --out, or pass --fresh to replace what is there")
            }
            TuneError::OtherSearch { .. } => Self::new(
                error,
                "choose another folder with --out, or pass --fresh to begin anew in this one",
            ),
            TuneError::InUse { .. } => Self::new(
                error,
                "wait until it has ended, choose another folder with --out, or leave out --fresh to share the trials with it",
            ),
            TuneError::Interrupted { .. } => Self::interrupted(error, Hint::Again),
            TuneError::OthersMissing { .. } => {
                Self::passing(error, "run this command again when the other shards have made theirs")
            }
        }
    }
}

impl From<CollectError> for Failure {
    fn from(error: CollectError) -> Self {
        match error {
            CollectError::File(error) => error.into(),
            CollectError::NoRecord { ref folder, .. } if folder.file_name() == Some(RECORDS.as_ref()) => {
                let above =
                    folder.parent().filter(|above| !above.as_os_str().is_empty()).unwrap_or(Path::new("."));
                let hint = format!("name the folder that it is in: {}", shell_path(above.display()));
                Self::new(error, hint)
            }
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
            VerifyError::Revision { .. } => "verify it with that version of the program".into(),
            VerifyError::Kernels { .. } => "verify it where these instructions are".into(),
            VerifyError::Data { .. } => Hint::Dataset,
        };
        Self::new(error, hint)
    }
}

impl From<data::Error> for Failure {
    fn from(error: data::Error) -> Self {
        let hint = hints::of_data(&error);
        Self::new(error, hint)
    }
}

impl From<AugmentationError> for Failure {
    fn from(error: AugmentationError) -> Self {
        let field = error.field();
        let hint = match error {
            AugmentationError::OutOfRange { .. } => {
                format!("pass --{field} with a value in that range")
            }
            AugmentationError::NeedsColour { .. } => format!("leave out --{field}"),
        };
        Self::usage(error, hint)
    }
}
