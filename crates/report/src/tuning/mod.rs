//! A search for better settings: its picture, its page, its tables.

mod chart;
mod files;
mod words;

pub use chart::search_chart;
pub(crate) use chart::{search, setting};
pub use files::{TUNING_SCHEMA, tuning_json};
pub(crate) use words::{gains, method, shares, title, trials};
pub use words::{settings, tuning_markdown, tuning_terminal};

#[cfg(test)]
mod fixture;

#[cfg(test)]
mod tests {
    use super::{
        fixture::{four_trials, trial, tuning},
        *,
    };
    use records::{question::Measure, trial::Outcome};
    use search::Sampler;

    #[test]
    fn other_validation_images_are_told() {
        let mut found = tuning(Sampler::Tpe, four_trials());
        let told = "- The validation images are the last of each class";
        assert!(!tuning_markdown(&found).contains(told));
        found.question.protocol = records::record::Protocol::Writers;
        assert!(tuning_markdown(&found).contains(told));
    }

    #[test]
    fn the_best_trial_is_told_with_its_settings_and_gain() {
        let found = tuning(Sampler::Tpe, four_trials());
        let told = "dense reaches 98.25 % validation accuracy with learning_rate 0.002, units 32 (trial 2 of 4), \
                    1.25 points more than the baseline.";
        assert_eq!(gains(&found), [told]);
        let terminal = tuning_terminal(&found);
        assert!(terminal.lines().all(|line| line.chars().count() <= 80), "{terminal}");
        assert!(terminal.split_whitespace().collect::<Vec<_>>().join(" ").starts_with(told), "{terminal}");
        let page = tuning_markdown(&found);
        let rows: Vec<&str> = page.lines().filter(|line| line.starts_with("| ")).collect();
        let trials: Vec<&str> =
            rows.into_iter().skip_while(|row| !row.starts_with("| trial |")).skip(1).collect();
        assert_eq!(trials[0], "| – | 97.00 | 0.0300 | 3.50 | finished | baseline |");
        assert_eq!(trials[1], "| 2 | 98.25 | 0.0175 | 3.50 | finished | learning\\_rate 0.002, units 32 |");
        assert_eq!(trials[2], "| 1 | 96.00 | 0.0400 | 3.50 | finished | learning\\_rate 0.01, units 8 |");
        assert_eq!(
            trials[3],
            "| 3 | 80.00 | 0.2000 | 1.50 | stopped after 1 epoch | learning\\_rate 0.0001, units 16 |"
        );
        assert!(
            trials[4].ends_with("| diverged in epoch 1 | learning\\_rate 0.1, units 32 |"),
            "{}",
            trials[4]
        );
        assert!(page.contains("| units | 8, 16, 32 | 32 |"), "{page}");
        assert!(page.contains("| learning\\_rate | 0.0001 to 0.1, by the logarithm | 0.002 |"), "{page}");
        assert!(page.contains("The test images were not read."), "{page}");
        assert!(page.contains("trial 1 of dense is trials/dense-0000.json."), "{page}");
        assert!(found.best_study().contains("\n# dense: trial 2 of 4, trials/dense-0001.json.\n"));
    }

    #[test]
    fn a_search_that_finds_nothing_says_so() {
        let worse = vec![trial(Some(0), 0.01, 8, Outcome::Finished, &[91.0, 95.0, 96.0])];
        assert_eq!(
            gains(&tuning(Sampler::Random, worse)),
            ["dense stays at its baseline, 97.00 % validation accuracy: none of 1 trial is better."]
        );
        let equal = vec![trial(Some(0), 0.01, 8, Outcome::Finished, &[91.0, 95.0, 97.0])];
        let told = &gains(&tuning(Sampler::Random, equal))[0];
        assert!(told.contains("none of 1 trial is better"), "the same accuracy and loss: {told}");
    }

    /// What it reached before it fell apart is not what it came to.
    #[test]
    fn a_model_that_diverges_has_no_accuracy() {
        let standing = trial(None, 0.0, 0, Outcome::Diverged, &[90.0, 97.0]);
        let finished = trial(Some(0), 0.01, 8, Outcome::Finished, &[91.0, 94.0, 95.0]);
        let diverged = trial(Some(0), 0.1, 8, Outcome::Diverged, &[99.0]);
        let told = gains(&fixture::from_standing(Sampler::Tpe, standing.clone(), vec![finished]));
        assert_eq!(
            told,
            ["dense reaches 95.00 % validation accuracy with learning_rate 0.01, units 8 (trial 1 of 1); \
              the baseline diverges."]
        );
        let told = gains(&fixture::from_standing(Sampler::Tpe, standing, vec![diverged]));
        assert_eq!(told, ["dense: none of 1 trial came to an end."]);
    }

    #[test]
    fn another_measure_is_named_where_it_decides() {
        let mut trials = four_trials();
        let mut standing = trial(None, 0.0, 0, Outcome::Finished, &[90.0, 96.0, 97.0]);
        for trial in trials.iter_mut().chain([&mut standing]) {
            for epoch in &mut trial.epochs {
                epoch.validation_measure = Some(epoch.validation_accuracy - 0.3);
            }
        }
        let by = |measure| fixture::by_measure(measure, standing.clone(), trials.clone());
        let found = by(Measure::MacroF1);
        assert_eq!(
            gains(&found),
            [
                "dense reaches 68.25 % validation macro F1 with learning_rate 0.002, units 32 (trial 2 of 4), 1.25 points more than \
              the baseline."
            ]
        );
        let page = tuning_markdown(&found);
        assert!(page.contains("| trial | validation macro F1 (%) | validation accuracy (%) |"), "{page}");
        assert!(page.contains("| 2 | 68.25 | 98.25 | 0.0175 |"), "{page}");
        assert!(page.contains("![Best validation macro F1 over the trials](Search.png)"), "{page}");
        let svg = search_chart(&found).to_svg();
        assert!(svg.contains("validation macro F1 (%)") && !svg.contains("validation accuracy"), "{svg}");

        let found = by(Measure::LogLoss);
        assert_eq!(
            gains(&found),
            [
                "dense reaches 0.0175 nats validation loss with learning_rate 0.002, units 32 (trial 2 of 4), 0.0125 nats less than \
              the baseline."
            ]
        );
        assert_eq!(found.models[0].best_so_far.last(), Some(&Some(1.0 - 98.25 / 100.0)));
        let page = crate::tuning_page(&found);
        assert!(
            page.contains("validation loss (nats)") && page.contains("dense: best 0.0175 nats"),
            "{page}"
        );
        let json: serde_json::Value = serde_json::from_str(&tuning_json(&found)).expect("JSON");
        assert_eq!(json["decided_by"], "log-loss");
    }

    #[test]
    fn where_and_how_the_trials_ran_is_told() {
        let mut trials = four_trials();
        trials[1].warnings = vec!["others used the processors".to_owned()];
        trials[3].warnings = trials[1].warnings.clone();
        let page = tuning_markdown(&tuning(Sampler::Tpe, trials.clone()));
        assert!(
            page.contains("- Machine: Example CPU, 2 threads, avx512 kernels, mnist-study 0.1.0.\n"),
            "{page}"
        );
        assert!(page.contains("- 2 trainings: others used the processors.\n"), "{page}");
        assert!(page.contains("There are no p-values for the shares"), "{page}");
        assert!(!page.contains("more in `tuning.json`"), "{page}");
        let many: Vec<_> =
            (0..25).map(|number| trial(Some(number), 0.01, 8, Outcome::Finished, &[91.0])).collect();
        assert!(
            tuning_markdown(&tuning(Sampler::Random, many)).contains("\n6 trials more in `tuning.json`.\n")
        );
    }

    #[test]
    fn the_figures_for_programs() {
        let found = tuning(Sampler::Random, four_trials());
        let json: serde_json::Value = serde_json::from_str(&tuning_json(&found)).expect("JSON");
        let model = &json["models"][0];
        assert_eq!((&json["test_reads"], &model["best"]), (&0.into(), &1.into()));
        assert_eq!(model["best_settings"], serde_json::json!({ "learning_rate": 0.002, "units": 32 }));
        assert_eq!(model["best_so_far"], serde_json::json!([0.96, 0.9825, 0.9825, 0.9825]));
        // One trial: the mean of all, a diverged one as guessing among ten classes. Four: the best of them.
        let expected = model["expected_best"].as_array().expect("drawn at random");
        let value = |index: usize| expected[index].as_f64().expect("a number");
        assert!((value(0) - (0.96 + 0.9825 + 0.8 + 0.1) / 4.0).abs() < 1e-12, "{expected:?}");
        assert!((value(3) - 0.9825).abs() < 1e-12, "{expected:?}");
        assert_eq!(model["trials"][3]["outcome"], "diverged");
        assert_eq!(model["trials"][3]["validation_accuracy"], serde_json::Value::Null);
        // What trials learn from each other is no expectation over lots.
        let json: serde_json::Value =
            serde_json::from_str(&tuning_json(&tuning(Sampler::Tpe, four_trials()))).expect("JSON");
        assert_eq!(json["models"][0]["expected_best"], serde_json::Value::Null);
    }

    #[test]
    fn the_page_and_the_picture_hold_every_trial() {
        let found = tuning(Sampler::Random, four_trials());
        let page = crate::tuning_page(&found);
        for words in [
            "98.25",
            "diverged in epoch 1",
            "stopped after 1 epoch",
            "trial 4",
            "expected best of so many trials",
        ] {
            assert!(page.contains(words), "{words}");
        }
        assert!(!page.contains("NaN") && !page.contains("inf "), "a coordinate is no number");
        let svg = search_chart(&found).to_svg();
        assert!(svg.contains("baseline") && !svg.contains("NaN"));
        // A search without a trial is drawn too.
        let none = tuning(Sampler::Tpe, Vec::new());
        assert!(crate::tuning_page(&none).contains("none of 0 trials is better"));
        assert!(!search_chart(&none).to_svg().contains("NaN"));
    }
}
