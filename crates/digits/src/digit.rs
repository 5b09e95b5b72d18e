//! From a picture to its digits.

use crate::{
    Doubt, Picture, PictureError,
    components::{extent, flooded, joined},
    drawing::{self, SIDE},
    edges,
    figures::{Figure, figures},
    groups::{self, Group},
    relief::{LEAST_CONTRAST, Relief, level},
    sheets::{Sheet, sheet},
    strokes,
};
use std::ops::Range;

/// The longest side of the largest picture that is searched.
const SEARCHED_SIDE: usize = 560;

/// Pictures are halved and searched again until the longer side is less than twice this.
const LEAST_SIDE: usize = 14;

/// In a picture of fewer windows than this along its longer side, unless there is no larger one, or on such a sheet, the
/// paper itself is narrow, and no digit is told from what surrounds it.
const LEAST_WINDOWS: f32 = 3.0;

/// Strokes narrower than 2 × this + 1 pixels are found in a picture of any size; of half its windows, the smaller ones
/// leave less of what is near to a stroke out of its ground.
const HALF_WINDOWS: [usize; 2] = [4, 7];

/// Of half the windows in pictures of few of the larger ones: where it is too large for the picture ([`LEAST_WINDOWS`]),
/// strokes that meet in wedges are still narrower than one between the two.
const HALF_WINDOWS_OF_SMALL: [usize; 4] = [4, 5, 6, 7];

/// Pictures with a longer side of fewer pixels than this have few windows, also on a sheet of half their size.
const SMALL: usize = 90;

/// A stroke is found whole if it is narrower than this part of the window.
const WHOLE: f32 = 0.96;

/// A digit has at least this many pixels on its longer side where it is found.
const LEAST_EXTENT: usize = 10;

/// In the picture itself, which has no more to show, it may have as few as this.
const LEAST_EXTENT_UNREDUCED: usize = 5;

/// The finest picture that shows this part of what the best one shows is good enough.
const NEARLY_ALL: f32 = 0.7;

/// Where a view shows two things and another one has them as one, with more ink than this times as much, they are one.
const WHOLE_MASS: f32 = 1.05;

/// Ink that stands out of the noise by fewer standard deviations than this calls for a smaller, smoother picture.
const CLEAR: f32 = 12.0;

/// Ink that stands out by fewer than this is none.
const LEAST_CLEARNESS: f32 = 5.0;

/// Nor is ink that is not [`CLEAR`] if it is smaller than this part of the picture's longer side: the grain of paper is
/// that.
const LEAST_UNCLEAR: f32 = 0.1;

/// Strokes that cover much of the picture make it seem rough: what is as large as this part of it need not be [`CLEAR`].
const LARGE: f32 = 0.3;

/// Where nothing is as digits should be, something smaller than this part of the picture's longer side is a speck.
const LEAST_BLOT: f32 = 0.05;

/// Ink of less than this part of the depth of other ink is a shadow.
const LEAST_LEVEL: f32 = 0.4;

/// Digits are drawn from a part of the picture with at most this many pixels on its longer side.
const DRAWN_FROM: usize = 224;

/// At most so many figures of one picture are looked at, those of which there is most.
const MOST_FIGURES: usize = 256;

/// Depth below which ink is faint.
const FAINT: f32 = 0.12;

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
    let (sizes, view) = found(&pictures).ok_or_else(no_ink)?;
    let mut view = whole(view, &sizes);
    view.groups = connected(view.groups, &sizes[view.size]);
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

/// The best view of a picture at several sizes, and what is found at each: on the sheet, if the picture shows a whole one
/// with digits on it, or else in the whole picture, unless a part of a sheet shows more.
fn found(pictures: &[Picture]) -> Option<(Vec<Size>, View)> {
    let at_all = |sheet: Option<&Sheet>| -> Vec<Size> {
        let windows = |index, picture: &Picture| match index {
            0 => &HALF_WINDOWS[1..],
            _ if picture.width().max(picture.height()) < SMALL => &HALF_WINDOWS_OF_SMALL[..],
            _ => &HALF_WINDOWS[..],
        };
        let all = |(index, picture): (usize, &Picture)| {
            let sizes = windows(index, picture).iter().map(|half| Size::new(picture.clone(), *half, sheet));
            sizes.collect::<Vec<_>>()
        };
        pictures.iter().enumerate().flat_map(all).collect()
    };
    let sheet = sheet(&pictures[0]);
    let on_sheet = sheet.as_ref().and_then(|sheet| {
        let sizes = at_all(Some(sheet));
        let view = view(&sizes, Size::strict)?;
        Some((sizes, view, sheet.is_whole))
    });
    if let Some((sizes, view, true)) = on_sheet {
        return Some((sizes, view));
    }
    let sizes = at_all(None);
    let whole = view(&sizes, Size::strict);
    match (on_sheet, whole) {
        (Some((sizes, on_sheet, _)), whole)
            if whole.as_ref().is_none_or(|whole| whole.mass < on_sheet.mass) =>
        {
            Some((sizes, on_sheet))
        }
        (_, Some(whole)) => Some((sizes, whole)),
        (_, None) => view(&sizes, Size::lenient).map(|view| (sizes, view)),
    }
}

/// The view, unless what it shows is a small piece of something that is not as digits should be: of a blot, which is then
/// answered as one.
fn whole(view: View, sizes: &[Size]) -> View {
    /// So many times as much ink is more than gaps in strokes that meet can leave out.
    const MUCH_MORE: f32 = 2.0;
    /// A shadow that ink lies in is paler than the ink.
    const AS_DEEP: f32 = 0.75;
    let Some(lenient) = self::view(sizes, Size::lenient) else { return view };
    if lenient.dark != view.dark {
        return view;
    }
    let [own, other] = [&view, &lenient].map(|view| &sizes[view.size].relief.picture);
    let area = (other.reduction() as f32).powi(2);
    let is_blot = |figure: &&Figure| {
        area * figure.mass() > MUCH_MORE * view.mass && figure.level > AS_DEEP * view.level()
    };
    let mut blots = vec![false; other.pixels().len()];
    let figures = lenient.groups.iter().flat_map(|group| &group.figures).filter(is_blot);
    figures.flat_map(|figure| &figure.component.places).for_each(|place| blots[*place] = true);
    let is_in_blot = |place: usize| {
        let there = |at: usize| (2 * at + 1) * own.reduction() / 2 / other.reduction();
        let (x, y) = (there(place % own.width()), there(place / own.width()));
        x < other.width() && y < other.height() && blots[y * other.width() + x]
    };
    let is_piece = |group: &Group| {
        let places = &group.largest().component.places;
        2 * places.iter().filter(|place| is_in_blot(**place)).count() > places.len()
    };
    if view.groups.iter().any(is_piece) { lenient } else { view }
}

/// What is found in a picture at one size.
struct Size {
    relief: Relief,
    figures: Vec<Figure>,
    /// Whether the picture is as fine as it comes.
    is_unreduced: bool,
    /// Strokes narrower than this are found whole.
    widest_whole: f32,
    /// How many windows lie along the picture's longer side, or along a square as large as the sheet.
    windows: f32,
}

/// The digits of one polarity at one size.
struct View {
    size: usize,
    dark: bool,
    groups: Vec<Group>,
    /// Other things that are nearly as large.
    left_out: usize,
    /// How much ink there is, in the file's pixels.
    mass: f32,
    /// Whether the other polarity shows as much, elsewhere.
    is_rivalled: bool,
}

impl View {
    /// Whether a digit of another view is several here.
    fn is_in_pieces_of(&self, whole: &Self, sizes: &[Size]) -> bool {
        let full = |view: &Self, group: &Group| {
            let side = sizes[view.size].relief.picture.reduction();
            group.bounds.clone().map(|range| range.start * side..range.end * side)
        };
        whole.groups.iter().any(|group| {
            let outer = full(whole, group);
            let is_inside = |piece: &&Group| {
                full(self, piece)
                    .iter()
                    .zip(&outer)
                    .all(|(inner, outer)| outer.contains(&((inner.start + inner.end) / 2)))
            };
            self.groups.iter().filter(is_inside).count() > 1
        })
    }

    /// Depth of the deepest digit.
    fn level(&self) -> f32 {
        self.groups.iter().map(|group| group.largest().level).fold(0.0, f32::max)
    }

    /// Whether one of these digits is written on a group of the other polarity: on a sheet, and not what is left open
    /// by the strokes of a larger digit.
    fn is_on(&self, sizes: &[Size], sheet: &Group, size: &Size) -> bool {
        /// What is written on a sheet is not much smaller.
        const LEAST_WRITTEN: f32 = 0.1;
        /// And it stands out from the sheet as the sheet does from what is around it.
        const LEAST_CONTRAST: f32 = 0.3;
        let full = |group: &Group, size: &Size| {
            let side = size.relief.picture.reduction();
            group.bounds.clone().map(|range| range.start * side..range.end * side)
        };
        let outer = full(sheet, size);
        let is_written = |group: &Group| {
            let inner = full(group, &sizes[self.size]);
            contains(&outer, &inner)
                && extent(&inner) as f32 >= LEAST_WRITTEN * extent(&outer) as f32
                && group.largest().contrast >= LEAST_CONTRAST * sheet.largest().contrast
        };
        self.dark != sheet.largest().dark
            && self.groups.iter().any(is_written)
            && sheet.is_rectangular(size.relief.picture.width())
    }
}

impl Size {
    fn new(picture: Picture, half_window: usize, sheet: Option<&Sheet>) -> Self {
        let is_unreduced = picture.reduction() == 1;
        let mask = sheet.map(|sheet| sheet.inside(&picture));
        let side = match &mask {
            Some(mask) => (mask.iter().filter(|inside| **inside).count() as f32).sqrt(),
            None => picture.width().max(picture.height()) as f32,
        };
        let window = (2 * half_window + 1) as f32;
        let relief = Relief::new(picture, half_window, mask.as_deref());
        let mut figures = figures(&relief);
        figures.sort_by(|one, other| other.mass().total_cmp(&one.mass()));
        figures.truncate(MOST_FIGURES);
        Self { relief, figures, is_unreduced, widest_whole: WHOLE * window, windows: side / window }
    }

    /// Figures that are outlined all round and away from the border, and groups of them that are made of strokes.
    fn strict(&self, dark: bool) -> (Vec<Group>, usize) {
        let (width, height) = (self.relief.picture.width(), self.relief.picture.height());
        if self.windows < LEAST_WINDOWS && !self.is_unreduced {
            return (Vec::new(), 0);
        }
        let is_digit = |figure: &&Figure| {
            figure.dark == dark
                && figure.is_outlined()
                && !figure.is_along_border()
                && !figure.spans()
                && figure.stroke <= self.widest_whole
                && self.clearness(figure) >= if figure.level < FAINT { CLEAR } else { LEAST_CLEARNESS }
        };
        let mut figures: Vec<Figure> = self.figures.iter().filter(is_digit).cloned().collect();
        // Also round what is too wide to be seen whole at this size.
        let inner: Vec<&Figure> =
            self.figures.iter().filter(|figure| figure.dark == dark && figure.is_outlined()).collect();
        let frames: Vec<bool> =
            figures.iter().map(|figure| inner.iter().any(|other| figure.is_round(other, width))).collect();
        let mut is_frame = frames.into_iter();
        figures.retain(|_| !is_frame.next().unwrap_or(false));
        let (mut groups, left_out) = groups::digits(figures, width);
        let least = if self.is_unreduced { LEAST_EXTENT_UNREDUCED } else { LEAST_EXTENT };
        let longer = width.max(height) as f32;
        groups.retain(|group| {
            let is_clear = self.clearness(group.largest()) >= CLEAR;
            group.extent() >= least
                && group.is_of_strokes()
                && (is_clear || group.extent() as f32 >= LEAST_UNCLEAR * longer)
        });
        (groups, left_out)
    }

    /// The figure of which there is most, with its pieces, where nothing is as digits should be: blots, and what fills
    /// the picture.
    fn lenient(&self, dark: bool) -> (Vec<Group>, usize) {
        let (width, height) = (self.relief.picture.width(), self.relief.picture.height());
        let is_large = |figure: &Figure| figure.extent() as f32 >= LARGE * width.max(height) as f32;
        let is_digit = |figure: &&Figure| {
            let on_border: usize = figure.on_sides.iter().sum();
            let fills = figure.on_sides.iter().all(|count| *count > 0) && on_border <= width + height;
            figure.dark == dark
                && (figure.is_outlined() || fills)
                && (fills || !figure.spans())
                && (fills || !figure.is_along_border())
                && figure.stroke <= self.widest_whole
                && self.clearness(figure) >= if is_large(figure) { LEAST_CLEARNESS } else { CLEAR }
        };
        let figures: Vec<Figure> = self.figures.iter().filter(is_digit).cloned().collect();
        let (mut groups, left_out) = groups::digits(figures, width);
        groups.retain(|group| group.extent() as f32 >= LEAST_BLOT * width.max(height) as f32);
        (groups, left_out)
    }

    /// How many standard deviations of the noise a figure stands out by.
    fn clearness(&self, figure: &Figure) -> f32 {
        let place = figure.component.places[figure.component.places.len() / 2];
        figure.level / self.relief.noise_of_depth(figure.dark, place).max(f32::MIN_POSITIVE)
    }
}

/// Of all sizes and both polarities the finest view that shows nearly as much ink as any, clear of noise.
fn view(sizes: &[Size], look: impl Fn(&Size, bool) -> (Vec<Group>, usize)) -> Option<View> {
    let mut views: Vec<View> = Vec::new();
    for (index, size) in sizes.iter().enumerate() {
        for dark in [true, false] {
            let (groups, left_out) = look(size, dark);
            views.push(View { size: index, dark, groups, left_out, mass: 0.0, is_rivalled: false });
        }
    }
    let sheets: Vec<Vec<bool>> = views
        .iter()
        .map(|view| {
            let is_sheet = |group| views.iter().any(|other| other.is_on(sizes, group, &sizes[view.size]));
            view.groups.iter().map(is_sheet).collect()
        })
        .collect();
    for (view, sheets) in views.iter_mut().zip(sheets) {
        let mut is_sheet = sheets.into_iter();
        view.groups.retain(|_| !is_sheet.next().unwrap_or(false));
        let area = (sizes[view.size].relief.picture.reduction() as f32).powi(2);
        view.mass = area * view.groups.iter().map(Group::mass).sum::<f32>();
    }
    views.retain(|view| view.mass > 0.0);
    // Shadows are wide and pale where ink is neither.
    let deepest = views.iter().map(View::level).fold(0.0, f32::max);
    views.retain(|view| view.level() >= LEAST_LEVEL * deepest);
    let heaviest = |dark: bool| {
        views.iter().filter(|view| view.dark == dark).max_by(|one, other| one.mass.total_cmp(&other.mass))
    };
    let (dark, light) = (heaviest(true), heaviest(false));
    let mass = |view: Option<&View>| view.map_or(0.0, |view| view.mass);
    let is_dark = mass(dark) >= mass(light);
    let (most, rival) = if is_dark { (dark?, light) } else { (light?, dark) };
    let most_mass = most.mass;
    let is_rivalled = rival.is_some_and(|rival| {
        rival.mass >= most_mass / 2.0 && !contains(&extent_of(most, sizes), &extent_of(rival, sizes))
    });
    let is_clear = |view: &View| {
        let size = &sizes[view.size];
        view.groups.iter().all(|group| size.clearness(group.largest()) >= CLEAR)
    };
    let most_size = most.size;
    let shows_most = |view: &&View| view.dark == is_dark && view.mass >= NEARLY_ALL * most_mass;
    // Where strokes meet they are wider: a view of narrow ones shows pieces.
    let is_in_pieces = |view: &View| {
        views
            .iter()
            .filter(shows_most)
            .any(|whole| whole.mass > WHOLE_MASS * view.mass && view.is_in_pieces_of(whole, sizes))
    };
    // What is too wide to be seen in one view is seen in another.
    let left_out = views.iter().filter(shows_most).map(|view| view.left_out).max().unwrap_or(0);
    let chosen = views
        .iter()
        .position(|view| shows_most(&view) && is_clear(view) && !is_in_pieces(view))
        .or_else(|| views.iter().position(|view| view.dark == is_dark && view.size == most_size))?;
    Some(View { is_rivalled, left_out, ..views.swap_remove(chosen) })
}

/// The groups, each with all of its ink, and those put together that are one piece of it: where strokes meet at a sharp
/// angle they are too wide to be seen as strokes, and what is left of them has gaps.
fn connected(mut groups: Vec<Group>, size: &Size) -> Vec<Group> {
    /// Ink is what lies in the first part of the way from the ink of the strokes to their ground.
    const INK: f32 = 0.35;
    /// What goes further than this part of its longer side beyond the pieces, or to a border that they do not touch, is no ink
    /// that they share, but a shadow or a table.
    const BEYOND: f32 = 1.0;
    /// A digit of one piece lacks something if all of the ink has this many times its area.
    const MORE: f32 = 1.05;
    let picture = &size.relief.picture;
    let width = picture.width();
    let mut first = 0;
    while first < groups.len() {
        let largest = groups[first].largest();
        let dark = largest.dark;
        let places = &largest.component.places;
        let mean = |value: &dyn Fn(usize) -> f32| {
            places.iter().map(|place| value(*place)).sum::<f32>() / places.len() as f32
        };
        let ink = mean(&|place| picture.pixels()[place]);
        let ground = mean(&|place| size.relief.grounds(place)[usize::from(!dark)]);
        let limit = ink + INK * (ground - ink);
        let mut mask: Vec<bool> = picture.pixels().iter().map(|value| (*value < limit) == dark).collect();
        let Some(seed) = places.iter().copied().find(|place| mask[*place]) else {
            first += 1;
            continue;
        };
        let before = mask.clone();
        let component = flooded(&mut mask, width, seed);
        let is_of_it = |figure: &Figure| {
            let places = &figure.component.places;
            places.iter().filter(|place| before[**place] && !mask[**place]).count() > places.len() / 2
        };
        let (pieces, others): (Vec<Group>, Vec<Group>) =
            groups.iter().cloned().partition(|group| is_of_it(group.largest()));
        let bounds =
            pieces.iter().map(|piece| piece.bounds.clone()).reduce(|one, other| joined(&one, &other));
        let is_within = bounds.is_some_and(|bounds| {
            let beyond = (BEYOND * extent(&bounds) as f32) as usize + 1;
            let lengths = [width, picture.height()];
            bounds.iter().zip(&component.bounds).zip(lengths).all(|((inner, outer), length)| {
                outer.start + beyond >= inner.start
                    && outer.end <= inner.end + beyond
                    && (outer.start > 0 || inner.start == 0)
                    && (outer.end < length || inner.end == length)
            })
        });
        let area: usize = pieces.iter().map(|piece| piece.area).sum();
        let is_more = pieces.len() > 1 || component.places.len() as f32 > MORE * area as f32;
        if !pieces.is_empty() && is_more && is_within {
            let stroke = strokes::widest(&component, width);
            let figure = Figure { component, stroke, ..groups[first].largest().clone() };
            groups = others;
            let mut whole = Group::of(figure);
            let apart = pieces.into_iter().flat_map(|piece| piece.figures).filter(|piece| !is_of_it(piece));
            apart.for_each(|piece| whole.join(Group::of(piece)));
            groups.push(whole);
            groups = groups::in_reading_order(groups);
            first = 0;
        } else {
            first += 1;
        }
    }
    groups
}

/// Where all digits of a view are, in the file's pixels.
fn extent_of(view: &View, sizes: &[Size]) -> [Range<usize>; 2] {
    let side = sizes[view.size].relief.picture.reduction();
    let all = view.groups.iter().map(|group| group.bounds.clone()).reduce(|one, other| joined(&one, &other));
    all.unwrap_or([0..0, 0..0]).map(|range| range.start * side..range.end * side)
}

fn contains(outer: &[Range<usize>; 2], inner: &[Range<usize>; 2]) -> bool {
    outer.iter().zip(inner).all(|(outer, inner)| outer.start <= inner.start && outer.end >= inner.end)
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
