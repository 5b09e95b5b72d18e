//! Some of a data set.

use data::Dataset;

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

    /// Where its `position`-th image stands in the data set.
    pub(crate) fn index(&self, position: usize) -> usize {
        self.indices.map_or(position, |indices| indices[position] as usize)
    }
}
