//! A line chart laid out: title, legend, axes, curves with bands.

use crate::axis::{Scale, Tick, counting_ticks};
use crate::font::Font;
use crate::legend;
use crate::marks::{self, Mark};
use crate::scene::{Anchor, Colour, Outline, Point, Scene, Stroke, Text};

const WIDTH: u32 = 1600;
const HEIGHT: u32 = 1000;
/// Free space around everything.
const MARGIN: f64 = 44.0;
/// A chart shown 600 pixels wide, as in a column of text, shows these at 9 pixels and more.
pub(crate) const BODY: f64 = 27.0;
const TITLE: f64 = 42.0;
const NOTE: f64 = 24.0;

pub(crate) const INK: Colour = Colour(0x22, 0x22, 0x22);
pub(crate) const MUTED: Colour = Colour(0x5a, 0x5a, 0x5a);
const GRID: Colour = Colour(0xe3, 0xe3, 0xe3);
const AXIS: Colour = Colour(0x8a, 0x8a, 0x8a);

/// One value of a curve, and how far the runs lie apart there.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Value {
    pub(crate) epoch: f64,
    pub(crate) mean: f64,
    pub(crate) smallest: f64,
    pub(crate) largest: f64,
}

/// A model's training or validation curve in pieces: a piece ends where a value is missing.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Curve {
    /// Position of the model among the names.
    pub(crate) model: usize,
    pub(crate) training: bool,
    pub(crate) pieces: Vec<Vec<Value>>,
}

/// The quantity on the vertical axis.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Quantity {
    /// In per cent.
    Accuracy,
    /// In nats.
    Loss,
}

/// What a chart shows, before anything is placed.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Chart {
    pub(crate) title: String,
    pub(crate) subtitle: String,
    pub(crate) quantity: Quantity,
    /// Models, in the order of their colours.
    pub(crate) names: Vec<String>,
    /// What a solid line means.
    pub(crate) validation: &'static str,
    /// What the band means; without one there is no band.
    pub(crate) band: Option<&'static str>,
    pub(crate) curves: Vec<Curve>,
    /// Lines of small print.
    pub(crate) notes: Vec<String>,
}

/// The rectangle of the curves, and the scales that fill it.
pub(crate) struct Plot {
    left: f64,
    right: f64,
    top: f64,
    bottom: f64,
    epochs: Scale,
    values: Scale,
    /// All values belong to one epoch: models stand side by side instead of on top of each other.
    single: bool,
    models: usize,
}

impl Plot {
    fn x(&self, epoch: f64) -> f64 {
        self.left + self.epochs.fraction(epoch) * (self.right - self.left)
    }

    fn y(&self, value: f64) -> f64 {
        self.bottom - self.values.fraction(value) * (self.bottom - self.top)
    }

    pub(crate) fn place(&self, curve: &Curve, epoch: f64, value: f64) -> Point {
        let shift = match self.single {
            true => {
                let slot = (self.right - self.left) * 0.7 / self.models as f64;
                let side = if curve.training { -0.14 } else { 0.14 };
                (curve.model as f64 - (self.models as f64 - 1.0) / 2.0 + side) * slot
            }
            false => 0.0,
        };
        (self.x(epoch) + shift, self.y(value))
    }
}

impl Chart {
    /// Places everything.
    pub(crate) fn scene(&self) -> Scene {
        let font = Font::embedded();
        let mut scene = Scene::new(WIDTH, HEIGHT, format!("{}. {}", self.title, self.subtitle));
        let width = f64::from(WIDTH) - 2.0 * MARGIN;
        let mut line = |baseline: f64, size: f64, colour: Colour, content: &str| {
            let content = font.fitted(content, size, width);
            scene.text(Text {
                at: (MARGIN, baseline),
                size,
                anchor: Anchor::Start,
                upwards: false,
                colour,
                content,
            });
        };
        line(72.0, TITLE, INK, &self.title);
        line(116.0, BODY, MUTED, &self.subtitle);
        let notes_top = f64::from(HEIGHT) - 24.0 - 34.0 * self.notes.len() as f64;
        for (index, note) in self.notes.iter().enumerate() {
            line(notes_top + 34.0 * index as f64 + 24.0, NOTE, MUTED, note);
        }
        let (first, last) = self.epoch_range();
        let legend_bottom = legend::draw(&mut scene, &font, self, first == last, (MARGIN, 142.0), width);
        let values = self.value_scale();
        let ticks = values.ticks(8);
        let widest = ticks.iter().map(|tick| font.width(&tick.label, BODY)).fold(0.0, f64::max);
        let room = ((last - first) * 0.03).max(if first == last { 0.5 } else { 0.1 });
        let plot = Plot {
            left: MARGIN + 52.0 + widest + 14.0,
            right: f64::from(WIDTH) - MARGIN,
            top: legend_bottom + 26.0,
            bottom: notes_top - 110.0,
            epochs: Scale::Linear { lower: first - room, upper: last + room },
            values,
            single: first == last,
            models: self.names.len().max(1),
        };
        self.axes(&mut scene, &plot, &ticks, &counting_ticks(first, last, 12));
        self.curves(&mut scene, &plot);
        scene
    }

    fn every_value(&self) -> impl Iterator<Item = &Value> {
        self.curves.iter().flat_map(|curve| curve.pieces.iter().flatten())
    }

    fn value_scale(&self) -> Scale {
        let values: Vec<f64> =
            self.every_value().flat_map(|value| [value.smallest, value.mean, value.largest]).collect();
        match self.quantity {
            Quantity::Accuracy => Scale::linear(&values, Some(0.0), Some(100.0)),
            Quantity::Loss => Scale::for_losses(&values),
        }
    }

    fn epoch_range(&self) -> (f64, f64) {
        let epochs: Vec<f64> = self.every_value().map(|value| value.epoch).collect();
        let first = epochs.iter().copied().reduce(f64::min).unwrap_or(1.0);
        (first, epochs.iter().copied().reduce(f64::max).unwrap_or(first))
    }

    fn axes(&self, scene: &mut Scene, plot: &Plot, values: &[Tick], epochs: &[Tick]) {
        let thin = |colour| Stroke { colour, width: 2.0, dash: None };
        let mut label = |at, anchor, upwards, colour, content: &str| {
            scene.text(Text { at, size: BODY, anchor, upwards, colour, content: content.to_owned() });
        };
        for tick in values {
            let at = (plot.left - 14.0, plot.y(tick.value) + BODY * 0.36);
            label(at, Anchor::End, false, MUTED, &tick.label);
        }
        for tick in epochs {
            label((plot.x(tick.value), plot.bottom + 42.0), Anchor::Middle, false, MUTED, &tick.label);
        }
        let middle = (plot.left + plot.right) / 2.0;
        label((middle, plot.bottom + 86.0), Anchor::Middle, false, INK, "epoch");
        let quantity = match (self.quantity, plot.values.is_logarithmic()) {
            (Quantity::Accuracy, _) => "accuracy (%)",
            (Quantity::Loss, false) => "loss (nats)",
            (Quantity::Loss, true) => "loss (nats, log scale)",
        };
        let middle = (plot.top + plot.bottom) / 2.0;
        label((MARGIN + 24.0, middle), Anchor::Middle, true, INK, quantity);
        if self.curves.iter().all(|curve| curve.pieces.is_empty()) {
            let middle = ((plot.left + plot.right) / 2.0, middle);
            label(middle, Anchor::Middle, false, MUTED, "no finite value to draw");
        }
        for tick in values {
            let y = plot.y(tick.value);
            scene.line(&[(plot.left, y), (plot.right, y)], thin(GRID));
        }
        for tick in epochs {
            let x = plot.x(tick.value);
            scene.line(&[(x, plot.top), (x, plot.bottom)], thin(GRID));
            scene.line(&[(x, plot.bottom), (x, plot.bottom + 8.0)], thin(AXIS));
        }
        scene.line(&[(plot.left, plot.top), (plot.left, plot.bottom), (plot.right, plot.bottom)], thin(AXIS));
    }

    /// Bands below lines below marks, and training below validation, so that nothing exact is covered.
    fn curves(&self, scene: &mut Scene, plot: &Plot) {
        let ordered = || {
            let training = self.curves.iter().filter(|curve| curve.training);
            training.chain(self.curves.iter().filter(|curve| !curve.training))
        };
        if self.band.is_some() {
            ordered().for_each(|curve| draw_band(scene, plot, curve));
        }
        for curve in ordered() {
            let mark = Mark::of(curve.model);
            for piece in &curve.pieces {
                let points: Vec<Point> =
                    piece.iter().map(|value| plot.place(curve, value.epoch, value.mean)).collect();
                if points.len() > 1 {
                    scene.line(&points, mark.stroke(curve.training));
                }
            }
        }
        let epochs =
            self.every_value().map(|value| value.epoch as u64).collect::<std::collections::BTreeSet<_>>();
        for curve in ordered() {
            marks::draw(scene, plot, curve, epochs.len());
        }
    }
}

fn draw_band(scene: &mut Scene, plot: &Plot, curve: &Curve) {
    let colour = Mark::of(curve.model).colour;
    for piece in &curve.pieces {
        let upper = piece.iter().map(|value| plot.place(curve, value.epoch, value.largest));
        let lower = piece.iter().rev().map(|value| plot.place(curve, value.epoch, value.smallest));
        let edge: Vec<Point> = upper.chain(lower).collect();
        match edge.len() {
            2 => scene.line(&edge, Stroke { colour, width: 3.0, dash: None }),
            _ => {
                let opacity = if curve.training { 0.10 } else { 0.18 };
                scene.shape(Outline::Polygon(edge), Some(colour), None, opacity);
            }
        }
    }
}
