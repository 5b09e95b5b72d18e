//! `train`: one model, its weights kept.

use super::{
    named::{self, in_study_file},
    session, tell_division,
    weights::encoded,
};
use crate::command::{
    failure::Failure,
    interrupt,
    options::{OutputArguments, TrainingArguments, values::threads},
    output,
    progress::Progress,
    targets,
};
use analysis::{
    Run,
    figures::{fixed, percent},
    model::models,
    sanity::sanity,
    thresholds::Thresholds,
};
use clap::{Args, ValueHint};
use records::store::{check_writable, write_atomically};
use serde_json::json;
use std::{
    path::{Path, PathBuf},
    slice,
};
use study::telling::Telling;
use train::Precision;

/// `train`.
#[derive(Debug, Args)]
#[command(args_override_self = true)]
pub(crate) struct TrainArguments {
    /// The model: a built-in one, or a study file's, FILE.toml:NAME
    pub(crate) model: String,
    /// File that the weights are kept in
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) save: PathBuf,
    #[command(flatten)]
    pub(crate) training: TrainingArguments,
    /// Threads to compute with; the results do not depend on it [default: as OMP_NUM_THREADS or SLURM_CPUS_PER_TASK says,
    /// else one for each processor]
    #[arg(long, value_name = "N", value_parser = threads)]
    pub(crate) threads: Option<usize>,
    #[command(flatten)]
    pub(crate) output: OutputArguments,
}

/// Trains and saves.
pub(crate) fn run(arguments: &TrainArguments) -> Result<(), Failure> {
    let training = &arguments.training;
    let dataset = training.data.name();
    let mut inputs = vec![("--dataset", Path::new(&dataset))];
    inputs.extend(in_study_file(&arguments.model).map(|(file, _)| ("the model", Path::new(file))));
    targets::check(&inputs, &[("--save", &arguments.save)])?;
    let model = named::find_one(&arguments.model, &training.recipe)?;
    let session = session(&dataset, arguments.threads, slice::from_ref(&model), arguments.output.quiet)?;
    // A path that cannot be written to is told before the work, not after it.
    check_writable(&arguments.save)?;
    let specification = session.specification(&model, training.protocol.into(), training.seed);
    tell_division(&session, &specification)?;
    let mut progress = Progress::with_curves(slice::from_ref(&specification), arguments.output.quiet);
    let mut telling = Telling::of_run(0, 1, &specification);
    progress.event(telling.event());
    let _finishing = interrupt::finish_step();
    let mut listener = |event| {
        progress.event(telling.of_training(event));
        interrupt::flow()
    };
    let finished = session.run(&specification, &mut listener);
    progress.finish();
    let finished = finished?;
    let record = &finished.record;
    let bytes = encoded(record, &finished.model, session.corpus())
        .map_err(|error| Failure::new(error, "this is a fault of the program: please report it"))?;
    write_atomically(&arguments.save, &bytes)?;
    // What was found of the data and of the layers was told before.
    let told = |warning: &String| {
        record.data_warnings.contains(warning)
            || model.architecture.doubt().is_some_and(|doubt| warning.contains(&doubt))
    };
    let records = slice::from_ref(record);
    let runs = Run::all(records);
    let (models, _) = models(&runs, &[], &Thresholds::default());
    let found = sanity(&runs, &[], &models);
    for warning in record.warnings.iter().chain(found.iter().filter(|warning| !told(warning))) {
        output::note(warning);
    }
    if arguments.output.json {
        let result = json!({
            "file": arguments.save.display().to_string(),
            "model": specification.model,
            "parameters": record.parameters,
            "seed": specification.seed,
            "precision": specification.recipe.precision,
            "train_seconds": record.train_seconds,
            "total_seconds": record.total_seconds,
            "test_accuracy": record.test.accuracy,
            "test_loss": record.test.loss,
            "fingerprint": record.fingerprint,
        });
        return output::json(&format!("{result:#}\n"));
    }
    output::result(&format!(
        "{}: test accuracy {} %, test loss {}, trained in {:.1} s{}\nweights: {}\n",
        specification.model,
        percent(record.test.accuracy),
        fixed(record.test.loss, 4),
        record.train_seconds,
        match specification.recipe.precision {
            Precision::Float32 => "",
            Precision::Bf16 => ", in bf16",
        },
        arguments.save.display()
    ))
}
