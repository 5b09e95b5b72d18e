//! The running curves at a terminal: each model's validation accuracy, epoch by epoch.

use crate::command::{
    bar::shortened,
    output::{Size, one_line},
};
use analysis::figures::percent;
use ratatui_core::{
    buffer::Buffer,
    layout::Rect,
    style::{Color, Style},
    symbols::Marker,
    widgets::Widget,
};
use ratatui_widgets::chart::{Axis, Chart, Dataset, GraphType};
use records::record::RunSpec;
use std::env;

/// A curve of each model, of its latest run.
pub(crate) struct Curves {
    curves: Vec<Curve>,
    /// The most that a run has.
    epochs: usize,
    /// None where the user wants none.
    palette: &'static [Color],
}

struct Curve {
    model: String,
    /// Epochs and per cent.
    points: Vec<(f64, f64)>,
}

/// As every terminal has them; a model beyond the last begins again.
const PALETTE: [Color; 6] =
    [Color::Cyan, Color::Yellow, Color::Magenta, Color::Green, Color::Blue, Color::Red];

/// What a terminal must have for curves beside the lines above them.
const LEAST: Size = Size { columns: 80, rows: 24 };
/// Of the chart: a caption, the curves, an axis and its labels.
const ROWS: usize = 10;
const LONGEST_NAME: usize = 16;

impl Curves {
    /// For the runs of a plan.
    pub(crate) fn of(plan: &[RunSpec]) -> Self {
        let mut curves: Vec<Curve> = Vec::new();
        for run in plan {
            if !curves.iter().any(|curve| curve.model == run.model) {
                curves.push(Curve { model: run.model.clone(), points: Vec::new() });
            }
        }
        let epochs = plan.iter().map(|run| run.recipe.epochs).max().unwrap_or(0);
        let is_plain = env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
        Self { curves, epochs, palette: if is_plain { &[] } else { &PALETTE } }
    }

    /// A run of a model has done an epoch.
    pub(crate) fn epoch(&mut self, model: &str, epoch: usize, validation_accuracy: f64) {
        let Some(curve) = self.curves.iter_mut().find(|curve| curve.model == model) else { return };
        if epoch == 1 {
            curve.points.clear();
        }
        curve.points.push((epoch as f64, 100.0 * validation_accuracy));
    }

    /// The curves in that terminal; none where there is no room, or nothing yet that is more than a point.
    pub(crate) fn drawn(&self, terminal: Size) -> Option<String> {
        let has_room = terminal.columns >= LEAST.columns && terminal.rows >= LEAST.rows;
        if !has_room || self.curves.iter().all(|curve| curve.points.len() < 2) {
            return None;
        }
        let accuracies = || self.curves.iter().flat_map(|curve| &curve.points).map(|point| point.1);
        let lowest = accuracies().fold(f64::INFINITY, f64::min).floor();
        let highest = accuracies().fold(f64::NEG_INFINITY, f64::max).ceil().max(lowest + 1.0);
        let labels = self.labels();
        let beside = labels.iter().map(|label| label.1.chars().count()).max().unwrap_or(0) + 1;
        let (width, rows) = (terminal.columns as u16, ROWS as u16);
        let mut buffer = Buffer::empty(Rect::new(0, 0, width, rows));
        let datasets = self.curves.iter().enumerate().map(|(index, curve)| {
            Dataset::default()
                .marker(Marker::Braille)
                .graph_type(GraphType::Line)
                .style(self.style(index))
                .data(&curve.points)
        });
        let chart = Chart::new(datasets.collect())
            .x_axis(
                Axis::default()
                    .bounds([1.0, self.epochs as f64])
                    .labels(["epoch 1".to_owned(), self.epochs.to_string()]),
            )
            .y_axis(
                Axis::default()
                    .bounds([lowest, highest])
                    .labels([format!("{lowest:.0} %"), format!("{highest:.0} %")]),
            );
        let area = Rect::new(0, 1, width - beside as u16, rows - 1);
        chart.render(area, &mut buffer);
        buffer.set_string(0, 0, "validation accuracy, the latest run of each model", Style::new());
        // Beside the end of its curve, or as near as those that are drawn already leave room.
        let last_row = rows - 4;
        let mut taken = vec![false; usize::from(last_row) + 1];
        for (index, label, last) in labels {
            let row = ((highest - last) / (highest - lowest) * f64::from(last_row)).round() as usize;
            let free = (0..taken.len()).filter(|row| !taken[*row]).min_by_key(|free| free.abs_diff(row));
            let Some(free) = free else { break };
            taken[free] = true;
            buffer.set_string(area.right() + 1, free as u16 + 1, label, self.style(index));
        }
        Some(text_of(&buffer))
    }

    /// Names and accuracies of the models that have curves, the best first.
    fn labels(&self) -> Vec<(usize, String, f64)> {
        let mut labels: Vec<(usize, String, f64)> = self
            .curves
            .iter()
            .enumerate()
            .filter_map(|(index, curve)| {
                let last = curve.points.last()?.1;
                let name = shortened(&one_line(&curve.model), LONGEST_NAME);
                Some((index, format!("{name} {} %", percent(last / 100.0)), last))
            })
            .collect();
        labels.sort_by(|one, other| other.2.total_cmp(&one.2));
        labels
    }

    fn style(&self, index: usize) -> Style {
        match self.palette {
            [] => Style::new(),
            colours => Style::new().fg(colours[index % colours.len()]),
        }
    }
}

/// The lines of a buffer, with the sequences that colour them.
fn text_of(buffer: &Buffer) -> String {
    let mut lines = Vec::new();
    for y in buffer.area.top()..buffer.area.bottom() {
        let mut line = String::new();
        let mut colour = Color::Reset;
        let is_blank = |x: &u16| buffer[(*x, y)].symbol() == " ";
        let end = (0..buffer.area.right()).rev().find(|x| !is_blank(x)).map_or(0, |last| last + 1);
        for x in 0..end {
            let cell = &buffer[(x, y)];
            if cell.fg != colour && cell.symbol() != " " {
                colour = cell.fg;
                line.push_str(&format!("\u{1b}[{}m", code(colour)));
            }
            line.push_str(cell.symbol());
        }
        if colour != Color::Reset {
            line.push_str("\u{1b}[39m");
        }
        lines.push(line);
    }
    lines.join("\n")
}

/// What sets a colour of the [`PALETTE`], and any other back.
fn code(colour: Color) -> u8 {
    match colour {
        Color::Red => 31,
        Color::Green => 32,
        Color::Yellow => 33,
        Color::Blue => 34,
        Color::Magenta => 35,
        Color::Cyan => 36,
        _ => 39,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn curves(palette: &'static [Color]) -> Curves {
        let curve = |model: &str| Curve { model: model.into(), points: Vec::new() };
        Curves { curves: vec![curve("cnn"), curve("a-model-of-a-long-name")], epochs: 4, palette }
    }

    const TERMINAL: Size = Size { columns: 80, rows: 24 };

    #[test]
    fn there_is_a_chart_from_the_second_epoch_on_where_there_is_room() {
        let mut curves = curves(&[]);
        curves.epoch("cnn", 1, 0.93);
        assert_eq!(curves.drawn(TERMINAL), None);
        curves.epoch("cnn", 2, 0.95);
        assert!(curves.drawn(TERMINAL).is_some());
        assert_eq!(curves.drawn(Size { columns: 79, ..TERMINAL }), None);
        assert_eq!(curves.drawn(Size { rows: 23, ..TERMINAL }), None);
        curves.epoch("cnn", 1, 0.92);
        assert_eq!(curves.drawn(TERMINAL), None, "the next run begins");
    }

    #[test]
    fn curves_end_at_their_labels() {
        let mut curves = curves(&[]);
        for (epoch, cnn, other) in [(1, 0.93, 0.9), (2, 0.95, 0.91), (3, 0.96, 0.915), (4, 0.97, 0.92)] {
            curves.epoch("cnn", epoch, cnn);
            curves.epoch("a-model-of-a-long-name", epoch, other);
        }
        let text = curves.drawn(TERMINAL).expect("a chart");
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines.len(), ROWS);
        assert!(lines.iter().all(|line| line.chars().count() <= 80), "{text}");
        assert!(lines[1].starts_with("97 %") && lines[1].ends_with("cnn 97.00 %"), "{text}");
        assert!(lines[7].starts_with("90 %"), "{text}");
        assert!(lines[5].ends_with("a-model-of-a-lo… 92.00 %"), "{text}");
        assert!(lines[9].starts_with("epoch 1") && lines[9].ends_with('4'), "{text}");
        // The better model's curve ends in its label's row.
        let is_curve = |character: char| ('\u{2801}'..='\u{28ff}').contains(&character);
        assert!(lines[1].trim_end_matches("cnn 97.00 %").trim_end().ends_with(is_curve), "{text}");
    }

    #[test]
    fn accuracies_that_are_all_the_same_are_drawn_too() {
        let mut curves = curves(&[]);
        (1..=4).for_each(|epoch| curves.epoch("cnn", epoch, 1.0));
        let text = curves.drawn(TERMINAL).expect("a chart");
        assert!(text.contains("cnn 100.00 %"), "{text}");
    }

    #[test]
    fn colours_begin_and_end_in_their_line() {
        let mut curves = curves(&PALETTE);
        (1..=2).for_each(|epoch| curves.epoch("cnn", epoch, 0.5));
        let text = curves.drawn(TERMINAL).expect("a chart");
        let coloured: Vec<&str> = text.lines().filter(|line| line.contains('\u{1b}')).collect();
        assert!(!coloured.is_empty());
        for line in coloured {
            assert!(line.contains("\u{1b}[36m") && line.ends_with("\u{1b}[39m"), "{line:?}");
        }
    }
}
