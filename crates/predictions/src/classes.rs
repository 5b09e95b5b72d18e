//! The classes that all files share, and what each file calls them.

use crate::{
    KnownImages,
    error::{Error, quoted},
    table::{Column, Scores, Table, row_in_words},
};
use std::collections::{BTreeSet, HashMap};

/// The most classes.
const MOST_CLASSES: usize = 256;

/// The classes that all files share.
pub(crate) struct Classes {
    pub(crate) count: usize,
    /// Empty where a class is called by its number.
    pub(crate) names: Vec<String>,
    index: HashMap<String, u8>,
}

impl Classes {
    fn new(count: usize, names: Vec<String>) -> Self {
        let index = names.iter().enumerate().map(|(place, name)| (name.clone(), place as u8)).collect();
        Self { count, names, index }
    }

    pub(crate) fn of(
        tables: &[Table],
        labels: Option<&Table>,
        known: Option<&KnownImages>,
    ) -> Result<Self, Error> {
        let too_many = |file: &str, found: usize| {
            Error::new(
                file,
                format!("2 to {MOST_CLASSES} classes"),
                found.to_string(),
                match found {
                    0 | 1 => "give the labels or answers of another class too",
                    _ => "merge classes, or leave some out: a record keeps a class as a byte",
                },
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

    pub(crate) fn column(&self, column: Column, file: &str, what: &str) -> Result<Vec<u8>, Error> {
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
    pub(crate) fn places(&self, scores: &Scores, file: &str) -> Result<Option<Vec<usize>>, Error> {
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
