//! Tables of how far probabilities and labels can be believed.

use super::{columns, figure, model};
use crate::{
    Study,
    document::{Cell, Table},
    words::numbers::{loss, percent, shown, thousands},
};
use analysis::model::Model;

/// How far each model's probabilities can be believed; none where no model has any.
pub(crate) fn calibration(study: &Study) -> Option<Table> {
    if study.models().iter().all(|model| model.calibration.is_none()) {
        return None;
    }
    let rows = study.models().iter().enumerate().map(|(place, of)| {
        let calibration = of.calibration.as_ref();
        vec![
            model(study, place),
            figure(shown(of.loss, loss)),
            figure(shown(calibration.and_then(|calibration| calibration.brier), loss)),
            figure(shown(calibration.and_then(|calibration| calibration.error), percent)),
        ]
    });
    Some(Table {
        caption: format!(
            "Smaller is better; calibration error over {} bins of equal mass",
            analysis::calibration::BINS
        ),
        columns: columns(&[
            "model",
            "negative log-likelihood (nats)",
            "Brier score",
            "calibration error (points)",
        ]),
        rows: rows.collect(),
    })
}

/// The bins of [`calibration`].
pub(crate) fn bins(study: &Study) -> Table {
    let of_model = |(place, of): (usize, &Model)| -> Vec<Vec<Cell>> {
        let bins = of.calibration.iter().flat_map(|calibration| &calibration.bins);
        bins.map(|bin| {
            vec![
                model(study, place),
                figure(percent(bin.confidence)),
                figure(percent(bin.accuracy)),
                figure(thousands(bin.count as u64)),
            ]
        })
        .collect()
    };
    Table {
        caption: "Bins".to_owned(),
        columns: columns(&["model", "mean confidence (%)", "correct (%)", "predictions"]),
        rows: study.models().iter().enumerate().flat_map(of_model).collect(),
    }
}

/// Accuracy on the labels as they are and as people prefer them; none where nobody's preference is known.
pub(crate) fn corrected(study: &Study) -> Option<Table> {
    let corrected = study.analysis.hard_images.as_ref()?.corrected.as_ref()?;
    let rows = study.models().iter().zip(corrected).enumerate().map(|(place, (of, corrected))| {
        vec![model(study, place), figure(shown(of.accuracy, percent)), figure(shown(*corrected, percent))]
    });
    Some(Table {
        caption: "Accuracy in per cent on the labels as they are, and with the ten labels replaced for which people prefer another"
            .to_owned(),
        columns: columns(&["model", "original labels", "corrected labels"]),
        rows: rows.collect(),
    })
}
