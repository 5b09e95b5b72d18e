//! What follows where a plan was not carried out whole.

use crate::{Analysis, partner::Partner};
use records::left_out::LeftOut;
use std::collections::{BTreeMap, BTreeSet};

/// So many seeds of a model are named.
const NAMED: usize = 8;

/// That runs are missing or in conflict, what that takes from the comparisons, and how it may bias them; a sentence or two each.
pub(crate) fn incomplete(analysis: &Analysis, left_out: &LeftOut) -> Vec<String> {
    let LeftOut { missing, conflicts, apart } = left_out;
    let mut told = Vec::new();
    let there = analysis.runs.iter().filter(|run| run.record().is_some()).count();
    let planned = there + analysis.failed.len() + missing.len() + conflicts.len();
    if !missing.is_empty() {
        told.push(format!(
            "{} of {planned} planned runs {} missing ({}).",
            missing.len(),
            if missing.len() == 1 { "is" } else { "are" },
            by_model(missing.iter().map(|run| (run.model.as_str(), run.seed)))
        ));
    }
    if !conflicts.is_empty() {
        told.push(format!(
            "{} of {planned} planned runs {} results of different bits ({}), which one run cannot have: a machine, a disk or a file is faulty. \
             Until it is known which result is right, no figure has any of them.",
            conflicts.len(),
            if conflicts.len() == 1 { "has" } else { "have" },
            by_model(conflicts.iter().map(|run| (run.model.as_str(), run.seed)))
        ));
    }
    if missing.is_empty() && conflicts.is_empty() {
        return told;
    }
    let alone = unpaired(analysis);
    if alone > 0 {
        told.push(format!(
            "{alone} {} runs of some models and not of all: where two models are compared, {} is left out.",
            if alone == 1 { "seed has" } else { "seeds have" },
            if alone == 1 { "the run without a partner" } else { "every run without a partner" },
        ));
    }
    let mut biased = "Leaving out runs is itself a bias where they are missing for what they are, such as too slow for a time limit or too large \
                      for a machine; runs that are missing by chance only widen the intervals."
        .to_owned();
    if !apart.is_empty() {
        biased.push_str(" Records that another engine made stand apart and do not fill the gaps.");
    }
    told.push(biased);
    told
}

/// Seeds that some models have a run of, and not all.
fn unpaired(analysis: &Analysis) -> usize {
    let partners = |runs: &[crate::Run]| -> BTreeSet<String> {
        let known = runs.iter().filter(|run| !matches!(run.partner, Partner::Name(_)));
        known.map(|run| run.partner.to_string()).collect()
    };
    let of_models: Vec<BTreeSet<String>> = analysis
        .models
        .iter()
        .filter(|model| model.runs.iter().any(|run| run.record().is_some()))
        .map(|model| partners(&model.runs))
        .collect();
    let all: BTreeSet<&String> = of_models.iter().flatten().collect();
    all.into_iter().filter(|partner| of_models.iter().any(|of_model| !of_model.contains(*partner))).count()
}

/// `cnn: seeds 1, 2; lstm: seed 2`.
fn by_model<'a>(runs: impl Iterator<Item = (&'a str, u64)>) -> String {
    let mut of_model: BTreeMap<&str, Vec<u64>> = BTreeMap::new();
    for (model, seed) in runs {
        of_model.entry(model).or_default().push(seed);
    }
    let told = |(model, seeds): (&str, Vec<u64>)| {
        let named: Vec<String> = seeds.iter().take(NAMED).map(u64::to_string).collect();
        let more =
            if seeds.len() > NAMED { format!(" and {} more", seeds.len() - NAMED) } else { String::new() };
        let noun = if seeds.len() == 1 { "seed" } else { "seeds" };
        format!("{model}: {noun} {}{more}", named.join(", "))
    };
    of_model.into_iter().map(told).collect::<Vec<_>>().join("; ")
}
