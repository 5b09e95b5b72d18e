//! `run`: a study file.

use super::{
    comparison::{self, Comparison},
    named::{check_grids, check_precisions, with_options},
};
use crate::command::{
    failure::Failure,
    options::{
        DivisionArguments, OutputArguments, ReadingArguments, RecipeArguments, RunOptions,
        values::{MeasureName, ProtocolName},
    },
    output,
};
use clap::{Args, ValueHint};
use records::question::Question;
use std::path::PathBuf;
use study::{
    plan::CrossValidation,
    run::RunError,
    study_file::{MAXIMUM_RUNS, StudyFile},
};

/// `run`.
#[derive(Debug, Args)]
#[command(args_override_self = true)]
pub(crate) struct RunArguments {
    /// The study file; those in studies/ are there to be copied, docs/reference/study-files.md says what may stand in one
    #[arg(value_name = "STUDY.toml", value_hint = ValueHint::FilePath)]
    pub(crate) file: PathBuf,
    /// Runs of each model [default: as the file says]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..=MAXIMUM_RUNS))]
    pub(crate) seeds: Option<u64>,
    #[command(flatten)]
    pub(crate) division: DivisionArguments,
    /// Seed of the first run; the next runs count up from it [default: as the file says]
    #[arg(long, value_name = "N")]
    pub(crate) seed: Option<u64>,
    /// Data set in the place of the file's: a name, or a file or folder of images
    #[arg(long, value_name = "NAME|PATH", value_hint = ValueHint::AnyPath)]
    pub(crate) dataset: Option<String>,
    #[command(flatten)]
    pub(crate) reading: ReadingArguments,
    /// Protocol in the place of the file's
    #[arg(long, value_enum, value_name = "NAME")]
    pub(crate) protocol: Option<ProtocolName>,
    /// What decides which of two models is better, in the place of the file's measure; accuracy is reported all the same
    #[arg(long, value_enum, value_name = "MEASURE")]
    pub(crate) decide_by: Option<MeasureName>,
    #[command(flatten)]
    pub(crate) recipe: RecipeArguments,
    #[command(flatten)]
    pub(crate) options: RunOptions,
    #[command(flatten)]
    pub(crate) output: OutputArguments,
}

/// Reads the file, and goes on as `compare` does.
pub(crate) fn run(arguments: &RunArguments) -> Result<(), Failure> {
    comparison::make(comparison(arguments)?, &arguments.options, arguments.output)
}

/// What the file and the options ask for.
pub(super) fn comparison(arguments: &RunArguments) -> Result<Comparison, Failure> {
    let mut file = StudyFile::read(&arguments.file).map_err(RunError::from)?;
    let name = arguments.file.display().to_string();
    check_grids(&file, &name, &arguments.recipe)?;
    check_precisions(&file.models, &name, &arguments.recipe)?;
    for model in &mut file.models {
        model.recipe = with_options(&model.recipe, &arguments.recipe)?;
    }
    if !file.search.is_empty() && !arguments.output.quiet {
        output::note("[search] is for `mnist-study tune`: `run` trains the models as they stand");
    }
    if let Some(dataset) = arguments.dataset.as_ref().filter(|_| file.datasets.len() > 1) {
        output::note(&format!(
            "--dataset {dataset} takes the place of the file's {} data sets",
            file.datasets.len()
        ));
    }
    // Seeds that are asked for here take the place of the file's folds.
    let cross_validation = match arguments.seeds {
        Some(_) => None,
        None => arguments.division.cross_validation().or(file.cross_validation),
    };
    Ok(Comparison {
        question: Question {
            title: file.title,
            target: file.target,
            decide_by: arguments.decide_by.map_or(file.decide_by, Into::into),
            equivalence_margin_points: file.equivalence_margin_points,
        },
        with: Vec::new(),
        files: vec![arguments.file.clone()],
        models: file.models,
        datasets: match &arguments.dataset {
            Some(dataset) => vec![arguments.reading.of(dataset)],
            None => file.datasets,
        },
        protocol: arguments.protocol.map_or(file.protocol, Into::into),
        audit_selection: file.audit_selection,
        resample: arguments.division.resample.map_or(file.resample, Into::into),
        cross_validation,
        first_seed: arguments.seed.unwrap_or(file.first_seed),
        runs: cross_validation.map_or(arguments.seeds.unwrap_or(file.runs), CrossValidation::runs),
    })
}
