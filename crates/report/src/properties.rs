//! What holds for every record, however odd: nothing panics, and each output keeps its form.

use analysis::verdict::{Comparison, Coverage, Outcome};
use proptest::prelude::*;
use records::record::{EpochRecord, Protocol, RunRecord};

use crate::{
    TestImages, epochs_csv,
    fixture::{Given, comparison, failed, record},
    markdown, page, pictures, summary_json, terminal,
};

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
        EpochRecord { epoch, train_loss, train_accuracy, validation_loss, validation_accuracy, train_seconds, validation_measure: None, test_accuracy: None }
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
        kept_epoch in any::<Option<usize>>(),
    ) -> RunRecord {
        let mut run = record(&model, seed, 0, 0.1, if original { Protocol::Original } else { Protocol::Sound });
        let [accuracy, loss, train_seconds, total_seconds] = figures;
        (run.test.accuracy, run.test.loss) = (accuracy, loss);
        (run.test.labels, run.test.predictions) = (labels, predictions);
        RunRecord { epochs, kept_epoch, parameters, train_seconds, total_seconds, warnings, ..run }
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
        lost in prop::collection::vec(("[a-d]|[<|*\\[]{3}", any::<u64>(), 0..9usize), 0..4),
    ) {
        let failed: Vec<_> = lost.iter().map(|(model, seed, epoch)| failed(model, *seed, *epoch)).collect();
        let study = Given {
            records: &records, failed: &failed, comparisons: &comparisons, notes: &notes, images: None, ..Given::default()
        }.study();
        let rows = records.iter().map(|record| record.epochs.len()).sum::<usize>();
        let csv = epochs_csv(&study);
        prop_assert_eq!(csv::Reader::from_reader(csv.as_bytes()).records().filter(Result::is_ok).count(), rows);
        let summary: serde_json::Value = serde_json::from_str(&summary_json(&study)).expect("JSON");
        let runs = summary["models"].as_array().expect("models").iter().map(|model| &model["runs"]);
        let runs: usize = runs.map(|runs| runs.as_array().expect("runs").len()).sum();
        prop_assert_eq!(runs, records.len());
        prop_assert_eq!(summary["failed"].as_array().map(Vec::len), Some(failed.len()));
        let text = terminal(&study);
        prop_assert!(text.lines().all(|line| line.chars().count() <= 132), "{}", text);
        let html = page(&study);
        prop_assert!(html.starts_with("<!DOCTYPE html>") && html.ends_with("</html>"), "{}", html);
        prop_assert!(!html.contains("NaN") && html.matches("<script").count() == 1, "{}", html);
        let page = markdown(&study);
        prop_assert!(page.starts_with("# ") && page.ends_with('\n') && !page.contains("NaN"), "{}", page);
        let table = page.lines().filter(|line| line.starts_with("| "));
        for row in table {
            let bars = row.replace(r"\\", "").replace(r"\|", "").matches('|').count();
            // The table of models, that of runs, the ranking, or measures beside accuracy.
            prop_assert!([8, 9, 5, 6].contains(&bars), "{}", row);
        }
    }
}

proptest! {
    // Painting and packing a picture takes a hundred times as long as a text.
    #![proptest_config(ProptestConfig::with_cases(8))]
    #[test]
    fn pictures_are_pictures(records in prop::collection::vec(run(), 0..6)) {
        let pixels = vec![200; 20 * 784];
        let images = Some(TestImages { pixels: &pixels, shape: [28, 28].into(), is_ink: true });
        let study = Given { records: &records, comparisons: &[], notes: &[], images, ..Given::default() }.study();
        for picture in pictures(&study) {
            let decoded = tiny_skia::Pixmap::decode_png(&picture.scene.to_png()).expect("a PNG");
            prop_assert_eq!((decoded.width(), decoded.height()), (1600, 1000));
            prop_assert!(decoded.pixels().iter().any(|pixel| pixel.red() < 0x40), "no ink");
        }
    }
}

/// Studies of a few models whose runs miss some images each, judged as records are.
fn judged(missed: &[Vec<usize>], images: usize) -> Vec<RunRecord> {
    let mut records = Vec::new();
    for (model, runs) in missed.iter().enumerate() {
        for (seed, missed) in runs.iter().enumerate() {
            let mut run = record(&format!("m{model}"), seed as u64, 1, 0.1, Protocol::Sound);
            let labels: Vec<u8> = (0..images).map(|image| (image % 10) as u8).collect();
            let given =
                |(image, label): (usize, &u8)| if image < *missed { (label + 1) % 10 } else { *label };
            run.test.predictions = labels.iter().enumerate().map(given).collect();
            run.test.accuracy = (images - missed) as f64 / images as f64;
            run.test.labels = labels;
            run.test.probabilities.clear();
            records.push(run);
        }
    }
    records
}

/// The numbers that follow `before` in a text, up to the first space.
fn after<'a>(text: &'a str, before: &str) -> Option<&'a str> {
    let at = text.find(before)? + before.len();
    text[at..].split(' ').next()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    /// A difference and an accuracy read alike in the verdict, in prose, in tables, at the terminal, in Markdown and on the page.
    #[test]
    fn figures_agree_wherever_they_stand(
        missed in prop::collection::vec(prop::collection::vec(0..40usize, 2..5), 2..3),
        images in prop::sample::select(vec![400usize, 800, 1600, 4000]),
    ) {
        let runs = missed.iter().map(Vec::len).min().unwrap_or(0);
        let missed: Vec<Vec<usize>> = missed.into_iter().map(|all| all[..runs].to_vec()).collect();
        let records = judged(&missed, images);
        let study = crate::fixture::judged(&records, &[]);
        let [comparison] = &study.analysis.comparisons[..] else { panic!("one pair") };
        // By whole numbers: hundredths of a point, half away from zero.
        let (a, b) = (missed[0].iter().sum::<usize>(), missed[1].iter().sum::<usize>());
        let cells = (runs * images) as u64;
        let exact = |count: u64, decimals: usize| {
            let power = 10u64.pow(2 + decimals as u32);
            let rounded = (2 * count * power + cells) / (2 * cells);
            format!("{}.{:0decimals$}", rounded / 10u64.pow(decimals as u32), rounded % 10u64.pow(decimals as u32))
        };
        let decimals = comparison.decimals();
        let difference = exact(a.abs_diff(b) as u64, decimals);
        let verdict = &comparison.verdict;
        let told = after(verdict, " by ").or_else(|| after(verdict, ": ")).expect("a difference");
        prop_assert_eq!(told.trim_start_matches(['+', '-']), &difference, "{}", verdict);
        let (text, terminal, html) = (markdown(&study), terminal(&study), page(&study));
        let (joined, level) = (terminal.split_whitespace().collect::<Vec<_>>().join(" "), " at 95 %");
        prop_assert!(joined.contains(verdict.as_str()) && text.contains(verdict.as_str()), "{}\n{}", verdict, text);
        prop_assert!(html.contains(verdict.as_str()) && verdict.contains(level), "{}", verdict);
        // The interval of the page is that of the verdict, or its mirror image.
        let [signed, interval] = crate::words::numbers::difference_of(comparison);
        let (told, interval) = (format!("{signed} points over "), format!("{interval}{level}"));
        prop_assert!(html.contains(&told) && html.contains(&interval), "{} {}", told, interval);
        prop_assert_eq!(signed.trim_start_matches(['+', '−']), &difference);
        if !difference.bytes().all(|byte| matches!(byte, b'0' | b'.')) {
            let noun = if difference.trim_end_matches('0') == "1." { "point" } else { "points" };
            let told = format!(", {difference} {noun} more than m");
            prop_assert!(text.contains(&told) && html.contains(&told), "{}\n{}", told, text);
        }
        for (model, missed) in [("m0", a), ("m1", b)] {
            let accuracy = exact(cells - missed as u64, 2);
            let (told, row) = (format!("{model} classifies {accuracy} %"), format!("| {model} | {runs} | {accuracy} ± "));
            prop_assert!(text.contains(&told) && text.contains(&row), "{}\n{}", told, text);
            let (line, cell) = (format!(" {accuracy} ± "), format!("<td>{accuracy} ± "));
            prop_assert!(terminal.contains(&line) && html.contains(&cell), "{}\n{}", line, terminal);
        }
    }
}
