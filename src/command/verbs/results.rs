//! What a results folder holds beside its records, made from them.

use super::kept_models;
use crate::{
    command::{
        failure::Failure,
        options::{OutputArguments, values::Show},
        output,
        reproduce::reproduction,
        show,
    },
    report_files::{self, Pictures},
};
use analysis::across::across;
use records::{
    left_out::LeftOut,
    question::{Measure, Part},
    results::{CollectError, Collection, collect, describe_failure},
    store::write_atomically,
};
use report::{Format, Study};
use std::path::Path;

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
    let pool = report_files::pool(&collection, corpus);
    let mut study = report_files::study(&collection, corpus, pool.as_deref(), None);
    let Collection { records, imported, failed, question, losses, .. } = &collection;
    study.reproduction = (!records.is_empty()).then(|| reproduction(records, imported, failed, question));
    let pictures = report_files::write(folder, &study, formats)?;
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
        format!(
            "{}\nReport: {}\n{}{paper}",
            report::terminal(&study),
            folder.join("report.html").display(),
            kept_models::line(folder)
        )
    };
    Ok((text, pictures))
}

/// What a folder of one of several data sets holds; none, which is told, where its runs have come to nothing yet.
pub(super) fn of_part(
    collected: Result<Collection, CollectError>,
    dataset: &str,
) -> Result<Option<Collection>, Failure> {
    match collected {
        Err(error @ (CollectError::NoRecord { .. } | CollectError::AllFailed { .. })) => {
            output::note(&format!("data set {dataset}: {error}"));
            Ok(None)
        }
        collected => Ok(Some(collected?)),
    }
}

/// Ranks the models over the results folders of several data sets, by their studies' measure unless another is named; writes `across.md` and `across.json` beside them.
pub(crate) fn publish_across(
    folder: &Path,
    parts: &[Part],
    decide_by: Option<Measure>,
    output: OutputArguments,
) -> Result<(), Failure> {
    let (mut studies, mut question, mut incomplete) = (Vec::new(), None, Vec::new());
    for Part { dataset, folder: part } in parts {
        let Some(collection) = of_part(collect(&folder.join(part)), dataset)? else {
            incomplete.push(format!("{dataset}: no run has come to a result."));
            continue;
        };
        question = question.or(Some(collection.question));
        for failed in &collection.failed {
            output::note(&format!("{dataset}: {}", describe_failure(failed)));
        }
        // The reports of the data sets say more; what is lost there is missing here too.
        collection.losses.iter().for_each(|loss| output::note(&format!("{dataset}: {loss}")));
        let LeftOut { missing, conflicts, .. } = &collection.left_out;
        let lost = [
            (missing.len(), "missing"),
            (conflicts.len(), "in conflict"),
            (collection.failed.len(), "diverged"),
        ];
        let planned = collection.records.len() + lost.iter().map(|(runs, _)| runs).sum::<usize>();
        let lost = lost.iter().filter(|(runs, _)| *runs > 0).map(|(runs, what)| format!("{runs} {what}"));
        let lost: Vec<String> = lost.collect();
        if !lost.is_empty() {
            incomplete.push(format!("{dataset}: of {planned} planned runs {}.", lost.join(", ")));
        }
        studies.push((dataset.clone(), collection.records));
    }
    let mut question = question.unwrap_or_default();
    if let Some(measure) = decide_by {
        // The reports of the data sets say what was changed.
        question.decide_anew(measure);
    }
    let mut across = across(&studies, &question)
        .map_err(|error| Failure::new(error, "a run has diverged: the report of its data set names it"))?;
    across.incomplete = incomplete;
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
