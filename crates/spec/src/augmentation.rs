//! What is done to the training images as they are drawn, as a person writes it.

use crate::ImageShape;
use serde::{Deserialize, Serialize};
use std::{fmt, ops::RangeInclusive};

/// Random changes of the training images, drawn anew for every image in every epoch; 0 leaves a change out.
///
/// The order is fixed. `crop` and then `flip` copy whole pixels. `shift`, `rotation`, `scale`, `shear` and `elastic` say
/// how far a pixel's ink may move; all of them together are one map from a pixel of the new image to a place of the old
/// one, which is read once, bilinearly, all channels at the same place. What either brings in from outside the image is
/// 0, black. `brightness`, `contrast` and `saturation` change the values, in this order, those from outside too; each
/// result is clamped to 0..1. `erasing` then covers a part, and `mixup` or `cutmix` bring in a second image of the
/// batch, with its label.
///
/// ```
/// let augmentation = spec::Augmentation { shift: 2.0, rotation: 10.0, ..spec::Augmentation::default() };
/// assert!(augmentation.check().is_ok() && !augmentation.is_none());
/// assert_eq!(augmentation.to_string(), "shift 2, rotation 10");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Augmentation {
    /// Pixels: the image is padded with so many zeros on each side, and a crop of its own size is taken, all offsets
    /// equally likely (He, Zhang, Ren and Sun 2016, section 4.2, who pad CIFAR's images by 4); 0 to 256.
    #[serde(skip_serializing_if = "is_no_crop")]
    pub crop: usize,
    /// Probability that left and right are exchanged; 0 to 1. Most digits and letters are none any more.
    #[serde(skip_serializing_if = "is_zero")]
    pub flip: f64,
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
    /// Fraction: every value is multiplied by one factor, uniform from max(0, 1 − `brightness`) to 1 + `brightness`,
    /// as torchvision's `ColorJitter` has it; 0 to 10.
    #[serde(skip_serializing_if = "is_zero")]
    pub brightness: f64,
    /// Fraction: every value v becomes f v + (1 − f) m, the factor f being drawn likewise; m is the mean grey of the
    /// image before anything of it was moved, at its new brightness; 0 to 10.
    #[serde(skip_serializing_if = "is_zero")]
    pub contrast: f64,
    /// Fraction: every value v becomes f v + (1 − f) g, the factor f being drawn likewise; g is the grey of the pixel,
    /// 0.299 red + 0.587 green + 0.114 blue (Rec. 601); 0 to 10. Only of colour images.
    #[serde(skip_serializing_if = "is_zero")]
    pub saturation: f64,
    /// Probability that a pixel's three values become its grey, in the place of a change of saturation; 0 to 1. Only of
    /// colour images.
    #[serde(skip_serializing_if = "is_zero")]
    pub grey: f64,
    /// Probability of random erasing (Zhong and others 2017): a rectangle of 0.02 to 0.4 of the image is covered
    /// with uniform noise, drawn for each channel; 0 to 1.
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
            crop: 0,
            flip: 0.0,
            shift: 0.0,
            rotation: 0.0,
            scale: 0.0,
            shear: 0.0,
            elastic: 0.0,
            smoothness: DEFAULT_SMOOTHNESS,
            brightness: 0.0,
            contrast: 0.0,
            saturation: 0.0,
            grey: 0.0,
            erasing: 0.0,
            mixup: 0.0,
            cutmix: 0.0,
        }
    }
}

/// A value by which images cannot be changed.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum AugmentationError {
    /// No image can.
    #[error("augmentation {field}: {} to {} expected, {found} found", .expected.start(), .expected.end())]
    OutOfRange {
        /// The field's name.
        field: &'static str,
        /// What it may be.
        expected: RangeInclusive<f64>,
        /// What it is.
        found: f64,
    },
    /// These images cannot.
    #[error("augmentation {field}: colour images expected, those of {dataset} are grey")]
    NeedsColour {
        /// The field's name.
        field: &'static str,
        /// Whose images.
        dataset: String,
    },
}

impl AugmentationError {
    /// The name of the field that is at fault.
    pub fn field(&self) -> &'static str {
        match self {
            Self::OutOfRange { field, .. } | Self::NeedsColour { field, .. } => field,
        }
    }
}

impl Augmentation {
    /// Whether images stay as they are.
    pub fn is_none(&self) -> bool {
        !self.copies() && !self.moves() && !self.recolours() && self.erasing == 0.0 && !self.mixes()
    }

    /// Whether every value can be used.
    ///
    /// # Errors
    /// Names the first value that cannot.
    pub fn check(&self) -> Result<(), AugmentationError> {
        for (field, found, expected) in [
            ("crop", self.crop as f64, 0.0..=256.0),
            ("flip", self.flip, 0.0..=1.0),
            ("shift", self.shift, 0.0..=256.0),
            ("rotation", self.rotation, 0.0..=180.0),
            ("scale", self.scale, 0.0..=0.9),
            ("shear", self.shear, 0.0..=60.0),
            ("elastic", self.elastic, 0.0..=1000.0),
            ("smoothness", self.smoothness, 2.0..=64.0),
            ("brightness", self.brightness, 0.0..=10.0),
            ("contrast", self.contrast, 0.0..=10.0),
            ("saturation", self.saturation, 0.0..=10.0),
            ("grey", self.grey, 0.0..=1.0),
            ("erasing", self.erasing, 0.0..=1.0),
            ("mixup", self.mixup, 0.0..=100.0),
            ("cutmix", self.cutmix, 0.0..=100.0),
        ] {
            if !expected.contains(&found) {
                return Err(AugmentationError::OutOfRange { field, expected, found });
            }
        }
        Ok(())
    }

    /// Whether every value can be used on the images of `dataset`, which have this shape.
    ///
    /// # Errors
    /// Names the first value that cannot.
    pub fn check_for(&self, shape: ImageShape, dataset: &str) -> Result<(), AugmentationError> {
        self.check()?;
        let of_colours = [("saturation", self.saturation), ("grey", self.grey)];
        match of_colours.into_iter().find(|(_, value)| *value != 0.0) {
            Some((field, _)) if !shape.is_colour() => {
                Err(AugmentationError::NeedsColour { field, dataset: dataset.to_owned() })
            }
            _ => Ok(()),
        }
    }

    /// Whether whole pixels go elsewhere.
    pub fn copies(&self) -> bool {
        self.crop != 0 || self.flip != 0.0
    }

    /// Whether values change where they are.
    pub fn recolours(&self) -> bool {
        [self.brightness, self.contrast, self.saturation, self.grey].iter().any(|limit| *limit != 0.0)
    }

    /// Whether ink goes between pixels.
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
            ("crop", self.crop as f64),
            ("flip", self.flip),
            ("shift", self.shift),
            ("rotation", self.rotation),
            ("scale", self.scale),
            ("shear", self.shear),
            ("elastic", self.elastic),
            ("smoothness", smoothness),
            ("brightness", self.brightness),
            ("contrast", self.contrast),
            ("saturation", self.saturation),
            ("grey", self.grey),
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

fn is_no_crop(value: &usize) -> bool {
    *value == 0
}

fn is_zero(value: &f64) -> bool {
    *value == 0.0
}

fn is_default_smoothness(value: &f64) -> bool {
    *value == DEFAULT_SMOOTHNESS
}
