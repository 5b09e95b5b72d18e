//! `run`: a study file.

use super::{
    comparison::{self, Comparison},
    models::{check_grids, with_options},
};
use crate::{args::RunArguments, failure::Failure, output};
use study::{run::RunError, study_file::StudyFile};

/// Reads the file, and goes on as `compare` does.
pub(crate) fn run(arguments: &RunArguments) -> Result<(), Failure> {
    let mut file = StudyFile::read(&arguments.file).map_err(RunError::from)?;
    check_grids(&file, &arguments.file.display().to_string(), &arguments.recipe)?;
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
    let comparison = Comparison {
        title: file.title,
        models: file.models,
        datasets: arguments.dataset.as_ref().map_or(file.datasets, |dataset| vec![dataset.clone()]),
        protocol: arguments.protocol.map_or(file.protocol, Into::into),
        audit_selection: file.audit_selection,
        first_seed: arguments.seed.unwrap_or(file.first_seed),
        runs: arguments.seeds.unwrap_or(file.runs),
        target: file.target,
    };
    comparison::make(comparison, &arguments.carrying_out, arguments.output)
}
