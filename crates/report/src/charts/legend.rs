//! The legend above a plot, where no curve can run below it.

use crate::charts::canvas::{BODY, Canvas, INK, MARGIN, MUTED};
use crate::charts::font::Font;
use crate::charts::marks::{GREY, Mark};
use crate::charts::scene::{Anchor, Outline, Point, Scene, Stroke, Text};

const ROW: f64 = 42.0;
const SAMPLE: f64 = 56.0;
const GAP: f64 = 44.0;
/// More rows than these would leave the plot too little room.
const MODEL_ROWS: usize = 4;
const LONGEST_NAME: f64 = 440.0;

/// How a line is drawn that no model makes.
pub(crate) const DOTTED: Stroke = Stroke { colour: GREY, width: 3.0, dash: Some([4.0, 8.0]) };

/// What a legend explains.
pub(crate) enum Sample {
    Model(usize),
    Validation,
    Training,
    Band,
    /// A dotted line.
    Dotted,
    Nothing,
}

/// Draws the models, then the key (as marks, where each curve is a `single` value); returns the lower edge.
pub(crate) fn draw(
    scene: &mut Scene,
    font: &Font,
    names: &[String],
    key: Vec<(Sample, String)>,
    single: bool,
    canvas: Canvas,
    top: f64,
) -> f64 {
    let width = canvas.inner_width();
    let total = names.len();
    let longest = LONGEST_NAME.min(width - SAMPLE - GAP);
    let names: Vec<(Sample, String)> = names
        .iter()
        .enumerate()
        .map(|(model, name)| (Sample::Model(model), font.fitted(name, BODY, longest)))
        .collect();
    let mut rows = flowed(font, names, width);
    if rows.len() > MODEL_ROWS {
        rows.truncate(MODEL_ROWS);
        let last = rows.last_mut().expect("there are rows");
        last.pop();
        let shown: usize = rows.iter().map(Vec::len).sum();
        let more = format!("and {} more", total - shown);
        rows[MODEL_ROWS - 1].push((Sample::Nothing, more));
    }
    rows.extend(flowed(font, key, width));
    for (index, row) in rows.iter().enumerate() {
        draw_row(scene, font, row, single, (MARGIN, top + ROW * (index as f64 + 0.5)));
    }
    top + ROW * rows.len() as f64
}

fn flowed(font: &Font, entries: Vec<(Sample, String)>, width: f64) -> Vec<Vec<(Sample, String)>> {
    let mut rows: Vec<Vec<(Sample, String)>> = Vec::new();
    let mut used = 0.0;
    for entry in entries {
        let needed = SAMPLE + 14.0 + font.width(&entry.1, BODY);
        match rows.last_mut() {
            Some(row) if used + GAP + needed <= width => {
                used += GAP + needed;
                row.push(entry);
            }
            _ => {
                used = needed;
                rows.push(vec![entry]);
            }
        }
    }
    rows
}

fn draw_row(scene: &mut Scene, font: &Font, row: &[(Sample, String)], single: bool, (left, middle): Point) {
    let mut x = left;
    for (sample, label) in row {
        draw_sample(scene, sample, single, (x, middle));
        let colour = if matches!(sample, Sample::Model(_)) { INK } else { MUTED };
        scene.text(Text {
            at: (x + SAMPLE + 14.0, middle + BODY * 0.36),
            size: BODY,
            anchor: Anchor::Start,
            upwards: false,
            colour,
            content: label.clone(),
        });
        x += SAMPLE + 14.0 + font.width(label, BODY) + GAP;
    }
}

fn draw_sample(scene: &mut Scene, sample: &Sample, single: bool, (x, y): Point) {
    let middle = (x + SAMPLE / 2.0, y);
    let line = [(x, y), (x + SAMPLE, y)];
    match *sample {
        Sample::Model(model) => {
            let mark = Mark::of(model);
            if !single {
                scene.line(&line, mark.stroke(false));
            }
            mark.draw(scene, middle, false);
        }
        Sample::Validation if single => Mark::GREY.draw(scene, middle, false),
        Sample::Training if single => Mark::GREY.draw(scene, middle, true),
        Sample::Validation => scene.line(&line, Stroke { colour: GREY, width: 5.0, dash: None }),
        Sample::Training => scene.line(&line, Stroke { colour: GREY, width: 3.5, dash: Some([12.0, 8.0]) }),
        Sample::Band if single => {
            let ends = [(middle.0, y - 14.0), (middle.0, y + 14.0)];
            scene.line(&ends, Stroke { colour: GREY, width: 3.0, dash: None });
        }
        Sample::Band => {
            let corners = vec![(x, y - 12.0), (x + SAMPLE, y - 12.0), (x + SAMPLE, y + 12.0), (x, y + 12.0)];
            scene.shape(Outline::Polygon(corners), Some(GREY), None, 0.25);
        }
        Sample::Dotted => scene.line(&line, DOTTED),
        Sample::Nothing => {}
    }
}
