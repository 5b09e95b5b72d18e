//! What is made of an image's pixels before the first layer reads them.

use kernels::Element;
use serde::{Deserialize, Serialize};

/// Each pixel x of 0..=1 becomes (x − mean) / std, as `torchvision.transforms.Normalize` has it: PyTorch's MNIST example
/// trains on mean 0.1307 and std 0.3081.
///
/// Dark margins are then no zeros unless the mean is 0, so that nothing is left out of products ([`kernels::lit`]); what pads
/// an image is zero behind this map, as in PyTorch.
///
/// In files it is one list a value, of one number each: images have one channel.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Lists", into = "Lists")]
pub struct Preparation {
    mean: f64,
    std: f64,
}

/// A mean or a standard deviation that pixels of 0..=1 cannot have.
#[derive(Debug, Clone, Copy, PartialEq, thiserror::Error)]
#[error(
    "a mean of 0 to 1 and a standard deviation of {SMALLEST_STD} to 1 expected, as pixels are 0 to 1; {mean} and {std} found"
)]
pub struct PreparationError {
    mean: f64,
    std: f64,
}

/// Below that of pixels of 16 bits that were left undivided, 1 / 65535.
const SMALLEST_STD: f64 = 1e-5;

impl Preparation {
    /// From the pixels' mean and standard deviation on the scale of 0 to 1.
    ///
    /// # Errors
    /// When they are not finite or not of that scale.
    pub fn new(mean: f64, std: f64) -> Result<Self, PreparationError> {
        match (0.0..=1.0).contains(&mean) && (SMALLEST_STD..=1.0).contains(&std) {
            true => Ok(Self { mean, std }),
            false => Err(PreparationError { mean, std }),
        }
    }

    /// What is subtracted.
    pub fn mean(self) -> f64 {
        self.mean
    }

    /// What is divided by.
    pub fn std(self) -> f64 {
        self.std
    }

    /// Changes pixels of 0..=1 in place.
    pub(crate) fn apply<E: Element>(self, pixels: &mut [E]) {
        let (mean, std) = (E::from_f64(self.mean), E::from_f64(self.std));
        pixels.iter_mut().for_each(|pixel| *pixel = (*pixel - mean) / std);
    }
}

/// A [`Preparation`] as files have it, a value a channel.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Lists {
    mean: [f64; 1],
    std: [f64; 1],
}

impl TryFrom<Lists> for Preparation {
    type Error = PreparationError;

    fn try_from(Lists { mean: [mean], std: [std] }: Lists) -> Result<Self, PreparationError> {
        Self::new(mean, std)
    }
}

impl From<Preparation> for Lists {
    fn from(Preparation { mean, std }: Preparation) -> Self {
        Self { mean: [mean], std: [std] }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_values_of_pixels_of_0_to_1_are_taken() {
        let good = Preparation::new(0.1307, 0.3081).expect("PyTorch's");
        let text = r#"{"mean":[0.1307],"std":[0.3081]}"#;
        assert_eq!(serde_json::to_string(&good).expect("text"), text);
        assert_eq!(serde_json::from_str::<Preparation>(text).expect("read"), good);
        for (mean, std) in
            [(33.3, 0.3), (0.1, 78.6), (0.1, 0.0), (0.1, -0.3), (-0.1, 0.3), (f64::NAN, 0.3), (0.1, f64::NAN)]
        {
            Preparation::new(mean, std).expect_err("not of 0 to 1");
        }
        for text in [
            r#"{"mean":[0.1,0.2,0.3],"std":[0.3,0.3,0.3]}"#,
            r#"{"mean":[0.1],"std":[0]}"#,
            r#"{"mean":[0.1],"std":[0.3],"more":1}"#,
            r#"{"mean":0.1,"std":0.3}"#,
        ] {
            serde_json::from_str::<Preparation>(text).expect_err(text);
        }
    }
}
