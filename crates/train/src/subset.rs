//! Some of a data set.

use data::Dataset;
use nn::Preparation;

/// As [`Preparation`] takes it.
const SMALLEST_STD: f64 = 1e-5;

/// Some of a data set's images.
#[derive(Debug, Clone, Copy)]
pub struct Subset<'a> {
    /// The images and labels.
    pub dataset: &'a Dataset,
    /// Which of them; none means all.
    pub indices: Option<&'a [u32]>,
}

impl<'a> Subset<'a> {
    /// All images of a data set.
    pub fn all(dataset: &'a Dataset) -> Self {
        Self { dataset, indices: None }
    }

    /// The class of each image, in its order.
    pub fn labels(&self) -> Vec<u8> {
        (0..self.len()).map(|position| self.dataset.labels()[self.index(position)]).collect()
    }

    /// Number of images.
    pub fn len(&self) -> usize {
        self.indices.map_or(self.dataset.len(), <[u32]>::len)
    }

    /// Whether there are no images.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The mean and the standard deviation of its images' values of 0 to 1, by channel, as a [`Preparation`]: exact sums of bytes,
    /// so that they are the same everywhere. A channel of one shade gets the least deviation there is.
    pub fn statistics(&self) -> Preparation {
        let channels = self.dataset.shape().channels;
        let (mut sums, mut squares) = ([0_u64; 3], [0_u64; 3]);
        for position in 0..self.len() {
            for pixel in self.dataset.image(self.index(position)).chunks_exact(channels) {
                for (channel, value) in pixel.iter().enumerate() {
                    sums[channel] += u64::from(*value);
                    squares[channel] += u64::from(*value) * u64::from(*value);
                }
            }
        }
        let count = (self.len() * self.dataset.shape().pixels()) as f64;
        let (mut mean, mut std) = (Vec::new(), Vec::new());
        for channel in 0..channels {
            let of_bytes = sums[channel] as f64 / count;
            let variance = (squares[channel] as f64 / count - of_bytes * of_bytes).max(0.0);
            mean.push(of_bytes / 255.0);
            std.push((variance.sqrt() / 255.0).max(SMALLEST_STD));
        }
        Preparation::new(&mean, &std).expect("of values of 0 to 1")
    }

    /// Where its `position`-th image stands in the data set.
    pub(crate) fn index(&self, position: usize) -> usize {
        self.indices.map_or(position, |indices| indices[position] as usize)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Red 0 and 255, green 100 twice, blue 10 and 20: means and population deviations by hand.
    #[test]
    fn channels_have_their_own_statistics() {
        let set =
            Dataset::new("two", vec![0, 100, 10, 255, 100, 20], vec![0, 1], [1, 1, 3], 2).expect("a set");
        let found = Subset::all(&set).statistics();
        let expected = [[0.5, 0.5], [100.0 / 255.0, SMALLEST_STD], [15.0 / 255.0, 5.0 / 255.0]];
        for (channel, [mean, std]) in expected.into_iter().enumerate() {
            assert!((found.mean()[channel] - mean).abs() < 1e-15, "{found:?}");
            assert!((found.std()[channel] - std).abs() < 1e-15, "{found:?}");
        }
        let one = Subset { dataset: &set, indices: Some(&[1]) }.statistics();
        assert_eq!(one.mean(), [1.0, 100.0 / 255.0, 20.0 / 255.0]);
    }
}
