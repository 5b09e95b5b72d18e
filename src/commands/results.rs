//! What a results folder holds beside its records, made from them.

use crate::{
    failure::Failure,
    options::{OutputArguments, values::Show},
    output,
    reproduce::reproduction,
    show,
};
use analysis::{Analysis, Run, across::across};
use records::{
    imported::ImportedRun,
    question::{Measure, Part},
    record::RunRecord,
    results::{Collection, collect, describe_failure},
    store::{FileError, write_atomically},
};
use report::{Format, PaperFile, Study, TestImages};
use std::{
    fs,
    path::{Path, PathBuf},
};

/// PNG files, and where each was written to.
type Pictures = Vec<(PathBuf, Vec<u8>)>;

/// Judges the records that a folder holds, writes every file but the records, prints the result and shows the plots.
///
/// `corpus` is the data that the records are about, where it is at hand.
pub(crate) fn publish(
    folder: &Path,
    collection: Collection,
    corpus: Option<&data::Corpus>,
    output: OutputArguments,
    show: Show,
) -> Result<(), Failure> {
    let written = write_all(folder, collection, corpus, output)?;
    tell(&written, output, show)
}

/// Prints what [`write_all`] returned, and shows the plots.
pub(crate) fn tell(
    (text, pictures): &(String, Pictures),
    output: OutputArguments,
    show: Show,
) -> Result<(), Failure> {
    if output.json {
        return output::json(text);
    }
    let told = output::result(text);
    if show == Show::Auto {
        show::pictures(pictures);
    }
    told
}

/// As [`publish`], but for what is to be printed: that and the study's two plots are returned.
pub(crate) fn write_all(
    folder: &Path,
    collection: Collection,
    corpus: Option<&data::Corpus>,
    output: OutputArguments,
) -> Result<(String, Pictures), Failure> {
    write_with(folder, collection, corpus, output, &[])
}

/// The same, and files for a paper in these formats.
pub(crate) fn write_with(
    folder: &Path,
    collection: Collection,
    corpus: Option<&data::Corpus>,
    output: OutputArguments,
    formats: &[Format],
) -> Result<(String, Pictures), Failure> {
    let Collection { records, imported, failed, question, notes, losses } = collection;
    let pool = corpus.filter(|_| records.iter().any(|record| record.specification.fold.is_some()));
    let pool = pool.map(data::Corpus::dealt);
    let runs = Run::all(&records).into_iter().chain(Run::all(&imported));
    let study = Study {
        reproduction: (!records.is_empty()).then(|| reproduction(&records, &imported, &failed, &question)),
        analysis: Analysis::of(runs, &failed, &question, notes),
        question,
        images: corpus.and_then(|corpus| images(corpus, pool.as_deref(), &records, &imported)),
        class_names: class_names(corpus, &records, &imported),
    };
    let pictures = write(folder, &study, formats)?;
    match output.quiet {
        // What was lost is no progress.
        true => losses.iter().for_each(|loss| output::note(loss)),
        false => remark(&study),
    }
    let text = if output.json {
        report::summary_json(&study)
    } else {
        let paper = match formats {
            [] => String::new(),
            _ => format!("For a paper: {}\n", folder.join(report::PAPER).display()),
        };
        format!("{}\nReport: {}\n{paper}", report::terminal(&study), folder.join("report.html").display())
    };
    Ok((text, pictures))
}

/// Ranks the models over the results folders of several data sets, by their studies' measure unless another is named; writes `across.md` and `across.json` beside them.
pub(crate) fn publish_across(
    folder: &Path,
    parts: &[Part],
    decide_by: Option<Measure>,
    output: OutputArguments,
) -> Result<(), Failure> {
    let (mut studies, mut question) = (Vec::new(), None);
    for Part { dataset, folder: part } in parts {
        let collection = collect(&folder.join(part))?;
        question = question.or(Some(collection.question));
        for failed in &collection.failed {
            output::note(&format!("{dataset}: {}", describe_failure(failed)));
        }
        // The reports of the data sets say more; what is lost there is missing here too.
        collection.losses.iter().for_each(|loss| output::note(&format!("{dataset}: {loss}")));
        studies.push((dataset.clone(), collection.records));
    }
    let mut question = question.unwrap_or_default();
    if let Some(measure) = decide_by {
        // The reports of the data sets say what was changed.
        question.decide_anew(measure);
    }
    let across = across(&studies, &question)
        .map_err(|error| Failure::new(error, "a run has diverged: the report of its data set names it"))?;
    let mut json = serde_json::to_string_pretty(&across).expect("plain values");
    json.push('\n');
    write_atomically(&folder.join("across.json"), json.as_bytes())?;
    let page = report::across_markdown(question.title.as_deref(), &across);
    write_atomically(&folder.join("across.md"), page.as_bytes())?;
    if output.json {
        return output::json(&json);
    }
    output::result(&format!(
        "\n{}\nReport: {}\n",
        report::across_terminal(&across),
        folder.join("across.md").display()
    ))
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

/// What the figures must not be read without: runs left out, timings taken under load. What there is to say of the data was told
/// when it was loaded.
fn remark(study: &Study) {
    /// More would push the result off the screen.
    const TOLD: usize = 3;
    let runs = study.analysis.runs.iter();
    let warnings: Vec<String> = runs
        .flat_map(|run| run.warnings.iter().map(move |warning| (run, warning)))
        .map(|(run, warning)| format!("{}, {}: {warning}", run.model, run.in_words()))
        .collect();
    warnings.iter().take(TOLD).for_each(|warning| output::note(warning));
    if warnings.len() > TOLD {
        output::note(&format!("{} more warnings about runs are in report.md", warnings.len() - TOLD));
    }
    study.analysis.notes.of_study.iter().for_each(|note| output::note(note));
}

/// The files that are not pictures, in the order in which they are written.
const TEXTS: [&str; 4] = ["summary.json", "report.md", "epochs.csv", "report.html"];

/// Writes the files, those that take least space and say most first, and returns the two plots of the study.
///
/// # Errors
/// With every file that could not be written; the others are.
fn write(folder: &Path, study: &Study, formats: &[Format]) -> Result<Pictures, Failure> {
    // Differences, accuracy and loss.
    const SHOWN: [&str; 3] = [report::PICTURE_FILES[0], report::PICTURE_FILES[1], report::PICTURE_FILES[2]];
    // A text may end up in a terminal, too.
    let text = |text: String| output::printable(&text).into_owned();
    let texts = [
        output::printable_json(&report::summary_json(study)).into_owned(),
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
            let text = std::str::from_utf8(bytes).ok().map(output::printable);
            let bytes = text.as_deref().map_or(bytes.as_slice(), str::as_bytes);
            write(&format!("{}/{name}", report::PAPER), bytes);
        }
        for name in there.iter().filter(|name| !files.iter().any(|file| file.name == **name)) {
            let _ = fs::remove_file(paper.join(name));
        }
    }
    pictures.retain(|(path, _)| SHOWN.iter().any(|name| path.ends_with(name)));
    let mut lost = lost.into_iter();
    let Some(first) = lost.next() else { return Ok(pictures) };
    let others: Vec<String> = lost.map(|file| file.path.display().to_string()).collect();
    let mut failure = Failure::from(first);
    if !others.is_empty() {
        failure.message.push_str(&format!("; nor could {} be written", others.join(", ")));
    }
    Err(failure)
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
