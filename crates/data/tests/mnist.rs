//! The embedded MNIST against published facts.

use std::sync::LazyLock;

use data::{Corpus, Dataset, SPLIT_SEED, Source, default_validation_images, load, stratified_split};
use sha2::{Digest, Sha256};

static MNIST: LazyLock<Corpus> = LazyLock::new(|| load(&Source::Mnist).unwrap());

fn label_counts(labels: impl IntoIterator<Item = u8>) -> [u32; 10] {
    let mut counts = [0; 10];
    for label in labels {
        counts[usize::from(label)] += 1;
    }
    counts
}

/// Mean and standard deviation of all pixels, each 0..=1.
fn moments(set: &Dataset) -> (f64, f64) {
    let count = set.images().len() as f64;
    let sum: u64 = set.images().iter().map(|&pixel| u64::from(pixel)).sum();
    let squares: u64 = set.images().iter().map(|&pixel| u64::from(pixel).pow(2)).sum();
    let mean = sum as f64 / count / 255.0;
    (mean, (squares as f64 / count / 255.0_f64.powi(2) - mean * mean).sqrt())
}

/// How far ink leans: the regression of its columns on its rows.
fn slant(image: &[u8]) -> f64 {
    let ink =
        || image.iter().enumerate().map(|(at, ink)| ((at / 28) as f64, (at % 28) as f64, f64::from(*ink)));
    let total: f64 = ink().map(|(.., ink)| ink).sum();
    let row = ink().map(|(row, _, ink)| row * ink).sum::<f64>() / total;
    let column = ink().map(|(_, column, ink)| column * ink).sum::<f64>() / total;
    let (mut covariance, mut variance) = (0.0, 0.0);
    for (y, x, ink) in ink() {
        covariance += ink * (y - row) * (x - column);
        variance += ink * (y - row).powi(2);
    }
    covariance / variance
}

/// What validation by the last images rests on: two digits of one hand lean alike, whichever they are, and so do images near
/// each other. (Even and odd places come from different collections: 0.2 is what they have in common far apart.)
#[test]
fn the_training_file_is_in_the_order_of_its_writers() {
    let set = MNIST.training();
    let mut slants: Vec<f64> = (0..set.len()).map(|index| slant(set.image(index))).collect();
    for class in 0..10 {
        let members: Vec<usize> = (0..set.len()).filter(|index| set.labels()[*index] == class).collect();
        let count = members.len() as f64;
        let mean = members.iter().map(|index| slants[*index]).sum::<f64>() / count;
        let variance = members.iter().map(|index| (slants[*index] - mean).powi(2)).sum::<f64>() / count;
        members.iter().for_each(|index| slants[*index] = (slants[*index] - mean) / variance.sqrt());
    }
    let correlation = |distance: usize| {
        let pairs = slants.iter().zip(&slants[distance..]);
        pairs.map(|(one, other)| one * other).sum::<f64>() / (slants.len() - distance) as f64
    };
    let [near, within_a_writer, far] = [2, 20, 5_000].map(correlation);
    assert!(near > 0.45 && within_a_writer > 0.4 && far < 0.22, "{near}, {within_a_writer}, {far}");
}

#[test]
fn the_sets_have_the_published_sizes_and_classes() {
    let (training, test) = (MNIST.training(), MNIST.test());
    assert_eq!((MNIST.name(), MNIST.classes()), ("mnist", 10));
    assert_eq!(MNIST.class_names(), ["0", "1", "2", "3", "4", "5", "6", "7", "8", "9"]);
    assert_eq!((training.name(), test.name()), ("mnist (training)", "mnist (test)"));
    assert_eq!((training.len(), test.len()), (60_000, 10_000));
    for set in [training, test] {
        assert_eq!((set.height(), set.width(), set.image_length(), set.classes()), (28, 28, 784, 10));
    }
    assert_eq!(
        label_counts(training.labels().iter().copied()),
        [5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949]
    );
    assert_eq!(
        label_counts(test.labels().iter().copied()),
        [980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009]
    );
    assert_eq!(training.labels()[..10], [5, 0, 4, 1, 9, 2, 1, 3, 1, 4]);
    assert_eq!(test.labels()[..10], [7, 2, 1, 0, 4, 1, 4, 9, 5, 9]);
}

/// 0.1307 and 0.3081 are the constants with which the field normalises the training images.
#[test]
fn the_pixels_have_the_published_moments() {
    let (mean, deviation) = moments(MNIST.training());
    assert!((mean - 0.1307).abs() < 5e-5 && (deviation - 0.3081).abs() < 5e-5, "{mean} {deviation}");
}

/// The first training image is a five: empty margins of four pixels, and its top stroke in row 5.
#[test]
fn pixels_are_where_they_belong() {
    let image = MNIST.training().image(0);
    let row = |row: usize| &image[row * 28..][..28];
    assert!(row(4).iter().all(|&pixel| pixel == 0));
    assert_eq!(row(5)[11..25], [0, 3, 18, 18, 18, 126, 136, 175, 26, 166, 255, 247, 127, 0]);
    assert!((0..28).all(|index| row(index)[..4].iter().chain(&row(index)[24..]).all(|&pixel| pixel == 0)));
    let set = MNIST.training();
    assert_eq!(set.image(59_999), &set.images()[47_040_000 - 784..]);
}

/// The expected value is that of `sha256sum` over the published digests in binary, computed in a shell.
#[test]
fn the_fingerprint_is_that_of_the_published_files() {
    assert_eq!(MNIST.sha256(), "e9914cff2ade526da2ab1ac60c072f9173cc53e35b9411692de8207cb1b9009d");
    let again = Corpus::new("again", MNIST.training().clone(), MNIST.test().clone()).unwrap();
    assert_eq!(again.sha256(), MNIST.sha256());
    // Loading it does not look for faults: there are none.
    assert_eq!(again.warnings(), [""; 0]);
}

/// The published split: a change of this digest is a change of every result that was ever reported.
/// A second implementation, in Python and from the documentation alone, gave the same digest.
#[test]
fn the_published_split_never_changes() {
    let labels = MNIST.training().labels();
    let validation_images = default_validation_images(labels.len());
    assert_eq!(validation_images, 5_000);
    let split = stratified_split(labels, 10, validation_images, SPLIT_SEED).unwrap();
    assert_eq!((split.training.len(), split.validation.len()), (55_000, 5_000));
    // 5,000 × count / 60,000 for each class: 493.58, 561.83, 496.5, 510.92, 486.83, 451.75, 493.17, 522.08, 487.58,
    // 495.75. The whole parts are 4,994; the six largest remainders are those of 3, 1, 4, 5, 9 and then 0 (.5833…
    // exactly as class 8's, whose number is higher).
    assert_eq!(
        label_counts(split.validation.iter().map(|&index| labels[index as usize])),
        [494, 562, 496, 511, 487, 452, 493, 522, 487, 496]
    );
    let mut digest = Sha256::new();
    for index in split.training.iter().chain(&split.validation) {
        digest.update(index.to_le_bytes());
    }
    let digest: String = digest.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
    assert_eq!(digest, "b67a8af8aa6a37b275c507f60beaaa380386c2833d5b79f1f955023e895a3d1b");
}

/// `shifted-mnist` by its rule: the training images are MNIST's, and each test image is one of MNIST's, moved by one of 81 shifts.
#[test]
fn shifted_digits_follow_their_rule() {
    let source = Source::parse("shifted-mnist").expect("a known name");
    let shifted = load(&source).expect("it is made here");
    assert_eq!((source.to_string().as_str(), shifted.name()), ("shifted-mnist", "shifted-mnist"));
    assert_eq!(shifted.sha256(), "30f4defb6ee315b783973871bbd9dbf15d88b81aabaab6708d4341ebd6dea1d2");
    assert!(shifted.warnings().is_empty());
    assert_eq!(shifted.training().images(), MNIST.training().images());
    assert_eq!(shifted.training().labels(), MNIST.training().labels());
    assert_eq!(shifted.test().labels(), MNIST.test().labels());
    let mut counts = [[0_u32; 9]; 9];
    for index in 0..10_000 {
        let (from, to) = (MNIST.test().image(index), shifted.test().image(index));
        let is_moved = |down: i32, right: i32| {
            (0..28).all(|row| {
                (0..28).all(|column| {
                    let (above, left) = (row - down, column - right);
                    let inside = (0..28).contains(&above) && (0..28).contains(&left);
                    to[(28 * row + column) as usize]
                        == if inside { from[(28 * above + left) as usize] } else { 0 }
                })
            })
        };
        let mut found = (-4..=4).flat_map(|down| (-4..=4).map(move |right| (down, right)));
        let (down, right) =
            found.find(|(down, right)| is_moved(*down, *right)).expect("moved by up to four pixels");
        counts[(down + 4) as usize][(right + 4) as usize] += 1;
    }
    // Five standard deviations of a binomial count with n = 10,000 and p = 1/81 are 55.
    assert!(counts.iter().flatten().all(|count| count.abs_diff(123) < 55), "{counts:?}");
}

/// `colored-mnist` by its rule, written out again: the same labels, each image in one of ten colours on black.
#[test]
fn coloured_digits_follow_their_rule() {
    let source = Source::parse("colored-mnist").expect("a known name");
    let coloured = load(&source).expect("it is made here");
    let listed = data::find_published("colored-mnist").expect("a known name");
    assert_eq!(listed.shape, coloured.training().shape());
    assert_eq!((source.to_string().as_str(), coloured.name()), ("colored-mnist", "colored-mnist"));
    assert_eq!(coloured.sha256(), "1223e2ce9a4b607239ffabb208496145b24de5b3630004f0b6a13ce30efb8191");
    assert!(coloured.warnings().is_empty());
    let colours = [
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
    // The colour of each image, found from its pixels.
    let chosen = |grey: &data::Dataset, set: &data::Dataset| -> Vec<usize> {
        assert_eq!((set.labels(), set.len()), (grey.labels(), grey.len()));
        let shape = set.shape();
        assert_eq!((shape.height, shape.width, shape.channels), (28, 28, 3));
        let colour_of = |index: usize| {
            let is_drawn_in = |colour: &[u16; 3]| {
                let pixels = grey.image(index).iter().zip(set.image(index).as_chunks::<3>().0);
                pixels.into_iter().all(|(grey, pixel)| {
                    let expected =
                        colour.map(|channel| (f64::from(*grey) * f64::from(channel) / 255.0).round());
                    pixel.map(f64::from) == expected
                })
            };
            colours.iter().position(is_drawn_in).expect("one of the ten colours")
        };
        (0..set.len()).map(colour_of).collect()
    };
    let training = chosen(MNIST.training(), coloured.training());
    let labels = MNIST.training().labels();
    let own = training.iter().zip(labels).filter(|(colour, label)| **colour == usize::from(**label)).count();
    // Five standard deviations of a binomial count with n = 60,000 and p = 0.99 are 122.
    assert!(own.abs_diff(59_400) < 122, "{own}");
    let mut others = [0_u32; 10];
    for (colour, label) in
        training.iter().zip(labels).filter(|(colour, label)| **colour != usize::from(**label))
    {
        others[(colour + 10 - usize::from(*label)) % 10] += 1;
    }
    // About 600 in nine places: five standard deviations of a binomial count with p = 1/9 are 39.
    assert!(others[0] == 0 && others[1..].iter().all(|count| count.abs_diff(67) < 39), "{others:?}");
    let mut counts = [0_u32; 10];
    chosen(MNIST.test(), coloured.test()).into_iter().for_each(|colour| counts[colour] += 1);
    // Five standard deviations of a binomial count with n = 10,000 and p = 1/10 are 150.
    assert!(counts.iter().all(|count| count.abs_diff(1000) < 150), "{counts:?}");
}
