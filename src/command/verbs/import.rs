//! `import`: curves that another program logged, as the `run.json` that `judge` reads beside a run's answers.

use crate::command::{
    failure::{Failure, Hint},
    options::OutputArguments,
    output, targets,
};
use clap::{Args, ValueEnum, ValueHint};
use predictions::{
    About, about_file,
    curves::{Choice, Figure, Log, Logger, STATE_SERIES, STATE_STEPS},
};
use records::store::write_atomically;
use serde_json::json;
use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
};

/// `import`.
#[derive(Debug, Args)]
#[command(args_override_self = true, after_help = EXAMPLES)]
pub(crate) struct ImportArguments {
    /// The program that logged them
    #[arg(value_enum, value_name = "PROGRAM")]
    program: Program,
    /// Its files or folders
    #[arg(value_name = "FILE", required = true, value_hint = ValueHint::AnyPath)]
    files: Vec<PathBuf>,
    /// The run that they are of, predictions/MODEL/RUN: writes RUN.run.json beside its answers. Of several runs the folder
    /// predictions/MODEL, in which each gets a file of its name
    #[arg(long, value_name = "RUN", value_hint = ValueHint::AnyPath)]
    to: PathBuf,
    /// Only the run of this name, where there are several
    #[arg(long, value_name = "NAME")]
    run: Option<String>,
    /// What the training loss is logged as, where that is not to be guessed
    #[arg(long, value_name = "NAME")]
    train_loss: Option<String>,
    /// What the training accuracy is logged as
    #[arg(long, value_name = "NAME")]
    train_accuracy: Option<String>,
    /// What the validation loss is logged as
    #[arg(long, value_name = "NAME")]
    validation_loss: Option<String>,
    /// What the validation accuracy is logged as
    #[arg(long, value_name = "NAME")]
    validation_accuracy: Option<String>,
    /// What the seconds of an epoch are logged as
    #[arg(long, value_name = "NAME")]
    seconds: Option<String>,
    /// What the number of the epoch is logged as, in curves by step
    #[arg(long, value_name = "NAME")]
    epoch: Option<String>,
    /// How many steps an epoch has, in curves by step
    #[arg(long, value_name = "NUMBER", value_parser = clap::value_parser!(u64).range(1..=1 << 40))]
    steps_per_epoch: Option<u64>,
    /// Replace what is there
    #[arg(long)]
    fresh: bool,
    #[command(flatten)]
    output: OutputArguments,
}

/// The programs by name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Program {
    /// Keras's CSVLogger, and tables with a column epoch or step, as Lightning's CSVLogger writes them
    KerasCsvlog,
    /// Event files of TensorBoard, Keras, PyTorch or tensorboardX, or folders of some
    Tensorboard,
    /// Weights & Biases: CSV of a chart (x axis: Step), or of run.history()
    Wandb,
    /// MLflow: folders of mlruns, or CSV of a chart's data
    Mlflow,
}

impl From<Program> for Logger {
    fn from(program: Program) -> Self {
        match program {
            Program::KerasCsvlog => Self::KerasCsvLog,
            Program::Tensorboard => Self::TensorBoard,
            Program::Wandb => Self::Wandb,
            Program::Mlflow => Self::MlFlow,
        }
    }
}

const EXAMPLES: &str = "\
Loss and accuracy of training and validation are found by their usual names (loss, val_loss, train/acc, …); what was
guessed, averaged or left out is told, and noted in the report. A log by step needs the number of the epoch, evaluations,
or --steps-per-epoch.

Examples:
  mnist-study import keras-csvlog log.csv --to predictions/resnet/seed-0
  mnist-study import tensorboard runs --to predictions/resnet        a file for each run in the folder
  mnist-study import wandb loss.csv val_loss.csv --to predictions/resnet
  mnist-study import mlflow mlruns --run resnet-3 --to predictions/resnet/seed-3";

/// A file to write, and what it is to say.
struct Target<'a> {
    path: PathBuf,
    log: &'a Log,
    about: About,
}

/// Reads all, then writes.
pub(crate) fn run(arguments: &ImportArguments) -> Result<(), Failure> {
    let logger = Logger::from(arguments.program);
    let mut logs = logger.read(&arguments.files)?;
    if let Some(name) = &arguments.run {
        let names: Vec<String> = logs.iter().map(|log| format!("`{}`", log.run)).collect();
        logs.retain(|log| log.run == *name);
        if logs.is_empty() {
            return Err(Failure::usage(
                format!("--run {name}: one of the runs expected, {} found", names.join(", ")),
                "pass the name of one of them, or leave out --run to import all",
            ));
        }
    }
    let choice = choice(arguments);
    let paths = paths(&arguments.to, &logs)?;
    let mut written = Vec::new();
    for (log, path) in logs.iter().zip(paths) {
        written.push(Target { path, log, about: log.about(logger, &choice).map_err(refused)? });
    }
    let inputs: Vec<(&str, &Path)> = arguments.files.iter().map(|file| ("the log", file.as_path())).collect();
    let outputs: Vec<(&str, &Path)> = written.iter().map(|target| ("--to", target.path.as_path())).collect();
    targets::check(&inputs, &outputs)?;
    let there = |target: &&Target| target.path.exists();
    if let Some(target) = written.iter().find(there).filter(|_| !arguments.fresh) {
        let shown = target.path.display();
        return Err(Failure::new(
            format!("{shown}: no file expected, one that is there already found"),
            Hint::from("pass --fresh to replace it, or another run with --to"),
        ));
    }
    for target in &written {
        let is_replaced = target.path.exists();
        write_atomically(&target.path, target.about.to_json().as_bytes())?;
        if is_replaced && !arguments.output.quiet {
            output::note(&format!("{}: replaced", target.path.display()));
        }
    }
    tell(&written, arguments.output)
}

/// A refusal, with the options that answer it.
fn refused(error: predictions::Error) -> Failure {
    let hint = match error.advice.as_str() {
        STATE_SERIES => {
            "say which is which: --train-loss NAME, --train-accuracy NAME, --validation-loss NAME, --validation-accuracy NAME, --seconds NAME, --epoch NAME"
        }
        STATE_STEPS => "say how many steps an epoch has: --steps-per-epoch NUMBER",
        _ => return error.into(),
    };
    Failure::new(error, hint)
}

fn choice(arguments: &ImportArguments) -> Choice {
    let named = [
        (Figure::TrainLoss, &arguments.train_loss),
        (Figure::TrainAccuracy, &arguments.train_accuracy),
        (Figure::ValidationLoss, &arguments.validation_loss),
        (Figure::ValidationAccuracy, &arguments.validation_accuracy),
        (Figure::Seconds, &arguments.seconds),
    ];
    let series = named.into_iter().filter_map(|(figure, name)| Some((figure, name.clone()?))).collect();
    Choice { series, epoch: arguments.epoch.clone(), steps_per_epoch: arguments.steps_per_epoch }
}

/// A file for each run: that of the run `to`, or in the folder `to` files of their names.
fn paths(to: &Path, logs: &[Log]) -> Result<Vec<PathBuf>, Failure> {
    let is_folder = to.to_string_lossy().ends_with(['/', std::path::MAIN_SEPARATOR]);
    if let ([_], Some(path), false) = (logs, about_file(to), is_folder) {
        return Ok(vec![path]);
    }
    if to.exists() && !to.is_dir() {
        return Err(Failure::usage(
            format!("--to {}: a folder expected for {} runs, a file found", to.display(), logs.len()),
            "pass the folder of the model, or choose one run with --run NAME",
        ));
    }
    let mut taken = BTreeSet::new();
    let mut path = |log: &Log| {
        let name = file_name(&log.run);
        let mut free = name.clone();
        let mut count = 1;
        // Some file systems take small letters and capitals for the same.
        while !taken.insert(free.to_lowercase()) {
            count += 1;
            free = format!("{name}-{count}");
        }
        to.join(format!("{free}.run.json"))
    };
    Ok(logs.iter().map(&mut path).collect())
}

/// A run's name as a file may have it.
fn file_name(run: &str) -> String {
    const LONGEST: usize = 60;
    let plain = |character: char| character.is_alphanumeric() || "-_.".contains(character);
    let name: String = run.chars().take(LONGEST).map(|one| if plain(one) { one } else { '_' }).collect();
    match name.trim_start_matches('.') {
        "" => "run".to_owned(),
        name => name.to_owned(),
    }
}

/// What was written, and what is to be done with it.
fn tell(written: &[Target], output: OutputArguments) -> Result<(), Failure> {
    if output.json {
        let described = |Target { path, log, about }: &Target| {
            json!({
                "file": path.display().to_string(),
                "run": log.run,
                "seed": about.seed,
                "epochs": about.epochs.len(),
                "notes": about.remarks,
            })
        };
        let all: Vec<_> = written.iter().map(described).collect();
        return output::json(&format!("{:#}\n", json!(all)));
    }
    let mut text = String::new();
    for Target { path, log, about } in written {
        let epochs = about.epochs.len();
        text.push_str(&format!(
            "{}: {epochs} epoch{} of run {}\n",
            path.display(),
            if epochs == 1 { "" } else { "s" },
            output::one_line(&log.run)
        ));
        for note in &about.remarks {
            text.push_str(&format!("  {}\n", output::one_line(note)));
        }
    }
    output::prose(&text)?;
    if !output.quiet {
        output::note(
            "`mnist-study judge` reads such a file beside the answers of the run, which have the same name: RUN.npz, RUN.csv, …",
        );
    }
    Ok(())
}
