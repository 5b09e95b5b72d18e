//! What is wide in a picture, without what is narrow: grey-level opening and closing (Serra, "Image Analysis and
//! Mathematical Morphology", 1982).

use crate::Picture;

/// The greatest picture below this one that squares of 2 × `half` + 1 pixels can be pushed up into: the most, over all
/// such squares around a pixel, of the least in the square.
///
/// Bright strokes narrower than the square vanish; edges of wide things, slopes and corners of half the plane stay where
/// they are. What lies beyond the picture neither adds nor takes away, so a strip along its border counts as wide.
pub(crate) fn opened(picture: &Picture, half: usize) -> Picture {
    opened_inside(picture, half, None)
}

/// The least picture above this one that squares can be pushed down into: the same for dark strokes.
pub(crate) fn closed(picture: &Picture, half: usize) -> Picture {
    closed_inside(picture, half, None)
}

/// As [`opened`], of the pixels of a mask: what is outside of it is as what lies beyond the picture, and stays.
pub(crate) fn opened_inside(picture: &Picture, half: usize, mask: Option<&[bool]>) -> Picture {
    let [outer, inner] = [f32::INFINITY, f32::NEG_INFINITY];
    of_padded(picture, half, mask, outer, |pixels, width| {
        let mut pixels = least(pixels, width, half);
        // Squares that hold no pixel of the picture push up nothing.
        pixels.iter_mut().filter(|pixel| **pixel == outer).for_each(|pixel| *pixel = inner);
        greatest(pixels, width, half)
    })
}

/// As [`closed`], of the pixels of a mask.
pub(crate) fn closed_inside(picture: &Picture, half: usize, mask: Option<&[bool]>) -> Picture {
    let [outer, inner] = [f32::NEG_INFINITY, f32::INFINITY];
    of_padded(picture, half, mask, outer, |pixels, width| {
        let mut pixels = greatest(pixels, width, half);
        pixels.iter_mut().filter(|pixel| **pixel == outer).for_each(|pixel| *pixel = inner);
        least(pixels, width, half)
    })
}

/// What a function makes of a picture with a margin of `half` pixels, so that squares may lie partly beyond its border,
/// where there is a neutral value as there is outside of a mask; those pixels stay as they are.
fn of_padded(
    picture: &Picture,
    half: usize,
    mask: Option<&[bool]>,
    neutral: f32,
    change: impl Fn(Vec<f32>, usize) -> Vec<f32>,
) -> Picture {
    let (width, height) = (picture.width(), picture.height());
    let wide = width + 2 * half;
    let is_inside = |place: usize| mask.is_none_or(|mask| mask[place]);
    let mut padded = vec![neutral; wide * (height + 2 * half)];
    for y in 0..height {
        for x in 0..width {
            let place = y * width + x;
            if is_inside(place) {
                padded[(y + half) * wide + x + half] = picture.pixels()[place];
            }
        }
    }
    let changed = change(padded, wide);
    let value = |place: usize| match is_inside(place) {
        true => changed[(place / width + half) * wide + place % width + half],
        false => picture.pixels()[place],
    };
    picture.with_pixels((0..width * height).map(value).collect())
}

/// Medians over squares of 3×3 pixels, which take out single pixels and leave edges where they are. Beyond the border its
/// pixels are repeated.
pub(crate) fn medians(picture: &Picture) -> Picture {
    let (width, height) = (picture.width(), picture.height());
    let mut pixels = Vec::with_capacity(width * height);
    for y in 0..height {
        let rows = [y.saturating_sub(1), y, (y + 1).min(height - 1)]
            .map(|y| &picture.pixels()[y * width..(y + 1) * width]);
        pixels.extend((0..width).map(|x| {
            // The median of nine is the median of the greatest of the least, the median of the medians and the least of
            // the greatest of three sorted columns.
            let columns = [x.saturating_sub(1), x, (x + 1).min(width - 1)]
                .map(|x| sorted([rows[0][x], rows[1][x], rows[2][x]]));
            let of = |place: usize| columns.map(|column| column[place]);
            let [lows, middles, highs] = [of(0), of(1), of(2)];
            let greatest_low = lows[0].max(lows[1]).max(lows[2]);
            let least_high = highs[0].min(highs[1]).min(highs[2]);
            sorted([greatest_low, sorted(middles)[1], least_high])[1]
        }));
    }
    picture.with_pixels(pixels)
}

fn sorted([a, b, c]: [f32; 3]) -> [f32; 3] {
    let (low, high) = (a.min(b), a.max(b));
    let (middle, high) = (high.min(c), high.max(c));
    [low.min(middle), low.max(middle), high]
}

/// The least in the squares around each pixel.
fn least(pixels: Vec<f32>, width: usize, half: usize) -> Vec<f32> {
    of_squares(pixels, width, half, f32::min, f32::INFINITY)
}

/// The most in the squares around each pixel.
fn greatest(pixels: Vec<f32>, width: usize, half: usize) -> Vec<f32> {
    of_squares(pixels, width, half, f32::max, f32::NEG_INFINITY)
}

fn of_squares(
    pixels: Vec<f32>,
    width: usize,
    half: usize,
    choose: impl Fn(f32, f32) -> f32 + Copy,
    neutral: f32,
) -> Vec<f32> {
    let height = pixels.len() / width;
    let along_rows: Vec<f32> =
        transposed(&of_windows_of_rows(transposed(&pixels, width), height, half, choose, neutral), height);
    of_windows_of_rows(along_rows, width, half, choose, neutral)
}

/// Columns as rows.
fn transposed(pixels: &[f32], width: usize) -> Vec<f32> {
    /// Pixels of a square block, whose rows and columns stay in the first-level cache.
    const BLOCK: usize = 16;
    let height = pixels.len() / width;
    let mut turned = vec![0.0; pixels.len()];
    for top in (0..height).step_by(BLOCK) {
        for left in (0..width).step_by(BLOCK) {
            for y in top..height.min(top + BLOCK) {
                for x in left..width.min(left + BLOCK) {
                    turned[x * height + y] = pixels[y * width + x];
                }
            }
        }
    }
    turned
}

/// In each column the least or most in windows of 2 × `half` + 1 rows around each, in three comparisons for each.
///
/// In blocks of a window's length, every window is the end of one block and the beginning of the next (van Herk, "A fast
/// algorithm for local minimum and maximum filters", 1992). Rows are gone through as a whole: neighbouring columns are
/// one vector.
fn of_windows_of_rows(
    pixels: Vec<f32>,
    width: usize,
    half: usize,
    choose: impl Fn(f32, f32) -> f32 + Copy,
    neutral: f32,
) -> Vec<f32> {
    let height = pixels.len() / width;
    let half = half.min(height);
    let window = 2 * half + 1;
    let rows = (height + 2 * half).next_multiple_of(window);
    let mut from_start = vec![neutral; rows * width];
    from_start[half * width..(half + height) * width].copy_from_slice(&pixels);
    let mut from_end = from_start.clone();
    let into = |row: &mut [f32], other: &[f32]| {
        row.iter_mut().zip(other).for_each(|(value, other)| *value = choose(*value, *other));
    };
    for row in (0..rows).filter(|row| row % window != 0) {
        let (before, here) = from_start.split_at_mut(row * width);
        into(&mut here[..width], &before[(row - 1) * width..]);
    }
    for row in (0..rows - 1).rev().filter(|row| (row + 1) % window != 0) {
        let (here, after) = from_end.split_at_mut((row + 1) * width);
        into(&mut here[row * width..], &after[..width]);
    }
    let mut chosen = pixels;
    for (row, chosen) in chosen.chunks_exact_mut(width).enumerate() {
        let ends = from_end[row * width..].iter().zip(&from_start[(row + window - 1) * width..]);
        chosen.iter_mut().zip(ends).for_each(|(value, (one, other))| *value = choose(*one, *other));
    }
    chosen
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn windows_are_those_that_one_would_look_through_one_by_one() {
        let column: Vec<f32> = (0..23).map(|index| ((index * 7) % 13) as f32).collect();
        for half in [0, 1, 2, 5, 30] {
            let expected: Vec<f32> = (0..column.len())
                .map(|place| &column[place.saturating_sub(half)..column.len().min(place + half + 1)])
                .map(|window| window.iter().copied().fold(f32::INFINITY, f32::min))
                .collect();
            let found = of_windows_of_rows(column.clone(), 1, half, f32::min, f32::INFINITY);
            assert_eq!(found, expected, "{half}");
        }
    }

    #[test]
    fn strokes_vanish_and_edges_stay() {
        let edge = |x: usize, y: usize| if x + y / 2 > 30 { 0.4 } else { 0.1 };
        let stroke = |x: usize, y: usize| (10..13).contains(&x) && (5..35).contains(&y);
        let picture = Picture::from_function(40, 40, |x, y| if stroke(x, y) { 0.9 } else { edge(x, y) });
        let opened = opened(&picture, 3);
        let expected = Picture::from_function(40, 40, edge);
        let wrong = opened.pixels().iter().zip(expected.pixels()).filter(|(a, b)| a != b).count();
        // The steps of a slanting edge are corners that a square does not reach into.
        assert!(wrong <= 20, "{wrong} pixels");
        let negative = picture.with_pixels(picture.pixels().iter().map(|value| 1.0 - value).collect());
        let closed = closed(&negative, 3);
        assert!(closed.pixels().iter().zip(opened.pixels()).all(|(a, b)| *a == 1.0 - *b));
    }

    #[test]
    fn a_strip_along_the_border_counts_as_wide() {
        let strip = Picture::from_function(30, 20, |x, y| if x < 2 || y >= 19 { 0.1 } else { 0.8 });
        assert_eq!(closed(&strip, 4).pixels(), strip.pixels());
        assert_eq!(opened(&strip, 4).pixels(), strip.pixels());
    }

    #[test]
    fn medians_are_those_of_sorted_neighbours() {
        let picture = Picture::from_function(7, 5, |x, y| ((x * 5 + y * 11) % 17) as f32);
        let found = medians(&picture);
        for y in 0..5usize {
            for x in 0..7usize {
                let mut near: Vec<f32> = [y.saturating_sub(1), y, (y + 1).min(4)]
                    .iter()
                    .flat_map(|y| [x.saturating_sub(1), x, (x + 1).min(6)].map(|x| picture.at(x, *y)))
                    .collect();
                near.sort_by(f32::total_cmp);
                assert_eq!(found.at(x, y), near[4], "{x}, {y}");
            }
        }
    }
}
