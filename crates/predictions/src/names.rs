//! What the names of runs say, and by which of them runs are paired.

use crate::Source;
use std::collections::{BTreeMap, BTreeSet};

/// What a run's name says of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Said {
    /// `seed-3`, `seed3`, `seed_3`.
    Seed(u64),
    /// `fold-2`, `repeat-1-fold-2`: repetition and fold, as they are counted in the name.
    Fold(u64, u64),
    /// Anything else.
    Nothing,
}

pub(crate) fn said(name: &str) -> Said {
    let lower = name.to_lowercase();
    if let Some(seed) = number_after(&lower, &["seed"]).filter(|_| lower.starts_with("seed")) {
        return Said::Seed(seed);
    }
    match number_after(&lower, &["fold"]) {
        Some(fold) => Said::Fold(number_after(&lower, &["repeat", "repetition", "rep"]).unwrap_or(1), fold),
        None => Said::Nothing,
    }
}

/// The number behind one of these words, with at most one sign between them.
fn number_after(name: &str, words: &[&str]) -> Option<u64> {
    words.iter().find_map(|word| {
        let (_, rest) = name.split_once(word)?;
        let rest = rest.strip_prefix(['-', '_', ' ', '=']).unwrap_or(rest);
        let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
        rest[..digits].parse().ok()
    })
}

/// The number at the end of a name and what stands before it.
pub(crate) fn numbered(name: &str) -> Option<(&str, u64)> {
    let digits = name.bytes().rev().take_while(u8::is_ascii_digit).count();
    let (before, number) = name.split_at(name.len() - digits);
    Some((before, number.parse().ok()?))
}

/// What a run is called, which runs of other models share.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct RunName {
    pub(crate) name: String,
    pub(crate) said: Said,
}

/// The names by which runs are paired.
pub(crate) fn run_names(sources: &[Source], notes: &mut Vec<String>) -> Vec<RunName> {
    let mut of_model: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
    for (place, source) in sources.iter().enumerate() {
        of_model.entry(&source.model).or_default().push(place);
    }
    let mut names: Vec<RunName> = sources
        .iter()
        .map(|source| RunName {
            name: source.run.clone(),
            said: source.about.seed.map_or_else(|| said(&source.run), Said::Seed),
        })
        .collect();
    let plain =
        |names: &[RunName], places: &[usize]| places.iter().all(|place| names[*place].said == Said::Nothing);
    // One run of each leaves nothing to choose.
    if of_model.values().all(|places| places.len() == 1 && plain(&names, places)) {
        names.iter_mut().for_each(|name| name.name = "1".to_owned());
        return names;
    }
    let mut by_number = false;
    for places in of_model.values() {
        if !plain(&names, places) {
            continue;
        }
        let of_runs: Option<Vec<(&str, u64)>> =
            places.iter().map(|place| numbered(&sources[*place].run)).collect();
        let Some(of_runs) = of_runs else { continue };
        let numbers: BTreeSet<u64> = of_runs.iter().map(|(_, number)| *number).collect();
        if of_runs.iter().any(|(before, _)| *before != of_runs[0].0) || numbers.len() != of_runs.len() {
            continue;
        }
        for (place, (before, number)) in places.iter().zip(&of_runs) {
            by_number |= !before.is_empty();
            names[*place].name = number.to_string();
        }
    }
    if by_number && of_model.len() > 1 {
        notes.push("Runs are paired by the number at the end of their files' names.".to_owned());
    }
    names
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seeds_and_folds_are_told() {
        for (name, expected) in [
            ("seed-3", Said::Seed(3)),
            ("Seed_12", Said::Seed(12)),
            ("seed0", Said::Seed(0)),
            ("fold-2", Said::Fold(1, 2)),
            ("repeat-3-fold-2", Said::Fold(3, 2)),
            ("rep2_fold0", Said::Fold(2, 0)),
            ("seed", Said::Nothing),
            ("run1", Said::Nothing),
            ("seed-99999999999999999999", Said::Nothing),
        ] {
            assert_eq!(said(name), expected, "{name}");
        }
        assert_eq!((numbered("r12"), numbered("7"), numbered("a")), (Some(("r", 12)), Some(("", 7)), None));
    }
}
