//! Keras's CSVLogger: a row an epoch, and tables of that kind.

use super::{Log, cells::Cells};
use crate::error::Error;
use std::path::Path;

pub(super) fn read(path: &Path) -> Result<Log, Error> {
    let cells = Cells::read(path, "a file of Keras's CSVLogger")?;
    let mut log = Log::of(super::stem_of(path), path);
    // Lightning's tables count steps, too.
    let by_step = cells.place(&["step", "global_step", "iteration"]);
    let axis = match by_step {
        Some(place) => place,
        None => cells.needs(
            &["epoch", "epochs"],
            "a column epoch",
            "give the file that tf.keras.callbacks.CSVLogger wrote, or name the column of the epochs epoch",
        )?,
    };
    log.by_epoch = by_step.is_none();
    let mut steps = Vec::new();
    for (line, text) in cells.rows() {
        steps.push(cells.step(&text(axis), line, axis)?);
    }
    for (column, name) in cells.header.iter().enumerate().filter(|(column, _)| *column != axis) {
        log.series.push(cells.series(name, column, &steps));
    }
    log.notes.extend(cells.cut_note());
    Ok(log)
}
