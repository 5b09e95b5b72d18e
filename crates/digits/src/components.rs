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
        assert_eq!(components(vec![false; 6], 3), []);
    }

    #[test]
    fn a_box_round_both_reaches_from_the_first_to_the_last() {
        let both = joined(&[2..5, 0..9], &[4..6, 3..4]);
        assert_eq!((extent(&both), both), (9, [2..6, 0..9]));
    }
}
