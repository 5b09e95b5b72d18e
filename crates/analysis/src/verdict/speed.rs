//! Which of two models trains faster, by the rule by which accuracies are compared.

use super::{Adjustment, pairing::Pairing};
use crate::{machine::MachineKind, thresholds::Thresholds};
use serde::{Deserialize, Serialize};
use stats::StatsError;

/// Training seconds of two models on one kind of machine.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TrainingTime {
    /// Pairs of runs whose clocks are compared.
    pub runs: usize,
    /// Seconds of `a` divided by those of `b`: the geometric mean over the pairs.
    pub ratio: f64,
    /// Interval of the ratio at `confidence`, Student's over the logarithms; none with one pair, whose noise is unknown.
    pub interval: Option<[f64; 2]>,
    /// As for accuracies: 0.95, and with several comparisons the level at which Holm's method tests this one.
    pub confidence: f64,
    /// Of equal times, two-sided, corrected by Holm's method over the study's comparisons; none with one pair.
    pub p_value: Option<f64>,
    /// How it allows for the study's other comparisons.
    #[serde(default)]
    pub p_adjustment: Adjustment,
    /// A model that trains faster by less than this factor is not called faster.
    pub notable_ratio: f64,
    /// Whether both models are one network under two names, trained alike: whatever their clocks say, neither is faster.
    pub same_network: bool,
}

/// The faster of two models, where their clocks decide it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Faster {
    /// Whether it is the first of the comparison.
    pub is_a: bool,
    /// How many times as long the other trains; above 1.
    pub times: f64,
    /// Interval of `times` at `confidence`, above 1.
    pub interval: [f64; 2],
    /// Of the interval.
    pub confidence: f64,
}

impl TrainingTime {
    /// Which model is faster: only where the interval excludes 1, and by the notable ratio at least.
    pub fn faster(&self) -> Option<Faster> {
        let [lower, upper] = self.interval.filter(|_| !self.same_network)?;
        let faster = |is_a, times, interval| {
            (times >= self.notable_ratio).then_some(Faster {
                is_a,
                times,
                interval,
                confidence: self.confidence,
            })
        };
        if lower > 1.0 {
            faster(false, self.ratio, [lower, upper])
        } else if upper < 1.0 {
            faster(true, 1.0 / self.ratio, [1.0 / upper, 1.0 / lower])
        } else {
            None
        }
    }
}

/// The clocks of each pairing, and what a reader must know of those that are not compared.
pub(super) fn training_times(
    pairings: &[Pairing],
    thresholds: &Thresholds,
    notes: &mut Vec<String>,
) -> Result<Vec<Option<TrainingTime>>, StatsError> {
    let logarithms: Vec<Vec<f64>> = pairings.iter().map(|pairing| comparable(pairing, notes)).collect();
    let tests = logarithms
        .iter()
        .map(|values| (values.len() > 1).then(|| stats::paired_t(values, thresholds.confidence)).transpose())
        .collect::<Result<Vec<_>, _>>()?;
    let p_values: Vec<f64> = tests.iter().flatten().map(|test| test.p_value).collect();
    let corrected = stats::holm(&p_values)?;
    let mut of_tested = corrected.into_iter().zip(stats::holm_levels(&p_values, thresholds.significance)?);
    let mut times = Vec::new();
    for ((pairing, values), test) in pairings.iter().zip(&logarithms).zip(tests) {
        let tested = test.and_then(|_| of_tested.next());
        let (p_value, level) = tested.unzip();
        let confidence = level.map_or(thresholds.confidence, |level| 1.0 - level);
        let interval = match level {
            Some(_) => {
                let interval = stats::t_interval(values, confidence)?;
                // Two clocks that agree by luck leave an interval of any width, an infinite one too.
                Some([interval.lower.exp(), interval.upper.exp().min(f64::MAX)])
            }
            None => None,
        };
        times.push((!values.is_empty()).then_some(TrainingTime {
            runs: values.len(),
            ratio: stats::mean(values).map_or(1.0, f64::exp),
            interval,
            confidence,
            p_value,
            p_adjustment: Adjustment::over(p_values.len()),
            notable_ratio: thresholds.notable_time_ratio,
            same_network: pairing.is_one_network(),
        }));
    }
    Ok(times)
}

/// Logarithms of the ratios of paired seconds: of the kind of machine that most pairs were made on, the first of such.
fn comparable(pairing: &Pairing, notes: &mut Vec<String>) -> Vec<f64> {
    let mut by_kind: Vec<(MachineKind, Vec<f64>)> = Vec::new();
    for (a, b) in &pairing.runs {
        let Some(kind) = a.machine.filter(|kind| b.machine == Some(*kind) && *kind != MachineKind::UNSTATED)
        else {
            continue;
        };
        let [a, b] = [a, b].map(|run| run.train_seconds.unwrap_or(0.0));
        let ratio = a / b;
        if !(a > 0.0 && b > 0.0 && ratio.ln().is_finite()) {
            continue;
        }
        match by_kind.iter_mut().find(|(known, _)| *known == kind) {
            Some((_, values)) => values.push(ratio.ln()),
            None => by_kind.push((kind, vec![ratio.ln()])),
        }
    }
    let kinds = MachineKind::all(pairing.runs.iter().flat_map(|(a, b)| [a, b])).len();
    let most = by_kind.iter().map(|(_, values)| values.len()).max().unwrap_or(0);
    let chosen = by_kind.into_iter().find(|(_, values)| values.len() == most);
    let (a, b, pairs) = (pairing.a, pairing.b, pairing.runs.len());
    match &chosen {
        None if kinds > 1 => notes.push(format!(
            "The training times of {a} and {b} come from {kinds} kinds of machine (processor, threads, kernels, operating system or \
             version) and are not compared."
        )),
        Some((kind, _)) if kinds > 1 => notes.push(format!(
            "The runs of {a} and {b} come from {kinds} kinds of machine: their training times are compared on {most} of {pairs} pairs of \
             runs, those of {kind}.",
        )),
        _ => {}
    }
    chosen.map_or_else(Vec::new, |(_, values)| values)
}
