//! What a picture shows at each of several sizes, and which of these views is answered.

use crate::{
    Picture,
    components::{extent, flooded, joined},
    figures::{Figure, figures},
    groups::{self, Group},
    relief::Relief,
    sheets::{Sheet, sheet},
    strokes,
};
use std::ops::Range;

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
pub(crate) const CLEAR: f32 = 12.0;

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

/// At most so many figures of one picture are looked at, those of which there is most.
const MOST_FIGURES: usize = 256;

/// Depth below which ink is faint.
pub(crate) const FAINT: f32 = 0.12;

/// The best view of a picture at several sizes, and what is found at each: on the sheet, if the picture shows a whole one
/// with digits on it, or else in the whole picture, unless a part of a sheet shows more.
pub(crate) fn found(pictures: &[Picture]) -> Option<(Vec<Size>, View)> {
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
pub(crate) fn whole(view: View, sizes: &[Size]) -> View {
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
pub(crate) struct Size {
    pub(crate) relief: Relief,
    figures: Vec<Figure>,
    /// Whether the picture is as fine as it comes.
    is_unreduced: bool,
    /// Strokes narrower than this are found whole.
    widest_whole: f32,
    /// How many windows lie along the picture's longer side, or along a square as large as the sheet.
    windows: f32,
}

/// The digits of one polarity at one size.
pub(crate) struct View {
    pub(crate) size: usize,
    pub(crate) dark: bool,
    pub(crate) groups: Vec<Group>,
    /// Other things that are nearly as large.
    pub(crate) left_out: usize,
    /// How much ink there is, in the file's pixels.
    mass: f32,
    /// Whether the other polarity shows as much, elsewhere.
    pub(crate) is_rivalled: bool,
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
    pub(crate) fn clearness(&self, figure: &Figure) -> f32 {
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
pub(crate) fn connected(mut groups: Vec<Group>, size: &Size) -> Vec<Group> {
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
