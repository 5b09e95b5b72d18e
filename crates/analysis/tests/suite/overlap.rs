//! Errors that coincide.

use crate::fixture::{model, run, with_predictions};
use analysis::overlap::{Overlap, overlap, separated};

#[test]
fn errors_are_counted_by_hand() {
    let a = with_predictions("a", 1, &[0, 1, 2, 3], &[9, 9, 2, 3]);
    let b = with_predictions("b", 1, &[0, 1, 2, 3], &[0, 9, 9, 9]);
    let unpaired = with_predictions("b", 2, &[0, 1, 2, 3], &[9, 9, 9, 9]);
    let (one, other) = (model([&a]), model([&b, &unpaired]));
    let (a, b) = ("a".to_owned(), "b".to_owned());
    let expected = Overlap { a, b, pairs: 1, both: 1.0, only_a: 1.0, only_b: 2.0, by_chance: 1.5 };
    assert_eq!(overlap(&one, &other), Some(expected));
    let alone = model([&unpaired]);
    assert_eq!(overlap(&one, &alone), None);
}

#[test]
fn models_are_apart_where_their_runs_do_not_overlap() {
    let runs =
        |name: &str, missed: [usize; 2]| [run(name, 1, 100, 0..missed[0]), run(name, 2, 100, 0..missed[1])];
    let (good, bad) = (runs("good", [1, 5]), runs("bad", [6, 9]));
    assert_eq!(separated(&model(&good), &model(&bad)), Some(true));
    let equal = runs("equal", [5, 9]);
    assert_eq!(
        separated(&model(&good), &model(&equal)),
        Some(false),
        "the worst of one as good as the best of the other"
    );
    assert_eq!(separated(&model(&good), &model(&bad[..1])), None);
}
