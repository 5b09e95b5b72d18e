//! `report`: every file of a results folder anew, from its records.

use super::results;
use crate::{args::ReportArguments, failure::Failure};
use data::{Corpus, Source};
use std::path::Path;
use study::results::{collect, read_parts};

/// Reads, judges, writes; trains nothing. A study over several data sets is reported for each of them, and across.
pub(crate) fn run(arguments: &ReportArguments) -> Result<(), Failure> {
    let (folder, output) = (&arguments.folder, arguments.output);
    let parts = read_parts(folder)?;
    if parts.is_empty() {
        return results::publish(folder, corpus(folder)?.as_ref(), output, arguments.show);
    }
    // What standard output does not take keeps no file from being written.
    let mut told = Ok(());
    for part in &parts {
        let folder = folder.join(&part.folder);
        let corpus = corpus(&folder)?;
        let written = results::write_all(&folder, corpus.as_ref(), output)?;
        if !output.json {
            told = told.and(results::tell(&written, output, arguments.show));
        }
    }
    results::publish_across(folder, &parts, output).and(told)
}

/// The data that the folder's records name, where it can still be read: only the error atlas needs it.
fn corpus(folder: &Path) -> Result<Option<Corpus>, Failure> {
    let records = collect(folder)?.records;
    let name = records.first().map_or("", |record| record.specification.dataset.name.as_str());
    Ok(Source::parse(name).ok().and_then(|source| data::load(&source).ok()))
}
