//! Which figures are one digit, and in which order digits are read.

use crate::{
    components::{EMPTY, extent, is_rectangular, joined},
    figures::Figure,
};
use std::ops::Range;

/// A figure of less than this part of the largest one's longer side, or that stands out by less than this part of its
/// depth, is no digit of its own.
const LEAST_DIGIT: f32 = 0.4;

/// A piece of less than this part of the digit's area is a speck.
const LEAST_PIECE: f32 = 0.02;

/// A piece belongs to a digit if it is nearer than this part of the digit's longer side.
const NEAR: f32 = 0.3;

/// Of two things of like size, those that are further from each other than this part of the larger one's longer side are
/// two digits.
const TOUCHING: f32 = 0.1;

/// Of two things of like size, those that lie side by side, or in two lines, overlap by at most this part.
const BESIDE: f32 = 0.3;

/// What is wider than high by this factor is no digit of its own.
const WIDE: f32 = 1.5;

/// Of two things one above the other that are both wider than high by this factor, each is half a digit.
const HALF: f32 = 1.2;

/// What has less than this part of a digit's height is no digit above, below or within it.
const LOW: f32 = 0.6;

/// Strokes are at most this part of a digit's longer side wide: what is wider is a sheet, a label or a blot.
const WIDEST_STROKE: f32 = 0.45;

/// What is left out is worth a word if its longer side is at least this part of the largest digit's.
const WORTH_A_WORD: f32 = 0.2;

/// The figures of one digit.
#[derive(Debug, Clone)]
pub(crate) struct Group {
    pub(crate) figures: Vec<Figure>,
    pub(crate) bounds: [Range<usize>; 2],
    pub(crate) area: usize,
}

impl Group {
    /// Of one figure.
    pub(crate) fn of(figure: Figure) -> Self {
        Self {
            bounds: figure.component.bounds.clone(),
            area: figure.component.places.len(),
            figures: vec![figure],
        }
    }

    pub(crate) fn extent(&self) -> usize {
        extent(&self.bounds)
    }

    /// How much of it there is.
    pub(crate) fn mass(&self) -> f32 {
        self.figures.iter().map(Figure::mass).sum()
    }

    /// The figure of which there is most.
    pub(crate) fn largest(&self) -> &Figure {
        let larger = |one: &&Figure, other: &&Figure| one.mass().total_cmp(&other.mass());
        self.figures.iter().max_by(larger).expect("a group has a figure")
    }

    /// Whether it is made of strokes.
    pub(crate) fn is_of_strokes(&self) -> bool {
        self.largest().stroke <= WIDEST_STROKE * self.extent() as f32
    }

    /// Whether it fills a rectangle, however turned, as a sheet of paper does.
    pub(crate) fn is_rectangular(&self, width: usize) -> bool {
        let area: usize = spans(self, width).iter().map(ExactSizeIterator::len).sum();
        let corners = self.figures.iter().flat_map(|figure| figure.component.corners(width));
        is_rectangular(area, &corners.collect::<Vec<_>>())
    }

    /// Which sides of the picture it touches.
    fn sides(&self) -> [bool; 4] {
        [0, 1, 2, 3].map(|side: usize| self.figures.iter().any(|figure| figure.on_sides[side] > 0))
    }

    pub(crate) fn join(&mut self, other: Self) {
        self.bounds = joined(&self.bounds, &other.bounds);
        self.area += other.area;
        self.figures.extend(other.figures);
    }

    /// Whether another group, no larger than this one, is a piece of the same digit: a stroke that the pen lifted from or
    /// skipped, and not a digit beside it.
    fn holds(&self, other: &Self, width: usize) -> bool {
        let size = self.extent() as f32;
        let [across, down] = [0, 1].map(|axis| gap(&self.bounds[axis], &other.bounds[axis]) as f32);
        if other.area < (LEAST_PIECE * self.area as f32) as usize {
            return false;
        }
        let [wide, high] = [0, 1].map(|axis| other.bounds[axis].len() as f32);
        if (other.extent() as f32) < LEAST_DIGIT * size || wide > WIDE * high {
            return across.max(down) <= NEAR * size;
        }
        let [beside, below] = [0, 1].map(|axis| overlap(&self.bounds[axis], &other.bounds[axis]));
        if beside <= BESIDE {
            return false;
        }
        // What is lower than the digits of one hand are, and the two halves of one.
        let [own_wide, own_high] = [0, 1].map(|axis| self.bounds[axis].len() as f32);
        let are_halves = wide > HALF * high && own_wide > HALF * own_high;
        let nearest = if high < LOW * own_high || are_halves { NEAR } else { TOUCHING };
        let distance = if below <= BESIDE { down } else { between(self, other, width) };
        distance <= nearest * size
    }
}

/// The digits that some figures of one polarity make, in reading order, and how many other things there are of such a size
/// that it is worth a word.
pub(crate) fn digits(figures: Vec<Figure>, width: usize) -> (Vec<Group>, usize) {
    let most = figures.iter().map(Figure::mass).fold(0.0, f32::max);
    let Some(largest) = figures.iter().find(|figure| figure.mass() == most) else { return (Vec::new(), 0) };
    let (size, level) = (largest.extent() as f32, largest.level);
    let clear = |figure: &&Figure| figure.level >= LEAST_DIGIT * level;
    let mut groups: Vec<Group> = figures.iter().filter(clear).cloned().map(Group::of).collect();
    groups.sort_by_key(|group| std::cmp::Reverse(group.extent()));
    // A piece can be near to one that joined before it.
    while let Some((larger, smaller)) = pair(&groups, width) {
        let piece = groups.remove(smaller);
        groups[larger].join(piece);
    }
    let whole = groups.iter().find(|group| group.largest().mass() == most);
    let size = whole.map_or(size, |group| group.extent() as f32);
    let of_size = |part: f32| move |group: &Group| group.extent() as f32 >= part * size;
    let (groups, others): (Vec<Group>, Vec<Group>) = groups.into_iter().partition(of_size(LEAST_DIGIT));
    // A digit that goes on beyond the border is there in pieces.
    let is_piece = |other: &Group| {
        let sides = other.sides();
        groups.iter().any(|group| group.sides().iter().zip(sides).any(|(one, other)| *one && other))
    };
    let left_out = others.iter().filter(|other| of_size(WORTH_A_WORD)(other) && !is_piece(other)).count();
    (in_reading_order(groups), left_out)
}

/// Two groups of one digit.
fn pair(groups: &[Group], width: usize) -> Option<(usize, usize)> {
    let mut pairs =
        (0..groups.len()).flat_map(|larger| (larger + 1..groups.len()).map(move |smaller| (larger, smaller)));
    pairs.find(|(larger, smaller)| groups[*larger].holds(&groups[*smaller], width))
}

/// Lines from top to bottom, each from left to right.
pub(crate) fn in_reading_order(mut groups: Vec<Group>) -> Vec<Group> {
    let middle = |group: &Group| group.bounds[1].start + group.bounds[1].end;
    groups.sort_by_key(middle);
    let mut lines: Vec<Vec<Group>> = Vec::new();
    for group in groups {
        // In one line the middle of each lies within the one before.
        let same_line = lines.last().and_then(|line| line.last()).is_some_and(|last| {
            let rows = &last.bounds[1];
            (2 * rows.start..2 * rows.end).contains(&middle(&group))
        });
        match lines.last_mut() {
            Some(line) if same_line => line.push(group),
            _ => lines.push(vec![group]),
        }
    }
    lines.iter_mut().for_each(|line| line.sort_by_key(|group| group.bounds[0].start));
    lines.into_iter().flatten().collect()
}

/// Pixels between two ranges.
fn gap(one: &Range<usize>, other: &Range<usize>) -> usize {
    one.start.saturating_sub(other.end).max(other.start.saturating_sub(one.end))
}

/// What part of the shorter of two ranges lies in the other.
fn overlap(one: &Range<usize>, other: &Range<usize>) -> f32 {
    let common = one.end.min(other.end).saturating_sub(one.start.max(other.start));
    common as f32 / one.len().min(other.len()) as f32
}

/// From where to where a group reaches in each of its rows; empty where it has no pixel.
fn spans(group: &Group, width: usize) -> Vec<Range<usize>> {
    let mut spans = vec![EMPTY; group.bounds[1].len()];
    for place in group.figures.iter().flat_map(|figure| &figure.component.places) {
        let span: &mut Range<usize> = &mut spans[place / width - group.bounds[1].start];
        *span = span.start.min(place % width)..span.end.max(place % width + 1);
    }
    spans
}

/// The least distance along a row between two groups that overlap in columns and in rows; 0 where one lies between parts
/// of the other.
fn between(one: &Group, other: &Group, width: usize) -> f32 {
    let (first, second) = (spans(one, width), spans(other, width));
    let common = one.bounds[1].start.max(other.bounds[1].start)..one.bounds[1].end.min(other.bounds[1].end);
    let least = common
        .map(|row| (&first[row - one.bounds[1].start], &second[row - other.bounds[1].start]))
        .filter(|(first, second)| !first.is_empty() && !second.is_empty())
        .map(|(first, second)| gap(first, second))
        .min();
    // In no row are both: one is above the other.
    least.map_or(0.0, |least| least as f32)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::components::components;

    /// The boxes of the digits in a drawing, and how many things are left out.
    fn boxes(drawing: &[&str]) -> (Vec<[Range<usize>; 2]>, usize) {
        let width = drawing[0].len();
        let mask = drawing.concat().bytes().map(|byte| byte == b'#').collect();
        let figures = components(mask, width).into_iter().map(|component| Figure {
            dark: true,
            component,
            level: 0.8,
            contrast: 0.8,
            stroke: 1.0,
            outlined: 1.0,
            on_sides: [0; 4],
            stretches: Vec::new(),
        });
        let (groups, left_out) = digits(figures.collect(), width);
        (groups.into_iter().map(|group| group.bounds).collect(), left_out)
    }

    #[test]
    fn strokes_that_a_pen_skipped_are_one_digit() {
        let five = [
            ".....####......",
            ".....#.........",
            ".....#.........",
            "...............",
            ".....#####.....",
            ".........#.....",
            ".....#####....#",
        ];
        assert_eq!(boxes(&five), (vec![[5..10, 0..7]], 0));
        // Two strokes of a four; their boxes overlap.
        let four = [
            ".#......", ".#..#...", ".#..#...", ".##.##..", ".##.#...", "..###...", ".....#..", ".....#..",
            ".....#..", ".....#..", ".....#..", ".....#..",
        ];
        assert_eq!(boxes(&four).0.len(), 1);
    }

    #[test]
    fn digits_are_read_line_by_line() {
        let drawing = [
            "....##......#...",
            ".#..#.......#...",
            ".#..##......#...",
            ".#...#..........",
            ".#..##..........",
            "................",
            "................",
            "..###...........",
            "..#.#....####...",
            "..###.......#...",
            "...........#....",
        ];
        let (found, left_out) = boxes(&drawing);
        let lefts: Vec<usize> = found.iter().map(|bounds| bounds[0].start).collect();
        assert_eq!((lefts, left_out), (vec![1, 4, 12, 2, 9], 0));
    }

    #[test]
    fn specks_are_nothing_and_smaller_things_are_counted() {
        let drawing = [
            ".######............",
            ".#.................",
            ".#.................",
            ".#.................",
            ".######........##..",
            "......#........##..",
            "......#............",
            "......#............",
            "......#............",
            ".######...........#",
        ];
        assert_eq!(boxes(&drawing), (vec![[1..7, 0..10]], 1));
        assert!(boxes(&["....", "...."]).0.is_empty());
    }
}
