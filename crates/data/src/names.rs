//! Names that were probably meant.

/// The name that was probably meant: one that begins so, or else the nearest, where at most a third of its letters are
/// wrong, missing, too many or swapped, or else one that holds the other or is held by it. Letter case does not count.
pub fn near<'a>(name: &str, known: impl Iterator<Item = &'a str> + Clone) -> Option<&'a str> {
    let name = name.to_lowercase();
    if name.is_empty() {
        return None;
    }
    let begins = known.clone().find(|one| one.starts_with(&name));
    let nearest = || {
        known
            .clone()
            .map(|one| (strsim::damerau_levenshtein(&name, one), one))
            .filter(|(distance, one)| *distance <= one.chars().count() / 3)
            .min_by_key(|(distance, _)| *distance)
            .map(|(_, one)| one)
    };
    begins.or_else(nearest).or_else(|| known.clone().find(|one| one.contains(&name) || name.contains(*one)))
}

#[cfg(test)]
mod tests {
    use super::near;

    #[test]
    fn near_names_are_found() {
        let known = ["mnist", "fashion-mnist", "emnist-letters", "cnn", "lstm", "resnet-small"];
        for (name, meant) in [
            ("cnnn", Some("cnn")),
            ("ccn", Some("cnn")),
            ("CNN", Some("cnn")),
            ("ltsm", Some("lstm")),
            ("resnet", Some("resnet-small")),
            ("restnet-smal", Some("resnet-small")),
            ("my-cnn-two", Some("cnn")),
            ("mnits", Some("mnist")),
            ("fashon-mnist", Some("fashion-mnist")),
            ("Fashion_MNIST", Some("fashion-mnist")),
            ("fashion", Some("fashion-mnist")),
            ("emnist", Some("emnist-letters")),
            ("letters", Some("emnist-letters")),
            ("lsxx", None),
            ("gru", None),
            ("", None),
            ("transformer", None),
        ] {
            assert_eq!(near(name, known.into_iter()), meant, "{name}");
        }
    }
}
