//! What is made of an image's pixels before the first layer reads them.

use serde::{
    Deserialize, Deserializer, Serialize, Serializer,
    de::{Error, MapAccess, Visitor, value::MapAccessDeserializer},
};
use std::fmt;

/// Each value x of 0..=1 becomes (x − mean) / std, with a mean and a std for each channel, as `torchvision.transforms.Normalize`
/// has it: PyTorch's MNIST example trains on mean 0.1307 and std 0.3081.
///
/// Dark margins are then no zeros unless the mean is 0, so that the engine leaves nothing out of its products; what pads an
/// image is zero behind this map, as in PyTorch.
///
/// In files it is a list of means and a list of standard deviations, one number a channel.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Lists", into = "Lists")]
pub struct Preparation {
    channels: usize,
    /// By channel; unused ones are 0.
    mean: [f64; MOST_CHANNELS],
    std: [f64; MOST_CHANNELS],
}

/// Means or standard deviations that pixels of 0..=1 cannot have.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum PreparationError {
    /// One of them is of another scale.
    #[error(
        "a mean of 0 to 1 and a standard deviation of {SMALLEST_STD} to 1 expected, as pixels are 0 to 1; {mean} and {std} found"
    )]
    Scale {
        /// The mean.
        mean: f64,
        /// The standard deviation.
        std: f64,
    },
    /// They are not one or three of each.
    #[error("a mean and a standard deviation for 1 or 3 channels expected, {means} and {stds} found")]
    Channels {
        /// How many means there are.
        means: usize,
        /// How many standard deviations.
        stds: usize,
    },
}

/// Below that of pixels of 16 bits that were left undivided, 1 / 65535.
const SMALLEST_STD: f64 = 1e-5;

const MOST_CHANNELS: usize = 3;

impl Preparation {
    /// From the values' mean and standard deviation on the scale of 0 to 1, by channel.
    ///
    /// # Errors
    /// When they are not finite or not of that scale, or not of one channel or three.
    pub fn new(mean: &[f64], std: &[f64]) -> Result<Self, PreparationError> {
        if mean.len() != std.len() || !crate::ImageShape::CHANNELS.contains(&mean.len()) {
            return Err(PreparationError::Channels { means: mean.len(), stds: std.len() });
        }
        let mut prepared =
            Self { channels: mean.len(), mean: [0.0; MOST_CHANNELS], std: [0.0; MOST_CHANNELS] };
        for (channel, (mean, std)) in mean.iter().zip(std).enumerate() {
            if !(0.0..=1.0).contains(mean) || !(SMALLEST_STD..=1.0).contains(std) {
                return Err(PreparationError::Scale { mean: *mean, std: *std });
            }
            (prepared.mean[channel], prepared.std[channel]) = (*mean, *std);
        }
        Ok(prepared)
    }

    /// What is subtracted, by channel.
    pub fn mean(&self) -> &[f64] {
        &self.mean[..self.channels]
    }

    /// What is divided by, by channel.
    pub fn std(&self) -> &[f64] {
        &self.std[..self.channels]
    }
}

/// A [`Preparation`] as files have it, a value a channel.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Lists {
    mean: Vec<f64>,
    #[serde(alias = "deviation")]
    std: Vec<f64>,
}

impl TryFrom<Lists> for Preparation {
    type Error = PreparationError;

    fn try_from(Lists { mean, std }: Lists) -> Result<Self, PreparationError> {
        Self::new(&mean, &std)
    }
}

impl From<Preparation> for Lists {
    fn from(preparation: Preparation) -> Self {
        Self { mean: preparation.mean().to_vec(), std: preparation.std().to_vec() }
    }
}

/// What a training makes of pixels of 0..=1, as a recipe has it: `"none"`, `"standardise"`, or a table of `mean` and `std` (also
/// `deviation`), lists of a number a channel.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub enum PreparationSpec {
    /// Nothing.
    #[default]
    None,
    /// Each channel of the run's training images comes to mean 0 and standard deviation 1.
    Standardise,
    /// This.
    Given(Preparation),
}

const STANDARDISE: &str = "standardise";
const NONE: &str = "none";

impl Serialize for PreparationSpec {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::None => serializer.serialize_str(NONE),
            Self::Standardise => serializer.serialize_str(STANDARDISE),
            Self::Given(preparation) => preparation.serialize(serializer),
        }
    }
}

impl<'de> Deserialize<'de> for PreparationSpec {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct NameOrLists;

        impl<'de> Visitor<'de> for NameOrLists {
            type Value = PreparationSpec;

            fn expecting(&self, formatter: &mut fmt::Formatter) -> fmt::Result {
                write!(formatter, "\"{NONE}\", \"{STANDARDISE}\" or a table of `mean` and `std`")
            }

            fn visit_str<E: Error>(self, name: &str) -> Result<PreparationSpec, E> {
                match name {
                    NONE => Ok(PreparationSpec::None),
                    STANDARDISE => Ok(PreparationSpec::Standardise),
                    _ => Err(E::unknown_variant(name, &[NONE, STANDARDISE])),
                }
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<PreparationSpec, A::Error> {
                Preparation::deserialize(MapAccessDeserializer::new(map)).map(PreparationSpec::Given)
            }
        }

        deserializer.deserialize_any(NameOrLists)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_values_of_pixels_of_0_to_1_are_taken() {
        let good = Preparation::new(&[0.1307], &[0.3081]).expect("PyTorch's");
        let text = r#"{"mean":[0.1307],"std":[0.3081]}"#;
        assert_eq!(serde_json::to_string(&good).expect("text"), text);
        assert_eq!(serde_json::from_str::<Preparation>(text).expect("read"), good);
        for (mean, std) in
            [(33.3, 0.3), (0.1, 78.6), (0.1, 0.0), (0.1, -0.3), (-0.1, 0.3), (f64::NAN, 0.3), (0.1, f64::NAN)]
        {
            Preparation::new(&[mean], &[std]).expect_err("not of 0 to 1");
            Preparation::new(&[0.5, 0.5, mean], &[0.5, 0.5, std]).expect_err("not of 0 to 1");
        }
        for text in [
            r#"{"mean":[0.1,0.2],"std":[0.3,0.3]}"#,
            r#"{"mean":[0.1,0.2,0.3],"std":[0.3]}"#,
            r#"{"mean":[],"std":[]}"#,
            r#"{"mean":[0.1],"std":[0]}"#,
            r#"{"mean":[0.1],"std":[0.3],"more":1}"#,
            r#"{"mean":0.1,"std":0.3}"#,
        ] {
            serde_json::from_str::<Preparation>(text).expect_err(text);
        }
        for (text, expected) in [
            (r#""none""#, PreparationSpec::None),
            (r#""standardise""#, PreparationSpec::Standardise),
            (r#"{"mean":[0.1307],"std":[0.3081]}"#, PreparationSpec::Given(good)),
        ] {
            assert_eq!(serde_json::from_str::<PreparationSpec>(text).expect("known"), expected);
            assert_eq!(serde_json::to_string(&expected).expect("text"), text);
        }
        let deviation = r#"{"mean":[0.1307],"deviation":[0.3081]}"#;
        let read: PreparationSpec = serde_json::from_str(deviation).expect("the same by another name");
        assert_eq!(read, PreparationSpec::Given(good));
        for text in [r#""standardize""#, "3", r#"{"mean":[9.0],"std":[0.3]}"#] {
            serde_json::from_str::<PreparationSpec>(text).expect_err(text);
        }
        let colour = r#"{"mean":[0.1,0.2,0.3],"std":[0.3,0.4,0.5]}"#;
        let colour = serde_json::from_str::<Preparation>(colour).expect("three channels");
        assert_eq!((colour.mean(), colour.std()), (&[0.1, 0.2, 0.3][..], &[0.3, 0.4, 0.5][..]));
    }
}
