//! Why measures beside accuracy are shown.

use crate::{Study, words::numbers::fixed};
use analysis::{measures::imbalance, tested_labels};

/// How unequal the classes are, where they are so unequal that accuracy hides how the small ones fare.
pub(crate) fn sentence(study: &Study) -> Option<String> {
    let of_models = study.models().iter().map(|model| imbalance(&tested_labels(&model.runs)));
    study.analysis.is_imbalanced().then(|| {
        format!(
            "The largest class has {} times the test images of the smallest: accuracy alone hides how the small classes fare.",
            fixed(of_models.fold(1.0, f64::max), 1)
        )
    })
}

#[cfg(test)]
mod tests {
    use crate::{Study, fixture, markdown, page, summary_json, terminal};
    use records::{question::Measure, record::RunRecord};

    /// Three runs of two models on 900 images of one class and 100 of another: `flat` is the more accurate one and misses four in ten of the small class.
    fn unequal() -> Vec<RunRecord> {
        let labels: Vec<u8> = (0..1000).map(|image| u8::from(image >= 900)).collect();
        let run = |model: &str, seed: u64, missed: [usize; 2]| {
            let wrong = |image: usize| image < missed[0] || (900..900 + missed[1]).contains(&image);
            let given: Vec<u8> =
                labels.iter().zip(0..).map(|(label, image)| label ^ u8::from(wrong(image))).collect();
            let mut run = fixture::with_predictions(model, seed, &labels, &given);
            run.specification.dataset.classes = 2;
            let row = |given: &u8| if *given == 0 { [65_535, 0] } else { [655, 64_880] };
            run.test.probabilities = given.iter().flat_map(row).collect();
            run.test.loss = 0.05 + 0.001 * missed[1] as f64;
            run
        };
        let of_seed = |seed: usize| {
            [run("flat", seed as u64, [1, 40 + seed]), run("fair", seed as u64, [40 - seed, 10])]
        };
        (1..=3).flat_map(of_seed).collect()
    }

    fn everywhere(study: &Study) -> [String; 3] {
        [markdown(study), page(study), terminal(study)]
    }

    /// By the other measure everything is about it: verdict, meaning, order, ranking, plot.
    #[test]
    fn the_measure_that_decides_is_named_wherever_it_decides() {
        let records = unequal();
        let study = fixture::judged_by(&records, &[], Measure::BalancedAccuracy);
        for text in everywhere(&study) {
            let joined = text.split_whitespace().collect::<Vec<_>>().join(" ");
            for words in [
                "fair beats flat by 13.94 points of balanced accuracy [",
                "would be expected to beat flat by ",
                "balanced accuracy",
                "macro F1",
                "The largest class has 9.0 times the test images of the smallest",
            ] {
                assert!(joined.contains(words), "{words}: {joined}");
            }
            assert!(
                !joined.contains("points of test accuracy") && !joined.contains("McNemar's exact test"),
                "{joined}"
            );
        }
        let [markdown, page, terminal] = everywhere(&study);
        // The better one by the measure stands first, though its accuracy is lower.
        for (text, row) in [(&markdown, "\n| "), (&terminal, "\n")] {
            let at = |name: &str| text.find(&format!("{row}{name} ")).expect("a row");
            assert!(at("fair") < at("flat"), "{text}");
        }
        assert!(markdown.contains("| fair | 3 | 92.89 ± 0.06 | 95.20 ± 0.10 |"), "{markdown}");
        assert!(markdown.contains("![Differences of balanced accuracy with their intervals]"), "{markdown}");
        assert!(
            page.contains("points of balanced accuracy; to the right of 0") && page.contains("Each class")
        );
        let summary: serde_json::Value = serde_json::from_str(&summary_json(&study)).expect("JSON");
        assert_eq!(summary["decided_by"], "balanced-accuracy");
        assert_eq!(summary["comparisons"][0]["measure"], "balanced-accuracy");
        let measures = &summary["models"][0]["measures"];
        for estimate in ["balanced_accuracy", "macro_f1", "macro_auc", "kappa"] {
            assert_eq!(measures[estimate]["interval"].as_array().map(Vec::len), Some(2), "{estimate}");
        }
        assert_eq!(measures["classes"][1]["images"], 100);
    }

    #[test]
    fn log_loss_is_told_in_nats() {
        let records = unequal();
        let study = fixture::judged_by(&records, &[], Measure::LogLoss);
        let [markdown, page, terminal] = everywhere(&study);
        for text in [&markdown, &page, &terminal] {
            let joined = text.split_whitespace().collect::<Vec<_>>().join(" ");
            assert!(
                joined.contains("apart: +0.0320 nats of log-loss [")
                    && !joined.contains(" points of log-loss"),
                "{joined}"
            );
        }
        assert!(
            page.contains("the model that has less is better") && page.contains("to the left of 0 the first")
        );
    }

    #[test]
    fn of_equal_classes_accuracy_says_enough() {
        let records = fixture::records(&[("cnn", 0.04), ("lstm", 0.12)], 3, 2);
        for text in everywhere(&fixture::judged(&records, &[])) {
            assert!(
                !text.contains("macro F1 (%)")
                    && !text.contains("Measures beside accuracy")
                    && !text.contains("times the test images"),
                "{text}"
            );
        }
    }
}
