//! Whether a record's figures can be: what comes from a file is held against its own specification before anything is
//! computed from it.

use crate::{
    record::{
        DatasetIdentity, Environment, EpochRecord, FailedRun, Fold, Protocol, RECORD_SCHEMA, RunRecord,
        RunSpec, TestRecord,
    },
    trial::TrialRecord,
};
use spec::ImageShape;
use std::collections::HashSet;

/// No name or sentence in a record is longer, in bytes.
const LONGEST_TEXT: usize = 10_000;

/// No model has a longer name, in bytes.
const LONGEST_NAME: usize = 200;

/// No record has more remarks.
const MOST_WARNINGS: usize = 1000;

/// Images have at most this many pixels from top to bottom, and from left to right.
const LONGEST_SIDE: usize = 4096;

/// A label is a byte.
const MOST_CLASSES: usize = 256;

impl RunRecord {
    /// Whether this can be what a run left behind.
    ///
    /// # Errors
    /// The first figure that cannot be.
    pub fn check(&self) -> Result<(), String> {
        expect(self.schema == RECORD_SCHEMA, "schema", &self.schema)?;
        self.specification.check()?;
        self.environment.check()?;
        let run = &self.specification;
        self.check_network()?;
        let epochs = self.epochs.len();
        expect((1..=run.recipe.epochs).contains(&epochs), "number of epochs", &epochs)?;
        for (index, epoch) in self.epochs.iter().enumerate() {
            expect(epoch.epoch == index + 1, "number of an epoch", &epoch.epoch)?;
            epoch.check()?;
        }
        let kept = self.kept_epoch.unwrap_or(epochs);
        expect((1..=epochs).contains(&kept), "kept epoch", &kept)?;
        for (name, seconds) in [
            ("training seconds", self.train_seconds),
            ("evaluation seconds", self.evaluate_seconds),
            ("total seconds", self.total_seconds),
        ] {
            check_not_negative(name, seconds)?;
        }
        let trained: f64 = self.epochs.iter().map(|epoch| epoch.train_seconds).sum();
        expect(
            close(self.train_seconds, trained),
            "training seconds beside those of the epochs",
            &self.train_seconds,
        )?;
        let spent = self.train_seconds + self.evaluate_seconds;
        expect(
            spent <= self.total_seconds || close(spent, self.total_seconds),
            "total seconds, less than those of training and evaluation",
            &self.total_seconds,
        )?;
        let once_or_each =
            if run.protocol == Protocol::Original || run.audit_selection { epochs + 1 } else { 1 };
        expect(self.test_reads as usize == once_or_each, "reads of the test images", &self.test_reads)?;
        let hexadecimal = |text: &str| text.len() == 64 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
        expect(hexadecimal(&self.fingerprint), "fingerprint", &self.fingerprint.escape_debug())?;
        check_notes(&self.warnings)?;
        check_notes(&self.data_warnings)?;
        check_notes(&self.data_notes)?;
        check_class_names(&self.class_names, run.dataset.classes)?;
        self.test.check(&run.dataset, run.fold)
    }

    /// Parameters and multiply-adds follow from the layers.
    fn check_network(&self) -> Result<(), String> {
        let dataset = &self.specification.dataset;
        let layers = self.specification.architecture().describe(dataset.shape(), dataset.classes);
        let layers = layers.map_err(|error| format!("impossible network: {error}"))?;
        let parameters: usize = layers.iter().map(|layer| layer.parameters).sum();
        expect(self.parameters == parameters, "number of parameters", &self.parameters)?;
        let multiply_adds: u64 = layers.iter().map(|layer| layer.multiply_adds).sum();
        expect(self.multiply_adds == multiply_adds, "number of multiply-adds", &self.multiply_adds)
    }
}

impl FailedRun {
    /// Whether this can be what a failed run left behind.
    ///
    /// # Errors
    /// The first figure that cannot be.
    pub fn check(&self) -> Result<(), String> {
        expect(self.schema == RECORD_SCHEMA, "schema", &self.schema)?;
        self.specification.check()?;
        self.environment.check()?;
        expect((1..=self.specification.recipe.epochs).contains(&self.epoch), "epoch", &self.epoch)?;
        expect(self.problem.len() <= LONGEST_TEXT, "length of the problem", &self.problem.len())
    }
}

impl TrialRecord {
    /// Whether this can be what a trial left behind.
    ///
    /// # Errors
    /// The first figure that cannot be.
    pub fn check(&self) -> Result<(), String> {
        /// More than any search has time for.
        const MOST_TRIALS: usize = 1_000_000;
        self.specification.as_ref().map_or(Ok(()), RunSpec::check)?;
        self.environment.check()?;
        let number = self.number.unwrap_or_default();
        expect(number < MOST_TRIALS, "number of a trial", &number)?;
        let most = self.specification.as_ref().map_or(0, |run| run.recipe.epochs);
        let epochs = self.epochs.len();
        expect(epochs <= most, "number of epochs", &epochs)?;
        for (index, epoch) in self.epochs.iter().enumerate() {
            expect(epoch.epoch == index + 1, "number of an epoch", &epoch.epoch)?;
            epoch.check()?;
        }
        expect(self.kept_epoch <= epochs, "kept epoch", &self.kept_epoch)?;
        check_not_negative("training seconds", self.train_seconds)?;
        check_not_negative("total seconds", self.total_seconds)?;
        let warnings = self.warnings.len() + self.data_notes.len();
        expect(warnings <= MOST_WARNINGS, "number of warnings", &warnings)
    }
}

impl RunSpec {
    /// Whether this can be asked for.
    pub(crate) fn check(&self) -> Result<(), String> {
        check_name("model's name", &self.model)?;
        self.recipe.check().map_err(|error| format!("impossible recipe: {error}"))?;
        let DatasetIdentity {
            name,
            sha256: _,
            training_images,
            test_images,
            height,
            width,
            channels,
            classes,
        } = &self.dataset;
        check_text("data set's name", name)?;
        // Images are counted by 32-bit numbers.
        let images = 1..=u32::MAX as usize;
        expect(images.contains(training_images), "number of training images", training_images)?;
        expect(images.contains(test_images), "number of test images", test_images)?;
        expect((1..=LONGEST_SIDE).contains(height), "height of an image", height)?;
        expect((1..=LONGEST_SIDE).contains(width), "width of an image", width)?;
        expect(ImageShape::CHANNELS.contains(channels), "number of channels", channels)?;
        check_classes(*classes)?;
        self.fold.map_or(Ok(()), |fold| check_fold(fold, *training_images + *test_images))
    }
}

impl Environment {
    pub(crate) fn check(&self) -> Result<(), String> {
        let Self { cpu, threads, kernels, engine_revision: _, operating_system, version, jobs, place } = self;
        expect(*threads >= 1, "number of threads", threads)?;
        expect(*jobs != Some(0), "number of runs side by side", &0)?;
        let host = place.as_ref().map_or("", |place| &place.host);
        let job = place.as_ref().and_then(|place| place.task.as_ref()?.job.as_deref()).unwrap_or_default();
        for (name, text) in [
            ("length of the machine's name", host),
            ("length of the job's name", job),
            ("length of the processor's name", cpu),
            ("length of the kernels' name", kernels),
            ("length of the operating system's name", operating_system),
            ("length of the version", version),
        ] {
            expect(text.len() <= LONGEST_NAME, name, &text.len())?;
        }
        Ok(())
    }
}

impl EpochRecord {
    pub(crate) fn check(&self) -> Result<(), String> {
        check_not_negative("training loss", self.train_loss)?;
        check_fraction("training accuracy", self.train_accuracy)?;
        check_not_negative("validation loss", self.validation_loss)?;
        check_fraction("validation accuracy", self.validation_accuracy)?;
        check_fraction("validation measure", self.validation_measure.unwrap_or(0.0))?;
        check_not_negative("training seconds", self.train_seconds)?;
        check_fraction("test accuracy", self.test_accuracy.unwrap_or(0.0))
    }
}

impl TestRecord {
    /// Of a run that this program made on this data.
    fn check(&self, dataset: &DatasetIdentity, fold: Option<Fold>) -> Result<(), String> {
        let DatasetIdentity { training_images, test_images, classes, .. } = *dataset;
        let test_images = self.check_places(test_images, training_images + test_images, fold)?;
        self.check_answers(test_images, classes)?;
        self.check_probabilities(classes)
    }

    /// Of a run that was made elsewhere, on a set of so many images.
    pub(crate) fn check_imported(
        &self,
        images: usize,
        classes: usize,
        fold: Option<Fold>,
    ) -> Result<(), String> {
        let test_images = self.check_places(images, images, fold)?;
        self.check_answers(test_images, classes)?;
        match self.loss.is_nan() && self.probabilities.is_empty() {
            true => Ok(()),
            false => self.check_probabilities(classes),
        }
    }

    /// The places of a fold's images in the set that is cross-validated; how many images were tested.
    fn check_places(&self, test_images: usize, set: usize, fold: Option<Fold>) -> Result<usize, String> {
        let images = self.images.len();
        if fold.is_none() {
            expect(images == 0, "number of places of test images", &images)?;
            return Ok(test_images);
        }
        expect((1..set).contains(&images), "number of places of test images", &images)?;
        let last = self.images[images - 1];
        expect((last as usize) < set, "place of a test image", &last)?;
        let unordered = self.images.windows(2).find(|pair| pair[0] >= pair[1]);
        let found = unordered.map_or(0, |pair| pair[1]);
        expect(unordered.is_none(), "order of the places of test images", &found)?;
        Ok(images)
    }

    fn check_answers(&self, test_images: usize, classes: usize) -> Result<(), String> {
        let (labels, predictions) = (&self.labels, &self.predictions);
        expect(labels.len() == test_images, "number of test labels", &labels.len())?;
        expect(predictions.len() == test_images, "number of test predictions", &predictions.len())?;
        let largest = labels.iter().chain(predictions).max().copied().unwrap_or(0);
        expect(usize::from(largest) < classes, "class of a test image", &largest)?;
        let right = labels.iter().zip(predictions).filter(|(label, prediction)| label == prediction).count();
        let accuracy = right as f64 / test_images as f64;
        match self.accuracy == accuracy {
            true => Ok(()),
            false => Err(format!(
                "impossible test accuracy: {} stated, its predictions have {accuracy}",
                self.accuracy
            )),
        }
    }

    fn check_probabilities(&self, classes: usize) -> Result<(), String> {
        let probabilities = self.probabilities.len();
        expect(
            Some(probabilities) == self.labels.len().checked_mul(classes),
            "number of test probabilities",
            &probabilities,
        )?;
        for (image, (of_image, prediction)) in
            self.probabilities.chunks_exact(classes).zip(&self.predictions).enumerate()
        {
            let largest = of_image.iter().max().copied().unwrap_or(0);
            let predicted = of_image[usize::from(*prediction)];
            expect(predicted == largest, "prediction, not the most probable class, of test image", &image)?;
            // Each was rounded by itself.
            let sum: u64 = of_image.iter().map(|one| u64::from(*one)).sum();
            let error = sum.abs_diff(u64::from(u16::MAX));
            expect(error <= classes as u64, "sum of the probabilities of test image", &image)?;
        }
        check_not_negative("test loss", self.loss)?;
        expect(self.loss <= f64::from(f32::MAX), "test loss", &self.loss)
    }
}

pub(crate) fn check_name(what: &str, name: &str) -> Result<(), String> {
    expect((1..=LONGEST_NAME).contains(&name.len()), &format!("length of the {what}"), &name.len())
}

pub(crate) fn check_text(what: &str, text: &str) -> Result<(), String> {
    expect(text.len() <= LONGEST_TEXT, &format!("length of the {what}"), &text.len())
}

pub(crate) fn check_notes(notes: &[String]) -> Result<(), String> {
    expect(notes.len() <= MOST_WARNINGS, "number of warnings", &notes.len())?;
    let longest = notes.iter().map(String::len).max().unwrap_or(0);
    expect(longest <= LONGEST_TEXT, "length of a warning", &longest)
}

pub(crate) fn check_classes(classes: usize) -> Result<(), String> {
    expect((2..=MOST_CLASSES).contains(&classes), "number of classes", &classes)
}

pub(crate) fn check_class_names(names: &[String], classes: usize) -> Result<(), String> {
    expect(names.is_empty() || names.len() == classes, "number of names of classes", &names.len())?;
    for name in names {
        expect((1..=LONGEST_NAME).contains(&name.len()), "length of a class's name", &name.len())?;
    }
    let distinct: HashSet<&String> = names.iter().collect();
    expect(distinct.len() == names.len(), "number of different names of classes", &distinct.len())
}

/// Of a set of so many images.
pub(crate) fn check_fold(Fold { repeat, fold, folds }: Fold, images: usize) -> Result<(), String> {
    expect((2..=images).contains(&folds), "number of folds", &folds)?;
    expect((1..=folds).contains(&fold), "number of a fold", &fold)?;
    expect(repeat >= 1, "number of a repetition", &repeat)
}

pub(crate) fn expect(possible: bool, what: &str, found: &dyn std::fmt::Display) -> Result<(), String> {
    if possible { Ok(()) } else { Err(format!("impossible {what}: {found}")) }
}

/// Equal but for the rounding of sums.
fn close(one: f64, other: f64) -> bool {
    (one - other).abs() <= 1e-9 * one.abs().max(other.abs())
}

fn check_fraction(what: &str, value: f64) -> Result<(), String> {
    expect((0.0..=1.0).contains(&value), what, &value)
}

fn check_not_negative(what: &str, value: f64) -> Result<(), String> {
    expect(value.is_finite() && value >= 0.0, what, &value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_test_images_of_a_fold_have_places_in_the_set() {
        let dataset = DatasetIdentity {
            name: "a".to_owned(),
            sha256: String::new(),
            training_images: 9,
            test_images: 1,
            height: 1,
            width: 1,
            channels: 1,
            classes: 2,
        };
        let fold = Some(Fold { repeat: 1, fold: 2, folds: 5 });
        let tested = |images: &[u32]| TestRecord {
            accuracy: 1.0,
            loss: 0.0,
            images: images.to_vec(),
            labels: vec![1, 0],
            predictions: vec![1, 0],
            probabilities: vec![0, 65_535, 65_535, 0],
        };
        assert_eq!(tested(&[2, 9]).check(&dataset, fold), Ok(()));
        for (images, fold, problem) in [
            (&[2, 10][..], fold, "place of a test image"),
            (&[9, 2], fold, "order of the places"),
            (&[2, 2], fold, "order of the places"),
            (&[2], fold, "number of test labels"),
            (&[], fold, "number of places"),
            (&[2, 9], None, "number of places"),
        ] {
            let found = tested(images).check(&dataset, fold).expect_err(problem);
            assert!(found.contains(problem), "{found}");
        }
    }
}
