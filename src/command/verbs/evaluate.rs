//! `evaluate`: a saved model on a test set.

use super::{instruction_set, kept_models, session_with, weights::Saved};
use crate::command::{
    failure::Failure,
    options::{
        ModelFileArguments, OutputArguments, ReadingArguments,
        values::{TestTimeAugmentationName, threads},
    },
    output,
    reproduce::shell_path,
};
use analysis::{figures::percent, sanity::no_better_than_chance};
use clap::{Args, ValueHint};
use interchange::Training;
use report::thousands;
use serde_json::json;
use study::bench::{self, InferenceSpeed};

/// `evaluate`.
#[derive(Debug, Args)]
#[command(args_override_self = true)]
pub(crate) struct EvaluateArguments {
    #[command(flatten)]
    pub(crate) model: ModelFileArguments,
    /// Data set: a name that `mnist-study datasets` lists, or a file or folder of images
    #[arg(long, value_name = "NAME|PATH", default_value = "mnist", value_hint = ValueHint::AnyPath)]
    pub(crate) dataset: String,
    #[command(flatten)]
    pub(crate) reading: ReadingArguments,
    /// Which versions of an image the model is asked about: as its recipe says, for the figure that its training gave
    #[arg(long, value_name = "VERSIONS", default_value = "none")]
    pub(crate) test_time_augmentation: TestTimeAugmentationName,
    /// Also measure how long one image takes, and how many a second go through a thousand at once
    #[arg(long)]
    pub(crate) latency: bool,
    /// Threads to compute with [default: one for each processor]
    #[arg(long, value_name = "N", value_parser = threads)]
    pub(crate) threads: Option<usize>,
    #[command(flatten)]
    pub(crate) output: OutputArguments,
}

/// Images in a batch; only memory and speed depend on it.
const BATCH: usize = 128;

/// Another instruction set's roundings change a loss by less than this part of it.
const TOLD_DIFFERENCE: f64 = 1e-4;

/// How long inference is measured at each batch size.
const LATENCY_SECONDS: f64 = 1.0;

/// Loads, measures, prints.
pub(crate) fn run(arguments: &EvaluateArguments) -> Result<(), Failure> {
    let dataset_option = match arguments.dataset.as_str() {
        "mnist" => String::new(),
        dataset => format!(" --dataset {}", shell_path(dataset)),
    };
    let file = kept_models::found(&arguments.model, "evaluate", &dataset_option)?;
    let path = file.file.display();
    let dataset = arguments.reading.of(&arguments.dataset);
    let mut saved = Saved::read(&file, &dataset, arguments.output.quiet)?;
    let session = session_with(instruction_set()?, &dataset, arguments.threads, &[], arguments.output.quiet)?;
    let test = session.corpus().test();
    let mut model = saved.model_for(&session, BATCH)?;
    saved.tell_data(session.corpus());
    let description = &saved.description;
    if let Some(difference) = differently_called(&description.classes, session.corpus().class_names()) {
        output::note(&format!("{path}: {difference}"));
    }
    let predictions = session.test(&mut model, arguments.test_time_augmentation.into());
    let (accuracy, loss) = (predictions.evaluation.accuracy(), predictions.evaluation.loss());
    if !loss.is_finite() {
        return Err(Failure::no_numbers(path, "the test images"));
    }
    let same_data =
        |training: &&Training| training.dataset_sha256.as_deref() == Some(session.corpus().sha256());
    if let Some(training) = description.training.as_ref().filter(same_data)
        && (training.test_loss - loss).abs() > TOLD_DIFFERENCE * loss
    {
        output::note(&format!(
            "{path}: after its training it classified {} % of these test images correctly, with loss {:.4}: another \
             --test-time-augmentation, preparation or epsilon was used then",
            percent(training.test_accuracy),
            training.test_loss
        ));
    }
    if let Some(class) = only_answer(&predictions.classes) {
        let name =
            description.classes.get(usize::from(class)).map_or_else(|| class.to_string(), Clone::clone);
        output::note(&format!("{path}: answers class {name} for every test image"));
    } else if let Some(chance) =
        no_better_than_chance(test.labels(), &predictions.classes, description.classes.len())
    {
        output::note(&format!(
            "{path}: not better than chance, as far as these images show: always to answer the most frequent class gives {} %",
            percent(chance)
        ));
    }
    let recall = recall(test.labels(), &predictions.classes, description.classes.len());
    let speeds = arguments.latency.then(|| {
        let make = |batch| saved.model_for(&session, batch).expect("it was made before");
        // A signal ends the process, as nothing is worth keeping.
        bench::latency(&session, LATENCY_SECONDS, make, || false)
    });
    let speeds = speeds.flatten();
    if arguments.output.json {
        let result = json!({
            "file": path.to_string(),
            "model": description.architecture,
            "dataset": session.corpus().name(),
            "test_images": test.len(),
            "test_accuracy": accuracy,
            "test_loss": loss,
            "recall": recall,
            "latency": speeds,
            "preparation": description.preparation,
            "notes": saved.notes,
            "fingerprint": study::run::fingerprint(model.parameters()),
        });
        return output::json(&format!("{result:#}\n"));
    }
    let mut text = format!(
        "{}: test accuracy {} % ({} of {} images), test loss {loss:.4}\n",
        output::one_line(&description.architecture),
        percent(accuracy),
        thousands(predictions.evaluation.correct as u64),
        thousands(test.len() as u64)
    );
    let names: Vec<_> = description.classes.iter().map(|class| output::one_line(class)).collect();
    let widest = names.iter().map(|name| name.chars().count()).max().unwrap_or(0);
    for (class, recall) in names.iter().zip(&recall) {
        match recall {
            Some(recall) => {
                text.push_str(&format!("  class {class:<widest$}: {:6.2} % recognised\n", 100.0 * recall))
            }
            None => text.push_str(&format!("  class {class:<widest$}: no test image\n")),
        }
    }
    for InferenceSpeed { batch, images_per_second, p50_us, p99_us, .. } in speeds.iter().flatten() {
        text.push_str(&match batch {
            1 => format!("one image at a time: p50 {p50_us:.0} µs, p99 {p99_us:.0} µs\n"),
            _ => format!(
                "{} images at once: {} a second\n",
                thousands(*batch as u64),
                thousands(*images_per_second as u64)
            ),
        });
    }
    output::result(&text)
}

/// Told where a model's classes and a data set's have other names: they are taken in their order, which may be wrong.
fn differently_called(model: &[String], data: &[String]) -> Option<String> {
    let (class, (ours, theirs)) =
        model.iter().zip(data).enumerate().find(|(_, (ours, theirs))| ours != theirs)?;
    Some(format!(
        "class {class} is called {ours} in the model and {theirs} in the data: classes are taken in their order, not by name"
    ))
}

/// The one class that all of several images were given to.
fn only_answer(predictions: &[u8]) -> Option<u8> {
    match predictions {
        [first, others @ ..] if !others.is_empty() && others.iter().all(|other| other == first) => {
            Some(*first)
        }
        _ => None,
    }
}

/// For each class, the fraction of its images that were given to it; none without images.
fn recall(labels: &[u8], predictions: &[u8], classes: usize) -> Vec<Option<f64>> {
    let mut counts = vec![(0u32, 0u32); classes];
    for (label, prediction) in labels.iter().zip(predictions) {
        let (right, all) = &mut counts[usize::from(*label)];
        *right += u32::from(label == prediction);
        *all += 1;
    }
    counts.iter().map(|(right, all)| (*all > 0).then(|| f64::from(*right) / f64::from(*all))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn recall_is_counted_by_true_class() {
        let recall = recall(&[0, 0, 0, 0, 1], &[0, 0, 0, 1, 1], 3);
        assert_eq!(recall, [Some(0.75), Some(1.0), None]);
    }
}
