//! The tables of a report, as data.

mod calibration;
mod classes;
mod curves;
mod models;
mod pairs;
mod runs;

pub(crate) use calibration::{bins, calibration, corrected};
pub(crate) use classes::{class_measures, confusions, floor_of_bars, recall};
pub(crate) use curves::values;
pub(crate) use models::{
    GROUPS, costs, deciding_column, known, measures, models, of_models, places, ranking, spreads,
};
pub(crate) use pairs::{comparisons, ends, outcome, tests, training_times};
pub(crate) use runs::{runs, runs_in_short};

use crate::{
    Study,
    document::Cell,
    words::{
        numbers::{MISSING, thousands},
        text::one_line,
    },
};
use analysis::model::Model;

fn columns(names: &[&str]) -> Vec<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

pub(crate) fn figure(text: impl Into<String>) -> Cell {
    Cell::Figure(text.into())
}

pub(crate) fn words(text: impl Into<String>) -> Cell {
    Cell::Words(text.into())
}

fn missing() -> Cell {
    figure(MISSING)
}

fn count(count: Option<u64>) -> Cell {
    figure(count.map_or_else(|| MISSING.to_owned(), thousands))
}

/// A model by its place in the study.
pub(crate) fn model(study: &Study, place: usize) -> Cell {
    Cell::Model(place, one_line(study.models()[place].name))
}

/// The models and their places, the best by the measure that decides first; those without a finite value of it last.
fn best_first<'b, 'a>(study: &'b Study<'a>) -> Vec<(usize, &'b Model<'a>)> {
    let measure = study.analysis.decided_by;
    let sign = if measure.larger_is_better() { 1.0 } else { -1.0 };
    let mut models: Vec<(usize, &Model)> = study.models().iter().enumerate().collect();
    let value = |model: &Model| model.value(measure).map_or(f64::NEG_INFINITY, |value| sign * value.mean);
    models.sort_by(|(_, one), (_, other)| value(other).total_cmp(&value(one)));
    models
}
