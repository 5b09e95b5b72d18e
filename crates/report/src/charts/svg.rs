//! A drawing as SVG text.

use std::fmt::Write;

use crate::charts::{
    canvas,
    font::{self, Font},
    marks,
    raster::Raster,
    scene::{Anchor, Colour, Element, Outline, Point, Probe, Scene, Stroke, Text},
    subset::Use,
};

/// Where a drawing will stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    /// In a file of its own, on white.
    File,
    /// In a page, whose style sheet gives the colours by name and the size.
    Page,
}

impl Place {
    fn colour(self, colour: Colour) -> String {
        let named = match self {
            Place::File => None,
            Place::Page => page_colour(colour),
        };
        named.unwrap_or_else(|| colour.hexadecimal())
    }
}

/// The style sheet's name for a colour of the charts.
fn page_colour(colour: Colour) -> Option<String> {
    let fixed = [
        (canvas::INK, "ink"),
        (canvas::MUTED, "muted"),
        (canvas::GRID, "grid"),
        (canvas::AXIS, "axis"),
        (marks::GREY, "grey"),
        (marks::WHITE, "paper"),
    ];
    if let Some((_, name)) = fixed.into_iter().find(|(known, _)| *known == colour) {
        return Some(format!("var(--{name})"));
    }
    let own = marks::PALETTE.iter().position(|known| *known == colour);
    let light = marks::PALETTE.iter().position(|known| marks::lighter(*known) == colour);
    own.map(|model| format!("var(--model-{model})")).or(light.map(|model| format!("var(--training-{model})")))
}

impl Scene {
    /// The drawing as a complete SVG document; its text stays text, and it holds the glyphs that this shows.
    pub fn to_svg(&self) -> String {
        let (width, height) = (self.width, self.height);
        let description = escape(&self.description);
        let font = Font::embedded().subset(self.texts()).file(Use::Characters);
        let mut svg = format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"{height}\" \
             viewBox=\"0 0 {width} {height}\" role=\"img\" font-family=\"{}\">\n\
             <title>{description}</title>\n\
             <style>@font-face{{font-family:\"DejaVu Sans\";src:url(data:font/ttf;base64,{})}}</style>\n\
             <rect width=\"{width}\" height=\"{height}\" fill=\"#ffffff\"/>\n",
            font::FAMILY,
            records::encoding::base64(&font),
        );
        self.write_elements(&mut svg, Place::File);
        svg.push_str("</svg>\n");
        svg
    }

    /// The drawing for a page: as wide as its place, in the colours of the page's style sheet, of a class.
    pub(crate) fn to_page_svg(&self, class: &str) -> String {
        let (width, height) = (self.width, self.height);
        let mut svg = format!(
            "<svg class=\"{class}\" viewBox=\"0 0 {width} {height}\" role=\"group\" aria-label=\"{}\" font-family=\"{}\">\n",
            escape(&self.description),
            font::FAMILY,
        );
        self.write_elements(&mut svg, Place::Page);
        svg.push_str("</svg>\n");
        svg
    }

    fn write_elements(&self, svg: &mut String, place: Place) {
        for element in &self.elements {
            match element {
                Element::Shape { outline, fill, stroke, opacity } => {
                    write_shape(svg, place, outline, *fill, *stroke, *opacity)
                }
                Element::Text(text) => write_text(svg, place, text),
                Element::Image { at, pixel, raster } => write_image(svg, *at, *pixel, raster),
                Element::Probe(probe) if place == Place::Page => write_probe(svg, probe),
                Element::Probe(_) => {}
            }
        }
    }
}

fn write_shape(
    svg: &mut String,
    place: Place,
    outline: &Outline,
    fill: Option<Colour>,
    stroke: Option<Stroke>,
    opacity: f64,
) {
    match outline {
        Outline::Line(points) => push(svg, format_args!("<polyline points=\"{}\"", corners(points))),
        Outline::Polygon(points) => push(svg, format_args!("<polygon points=\"{}\"", corners(points))),
        Outline::Circle((x, y), radius) => {
            push(svg, format_args!("<circle cx=\"{x}\" cy=\"{y}\" r=\"{radius}\""))
        }
    }
    let fill = fill.map_or("none".to_owned(), |colour| place.colour(colour));
    push(svg, format_args!(" fill=\"{fill}\""));
    if let Some(Stroke { colour, width, dash }) = stroke {
        push(svg, format_args!(" stroke=\"{}\" stroke-width=\"{width}\"", place.colour(colour)));
        svg.push_str(" stroke-linejoin=\"round\"");
        if let Some([dash, gap]) = dash {
            push(svg, format_args!(" stroke-dasharray=\"{dash} {gap}\""));
        }
    }
    if opacity < 1.0 {
        push(svg, format_args!(" opacity=\"{opacity}\""));
    }
    svg.push_str("/>\n");
}

fn write_text(svg: &mut String, place: Place, text: &Text) {
    let (x, y) = text.at;
    let anchor = match text.anchor {
        Anchor::Start => "start",
        Anchor::Middle => "middle",
        Anchor::End => "end",
    };
    let turn = if text.upwards { format!(" transform=\"rotate(-90 {x} {y})\"") } else { String::new() };
    push(
        svg,
        format_args!(
            "<text x=\"{x}\" y=\"{y}\" font-size=\"{}\" text-anchor=\"{anchor}\" fill=\"{}\"{turn}>{}</text>\n",
            text.size,
            place.colour(text.colour),
            escape(&text.content),
        ),
    );
}

fn write_image(svg: &mut String, (x, y): Point, pixel: f64, raster: &Raster) {
    let [width, height] = [raster.columns, raster.rows()].map(|side| side as f64 * pixel);
    if let Some(address) = raster.address() {
        push(
            svg,
            format_args!(
                "<image x=\"{x}\" y=\"{y}\" width=\"{width}\" height=\"{height}\" \
                 style=\"image-rendering:pixelated\" href=\"{address}\"/>\n"
            ),
        );
    }
}

/// What it shows is hidden by the page's style sheet until it is pointed at or has the focus.
fn write_probe(svg: &mut String, probe: &Probe) {
    let Probe { left, right, top, bottom, middle, box_left, box_width, padding, lines } = probe;
    let (width, height) = (right - left, bottom - top);
    let box_height = 2.0 * padding + Probe::LINE * lines.len() as f64 - (Probe::LINE - Probe::SIZE);
    push(
        svg,
        format_args!(
            "<g class=\"probe\" tabindex=\"0\" role=\"img\" aria-label=\"{}\">\n\
             <rect class=\"strip\" x=\"{left:.2}\" y=\"{top:.2}\" width=\"{width:.2}\" height=\"{height:.2}\"/>\n\
             <g class=\"shown\"><path d=\"M{middle:.2} {top:.2}V{bottom:.2}\"/>\n\
             <rect x=\"{box_left:.2}\" y=\"{top:.2}\" width=\"{box_width:.2}\" height=\"{box_height:.2}\" rx=\"8\"/>\n",
            escape(&lines.join("; ")),
        ),
    );
    for (index, line) in lines.iter().enumerate() {
        let (x, y) = (box_left + padding, top + padding + Probe::SIZE * 0.8 + Probe::LINE * index as f64);
        push(
            svg,
            format_args!(
                "<text x=\"{x:.2}\" y=\"{y:.2}\" font-size=\"{}\">{}</text>\n",
                Probe::SIZE,
                escape(line)
            ),
        );
    }
    svg.push_str("</g></g>\n");
}

fn corners(points: &[Point]) -> String {
    points.iter().map(|(x, y)| format!("{x},{y}")).collect::<Vec<_>>().join(" ")
}

fn push(svg: &mut String, arguments: std::fmt::Arguments) {
    svg.write_fmt(arguments).expect("a String takes every text");
}

/// `text` for an XML text or attribute. XML has no way to write most control characters: they become U+FFFD.
pub(crate) fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            '\u{fffe}' | '\u{ffff}' => escaped.push('\u{fffd}'),
            _ if character.is_control() => escaped.push('\u{fffd}'),
            _ => escaped.push(character),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::escape;

    #[test]
    fn markup_and_control_characters_are_escaped() {
        assert_eq!(escape("a<b|c & \"d\" 'e'\u{1}"), "a&lt;b|c &amp; &quot;d&quot; &#39;e&#39;\u{fffd}");
    }
}
