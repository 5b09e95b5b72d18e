//! `compare`: the study, and whatever else the command line names.

use super::{
    comparison::{self, Comparison},
    named::{self, in_study_file},
};
use crate::command::{
    failure::Failure,
    options::{DivisionArguments, OutputArguments, QuestionArguments, RunOptions, TrainingArguments},
};
use clap::Args;
use records::record::Resample;
use study::{plan::CrossValidation, study_file::MAXIMUM_RUNS};

/// `compare`.
#[derive(Debug, Args)]
#[command(args_override_self = true)]
pub(crate) struct CompareArguments {
    /// Models to compare: built-in ones, which `mnist-study models` lists, or a study file's, FILE.toml or FILE.toml:NAME
    /// [default: cnn lstm]
    #[arg(value_name = "MODEL")]
    pub(crate) models: Vec<String>,
    /// Runs of each model
    #[arg(long, value_name = "N", default_value_t = 3, value_parser = clap::value_parser!(u64).range(1..=MAXIMUM_RUNS))]
    pub(crate) seeds: u64,
    /// Also read the test images after every epoch, to report the optimism of selecting the best epoch on
    /// test data (never used for selection); the records are marked
    #[arg(long)]
    pub(crate) audit_selection: bool,
    /// Also compare models that other programs trained, by their answers to the same test images: a folder of MODEL/RUN.csv (or .npz,
    /// .npy, .json, .safetensors) or MODEL=FILE,FILE,…, as `judge` reads them; may be given several times
    #[arg(long, value_name = "ANSWERS")]
    pub(crate) with: Vec<String>,
    #[command(flatten)]
    pub(crate) division: DivisionArguments,
    #[command(flatten)]
    pub(crate) question: QuestionArguments,
    #[command(flatten)]
    pub(crate) training: TrainingArguments,
    #[command(flatten)]
    pub(crate) options: RunOptions,
    #[command(flatten)]
    pub(crate) output: OutputArguments,
}

/// What is compared when no models are named.
const DEFAULT_MODELS: [&str; 2] = ["cnn", "lstm"];

/// Plans, makes the missing runs, judges, reports.
pub(crate) fn run(arguments: &CompareArguments) -> Result<(), Failure> {
    let training = &arguments.training;
    let names = if arguments.models.is_empty() {
        DEFAULT_MODELS.map(str::to_owned).to_vec()
    } else {
        arguments.models.clone()
    };
    let comparison = Comparison {
        models: named::find_all(&names, &training.recipe)?,
        datasets: vec![training.data.name()],
        protocol: training.protocol.into(),
        audit_selection: arguments.audit_selection,
        resample: arguments.division.resample.map_or(Resample::None, Into::into),
        cross_validation: arguments.division.cross_validation(),
        first_seed: training.seed,
        runs: arguments.division.cross_validation().map_or(arguments.seeds, CrossValidation::runs),
        question: arguments.question.question(),
        with: arguments.with.clone(),
        files: names.iter().filter_map(|name| in_study_file(name)).map(|(file, _)| file.into()).collect(),
    };
    comparison::make(comparison, &arguments.options, arguments.output)
}
