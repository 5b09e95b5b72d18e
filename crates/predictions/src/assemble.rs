//! Answers of many runs, held against each other and against the labels.

use crate::{
    Source, answers::Answers, classes::Classes, error::Error, layout::Layout, names::run_names, read,
    table::Table,
};
use records::imported::ImportedRun;
use std::collections::BTreeMap;

/// Test images that are at hand, with their labels.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct KnownImages<'a> {
    /// The data set's name.
    pub name: &'a str,
    /// SHA-256 of the data set, as records have it.
    pub sha256: &'a str,
    /// The path of each test image's file within the folder; empty where images are no files.
    pub files: &'a [String],
    /// The class of each test image.
    pub labels: &'a [u8],
    /// What the classes are called; empty where that is their number.
    pub class_names: &'a [String],
    /// Number of classes.
    pub classes: usize,
}

/// Runs that can be compared.
#[derive(Debug, Clone, PartialEq)]
pub struct Assembled {
    /// By model and run, in the order of their sources.
    pub runs: Vec<ImportedRun>,
    /// What concerns all of them.
    pub notes: Vec<String>,
}

/// Reads the answers of every source and holds them against each other: labels from a file of labels, else from any file that has some,
/// else those of the known images.
///
/// # Errors
/// When a file cannot be read, or does not fit the others: the first row that is wrong.
pub fn assemble(
    sources: Vec<Source>,
    labels: Option<Table>,
    known: Option<KnownImages>,
) -> Result<Assembled, Error> {
    let mut tables = Vec::new();
    for source in &sources {
        tables.push(read(&source.path)?);
    }
    assemble_tables(sources, tables, labels, known)
}

/// As [`assemble`], of tables that are at hand, one a source.
///
/// # Errors
/// As there.
pub fn assemble_tables(
    sources: Vec<Source>,
    tables: Vec<Table>,
    labels: Option<Table>,
    known: Option<KnownImages>,
) -> Result<Assembled, Error> {
    let mut notes = Vec::new();
    let mut labels = labels;
    if let Some(table) = &mut labels {
        // A file of nothing but classes holds labels here.
        table.labels = table.labels.take().or_else(|| table.predictions.take());
        if table.labels.is_none() {
            return Err(Error::new(
                &table.file,
                "labels",
                "probabilities",
                "give a file of the true classes",
            ));
        }
    }
    let names = run_names(&sources, &mut notes);
    let classes = Classes::of(&tables, labels.as_ref(), known.as_ref())?;
    check_twice(&sources)?;
    let mut notes_of: Vec<Vec<String>> = vec![Vec::new(); tables.len()];
    let mut runs = Vec::new();
    for ((source, table), notes) in sources.iter().zip(tables).zip(&mut notes_of) {
        notes.extend(source.about.remarks.iter().chain(&table.remarks).cloned());
        runs.push(Answers::of(table, &classes, notes)?);
    }
    let layout = Layout::of(&sources, &names, &runs, labels, known.as_ref(), &classes, &mut notes)?;
    let mut imported = Vec::new();
    for (place, (((source, name), answers), notes)) in
        sources.into_iter().zip(names).zip(runs).zip(notes_of).enumerate()
    {
        imported.push(layout.run(place, source, name, answers, notes, &classes)?);
    }
    Ok(Assembled { runs: imported, notes })
}

/// Refuses two files of one run.
fn check_twice(sources: &[Source]) -> Result<(), Error> {
    let mut known = BTreeMap::new();
    for source in sources {
        if let Some(first) = known.insert((&source.model, &source.run), &source.path) {
            return Err(Error::new(
                &source.path.display().to_string(),
                format!("one file of run {} of {}", source.run.escape_debug(), source.model.escape_debug()),
                format!("{} too", first.display()),
                "name each file once, and each run by a name of its own",
            ));
        }
    }
    Ok(())
}
