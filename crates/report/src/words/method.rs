//! How the runs of a study were made, and the command that makes them again.

use records::{
    record::{Protocol, RunRecord},
    target::Target,
};
use serde_json::{Value, json};
use study::study_file::built_in_model;
use train::Recipe;

use analysis::model::Model;

use crate::{
    Study,
    render::markdown::{line, list},
    words::{
        numbers::{counted, listed, thousands},
        text::{self, one_line, shell},
    },
};

/// What is said where the study can be made again.
pub(crate) const SAME_BITS: &str =
    "On the same kernels every fingerprint comes out the same, on any number of threads.";

/// What is said where no one command makes the study.
pub(crate) const NO_COMMAND: &str = "No one compare command makes these runs; each record in records/ holds its own specification, and \
                                     mnist-study verify --all makes them again.";

/// The section of a report in Markdown.
pub(crate) fn how_it_was_made(page: &mut String, study: &Study) {
    page.push_str("\n## How it was made\n\n");
    list(page, &sentences(study));
    match command(study) {
        Some(command) => {
            line(page, format_args!("\nTo make it again:\n\n```sh\n{command}\n```\n\n{SAME_BITS}"));
        }
        None => line(page, format_args!("\n{}", text::markdown(NO_COMMAND))),
    }
}

/// The protocol, the data, the recipes, the seeds and the machines.
pub(crate) fn sentences(study: &Study) -> Vec<String> {
    let models = study.models();
    let mut sentences: Vec<String> =
        study.protocols().into_iter().map(|protocol| in_words(protocol, study)).collect();
    for dataset in study.datasets() {
        sentences.push(format!(
            "Data: {}, {} training and {} test images of {} × {} pixels in {} classes; SHA-256 {}.",
            one_line(&dataset.name),
            thousands(dataset.training_images as u64),
            thousands(dataset.test_images as u64),
            dataset.height,
            dataset.width,
            dataset.classes,
            one_line(&dataset.sha256)
        ));
    }
    let recipes = study.distinct(|run| &run.specification.recipe);
    for recipe in &recipes {
        let of = |model: &&Model| model.runs.iter().any(|run| run.specification.recipe == **recipe);
        let names: Vec<String> = models.iter().filter(of).map(|model| one_line(model.name)).collect();
        let whose = if recipes.len() > 1 { format!(" of {}", listed(&names)) } else { String::new() };
        sentences.push(format!("Recipe{whose}: {}.", one_line(&in_a_line(recipe))));
    }
    for model in models {
        let seeds: Vec<String> = model.runs.iter().map(|run| run.specification.seed.to_string()).collect();
        let noun = if seeds.len() == 1 { "seed" } else { "seeds" };
        sentences.push(format!("{}: {noun} {}.", one_line(model.name), listed(&seeds)));
    }
    for environment in study.distinct(|run| &run.environment) {
        sentences.push(format!(
            "Machine: {}, {}, {} kernels, {}, mnist-study {}.",
            one_line(&environment.cpu),
            counted(environment.threads, "thread"),
            one_line(&environment.kernels),
            one_line(&environment.operating_system),
            one_line(&environment.version)
        ));
    }
    sentences
}

/// The study's own fields, then every other that is not the default, as a study file has it.
fn in_a_line(recipe: &Recipe) -> String {
    let Ok(Value::Object(mut fields)) = serde_json::to_value(recipe) else { return String::new() };
    let optimiser =
        fields.remove("optimiser").map_or_else(String::new, |optimiser| kind_and_more(&optimiser));
    let mut line = format!(
        "{}, batch size {}, {optimiser} with learning rate {}",
        counted(recipe.epochs, "epoch"),
        recipe.batch_size,
        recipe.learning_rate
    );
    for (name, value) in fields {
        let value = match &value {
            Value::String(text) => text.clone(),
            Value::Object(table) if table.contains_key("kind") => kind_and_more(&value),
            Value::Object(table) => in_brackets(table.iter()),
            other => other.to_string(),
        };
        if !["epochs", "batch_size", "learning_rate"].contains(&name.as_str()) {
            line.push_str(&format!(", {} {value}", name.replace('_', " ")));
        }
    }
    line
}

/// An optimiser or a schedule: its name, and the constants that are not its defaults.
fn kind_and_more(value: &Value) -> String {
    let kind = value["kind"].as_str().unwrap_or_default();
    let named = match kind {
        "sgd" => "SGD",
        "adam" => "Adam",
        "adamw" => "AdamW",
        "rmsprop" => "RMSprop",
        "muon" => "Muon",
        other => other,
    };
    let usual = ["optimiser", "schedule"].iter().find_map(|field| {
        let recipe: Recipe = serde_json::from_value(json!({ *field: kind })).ok()?;
        serde_json::to_value(recipe).ok()?.get(*field).cloned()
    });
    let constants = value.as_object().into_iter().flatten();
    let unusual: Vec<(&String, &Value)> = constants
        .filter(|(name, value)| usual.as_ref().and_then(|usual| usual.get(name.as_str())) != Some(value))
        .filter(|(name, _)| name.as_str() != "kind")
        .collect();
    if unusual.is_empty() {
        return named.to_owned();
    }
    format!("{named} {}", in_brackets(unusual.into_iter()))
}

fn in_brackets<'a>(values: impl Iterator<Item = (&'a String, &'a Value)>) -> String {
    let values: Vec<String> =
        values.map(|(name, value)| format!("{} {value}", name.replace('_', " "))).collect();
    format!("({})", values.join(", "))
}

fn in_words(protocol: Protocol, study: &Study) -> String {
    let audited = study.distinct(|run| run.specification.audit_selection);
    let read = match audited[..] {
        [true] => {
            "the test images are read after every epoch, to measure what selecting by them would add to the accuracy"
        }
        [false] => "the test images are read once a run, after the last epoch",
        _ => {
            "the test images are read after every epoch of the runs that measure what selecting by them would add, and once, \
             after the last epoch, in the others"
        }
    };
    let validation = match protocol {
        Protocol::Sound => "a stratified part of the training images",
        Protocol::Writers => {
            "the last part of each class in the training file, which in MNIST's are by writers of their own,"
        }
        Protocol::Original => {
            return "Protocol original: all training images are trained on, and the test images serve as validation set after \
                    each epoch. Run by run, the models share the order of the images."
                .to_owned();
        }
    };
    format!(
        "Protocol {}: {validation} is kept for validation, alike in every run; {read}, and nothing is chosen by them. Run by \
         run, the models share the order of the images.",
        protocol.name()
    )
}

/// What all recipes have alike of that which the command line can say.
struct Shared {
    epochs: Option<usize>,
    batch_size: Option<usize>,
    learning_rate: Option<f64>,
}

impl Shared {
    fn of(study: &Study) -> Self {
        fn only<T: PartialEq + Copy>(study: &Study, read: fn(&Recipe) -> T) -> Option<T> {
            match study.distinct(|run| read(&run.specification.recipe))[..] {
                [one] => Some(one),
                _ => None,
            }
        }
        Self {
            epochs: only(study, |recipe| recipe.epochs),
            batch_size: only(study, |recipe| recipe.batch_size),
            learning_rate: only(study, |recipe| recipe.learning_rate),
        }
    }

    /// Whether a run is that of a built-in model with these options.
    fn makes(&self, run: &RunRecord) -> bool {
        let Ok(mut model) = built_in_model(&run.specification.model) else { return false };
        let recipe = &mut model.recipe;
        recipe.epochs = self.epochs.unwrap_or(recipe.epochs);
        recipe.batch_size = self.batch_size.unwrap_or(recipe.batch_size);
        recipe.learning_rate = self.learning_rate.unwrap_or(recipe.learning_rate);
        model.architecture.layers == run.specification.layers && model.recipe == run.specification.recipe
    }

    fn options(&self) -> String {
        let option = |name: &str, value: Option<String>| {
            value.map_or(String::new(), |value| format!(" --{name} {value}"))
        };
        option("epochs", self.epochs.map(|value| value.to_string()))
            + &option("batch-size", self.batch_size.map(|value| value.to_string()))
            + &option("learning-rate", self.learning_rate.map(|value| value.to_string()))
    }
}

/// The command that makes every run again; none where their settings differ or seeds are missing.
pub(crate) fn command(study: &Study) -> Option<String> {
    let models = study.models();
    let recipes = Shared::of(study);
    if !study.analysis.failed.is_empty() || !study.records.iter().all(|run| recipes.makes(run)) {
        return None;
    }
    let ([protocol], [dataset]) = (&study.protocols()[..], &study.datasets()[..]) else { return None };
    let [audited] = study.distinct(|run| run.specification.audit_selection)[..] else { return None };
    let seeds = |model: &Model| model.runs.iter().map(|run| run.specification.seed).collect::<Vec<_>>();
    let shared = seeds(models.first()?);
    let consecutive = shared.windows(2).all(|pair| pair[0].checked_add(1) == Some(pair[1]));
    if !consecutive || models.iter().any(|model| seeds(model) != shared) {
        return None;
    }
    let names: Vec<String> = models.iter().map(|model| shell(model.name)).collect();
    let question = &study.question;
    let mut asked = question.target.as_ref().map_or_else(String::new, options_of);
    if let Some(points) = question.equivalence_margin_points {
        asked.push_str(&format!(" --equivalence-margin {points}"));
    }
    let audit = if audited { " --audit-selection" } else { "" };
    Some(format!(
        "mnist-study compare {} --dataset {}{} --seeds {} --seed {} --protocol {}{audit}{asked}",
        names.join(" "),
        shell(&dataset.name),
        recipes.options(),
        shared.len(),
        shared.first()?,
        protocol.name()
    ))
}

/// A target as the command line has it.
fn options_of(target: &Target) -> String {
    let Target { accuracy, max_parameters, max_multiply_adds, max_epochs, max_train_seconds } = target;
    let mut options = format!(" --target {accuracy}");
    let mut add = |name: &str, value: Option<String>| {
        options.extend(value.map(|value| format!(" --{name} {value}")));
    };
    add("max-parameters", max_parameters.map(|most| most.to_string()));
    add("max-multiply-adds", max_multiply_adds.map(|most| most.to_string()));
    add("max-epochs", max_epochs.map(|most| most.to_string()));
    add("max-train-seconds", max_train_seconds.map(|most| most.to_string()));
    options
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture::{Given, record, records};
    use records::question::Question;

    #[test]
    fn recipes_are_told_without_what_is_usual() {
        assert_eq!(in_a_line(&Recipe::default()), "5 epochs, batch size 128, Adam with learning rate 0.001");
        let recipe: Recipe = serde_json::from_value(json!({
            "epochs": 1,
            "optimiser": { "kind": "adam", "beta_1": 0.7 },
            "schedule": "one-cycle",
            "label_smoothing": 0.1,
            "augmentation": { "shift": 2.0 },
            "test_time_augmentation": "four-shifts",
        }))
        .expect("a recipe");
        assert_eq!(
            in_a_line(&recipe),
            "1 epoch, batch size 128, Adam (beta 1 0.7) with learning rate 0.001, augmentation (shift 2.0), \
             label smoothing 0.1, schedule one-cycle, test time augmentation four-shifts"
        );
    }

    #[test]
    fn a_command_is_given_only_where_it_makes_every_run() {
        let mut records = records(&[("cnn", 0.04)], 3, 2);
        let commanded = |records: &[RunRecord]| {
            let study =
                Given { records, comparisons: &[], notes: &[], images: None, ..Given::default() }.study();
            command(&study)
        };
        assert_eq!(
            commanded(&records).as_deref(),
            Some(
                r"mnist-study compare cnn --dataset mnist --epochs 2 --batch-size 128 --learning-rate 0.001 --seeds 3 --seed 1 --protocol sound"
            )
        );
        records.iter_mut().for_each(|record| record.specification.audit_selection = true);
        let target = Target {
            accuracy: 0.985,
            max_parameters: Some(220_000),
            max_multiply_adds: Some(7),
            max_epochs: Some(3),
            max_train_seconds: Some(1.5),
        };
        let question =
            Question { target: Some(target), equivalence_margin_points: Some(0.15), ..Question::default() };
        let study = Given {
            records: &records,
            comparisons: &[],
            notes: &[],
            images: None,
            question,
            ..Given::default()
        }
        .study();
        let asked = command(&study).expect("one command makes them");
        assert!(
            asked.ends_with(
                " --protocol sound --audit-selection --target 0.985 --max-parameters 220000 --max-multiply-adds 7 --max-epochs 3 --max-train-seconds 1.5 --equivalence-margin 0.15"
            ),
            "{asked}"
        );
        let words = in_words(Protocol::Sound, &study);
        assert!(words.contains("read after every epoch") && !words.contains("read once"), "{words}");
        records[0].specification.audit_selection = false;
        assert_eq!(commanded(&records), None, "some runs with an audit and some without");
        records[0].specification.audit_selection = true;
        records[1].specification.seed = 9;
        assert_eq!(commanded(&records), None);
        records.truncate(1);
        records.push(record("lstm", 1, 3, 0.1, Protocol::Sound));
        assert_eq!(commanded(&records), None);
    }
}
