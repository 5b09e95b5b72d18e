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
    fn a_hint_names_the_near_one_or_all() {
        let known = ["cnn", "lstm", "resnet-small"];
        assert_eq!(choose("cnnn", known.into_iter()), "did you mean `cnn`?");
        assert_eq!(choose("gru", known.into_iter()), "choose from cnn, lstm, resnet-small");
    }
}
