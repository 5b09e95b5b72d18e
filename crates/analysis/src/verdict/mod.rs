//! Which of two models is better, by how much, and how surely.
//!
//! # The rule
//! Per pair of models, the runs that share their seed, data, protocol and test labels give a table of differences
//! `[runs, images]`, and [`stats::crossed_estimate`] its mean, its interval and its p-value, of the measure that decides
//! ([`stats::PairedAnswers`] and [`stats::PairedLosses`] where that is not accuracy); with one run the interval
//! covers the choice of test images only. Over all m pairs of a study Holm's procedure decides at an overall level of
//! 5 %. Each interval is drawn at the level at which Holm tests its pair, between 95 % and 1 - 5 %/m, so it excludes zero
//! exactly where the corrected p-value is at most 0.05. The interval then decides:
//!
//! 1. wholly inside the region of practical equivalence (±0.05 points unless the question or the data set says otherwise,
//!    [`Thresholds::of`]): practically equal, even where it excludes zero, for a difference that small decides
//!    nothing (a p-value of at most 0.05 then says that the difference is real);
//! 2. wholly above or below zero: better, of log-loss the model that has less (p ≤ 0.05);
//! 3. otherwise: cannot tell (p > 0.05).
//!
//! The sentence prints as many decimals, at least two, as it takes for the printed interval to give the same outcome.
//!
//! The runs of a cross-validation are paired by repetition and fold. Their training sets overlap, so neither the table of images nor
//! Student's test over runs holds: [`stats::corrected_resampled_t`] gives interval and p-value in their place, over the differences of the
//! measure fold by fold. The standard error is at least that of two images on which the models differ, one in favour of each: folds that all agree
//! would else be certain.
//!
//! Runs of two models on the same test images of which none shares its seed or name with one of the other model are compared all the
//! same, by [`stats::unpaired_estimate`], whose interval allows for the seeds of each model by itself.
//!
//! Training times follow the same rule: of the pairs made on one kind of machine the geometric mean of the ratios of seconds,
//! Student's interval over their logarithms at the level at which Holm's procedure over all pairs of models tests it. One model is
//! said to train faster only where that interval excludes 1, so never from one pair of runs, and never of one network under two
//! names. The sentence names the level of each interval.
//!
//! Runs that diverged are in no figure. Since those that remain are the ones that went well, the sentence says so.

mod pairing;
mod sentence;
mod speed;

use crate::{
    Run,
    partner::CrossValidation,
    thresholds::{Thresholds, equivalence_margin},
};
use pairing::{Estimate, Pairing, Table, usable_runs};
use records::{question::Measure, record::FailedRun};
use sentence::{outlook, sentence};
use serde::{Deserialize, Serialize};
pub use speed::{Faster, TrainingTime};
use stats::StatsError;

/// Two models of a study, judged on their paired runs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Comparison {
    /// The first model.
    pub a: String,
    /// The second model.
    pub b: String,
    /// Pairs of runs that share their seed, fold or name.
    pub runs: usize,
    /// Runs of `a` and of `b`, where none of them has such a partner; there is no such field where they are paired.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unpaired_runs: Option<[usize; 2]>,
    /// What decides.
    #[serde(default)]
    pub measure: Measure,
    /// Mean over the paired runs of that measure of `a` minus that of `b`, as a fraction, of log-loss in nats; so are all figures below.
    pub difference: f64,
    /// Interval of the difference at `confidence`: lower and upper end.
    pub interval: [f64; 2],
    /// Confidence of the interval: 0.95, and with several comparisons the level at which Holm's method tests this one.
    pub confidence: f64,
    /// Half the region of practical equivalence.
    pub equivalence_margin: f64,
    /// What the interval allows for.
    pub interval_covers: Coverage,
    /// Standard error of the difference from the runs' seeds: none with one run.
    pub seed_standard_error: Option<f64>,
    /// Standard error of the difference from the choice of test images; none of a cross-validation.
    pub image_standard_error: Option<f64>,
    /// 95 % interval by the paired two-way bootstrap over runs and images; without a part in the decision,
    /// because with few runs it is too narrow. None of a cross-validation, whose runs share no test images.
    pub bootstrap_interval: Option<[f64; 2]>,
    /// Confidence of that interval.
    #[serde(default)]
    pub bootstrap_confidence: Option<f64>,
    /// Student's paired test over the runs, which allows for other seeds alone; from three runs on, and never of a cross-validation,
    /// whose runs share images that they learn from.
    pub paired_t: Option<PairedRuns>,
    /// How often a run of `a` outperforms its partner of `b`; from three pairs on, without a part in the decision.
    pub outperforming: Option<Outperforms>,
    /// The cross-validation that the runs are of; there is no such field where they are of none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cross_validation: Option<CrossValidation>,
    /// Two-sided, corrected by Holm's method when a study makes several comparisons.
    pub p_value: f64,
    /// How the p-value allows for the study's other comparisons.
    #[serde(default)]
    pub p_adjustment: Adjustment,
    /// How many comparisons the p-value is corrected for: 1 where it is as the test gave it.
    pub corrected_for: usize,
    /// McNemar's exact test of each pair of runs, by seed in ascending order, where accuracy decides: uncorrected, and without a part in the
    /// decision, because it takes the two trained networks as they are and not as examples of their models.
    pub mcnemar_p_values: Vec<f64>,
    /// How those allow for each other: not at all.
    #[serde(default)]
    pub mcnemar_p_adjustment: Adjustment,
    /// The decision behind the sentence.
    pub outcome: Outcome,
    /// When the runs cannot tell: about how many more of each model would, at 80 % power and the interval's confidence,
    /// were the true difference and scatter those found. None with one run, and where test images limit the answer.
    pub further_runs: Option<u64>,
    /// Runs of `a` and of `b` that diverged: they are in no figure.
    pub diverged: [usize; 2],
    /// Training seconds of `a` divided by those of `b`, [`TrainingTime::ratio`]; none where no two clocks can be compared.
    pub train_seconds_ratio: Option<f64>,
    /// How their training times compare, where they can be.
    pub training_time: Option<TrainingTime>,
    /// The result in one sentence.
    pub verdict: String,
}

/// Student's paired test over runs.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct PairedRuns {
    /// Interval of the difference at `confidence`.
    pub interval: [f64; 2],
    /// 0.95.
    #[serde(default)]
    pub confidence: f64,
    /// Two-sided.
    pub p_value: f64,
    /// How it allows for the study's other comparisons: not at all.
    #[serde(default)]
    pub p_adjustment: Adjustment,
}

/// How a p-value allows for the other comparisons of its study.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Adjustment {
    /// Not at all: it is as the test gave it.
    #[default]
    None,
    /// By Holm's method.
    Holm,
}

impl Adjustment {
    /// Of one of so many p-values.
    fn over(count: usize) -> Self {
        if count > 1 { Self::Holm } else { Self::None }
    }
}

/// How often one model outperforms another: [`stats::probability_of_outperforming`].
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Outperforms {
    /// The fraction of pairs, ties counted half.
    pub probability: f64,
    /// Its interval at `confidence` by the bootstrap over pairs; from [`stats::MEANINGFUL`] on a difference matters.
    pub interval: [f64; 2],
    /// 0.95.
    #[serde(default)]
    pub confidence: f64,
}

/// The sources of variation that an interval allows for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Coverage {
    /// One run of each model: other test images, not other seeds.
    Images,
    /// Several runs: other seeds and other test images.
    RunsAndImages,
    /// A cross-validation: other divisions of the images, and what else differs from fold to fold.
    Folds,
}

/// What the paired runs support.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// The whole interval lies on the side of zero where `a` is better: above, of log-loss below.
    ABetter,
    /// The whole interval lies on the other side.
    BBetter,
    /// The whole interval lies within the region of practical equivalence.
    PracticallyEqual,
    /// The interval holds zero.
    CannotTell,
}

impl Outcome {
    /// Decides by an interval and the margin of equivalence, both in the measure's unit.
    fn of(measure: Measure, [lower, upper]: [f64; 2], margin: f64) -> Self {
        let (higher, lower_one) = match measure.larger_is_better() {
            true => (Outcome::ABetter, Outcome::BBetter),
            false => (Outcome::BBetter, Outcome::ABetter),
        };
        if lower >= -margin && upper <= margin {
            Outcome::PracticallyEqual
        } else if lower > 0.0 {
            higher
        } else if upper < 0.0 {
            lower_one
        } else {
            Outcome::CannotTell
        }
    }
}

/// All comparisons of a study.
#[derive(Debug, Clone, PartialEq)]
pub struct Judgement {
    /// Every pair of models with at least one pair of runs, models in the order of their first record.
    pub comparisons: Vec<Comparison>,
    /// What a reader of the comparisons must know: runs left out and why, models or times that cannot be compared,
    /// widened intervals.
    pub notes: Vec<String>,
}

/// Compares all pairs of models on their paired runs, by the rule of this [module](self). Of the runs that `failed` the
/// comparisons say how many there are.
pub fn judge<'a, R: Into<Run<'a>>>(
    runs: impl IntoIterator<Item = R>,
    failed: &[FailedRun],
    thresholds: &Thresholds,
) -> Judgement {
    let mut notes = Vec::new();
    let runs = Run::all(runs);
    let models = usable_runs(&runs, thresholds.decide_by, &mut notes);
    let mut pairings = Vec::new();
    for (index, a) in models.iter().enumerate() {
        for b in &models[index + 1..] {
            let Some(pairing) = Pairing::new(a, b, failed, &mut notes) else { continue };
            match pairing.folds() {
                Some(_) if pairing.runs.len() < 2 => notes.push(format!(
                    "{} and {} are not compared: of a cross-validation at least two folds are needed, 1 found.",
                    pairing.a, pairing.b
                )),
                _ => pairings.push(pairing),
            }
        }
    }
    let mut of_times = Vec::new();
    let comparisons = compare(&pairings, failed, thresholds, &mut of_times)
        .expect("paired runs have test images, predictions to match and p-values from 0 to 1");
    if comparisons.len() > 1 {
        notes.push(format!(
            "{} comparisons: p-values are corrected by Holm's method, and each interval is widened to the level at which that method \
             tests it.",
            comparisons.len()
        ));
    }
    notes.extend(of_times);
    Judgement { comparisons, notes }
}

/// Two classifiers as they are, compared on the same images.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct OnePair {
    /// Accuracy of the first minus that of the second, as a fraction.
    pub difference: f64,
    /// Interval of the difference at `confidence` over the choice of images: lower and upper end, as fractions.
    pub interval: [f64; 2],
    /// 0.95.
    pub confidence: f64,
    /// Of no difference, by the interval's rule.
    pub p_value: f64,
    /// How both p-values allow for other comparisons: not at all, there is this one.
    pub p_adjustment: Adjustment,
    /// McNemar's exact test.
    pub mcnemar_p_value: f64,
    /// Images that only the first gets right, and that only the second does.
    pub discordant: [u64; 2],
    /// The decision by the interval.
    pub outcome: Outcome,
}

/// Compares two classifiers by who was right, image by image.
///
/// # Errors
/// No image, or different numbers of them.
pub fn judge_one_pair(first: &[bool], second: &[bool]) -> Result<OnePair, StatsError> {
    let table = stats::PairedDifferences::from_correctness(&[first], &[second])?;
    let estimate = stats::crossed_estimate(&table);
    let Thresholds { confidence, .. } = Thresholds::default();
    let interval = estimate.interval(confidence)?;
    let [only_first, only_second] = table.discordant()[0];
    Ok(OnePair {
        difference: estimate.mean,
        interval: [interval.lower, interval.upper],
        confidence,
        p_value: estimate.p_value(),
        p_adjustment: Adjustment::None,
        mcnemar_p_value: stats::mcnemar_exact(only_first, only_second),
        discordant: [only_first, only_second],
        outcome: Outcome::of(
            Measure::Accuracy,
            [100.0 * interval.lower, 100.0 * interval.upper],
            100.0 * equivalence_margin(first.len()),
        ),
    })
}

/// With two runs an interval of one degree of freedom would say nothing.
const FEWEST_RUNS_FOR_T: usize = 3;

fn paired_runs(
    table: &Table,
    estimate: Option<&stats::CrossedEstimate>,
    confidence: f64,
) -> Result<Option<PairedRuns>, StatsError> {
    let Some(estimate) = estimate else { return Ok(None) };
    if estimate.runs < FEWEST_RUNS_FOR_T {
        return Ok(None);
    }
    let test = stats::paired_t(&table.run_differences(), confidence)?;
    let interval = test.interval.within(-estimate.largest, estimate.largest);
    let (interval, p_value) = ([interval.lower, interval.upper], test.p_value);
    Ok(Some(PairedRuns { interval, confidence, p_value, p_adjustment: Adjustment::None }))
}

fn outperforming(
    measure: Measure,
    differences: &[f64],
    confidence: f64,
) -> Result<Option<Outperforms>, StatsError> {
    if differences.len() < FEWEST_RUNS_FOR_T {
        return Ok(None);
    }
    let sign = if measure.larger_is_better() { 1.0 } else { -1.0 };
    let ahead: Vec<f64> = differences.iter().map(|difference| sign * difference).collect();
    let found = stats::probability_of_outperforming(&ahead, confidence)?;
    let interval = [found.interval.lower, found.interval.upper];
    Ok(Some(Outperforms { probability: found.probability, interval, confidence }))
}

fn compare(
    pairings: &[Pairing],
    failed: &[FailedRun],
    thresholds: &Thresholds,
    notes: &mut Vec<String>,
) -> Result<Vec<Comparison>, StatsError> {
    let measure = thresholds.decide_by;
    let tables = pairings.iter().map(|pairing| pairing.table(measure)).collect::<Result<Vec<_>, _>>()?;
    let estimates = tables.iter().map(Table::estimate).collect::<Result<Vec<_>, _>>()?;
    let p_values: Vec<f64> = estimates.iter().map(Estimate::p_value).collect();
    let corrected = stats::holm(&p_values)?;
    let levels = stats::holm_levels(&p_values, thresholds.significance)?;
    let times = speed::training_times(pairings, thresholds, notes)?;
    let diverged = |model: &str| failed.iter().filter(|run| run.specification.model == model).count();
    (0..pairings.len())
        .map(|index| {
            let (pairing, estimate, level) = (&pairings[index], &estimates[index], levels[index]);
            let interval = estimate.interval(1.0 - level)?;
            let [lower, upper, margin] = [interval.lower, interval.upper, thresholds.equivalence_margin]
                .map(|value| measure.scale() * value);
            let outcome = Outcome::of(measure, [lower, upper], margin);
            let crossed = estimate.crossed();
            let further_runs = match (outcome, crossed) {
                (Outcome::CannotTell, Some(crossed)) => {
                    stats::crossed_further_runs(crossed, level, thresholds.power)?
                }
                _ => None,
            };
            let [seed_standard_error, image_standard_error] = estimate.standard_errors();
            let run_differences = tables[index].run_differences();
            let bootstrap = tables[index].bootstrap(thresholds.confidence)?;
            let mut comparison = Comparison {
                a: pairing.a.to_owned(),
                b: pairing.b.to_owned(),
                runs: pairing.runs.len(),
                unpaired_runs: pairing.unpaired.as_ref().map(|[a, b]| [a.len(), b.len()]),
                measure,
                difference: estimate.mean(),
                interval: [interval.lower, interval.upper],
                confidence: 1.0 - level,
                equivalence_margin: thresholds.equivalence_margin,
                interval_covers: estimate.covers(),
                seed_standard_error,
                image_standard_error,
                bootstrap_interval: bootstrap.map(|interval| [interval.lower, interval.upper]),
                bootstrap_confidence: bootstrap.map(|_| thresholds.confidence),
                paired_t: paired_runs(&tables[index], crossed, thresholds.confidence)?,
                outperforming: outperforming(measure, &run_differences, thresholds.confidence)?,
                cross_validation: pairing.folds(),
                p_value: corrected[index],
                p_adjustment: Adjustment::over(pairings.len()),
                corrected_for: pairings.len(),
                mcnemar_p_values: tables[index].mcnemar(),
                mcnemar_p_adjustment: Adjustment::None,
                outcome,
                further_runs,
                diverged: [diverged(pairing.a), diverged(pairing.b)],
                train_seconds_ratio: times[index].as_ref().map(|time| time.ratio),
                training_time: times[index].clone(),
                verdict: String::new(),
            };
            let outlook = match estimate.crossed() {
                Some(crossed) => outlook(&comparison, crossed, thresholds.power)?,
                None => None,
            };
            comparison.verdict = sentence(&comparison, outlook);
            Ok(comparison)
        })
        .collect()
}
