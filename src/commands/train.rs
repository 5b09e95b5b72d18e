//! `train`: one model, its weights kept.

use super::{
    laboratory,
    models::{self, in_study_file},
};
use crate::{args::TrainArguments, failure::Failure, interrupt, output, progress::Progress, targets};
use analysis::{
    figures::{fixed, percent},
    verdict::sanity,
};
use mnist_study::description_of;
use records::store::{check_writable, write_atomically};
use serde_json::json;
use std::{path::Path, slice};
use study::execute::StudyEvent;

/// Trains and saves.
pub(crate) fn run(arguments: &TrainArguments) -> Result<(), Failure> {
    let training = &arguments.training;
    let dataset = training.orientation.of(&training.dataset);
    let mut inputs = vec![("--dataset", Path::new(&dataset))];
    inputs.extend(in_study_file(&arguments.model).map(|(file, _)| ("the model", Path::new(file))));
    targets::check(&inputs, &[("--save", &arguments.save)])?;
    let model = models::find_one(&arguments.model, &training.recipe)?;
    let laboratory =
        laboratory(&dataset, arguments.threads, slice::from_ref(&model), arguments.output.quiet)?;
    // A path that cannot be written to is told before the work, not after it.
    check_writable(&arguments.save)?;
    let specification = laboratory.specification(&model, training.protocol.into(), training.seed);
    let mut progress = Progress::new(slice::from_ref(&specification), arguments.output.quiet);
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
    // What was found of the data and of the layers was told before.
    let told = |warning: &String| {
        record.data_warnings.contains(warning)
            || model.architecture.doubt().is_some_and(|doubt| warning.contains(&doubt))
    };
    let found = sanity(slice::from_ref(record), &[]);
    for warning in record.warnings.iter().chain(found.iter().filter(|warning| !told(warning))) {
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
