//! Images in rows and columns, to look at.

use crate::charts::canvas::{AXIS, INK, MARGIN, MUTED};
use crate::charts::font::Font;
use crate::charts::raster::Raster;
use crate::charts::scene::{Anchor, Colour, Element, Outline, Scene, Stroke, Text};
use crate::words::text::one_line;
use spec::ImageShape;

/// What a sheet shows: rows of images of one size, the first of each being the one that the others come from.
#[derive(Debug, Clone, PartialEq)]
pub struct ContactSheet {
    /// What they are.
    pub title: String,
    /// What else there is to know of all.
    pub subtitle: String,
    /// What the first column holds, and what the others do; an empty first one where they are alike.
    pub columns: [String; 2],
    /// From top to bottom.
    pub rows: Vec<SheetRow>,
    /// Shape of the images.
    pub shape: ImageShape,
    /// Whether they are light ink, as [`crate::TestImages`] has it.
    pub is_ink: bool,
}

/// A row of a [`ContactSheet`].
#[derive(Debug, Clone, PartialEq)]
pub struct SheetRow {
    /// Words above it, where a new part begins.
    pub heading: Option<String>,
    /// Words beside it.
    pub label: String,
    /// From left to right.
    pub images: Vec<SheetImage>,
}

/// An image of a [`ContactSheet`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SheetImage {
    /// `[row, column, channel]`.
    pub pixels: Vec<u8>,
    /// Lines below it.
    pub captions: Vec<String>,
}

/// Longer side of an image.
const EDGE: f64 = 112.0;
/// Between two images.
const GAP: f64 = 14.0;
/// Between the first column and the others.
const DIVIDE: f64 = 46.0;
/// Font size of labels, and of what stands below images.
const LABEL: f64 = 25.0;
const CAPTION: f64 = 19.0;
/// From baseline to baseline of the lines below images.
const CAPTION_LINE: f64 = 25.0;
/// Widest label; a longer one is cut.
const LONGEST_LABEL: f64 = 360.0;
/// What a heading adds above its row.
const HEADING: f64 = 76.0;
/// Where the rows begin.
const TOP: f64 = 150.0;

/// The sheet as a drawing, as large as it needs to be.
pub fn contact_sheet(sheet: &ContactSheet) -> Scene {
    let font = Font::embedded();
    let words = sheet.rows.iter().flat_map(|row| row.heading.iter().chain([&row.label]));
    let widest = words.map(|words| font.width(words, LABEL)).fold(0.0, f64::max);
    let labels = widest.min(LONGEST_LABEL).ceil() + 24.0;
    let images = sheet.rows.iter().map(|row| row.images.len()).max().unwrap_or(0);
    let pixel = EDGE / sheet.shape.width.max(sheet.shape.height).max(1) as f64;
    // Pixels of unequal sizes would look like a pattern.
    let pixel = if pixel > 1.0 { pixel.floor() } else { pixel };
    let [width, height] = [sheet.shape.width, sheet.shape.height].map(|side| side as f64 * pixel);
    let left = |column: usize| {
        let divide = if column > 0 && !sheet.columns[0].is_empty() { DIVIDE - GAP } else { 0.0 };
        MARGIN + labels + column as f64 * (EDGE + GAP) + divide
    };
    let right = left(images.max(5)) - GAP + MARGIN;
    let bottom = TOP + sheet.rows.iter().map(|row| row_height(row, height)).sum::<f64>() + MARGIN - GAP;
    let description = format!("{}. {}.", sheet.title, sheet.subtitle);
    let mut scene = Scene::new(right.ceil() as u32, bottom.ceil() as u32, description);
    let mut line = |at, size: f64, colour: Colour, content: &str, room: f64| {
        let content = font.fitted(content, size, room);
        scene.text(Text { at, size, anchor: Anchor::Start, upwards: false, colour, content });
    };
    line((MARGIN, 72.0), 42.0, INK, &one_line(&sheet.title), right - 2.0 * MARGIN);
    line((MARGIN, 118.0), LABEL, MUTED, &sheet.subtitle, right - 2.0 * MARGIN);
    let mut top = TOP;
    for row in &sheet.rows {
        if let Some(heading) = &row.heading {
            top += HEADING;
            line((MARGIN, top - 22.0), LABEL, INK, heading, labels - 24.0);
            line((left(0), top - 22.0), LABEL, MUTED, &sheet.columns[0], EDGE + DIVIDE - 12.0);
            line((left(1), top - 22.0), LABEL, MUTED, &sheet.columns[1], right - MARGIN - left(1));
        }
        let middle = top + height / 2.0 + LABEL * 0.36;
        line((MARGIN, middle), LABEL, INK, &row.label, labels - 24.0);
        for (column, image) in row.images.iter().enumerate() {
            for (index, caption) in image.captions.iter().enumerate() {
                let baseline = top + height + CAPTION_LINE * (index + 1) as f64;
                line((left(column), baseline), CAPTION, MUTED, caption, EDGE);
            }
        }
        top += row_height(row, height) - if row.heading.is_some() { HEADING } else { 0.0 };
    }
    let mut top = TOP;
    for row in &sheet.rows {
        top += if row.heading.is_some() { HEADING } else { 0.0 };
        for (column, image) in row.images.iter().enumerate() {
            let x = left(column);
            let raster = Raster::new(&image.pixels, sheet.shape, sheet.is_ink);
            scene.elements.push(Element::Image { at: (x, top), pixel, raster });
            let frame = vec![(x, top), (x + width, top), (x + width, top + height), (x, top + height)];
            let edge = Stroke { colour: AXIS, width: 1.0, dash: None };
            scene.shape(Outline::Polygon(frame), None, Some(edge), 1.0);
        }
        top += row_height(row, height) - if row.heading.is_some() { HEADING } else { 0.0 };
    }
    scene
}

/// With the heading above it and the lines and the gap below.
fn row_height(row: &SheetRow, image: f64) -> f64 {
    let heading = if row.heading.is_some() { HEADING } else { 0.0 };
    let lines = row.images.iter().map(|image| image.captions.len()).max().unwrap_or(0);
    let captions = if lines > 0 { CAPTION_LINE * lines as f64 + 10.0 } else { 0.0 };
    heading + image + captions + GAP
}
