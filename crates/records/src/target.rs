//! What models must reach, and with how little.

use serde::{Deserialize, Serialize};

/// What must be reached, by models that are small enough and learn fast enough.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Target {
    /// Test accuracy that a run must reach, a fraction.
    pub accuracy: f64,
    /// Most weights and biases.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_parameters: Option<usize>,
    /// Maximum multiply-adds per image.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_multiply_adds: Option<u64>,
    /// Most bytes of working memory of the model as an int8 header of C: [`spec::Footprint`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_ram_bytes: Option<usize>,
    /// Most bytes of its constants.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_flash_bytes: Option<usize>,
    /// Most passes over the training images.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_epochs: Option<usize>,
    /// Most seconds of training.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_train_seconds: Option<f64>,
}

impl Target {
    /// The target, if its every value is usable.
    ///
    /// # Errors
    /// Names the value that is not.
    pub fn check(self) -> Result<Self, String> {
        let fraction = |value: f64| value > 0.0 && value <= 1.0;
        if !fraction(self.accuracy) {
            return Err(format!(
                "accuracy: a fraction above 0 and at most 1 expected, {} found",
                self.accuracy
            ));
        }
        if self.max_train_seconds.is_some_and(|seconds| seconds.is_nan() || seconds <= 0.0) {
            return Err("max_train_seconds: a number above 0 expected".into());
        }
        Ok(self)
    }
}
