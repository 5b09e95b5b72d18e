//! Strips along the sides of a picture: what a scanner leaves round the paper, or a table that the paper nearly covers.

use crate::Picture;
use std::ops::Range;

/// A strip is at most this part of the picture wide.
const WIDEST: f32 = 0.16;

/// Its tone differs from the paper's by at least this much.
const LEAST_DIFFERENCE: f32 = 0.25;

/// A strip's edge is straight: so many of its places lie this near to one line, in pixels and parts of the picture's side.
const STRAIGHT: f32 = 0.9;
const NEAR_PIXELS: f32 = 1.5;
const NEAR_PART: f32 = 0.006;

/// Along the cut at most this part of the pixels may be of the strip's tone: more is ink that runs into it, as the stem of
/// a seven that was cropped to its size runs into the bar.
const MOST_CROSSING: f32 = 0.02;

/// What is left is a page and not the bar of a one: its sides differ by at most this factor.
const LONGEST_PAGE: f32 = 2.5;

/// An edge is looked at in at most so many places.
const PLACES: usize = 256;

/// The columns and the rows of a picture between the strips along its sides.
pub(crate) fn inside(picture: &Picture) -> [Range<usize>; 2] {
    let found = Side::ALL.map(|side| side.strip(picture));
    let cut = |side: usize| found[side].as_ref().map_or(0, |strip| strip.cut);
    let range = |axis: usize, length: usize| cut(2 * axis)..length - cut(2 * axis + 1);
    let box_of_all = [range(0, picture.width()), range(1, picture.height())];
    let mut inside = [0..picture.width(), 0..picture.height()];
    for (index, (side, strip)) in Side::ALL.iter().zip(&found).enumerate() {
        let along = &box_of_all[1 - index / 2];
        if let Some(strip) = strip
            && !side.is_crossed(picture, strip, along)
        {
            match index % 2 {
                0 => inside[index / 2].start = strip.cut,
                _ => inside[index / 2].end -= strip.cut,
            }
        }
    }
    let [columns, rows] = [inside[0].len(), inside[1].len()].map(|length| length as f32);
    if columns.max(rows) > LONGEST_PAGE * columns.min(rows) {
        return [0..picture.width(), 0..picture.height()];
    }
    inside
}

/// A side of a picture.
#[derive(Clone, Copy)]
enum Side {
    Left,
    Right,
    Top,
    Bottom,
}

/// What lies along a side.
struct Strip {
    /// Pixels to cut away.
    cut: usize,
    /// Between its tone and the paper's.
    threshold: f32,
    is_dark: bool,
}

impl Side {
    const ALL: [Self; 4] = [Self::Left, Self::Right, Self::Top, Self::Bottom];

    /// Pixels from this side to the other, and along it.
    fn lengths(self, picture: &Picture) -> [usize; 2] {
        let (width, height) = (picture.width(), picture.height());
        match self {
            Self::Left | Self::Right => [width, height],
            Self::Top | Self::Bottom => [height, width],
        }
    }

    /// The value so many pixels away from the side, at a place along it.
    fn at(self, picture: &Picture, away: usize, along: usize) -> f32 {
        match self {
            Self::Left => picture.at(away, along),
            Self::Right => picture.at(picture.width() - 1 - away, along),
            Self::Top => picture.at(along, away),
            Self::Bottom => picture.at(along, picture.height() - 1 - away),
        }
    }

    /// The strip along this side, if there is one.
    fn strip(self, picture: &Picture) -> Option<Strip> {
        let [across, along] = self.lengths(picture);
        let limit = (WIDEST * across as f32) as usize;
        // At the ends there may be the strips of other sides.
        let end = (WIDEST * along as f32).ceil() as usize;
        let places: Vec<usize> = (end..along - end.min(along)).step_by(along.div_ceil(PLACES)).collect();
        if limit == 0 || places.len() < 8 {
            return None;
        }
        let median_at =
            |away: usize| median(places.iter().map(|place| self.at(picture, away, *place)).collect());
        let (tone, paper) = (median_at(0), median_at(limit));
        if (tone - paper).abs() < LEAST_DIFFERENCE {
            return None;
        }
        let (threshold, is_dark) = ((tone + paper) / 2.0, tone < paper);
        // A frame or a ruled line is dark as well, and has paper behind it.
        let is_paper = |away: usize| away < across && (median_at(away) > threshold) == is_dark;
        if ![3 * limit / 2, 2 * limit].into_iter().all(is_paper) {
            return None;
        }
        let width_at =
            |place: &usize| (0..limit).find(|away| (self.at(picture, *away, *place) > threshold) == is_dark);
        let widths: Vec<f32> = places.iter().map(|place| width_at(place).unwrap_or(across) as f32).collect();
        // A line through the medians of the first and of the last third of the places.
        let third = widths.len() / 3;
        let middle = |range: Range<usize>| median(widths[range].to_vec());
        let (first, last) = (middle(0..third), middle(widths.len() - third..widths.len()));
        let slope = (last - first) / (widths.len() - third) as f32;
        let line = |index: usize| first + slope * (index as f32 - (third as f32 - 1.0) / 2.0);
        let near = NEAR_PIXELS + NEAR_PART * across as f32;
        let on_line = |(index, width): &(usize, &f32)| (**width - line(*index)).abs() <= near;
        let straight: Vec<f32> = widths.iter().enumerate().filter(on_line).map(|(_, width)| *width).collect();
        if (straight.len() as f32) < STRAIGHT * widths.len() as f32 {
            return None;
        }
        // The line goes on to the corners.
        let corners =
            [line(0) - slope * third as f32 / 2.0, line(widths.len() - 1) + slope * third as f32 / 2.0];
        let widest = straight.into_iter().chain(corners).fold(0.0, f32::max);
        // The edge itself is blurred.
        let cut = (widest + 1.0 + NEAR_PART * across as f32).ceil() as usize;
        (widest >= 0.5 && cut < across / 4).then_some(Strip { cut, threshold, is_dark })
    }

    /// Whether the strip goes on beyond its edge, in a range along the side.
    fn is_crossed(self, picture: &Picture, strip: &Strip, along: &Range<usize>) -> bool {
        let of_strip =
            |place: &usize| (self.at(picture, strip.cut, *place) < strip.threshold) == strip.is_dark;
        let crossing = along.clone().filter(of_strip).count();
        crossing as f32 > MOST_CROSSING * along.len() as f32
    }
}

fn median(mut values: Vec<f32>) -> f32 {
    let middle = values.len() / 2;
    *values.select_nth_unstable_by(middle, f32::total_cmp).1
}

#[cfg(test)]
mod tests {
    use super::inside;
    use crate::Picture;

    #[test]
    fn strips_are_cut_off_the_sides_that_have_them() {
        for width in [1usize, 2, 5, 12] {
            for sides in 0..16usize {
                let in_strip = |x: usize, y: usize| {
                    let away = [x, 199 - x, y, 149 - y];
                    away.iter().enumerate().any(|(side, away)| sides >> side & 1 == 1 && *away < width)
                };
                let ink = |x: usize, y: usize| (80..95).contains(&x) && (40..110).contains(&y);
                let picture = Picture::from_function(200, 150, |x, y| {
                    if in_strip(x, y) {
                        0.1
                    } else if ink(x, y) {
                        0.2
                    } else {
                        0.8
                    }
                });
                let [columns, rows] = inside(&picture);
                let cut = [columns.start, 200 - columns.end, rows.start, 150 - rows.end];
                for (side, cut) in cut.into_iter().enumerate() {
                    let expected = if sides >> side & 1 == 1 { width..width + 5 } else { 0..1 };
                    assert!(expected.contains(&cut), "{cut} of {width}, side {side} of {sides:04b}");
                }
            }
        }
    }

    /// Nor are shadows with a slanting edge, lines, and frames.
    #[test]
    fn strokes_along_a_side_are_no_strips() {
        let seven =
            Picture::from_function(
                60,
                100,
                |x, y| {
                    if y < 9 || (50..60).contains(&(x + y / 3)) { 0.1 } else { 0.9 }
                },
            );
        let shadow = Picture::from_function(100, 100, |x, y| if x + 2 * y < 30 { 0.1 } else { 0.9 });
        let line = Picture::from_function(100, 100, |_, y| if (4..7).contains(&y) { 0.1 } else { 0.9 });
        for picture in [seven, shadow, line] {
            assert_eq!(inside(&picture), [0..picture.width(), 0..picture.height()]);
        }
        let speck = Picture::from_function(1, 1, |_, _| 0.5);
        assert_eq!(inside(&speck), [0..1, 0..1]);
    }
}
