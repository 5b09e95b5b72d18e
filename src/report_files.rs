//! What a results folder holds beside its records: made from them, whoever asks for it.

use crate::printable::{printable, printable_json};
use analysis::{Analysis, Run, verdict::Judgement};
use data::{Corpus, Dataset};
use records::{
    imported::ImportedRun,
    record::RunRecord,
    results::Collection,
    store::{FileError, write_atomically},
};
use report::{Format, PaperFile, Study, TestImages};
use std::{
    borrow::Cow,
    fs,
    path::{Path, PathBuf},
};

/// PNG files, and where each was written to.
pub(crate) type Pictures = Vec<(PathBuf, Vec<u8>)>;

/// Files of a report that could not be written; the others were.
#[derive(Debug, thiserror::Error)]
#[error("{first}{}", nor(others))]
pub struct ReportError {
    /// The first of them.
    pub first: FileError,
    /// The others.
    pub others: Vec<PathBuf>,
}

fn nor(others: &[PathBuf]) -> String {
    if others.is_empty() {
        return String::new();
    }
    let others: Vec<String> = others.iter().map(|path| path.display().to_string()).collect();
    format!("; nor could {} be written", others.join(", "))
}

/// All images of the data, as a cross-validation deals them out; none where the records are of no cross-validation.
pub(crate) fn pool<'a>(collection: &Collection, corpus: Option<&'a Corpus>) -> Option<Cow<'a, Dataset>> {
    let has_folds = collection.records.iter().any(|record| record.specification.fold.is_some());
    corpus.filter(|_| has_folds).map(Corpus::dealt)
}

/// What every form of the report is made of. `corpus` is the data that the records are about, where it is at hand, and `pool` what [`pool`]
/// makes of it; the runs are judged unless they were before.
pub(crate) fn study<'a>(
    collection: &'a Collection,
    corpus: Option<&'a Corpus>,
    pool: Option<&'a Dataset>,
    judgement: Option<Judgement>,
) -> Study<'a> {
    let Collection { records, imported, failed, left_out, question, notes, losses: _ } = collection;
    let runs = Run::all(records).into_iter().chain(Run::all(imported));
    let mut notes = notes.clone();
    Study {
        analysis: match judgement {
            None => Analysis::of(runs, failed, question, notes),
            Some(Judgement { comparisons, notes: of_pairs }) => {
                notes.extend(of_pairs);
                Analysis::judged(runs, failed, question, notes, comparisons)
            }
        }
        .without(left_out),
        question: question.clone(),
        images: corpus.and_then(|corpus| images(corpus, pool, records, imported)),
        class_names: class_names(corpus, records, imported),
        reproduction: None,
    }
}

/// What the classes are called: as the records say, or else, in records of earlier states, as the data does.
fn class_names<'a>(
    corpus: Option<&'a data::Corpus>,
    records: &'a [RunRecord],
    imported: &'a [ImportedRun],
) -> &'a [String] {
    let Some(first) = records.first() else {
        return imported.first().map_or(&[], |run| &run.class_names);
    };
    match corpus.filter(|corpus| corpus.sha256() == first.specification.dataset.sha256) {
        Some(corpus) if first.class_names.is_empty() => corpus.class_names(),
        _ => &first.class_names,
    }
}

/// The test images, if they are those of every record; of a cross-validation the `pool` that it deals out.
fn images<'a>(
    corpus: &'a data::Corpus,
    pool: Option<&'a data::Dataset>,
    records: &[RunRecord],
    imported: &[ImportedRun],
) -> Option<TestImages<'a>> {
    let same = records.iter().all(|record| {
        let run = &record.specification;
        run.dataset.sha256 == corpus.sha256() && run.fold.is_some() == pool.is_some()
    });
    let same = same && imported.iter().all(|run| run.test_set.sha256 == corpus.sha256());
    let test = pool.unwrap_or(corpus.test());
    same.then(|| TestImages { pixels: test.images(), shape: test.shape(), is_ink: test.is_ink() })
}

/// The files that are not pictures, in the order in which they are written.
const TEXTS: [&str; 4] = ["summary.json", "report.md", "epochs.csv", "report.html"];

/// Writes the files, those that take least space and say most first, and returns the plots that a terminal shows. Files for a paper are
/// written in these formats, or without any in those in which they are there.
///
/// # Errors
/// With every file that could not be written; the others are.
pub(crate) fn write(folder: &Path, study: &Study, formats: &[Format]) -> Result<Pictures, ReportError> {
    // Differences, accuracy and loss.
    const SHOWN: [&str; 3] = [report::PICTURE_FILES[0], report::PICTURE_FILES[1], report::PICTURE_FILES[2]];
    // A text may end up in a terminal, too.
    let text = |text: String| printable(&text).into_owned();
    let texts = [
        printable_json(&report::summary_json(study)).into_owned(),
        text(report::markdown(study)),
        text(report::epochs_csv(study)),
        text(report::page(study)),
    ];
    let mut lost: Vec<FileError> = Vec::new();
    let mut write = |name: &str, bytes: &[u8]| {
        let path = folder.join(name);
        lost.extend(write_atomically(&path, bytes).err());
        path
    };
    for (name, text) in TEXTS.into_iter().zip(texts) {
        write(name, text.as_bytes());
    }
    let mut pictures = Vec::new();
    for picture in report::pictures(study) {
        let png = picture.scene.to_png();
        pictures.push((write(picture.file, &png), png));
    }
    // One that an earlier study left here would pass for this one's.
    for name in report::PICTURE_FILES {
        let path = folder.join(name);
        if !pictures.iter().any(|(written, _)| *written == path) {
            let _ = fs::remove_file(path);
        }
    }
    let paper = folder.join(report::PAPER);
    let there: Vec<String> = Format::ALL
        .into_iter()
        .flat_map(Format::files)
        .filter(|name| paper.join(name).symlink_metadata().is_ok())
        .collect();
    // What was asked for before is made anew, so that a paper has the figures of its report.
    let formats = match formats {
        [] => there.iter().filter_map(|name| report::format_of(name)).collect(),
        _ => formats.to_vec(),
    };
    if !formats.is_empty() {
        let files = report::paper(study, &formats);
        for PaperFile { name, bytes } in &files {
            let text = std::str::from_utf8(bytes).ok().map(printable);
            let bytes = text.as_deref().map_or(bytes.as_slice(), str::as_bytes);
            write(&format!("{}/{name}", report::PAPER), bytes);
        }
        for name in there.iter().filter(|name| !files.iter().any(|file| file.name == **name)) {
            let _ = fs::remove_file(paper.join(name));
        }
    }
    pictures.retain(|(path, _)| SHOWN.iter().any(|name| path.ends_with(name)));
    let mut lost = lost.into_iter();
    match lost.next() {
        None => Ok(pictures),
        Some(first) => Err(ReportError { first, others: lost.map(|file| file.path).collect() }),
    }
}

#[cfg(test)]
mod tests {
    /// A folder of somebody else's is known by such a file: one that is not listed would be replaced.
    #[test]
    fn every_file_is_a_known_output() {
        for name in report::PICTURE_FILES.into_iter().chain(super::TEXTS).chain([report::PAPER]) {
            assert!(records::folder::OUTPUTS.contains(&name), "{name}");
        }
    }
}
