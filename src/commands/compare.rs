//! `compare`: the study, and whatever else the command line names.

use super::{
    comparison::{self, Comparison},
    models,
};
use crate::{args::CompareArguments, failure::Failure};

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
        title: None,
        models: models::find_all(&names, &training.recipe)?,
        datasets: vec![training.orientation.of(&training.dataset)],
        protocol: training.protocol.into(),
        audit_selection: arguments.audit_selection,
        first_seed: training.seed,
        runs: arguments.seeds,
        target: arguments.target.target(),
    };
    comparison::make(comparison, &arguments.carrying_out, arguments.output)
}
