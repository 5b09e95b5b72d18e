//! The command that makes the runs of a study again.

use std::fmt::Display;

use records::{
    imported::ImportedRun,
    question::Question,
    record::{FailedRun, Resample, RunRecord, RunSpec},
    target::Target,
};
use report::Reproduction;
use study::study_file::built_in_model;
use train::{Precision, Recipe};

/// How these runs can be made again: by one command, where there is one.
pub(crate) fn reproduction(
    records: &[RunRecord],
    imported: &[ImportedRun],
    failed: &[FailedRun],
    question: &Question,
) -> Reproduction {
    let runs: Vec<&RunSpec> = records.iter().map(|record| &record.specification).collect();
    let command = failed.is_empty().then(|| command(&runs, question)).flatten();
    let command = command.zip(with(imported)).map(|(command, with)| command + &with);
    command.map_or_else(
        || {
            Reproduction::Words(
                "No one compare command makes these runs; each record in records/ holds its own specification, and \
                 mnist-study verify --all makes them again."
                    .to_owned(),
            )
        },
        Reproduction::Command,
    )
}

/// The one value that all runs share; none where they differ.
fn only<'a, T: PartialEq>(runs: &[&'a RunSpec], read: impl Fn(&'a RunSpec) -> T) -> Option<T> {
    let mut values = runs.iter().map(|run| read(run));
    let first = values.next()?;
    values.all(|value| value == first).then_some(first)
}

/// What all recipes have alike of that which the command line can say.
struct Shared {
    epochs: Option<usize>,
    batch_size: Option<usize>,
    learning_rate: Option<f64>,
    /// None too where it is the usual one, which goes without saying.
    precision: Option<Precision>,
}

impl Shared {
    fn of(runs: &[&RunSpec]) -> Self {
        fn value<T: PartialEq>(runs: &[&RunSpec], read: fn(&Recipe) -> T) -> Option<T> {
            only(runs, |run| read(&run.recipe))
        }
        Self {
            epochs: value(runs, |recipe| recipe.epochs),
            batch_size: value(runs, |recipe| recipe.batch_size),
            learning_rate: value(runs, |recipe| recipe.learning_rate),
            precision: value(runs, |recipe| recipe.precision)
                .filter(|precision| *precision != Precision::default()),
        }
    }

    /// Whether a run is that of a built-in model with these options.
    fn makes(&self, run: &RunSpec) -> bool {
        let Ok(mut model) = built_in_model(&run.model) else { return false };
        let recipe = &mut model.recipe;
        recipe.epochs = self.epochs.unwrap_or(recipe.epochs);
        recipe.batch_size = self.batch_size.unwrap_or(recipe.batch_size);
        recipe.learning_rate = self.learning_rate.unwrap_or(recipe.learning_rate);
        recipe.precision = self.precision.unwrap_or(recipe.precision);
        model.architecture.layers == run.layers && model.recipe == run.recipe
    }

    fn options(&self) -> String {
        let option = |name: &str, value: Option<String>| {
            value.map_or(String::new(), |value| format!(" --{name} {value}"))
        };
        option("epochs", self.epochs.map(|value| value.to_string()))
            + &option("batch-size", self.batch_size.map(|value| value.to_string()))
            + &option("learning-rate", self.learning_rate.map(|value| value.to_string()))
            + &option("precision", self.precision.map(|value| value.to_string()))
    }
}

/// The command that makes every run again; none where their settings differ or seeds are missing.
fn command(runs: &[&RunSpec], question: &Question) -> Option<String> {
    let recipes = Shared::of(runs);
    if !runs.iter().all(|run| recipes.makes(run)) {
        return None;
    }
    let protocol = only(runs, |run| run.protocol)?;
    let dataset = only(runs, |run| &run.dataset)?;
    let audited = only(runs, |run| run.audit_selection)?;
    let resample = only(runs, |run| run.resample)?;
    let mut names: Vec<&str> = Vec::new();
    for run in runs {
        if !names.contains(&run.model.as_str()) {
            names.push(&run.model);
        }
    }
    let seeds = |name: &str| {
        let mut seeds: Vec<u64> = runs.iter().filter(|run| run.model == name).map(|run| run.seed).collect();
        seeds.sort_unstable();
        seeds
    };
    let shared = seeds(names.first()?);
    let consecutive = shared.windows(2).all(|pair| pair[0].checked_add(1) == Some(pair[1]));
    if !consecutive || names.iter().any(|name| seeds(name) != shared) {
        return None;
    }
    let mut asked = question.target.as_ref().map_or_else(String::new, options_of);
    if !question.decide_by.is_default() {
        asked.push_str(&format!(" --decide-by {}", question.decide_by.name()));
    }
    if let Some(points) = question.equivalence_margin_points {
        asked.push_str(&format!(" --equivalence-margin {points}"));
    }
    if resample != Resample::None {
        asked.push_str(&format!(" --resample {}", resample.name()));
    }
    let names: Vec<String> = names.into_iter().map(shell).collect();
    let runs_of_each = match folds(runs, shared.len())? {
        Some((folds, repeats)) => format!("--folds {folds} --repeats {repeats}"),
        None => format!("--seeds {}", shared.len()),
    };
    let audit = if audited { " --audit-selection" } else { "" };
    Some(format!(
        "mnist-study compare {} --dataset {}{} {runs_of_each} --seed {} --protocol {}{audit}{asked}",
        names.join(" "),
        shell_path(&dataset.name),
        recipes.options(),
        shared.first()?,
        protocol.name()
    ))
}

/// The folds and the repeats of a cross-validation that has so many runs of each model; none of a study without folds, and
/// nothing at all where some of a cross-validation's runs are missing.
#[allow(clippy::option_option, reason = "no folds is an answer")]
fn folds(runs: &[&RunSpec], of_each: usize) -> Option<Option<(usize, usize)>> {
    let of = |run: &RunSpec| run.fold.map(|fold| fold.folds);
    let Some(folds) = only(runs, of)? else { return Some(None) };
    let repeats = runs.iter().filter_map(|run| run.fold).map(|fold| fold.repeat).max()?;
    (folds * repeats == of_each).then_some(Some((folds, repeats)))
}

/// The options that read other programs' answers again; none where files have names that the option cannot say.
fn with(imported: &[ImportedRun]) -> Option<String> {
    let mut of_models: Vec<(&str, Vec<&str>)> = Vec::new();
    for run in imported {
        let model = run.model.strip_suffix(" (imported)").unwrap_or(&run.model);
        if model.contains('=') || run.source.contains(',') {
            return None;
        }
        match of_models.iter_mut().find(|(known, _)| *known == model) {
            Some((_, files)) => files.push(&run.source),
            None => of_models.push((model, vec![&run.source])),
        }
    }
    let option = |(model, files): (&str, Vec<&str>)| {
        format!(" --with {}", shell(&format!("{model}={}", files.join(","))))
    };
    Some(of_models.into_iter().map(option).collect())
}

/// A target as the command line has it.
fn options_of(target: &Target) -> String {
    let Target {
        accuracy,
        max_parameters,
        max_multiply_adds,
        max_ram_bytes,
        max_flash_bytes,
        max_epochs,
        max_train_seconds,
    } = target;
    let mut options = format!(" --target {accuracy}");
    let mut add = |name: &str, value: Option<String>| {
        options.extend(value.map(|value| format!(" --{name} {value}")));
    };
    add("max-parameters", max_parameters.map(|most| most.to_string()));
    add("max-multiply-adds", max_multiply_adds.map(|most| most.to_string()));
    add("max-ram", max_ram_bytes.map(|most| most.to_string()));
    add("max-flash", max_flash_bytes.map(|most| most.to_string()));
    add("max-epochs", max_epochs.map(|most| most.to_string()));
    add("max-train-seconds", max_train_seconds.map(|most| most.to_string()));
    options
}

/// A path as an argument of a POSIX shell: one that begins as an option does is named from here.
pub(crate) fn shell_path(path: impl Display) -> String {
    let path = path.to_string();
    shell(&if path.starts_with('-') { format!("./{path}") } else { path })
}

/// An argument of a POSIX shell, on one line.
pub(crate) fn shell(argument: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./=:,+@%".contains(c);
    if !argument.is_empty() && argument.chars().all(plain) {
        return argument.to_owned();
    }
    if argument.contains(char::is_control) {
        return format!("$'{}'", argument.chars().map(in_dollar_quotes).collect::<String>());
    }
    format!("'{}'", argument.replace('\'', r"'\''"))
}

/// A character between `$'` and `'`, which POSIX has since 2024 and bash and zsh had before.
fn in_dollar_quotes(character: char) -> String {
    match character {
        '\\' | '\'' | '\n' | '\r' | '\t' => character.escape_default().to_string(),
        _ if character.is_control() => {
            let mut bytes = [0; 4];
            let bytes = character.encode_utf8(&mut bytes).bytes();
            bytes.map(|byte| format!("\\{byte:03o}")).collect()
        }
        _ => character.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use records::question::Measure;
    use records::record::{DatasetIdentity, Protocol};
    use study::plan::{StudySpec, plan};

    /// The runs of the two models, two epochs each.
    fn runs(seeds: u64) -> Vec<RunSpec> {
        let mut models = ["cnn", "lstm"].map(|name| built_in_model(name).expect("a built-in model"));
        models.iter_mut().for_each(|model| model.recipe.epochs = 2);
        let study = StudySpec {
            models: models.to_vec(),
            protocol: Protocol::Sound,
            audit_selection: false,
            resample: Resample::None,
            cross_validation: None,
            first_seed: 1,
            runs: seeds,
        };
        let dataset = DatasetIdentity {
            name: "my digits".to_owned(),
            sha256: "5".repeat(64),
            training_images: 60_000,
            test_images: 1000,
            height: 28,
            width: 28,
            channels: 1,
            classes: 10,
        };
        plan(&study, &dataset)
    }

    fn commanded(runs: &[RunSpec], question: &Question) -> Option<String> {
        command(&runs.iter().collect::<Vec<_>>(), question)
    }

    #[test]
    fn a_command_is_given_only_where_it_makes_every_run() {
        let given = |runs: &[RunSpec]| commanded(runs, &Question::default());
        let all = runs(3);
        assert_eq!(
            given(&all).as_deref(),
            Some(
                "mnist-study compare cnn lstm --dataset 'my digits' --epochs 2 --batch-size 128 --learning-rate 0.001 --seeds 3 --seed 1 \
                 --protocol sound"
            )
        );
        let changed = |change: fn(&mut RunSpec)| {
            let mut runs = runs(3);
            change(&mut runs[2]);
            given(&runs)
        };
        for change in [
            (|run| run.audit_selection = true) as fn(&mut RunSpec),
            |run| run.seed = 9,
            |run| run.recipe.label_smoothing = 0.1,
            |run| run.recipe.precision = Precision::Bf16,
            |run| run.protocol = Protocol::Original,
            |run| run.dataset.sha256 = "6".repeat(64),
            |run| run.model = "of my own".to_owned(),
            |run| drop(run.layers.pop()),
        ] {
            assert_eq!(changed(change), None);
        }
        let mut in_bf16 = runs(3);
        in_bf16.iter_mut().for_each(|run| run.recipe.precision = Precision::Bf16);
        assert!(given(&in_bf16).is_some_and(|command| {
            command.contains(" --learning-rate 0.001 --precision bf16 --seeds 3 ")
        }));
        assert_eq!(given(&all[..5]), None, "a run of one model is missing");
        assert_eq!(given(&[]), None);
    }

    #[test]
    fn what_was_asked_is_asked_again() {
        let target = Target {
            accuracy: 0.985,
            max_parameters: Some(220_000),
            max_multiply_adds: Some(7),
            max_ram_bytes: Some(64_000),
            max_flash_bytes: Some(256_000),
            max_epochs: Some(3),
            max_train_seconds: Some(1.5),
        };
        let question = Question {
            title: None,
            target: Some(target),
            decide_by: Measure::MacroF1,
            equivalence_margin_points: Some(0.15),
        };
        let mut runs = runs(1);
        runs.iter_mut().for_each(|run| run.audit_selection = true);
        let asked = commanded(&runs, &question).expect("one command makes them");
        assert!(
            asked.ends_with(
                " --protocol sound --audit-selection --target 0.985 --max-parameters 220000 --max-multiply-adds 7 --max-ram 64000 \
                 --max-flash 256000 --max-epochs 3 --max-train-seconds 1.5 --decide-by macro-f1 --equivalence-margin 0.15"
            ),
            "{asked}"
        );
    }

    #[test]
    fn shell_arguments_are_quoted_where_they_must_be() {
        assert_eq!(shell("cnn-2.toml"), "cnn-2.toml");
        assert_eq!([shell_path("-x:grey"), shell_path("a-b")], ["./-x:grey", "a-b"]);
        assert_eq!(shell_path("-my digits"), "'./-my digits'");
        assert_eq!(shell("a<b|c"), "'a<b|c'");
        assert_eq!(shell("it's"), r"'it'\''s'");
        // As bash 5.2 prints them again with printf %s.
        assert_eq!(shell("a\n```\n<b>'\\"), r"$'a\n```\n<b>\'\\'");
        assert_eq!(shell("a\u{1b}1\u{9b}"), r"$'a\0331\302\233'");
    }
}
