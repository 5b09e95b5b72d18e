//! A digit drawn as MNIST's makers drew theirs.

use crate::{Picture, strokes};
use std::ops::Range;

/// Pixels on a side of a digit's image.
pub const SIDE: usize = 28;

/// Pixels of the longer side of the digit itself.
pub const BOX: usize = 20;

/// A digit that would be enlarged by less than this part to fill [`BOX`] pixels is not scaled: that would blur it more
/// than it would change its size, and MNIST's own images, whose faint edges make them seem smaller, are to stay what they
/// are.
const SAME_SIZE: f32 = 0.15;

/// Where a digit's centre of mass is put, in pixels from the image's edge: in the middle of the pixel at index 14, where
/// MNIST's are (the mean over its 10,000 test images is at index 14.01 from the left, 13.99 from the top).
pub(crate) const CENTRE: f32 = SIDE as f32 / 2.0 + 0.5;

/// Strokes thinner than this many pixels of the digit are drawn again with a pen of [`PEN`].
const THIN: f32 = 1.5;

/// Width in pixels of the strokes that thin ones become.
const PEN: f32 = 2.2;

/// Fits, centres and draws.
pub(crate) fn drawn(ink: &Picture, mask: &[bool]) -> [u8; SIDE * SIDE] {
    let [columns, rows] = edges(ink);
    let extent = length(&columns).max(length(&rows));
    let stroke = strokes::width(mask, ink.width(), ink.pixels().iter().sum());
    let scale = BOX as f32 / extent;
    if stroke * scale < THIN && stroke < extent {
        // The middle of the strokes spans extent − stroke; with the pen's width around it, it is to fill the box.
        let scale = (BOX as f32 - PEN) / (extent - stroke);
        let radius = (PEN / scale - stroke) / 2.0;
        return placed(&strokes::thickened(ink, mask, radius), scale, false);
    }
    if (0.97..1.0 + SAME_SIZE).contains(&scale) { placed(ink, 1.0, true) } else { placed(ink, scale, false) }
}

/// Draws at a scale, with the centre of mass in the middle, moved by whole pixels if that is asked for.
fn placed(ink: &Picture, scale: f32, by_whole_pixels: bool) -> [u8; SIDE * SIDE] {
    let [x, y] = centre_of_mass(ink);
    let shift = |centre: f32| {
        let shift = CENTRE - scale * centre;
        if by_whole_pixels { shift.round() } else { shift }
    };
    let drawn = resampled(ink, scale, [shift(x), shift(y)]);
    let most = drawn.iter().copied().fold(f32::MIN_POSITIVE, f32::max);
    let mut pixels = [0; SIDE * SIDE];
    for (pixel, value) in pixels.iter_mut().zip(drawn) {
        *pixel = (255.0 * value / most).round() as u8;
    }
    pixels
}

/// From where to where the ink reaches in columns and in rows, in pixels: where the most of a column or row passes half.
fn edges(ink: &Picture) -> [Range<f32>; 2] {
    let (width, height) = (ink.width(), ink.height());
    let most_of_column = |x| (0..height).map(|y| ink.at(x, y)).fold(0.0, f32::max);
    let most_of_row = |y| (0..width).map(|x| ink.at(x, y)).fold(0.0, f32::max);
    [span((0..width).map(most_of_column).collect()), span((0..height).map(most_of_row).collect())]
}

/// From where to where values, each of the middle of its pixel, are above half of the greatest, read linearly between.
fn span(values: Vec<f32>) -> Range<f32> {
    let half = values.iter().copied().fold(0.0, f32::max) / 2.0;
    let first = values.iter().position(|value| *value >= half).unwrap_or(0);
    let last = values.iter().rposition(|value| *value >= half).unwrap_or(0);
    // How far the crossing lies beyond the middle of the pixel inside; what is beyond the picture is 0.
    let beyond = |inside: f32, outside: f32| (inside - half) / (inside - outside).max(f32::MIN_POSITIVE);
    let before = first.checked_sub(1).map_or(0.0, |place| values[place]);
    let after = values.get(last + 1).copied().unwrap_or(0.0);
    first as f32 + 0.5 - beyond(values[first], before)..last as f32 + 0.5 + beyond(values[last], after)
}

fn length(range: &Range<f32>) -> f32 {
    range.end - range.start
}

/// In pixels from the left and from the top.
pub(crate) fn centre_of_mass(ink: &Picture) -> [f32; 2] {
    let (mut mass, mut moments) = (0.0, [0.0; 2]);
    for (index, value) in ink.pixels().iter().enumerate() {
        let value = f64::from(*value);
        mass += value;
        moments[0] += value * ((index % ink.width()) as f64 + 0.5);
        moments[1] += value * ((index / ink.width()) as f64 + 0.5);
    }
    moments.map(|moment| (moment / mass) as f32)
}

/// The picture scaled and then shifted, read as the mean over the area of each of the 28×28 pixels; where the picture
/// is enlarged, over the area of one of its own pixels, which is bilinear interpolation.
pub(crate) fn resampled(picture: &Picture, scale: f32, [right, down]: [f32; 2]) -> Vec<f32> {
    let columns: Vec<_> = (0..SIDE).map(|place| weights(place, scale, right, picture.width())).collect();
    let rows: Vec<_> = (0..SIDE).map(|place| weights(place, scale, down, picture.height())).collect();
    // First along the rows, of which there are as many as in the picture.
    let narrowed: Vec<[f32; SIDE]> = (0..picture.height())
        .map(|y| {
            std::array::from_fn(|place| columns[place].iter().map(|(x, part)| part * picture.at(*x, y)).sum())
        })
        .collect();
    let value =
        |row: &[(usize, f32)], place: usize| row.iter().map(|(y, part)| part * narrowed[*y][place]).sum();
    rows.iter().flat_map(|row| (0..SIDE).map(move |place| value(row, place))).collect()
}

/// Which of `length` pixels make a pixel of the digit, each with its part.
fn weights(place: usize, scale: f32, shift: f32, length: usize) -> Vec<(usize, f32)> {
    let middle = (place as f32 + 0.5 - shift) / scale;
    let reach = (1.0 / scale).max(1.0) / 2.0;
    let (from, to) = (middle - reach, middle + reach);
    let first = from.floor().max(0.0) as usize;
    let end = (to.ceil().max(0.0) as usize).min(length);
    (first..end)
        .map(|pixel| (pixel, (to.min(pixel as f32 + 1.0) - from.max(pixel as f32)) / (2.0 * reach)))
        .collect()
}
