//! What is wide in a picture, without what is narrow: grey-level opening (Serra, "Image Analysis and Mathematical
//! Morphology", 1982).

use crate::Picture;

/// The greatest picture below this one that squares of 2 × `half` + 1 pixels can be pushed up into: the most, over all
/// such squares around a pixel, of the least in the square.
///
/// Bright strokes narrower than the square vanish; edges of wide things, slopes and corners of half the plane stay where
/// they are. What lies beyond the picture neither adds nor takes away.
pub(crate) fn opened(picture: &Picture, half: usize) -> Picture {
    let least = of_squares(picture, half, f32::min, f32::INFINITY);
    of_squares(&least, half, f32::max, f32::NEG_INFINITY)
}

/// Means over squares of 2 × `half` + 1 pixels, as far as they lie in the picture.
pub(crate) fn smoothed(picture: &Picture, half: usize) -> Picture {
    twice_along_rows(picture, |row| {
        let mean = |x: usize| {
            let near = &row[x.saturating_sub(half)..row.len().min(x + half + 1)];
            near.iter().sum::<f32>() / near.len() as f32
        };
        (0..row.len()).map(mean).collect()
    })
}

fn of_squares(picture: &Picture, half: usize, choose: fn(f32, f32) -> f32, neutral: f32) -> Picture {
    twice_along_rows(picture, |row| of_windows(row, half, choose, neutral))
}

/// Does to all rows, and then to all columns, what a function does to a row.
fn twice_along_rows(picture: &Picture, change: impl Fn(&[f32]) -> Vec<f32>) -> Picture {
    let turned = |picture: &Picture| {
        let rows: Vec<Vec<f32>> = picture.pixels().chunks_exact(picture.width()).map(&change).collect();
        Picture::from_function(picture.height(), picture.width(), |x, y| rows[x][y])
    };
    turned(&turned(picture))
}

/// The least or most in windows of 2 × `half` + 1 values around each value, in three comparisons for each.
///
/// In blocks of a window's length, every window is the end of one block and the beginning of the next (van Herk, "A fast
/// algorithm for local minimum and maximum filters", 1992).
fn of_windows(row: &[f32], half: usize, choose: fn(f32, f32) -> f32, neutral: f32) -> Vec<f32> {
    let window = 2 * half + 1;
    let mut from_start = vec![neutral; (row.len() + 2 * half).next_multiple_of(window)];
    from_start[half..half + row.len()].copy_from_slice(row);
    let mut from_end = from_start.clone();
    for (ascending, descending) in from_start.chunks_exact_mut(window).zip(from_end.chunks_exact_mut(window))
    {
        for place in 1..window {
            ascending[place] = choose(ascending[place], ascending[place - 1]);
            descending[window - 1 - place] =
                choose(descending[window - 1 - place], descending[window - place]);
        }
    }
    (0..row.len()).map(|place| choose(from_end[place], from_start[place + window - 1])).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn windows_are_those_that_one_would_look_through_one_by_one() {
        let row: Vec<f32> = (0..23).map(|index| ((index * 7) % 13) as f32).collect();
        for half in [0, 1, 2, 5, 30] {
            let expected: Vec<f32> = (0..row.len())
                .map(|place| &row[place.saturating_sub(half)..row.len().min(place + half + 1)])
                .map(|window| window.iter().copied().fold(f32::INFINITY, f32::min))
                .collect();
            assert_eq!(of_windows(&row, half, f32::min, f32::INFINITY), expected, "{half}");
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
    }

    #[test]
    fn means_are_of_what_lies_in_the_picture() {
        let smoothed = smoothed(&Picture::from_function(3, 1, |x, _| x as f32), 1);
        assert_eq!(smoothed.pixels(), [0.5, 1.0, 1.5]);
    }
}
