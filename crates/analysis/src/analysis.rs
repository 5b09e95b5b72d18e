//! All that is computed of a study.

use crate::{
    Run,
    hard_images::HardImages,
    incomplete::incomplete,
    machine::MachineKind,
    measures::imbalance,
    model::{LostModel, Model, models},
    overlap::{Overlap, overlaps},
    pareto::{Standing, standings},
    partner::{CrossValidation, first_repeat},
    ranking::{Rank, ranking},
    sanity::{of_data, sanity},
    spread::Spread,
    target::{Attempt, attempts},
    thresholds::Thresholds,
    verdict::{Comparison, Judgement, judge},
};
use records::{
    imported::ImportedRun,
    left_out::LeftOut,
    question::{Measure, Question},
    record::{FailedRun, Protocol},
    target::Target,
};
use serde::{Serialize, Serializer};
use std::cmp::Ordering;

/// Version of `summary.json`'s layout.
pub const SUMMARY_SCHEMA: u32 = 1;

/// What the records of a study tell. Its serialisation is `summary.json`, whose fields are only ever added to while
/// [`SUMMARY_SCHEMA`] stays: accuracies are fractions, times seconds, losses nats; a figure that is not finite is null.
///
/// `protocol`, `dataset` and `machine` are those of the first record, null without one: where records differ, a warning says so.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Analysis<'a> {
    schema: u32,
    protocol: Option<&'static str>,
    dataset: Option<&'a str>,
    dataset_sha256: Option<&'a str>,
    machine: Option<MachineKind<'a>>,
    /// Each kind of machine that a run was made on, in the order of the records.
    pub machines: Vec<MachineKind<'a>>,
    /// Every run, in the order of the records; `summary.json` has them by model.
    #[serde(skip)]
    pub runs: Vec<Run<'a>>,
    /// What each test image is called, where an imported run says it; else empty.
    #[serde(skip)]
    pub image_names: &'a [String],
    /// In the order of their first record, whose place is also their colour.
    pub models: Vec<Model<'a>>,
    /// One per pair of models.
    pub comparisons: Vec<Comparison>,
    /// How the images are divided, where the runs are those of a cross-validation; else there is no such field.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cross_validation: Option<CrossValidation>,
    /// The measure by which models are compared and ranked.
    pub decided_by: Measure,
    /// The models by that measure, with the places that the comparisons leave open.
    pub ranking: Vec<Rank>,
    /// What each model reaches and costs, and the Pareto fronts.
    pub standings: Vec<Standing>,
    /// What must be reached, where the study asks for it.
    pub target: Option<Target>,
    /// Each model's runs against the target.
    pub attempts: Vec<Attempt>,
    /// Runs that diverged: they are in no figure.
    #[serde(serialize_with = "failures")]
    pub failed: &'a [FailedRun],
    /// Runs that the study planned and no figure has, beside those that diverged.
    #[serde(flatten)]
    pub left_out: LeftOut,
    /// What a reader must know beyond the warnings.
    pub notes: Notes,
    /// What must be known before a verdict is believed comes first.
    pub warnings: Warnings,
    /// What figures become statements by.
    pub thresholds: Thresholds,
    /// Models of which every run diverged.
    pub lost: Vec<LostModel<'a>>,
    /// Errors that models share.
    pub overlaps: Vec<Overlap>,
    /// The test images that some run misses; none where the runs do not share their test images. Of them `summary.json` has
    /// the places, counted from 0, of those that every run of every model misses.
    #[serde(rename = "missed_by_every_run", serialize_with = "missed_by_every_run")]
    pub hard_images: Option<HardImages>,
}

/// What must be said beside the figures; one list in `summary.json`.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Warnings {
    /// What must be known before any verdict is believed.
    pub before_verdicts: Vec<String>,
    /// Records that do not belong together, and what was noticed while each was made.
    pub of_records: Vec<String>,
}

/// What a reader should know beside the warnings; one list in `summary.json`.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Notes {
    /// How the data was read, where that is not plain.
    pub of_data: Vec<String>,
    /// A record left aside, an interruption, runs without a partner.
    pub of_study: Vec<String>,
}

impl Notes {
    /// All of them.
    pub fn iter(&self) -> impl Iterator<Item = &String> {
        self.of_data.iter().chain(&self.of_study)
    }
}

impl Serialize for Notes {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.iter())
    }
}

impl Serialize for Warnings {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.before_verdicts.iter().chain(&self.of_records))
    }
}

impl<'a> Analysis<'a> {
    /// Of the runs of a study, those that came to no result, what it asks, and what its reader must know beforehand.
    pub fn of<R: Into<Run<'a>>>(
        runs: impl IntoIterator<Item = R>,
        failed: &'a [FailedRun],
        question: &Question,
        mut notes: Vec<String>,
    ) -> Self {
        let runs = Run::all(runs);
        let Judgement { comparisons, notes: of_pairs } =
            judge(&runs, failed, &Thresholds::of(&runs, question));
        notes.extend(of_pairs);
        Self::judged(runs, failed, question, notes, comparisons)
    }

    /// The same where the verdicts are at hand.
    pub fn judged<R: Into<Run<'a>>>(
        runs: impl IntoIterator<Item = R>,
        failed: &'a [FailedRun],
        question: &Question,
        notes: Vec<String>,
        comparisons: Vec<Comparison>,
    ) -> Self {
        let runs = Run::all(runs);
        let thresholds = Thresholds::of(&runs, question);
        let (models, lost) = models(&runs, failed, &thresholds);
        let first = runs.first();
        let machines = MachineKind::all(&runs);
        let by_accuracy: Vec<&Model> =
            ranked(&models, true, |model| model.accuracy).into_iter().map(|(model, _)| model).collect();
        Self {
            schema: SUMMARY_SCHEMA,
            protocol: first.and_then(Run::protocol).map(Protocol::name),
            dataset: first.and_then(|run| run.data.name),
            dataset_sha256: first.map(|run| run.data.sha256),
            machine: machines.first().copied(),
            cross_validation: CrossValidation::of(&runs),
            decided_by: question.decide_by,
            ranking: ranking(&models, &comparisons, question.decide_by),
            standings: standings(&models),
            target: question.target,
            attempts: question.target.map_or_else(Vec::new, |target| attempts(&models, &target)),
            failed,
            left_out: LeftOut::default(),
            notes: Notes {
                of_data: of_data(&runs, |run| run.data_notes),
                of_study: with_imports(notes, &models),
            },
            warnings: Warnings {
                before_verdicts: sanity(&runs, failed, &models),
                of_records: warnings(&runs, machines.len()),
            },
            thresholds,
            lost,
            overlaps: overlaps(&by_accuracy),
            hard_images: HardImages::of(&models),
            image_names: runs
                .iter()
                .map(Run::image_names)
                .find(|names| !names.is_empty())
                .unwrap_or_default(),
            machines,
            comparisons,
            models,
            runs,
        }
    }

    /// The same, knowing what of the plan no figure has.
    #[must_use]
    pub fn without(mut self, left_out: &LeftOut) -> Self {
        self.warnings.before_verdicts.extend(incomplete(&self, left_out));
        self.left_out = left_out.clone();
        self
    }

    /// Models with the mean and spread of a figure, best first; those without a finite mean are left out.
    pub fn ranked(
        &self,
        larger_is_better: bool,
        figure: impl Fn(&Model) -> Option<Spread>,
    ) -> Vec<(&Model<'a>, Spread)> {
        ranked(&self.models, larger_is_better, figure)
    }

    /// The comparison of two models, in either order.
    pub fn comparison_of(&self, one: &str, other: &str) -> Option<&Comparison> {
        self.comparisons.iter().find(|comparison| {
            [(&*comparison.a, &*comparison.b), (&*comparison.b, &*comparison.a)].contains(&(one, other))
        })
    }

    /// Whether some class has so many more test images than another that accuracy hides how the small ones fare.
    pub fn is_imbalanced(&self) -> bool {
        self.models.iter().map(|model| imbalance(&tested_labels(&model.runs))).fold(1.0, f64::max)
            >= self.thresholds.imbalance
    }

    /// Whether all clocks may be compared.
    pub fn one_machine(&self) -> bool {
        self.machines.len() <= 1
    }

    /// Whether any model was trained more than once.
    pub fn repeated(&self) -> bool {
        self.models.iter().any(|model| model.runs.len() > 1)
    }
}

/// The labels of the images that a model is tested on: of a run, or of the folds of one repetition together.
pub fn tested_labels(runs: &[Run]) -> Vec<u8> {
    let tested = first_repeat(runs);
    let runs = if tested.iter().all(|run| run.fold().is_some()) {
        &tested[..]
    } else {
        &tested[..tested.len().min(1)]
    };
    runs.iter().flat_map(|run| run.test.labels.iter().copied()).collect()
}

fn ranked<'a, 'b>(
    models: &'b [Model<'a>],
    larger_is_better: bool,
    figure: impl Fn(&Model) -> Option<Spread>,
) -> Vec<(&'b Model<'a>, Spread)> {
    let with_figure = models.iter().filter_map(|model| figure(model).map(|spread| (model, spread)));
    let mut ranked: Vec<_> = with_figure.collect();
    ranked.sort_by(|(_, one), (_, other)| {
        let order = one.mean.partial_cmp(&other.mean).unwrap_or(Ordering::Equal);
        if larger_is_better { order.reverse() } else { order }
    });
    ranked
}

/// Notes of a study, before what was noticed when runs of other programs were read: once a model where that is so of all of its
/// runs.
fn with_imports(mut notes: Vec<String>, models: &[Model]) -> Vec<String> {
    for model in models {
        let imported: Vec<(&Run, &ImportedRun)> =
            model.runs.iter().filter_map(|run| Some((run, run.imported()?))).collect();
        let mut told: Vec<&String> = Vec::new();
        for note in imported.iter().flat_map(|(_, run)| &run.notes) {
            if !told.contains(&note) {
                told.push(note);
            }
        }
        for note in told {
            let of: Vec<&Run> =
                imported.iter().filter(|(_, run)| run.notes.contains(note)).map(|(run, _)| *run).collect();
            let which = match of.len() {
                all if all == imported.len() => String::new(),
                1 => format!(", {}", of[0].in_words()),
                some => format!(", {some} of {} runs", imported.len()),
            };
            notes.push(format!("{}{which}: {note}.", model.name));
        }
    }
    notes
}

/// The records' own warnings, after those about records that do not belong together.
fn warnings(records: &[Run], machines: usize) -> Vec<String> {
    let differ = |differ: &dyn Fn(&Run) -> bool| records.iter().any(differ);
    let mut warnings = Vec::new();
    let mut warn_if = |condition: bool, warning: &str| {
        if condition {
            warnings.push(warning.to_owned());
        }
    };
    if let Some(first) = records.iter().find(|run| run.record().is_some()) {
        warn_if(
            differ(&|run| run.protocol().is_some() && run.protocol() != first.protocol()),
            "The runs follow different protocols: their figures are not comparable.",
        );
    }
    if let Some(first) = records.first() {
        warn_if(
            differ(&|run| (run.data.sha256, run.data.classes) != (first.data.sha256, first.data.classes)),
            "The runs were made on different data: their figures are not comparable.",
        );
    }
    warn_if(
        machines > 1,
        "The runs were made on several kinds of machine: their times are neither averaged nor compared.",
    );
    for record in records {
        let (model, run) = (record.model, record.in_words());
        warnings.extend(record.warnings.iter().map(|warning| format!("{model}, {run}: {warning}")));
    }
    warnings
}

/// What programs are told of a run that diverged.
#[derive(Serialize)]
struct Failure<'a> {
    model: &'a str,
    seed: u64,
    epoch: usize,
    problem: &'a str,
}

fn failures<S: Serializer>(failed: &&[FailedRun], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_seq(failed.iter().map(|run| Failure {
        model: &run.specification.model,
        seed: run.specification.seed,
        epoch: run.epoch,
        problem: &run.problem,
    }))
}

fn missed_by_every_run<S: Serializer>(
    hard_images: &Option<HardImages>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    hard_images.as_ref().map(HardImages::missed_by_every_run).serialize(serializer)
}
