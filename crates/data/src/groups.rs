//! Which images belong together.

use std::collections::HashMap;
use std::fs;
use std::path::Path;

use containers::Contents;
use regex_lite::Regex;

use crate::error::thousands;
use crate::paths::{open_plain, unreadable};
use crate::{Error, Groups, Remark, Split};

/// Longest file of groups, in bytes.
const MAXIMUM_BYTES: u64 = 1 << 28;

/// The groups of all images, numbered in the order in which they first occur.
pub(crate) struct Grouping {
    /// By part: training, validation, test; of an image each.
    parts: [Vec<u32>; 3],
    names: Vec<String>,
    /// What the file of groups has beside groups of images.
    told: Vec<Remark>,
}

impl Grouping {
    /// As the file or the pattern says.
    ///
    /// # Errors
    /// [`Error::Groups`] where an image has none, or the pattern is none, and [`Error::Unreadable`].
    pub(crate) fn of(asked: &Groups, name: &str, contents: &Contents) -> Result<Self, Error> {
        match asked {
            Groups::File(file) => Self::from_file(Path::new(file), contents),
            Groups::Pattern(pattern) => Self::from_pattern(pattern, name, contents),
        }
    }

    fn from_pattern(pattern: &str, name: &str, contents: &Contents) -> Result<Self, Error> {
        let wrong =
            |expected: String, found: String| Error::Groups { name: name.to_owned(), expected, found };
        let expression = Regex::new(pattern)
            .map_err(|error| wrong("a regular expression".to_owned(), format!("{pattern} ({error})")))?;
        Self::by(contents, |file, index| {
            let file = file.ok_or_else(|| {
                let found = format!("image {index} without a name");
                wrong("images in files of their own, or a CSV file of groups,".to_owned(), found)
            })?;
            let found = expression
                .captures(file)
                .ok_or_else(|| wrong(format!("{pattern} in each path"), file.to_owned()))?;
            Ok(found.get(1).or(found.get(0)).map_or("", |group| group.as_str()).to_owned())
        })
    }

    fn from_file(path: &Path, contents: &Contents) -> Result<Self, Error> {
        let wrong = |expected: String, found: String| Error::Groups {
            name: path.display().to_string(),
            expected,
            found,
        };
        let length = open_plain(path)
            .and_then(|file| file.metadata())
            .map_err(|error| unreadable(path, &error))?
            .len();
        if length > MAXIMUM_BYTES {
            return Err(wrong(format!("at most {} bytes", thousands(MAXIMUM_BYTES)), thousands(length)));
        }
        let text = fs::read_to_string(path).map_err(|error| unreadable(path, &error))?;
        // Of each image its group, and whether there is such an image.
        let mut groups: HashMap<&str, (&str, bool)> = HashMap::new();
        let mut images = Vec::new();
        for (line, number) in text.trim_start_matches('\u{feff}').lines().zip(1..) {
            if line.trim().is_empty() {
                continue;
            }
            let Some((image, group)) = line.rsplit_once([',', ';', '\t']) else {
                return Err(wrong(
                    "an image and its group in each line".to_owned(),
                    format!("`{line}` in line {number}"),
                ));
            };
            let unquoted = |text| str::trim(text).trim_matches('"');
            let (image, group) = (unquoted(image), unquoted(group));
            images.push(image);
            if groups.insert(image, (group, false)).is_some_and(|(earlier, _)| earlier != group) {
                return Err(wrong(
                    "one group an image".to_owned(),
                    format!("two of {image}, the second in line {number}"),
                ));
            }
        }
        let mut grouping = Self::by(contents, |file, index| {
            let number = index.to_string();
            let named = file.filter(|file| groups.contains_key(file));
            match groups.get_mut(named.unwrap_or(&number)) {
                Some((group, is_met)) => {
                    *is_met = true;
                    Ok((*group).to_owned())
                }
                None => Err(wrong(
                    "a group for each image, by its path or by its number from 0 over training, validation and test images,".to_owned(),
                    format!("none for image {number}{}", file.map_or(String::new(), |file| format!(" ({file})"))),
                )),
            }
        })?;
        let is_unmet = |image: &&&str| groups.get(**image).is_some_and(|(_, is_met)| !is_met);
        let header = images.first().filter(is_unmet);
        let rows = &images[usize::from(header.is_some())..];
        let unmet: Vec<&&str> = rows.iter().filter(is_unmet).collect();
        let header = header.map(|first| format!("the first line, of {first}, is taken as a header"));
        let unmet = unmet.first().map(|first| {
            let [count, all] = [unmet.len(), rows.len()].map(|count| thousands(count as u64));
            format!("{count} of {all} rows are of no image, {first} for example")
        });
        let told = [header, unmet].into_iter().flatten();
        grouping.told = told.map(|told| Remark::Note(format!("{}: {told}", path.display()))).collect();
        Ok(grouping)
    }

    /// `group_of` is given an image's path, where it has one, and its number over all parts.
    fn by(
        contents: &Contents,
        mut group_of: impl FnMut(Option<&str>, usize) -> Result<String, Error>,
    ) -> Result<Self, Error> {
        let (mut places, mut names) = (HashMap::new(), Vec::new());
        let mut parts = [Vec::new(), Vec::new(), Vec::new()];
        let mut number = 0;
        let all = [Some(&contents.training), contents.validation.as_ref(), contents.test.as_ref()];
        for (part, groups) in all.into_iter().zip(&mut parts) {
            let Some(part) = part else { continue };
            for image in 0..part.images.count {
                let file = part.names.as_ref().map(|names| names[image].as_str());
                let group = group_of(file, number)?;
                number += 1;
                groups.push(*places.entry(group.clone()).or_insert_with(|| {
                    names.push(group);
                    names.len() as u32 - 1
                }));
            }
        }
        Ok(Self { parts, names, told: Vec::new() })
    }

    /// Of each training image.
    pub(crate) fn training(&self) -> &[u32] {
        &self.parts[0]
    }

    /// Of each test image.
    pub(crate) fn test(&self) -> &[u32] {
        &self.parts[2]
    }

    /// Makes the images that a split holds back the test part's.
    pub(crate) fn set_apart(&mut self, split: &Split) {
        let of = |images: &[u32]| images.iter().map(|image| self.parts[0][*image as usize]).collect();
        let (training, test) = (of(&split.training), of(&split.validation));
        (self.parts[0], self.parts[2]) = (training, test);
    }

    /// How many groups there are, and what is wrong with stated parts.
    pub(crate) fn remarks(&self) -> Vec<Remark> {
        let [training, validation, test] = self.parts.each_ref().map(|part| {
            let mut has = vec![false; self.names.len()];
            part.iter().for_each(|group| has[*group as usize] = true);
            has
        });
        let count = |has: &[bool]| has.iter().filter(|has| **has).count();
        let mut remarks = self.told.clone();
        remarks.push(Remark::Note(format!(
            "the images are of {} groups, {} of them in the test part; no split that is drawn divides a group",
            thousands(self.names.len() as u64),
            thousands(count(&test) as u64)
        )));
        for (part, has) in [("validation", validation), ("test", test)] {
            let both: Vec<&String> = (0..self.names.len())
                .filter(|group| has[*group] && training[*group])
                .map(|group| &self.names[group])
                .collect();
            if let Some(example) = both.first() {
                remarks.push(Remark::Warning(format!(
                    "{} groups of the stated {part} part have training images too, {example} for example: its accuracy is overstated",
                    thousands(both.len() as u64)
                )));
            }
        }
        remarks
    }

    /// Of each training image and then each validation image.
    pub(crate) fn into_training(self) -> Vec<u32> {
        let [training, validation, _] = self.parts;
        [training, validation].concat()
    }
}
