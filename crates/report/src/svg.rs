//! A drawing as SVG text.

use std::fmt::Write;

use crate::font;
use crate::scene::{Anchor, Colour, Element, Outline, Point, Scene, Stroke, Text};

impl Scene {
    /// The drawing as a complete SVG document; its text stays text.
    pub fn to_svg(&self) -> String {
        let (width, height) = (self.width, self.height);
        let description = escape(&self.description);
        let mut svg = format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"{height}\" \
             viewBox=\"0 0 {width} {height}\" role=\"img\" font-family=\"{}\">\n\
             <title>{description}</title>\n<rect width=\"{width}\" height=\"{height}\" fill=\"#ffffff\"/>\n",
            font::FAMILY,
        );
        for element in &self.elements {
            match element {
                Element::Shape { outline, fill, stroke, opacity } => {
                    write_shape(&mut svg, outline, *fill, *stroke, *opacity)
                }
                Element::Text(text) => write_text(&mut svg, text),
            }
        }
        svg.push_str("</svg>\n");
        svg
    }
}

fn write_shape(
    svg: &mut String,
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
    let fill = fill.map_or("none".to_owned(), Colour::hexadecimal);
    push(svg, format_args!(" fill=\"{fill}\""));
    if let Some(Stroke { colour, width, dash }) = stroke {
        push(svg, format_args!(" stroke=\"{}\" stroke-width=\"{width}\"", colour.hexadecimal()));
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

fn write_text(svg: &mut String, text: &Text) {
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
            text.colour.hexadecimal(),
            escape(&text.content),
        ),
    );
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
