//! Random erasing.

use crate::{bounded, random::between, random::unit};
use rand_chacha::rand_core::Rng;
use spec::ImageShape;
use std::ops::Range;

/// Share of the image's area: `s_l` and `s_h` of Zhong, Zheng, Kang, Li and Yang (2017), section 4.1.
pub(super) const AREAS: (f64, f64) = (0.02, 0.4);

/// Height by width of the rectangle: `r_1` and `r_2` there.
pub(super) const ASPECTS: (f64, f64) = (0.3, 1.0 / 0.3);

/// Rectangles drawn until one fits. In a square image a draw fails once in seven, so that one image in 10¹³ is left as it is; in
/// an image of one row hardly any fits, and the paper's loop would not end.
const ATTEMPTS: usize = 16;

/// A rectangle of pixels.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Rectangle {
    pub(super) rows: Range<usize>,
    pub(super) columns: Range<usize>,
}

impl Rectangle {
    /// Number of pixels.
    pub(super) fn area(&self) -> usize {
        self.rows.len() * self.columns.len()
    }
}

/// What of an image is covered, if anything, and with what.
#[derive(Debug, Default)]
pub(super) struct Erasing {
    rectangle: Rectangle,
    /// `[row, column, channel]` of the rectangle.
    noise: Vec<u8>,
}

impl Erasing {
    /// Covers nothing.
    pub(super) fn clear(&mut self) {
        self.rectangle = Rectangle::default();
    }

    /// Covers a rectangle with `probability`. Its area and its aspect are uniform in [`AREAS`] and [`ASPECTS`], drawn anew
    /// where it does not fit (Zhong and others 2017, algorithm 1); its place is uniform among those inside the image, and
    /// every value of its pixels is a byte, all equally likely (their RE-R).
    pub(super) fn draw(&mut self, generator: &mut impl Rng, probability: f64, shape: ImageShape) {
        let ImageShape { height, width, channels } = shape;
        self.clear();
        if unit(generator) >= probability {
            return;
        }
        for _ in 0..ATTEMPTS {
            let area = between(generator, AREAS.0, AREAS.1) * (height * width) as f64;
            let aspect = between(generator, ASPECTS.0, ASPECTS.1);
            let rows = (area * aspect).sqrt().round() as usize;
            let columns = (area / aspect).sqrt().round() as usize;
            if (1..=height).contains(&rows) && (1..=width).contains(&columns) {
                let top = bounded(generator, (height - rows + 1) as u32) as usize;
                let left = bounded(generator, (width - columns + 1) as u32) as usize;
                self.rectangle = Rectangle { rows: top..top + rows, columns: left..left + columns };
                self.noise.resize(rows * columns * channels, 0);
                generator.fill_bytes(&mut self.noise);
                return;
            }
        }
    }

    /// Covers what lies in `row`; `output` is that row, `[column, channel]`, from 0 to 1.
    pub(super) fn cover<const CHANNELS: usize>(&self, row: usize, output: &mut [f32]) {
        let Rectangle { rows, columns } = &self.rectangle;
        if rows.contains(&row) {
            let values = CHANNELS * columns.start..CHANNELS * columns.end;
            let noise = self.noise.chunks_exact(values.len()).nth(row - rows.start).unwrap_or(&[]);
            for (value, noise) in output[values].iter_mut().zip(noise) {
                *value = f32::from(*noise) / 255.0;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::generator;

    /// In a large image rounding hardly matters: areas are uniform in 0.02..0.4 but for what does not fit, and the noise
    /// has the mean of a uniform byte.
    #[test]
    fn rectangles_have_the_paper_s_areas_and_aspects() {
        const DRAWS: usize = 4000;
        let mut generator = generator(3, 0);
        let mut erasing = Erasing::default();
        let (mut covered, mut large, mut sum, mut bytes) = (0, 0, 0.0, 0.0);
        for _ in 0..DRAWS {
            erasing.draw(&mut generator, 0.5, [250, 250].into());
            let Rectangle { rows, columns } = &erasing.rectangle;
            if rows.is_empty() {
                continue;
            }
            assert!(rows.end <= 250 && columns.end <= 250);
            let area = erasing.rectangle.area() as f64 / 62_500.0;
            let aspect = rows.len() as f64 / columns.len() as f64;
            assert!((0.0195..0.405).contains(&area) && (0.29..3.45).contains(&aspect), "{area} {aspect}");
            covered += 1;
            // All rectangles of less than 0.3 of the image fit, whatever their aspect.
            large += usize::from(area > 0.3);
            if area < 0.3 {
                sum += area;
            }
            bytes +=
                erasing.noise.iter().map(|byte| f64::from(*byte)).sum::<f64>() / erasing.noise.len() as f64;
        }
        // Five standard deviations of a binomial count with n = 4,000 and p = 1/2 are 158.
        assert!((DRAWS / 2).abs_diff(covered) < 158, "{covered}");
        let small = (covered - large) as f64;
        // The mean of 0.02..0.3 is 0.16, its standard deviation 0.081; about 1,500 draws: five errors are 0.011.
        assert!((sum / small - 0.16).abs() < 0.011, "{}", sum / small);
        // Of 0.02..0.4, 0.1 of 0.38 lies above 0.3, most of which fits.
        assert!((0.18..0.3).contains(&(large as f64 / covered as f64)), "{large} of {covered}");
        assert!((bytes / covered as f64 - 127.5).abs() < 1.0);
    }

    #[test]
    fn what_cannot_fit_is_left_out_and_what_can_is_drawn() {
        let mut generator = generator(4, 0);
        let mut erasing = Erasing::default();
        let mut covered = 0;
        for (height, width) in [(1, 256), (256, 1), (1, 1), (2, 3)].into_iter().cycle().take(400) {
            erasing.draw(&mut generator, 1.0, [height, width].into());
            let Rectangle { rows, columns } = &erasing.rectangle;
            assert!(rows.end <= height && columns.end <= width);
            covered += usize::from(!rows.is_empty());
            let mut output = vec![2.0; width];
            for row in 0..height {
                erasing.cover::<1>(row, &mut output);
            }
            assert_eq!(output.iter().filter(|pixel| **pixel != 2.0).count(), columns.len());
        }
        assert!(covered > 50, "{covered}");
        erasing.draw(&mut generator, 0.0, [28, 28].into());
        assert_eq!(erasing.rectangle.area(), 0);
    }
}
