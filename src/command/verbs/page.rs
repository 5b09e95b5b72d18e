//! `page`: a study in a browser.

use super::{instruction_set, kept_models::Keeping, results};
use crate::command::{
    failure::Failure,
    interrupt,
    options::{OutputArguments, threads, values::KeepModels},
    output,
};
use clap::{Args, ValueEnum, ValueHint};
use data::Corpus;
use page::File;
use records::{record::RunSpec, results::collect, store::FileError};
use server::{Access, Folders, Studio, Token, listen, serve};
use std::{
    io::{self, IsTerminal},
    net::{IpAddr, Ipv4Addr, SocketAddr},
    path::{Path, PathBuf},
    sync::Arc,
    thread,
    time::Duration,
};
use study::{execute, run::FinishedRun, study_file::StudyFile};

/// Where a page is looked for first.
const PORT: u16 = 8420;

/// `page`.
#[derive(Debug, Args)]
#[command(args_override_self = true)]
pub(crate) struct PageArguments {
    /// Study file to begin with [default: the one that the results folder was left with, else cnn against lstm]
    #[arg(value_name = "STUDY.toml", value_hint = ValueHint::FilePath)]
    pub(crate) file: Option<PathBuf>,
    /// Data set that may be studied beside those that are here: a name, or a file or folder of images
    #[arg(long, value_name = "NAME|PATH", value_hint = ValueHint::AnyPath)]
    pub(crate) dataset: Option<String>,
    /// Results folder; a study with a title has a folder in it
    #[arg(long, value_name = "DIR", default_value = "Results", value_hint = ValueHint::DirPath)]
    pub(crate) out: PathBuf,
    /// Threads that compute [default: one for each processor]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..=1024))]
    pub(crate) threads: Option<u64>,
    /// Port to listen on; without it 8420, or any that is free
    #[arg(long, value_name = "N")]
    pub(crate) port: Option<u16>,
    /// Address to listen on; another one than this machine's own lets other machines in, without encryption
    #[arg(long, value_name = "IP", default_value_t = IpAddr::V4(Ipv4Addr::LOCALHOST))]
    pub(crate) address: IpAddr,
    /// Whether to open the page in a browser
    #[arg(long, value_enum, value_name = "WHEN", default_value = "auto")]
    pub(crate) show: Opening,
}

/// Whether a browser is opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Opening {
    /// When started from a terminal
    Auto,
    /// Not at all
    Never,
}

/// The study of a page that was told of none.
const FIRST: &str = "models = [\"cnn\", \"lstm\"]\nseeds = 3\n\n[recipe]\nepochs = 5\n";

/// Serves the page until it is interrupted.
pub(crate) fn run(arguments: &PageArguments) -> Result<(), Failure> {
    let first = match &arguments.file {
        None => FIRST.to_owned(),
        Some(file) => {
            StudyFile::read(file).map_err(study::run::RunError::from)?;
            std::fs::read_to_string(file).map_err(|error| {
                Failure::new(format!("{}: {error}", file.display()), "pass a study file as plain text")
            })?
        }
    };
    let threads = arguments.threads.map_or_else(|| threads::default().0, |threads| threads as usize);
    let set = instruction_set()?;
    let (listener, address) = match arguments.port {
        Some(port) => listen(SocketAddr::new(arguments.address, port)),
        None => listen(SocketAddr::new(arguments.address, PORT))
            .or_else(|_| listen(SocketAddr::new(arguments.address, 0))),
    }
    .map_err(|error| Failure::new(error, "leave --port out to take any that is free"))?;
    let (studio, note) = Studio::open(
        arguments.out.clone(),
        &first,
        arguments.file.is_some(),
        arguments.dataset.clone(),
        set,
        threads,
        Box::new(Results),
    )?;
    let token = Token::new().map_err(|error| Failure::new(format!("no random bytes: {error}"), ""))?;
    let access = Access::new(token, address);
    let _finishing = interrupt::finish_step();
    let (served, page) = (Arc::clone(&studio), access.address());
    let server = thread::Builder::new()
        .name("server".into())
        .spawn(move || serve(listener, access, &files(), served))
        .map_err(|error| {
            Failure::new(format!("no thread for the server: {error}"), "close other programs")
        })?;
    output::result(&format!("{page}\n"))?;
    if !address.ip().is_loopback() {
        output::note(&format!(
            "{}: other machines that know the address with its token are let in, without encryption",
            address.ip()
        ));
    }
    if let Some(note) = note {
        output::note(&note);
    }
    output::note("the page runs until Ctrl-C; what is finished is kept");
    if arguments.show == Opening::Auto
        && std::io::stdout().is_terminal()
        && open::that_detached(&page).is_err()
    {
        output::note("no browser was found: open the address yourself");
    }
    while interrupt::flow().is_continue() {
        if server.is_finished() {
            return server.join().map_or_else(
                |_| Err(Failure::new("the server ended", "start it again")),
                |ended| ended.map_err(|error| Failure::new(error, "start it again")),
            );
        }
        thread::sleep(Duration::from_millis(50));
    }
    studio.end();
    Err(Failure::interrupted("the page is closed", "what is finished is in the results folder"))
}

/// The page, with the lessons beside it.
fn files() -> Vec<File> {
    let lessons = LESSONS.iter().map(|(path, text)| File {
        path,
        media_type: if path.ends_with(".json") { "application/json" } else { "text/plain; charset=utf-8" },
        is_gzip: false,
        content: text.as_bytes(),
    });
    page::files().into_iter().chain(lessons).collect()
}

macro_rules! lessons {
    ($($file:literal),+ $(,)?) => {
        &[$((concat!("lessons/", $file), include_str!(concat!("../../../studies/lessons/", $file)))),+]
    };
}

/// What lies in `studies/lessons`.
const LESSONS: &[(&str, &str)] = lessons![
    "lessons.json",
    "01-one-seed-or-five.toml",
    "02-choosing-by-the-test-set.toml",
    "03-a-rate-too-high.toml",
    "04-too-few-images.toml",
    "05-labels-shuffled.toml",
    "06-not-centred.toml",
    "07-dropout-at-test.toml",
    "08-width-against-depth.toml",
    "09-where-an-lstm-wins.toml",
    "10-calibration.toml",
];

/// Results folders, as `compare` writes them.
struct Results;

impl Folders for Results {
    fn keep(
        &self,
        folder: &Path,
        runs: &[RunSpec],
        corpus: &Corpus,
        run: usize,
        finished: &FinishedRun,
    ) -> Result<(), FileError> {
        let keeping = Keeping::of(KeepModels::Last, runs, folder, corpus).map_err(|failure| FileError {
            path: folder.to_owned(),
            problem: io::Error::other(failure.message().to_owned()),
        })?;
        execute::Keeping::keep(&keeping, run, finished)
    }

    fn publish(&self, folder: &Path, corpus: &Corpus) -> Result<(), String> {
        let collection = match collect(folder) {
            Ok(collection) => collection,
            // No run has come to a result yet.
            Err(
                records::results::CollectError::NoRecord { .. }
                | records::results::CollectError::AllFailed { .. },
            ) => {
                return Ok(());
            }
            Err(error) => return Err(error.to_string()),
        };
        let output = OutputArguments { json: false, quiet: true };
        results::write_all(folder, collection, Some(corpus), output)
            .map(|_| ())
            .map_err(|failure| failure.message().to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_lesson_is_served() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("studies/lessons");
        let mut there: Vec<String> = std::fs::read_dir(folder)
            .expect("lessons")
            .map(|entry| format!("lessons/{}", entry.expect("a file").file_name().display()))
            .collect();
        let mut served: Vec<&str> = LESSONS.iter().map(|(path, _)| *path).collect();
        there.sort();
        served.sort_unstable();
        assert_eq!(served, there);
    }
}
