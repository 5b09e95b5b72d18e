//! Tables of classes.

use super::{columns, figure, model, models::measures, words};
use crate::{
    Study,
    charts::figures::counted_over,
    document::{Cell, Table},
    words::{
        names::ShortNames,
        numbers::{MISSING, average, percent, shown, thousands},
        text::one_line,
    },
};
use analysis::{confusion::Confusion, measures::ClassMeasures, model::Model};

/// Precision, recall and F1 of each class, where [`measures`] are shown.
pub(crate) fn class_measures(study: &Study) -> Option<Table> {
    measures(study)?;
    let of_model = |(place, of): (usize, &Model)| -> Vec<Vec<Cell>> {
        let classes = of.measures.iter().flat_map(|measures| measures.classes.iter().enumerate());
        let row = |(class, of): (usize, &ClassMeasures)| {
            vec![
                model(study, place),
                words(study.class(class)),
                figure(thousands(of.images)),
                figure(shown(of.precision, percent)),
                figure(shown(of.recall, percent)),
                figure(shown(of.f1, percent)),
            ]
        };
        classes.map(row).collect()
    };
    Some(Table {
        caption: "Each class, in per cent".to_owned(),
        columns: columns(&["model", "class", "test images", "precision", "recall", "F1"]),
        rows: study.models().iter().enumerate().flat_map(of_model).collect(),
    })
}

/// Where the bars of [`recall`] begin: at the hundred's lower part, where the differences are.
pub(crate) fn floor_of_bars(study: &Study) -> f64 {
    let confusions = study.models().iter().filter_map(|model| model.confusion.as_ref());
    let recalls = confusions.flat_map(|of| (0..of.classes).filter_map(|class| of.recall(class)));
    (recalls.fold(1.0, f64::min) * 20.0 - 0.5).floor().max(0.0) / 20.0
}

/// How many images of each class every model recognises; none where no model has been tested.
pub(crate) fn recall(study: &Study) -> Option<Table> {
    let all: Vec<(usize, &Confusion)> = study
        .models()
        .iter()
        .enumerate()
        .filter_map(|(place, model)| Some((place, model.confusion.as_ref()?)))
        .collect();
    let classes = all.iter().map(|(_, confusion)| confusion.classes).max()?;
    let floor = floor_of_bars(study);
    let share = |recall: Option<f64>| recall.map_or(0.0, |recall| (recall - floor) / (1.0 - floor).max(1e-9));
    let mut columns = vec!["class".to_owned()];
    let names = ShortNames::of(study.models()).names;
    columns.extend(all.iter().map(|(place, _)| names[*place].clone()));
    let rows = (0..classes).map(|class| {
        let of_models = all.iter().map(|(place, confusion)| {
            let recall = (class < confusion.classes).then(|| confusion.recall(class)).flatten();
            Cell::Bar(*place, share(recall), recall.map_or(MISSING.to_owned(), percent))
        });
        std::iter::once(words(study.class(class))).chain(of_models).collect()
    });
    let rows = rows.collect();
    let caption = "Images of each class that are recognised, in per cent".to_owned();
    Some(Table { caption, columns, rows })
}

/// A table of more classes is read by nobody.
const MOST_CLASSES: usize = 32;

/// Which classes each model takes for which: a row a true class, a column a class given.
pub(crate) fn confusions(study: &Study) -> Vec<Table> {
    let of_model = |model: &Model| {
        let confusion = model.confusion.as_ref().filter(|confusion| confusion.classes <= MOST_CLASSES)?;
        let classes = || (0..confusion.classes).map(|class| study.class(class));
        let shown = |label, given| match (confusion.at(label, given), label == given) {
            (images, true) => figure(format!("{images:.0}")),
            (images, false) if images > 0.0 => figure(average(images)),
            _ => figure(""),
        };
        let row = |(label, class): (usize, String)| {
            std::iter::once(words(class))
                .chain((0..confusion.classes).map(|given| shown(label, given)))
                .collect()
        };
        Some(Table {
            caption: format!(
                "Confusion of {}: rows are true classes, columns the classes given; test images, {}",
                one_line(model.name),
                counted_over(study)
            ),
            columns: std::iter::once(String::new()).chain(classes()).collect(),
            rows: classes().enumerate().map(row).collect(),
        })
    };
    study.models().iter().filter_map(of_model).collect()
}
