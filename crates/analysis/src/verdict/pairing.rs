//! Which runs of two models belong together, and which are left out and why.

use super::Coverage;
use crate::{
    Run,
    measures::{classes_of, losses, value},
    partner::{CrossValidation, Partner},
};
use records::{
    question::Measure,
    record::{FailedRun, Protocol},
};
use stats::{
    ClassCounts, CorrectedResampledT, CountMeasure, CrossedEstimate, Interval, PairedAnswers,
    PairedDifferences, PairedLosses, StatsError, UnpairedEstimate,
};
use std::ptr;

/// Resamples of the bootstrap: its interval's ends are then good to a hundredth of its width.
const RESAMPLES: usize = 10_000;

/// The same of a measure that each resample computes anew, which takes longer: to two hundredths.
const RESAMPLES_COMPUTED_ANEW: usize = 2_000;

/// The same resamples for the same records.
const BOOTSTRAP_SEED: u64 = 0x6d6e_6973_7421;

/// A model and its runs, in the order of the records.
pub(super) struct Model<'a> {
    name: &'a str,
    runs: Vec<Run<'a>>,
}

/// What two runs must share, beside the seed, to be compared image by image. Runs on the folds of a cross-validation share its number of
/// folds, and each its labels and images with its partner alone.
struct Setting<'a> {
    data: &'a str,
    /// None of another program's runs, which may be compared with any.
    protocol: Option<Protocol>,
    folds: Option<usize>,
    labels: &'a [u8],
}

impl PartialEq for Setting<'_> {
    fn eq(&self, other: &Self) -> bool {
        (self.data, self.folds, self.labels) == (other.data, other.folds, other.labels)
            && self.shares_protocol(other)
    }
}

impl<'a> Setting<'a> {
    fn of(run: &Run<'a>) -> Self {
        Self {
            data: run.data.sha256,
            protocol: run.protocol(),
            folds: run.fold().map(|fold| fold.folds),
            labels: if run.fold().is_some() { &[] } else { &run.test.labels },
        }
    }

    fn shares_protocol(&self, other: &Self) -> bool {
        self.protocol.is_none() || other.protocol.is_none() || self.protocol == other.protocol
    }

    /// The first thing that two different settings do not share.
    fn unshared(&self, other: &Self) -> &'static str {
        if self.data != other.data {
            "data"
        } else if !self.shares_protocol(other) {
            "protocol"
        } else if self.folds != other.folds {
            "number of folds"
        } else {
            "test labels"
        }
    }
}

/// Sorts the runs by model and leaves out those that no comparison can use.
pub(super) fn usable_runs<'a>(
    records: &[Run<'a>],
    measure: Measure,
    notes: &mut Vec<String>,
) -> Vec<Model<'a>> {
    let mut models: Vec<Model> = Vec::new();
    let mut left_out = LeftOut::default();
    for &run in records {
        let name = run.model;
        let index = models.iter().position(|model| model.name == name).unwrap_or_else(|| {
            models.push(Model { name, runs: Vec::new() });
            models.len() - 1
        });
        let runs = &mut models[index].runs;
        let way = |run: &Run<'a>| run.specification().map(|run| (&run.layers, &run.recipe));
        let reason = if run.test.labels.is_empty() || run.test.labels.len() != run.test.predictions.len() {
            Some("its test labels and predictions do not match")
        } else if measure == Measure::LogLoss && losses(&run).is_none() {
            Some("it has no finite loss, or no probabilities to its test labels")
        } else if runs.first().is_some_and(|first| way(first) != way(&run)) {
            Some("its layers or recipe are not those of the model's first run")
        } else if runs
            .iter()
            .any(|other| other.partner == run.partner && Setting::of(other) == Setting::of(&run))
        {
            Some(match run.partner {
                Partner::Seed(_) => "the model has another run with the same seed",
                Partner::Fold(_) => "the model has another run on the same fold",
                Partner::Name(_) => "the model has another run with the same name",
            })
        } else {
            None
        };
        match reason {
            Some(reason) => left_out.push(name, format!("left out: {reason}"), run.partner),
            None => runs.push(run),
        }
    }
    left_out.into_notes(notes);
    models
}

/// Runs left out, gathered by model and reason.
#[derive(Default)]
struct LeftOut<'a> {
    groups: Vec<(String, String, Vec<Partner<'a>>)>,
}

impl<'a> LeftOut<'a> {
    fn push(&mut self, model: &str, reason: String, run: Partner<'a>) {
        match self.groups.iter_mut().find(|group| group.0 == model && group.1 == reason) {
            Some(group) => group.2.push(run),
            None => self.groups.push((model.to_owned(), reason, vec![run])),
        }
    }

    fn into_notes(self, notes: &mut Vec<String>) {
        notes.extend(self.groups.into_iter().map(|(model, reason, runs)| {
            let plural = if runs.len() == 1 { "" } else { "s" };
            let noun = runs.first().map_or("seed", |run| run.shared());
            let runs: Vec<String> = runs.iter().map(Partner::to_string).collect();
            format!("{model}, {noun}{plural} {}: {reason}.", runs.join(", "))
        }));
    }
}

/// Two models and the runs of one setting that share their seeds or folds, in ascending order.
pub(super) struct Pairing<'a> {
    pub(super) a: &'a str,
    pub(super) b: &'a str,
    pub(super) runs: Vec<(Run<'a>, Run<'a>)>,
    /// Where no run has a partner: the runs of each on the same test images.
    pub(super) unpaired: Option<[Vec<Run<'a>>; 2]>,
}

impl<'a> Pairing<'a> {
    /// Pairs the runs of the setting that has the most pairs, the first such one; `None` if no runs can be paired.
    pub(super) fn new(
        a: &Model<'a>,
        b: &Model<'a>,
        failed: &[FailedRun],
        notes: &mut Vec<String>,
    ) -> Option<Self> {
        let mut runs = Vec::new();
        for first in &a.runs {
            let pairs = paired(a, b, &Setting::of(first));
            if pairs.len() > runs.len() {
                runs = pairs;
            }
        }
        let Some((first, _)) = runs.first() else {
            if let Some(unpaired) = unpaired(a, b) {
                return Some(Self { a: a.name, b: b.name, runs, unpaired: Some(unpaired) });
            }
            notes.push(format!("{} and {} are not compared: {}.", a.name, b.name, why_unpaired(a, b)));
            return None;
        };
        let setting = Setting::of(first);
        let mut left_out = LeftOut::default();
        for (model, other) in [(a, b), (b, a)] {
            for run in &model.runs {
                if runs.iter().any(|(first, second)| {
                    [first, second].iter().any(|paired| ptr::eq(paired.test, run.test))
                }) {
                    continue;
                }
                let own = Setting::of(run);
                let reason = if own != setting {
                    format!("it was not made with the {} of the runs compared", own.unshared(&setting))
                } else if let Some(partner) = other.runs.iter().find(|partner| is_partner(partner, run)) {
                    format!(
                        "the run of {} with the same {} was not made with the {} of the runs compared",
                        other.name,
                        run.partner.shared(),
                        unshared(partner, run, &setting)
                    )
                } else if failed.iter().any(|failed| {
                    let failed = &failed.specification;
                    let partner = failed.fold.map_or(Partner::Seed(failed.seed), Partner::Fold);
                    failed.model == other.name && partner == run.partner
                }) {
                    format!("the run of {} with the same {} diverged", other.name, run.partner.shared())
                } else {
                    format!("{} has no run with the same {}", other.name, run.partner.shared())
                };
                left_out.push(
                    model.name,
                    format!("left out of the comparison with {}: {reason}", other.name),
                    run.partner,
                );
            }
        }
        left_out.into_notes(notes);
        Some(Self { a: a.name, b: b.name, runs, unpaired: None })
    }

    /// The cross-validation that the runs are of, if they are of one.
    pub(super) fn folds(&self) -> Option<CrossValidation> {
        CrossValidation::of(self.runs.iter().map(|(run, _)| run))
    }

    /// By what the measure is that decides.
    pub(super) fn table(&self, measure: Measure) -> Result<Table, StatsError> {
        if let Some(unpaired) = &self.unpaired {
            return Table::unpaired(measure, unpaired);
        }
        if let Some(folds) = self.folds() {
            let difference = |(a, b): &(Run, Run)| value(measure, a) - value(measure, b);
            let largest = if measure == Measure::LogLoss { f64::INFINITY } else { 1.0 };
            // Folds that agree by luck, or because both models guess, have an error all the same: that of two invented images on which
            // the models differ, as over test images.
            let first = |run: &&Run| run.fold().is_some_and(|fold| fold.repeat == 1);
            let images = self.runs.iter().map(|(run, _)| run).filter(first).map(|run| run.test.labels.len());
            let images = images.sum::<usize>() as f64;
            let least = if measure == Measure::LogLoss {
                0.0
            } else {
                (2.0 / ((images + 1.0) * (images + 2.0))).sqrt()
            };
            return Ok(Table::Folds(self.runs.iter().map(difference).collect(), folds, largest, least));
        }
        Ok(match measure {
            Measure::Accuracy => Table::Accuracy(self.differences()?),
            Measure::BalancedAccuracy => Table::Answers(self.answers()?, ClassCounts::balanced_accuracy),
            Measure::MacroF1 => Table::Answers(self.answers()?, ClassCounts::macro_f1),
            Measure::LogLoss => {
                let of_pair = |(a, b): &(Run, Run)| -> Vec<f64> {
                    let [a, b] = [a, b].map(|run| losses(run).unwrap_or_default());
                    a.into_iter().zip(b).map(|(a, b)| a - b).collect()
                };
                Table::Losses(PairedLosses::new(self.runs.iter().map(of_pair).collect())?)
            }
        })
    }

    fn answers(&self) -> Result<PairedAnswers, StatsError> {
        let classes = classes_of(self.runs.iter().flat_map(|&(a, b)| [a, b]));
        let answers = |run: &Run<'a>| run.test.predictions.as_slice();
        let (first, second): (Vec<_>, Vec<_>) =
            self.runs.iter().map(|(a, b)| (answers(a), answers(b))).unzip();
        PairedAnswers::new(classes, &self.runs[0].0.test.labels, &first, &second)
    }

    fn differences(&self) -> Result<PairedDifferences, StatsError> {
        let right = |run: &Run| -> Vec<bool> {
            run.test.predictions.iter().zip(&run.test.labels).map(|(given, label)| given == label).collect()
        };
        let (first, second): (Vec<_>, Vec<_>) = self.runs.iter().map(|(a, b)| (right(a), right(b))).unzip();
        PairedDifferences::from_correctness(&first, &second)
    }

    /// Whether the two models have the same layers and the same recipe: their runs then have the same bits.
    pub(super) fn is_one_network(&self) -> bool {
        let Some((a, b)) = self.runs.first() else { return false };
        let [a, b] = [a, b].map(Run::specification);
        let (Some(a), Some(b)) = (a, b) else { return false };
        a.layers == b.layers && a.recipe == b.recipe
    }
}

/// The differences of two models, run by run and image by image, of the measure that decides.
pub(super) enum Table {
    /// Who was right.
    Accuracy(PairedDifferences),
    /// What was answered, of which the measure is a function.
    Answers(PairedAnswers, CountMeasure),
    /// What each image cost.
    Losses(PairedLosses),
    /// Of each fold of a cross-validation the difference of the measure, which is at most so large, and the least standard error of their mean.
    Folds(Vec<f64>, CrossValidation, f64, f64),
    /// Of runs without partners.
    Unpaired(UnpairedEstimate),
}

/// A mean difference and what is known of its error.
pub(super) enum Estimate {
    /// Over seeds and test images.
    Crossed(CrossedEstimate),
    /// Over the folds of a cross-validation; no difference is larger than the bound.
    Corrected(CorrectedResampledT, f64),
    /// Over test images and the seeds of each model by itself.
    Unpaired(UnpairedEstimate),
}

impl Estimate {
    pub(super) fn mean(&self) -> f64 {
        match self {
            Self::Crossed(estimate) => estimate.mean,
            Self::Corrected(estimate, _) => estimate.mean,
            Self::Unpaired(estimate) => estimate.mean,
        }
    }

    pub(super) fn interval(&self, confidence: f64) -> Result<Interval, StatsError> {
        match self {
            Self::Crossed(estimate) => estimate.interval(confidence),
            Self::Corrected(estimate, largest) => {
                Ok(estimate.interval(confidence)?.within(-largest, *largest))
            }
            Self::Unpaired(estimate) => estimate.interval(confidence),
        }
    }

    pub(super) fn p_value(&self) -> f64 {
        match self {
            Self::Crossed(estimate) => estimate.p_value(),
            Self::Corrected(estimate, _) => estimate.p_value(),
            Self::Unpaired(estimate) => estimate.p_value(),
        }
    }

    /// With its two sources of error apart; none of a cross-validation or of runs without partners.
    pub(super) fn crossed(&self) -> Option<&CrossedEstimate> {
        match self {
            Self::Crossed(estimate) => Some(estimate),
            Self::Corrected(..) | Self::Unpaired(_) => None,
        }
    }

    /// The standard errors from the runs' seeds and from the choice of test images, where they can be told apart.
    pub(super) fn standard_errors(&self) -> [Option<f64>; 2] {
        match self {
            Self::Crossed(estimate) => [estimate.run_standard_error, Some(estimate.image_standard_error)],
            Self::Corrected(..) => [None, None],
            Self::Unpaired(estimate) => {
                let [one, other] = estimate.run_standard_errors;
                let of_runs = one.zip(other).map(|(one, other)| one.hypot(other));
                [of_runs, Some(estimate.image_standard_error)]
            }
        }
    }

    /// What the interval allows for.
    pub(super) fn covers(&self) -> Coverage {
        match (self, self.standard_errors()) {
            (Self::Corrected(..), _) => Coverage::Folds,
            (_, [Some(_), _]) => Coverage::RunsAndImages,
            (_, [None, _]) => Coverage::Images,
        }
    }
}

impl Table {
    /// Of the runs of two models on the same test images.
    fn unpaired(measure: Measure, models: &[Vec<Run>; 2]) -> Result<Self, StatsError> {
        let labels = &models[0][0].test.labels;
        let classes = classes_of(models.iter().flatten().copied());
        let cells = |run: &Run| -> Result<Vec<f64>, StatsError> {
            let given = &run.test.predictions;
            match measure {
                Measure::Accuracy => Ok(given
                    .iter()
                    .zip(labels)
                    .map(|(given, label)| f64::from(u8::from(given == label)))
                    .collect()),
                Measure::BalancedAccuracy => {
                    stats::pseudovalues(labels, given, classes, ClassCounts::balanced_accuracy)
                }
                Measure::MacroF1 => stats::pseudovalues(labels, given, classes, ClassCounts::macro_f1),
                Measure::LogLoss => Ok(losses(run).unwrap_or_default()),
            }
        };
        let of_model = |runs: &Vec<Run>| runs.iter().map(cells).collect::<Result<Vec<_>, _>>();
        let (first, second) = (of_model(&models[0])?, of_model(&models[1])?);
        let added = match measure {
            Measure::Accuracy => 1.0,
            Measure::BalancedAccuracy | Measure::MacroF1 => {
                let counts = ClassCounts::of(labels, labels, classes)?;
                let sizes = (0..classes).map(|class| counts.images(class)).filter(|count| *count > 0);
                let (sum, occur) =
                    sizes.fold((0.0, 0.0), |(sum, occur), count| (sum + 1.0 / count as f64, occur + 1.0));
                (sum * labels.len() as f64).sqrt() / occur
            }
            Measure::LogLoss => {
                let pairs = first[0].iter().zip(&second[0]);
                let squares: f64 = pairs.map(|(a, b)| (a - b).powi(2)).sum();
                (squares / labels.len() as f64).sqrt()
            }
        };
        let largest = if measure == Measure::LogLoss { f64::INFINITY } else { 1.0 };
        Ok(Self::Unpaired(stats::unpaired_estimate(&first, &second, added, largest)?))
    }

    pub(super) fn estimate(&self) -> Result<Estimate, StatsError> {
        Ok(Estimate::Crossed(match self {
            Self::Accuracy(table) => stats::crossed_estimate(table),
            Self::Answers(table, measure) => table.crossed_estimate(*measure),
            Self::Losses(table) => table.crossed_estimate(),
            Self::Folds(differences, folds, largest, least) => {
                let mut estimate = stats::corrected_resampled_t(differences, folds.test_over_train())?;
                estimate.standard_error = estimate.standard_error.max(*least);
                return Ok(Estimate::Corrected(estimate, *largest));
            }
            Self::Unpaired(estimate) => return Ok(Estimate::Unpaired(*estimate)),
        }))
    }

    /// Of each pair of runs.
    pub(super) fn run_differences(&self) -> Vec<f64> {
        match self {
            Self::Accuracy(table) => table.run_means(),
            Self::Answers(table, measure) => table.run_differences(*measure),
            Self::Losses(table) => table.run_differences(),
            Self::Folds(differences, ..) => differences.clone(),
            Self::Unpaired(_) => Vec::new(),
        }
    }

    /// None of a cross-validation, whose runs share no test images, or of runs without partners.
    pub(super) fn bootstrap(&self, confidence: f64) -> Result<Option<Interval>, StatsError> {
        let result = match self {
            Self::Accuracy(table) => stats::two_way_bootstrap(table, confidence, RESAMPLES, BOOTSTRAP_SEED),
            Self::Answers(table, measure) => {
                table.bootstrap(*measure, confidence, RESAMPLES_COMPUTED_ANEW, BOOTSTRAP_SEED)
            }
            Self::Losses(table) => table.bootstrap(confidence, RESAMPLES_COMPUTED_ANEW, BOOTSTRAP_SEED),
            Self::Folds(..) | Self::Unpaired(_) => return Ok(None),
        };
        Ok(Some(result?.interval))
    }

    /// McNemar's exact test of each pair of runs: of accuracy alone.
    pub(super) fn mcnemar(&self) -> Vec<f64> {
        let Self::Accuracy(table) = self else { return Vec::new() };
        let test = |[only_a, only_b]: [u64; 2]| stats::mcnemar_exact(only_a, only_b);
        table.discordant().into_iter().map(test).collect()
    }
}

/// The runs of two models on the same test images, where no run has a partner by its name; none of folds.
fn unpaired<'a>(a: &Model<'a>, b: &Model<'a>) -> Option<[Vec<Run<'a>>; 2]> {
    if a.runs.iter().any(|run| b.runs.iter().any(|other| is_partner(run, other))) {
        return None;
    }
    a.runs.iter().filter(|run| run.fold().is_none()).find_map(|first| {
        let setting = Setting::of(first);
        let fitting = |model: &Model<'a>| -> Vec<Run<'a>> {
            let fits = |run: &&Run| Setting::of(run) == setting && are_tested_alike(run, first);
            model.runs.iter().filter(fits).copied().collect()
        };
        let (of_a, of_b) = (fitting(a), fitting(b));
        (!of_b.is_empty()).then_some([of_a, of_b])
    })
}

/// Whether two runs of different models belong together.
fn is_partner(one: &Run, other: &Run) -> bool {
    one.partner == other.partner
}

/// Whether partners were tested on the same images.
fn are_tested_alike(one: &Run, other: &Run) -> bool {
    one.test.labels == other.test.labels && one.test.images == other.test.images
}

/// The first thing that a run whose setting is another's does not share with it, or with its partner.
fn unshared(partner: &Run, run: &Run, setting: &Setting) -> &'static str {
    match Setting::of(partner) == *setting && !are_tested_alike(partner, run) {
        true => "test images",
        false => Setting::of(partner).unshared(setting),
    }
}

/// The runs of two models in one setting that share their seeds, by seed.
fn paired<'a>(a: &Model<'a>, b: &Model<'a>, setting: &Setting) -> Vec<(Run<'a>, Run<'a>)> {
    let of_setting = |model: &Model<'a>| -> Vec<Run<'a>> {
        model.runs.iter().copied().filter(|run| Setting::of(run) == *setting).collect()
    };
    let partners = of_setting(b);
    let mut pairs: Vec<_> = of_setting(a)
        .into_iter()
        .filter_map(|run| {
            let partner = |partner: &&Run| is_partner(partner, &run) && are_tested_alike(partner, &run);
            partners.iter().find(partner).map(|&partner| (run, partner))
        })
        .collect();
    pairs.sort_by_key(|(run, _)| run.partner);
    pairs
}

/// Why no run of one model has a partner among the other's.
fn why_unpaired(a: &Model, b: &Model) -> String {
    for model in [a, b] {
        if model.runs.is_empty() {
            return format!("no run of {} can be used", model.name);
        }
    }
    let twins = a.runs.iter().find_map(|run| {
        b.runs
            .iter()
            .find(|partner| is_partner(partner, run))
            .map(|partner| (run.partner.shared(), unshared(partner, run, &Setting::of(run))))
    });
    let shared = a.runs.first().map_or("seed", |run| run.partner.shared());
    match twins {
        Some((shared, unshared)) => {
            format!("their runs with the same {shared} do not share their {unshared}")
        }
        None => format!("they have no runs with the same {shared}"),
    }
}
