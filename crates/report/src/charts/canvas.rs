//! Where a chart is drawn: the picture's size, the axes of its plot, what a pointer finds there.

use crate::charts::axis::{Scale, Tick};
use crate::charts::font::Font;
use crate::charts::scene::{Anchor, Colour, Element, Probe, Scene, Stroke, Text};

/// Free space around everything.
pub(crate) const MARGIN: f64 = 44.0;
/// A picture shown 600 pixels wide, as in a column of text, shows these at 9 pixels and more.
pub(crate) const BODY: f64 = 27.0;
const TITLE: f64 = 42.0;
const NOTE: f64 = 24.0;
/// From a line of notes to the next.
const NOTE_LINE: f64 = 34.0;
/// Title and subtitle.
const HEAD: f64 = 142.0;
/// What stands in their place.
const TOP: f64 = 8.0;
/// More lines of notes would leave the plot too little room.
const MOST_NOTES: usize = 7;

pub(crate) const INK: Colour = Colour(0x22, 0x22, 0x22);
pub(crate) const MUTED: Colour = Colour(0x5a, 0x5a, 0x5a);
pub(crate) const GRID: Colour = Colour(0xe3, 0xe3, 0xe3);
pub(crate) const AXIS: Colour = Colour(0x8a, 0x8a, 0x8a);

/// What a chart is drawn for; texts have one size on all of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Canvas {
    /// A file of its own, with title and notes.
    Picture,
    /// A figure of a paper, whose caption has the title.
    Paper,
    /// A page on a desk: the page has the words.
    Wide,
    /// A page in a hand.
    Narrow,
}

impl Canvas {
    fn size(self) -> (u32, u32) {
        match self {
            Canvas::Picture => (1600, 1000),
            // As high, but for the title.
            Canvas::Paper => (1600, 1000 - HEAD as u32 + TOP as u32),
            Canvas::Wide => (1600, 820),
            Canvas::Narrow => (760, 820),
        }
    }

    pub(crate) fn is_on_a_page(self) -> bool {
        matches!(self, Canvas::Wide | Canvas::Narrow)
    }

    pub(crate) fn inner_width(self) -> f64 {
        f64::from(self.size().0) - 2.0 * MARGIN
    }

    /// How many ticks an axis from left to right has room for.
    pub(crate) fn ticks(self) -> usize {
        if self == Canvas::Narrow { 6 } else { 12 }
    }

    pub(crate) fn scene(self, description: String) -> Scene {
        let (width, height) = self.size();
        Scene::new(width, height, description)
    }

    /// As [`Self::scene`], so high.
    pub(crate) fn scene_of_height(self, description: String, height: f64) -> Scene {
        Scene::new(self.size().0, height.ceil() as u32, description)
    }

    /// Writes title, subtitle and notes where the picture has them; the upper and lower edge of what is left.
    pub(crate) fn captions(
        self,
        scene: &mut Scene,
        font: &Font,
        title: &str,
        subtitle: &str,
        notes: &[String],
    ) -> (f64, f64) {
        let height = f64::from(scene.height);
        if self.is_on_a_page() {
            return (TOP, height - 24.0);
        }
        let mut line = |baseline: f64, size: f64, colour: Colour, content: &str| {
            let content = font.fitted(content, size, self.inner_width());
            let at = (MARGIN, baseline);
            scene.text(Text { at, size, anchor: Anchor::Start, upwards: false, colour, content });
        };
        if self == Canvas::Picture {
            line(72.0, TITLE, INK, title);
            line(116.0, BODY, MUTED, subtitle);
        }
        let notes = self.note_lines(font, notes);
        let notes_top = height - 24.0 - NOTE_LINE * notes.len() as f64;
        for (index, note) in notes.iter().enumerate() {
            line(notes_top + NOTE_LINE * index as f64 + 24.0, NOTE, MUTED, note);
        }
        (self.head(), notes_top)
    }

    fn head(self) -> f64 {
        if self == Canvas::Picture { HEAD } else { TOP }
    }

    /// What the captions of a picture leave no room for.
    pub(crate) fn caption_height(self, font: &Font, notes: &[String]) -> f64 {
        self.head() + 24.0 + NOTE_LINE * self.note_lines(font, notes).len() as f64
    }

    fn note_lines(self, font: &Font, notes: &[String]) -> Vec<String> {
        let mut lines: Vec<String> =
            notes.iter().flat_map(|note| font.lines(note, NOTE, self.inner_width())).collect();
        if lines.len() > MOST_NOTES {
            lines.truncate(MOST_NOTES);
            lines[MOST_NOTES - 1] = "More notes stand in the report.".to_owned();
        }
        lines
    }
}

/// The rectangle of a plot, and the scales that fill it.
pub(crate) struct Frame {
    pub(crate) left: f64,
    pub(crate) right: f64,
    pub(crate) top: f64,
    pub(crate) bottom: f64,
    x: Scale,
    y: Scale,
    y_ticks: Vec<Tick>,
}

impl Frame {
    /// Between two edges, with room for the labels.
    pub(crate) fn new(canvas: Canvas, font: &Font, [top, bottom]: [f64; 2], x: Scale, y: Scale) -> Self {
        let y_ticks = y.ticks(8);
        let widest = y_ticks.iter().map(|tick| font.width(&tick.label, BODY)).fold(0.0, f64::max);
        let left = MARGIN + 52.0 + widest + 14.0;
        Self { left, right: MARGIN + canvas.inner_width(), top, bottom: bottom - 110.0, x, y, y_ticks }
    }

    pub(crate) fn place(&self, x: f64, y: f64) -> (f64, f64) {
        (
            self.left + self.x.fraction(x) * (self.right - self.left),
            self.bottom - self.y.fraction(y) * (self.bottom - self.top),
        )
    }

    /// Grid, ticks and labels; `empty` says so in the middle.
    pub(crate) fn axes(&self, scene: &mut Scene, x_ticks: &[Tick], [x, y]: [&str; 2], empty: bool) {
        let thin = |colour| Stroke { colour, width: 2.0, dash: None };
        let mut label = |at, anchor, upwards, colour, content: &str| {
            scene.text(Text { at, size: BODY, anchor, upwards, colour, content: content.to_owned() });
        };
        let x_of = |tick: &Tick| self.left + self.x.fraction(tick.value) * (self.right - self.left);
        let y_of = |tick: &Tick| self.bottom - self.y.fraction(tick.value) * (self.bottom - self.top);
        for tick in &self.y_ticks {
            let at = (self.left - 14.0, y_of(tick) + BODY * 0.36);
            label(at, Anchor::End, false, MUTED, &tick.label);
        }
        for tick in x_ticks {
            label((x_of(tick), self.bottom + 42.0), Anchor::Middle, false, MUTED, &tick.label);
        }
        let across = (self.left + self.right) / 2.0;
        label((across, self.bottom + 86.0), Anchor::Middle, false, INK, x);
        let along = (self.top + self.bottom) / 2.0;
        label((MARGIN + 24.0, along), Anchor::Middle, true, INK, y);
        if empty {
            label((across, along), Anchor::Middle, false, MUTED, "no finite value to draw");
        }
        for tick in &self.y_ticks {
            let y = y_of(tick);
            scene.line(&[(self.left, y), (self.right, y)], thin(GRID));
        }
        for tick in x_ticks {
            let x = x_of(tick);
            scene.line(&[(x, self.top), (x, self.bottom)], thin(GRID));
            scene.line(&[(x, self.bottom), (x, self.bottom + 8.0)], thin(AXIS));
        }
        scene.line(&[(self.left, self.top), (self.left, self.bottom), (self.right, self.bottom)], thin(AXIS));
    }

    /// A strip from `left` to `right` that shows `lines` beside a guide at `middle` while a pointer or the keyboard is
    /// on it.
    pub(crate) fn probe(
        &self,
        scene: &mut Scene,
        font: &Font,
        [left, right]: [f64; 2],
        middle: f64,
        lines: Vec<String>,
    ) {
        const PADDING: f64 = 16.0;
        let room = self.right - self.left - 2.0 * PADDING;
        let lines: Vec<String> = lines.iter().map(|line| font.fitted(line, Probe::SIZE, room)).collect();
        let widest = lines.iter().map(|line| font.width(line, Probe::SIZE)).fold(0.0, f64::max);
        // A browser without the font may set it a little wider.
        let width = (widest * 1.06 + 2.0 * PADDING).min(self.right - self.left);
        // On the other side of the plot, so that it does not cover what it explains, where there is room for that.
        let on_the_left = middle - self.left >= self.right - middle;
        let box_left = if on_the_left { self.left } else { self.right - width };
        scene.elements.push(Element::Probe(Probe {
            left,
            right,
            top: self.top,
            bottom: self.bottom,
            middle,
            box_left,
            box_width: width,
            padding: PADDING,
            lines,
        }));
    }
}
