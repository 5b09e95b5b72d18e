//! What follows where a plan was not carried out whole.

use crate::{Analysis, verdict::Comparison};
use records::left_out::LeftOut;
use std::collections::BTreeMap;

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
    let alone = alone(analysis);
    let several = analysis.comparisons.len() > 1;
    if let Some((pair, runs)) = alone.iter().max_by_key(|(_, runs)| *runs) {
        let noun = if *runs == 1 { "run" } else { "runs" };
        told.push(match several {
            true => format!(
                "Runs without a partner of the same seed or fold are left out of {} of {} comparisons; most of {pair}: {runs} {noun}.",
                alone.len(),
                analysis.comparisons.len()
            ),
            false => format!("{runs} {noun} without a partner of the same seed or fold {} left out of the comparison.", if *runs == 1 { "is" } else { "are" }),
        });
    }
    let mut biased = "If runs are missing for a reason that has to do with their model, such as a time limit that only the slow model reaches, the comparison \
                      is biased; if they are missing by chance, it is only less precise."
        .to_owned();
    if !apart.is_empty() {
        biased.push_str(" Records that another engine made are counted below, and do not fill the gaps.");
    }
    told.push(biased);
    told
}

/// The comparisons by pairs of runs that leave out runs without a partner: of which models, and how many runs.
fn alone(analysis: &Analysis) -> Vec<(String, usize)> {
    let runs_of = |name: &str| {
        analysis.models.iter().find(|model| model.name == name).map_or(0, |model| model.runs.len())
    };
    let of_pair = |comparison: &Comparison| {
        // Where none has a partner, all are compared as they are.
        let paired = Some(comparison.runs).filter(|runs| *runs > 0)?;
        let all = runs_of(&comparison.a) + runs_of(&comparison.b);
        let left = all.saturating_sub(2 * paired);
        (left > 0).then(|| (format!("{} and {}", comparison.a, comparison.b), left))
    };
    analysis.comparisons.iter().filter_map(of_pair).collect()
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
