//! What is done to the training images as they are drawn, as a person writes it.

use serde::{Deserialize, Serialize};
use std::{fmt, ops::RangeInclusive};

/// Random changes of the training images, drawn anew for every image in every epoch; 0 leaves a change out.
///
/// `shift`, `rotation`, `scale`, `shear` and `elastic` say how far a pixel's ink may move; all of them together are one
/// map from a pixel of the new image to a place of the old one, which is read once, bilinearly, with zeros outside.
/// `erasing` then covers a part, and `mixup` or `cutmix` bring in a second image of the batch, with its label.
///
/// ```
/// let augmentation = spec::Augmentation { shift: 2.0, rotation: 10.0, ..spec::Augmentation::default() };
/// assert!(augmentation.check().is_ok() && !augmentation.is_none());
/// assert_eq!(augmentation.to_string(), "shift 2, rotation 10");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Augmentation {
    /// Pixels: both coordinates are moved, each by a number from −`shift` to `shift`, whole or not; 0 to 256.
    #[serde(skip_serializing_if = "is_zero")]
    pub shift: f64,
    /// Degrees: turned about the centre by an angle from −`rotation` to `rotation`; 0 to 180.
    #[serde(skip_serializing_if = "is_zero")]
    pub rotation: f64,
    /// Fraction: made larger about the centre by a factor from 1 − `scale` to 1 + `scale`; 0 to 0.9.
    #[serde(skip_serializing_if = "is_zero")]
    pub scale: f64,
    /// Degrees: vertical lines lean by an angle from −`shear` to `shear`; 0 to 60.
    #[serde(skip_serializing_if = "is_zero")]
    pub shear: f64,
    /// The α of Simard, Steinkraus and Platt (2003), in pixels: a field of displacements, each component uniform in
    /// −1..1 at every pixel, smoothed by a Gaussian and multiplied by α; 0 to 1000. They give 34 at a smoothness of 4,
    /// which moves ink by α / (√12 √π `smoothness`) = 1.4 pixels along each axis (root mean square).
    #[serde(skip_serializing_if = "is_zero")]
    pub elastic: f64,
    /// Standard deviation of that Gaussian in pixels, the paper's σ; 2 to 64. Without `elastic` it means nothing.
    #[serde(skip_serializing_if = "is_default_smoothness")]
    pub smoothness: f64,
    /// Probability of random erasing (Zhong and others 2017): a rectangle of 0.02 to 0.4 of the image is covered
    /// with uniform noise; 0 to 1.
    #[serde(skip_serializing_if = "is_zero")]
    pub erasing: f64,
    /// The α of mixup (Zhang and others 2018): the image becomes λ of itself and 1 − λ of another of its batch, and the
    /// label likewise, with λ from Beta(α, α) for each image; 0 to 100.
    #[serde(skip_serializing_if = "is_zero")]
    pub mixup: f64,
    /// The α of CutMix (Yun and others 2019): a rectangle comes from another image of the batch, and the second
    /// label's weight is the rectangle's share of the image; 0 to 100. With `mixup` as well, each image has one of both,
    /// equally likely.
    #[serde(skip_serializing_if = "is_zero")]
    pub cutmix: f64,
}

/// The paper's σ, made for images of 29 pixels.
const DEFAULT_SMOOTHNESS: f64 = 4.0;

impl Default for Augmentation {
    /// None.
    fn default() -> Self {
        Self {
            shift: 0.0,
            rotation: 0.0,
            scale: 0.0,
            shear: 0.0,
            elastic: 0.0,
            smoothness: DEFAULT_SMOOTHNESS,
            erasing: 0.0,
            mixup: 0.0,
            cutmix: 0.0,
        }
    }
}

/// A value that no image can be changed by.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[error("augmentation {field}: {} to {} expected, {found} found", .expected.start(), .expected.end())]
pub struct AugmentationError {
    /// The field's name.
    pub field: &'static str,
    /// What it may be.
    pub expected: RangeInclusive<f64>,
    /// What it is.
    pub found: f64,
}

impl Augmentation {
    /// Whether images stay as they are.
    pub fn is_none(&self) -> bool {
        !self.moves() && self.erasing == 0.0 && !self.mixes()
    }

    /// Whether every value can be used.
    ///
    /// # Errors
    /// Names the first value that cannot.
    pub fn check(&self) -> Result<(), AugmentationError> {
        for (field, found, expected) in [
            ("shift", self.shift, 0.0..=256.0),
            ("rotation", self.rotation, 0.0..=180.0),
            ("scale", self.scale, 0.0..=0.9),
            ("shear", self.shear, 0.0..=60.0),
            ("elastic", self.elastic, 0.0..=1000.0),
            ("smoothness", self.smoothness, 2.0..=64.0),
            ("erasing", self.erasing, 0.0..=1.0),
            ("mixup", self.mixup, 0.0..=100.0),
            ("cutmix", self.cutmix, 0.0..=100.0),
        ] {
            if !expected.contains(&found) {
                return Err(AugmentationError { field, expected, found });
            }
        }
        Ok(())
    }

    /// Whether ink goes elsewhere.
    pub fn moves(&self) -> bool {
        [self.shift, self.rotation, self.scale, self.shear, self.elastic].iter().any(|limit| *limit != 0.0)
    }

    /// Whether images have two labels.
    pub fn mixes(&self) -> bool {
        self.mixup != 0.0 || self.cutmix != 0.0
    }
}

impl fmt::Display for Augmentation {
    /// The values that are not 0, such as `shift 2, elastic 34, smoothness 4`, or `none`.
    fn fmt(&self, formatter: &mut fmt::Formatter) -> fmt::Result {
        let smoothness = if self.elastic == 0.0 { 0.0 } else { self.smoothness };
        let named = [
            ("shift", self.shift),
            ("rotation", self.rotation),
            ("scale", self.scale),
            ("shear", self.shear),
            ("elastic", self.elastic),
            ("smoothness", smoothness),
            ("erasing", self.erasing),
            ("mixup", self.mixup),
            ("cutmix", self.cutmix),
        ];
        let mut separator = "";
        for (name, value) in named.into_iter().filter(|(_, value)| *value != 0.0) {
            write!(formatter, "{separator}{name} {value}")?;
            separator = ", ";
        }
        if separator.is_empty() { formatter.write_str("none") } else { Ok(()) }
    }
}

fn is_zero(value: &f64) -> bool {
    *value == 0.0
}

fn is_default_smoothness(value: &f64) -> bool {
    *value == DEFAULT_SMOOTHNESS
}
