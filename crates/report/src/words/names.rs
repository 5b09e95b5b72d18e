//! Names that fit beside figures.

use crate::words::numbers::listed;
use crate::words::text::one_line;
use analysis::model::Model;

/// A name of so many letters fits everywhere.
const LONG: usize = 24;

/// The models' names where there is little room.
///
/// A grid's models are named `model setting=value setting=value …`, too long for a legend and alike at their beginnings. Where
/// all names have the same settings and one of them is long, the values stand alone, and a note says what they are.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct ShortNames {
    /// In the order of the models.
    pub(crate) names: Vec<String>,
    /// What the values are of.
    pub(crate) note: Option<String>,
}

impl ShortNames {
    pub(crate) fn of(models: &[Model]) -> Self {
        let names: Vec<String> = models.iter().map(|model| one_line(model.name)).collect();
        let settings: Vec<Vec<&str>> = names.iter().map(|name| settings(name)).collect();
        let long = names.iter().any(|name| name.chars().count() > LONG);
        match settings.first() {
            Some(first) if long && !first.is_empty() && settings.iter().all(|other| other == first) => {
                let note = format!("After a model's name: {}.", listed(first));
                Self { names: names.iter().map(|name| without_settings(name)).collect(), note: Some(note) }
            }
            _ => Self { names, note: None },
        }
    }
}

/// A word of the form `setting=value`.
fn pair(word: &str) -> Option<(&str, &str)> {
    word.split_once('=').filter(|(setting, value)| !setting.is_empty() && !value.is_empty())
}

fn settings(name: &str) -> Vec<&str> {
    name.split(' ').filter_map(pair).map(|(setting, _)| setting).collect()
}

fn without_settings(name: &str) -> String {
    let words: Vec<&str> = name.split(' ').map(|word| pair(word).map_or(word, |(_, value)| value)).collect();
    words.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use analysis::thresholds::Thresholds;

    fn short(names: &[&'static str]) -> ShortNames {
        let models: Vec<Model> =
            names.iter().map(|name| Model::of(name, Vec::new(), 0, &Thresholds::default())).collect();
        ShortNames::of(&models)
    }

    #[test]
    fn values_stand_alone_where_all_have_the_same_settings() {
        let grid =
            short(&["cnn learning_rate=0.001 batch_size=64", "lstm learning_rate=0.01 batch_size=128"]);
        assert_eq!(grid.names, ["cnn 0.001 64", "lstm 0.01 128"]);
        assert_eq!(grid.note.as_deref(), Some("After a model's name: learning_rate and batch_size."));
    }

    #[test]
    fn other_names_stay() {
        for names in [
            &["cnn", "lstm"][..],
            &["cnn units=8", "cnn units=16"],
            &["cnn learning_rate=0.001 batch_size=64", "lstm"],
            &["cnn learning_rate=0.001 batch_size=64", "lstm batch_size=64 learning_rate=0.001"],
            &["a name that is long = and no grid's"],
            &[],
        ] {
            let kept = short(names);
            assert_eq!(
                (kept.names, kept.note),
                (names.iter().map(|name| (*name).to_owned()).collect(), None)
            );
        }
    }
}
