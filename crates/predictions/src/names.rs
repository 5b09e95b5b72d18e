//! What the names of runs say.

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
