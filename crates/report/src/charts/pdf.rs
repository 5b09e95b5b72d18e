//! A drawing as a page of PDF: lines and shapes as such, text as text in the embedded typeface.

use std::io::Write;

use flate2::{Compression, write::ZlibEncoder};
use pdf_writer::{
    Content, Filter, Finish, Name, Pdf, Rect, Ref, Str, TextStr,
    types::{CidFontType, FontFlags, LineJoinStyle, SystemInfo, UnicodeCmap},
};

use crate::charts::{
    font::Font,
    raster::Raster,
    scene::{Anchor, Colour, Element, Outline, Scene, Stroke, Text},
    subset::{Subset, Use},
};

/// Points of a pixel: a picture is 480 points wide, about a column of text on A4, and its text nearly that of a footnote.
const POINT: f64 = 0.3;

/// Of a circle's quarter by a cubic curve, the part of the radius by which its control points stand off.
const QUARTER: f64 = 0.552_284_75;

/// The typeface within the file.
const FONT: Name = Name(b"F");

const CODES: SystemInfo = SystemInfo { registry: Str(b"Adobe"), ordering: Str(b"Identity"), supplement: 0 };

impl Scene {
    /// The drawing as a PDF file of one page as large as itself, which holds the glyphs that it shows and nothing of the time or the
    /// machine. Its text can be searched and copied.
    pub fn to_pdf(&self) -> Vec<u8> {
        let font = Font::embedded();
        let subset = font.subset(self.texts());
        let [width, height] = [self.width, self.height].map(|side| (f64::from(side) * POINT) as f32);
        let mut drawn =
            Drawn { content: Content::new(), subset: &subset, opacities: Vec::new(), images: Vec::new() };
        // From here on y runs downwards, in pixels.
        let point = POINT as f32;
        drawn.content.transform([point, 0.0, 0.0, -point, 0.0, height]);
        drawn.content.set_line_join(LineJoinStyle::RoundJoin);
        drawn.content.set_fill_gray(1.0).rect(0.0, 0.0, self.width as f32, self.height as f32).fill_nonzero();
        self.elements.iter().for_each(|element| drawn.element(element));

        let mut last = Ref::new(1);
        let mut new = || last.bump();
        let [catalog, pages, page, content, info] = std::array::from_fn(|_| new());
        let fonts: [Ref; 5] = std::array::from_fn(|_| new());
        let mut pdf = Pdf::new();
        pdf.catalog(catalog).pages(pages);
        pdf.pages(pages).kids([page]).count(1);
        pdf.document_info(info).title(TextStr(&self.description)).creator(TextStr("mnist-study"));
        let named = |letter: u8, number: usize| [&[letter][..], number.to_string().as_bytes()].concat();
        let images: Vec<Ref> = drawn.images.iter().map(|_| new()).collect();
        let opacities: Vec<Ref> = drawn.opacities.iter().map(|_| new()).collect();
        let mut of_page = pdf.page(page);
        of_page.media_box(Rect::new(0.0, 0.0, width, height)).parent(pages).contents(content);
        let mut resources = of_page.resources();
        resources.fonts().pair(FONT, fonts[0]);
        let mut objects = resources.x_objects();
        images.iter().enumerate().for_each(|(number, image)| {
            objects.pair(Name(&named(b'I', number)), *image);
        });
        objects.finish();
        let mut states = resources.ext_g_states();
        opacities.iter().enumerate().for_each(|(number, state)| {
            states.pair(Name(&named(b'G', number)), *state);
        });
        states.finish();
        resources.finish();
        of_page.finish();
        for (state, opacity) in opacities.iter().zip(&drawn.opacities) {
            pdf.ext_graphics(*state).non_stroking_alpha(*opacity).stroking_alpha(*opacity);
        }
        for (image, raster) in images.iter().zip(&drawn.images) {
            let bytes = packed(raster.colours.as_flattened());
            let mut object = pdf.image_xobject(*image, &bytes);
            object.width(raster.columns as i32).height(raster.rows() as i32);
            object.color_space().device_rgb();
            object.bits_per_component(8).interpolate(false);
            object.filter(Filter::FlateDecode);
        }
        pdf.stream(content, &packed(&drawn.content.finish())).filter(Filter::FlateDecode);
        write_font(&mut pdf, fonts, &subset);
        pdf.finish()
    }
}

/// What stands on the page so far, and what it refers to.
struct Drawn<'a> {
    content: Content,
    subset: &'a Subset<'a>,
    opacities: Vec<f32>,
    images: Vec<&'a Raster>,
}

impl<'a> Drawn<'a> {
    fn element(&mut self, element: &'a Element) {
        match element {
            Element::Shape { outline, fill, stroke, opacity } => {
                self.content.save_state();
                if *opacity < 1.0 {
                    let name = number(&mut self.opacities, *opacity as f32);
                    self.content.set_parameters(Name(format!("G{name}").as_bytes()));
                }
                // One after the other, as the painter does: together a see-through edge would hide what it covers of the inside.
                if let Some(fill) = fill {
                    self.content.set_fill_rgb_of(*fill);
                    self.outline(outline);
                    self.content.fill_nonzero();
                }
                if let Some(Stroke { colour, width, dash }) = stroke {
                    self.content.set_stroke_rgb_of(*colour);
                    self.content.set_line_width(*width as f32);
                    if let Some(dash) = dash {
                        self.content.set_dash_pattern(dash.map(|length| length as f32), 0.0);
                    }
                    self.outline(outline);
                    self.content.stroke();
                }
                self.content.restore_state();
            }
            Element::Text(text) => self.text(text),
            Element::Image { at: (x, y), pixel, raster } => {
                let [width, height] =
                    [raster.columns, raster.rows()].map(|side| (side as f64 * pixel) as f32);
                let name = format!("I{}", self.images.len());
                self.images.push(raster);
                self.content.save_state();
                self.content.transform([width, 0.0, 0.0, -height, *x as f32, *y as f32 + height]);
                self.content.x_object(Name(name.as_bytes()));
                self.content.restore_state();
            }
            Element::Probe(_) => {}
        }
    }

    fn outline(&mut self, outline: &Outline) {
        let content = &mut self.content;
        match outline {
            Outline::Circle((x, y), radius) => {
                let at = |right: f64, down: f64| [(x + right * radius) as f32, (y + down * radius) as f32];
                let [start_x, start_y] = at(1.0, 0.0);
                content.move_to(start_x, start_y);
                for (from, to) in [
                    ((1.0, 0.0), (0.0, 1.0)),
                    ((0.0, 1.0), (-1.0, 0.0)),
                    ((-1.0, 0.0), (0.0, -1.0)),
                    ((0.0, -1.0), (1.0, 0.0)),
                ] {
                    let towards =
                        |(x, y): (f64, f64), (dx, dy): (f64, f64)| at(x + QUARTER * dx, y + QUARTER * dy);
                    let ([x1, y1], [x2, y2], [x3, y3]) =
                        (towards(from, to), towards(to, from), at(to.0, to.1));
                    content.cubic_to(x1, y1, x2, y2, x3, y3);
                }
                content.close_path();
            }
            Outline::Line(points) | Outline::Polygon(points) => {
                for (index, (x, y)) in points.iter().enumerate() {
                    let (x, y) = (*x as f32, *y as f32);
                    if index == 0 {
                        content.move_to(x, y)
                    } else {
                        content.line_to(x, y)
                    };
                }
                if matches!(outline, Outline::Polygon(_)) {
                    content.close_path();
                }
            }
        }
    }

    fn text(&mut self, text: &Text) {
        let glyphs: Vec<u16> = text.content.chars().map(|character| self.subset.glyph(character)).collect();
        let widths: Vec<f32> = self.subset.widths().collect();
        let kerned = |left: u16, right: u16| self.subset.kerning(left, right);
        let between: f32 = glyphs.windows(2).map(|pair| kerned(pair[0], pair[1])).sum();
        let width = glyphs.iter().map(|glyph| widths[usize::from(*glyph)]).sum::<f32>() + between;
        let width = width * text.size as f32 / 1000.0;
        let shift = match text.anchor {
            Anchor::Start => 0.0,
            Anchor::Middle => -width / 2.0,
            Anchor::End => -width,
        };
        let (x, y) = (text.at.0 as f32, text.at.1 as f32);
        // Glyphs stand upright where y runs upwards.
        let place = match text.upwards {
            true => [0.0, -1.0, -1.0, 0.0, x, y - shift],
            false => [1.0, 0.0, 0.0, -1.0, x + shift, y],
        };
        self.content.set_fill_rgb_of(text.colour);
        self.content.begin_text().set_font(FONT, text.size as f32).set_text_matrix(place);
        let mut shown = self.content.show_positioned();
        let mut items = shown.items();
        let mut line = Vec::new();
        for (index, glyph) in glyphs.iter().enumerate() {
            let moved = index.checked_sub(1).map_or(0.0, |before| kerned(glyphs[before], *glyph));
            if moved != 0.0 {
                items.show(Str(&std::mem::take(&mut line))).adjust(-moved);
            }
            line.extend(glyph.to_be_bytes());
        }
        items.show(Str(&line));
        items.finish();
        shown.finish();
        self.content.end_text();
    }
}

/// Colours of a drawing.
trait Coloured {
    fn set_fill_rgb_of(&mut self, colour: Colour);
    fn set_stroke_rgb_of(&mut self, colour: Colour);
}

impl Coloured for Content {
    fn set_fill_rgb_of(&mut self, colour: Colour) {
        let [red, green, blue] = parts(colour);
        self.set_fill_rgb(red, green, blue);
    }

    fn set_stroke_rgb_of(&mut self, colour: Colour) {
        let [red, green, blue] = parts(colour);
        self.set_stroke_rgb(red, green, blue);
    }
}

fn parts(Colour(red, green, blue): Colour) -> [f32; 3] {
    // A thousandth of the range is finer than a step of a byte, and shorter to write.
    [red, green, blue].map(|part| (f32::from(part) / 0.255).round() / 1000.0)
}

/// The place of a value in a list that it is put on where it is not there.
fn number(known: &mut Vec<f32>, value: f32) -> usize {
    known.iter().position(|one| *one == value).unwrap_or_else(|| {
        known.push(value);
        known.len() - 1
    })
}

fn packed(bytes: &[u8]) -> Vec<u8> {
    let mut packed = ZlibEncoder::new(Vec::new(), Compression::best());
    packed.write_all(bytes).expect("memory takes every byte");
    packed.finish().expect("memory takes every byte")
}

fn write_font(pdf: &mut Pdf, [font, glyphs, descriptor, file, to_unicode]: [Ref; 5], subset: &Subset) {
    let face = subset.face();
    let unit = 1000.0 / f32::from(face.units_per_em());
    let scaled = |value: i16| f32::from(value) * unit;
    // A part of a typeface is called by six letters of its own and the whole one's name.
    let mut state = 0xcbf2_9ce4_8422_2325_u64;
    for (_, character) in subset.characters() {
        state = (state ^ u64::from(character)).wrapping_mul(0x100_0000_01b3);
    }
    let mut name: Vec<u8> = (0..6).map(|letter| b'A' + (state >> (8 * letter)) as u8 % 26).collect();
    name.extend(b"+DejaVuSans");
    let name = Name(&name);
    pdf.type0_font(font)
        .base_font(name)
        .encoding_predefined(Name(b"Identity-H"))
        .descendant_font(glyphs)
        .to_unicode(to_unicode);
    let mut of_glyphs = pdf.cid_font(glyphs);
    of_glyphs.subtype(CidFontType::Type2).base_font(name).system_info(CODES).font_descriptor(descriptor);
    of_glyphs.cid_to_gid_map_predefined(Name(b"Identity"));
    of_glyphs.widths().consecutive(0, subset.widths());
    of_glyphs.finish();
    let bounds = face.global_bounding_box();
    pdf.font_descriptor(descriptor)
        .name(name)
        .flags(FontFlags::SYMBOLIC)
        .bbox(Rect::new(
            scaled(bounds.x_min),
            scaled(bounds.y_min),
            scaled(bounds.x_max),
            scaled(bounds.y_max),
        ))
        .italic_angle(0.0)
        .ascent(scaled(face.ascender()))
        .descent(scaled(face.descender()))
        .cap_height(scaled(face.capital_height().unwrap_or(face.ascender())))
        // What the stem of a letter is wide, as its makers do not say.
        .stem_v(90.0)
        .font_file2(file);
    let bytes = subset.file(Use::Numbers);
    let mut stream = packed(&bytes);
    pdf.stream(file, &stream).filter(Filter::FlateDecode).pair(Name(b"Length1"), bytes.len() as i32);
    let mut unicode = UnicodeCmap::new(Name(b"Unicode"), CODES);
    subset.characters().for_each(|(glyph, character)| unicode.pair(glyph, character));
    stream = packed(&unicode.finish());
    pdf.stream(to_unicode, &stream).filter(Filter::FlateDecode);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture::{accuracy_chart, difference_chart, judged, records};
    use flate2::read::ZlibDecoder;
    use std::{collections::BTreeMap, io::Read};

    /// A file's objects by their numbers, found by its table of references, with what their streams hold.
    fn objects(file: &[u8]) -> BTreeMap<usize, (String, Vec<u8>)> {
        let text = String::from_utf8_lossy(file);
        let found = |needle: &[u8], from: usize| {
            from + file[from..].windows(needle.len()).position(|window| window == needle).expect("there")
        };
        assert!(file.starts_with(b"%PDF-1.") && file.ends_with(b"%%EOF"), "{}", &text[..20]);
        let start = text.rsplit("startxref\n").next().and_then(|rest| rest.lines().next()).expect("a place");
        let table = std::str::from_utf8(&file[start.parse::<usize>().expect("a number")..]).expect("ASCII");
        let mut lines = table.lines();
        assert_eq!(lines.next(), Some("xref"));
        let count = lines.next().and_then(|line| line.strip_prefix("0 ")).expect("one section");
        let count: usize = count.parse().expect("a number");
        let mut objects = BTreeMap::new();
        for (number, line) in lines.take(count).enumerate().filter(|(_, line)| line.trim_end().ends_with('n'))
        {
            let at: usize = line[..10].parse().expect("a place");
            assert!(file[at..].starts_with(format!("{number} 0 obj").as_bytes()), "{number}");
            let end = found(b"endobj", at);
            let head_end =
                file[at..end].windows(7).position(|window| window == b"stream\n").map(|place| at + place);
            let head = String::from_utf8_lossy(&file[at..head_end.unwrap_or(end)]).into_owned();
            let mut stream = Vec::new();
            if let Some(head_end) = head_end {
                let length = head.split("/Length ").nth(1).and_then(|rest| rest.split_whitespace().next());
                let length: usize = length.expect("a length").parse().expect("a number");
                let bytes = &file[head_end + 7..][..length];
                ZlibDecoder::new(bytes).read_to_end(&mut stream).expect("deflated");
            }
            objects.insert(number, (head, stream));
        }
        objects
    }

    fn from_hexadecimal(text: &str) -> Vec<u16> {
        text.as_bytes()
            .chunks(4)
            .map(|four| {
                u16::from_str_radix(std::str::from_utf8(four).expect("ASCII"), 16).expect("hexadecimal")
            })
            .collect()
    }

    /// The glyphs of the strings in an array: in hexadecimal, or where all bytes are ASCII as such, some escaped.
    fn glyphs(array: &str) -> Vec<u16> {
        let mut bytes = Vec::new();
        let mut rest = array.bytes().peekable();
        while let Some(byte) = rest.next() {
            match byte {
                b'<' => {
                    let digits: Vec<u8> = rest.by_ref().take_while(|byte| *byte != b'>').collect();
                    let digits = std::str::from_utf8(&digits).expect("ASCII");
                    bytes.extend(from_hexadecimal(digits).into_iter().flat_map(u16::to_be_bytes));
                }
                b'(' => {
                    let mut depth = 1;
                    while let Some(byte) = rest.next() {
                        let value = match byte {
                            b'\\' => match rest.next() {
                                Some(digit @ b'0'..=b'7') => {
                                    let [two, three] = [rest.next(), rest.next()]
                                        .map(|digit| digit.expect("three digits") - b'0');
                                    ((digit - b'0') * 8 + two) * 8 + three
                                }
                                Some(letter) => {
                                    let names = b"nrtbf".iter().zip(b"\n\r\t\x08\x0c");
                                    names
                                        .into_iter()
                                        .find(|(name, _)| **name == letter)
                                        .map_or(letter, |(_, value)| *value)
                                }
                                None => panic!("{array}"),
                            },
                            b'(' => {
                                depth += 1;
                                byte
                            }
                            b')' => {
                                depth -= 1;
                                if depth == 0 {
                                    break;
                                }
                                byte
                            }
                            _ => byte,
                        };
                        bytes.push(value);
                    }
                }
                _ => {}
            }
        }
        let (pairs, rest) = bytes.as_chunks::<2>();
        assert!(rest.is_empty(), "{array}");
        pairs.iter().map(|pair| u16::from_be_bytes(*pair)).collect()
    }

    /// The texts that a reader finds, by the page's content and the font's table of characters.
    fn texts(file: &[u8]) -> Vec<String> {
        let objects = objects(file);
        let streams = || objects.values().map(|(_, stream)| String::from_utf8_lossy(stream).into_owned());
        let table = streams().find(|stream| stream.contains("beginbfchar")).expect("a table of characters");
        let mut characters = BTreeMap::new();
        for line in table.lines().filter(|line| line.starts_with('<') && line.contains("> <")) {
            let (glyph, code) = line.trim_matches(['<', '>']).split_once("> <").expect("two");
            if let [glyph] = from_hexadecimal(glyph)[..] {
                characters.insert(glyph, String::from_utf16_lossy(&from_hexadecimal(code)));
            }
        }
        let content = streams().find(|stream| stream.contains("BT\n")).expect("a page");
        let shown = content.lines().filter_map(|line| line.strip_suffix(" TJ"));
        shown
            .map(|line| glyphs(line).into_iter().map(|glyph| characters[&glyph].as_str()).collect())
            .collect()
    }

    #[test]
    fn every_text_can_be_read_back_and_every_object_is_where_it_is_said_to_be() {
        let records = records(&[("cnn", 0.05), ("ünï <α> プ", 0.12)], 3, 4);
        let study = judged(&records, &[]);
        for scene in [accuracy_chart(&study), difference_chart(&study)] {
            let scene = scene.expect("a picture");
            let file = scene.to_pdf();
            assert_eq!(texts(&file), scene.texts().collect::<Vec<_>>());
            assert_eq!(file, scene.to_pdf());
            let objects = objects(&file);
            let whole: String = objects.values().map(|(head, _)| head.as_str()).collect();
            assert!(whole.contains("/MediaBox [0 0 480 ") && whole.contains("+DejaVuSans"), "{whole}");
            let embedded = objects.values().find(|(head, _)| head.contains("/Length1 ")).expect("a font");
            assert!(ttf_parser::Face::parse(&embedded.1, 0).is_ok());
        }
    }

    #[test]
    fn a_drawing_is_written_as_it_is_painted() {
        let mut scene = Scene::new(100, 50, "a".to_owned());
        let stroke = Stroke { colour: Colour(255, 0, 0), width: 2.0, dash: Some([4.0, 8.0]) };
        scene.line(&[(0.0, 0.0), (100.0, 50.0)], stroke);
        scene.shape(Outline::Circle((20.0, 10.0), 5.0), Some(Colour(0, 0, 255)), None, 0.5);
        let raster = Raster { columns: 2, colours: vec![[1, 2, 3], [4, 5, 6]] };
        scene.elements.push(Element::Image { at: (10.0, 20.0), pixel: 4.0, raster });
        let objects = objects(&scene.to_pdf());
        let content = objects.values().find(|(_, stream)| stream.ends_with(b"Q")).expect("a page");
        let content = String::from_utf8_lossy(&content.1);
        for words in [
            "0.3 0 0 -0.3 0 15 cm",
            "1 0 0 RG\n2 w\n[4 8] 0 d\n0 0 m\n100 50 l\nS",
            "/G0 gs\n0 0 1 rg\n25 10 m\n",
            "8 0 0 -4 10 24 cm\n/I0 Do",
        ] {
            assert!(content.contains(words), "{words}: {content}");
        }
        let image = objects.values().find(|(head, _)| head.contains("/Subtype /Image")).expect("an image");
        assert_eq!(image.1, [1, 2, 3, 4, 5, 6]);
        assert!(objects.values().any(|(head, _)| head.contains("/ca 0.5")));
    }
}
