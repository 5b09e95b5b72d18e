//! Classes taken for others.

use crate::fixture::with_predictions;
use analysis::{
    Run,
    confusion::{Confusion, most_confused},
};

#[test]
fn images_are_counted_by_class_and_run() {
    let one = with_predictions("a", 1, &[0, 0, 1, 3], &[0, 2, 1, 3]);
    let other = with_predictions("a", 2, &[0, 0, 1, 3], &[0, 0, 1, 1]);
    let confusion = Confusion::of(&[&one, &other].map(Run::from)).expect("images");
    assert_eq!((confusion.at(0, 0), confusion.at(0, 2), confusion.at(3, 1)), (1.5, 0.5, 0.5));
    assert_eq!((confusion.recall(0), confusion.recall(1)), (Some(0.75), Some(1.0)));
    assert_eq!((confusion.recall(2), confusion.largest_error()), (None, 0.5));
}

#[test]
fn confusions_are_counted_over_all_runs() {
    let first = with_predictions("a", 1, &[4, 4, 7, 1], &[9, 9, 1, 1]);
    let second = with_predictions("a", 2, &[4, 4, 7, 1], &[4, 9, 1, 7]);
    assert_eq!(most_confused(&[&first, &second].map(Run::from)), Some((vec![(4, 9)], 3)));
    assert_eq!(most_confused(&[Run::from(&second)]), Some((vec![(1, 7), (4, 9), (7, 1)], 1)));
    let right = with_predictions("a", 1, &[1], &[1]);
    assert_eq!(most_confused(&[Run::from(&right)]), None);
}
