//! Models over several data sets.

use crate::fixture::run;
use analysis::across::across;
use records::{question::Question, record::RunRecord};

fn records(missed: &[(&str, usize)]) -> Vec<RunRecord> {
    missed.iter().map(|(model, missed)| run(model, 1, 1000, 0..*missed)).collect()
}

#[test]
fn models_are_ranked_over_data_sets() {
    let studies = [
        ("one".to_owned(), records(&[("a", 10), ("b", 20), ("c", 30), ("only here", 1)])),
        ("two".to_owned(), records(&[("a", 50), ("b", 40), ("c", 90)])),
        ("three".to_owned(), records(&[("a", 5), ("b", 25), ("c", 25)])),
    ];
    let across = across(&studies, &Question::default()).expect("numbers");
    assert_eq!(across.datasets, ["one", "two", "three"]);
    let ranks: Vec<(&str, f64)> =
        across.models.iter().map(|model| (model.model.as_str(), model.mean_rank)).collect();
    assert_eq!(ranks, [("a", 4.0 / 3.0), ("b", (2.0 + 1.0 + 2.5) / 3.0), ("c", (3.0 + 3.0 + 2.5) / 3.0)]);
    assert_eq!(across.models[0].accuracies, [0.99, 0.95, 0.995]);
    // By hand: rank sums 4, 5.5 and 8.5; (12 · 118.5 / 36 − 36) / (1 − 6 / 72) = 3.818; e^(−3.818 / 2).
    let p = across.friedman_p_value.expect("three models");
    assert!((p - 0.148_2).abs() < 1e-4, "{p}");
    assert_eq!(across.pairs.len(), 3);
    let first = &across.pairs[0];
    assert_eq!((first.a.as_str(), first.b.as_str()), ("a", "b"));
    assert!((first.difference - 0.02 / 3.0).abs() < 1e-12);
    for pair in &across.pairs {
        assert!((pair.a_better + pair.equal + pair.b_better - 1.0).abs() < 1e-12);
    }
    let [_, a_and_c, _] = &across.pairs[..] else { panic!("three pairs") };
    assert!(a_and_c.a_better > 0.9 && a_and_c.b_better < 0.05, "{a_and_c:?}");
}

#[test]
fn one_model_or_none_is_no_comparison() {
    let one = across(
        &[("x".to_owned(), records(&[("a", 1)])), ("y".to_owned(), records(&[("a", 2)]))],
        &Question::default(),
    );
    let one = one.expect("numbers");
    assert_eq!((one.models.len(), one.friedman_p_value, one.pairs.len()), (1, None, 0));
    let none = across(
        &[("x".to_owned(), records(&[("a", 1)])), ("y".to_owned(), records(&[("b", 2)]))],
        &Question::default(),
    );
    let none = none.expect("numbers");
    assert!(none.models.is_empty());
    let left_out: Vec<_> =
        none.left_out.iter().map(|out| (out.model.as_str(), out.datasets.join(", "))).collect();
    assert_eq!(left_out, [("a", "y".to_owned()), ("b", "x".to_owned())]);
}

#[test]
fn the_widest_margin_of_the_data_sets_holds_over_them() {
    let set = |images| ["a", "b"].map(|model| run(model, 1, images, 0..3)).to_vec();
    let margin = |sizes: [usize; 2], question: &Question| {
        let studies = sizes.map(|images| (images.to_string(), set(images)));
        across(&studies, question).expect("numbers").equivalence_margin
    };
    assert_eq!(margin([10_000, 10_000], &Question::default()), 0.0005);
    assert_eq!(margin([10_000, 250], &Question::default()), 0.004, "an image of 250");
    let question = Question { equivalence_margin_points: Some(2.0), ..Question::default() };
    assert_eq!(margin([10_000, 250], &question), 0.02);
}
