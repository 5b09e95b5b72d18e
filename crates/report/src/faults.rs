//! Tests of what a reader is told when something is wrong: on every output, and before the verdict.

use records::record::{Protocol, RunRecord};

use crate::{
    Study,
    charts::{canvas::Canvas, chart::Quantity, curves},
    fixture::{Given, accuracy_chart, failed, judged, loss_chart, record, records, with_predictions},
    markdown, page, pictures, summary_json, terminal,
};

/// The terminal's text, Markdown and page, each on one line.
fn outputs(study: &Study) -> [String; 3] {
    [terminal(study), markdown(study), page(study)]
        .map(|text| text.split_whitespace().collect::<Vec<_>>().join(" "))
}

#[test]
fn what_was_found_stands_before_the_verdict() {
    let labels: Vec<u8> = (0..1000).map(|image| (image % 10) as u8).collect();
    let mut records = [
        with_predictions("a", 1, &labels, &[3; 1000]),
        with_predictions("b", 1, &labels, &labels.iter().map(|label| (label + 1) % 10).collect::<Vec<_>>()),
    ];
    records[0].data_warnings = vec!["the labels were shuffled".to_owned()];
    let study = judged(&records, &[]);
    for text in outputs(&study) {
        let verdict = text.find(" beats ").expect("a verdict");
        for words in [
            "the labels were shuffled",
            "No model is better than chance, as far as the test images show: the verdict below compares guesses.",
            "a answers class 3 for every test image",
            "b is not better than chance",
        ] {
            assert!(text.find(words).is_some_and(|at| at < verdict), "{words}: {text}");
        }
    }
    let summary: serde_json::Value = serde_json::from_str(&summary_json(&study)).expect("JSON");
    assert_eq!(summary["warnings"][0].as_str(), Some("the labels were shuffled"));
    assert_eq!(summary["warnings"].as_array().map(Vec::len), Some(4));
}

#[test]
fn a_diverged_run_is_named_counted_and_shown() {
    let mut records = records(&[("good", 0.04), ("bad", 0.12)], 3, 5);
    records.retain(|run| !(run.specification.model == "bad" && run.specification.seed == 2));
    let failed = [failed("bad", 2, 3), failed("lost", 1, 1), failed("lost", 2, 2)];
    let study = judged(&records, &failed);
    for text in outputs(&study) {
        for words in [
            "1 run of bad diverged (seed 2 in epoch 3) and is left out, beside 2 that did not.",
            "All 2 runs of lost diverged (seed 1 in epoch 1, seed 2 in epoch 2): it is left out of every comparison.",
            "; 1 run of bad diverged and is left out, which favours bad",
            "2 (1 diverged)",
            "0 (2 diverged)",
        ] {
            assert!(text.contains(words), "{words}: {text}");
        }
    }
    let [terminal, markdown, page] = outputs(&study);
    assert!(terminal.contains("lost – diverged diverged – 0 (2 diverged)"), "{terminal}");
    assert!(markdown.contains("| lost | 0 (2 diverged) | diverged | diverged | – | – | – |"), "{markdown}");
    assert!(markdown.contains("| bad | 2 | diverged in epoch 3 | – |"), "{markdown}");
    assert!(page.contains("<td>diverged in epoch 3</td>") && page.contains("<td>0 (2 diverged)</td>"));
    assert!(
        loss_chart(&study).expect("epochs").to_svg().contains("Not drawn, because every run diverged: lost.")
    );
    let summary: serde_json::Value = serde_json::from_str(&summary_json(&study)).expect("JSON");
    let first = &summary["failed"][0];
    assert_eq!((first["model"].as_str(), first["seed"].as_u64()), (Some("bad"), Some(2)));
    assert_eq!(
        (first["epoch"].as_u64(), first["problem"].as_str()),
        (Some(3), Some("the loss is infinite or not a number"))
    );
}

#[test]
fn a_study_of_which_every_run_diverged_has_a_report() {
    let failed = [failed("lost", 1, 1)];
    let study = Given { failed: &failed, ..Given::default() }.study();
    for text in outputs(&study) {
        assert!(text.contains("The only run of lost diverged (seed 1 in epoch 1)"), "{text}");
    }
}

#[test]
fn the_weights_that_were_tested_are_named_everywhere() {
    let mut runs = records(&[("kb", 0.04)], 1, 20);
    runs[0].kept_epoch = Some(7);
    let study = Given { records: &runs, ..Given::default() }.study();
    for text in outputs(&study) {
        assert!(text.contains("kb was tested with the weights after epoch 7 of 20."), "{text}");
        assert!(!text.contains("In epoch 20"), "{text}");
    }
    let summary: serde_json::Value = serde_json::from_str(&summary_json(&study)).expect("JSON");
    assert_eq!(summary["models"][0]["runs"][0]["tested_epoch"].as_u64(), Some(7));
}

#[test]
fn a_chart_says_what_a_training_loss_is_measured_against() {
    let mut runs = records(&[("plain", 0.04), ("smoothed", 0.05)], 1, 3);
    let note = "Training loss of smoothed by smoothed labels (label smoothing 0.3);";
    let told = |runs: &[RunRecord]| {
        let study = Given { records: runs, ..Given::default() }.study();
        [
            loss_chart(&study).expect("epochs").to_svg(),
            page(&study),
            accuracy_chart(&study).expect("epochs").to_svg(),
        ]
    };
    let [picture, page, _] = told(&runs);
    assert!(!picture.contains("labels") && !page.contains(note));
    runs[1].specification.recipe.label_smoothing = 0.3;
    let [picture, page, accuracy] = told(&runs);
    assert!(picture.contains("training (some by other labels)") && picture.contains(note), "{picture}");
    assert!(page.contains(note) && !accuracy.contains("other labels"));
    let [picture, ..] = told(&runs[1..]);
    assert!(picture.contains("training (other labels)"), "{picture}");
}

#[test]
fn curves_say_how_many_runs_each_epoch_has() {
    let mut runs = records(&[("a", 0.04)], 3, 9);
    runs[1].epochs.truncate(4);
    let study = Given { records: &runs, ..Given::default() }.study();
    let note = "Runs ended at different epochs: a 3 runs to epoch 4, 2 runs to epoch 9.";
    assert!(loss_chart(&study).expect("epochs").to_svg().contains(note));
    let page = page(&study);
    assert!(page.contains(note) && page.contains("a (3 runs): ") && page.contains("a (2 runs): "), "{page}");
    let chart = curves::chart(&study, Quantity::Accuracy).expect("epochs");
    let runs: Vec<usize> = chart.curves[1].pieces.iter().flatten().map(|value| value.runs).collect();
    assert_eq!(runs, [3, 3, 3, 3, 2, 2, 2, 2, 2]);
}

#[test]
fn times_of_several_machines_are_not_averaged() {
    let mut runs = records(&[("a", 0.04), ("b", 0.05)], 2, 3);
    runs[0].environment.threads = 64;
    let study = Given { records: &runs, ..Given::default() }.study();
    let [terminal, markdown, page] = outputs(&study);
    assert!(terminal.contains(" – 2"), "{terminal}");
    assert!(markdown.contains("| – | – | 2,000 |"), "{markdown}");
    assert!(page.contains("neither averaged nor drawn") && !page.contains("Against training time"));
    assert!(!markdown.contains("training time:"), "{markdown}");
}

/// One test image, two classes; 256 classes; sixty epochs; long names: every output is made, and no figure is missing by a
/// division by nothing.
#[test]
fn studies_at_the_edge_have_a_report() {
    let long = "a-name-of-sixty-letters-which-is-as-long-as-any-that-is-meant";
    let mut one_image = [with_predictions("a", 1, &[1], &[0]), with_predictions("b", 1, &[1], &[1])];
    let mut many_classes: Vec<RunRecord> = Vec::new();
    for run in &mut one_image {
        run.specification.dataset.classes = 2;
        run.test.probabilities = vec![30_000, 35_535];
    }
    for (name, shift) in [("a", 0), (long, 1)] {
        let labels: Vec<u8> = (0..=255).collect();
        let given: Vec<u8> = labels.iter().map(|label| label.wrapping_add(shift)).collect();
        let mut run = with_predictions(name, 1, &labels, &given);
        run.specification.dataset.classes = 256;
        run.test.probabilities.clear();
        many_classes.push(run);
    }
    let many = page(&Given { records: &many_classes, ..Given::default() }.study());
    assert!(many.len() < 1_000_000 && many.contains("The 20 most frequent errors"), "{}", many.len());
    let sixty = records(&[(long, 0.04), ("b", 0.05)], 1, 60);
    for records in [&one_image[..], &many_classes, &sixty, &[record("a", 1, 1, 0.1, Protocol::Original)]] {
        let study = judged(records, &[]);
        for text in outputs(&study) {
            // As words of their own: a glossary speaks of information.
            let words = text.split(|character: char| !character.is_alphanumeric());
            let broken = words.filter(|word| ["NaN", "inf", "Infinity"].contains(word)).count();
            assert!(broken == 0 && !text.contains("not finite"), "{text}");
        }
        for comparison in &study.analysis.comparisons {
            assert!(comparison.interval.iter().all(|end| (-1.0..=1.0).contains(end)), "{comparison:?}");
        }
        for picture in pictures(&study) {
            assert!(picture.scene.to_svg().len() > 1000);
        }
        curves::chart(&study, Quantity::Loss).expect("epochs").scene(Canvas::Narrow);
    }
}
