//! `status`: how far a results folder has come.

use super::search_status;
use crate::command::{
    failure::{Failure, WRITE_PLAN_ANEW},
    options::OutputArguments,
    output,
    reproduce::shell_path,
};
use clap::{Args, ValueHint};
use records::{
    results::read_parts,
    search_folder::Search,
    status::{RunStatus, State, Status, progress, status},
    store::FileError,
};
use report::thousands;
use serde_json::json;
use std::{
    io,
    path::{Path, PathBuf},
};

/// `status`.
#[derive(Debug, Args)]
pub(crate) struct StatusArguments {
    /// The results folder, or the folder of a search
    #[arg(value_name = "DIR", default_value = "Results", value_hint = ValueHint::DirPath)]
    folder: PathBuf,
    #[command(flatten)]
    output: OutputArguments,
}

/// A folder of one data set, and how far it has come.
struct Part {
    dataset: Option<String>,
    status: Status,
}

/// Says what is done, running, missing and failed.
pub(crate) fn run(arguments: &StatusArguments) -> Result<(), Failure> {
    match Search::of_folder(&arguments.folder)? {
        None => tell(&arguments.folder, arguments.output),
        Some(search) => search_status::tell(&arguments.folder, &search, arguments.output),
    }
}

/// After a process made some of a study's runs: how many of all are done, and what to type next. What it was to do it did, whatever the others do.
pub(super) fn after_some(folder: &Path, output: OutputArguments) -> Result<(), Failure> {
    if output.json {
        return output::json(&format!("{:#}\n", to_json(&read(folder)?)));
    }
    let (mut done, mut all) = (0, 0);
    let folders = match read_parts(folder)? {
        parts if parts.is_empty() => vec![folder.to_owned()],
        parts => parts.iter().map(|part| folder.join(&part.folder)).collect(),
    };
    for part in folders {
        let (of_part, planned) = progress(&part)?;
        (done, all) = (done + of_part, all + planned);
    }
    let (verb, what) = match done == all {
        true => ("report", "makes the report"),
        false => ("status", "says which are not"),
    };
    output::result(&format!(
        "{} of {} runs of the study are done; mnist-study {verb} {} {what}\n",
        thousands(done as u64),
        thousands(all as u64),
        shell_path(folder.display())
    ))
}

fn tell(folder: &Path, output: OutputArguments) -> Result<(), Failure> {
    let parts = read(folder)?;
    if output.json {
        output::json(&format!("{:#}\n", to_json(&parts)))?;
    } else if !output.quiet {
        output::result(&text(&parts))?;
    }
    complete(folder, &parts)
}

fn read(folder: &Path) -> Result<Vec<Part>, Failure> {
    let of = |folder: &Path, dataset: Option<String>| match status(folder) {
        Ok(status) => Ok(Part { dataset: dataset.clone(), status }),
        // Of several data sets the others come later.
        Err(FileError { path, problem })
            if problem.kind() == io::ErrorKind::NotFound && dataset.is_some() =>
        {
            Err(Failure::unfinished(
                format!("{}: nothing there yet", path.display()),
                "if no task is queued or running, start the study again",
            ))
        }
        Err(FileError { path, problem }) if problem.kind() == io::ErrorKind::NotFound => Err(Failure::new(
            format!("{}: a results folder with a plan expected, nothing found", path.display()),
            "name a folder that `mnist-study run` or `mnist-study compare` made, such as Results",
        )),
        Err(error) if error.problem.kind() == io::ErrorKind::InvalidData => {
            Err(Failure::new(error, WRITE_PLAN_ANEW))
        }
        Err(error) => Err(error.into()),
    };
    match read_parts(folder)? {
        parts if parts.is_empty() => Ok(vec![of(folder, None)?]),
        parts => parts.into_iter().map(|part| of(&folder.join(&part.folder), Some(part.dataset))).collect(),
    }
}

/// Whether a run is in a state.
type IsState = fn(&State) -> bool;

/// What each state is called, in the order in which they are told.
const STATES: [(&str, IsState); 6] = [
    ("done", |state| *state == State::Done),
    ("running", |state| matches!(state, State::Running { .. })),
    ("missing", |state| *state == State::Missing),
    ("damaged", |state| matches!(state, State::Damaged { .. })),
    ("failed", |state| matches!(state, State::Failed { .. })),
    ("in conflict", |state| *state == State::Conflict),
];

fn count(parts: &[Part], of: impl Fn(&State) -> bool) -> usize {
    parts.iter().map(|part| part.status.count(&of)).sum()
}

fn text(parts: &[Part]) -> String {
    /// More would push what matters off the screen.
    const LISTED: usize = 40;
    let all = count(parts, |_| true);
    let mut text = String::new();
    if let Some(first) = parts.first() {
        let noun = if all == 1 { "run" } else { "runs" };
        text.push_str(&format!("{}: {} {noun}\n", first.status.study, thousands(all as u64)));
    }
    for (name, of) in STATES {
        let count = count(parts, of);
        if count > 0 {
            text.push_str(&format!("{:>9}  {name}\n", thousands(count as u64)));
        }
    }
    let open = parts.iter().flat_map(|part| {
        let runs = part.status.runs.iter().filter(|run| run.state != State::Done);
        runs.map(move |run| (part.dataset.as_deref(), run))
    });
    let open: Vec<(Option<&str>, &RunStatus)> = open.collect();
    if !open.is_empty() {
        text.push('\n');
    }
    for (dataset, run) in open.iter().take(LISTED) {
        let dataset = dataset.map_or_else(String::new, |name| format!("{name}, "));
        text.push_str(&format!(
            "{}  {dataset}{}, {}: {}\n",
            run.id,
            run.model,
            called(run),
            in_words(&run.state)
        ));
    }
    if open.len() > LISTED {
        text.push_str(&format!("and {} more; --json lists all\n", thousands((open.len() - LISTED) as u64)));
    }
    text
}

fn called(run: &RunStatus) -> String {
    match (run.seed, &run.run) {
        (Some(seed), _) => format!("seed {seed}"),
        (None, Some(name)) => format!("run {name}"),
        (None, None) => "a run".to_owned(),
    }
}

pub(super) fn in_words(state: &State) -> String {
    match state {
        State::Done => "done".to_owned(),
        State::Failed { problem } => format!("failed: {problem}"),
        State::Running { place, process } => {
            let task = place.task.as_ref().map_or_else(String::new, |task| format!(", {task}"));
            format!("running on {} (process {process}{task})", place.host)
        }
        State::Missing => "missing".to_owned(),
        State::Conflict => "in conflict: several records of different bits".to_owned(),
        State::Damaged { problem } => format!("damaged: {problem}"),
    }
}

fn to_json(parts: &[Part]) -> serde_json::Value {
    let runs = parts.iter().flat_map(|part| {
        part.status.runs.iter().map(move |run| {
            let mut value = serde_json::to_value(run).expect("plain values");
            if let (Some(dataset), Some(object)) = (&part.dataset, value.as_object_mut()) {
                object.insert("dataset".to_owned(), dataset.as_str().into());
            }
            value
        })
    });
    let mut value = json!({ "study": parts.first().map(|part| &part.status.study) });
    for (name, of) in STATES {
        value[name.replace("in conflict", "conflict")] = count(parts, of).into();
    }
    value["runs"] = runs.collect();
    value
}

/// What to do about results of one run that differ.
pub(super) const MAKE_AGAIN: &str = "`mnist-study run STUDY.toml --out DIR --only ID --fresh` makes the run again: the new result takes the place of all of them";

/// A failure unless every run is done: one that passes where runs are still to be made.
fn complete(folder: &Path, parts: &[Part]) -> Result<(), Failure> {
    let (all, done) = (count(parts, |_| true), count(parts, |state| *state == State::Done));
    if done == all {
        return Ok(());
    }
    let message = format!(
        "{}: {} of {} runs are done",
        folder.display(),
        thousands(done as u64),
        thousands(all as u64)
    );
    let to_make =
        count(parts, |state| matches!(state, State::Missing | State::Running { .. } | State::Damaged { .. }));
    if to_make > 0 {
        let running = count(parts, |state| matches!(state, State::Running { .. }));
        let being_made = match running {
            0 => String::new(),
            1 => ", 1 is being made".to_owned(),
            several => format!(", {} are being made", thousands(several as u64)),
        };
        return Err(Failure::unfinished(
            format!("{message}{being_made}"),
            "if no task is queued or running, start the study again: it makes the runs that are missing",
        ));
    }
    Err(match count(parts, |state| *state == State::Conflict) {
        0 => Failure::new(
            message,
            "the remaining runs diverged and would diverge again: change their recipe, or read the report without them",
        ),
        _ => Failure::new(message, MAKE_AGAIN),
    })
}
