//! Images made by code, for tests and examples: small, quick and learnable, but not by heart.

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::Rng;

use crate::{Corpus, Dataset, bounded, generator, shuffle};

/// Strokes of a class: with two, many classes of a set would look alike.
const STROKES: usize = 3;

/// Streams of the generator beside the classes' own, which are 0..256.
const TRAINING_STREAM: u64 = 256;
const TEST_STREAM: u64 = 257;

/// A corpus in which each class is three strokes of its own, moved a little, lit differently and under noise.
///
/// The strokes are drawn from `seed`, the class and the size alone; the training and the test images from streams of
/// their own. The classes are equally frequent within one image and in random order; a set with fewer images than
/// classes lacks the last classes. The same arguments give the same bytes on every machine: nothing but additions,
/// multiplications, divisions and square roots is computed, which IEEE 754 fixes to the last bit.
///
/// ```
/// let corpus = data::synthetic(1, 100, 20, 12, 12, 4);
/// assert_eq!(corpus.training().len(), 100);
/// assert_eq!(corpus.test().image(0).len(), 144);
/// assert_eq!(corpus, data::synthetic(1, 100, 20, 12, 12, 4));
/// ```
///
/// # Panics
/// Where [`Dataset::new`] has an error: without training or test images, with a side that is not 1 to 256 pixels,
/// with a number of classes that is not 2 to 256.
pub fn synthetic(
    seed: u64,
    training: usize,
    test: usize,
    height: usize,
    width: usize,
    classes: usize,
) -> Corpus {
    let prototypes: Vec<Prototype> =
        (0..classes as u64).map(|class| Prototype::new(&mut generator(seed, class), height, width)).collect();
    let set = |name: &str, count: usize, stream: u64| {
        let mut generator = generator(seed, stream);
        let mut labels: Vec<u32> = (0..count).map(|index| (index % classes.max(1)) as u32).collect();
        shuffle(&mut labels, &mut generator);
        let labels: Vec<u8> = labels.into_iter().map(|label| label as u8).collect();
        let mut images = Vec::with_capacity(count * height * width);
        for &label in &labels {
            prototypes[usize::from(label)].draw(&mut generator, height, width, &mut images);
        }
        Dataset::new(format!("synthetic ({name})"), images, labels, [height, width], classes)
            .expect("valid arguments")
    };
    let (training, test) = (set("training", training, TRAINING_STREAM), set("test", test, TEST_STREAM));
    Corpus::new("synthetic", training, test).expect("both sets are of one kind")
}

/// A point in pixels: row, column.
type Point = (f32, f32);

/// What the images of a class have in common.
struct Prototype {
    strokes: [(Point, Point); STROKES],
}

impl Prototype {
    fn new(generator: &mut ChaCha8Rng, height: usize, width: usize) -> Self {
        // The outer sixth stays free, so that a moved stroke stays inside.
        let mut point = || {
            let row = (0.17 + 0.66 * unit(generator)) * (height - 1) as f32;
            let column = (0.17 + 0.66 * unit(generator)) * (width - 1) as f32;
            (row, column)
        };
        Self { strokes: std::array::from_fn(|_| (point(), point())) }
    }

    /// Appends one image: ink falls off linearly within a stroke's thickness, and every pixel has noise.
    fn draw(&self, generator: &mut ChaCha8Rng, height: usize, width: usize, images: &mut Vec<u8>) {
        let smaller = height.min(width) as f32;
        let thickness = (smaller / 12.0).max(1.0);
        let shift_row = (unit(generator) - 0.5) * smaller / 7.0;
        let shift_column = (unit(generator) - 0.5) * smaller / 7.0;
        let brightness = 160.0 + 95.0 * unit(generator);
        for row in 0..height {
            for column in 0..width {
                let point = (row as f32 - shift_row, column as f32 - shift_column);
                let distance =
                    self.strokes.iter().map(|&stroke| distance(point, stroke)).fold(f32::INFINITY, f32::min);
                let ink = (1.5 - distance / thickness).clamp(0.0, 1.0);
                let noise = bounded(generator, 48) as f32;
                images.push((ink * brightness + noise).min(255.0) as u8);
            }
        }
    }
}

/// A number in 0..1, a multiple of 2⁻²⁴, which is what an `f32` holds exactly.
fn unit(generator: &mut ChaCha8Rng) -> f32 {
    (generator.next_u32() >> 8) as f32 / 16_777_216.0
}

/// From a point to the nearest point of a stroke.
fn distance(point: Point, (start, end): (Point, Point)) -> f32 {
    let along = (end.0 - start.0, end.1 - start.1);
    let from_start = (point.0 - start.0, point.1 - start.1);
    let length_squared = along.0 * along.0 + along.1 * along.1;
    let fraction = if length_squared > 0.0 {
        ((from_start.0 * along.0 + from_start.1 * along.1) / length_squared).clamp(0.0, 1.0)
    } else {
        0.0
    };
    let away = (from_start.0 - fraction * along.0, from_start.1 - fraction * along.1);
    (away.0 * away.0 + away.1 * away.1).sqrt()
}
