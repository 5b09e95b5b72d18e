//! Runs that were made elsewhere: their answers to test images, and what else is known of them.

use crate::{
    identity::hash_with_answers,
    possible::{self, expect},
    record::{EpochRecord, Fold, TestRecord},
};
use serde::{Deserialize, Serialize};

/// Version of the layout of an imported run; a file of another version is left aside.
pub const IMPORTED_SCHEMA: u32 = 1;

/// A run that another program made. What was not stated is absent; nothing is made up.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ImportedRun {
    /// Layout version, [`IMPORTED_SCHEMA`].
    pub schema: u32,
    /// Hash of the model's name, the run's and all of its answers, in hexadecimal; the file's name.
    pub id: String,
    /// The model's name within the study.
    pub model: String,
    /// What the run is called: runs of two models that are called alike are paired.
    pub run: String,
    /// Its seed, where that is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seed: Option<u64>,
    /// Which fold of a cross-validation it was tested on, where it is of one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fold: Option<Fold>,
    /// Which fraction of the images of the other folds it held back to validate on, where it is of a cross-validation and states it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub held_back: Option<f64>,
    /// The images that it was tested on.
    pub test_set: TestSet,
    /// The file that its answers were read from, as it was named.
    pub source: String,
    /// Number of parameters that are learnt, where that was stated.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parameters: Option<u64>,
    /// Multiplications of one image's forward pass, where that was stated.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub multiply_adds: Option<u64>,
    /// Seconds of training, where that was stated.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub train_seconds: Option<f64>,
    /// Seconds in all, where that was stated.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub total_seconds: Option<f64>,
    /// The machine that it was trained on, as it was stated.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub machine: Option<String>,
    /// What was logged of its epochs, in ascending order; a figure that was not logged is not a number. Empty where nothing was.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub epochs: Vec<EpochRecord>,
    /// Its answers. Probabilities are empty, and the loss is not a number, where only classes were stated.
    pub test: TestRecord,
    /// What each class is called; empty where that is its number.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub class_names: Vec<String>,
    /// What each image of the test set is called, as ids or files say it; empty where nothing does.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub image_names: Vec<String>,
    /// What was guessed, converted or left out when it was read.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<String>,
}

/// The images that an imported run was tested on. Their pixels need not be known.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TestSet {
    /// The data set whose test images they are, where that was stated.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Of that data set as records have it; without one SHA-256 over the ids, where there are some, and the labels, in hexadecimal.
    pub sha256: String,
    /// How many images there are, of a cross-validation in all folds together.
    pub images: usize,
    /// Number of classes.
    pub classes: usize,
}

/// Runs of other programs that a study compares.
#[derive(Debug, Clone, Copy, Default)]
pub struct Imports<'a> {
    /// In the order of the report.
    pub runs: &'a [ImportedRun],
    /// What concerns all of them: how they were paired, what was passed over.
    pub notes: &'a [String],
}

impl ImportedRun {
    /// The hash that is its identity.
    pub fn identity(&self) -> String {
        let nameless = Self {
            id: String::new(),
            source: String::new(),
            notes: Vec::new(),
            // Ids are in the digest of the test set.
            image_names: Vec::new(),
            ..self.without_answers()
        };
        hash_with_answers(&nameless, &self.test)[..16].to_owned()
    }

    /// All but the bytes of its test images.
    pub(crate) fn without_answers(&self) -> Self {
        Self { test: self.test.without_answers(), ..self.clone() }
    }

    /// Whether this can be what a run's file says.
    ///
    /// # Errors
    /// The first figure that cannot be.
    pub fn check(&self) -> Result<(), String> {
        expect(self.schema == IMPORTED_SCHEMA, "schema", &self.schema)?;
        possible::check_name("model's name", &self.model)?;
        possible::check_name("run's name", &self.run)?;
        let TestSet { name, sha256: _, images, classes } = &self.test_set;
        possible::check_text("data set's name", name.as_deref().unwrap_or_default())?;
        possible::check_text("source", &self.source)?;
        possible::check_text("machine", self.machine.as_deref().unwrap_or_default())?;
        possible::check_classes(*classes)?;
        possible::check_class_names(&self.class_names, *classes)?;
        possible::check_notes(&self.notes)?;
        let named = self.image_names.len();
        expect(named == 0 || named == *images, "number of images' names", &named)?;
        self.image_names.iter().try_for_each(|name| possible::check_text("name of an image", name))?;
        if let Some(fold) = self.fold {
            possible::check_fold(fold, *images)?;
        }
        let held_back = self.held_back.unwrap_or(0.0);
        expect((0.0..1.0).contains(&held_back), "fraction of images held back", &held_back)?;
        for (name, seconds) in
            [("training seconds", self.train_seconds), ("total seconds", self.total_seconds)]
        {
            expect(
                seconds.is_none_or(|seconds| seconds.is_finite() && seconds >= 0.0),
                name,
                &seconds.unwrap_or(0.0),
            )?;
        }
        let ascending = self.epochs.windows(2).find(|pair| pair[0].epoch >= pair[1].epoch);
        expect(ascending.is_none(), "order of the epochs", &ascending.map_or(0, |pair| pair[1].epoch))?;
        self.test.check_imported(*images, *classes, self.fold)
    }
}
