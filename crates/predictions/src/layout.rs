//! Which images the rows of each run are of, and the runs that follow.

use crate::{
    KnownImages, Source,
    answers::Answers,
    classes::Classes,
    error::{Error, quoted},
    images::Images,
    names::{RunName, Said},
    table::{Table, row_in_words},
};
use records::{
    imported::{IMPORTED_SCHEMA, ImportedRun, TestSet},
    record::{Fold, TestRecord},
};
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// Which images the rows of each run are of.
pub(crate) struct Layout {
    test_set: TestSet,
    /// The true class of each image.
    labels: Vec<u8>,
    /// For each run the image of each row; none where rows are all images in their order.
    images: Vec<Option<Vec<u32>>>,
    /// For each run its fold.
    folds: Vec<Option<Fold>>,
    /// What each image is called; empty where nothing says it, or too much.
    image_names: Vec<String>,
}

impl Layout {
    pub(crate) fn of(
        sources: &[Source],
        names: &[RunName],
        runs: &[Answers],
        labels: Option<Table>,
        known: Option<&KnownImages>,
        classes: &Classes,
        notes: &mut Vec<String>,
    ) -> Result<Self, Error> {
        let with_ids = runs.iter().find(|run| run.ids.is_some());
        if let (Some(with), Some(without)) = (with_ids, runs.iter().find(|run| run.ids.is_none())) {
            return Err(Error::new(
                &without.file,
                format!("ids, as {} has them,", with.file),
                "none",
                "give ids in every file, or in none",
            ));
        }
        let mut images = Images::default();
        let stated = match labels {
            Some(Table { file, ids, labels: Some(labels), .. }) => {
                Some((file.clone(), ids, classes.column(labels, &file, "label")?))
            }
            _ => None,
        };
        if let Some(known) = known {
            images.know(known);
        }
        if let Some((file, ids, labels)) = &stated {
            images.state(file, ids.as_deref(), labels)?;
        }
        let folds = folds(names, runs, notes);
        let mut places = Vec::new();
        let mut next: BTreeMap<(&str, u64), usize> = BTreeMap::new();
        // In the order of the folds, so that files without ids stand one behind the other.
        let mut order: Vec<usize> = (0..runs.len()).collect();
        if folds.is_some() {
            order.sort_by_key(|place| names[*place].said);
        }
        places.resize(runs.len(), Vec::new());
        for place in order {
            let (run, source) = (&runs[place], &sources[place]);
            places[place] = match (&folds, &run.ids) {
                (Some(folds), None) => {
                    let fold = folds[place];
                    let start = next.entry((&source.model, fold.repeat as u64)).or_default();
                    let rows = *start..*start + run.rows();
                    *start = rows.end;
                    images.rows(run, rows, fold.repeat > 1)?
                }
                (_, Some(ids)) => images.by_id(run, ids, folds.is_some())?,
                (None, None) => images.rows(run, 0..run.rows(), false)?,
            };
        }
        if let Some(folds) = &folds {
            check_apart(sources, runs, folds, &places)?;
            check_held_back(sources, notes)?;
        }
        if folds.is_none() {
            images.every_image(runs, &places)?;
        }
        let labels = images.all_labels()?;
        check_answers(runs, &labels, classes, notes)?;
        let test_set = TestSet {
            name: known.map(|known| known.name.to_owned()),
            sha256: known.map_or_else(|| images.digest(&labels), |known| known.sha256.to_owned()),
            images: labels.len(),
            classes: classes.count,
        };
        let names_of_images = images.ids;
        let all = |of: &Vec<u32>| of.iter().enumerate().all(|(row, image)| row == *image as usize);
        let folds = match folds {
            Some(folds) => folds.into_iter().map(Some).collect(),
            None => vec![None; runs.len()],
        };
        let images = places
            .into_iter()
            .zip(&folds)
            .map(|(of, fold)| (fold.is_some() || !all(&of)).then_some(of))
            .collect();
        Ok(Self { test_set, labels, images, folds, image_names: image_names(names_of_images, notes) })
    }

    pub(crate) fn run(
        &self,
        place: usize,
        source: Source,
        name: RunName,
        answers: Answers,
        mut notes: Vec<String>,
        classes: &Classes,
    ) -> Result<ImportedRun, Error> {
        let (count, rows) = (classes.count, answers.rows());
        let image_of = |row: usize| self.images[place].as_ref().map_or(row, |images| images[row] as usize);
        let label_of = |row: usize| self.labels[image_of(row)];
        let (loss, impossible) = answers.loss(count, label_of);
        if impossible > 0 {
            let images = if impossible == 1 { "image has" } else { "images have" };
            notes.push(format!(
                "{impossible} {images} probability 0 for the true class; its loss is taken as that of the smallest float32, 87.3 nats"
            ));
        }
        let Answers { file, predictions, probabilities, .. } = answers;
        let mut order: Vec<usize> = (0..rows).collect();
        order.sort_by_key(|row| image_of(*row));
        let in_order = order.windows(2).all(|pair| pair[0] < pair[1]);
        if !in_order {
            notes.push("rows are put into the order of the ids of the labels".to_owned());
        }
        let labels: Vec<u8> = order.iter().map(|row| label_of(*row)).collect();
        let predictions: Vec<u8> = order.iter().map(|row| predictions[*row]).collect();
        let probabilities = match (probabilities.is_empty(), in_order) {
            (true, _) | (_, true) => probabilities,
            _ => order.iter().flat_map(|row| &probabilities[row * count..][..count]).copied().collect(),
        };
        let fold = self.folds[place];
        let images = match fold {
            Some(_) => order.iter().map(|row| image_of(*row) as u32).collect(),
            None => Vec::new(),
        };
        let right = labels.iter().zip(&predictions).filter(|(label, given)| label == given).count();
        let about = source.about;
        let mut run = ImportedRun {
            schema: IMPORTED_SCHEMA,
            id: String::new(),
            model: source.model,
            seed: match name.said {
                Said::Seed(seed) => Some(seed),
                Said::Fold(..) | Said::Nothing => None,
            },
            run: name.name,
            fold,
            held_back: about.held_back.filter(|_| fold.is_some()),
            test_set: self.test_set.clone(),
            source: file.clone(),
            parameters: about.parameters,
            multiply_adds: about.multiply_adds,
            train_seconds: about.train_seconds,
            total_seconds: about.total_seconds,
            machine: about.machine,
            epochs: about.epochs,
            test: TestRecord {
                accuracy: right as f64 / rows as f64,
                loss,
                images,
                labels,
                predictions,
                probabilities,
            },
            class_names: classes.names.clone(),
            image_names: self.image_names.clone(),
            notes,
        };
        run.id = run.identity();
        run.check().map_err(|found| {
            Error::new(&file, "answers that can be kept as a record", found, "correct the file")
        })?;
        Ok(run)
    }
}

/// The names of images, which each run's record holds, unless they are very long.
fn image_names(names: Vec<String>, notes: &mut Vec<String>) -> Vec<String> {
    const MOST_BYTES: usize = 16 << 20;
    const LONGEST: usize = 1000;
    let fit = names.iter().map(String::len).sum::<usize>() <= MOST_BYTES
        && names.iter().all(|name| name.len() <= LONGEST);
    if fit {
        return names;
    }
    notes
        .push("The images' ids are too long to be kept: the report names images by their places.".to_owned());
    Vec::new()
}

/// Refuses folds of one repetition that share images.
fn check_apart(
    sources: &[Source],
    runs: &[Answers],
    folds: &[Fold],
    places: &[Vec<u32>],
) -> Result<(), Error> {
    let mut tested: HashMap<(&str, usize, u32), usize> = HashMap::new();
    for (run, ((source, fold), images)) in sources.iter().zip(folds).zip(places).enumerate() {
        for (row, image) in images.iter().enumerate() {
            if let Some(other) = tested.insert((&source.model, fold.repeat, *image), run) {
                let id = runs[run].ids.as_ref().map_or_else(|| image.to_string(), |ids| quoted(&ids[row]));
                return Err(Error::new(
                    &runs[run].file,
                    "images that no other fold of the repetition was tested on",
                    format!("{id}, which {} has too", runs[other].file),
                    "call the files of a repetition repeat-1-fold-1, repeat-2-fold-1, …, or runs that share images seed-0, seed-1, …",
                )
                .at(row_in_words(row)));
            }
        }
    }
    Ok(())
}

/// Refuses runs that state different shares of held-back images, of which one test has to make one assumption; tells what is assumed where
/// none is stated.
fn check_held_back(sources: &[Source], notes: &mut Vec<String>) -> Result<(), Error> {
    let Some((first, others)) = sources.split_first() else { return Ok(()) };
    let shown = |share: Option<f64>| share.map_or_else(|| "none".to_owned(), |share| share.to_string());
    let stated = first.about.held_back;
    if let Some(other) = others.iter().find(|source| source.about.held_back != stated) {
        return Err(Error::new(
            &other.path.display().to_string(),
            format!("held_back as {} states it, {},", first.path.display(), shown(stated)),
            shown(other.about.held_back),
            "state the same fraction for every run, in run.json or for all of them at once",
        ));
    }
    if stated.is_none() {
        notes.push(
            "The corrected resampled t test takes each run to hold back 1/12 of the images of the other folds to validate on, as this \
             program's own runs do; run.json may state another fraction as held_back, 0 where nothing was held back."
                .to_owned(),
        );
    }
    Ok(())
}

/// Tells of answers that no label is; refuses a run of nothing else, whose classes are called otherwise.
fn check_answers(
    runs: &[Answers],
    labels: &[u8],
    classes: &Classes,
    notes: &mut Vec<String>,
) -> Result<(), Error> {
    let occurs: BTreeSet<u8> = labels.iter().copied().collect();
    let name = |class: u8| {
        classes.names.get(usize::from(class)).map_or_else(|| class.to_string(), |name| quoted(name))
    };
    let mut strange: BTreeMap<u8, usize> = BTreeMap::new();
    for run in runs {
        let is_strange = |class: &&u8| !occurs.contains(*class);
        let first = run.predictions.iter().position(|class| !occurs.contains(class));
        let count = run.predictions.iter().filter(is_strange).count();
        let alike = |class: u8| {
            let own = classes.names.get(usize::from(class)).map(|name| name.trim().to_lowercase());
            occurs.iter().any(|label| {
                own.is_some()
                    && classes.names.get(usize::from(*label)).map(|name| name.trim().to_lowercase()) == own
            })
        };
        if let Some(row) = first
            && labels.len() > 1
            && (count == run.rows()
                || run.predictions.iter().any(|class| !occurs.contains(class) && alike(*class)))
        {
            let known: Vec<String> = occurs.iter().map(|class| name(*class)).take(6).collect();
            return Err(Error::new(
                &run.file,
                format!(
                    "a class as the labels have it ({}{})",
                    known.join(", "),
                    if occurs.len() > 6 { ", …" } else { "" }
                ),
                name(run.predictions[row]),
                "call the classes alike in labels and predictions",
            )
            .at(row_in_words(row)));
        }
        for class in run.predictions.iter().filter(is_strange) {
            *strange.entry(*class).or_default() += 1;
        }
    }
    for (class, count) in strange.into_iter().take(6) {
        let answers = if count == 1 { "1 answer is".to_owned() } else { format!("{count} answers are") };
        notes.push(format!("{answers} of class {}, which no label is.", name(class)));
    }
    Ok(())
}

/// Which fold each run was tested on; none where the runs are no folds, or were tested on the same images.
fn folds(names: &[RunName], runs: &[Answers], notes: &mut Vec<String>) -> Option<Vec<Fold>> {
    let of = |name: &RunName| match name.said {
        Said::Fold(repeat, fold) => Some((repeat, fold)),
        Said::Seed(_) | Said::Nothing => None,
    };
    let folds: Vec<(u64, u64)> = names.iter().map(of).collect::<Option<_>>()?;
    let (first, others) = runs.split_first()?;
    if others
        .iter()
        .all(|run| run.ids == first.ids && run.labels == first.labels && run.rows() == first.rows())
    {
        if runs.len() > 1 {
            notes.push(
                "Runs are called folds but were tested on the same images: they are compared as runs on one test set.".to_owned(),
            );
        }
        return None;
    }
    let least = |of: fn(&(u64, u64)) -> u64| folds.iter().map(of).min().unwrap_or(0);
    // Programs count from 0 or from 1.
    let (first_repeat, first_fold) = (least(|pair| pair.0).min(1), least(|pair| pair.1).min(1));
    let count = folds.iter().map(|(_, fold)| fold - first_fold + 1).max()? as usize;
    (count >= 2).then(|| {
        let fold = |&(repeat, fold): &(u64, u64)| Fold {
            repeat: (repeat - first_repeat + 1) as usize,
            fold: (fold - first_fold + 1) as usize,
            folds: count,
        };
        folds.iter().map(fold).collect()
    })
}
