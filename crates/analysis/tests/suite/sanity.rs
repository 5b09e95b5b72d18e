//! What is said before any verdict.

use crate::fixture::{failed, models, run};
use analysis::{Run, sanity::sanity};
use records::record::{FailedRun, RunRecord};
use spec::{ActivationSpec, LayerSpec};

/// A run with weights of its own.
fn own(model: &str, seed: u64, images: usize, missed: impl IntoIterator<Item = usize>) -> RunRecord {
    let mut run = run(model, seed, images, missed);
    run.fingerprint = format!("{model} {seed}");
    run
}

/// A run that answers one class.
fn constant(model: &str, seed: u64, class: u8) -> RunRecord {
    let mut run = own(model, seed, 1000, []);
    run.test.predictions.fill(class);
    run.test.accuracy = 0.1;
    run
}

fn found(records: &[RunRecord], failed: &[FailedRun]) -> String {
    sanity(&Run::all(records), failed, &models(records)).join("\n")
}

#[test]
fn sound_studies_are_passed_in_silence() {
    let records = [own("a", 1, 1000, 0..10), own("a", 2, 1000, 0..12), own("b", 1, 1000, 5..600)];
    assert_eq!(found(&records, &[]), "");
    assert_eq!(found(&[], &[]), "");
}

#[test]
fn warnings_of_the_data_come_first_and_once() {
    let mut records = [own("a", 1, 1000, 0..990), own("b", 1, 1000, 0..10)];
    records.iter_mut().for_each(|run| run.data_warnings = vec!["the images are all alike".into()]);
    assert!(found(&records, &[]).starts_with("the images are all alike\na is not better than chance"));
}

#[test]
fn a_model_at_chance_is_named() {
    // Of 1,000 images 118 are the most whose interval, of 10 % and 13.95 %, still holds a tenth.
    let records = [own("a", 1, 1000, 0..882), own("a", 2, 1000, 0..700), own("b", 1, 1000, 0..10)];
    assert_eq!(
        found(&records, &[]),
        "a is not better than chance in 1 of 2 runs, as far as the test images show: 11.80 % test accuracy, where the most frequent \
         class alone gives 10.00 %."
    );
    let records = [own("a", 1, 1000, 0..870), own("b", 1, 1000, 0..10)];
    assert_eq!(found(&records, &[]), "");
}

/// 91 % where 90 % of the images are of one class.
#[test]
fn the_most_frequent_class_is_the_measure() {
    let mut record = own("a", 1, 1000, []);
    record.test.labels = (0..1000).map(|image| u8::from(image >= 900)).collect();
    record.test.predictions = (0..1000).map(|image| u8::from(image >= 990)).collect();
    record.test.accuracy = 0.91;
    let said = found(&[record], &[]);
    assert!(
        said.contains("91.00 % test accuracy, where the most frequent class alone gives 90.00 %"),
        "{said}"
    );
}

#[test]
fn guesses_are_not_compared_in_silence() {
    let records = [own("a", 1, 1000, 0..900), own("b", 1, 1000, 100..1000), constant("c", 1, 3)];
    let said = found(&records, &[]);
    assert!(said.starts_with(
        "No model is better than chance, as far as the test images show: the verdict below compares guesses."
    ));
    assert!(said.contains("c answers class 3 for every test image: it tells no classes apart."), "{said}");
    assert_eq!(said.lines().count(), 4, "{said}");
}

#[test]
fn one_answer_for_all_is_named_with_its_runs() {
    let records = [constant("a", 1, 3), constant("a", 2, 3), own("a", 3, 1000, 0..10), constant("b", 1, 7)];
    assert_eq!(
        found(&records, &[]),
        "a answers class 3 for every test image in 2 of 3 runs: it tells no classes apart.\n\
         b answers class 7 for every test image: it tells no classes apart."
    );
}

#[test]
fn classes_are_called_by_their_labels() {
    let mut records = [constant("a", 1, 3), own("b", 1, 1000, 0..10), own("b", 2, 60, [])];
    records[2].test.labels.fill(3);
    for run in &mut records {
        run.class_names = (0..10).map(|class| (5 * class).to_string()).collect();
    }
    let said = found(&records, &[]);
    assert!(said.contains("a answers class 15 for every test image: it tells no classes apart."), "{said}");
    assert!(said.contains("The test set has one class only: all 60 labels are 15."), "{said}");
}

#[test]
fn test_images_of_one_class_or_hardly_any_are_named() {
    let mut records = [own("a", 1, 60, []), own("b", 1, 60, 0..3)];
    records.iter_mut().for_each(|run| run.test.labels.fill(3));
    records[0].test.predictions.fill(3);
    assert!(found(&records, &[]).starts_with("The test set has one class only: all 60 labels are 3."));
    let said = found(&[own("a", 1, 1, [])], &[]);
    assert_eq!(said, "The test set has 1 image: too few to tell any but very different models apart.");
}

#[test]
fn runs_that_diverged_are_counted_and_named() {
    let records = [own("a", 1, 1000, 0..10), own("b", 2, 1000, 0..20)];
    let failed = [failed("a", 2, 3), failed("gone", 1, 1), failed("a", 3, 1)];
    assert_eq!(
        found(&records, &failed),
        "2 runs of a diverged (seed 2 in epoch 3, seed 3 in epoch 1) and are left out, beside 1 that did not. The figures of a are those \
         of the runs that went well: they favour it.\n\
         The only run of gone diverged (seed 1 in epoch 1): it is left out of every comparison."
    );
}

#[test]
fn equal_weights_and_equal_answers_are_named() {
    let mut records = [own("a", 1, 1000, 0..10), own("a", 2, 1000, 0..11), own("b", 1, 1000, 0..10)];
    assert_eq!(
        found(&records, &[]),
        "a and b have runs with the same answer to every test image, though not the same weights: these images do not tell them apart."
    );
    records[2].fingerprint = records[0].fingerprint.clone();
    assert_eq!(
        found(&records, &[]),
        "a and b have a run with identical weights: they are one network under several names."
    );
    records[2] = own("b", 1, 1000, 0..30);
    records[1].fingerprint = records[0].fingerprint.clone();
    assert_eq!(
        found(&records, &[]),
        "The runs of a with seeds 1, 2 have identical weights: the seed changed nothing. They are counted as several runs, so intervals \
         over runs are too narrow."
    );
}

#[test]
fn a_thousand_models_do_not_bury_the_verdict() {
    let records: Vec<RunRecord> = (0..1000).map(|index| constant(&format!("m{index}"), index, 3)).collect();
    let said = sanity(&Run::all(&records), &[], &models(&records));
    assert!(said.len() < 15, "{}", said.len());
    assert!(said.contains(&"992 more findings of this kind are not listed.".to_owned()), "{said:?}");
}

#[test]
fn a_last_layer_that_changes_the_scores_is_told() {
    let mut run = own("a", 0, 1000, 0..20);
    run.specification.layers =
        vec![LayerSpec::Flatten, LayerSpec::dense(10), LayerSpec::Activation(ActivationSpec::Relu)];
    let said = found(&[run], &[]);
    assert!(said.starts_with("a: the last layer, `relu`, sets every score below 0 to 0"), "{said}");
    assert!(said.contains("end with `dense classes`"), "{said}");
}
