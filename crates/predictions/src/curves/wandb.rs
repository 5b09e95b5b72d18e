//! Weights & Biases: the CSV of a chart, with columns `RUN - METRIC` by step, or of a run's history, with `_step`.

use super::{
    Log,
    cells::{Cell, Cells, cell},
};
use crate::error::{Error, quoted};
use std::{collections::HashMap, path::Path};

pub(super) fn read(path: &Path) -> Result<Vec<Log>, Error> {
    let cells = Cells::read(path, "a CSV export of Weights & Biases")?;
    match cells.place(&["_step"]) {
        Some(axis) => history(path, &cells, axis).map(|log| vec![log]),
        None => chart(path, &cells),
    }
}

fn steps(cells: &Cells, axis: usize) -> Result<Vec<i64>, Error> {
    cells.rows().map(|(line, text)| cells.step(&text(axis), line, axis)).collect()
}

fn history(path: &Path, cells: &Cells, axis: usize) -> Result<Log, Error> {
    let mut log = Log::of(super::stem_of(path), path);
    let steps = steps(cells, axis)?;
    for (column, name) in cells.header.iter().enumerate() {
        if column == axis || name.is_empty() {
            continue;
        }
        if name == "_runtime" {
            let seconds = cells.rows().filter_map(|(_, text)| match cell(&text(column)) {
                Cell::Number(seconds) if seconds.is_finite() && seconds >= 0.0 => Some(seconds),
                _ => None,
            });
            log.total_seconds = seconds.reduce(f64::max);
            if log.total_seconds.is_some() {
                log.notes.push("the seconds in all are the last `_runtime`".to_owned());
                continue;
            }
        }
        log.series.push(cells.series(name, column, &steps));
    }
    log.notes.extend(cells.cut_note());
    Ok(log)
}

fn chart(path: &Path, cells: &Cells) -> Result<Vec<Log>, Error> {
    let axis = cells.needs(
        &[
            "step",
            "epoch",
            "global_step",
            "trainer/global_step",
            "train/global_step",
            "trainer/epoch",
            "train/epoch",
        ],
        "a column Step, and columns RUN - METRIC, or a run's history with a column _step",
        "set the chart's x axis to Step and export its data as CSV, or save run.history().to_csv(FILE)",
    )?;
    let by_epoch = cells.header[axis].to_lowercase().ends_with("epoch");
    let steps = steps(cells, axis)?;
    let mut logs: Vec<Log> = Vec::new();
    let mut places: HashMap<&str, usize> = HashMap::new();
    for (column, name) in cells.header.iter().enumerate().filter(|(column, _)| *column != axis) {
        // The bounds of what a chart draws as a band.
        if name.ends_with("__MIN") || name.ends_with("__MAX") {
            continue;
        }
        // A metric's name has no such sign as often as a run's has.
        let Some((run, metric)) = name.rsplit_once(" - ") else {
            return Err(Error::new(
                &cells.file,
                "columns RUN - METRIC",
                quoted(name),
                "export the chart's data as CSV, or save run.history().to_csv(FILE)",
            )
            .at("line 1"));
        };
        // Where the axis is a metric, its steps are exported too.
        if metric == "_step" {
            continue;
        }
        let series = cells.series(metric, column, &steps);
        let place = *places.entry(run).or_insert_with(|| {
            let mut log = Log::of(run.to_owned(), path);
            log.by_epoch = by_epoch;
            log.training = Some(run.to_owned());
            log.notes.extend(cells.cut_note());
            logs.push(log);
            logs.len() - 1
        });
        logs[place].series.push(series);
    }
    if logs.is_empty() {
        return Err(Error::new(
            &cells.file,
            "columns RUN - METRIC",
            "none",
            "export the chart's data as CSV",
        )
        .at("line 1"));
    }
    Ok(logs)
}
