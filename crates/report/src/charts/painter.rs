//! A drawing as PNG bytes.

use tiny_skia::{
    Color, FillRule, LineCap, LineJoin, Paint, Path, PathBuilder, Pixmap, Rect, Shader, StrokeDash, Transform,
};

use crate::charts::font::Font;
use crate::charts::raster::Raster;
use crate::charts::scene::{Anchor, Colour, Element, Outline, Scene, Stroke, Text};

impl Scene {
    /// The drawing as a PNG file, one pixel a unit. It depends on the drawing alone, on no font of the machine.
    pub fn to_png(&self) -> Vec<u8> {
        self.painted().encode_png().expect("a picture in memory encodes")
    }

    pub(crate) fn painted(&self) -> Pixmap {
        let mut pixmap = Pixmap::new(self.width, self.height).expect("a chart has a width and a height");
        pixmap.fill(Color::WHITE);
        let font = Font::embedded();
        for element in &self.elements {
            match element {
                Element::Shape { outline, fill, stroke, opacity } => {
                    if let Some(path) = path(outline) {
                        paint_shape(&mut pixmap, &path, *fill, *stroke, *opacity);
                    }
                }
                Element::Text(text) => paint_text(&mut pixmap, &font, text),
                Element::Image { at, pixel, raster } => paint_image(&mut pixmap, *at, *pixel, raster),
                Element::Probe(_) => {}
            }
        }
        pixmap
    }
}

fn paint(colour: Colour, opacity: f64) -> Paint<'static> {
    let alpha = (opacity * 255.0).round() as u8;
    let shader = Shader::SolidColor(Color::from_rgba8(colour.0, colour.1, colour.2, alpha));
    Paint { shader, anti_alias: true, ..Paint::default() }
}

fn path(outline: &Outline) -> Option<Path> {
    let mut builder = PathBuilder::new();
    match outline {
        Outline::Circle((x, y), radius) => builder.push_circle(*x as f32, *y as f32, *radius as f32),
        Outline::Line(points) | Outline::Polygon(points) => {
            let (first, rest) = points.split_first()?;
            builder.move_to(first.0 as f32, first.1 as f32);
            rest.iter().for_each(|(x, y)| builder.line_to(*x as f32, *y as f32));
            if matches!(outline, Outline::Polygon(_)) {
                builder.close();
            }
        }
    }
    builder.finish()
}

fn paint_shape(pixmap: &mut Pixmap, path: &Path, fill: Option<Colour>, stroke: Option<Stroke>, opacity: f64) {
    if let Some(colour) = fill {
        let paint = paint(colour, opacity);
        pixmap.fill_path(path, &paint, FillRule::Winding, Transform::identity(), None);
    }
    if let Some(Stroke { colour, width, dash }) = stroke {
        let stroke = tiny_skia::Stroke {
            width: width as f32,
            line_cap: LineCap::Butt,
            line_join: LineJoin::Round,
            dash: dash.and_then(|[dash, gap]| StrokeDash::new(vec![dash as f32, gap as f32], 0.0)),
            ..tiny_skia::Stroke::default()
        };
        pixmap.stroke_path(path, &paint(colour, opacity), &stroke, Transform::identity(), None);
    }
}

fn paint_image(pixmap: &mut Pixmap, (x, y): (f64, f64), edge: f64, Raster { columns, colours }: &Raster) {
    for (index, [red, green, blue]) in colours.iter().enumerate() {
        let corner = (x + (index % columns) as f64 * edge, y + (index / columns) as f64 * edge);
        let Some(square) = Rect::from_xywh(corner.0 as f32, corner.1 as f32, edge as f32, edge as f32) else {
            continue;
        };
        let mut paint = paint(Colour(*red, *green, *blue), 1.0);
        // Neighbours share their edges: smoothed ones would show as lines.
        paint.anti_alias = false;
        pixmap.fill_rect(square, &paint, Transform::identity(), None);
    }
}

fn paint_text(pixmap: &mut Pixmap, font: &Font, text: &Text) {
    let Some(outlines) = font.outlines(&text.content, text.size) else { return };
    let width = font.width(&text.content, text.size);
    let shift = match text.anchor {
        Anchor::Start => 0.0,
        Anchor::Middle => -width / 2.0,
        Anchor::End => -width,
    };
    let mut transform = Transform::from_translate(text.at.0 as f32, text.at.1 as f32);
    if text.upwards {
        transform = transform.pre_concat(Transform::from_rotate(-90.0));
    }
    transform = transform.pre_translate(shift as f32, 0.0);
    pixmap.fill_path(&outlines, &paint(text.colour, 1.0), FillRule::Winding, transform, None);
}
