//! The report as Markdown.

use std::fmt::Write;

use crate::{
    Reproduction, Study,
    document::Table,
    tables::{self, of_models},
    words::{
        discussion::discussion,
        measures, method, target, text,
        verdicts::{TOLD_AT_THE_HEAD, every_verdict, title, verdicts},
    },
};

/// The whole study as a page of Markdown, its pictures beside it by file name: `report.md`.
pub fn markdown(study: &Study) -> String {
    let analysis = &study.analysis;
    let mut page = format!("# {}\n\n", text::markdown(&title(study)));
    if analysis.models.is_empty() {
        page.push_str("No run has finished.\n");
    }
    for warning in &analysis.warnings.before_verdicts {
        line(&mut page, format_args!("> **Warning.** {}\n", text::markdown(warning)));
    }
    for (sentence, meaning) in verdicts(study) {
        line(&mut page, format_args!("**{}**\n", text::markdown(&sentence)));
        meaning.iter().for_each(|meaning| line(&mut page, format_args!("{}\n", text::markdown(meaning))));
    }
    if let Some(target) = target::in_words(study) {
        line(&mut page, format_args!("Target: {}.\n", text::markdown(&target)));
        list(&mut page, &target::sentences(study));
        page.push('\n');
    }
    if !analysis.models.is_empty() {
        models(&mut page, study);
        if analysis.models.len() > 2 {
            page.push_str("\n## Ranking\n\n");
            table(&mut page, &tables::ranking(study));
            line(&mut page, format_args!("\n{}", tables::GROUPS));
        }
        let fronts = target::fronts(study);
        if !fronts.is_empty() {
            page.push_str("\n## Pareto fronts\n\n");
            list(&mut page, &fronts);
        }
        for picture in crate::pictures(study) {
            line(&mut page, format_args!("\n![{}]({})", picture.words, picture.file));
        }
        if analysis.comparisons.len() > TOLD_AT_THE_HEAD {
            page.push_str("\n## Every pair\n\n");
            list(&mut page, &every_verdict(study));
        }
        page.push_str("\n## Discussion\n");
        for section in discussion(study) {
            line(&mut page, format_args!("\n### {}\n", section.heading));
            list(&mut page, &section.sentences);
        }
        page.push_str("\n## Every run\n\n");
        table(&mut page, &tables::known(study, tables::runs_in_short(study)));
        page.push_str(match study.is_imported() {
            true => "\n`imported/` has every answer, as it was read.\n",
            false => {
                "\nA fingerprint is the beginning of the SHA-256 of the final weights; `summary.json` has it whole. \
                 `epochs.csv` has every epoch, `records/` every prediction.\n"
            }
        });
        how_it_was_made(&mut page, study);
    }
    let notes: Vec<String> =
        analysis.warnings.of_records.iter().chain(analysis.notes.iter()).cloned().collect();
    if !notes.is_empty() {
        page.push_str("\n## Warnings and notes\n\n");
        list(&mut page, &notes);
    }
    page
}

pub(crate) fn line(page: &mut String, arguments: std::fmt::Arguments) {
    page.write_fmt(arguments).expect("a String takes every text");
    page.push('\n');
}

/// Sentences, each as an item.
pub(crate) fn list(page: &mut String, sentences: &[String]) {
    sentences.iter().for_each(|sentence| line(page, format_args!("- {}", text::markdown(sentence))));
}

/// A table without its caption.
pub(crate) fn table(page: &mut String, table: &Table) {
    let row = |cells: Vec<String>| format!("| {} |", cells.join(" | "));
    line(page, format_args!("{}", row(table.columns.iter().map(|name| text::markdown(name)).collect())));
    let sides = (0..table.columns.len()).map(|column| if table.is_numeric(column) { "--:" } else { ":--" });
    line(page, format_args!("|{}|", sides.collect::<Vec<_>>().join("|")));
    for cells in &table.rows {
        line(page, format_args!("{}", row(cells.iter().map(|cell| text::markdown(cell.text())).collect())));
    }
}

fn how_it_was_made(page: &mut String, study: &Study) {
    page.push_str("\n## How it was made\n\n");
    list(page, &method::sentences(study));
    match &study.reproduction {
        Some(Reproduction::Command(command)) => {
            line(page, format_args!("\nTo make it again:\n\n```sh\n{command}\n```\n\n{}", method::SAME_BITS));
        }
        Some(Reproduction::Words(words)) => line(page, format_args!("\n{}", text::markdown(words))),
        None => {}
    }
}

fn models(page: &mut String, study: &Study) {
    use of_models::*;
    let decides = tables::deciding_column(study);
    let shown = [MODEL, RUNS].into_iter().chain(decides.as_deref());
    let shown: Vec<&str> = shown.chain([ACCURACY, LOSS, TRAINING, EPOCH, PARAMETERS]).collect();
    table(page, &tables::known(study, tables::models(study).only(&shown)));
    if study.analysis.repeated() {
        line(page, format_args!("\n{}.", tables::spreads(study)));
    }
    if let Some(sentence) = study.original_sentence() {
        line(page, format_args!("\n{sentence}"));
    }
    if let Some(measures) = tables::measures(study) {
        page.push_str("\n## Measures beside accuracy\n\n");
        table(page, &measures);
        if let Some(sentence) = measures::sentence(study) {
            line(page, format_args!("\n{sentence}"));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture::{Given, comparison, record, records};
    use analysis::verdict::Outcome;
    use records::record::Protocol;

    #[test]
    fn a_comparison_of_two_models() {
        let records = records(&[("cnn", 0.04), ("lstm", 0.12)], 3, 5);
        let comparisons = [comparison("cnn", "lstm", 0.0083)];
        let notes = ["records/x.json: damaged: left aside, trained again".to_owned()];
        let page = markdown(
            &Given {
                records: &records,
                comparisons: &comparisons,
                notes: &notes,
                images: None,
                ..Given::default()
            }
            .study(),
        );
        insta::assert_snapshot!(page, @r"
        # cnn and lstm compared on mnist

        **cnn beats lstm by 0.83 points of test accuracy [0.63, 1.03] at 95 %, 3 paired runs.**

        Trained again with other seeds and tested on other images, cnn would be expected to beat lstm by 0.63 to 1.03 points, at 95 % confidence.

        | model | runs | test accuracy (%) | test loss (nats) | training (s) | per epoch (s) | parameters |
        |:--|--:|--:|--:|--:|--:|--:|
        | cnn | 3 | 98.33 ± 0.25 | 0.0387 ± 0.0021 | 40.4 ± 0.3 | 8.08 ± 0.06 | 4,000 |
        | lstm | 3 | 97.00 ± 0.44 | 0.1187 ± 0.0062 | 39.5 ± 0.8 | 7.90 ± 0.16 | 5,000 |

        Mean ± standard deviation over the runs.

        ![Differences of test accuracy with their intervals](Differences.png)

        ![Training and validation accuracy over the epochs](Accuracy_Comparison.png)

        ![Training and validation loss over the epochs](Loss_Comparison.png)

        ![Seconds of training](Training_Time.png)

        ![Classes taken for others](Confusion_Matrices.png)

        ## Discussion

        ### Accuracy

        - cnn classifies 98.33 % of the test images correctly on average (3 runs), 1.33 points more than lstm, 3.06 times the larger of the two standard deviations over runs (0.44 points).
        - Every run of cnn is more accurate than every run of lstm.
        - lstm classifies 97.00 % of the test images correctly on average (3 runs).
        - The 3 runs of cnn as an ensemble, each image decided by their mean probabilities, classify 100.00 % correctly: 1.67 points more than a single run in the mean.
        - The 3 runs of lstm as an ensemble, each image decided by their mean probabilities, classify 99.90 % correctly: 2.90 points more than a single run in the mean.
        - cnn against lstm: p = 0.002 over 3 paired runs (unadjusted, one comparison); McNemar's exact test on the images of each pair, of these trained models alone, unadjusted: p = 0.030, < 0.001 and = 0.200.
        - cnn also has the lowest test loss: 0.0387 against 0.1187 of lstm.

        ### Learning

        - cnn first reaches a validation accuracy of 97 % in epoch 2, 98 % in epoch 3, but not 99 % in 5 epochs.
        - In epoch 5 cnn is 0.41 points better on validation images (98.71 %) than on training images (98.30 %): training accuracy is an average over the epoch, while the weights still change.
        - Its validation loss is still falling, from 0.0445 to 0.0399 in epoch 5: more epochs may help.
        - lstm does not reach 97 % validation accuracy in 5 epochs.
        - In epoch 5 lstm is 1.16 points better on validation images (96.04 %) than on training images (94.89 %): training accuracy is an average over the epoch, while the weights still change.
        - Its validation loss is still falling, from 0.1334 to 0.1226 in epoch 5: more epochs may help.

        ### Cost

        - cnn has 4,000 parameters and trains in 40.4 s, 8.08 s an epoch.
        - lstm has 5,000 parameters and trains in 39.5 s, 7.90 s an epoch.
        - cnn takes 1.3 times as long to train as lstm [1.2, 1.4] at 95 %, by the times of 3 pairs of runs (p < 0.001, unadjusted, one comparison).
        - The longer training of cnn buys 0.83 points of accuracy over lstm, the fastest.

        ### Errors

        - cnn most often mistakes class 4 for class 9 (3 images a run).
        - lstm most often mistakes class 9 for class 4 (4.7 images a run).
        - Both cnn and lstm miss 0.3 test images, cnn alone 16.3, lstm alone 29.7, means over 3 pairs of runs; independent errors would coincide on 0.5.
        - No test image is missed by every run of every model.

        ### Limitations

        - Differences are taken before rounding and over paired runs alone, so they may not be those of the rounded means.
        - All models share batch size 128 and learning rate 0.001; with settings chosen for each, the order may differ.
        - Times were taken on Example CPU with 2 threads; another machine may rank them differently.

        ## Every run

        | model | seed | tested after epoch | test accuracy (%) | test loss (nats) | training (s) | total (s) | fingerprint |
        |:--|--:|--:|--:|--:|--:|--:|:--|
        | cnn | 1 | 5 of 5 | 98.30 | 0.0408 | 40.2 | 41.7 | 2fb7506e640a02ed |
        | cnn | 2 | 5 of 5 | 98.60 | 0.0367 | 40.7 | 42.2 | 2d4ec220f5ce8bd2 |
        | cnn | 3 | 5 of 5 | 98.10 | 0.0385 | 40.3 | 41.8 | 2ae633d3879314b7 |
        | lstm | 1 | 5 of 5 | 97.20 | 0.1193 | 38.6 | 40.1 | d2c7fa1c878b6c72 |
        | lstm | 2 | 5 of 5 | 96.50 | 0.1245 | 40.2 | 41.7 | d05f6bcf194ff557 |
        | lstm | 3 | 5 of 5 | 97.30 | 0.1122 | 39.7 | 41.2 | cdf6dd81ab147e3c |

        A fingerprint is the beginning of the SHA-256 of the final weights; `summary.json` has it whole. `epochs.csv` has every epoch, `records/` every prediction.

        ## How it was made

        - Protocol sound: a stratified part of the training images, or the one that the data states, is kept for validation, alike in every run; the test images are read once a run, after the last epoch, and nothing is chosen by them. Run by run, the models share the order of the images.
        - Data: mnist, 60,000 training and 1,000 test images of 28 × 28 pixels in 10 classes; SHA-256 5555555555555555555555555555555555555555555555555555555555555555.
        - Recipe: 5 epochs, batch size 128, Adam with learning rate 0.001.
        - cnn: seeds 1, 2 and 3.
        - lstm: seeds 1, 2 and 3.
        - Machine: Example CPU, 2 threads, avx512 kernels, linux, mnist-study 0.1.0.

        ## Warnings and notes

        - records/x.json: damaged: left aside, trained again
        ");
    }

    #[test]
    fn one_model_one_run_one_epoch_under_the_original_protocol() {
        let records = [record("a|b", 7, 1, 0.04, Protocol::Original)];
        let page = markdown(
            &Given { records: &records, comparisons: &[], notes: &[], images: None, ..Given::default() }
                .study(),
        );
        insta::assert_snapshot!(page, @r"
        # a\|b on mnist

        **a\|b reaches 96.10 % test accuracy [94.71, 97.13] at 95 %, 1 run; the interval allows for other test images, not for other seeds.**

        | model | runs | test accuracy (%) | test loss (nats) | training (s) | per epoch (s) | parameters |
        |:--|--:|--:|--:|--:|--:|--:|
        | a\|b | 1 | 96.10 | 0.1180 | 8.06 | 8.06 | 4,000 |

        Original protocol: the validation set is the test set, so validation figures are test figures.

        ![Training and test accuracy over the epochs](Accuracy_Comparison.png)

        ![Training and test loss over the epochs](Loss_Comparison.png)

        ![Seconds of training](Training_Time.png)

        ![Classes taken for others](Confusion_Matrices.png)

        ## Discussion

        ### Accuracy

        - a\|b classifies 96.10 % of the test images correctly in one run.
        - Original protocol: the validation set is the test set, so validation figures are test figures.

        ### Learning

        - a\|b first reaches a test accuracy of 90 % and 95 % in epoch 1, but not 97 % in 1 epoch.
        - In epoch 1 a\|b is 6.56 points better on test images (96.07 %) than on training images (89.51 %): training accuracy is an average over the epoch, while the weights still change.
        - One epoch of a\|b shows no trend.

        ### Cost

        - a\|b has 4,000 parameters and trains in 8.06 s, 8.06 s an epoch.

        ### Errors

        - a\|b most often mistakes class 1 for class 6 (6 images).

        ### The optimism of selecting on test data

        - Reporting the epoch that the test images like best would show 96.10 % for a\|b instead of 96.10 %: 0.00 points too much, over 1 run.

        ### Limitations

        - a\|b was trained once only: how much another seed would change the figures is unknown.
        - Times were taken on Example CPU with 2 threads; another machine will need others.

        ## Every run

        | model | seed | tested after epoch | test accuracy (%) | test loss (nats) | training (s) | total (s) | fingerprint |
        |:--|--:|--:|--:|--:|--:|--:|:--|
        | a\|b | 7 | 1 of 1 | 96.10 | 0.1180 | 8.06 | 9.56 | b3b191e6d6402c9f |

        A fingerprint is the beginning of the SHA-256 of the final weights; `summary.json` has it whole. `epochs.csv` has every epoch, `records/` every prediction.

        ## How it was made

        - Protocol original: all training images are trained on, and the test images serve as validation set after each epoch. Run by run, the models share the order of the images.
        - Data: mnist, 60,000 training and 1,000 test images of 28 × 28 pixels in 10 classes; SHA-256 5555555555555555555555555555555555555555555555555555555555555555.
        - Recipe: 1 epoch, batch size 128, Adam with learning rate 0.001.
        - a\|b: seed 7.
        - Machine: Example CPU, 2 threads, avx512 kernels, linux, mnist-study 0.1.0.
        ");
    }

    #[test]
    fn many_models_are_told_by_the_best() {
        let names = ["a", "b", "c", "d", "e"];
        let models: Vec<(&str, f64)> = names.into_iter().zip([0.01, 0.02, 0.03, 0.04, 0.05]).collect();
        let records = records(&models, 3, 2);
        let mut comparisons = Vec::new();
        for (index, one) in names.into_iter().enumerate() {
            for other in &names[index + 1..] {
                let mut pair = comparison(one, other, 0.01);
                pair.outcome = if *other == "b" { Outcome::CannotTell } else { Outcome::ABetter };
                comparisons.push(pair);
            }
        }
        let given = Given { records: &records, comparisons: &comparisons, ..Given::default() };
        let study = given.study();
        let told = verdicts(&study);
        assert_eq!(told.len(), 1, "{told:?}");
        assert!(told[0].0.starts_with("a has the highest mean test accuracy, "), "{told:?}");
        let rest = " It beats c, d and e. It is not told apart from b, or practically equal.";
        assert!(told[0].0.ends_with(rest), "{told:?}");
        let page = markdown(&study);
        let (_, pairs) = page.split_once("## Every pair\n\n").expect("a section");
        assert_eq!(pairs.lines().take_while(|line| line.starts_with("- ")).count(), 10);
        let html = crate::page(&study);
        assert!(html.contains("a − b") && html.contains("d − e") && !html.contains("two-way bootstrap"));
        let few = Given { comparisons: &comparisons[..6], ..given }.study();
        assert_eq!(verdicts(&few).len(), 6);
    }

    #[test]
    fn no_run() {
        let page = markdown(
            &Given { records: &[], comparisons: &[], notes: &[], images: None, ..Given::default() }.study(),
        );
        assert_eq!(page, "# A study without runs\n\nNo run has finished.\n");
    }
}
