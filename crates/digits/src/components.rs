//! Pixels that hang together.

use std::ops::Range;

/// Pixels that hang together, sides and corners.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Component {
    /// Their places, row by row of the picture.
    pub(crate) places: Vec<usize>,
    /// From where to where they reach, in columns and in rows.
    pub(crate) bounds: [Range<usize>; 2],
}

/// Of a row without a pixel, to be widened by the first.
pub(crate) const EMPTY: Range<usize> = Range { start: usize::MAX, end: 0 };

impl Component {
    /// From where to where it reaches in each of its rows, in columns of the picture; gaps between count as its own.
    pub(crate) fn spans(&self, width: usize) -> Vec<Range<usize>> {
        let first = self.bounds[1].start;
        let mut spans = vec![EMPTY; self.bounds[1].len()];
        for place in &self.places {
            let span: &mut Range<usize> = &mut spans[place / width - first];
            *span = span.start.min(place % width)..span.end.max(place % width + 1);
        }
        spans
    }

    /// The corners of those spans, from row to row.
    pub(crate) fn corners(&self, width: usize) -> Vec<[f32; 2]> {
        let rows = self.spans(width).into_iter().zip(self.bounds[1].clone());
        rows.flat_map(|(span, row)| {
            let [left, right, top, down] = [span.start, span.end, row, row + 1].map(|place| place as f32);
            [[left, top], [right, top], [left, down], [right, down]]
        })
        .collect()
    }
}

/// The components of a mask, each flooded from its first pixel.
pub(crate) fn components(mask: Vec<bool>, width: usize) -> Vec<Component> {
    let mut unseen = mask;
    let mut components = Vec::new();
    for seed in 0..unseen.len() {
        if unseen[seed] {
            components.push(flooded(&mut unseen, width, seed));
        }
    }
    components
}

/// The component of the pixel at a place, which the mask then no longer holds.
pub(crate) fn flooded(unseen: &mut [bool], width: usize, seed: usize) -> Component {
    let height = unseen.len() / width;
    unseen[seed] = false;
    let mut places = vec![seed];
    let [mut columns, mut rows] = [seed % width..seed % width + 1, seed / width..seed / width + 1];
    let mut next = 0;
    while let Some(place) = places.get(next) {
        let (x, y) = (place % width, place / width);
        columns = columns.start.min(x)..columns.end.max(x + 1);
        rows = rows.start.min(y)..rows.end.max(y + 1);
        for y in y.saturating_sub(1)..height.min(y + 2) {
            for x in x.saturating_sub(1)..width.min(x + 2) {
                let neighbour = y * width + x;
                if std::mem::take(&mut unseen[neighbour]) {
                    places.push(neighbour);
                }
            }
        }
        next += 1;
    }
    Component { places, bounds: [columns, rows] }
}

/// Whether an area fills the least rectangle, however turned, round some points.
pub(crate) fn is_rectangular(area: usize, points: &[[f32; 2]]) -> bool {
    /// How much of the rectangle it fills: a circle fills π/4.
    const FILLED: f32 = 0.87;
    let rectangle = |degrees: usize| {
        let (sine, cosine) = (degrees as f32).to_radians().sin_cos();
        let length = |across: f32, down: f32| {
            let along = points.iter().map(|[x, y]| x * across + y * down);
            let (least, most) =
                along.fold((f32::MAX, f32::MIN), |(least, most), place| (least.min(place), most.max(place)));
            // The corners of pixels reach beyond what they are a raster of, the more the more it is turned.
            most - least - (across.abs() + down.abs() - 1.0)
        };
        length(cosine, sine) * length(-sine, cosine)
    };
    let least = (0..90).step_by(3).map(rectangle).fold(f32::MAX, f32::min);
    area as f32 >= FILLED * least
}

/// The smallest box round both.
pub(crate) fn joined(one: &[Range<usize>; 2], other: &[Range<usize>; 2]) -> [Range<usize>; 2] {
    [0, 1].map(|axis| one[axis].start.min(other[axis].start)..one[axis].end.max(other[axis].end))
}

/// The length of a box's longer side.
pub(crate) fn extent(bounds: &[Range<usize>; 2]) -> usize {
    bounds[0].len().max(bounds[1].len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn corners_hang_together_and_gaps_do_not() {
        let drawing = ["##....#", ".#.....", "..#..##", ".....#."];
        let mask = drawing.concat().bytes().map(|byte| byte == b'#').collect();
        let found: Vec<(usize, [Range<usize>; 2])> =
            components(mask, 7).into_iter().map(|found| (found.places.len(), found.bounds)).collect();
        assert_eq!(found, [(4, [0..3, 0..3]), (1, [6..7, 0..1]), (3, [5..7, 2..4])]);
        assert!(components(vec![false; 6], 3).is_empty());
    }

    #[test]
    fn rectangles_are_told_from_circles() {
        let of = |inside: &dyn Fn(f32, f32) -> bool| {
            let mask = (0..80 * 80)
                .map(|place| inside((place % 80) as f32 - 39.5, (place / 80) as f32 - 39.5))
                .collect();
            let found = &components(mask, 80)[0];
            is_rectangular(found.spans(80).iter().map(ExactSizeIterator::len).sum(), &found.corners(80))
        };
        for slope in [0.0, 0.2, 0.7, 1.0] {
            assert!(of(&|x, y| (x + slope * y).abs() < 25.0 && (y - slope * x).abs() < 15.0), "{slope}");
        }
        assert!(!of(&|x, y| x.hypot(y) < 30.0) && !of(&|x, y| (2.0 * x).hypot(y) < 35.0));
    }

    #[test]
    fn a_box_round_both_reaches_from_the_first_to_the_last() {
        let both = joined(&[2..5, 0..9], &[4..6, 3..4]);
        assert_eq!((extent(&both), both), (9, [2..6, 0..9]));
    }
}
