//! How the runs of a study were made.

use analysis::{Run, machine::MachineKind, model::Model};
use records::record::{Protocol, Resample, RunSpec};
use serde_json::{Value, json};
use spec::{Precision, Recipe};

use crate::{
    Study,
    words::{
        numbers::{counted, listed, thousands},
        text::one_line,
    },
};

/// What is said where a command makes the study again.
pub(crate) const SAME_BITS: &str =
    "On the same kernels every fingerprint comes out the same, on any number of threads.";

/// How a cross-validation is decided.
pub(crate) const FOLDS: &str = "The folds share images that their models learn from, so their differences are not independent: the corrected resampled t test \
     (Nadeau and Bengio 2003) allows for that, Student's plain test would not, and tests over test images that runs share do not apply.";

/// The protocol, the data, the recipes, the seeds and the machines.
pub(crate) fn sentences(study: &Study) -> Vec<String> {
    let models = study.models();
    let mut sentences: Vec<String> =
        study.protocols().into_iter().map(|protocol| in_words(protocol, study)).collect();
    for dataset in study.datasets() {
        sentences.push(format!(
            "Data: {}, {} of {} × {} pixels{} in {} classes; SHA-256 {}.",
            one_line(&dataset.name),
            match study.analysis.cross_validation {
                Some(_) => format!(
                    "{} images, all dealt out to the folds,",
                    thousands((dataset.training_images + dataset.test_images) as u64)
                ),
                None => format!(
                    "{} training and {} test images",
                    thousands(dataset.training_images as u64),
                    thousands(dataset.test_images as u64)
                ),
            },
            dataset.height,
            dataset.width,
            if dataset.channels == 3 { " in colour" } else { "" },
            dataset.classes,
            one_line(&dataset.sha256)
        ));
    }
    let mut imported_data: Vec<String> = Vec::new();
    for run in study.analysis.runs.iter().filter_map(Run::imported) {
        let set = &run.test_set;
        let named = set.name.as_deref().map_or(String::new(), |name| format!(" of {}", one_line(name)));
        let sentence = format!(
            "Imported answers are to {} test images{named} in {} classes; SHA-256 {}.",
            thousands(set.images as u64),
            set.classes,
            one_line(&set.sha256)
        );
        if !imported_data.contains(&sentence) {
            imported_data.push(sentence);
        }
    }
    sentences.extend(imported_data);
    if let Some(folds) = study.analysis.cross_validation {
        sentences.push(format!(
            "Cross-validation: {}; each run is tested on the images of its fold and learns from others. Confusion, calibration and hard images are \
             those of the first repetition, in which each image is tested once. {FOLDS}",
            folds.in_words()
        ));
    }
    let recipes = study.distinct(|run| &run.specification.recipe);
    for recipe in &recipes {
        let of = |model: &&Model| {
            model.runs.iter().filter_map(Run::specification).any(|run| run.recipe == **recipe)
        };
        let names: Vec<String> = models.iter().filter(of).map(|model| one_line(model.name)).collect();
        let whose = if recipes.len() > 1 { format!(" of {}", listed(&names)) } else { String::new() };
        sentences.push(format!("Recipe{whose}: {}.", one_line(&in_a_line(recipe))));
    }
    sentences.extend(precision(study));
    for model in models {
        sentences.extend(imported(model));
        let mut seeds: Vec<String> =
            model.runs.iter().filter_map(|run| run.seed()).map(|seed| seed.to_string()).collect();
        if seeds.is_empty() {
            continue;
        }
        // The folds of a cross-validation may share theirs.
        seeds.dedup();
        let noun = if seeds.len() == 1 { "seed" } else { "seeds" };
        sentences.push(format!("{}: {noun} {}.", one_line(model.name), listed(&seeds)));
    }
    for machine in study.distinct(|run| MachineKind::of(&run.environment)) {
        sentences.push(format!(
            "Machine: {}, {}, {} kernels{}, {}, mnist-study {}.",
            one_line(machine.cpu),
            counted(machine.threads.unwrap_or(1), "thread"),
            one_line(machine.kernels),
            machine.jobs.map_or_else(String::new, |jobs| format!(
                ", {jobs} runs side by side, each of which takes longer than alone"
            )),
            one_line(machine.operating_system),
            one_line(machine.version)
        ));
    }
    sentences.extend(hosts(study));
    sentences
}

/// How products were computed, where it was not in float32 throughout.
fn precision(study: &Study) -> Option<String> {
    let in_bf16 = |run: &RunSpec| run.recipe.precision == Precision::Bf16;
    let of = |model: &&Model| model.runs.iter().filter_map(Run::specification).any(in_bf16);
    let names: Vec<String> = study.models().iter().filter(of).map(|model| one_line(model.name)).collect();
    if names.is_empty() {
        return None;
    }
    let all = study.distinct(|run| run.specification.recipe.precision).len() == 1;
    let whose = if all { String::new() } else { format!(" of {}", listed(&names)) };
    let others = if all { "" } else { "; the other models' training steps are in float32 too" };
    Some(format!(
        "Precision bf16{whose}: in training steps the operands of matrix products are rounded to bfloat16 and the products are added in \
         float32, for ungrouped convolutions of at least 16 input channels, dense layers of at least 16 inputs and units (at each step of a \
         sequence, of 16 inputs), recurrent layers of at least 16 units and projections of attention over at least 16 features, where a model has any. Other layers, \
         parameters and updates are in float32, and so are all validation and test figures{others}."
    ))
}

/// Which runs were made on which machine, where there were several; the table of runs has each.
fn hosts(study: &Study) -> Option<String> {
    const NAMED: usize = 8;
    let mut hosts: Vec<(&str, usize)> = Vec::new();
    for host in study.analysis.runs.iter().filter_map(Run::place).map(|place| place.host.as_str()) {
        match hosts.iter_mut().find(|(known, _)| *known == host) {
            Some((_, runs)) => *runs += 1,
            None => hosts.push((host, 1)),
        }
    }
    if hosts.len() < 2 {
        return None;
    }
    let count = hosts.len();
    // Those that made most first; of as many, in the order of the runs.
    hosts.sort_by_key(|(_, runs)| std::cmp::Reverse(*runs));
    let mut named: Vec<String> = hosts
        .iter()
        .take(NAMED)
        .map(|(host, runs)| format!("{} ({})", one_line(host), counted(*runs, "run")))
        .collect();
    if count > NAMED {
        named.push(format!("{} more", count - NAMED));
    }
    Some(format!("The runs were made on {count} machines: {}.", listed(&named)))
}

/// The runs of a model that other programs made: how many, and of which files.
fn imported(model: &Model) -> Option<String> {
    const NAMED: usize = 3;
    let sources: Vec<String> =
        model.runs.iter().filter_map(|run| run.imported()).map(|run| one_line(&run.source)).collect();
    let first = sources.first()?;
    let more =
        if sources.len() > NAMED { format!(" and {} more", sources.len() - NAMED) } else { String::new() };
    let shown = if sources.iter().all(|source| source == first) {
        first.clone()
    } else {
        sources[..sources.len().min(NAMED)].join(", ")
    };
    Some(format!(
        "{}: {} of another program, read from {shown}{more}; how they were trained is not known here.",
        one_line(model.name),
        counted(sources.len(), "run")
    ))
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
    let drawn = study.distinct(|run| run.specification.resample);
    let learnt = match drawn.contains(&Resample::Bootstrap) {
        true => " Each run learns from as many images, drawn from those with replacement by its seed.",
        false => "",
    };
    let validation = match protocol {
        Protocol::Sound => "a stratified part of the training images, or the one that the data states,",
        Protocol::Writers => {
            "the last part of each class in the training file (in MNIST's by writers of their own), or the one that the data states,"
        }
        Protocol::Original => {
            return format!(
                "Protocol original: all training images are trained on, and the test images serve as validation set after \
                 each epoch.{learnt} Run by run, the models share the order of the images."
            );
        }
    };
    let held = match drawn[..] {
        [Resample::Split] => "drawn anew by the seed of each run and shared by the models",
        _ if study.analysis.cross_validation.is_some() => "drawn from what each fold leaves to learn from",
        _ => "alike in every run",
    };
    format!(
        "Protocol {}: {validation} is kept for validation, {held}; {read}, and nothing is chosen by them.{learnt} Run by \
         run, the models share the order of the images.",
        protocol.name()
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        Reproduction, fixture,
        fixture::{Given, records},
    };
    use records::record::{Fold, RunRecord};

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
    fn how_products_were_computed_is_told() {
        let mut records = records(&[("full", 0.04), ("rounded", 0.05)], 2, 2);
        let told = |records: &[RunRecord]| {
            let words = sentences(&Given { records, ..Given::default() }.study());
            words.into_iter().filter(|sentence| sentence.contains("bf16")).collect::<Vec<_>>()
        };
        assert!(told(&records).is_empty(), "float32 goes without saying");
        let bf16 = |run: &mut RunRecord| run.specification.recipe.precision = Precision::Bf16;
        records.iter_mut().filter(|run| run.specification.model == "rounded").for_each(bf16);
        let mixed = told(&records);
        assert!(
            mixed[0].starts_with("Recipe of rounded: ") && mixed[0].ends_with(", precision bf16."),
            "{mixed:?}"
        );
        assert!(
            mixed[1].starts_with("Precision bf16 of rounded: ") && mixed[1].contains("other models"),
            "{mixed:?}"
        );
        records.iter_mut().for_each(bf16);
        let alike = told(&records);
        assert!(alike[1].starts_with("Precision bf16: ") && !alike[1].contains("other models"), "{alike:?}");
        assert_eq!(alike.len(), 2);
    }

    #[test]
    fn what_runs_draw_is_told() {
        let mut records = records(&[("cnn", 0.04)], 3, 2);
        let words =
            |records: &[RunRecord]| in_words(Protocol::Sound, &Given { records, ..Given::default() }.study());
        assert!(words(&records).contains("alike in every run"));
        records.iter_mut().for_each(|record| record.specification.resample = Resample::Split);
        assert!(words(&records).contains("drawn anew by the seed of each run"));
        records.iter_mut().for_each(|record| record.specification.resample = Resample::Bootstrap);
        let told = words(&records);
        assert!(
            told.contains("alike in every run") && told.contains("with replacement by its seed"),
            "{told}"
        );
    }

    #[test]
    fn how_often_the_test_images_are_read_is_told() {
        let mut records = records(&[("cnn", 0.04)], 3, 2);
        let words =
            |records: &[RunRecord]| in_words(Protocol::Sound, &Given { records, ..Given::default() }.study());
        assert!(words(&records).contains("read once a run"));
        records.iter_mut().for_each(|record| record.specification.audit_selection = true);
        let audited = words(&records);
        assert!(audited.contains("read after every epoch") && !audited.contains("read once"), "{audited}");
    }

    #[test]
    fn what_makes_a_study_again_is_told_as_it_was_given() {
        let records = records(&[("cnn", 0.04)], 1, 1);
        let told = |reproduction| {
            let study = Study { reproduction, ..Given { records: &records, ..Given::default() }.study() };
            (crate::markdown(&study), crate::page(&study))
        };
        let (markdown, page) = told(Some(Reproduction::Command("make <it> again".to_owned())));
        assert!(
            markdown.contains("```sh\nmake <it> again\n```") && markdown.contains(SAME_BITS),
            "{markdown}"
        );
        assert!(page.contains("<code>make &lt;it&gt; again</code>"));
        let (markdown, page) = told(Some(Reproduction::Words("Each is <made> alone.".to_owned())));
        assert!(
            markdown.contains("\nEach is &lt;made> alone.\n") && page.contains("Each is &lt;made&gt; alone.")
        );
        assert!(!told(None).0.contains(SAME_BITS));
    }

    /// Three repetitions of four folds, of which `poor` misses many more images.
    fn folds(models: &[(&str, f64)]) -> Vec<RunRecord> {
        let mut all = Vec::new();
        for (repeat, fold) in (1..=3).flat_map(|repeat| (1..=4).map(move |fold| (repeat, fold))) {
            for (model, error) in models {
                let mut run = fixture::record(model, (10 * repeat + fold) as u64, 2, *error, Protocol::Sound);
                run.specification.fold = Some(Fold { repeat, fold, folds: 4 });
                run.test.images = (0..1000).map(|image| 4 * image + fold as u32 - 1).collect();
                all.push(run);
            }
        }
        all
    }

    #[test]
    fn a_cross_validation_is_told_and_judged_as_one() {
        let records = folds(&[("good", 0.03), ("poor", 0.2)]);
        let study = fixture::judged(&records, &[]);
        let (markdown, page, terminal) =
            (crate::markdown(&study), crate::page(&study), crate::terminal(&study));
        for text in [&markdown, &page, &terminal] {
            let joined = text.split_whitespace().collect::<Vec<_>>().join(" ");
            assert!(joined.contains("4 folds × 3 repetitions, corrected resampled t test"), "{joined}");
            assert!(
                joined.contains("Trained and tested again on other divisions of such images, good would"),
                "{joined}"
            );
            assert!(!joined.contains("McNemar's exact test") && !joined.contains("test file"), "{joined}");
        }
        assert!(
            markdown.contains("Mean ± standard deviation over the folds (4 folds × 3 repetitions)."),
            "{markdown}"
        );
        assert!(
            markdown.contains("| model | seed | fold of repetition | tested after epoch |"),
            "{markdown}"
        );
        assert!(markdown.contains("| good | 23 | 3 of 2 | "), "{markdown}");
        assert!(
            markdown.contains("- Cross-validation: 4 folds × 3 repetitions; each run is tested on"),
            "{markdown}"
        );
        assert!(markdown.contains("over 12 paired folds (unadjusted"), "{markdown}");
        for gone in ["two-way bootstrap</", "Student&#39;s paired test", "noise of the seeds"] {
            assert!(!page.contains(&format!(">{gone}")), "{gone}");
        }
        assert!(page.contains("good is ahead in 100 % of the pairs [100, 100] at 95 %"), "{page}");
        let csv = crate::epochs_csv(&study);
        assert!(
            csv.starts_with("model,seed,")
                && csv.lines().next().is_some_and(|head| head.ends_with(",repeat,fold"))
        );
        assert!(csv.lines().nth(1).is_some_and(|row| row.ends_with(",1,1")), "{csv}");
        let summary: Value = serde_json::from_str(&crate::summary_json(&study)).expect("JSON");
        assert_eq!(summary["cross_validation"], json!({ "folds": 4, "repeats": 3 }));
        assert_eq!(summary["models"][0]["runs"][4]["fold"], json!({ "repeat": 2, "fold": 1, "folds": 4 }));
        assert_eq!(summary["comparisons"][0]["interval_covers"], "folds");

        let alone = folds(&[("good", 0.03)]);
        let told = crate::markdown(&fixture::judged(&alone, &[]));
        assert!(
            told.contains(
                "4 folds × 3 repetitions; the interval is corrected for training sets that overlap.**"
            ),
            "{told}"
        );
        let plain: Value =
            serde_json::from_str(&crate::summary_json(&Given::default().study())).expect("JSON");
        assert!(plain.get("cross_validation").is_none());
    }
}
