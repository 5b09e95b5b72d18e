//! `report`: every file of a results folder anew, from its records.

use super::results;
use crate::{args::ReportArguments, failure::Failure};
use data::{Corpus, Source};
use study::results::collect;

/// Reads, judges, writes; trains nothing.
pub(crate) fn run(arguments: &ReportArguments) -> Result<(), Failure> {
    let corpus = corpus(&arguments.folder)?;
    results::publish(&arguments.folder, corpus.as_ref(), arguments.output, arguments.show)
}

/// The data that the folder's records name, where it can still be read: only the error atlas needs it.
fn corpus(folder: &std::path::Path) -> Result<Option<Corpus>, Failure> {
    let records = collect(folder)?.records;
    let name = records.first().map_or("", |record| record.specification.dataset.name.as_str());
    Ok(Source::parse(name).ok().and_then(|source| data::load(&source).ok()))
}
