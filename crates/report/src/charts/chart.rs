//! A line chart laid out: title, legend, axes, curves with bands.

use crate::charts::axis::{Scale, counting_ticks};
use crate::charts::canvas::{Canvas, Frame};
use crate::charts::font::Font;
use crate::charts::legend::{self, Sample};
use crate::charts::marks::Mark;
use crate::charts::scene::{Outline, Point, Scene, Stroke};
use crate::words::numbers::{MISSING, counted, fixed};

/// One value of a curve, and how far the runs lie apart there.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Value {
    pub(crate) epoch: f64,
    pub(crate) mean: f64,
    pub(crate) smallest: f64,
    pub(crate) largest: f64,
    /// Of so many runs.
    pub(crate) runs: usize,
}

/// Up to this many epochs every value gets a mark; above, about half as many are spread over the curve.
const EVERY_EPOCH_UP_TO: usize = 24;

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
    /// What a dashed line means.
    pub(crate) training: &'static str,
    /// What the band means; without one there is no band.
    pub(crate) band: Option<&'static str>,
    pub(crate) curves: Vec<Curve>,
    /// Lines of small print.
    pub(crate) notes: Vec<String>,
}

/// The rectangle of the curves.
pub(crate) struct Plot {
    frame: Frame,
    /// All values belong to one epoch: models stand side by side instead of on top of each other.
    single: bool,
    models: usize,
}

impl Plot {
    pub(crate) fn place(&self, curve: &Curve, epoch: f64, value: f64) -> Point {
        let shift = match self.single {
            true => {
                let slot = (self.frame.right - self.frame.left) * 0.7 / self.models as f64;
                let side = if curve.training { -0.14 } else { 0.14 };
                (curve.model as f64 - (self.models as f64 - 1.0) / 2.0 + side) * slot
            }
            false => 0.0,
        };
        let (x, y) = self.frame.place(epoch, value);
        (x + shift, y)
    }
}

impl Chart {
    /// Places everything.
    pub(crate) fn scene(&self, canvas: Canvas) -> Scene {
        let font = Font::embedded();
        let mut scene = canvas.scene(format!("{}. {}", self.title, self.subtitle));
        let (top, bottom) = canvas.captions(&mut scene, &font, &self.title, &self.subtitle, &self.notes);
        let (first, last) = self.epoch_range();
        let single = first == last;
        let mut key = vec![(Sample::Validation, self.validation.to_owned())];
        key.extend(self.has_training().then(|| (Sample::Training, self.training.to_owned())));
        key.extend(self.band.map(|band| (Sample::Band, band.to_owned())));
        let legend_bottom = legend::draw(&mut scene, &font, &self.names, key, single, canvas, top);
        let room = ((last - first) * 0.03).max(if single { 0.5 } else { 0.1 });
        let epochs = Scale::Linear { lower: first - room, upper: last + room };
        let (values, wanted) = (self.value_scale(), canvas.ticks());
        let frame = Frame::new(canvas, &font, [legend_bottom + 26.0, bottom], epochs, values);
        let quantity = match (self.quantity, values.is_logarithmic()) {
            (Quantity::Accuracy, _) => "accuracy (%)",
            (Quantity::Loss, false) => "loss (nats)",
            (Quantity::Loss, true) => "loss (nats, log scale)",
        };
        let empty = self.curves.iter().all(|curve| curve.pieces.is_empty());
        frame.axes(&mut scene, &counting_ticks(first, last, wanted), ["epoch", quantity], empty);
        let plot = Plot { frame, single, models: self.names.len().max(1) };
        self.curves(&mut scene, &plot);
        if canvas.is_on_a_page() && !empty {
            self.probes(&mut scene, &font, &plot.frame);
        }
        scene
    }

    fn has_training(&self) -> bool {
        self.curves.is_empty() || self.curves.iter().any(|curve| curve.training)
    }

    /// A strip for each epoch that shows its values.
    fn probes(&self, scene: &mut Scene, font: &Font, frame: &Frame) {
        let mut epochs: Vec<f64> = self.every_value().map(|value| value.epoch).collect();
        epochs.sort_by(f64::total_cmp);
        epochs.dedup();
        for (index, epoch) in epochs.iter().copied().enumerate() {
            let edge = |neighbour: Option<&f64>, end: f64| {
                neighbour.map_or(end, |neighbour| frame.place((neighbour + epoch) / 2.0, 0.0).0)
            };
            let before = index.checked_sub(1).and_then(|before| epochs.get(before));
            let (left, right) = (edge(before, frame.left), edge(epochs.get(index + 1), frame.right));
            let mut lines = vec![format!("epoch {epoch}")];
            for (model, name) in self.names.iter().enumerate() {
                let value = |training: bool| {
                    let curves = self.curves.iter();
                    let curve = curves.filter(|curve| curve.model == model && curve.training == training);
                    curve.flat_map(|curve| curve.pieces.iter().flatten()).find(|value| value.epoch == epoch)
                };
                let shown =
                    |value: Option<&Value>| value.map_or(MISSING.to_owned(), |value| self.shown(value.mean));
                let (validation, training) = (value(false), value(true));
                let runs = match (self.band, validation.or(training)) {
                    (Some(_), Some(value)) => format!(" ({})", counted(value.runs, "run")),
                    _ => String::new(),
                };
                let training = self.has_training().then(|| format!(", training {}", shown(training)));
                lines.push(format!("{name}{runs}: {}{}", shown(validation), training.unwrap_or_default()));
            }
            let middle = frame.place(epoch, 0.0).0;
            frame.probe(scene, font, [left, right], middle, lines);
        }
    }

    fn shown(&self, value: f64) -> String {
        match self.quantity {
            Quantity::Accuracy => format!("{} %", fixed(value, 2)),
            Quantity::Loss => fixed(value, 4),
        }
    }

    fn every_value(&self) -> impl Iterator<Item = &Value> {
        self.curves.iter().flat_map(|curve| curve.pieces.iter().flatten())
    }

    fn value_scale(&self) -> Scale {
        let values: Vec<f64> =
            self.every_value().flat_map(|value| [value.smallest, value.mean, value.largest]).collect();
        match self.quantity {
            Quantity::Accuracy => Scale::linear(&values, Some(0.0), Some(100.0)),
            Quantity::Loss => Scale::for_positive(&values),
        }
    }

    fn epoch_range(&self) -> (f64, f64) {
        let epochs: Vec<f64> = self.every_value().map(|value| value.epoch).collect();
        let first = epochs.iter().copied().reduce(f64::min).unwrap_or(1.0);
        (first, epochs.iter().copied().reduce(f64::max).unwrap_or(first))
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
            draw_marks(scene, plot, curve, epochs.len());
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

/// Marks a validation curve's values, and whatever has no line to be seen by.
fn draw_marks(scene: &mut Scene, plot: &Plot, curve: &Curve, epochs: usize) {
    let stride = if epochs <= EVERY_EPOCH_UP_TO { 1 } else { epochs.div_ceil(EVERY_EPOCH_UP_TO / 2) };
    // Marks of different models stand at different epochs, so that curves that coincide can be told apart.
    let offset = curve.model * stride / 5;
    for piece in &curve.pieces {
        for (index, value) in piece.iter().enumerate() {
            let chosen = !curve.training && (index + offset).is_multiple_of(stride);
            if chosen || piece.len() == 1 {
                let at = plot.place(curve, value.epoch, value.mean);
                Mark::of(curve.model).draw(scene, at, curve.training);
            }
        }
    }
}
