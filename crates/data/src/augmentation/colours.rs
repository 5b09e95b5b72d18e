//! Brightness, contrast, saturation and grey.

use super::Augmentation;
use crate::random::{between, unit};
use rand_chacha::rand_core::Rng;

/// Values that are summed in one go: a whole number of vectors, and of pixels with one channel or three.
const LANES: usize = 48;

/// How the values of one image change.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Colours {
    /// Factors.
    brightness: f32,
    contrast: f32,
    /// 0 where the image becomes grey.
    saturation: f32,
    /// What contrast adds: the mean grey times one less its factor.
    offset: f32,
}

impl Colours {
    /// Draws four numbers, whichever of them are used, for the image `[row, column, channel]`.
    #[inline(always)]
    pub(super) fn draw<const CHANNELS: usize>(
        generator: &mut impl Rng,
        augmentation: &Augmentation,
        image: &[u8],
    ) -> Self {
        let mut factor = |limit: f64| between(generator, (1.0 - limit).max(0.0), 1.0 + limit) as f32;
        let brightness = factor(augmentation.brightness);
        let contrast = factor(augmentation.contrast);
        let saturation = factor(augmentation.saturation);
        let grey = unit(generator) < augmentation.grey;
        Self::new::<CHANNELS>([brightness, contrast, if grey { 0.0 } else { saturation }], image)
    }

    #[inline(always)]
    fn new<const CHANNELS: usize>([brightness, contrast, saturation]: [f32; 3], image: &[u8]) -> Self {
        let offset =
            if contrast == 1.0 { 0.0 } else { (1.0 - contrast) * mean_grey::<CHANNELS>(image, brightness) };
        Self { brightness, contrast, saturation, offset }
    }

    /// Changes values from 0 to 1, of whole pixels.
    #[inline(always)]
    pub(super) fn change<const CHANNELS: usize>(&self, values: &mut [f32]) {
        let (pixels, _) = values.as_chunks_mut::<CHANNELS>();
        for pixel in pixels {
            for value in pixel.iter_mut() {
                *value = clamp(self.contrast * clamp(self.brightness * *value) + self.offset);
            }
            if CHANNELS == 3 {
                let grey = (1.0 - self.saturation) * luma(pixel[0], pixel[1], pixel[2]);
                for value in pixel.iter_mut() {
                    *value = clamp(self.saturation * *value + grey);
                }
            }
        }
    }
}

/// The mean grey of an image whose values, from 0 to 1, are multiplied by `brightness` and clamped.
#[inline(always)]
fn mean_grey<const CHANNELS: usize>(image: &[u8], brightness: f32) -> f32 {
    let factor = brightness / 255.0;
    let mut sums = [0.0_f32; LANES];
    let (blocks, rest) = image.as_chunks::<LANES>();
    for block in blocks {
        for (sum, byte) in sums.iter_mut().zip(block) {
            *sum += clamp(factor * f32::from(*byte));
        }
    }
    for (sum, byte) in sums.iter_mut().zip(rest) {
        *sum += clamp(factor * f32::from(*byte));
    }
    let mut channels = [0.0; CHANNELS];
    for sums in sums.as_chunks::<CHANNELS>().0 {
        for (channel, sum) in channels.iter_mut().zip(sums) {
            *channel += sum;
        }
    }
    let grey = if CHANNELS == 3 { luma(channels[0], channels[1], channels[2]) } else { channels[0] };
    grey / (image.len() / CHANNELS) as f32
}

/// The grey of a pixel by Rec. 601, 0.299 red + 0.587 green + 0.114 blue; of equal values exactly that value.
///
/// These are Pillow's weights and so torchvision's for its images; for its tensors it has 0.2989, which makes white 0.9999.
#[inline(always)]
fn luma(red: f32, green: f32, blue: f32) -> f32 {
    green + 0.299 * (red - green) + 0.114 * (blue - green)
}

/// Limits a value to 0..=1; NaN becomes 0.
#[inline(always)]
fn clamp(value: f32) -> f32 {
    // One instruction each, where `f32::clamp` needs more to keep what is not a number.
    let positive = if value > 0.0 { value } else { 0.0 };
    if positive < 1.0 { positive } else { 1.0 }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::generator;

    fn scaled(image: &[u8]) -> Vec<f32> {
        image.iter().map(|byte| f32::from(*byte) / 255.0).collect()
    }

    fn changed<const CHANNELS: usize>(factors: [f32; 3], image: &[u8]) -> Vec<f32> {
        let mut values = scaled(image);
        Colours::new::<CHANNELS>(factors, image).change::<CHANNELS>(&mut values);
        values
    }

    fn some_bytes(length: usize) -> Vec<u8> {
        let mut bytes = vec![0; length];
        generator(21, 0).fill_bytes(&mut bytes);
        bytes
    }

    #[derive(serde::Deserialize)]
    struct Case {
        channels: usize,
        factors: [f32; 3],
        image: Vec<u8>,
        expected: Vec<f32>,
    }

    /// `golden/augmentation/make.py` says what the values are.
    #[test]
    fn images_change_as_in_torchvision() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../golden/augmentation/values.json");
        let cases: Vec<Case> =
            serde_json::from_str(&std::fs::read_to_string(path).expect("the file")).expect("JSON");
        assert_eq!(cases.len(), 52);
        for Case { channels, factors, image, expected } in cases {
            let found =
                if channels == 3 { changed::<3>(factors, &image) } else { changed::<1>(factors, &image) };
            assert_eq!(found.len(), expected.len());
            for (found, expected) in found.iter().zip(&expected) {
                assert!(
                    (found - expected).abs() < 1e-6,
                    "{channels} channels, {factors:?}: {found}, {expected}"
                );
            }
        }
    }

    #[test]
    fn factors_of_one_change_no_bit() {
        let image = some_bytes(300);
        assert_eq!(changed::<3>([1.0; 3], &image), scaled(&image));
        assert_eq!(changed::<1>([1.0; 3], &image), scaled(&image));
        let none = Augmentation::default();
        let drawn = Colours::draw::<3>(&mut generator(1, 0), &none, &image);
        assert_eq!(drawn, Colours::new::<3>([1.0; 3], &image));
    }

    /// Three equal channels are a grey image: they stay equal, and are what the grey image becomes.
    #[test]
    fn equal_channels_are_grey() {
        let grey = some_bytes(100);
        let colour: Vec<u8> = grey.iter().flat_map(|byte| [*byte; 3]).collect();
        for factors in [[1.0, 1.0, 0.0], [1.3, 0.6, 0.0], [0.7, 1.6, 0.4], [1.1, 0.2, 1.7]] {
            let [one, three] = [changed::<1>(factors, &grey), changed::<3>(factors, &colour)];
            for (one, three) in one.iter().zip(three.as_chunks::<3>().0) {
                assert_eq!(*three, [three[0]; 3]);
                assert!((one - three[0]).abs() < 1e-6, "{factors:?}: {one}, {three:?}");
            }
        }
    }

    /// Factors fill their ranges, none is below 0, an image is grey as often as asked, and no number is another's.
    #[test]
    fn draws_fill_their_ranges() {
        let some = Augmentation { brightness: 0.4, contrast: 2.0, grey: 0.3, ..Augmentation::default() };
        let image = [128; 3];
        let drawn = |augmentation: &Augmentation| {
            let draw = |seed| Colours::draw::<3>(&mut generator(seed, 0), augmentation, &image);
            (0..4000).map(draw).collect::<Vec<_>>()
        };
        let colours = drawn(&some);
        let range = |value: fn(&Colours) -> f32| {
            let values = colours.iter().map(value);
            (values.clone().fold(9.0, f32::min), values.fold(0.0, f32::max))
        };
        let (least, most) = range(|colours| colours.brightness);
        assert!((0.6..0.602).contains(&least) && (1.398..=1.4).contains(&most), "{least} to {most}");
        let (least, most) = range(|colours| colours.contrast);
        assert!((0.0..0.01).contains(&least) && (2.99..=3.0).contains(&most), "{least} to {most}");
        let grey: Vec<bool> = colours.iter().map(|colours| colours.saturation == 0.0).collect();
        // Five standard deviations of a binomial count with n = 4,000 and p = 0.3 are 145.
        assert!(grey.iter().filter(|grey| **grey).count().abs_diff(1200) < 145);
        assert!(colours.iter().all(|colours| [0.0, 1.0].contains(&colours.saturation)));
        let only_grey = drawn(&Augmentation { grey: 0.3, ..Augmentation::default() });
        assert!(only_grey.iter().map(|colours| colours.saturation == 0.0).eq(grey));
        assert!(only_grey.iter().all(|colours| (colours.brightness, colours.contrast) == (1.0, 1.0)));
    }
}
