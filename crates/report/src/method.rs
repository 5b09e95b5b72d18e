//! How the runs of a study were made, and the command that makes them again.

use study::record::{Protocol, RunRecord};

use crate::markdown::line;
use crate::numbers::{counted, listed, thousands};
use crate::text::{self, shell};
use crate::{Model, Study};

/// The section of the report.
pub(crate) fn how_it_was_made(page: &mut String, study: &Study, models: &[Model]) {
    page.push_str("\n## How it was made\n\n");
    for protocol in study.protocols() {
        line(page, format_args!("- {}", in_words(protocol)));
    }
    for dataset in study.datasets() {
        line(
            page,
            format_args!(
                "- Data: {}, {} training and {} test images of {} × {} pixels in {} classes; SHA-256 {}.",
                text::markdown(&dataset.name),
                thousands(dataset.training_images as u64),
                thousands(dataset.test_images as u64),
                dataset.height,
                dataset.width,
                dataset.classes,
                text::markdown(&dataset.sha256)
            ),
        );
    }
    for (epochs, batch_size, rate) in study.distinct(recipe) {
        let epochs = counted(epochs, "epoch");
        line(
            page,
            format_args!("- Recipe: {epochs}, batch size {batch_size}, Adam with learning rate {rate}."),
        );
    }
    for model in models {
        let seeds: Vec<String> = model.runs.iter().map(|run| run.specification.seed.to_string()).collect();
        let noun = if seeds.len() == 1 { "seed" } else { "seeds" };
        line(page, format_args!("- {}: {noun} {}.", text::markdown(model.name), listed(&seeds)));
    }
    for environment in study.distinct(|run| &run.environment) {
        line(
            page,
            format_args!(
                "- Machine: {}, {}, {} kernels, {}.",
                text::markdown(&environment.cpu),
                counted(environment.threads, "thread"),
                text::markdown(&environment.kernels),
                text::markdown(&format!("mnist-study {}", environment.version))
            ),
        );
    }
    match command(study, models) {
        Some(command) => {
            line(page, format_args!("\nTo make it again:\n\n```sh\n{command}\n```"));
            page.push_str("\nOn the same kernels every fingerprint comes out the same, on any number of threads.\n");
        }
        None => page.push_str(
            "\nThe runs differ in their settings or seeds, so no one command makes them all; each record in `records/` holds its own.\n",
        ),
    }
}

fn recipe(run: &RunRecord) -> (usize, usize, f64) {
    (run.specification.epochs, run.specification.batch_size, run.specification.learning_rate)
}

fn in_words(protocol: Protocol) -> &'static str {
    match protocol {
        Protocol::Sound => {
            "Protocol sound: a stratified part of the training images is kept for validation, alike in every run; the test \
             images are read once a run, after the last epoch, and nothing is chosen by them. Run by run, the models share \
             the order of the images."
        }
        Protocol::Original => {
            "Protocol original: all training images are trained on, and the test images serve as validation set after each \
             epoch. Run by run, the models share the order of the images."
        }
    }
}

/// The command that makes every run again; none where their settings differ or seeds are missing.
fn command(study: &Study, models: &[Model]) -> Option<String> {
    let [(epochs, batch_size, learning_rate)] = study.distinct(recipe)[..] else { return None };
    let ([protocol], [dataset]) = (&study.protocols()[..], &study.datasets()[..]) else { return None };
    let seeds = |model: &Model| model.runs.iter().map(|run| run.specification.seed).collect::<Vec<_>>();
    let shared = seeds(models.first()?);
    let consecutive = shared.windows(2).all(|pair| pair[0].checked_add(1) == Some(pair[1]));
    if !consecutive || models.iter().any(|model| seeds(model) != shared) {
        return None;
    }
    let names: Vec<String> = models.iter().map(|model| shell(model.name)).collect();
    Some(format!(
        "mnist-study compare {} --dataset {} --epochs {epochs} --batch-size {batch_size} \
         --learning-rate {learning_rate} --seeds {} --seed {} --protocol {}",
        names.join(" "),
        shell(&dataset.name),
        shared.len(),
        shared.first()?,
        protocol.name()
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture::{record, records};

    #[test]
    fn a_command_is_given_only_where_it_makes_every_run() {
        let mut records = records(&[("it's", 0.04)], 3, 2);
        let commanded = |records: &[RunRecord]| {
            let study = Study { records, comparisons: &[], notes: &[], images: None };
            command(&study, &study.models())
        };
        assert_eq!(
            commanded(&records).as_deref(),
            Some(
                r"mnist-study compare 'it'\''s' --dataset mnist --epochs 2 --batch-size 128 --learning-rate 0.001 --seeds 3 --seed 1 --protocol sound"
            )
        );
        records[1].specification.seed = 9;
        assert_eq!(commanded(&records), None);
        records.truncate(1);
        records.push(record("lstm", 1, 3, 0.1, Protocol::Sound));
        assert_eq!(commanded(&records), None);
    }
}
