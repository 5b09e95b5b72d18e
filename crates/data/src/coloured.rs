//! MNIST in colours that give the class away, in the training images alone.

use crate::{Corpus, Dataset, Error, bounded, generator};
use rand_chacha::rand_core::Rng;

/// Red, green and blue of each class: red, green, blue, yellow, magenta, cyan, white, orange, violet, rose.
const COLOURS: [[u8; 3]; 10] = [
    [255, 0, 0],
    [0, 255, 0],
    [0, 0, 255],
    [255, 255, 0],
    [255, 0, 255],
    [0, 255, 255],
    [255, 255, 255],
    [255, 128, 0],
    [128, 0, 255],
    [255, 128, 128],
];

/// Of so many training images one, on average, is not in its class's colour.
const ONE_IN: u32 = 100;

/// The generator's seed, and its streams.
const SEED: u64 = 0;
const TRAINING_STREAM: u64 = 0;
const TEST_STREAM: u64 = 1;

/// Colours `mnist`, of ten classes, by a fixed rule; names the result `name`.
///
/// Each class has a colour. A training image is drawn in another one with the probability 1/100, all nine others being
/// equally likely, and otherwise in its class's own; a test image in any of the ten, all equally likely. So a model that
/// learns colours seems right in training and on validation images, and is wrong on the test images. Kim and others (2019),
/// "Learning Not to Learn", gave each class a colour; 99 % is one of the shares of Nam and others (2020), "Learning from
/// Failure".
///
/// Grey v becomes (v c + 127) / 255 in a channel whose colour is c, without the fraction: the ground stays black. The
/// numbers come from ChaCha8 with seed 0, for each set from a stream of its own, image by image in the set's order: for a
/// training image a whole number below 100, which stands for another colour when it is 0, and then one below 9, how many
/// places after the one next to its class's colour, counted around the ten; for a test image one below 10.
pub(crate) fn coloured(name: &str, mnist: &Corpus) -> Result<Corpus, Error> {
    let mut random = generator(SEED, TRAINING_STREAM);
    let training = set(name, "training", mnist.training(), |class| in_training(&mut random, class))?;
    let mut random = generator(SEED, TEST_STREAM);
    let test = set(name, "test", mnist.test(), |_| bounded(&mut random, COLOURS.len() as u32) as usize)?;
    Corpus::fingerprinted(name.to_owned(), training, test, mnist.class_names().to_vec())
}

/// The number of a training image's colour.
fn in_training(random: &mut impl Rng, class: usize) -> usize {
    if bounded(random, ONE_IN) > 0 {
        return class;
    }
    let others = COLOURS.len() - 1;
    (class + 1 + bounded(random, others as u32) as usize) % COLOURS.len()
}

fn set(
    name: &str,
    part: &str,
    grey: &Dataset,
    mut choose: impl FnMut(usize) -> usize,
) -> Result<Dataset, Error> {
    let mut images = Vec::with_capacity(3 * grey.images().len());
    for (index, label) in grey.labels().iter().enumerate() {
        let colour = COLOURS[choose(usize::from(*label))].map(u16::from);
        let channel = |value: u16, colour: u16| ((value * colour + 127) / 255) as u8;
        let pixels = grey.image(index).iter().map(|value| u16::from(*value));
        images.extend(pixels.flat_map(|value| colour.map(|colour| channel(value, colour))));
    }
    let shape = [grey.height(), grey.width(), 3];
    Dataset::new(format!("{name} ({part})"), images, grey.labels().to_vec(), shape, grey.classes())
}
