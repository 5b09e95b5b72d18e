//! Models ranked over several data sets.

use crate::{Run, measures::value, thresholds::Thresholds};
use records::{
    question::{Measure, Question},
    record::RunRecord,
};
use serde::Serialize;
use stats::StatsError;

/// Draws of the posterior: its probabilities are then within half a percentage point.
const DRAWS: usize = 20_000;

/// How models fare over data sets.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Across {
    /// The data sets, in their order.
    pub datasets: Vec<String>,
    /// The measure by which models are ranked and compared.
    pub decided_by: Measure,
    /// Half the region of practical equivalence, as a fraction, of log-loss in nats.
    pub equivalence_margin: f64,
    /// Models with a run on each of them, the best mean rank first.
    pub models: Vec<AcrossModel>,
    /// Models that have runs on some of the data sets alone: they have no rank.
    pub left_out: Vec<LeftOut>,
    /// p-value of Friedman's test that all models are alike; none below two models.
    pub friedman_p_value: Option<f64>,
    /// Each pair of models, the one of the better rank first.
    pub pairs: Vec<AcrossPair>,
    /// What of the plans no figure has, by data sets, in words; the report of each says more.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub incomplete: Vec<String>,
}

/// A model without a result on each data set.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LeftOut {
    /// The model.
    pub model: String,
    /// The data sets on which it has none.
    pub datasets: Vec<String>,
}

/// One model over the data sets.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct AcrossModel {
    /// The model.
    pub model: String,
    /// Mean over the data sets of its place in each, 1 being the best; equal ones share theirs.
    pub mean_rank: f64,
    /// Mean test accuracy on each data set, as a fraction.
    pub accuracies: Vec<f64>,
    /// Mean of the measure that decides on each data set, as a fraction, of log-loss in nats.
    pub values: Vec<f64>,
}

/// Two models over the data sets: the posterior of the Bayesian signed-rank test with the region of practical equivalence.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct AcrossPair {
    /// One model.
    pub a: String,
    /// The other.
    pub b: String,
    /// Mean difference of their values of the measure, a − b.
    pub difference: f64,
    /// Probability that a is better on such data sets.
    pub a_better: f64,
    /// Probability that they are practically equal.
    pub equal: f64,
    /// Probability that b is better.
    pub b_better: f64,
}

/// Ranks the models that have runs on every data set.
///
/// # Errors
/// When an accuracy is not a number.
pub fn across(studies: &[(String, Vec<RunRecord>)], question: &Question) -> Result<Across, StatsError> {
    let measure = question.decide_by;
    // What is nothing on one data set may be something on another: the widest region calls equal what is nothing on each.
    let margins = studies.iter().map(|(_, records)| Thresholds::of(records, question).equivalence_margin);
    let equivalence_margin = margins.fold(0.0, f64::max);
    let datasets: Vec<String> = studies.iter().map(|(dataset, _)| dataset.clone()).collect();
    let mut models: Vec<AcrossModel> = Vec::new();
    let mut left_out: Vec<LeftOut> = Vec::new();
    for record in studies.iter().flat_map(|(_, records)| records) {
        let name = &record.specification.model;
        if models.iter().any(|model| model.model == *name) || left_out.iter().any(|out| out.model == *name) {
            continue;
        }
        let model = name.clone();
        let of = |measure| studies.iter().map(move |(_, records)| mean_of(records, name, measure));
        let means: Vec<Option<f64>> = of(measure).collect();
        match (of(Measure::Accuracy).collect(), means.iter().copied().collect()) {
            (Some(accuracies), Some(values)) => {
                models.push(AcrossModel { model, mean_rank: 1.0, accuracies, values });
            }
            _ => {
                let without = datasets.iter().zip(&means).filter(|(_, mean)| mean.is_none());
                let datasets = without.map(|(dataset, _)| dataset.clone()).collect();
                left_out.push(LeftOut { model, datasets });
            }
        }
    }
    let mut friedman_p_value = None;
    if models.len() >= 2 && studies.len() >= 2 {
        // The best has the first rank: of log-loss the lowest.
        let sign = if measure.larger_is_better() { 1.0 } else { -1.0 };
        let scores = |dataset: usize| models.iter().map(|model| sign * model.values[dataset]).collect();
        let scores: Vec<Vec<f64>> = (0..studies.len()).map(scores).collect();
        let friedman = stats::friedman(&scores)?;
        friedman_p_value = Some(friedman.p_value);
        for (model, rank) in models.iter_mut().zip(friedman.mean_ranks) {
            model.mean_rank = rank;
        }
    }
    models.sort_by(|one, other| one.mean_rank.total_cmp(&other.mean_rank));
    let mut pairs = Vec::new();
    for (place, one) in models.iter().enumerate() {
        for other in &models[place + 1..] {
            pairs.push(pair(one, other, measure, equivalence_margin)?);
        }
    }
    Ok(Across {
        datasets,
        decided_by: measure,
        equivalence_margin,
        models,
        left_out,
        friedman_p_value,
        pairs,
        incomplete: Vec::new(),
    })
}

fn pair(
    one: &AcrossModel,
    other: &AcrossModel,
    measure: Measure,
    margin: f64,
) -> Result<AcrossPair, StatsError> {
    let differences: Vec<f64> = one.values.iter().zip(&other.values).map(|(a, b)| a - b).collect();
    let posterior = stats::bayesian_signed_rank(&differences, margin, DRAWS, 1)?;
    let (a_better, b_better) = match measure.larger_is_better() {
        true => (posterior.first_better, posterior.second_better),
        false => (posterior.second_better, posterior.first_better),
    };
    Ok(AcrossPair {
        a: one.model.clone(),
        b: other.model.clone(),
        difference: differences.iter().sum::<f64>() / differences.len() as f64,
        a_better,
        equal: posterior.equivalent,
        b_better,
    })
}

fn mean_of(records: &[RunRecord], model: &str, measure: Measure) -> Option<f64> {
    let runs: Vec<f64> = records
        .iter()
        .filter(|record| record.specification.model == model)
        .map(|record| value(measure, &Run::from(record)))
        .collect();
    (!runs.is_empty()).then(|| runs.iter().sum::<f64>() / runs.len() as f64)
}
