//! Tables of runs.

use super::{columns, figure, missing, model, words};
use crate::{
    Study,
    document::{Cell, Table},
    words::{
        learning::tested_of_all,
        numbers::{MISSING, loss, percent, seconds},
        text::one_line,
    },
};
use analysis::{Run, model::Model};
use records::record::{Fold, Place};
use std::collections::BTreeSet;

/// The column of the folds of a cross-validation.
const FOLD: &str = "fold of repetition";

/// The column of the machines' names, where there are several.
const MACHINE: &str = "machine";

/// Every run, by model and seed, then those that diverged.
pub(crate) fn runs(study: &Study) -> Table {
    let has_folds = study.analysis.cross_validation.is_some();
    let fold = |fold: Option<Fold>| {
        let told = fold.map_or(MISSING.to_owned(), |fold| format!("{} of {}", fold.fold, fold.repeat));
        has_folds.then(|| figure(told))
    };
    let has_hosts = has_hosts(study);
    let host = |place: Option<&Place>| {
        has_hosts.then(|| words(place.map_or(MISSING.to_owned(), |place| one_line(&place.host))))
    };
    let clock = |time: Option<f64>| figure(time.map_or_else(|| MISSING.to_owned(), seconds));
    let of_model = |(place, of): (usize, &Model)| -> Vec<Vec<Cell>> {
        let row = |run: &Run| {
            let called =
                run.seed().map_or_else(|| one_line(&run.partner.to_string()), |seed| seed.to_string());
            let first = [model(study, place), figure(called)];
            let known = |text: Option<String>| text.unwrap_or_else(|| MISSING.to_owned());
            let record = run.record();
            let rest = [
                figure(known(tested_of_all(run))),
                figure(percent(run.test.accuracy)),
                figure(known(
                    Some(run.test.loss).filter(|_| record.is_some() || !run.test.loss.is_nan()).map(loss),
                )),
                clock(run.train_seconds),
                clock(run.total_seconds),
                figure(known(record.map(|record| record.test_reads.to_string()))),
                Cell::Code(known(record.map(|record| record.fingerprint.chars().take(16).collect()))),
                Cell::Code(one_line(
                    record.map_or_else(|| run.imported().map_or("", |run| &run.source), |record| &record.id),
                )),
            ];
            let mut row: Vec<Cell> = first.into_iter().chain(fold(run.fold())).chain(rest).collect();
            row.splice(row.len() - 3..row.len() - 3, host(run.place()));
            row
        };
        of.runs.iter().map(row).collect()
    };
    let mut rows: Vec<Vec<Cell>> = study.models().iter().enumerate().flat_map(of_model).collect();
    for run in study.analysis.failed {
        let mut row =
            vec![words(one_line(&run.specification.model)), figure(run.specification.seed.to_string())];
        row.extend(fold(run.specification.fold));
        row.push(figure(format!("diverged in epoch {}", run.epoch)));
        row.extend((0..4).map(|_| missing()));
        row.extend(host(run.environment.place.as_ref()));
        row.push(missing());
        row.extend([Cell::Code(MISSING.to_owned()), Cell::Code(one_line(&run.id))]);
        rows.push(row);
    }
    let mut columns = columns(&[
        "model",
        "seed",
        "tested after epoch",
        "test accuracy (%)",
        "test loss (nats)",
        "training (s)",
        "total (s)",
        "reads of the test images",
        "fingerprint",
        "record",
    ]);
    columns.splice(7..7, has_hosts.then(|| MACHINE.to_owned()));
    columns.splice(2..2, has_folds.then(|| FOLD.to_owned()));
    Table {
        caption: "A fingerprint is the beginning of the SHA-256 of the final weights".to_owned(),
        columns,
        rows,
    }
}

/// Whether the runs were made on several machines: one name in every row would say nothing.
fn has_hosts(study: &Study) -> bool {
    let places = study.analysis.runs.iter().filter_map(Run::place);
    places.map(|place| place.host.as_str()).collect::<BTreeSet<_>>().len() > 1
}

/// [`runs`] without what is looked up in the records.
pub(crate) fn runs_in_short(study: &Study) -> Table {
    let fold = study.analysis.cross_validation.map(|_| FOLD);
    let columns = ["model", "seed"].into_iter().chain(fold).chain([
        "tested after epoch",
        "test accuracy (%)",
        "test loss (nats)",
        "training (s)",
        "total (s)",
    ]);
    let columns = columns.chain(has_hosts(study).then_some(MACHINE)).chain(["fingerprint"]);
    runs(study).only(&columns.collect::<Vec<_>>())
}
