//! Answers of many runs, held against each other and against the labels.

use crate::{
    Source,
    error::{Error, quoted},
    names::{Said, numbered, said},
    read,
    table::{Column, Scores, Table, row_in_words},
};
use base16ct::lower::encode_string as hexadecimal;
use records::{
    imported::{IMPORTED_SCHEMA, ImportedRun, TestSet},
    record::{Fold, TestRecord},
};
use sha2::{Digest, Sha256};
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// The most classes.
const MOST_CLASSES: usize = 256;

/// Rows of probabilities may miss one by so much: sixteen-bit floats, and tables of three decimals.
const SUM_TOLERANCE: f64 = 0.02;

/// Rows that miss one by more are told, though they are taken.
const ROUNDING: f64 = 1e-3;

/// Test images that are at hand, with their labels.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct KnownImages<'a> {
    /// The data set's name.
    pub name: &'a str,
    /// SHA-256 of the data set, as records have it.
    pub sha256: &'a str,
    /// The class of each test image.
    pub labels: &'a [u8],
    /// What the classes are called; empty where that is their number.
    pub class_names: &'a [String],
    /// Number of classes.
    pub classes: usize,
}

/// Runs that can be compared.
#[derive(Debug, Clone, PartialEq)]
pub struct Assembled {
    /// By model and run, in the order of their sources.
    pub runs: Vec<ImportedRun>,
    /// What concerns all of them.
    pub notes: Vec<String>,
}

/// Reads the answers of every source and holds them against each other: labels from a file of labels, else from any file that has some,
/// else those of the known images.
///
/// # Errors
/// When a file cannot be read, or does not fit the others: the first row that is wrong.
pub fn assemble(
    sources: Vec<Source>,
    labels: Option<Table>,
    known: Option<KnownImages>,
) -> Result<Assembled, Error> {
    let mut tables = Vec::new();
    for source in &sources {
        tables.push(read(&source.path)?);
    }
    assemble_tables(sources, tables, labels, known)
}

/// As [`assemble`], of tables that were read.
pub(crate) fn assemble_tables(
    sources: Vec<Source>,
    tables: Vec<Table>,
    labels: Option<Table>,
    known: Option<KnownImages>,
) -> Result<Assembled, Error> {
    let mut notes = Vec::new();
    let mut labels = labels;
    if let Some(table) = &mut labels {
        // A file of nothing but classes holds labels here.
        table.labels = table.labels.take().or_else(|| table.predictions.take());
        if table.labels.is_none() {
            return Err(Error::new(
                &table.file,
                "labels",
                "probabilities",
                "give a file of the true classes",
            ));
        }
    }
    let names = run_names(&sources, &mut notes);
    let classes = Classes::of(&tables, labels.as_ref(), known.as_ref())?;
    check_twice(&sources)?;
    let mut notes_of: Vec<Vec<String>> = vec![Vec::new(); tables.len()];
    let mut runs = Vec::new();
    for ((source, table), notes) in sources.iter().zip(tables).zip(&mut notes_of) {
        notes.extend(source.about.remarks.iter().chain(&table.remarks).cloned());
        runs.push(Answers::of(table, &classes, notes)?);
    }
    let layout = Layout::of(&sources, &names, &runs, labels, known.as_ref(), &classes, &mut notes)?;
    let mut imported = Vec::new();
    for (place, (((source, name), answers), notes)) in
        sources.into_iter().zip(names).zip(runs).zip(notes_of).enumerate()
    {
        imported.push(layout.run(place, source, name, answers, notes, &classes)?);
    }
    Ok(Assembled { runs: imported, notes })
}

/// Refuses two files of one run.
fn check_twice(sources: &[Source]) -> Result<(), Error> {
    let mut known = BTreeMap::new();
    for source in sources {
        if let Some(first) = known.insert((&source.model, &source.run), &source.path) {
            return Err(Error::new(
                &source.path.display().to_string(),
                format!("one file of run {} of {}", source.run.escape_debug(), source.model.escape_debug()),
                format!("{} too", first.display()),
                "name each file once, and each run by a name of its own",
            ));
        }
    }
    Ok(())
}

/// What a run is called, which runs of other models share.
#[derive(Debug, Clone, PartialEq)]
struct RunName {
    name: String,
    said: Said,
}

/// The names by which runs are paired.
fn run_names(sources: &[Source], notes: &mut Vec<String>) -> Vec<RunName> {
    let mut of_model: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
    for (place, source) in sources.iter().enumerate() {
        of_model.entry(&source.model).or_default().push(place);
    }
    let mut names: Vec<RunName> = sources
        .iter()
        .map(|source| RunName {
            name: source.run.clone(),
            said: source.about.seed.map_or_else(|| said(&source.run), Said::Seed),
        })
        .collect();
    let plain =
        |names: &[RunName], places: &[usize]| places.iter().all(|place| names[*place].said == Said::Nothing);
    // One run of each leaves nothing to choose.
    if of_model.values().all(|places| places.len() == 1 && plain(&names, places)) {
        names.iter_mut().for_each(|name| name.name = "1".to_owned());
        return names;
    }
    let mut by_number = false;
    for places in of_model.values() {
        if !plain(&names, places) {
            continue;
        }
        let of_runs: Option<Vec<(&str, u64)>> =
            places.iter().map(|place| numbered(&sources[*place].run)).collect();
        let Some(of_runs) = of_runs else { continue };
        let numbers: BTreeSet<u64> = of_runs.iter().map(|(_, number)| *number).collect();
        if of_runs.iter().any(|(before, _)| *before != of_runs[0].0) || numbers.len() != of_runs.len() {
            continue;
        }
        for (place, (before, number)) in places.iter().zip(&of_runs) {
            by_number |= !before.is_empty();
            names[*place].name = number.to_string();
        }
    }
    if by_number && of_model.len() > 1 {
        notes.push("Runs are paired by the number at the end of their files' names.".to_owned());
    }
    names
}

/// The classes that all files share.
struct Classes {
    count: usize,
    /// Empty where a class is called by its number.
    names: Vec<String>,
    index: HashMap<String, u8>,
}

impl Classes {
    fn new(count: usize, names: Vec<String>) -> Self {
        let index = names.iter().enumerate().map(|(place, name)| (name.clone(), place as u8)).collect();
        Self { count, names, index }
    }

    fn of(tables: &[Table], labels: Option<&Table>, known: Option<&KnownImages>) -> Result<Self, Error> {
        let too_many = |file: &str, found: usize| {
            Error::new(
                file,
                format!("2 to {MOST_CLASSES} classes"),
                found.to_string(),
                "merge or leave out classes",
            )
        };
        if let Some(known) = known {
            return Ok(Self::new(known.classes, known.class_names.to_vec()));
        }
        let with_scores = tables.iter().filter_map(|table| Some((&table.file, table.scores.as_ref()?)));
        let named = with_scores.clone().find(|(_, scores)| scores.names.is_some());
        if let Some((file, scores)) = named.or_else(|| with_scores.clone().next()) {
            let names = scores.names.clone().unwrap_or_default();
            let distinct: BTreeSet<&String> = names.iter().collect();
            if scores.classes > MOST_CLASSES {
                return Err(too_many(file, scores.classes));
            }
            if distinct.len() != names.len() || names.iter().any(|name| name.len() > 200) {
                return Err(Error::new(
                    file,
                    "a short name of its own for each class",
                    crate::listed(&names),
                    "name the columns p_NAME",
                ));
            }
            return Ok(Self::new(scores.classes, names));
        }
        let all = tables.iter().chain(labels);
        let columns = || all.clone().flat_map(|table| table.labels.iter().chain(&table.predictions));
        let file = || all.clone().next().map_or("", |table| &table.file);
        if columns().all(|column| matches!(column, Column::Numbers(_))) {
            let mut occur: BTreeSet<u32> = BTreeSet::new();
            for column in columns() {
                if let Column::Numbers(numbers) = column {
                    occur.extend(numbers);
                }
            }
            let last = occur.last().copied().unwrap_or(0) as usize;
            let counted = occur.contains(&0) || occur.len() < 2;
            return match (last < MOST_CLASSES && counted, occur.len() <= MOST_CLASSES) {
                (true, _) => Ok(Self::new((last + 1).max(2), Vec::new())),
                (false, true) => Ok(Self::new(occur.len(), occur.iter().map(u32::to_string).collect())),
                (false, false) => Err(too_many(file(), occur.len())),
            };
        }
        let stated: Vec<(&String, &str, &Column)> = all
            .clone()
            .flat_map(|table| {
                let labels = table.labels.iter().map(move |column| (&table.file, "labels", column));
                labels.chain(table.predictions.iter().map(move |column| (&table.file, "predictions", column)))
            })
            .collect();
        // Numbers of one file cannot be told from names of another.
        let numbers = stated.iter().find(|(.., column)| matches!(column, Column::Numbers(_)));
        let named = stated.iter().find(|(.., column)| matches!(column, Column::Names(_)));
        if let (Some((first, what, _)), Some((file, other, _))) = (numbers, named) {
            return Err(Error::new(
                file,
                format!("numbers as {other}, as the {what} of {first} are,"),
                "names",
                "give all classes by number, or all by name",
            ));
        }
        let mut occur: BTreeSet<String> = BTreeSet::new();
        for column in columns() {
            match column {
                Column::Numbers(numbers) => occur.extend(numbers.iter().map(u32::to_string)),
                Column::Names(names) => {
                    for name in names {
                        if !occur.contains(name) {
                            occur.insert(name.clone());
                        }
                    }
                }
            }
            if occur.len() > MOST_CLASSES {
                return Err(too_many(file(), occur.len()));
            }
        }
        if occur.len() < 2 {
            return Err(too_many(file(), occur.len()));
        }
        Ok(Self::new(occur.len(), occur.into_iter().collect()))
    }

    /// What is expected of a class, in words.
    fn in_words(&self) -> String {
        match self.names.is_empty() {
            true => format!("a class from 0 to {}", self.count - 1),
            false => format!("a class of {}", crate::listed(&self.names)),
        }
    }

    fn column(&self, column: Column, file: &str, what: &str) -> Result<Vec<u8>, Error> {
        let refused = |row: usize, found: String| {
            Error::new(
                file,
                format!("{} as a {what}", self.in_words()),
                found,
                "make all files use the same classes",
            )
            .at(row_in_words(row))
        };
        match column {
            Column::Numbers(numbers) => {
                // Each number is looked up once.
                let mut known: HashMap<u32, Option<u8>> = HashMap::new();
                let mut of = |number: u32| {
                    *known.entry(number).or_insert_with(|| {
                        let by_name = self.index.get(&number.to_string()).copied();
                        by_name.or_else(|| {
                            u8::try_from(number).ok().filter(|class| {
                                usize::from(*class) < self.count
                                    && self.names.iter().all(|name| name.parse::<u32>().is_err())
                            })
                        })
                    })
                };
                numbers
                    .into_iter()
                    .enumerate()
                    .map(|(row, number)| of(number).ok_or_else(|| refused(row, number.to_string())))
                    .collect()
            }
            Column::Names(names) => names
                .into_iter()
                .enumerate()
                .map(|(row, name)| {
                    let place = self.index.get(&name).copied();
                    place.ok_or_else(|| refused(row, quoted(&name)))
                })
                .collect(),
        }
    }

    /// For each class the place of its column.
    fn places(&self, scores: &Scores, file: &str) -> Result<Option<Vec<usize>>, Error> {
        if scores.classes != self.count {
            return Err(Error::new(
                file,
                format!("values of {} classes, as in the other files or the data,", self.count),
                scores.classes.to_string(),
                "give every model the same classes",
            ));
        }
        let Some(names) = scores.names.as_ref().filter(|names| **names != self.names) else {
            return Ok(None);
        };
        if self.names.is_empty() {
            return Err(Error::new(
                file,
                "classes called by their numbers: p_0, p_1, …",
                crate::listed(names),
                "name the classes alike in all files",
            ));
        }
        let place = |name: &String| {
            names.iter().position(|own| own == name).ok_or_else(|| {
                Error::new(
                    file,
                    format!("a column of {}", quoted(name)),
                    crate::listed(names),
                    "name the classes alike in all files",
                )
            })
        };
        Ok(Some(self.names.iter().map(place).collect::<Result<_, _>>()?))
    }
}

/// A run's rows, by the classes that all files share.
struct Answers {
    file: String,
    ids: Option<Vec<String>>,
    labels: Option<Vec<u8>>,
    predictions: Vec<u8>,
    /// `[row, class]` in steps of 1/65535; empty without.
    probabilities: Vec<u16>,
    /// `-ln(probability)` of each class of each row is not kept: that of the true class is computed from these, `[row, class]`.
    scores: Option<(Vec<f32>, bool)>,
}

impl Answers {
    fn of(table: Table, classes: &Classes, notes: &mut Vec<String>) -> Result<Self, Error> {
        let Table { file, ids, labels, predictions, scores, remarks: _ } = table;
        let labels = labels.map(|labels| classes.column(labels, &file, "label")).transpose()?;
        let stated = predictions.map(|given| classes.column(given, &file, "prediction")).transpose()?;
        let Some(mut scores) = scores else {
            let Some(predictions) = stated else {
                return Err(Error::new(
                    &file,
                    "predictions or probabilities",
                    "labels alone",
                    "give the class, or a probability of each class, that the model gave",
                ));
            };
            return Ok(Self { file, ids, labels, predictions, probabilities: Vec::new(), scores: None });
        };
        if let Some(places) = classes.places(&scores, &file)? {
            let rows = scores.values.chunks_exact(classes.count);
            scores.values = rows.flat_map(|row| places.iter().map(|place| row[*place])).collect();
            notes.push("columns of classes are put into the order of the first file".to_owned());
        }
        if are_percent(&scores) {
            scores.values.iter_mut().for_each(|value| *value /= 100.0);
            notes.push("rows that sum to 100 are taken as per cent and divided by 100".to_owned());
        }
        let logits = are_logits(&scores, &file)?;
        if logits && !scores.stated_logits {
            notes.push(
                "values that are no probabilities are taken as logits: their softmax is used".to_owned(),
            );
        }
        let mut probabilities = Vec::with_capacity(scores.values.len());
        let (mut given, mut uneven) = (Vec::new(), 0);
        for (row, values) in scores.values.chunks_exact(classes.count).enumerate() {
            let best = best_of(values);
            let prediction = match stated.as_ref().map(|stated| stated[row]) {
                None => best,
                Some(stated) if values[usize::from(stated)] >= values[usize::from(best)] => stated,
                Some(stated) => {
                    let name = |class: u8| {
                        classes
                            .names
                            .get(usize::from(class))
                            .map_or_else(|| class.to_string(), |name| quoted(name))
                    };
                    return Err(Error::new(
                        &file,
                        format!("the class of the highest value, {}, as prediction", name(best)),
                        name(stated),
                        "leave out the predictions, or the values",
                    )
                    .at(row_in_words(row)));
                }
            };
            given.push(prediction);
            let sum = if logits {
                softmax_sum(values)
            } else {
                values.iter().map(|value| f64::from(value.max(0.0))).sum()
            };
            uneven += usize::from(!logits && (sum - 1.0).abs() > ROUNDING);
            probabilities.extend(values.iter().map(|value| {
                let share = if logits {
                    f64::from(value - values[usize::from(best)]).exp()
                } else {
                    f64::from(value.max(0.0))
                };
                (share / sum * 65_535.0).round() as u16
            }));
        }
        if uneven > 0 {
            let rows = if uneven == 1 {
                "1 row of probabilities".to_owned()
            } else {
                format!("{uneven} rows of probabilities")
            };
            notes.push(format!("{rows} summed to one but for rounding and divided by the sum"));
        }
        Ok(Self {
            file,
            ids,
            labels,
            predictions: given,
            probabilities,
            scores: Some((scores.values, logits)),
        })
    }

    fn rows(&self) -> usize {
        self.predictions.len()
    }
}

/// The class of the highest value, the first of equals.
fn best_of(values: &[f32]) -> u8 {
    let mut best = 0;
    for (class, value) in values.iter().enumerate() {
        if *value > values[best] {
            best = class;
        }
    }
    best as u8
}

/// `Σ exp(value − highest)`.
fn softmax_sum(values: &[f32]) -> f64 {
    let highest = values[usize::from(best_of(values))];
    values.iter().map(|value| f64::from(value - highest).exp()).sum()
}

/// Whether every row is one of percentages.
fn are_percent(scores: &Scores) -> bool {
    let in_per_cent = |row: &[f32]| {
        let sum: f64 = row.iter().map(|value| f64::from(*value)).sum();
        row.iter().all(|value| *value >= 0.0) && (sum - 100.0).abs() <= 100.0 * SUM_TOLERANCE
    };
    !scores.stated_logits && scores.values.chunks_exact(scores.classes).all(in_per_cent)
}

/// Whether values are logits. Rows of probabilities lie from 0 to 1 and sum to one; values from 0 to 1 that do not are neither.
fn are_logits(scores: &Scores, file: &str) -> Result<bool, Error> {
    if scores.stated_logits || scores.values.iter().any(|value| !(-1e-6..=1.0 + 1e-3).contains(value)) {
        return Ok(true);
    }
    for (row, values) in scores.values.chunks_exact(scores.classes).enumerate() {
        let sum: f64 = values.iter().map(|value| f64::from(*value)).sum();
        if (sum - 1.0).abs() > SUM_TOLERANCE {
            return Err(Error::new(
                file,
                "probabilities that sum to 1",
                format!("a sum of {sum:.4}"),
                "divide each row by its sum, or save what is before the softmax as logits",
            )
            .at(row_in_words(row)));
        }
    }
    Ok(false)
}

/// Which images the rows of each run are of.
struct Layout {
    test_set: TestSet,
    /// The true class of each image.
    labels: Vec<u8>,
    /// For each run the image of each row; none where rows are all images in their order.
    images: Vec<Option<Vec<u32>>>,
    /// For each run its fold.
    folds: Vec<Option<Fold>>,
}

impl Layout {
    fn of(
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
        Ok(Self { test_set, labels, images, folds })
    }

    fn run(
        &self,
        place: usize,
        source: Source,
        name: RunName,
        answers: Answers,
        mut notes: Vec<String>,
        classes: &Classes,
    ) -> Result<ImportedRun, Error> {
        let Answers { file, predictions, probabilities, scores, .. } = answers;
        let count = classes.count;
        let rows = predictions.len();
        let image_of = |row: usize| self.images[place].as_ref().map_or(row, |images| images[row] as usize);
        let label_of = |row: usize| self.labels[image_of(row)];
        let loss = scores.map_or(f64::NAN, |(values, logits)| {
            let mut impossible = 0;
            let total: f64 = values
                .chunks_exact(count)
                .enumerate()
                .map(|(row, values)| {
                    let value = values[usize::from(label_of(row))];
                    if logits {
                        return softmax_sum(values).ln() - f64::from(value - values[usize::from(best_of(values))]);
                    }
                    let sum: f64 = values.iter().map(|value| f64::from(value.max(0.0))).sum();
                    impossible += usize::from(value <= 0.0);
                    -(f64::from(value.max(f32::MIN_POSITIVE)) / sum).ln()
                })
                .sum();
            if impossible > 0 {
                let images = if impossible == 1 { "image has" } else { "images have" };
                notes.push(format!(
                    "{impossible} {images} probability 0 for the true class; its loss is taken as that of the smallest float32, 87.3 nats"
                ));
            }
            total / rows as f64
        });
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
            notes,
        };
        run.id = run.identity();
        run.check().map_err(|found| {
            Error::new(&file, "answers that can be kept as a record", found, "correct the file")
        })?;
        Ok(run)
    }
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

/// The images that are known so far, and their labels.
#[derive(Default)]
struct Images {
    /// Whose are the labels.
    from: Vec<String>,
    /// The file that stated an image's label, by its place in `from`.
    labels: Vec<Option<(u8, usize)>>,
    ids: Vec<String>,
    by_id: HashMap<String, u32>,
    /// Whether there can be no further images: they are those of a data set or of a file of labels.
    closed: bool,
    /// Whether ids are the images' places in a data set.
    numbered: bool,
}

impl Images {
    /// The test images of a data set, in their order.
    fn know(&mut self, known: &KnownImages) {
        self.from.push(format!("the data set {}", known.name));
        self.labels = known.labels.iter().map(|label| Some((*label, 0))).collect();
        (self.closed, self.numbered) = (true, true);
    }

    /// Those of a file of labels.
    fn state(&mut self, file: &str, ids: Option<&[String]>, labels: &[u8]) -> Result<(), Error> {
        if self.closed {
            let places: Vec<u32> = match ids {
                Some(ids) => self.places_of(file, ids, false)?,
                None => (0..labels.len() as u32).collect(),
            };
            self.count(file, labels.len())?;
            return self.hold(file, labels, &places);
        }
        if let Some(ids) = ids {
            self.places_of(file, ids, true)?;
        } else {
            self.labels = vec![None; labels.len()];
        }
        let places: Vec<u32> = (0..labels.len() as u32).collect();
        self.hold(file, labels, &places)?;
        self.closed = true;
        Ok(())
    }

    fn count(&self, file: &str, rows: usize) -> Result<(), Error> {
        if rows == self.labels.len() {
            return Ok(());
        }
        let whose = self.from.first().map_or("the other files", String::as_str);
        Err(Error::new(
            file,
            format!("{} rows, as in {whose},", self.labels.len()),
            rows.to_string(),
            "give an answer to every test image, or ids that say which images were answered",
        ))
    }

    /// The image of each id, new ones added where that may be.
    fn places_of(&mut self, file: &str, ids: &[String], add: bool) -> Result<Vec<u32>, Error> {
        let mut places = Vec::with_capacity(ids.len());
        let mut seen = vec![false; self.labels.len() + ids.len()];
        for (row, id) in ids.iter().enumerate() {
            let known = match self.numbered {
                true => id.parse::<u32>().ok().filter(|place| (*place as usize) < self.labels.len()),
                false => self.by_id.get(id).copied(),
            };
            let place = match known {
                Some(place) => place,
                None if add => {
                    let place = self.labels.len() as u32;
                    self.by_id.insert(id.clone(), place);
                    self.ids.push(id.clone());
                    self.labels.push(None);
                    place
                }
                None => {
                    let expected = match self.numbered {
                        true => format!("the place of a test image as id, 0 to {},", self.labels.len() - 1),
                        false => format!(
                            "an id of {}",
                            self.from.first().map_or("the other files", String::as_str)
                        ),
                    };
                    return Err(Error::new(file, expected, quoted(id), "give every file the same images")
                        .at(row_in_words(row)));
                }
            };
            if std::mem::replace(&mut seen[place as usize], true) {
                return Err(Error::new(
                    file,
                    "each id once",
                    format!("{} again", quoted(id)),
                    "keep one answer to each image",
                )
                .at(row_in_words(row)));
            }
            places.push(place);
        }
        Ok(places)
    }

    /// Holds labels against those that are known, and keeps the others.
    fn hold(&mut self, file: &str, labels: &[u8], places: &[u32]) -> Result<(), Error> {
        let own = self.from.len();
        self.from.push(file.to_owned());
        for (row, (label, place)) in labels.iter().zip(places).enumerate() {
            let there = &mut self.labels[*place as usize];
            match there {
                Some((known, whose)) if known != label => {
                    return Err(Error::new(
                        file,
                        format!("label {known}, as in {},", self.from[*whose]),
                        label.to_string(),
                        "find out which labels are right, and whether the images are in the same order",
                    )
                    .at(row_in_words(row)));
                }
                Some(_) => {}
                None => *there = Some((*label, own)),
            }
        }
        Ok(())
    }

    /// The images of a run's ids.
    fn by_id(&mut self, run: &Answers, ids: &[String], of_fold: bool) -> Result<Vec<u32>, Error> {
        // The first file without labels of its own says which images there are.
        let add = !self.closed && (of_fold || self.labels.is_empty());
        let places = self.places_of(&run.file, ids, add)?;
        if self.from.is_empty() {
            self.from.push(run.file.clone());
        }
        if let Some(labels) = &run.labels {
            self.hold(&run.file, labels, &places)?;
        }
        Ok(places)
    }

    /// The images of rows that stand in the order of all images.
    fn rows(&mut self, run: &Answers, rows: std::ops::Range<usize>, again: bool) -> Result<Vec<u32>, Error> {
        if again {
            return Err(Error::new(
                &run.file,
                "ids, where folds are repeated,",
                "none",
                "give each image an id, so that it is the same image in every repetition",
            ));
        }
        if rows.end > self.labels.len() {
            if self.closed || (rows.start == 0 && !self.labels.is_empty()) {
                self.count(&run.file, rows.end)?;
            }
            self.labels.resize(rows.end, None);
        }
        if self.from.is_empty() {
            self.from.push(run.file.clone());
        }
        let places: Vec<u32> = rows.map(|row| row as u32).collect();
        if let Some(labels) = &run.labels {
            self.hold(&run.file, labels, &places)?;
        }
        Ok(places)
    }

    /// Refuses a run that does not answer every image.
    fn every_image(&self, runs: &[Answers], places: &[Vec<u32>]) -> Result<(), Error> {
        for (run, places) in runs.iter().zip(places) {
            if places.len() == self.labels.len() {
                continue;
            }
            if self.numbered || self.ids.is_empty() {
                self.count(&run.file, places.len())?;
            }
            let answered: BTreeSet<u32> = places.iter().copied().collect();
            let missing = (0..self.labels.len() as u32).find(|image| !answered.contains(image)).unwrap_or(0);
            return Err(Error::new(
                &run.file,
                format!(
                    "an answer to image {}, as in {},",
                    quoted(&self.ids[missing as usize]),
                    self.from[0]
                ),
                format!("none, in {} rows", places.len()),
                "give every file the same images",
            ));
        }
        Ok(())
    }

    /// Every image's label.
    fn all_labels(&self) -> Result<Vec<u8>, Error> {
        let label = |(image, label): (usize, &Option<(u8, usize)>)| match label {
            Some((label, _)) => Ok(*label),
            None => {
                let which = self
                    .ids
                    .get(image)
                    .map_or_else(|| row_in_words(image), |id| format!("image {}", quoted(id)));
                let file = self.from.first().map_or("", String::as_str);
                Err(Error::new(
                    file,
                    "the true class of every image",
                    "none",
                    "give the labels in a file of their own, or as a column or array `label`",
                )
                .at(which))
            }
        };
        self.labels.iter().enumerate().map(label).collect()
    }

    /// SHA-256 over ids, each with its length before it, and labels.
    fn digest(&self, labels: &[u8]) -> String {
        let mut hasher = Sha256::new();
        for id in &self.ids {
            hasher.update((id.len() as u64).to_le_bytes());
            hasher.update(id);
        }
        hasher.update(labels);
        hexadecimal(&hasher.finalize())
    }
}
