//! Digits of typefaces, drawn as screens, scanners and cameras show them.

use crate::sheet::{Random, Sheet, blur};
use std::f32::consts::TAU;
use tiny_skia::{FillRule, Paint, PathBuilder, Pixmap, Transform};
use ttf_parser::{Face, OutlineBuilder};

/// A typeface: its name, and its file.
#[derive(Clone, Copy)]
pub(crate) struct Typeface {
    pub(crate) name: &'static str,
    file: fn() -> &'static [u8],
}

/// All of DejaVu's faces.
pub(crate) const TYPEFACES: [Typeface; 21] = {
    const fn face(name: &'static str, file: fn() -> &'static [u8]) -> Typeface {
        Typeface { name, file }
    }
    use dejavu::{sans, sans_condensed, sans_mono, serif, serif_condensed};
    [
        face("Sans", sans::regular),
        face("Sans Bold", sans::bold),
        face("Sans Oblique", sans::oblique),
        face("Sans Bold Oblique", sans::bold_oblique),
        face("Sans Extra Light", sans::extra_light),
        face("Sans Condensed", sans_condensed::regular),
        face("Sans Condensed Bold", sans_condensed::bold),
        face("Sans Condensed Oblique", sans_condensed::oblique),
        face("Sans Condensed Bold Oblique", sans_condensed::bold_oblique),
        face("Mono", sans_mono::regular),
        face("Mono Bold", sans_mono::bold),
        face("Mono Oblique", sans_mono::oblique),
        face("Mono Bold Oblique", sans_mono::bold_oblique),
        face("Serif", serif::regular),
        face("Serif Bold", serif::bold),
        face("Serif Italic", serif::italic),
        face("Serif Bold Italic", serif::bold_italic),
        face("Serif Condensed", serif_condensed::regular),
        face("Serif Condensed Bold", serif_condensed::bold),
        face("Serif Condensed Italic", serif_condensed::italic),
        face("Serif Condensed Bold Italic", serif_condensed::bold_italic),
    ]
};

/// How much of each pixel of a square is covered by ink, from 0 to 1.
pub(crate) struct Drawing {
    side: usize,
    ink: Vec<f32>,
}

impl Drawing {
    /// A digit in the middle of a square of `side` pixels, about 0.6 of it high, turned clockwise.
    pub(crate) fn new(typeface: Typeface, digit: u8, side: usize, degrees: f32) -> Self {
        let face = Face::parse((typeface.file)(), 0).expect("the font is sound");
        let glyph = face.glyph_index(char::from(b'0' + digit)).expect("digits have glyphs");
        let mut outline = Outline(PathBuilder::new());
        face.outline_glyph(glyph, &mut outline).expect("digits have outlines");
        let path = outline.0.finish().expect("an outline is a path");
        let bounds = path.bounds();
        let scale = 0.6 * side as f32 / bounds.height();
        let middle = side as f32 / 2.0;
        let transform = Transform::from_translate(
            -bounds.left() - bounds.width() / 2.0,
            -bounds.top() - bounds.height() / 2.0,
        )
        .post_scale(scale, -scale)
        .post_concat(Transform::from_rotate(degrees))
        .post_translate(middle, middle);
        let mut canvas = Pixmap::new(side as u32, side as u32).expect("a canvas");
        let mut paint = Paint::default();
        paint.set_color_rgba8(255, 255, 255, 255);
        canvas.fill_path(&path, &paint, FillRule::Winding, transform, None);
        Self { side, ink: canvas.pixels().iter().map(|pixel| f32::from(pixel.alpha()) / 255.0).collect() }
    }

    /// As a drawing program shows it, one colour on another.
    pub(crate) fn flat(&self, ink: [u8; 3], paper: [u8; 3]) -> Sheet {
        let pixels = self.ink.iter().map(|covered| {
            std::array::from_fn(|channel| {
                let mixed = covered * f32::from(ink[channel]) + (1.0 - covered) * f32::from(paper[channel]);
                mixed / 255.0
            })
        });
        Sheet::of(self.side, pixels.collect())
    }

    /// As a camera sees it on paper: light from one side, a soft shadow, the paper's grain, a little out of focus, the
    /// sensor's noise; if that is asked for, faint ruled lines.
    pub(crate) fn on_paper(&self, seed: u64, ruled: bool) -> Sheet {
        let mut random = Random::new(seed);
        let side = self.side as f32;
        let [light_from, shadow_from] = [random.unit() * TAU, random.unit() * TAU];
        let shadow_at = 0.1 + 0.3 * random.unit();
        let tone_of_ink = 0.15 + 0.2 * random.unit();
        // Clouds a few pixels wide are what paper's fibres look like.
        let mut clouds: Vec<f32> = self.ink.iter().map(|_| 0.1 * random.normal()).collect();
        blur(&mut clouds, self.side, 2);
        let line = (side / 200.0).max(1.0);
        let mut seen: Vec<f32> = (0..self.ink.len())
            .map(|index| {
                let (x, y) =
                    ((index % self.side) as f32 / side - 0.5, (index / self.side) as f32 / side - 0.5);
                let along = |direction: f32| x * direction.cos() + y * direction.sin();
                let shadow = 1.0 / (1.0 + (-(along(shadow_from) - shadow_at) / 0.03).exp());
                let light = (0.8 + 0.3 * along(light_from)) * (1.0 - 0.3 * shadow);
                let on_line = ruled && ((y + 0.5) * side) % (side / 7.0) < line;
                let paper = (1.0 + clouds[index]) * if on_line { 0.85 } else { 1.0 };
                light * (self.ink[index] * tone_of_ink + (1.0 - self.ink[index]) * paper)
            })
            .collect();
        blur(&mut seen, self.side, (self.side / 200).max(1));
        let noisy = seen.into_iter().map(|value| value + 0.012 * random.normal());
        Sheet::of(self.side, noisy.map(|value| [value.clamp(0.0, 1.0); 3]).collect())
    }
}

/// A glyph's outline as a path, y upwards.
struct Outline(PathBuilder);

impl OutlineBuilder for Outline {
    fn move_to(&mut self, x: f32, y: f32) {
        self.0.move_to(x, y);
    }

    fn line_to(&mut self, x: f32, y: f32) {
        self.0.line_to(x, y);
    }

    fn quad_to(&mut self, x1: f32, y1: f32, x: f32, y: f32) {
        self.0.quad_to(x1, y1, x, y);
    }

    fn curve_to(&mut self, x1: f32, y1: f32, x2: f32, y2: f32, x: f32, y: f32) {
        self.0.cubic_to(x1, y1, x2, y2, x, y);
    }

    fn close(&mut self) {
        self.0.close();
    }
}
