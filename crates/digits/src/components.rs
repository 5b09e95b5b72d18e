//! Which of a picture's ink is the digit.

use std::ops::Range;

/// Pixels that hang together, sides and corners.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Component {
    /// Their places, row by row.
    places: Vec<usize>,
    columns: Range<usize>,
    rows: Range<usize>,
    /// How many of them lie on the picture's border.
    on_border: usize,
    /// Whether it reaches from one side of the picture to the opposite one.
    spans: bool,
}

/// A piece of less than this part of the digit's area is a speck.
const LEAST_PIECE: f32 = 0.02;

/// A piece belongs to the digit if it is nearer than this part of the digit's longer side.
const NEAR: f32 = 0.3;

/// What has more of its pixels on the border than this part of its longer side lies along the border.
const ALONG_BORDER: f32 = 0.3;

impl Component {
    /// Pixels along its longer side.
    fn extent(&self) -> usize {
        self.columns.len().max(self.rows.len())
    }

    /// Whether it lies along the picture's border, as a table beside the paper does and a shadow in the corner.
    fn is_along_border(&self) -> bool {
        self.on_border as f32 > ALONG_BORDER * self.extent() as f32
    }

    /// How much speaks for it being the digit: its area, of which little counts if it crosses the picture, as a ruled line
    /// does, and hardly any if it lies along the border.
    fn weight(&self) -> f32 {
        let crossing = if self.spans { 0.1 } else { 1.0 };
        let along = if self.is_along_border() { 0.01 } else { 1.0 };
        self.places.len() as f32 * crossing * along
    }

    fn join(&mut self, other: &Self) {
        let both = |a: &Range<usize>, b: &Range<usize>| a.start.min(b.start)..a.end.max(b.end);
        self.columns = both(&self.columns, &other.columns);
        self.rows = both(&self.rows, &other.rows);
        self.places.extend(&other.places);
    }

    /// Pixels between two, as their bounding boxes lie.
    fn distance(&self, other: &Self) -> usize {
        let gap = |a: &Range<usize>, b: &Range<usize>| {
            a.start.saturating_sub(b.end).max(b.start.saturating_sub(a.end))
        };
        gap(&self.columns, &other.columns).max(gap(&self.rows, &other.rows))
    }

    /// Whether it is a piece of the digit of which `digit` is known, as strokes that a pen skipped are.
    fn belongs_to(&self, digit: &Self) -> bool {
        let large = self.places.len() as f32 >= LEAST_PIECE * digit.places.len() as f32;
        let near = self.distance(digit) as f32 <= NEAR * digit.extent() as f32;
        large && near && !self.spans && !self.is_along_border()
    }
}

/// Of the pixels in `mask`, those that are the digit.
pub(crate) fn digit(mask: &[bool], width: usize) -> Vec<bool> {
    let components = components(mask, width);
    let mut chosen = vec![false; mask.len()];
    let heaviest = components.iter().max_by(|a, b| a.weight().total_cmp(&b.weight()));
    let Some(digit) = heaviest else { return chosen };
    let mut digit = digit.clone();
    let mut others: Vec<&Component> = components.iter().filter(|other| **other != digit).collect();
    // A piece can be near to one that joined before it.
    while let Some(place) = others.iter().position(|other| other.belongs_to(&digit)) {
        digit.join(others.swap_remove(place));
    }
    digit.places.iter().for_each(|place| chosen[*place] = true);
    chosen
}

/// Of the pixels in `mask`, those of things along the picture's border, if there are such.
pub(crate) fn along_border(mask: &[bool], width: usize) -> Option<Vec<bool>> {
    let mut found = None;
    for component in components(mask, width).iter().filter(|component| component.is_along_border()) {
        let found = found.get_or_insert_with(|| vec![false; mask.len()]);
        component.places.iter().for_each(|place| found[*place] = true);
    }
    found
}

/// From where to where the pixels of a mask reach, in columns and in rows.
pub(crate) fn bounds(mask: &[bool], width: usize) -> [Range<usize>; 2] {
    let places = || mask.iter().enumerate().filter(|(_, inside)| **inside).map(|(place, _)| place);
    [range(places().map(|place| place % width)), range(places().map(|place| place / width))]
}

fn range(numbers: impl Iterator<Item = usize>) -> Range<usize> {
    let (least, most) =
        numbers.fold((usize::MAX, 0), |(least, most), number| (least.min(number), most.max(number)));
    least.min(most)..most + 1
}

/// The components of a mask, by flooding each from its first pixel.
fn components(mask: &[bool], width: usize) -> Vec<Component> {
    let height = mask.len() / width;
    let mut unseen = mask.to_vec();
    let mut components = Vec::new();
    for seed in 0..mask.len() {
        if !std::mem::take(&mut unseen[seed]) {
            continue;
        }
        let mut places = vec![seed];
        let mut next = 0;
        while let Some(place) = places.get(next) {
            let (x, y) = (place % width, place / width);
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
        components.push(component(places, width, height));
    }
    components
}

fn component(places: Vec<usize>, width: usize, height: usize) -> Component {
    let columns = range(places.iter().map(|place| place % width));
    let rows = range(places.iter().map(|place| place / width));
    let is_on_border = |place: &&usize| {
        let (x, y) = (*place % width, *place / width);
        x == 0 || y == 0 || x + 1 == width || y + 1 == height
    };
    let on_border = places.iter().filter(is_on_border).count();
    let spans = columns.len() == width || rows.len() == height;
    Component { places, columns, rows, on_border, spans }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is chosen of a drawing: `#` is ink, `x` ink that is to be left out.
    fn check(drawing: &[&str]) {
        let width = drawing[0].len();
        let text = drawing.concat();
        let mask: Vec<bool> = text.bytes().map(|byte| byte != b'.').collect();
        let expected: Vec<bool> = text.bytes().map(|byte| byte == b'#').collect();
        let found = digit(&mask, width);
        let rows: Vec<String> = found
            .chunks(width)
            .map(|row| row.iter().map(|chosen| if *chosen { '#' } else { '.' }).collect())
            .collect();
        assert_eq!(found, expected, "{rows:#?}");
    }

    #[test]
    fn specks_are_left_out_and_broken_strokes_kept() {
        check(&[
            "..............x.",
            "....######......",
            "....#...........",
            "....#...........",
            "................",
            "....######......",
            ".........#......",
            "....######......",
            "................",
            ".x..............",
        ]);
    }

    #[test]
    fn what_lies_along_the_border_is_left_out_for_a_digit() {
        check(&[
            "xxxxxxxxxxxxxxxx",
            "xxxxxxxxxxxxxxxx",
            "xxx.............",
            "xx...####.......",
            "x....#..#.......",
            "x....####.......",
            "x.......#.......",
            "x....####.......",
            "................",
        ]);
    }

    #[test]
    fn a_digit_may_touch_the_border() {
        check(&[
            "....########....",
            "....#..........x",
            "....#...........",
            "....########....",
            "...........#....",
            "...........#....",
            "....########....",
            "..x.............",
        ]);
    }

    #[test]
    fn the_only_ink_is_the_digit_wherever_it_lies() {
        check(&["##......", "##......", "##......", "##......"]);
        check(&["........", "########", "........"]);
    }

    #[test]
    fn no_ink_is_no_digit() {
        assert_eq!(digit(&[false; 6], 3), [false; 6]);
    }
}
