//! `evaluate`: a saved model on a test set.

use super::{instruction_set, laboratory_with, models::described, weights};
use crate::{args::EvaluateArguments, failure::Failure, output};
use serde_json::json;
use study::run::RunError;

/// Images in a batch; only memory and speed depend on it.
const BATCH: usize = 128;

/// Loads, measures, prints.
pub(crate) fn run(arguments: &EvaluateArguments) -> Result<(), Failure> {
    let path = arguments.file.display();
    let (bytes, description) = weights::read(&arguments.file)?;
    let laboratory = laboratory_with(
        instruction_set()?,
        &arguments.dataset,
        arguments.threads,
        &[],
        arguments.output.quiet,
    )?;
    let test = laboratory.corpus().test();
    let expected = [description.height, description.width, description.classes];
    let found = [test.height(), test.width(), laboratory.corpus().classes()];
    if expected != found {
        let words =
            |[height, width, classes]: [usize; 3]| format!("{height}×{width} pixels and {classes} classes");
        return Err(Failure::new(
            format!("{path}: made for images of {}, {} has {}", words(expected), test.name(), words(found)),
            "pass the data set that the model was trained on with --dataset",
        ));
    }
    let mut model = laboratory.model(&described(&description), BATCH).map_err(RunError::from)?;
    weights::load(&path.to_string(), &bytes, &mut model)?;
    let predictions = laboratory.test(&mut model, arguments.test_time_augmentation.into());
    let (accuracy, loss) = (predictions.evaluation.accuracy(), predictions.evaluation.loss());
    let recall = recall(test.labels(), &predictions.classes, description.classes);
    if arguments.output.json {
        let result = json!({
            "file": path.to_string(),
            "model": description.architecture,
            "dataset": laboratory.corpus().name(),
            "test_images": test.len(),
            "test_accuracy": accuracy,
            "test_loss": loss,
            "recall": recall,
            "fingerprint": study::run::fingerprint(model.parameters()),
        });
        return output::result(&format!("{result:#}\n"));
    }
    let mut text = format!(
        "{}: test accuracy {:.2} % ({} of {} images), test loss {loss:.4}\n",
        description.architecture,
        100.0 * accuracy,
        predictions.evaluation.correct,
        test.len()
    );
    for (class, recall) in recall.iter().enumerate() {
        match recall {
            Some(recall) => text.push_str(&format!("  class {class}: {:6.2} % recognised\n", 100.0 * recall)),
            None => text.push_str(&format!("  class {class}: no test image\n")),
        }
    }
    output::result(&text)
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
