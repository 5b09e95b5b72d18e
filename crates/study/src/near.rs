//! What was probably meant.

pub use data::near;

/// A hint that names the near one, or else all that there are.
pub fn choose<'a>(name: &str, known: impl Iterator<Item = &'a str> + Clone) -> String {
    match near(name, known.clone()) {
        Some(near) => format!("did you mean `{near}`?"),
        None => format!("choose from {}", known.collect::<Vec<_>>().join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn near_names_are_found() {
        let known = ["cnn", "lstm", "resnet-small"];
        let near = |name: &str| near(name, known.into_iter());
        for (name, meant) in [
            ("cnnn", Some("cnn")),
            ("ccn", Some("cnn")),
            ("CNN", Some("cnn")),
            ("ltsm", Some("lstm")),
            ("resnet", Some("resnet-small")),
            ("restnet-smal", Some("resnet-small")),
            ("lsxx", None),
            ("gru", None),
            ("", None),
            ("transformer", None),
        ] {
            assert_eq!(near(name), meant, "{name}");
        }
        assert_eq!(choose("cnnn", known.into_iter()), "did you mean `cnn`?");
        assert_eq!(choose("gru", known.into_iter()), "choose from cnn, lstm, resnet-small");
    }
}
