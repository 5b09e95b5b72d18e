//! A grey picture.

use crate::PictureError;
use std::ops::Range;

/// Pixels on a side of the largest picture that is read.
pub const MAXIMUM_SIDE: usize = 16_384;

/// Larger pictures are reduced until their longer side has no more pixels than this: a digit that fills a fiftieth of
/// the picture's side then still has MNIST's resolution, and the work is bounded for every camera.
const LONGEST_SIDE: usize = 2048;

/// A grey picture: one value a pixel, row by row, from 0 (black) to 1 (white).
#[derive(Debug, Clone, PartialEq)]
pub struct Picture {
    width: usize,
    height: usize,
    pixels: Vec<f32>,
    /// Pixels of the file along a side of one of these.
    reduction: usize,
    /// Columns and rows of the file.
    full: [usize; 2],
}

impl Picture {
    /// A picture of `width` × `height` values, row by row; what lies outside of 0 to 1 is taken as 0 or 1.
    ///
    /// # Errors
    /// When a side is 0 or above [`MAXIMUM_SIDE`], there are more or fewer values than pixels, or one is not finite.
    pub fn new(width: usize, height: usize, mut pixels: Vec<f32>) -> Result<Self, PictureError> {
        check_sides(width, height)?;
        if pixels.len() != width * height {
            return Err(PictureError::PixelCount { expected: width * height, found: pixels.len() });
        }
        if let Some(index) = pixels.iter().position(|value| !value.is_finite()) {
            return Err(PictureError::NotFinite { index, found: pixels[index].to_string() });
        }
        pixels.iter_mut().for_each(|value| *value = value.clamp(0.0, 1.0));
        Ok(Self { width, height, pixels, reduction: 1, full: [width, height] })
    }

    /// Pixels from left to right.
    pub fn width(&self) -> usize {
        self.width
    }

    /// Pixels from top to bottom.
    pub fn height(&self) -> usize {
        self.height
    }

    /// The values, row by row.
    pub fn pixels(&self) -> &[f32] {
        &self.pixels
    }

    /// The picture, reduced by averaging over squares of pixels until its longer side is no longer than that.
    pub fn no_larger_than(self, side: usize) -> Self {
        self.reduced(side.max(1))
    }

    /// Whether dark ink lies on a light ground: most of the border is light, and what is inside of it is darker.
    pub fn is_dark_on_light(&self) -> bool {
        let is_border = |place: usize| {
            let (x, y) = (place % self.width, place / self.width);
            x == 0 || y == 0 || x + 1 == self.width || y + 1 == self.height
        };
        let of = |border: bool| {
            let values = self.pixels.iter().enumerate().filter(move |(place, _)| is_border(*place) == border);
            values.map(|(_, value)| *value)
        };
        let light = of(true).filter(|value| *value > 0.5).count();
        let mean = |border: bool| of(border).sum::<f32>() / (of(border).count() as f32).max(1.0);
        2 * light > of(true).count() && mean(false) < mean(true)
    }

    /// A picture of the values that a function has for columns and rows, for a size that was checked.
    pub(crate) fn from_function(width: usize, height: usize, value: impl Fn(usize, usize) -> f32) -> Self {
        let value = &value;
        let pixels = (0..height).flat_map(|y| (0..width).map(move |x| value(x, y))).collect();
        Self { width, height, pixels, reduction: 1, full: [width, height] }
    }

    /// The values that a function has for columns and rows, averaged over squares until the longer side is short
    /// enough.
    pub(crate) fn averaged(width: usize, height: usize, value: impl Fn(usize, usize) -> f32) -> Self {
        Self::averaged_over(width.max(height).div_ceil(LONGEST_SIDE), width, height, value)
    }

    /// This picture, reduced by averaging over squares until its longer side has at most `longest` pixels.
    pub(crate) fn reduced(&self, longest: usize) -> Self {
        self.reduced_by(self.width.max(self.height).div_ceil(longest))
    }

    /// This picture, half as large.
    pub(crate) fn halved(&self) -> Self {
        self.reduced_by(2)
    }

    fn reduced_by(&self, side: usize) -> Self {
        let reduced = Self::averaged_over(side, self.width, self.height, |x, y| self.at(x, y));
        Self { reduction: self.reduction * side, full: self.full, ..reduced }
    }

    /// The part of this picture in some columns and rows.
    pub(crate) fn part(&self, [columns, rows]: &[Range<usize>; 2]) -> Self {
        let pixels = rows.clone().flat_map(|y| &self.pixels[y * self.width..][columns.clone()]).copied();
        Self { width: columns.len(), height: rows.len(), pixels: pixels.collect(), ..*self }
    }

    /// This picture with other values, made from these.
    pub(crate) fn with_pixels(&self, pixels: Vec<f32>) -> Self {
        Self { pixels, ..*self }
    }

    /// This picture turned: its size exchanged if that is asked for, and its values from the places that a function
    /// tells.
    pub(crate) fn rearranged(&self, exchanged: bool, place: impl Fn(usize, usize) -> (usize, usize)) -> Self {
        let exchange =
            |[width, height]: [usize; 2]| if exchanged { [height, width] } else { [width, height] };
        let [width, height] = exchange([self.width, self.height]);
        let value = |x, y| {
            let (x, y) = place(x, y);
            self.at(x, y)
        };
        let turned = Self::from_function(width, height, value);
        Self { reduction: self.reduction, full: exchange(self.full), ..turned }
    }

    /// Pixels of the file along a side of one of these.
    pub(crate) fn reduction(&self) -> usize {
        self.reduction
    }

    /// Columns and rows of the file, as it is seen.
    pub(crate) fn full(&self) -> [usize; 2] {
        self.full
    }

    pub(crate) fn at(&self, x: usize, y: usize) -> f32 {
        self.pixels[y * self.width + x]
    }

    /// Averages over squares of `side` × `side`, of which those at the right and at the bottom may be cut off.
    fn averaged_over(side: usize, width: usize, height: usize, value: impl Fn(usize, usize) -> f32) -> Self {
        if side == 1 {
            return Self::from_function(width, height, value);
        }
        let (columns, rows) = (width.div_ceil(side), height.div_ceil(side));
        let mut pixels = vec![0.0; columns * rows];
        for (row, sums) in pixels.chunks_exact_mut(columns).enumerate() {
            let ys = row * side..height.min((row + 1) * side);
            for y in ys.clone() {
                for (column, sum) in sums.iter_mut().enumerate() {
                    let xs = column * side..width.min((column + 1) * side);
                    *sum += xs.map(|x| value(x, y)).sum::<f32>();
                }
            }
            for (column, sum) in sums.iter_mut().enumerate() {
                *sum /= (ys.len() * (width.min((column + 1) * side) - column * side)) as f32;
            }
        }
        Self { width: columns, height: rows, pixels, reduction: side, full: [width, height] }
    }
}

/// Refuses a picture that has no pixels, or too many on a side.
pub(crate) fn check_sides(width: usize, height: usize) -> Result<(), PictureError> {
    let fits = |side| (1..=MAXIMUM_SIDE).contains(&side);
    if fits(width) && fits(height) { Ok(()) } else { Err(PictureError::Sides { width, height }) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn averages_are_over_squares_and_over_what_is_left_of_them() {
        let picture = Picture::from_function(3, 2, |x, y| (x + 3 * y) as f32).halved();
        assert_eq!((picture.width, picture.height), (2, 1));
        assert_eq!(picture.pixels, [2.0, 3.5]);
    }

    #[test]
    fn the_longer_side_decides_how_far_a_picture_is_reduced() {
        let sizes = [(2_048, 3), (2_049, 3), (1, 5_000), (4_000, 3_000)]
            .map(|(width, height)| Picture::averaged(width, height, |_, _| 0.25))
            .map(|picture| {
                (picture.width, picture.height, picture.pixels.iter().all(|value| *value == 0.25))
            });
        assert_eq!(sizes, [(2_048, 3, true), (1_025, 2, true), (1, 1_667, true), (2_000, 1_500, true)]);
    }

    #[test]
    fn a_light_border_round_dark_ink_is_a_light_ground() {
        let of = |ground: f32, ink: f32| {
            Picture::from_function(9, 9, |x, y| if x == 4 && y > 0 { ink } else { ground }).is_dark_on_light()
        };
        assert!(of(1.0, 0.0) && of(0.7, 0.3));
        assert!(!of(0.0, 1.0) && !of(0.3, 0.1) && !of(0.7, 0.9) && !of(1.0, 1.0));
    }

    #[test]
    fn pictures_that_cannot_be_are_refused() {
        let error = |width, height, pixels: &[f32]| {
            Picture::new(width, height, pixels.to_vec()).expect_err("it is refused").to_string()
        };
        assert_eq!(error(0, 3, &[]), "a picture of 1 to 16384 pixels a side expected, 0×3 found");
        assert_eq!(error(16_385, 1, &[]), "a picture of 1 to 16384 pixels a side expected, 16385×1 found");
        assert_eq!(error(2, 2, &[0.0; 3]), "4 values expected, one for each pixel, 3 found");
        let expected = "a finite value expected for each pixel, NaN found at index 1";
        assert_eq!(error(2, 1, &[0.0, f32::NAN]), expected);
        assert_eq!(Picture::new(2, 1, vec![-3.0, 7.0]).expect("a picture").pixels(), [0.0, 1.0]);
    }
}
