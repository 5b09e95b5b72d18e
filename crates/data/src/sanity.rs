//! What cannot be right about data, or makes a figure mean something else than it seems to: found once, when data is loaded.
//!
//! All of it is counted, nothing estimated.

use std::{collections::HashMap, mem, ops::Range};

use crate::classes::list;
use crate::error::thousands;
use crate::{Dataset, Error, MAXIMUM_SIDE};

/// A class with fewer training images than the median class by this factor is told.
const RARE: usize = 10;

/// Copies within the training images, and images of one shade, are told from this fraction on: single ones are in many sets.
const NOTEWORTHY: f64 = 0.01;

/// Pixels of bytes that are all below this are hardly seen: fractions stored as bytes, or 16 shades.
const DARK: u8 = 64;

/// The classes' mean images are compared with chance where there are this many images for each class but one.
const IMAGES_A_CLASS: usize = 100;

/// A class's mean image is compared between the parts where both have this many of its images.
const IMAGES_OF_A_MEAN: usize = 20;

/// Under shuffled labels the ratio of [`Sums::variance_between_classes`] is 1 on average, with a standard deviation of 0.1 for ten
/// classes of MNIST's images; where classes share a hundredth of the pixels' variance, it is 2 and more.
const CHANCE: f64 = 2.0;

/// Says what is wrong with data, in sentences for a person; nothing where nothing is. The last `validation` of the training
/// images are those that the data states to validate on.
///
/// # Errors
/// [`Error::OneClass`] and [`Error::Alike`]: of such data no accuracy means anything.
pub(crate) fn examine(
    training: &Dataset,
    validation: usize,
    test: &Dataset,
    names: &[String],
) -> Result<Vec<String>, Error> {
    let learnt = training.len() - validation;
    let parts = [
        Part::of("training", training, 0..learnt),
        Part::of("validation", training, learnt..training.len()),
        Part::of("test", test, 0..test.len()),
    ];
    let [training, validation, test] = &parts;
    let in_training = training.counts();
    if let [only] = occurring(&in_training)[..] {
        return Err(Error::OneClass { name: training.set.name().to_owned(), class: names[only].clone() });
    }
    let mut told = class_remarks(&in_training, &validation.counts(), &test.counts(), names, test.len());
    let sums: Vec<Sums> = parts.iter().map(Sums::of).collect();
    let mut shuffled = 0;
    for (part, sums) in parts.iter().zip(&sums) {
        if part.len() > 1 && part.all().all(|image| image == part.image(0)) {
            return Err(Error::Alike { name: part.set.name().to_owned(), images: part.len() });
        }
        told.extend(pixel_remarks(part));
        let remark = label_remark(part.name, sums);
        shuffled += usize::from(remark.is_some());
        told.extend(remark);
    }
    // Shuffled labels have no class means to compare.
    if shuffled == 0 {
        told.extend(part_remark(&sums[0], &sums[2]));
    }
    told.extend(copy_remarks(&parts));
    Ok(told)
}

/// The images of a set that are used for one purpose.
struct Part<'a> {
    name: &'static str,
    set: &'a Dataset,
    images: &'a [u8],
    labels: &'a [u8],
}

impl<'a> Part<'a> {
    fn of(name: &'static str, set: &'a Dataset, places: Range<usize>) -> Self {
        let length = set.image_length();
        let images = &set.images()[places.start * length..places.end * length];
        Self { name, set, images, labels: &set.labels()[places] }
    }

    fn len(&self) -> usize {
        self.labels.len()
    }

    fn image(&self, index: usize) -> &'a [u8] {
        let length = self.set.image_length();
        &self.images[index * length..][..length]
    }

    fn all(&self) -> impl Iterator<Item = &'a [u8]> {
        self.images.chunks_exact(self.set.image_length())
    }

    fn counts(&self) -> Vec<usize> {
        let mut counts = vec![0; self.set.classes()];
        self.labels.iter().for_each(|label| counts[usize::from(*label)] += 1);
        counts
    }
}

fn occurring(counts: &[usize]) -> Vec<usize> {
    (0..counts.len()).filter(|class| counts[*class] > 0).collect()
}

/// Classes without images in a part, and with hardly any.
fn class_remarks(
    training: &[usize],
    validation: &[usize],
    test: &[usize],
    names: &[String],
    test_images: usize,
) -> Vec<String> {
    let mut told = Vec::new();
    let those = |wanted: &dyn Fn(usize) -> bool| -> Vec<usize> {
        (0..names.len()).filter(|class| wanted(*class)).collect()
    };
    let called = |classes: &[usize]| {
        let listed: Vec<&String> = classes.iter().map(|class| &names[*class]).collect();
        (if classes.len() == 1 { "class" } else { "classes" }, list(&listed, "and"))
    };
    let nowhere = those(&|class| training[class] + validation[class] + test[class] == 0);
    if !nowhere.is_empty() {
        let (noun, listed) = called(&nowhere);
        let has = if nowhere.len() == 1 { "has" } else { "have" };
        told.push(format!("{noun} {listed} {has} no image"));
    }
    let unlearnt = those(&|class| training[class] == 0 && test[class] > 0);
    if !unlearnt.is_empty() {
        let (noun, listed) = called(&unlearnt);
        let (has, their) = if unlearnt.len() == 1 { ("has", "its") } else { ("have", "their") };
        let images: usize = unlearnt.iter().map(|class| test[*class]).sum();
        told.push(format!(
            "{noun} {listed} {has} no training image: {their} {} ({}) cannot be classified correctly",
            counted(images, "test image"),
            percent(images, test_images)
        ));
    }
    let unlearnt = those(&|class| training[class] + test[class] == 0 && validation[class] > 0);
    if !unlearnt.is_empty() {
        let (noun, listed) = called(&unlearnt);
        let has = if unlearnt.len() == 1 { "has" } else { "have" };
        told.push(format!(
            "{noun} {listed} {has} validation images, but no training image: no model learns it"
        ));
    }
    let unmeasured = those(&|class| training[class] > 0 && test[class] == 0);
    match &occurring(test)[..] {
        [only] => told.push(format!(
            "{} of class {}: test accuracy is that of one class",
            match test_images {
                1 => "the only test image is".to_owned(),
                _ => format!("all {} are", counted(test_images, "test image")),
            },
            names[*only]
        )),
        _ if !unmeasured.is_empty() => {
            let (noun, listed) = called(&unmeasured);
            let (has, them) = if unmeasured.len() == 1 { ("has", "it") } else { ("have", "them") };
            told.push(format!(
                "{noun} {listed} {has} no test image: test accuracy says nothing about {them}"
            ));
        }
        _ => {}
    }
    let mut sizes: Vec<usize> = training.iter().copied().filter(|count| *count > 0).collect();
    sizes.sort_unstable();
    let median = sizes[sizes.len() / 2];
    let rare = those(&|class| training[class] > 0 && training[class] * RARE < median);
    if !rare.is_empty() {
        let (noun, listed) = called(&rare);
        let has = if rare.len() == 1 { "has" } else { "have" };
        let images: usize = rare.iter().map(|class| training[*class]).sum();
        let together = if rare.len() == 1 { "" } else { " together" };
        told.push(format!(
            "{noun} {listed} {has} only {}{together}, the median class {}: check for wrong labels",
            counted(images, "training image"),
            thousands(median as u64)
        ));
    }
    told
}

/// Images of one shade, and images that are all but black.
fn pixel_remarks(part: &Part) -> Vec<String> {
    let mut told = Vec::new();
    // Each pixel is as its neighbour; slices are compared many bytes at once.
    let shape = part.set.shape();
    let is_constant = |image: &&[u8]| image[shape.channels..] == image[..image.len() - shape.channels];
    let constant = part.all().filter(is_constant).count();
    // An image of one pixel is always of one shade.
    if shape.pixels() > 1 && constant > 0 && constant as f64 >= NOTEWORTHY * part.len() as f64 {
        told.push(format!(
            "{} {}: every pixel has the same value",
            of(constant, part.len(), part.name),
            if constant == 1 { "is constant" } else { "are constant" },
        ));
    }
    let brightest = part.images.iter().copied().max().unwrap_or(0);
    if (1..DARK).contains(&brightest) {
        told.push(format!(
            "no pixel of the {} images is above {brightest} (of 255): scale them to 0 to 255, as models are trained on them",
            part.name
        ));
    }
    told
}

/// Labels that have nothing to do with the images.
fn label_remark(part: &str, sums: &Sums) -> Option<String> {
    let ratio = sums.variance_between_classes()?;
    (ratio < CHANCE).then(|| {
        format!(
            "the {part} images of different classes are alike on average, as they would be under shuffled labels, or where objects lie anywhere in the image: look whether labels belong to their images"
        )
    })
}

/// Test images that look like other classes' training images: labels of another order, or images that are inverted.
fn part_remark(known: &Sums, asked: &Sums) -> Option<String> {
    let enough = |sums: &Sums, class: usize| sums.counts[class] >= IMAGES_OF_A_MEAN;
    let compared: Vec<usize> =
        (0..known.counts.len()).filter(|class| enough(known, *class) && enough(asked, *class)).collect();
    if compared.len() < 2 {
        return None;
    }
    let means = |sums: &Sums| -> Vec<Vec<f64>> { compared.iter().map(|class| sums.mean(*class)).collect() };
    let (known, asked) = (means(known), means(asked));
    let distance = |a: &[f64], b: &[f64]| -> f64 { a.iter().zip(b).map(|(a, b)| (a - b) * (a - b)).sum() };
    let strange = |place: &usize| {
        let own = distance(&asked[*place], &known[*place]);
        known.iter().any(|mean| distance(&asked[*place], mean) < own)
    };
    let strange = (0..compared.len()).filter(strange).count();
    (2 * strange > compared.len()).then(|| {
        format!(
            "the test images of {strange} of {} classes look, on average, like the training images of another class: check that both parts count their classes alike and that neither is inverted",
            compared.len()
        )
    })
}

/// The squares of so many values add up within 32 bits: those of the largest image's one channel.
const SQUARES: usize = MAXIMUM_SIDE * MAXIMUM_SIDE;
const _: () = assert!(SQUARES * 255 * 255 <= u32::MAX as usize);

/// Sums over the images of each class.
struct Sums {
    pixels: usize,
    counts: Vec<usize>,
    /// One a class and pixel.
    of_pixels: Vec<u64>,
    /// Of all pixels.
    of_squares: u64,
}

impl Sums {
    fn of(part: &Part) -> Self {
        let pixels = part.set.image_length();
        let mut of_pixels = vec![0_u64; part.set.classes() * pixels];
        let mut of_squares = 0;
        // Narrow sums fill vectors with more of them; so many images cannot overflow them.
        let mut narrow = vec![0_u16; of_pixels.len()];
        let at_once = usize::from(u16::MAX) / 255;
        for (images, labels) in part.images.chunks(at_once * pixels).zip(part.labels.chunks(at_once)) {
            for (image, label) in images.chunks_exact(pixels).zip(labels) {
                let sums = &mut narrow[usize::from(*label) * pixels..][..pixels];
                sums.iter_mut().zip(image).for_each(|(sum, pixel)| *sum += u16::from(*pixel));
                for values in image.chunks(SQUARES) {
                    of_squares += u64::from(values.iter().map(|value| u32::from(*value).pow(2)).sum::<u32>());
                }
            }
            of_pixels.iter_mut().zip(&mut narrow).for_each(|(sum, part)| *sum += u64::from(mem::take(part)));
        }
        Self { pixels, counts: part.counts(), of_pixels, of_squares }
    }

    fn of_class(&self, class: usize) -> &[u64] {
        &self.of_pixels[class * self.pixels..][..self.pixels]
    }

    fn mean(&self, class: usize) -> Vec<f64> {
        self.of_class(class).iter().map(|sum| *sum as f64 / self.counts[class] as f64).collect()
    }

    /// The pixels' variance between classes over what labels in random order would give, the F ratio of an analysis of
    /// variance over all pixels together:
    ///
    /// ```text
    /// between = Σ_c Σ_p S_cp² / n_c − Σ_p S_p² / N      total = Σ x² − Σ_p S_p² / N
    /// ratio   = between / total · (N − 1) / (K − 1)
    /// ```
    ///
    /// for N images, n_c of class c, of pixels p whose sums are S_cp and S_p, and K classes that occur. Under a random
    /// permutation of the labels, `between` is on average total · (K − 1) / (N − 1), whatever the images are.
    ///
    /// Nothing where the images are too few to tell, or all the same.
    fn variance_between_classes(&self) -> Option<f64> {
        let classes = occurring(&self.counts);
        let images: usize = self.counts.iter().sum();
        if classes.len() < 2 || images < IMAGES_A_CLASS * (classes.len() - 1) {
            return None;
        }
        let images = images as f64;
        let square = |sum: u64| sum as f64 * sum as f64;
        let common: f64 = (0..self.pixels)
            .map(|pixel| square(self.of_pixels.iter().skip(pixel).step_by(self.pixels).sum()) / images)
            .sum();
        let of_class = |class: &usize| {
            self.of_class(*class).iter().map(|sum| square(*sum)).sum::<f64>() / self.counts[*class] as f64
        };
        let by_class: f64 = classes.iter().map(of_class).sum();
        let total = self.of_squares as f64 - common;
        (total > 0.0).then(|| (by_class - common) / total * (images - 1.0) / (classes.len() as f64 - 1.0))
    }
}

/// Images that are also in another part, and copies within the training images.
fn copy_remarks(parts: &[Part; 3]) -> Vec<String> {
    let [training, validation, test] = parts;
    let mut told = Vec::new();
    let known = Known::of(training);
    let (mut copies, mut contradicting) = (0, 0);
    for index in 0..training.len() {
        let earlier = known.place_of(training.image(index)).unwrap_or(index);
        if earlier != index {
            copies += 1;
            contradicting += usize::from(training.labels[earlier] != training.labels[index]);
        }
    }
    told.extend(leak_remark(test, training, &known));
    told.extend(leak_remark(validation, training, &known));
    told.extend(leak_remark(test, validation, &Known::of(validation)));
    if copies as f64 >= NOTEWORTHY * training.len() as f64 {
        let repeat = if copies == 1 { "repeats another" } else { "repeat others" };
        // Only a split that is drawn can have copies on both sides.
        let consequence = match validation.len() {
            0 => ": validation accuracy is overstated where copies are on both sides of the split",
            _ => "",
        };
        told.push(format!("{} {repeat}{consequence}", of(copies, training.len(), training.name)));
    }
    if contradicting > 0 {
        let have = if contradicting == 1 { "has" } else { "have" };
        told.push(format!(
            "{} {have} another label than an identical one",
            of(contradicting, training.len(), training.name)
        ));
    }
    told
}

/// Says how many images of one part are in another as well.
fn leak_remark(part: &Part, other: &Part, known: &Known) -> Option<String> {
    let leaked = part.all().filter(|image| known.place_of(image).is_some()).count();
    // What is measured on images that were learnt from, or chosen by.
    let [name, others] = [part.name, other.name];
    let memorised = match others {
        "training" => format!("{name} accuracy only says what was memorised"),
        _ => format!("{name} accuracy says nothing that {others} accuracy does not"),
    };
    match leaked {
        0 => None,
        _ if part.images == other.images => {
            Some(format!("the {name} images are the {others} images: {memorised}"))
        }
        _ if leaked == part.len() => {
            Some(format!("every {name} image is also a {others} image: {memorised}"))
        }
        _ => {
            let are = match leaked {
                1 => format!("is also a {others} image"),
                _ => format!("are also {others} images"),
            };
            Some(format!("{} {are}: {name} accuracy is overstated", of(leaked, part.len(), name)))
        }
    }
}

/// The first of each of a part's images.
struct Known<'a> {
    part: &'a Part<'a>,
    first: HashMap<u64, usize>,
}

impl<'a> Known<'a> {
    fn of(part: &'a Part<'a>) -> Self {
        let mut first = HashMap::with_capacity(part.len());
        for (index, image) in part.all().enumerate() {
            first.entry(hash(image)).or_insert(index);
        }
        Self { part, first }
    }

    fn place_of(&self, image: &[u8]) -> Option<usize> {
        self.first.get(&hash(image)).copied().filter(|index| self.part.image(*index) == image)
    }
}

/// A hash of an image; whoever meets the same one compares the images.
pub(crate) fn hash(image: &[u8]) -> u64 {
    // Odd, with its bits well mixed: the fractional part of the golden ratio.
    const FACTOR: u64 = 0x9e37_79b9_7f4a_7c15;
    let mix = |state: u64, word: u64| (state.rotate_left(23) ^ word).wrapping_mul(FACTOR);
    let mut words = image.chunks_exact(8);
    let state = words.by_ref().fold(image.len() as u64, |state, word| {
        mix(state, u64::from_le_bytes(word.try_into().expect("eight bytes")))
    });
    words.remainder().iter().fold(state, |state, byte| mix(state, u64::from(*byte)))
}

/// `12 of 600 training images (2.0 %)`, `all 600 training images`.
fn of(count: usize, all: usize, part: &str) -> String {
    if count == all {
        return match all {
            1 => format!("the only {part} image"),
            _ => format!("all {}", counted(all, &format!("{part} image"))),
        };
    }
    format!(
        "{} of {} ({})",
        thousands(count as u64),
        counted(all, &format!("{part} image")),
        percent(count, all)
    )
}

fn counted(count: usize, noun: &str) -> String {
    format!("{} {noun}{}", thousands(count as u64), if count == 1 { "" } else { "s" })
}

/// With as many digits as show something.
fn percent(part: usize, all: usize) -> String {
    let value = 100.0 * part as f64 / all as f64;
    if value >= 0.1 { format!("{value:.1} %") } else { format!("{value:.2} %") }
}
