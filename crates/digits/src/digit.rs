//! From a picture to its digits.

use crate::{
    Doubt, Picture, PictureError,
    drawing::{self, SIDE},
    edges,
    figures::Figure,
    groups::Group,
    relief::{LEAST_CONTRAST, Relief, level},
    strokes,
    view::{self, CLEAR, FAINT, Size, View},
};
use std::ops::Range;

/// The longest side of the largest picture that is searched.
const SEARCHED_SIDE: usize = 560;

/// Pictures are halved and searched again until the longer side is less than twice this.
const LEAST_SIDE: usize = 14;

/// Digits are drawn from a part of the picture with at most this many pixels on its longer side.
const DRAWN_FROM: usize = 224;

/// A digit that is wider than high by this factor may be several that touch.
const WIDE: f32 = 1.7;

/// A digit of a picture, as one of MNIST's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Digit {
    /// 28 rows of 28 pixels, from 0 for the background to 255 for ink.
    pub pixels: [u8; SIDE * SIDE],
    /// Where it is in the picture.
    pub bounds: Bounds,
    /// Why the image may not be what was meant.
    pub doubts: Vec<Doubt>,
}

/// A box in a picture, in pixels of the file as it is seen: turned as a camera's orientation says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bounds {
    /// Pixels between the picture's left side and the box.
    pub left: usize,
    /// Pixels between the picture's upper side and the box.
    pub top: usize,
    /// Columns.
    pub width: usize,
    /// Rows.
    pub height: usize,
}

/// The one digit of a picture: see [`digits`].
///
/// # Errors
/// As [`digits`], and when there are several.
pub fn digit(picture: &Picture) -> Result<Digit, PictureError> {
    let mut found = digits(picture)?;
    match found.len() {
        1 => Ok(found.remove(0)),
        count => Err(PictureError::Several { count }),
    }
}

/// The digits in a picture in reading order, each as MNIST's makers would have drawn it; at least one.
///
/// Digits are sought in the picture at several sizes, each half of the one before, as strokes that stand out of plain
/// ground all round: dark or light, by the same part of the way to black or white along the whole outline. So the paper,
/// a table under it, a shadow and a scanner's edge are grounds alike. Strokes that are near to each other are one digit;
/// those side by side are several. Of a digit the bounding box is scaled to 20 pixels on its longer side by averaging over
/// areas, strokes too thin for that are widened, and its centre of mass comes to the middle of 28×28.
///
/// An image of MNIST comes out nearly as it is.
///
/// # Errors
/// When nothing stands out of its background, or what does is cut off by the picture's border.
pub fn digits(picture: &Picture) -> Result<Vec<Digit>, PictureError> {
    let inside = edges::inside(picture);
    let [left, top] = [0, 1].map(|axis| inside[axis].start * picture.reduction());
    let [width, height] = picture.full();
    let mut found = digits_inside(&picture.part(&inside))?;
    for Digit { bounds, .. } in &mut found {
        bounds.left += left;
        bounds.top += top;
        // Where the picture was reduced its last column may be of fewer pixels.
        bounds.width = bounds.width.min(width - bounds.left);
        bounds.height = bounds.height.min(height - bounds.top);
    }
    Ok(found)
}

/// As [`digits`], in a picture without strips along its sides.
fn digits_inside(picture: &Picture) -> Result<Vec<Digit>, PictureError> {
    let no_ink = || {
        let (least, most) = picture
            .pixels()
            .iter()
            .fold((f32::MAX, f32::MIN), |(least, most), value| (least.min(*value), most.max(*value)));
        PictureError::NoInk { uniform: most - least <= LEAST_CONTRAST }
    };
    let mut pictures = vec![picture.reduced(SEARCHED_SIDE)];
    while let Some(half) = pictures.last().map(Picture::halved)
        && half.width().max(half.height()) >= LEAST_SIDE
    {
        pictures.push(half);
    }
    let (sizes, view) = view::found(&pictures).ok_or_else(no_ink)?;
    let mut view = view::whole(view, &sizes);
    view.groups = view::connected(view.groups, &sizes[view.size]);
    let size = &sizes[view.size];
    let count = view.groups.len();
    let mut found = Vec::new();
    let mut cut = 0;
    for group in &view.groups {
        if is_cut(group, size) {
            cut += 1;
            continue;
        }
        let others = view.groups.iter().filter(|other| other.bounds != group.bounds);
        let Some(pixels) = drawn(picture, size, group, others) else { continue };
        let doubts = doubts(group, &view, size);
        found.push(Digit { pixels, bounds: bounds(group, &size.relief.picture), doubts });
    }
    match (found.is_empty(), cut) {
        (true, 0) => return Err(no_ink()),
        (true, _) => return Err(PictureError::CutOff { count }),
        (false, 0) => {}
        (false, cut) => found.iter_mut().for_each(|digit| digit.doubts.push(Doubt::CutOff { count: cut })),
    }
    Ok(found)
}

/// Whether the picture's border cuts through a stroke: as wide as a stroke at the border, which a stroke that ends there
/// or lies along it is not.
fn is_cut(group: &Group, size: &Size) -> bool {
    let (width, height) = (size.relief.picture.width(), size.relief.picture.height());
    let [columns, rows] = &group.bounds;
    let touched = [columns.start == 0, columns.end == width, rows.start == 0, rows.end == height];
    // What fills the picture was cropped to its size; and images of MNIST itself hold digits that end at the border.
    if touched.iter().all(|touched| *touched) || size.relief.picture.full() == [SIDE; 2] {
        return false;
    }
    group.figures.iter().any(|figure| {
        let stroke = figure.stroke;
        figure.stretches.iter().any(|length| {
            let length = *length as f32;
            length >= 0.6 * stroke && length <= 1.8 * stroke + 1.0
        })
    })
}

fn doubts(group: &Group, view: &View, size: &Size) -> Vec<Doubt> {
    let mut doubts = Vec::new();
    let largest = group.largest();
    if view.is_rivalled {
        doubts.push(Doubt::Polarity { dark: view.dark });
    }
    if view.left_out > 0 {
        doubts.push(Doubt::LeftOut { count: view.left_out });
    }
    if group.figures.iter().any(Figure::touches_border) {
        doubts.push(Doubt::Border);
    }
    if largest.level < FAINT {
        doubts.push(Doubt::Faint);
    }
    if size.clearness(largest) < CLEAR {
        doubts.push(Doubt::Noise);
    }
    if !group.is_of_strokes() {
        doubts.push(Doubt::NoStrokes);
    }
    let [columns, rows] = &group.bounds;
    if columns.len() as f32 > WIDE * rows.len() as f32 {
        doubts.push(Doubt::Wide);
    }
    doubts
}

fn bounds(group: &Group, picture: &Picture) -> Bounds {
    let side = picture.reduction();
    let [columns, rows] = &group.bounds;
    let [width, height] = picture.full();
    let (left, top) = (columns.start * side, rows.start * side);
    Bounds {
        left,
        top,
        width: (columns.end * side).min(width) - left,
        height: (rows.end * side).min(height) - top,
    }
}

/// A digit drawn from the finest picture of it that is clear of noise; `None` when there nothing stands out.
fn drawn<'a>(
    picture: &Picture,
    size: &Size,
    group: &Group,
    others: impl Iterator<Item = &'a Group>,
) -> Option<[u8; SIDE * SIDE]> {
    let coarse = &size.relief.picture;
    let dark = group.largest().dark;
    let side = coarse.reduction() / picture.reduction();
    // Half of it around, so that its ground is seen.
    let margin = (group.extent() / 2 + 2) * side;
    let around = |range: &Range<usize>, length: usize| {
        (range.start * side).saturating_sub(margin)..(range.end * side + margin).min(length)
    };
    let part = [around(&group.bounds[0], picture.width()), around(&group.bounds[1], picture.height())];
    let stroke = group.figures.iter().map(|figure| figure.stroke).fold(1.0, f32::max);
    let own = mask_of(std::iter::once(group), coarse);
    let foreign = mask_of(others, coarse);
    let mut seen = picture.part(&part).reduced(DRAWN_FROM);
    loop {
        // Pixels of this picture on a side of one where the digit was found.
        let scale = coarse.reduction() as f32 / seen.reduction() as f32;
        let relief = Relief::new(seen.clone(), (stroke * scale).ceil() as usize + 1, None);
        let drawn = covered(
            &relief,
            dark,
            |x, y| {
                let there = |at: usize, from: usize| {
                    (((at as f32 + 0.5) * seen.reduction() as f32 / picture.reduction() as f32 + from as f32)
                        / side as f32) as usize
                };
                let (x, y) = (there(x, part[0].start), there(y, part[1].start));
                let place = y.min(coarse.height() - 1) * coarse.width() + x.min(coarse.width() - 1);
                (own[place], foreign[place])
            },
            scale,
        );
        // Of a smaller picture the digit would have to be enlarged.
        let is_small = group.extent() as f32 * scale < 2.0 * SIDE as f32;
        match drawn {
            Some((ink, mask, clearness)) if clearness >= CLEAR || is_small => {
                return Some(drawing::drawn(&ink, &mask));
            }
            None if is_small => return None,
            _ => seen = seen.halved(),
        }
    }
}

/// The pixels of some groups.
fn mask_of<'a>(groups: impl Iterator<Item = &'a Group>, picture: &Picture) -> Vec<bool> {
    let mut mask = vec![false; picture.pixels().len()];
    let places = groups.flat_map(|group| &group.figures).flat_map(|figure| &figure.component.places);
    places.for_each(|place| mask[*place] = true);
    mask
}

/// How much of each pixel a digit covers, from 0 to 1, which pixels are more than half its own, and by how many standard
/// deviations it stands out of the noise.
///
/// Covered is its depth, from above the noise to the depth of its darkest twentieth, in the mask and close to it. `owned`
/// tells of a pixel whether the digit was found there, and whether another one was; `scale` is the number of pixels on a
/// side of one where it was found.
fn covered(
    relief: &Relief,
    dark: bool,
    owned: impl Fn(usize, usize) -> (bool, bool),
    scale: f32,
) -> Option<(Picture, Vec<bool>, f32)> {
    let columns = relief.picture.width();
    let count = relief.picture.pixels().len();
    let depth: Vec<f32> = (0..count).map(|place| relief.depth(dark, place)).collect();
    let (own, foreign): (Vec<bool>, Vec<bool>) =
        (0..count).map(|place| owned(place % columns, place / columns)).unzip();
    let found = |mask: &[bool]| {
        depth.iter().zip(mask).filter(|(_, inside)| **inside).map(|(depth, _)| *depth).collect::<Vec<f32>>()
    };
    let own_depths = found(&own);
    let level = level(own_depths.iter().copied(), 0.0)?;
    let reach_of_mask = 1.5 * scale.max(1.0);
    let from_own = strokes::distances(&own, columns, reach_of_mask + 1.0);
    let mask: Vec<bool> = (0..count)
        .map(|place| depth[place] > level / 2.0 && from_own[place] <= reach_of_mask && !foreign[place])
        .collect();
    let mut depths = found(&mask);
    if depths.is_empty() {
        return None;
    }
    let place = depths.len() * 19 / 20;
    let full = *depths.select_nth_unstable_by(place, f32::total_cmp).1;
    let somewhere = mask.iter().position(|inside| *inside)?;
    let noise = relief.noise_of_depth(dark, somewhere);
    let floor = (3.0 * noise).min(full / 4.0);
    // An edge is spread over a pixel or two; that of a large picture, out of focus, over more.
    let reach = (columns.max(relief.picture.height()) as f32 / 100.0).max(3.0);
    let distances = strokes::distances(&mask, columns, reach);
    let ink = Picture::from_function(columns, relief.picture.height(), |x, y| {
        let place = y * columns + x;
        if distances[place] >= reach || foreign[place] {
            return 0.0;
        }
        ((depth[place] - floor) / (full - floor)).clamp(0.0, 1.0)
    });
    Some((ink, mask, level / noise.max(f32::MIN_POSITIVE)))
}
