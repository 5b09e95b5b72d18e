//! Which files of answers a folder holds, and whose they are.

use crate::{
    About, KINDS,
    error::Error,
    names::{Said, said},
};
use std::{
    fs,
    path::{Path, PathBuf},
};

/// The answers of one run, by their file.
#[derive(Debug, Clone, PartialEq)]
pub struct Source {
    /// The model.
    pub model: String,
    /// The run's name within the model.
    pub run: String,
    /// The file.
    pub path: PathBuf,
    /// What is stated of the run beside its answers.
    pub about: About,
}

/// What a folder holds.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Found {
    /// The runs, by model and run, numbers in their order.
    pub sources: Vec<Source>,
    /// What was passed over.
    pub notes: Vec<String>,
}

/// No folder holds more runs.
const MOST_RUNS: usize = 100_000;

/// What a file's name is without the ending of its kind, one of [`KINDS`]; none for a file of another kind.
pub fn stem(name: &str) -> Option<&str> {
    let lower = name.to_lowercase();
    let kind = KINDS.iter().filter(|kind| lower.ends_with(**kind)).max_by_key(|kind| kind.len())?;
    Some(&name[..name.len() - kind.len()]).filter(|stem| !stem.is_empty())
}

/// The file that states what is known of a run beside its answers: of `MODEL/RUN` or a file `MODEL/RUN.npz` it is `MODEL/RUN.run.json`, of
/// a run's folder the `run.json` in it; none for another folder.
pub fn about_file(run: &Path) -> Option<PathBuf> {
    let name = run.file_name()?.to_string_lossy().into_owned();
    if run.is_dir() {
        return (said(&name) != Said::Nothing).then(|| run.join("run.json"));
    }
    if is_about(&name) {
        return Some(run.to_owned());
    }
    Some(run.with_file_name(format!("{}.run.json", stem(&name).unwrap_or(&name))))
}

impl Source {
    /// Of a file of its own: with what `NAME.run.json` or a `run.json` beside it states.
    ///
    /// # Errors
    /// When that cannot be read.
    pub fn of(model: &str, run: &str, path: &Path) -> Result<Self, Error> {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let beside = stem(&name).map(|stem| path.with_file_name(format!("{stem}.run.json")));
        let about = match beside.filter(|beside| beside.is_file()) {
            Some(beside) => About::read(&beside)?,
            None => About::default(),
        };
        Ok(Self { model: model.to_owned(), run: run.to_owned(), path: path.to_owned(), about })
    }
}

/// The runs in `folder`: `MODEL/RUN.csv` (or another kind) with `MODEL/RUN.run.json`, or `MODEL/RUN/` with one file of answers and
/// `run.json`; a file directly in the folder is a model's only run.
///
/// # Errors
/// When the folder cannot be read or holds no file of answers.
pub fn find(folder: &Path) -> Result<Found, Error> {
    let mut found = Found::default();
    let mut others = Vec::new();
    let in_folder = entries(folder)?;
    let is_run = |entry: &Entry| match entry {
        Entry::File(_, name) => is_about(name) || stem(name).is_none_or(|stem| said(stem) != Said::Nothing),
        Entry::Folder(_, name) => said(name) != Said::Nothing,
    };
    // Runs alone: the folder is that of a model.
    if !in_folder.is_empty() && in_folder.iter().all(is_run) {
        let model = folder
            .canonicalize()
            .ok()
            .and_then(|path| Some(path.file_name()?.to_string_lossy().into_owned()));
        return find_runs(folder, model.as_deref().unwrap_or("model"));
    }
    for entry in in_folder {
        match entry {
            Entry::File(path, name) => match stem(&name).filter(|_| !is_about(&name)) {
                Some(model) => found.sources.push(Source::of(model, model, &path)?),
                None if is_about(&name) => {}
                None => others.push(name),
            },
            Entry::Folder(path, model) => runs_of(&path, &model, &mut found.sources, &mut others)?,
        }
    }
    checked(found, folder, &others)
}

/// The runs of one model in a folder of its own, as [`find`] finds them in `MODEL/`.
///
/// # Errors
/// As there.
pub fn find_runs(folder: &Path, model: &str) -> Result<Found, Error> {
    let mut found = Found::default();
    let mut others = Vec::new();
    runs_of(folder, model, &mut found.sources, &mut others)?;
    checked(found, folder, &others)
}

fn checked(mut found: Found, folder: &Path, others: &[String]) -> Result<Found, Error> {
    if found.sources.is_empty() || found.sources.len() > MOST_RUNS {
        let shown = folder.display().to_string();
        let files = found.sources.len();
        let what = format!("1 to {MOST_RUNS} files of answers, MODEL/RUN.csv (or {})", KINDS[4..].join(", "));
        let found = if files == 0 { "none".to_owned() } else { files.to_string() };
        return Err(Error::new(&shown, what, found, "save the answers of each run as such a file"));
    }
    if !others.is_empty() {
        found.notes.push(format!("{}: files passed over: {}", folder.display(), crate::listed(others)));
    }
    Ok(found)
}

fn is_about(name: &str) -> bool {
    name == "run.json" || name.ends_with(".run.json")
}

fn runs_of(
    folder: &Path,
    model: &str,
    sources: &mut Vec<Source>,
    others: &mut Vec<String>,
) -> Result<(), Error> {
    for entry in entries(folder)? {
        match entry {
            Entry::File(path, name) => match stem(&name).filter(|_| !is_about(&name)) {
                Some(run) => sources.push(Source::of(model, run, &path)?),
                None if is_about(&name) => {}
                None => others.push(format!("{model}/{name}")),
            },
            Entry::Folder(path, run) => {
                let files = entries(&path)?.into_iter().filter_map(|entry| match entry {
                    Entry::File(path, name) if stem(&name).is_some() && !is_about(&name) => Some(path),
                    _ => None,
                });
                let files: Vec<PathBuf> = files.collect();
                let [answers] = &files[..] else {
                    if files.is_empty() {
                        others.push(format!("{model}/{run}"));
                        continue;
                    }
                    let shown = path.display().to_string();
                    return Err(Error::new(
                        &shown,
                        "one file of answers in the folder of a run",
                        files.len().to_string(),
                        "keep one, or give each run a file of its own",
                    ));
                };
                let mut source = Source::of(model, &run, answers)?;
                let about = path.join("run.json");
                if about.is_file() {
                    source.about = About::read(&about)?;
                }
                sources.push(source);
            }
        }
    }
    Ok(())
}

pub(crate) enum Entry {
    File(PathBuf, String),
    Folder(PathBuf, String),
}

/// What is in a folder but for hidden files, numbers in the order of their size.
pub(crate) fn entries(folder: &Path) -> Result<Vec<Entry>, Error> {
    let shown = folder.display().to_string();
    let unreadable = |problem: std::io::Error| {
        Error::new(&shown, "a folder that can be read", problem.to_string(), "check its path and its rights")
    };
    let mut names: Vec<String> = Vec::new();
    for entry in fs::read_dir(folder).map_err(unreadable)? {
        let name = entry.map_err(unreadable)?.file_name();
        match name.into_string() {
            Ok(name) if name.starts_with('.') => {}
            Ok(name) => names.push(name),
            Err(name) => {
                let found = name.to_string_lossy().escape_debug().to_string();
                return Err(Error::new(&shown, "names in UTF-8", found, "rename the file"));
            }
        }
    }
    names.sort_by(|one, other| natural(one).cmp(&natural(other)).then(one.cmp(other)));
    let of = |name: String| {
        let path = folder.join(&name);
        if path.is_dir() { Entry::Folder(path, name) } else { Entry::File(path, name) }
    };
    Ok(names.into_iter().map(of).collect())
}

/// A name in pieces, so that `seed-10` comes after `seed-9`.
fn natural(name: &str) -> Vec<(u64, String)> {
    let mut pieces = Vec::new();
    let mut rest = name;
    while !rest.is_empty() {
        let text = rest.find(|character: char| character.is_ascii_digit()).unwrap_or(rest.len());
        let (before, after) = rest.split_at(text);
        let digits = after.bytes().take_while(u8::is_ascii_digit).count();
        let (number, after) = after.split_at(digits);
        pieces.push((0, before.to_lowercase()));
        pieces.push((number.parse().unwrap_or(u64::MAX), String::new()));
        rest = after;
    }
    pieces
}
