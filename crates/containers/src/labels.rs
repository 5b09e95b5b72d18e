//! Labels as a container has them, and the classes that they become.

use crate::{Error, MAXIMUM_CLASSES, words::list};
use std::{cmp::Ordering, collections::HashMap};

/// The labels of a part: each class by its name, each image by its class's place among those names.
#[derive(Debug, Default)]
pub(crate) struct Labels {
    names: Vec<String>,
    places: HashMap<String, u16>,
    /// One an image.
    indices: Vec<u16>,
}

impl Labels {
    pub(crate) fn len(&self) -> usize {
        self.indices.len()
    }

    /// Adds the label of the next image.
    pub(crate) fn push(&mut self, name: &str, path: &dyn Fn() -> String) -> Result<(), Error> {
        let place = match self.indices.last() {
            // Often an image is of the class of the one before it.
            Some(last) if self.names[usize::from(*last)] == name => *last,
            _ => match self.places.get(name) {
                Some(place) => *place,
                None if self.names.len() == MAXIMUM_CLASSES => {
                    let found = format!("more, such as {name:?},");
                    return Err(Error::ClassCount { path: path(), found });
                }
                None => {
                    let place = self.names.len() as u16;
                    self.names.push(name.to_owned());
                    self.places.insert(name.to_owned(), place);
                    place
                }
            },
        };
        self.indices.push(place);
        Ok(())
    }
}

/// The classes' names, and the labels of each part.
type Numbered = (Vec<String>, Vec<Option<Vec<u16>>>);

/// The classes of all parts, in their order, and each part's labels as places in it.
pub(crate) fn number(path: &str, parts: &[Option<&Labels>]) -> Result<Numbered, Error> {
    let mut names: Vec<String> =
        parts.iter().flatten().flat_map(|labels| labels.names.iter().cloned()).collect();
    sort_names(&mut names);
    names.dedup();
    match names.len() {
        ..2 => {
            let class = names.pop().unwrap_or_default();
            return Err(Error::OneClass { path: path.to_owned(), class, inside: None });
        }
        2..=MAXIMUM_CLASSES => {}
        found => return Err(Error::ClassCount { path: path.to_owned(), found: found.to_string() }),
    }
    let place: HashMap<&str, u16> = names.iter().map(String::as_str).zip(0..).collect();
    let numbered = parts
        .iter()
        .map(|labels| {
            let labels = (*labels)?;
            let places: Vec<u16> = labels.names.iter().map(|name| place[name.as_str()]).collect();
            Some(labels.indices.iter().map(|index| places[usize::from(*index)]).collect())
        })
        .collect();
    Ok((names, numbered))
}

/// Whole numbers by their value if all are, else by their bytes.
pub(crate) fn sort_names(names: &mut [String]) {
    if names.iter().all(|name| digits(name).is_some()) {
        names.sort_by(|one, other| by_value(one, other).then_with(|| one.cmp(other)));
    } else {
        names.sort();
    }
}

/// Whether a whole number is negative, and its digits without zeros before them.
fn digits(name: &str) -> Option<(bool, &str)> {
    let (negative, digits) = name.strip_prefix('-').map_or((false, name), |digits| (true, digits));
    (!digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit()))
        .then(|| (negative, digits.trim_start_matches('0')))
}

fn by_value(one: &str, other: &str) -> Ordering {
    let (Some((below, one)), Some((negative, other))) = (digits(one), digits(other)) else {
        return one.cmp(other);
    };
    let size = one.len().cmp(&other.len()).then_with(|| one.cmp(other));
    match (below, negative) {
        (false, false) => size,
        (true, true) => size.reverse(),
        (true, false) => Ordering::Less,
        (false, true) => Ordering::Greater,
    }
}

/// Says so where labels are whole numbers, but not 0, 1, 2 and so on.
pub(crate) fn gap_remark(names: &[String]) -> Option<String> {
    let numbers: Vec<i64> = names.iter().map(|name| name.parse().ok()).collect::<Option<_>>()?;
    let (first, last) = (*numbers.first()?, *numbers.last()?);
    let missing = last.checked_sub(first)?.checked_add(1)? - numbers.len() as i64;
    let told = match (first, missing) {
        (0, 0) => return None,
        (_, 0) => format!("labels run from {first} to {last}"),
        (0, 1..=8) => {
            let missing: Vec<String> = (first..=last)
                .filter(|label| numbers.binary_search(label).is_err())
                .map(|label| label.to_string())
                .collect();
            format!("no image has label {}", list(&missing))
        }
        _ => format!("labels are {}", list(names)),
    };
    Some(format!("{told}: {} classes, each named by its label", names.len()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sorted(names: &[&str]) -> Vec<String> {
        let mut names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
        sort_names(&mut names);
        names
    }

    #[test]
    fn numbers_are_sorted_by_value_and_names_by_bytes() {
        assert_eq!(sorted(&["10", "9", "0", "2"]), ["0", "2", "9", "10"]);
        assert_eq!(sorted(&["00010", "00009", "9"]), ["00009", "9", "00010"]);
        assert_eq!(sorted(&["1", "-2", "-10", "0"]), ["-10", "-2", "0", "1"]);
        assert_eq!(sorted(&["b", "10", "a", "9", "B"]), ["10", "9", "B", "a", "b"]);
        let huge = "9".repeat(40);
        assert_eq!(sorted(&[&huge, "5"]), ["5", huge.as_str()]);
    }

    #[test]
    fn gaps_between_numbers_are_said() {
        let said = |names: &[&str]| gap_remark(&sorted(names));
        assert_eq!(said(&["0", "1", "2"]), None);
        assert_eq!(said(&["cat", "dog"]), None);
        assert_eq!(
            said(&["1", "2", "3"]).as_deref(),
            Some("labels run from 1 to 3: 3 classes, each named by its label")
        );
        assert_eq!(
            said(&["0", "3"]).as_deref(),
            Some("no image has label 1 and 2: 2 classes, each named by its label")
        );
        assert_eq!(
            said(&["5", "70"]).as_deref(),
            Some("labels are 5 and 70: 2 classes, each named by its label")
        );
        assert_eq!(said(&[&i64::MIN.to_string(), &i64::MAX.to_string()]), None);
    }
}
