//! The embedded typeface, DejaVu Sans: a chart needs no font of the machine that draws it.

use std::{io::Read, sync::OnceLock};

use flate2::read::DeflateDecoder;
use tiny_skia::{Path, PathBuilder, Transform};
use ttf_parser::{Face, GlyphId, OutlineBuilder};

use crate::charts::subset::Subset;

/// Verdana has nearly the same widths, for a browser that lacks DejaVu Sans.
pub(crate) const FAMILY: &str = "DejaVu Sans, Verdana, sans-serif";

/// The typeface at hand, parsed.
pub(crate) struct Font {
    face: Face<'static>,
}

impl Font {
    pub(crate) fn embedded() -> Self {
        /// Packed by the build script.
        static PACKED: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/DejaVuSans.deflate"));
        static FILE: OnceLock<Vec<u8>> = OnceLock::new();
        let file = FILE.get_or_init(|| {
            let mut file = Vec::new();
            DeflateDecoder::new(PACKED).read_to_end(&mut file).expect("the build script packed it");
            file
        });
        Self { face: Face::parse(file, 0).expect("the embedded font is sound") }
    }

    /// The part of the typeface that some texts need, for a file that is to show them anywhere.
    pub(crate) fn subset<'a>(&self, texts: impl IntoIterator<Item = &'a str>) -> Subset<'_> {
        Subset::of(&self.face, texts.into_iter().flat_map(str::chars))
    }

    /// Width of a line of text at a font size, both in pixels.
    pub(crate) fn width(&self, content: &str, size: f64) -> f64 {
        self.glyphs(content).last().map_or(0.0, |(_, [_, end])| end) * self.scale(size)
    }

    /// The outlines of a line of text that starts at the origin, its baseline at y = 0, y downwards.
    pub(crate) fn outlines(&self, content: &str, size: f64) -> Option<Path> {
        let mut builder = PathBuilder::new();
        for (glyph, [start, _]) in self.glyphs(content) {
            self.face.outline_glyph(glyph, &mut Shifted { builder: &mut builder, shift: start as f32 });
        }
        let scale = self.scale(size) as f32;
        builder.finish()?.transform(Transform::from_scale(scale, -scale))
    }

    /// `content`, or as much of its beginning as fits into `width` with an ellipsis after it.
    pub(crate) fn fitted(&self, content: &str, size: f64, width: f64) -> String {
        if self.width(content, size) <= width {
            return content.to_owned();
        }
        let characters: Vec<char> = content.chars().collect();
        let candidate = |kept: usize| {
            let beginning: String = characters[..kept].iter().collect();
            format!("{}…", beginning.trim_end())
        };
        // Widths grow with the number of characters, so the longest that fits can be searched by halving.
        let (mut fits, mut fails) = (0, characters.len());
        while fails - fits > 1 {
            let middle = usize::midpoint(fits, fails);
            if self.width(&candidate(middle), size) <= width { fits = middle } else { fails = middle }
        }
        candidate(fits)
    }

    /// `content` in lines that fit into `width`, broken between words; a longer word is cut.
    pub(crate) fn lines(&self, content: &str, size: f64, width: f64) -> Vec<String> {
        let mut lines: Vec<String> = Vec::new();
        for word in content.split_whitespace() {
            let word = self.fitted(word, size, width);
            match lines.last_mut() {
                Some(line) if self.width(&format!("{line} {word}"), size) <= width => {
                    line.push(' ');
                    line.push_str(&word);
                }
                _ => lines.push(word),
            }
        }
        lines
    }

    fn scale(&self, size: f64) -> f64 {
        size / f64::from(self.face.units_per_em())
    }

    /// Each glyph with the places where it starts and ends, in font units, kerned.
    fn glyphs(&self, content: &str) -> impl Iterator<Item = (GlyphId, [f64; 2])> {
        let mut end = 0.0;
        let mut before = None;
        content.chars().map(move |character| {
            let glyph = self.face.glyph_index(character).unwrap_or_default();
            let kerning = before.map_or(0, |before| kerning(&self.face, before, glyph));
            before = Some(glyph);
            let start = end + f64::from(kerning);
            end = start + f64::from(self.face.glyph_hor_advance(glyph).unwrap_or(0));
            (glyph, [start, end])
        })
    }
}

/// How far the second of two neighbours is moved, in font units.
pub(crate) fn kerning(face: &Face, left: GlyphId, right: GlyphId) -> i16 {
    let Some(table) = face.tables().kern else { return 0 };
    table
        .subtables
        .into_iter()
        .filter(|subtable| subtable.horizontal && !subtable.variable)
        .find_map(|subtable| subtable.glyphs_kerning(left, right))
        .unwrap_or(0)
}

struct Shifted<'a> {
    builder: &'a mut PathBuilder,
    shift: f32,
}

impl OutlineBuilder for Shifted<'_> {
    fn move_to(&mut self, x: f32, y: f32) {
        self.builder.move_to(x + self.shift, y);
    }

    fn line_to(&mut self, x: f32, y: f32) {
        self.builder.line_to(x + self.shift, y);
    }

    fn quad_to(&mut self, x1: f32, y1: f32, x: f32, y: f32) {
        self.builder.quad_to(x1 + self.shift, y1, x + self.shift, y);
    }

    fn curve_to(&mut self, x1: f32, y1: f32, x2: f32, y2: f32, x: f32, y: f32) {
        self.builder.cubic_to(x1 + self.shift, y1, x2 + self.shift, y2, x + self.shift, y);
    }

    fn close(&mut self) {
        self.builder.close();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The e of "Te" stands under the T's arm: kerning moves it, and what follows it stays at its side.
    #[test]
    fn kerning_moves_the_glyph_that_it_is_for() {
        let font = Font::embedded();
        let starts = |content: &str| font.glyphs(content).map(|(_, [start, _])| start).collect::<Vec<_>>();
        let (kerned, alone) = (starts("Tex"), starts("ex"));
        let end_of_t = font.glyphs("T").next().map_or(0.0, |(_, [_, end])| end);
        assert!(kerned[1] < end_of_t, "{kerned:?}, T ends at {end_of_t}");
        assert_eq!(kerned[2] - kerned[1], alone[1] - alone[0]);
    }
}
