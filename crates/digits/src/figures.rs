//! Figures: what stands out of a ground all round as strokes of a pen do.
//!
//! What is narrow in a picture lies in zones where its two grounds (see [`Relief`]) differ: a stroke, and what is narrow
//! between strokes. Whether the strokes are the dark or the light of a zone is told by the plain pixels around it, which
//! are of the strokes' ground. So each zone has a polarity of its own, and a table, a shadow or a scanner's edge is ground
//! like the paper.

use crate::{
    components::{Component, components, extent, flooded},
    relief::{Relief, level},
    strokes,
};

/// What part of the pixels around a zone must agree on its polarity.
const AGREEMENT: f32 = 0.67;

/// Pixels from the outline of a zone to where its grounds are looked at.
const CLOSE_BY: usize = 4;

/// A pixel of an outline lies at an edge when the values close to it differ by this part of what the figure stands out by.
const EDGE: f32 = 0.4;

/// What part of a figure's outline must lie at an edge.
const OUTLINED: f32 = 0.75;

/// What has more pixels in one stretch on the border than this part of its longer side lies along the border.
const ALONG_BORDER: f32 = 0.4;

/// Zones of fewer pixels are specks.
const LEAST_ZONE: usize = 4;

/// Something that stands out.
#[derive(Debug, Clone)]
pub(crate) struct Figure {
    /// Whether it is darker than its ground.
    pub(crate) dark: bool,
    pub(crate) component: Component,
    /// Mean depth of its zone's ink.
    pub(crate) level: f32,
    /// Mean difference between its grounds.
    pub(crate) contrast: f32,
    /// Width of its widest stroke, in pixels.
    pub(crate) stroke: f32,
    /// What part of its outline lies at an edge.
    pub(crate) outlined: f32,
    /// Pixels on each side of the picture: left, right, top, bottom.
    pub(crate) on_sides: [usize; 4],
    /// Lengths of the stretches on those sides.
    pub(crate) stretches: Vec<usize>,
}

impl Figure {
    /// Pixels along its longer side.
    pub(crate) fn extent(&self) -> usize {
        extent(&self.component.bounds)
    }

    /// How much of it there is: of little depth there is mostly more.
    pub(crate) fn mass(&self) -> f32 {
        self.component.places.len() as f32 * self.level * self.level
    }

    /// Whether its outline is an edge, as of ink and not of a shadow.
    pub(crate) fn is_outlined(&self) -> bool {
        self.outlined >= OUTLINED
    }

    /// Whether it lies along the picture's border, as a scanner's edge and a table beside the paper do; several strokes
    /// that run into it do not.
    pub(crate) fn is_along_border(&self) -> bool {
        let longest = self.stretches.iter().copied().max().unwrap_or(0);
        longest as f32 > ALONG_BORDER * self.extent() as f32
    }

    /// Whether it reaches from one side of a picture of that size to the opposite one, as a ruled line does.
    pub(crate) fn spans(&self) -> bool {
        let [left, right, top, bottom] = self.on_sides.map(|count| count > 0);
        (left && right) || (top && bottom)
    }

    /// Whether it touches the picture's border.
    pub(crate) fn touches_border(&self) -> bool {
        self.on_sides.iter().any(|count| *count > 0)
    }

    /// Whether another figure stands inside of it, as in a box that was drawn for it or in the shadow round a sheet: this
    /// one is on all sides of it, or is a line too thin for a digit that begins and ends beyond it.
    pub(crate) fn is_round(&self, other: &Self, width: usize) -> bool {
        /// What stands in a digit, a dot in a nought, is smaller than this part of it.
        const LEAST_INSIDE: f32 = 0.25;
        /// A thin line has gaps where it is seen at a small size.
        const ALL_ROUND: f32 = 0.9;
        /// The thinnest pen, as a part of the digit's longer side.
        const HAIRLINE: f32 = 0.025;
        let [outer, inner] = [self, other].map(|figure| &figure.component.bounds);
        let is_inside = [0, 1]
            .iter()
            .all(|axis| inner[*axis].start > outer[*axis].start && inner[*axis].end < outer[*axis].end);
        if !is_inside || (other.extent() as f32) < LEAST_INSIDE * self.extent() as f32 {
            return false;
        }
        if self.stroke <= HAIRLINE * self.extent() as f32 {
            return true;
        }
        let [columns, rows] = inner;
        // Which rows have a pixel to the left and to the right, which columns one above and below.
        let mut sides = [
            vec![false; rows.len()],
            vec![false; rows.len()],
            vec![false; columns.len()],
            vec![false; columns.len()],
        ];
        for place in &self.component.places {
            let (x, y) = (place % width, place / width);
            if rows.contains(&y) {
                sides[0][y - rows.start] |= x < columns.start;
                sides[1][y - rows.start] |= x >= columns.end;
            }
            if columns.contains(&x) {
                sides[2][x - columns.start] |= y < rows.start;
                sides[3][x - columns.start] |= y >= rows.end;
            }
        }
        // Where it is thinner than a pixel of a small picture, one side may be missing.
        let is_closed = |side: &&Vec<bool>| {
            let found = side.iter().filter(|found| **found).count();
            found as f32 >= ALL_ROUND * side.len() as f32
        };
        sides.iter().filter(is_closed).count() >= 3
    }
}

/// The figures of a picture, of both polarities.
pub(crate) fn figures(relief: &Relief) -> Vec<Figure> {
    let width = relief.picture.width();
    let floor = relief.floor();
    let count = relief.picture.pixels().len();
    let zone_mask: Vec<bool> = (0..count).map(|place| relief.contrast(place) > floor).collect();
    let zones = components(zone_mask.clone(), width);
    let mut figures = Vec::new();
    let mut mask = vec![false; count];
    for zone in zones.iter().filter(|zone| zone.places.len() >= LEAST_ZONE) {
        let dark = polarity(relief, &zone.places, &zone_mask).or_else(|| {
            let core = core(relief, zone);
            core.iter().for_each(|place| mask[*place] = true);
            let dark = polarity(relief, &core, &mask);
            core.iter().for_each(|place| mask[*place] = false);
            dark
        });
        if let Some(dark) = dark {
            figures.extend(figures_of(relief, zone, dark, floor, &mut mask));
        }
    }
    figures
}

/// The places of a zone that stand out more than half as much as the one that stands out most. Where light falls off
/// smoothly, a zone reaches far beyond its strokes, and its outline tells only how the light falls; that of its core does not.
fn core(relief: &Relief, zone: &Component) -> Vec<usize> {
    let most = zone.places.iter().map(|place| relief.contrast(*place)).fold(0.0, f32::max);
    zone.places.iter().copied().filter(|place| relief.contrast(*place) > most / 2.0).collect()
}

/// Whether the strokes at these places are dark; `None` when their outline does not agree.
///
/// The plain pixels around it are as light as the ground that its strokes lie on: as the one without dark things for dark
/// strokes. Where there are no pixels around it, what most of the zone shows is ground.
fn polarity(relief: &Relief, zone: &[usize], zone_mask: &[bool]) -> Option<bool> {
    let width = relief.picture.width();
    let pixels = relief.picture.pixels();
    let height = pixels.len() / width;
    let mut votes = [0usize; 2];
    for place in zone {
        // What is beside the sheet is not its ground.
        let is_around = |neighbour: &usize| !zone_mask[*neighbour] && relief.is_inside(*neighbour);
        let mut around = neighbours(*place, width, pixels.len()).filter(is_around).peekable();
        if around.peek().is_none() {
            continue;
        }
        // The grounds close by: right at the outline they may not differ yet.
        let (x, y) = (place % width, place / width);
        let near = |place: usize, length: usize| {
            [place.saturating_sub(CLOSE_BY), place, (place + CLOSE_BY).min(length - 1)]
        };
        let close_by = near(y, height).into_iter().flat_map(|y| near(x, width).map(|x| y * width + x));
        let [light, dark] = close_by
            .filter(|place| zone_mask[*place])
            .map(|place| relief.extremes(place))
            .fold(relief.extremes(*place), |[light, dark], [other_light, other_dark]| {
                [light.max(other_light), dark.min(other_dark)]
            });
        for neighbour in around {
            votes[usize::from(2.0 * pixels[neighbour] > light + dark)] += 1;
        }
    }
    let [light, dark] = votes.map(|count| count as f32);
    if light + dark == 0.0 {
        let mean = |value: &dyn Fn(usize) -> f32| {
            zone.iter().map(|place| f64::from(value(*place))).sum::<f64>() / zone.len() as f64
        };
        return Some(
            mean(&|place| pixels[place]) > mean(&|place| relief.grounds(place).iter().sum::<f32>() / 2.0),
        );
    }
    (light.max(dark) >= AGREEMENT * (light + dark)).then_some(dark > light)
}

/// The figures of one zone. `mask` is false everywhere, before and after.
fn figures_of(relief: &Relief, zone: &Component, dark: bool, floor: f32, mask: &mut [bool]) -> Vec<Figure> {
    let width = relief.picture.width();
    let depths = zone.places.iter().map(|place| relief.depth(dark, *place));
    let Some(level) = level(depths, floor) else { return Vec::new() };
    let inside: Vec<usize> =
        zone.places.iter().copied().filter(|place| relief.depth(dark, *place) > level / 2.0).collect();
    inside.iter().for_each(|place| mask[*place] = true);
    let mut found = Vec::new();
    for seed in &inside {
        if mask[*seed] {
            found.push(flooded(mask, width, *seed));
        }
    }
    inside.iter().for_each(|place| mask[*place] = true);
    let figures = found.into_iter().map(|component| figure(relief, component, dark, level, mask)).collect();
    inside.iter().for_each(|place| mask[*place] = false);
    figures
}

fn figure(relief: &Relief, component: Component, dark: bool, level: f32, mask: &[bool]) -> Figure {
    let (width, height) = (relief.picture.width(), relief.picture.height());
    let mut sides: [Vec<usize>; 4] = Default::default();
    let mut contrast = 0.0;
    for place in &component.places {
        let (x, y) = (place % width, place / width);
        let on_side = [x == 0, x + 1 == width, y == 0, y + 1 == height];
        for ((along, on_side), at) in sides.iter_mut().zip(on_side).zip([y, y, x, x]) {
            if on_side {
                along.push(at);
            }
        }
        contrast += relief.contrast(*place);
    }
    contrast /= component.places.len() as f32;
    let (mut all, mut edges) = (0, 0);
    for place in outline(&component.places, width, mask) {
        all += 1;
        edges += usize::from(change(relief, place) >= EDGE * contrast);
    }
    let outlined = edges as f32 / (all as f32).max(1.0);
    let stroke = strokes::widest(&component, width);
    let on_sides = [0, 1, 2, 3].map(|side: usize| sides[side].len());
    let stretches = sides.into_iter().flat_map(stretches).collect();
    Figure { dark, component, level, contrast, stroke, outlined, on_sides, stretches }
}

/// Lengths of the unbroken stretches of some numbers.
fn stretches(mut numbers: Vec<usize>) -> Vec<usize> {
    numbers.sort_unstable();
    let mut lengths: Vec<usize> = Vec::new();
    let mut next: Option<usize> = None;
    for number in numbers {
        match lengths.last_mut() {
            Some(length) if next == Some(number) => *length += 1,
            _ => lengths.push(1),
        }
        next = Some(number + 1);
    }
    lengths
}

/// Those of some places of a mask that have a neighbour outside of it.
fn outline(places: &[usize], width: usize, mask: &[bool]) -> impl Iterator<Item = usize> {
    let is_outside = |neighbour: usize| !mask[neighbour];
    places.iter().copied().filter(move |place| neighbours(*place, width, mask.len()).any(is_outside))
}

/// The up to four places beside, above and below a place of a picture of so many pixels.
fn neighbours(place: usize, width: usize, pixels: usize) -> impl Iterator<Item = usize> {
    let x = place % width;
    let neighbours = [
        (x > 0).then(|| place - 1),
        (x + 1 < width).then_some(place + 1),
        place.checked_sub(width),
        (place + width < pixels).then_some(place + width),
    ];
    neighbours.into_iter().flatten()
}

/// By how much the values within two pixels of a place differ.
fn change(relief: &Relief, place: usize) -> f32 {
    let (width, height) = (relief.picture.width(), relief.picture.height());
    let (x, y) = (place % width, place / width);
    let columns = x.saturating_sub(2)..width.min(x + 3);
    let rows = y.saturating_sub(2)..height.min(y + 3);
    let near = rows.flat_map(|y| &relief.picture.pixels()[y * width..][columns.clone()]);
    let (least, most) =
        near.fold((f32::MAX, 0.0f32), |(least, most), value| (least.min(*value), most.max(*value)));
    most - least
}

#[cfg(test)]
mod tests {
    use super::stretches;

    #[test]
    fn a_gap_divides_two_stretches() {
        assert_eq!(stretches(vec![7, 3, 4, 5, 9, 8]), [3, 3]);
        assert_eq!(stretches(vec![0]), [1]);
        assert!(stretches(Vec::new()).is_empty());
    }
}
