//! `train`: one model, its weights kept.

use super::{laboratory, models};
use crate::{args::TrainArguments, failure::Failure, interrupt, output, progress::Progress};
use mnist_study::description_of;
use serde_json::json;
use study::{
    execute::StudyEvent,
    figures::{fixed, percent},
    store::{check_writable, write_atomically},
};

/// Trains and saves.
pub(crate) fn run(arguments: &TrainArguments) -> Result<(), Failure> {
    let training = &arguments.training;
    let model = models::find_one(&arguments.model, &training.recipe)?;
    let laboratory = laboratory(
        &training.orientation.of(&training.dataset),
        arguments.threads,
        std::slice::from_ref(&model),
        arguments.output.quiet,
    )?;
    // A path that cannot be written to is told before the work, not after it.
    check_writable(&arguments.save)?;
    let specification = laboratory.specification(&model, training.protocol.into(), training.seed);
    let mut progress = Progress::new(std::slice::from_ref(&specification), arguments.output.quiet);
    progress.event(&StudyEvent::Started { index: 0, total: 1, specification: &specification });
    let _finishing = interrupt::finish_step();
    let mut listener = |event| {
        progress.event(&StudyEvent::Training(event));
        interrupt::flow()
    };
    let finished = laboratory.run(&specification, &mut listener);
    progress.finish();
    let finished = finished?;
    let record = &finished.record;
    let description = description_of(record, laboratory.corpus().class_names().to_vec());
    let bytes = interchange::encode(&finished.model, &description)
        .map_err(|error| Failure::new(error, "this is a fault of the program: please report it"))?;
    write_atomically(&arguments.save, &bytes)?;
    for warning in &record.warnings {
        output::note(warning);
    }
    if arguments.output.json {
        let result = json!({
            "file": arguments.save.display().to_string(),
            "model": specification.model,
            "parameters": record.parameters,
            "seed": specification.seed,
            "train_seconds": record.train_seconds,
            "total_seconds": record.total_seconds,
            "test_accuracy": record.test.accuracy,
            "test_loss": record.test.loss,
            "fingerprint": record.fingerprint,
        });
        return output::json(&format!("{result:#}\n"));
    }
    output::result(&format!(
        "{}: test accuracy {} %, test loss {}, trained in {:.1} s\nweights: {}\n",
        specification.model,
        percent(record.test.accuracy),
        fixed(record.test.loss, 4),
        record.train_seconds,
        arguments.save.display()
    ))
}
