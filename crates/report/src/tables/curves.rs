//! The values of a chart of curves.

use super::{figure, words};
use crate::{
    charts::chart::{Chart, Quantity},
    document::{Cell, Table},
    words::numbers::fixed,
};

/// What a chart of curves shows.
pub(crate) fn values(chart: &Chart) -> Table {
    let shown = |value: f64| match chart.quantity {
        Quantity::Accuracy => fixed(value, 2),
        Quantity::Loss => fixed(value, 4),
    };
    let mut rows = Vec::new();
    for curve in &chart.curves {
        rows.extend(curve.pieces.iter().flatten().map(|value| {
            vec![
                Cell::Model(curve.model, chart.names[curve.model].clone()),
                words(if curve.training { "training" } else { chart.validation }),
                figure(format!("{}", value.epoch)),
                figure(value.runs.to_string()),
                figure(shown(value.mean)),
                figure(shown(value.smallest)),
                figure(shown(value.largest)),
            ]
        }));
    }
    let caption = match chart.quantity {
        Quantity::Accuracy => "Accuracy in per cent",
        Quantity::Loss => "Loss in nats",
    };
    let columns = ["model", "images", "epoch", "runs", "mean", "smallest", "largest"];
    Table { caption: caption.to_owned(), columns: columns.map(str::to_owned).to_vec(), rows }
}
