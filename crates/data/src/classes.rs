//! Which classes a folder's labels are.

use std::collections::BTreeSet;

use crate::Error;

/// As many labels are named in a sentence; of more it says how many.
const NAMED: usize = 10;

/// The classes that occur, each called by its label.
pub(crate) struct Classes {
    pub(crate) names: Vec<String>,
    /// What was done, where the labels are not 0, 1, 2 and so on.
    pub(crate) remark: Option<String>,
}

/// Numbers the classes that occur in either set from 0, in the order of their labels, and changes the labels to that.
///
/// # Errors
/// [`Error::OneClass`] where all labels are the same.
pub(crate) fn renumber(name: &str, training: &mut [u8], test: &mut [u8]) -> Result<Classes, Error> {
    let occurring: BTreeSet<u8> = training.iter().chain(test.iter()).copied().collect();
    let occurring: Vec<u8> = occurring.into_iter().collect();
    if let [only] = occurring[..] {
        return Err(Error::OneClass { name: name.to_owned(), class: only.to_string() });
    }
    let mut place = [0; 256];
    for (index, label) in (0..=u8::MAX).zip(&occurring) {
        place[usize::from(*label)] = index;
    }
    for label in training.iter_mut().chain(test) {
        *label = place[usize::from(*label)];
    }
    Ok(Classes { names: occurring.iter().map(u8::to_string).collect(), remark: remark(&occurring) })
}

/// None for 0, 1, 2 and so on.
fn remark(occurring: &[u8]) -> Option<String> {
    let (first, last) = (*occurring.first()?, *occurring.last()?);
    let classes = occurring.len();
    let missing: Vec<u8> = (first..=last).filter(|label| occurring.binary_search(label).is_err()).collect();
    let told = match (first, missing.len()) {
        (0, 0) => return None,
        (_, 0) => format!("labels run from {first} to {last}"),
        (0, 1..=NAMED) => format!("no image has label {}", list(&missing, "or")),
        _ => format!("labels are {}", list(occurring, "and")),
    };
    Some(format!("{told}: {classes} classes, each named by its label"))
}

/// `1, 2 and 3`, or for very many `1, 2 and 30 more`.
pub(crate) fn list<T: ToString>(items: &[T], conjunction: &str) -> String {
    let texts: Vec<String> = items.iter().map(T::to_string).collect();
    match texts.split_last() {
        None => String::new(),
        Some((last, [])) => last.clone(),
        Some((last, rest)) if texts.len() <= NAMED => format!("{} {conjunction} {last}", rest.join(", ")),
        Some(_) => format!("{} and {} more", texts[..NAMED - 1].join(", "), texts.len() - NAMED + 1),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn classes_are_those_that_occur() {
        let said = |labels: &[u8]| {
            let (mut training, mut test) = (labels.to_vec(), labels[..1].to_vec());
            let classes = renumber("toy", &mut training, &mut test).expect("several classes");
            (training, classes.names.join(" "), classes.remark.unwrap_or_default())
        };
        assert_eq!(said(&[2, 0, 1]), (vec![2, 0, 1], "0 1 2".into(), String::new()));
        let letters: Vec<u8> = (1..=26).collect();
        let (labels, names, remark) = said(&letters);
        assert_eq!((labels[0], labels[25], names.ends_with(" 26")), (0, 25, true));
        assert_eq!(remark, "labels run from 1 to 26: 26 classes, each named by its label");
        let fives = [0, 5, 10, 15, 20, 25, 30, 35, 40, 45];
        assert_eq!(
            said(&fives),
            (
                (0..10).collect(),
                "0 5 10 15 20 25 30 35 40 45".into(),
                "labels are 0, 5, 10, 15, 20, 25, 30, 35, 40 and 45: 10 classes, each named by its label"
                    .into()
            )
        );
        assert_eq!(said(&[0, 1, 3, 4]).2, "no image has label 2: 4 classes, each named by its label");
        assert_eq!(said(&[0, 1, 255]).2, "labels are 0, 1 and 255: 3 classes, each named by its label");
        assert_eq!(said(&[7, 8]).2, "labels run from 7 to 8: 2 classes, each named by its label");
    }

    #[test]
    fn a_class_may_occur_in_one_set_alone() {
        let (mut training, mut test) = (vec![9, 9], vec![1]);
        let classes = renumber("toy", &mut training, &mut test).expect("two classes");
        assert_eq!((training, test, classes.names.len()), (vec![1, 1], vec![0], 2));
    }

    #[test]
    fn one_class_is_nothing_to_tell_apart() {
        let error = renumber("toy", &mut [3, 3], &mut [3]).err().expect("an error");
        assert_eq!(error.to_string(), "toy: at least 2 classes expected, all labels are 3");
    }
}
