//! A search in sentences and tables of text.

use records::{
    question::Measure,
    record::Environment,
    trial::{Outcome, TrialRecord},
};
use search::Importance;
use serde_json::{Map, Value};
use study::tune::{ModelOutcome, Tuning};

use crate::{
    document::{Cell, Table},
    render::{
        markdown::{line, list, table},
        terminal::wrapped,
    },
    words::{
        numbers::{
            MISSING, amount_of, counted, listed, loss, percent, probability, seconds, value_of, value_unit,
        },
        text::{self, one_line},
    },
};

/// Trials that a table shows, the best first; the rest is in `tuning.json`.
pub(crate) const SHOWN: usize = 20;

/// A trial's settings as one reads them: `learning_rate 0.00123, batch_size 64`.
pub fn settings(settings: &Map<String, Value>) -> String {
    if settings.is_empty() {
        return "baseline".to_owned();
    }
    let setting = |(name, value): (&String, &Value)| format!("{name} {}", plain(value));
    settings.iter().map(setting).collect::<Vec<_>>().join(", ")
}

/// A value without the quotes of a text.
pub(crate) fn plain(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

/// What a setting could be, in words.
pub(crate) fn domain(domain: &Value) -> String {
    let list = |kind: &str| domain.get(kind).and_then(Value::as_array);
    let ends = |values: &Vec<Value>| values.iter().map(plain).collect::<Vec<_>>().join(" to ");
    match (list("range"), list("log"), list("choice")) {
        (Some(range), ..) => ends(range),
        (_, Some(range), _) => format!("{}, by the logarithm", ends(range)),
        (.., Some(choices)) => choices.iter().map(plain).collect::<Vec<_>>().join(", "),
        _ => plain(domain),
    }
}

/// How a trial ended, in a word or two.
pub(crate) fn ended(record: &TrialRecord) -> String {
    match &record.outcome {
        Outcome::Finished => "finished".to_owned(),
        Outcome::Stopped => format!("stopped after {}", counted(record.epochs.len(), "epoch")),
        Outcome::Diverged => format!("diverged in epoch {}", record.epochs.len() + 1),
        Outcome::Unusable(_) => "no usable model".to_owned(),
    }
}

/// One sentence a model: what was found, and what it is worth.
pub(crate) fn gains(tuning: &Tuning) -> Vec<String> {
    tuning.models.iter().map(|model| gain(model, tuning.question.decide_by)).collect()
}

fn gain(model: &ModelOutcome, measure: Measure) -> String {
    let value = |record: &TrialRecord| record.last().and_then(|epoch| epoch.validation(measure));
    let shown = |value: f64| match measure {
        Measure::Accuracy => format!("{} % validation accuracy", percent(value)),
        measure => {
            format!("{} {} {}", value_of(measure)(value), value_unit(measure), measure.of_validation())
        }
    };
    let of = model.trials.len();
    let trials = counted(of, "trial");
    let name = &model.name;
    match (model.best, value(model.best_record()), value(&model.as_it_stands)) {
        (Some(number), Some(best), Some(standing)) => {
            let change = match best - standing {
                0.0 => "as much as the baseline, with less loss".to_owned(),
                gain => {
                    let direction = if gain > 0.0 { "more" } else { "less" };
                    format!("{} {direction} than the baseline", amount_of(measure, gain.abs()))
                }
            };
            format!(
                "{name} reaches {} with {} (trial {} of {of}), {change}.",
                shown(best),
                settings(&model.best_record().settings),
                number + 1
            )
        }
        (Some(number), Some(best), None) => format!(
            "{name} reaches {} with {} (trial {} of {of}); the baseline diverges.",
            shown(best),
            settings(&model.best_record().settings),
            number + 1
        ),
        (_, _, Some(standing)) => {
            format!("{name} stays at its baseline, {}: none of {trials} is better.", shown(standing))
        }
        _ => format!("{name}: none of {trials} came to an end."),
    }
}

/// How the search was made and what its figures must not be taken for.
pub(crate) fn method(tuning: &Tuning) -> Vec<String> {
    let question = &tuning.question;
    let mut sentences = vec![
        "Every trial learns from the training images and is judged on the validation images as its model ends, not at its best epoch \
         unless the recipe keeps that. The test images were not read."
            .to_owned(),
        match question.sampler {
            search::Sampler::Random => format!("Settings are drawn at random, with seed {}.", question.seed),
            search::Sampler::Tpe => format!(
                "Settings are drawn by the tree-structured Parzen estimator (Bergstra et al. 2011), the first ten at random, with seed {}.",
                question.seed
            ),
        },
    ];
    if question.protocol == records::record::Protocol::Writers {
        let told =
            "The validation images are the last of each class in the training file (protocol writers).";
        sentences.insert(1, told.to_owned());
    }
    sentences.push(match question.halving {
        Some(halving) => format!(
            "After {} and every {} times as many, a trial goes on only if it is among the best 1 in {} of its length so far \
             (asynchronous successive halving, Li et al. 2020).",
            counted(halving.first as usize, "epoch"),
            halving.factor,
            halving.factor
        ),
        None => "No trial was stopped for falling behind.".to_owned(),
    });
    if let Some(round) = question.rounds() {
        sentences.push(format!(
            "Trials were made in rounds of {round} for each model: what was tried in a round depended on the results of the rounds before alone."
        ));
    }
    if let Some(model) = tuning.models.first() {
        sentences.push(format!(
            "Trials are numbered from 1 here and from 0 in the files: trial 1 of {0} is trials/{0}-0000.json.",
            model.name
        ));
    }
    let counts: Vec<usize> = tuning.models.iter().map(|model| model.trials.len()).collect();
    if counts.windows(2).any(|pair| pair[0] != pair[1]) {
        let each: Vec<String> = tuning
            .models
            .iter()
            .map(|model| format!("{} {}", model.name, counted(model.trials.len(), "trial")))
            .collect();
        sentences.push(format!("The models had unequal numbers of trials: {}.", listed(&each)));
    }
    sentences.push(
        "The best of many noisy figures flatters itself: run the study in best.toml, which has other seeds, to measure it on the test images."
            .to_owned(),
    );
    sentences.push(
        "A setting's share is how much of the trials' order it explains alone (Kruskal and Wallis 1952, ε²); settings that matter only \
         together do not show, and what the search soon settled on shows less than it matters."
            .to_owned(),
    );
    if question.sampler == search::Sampler::Tpe {
        sentences.push(
            "There are no p-values for the shares: they suppose settings drawn at random, and these were drawn by what did well before."
                .to_owned(),
        );
    }
    if tuning.models.iter().any(|model| model.expected_best.is_some()) {
        sentences.push(
            "Expected best: the mean over all choices of so many of the trials (Dodge et al. 2019, Tang et al. 2020); a diverged trial counts as \
             guessing, a stopped one with what it had then, which makes it a lower bound."
                .to_owned(),
        );
    }
    sentences.extend(machine(tuning));
    sentences
}

/// What the trials were computed on, and what their times must not be read without.
fn machine(tuning: &Tuning) -> Vec<String> {
    let (mut machines, mut warnings): (Vec<String>, Vec<(String, usize)>) = (Vec::new(), Vec::new());
    for trial in
        tuning.models.iter().flat_map(|model| std::iter::once(&model.as_it_stands).chain(&model.trials))
    {
        let Environment { cpu, threads, kernels, version, .. } = &trial.environment;
        let machine =
            format!("{cpu}, {}, {kernels} kernels, mnist-study {version}", counted(*threads, "thread"));
        if !machines.contains(&machine) {
            machines.push(machine);
        }
        for warning in trial.warnings.iter().chain(&trial.data_notes) {
            match warnings.iter_mut().find(|(known, _)| known == warning) {
                Some((_, trials)) => *trials += 1,
                None => warnings.push((warning.clone(), 1)),
            }
        }
    }
    let warning = |(warning, trials): (String, usize)| format!("{}: {warning}.", counted(trials, "training"));
    std::iter::once(format!("Machine: {}.", machines.join("; ")))
        .chain(warnings.into_iter().map(warning))
        .collect()
}

/// The result as plain text.
pub fn tuning_terminal(tuning: &Tuning) -> String {
    let mut text = String::new();
    for (model, sentence) in tuning.models.iter().zip(gains(tuning)) {
        text.push_str(&wrapped(&one_line(&sentence)));
        let shares: Vec<String> = model
            .searched
            .iter()
            .zip(&model.importance)
            .filter_map(|((name, _), importance)| {
                Some(format!("{name} {:.0} %", 100.0 * importance.as_ref()?.share))
            })
            .collect();
        if !shares.is_empty() {
            text.push_str(&wrapped(&format!("explained of the trials' order: {}", shares.join(", "))));
        }
    }
    text
}

/// What a report of the search is called.
pub(crate) fn title(tuning: &Tuning) -> String {
    let names: Vec<String> = tuning.models.iter().map(|model| one_line(&model.name)).collect();
    format!("{} tuned on {}", listed(&names), one_line(&tuning.question.dataset.name))
}

const ACCURACY: &str = "validation accuracy (%)";
const LOSS: &str = "validation loss (nats)";

/// The column of the measure that decides, where it is neither accuracy nor loss.
fn deciding_column(measure: Measure) -> Option<String> {
    let has_one = [Measure::Accuracy, Measure::LogLoss].contains(&measure);
    (!has_one).then(|| format!("{} ({})", measure.of_validation(), value_unit(measure)))
}

/// How much of the trials' order each setting explains alone.
pub(crate) fn shares(model: &ModelOutcome) -> Table {
    let rows = model.searched.iter().zip(&model.importance).map(|((name, searched), importance)| {
        let found = model.best_record().settings.get(name).map_or("baseline".to_owned(), plain);
        let of_setting = [one_line(name), domain(searched), found].map(Cell::Words);
        of_setting.into_iter().chain(mattered(model, importance.as_ref()).map(Cell::Figure)).collect()
    });
    Table {
        caption: "How much of the trials' order each setting explains alone".to_owned(),
        columns: ["setting", "searched", "as found", "share of the order (%)", "p (unadjusted)"]
            .map(str::to_owned)
            .to_vec(),
        rows: rows.collect(),
    }
}

/// The baseline, then the trials of the model of that place, the best first.
pub(crate) fn trials(place: usize, model: &ModelOutcome, measure: Measure) -> Table {
    let decides = deciding_column(measure);
    let row = |trial: &TrialRecord| {
        let [accuracy, nats] = figures(trial);
        let value = trial.last().and_then(|epoch| epoch.validation(measure));
        let value = decides.is_some().then(|| value.map_or(MISSING.to_owned(), value_of(measure)));
        let first = [Cell::Model(place, one_line(&model.name)), Cell::Figure(number(trial))];
        let rest = [
            Cell::Figure(accuracy),
            Cell::Figure(nats),
            Cell::Figure(seconds(trial.total_seconds)),
            Cell::Words(ended(trial)),
            Cell::Words(settings(&trial.settings)),
        ];
        first.into_iter().chain(value.map(Cell::Figure)).chain(rest).collect()
    };
    let mut columns =
        ["model", "trial", ACCURACY, LOSS, "total (s)", "ended", "settings"].map(str::to_owned).to_vec();
    columns.splice(2..2, decides.clone());
    Table {
        caption: "The baseline, then its trials, the best first".to_owned(),
        columns,
        rows: best_first(model).into_iter().map(row).collect(),
    }
}

/// The search as a page of Markdown: `tuning.md`.
pub fn tuning_markdown(tuning: &Tuning) -> String {
    let mut page = format!("# {}\n\n", text::markdown(&title(tuning)));
    for sentence in gains(tuning) {
        line(&mut page, format_args!("**{}**\n", text::markdown(&sentence)));
    }
    let measure = tuning.question.decide_by;
    line(&mut page, format_args!("![Best {} over the trials](Search.png)", measure.of_validation()));
    for (index, model) in tuning.models.iter().enumerate() {
        line(&mut page, format_args!("\n## {}\n", text::markdown(&model.name)));
        table(&mut page, &shares(model));
        page.push('\n');
        let decides = deciding_column(measure);
        let shown = ["trial"].into_iter().chain(decides.as_deref());
        let shown: Vec<&str> = shown.chain([ACCURACY, LOSS, "total (s)", "ended", "settings"]).collect();
        let mut trials = trials(index, model, measure).only(&shown);
        trials.rows.truncate(SHOWN);
        table(&mut page, &trials);
        let more = (model.trials.len() + 1).saturating_sub(SHOWN);
        if more > 0 {
            line(&mut page, format_args!("\n{} more in `tuning.json`.", counted(more, "trial")));
        }
    }
    page.push_str("\n## How it was made\n\n");
    list(&mut page, &method(tuning));
    page
}

/// A setting's share of the trials' order in per cent, and its p-value, where they are known.
pub(crate) fn mattered(model: &ModelOutcome, importance: Option<&Importance>) -> [String; 2] {
    let p_value = importance
        .filter(|_| model.drawn_at_random)
        .map(|importance| probability(importance.p_value).trim_start_matches("= ").to_owned());
    let share = importance.map(|importance| format!("{:.0}", 100.0 * importance.share));
    [share, p_value].map(|figure| figure.unwrap_or(MISSING.to_owned()))
}

/// The baseline, then its trials, the best first.
pub(crate) fn best_first(model: &ModelOutcome) -> Vec<&TrialRecord> {
    let ranked = model.ranking().into_iter().map(|number| &model.trials[number]);
    std::iter::once(&model.as_it_stands).chain(ranked).collect()
}

/// A trial's number as people count, from 1; its file counts from 0.
pub(crate) fn number(trial: &TrialRecord) -> String {
    trial.number.map_or("–".to_owned(), |number| (number + 1).to_string())
}

/// Accuracy in per cent and loss after the last epoch.
pub(crate) fn figures(trial: &TrialRecord) -> [String; 2] {
    let last = trial.last();
    [
        last.map_or(MISSING.to_owned(), |epoch| percent(epoch.validation_accuracy)),
        last.map_or(MISSING.to_owned(), |epoch| loss(epoch.validation_loss)),
    ]
}
