//! Square pictures and what they are made of.

use image::{DynamicImage, ImageFormat, Rgb, RgbImage};
use std::{f32::consts::TAU, io::Cursor};

/// A square picture in colour, from 0 to 1.
#[derive(Clone)]
pub(crate) struct Sheet {
    side: usize,
    pixels: Vec<[f32; 3]>,
}

impl Sheet {
    /// Of `side` × `side` pixels, row by row.
    pub(crate) fn of(side: usize, pixels: Vec<[f32; 3]>) -> Self {
        assert_eq!(pixels.len(), side * side);
        Self { side, pixels }
    }

    /// The negative.
    pub(crate) fn inverted(&self) -> Self {
        self.map(|value| 1.0 - value)
    }

    /// With normal noise of a standard deviation in each channel of each pixel.
    pub(crate) fn with_noise(&self, deviation: f32, seed: u64) -> Self {
        let mut random = Random::new(seed);
        self.map(|value| (value + deviation * random.normal()).clamp(0.0, 1.0))
    }

    /// As the bytes of a PNG file.
    pub(crate) fn png(&self) -> Vec<u8> {
        self.encoded(ImageFormat::Png)
    }

    /// As the bytes of a JPEG file of usual quality.
    pub(crate) fn jpeg(&self) -> Vec<u8> {
        self.encoded(ImageFormat::Jpeg)
    }

    fn map(&self, mut change: impl FnMut(f32) -> f32) -> Self {
        Self { side: self.side, pixels: self.pixels.iter().map(|pixel| pixel.map(&mut change)).collect() }
    }

    fn encoded(&self, format: ImageFormat) -> Vec<u8> {
        let byte = |value: f32| (255.0 * value).round() as u8;
        let image = RgbImage::from_fn(self.side as u32, self.side as u32, |x, y| {
            Rgb(self.pixels[y as usize * self.side + x as usize].map(byte))
        });
        let mut bytes = Cursor::new(Vec::new());
        DynamicImage::ImageRgb8(image).write_to(&mut bytes, format).expect("it is encoded");
        bytes.into_inner()
    }
}

/// Means over squares of 2 × `radius` + 1 pixels, along rows and then along columns, twice: nearly a normal blur.
pub(crate) fn blur(values: &mut Vec<f32>, side: usize, radius: usize) {
    for _ in 0..4 {
        // Rows become columns each time, so that four passes go twice each way.
        let mut turned = vec![0.0; values.len()];
        for (y, row) in values.chunks_exact(side).enumerate() {
            for x in 0..side {
                let near = &row[x.saturating_sub(radius)..side.min(x + radius + 1)];
                turned[x * side + y] = near.iter().sum::<f32>() / near.len() as f32;
            }
        }
        *values = turned;
    }
}

/// SplitMix64 (Steele, Lea and Flood, "Fast Splittable Pseudorandom Number Generators", 2014).
pub(crate) struct Random(u64);

impl Random {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// Sixty-four bits.
    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut word = self.0;
        word = (word ^ (word >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        word = (word ^ (word >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        word ^ (word >> 31)
    }

    /// Between 0 and 1, neither of them.
    pub(crate) fn unit(&mut self) -> f32 {
        ((self.next() >> 41) as f32 + 0.5) / (1 << 23) as f32
    }

    /// Between two bounds.
    pub(crate) fn between(&mut self, [least, most]: [f32; 2]) -> f32 {
        least + (most - least) * self.unit()
    }

    /// Of a normal distribution, by Box and Muller's formula.
    pub(crate) fn normal(&mut self) -> f32 {
        let (radius, turn) = ((-2.0 * self.unit().ln()).sqrt(), TAU * self.unit());
        radius * turn.cos()
    }
}
