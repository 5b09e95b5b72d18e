//! The test images that models get wrong.

use crate::fixture::{model, models, with_predictions};
use analysis::hard_images::{Entry, HardImages};
use records::record::RunRecord;

/// SHA-256 of MNIST as records identify data.
const MNIST: &str = "e9914cff2ade526da2ab1ac60c072f9173cc53e35b9411692de8207cb1b9009d";

#[test]
fn images_are_sorted_by_who_misses_them() {
    let labels = [0, 1, 2, 3, 4];
    // The last image is missed by half the runs of one model: by some, not by most.
    let runs = [
        with_predictions("a", 1, &labels, &[9, 1, 9, 3, 0]),
        with_predictions("a", 2, &labels, &[9, 1, 8, 3, 4]),
        with_predictions("b", 1, &labels, &[8, 9, 2, 3, 4]),
    ];
    let found = HardImages::of(&models(&runs)).expect("the same images");
    let images = |entries: Vec<&Entry>| entries.iter().map(|entry| entry.image).collect::<Vec<_>>();
    assert_eq!(images(found.entries.iter().collect()), [0, 2, 1, 4]);
    assert_eq!(images(found.missed_by_all()), [0]);
    assert_eq!((images(found.missed_only_by(0)), images(found.missed_only_by(1))), (vec![2], vec![1]));
    assert!(found.disputed().is_empty());
    let first = &found.entries[1].guesses[0];
    assert_eq!((first.class, first.missed, first.runs), (8, 2, 2));
    let other = with_predictions("c", 1, &[1, 1, 2, 3, 4], &labels);
    assert_eq!(HardImages::of(&[model([&runs[0], &other])]), None);
}

#[test]
fn an_answer_is_the_commonest_wrong_one() {
    let answers = |given: &[u8]| {
        let runs: Vec<RunRecord> =
            given.iter().map(|class| with_predictions("a", 1, &[2, 0], &[*class, 1])).collect();
        let found = HardImages::of(&[model(&runs)]).expect("images");
        let entry = found.entries.iter().find(|entry| entry.image == 0).expect("a miss");
        (entry.guesses[0].class, entry.guesses[0].missed)
    };
    assert_eq!(answers(&[2, 7, 3]), (3, 2), "not the right answer, though it is the smallest");
    assert_eq!(answers(&[2, 2, 7]), (7, 1), "nor though most runs give it");
    assert_eq!(answers(&[7, 3, 7, 2]), (7, 3));
    let runs = [with_predictions("a", 1, &[2], &[7]), with_predictions("b", 1, &[2], &[2])];
    let found = HardImages::of(&models(&runs)).expect("images");
    assert_eq!(found.entries[0].guesses[1].class, 2, "the label where none is wrong");
}

#[test]
fn disputed_labels_are_replaced_where_people_agree() {
    let (mut labels, mut given) = (vec![1; 3000], vec![1; 3000]);
    (labels[947], given[947]) = (8, 9);
    (labels[2130], given[2130]) = (4, 9);
    (labels[5], given[5]) = (8, 9);
    // Of the images before 3000 five have a preferred label, one of which is the one given.
    let mut run = with_predictions("a", 1, &labels, &given);
    assert_eq!(run.test.accuracy, 2997.0 / 3000.0);
    assert_eq!(HardImages::of(&[model([&run])]).expect("images").corrected, None);
    run.specification.dataset.sha256 = MNIST.to_owned();
    let found = HardImages::of(&[model([&run])]).expect("images");
    assert_eq!(found.disputed().first().map(|entry| entry.disputed), Some(Some(Some(9))));
    let corrected = found.corrected.expect("MNIST")[0].map(|spread| spread.mean);
    assert_eq!(corrected, Some(2994.0 / 3000.0));
}
