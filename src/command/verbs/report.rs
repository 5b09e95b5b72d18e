//! `report`: every file of a results folder anew, from its records.

use super::results;
use crate::command::{
    failure::Failure,
    options::{
        OutputArguments,
        values::{FormatName, MeasureName, Show},
    },
};
use clap::{Args, ValueHint};
use data::{Corpus, Source};
use records::{
    question::Measure,
    results::{CollectError, Collection, collect, read_parts},
};
use std::path::{Path, PathBuf};

/// `report`.
#[derive(Debug, Args)]
#[command(args_override_self = true)]
pub(crate) struct ReportArguments {
    /// A folder that `compare` made
    #[arg(value_name = "DIR", default_value = "Results", value_hint = ValueHint::DirPath)]
    pub(crate) folder: PathBuf,
    /// What decides which of two models is better, in the place of the study's measure; the report says so
    #[arg(long, value_enum, value_name = "MEASURE")]
    pub(crate) decide_by: Option<MeasureName>,
    /// Also write tables and figures for a paper, to DIR/paper: one format or several
    #[arg(long, value_enum, value_name = "FORMAT", value_delimiter = ',')]
    pub(crate) format: Vec<FormatName>,
    /// Whether to show the plots: auto shows them when at a terminal
    #[arg(long, value_enum, value_name = "WHEN", default_value_t = Show::Auto)]
    pub(crate) show: Show,
    #[command(flatten)]
    pub(crate) output: OutputArguments,
}

impl ReportArguments {
    /// What a folder holds, to be judged by the measure that was asked for.
    fn collect(&self, folder: &Path) -> Result<Collection, CollectError> {
        let mut collection = collect(folder)?;
        if let Some(measure) = self.decide_by.map(Measure::from) {
            let note = collection.question.decide_anew(measure);
            collection.notes.extend(note);
        }
        Ok(collection)
    }
}

/// Reads, judges, writes; trains nothing. A study over several data sets is reported for each of them, and across.
pub(crate) fn run(arguments: &ReportArguments) -> Result<(), Failure> {
    let (folder, output) = (&arguments.folder, arguments.output);
    let formats: Vec<report::Format> = arguments.format.iter().copied().map(Into::into).collect();
    let parts = read_parts(folder)?;
    if parts.is_empty() {
        let collection = arguments.collect(folder)?;
        let corpus = corpus(&collection);
        let written = results::write_with(folder, collection, corpus.as_ref(), output, &formats)?;
        return results::tell(&written, output, arguments.show);
    }
    // What standard output does not take keeps no file from being written.
    let mut told = Ok(());
    for part in &parts {
        let folder = folder.join(&part.folder);
        let Some(collection) = results::of_part(arguments.collect(&folder), &part.dataset)? else { continue };
        let corpus = corpus(&collection);
        let written = results::write_with(&folder, collection, corpus.as_ref(), output, &formats)?;
        if !output.json {
            told = told.and(results::tell(&written, output, arguments.show));
        }
    }
    results::publish_across(folder, &parts, arguments.decide_by.map(Into::into), output).and(told)
}

/// The data that the records name, where it can still be read: only the error atlas needs it.
pub(super) fn corpus(collection: &Collection) -> Option<Corpus> {
    let trained = collection.records.first().map(|record| &record.specification.dataset.name);
    let name = trained.or_else(|| collection.imported.first()?.test_set.name.as_ref())?;
    Source::parse(name).ok().and_then(|source| data::load(&source).ok())
}
