//! Strokes: how wide a pen drew them, and a wider one.

use crate::{Picture, components::Component};
use std::f32::consts::FRAC_PI_4;

/// Mean width of the strokes in a mask, in pixels, with `area` pixels of ink: twice the area over the perimeter, as of
/// a rectangle much longer than wide.
///
/// The perimeter is π/4 times the number of sides between a pixel inside and one outside: that many more sides has a
/// line of random direction than pixels of length, as |cos φ| + |sin φ| is 4/π on average.
pub(crate) fn width(mask: &[bool], columns: usize, area: f32) -> f32 {
    let rows = mask.len() / columns;
    let inside = |x: usize, y: usize| usize::from(x < columns && y < rows && mask[y * columns + x]);
    let mut sides = 0;
    for y in 0..rows {
        for x in 0..columns {
            if mask[y * columns + x] {
                let around = inside(x.wrapping_sub(1), y) + inside(x + 1, y);
                sides += 4 - around - inside(x, y.wrapping_sub(1)) - inside(x, y + 1);
            }
        }
    }
    2.0 * area / (FRAC_PI_4 * sides as f32)
}

/// Width in pixels of the widest place of a component: nearly the diameter of the largest circle in it. The distances to
/// the pixels outside are counted in steps of 1 and 4/3 (Borgefors, "Distance transformations in digital images", 1986).
/// What lies beyond the picture is as what lies at its border.
pub(crate) fn widest(component: &Component, width: usize) -> f32 {
    const STRAIGHT: u16 = 3;
    const DIAGONAL: u16 = 4;
    let [columns, rows] = &component.bounds;
    // With a margin of pixels that are outside.
    let (wide, high) = (columns.len() + 2, rows.len() + 2);
    let mut steps = vec![0u16; wide * high];
    for place in &component.places {
        let (x, y) = (place % width - columns.start, place / width - rows.start);
        steps[(y + 1) * wide + x + 1] = u16::MAX - DIAGONAL;
    }
    let inner = || (1..high - 1).flat_map(|y| (1..wide - 1).map(move |x| y * wide + x));
    for place in inner() {
        let near = (steps[place - 1].min(steps[place - wide]) + STRAIGHT)
            .min(steps[place - wide - 1].min(steps[place - wide + 1]) + DIAGONAL);
        steps[place] = steps[place].min(near);
    }
    let mut most = 0;
    for place in inner().rev() {
        let near = (steps[place + 1].min(steps[place + wide]) + STRAIGHT)
            .min(steps[place + wide + 1].min(steps[place + wide - 1]) + DIAGONAL);
        steps[place] = steps[place].min(near);
        most = most.max(steps[place]);
    }
    // The middle of a pixel at distance 1 is half a pixel inside.
    2.0 * f32::from(most) / f32::from(STRAIGHT) - 1.0
}

/// For each pixel its distance from the nearest of the mask's, or `limit` if that is less.
///
/// The squared distance is the least over the columns of the squared distance along the row plus the squared distance
/// within that column.
pub(crate) fn distances(mask: &[bool], columns: usize, limit: f32) -> Vec<f32> {
    let within_columns = distances_within_columns(mask, columns, limit);
    let reach = limit.ceil() as usize;
    let mut distances = Vec::with_capacity(mask.len());
    for row in within_columns.chunks_exact(columns) {
        for x in 0..columns {
            let from = x.saturating_sub(reach);
            let near = &row[from..columns.min(x + reach + 1)];
            let squares = near.iter().enumerate().map(|(index, vertical)| {
                let horizontal = (from + index) as f32 - x as f32;
                horizontal * horizontal + vertical * vertical
            });
            distances.push(squares.fold(limit * limit, f32::min).sqrt());
        }
    }
    distances
}

fn distances_within_columns(mask: &[bool], columns: usize, limit: f32) -> Vec<f32> {
    let mut distances: Vec<f32> = mask.iter().map(|inside| if *inside { 0.0 } else { limit }).collect();
    for place in columns..mask.len() {
        distances[place] = distances[place].min(distances[place - columns] + 1.0);
    }
    for place in (columns..mask.len()).rev() {
        distances[place - columns] = distances[place - columns].min(distances[place] + 1.0);
    }
    distances
}

/// Ink as a pen draws it that is wider by `radius` pixels on both sides, on a picture that is so much larger all around.
pub(crate) fn thickened(ink: &Picture, mask: &[bool], radius: f32) -> Picture {
    let margin = radius.ceil() as usize + 1;
    let (columns, rows) = (ink.width(), ink.height());
    let place = |x: usize, y: usize| {
        let (x, y) = (x.checked_sub(margin)?, y.checked_sub(margin)?);
        (x < columns && y < rows).then_some((x, y))
    };
    let (wide, high) = (columns + 2 * margin, rows + 2 * margin);
    let padded: Vec<bool> = (0..wide * high)
        .map(|index| place(index % wide, index / wide).is_some_and(|(x, y)| mask[y * columns + x]))
        .collect();
    let distances = distances(&padded, wide, radius + 1.0);
    // A pixel's middle is half a pixel inside of its edge: one at a distance of radius + 1/2 is half covered.
    Picture::from_function(wide, high, |x, y| {
        let covered = (radius + 1.0 - distances[y * wide + x]).clamp(0.0, 1.0);
        place(x, y).map_or(covered, |(x, y)| covered.max(ink.at(x, y)))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A ring of the given radii in 64×64 pixels.
    fn ring(inner: f32, outer: f32) -> Vec<bool> {
        let distance = |index: usize| ((index % 64) as f32 - 31.5).hypot((index / 64) as f32 - 31.5);
        (0..64 * 64).map(|index| (inner..outer).contains(&distance(index))).collect()
    }

    #[test]
    fn a_rings_width_is_that_of_its_stroke() {
        for stroke in [2.0, 4.0, 8.0] {
            let mask = ring(20.0, 20.0 + stroke);
            let area = mask.iter().filter(|inside| **inside).count() as f32;
            let found = width(&mask, 64, area);
            assert!((found / stroke - 1.0).abs() < 0.1, "{found} for {stroke}");
        }
    }

    #[test]
    fn the_widest_place_is_a_circles_diameter() {
        let of = |mask: Vec<bool>| {
            let found = crate::components::components(mask, 64);
            widest(&found[0], 64)
        };
        for stroke in [1.0, 4.0, 9.0] {
            let found = of(ring(15.0, 15.0 + stroke));
            assert!((found - stroke).abs() <= 1.0, "{found} for {stroke}");
        }
        let found = of(ring(0.0, 20.0));
        assert!((found - 40.0).abs() < 4.0, "{found}");
        assert_eq!(of((0..64 * 64).map(|index| index == 70).collect()), 1.0);
    }

    #[test]
    fn distances_are_those_of_the_nearest_pixel() {
        let mask = ring(20.0, 21.0);
        let places: Vec<usize> = (0..mask.len()).filter(|place| mask[*place]).collect();
        for (place, found) in distances(&mask, 64, 6.0).into_iter().enumerate() {
            let to = |other: &usize| {
                ((place % 64) as f32 - (other % 64) as f32).hypot((place / 64) as f32 - (other / 64) as f32)
            };
            let expected = places.iter().map(to).fold(6.0, f32::min);
            assert!((found - expected).abs() < 1e-5, "{found}, {expected} at {place}");
        }
    }

    #[test]
    fn a_stroke_grows_by_the_radius_on_both_sides() {
        let mask: Vec<bool> = (0..20 * 20).map(|index| index % 20 == 9).collect();
        let ink = Picture::from_function(20, 20, |x, _| if x == 9 { 1.0 } else { 0.0 });
        for radius in [0.0, 0.5, 1.0, 2.25] {
            let wider = thickened(&ink, &mask, radius);
            let row: f32 = wider.pixels()[wider.width() * 10..][..wider.width()].iter().sum();
            assert!((row - 1.0 - 2.0 * radius).abs() < 1e-5, "{row} for {radius}");
        }
    }
}
