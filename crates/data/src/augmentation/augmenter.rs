//! Images as a step learns from them.

use super::{
    Augmentation, AugmentationError,
    affine::Affine,
    colours::Colours,
    elastic::{Elastic, Field},
    erasing::{Erasing, Rectangle},
    mixing::Mixing,
    placing::Placing,
    sampler::Sampler,
};
use crate::{Dataset, generator};
use kernels::{InstructionSet, pixels::prefetch};
use rand_chacha::ChaCha8Rng;
use std::sync::{Mutex, PoisonError};

/// What an augmented image is to be taken for: its own label with `weight`, and `second` with 1 − `weight`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Target {
    /// The partner's label; the image's own where it has none.
    pub second: u8,
    /// The share of the image's own label, from 0 to 1; 1 where it has no partner.
    pub weight: f32,
}

/// Draws a data set's images augmented.
///
/// An image's changes are a function of the seed, the epoch and the image's index in the data set alone: whatever the
/// model, the size and order of the batches and the number of threads, it looks the same. Only its partner in mixup
/// and CutMix is one of its batch, and so depends on that: images of a validation set never come into a training.
/// The partner is mixed in as it is augmented itself in that epoch, unmixed.
///
/// Each kind of change has its own random numbers: switching one on or off changes no other.
#[derive(Debug)]
pub struct Augmenter<'a> {
    augmentation: Augmentation,
    dataset: &'a Dataset,
    /// The class that each of its images is taken for.
    labels: &'a [u8],
    seed: u64,
    /// Images are the same on every one.
    instructions: InstructionSet,
    elastic: Option<Elastic>,
    /// Memory that is lent out for the length of a draw: as many as there were draws at once.
    idle: Mutex<Vec<Scratch>>,
}

/// How many images before its turn an image is asked for from memory.
const AHEAD: usize = 4;

/// One image on its way.
#[derive(Debug, Default)]
struct Scratch {
    /// The image, cropped and flipped.
    placed: Vec<u8>,
    sampler: Sampler,
    field: Field,
    erasing: Erasing,
    /// A row of the partner.
    row: Vec<f32>,
}

/// Whose random numbers: the place of the first in an image's stream, in words.
#[derive(Debug, Clone, Copy)]
enum Draws {
    Affine = 0,
    Erasing = 1 << 20,
    Mixing = 2 << 20,
    /// 37,000 words for the largest image at the least smoothness.
    Elastic = 3 << 20,
    Placing = 4 << 20,
    Colours = 5 << 20,
}

impl<'a> Augmenter<'a> {
    /// Prepares to draw images of `dataset`.
    ///
    /// # Errors
    /// Names the first value of `augmentation` that cannot be used, or not on these images.
    pub fn new(
        augmentation: &Augmentation,
        dataset: &'a Dataset,
        seed: u64,
    ) -> Result<Self, AugmentationError> {
        augmentation.check_for(dataset.shape(), dataset.name())?;
        let Augmentation { elastic, smoothness, .. } = *augmentation;
        let elastic =
            (elastic != 0.0).then(|| Elastic::new(elastic, smoothness, dataset.height(), dataset.width()));
        let instructions = InstructionSet::detect();
        let labels = dataset.labels();
        let idle = Mutex::default();
        Ok(Self { augmentation: *augmentation, dataset, labels, seed, instructions, elastic, idle })
    }

    /// The same images, taken for other classes than the data set says.
    ///
    /// # Panics
    /// Unless there is a label for each image.
    #[must_use]
    pub fn with_labels(self, labels: &'a [u8]) -> Self {
        assert_eq!(labels.len(), self.dataset.len(), "a label for each image");
        Self { labels, ..self }
    }

    /// Writes image `batch[position]` of the data set, as it is in `epoch`, to `pixels`, `[row, column, channel]`, values
    /// from 0 to 1; overwrites. Without augmentation these are the bytes divided by 255.
    ///
    /// `batch` are the indices of all images of the step, from which a partner is taken. Any number of threads may draw
    /// at once. Memory is allocated only when more threads draw at once than ever before.
    ///
    /// # Panics
    /// When `position` is not in the batch, an index not in the data set, or `pixels` has another length than an image.
    pub fn draw(&self, epoch: usize, batch: &[u32], position: usize, pixels: &mut [f32]) -> Target {
        assert_eq!(pixels.len(), self.dataset.image_length(), "pixels of an image");
        let index = batch[position] as usize;
        if let Some(later) = batch.get(position + AHEAD) {
            prefetch(self.dataset.image(*later as usize));
        }
        if self.augmentation.is_none() {
            scale(self.dataset.image(index), pixels);
            return Target { second: self.labels[index], weight: 1.0 };
        }
        // Each compiled for itself.
        if self.dataset.shape().is_colour() {
            self.draw_in::<3>(epoch, batch, position, pixels)
        } else {
            self.draw_in::<1>(epoch, batch, position, pixels)
        }
    }

    fn draw_in<const CHANNELS: usize>(
        &self,
        epoch: usize,
        batch: &[u32],
        position: usize,
        pixels: &mut [f32],
    ) -> Target {
        let index = batch[position] as usize;
        let idle = || self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        let mut scratch = idle().pop().unwrap_or_default();
        self.instructions.run(
            #[inline(always)]
            || self.start::<CHANNELS>(epoch, index, &mut scratch).write(pixels),
        );
        let target = match self.mixing(epoch, batch, position) {
            None => Target { second: self.labels[index], weight: 1.0 },
            Some(mixing) => {
                let partner = batch[mixing.partner] as usize;
                self.instructions.run(
                    #[inline(always)]
                    || self.mix::<CHANNELS>(epoch, partner, &mixing, &mut scratch, pixels),
                );
                Target { second: self.labels[partner], weight: mixing.weight }
            }
        };
        idle().push(scratch);
        target
    }

    /// The random numbers of one kind of change of an image. An epoch, counted from 1, has streams that no shuffling of
    /// the same seed has.
    fn generator(&self, epoch: usize, index: usize, draws: Draws) -> ChaCha8Rng {
        let mut generator = generator(self.seed, (epoch as u64) << 32 | index as u64);
        if draws as u32 > 0 {
            generator.set_word_pos(u128::from(draws as u32));
        }
        generator
    }

    fn mixing(&self, epoch: usize, batch: &[u32], position: usize) -> Option<Mixing> {
        self.augmentation.mixes().then(|| {
            let generator = &mut self.generator(epoch, batch[position] as usize, Draws::Mixing);
            let (height, width) = (self.dataset.height(), self.dataset.width());
            Mixing::draw(generator, &self.augmentation, batch.len(), position, height, width)
        })?
    }

    /// Draws an image's own changes.
    #[inline(always)]
    fn start<'s, const CHANNELS: usize>(
        &'s self,
        epoch: usize,
        index: usize,
        scratch: &'s mut Scratch,
    ) -> Augmented<'s, CHANNELS> {
        let Self { augmentation, dataset, .. } = self;
        let (shape, original) = (dataset.shape(), dataset.image(index));
        let mut image = original;
        // A closure would be compiled by itself, without the vectors.
        if augmentation.copies() {
            let placing = Placing::draw(&mut self.generator(epoch, index, Draws::Placing), augmentation);
            placing.copy::<CHANNELS>(original, shape.width, &mut scratch.placed);
            image = &scratch.placed;
        }
        let affine = if augmentation.moves() {
            scratch.sampler.set::<CHANNELS>(image, shape.width);
            let generator = &mut self.generator(epoch, index, Draws::Affine);
            Some(Affine::draw(generator, augmentation, shape.height, shape.width))
        } else {
            None
        };
        if let Some(elastic) = &self.elastic {
            elastic.draw(&mut self.generator(epoch, index, Draws::Elastic), &mut scratch.field);
        }
        let colours = if augmentation.recolours() {
            let generator = &mut self.generator(epoch, index, Draws::Colours);
            Some(Colours::draw::<CHANNELS>(generator, augmentation, original))
        } else {
            None
        };
        scratch.erasing.clear();
        if augmentation.erasing != 0.0 {
            let generator = &mut self.generator(epoch, index, Draws::Erasing);
            scratch.erasing.draw(generator, augmentation.erasing, shape);
        }
        let original = (!augmentation.copies()).then_some(original);
        Augmented { original, width: shape.width, affine, elastic: self.elastic.as_ref(), colours, scratch }
    }

    /// Brings the partner into `pixels`.
    #[inline(always)]
    fn mix<const CHANNELS: usize>(
        &self,
        epoch: usize,
        partner: usize,
        mixing: &Mixing,
        scratch: &mut Scratch,
        pixels: &mut [f32],
    ) {
        let width = self.dataset.width();
        let whole = Rectangle { rows: 0..self.dataset.height(), columns: 0..width };
        let Rectangle { rows, columns } = mixing.rectangle.as_ref().unwrap_or(&whole);
        let values = CHANNELS * columns.start..CHANNELS * columns.end;
        let mut row = std::mem::take(&mut scratch.row);
        row.resize(CHANNELS * width, 0.0);
        let mut partner = self.start::<CHANNELS>(epoch, partner, scratch);
        for at in rows.clone() {
            partner.row(at, &mut row);
            let pixels = pixels[at * CHANNELS * width..][values.clone()].iter_mut().zip(&row[values.clone()]);
            if mixing.rectangle.is_some() {
                pixels.for_each(|(pixel, other)| *pixel = *other);
            } else {
                pixels.for_each(|(pixel, other)| *pixel = *other + mixing.weight * (*pixel - *other));
            }
        }
        scratch.row = row;
    }
}

/// An image with its own changes, all drawn.
struct Augmented<'s, const CHANNELS: usize> {
    /// None where it was cropped or flipped, and so is in the scratch memory.
    original: Option<&'s [u8]>,
    width: usize,
    /// None where ink stays where it is.
    affine: Option<Affine>,
    elastic: Option<&'s Elastic>,
    /// None where values stay what they are.
    colours: Option<Colours>,
    scratch: &'s mut Scratch,
}

impl<const CHANNELS: usize> Augmented<'_, CHANNELS> {
    #[inline(always)]
    fn write(&mut self, pixels: &mut [f32]) {
        for (row, output) in pixels.chunks_exact_mut(CHANNELS * self.width).enumerate() {
            self.row(row, output);
        }
    }

    #[inline(always)]
    fn row(&mut self, row: usize, output: &mut [f32]) {
        let Scratch { placed, sampler, field, erasing, .. } = &mut *self.scratch;
        match &self.affine {
            None => {
                let (image, length) = (self.original.unwrap_or(placed), CHANNELS * self.width);
                scale(&image[row * length..][..length], output);
            }
            Some(affine) => {
                let displacements = self.elastic.map(|elastic| elastic.row(field, row));
                sampler.row::<CHANNELS>(affine, displacements, row, output);
            }
        }
        if let Some(colours) = &self.colours {
            colours.change::<CHANNELS>(output);
        }
        erasing.cover::<CHANNELS>(row, output);
    }
}

/// Bytes divided by 255.
#[inline(always)]
fn scale(bytes: &[u8], pixels: &mut [f32]) {
    for (pixel, byte) in pixels.iter_mut().zip(bytes) {
        *pixel = f32::from(*byte) / 255.0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every kind, in grey and in colour, on each instruction set that this machine has.
    #[test]
    fn no_instruction_set_shows_in_an_image() {
        let all = Augmentation {
            crop: 3,
            flip: 0.5,
            shift: 2.0,
            rotation: 15.0,
            scale: 0.15,
            shear: 10.0,
            elastic: 34.0,
            brightness: 0.4,
            contrast: 0.4,
            erasing: 0.5,
            mixup: 0.4,
            cutmix: 1.0,
            ..Augmentation::default()
        };
        let coloured = Augmentation { saturation: 0.4, grey: 0.2, ..all };
        let mut bytes = vec![0; 8 * 20 * 14 * 3];
        rand_chacha::rand_core::Rng::fill_bytes(&mut generator(1, 0), &mut bytes);
        let set = |bytes: &[u8], channels: usize| {
            Dataset::new("noise", bytes.to_vec(), vec![0, 1, 0, 1, 0, 1, 0, 1], [20, 14, channels], 2)
        };
        let colour = set(&bytes, 3).expect("a set");
        let grey = set(&bytes[..8 * 20 * 14], 1).expect("a set");
        for (set, augmentation) in [(&grey, all), (&colour, coloured)] {
            let drawn = |instructions| {
                let mut augmenter = Augmenter::new(&augmentation, set, 1).expect("usable values");
                augmenter.instructions = instructions;
                let mut images = vec![f32::NAN; 40 * set.image_length()];
                for (number, pixels) in images.chunks_exact_mut(set.image_length()).enumerate() {
                    augmenter.draw(1 + number / 8, &[3, 1, 4, 0, 5, 2, 6, 7], number % 8, pixels);
                }
                images
            };
            let portable = drawn(InstructionSet::PORTABLE);
            for instructions in InstructionSet::available() {
                assert_eq!(drawn(instructions), portable, "{}, {}", instructions.name(), set.shape());
            }
        }
    }
}
