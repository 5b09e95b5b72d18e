//! How far a search's folder has come, for `status`, `tune` and `merge`.

use super::status::in_words;
use crate::command::{failure::Failure, options::OutputArguments, output};
use records::{
    search_folder::Search,
    search_status::{ModelTrials, RunningTrial, SearchStatus, search_status},
    status::State,
};
use report::thousands;
use serde_json::json;
use std::path::Path;
use study::shard::Shard;

/// After a shard has made its trials, and others have not: what to type next.
pub(super) fn after_shard(folder: &Path, shard: Shard, output: OutputArguments) -> Result<(), Failure> {
    if output.json {
        return print(folder, output);
    }
    output::result(&format!(
        "the trials of shard {shard} are done; once all shards are, this command without --shard reports\n"
    ))
}

/// What is known of a search, as JSON where that is asked for.
pub(super) fn print(folder: &Path, output: OutputArguments) -> Result<(), Failure> {
    match Search::read(folder)? {
        Some(search) => print_known(&search, &search_status(folder, &search)?, output),
        None => Ok(()),
    }
}

fn print_known(search: &Search, status: &SearchStatus, output: OutputArguments) -> Result<(), Failure> {
    match (output.json, output.quiet) {
        (true, _) => output::json(&format!("{:#}\n", json!({ "search": search.identity, "status": status }))),
        (false, true) => Ok(()),
        (false, false) => output::result(&text(status)),
    }
}

pub(super) fn tell(folder: &Path, search: &Search, output: OutputArguments) -> Result<(), Failure> {
    let status = search_status(folder, search)?;
    print_known(search, &status, output)?;
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

fn text(status: &SearchStatus) -> String {
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
