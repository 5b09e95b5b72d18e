//! Channels of pixels: grey from colour, opacity laid on white, and another size.

use crate::Images;
use image::{ImageBuffer, Luma, Pixel, Rgb, imageops};
use rayon::prelude::*;

/// Red, green and blue to their luma (ITU-R BT.601) in fixed point, as Pillow's mode `L` has it.
pub(crate) fn luma(red: u8, green: u8, blue: u8) -> u8 {
    ((19_595 * u32::from(red) + 38_470 * u32::from(green) + 7_471 * u32::from(blue) + 0x8000) >> 16) as u8
}

/// A value of that opacity before white.
pub(crate) fn on_white(value: u8, opacity: u8) -> u8 {
    let (value, opacity) = (u32::from(value), u32::from(opacity));
    ((value * opacity + 255 * (255 - opacity) + 127) / 255) as u8
}

/// Lays pixels of red, green, blue and opacity on white: three channels, in the same memory.
pub(crate) fn lay_on_white(pixels: &mut Vec<u8>) {
    for pixel in 0..pixels.len() / 4 {
        let opacity = pixels[4 * pixel + 3];
        for channel in 0..3 {
            pixels[3 * pixel + channel] = on_white(pixels[4 * pixel + channel], opacity);
        }
    }
    pixels.truncate(pixels.len() / 4 * 3);
    pixels.shrink_to_fit();
}

/// Exchanges planes for pixels of three values, image by image: `[channel, row, column]` to `[row, column, channel]`.
pub(crate) fn interleave(pixels: &mut [u8], channels: usize, area: usize) {
    let mut planes = vec![0; channels * area];
    for image in pixels.chunks_exact_mut(channels * area) {
        planes.copy_from_slice(image);
        interleave_into(image, &planes, channels, area);
    }
}

/// One image's planes to pixels.
pub(crate) fn interleave_into(image: &mut [u8], planes: &[u8], channels: usize, area: usize) {
    for (pixel, values) in image.chunks_exact_mut(channels).enumerate() {
        for (channel, value) in values.iter_mut().enumerate() {
            *value = planes[channel * area + pixel];
        }
    }
}

impl Images {
    /// One channel of three, in the same memory.
    pub(crate) fn make_grey(&mut self) {
        for pixel in 0..self.pixels.len() / 3 {
            let place = 3 * pixel;
            self.pixels[pixel] = luma(self.pixels[place], self.pixels[place + 1], self.pixels[place + 2]);
        }
        self.pixels.truncate(self.pixels.len() / 3);
        self.pixels.shrink_to_fit();
        self.channels = 1;
    }

    /// The same images at another size.
    pub(crate) fn resize(&mut self, [height, width]: [usize; 2]) {
        let (length, resized_length) =
            (self.height * self.width * self.channels, height * width * self.channels);
        let mut pixels = vec![0; self.count * resized_length];
        let size = [self.height, self.width];
        let images = self.pixels.par_chunks_exact(length);
        pixels.par_chunks_exact_mut(resized_length).zip(images).for_each(|(resized, image)| {
            resized.copy_from_slice(&resize(image, size, self.channels, [height, width]));
        });
        (self.pixels, self.height, self.width) = (pixels, height, width);
    }
}

/// An image of 1 or 3 channels at another size.
pub(crate) fn resize(image: &[u8], from: [usize; 2], channels: usize, to: [usize; 2]) -> Vec<u8> {
    match channels {
        1 => resize_as::<Luma<u8>>(image, from, to),
        _ => resize_as::<Rgb<u8>>(image, from, to),
    }
}

fn resize_as<P: Pixel<Subpixel = u8> + 'static>(image: &[u8], from: [usize; 2], to: [usize; 2]) -> Vec<u8> {
    let [from_height, from_width] = from.map(|side| side as u32);
    let [to_height, to_width] = to.map(|side| side as u32);
    let buffer: ImageBuffer<P, &[u8]> =
        ImageBuffer::from_raw(from_width, from_height, image).expect("an image of its size");
    imageops::resize(&buffer, to_width, to_height, imageops::FilterType::Triangle).into_raw()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn opacity_and_luma_keep_white_and_black() {
        assert_eq!([luma(0, 0, 0), luma(255, 255, 255), luma(7, 7, 7)], [0, 255, 7]);
        // As Pillow 13 has them: Image.new("RGB", (1, 1), ...).convert("L").
        assert_eq!(
            [luma(255, 0, 0), luma(0, 255, 0), luma(0, 0, 255), luma(12, 200, 99)],
            [76, 150, 29, 132]
        );
        assert_eq!(
            [on_white(0, 0), on_white(0, 255), on_white(255, 128), on_white(0, 128)],
            [255, 0, 255, 127]
        );
        let mut pixels = vec![9, 8, 7, 255, 9, 8, 7, 0];
        lay_on_white(&mut pixels);
        assert_eq!(pixels, [9, 8, 7, 255, 255, 255]);
    }

    #[test]
    fn planes_become_pixels() {
        let mut pixels: Vec<u8> = vec![1, 2, 11, 12, 21, 22, 3, 4, 13, 14, 23, 24];
        interleave(&mut pixels, 3, 2);
        assert_eq!(pixels, [1, 11, 21, 2, 12, 22, 3, 13, 23, 4, 14, 24]);
    }

    #[test]
    fn a_smaller_image_averages_what_it_stands_for() {
        let image: Vec<u8> = (0..64).map(|pixel| if pixel % 2 == 0 { 0 } else { 200 }).collect();
        let resized = resize(&image, [8, 8], 1, [2, 2]);
        // Columns of 0 and 200 by turns: about their mean, where picking pixels would give 0 or 200.
        assert!(resized.iter().all(|value| (90..=110).contains(value)), "{resized:?}");
        assert_eq!(resize(&image, [8, 8], 1, [8, 8]), image);
        let constant = vec![77; 5 * 3 * 3];
        assert_eq!(resize(&constant, [5, 3], 3, [9, 2]), vec![77; 9 * 2 * 3]);
    }
}
