//! `run`: a study file.

use super::{
    comparison::{self, Comparison},
    models::with_options,
};
use crate::{args::RunArguments, failure::Failure};
use study::{run::RunError, study_file::StudyFile};

/// Reads the file, and goes on as `compare` does.
pub(crate) fn run(arguments: &RunArguments) -> Result<(), Failure> {
    let mut file = StudyFile::read(&arguments.file).map_err(RunError::from)?;
    for model in &mut file.models {
        model.recipe = with_options(&model.recipe, &arguments.recipe)?;
    }
    let comparison = Comparison {
        title: file.title,
        models: file.models,
        datasets: match &arguments.dataset {
            Some(dataset) => vec![arguments.orientation.of(dataset)],
            None => file.datasets,
        },
        protocol: arguments.protocol.map_or(file.protocol, Into::into),
        audit_selection: file.audit_selection,
        first_seed: arguments.seed.unwrap_or(file.first_seed),
        runs: arguments.seeds.unwrap_or(file.runs),
        target: file.target,
    };
    comparison::make(comparison, &arguments.carrying_out, arguments.output)
}
