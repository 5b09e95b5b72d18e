//! `status`: how far a results folder has come.

use crate::command::{failure::Failure, options::OutputArguments, output, reproduce::shell_path};
use clap::{Args, ValueHint};
use records::{
    results::read_parts,
    search_folder::Search,
    search_status::{ModelTrials, RunningTrial, SearchStatus, search_status},
    status::{RunStatus, State, Status, progress, status},
    store::FileError,
};
use report::thousands;
use serde_json::json;
use std::{
    io,
    path::{Path, PathBuf},
};
use study::shard::Shard;

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
        Some(search) => tell_search(&arguments.folder, &search, arguments.output),
    }
}

/// After a shard has made its trials, and others have not: what to type next.
pub(super) fn after_shard(folder: &Path, shard: Shard, output: OutputArguments) -> Result<(), Failure> {
    if output.json {
        return print_search(folder, output);
    }
    output::result(&format!(
        "the trials of shard {shard} are done; once all shards are, this command without --shard reports\n"
    ))
}

/// What is known of a search, as JSON where that is asked for.
pub(super) fn print_search(folder: &Path, output: OutputArguments) -> Result<(), Failure> {
    match Search::read(folder)? {
        Some(search) => print_status(&search, &search_status(folder, &search)?, output),
        None => Ok(()),
    }
}

fn print_status(search: &Search, status: &SearchStatus, output: OutputArguments) -> Result<(), Failure> {
    match (output.json, output.quiet) {
        (true, _) => output::json(&format!("{:#}\n", json!({ "search": search.identity, "status": status }))),
        (false, true) => Ok(()),
        (false, false) => output::result(&search_text(status)),
    }
}

fn tell_search(folder: &Path, search: &Search, output: OutputArguments) -> Result<(), Failure> {
    let status = search_status(folder, search)?;
    print_status(search, &status, output)?;
    let is_whole = |model: &ModelTrials| model.baseline && model.missing.is_empty();
    if status.running.is_empty() && status.damaged.is_empty() && status.models.iter().all(is_whole) {
        return Ok(());
    }
    let hint = match status.running.is_empty() {
        true => {
            "run the `mnist-study tune` command of this folder again: it makes what is missing, then reports"
        }
        false => {
            "wait for those that are being made; the `mnist-study tune` command of this folder makes what is missing then"
        }
    };
    Err(Failure::unfinished(format!("{}: the search is not complete", folder.display()), hint))
}

fn search_text(status: &SearchStatus) -> String {
    /// More missing ones say no more.
    const LISTED: usize = 10;
    let names: Vec<&str> = status.models.iter().map(|model| model.model.as_str()).collect();
    let mut text = format!("a search for settings of {}\n", names.join(", "));
    for ModelTrials { model, baseline, trials, missing } in &status.models {
        let noun = if *trials == 1 { "trial" } else { "trials" };
        let baseline = if *baseline { "baseline" } else { "no baseline" };
        text.push_str(&format!("{model}: {baseline}, {} {noun}", thousands(*trials as u64)));
        if !missing.is_empty() {
            let listed: Vec<String> =
                missing.iter().take(LISTED).map(|number| format!("{}", number + 1)).collect();
            let more = if missing.len() > LISTED { ", …" } else { "" };
            text.push_str(&format!("; missing before the last: {}{more}", listed.join(", ")));
        }
        text.push('\n');
    }
    for RunningTrial { trial, place, process } in &status.running {
        let running = State::Running { place: place.clone(), process: *process };
        text.push_str(&format!("{trial}: {}\n", in_words(&running)));
    }
    for damaged in &status.damaged {
        text.push_str(&format!("damaged: {damaged}\n"));
    }
    text.push_str(
        "The total is set by --trials: run the same `mnist-study tune` command to continue and report.\n",
    );
    text
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
        Err(error) if error.problem.kind() == io::ErrorKind::InvalidData => Err(Failure::new(
            error,
            "run the whole study once in that folder: it writes the plan anew and keeps the records",
        )),
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

fn in_words(state: &State) -> String {
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
pub(super) const MAKE_AGAIN: &str = "`mnist-study run STUDY.toml --only ID --fresh` makes the run again: the new result takes the place of all of them";

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
