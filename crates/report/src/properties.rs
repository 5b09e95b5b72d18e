//! What holds for every record, however odd: nothing panics, and each output keeps its form.

use proptest::prelude::*;
use study::record::{EpochRecord, Protocol, RunRecord};
use study::verdict::{Comparison, Coverage, Outcome};

use crate::fixture::{comparison, record};
use crate::{Study, TestImages, epochs_csv, markdown, page, pictures, summary_json, terminal};

fn figure() -> impl Strategy<Value = f64> {
    prop_oneof![
        4 => 0.0..1.0f64,
        1 => any::<f64>(),
        1 => prop::sample::select(vec![f64::NAN, f64::INFINITY, f64::NEG_INFINITY, 0.0, -0.0, f64::MAX, 1e-300]),
    ]
}

prop_compose! {
    fn epoch()(epoch in 0..9usize, figures in prop::array::uniform5(figure())) -> EpochRecord {
        let [train_loss, train_accuracy, validation_loss, validation_accuracy, train_seconds] = figures;
        EpochRecord { epoch, train_loss, train_accuracy, validation_loss, validation_accuracy, train_seconds, test_accuracy: None }
    }
}

prop_compose! {
    fn run()(
        model in prop_oneof!["[a-c]", any::<String>()],
        seed in prop_oneof![0..4u64, any::<u64>()],
        original in any::<bool>(),
        epochs in prop::collection::vec(epoch(), 0..5),
        labels in prop::collection::vec(any::<u8>(), 0..6),
        predictions in prop::collection::vec(any::<u8>(), 0..6),
        figures in prop::array::uniform4(figure()),
        parameters in any::<usize>(),
        warnings in prop::collection::vec(any::<String>(), 0..2),
    ) -> RunRecord {
        let mut run = record(&model, seed, 0, 0.1, if original { Protocol::Original } else { Protocol::Sound });
        let [accuracy, loss, train_seconds, total_seconds] = figures;
        (run.test.accuracy, run.test.loss) = (accuracy, loss);
        (run.test.labels, run.test.predictions) = (labels, predictions);
        RunRecord { epochs, parameters, train_seconds, total_seconds, warnings, ..run }
    }
}

prop_compose! {
    fn compared()(
        a in "[a-c]",
        b in "[a-c]",
        difference in figure(),
        outcome in prop::sample::select(
            vec![Outcome::ABetter, Outcome::BBetter, Outcome::PracticallyEqual, Outcome::CannotTell]
        ),
        images_only in any::<bool>(),
        further_runs in any::<Option<u64>>(),
        verdict in any::<String>(),
    ) -> Comparison {
        let interval_covers = if images_only { Coverage::Images } else { Coverage::RunsAndImages };
        Comparison { difference, outcome, interval_covers, further_runs, verdict, ..comparison(&a, &b, 0.0) }
    }
}

proptest! {
    #[test]
    fn texts_keep_their_form(
        records in prop::collection::vec(run(), 0..6),
        comparisons in prop::collection::vec(compared(), 0..3),
        notes in prop::collection::vec(any::<String>(), 0..2),
    ) {
        let study = Study { records: &records, comparisons: &comparisons, notes: &notes, images: None, ..Study::default() };
        let rows = records.iter().map(|record| record.epochs.len()).sum::<usize>();
        let csv = epochs_csv(&study);
        prop_assert_eq!(csv::Reader::from_reader(csv.as_bytes()).records().filter(Result::is_ok).count(), rows);
        let summary: serde_json::Value = serde_json::from_str(&summary_json(&study)).expect("JSON");
        let runs = summary["models"].as_array().expect("models").iter().map(|model| &model["runs"]);
        let runs: usize = runs.map(|runs| runs.as_array().expect("runs").len()).sum();
        prop_assert_eq!(runs, records.len());
        let text = terminal(&study);
        prop_assert!(text.lines().all(|line| line.chars().count() <= 100), "{}", text);
        let html = page(&study);
        prop_assert!(html.starts_with("<!DOCTYPE html>") && html.ends_with("</html>"), "{}", html);
        prop_assert!(!html.contains("NaN") && !html.contains("<script"), "{}", html);
        let page = markdown(&study);
        prop_assert!(page.starts_with("# ") && page.ends_with('\n') && !page.contains("NaN"), "{}", page);
        let table = page.lines().filter(|line| line.starts_with("| "));
        for row in table {
            let bars = row.replace(r"\\", "").replace(r"\|", "").matches('|').count();
            // The table of models and that of runs, or the ranking.
            prop_assert!(bars == 8 || bars == 5, "{}", row);
        }
    }
}

proptest! {
    // Painting and packing a picture takes a hundred times as long as a text.
    #![proptest_config(ProptestConfig::with_cases(8))]
    #[test]
    fn pictures_are_pictures(records in prop::collection::vec(run(), 0..6)) {
        let pixels = vec![200; 20 * 784];
        let images = Some(TestImages { pixels: &pixels, height: 28, width: 28 });
        let study = Study { records: &records, comparisons: &[], notes: &[], images, ..Study::default() };
        for picture in pictures(&study) {
            let decoded = tiny_skia::Pixmap::decode_png(&picture.scene.to_png()).expect("a PNG");
            prop_assert_eq!((decoded.width(), decoded.height()), (1600, 1000));
            prop_assert!(decoded.pixels().iter().any(|pixel| pixel.red() < 0x40), "no ink");
        }
    }
}
