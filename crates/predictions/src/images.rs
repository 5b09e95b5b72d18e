//! The test images that files are about: which there are, what they are called, and their labels.

use crate::{
    KnownImages,
    answers::Answers,
    error::{Error, quoted},
    table::row_in_words,
};
use base16ct::lower::encode_string as hexadecimal;
use sha2::{Digest, Sha256};
use std::collections::{BTreeSet, HashMap};

/// A path, and what is left of it without its first names.
fn ends(path: &str) -> impl Iterator<Item = &str> {
    let behind = path.match_indices('/').map(|(place, _)| &path[place + 1..]);
    std::iter::once(path).chain(behind).filter(|end| !end.is_empty())
}

fn without_ending(path: &str) -> &str {
    match path.rsplit_once('.') {
        Some((before, ending)) if !before.is_empty() && !ending.contains('/') => before,
        _ => path,
    }
}

/// The images that are known so far, and their labels.
#[derive(Default)]
pub(crate) struct Images {
    /// Whose are the labels.
    from: Vec<String>,
    /// The file that stated an image's label, by its place in `from`.
    labels: Vec<Option<(u8, usize)>>,
    pub(crate) ids: Vec<String>,
    by_id: HashMap<String, u32>,
    /// Whether there can be no further images: they are those of a data set or of a file of labels.
    closed: bool,
    /// Whether ids are the images' places in a data set.
    numbered: bool,
    /// The images of a data set by the ends of their files' paths, none where several end so.
    by_file: HashMap<String, Option<u32>>,
}

impl Images {
    /// The test images of a data set, in their order.
    pub(crate) fn know(&mut self, known: &KnownImages) {
        self.from.push(format!("the data set {}", known.name));
        self.labels = known.labels.iter().map(|label| Some((*label, 0))).collect();
        (self.closed, self.numbered) = (true, true);
        if known.files.is_empty() {
            return;
        }
        self.ids = known.files.to_vec();
        for (image, file) in (0..).zip(known.files) {
            let whole = file.replace('\\', "/");
            // `test/cat/7.png`, `cat/7.png`, `7.png`, and each without its ending.
            for end in ends(&whole).chain(ends(without_ending(&whole))) {
                let place = self.by_file.entry(end.to_owned()).or_insert(Some(image));
                if *place != Some(image) {
                    *place = None;
                }
            }
        }
        // A number may be a file's name: then it is no place.
        self.numbered = !self.by_file.keys().any(|end| end.parse::<u32>().is_ok());
    }

    /// The image of a data set whose file an id names: by the end of its path, or by more than the whole of it.
    fn of_file(&self, id: &str) -> Option<u32> {
        let id = id.replace('\\', "/");
        let is_whole = |end: &str, image: u32| {
            let file = self.ids[image as usize].replace('\\', "/");
            end == file || end == without_ending(&file)
        };
        ends(&id).find_map(|end| self.by_file.get(end)?.filter(|image| end == id || is_whole(end, *image)))
    }

    /// Those of a file of labels.
    pub(crate) fn state(&mut self, file: &str, ids: Option<&[String]>, labels: &[u8]) -> Result<(), Error> {
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
            let place = || id.parse::<u32>().ok().filter(|place| (*place as usize) < self.labels.len());
            let known = match (self.by_file.is_empty(), self.numbered) {
                (true, true) => place(),
                (true, false) => self.by_id.get(id).copied(),
                (false, numbered) => self.of_file(id).or_else(|| place().filter(|_| numbered)),
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
                        _ if !self.by_file.is_empty() => {
                            format!("the file of a test image as id, such as {},", quoted(&self.ids[0]))
                        }
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
    pub(crate) fn by_id(&mut self, run: &Answers, ids: &[String], of_fold: bool) -> Result<Vec<u32>, Error> {
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
    pub(crate) fn rows(
        &mut self,
        run: &Answers,
        rows: std::ops::Range<usize>,
        again: bool,
    ) -> Result<Vec<u32>, Error> {
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
    pub(crate) fn every_image(&self, runs: &[Answers], places: &[Vec<u32>]) -> Result<(), Error> {
        for (run, places) in runs.iter().zip(places) {
            if places.len() == self.labels.len() {
                continue;
            }
            if self.ids.is_empty() {
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
    pub(crate) fn all_labels(&self) -> Result<Vec<u8>, Error> {
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
    pub(crate) fn digest(&self, labels: &[u8]) -> String {
        let mut hasher = Sha256::new();
        for id in &self.ids {
            hasher.update((id.len() as u64).to_le_bytes());
            hasher.update(id);
        }
        hasher.update(labels);
        hexadecimal(&hasher.finalize())
    }
}
