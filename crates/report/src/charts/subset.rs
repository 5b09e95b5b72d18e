//! The part of a typeface that a file needs, as a font file of its own.

use std::collections::BTreeSet;

use ttf_parser::{Face, GlyphId, Tag};

use crate::charts::font::kerning;

/// The glyphs of some characters, of a typeface with TrueType outlines.
///
/// Each character has a glyph of its own, so that text can be read back from it; one that the typeface lacks has its box for what is
/// missing.
pub(crate) struct Subset<'a> {
    face: &'a Face<'a>,
    /// In ascending order: the glyph of the first is 1.
    characters: Vec<char>,
    /// Of each glyph the one of the typeface: what stands for a missing one, those of the characters, and what these are composed of.
    glyphs: Vec<GlyphId>,
}

/// What a font file is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Use {
    /// A PDF file, which names glyphs by their numbers.
    Numbers,
    /// A page, which names characters, and refuses a font without a name and metrics of a line.
    Characters,
}

/// Flags of a component of a composed glyph.
mod component {
    pub(super) const WORDS: u16 = 0x0001;
    pub(super) const SCALE: u16 = 0x0008;
    pub(super) const MORE: u16 = 0x0020;
    pub(super) const TWO_SCALES: u16 = 0x0040;
    pub(super) const MATRIX: u16 = 0x0080;
    pub(super) const INSTRUCTIONS: u16 = 0x0100;
}

impl<'a> Subset<'a> {
    pub(crate) fn of(face: &'a Face<'a>, characters: impl Iterator<Item = char>) -> Self {
        let characters: Vec<char> = characters.collect::<BTreeSet<char>>().into_iter().collect();
        let mut glyphs = vec![GlyphId(0)];
        glyphs.extend(characters.iter().map(|character| face.glyph_index(*character).unwrap_or_default()));
        let mut subset = Self { face, characters, glyphs };
        let mut next = 0;
        while let Some(glyph) = subset.glyphs.get(next).copied() {
            for (_, part) in components(subset.outline(glyph)) {
                if !subset.glyphs.contains(&part) {
                    subset.glyphs.push(part);
                }
            }
            next += 1;
        }
        subset
    }

    /// The characters with their glyphs.
    pub(crate) fn characters(&self) -> impl Iterator<Item = (u16, char)> {
        (1..).zip(self.characters.iter().copied())
    }

    /// The glyph of a character that it was made for.
    pub(crate) fn glyph(&self, character: char) -> u16 {
        self.characters.binary_search(&character).map_or(0, |place| place as u16 + 1)
    }

    /// How far each glyph moves what follows, in thousandths of the font size.
    pub(crate) fn widths(&self) -> impl Iterator<Item = f32> {
        let unit = 1000.0 / f32::from(self.face.units_per_em());
        self.glyphs
            .iter()
            .map(move |glyph| f32::from(self.face.glyph_hor_advance(*glyph).unwrap_or(0)) * unit)
    }

    /// How far the second of two neighbours is moved, in the same unit.
    pub(crate) fn kerning(&self, left: u16, right: u16) -> f32 {
        let [left, right] = [left, right].map(|glyph| self.glyphs[usize::from(glyph)]);
        f32::from(kerning(self.face, left, right)) * 1000.0 / f32::from(self.face.units_per_em())
    }

    /// The typeface that it is a part of.
    pub(crate) fn face(&self) -> &Face<'a> {
        self.face
    }

    /// The font file: without what tunes outlines to pixels.
    pub(crate) fn file(&self, purpose: Use) -> Vec<u8> {
        let (mut outlines, mut places, mut metrics) = (Vec::new(), Vec::new(), Vec::new());
        for glyph in &self.glyphs {
            places.extend((outlines.len() as u32).to_be_bytes());
            outlines.extend(self.renumbered(*glyph));
            outlines.resize(outlines.len().next_multiple_of(4), 0);
            metrics.extend(self.face.glyph_hor_advance(*glyph).unwrap_or(0).to_be_bytes());
            metrics.extend(self.face.glyph_hor_side_bearing(*glyph).unwrap_or(0).to_be_bytes());
        }
        places.extend((outlines.len() as u32).to_be_bytes());
        let count = (self.glyphs.len() as u16).to_be_bytes();
        // Places of 32 bits; the sum over all is filled in when all is there.
        let head = self.changed(b"head", &[(8, &[0; 4]), (50, &[0, 1])]);
        let mut tables = vec![
            (b"glyf", outlines),
            (b"head", head),
            (b"hhea", self.changed(b"hhea", &[(34, &count)])),
            (b"hmtx", metrics),
            (b"loca", places),
            (b"maxp", self.changed(b"maxp", &[(4, &count)])),
        ];
        if purpose == Use::Characters {
            let mut no_names = self.changed(b"post", &[(0, &[0, 3, 0, 0])]);
            no_names.truncate(32);
            tables.extend([
                (b"OS/2", self.table(b"OS/2").to_vec()),
                (b"cmap", self.character_map()),
                (b"kern", self.kerning_table()),
                (b"name", self.names()),
                (b"post", no_names),
            ]);
        }
        tables.sort_unstable_by_key(|(tag, _)| *tag);
        file(&tables)
    }

    fn table(&self, tag: &[u8; 4]) -> &'a [u8] {
        self.face.raw_face().table(Tag::from_bytes(tag)).unwrap_or_default()
    }

    fn changed(&self, tag: &[u8; 4], changes: &[(usize, &[u8])]) -> Vec<u8> {
        let mut table = self.table(tag).to_vec();
        for (at, bytes) in changes {
            if let Some(place) = table.get_mut(*at..at + bytes.len()) {
                place.copy_from_slice(bytes);
            }
        }
        table
    }

    /// What the typeface says of a glyph's outline; nothing of an empty one.
    fn outline(&self, GlyphId(glyph): GlyphId) -> &'a [u8] {
        let range = self.face.tables().head.index_to_location_format;
        let place = |index: usize| {
            let places = self.table(b"loca");
            Some(match range {
                ttf_parser::head::IndexToLocationFormat::Short => 2 * usize::from(u16_at(places, 2 * index)?),
                ttf_parser::head::IndexToLocationFormat::Long => {
                    (usize::from(u16_at(places, 4 * index)?) << 16)
                        + usize::from(u16_at(places, 4 * index + 2)?)
                }
            })
        };
        let glyph = usize::from(glyph);
        let outline = || self.table(b"glyf").get(place(glyph)?..place(glyph + 1)?);
        outline().unwrap_or_default()
    }

    /// An outline without its instructions, whose components are called as they are here.
    fn renumbered(&self, glyph: GlyphId) -> Vec<u8> {
        let outline = self.outline(glyph);
        let mut copy = outline.to_vec();
        let contours = u16_at(outline, 0).unwrap_or(0) as i16;
        if contours < 0 {
            let mut end = outline.len();
            for (at, part) in components(outline) {
                let flags = u16_at(outline, at).unwrap_or(0);
                let number = self.glyphs.iter().position(|known| *known == part).unwrap_or(0) as u16;
                copy[at..at + 2].copy_from_slice(&(flags & !component::INSTRUCTIONS).to_be_bytes());
                copy[at + 2..at + 4].copy_from_slice(&number.to_be_bytes());
                end = at + component_length(flags);
            }
            copy.truncate(end);
        } else if !outline.is_empty() {
            let at = 10 + 2 * contours as usize;
            let length = usize::from(u16_at(outline, at).unwrap_or(0));
            copy.drain(at + 2..at + 2 + length);
            copy[at..at + 2].fill(0);
        }
        copy
    }

    /// Of the characters that the typeface has: for the others a reader takes another font.
    fn character_map(&self) -> Vec<u8> {
        let known = |(_, character): &(u16, char)| self.face.glyph_index(*character).is_some();
        let known: Vec<(u16, char)> = self.characters().filter(known).collect();
        let mut table = Vec::new();
        // One table, of platform 3, encoding 10: format 12, a group a character.
        [0u16, 1, 3, 10].iter().for_each(|value| table.extend(value.to_be_bytes()));
        let of_groups = [12, (12u32 << 16), 16 + 12 * known.len() as u32, 0, known.len() as u32];
        of_groups.iter().for_each(|value| table.extend(value.to_be_bytes()));
        for (glyph, character) in known {
            let code = u32::from(character);
            [code, code, u32::from(glyph)].iter().for_each(|value| table.extend(value.to_be_bytes()));
        }
        table
    }

    fn kerning_table(&self) -> Vec<u8> {
        let glyphs = || 1..=self.characters.len() as u16;
        let old = |glyph: u16| self.glyphs[usize::from(glyph)];
        let mut pairs = Vec::new();
        for (left, right) in glyphs().flat_map(|left| glyphs().map(move |right| (left, right))) {
            let value = kerning(self.face, old(left), old(right));
            if value != 0 {
                pairs.push([left, right, value as u16]);
            }
        }
        let count = pairs.len() as u16;
        let power = 1u16 << count.max(1).ilog2();
        // Version 0 with one table: its length, a horizontal one of format 0, and what a search by halves begins with.
        let heads = [
            0,
            1,
            0,
            14 + 6 * count,
            1,
            count,
            6 * power,
            power.ilog2() as u16,
            6 * (count - power.min(count)),
        ];
        heads.into_iter().chain(pairs.into_iter().flatten()).flat_map(u16::to_be_bytes).collect()
    }

    /// Whose it is, and what it is called: in English, as Windows has it.
    fn names(&self) -> Vec<u8> {
        const COPYRIGHT_FAMILY_STYLE_UNIQUE_FULL_VERSION_POSTSCRIPT: [u16; 7] = [0, 1, 2, 3, 4, 5, 6];
        let names: Vec<_> = self
            .face
            .names()
            .into_iter()
            .filter(|name| (name.platform_id, name.language_id) == (ttf_parser::PlatformId::Windows, 0x409))
            .filter(|name| COPYRIGHT_FAMILY_STYLE_UNIQUE_FULL_VERSION_POSTSCRIPT.contains(&name.name_id))
            .collect();
        let (mut records, mut texts): (Vec<u8>, Vec<u8>) = (Vec::new(), Vec::new());
        [0, names.len() as u16, 6 + 12 * names.len() as u16]
            .iter()
            .for_each(|value| records.extend(value.to_be_bytes()));
        for name in names {
            let place = [3, 1, 0x409, name.name_id, name.name.len() as u16, texts.len() as u16];
            place.iter().for_each(|value| records.extend(value.to_be_bytes()));
            texts.extend(name.name);
        }
        records.extend(texts);
        records
    }
}

fn u16_at(bytes: &[u8], at: usize) -> Option<u16> {
    Some(u16::from_be_bytes(*bytes.get(at..)?.first_chunk()?))
}

/// Where each component of an outline stands in it, and its glyph; none where it is not composed.
fn components(outline: &[u8]) -> Vec<(usize, GlyphId)> {
    let mut found = Vec::new();
    let mut at = 10;
    if u16_at(outline, 0).is_none_or(|contours| (contours as i16) >= 0) {
        return found;
    }
    while let Some((flags, glyph)) = u16_at(outline, at).zip(u16_at(outline, at + 2)) {
        found.push((at, GlyphId(glyph)));
        at += component_length(flags);
        if flags & component::MORE == 0 {
            break;
        }
    }
    found
}

fn component_length(flags: u16) -> usize {
    let has = |flag: u16| flags & flag != 0;
    let scale = match () {
        () if has(component::MATRIX) => 8,
        () if has(component::TWO_SCALES) => 4,
        () if has(component::SCALE) => 2,
        () => 0,
    };
    4 + if has(component::WORDS) { 4 } else { 2 } + scale
}

/// A font file of these tables, which ascend by their tags.
fn file(tables: &[(&[u8; 4], Vec<u8>)]) -> Vec<u8> {
    let count = tables.len() as u16;
    let power = 1u16 << count.ilog2();
    let mut file = vec![0, 1, 0, 0];
    [count, 16 * power, power.ilog2() as u16, 16 * (count - power)]
        .iter()
        .for_each(|value| file.extend(value.to_be_bytes()));
    let mut place = 12 + 16 * tables.len();
    let mut head = 0;
    for (tag, table) in tables {
        file.extend(*tag);
        [sum(table), place as u32, table.len() as u32]
            .iter()
            .for_each(|value| file.extend(value.to_be_bytes()));
        if *tag == b"head" {
            head = place;
        }
        place += table.len().next_multiple_of(4);
    }
    for (_, table) in tables {
        file.extend(table);
        file.resize(file.len().next_multiple_of(4), 0);
    }
    let whole = 0xb1b0_afba_u32.wrapping_sub(sum(&file));
    file[head + 8..head + 12].copy_from_slice(&whole.to_be_bytes());
    file
}

/// The sum of the bytes as words, the last filled up with zeros.
fn sum(bytes: &[u8]) -> u32 {
    bytes.chunks(4).fold(0u32, |sum, chunk| {
        let mut word = [0; 4];
        word[..chunk.len()].copy_from_slice(chunk);
        sum.wrapping_add(u32::from_be_bytes(word))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::charts::font::Font;
    use ttf_parser::OutlineBuilder;

    /// What is drawn, in words.
    #[derive(Default, PartialEq, Debug)]
    struct Drawn(String);

    impl OutlineBuilder for Drawn {
        fn move_to(&mut self, x: f32, y: f32) {
            self.0.push_str(&format!("M{x} {y}"));
        }
        fn line_to(&mut self, x: f32, y: f32) {
            self.0.push_str(&format!("L{x} {y}"));
        }
        fn quad_to(&mut self, x1: f32, y1: f32, x: f32, y: f32) {
            self.0.push_str(&format!("Q{x1} {y1} {x} {y}"));
        }
        fn curve_to(&mut self, x1: f32, y1: f32, x2: f32, y2: f32, x: f32, y: f32) {
            self.0.push_str(&format!("C{x1} {y1} {x2} {y2} {x} {y}"));
        }
        fn close(&mut self) {
            self.0.push('Z');
        }
    }

    /// Composed letters, signs outside the first plane, one that no typeface has.
    const TEXT: &str = "Tëst ÄÅñçō AVATAR −1.5 ± 0.3 × 10 ≤ αβ… 𝔸 \u{10fffd}";

    #[test]
    fn every_glyph_is_drawn_as_in_the_typeface() {
        let font = Font::embedded();
        let subset = font.subset([TEXT]);
        for purpose in [Use::Numbers, Use::Characters] {
            let file = subset.file(purpose);
            let copy = Face::parse(&file, 0).expect("a font");
            assert_eq!(file.len() % 4, 0);
            assert_eq!(sum(&file), 0xb1b0_afba);
            for (glyph, character) in subset.characters() {
                let original = subset.face().glyph_index(character);
                let draw = |face: &Face, glyph| {
                    let mut drawn = Drawn::default();
                    face.outline_glyph(glyph, &mut drawn);
                    (drawn, face.glyph_hor_advance(glyph), face.glyph_hor_side_bearing(glyph))
                };
                let (new, old) =
                    (draw(&copy, GlyphId(glyph)), draw(subset.face(), original.unwrap_or_default()));
                assert_eq!(new, old, "{character}");
                if purpose == Use::Characters {
                    assert_eq!(copy.glyph_index(character), original.map(|_| GlyphId(glyph)), "{character}");
                }
            }
            assert!(file.len() < 25_000, "{} bytes", file.len());
        }
    }

    #[test]
    fn neighbours_are_kerned_as_in_the_typeface() {
        let font = Font::embedded();
        let subset = font.subset([TEXT]);
        let file = subset.file(Use::Characters);
        let copy = Face::parse(&file, 0).expect("a font");
        let mut kerned = 0;
        for (left, _) in subset.characters() {
            for (right, _) in subset.characters() {
                let moved = f32::from(kerning(&copy, GlyphId(left), GlyphId(right))) * 1000.0 / 2048.0;
                assert_eq!(moved, subset.kerning(left, right));
                kerned += usize::from(moved != 0.0);
            }
        }
        let [a, v] = ['A', 'V'].map(|character| subset.glyph(character));
        assert!(subset.kerning(a, v) < 0.0 && kerned > 5, "{kerned} pairs");
    }

    #[test]
    fn it_says_whose_it_is() {
        let font = Font::embedded();
        let file = font.subset(["a"]).file(Use::Characters);
        let copy = Face::parse(&file, 0).expect("a font");
        let said: Vec<String> = copy.names().into_iter().filter_map(|name| name.to_string()).collect();
        assert!(
            said.iter().any(|name| name.contains("Bitstream")) && said.contains(&"DejaVu Sans".to_owned()),
            "{said:?}"
        );
    }
}
