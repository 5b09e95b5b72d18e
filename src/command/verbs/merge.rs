//! `merge`: results folders into one.

use super::{report::corpus, results, search_status, status::MAKE_AGAIN};
use crate::command::{
    failure::Failure,
    options::{OutputArguments, values::Show},
    output,
    reproduce::shell_path,
};
use clap::{Args, ValueHint};
use records::{
    merge::{Merged, merge},
    results::{collect, read_parts},
    search_folder::Search,
    search_merge::{MergedSearch, merge_searches},
};
use report::thousands;
use std::path::{Path, PathBuf};

/// `merge`.
#[derive(Debug, Args)]
pub(crate) struct MergeArguments {
    /// The folder that all results go to; it may hold results of the study, or trials of the search, already
    #[arg(value_name = "OUT", value_hint = ValueHint::DirPath)]
    out: PathBuf,
    /// Results folders of the same study, or folders of one search; they stay as they are
    #[arg(value_name = "IN", required = true, value_hint = ValueHint::DirPath)]
    inputs: Vec<PathBuf>,
    /// Whether to show the plots: auto shows them when at a terminal
    #[arg(long, value_enum, value_name = "WHEN", default_value_t = Show::Auto)]
    show: Show,
    #[command(flatten)]
    output: OutputArguments,
}

/// Unites the folders, and reports on what is there then.
pub(crate) fn run(arguments: &MergeArguments) -> Result<(), Failure> {
    let MergeArguments { out, inputs, show, output } = arguments;
    if Search::of_folder(&inputs[0])?.is_some() {
        return of_search(out, inputs, *output);
    }
    let merged = merge(out, inputs)?;
    if !output.quiet {
        output::note(&format!(
            "{} {} in {}",
            thousands(merged.records as u64),
            if merged.records == 1 { "record" } else { "records" },
            out.display()
        ));
        if merged.repeated > 0 {
            output::note(&format!(
                "{} duplicate records with identical bits were dropped: of each run the one with the fewest warnings is kept",
                thousands(merged.repeated as u64)
            ));
        }
    }
    // What is wrong is no progress.
    for told in
        merged.engines.iter().chain(&merged.conflicts).chain(&merged.damaged).chain(&merged.other_weights)
    {
        output::note(told);
    }
    let parts = read_parts(out)?;
    let mut told = Ok(());
    for folder in &merged.folders {
        let dataset = parts.iter().find(|part| out.join(&part.folder) == *folder).map(|part| &part.dataset);
        let collection = match dataset {
            None => collect(folder)?,
            Some(dataset) => match results::of_part(collect(folder), dataset)? {
                Some(collection) => collection,
                None => continue,
            },
        };
        let corpus = corpus(&collection);
        let written = results::write_all(folder, collection, corpus.as_ref(), *output)?;
        if parts.is_empty() || !output.json {
            told = told.and(results::tell(&written, *output, *show));
        }
    }
    if !parts.is_empty() {
        told = results::publish_across(out, &parts, None, *output).and(told);
    }
    told.and(flaws(&merged, inputs))
}

/// Unites the trials of a search. Its report needs what its command says: so does whoever types it.
fn of_search(out: &Path, inputs: &[PathBuf], output: OutputArguments) -> Result<(), Failure> {
    let MergedSearch { trials, repeated, damaged } = merge_searches(out, inputs)?;
    if !output.quiet && repeated > 0 {
        output::note(&format!(
            "{} duplicate records with identical results were dropped",
            thousands(repeated as u64)
        ));
    }
    damaged.iter().for_each(|told| output::note(told));
    match output.json {
        true => search_status::print(out, output)?,
        false => output::result(&format!(
            "{} of the search in {}; the `mnist-study tune` command that made them, with --out {}, continues and reports\n",
            if trials == 1 { "1 trial".to_owned() } else { format!("{} trials", thousands(trials as u64)) },
            out.display(),
            shell_path(out.display())
        ))?,
    }
    match damaged.into_iter().next() {
        None => Ok(()),
        Some(first) => {
            Err(Failure::new(first, "the rest is merged; `mnist-study tune` makes damaged trials again"))
        }
    }
}

/// A failure where something was not right with what was merged, though all that can be used was.
fn flaws(merged: &Merged, inputs: &[PathBuf]) -> Result<(), Failure> {
    let first = |all: &[String]| match all {
        [] => None,
        [one] => Some(one.clone()),
        [one, others @ ..] => Some(format!("{one}; and {} more", others.len())),
    };
    if let Some(conflict) = first(&merged.conflicts) {
        return Err(Failure::new(conflict, MAKE_AGAIN));
    }
    if let Some(damaged) = first(&merged.damaged) {
        let folders = if inputs.len() == 1 { "the folder" } else { "the folders" };
        return Err(Failure::new(
            damaged,
            format!(
                "the rest is merged; run the study again in {folders} of the damaged files, and merge again"
            ),
        ));
    }
    Ok(())
}
