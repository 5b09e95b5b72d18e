//! Sheets of paper in a picture that shows more than the sheet.

use crate::{
    Picture,
    components::{Component, components, is_rectangular},
    opening::{closed, medians, opened},
    strokes,
};

/// Sheets are sought in a picture of at most so many pixels on its longer side.
const SOUGHT_SIDE: usize = 200;

/// The strokes of what is written on a sheet are narrower than a tenth of the picture: twice this part.
const HALF_STROKE: usize = 20;

/// Sheets are sought as what is lighter, or darker, than each of so many tones between the least and the most.
const TONES: usize = 12;

/// A sheet is at least and at most this part of the picture.
const LEAST_AREA: f32 = 0.04;
const MOST_AREA: f32 = 0.9;

/// A sheet fills this part of its convex hull.
const CONVEX: f32 = 0.93;

/// Pixels that the edge of a sheet is blurred over.
const EDGE: f32 = 2.0;

/// Where a sheet is.
pub(crate) struct Sheet {
    mask: Vec<bool>,
    width: usize,
    reduction: usize,
    area: usize,
    /// Whether it is a rectangle of which all of the edge is in the picture.
    pub(crate) is_whole: bool,
}

impl Sheet {
    /// Which pixels of a picture, a reduction of the one that it was sought in, lie on the sheet and away from its edge.
    pub(crate) fn inside(&self, picture: &Picture) -> Vec<bool> {
        let height = self.mask.len() / self.width;
        let there = |at: usize, length: usize| {
            ((2 * at + 1) * picture.reduction() / (2 * self.reduction)).min(length - 1)
        };
        (0..picture.pixels().len())
            .map(|place| {
                let (x, y) = (place % picture.width(), place / picture.width());
                self.mask[there(y, height) * self.width + there(x, self.width)]
            })
            .collect()
    }
}

/// The largest whole sheet, or else the largest other one: of which a part lies beyond the picture, or of another shape.
///
/// A sheet is what is lighter or darker than a tone, without what is narrow, and nearly convex: of all tones the one that
/// shows the largest.
pub(crate) fn sheet(picture: &Picture) -> Option<Sheet> {
    let small = picture.reduced(SOUGHT_SIDE);
    let calm = medians(&small);
    let half = (small.width().max(small.height()) / HALF_STROKE).max(1);
    let light = closed(&calm, half);
    let dark = opened(&calm, half);
    let [least, most] =
        [f32::min, f32::max].map(|choose| calm.pixels().iter().copied().reduce(choose).unwrap_or(0.0));
    let mut found: Option<Sheet> = None;
    for tone in 1..TONES {
        let tone = least + (most - least) * tone as f32 / TONES as f32;
        for is_light in [true, false] {
            let ground = if is_light { &light } else { &dark };
            let mask = ground.pixels().iter().map(|value| (*value > tone) == is_light).collect();
            for component in components(mask, small.width()) {
                if let Some(sheet) = of_component(&component, &small)
                    && found
                        .as_ref()
                        .is_none_or(|best| (best.is_whole, best.area) < (sheet.is_whole, sheet.area))
                {
                    found = Some(sheet);
                }
            }
        }
    }
    found
}

/// The sheet that a component is, if it is one.
fn of_component(component: &Component, picture: &Picture) -> Option<Sheet> {
    let (width, height) = (picture.width(), picture.height());
    let count = (width * height) as f32;
    if (component.places.len() as f32) < LEAST_AREA * count {
        return None;
    }
    let spans = component.spans(width);
    let area: usize = spans.iter().map(ExactSizeIterator::len).sum();
    let corners = component.corners(width);
    let hull = hull_area(corners.clone());
    if area as f32 > MOST_AREA * count
        || (area as f32) < CONVEX * hull
        || (component.places.len() as f32) < CONVEX * area as f32
    {
        return None;
    }
    let [columns, rows] = &component.bounds;
    let is_whole = columns.start > 0
        && columns.end < width
        && rows.start > 0
        && rows.end < height
        && is_rectangular(area, &corners);
    let mut outside = vec![true; width * height];
    for (span, y) in spans.iter().zip(rows.clone()) {
        outside[y * width..][span.clone()].fill(false);
    }
    let mask: Vec<bool> =
        strokes::distances(&outside, width, EDGE + 1.0).iter().map(|distance| *distance > EDGE).collect();
    Some(Sheet { mask, width, reduction: picture.reduction(), area, is_whole })
}

/// Area of the convex hull of points that are sorted by their second coordinate (Andrew's chains; the shoelace formula).
fn hull_area(points: Vec<[f32; 2]>) -> f32 {
    let cross = |[ax, ay]: [f32; 2], [bx, by]: [f32; 2], [cx, cy]: [f32; 2]| {
        (bx - ax) * (cy - ay) - (by - ay) * (cx - ax)
    };
    let chain = |points: &mut dyn Iterator<Item = [f32; 2]>| {
        let mut chain: Vec<[f32; 2]> = Vec::new();
        for point in points {
            while let [.., one, other] = chain[..]
                && cross(one, other, point) <= 0.0
            {
                chain.pop();
            }
            chain.push(point);
        }
        chain
    };
    let mut points = points;
    points.sort_by(|[ax, ay], [bx, by]| ay.total_cmp(by).then(ax.total_cmp(bx)));
    let mut hull = chain(&mut points.iter().copied());
    hull.extend(chain(&mut points.iter().rev().copied()));
    let doubled: f32 =
        hull.iter().zip(hull.iter().cycle().skip(1)).map(|([ax, ay], [bx, by])| ax * by - bx * ay).sum();
    doubled.abs() / 2.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hull_is_what_a_string_around_would_enclose() {
        assert_eq!(
            hull_area(vec![[0.0, 0.0], [4.0, 0.0], [1.0, 1.0], [2.0, 1.0], [0.0, 3.0], [4.0, 3.0]]),
            12.0
        );
        assert_eq!(hull_area(vec![[1.0, 0.0], [0.0, 2.0], [2.0, 2.0]]), 2.0);
    }

    #[test]
    fn a_sheet_is_found_on_a_table_and_nothing_where_there_is_none() {
        let ink = |x: usize, y: usize| (90..95).contains(&x) && (60..110).contains(&y);
        let on_sheet = |x: usize, y: usize| (50..150).contains(&(x + y / 8)) && (40..130).contains(&y);
        for (table, paper) in [(0.3, 0.9), (0.9, 0.3), (0.7, 0.8)] {
            let tone = |x, y| {
                if ink(x, y) {
                    paper * 0.5
                } else if on_sheet(x, y) {
                    paper
                } else {
                    table
                }
            };
            let picture = Picture::from_function(200, 160, tone);
            let sheet = sheet(&picture).expect("a sheet");
            assert!(sheet.is_whole);
            let inside = sheet.inside(&picture);
            for (place, inside) in inside.iter().enumerate() {
                let (x, y) = (place % 200, place / 200);
                assert!(!inside || on_sheet(x, y), "{x}, {y} of a table of {table}");
            }
            let count = inside.iter().filter(|inside| **inside).count();
            assert!(count > 100 * 90 * 85 / 100, "{count} pixels");
            let half = sheet.inside(&picture.halved());
            assert!(half.iter().filter(|inside| **inside).count().abs_diff(count / 4) < 200);
        }
        assert!(sheet(&Picture::from_function(200, 160, |x, y| if ink(x, y) { 0.2 } else { 0.9 })).is_none());
    }
}
