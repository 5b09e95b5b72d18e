//! From a picture to a digit.

use crate::{Picture, PictureError, components, ink::Ink, strokes};
use std::ops::Range;

/// Pixels on a side of a digit's image.
pub const SIDE: usize = 28;

/// Pixels of the longer side of the digit itself.
pub const BOX: usize = 20;

/// A digit that would be enlarged by less than this part to fill [`BOX`] pixels is not scaled: that would blur it more
/// than it would change its size, and MNIST's own images, whose faint edges make them seem smaller, are to stay what they
/// are.
const SAME_SIZE: f32 = 0.15;

/// Where a digit's centre of mass is put, in pixels from the image's edge: in the middle of the pixel at index 14, where
/// MNIST's are (the mean over its 10,000 test images is at index 14.01 from the left, 13.99 from the top).
const CENTRE: f32 = SIDE as f32 / 2.0 + 0.5;

/// Strokes thinner than this many pixels of the digit are drawn again with a pen of [`PEN`].
const THIN: f32 = 1.5;

/// Width in pixels of the strokes that thin ones become.
const PEN: f32 = 2.2;

/// Ink that stands out of the noise by fewer standard deviations than this calls for a smaller, smoother picture.
const CLEAR: f32 = 12.0;

/// Ink that stands out by fewer than this is none.
const LEAST_CLEARNESS: f32 = 5.0;

/// What encloses a thing is longer than it by this factor; what is hardly longer is its own edge in the other colour.
const ENCLOSING: f32 = 1.2;

/// The edge of a thing is as wide as this, in pixels, before its surroundings begin.
const EDGE: f32 = 4.0;

/// Pictures with fewer pixels than this on their longer side are not halved.
const LEAST_SIDE: usize = 4 * SIDE;

/// A digit's image, as one of MNIST's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Digit {
    /// 28 rows of 28 pixels, from 0 for the background to 255 for ink.
    pub pixels: [u8; SIDE * SIDE],
}

/// The digit in a picture, as MNIST's makers would have drawn it.
///
/// What most of the border shows is background; light that changes slowly across it is taken out. What stands out of it
/// by half as much as most ink is the digit, without specks and what lies along the border. Its bounding box is scaled
/// to 20 pixels on its longer side by averaging over areas, strokes too thin for that are widened, and its centre of
/// mass comes to the middle of 28×28.
///
/// An image of MNIST comes out nearly as it is.
///
/// # Errors
/// When nothing stands out of the background.
pub fn digit(picture: &Picture) -> Result<Digit, PictureError> {
    let found = || {
        let picture = picture.reduced();
        let dark = is_dark(&picture)?;
        clear_ink(picture, dark)
    };
    let Some((ink, mask)) = found() else {
        return Err(PictureError::NoInk { width: picture.width(), height: picture.height() });
    };
    Ok(drawn(&coverage(&ink, &mask), &mask))
}

/// Whether the digit is darker than its background; `None` when neither dark nor light ink is found.
///
/// Mostly it is what stands out of what the border shows. But that may be a table around the paper; the paper between the
/// digit's strokes then stands out as the digit. It lies between them: what encloses it, away from the border, is the
/// digit.
fn is_dark(picture: &Picture) -> Option<bool> {
    let mut picture = picture.clone();
    while picture.width().max(picture.height()) >= 2 * LEAST_SIDE {
        picture = picture.halved();
    }
    let dark = Ink::stands_out_darkly(&picture)?;
    let bounds = |dark| ink_of(&picture, dark).map(|(_, mask)| components::bounds(&mask, picture.width()));
    let sides = [picture.width(), picture.height()];
    match (bounds(dark), bounds(!dark)) {
        (None, None) => None,
        (Some(_), None) => Some(dark),
        (None, Some(_)) => Some(!dark),
        (Some(inner), Some(outer)) => {
            let away = outer.iter().zip(sides).all(|(range, side)| range.start > 0 && range.end < side);
            let encloses = outer
                .iter()
                .zip(&inner)
                .all(|(outer, inner)| outer.start <= inner.start && outer.end >= inner.end);
            let longer = |[columns, rows]: &[Range<usize>; 2]| columns.len().max(rows.len()) as f32;
            let larger = longer(&outer) > ENCLOSING * longer(&inner);
            Some(dark != (away && encloses && larger))
        }
    }
}

/// The digit's ink in a picture that is halved as long as its noise calls for it: averages over four pixels have half the
/// noise.
fn clear_ink(mut picture: Picture, dark: bool) -> Option<(Ink, Vec<bool>)> {
    let mut clearest = None;
    loop {
        let found = ink_of(&picture, dark);
        let clear = found.as_ref().is_some_and(|(ink, _)| ink.clearness() >= CLEAR);
        clearest = found.or(clearest);
        if clear || picture.width().max(picture.height()) < LEAST_SIDE {
            return clearest;
        }
        picture = picture.halved();
    }
}

/// The ink and which pixels of it are the digit; `None` when nothing stands out of the noise.
///
/// A table may be so much darker than the digit that the threshold lies between them, or a shadow so large that it lies
/// below both. So things along the border are left out, and the threshold is found anew, as long as something remains.
fn ink_of(picture: &Picture, dark: bool) -> Option<(Ink, Vec<bool>)> {
    let width = picture.width();
    let clear = |ink: &Ink| ink.clearness() >= LEAST_CLEARNESS;
    let mut ink = Ink::find(picture, dark).filter(clear)?;
    let least = picture.width().max(picture.height()) / SIDE;
    while let Some(along_border) = components::along_border(&ink.mask(), width) {
        let left_out: Vec<bool> =
            strokes::distances(&along_border, width, EDGE).iter().map(|distance| *distance < EDGE).collect();
        let Some(rest) = ink.without(&left_out).filter(clear) else { break };
        let digit = components::digit(&rest.mask(), width);
        if components::bounds(&digit, width).iter().all(|range| range.len() <= least) {
            break;
        }
        ink = rest;
    }
    let mask = components::digit(&ink.mask(), width);
    // Its own ink says best where its edge is.
    let others: Vec<bool> = mask.iter().map(|inside| !inside).collect();
    let own = ink.without(&others)?;
    let ink = Ink { level: own.level, ..ink };
    let mask = components::digit(&ink.mask(), width);
    Some((ink, mask))
}

/// How much of each pixel the digit covers, from 0 to 1: its depth, from above the noise to the depth of its darkest
/// twentieth, in the mask and close to it.
fn coverage(ink: &Ink, mask: &[bool]) -> Picture {
    let columns = ink.depth.width();
    let mut depths: Vec<f32> =
        ink.depth.pixels().iter().zip(mask).filter(|(_, inside)| **inside).map(|(depth, _)| *depth).collect();
    let place = depths.len() * 19 / 20;
    let full = *depths.select_nth_unstable_by(place, f32::total_cmp).1;
    let floor = (3.0 * ink.noise).min(full / 4.0);
    // An edge is spread over a pixel or two; that of a large picture, out of focus, over more.
    let reach = (ink.depth.width().max(ink.depth.height()) as f32 / 100.0).max(3.0);
    let distances = strokes::distances(mask, columns, reach);
    Picture::from_function(columns, ink.depth.height(), |x, y| {
        if distances[y * columns + x] >= reach {
            return 0.0;
        }
        ((ink.depth.at(x, y) - floor) / (full - floor)).clamp(0.0, 1.0)
    })
}

/// Fits, centres and draws.
fn drawn(ink: &Picture, mask: &[bool]) -> Digit {
    let [columns, rows] = edges(ink);
    let extent = length(&columns).max(length(&rows));
    let stroke = strokes::width(mask, ink.width(), ink.pixels().iter().sum());
    let scale = BOX as f32 / extent;
    if stroke * scale < THIN && stroke < extent {
        // The middle of the strokes spans extent − stroke; with the pen's width around it, it is to fill the box.
        let scale = (BOX as f32 - PEN) / (extent - stroke);
        let radius = (PEN / scale - stroke) / 2.0;
        return placed(&strokes::thickened(ink, mask, radius), scale, false);
    }
    if (0.97..1.0 + SAME_SIZE).contains(&scale) { placed(ink, 1.0, true) } else { placed(ink, scale, false) }
}

/// Draws at a scale, with the centre of mass in the middle, moved by whole pixels if that is asked for.
fn placed(ink: &Picture, scale: f32, by_whole_pixels: bool) -> Digit {
    let [x, y] = centre_of_mass(ink);
    let shift = |centre: f32| {
        let shift = CENTRE - scale * centre;
        if by_whole_pixels { shift.round() } else { shift }
    };
    let drawn = resampled(ink, scale, [shift(x), shift(y)]);
    let most = drawn.iter().copied().fold(f32::MIN_POSITIVE, f32::max);
    let mut pixels = [0; SIDE * SIDE];
    for (pixel, value) in pixels.iter_mut().zip(drawn) {
        *pixel = (255.0 * value / most).round() as u8;
    }
    Digit { pixels }
}

/// From where to where the ink reaches in columns and in rows, in pixels: where the most of a column or row passes half.
fn edges(ink: &Picture) -> [Range<f32>; 2] {
    let (width, height) = (ink.width(), ink.height());
    let most_of_column = |x| (0..height).map(|y| ink.at(x, y)).fold(0.0, f32::max);
    let most_of_row = |y| (0..width).map(|x| ink.at(x, y)).fold(0.0, f32::max);
    [span((0..width).map(most_of_column).collect()), span((0..height).map(most_of_row).collect())]
}

/// From where to where values, each of the middle of its pixel, are above half of the greatest, read linearly between.
fn span(values: Vec<f32>) -> Range<f32> {
    let half = values.iter().copied().fold(0.0, f32::max) / 2.0;
    let first = values.iter().position(|value| *value >= half).unwrap_or(0);
    let last = values.iter().rposition(|value| *value >= half).unwrap_or(0);
    // How far the crossing lies beyond the middle of the pixel inside; what is beyond the picture is 0.
    let beyond = |inside: f32, outside: f32| (inside - half) / (inside - outside).max(f32::MIN_POSITIVE);
    let before = first.checked_sub(1).map_or(0.0, |place| values[place]);
    let after = values.get(last + 1).copied().unwrap_or(0.0);
    first as f32 + 0.5 - beyond(values[first], before)..last as f32 + 0.5 + beyond(values[last], after)
}

fn length(range: &Range<f32>) -> f32 {
    range.end - range.start
}

/// In pixels from the left and from the top.
fn centre_of_mass(ink: &Picture) -> [f32; 2] {
    let (mut mass, mut moments) = (0.0, [0.0; 2]);
    for (index, value) in ink.pixels().iter().enumerate() {
        let value = f64::from(*value);
        mass += value;
        moments[0] += value * ((index % ink.width()) as f64 + 0.5);
        moments[1] += value * ((index / ink.width()) as f64 + 0.5);
    }
    moments.map(|moment| (moment / mass) as f32)
}

/// The picture scaled and then shifted, read as the mean over the area of each of the 28×28 pixels; where the picture
/// is enlarged, over the area of one of its own pixels, which is bilinear interpolation.
fn resampled(picture: &Picture, scale: f32, [right, down]: [f32; 2]) -> Vec<f32> {
    let columns: Vec<_> = (0..SIDE).map(|place| weights(place, scale, right, picture.width())).collect();
    let rows: Vec<_> = (0..SIDE).map(|place| weights(place, scale, down, picture.height())).collect();
    // First along the rows, of which there are as many as in the picture.
    let narrowed: Vec<[f32; SIDE]> = (0..picture.height())
        .map(|y| {
            std::array::from_fn(|place| columns[place].iter().map(|(x, part)| part * picture.at(*x, y)).sum())
        })
        .collect();
    let value =
        |row: &[(usize, f32)], place: usize| row.iter().map(|(y, part)| part * narrowed[*y][place]).sum();
    rows.iter().flat_map(|row| (0..SIDE).map(move |place| value(row, place))).collect()
}

/// Which of `length` pixels make a pixel of the digit, each with its part.
fn weights(place: usize, scale: f32, shift: f32, length: usize) -> Vec<(usize, f32)> {
    let middle = (place as f32 + 0.5 - shift) / scale;
    let reach = (1.0 / scale).max(1.0) / 2.0;
    let (from, to) = (middle - reach, middle + reach);
    let first = from.floor().max(0.0) as usize;
    let end = (to.ceil().max(0.0) as usize).min(length);
    (first..end)
        .map(|pixel| (pixel, (to.min(pixel as f32 + 1.0) - from.max(pixel as f32)) / (2.0 * reach)))
        .collect()
}
