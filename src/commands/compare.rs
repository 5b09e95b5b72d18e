//! `compare`: the study.

use super::{laboratory, results};
use crate::{
    args::{CompareArguments, Show},
    failure::Failure,
    interrupt,
    progress::Progress,
};
use std::ops::ControlFlow;
use study::{
    execute::{StudyEvent, execute},
    plan::{StudySpec, identify, plan},
    results::write_plan,
    store::Store,
};

/// What is compared when no models are named.
const DEFAULT_MODELS: [&str; 2] = ["cnn", "lstm"];

/// Plans, makes the missing runs, judges, reports.
pub(crate) fn run(arguments: &CompareArguments) -> Result<(), Failure> {
    let models = chosen_models(&arguments.models)?;
    let store = Store::of(&arguments.out);
    let training = &arguments.training;
    let laboratory = laboratory(&training.dataset, training.threads, &models, arguments.output.quiet)?;
    store.prepare()?;
    let recipe = training.recipe().check().map_err(study::run::RunError::from)?;
    let study = StudySpec {
        models,
        protocol: training.protocol.into(),
        recipe,
        audit_selection: arguments.audit_selection,
        first_seed: training.seed,
        runs: arguments.seeds,
    };
    let runs = plan(&study, &identify(laboratory.corpus()));
    write_plan(&arguments.out, &runs)?;
    let mut progress = Progress::new(&runs, arguments.output.quiet);
    let mut made = 0;
    let mut listener = |event: StudyEvent| {
        progress.event(&event);
        made += usize::from(matches!(event, StudyEvent::Finished { .. }));
        if interrupt::requested() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    };
    let executed = execute(&laboratory, &runs, &store, arguments.fresh, &mut listener);
    progress.finish();
    if made > 0 {
        let show = if executed.is_ok() { arguments.show } else { Show::Never };
        results::publish(&arguments.out, Some(laboratory.corpus()), arguments.output, show)?;
    }
    Ok(executed?)
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
