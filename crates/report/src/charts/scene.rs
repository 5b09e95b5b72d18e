//! A drawing as data: what the SVG writer writes and the painter paints, so that both show the same picture.

use super::raster::Raster;

/// Red, green, blue.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Colour(pub u8, pub u8, pub u8);

impl Colour {
    /// As SVG spells it.
    pub fn hexadecimal(self) -> String {
        format!("#{:02x}{:02x}{:02x}", self.0, self.1, self.2)
    }
}

/// A place in pixels, from the left and from the top.
pub type Point = (f64, f64);

/// The outline of a shape.
#[derive(Debug, Clone, PartialEq)]
pub enum Outline {
    /// Corners joined in order.
    Line(Vec<Point>),
    /// Corners joined in order, the last to the first.
    Polygon(Vec<Point>),
    /// A centre and a radius.
    Circle(Point, f64),
}

/// A line's looks.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Stroke {
    /// Its colour.
    pub colour: Colour,
    /// Its width in pixels.
    pub width: f64,
    /// Lengths of a dash and of the gap after it, in pixels.
    pub dash: Option<[f64; 2]>,
}

/// Where a text stands relative to its point.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Anchor {
    /// To the right of the point.
    Start,
    /// Around the point.
    Middle,
    /// To the left of the point.
    End,
}

/// One line of text.
#[derive(Debug, Clone, PartialEq)]
pub struct Text {
    /// A point of the baseline.
    pub at: Point,
    /// Font size in pixels.
    pub size: f64,
    /// Which part of the text stands at the point.
    pub anchor: Anchor,
    /// Whether it reads from bottom to top.
    pub upwards: bool,
    /// Its colour.
    pub colour: Colour,
    /// The words.
    pub content: String,
}

/// One thing in a drawing.
#[derive(Debug, Clone, PartialEq)]
pub enum Element {
    /// A shape, filled, stroked or both, at an opacity from 0 to 1.
    Shape {
        /// Where its edge runs.
        outline: Outline,
        /// Colour inside.
        fill: Option<Colour>,
        /// Looks of the edge.
        stroke: Option<Stroke>,
        /// 1 hides what lies below.
        opacity: f64,
    },
    /// A line of text.
    Text(Text),
    /// An image of square pixels.
    Image {
        /// Its upper left corner.
        at: Point,
        /// Edge of a pixel.
        pixel: f64,
        /// The image.
        raster: Raster,
    },
    /// What a pointer finds on a page; a picture does not show it.
    Probe(Probe),
}

/// A strip of a plot that tells its values while a pointer or the keyboard is on it; lengths in pixels.
#[derive(Debug, Clone, PartialEq)]
pub struct Probe {
    /// Where the strip begins.
    pub left: f64,
    /// Where it ends.
    pub right: f64,
    /// Its upper edge.
    pub top: f64,
    /// Its lower edge.
    pub bottom: f64,
    /// Where the guide stands.
    pub middle: f64,
    /// Where the box of words begins.
    pub box_left: f64,
    /// How wide it is.
    pub box_width: f64,
    /// Space around the words.
    pub padding: f64,
    /// The words.
    pub lines: Vec<String>,
}

impl Probe {
    /// Font size of the words in pixels.
    pub const SIZE: f64 = 25.0;
    /// From baseline to baseline in pixels.
    pub const LINE: f64 = 34.0;
}

/// A drawing: elements in the order in which they are painted, on white.
#[derive(Debug, Clone, PartialEq)]
pub struct Scene {
    /// Pixels from left to right.
    pub width: u32,
    /// Pixels from top to bottom.
    pub height: u32,
    /// What the drawing shows, for readers who do not see it.
    pub description: String,
    /// From the lowest to the topmost.
    pub elements: Vec<Element>,
}

impl Scene {
    /// An empty drawing.
    pub fn new(width: u32, height: u32, description: String) -> Self {
        Self { width, height, description, elements: Vec::new() }
    }

    /// What is written on it.
    pub(crate) fn texts(&self) -> impl Iterator<Item = &str> {
        self.elements.iter().filter_map(|element| match element {
            Element::Text(text) => Some(text.content.as_str()),
            _ => None,
        })
    }

    pub(crate) fn line(&mut self, points: &[Point], stroke: Stroke) {
        self.shape(Outline::Line(points.to_vec()), None, Some(stroke), 1.0);
    }

    pub(crate) fn shape(
        &mut self,
        outline: Outline,
        fill: Option<Colour>,
        stroke: Option<Stroke>,
        opacity: f64,
    ) {
        let outline = match outline {
            Outline::Line(points) => Outline::Line(points.into_iter().map(rounded).collect()),
            Outline::Polygon(points) => Outline::Polygon(points.into_iter().map(rounded).collect()),
            Outline::Circle(centre, radius) => Outline::Circle(rounded(centre), radius),
        };
        self.elements.push(Element::Shape { outline, fill, stroke, opacity });
    }

    pub(crate) fn text(&mut self, text: Text) {
        self.elements.push(Element::Text(Text { at: rounded(text.at), ..text }));
    }
}

/// Logarithms differ in their last bit between platforms; a hundredth of a pixel hides that from the files.
fn rounded((x, y): Point) -> Point {
    ((x * 100.0).round() / 100.0, (y * 100.0).round() / 100.0)
}
