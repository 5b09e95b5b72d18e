//! The order of the images within a batch.

use data::Dataset;

/// An order within the batch, which is free: images that begin alike stand together, as a recurrent layer
/// shares the steps before their first lit row.
#[derive(Debug, Clone)]
pub struct BatchOrder {
    /// Of each image, how many pixels are zero before the first that is not.
    dark: Vec<u32>,
}

impl BatchOrder {
    /// Looks at every image of the set.
    pub fn new(dataset: &Dataset) -> Self {
        let dark = |index| dataset.image(index).iter().take_while(|pixel| **pixel == 0).count() as u32;
        Self { dark: (0..dataset.len()).map(dark).collect() }
    }

    /// Sorts the images of a batch, given by their index; the larger dark margin at the top comes last.
    ///
    /// # Panics
    /// When an index is not of the set.
    pub fn sort(&self, batch: &mut [u32]) {
        batch.sort_unstable_by_key(|index| (self.dark[*index as usize], *index));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn images_that_begin_darker_come_later_and_equal_ones_by_their_number() {
        let images = [[0, 0, 7, 0], [0, 0, 0, 0], [9, 0, 0, 0], [0, 0, 1, 1], [0, 3, 0, 0]];
        let dataset = Dataset::new("digits", images.concat(), vec![0, 1, 0, 1, 0], [2, 2], 2).expect("a set");
        let mut batch = [1, 3, 0, 4, 2];
        BatchOrder::new(&dataset).sort(&mut batch);
        assert_eq!(batch, [2, 4, 0, 3, 1]);
    }
}
