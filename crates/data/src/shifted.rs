//! MNIST with test images off centre.

use crate::{Corpus, Dataset, Error, bounded, generator};

/// How far a test image is moved at most, in pixels each way: about as far as the black margin of MNIST's images is wide.
const MOST: usize = 4;

/// The generator's seed and stream.
const SEED: u64 = 0;
const STREAM: u64 = 0;

/// Moves the test images of `mnist` by a fixed rule; names the result `name`.
///
/// MNIST's images are centred by their digit's mass, all of them alike, so that a model need not learn that a digit may stand
/// elsewhere. Training images stay as they are, and so do the validation images among them; a test image is moved down by a whole
/// number of pixels from −4 to 4 and to the right by another, all being equally likely. What comes in from outside is black, what
/// goes out is lost.
///
/// The numbers come from ChaCha8 with seed 0, stream 0, image by image in the set's order: for each two whole numbers below 9, 4
/// more than it is moved down and 4 more than it is moved to the right.
pub(crate) fn shifted(name: &str, mnist: &Corpus) -> Result<Corpus, Error> {
    let mut random = generator(SEED, STREAM);
    let test = mnist.test();
    let mut images = vec![0; test.images().len()];
    for (index, to) in images.chunks_exact_mut(test.image_length()).enumerate() {
        let [down, right] = [(); 2].map(|()| bounded(&mut random, 2 * MOST as u32 + 1) as usize);
        place(test.image(index), to, test.width(), down, right);
    }
    let of = |part: &str, set: &Dataset, images: Vec<u8>| {
        Dataset::new(format!("{name} ({part})"), images, set.labels().to_vec(), set.shape(), set.classes())
    };
    let training = of("training", mnist.training(), mnist.training().images().to_vec())?;
    Corpus::fingerprinted(name.to_owned(), training, of("test", test, images)?, mnist.class_names().to_vec())
}

/// Writes a grey image to `to`, which is black, moved down and to the right by so many pixels less [`MOST`].
fn place(from: &[u8], to: &mut [u8], width: usize, down: usize, right: usize) {
    let height = from.len() / width;
    for (row, values) in from.chunks_exact(width).enumerate() {
        for (column, value) in values.iter().enumerate() {
            let place = [row + down, column + right].map(|place| place.checked_sub(MOST));
            if let [Some(row), Some(column)] = place
                && row < height
                && column < width
            {
                to[row * width + column] = *value;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_leaves_an_image_is_lost() {
        let image: Vec<u8> = (1..=12).collect();
        let moved = |down, right| {
            let mut to = vec![0; 12];
            place(&image, &mut to, 4, down, right);
            to
        };
        assert_eq!(moved(4, 4), image);
        assert_eq!(moved(5, 4), [0, 0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8]);
        assert_eq!(moved(3, 2), [7, 8, 0, 0, 11, 12, 0, 0, 0, 0, 0, 0]);
        assert_eq!(moved(8, 4), [0; 12]);
    }
}
