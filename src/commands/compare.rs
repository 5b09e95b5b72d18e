//! `compare`: the study.

use super::laboratory;
use crate::{
    args::{CompareArguments, Show},
    failure::Failure,
    interrupt, output,
    progress::Progress,
    show,
};
use report::Study;
use std::{ops::ControlFlow, path::PathBuf};
use study::{
    execute::{Execution, execute},
    plan::{StudySpec, identify, plan},
    store::{FileError, Store, write_atomically},
    verdict::judge,
};

/// What is compared when no models are named.
const DEFAULT_MODELS: [&str; 2] = ["cnn", "lstm"];

/// Plans, makes the missing runs, judges, reports.
pub(crate) fn run(arguments: &CompareArguments) -> Result<(), Failure> {
    let models = chosen_models(&arguments.models)?;
    let store = Store::of(&arguments.out);
    let training = &arguments.training;
    let laboratory = laboratory(&training.dataset, training.threads, &models)?;
    store.prepare()?;
    let recipe = training.recipe().check().map_err(study::run::RunError::from)?;
    let study = StudySpec {
        models,
        protocol: training.protocol.into(),
        recipe,
        first_seed: training.seed,
        runs: arguments.seeds,
    };
    let runs = plan(&study, &identify(laboratory.corpus()));
    let mut progress = Progress::new(&runs, arguments.output.quiet);
    let mut listener = |event: study::execute::StudyEvent| {
        progress.event(&event);
        if interrupt::requested() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    };
    let Execution { records, mut notes, ended } =
        execute(&laboratory, &runs, &store, arguments.fresh, &mut listener);
    progress.finish();
    if let Some(error) = &ended
        && !records.is_empty()
    {
        notes.push(format!("{} of {} runs were made: {error}", records.len(), runs.len()));
    }
    if !records.is_empty() {
        let judgement = judge(&records);
        notes.extend(judgement.notes);
        let study = Study { records: &records, comparisons: &judgement.comparisons, notes: &notes };
        let pictures = write_results(&arguments.out, &study)?;
        if !arguments.output.quiet {
            remark(&study);
        }
        if arguments.output.json {
            output::result(&report::summary_json(&study))?;
        } else {
            output::result(&format!("{}\nResults: {}\n", report::terminal(&study), arguments.out.display()))?;
            if arguments.show == Show::Auto && ended.is_none() {
                show::pictures(&pictures);
            }
        }
    }
    ended.map_or(Ok(()), |error| Err(error.into()))
}

/// The models named, each once, or the study's two.
fn chosen_models(named: &[String]) -> Result<Vec<String>, Failure> {
    if named.is_empty() {
        return Ok(DEFAULT_MODELS.map(str::to_owned).to_vec());
    }
    for (index, name) in named.iter().enumerate() {
        if named[..index].contains(name) {
            return Err(Failure::usage(
                format!("model {name}: named twice"),
                "name each model once; --seeds sets how often each is trained",
            ));
        }
    }
    Ok(named.to_vec())
}

/// What the figures must not be read without: runs left out, timings taken under load.
fn remark(study: &Study) {
    for record in study.records {
        for warning in &record.warnings {
            output::note(&format!(
                "{}, seed {}: {warning}",
                record.specification.model, record.specification.seed
            ));
        }
    }
    study.notes.iter().for_each(|note| output::note(note));
}

/// Writes every file of the results folder but the records, and returns the pictures.
fn write_results(folder: &std::path::Path, study: &Study) -> Result<Vec<(PathBuf, Vec<u8>)>, FileError> {
    let pictures = vec![
        (folder.join("Accuracy_Comparison.png"), report::accuracy_png(study)),
        (folder.join("Loss_Comparison.png"), report::loss_png(study)),
    ];
    for (path, png) in &pictures {
        write_atomically(path, png)?;
    }
    write_atomically(&folder.join("epochs.csv"), report::epochs_csv(study).as_bytes())?;
    write_atomically(&folder.join("report.md"), report::markdown(study).as_bytes())?;
    write_atomically(&folder.join("summary.json"), report::summary_json(study).as_bytes())?;
    Ok(pictures)
}
