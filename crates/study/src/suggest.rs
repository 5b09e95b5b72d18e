//! What was probably meant.

pub use data::near;

/// Nothing has a longer name. A distance between texts takes as many steps as the product of their lengths.
const LONGEST: usize = 100;

/// So many are listed where none is near.
const LISTED: usize = 40;

/// A hint that names the near one, or else all that there are, or many of them.
pub fn choose<'a>(name: &str, known: impl Iterator<Item = &'a str> + Clone) -> String {
    let meant = if name.len() <= LONGEST { near(name, known.clone()) } else { None };
    match meant {
        Some(near) => format!("did you mean `{near}`?"),
        None => {
            let more = if known.clone().count() > LISTED { ", …" } else { "" };
            format!("choose from {}{more}", known.take(LISTED).collect::<Vec<_>>().join(", "))
        }
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
        assert_eq!(choose(&"cnn".repeat(100), known.into_iter()), "choose from cnn, lstm, resnet-small");
        let many: Vec<String> = (0..100).map(|number| format!("model-{number}")).collect();
        let told = choose("gru", many.iter().map(String::as_str));
        assert!(told.ends_with(", model-39, …"), "{told}");
    }
}
