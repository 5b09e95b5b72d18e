//! Crop and flip: whole pixels, copied.

use super::Augmentation;
use crate::{bounded, random::unit};
use rand_chacha::rand_core::Rng;

/// Which pixel of the old image the new one shows: that of `row + down` and `column + across`, black where there is none;
/// then left and right are exchanged if it is `flipped`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Placing {
    down: isize,
    across: isize,
    flipped: bool,
}

impl Placing {
    /// Draws the flip first: what a crop draws then shows in no flip, nor the other way round.
    pub(super) fn draw(generator: &mut impl Rng, augmentation: &Augmentation) -> Self {
        let flipped = unit(generator) < augmentation.flip;
        let crop = augmentation.crop as isize;
        let mut offset = || bounded(generator, 2 * crop as u32 + 1) as isize - crop;
        Self { down: offset(), across: offset(), flipped }
    }

    /// Overwrites `placed` with the image as it is placed; both are `[row, column, channel]`.
    #[inline(always)]
    pub(super) fn copy<const CHANNELS: usize>(self, image: &[u8], width: usize, placed: &mut Vec<u8>) {
        placed.clear();
        placed.resize(image.len(), 0);
        let (image, _) = image.as_chunks::<CHANNELS>();
        let (placed, _) = placed.as_chunks_mut::<CHANNELS>();
        let height = image.len() / width;
        let (rows, columns) = (kept(self.down, height), kept(self.across, width));
        if columns.is_empty() {
            return;
        }
        let first = columns.start.wrapping_add_signed(self.across);
        for row in rows {
            let from = row.wrapping_add_signed(self.down) * width;
            let from = &image[from + first..][..columns.len()];
            let to = &mut placed[row * width..][..width];
            if self.flipped {
                let to = to.iter_mut().rev().skip(columns.start);
                to.zip(from).for_each(|(to, from)| *to = *from);
            } else {
                to[columns.clone()].copy_from_slice(from);
            }
        }
    }
}

/// The places of `length` for which there is one `offset` further on.
fn kept(offset: isize, length: usize) -> std::ops::Range<usize> {
    let beyond = offset.unsigned_abs().min(length);
    if offset < 0 { beyond..length } else { 0..length - beyond }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::generator;

    fn placed<const CHANNELS: usize>(placing: Placing, image: &[u8], width: usize) -> Vec<u8> {
        // What was in it before leaves no trace.
        let mut placed = vec![99; 7];
        placing.copy::<CHANNELS>(image, width, &mut placed);
        placed
    }

    /// Pixel by pixel.
    fn reference(placing: Placing, image: &[u8], [width, channels]: [usize; 2]) -> Vec<u8> {
        let height = image.len() / width / channels;
        let pixel = |at: usize| {
            let (row, column, channel) = (at / channels / width, at / channels % width, at % channels);
            let column = if placing.flipped { width - 1 - column } else { column };
            let (row, column) = (row as isize + placing.down, column as isize + placing.across);
            let inside = (0..height as isize).contains(&row) && (0..width as isize).contains(&column);
            if inside { image[(row as usize * width + column as usize) * channels + channel] } else { 0 }
        };
        (0..image.len()).map(pixel).collect()
    }

    #[test]
    fn every_placing_copies_what_a_slow_copier_copies() {
        let image: Vec<u8> = (1..=90).collect();
        for (down, across) in (-7..=7).flat_map(|down| (-11..=11).map(move |across| (down, across))) {
            for flipped in [false, true] {
                let placing = Placing { down, across, flipped };
                for width in [5, 6, 30] {
                    let expected = reference(placing, &image, [width, 3]);
                    assert_eq!(placed::<3>(placing, &image, width), expected, "{placing:?}, {width}");
                }
                assert_eq!(
                    placed::<1>(placing, &image, 9),
                    reference(placing, &image, [9, 1]),
                    "{placing:?}"
                );
            }
        }
    }

    #[test]
    fn a_flip_of_a_flip_is_the_image() {
        let image: Vec<u8> = (0..60).collect();
        let flip = Placing { down: 0, across: 0, flipped: true };
        let once = placed::<3>(flip, &image, 5);
        assert_eq!(once[..6], [12, 13, 14, 9, 10, 11]);
        assert_eq!(placed::<3>(flip, &once, 5), image);
    }

    /// Every offset from −2 to 2 as often, along both axes; flips as often as asked; neither draws a number of the other's.
    #[test]
    fn draws_are_uniform_and_independent() {
        let drawn = |flip, crop| {
            let augmentation = Augmentation { flip, crop, ..Augmentation::default() };
            (0..5000)
                .map(move |seed| Placing::draw(&mut generator(seed, 0), &augmentation))
                .collect::<Vec<_>>()
        };
        let both = drawn(0.3, 2);
        let mut counts = [[0_u32; 5]; 2];
        for placing in &both {
            counts[0][(placing.down + 2) as usize] += 1;
            counts[1][(placing.across + 2) as usize] += 1;
        }
        // Five standard deviations of a binomial count with n = 5,000 are 141 for p = 1/5, 162 for p = 0.3.
        assert!(counts.as_flattened().iter().all(|count| count.abs_diff(1000) < 141), "{counts:?}");
        let flips = |drawn: &[Placing]| drawn.iter().map(|placing| placing.flipped).collect::<Vec<_>>();
        assert!(flips(&both).iter().filter(|flipped| **flipped).count().abs_diff(1500) < 162);
        assert_eq!(flips(&drawn(0.3, 0)), flips(&both));
        let offsets = |drawn: &[Placing]| {
            drawn.iter().map(|placing| [placing.down, placing.across]).collect::<Vec<_>>()
        };
        assert_eq!(offsets(&drawn(0.0, 2)), offsets(&both));
        assert!(offsets(&drawn(1.0, 0)).as_flattened().iter().all(|offset| *offset == 0));
    }
}
