//! Which series is which figure.

use super::{Choice, STATE_SERIES};
use crate::error::{Error, quoted};

/// A figure of an epoch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Figure {
    /// Mean loss over the training images.
    TrainLoss,
    /// Fraction of training images classified correctly.
    TrainAccuracy,
    /// Mean loss over the validation images.
    ValidationLoss,
    /// Fraction of validation images classified correctly.
    ValidationAccuracy,
    /// Seconds of training in the epoch.
    Seconds,
}

impl Figure {
    pub(super) const ALL: [Self; 5] =
        [Self::TrainLoss, Self::TrainAccuracy, Self::ValidationLoss, Self::ValidationAccuracy, Self::Seconds];

    /// The figure in words.
    pub fn in_words(self) -> &'static str {
        match self {
            Self::TrainLoss => "training loss",
            Self::TrainAccuracy => "training accuracy",
            Self::ValidationLoss => "validation loss",
            Self::ValidationAccuracy => "validation accuracy",
            Self::Seconds => "seconds of an epoch",
        }
    }

    /// Whether it is measured while the training goes on, rather than in an evaluation.
    pub(super) fn is_of_training(self) -> bool {
        matches!(self, Self::TrainLoss | Self::TrainAccuracy)
    }

    pub(super) fn is_accuracy(self) -> bool {
        matches!(self, Self::TrainAccuracy | Self::ValidationAccuracy)
    }
}

/// A value that was logged.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Point {
    pub(super) step: i64,
    pub(super) value: f64,
    /// Its line or record.
    pub(super) at: u64,
}

/// What was logged under one name, in the order of the file.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Series {
    pub(super) name: String,
    pub(super) file: String,
    /// What `at` counts.
    unit: &'static str,
    pub(super) points: Vec<Point>,
    /// The first that is no number, and where.
    pub(super) wrong: Option<(u64, String)>,
}

impl Series {
    pub(super) fn new(name: &str, file: &str, unit: &'static str) -> Self {
        Self { name: name.to_owned(), file: file.to_owned(), unit, points: Vec::new(), wrong: None }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.points.is_empty() && self.wrong.is_none()
    }

    /// Why a point cannot be used.
    pub(super) fn refused(&self, at: u64, expected: &str, found: impl Into<String>, advice: &str) -> Error {
        let place = format!("{}, {} {at}", self.name.escape_debug(), self.unit);
        Error::new(&self.file, expected, found, advice).at(place)
    }

    /// Refuses a series in which something is no number.
    pub(super) fn checked(&self) -> Result<&Self, Error> {
        match &self.wrong {
            Some((at, text)) => {
                let advice = match text.contains(',') {
                    true => "write numbers with a decimal point",
                    false => "correct it, or leave the row out",
                };
                Err(self.refused(*at, "a number", quoted(text), advice))
            }
            None => Ok(self),
        }
    }
}

/// What a name says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Meaning {
    /// A figure; of several series the one of the lowest rank is meant.
    Figure(Figure, Rank),
    /// The number of the epoch.
    Epoch,
    Other,
}

/// Whole epochs come before single steps, names that say training before those that do not, short names before long ones.
type Rank = (bool, bool, usize);

/// Whether a folder's name says that what is below is of training or of validation.
pub(super) fn says_its_part(name: &str) -> bool {
    let figure = |name: &str| match meaning(name) {
        Meaning::Figure(_, (_, is_silent, _)) => !is_silent,
        Meaning::Epoch | Meaning::Other => false,
    };
    // `train`, `validation`; `Loss_train`.
    figure(&format!("{name} loss")) || figure(&format!("{name} accuracy"))
}

fn meaning(name: &str) -> Meaning {
    let words = words(name);
    let (mut part, mut loss, mut accuracy, mut seconds) = (None, false, false, false);
    let (mut by_step, mut epoch) = (false, false);
    for word in &words {
        match word.as_str() {
            "train" | "training" | "trn" => part = Some(true),
            "val" | "valid" | "validation" | "eval" | "evaluation" | "dev" => part = Some(false),
            "loss" | "nll" | "entropy" | "crossentropy" | "ce" => loss = true,
            "accuracy" | "acc" | "top1" | "acc1" => accuracy = true,
            "seconds" | "secs" | "sec" | "time" | "duration" => seconds = true,
            "epoch" | "epochs" => epoch = true,
            "step" | "batch" | "iter" | "running" => by_step = true,
            "mean" | "avg" | "average" | "total" | "sparse" | "categorical" | "binary" | "multiclass"
            | "cross" | "metric" | "metrics" | "top" | "1" | "per" | "current" | "trainer" => {}
            _ => return Meaning::Other,
        }
    }
    let rank = (by_step, part.is_none(), words.len());
    match (loss, accuracy, seconds, part) {
        (true, false, false, Some(true) | None) => Meaning::Figure(Figure::TrainLoss, rank),
        (true, false, false, Some(false)) => Meaning::Figure(Figure::ValidationLoss, rank),
        (false, true, false, Some(true) | None) => Meaning::Figure(Figure::TrainAccuracy, rank),
        (false, true, false, Some(false)) => Meaning::Figure(Figure::ValidationAccuracy, rank),
        // A time that does not say of what may be that of a clock.
        (false, false, true, Some(true)) => Meaning::Figure(Figure::Seconds, rank),
        (false, false, true, None) if epoch || words.len() == 1 && words[0] == "seconds" => {
            Meaning::Figure(Figure::Seconds, rank)
        }
        (false, false, false, Some(true) | None) if epoch && !by_step => Meaning::Epoch,
        _ => Meaning::Other,
    }
}

/// The words of a name, in small letters: `valLoss`, `val_loss` and `Val/loss` have the same.
fn words(name: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut after_small = false;
    for character in name.chars() {
        let begins = !character.is_alphanumeric() || (character.is_uppercase() && after_small);
        after_small = character.is_lowercase();
        if begins {
            words.push(String::new());
        }
        if character.is_alphanumeric() {
            words.last_mut().expect("one word at least").extend(character.to_lowercase());
        }
    }
    words.retain(|word| !word.is_empty());
    words
}

/// The series that are used, and what the others are called.
pub(super) struct Chosen<'a> {
    pub(super) figures: Vec<(Figure, &'a Series)>,
    pub(super) epoch: Option<&'a Series>,
    pub(super) others: Vec<String>,
}

impl<'a> Chosen<'a> {
    pub(super) fn of(series: &'a [Series], choice: &Choice, source: &str) -> Result<Self, Error> {
        let named = |name: &str, what: &str| {
            series.iter().find(|series| series.name == name).ok_or_else(|| {
                let names: Vec<String> = series.iter().map(|series| series.name.clone()).collect();
                Error::new(
                    source,
                    format!("{}, stated as the {what},", quoted(name)),
                    crate::listed(&names),
                    STATE_SERIES,
                )
            })
        };
        let mut figures: Vec<(Figure, &Series)> = Vec::new();
        for figure in Figure::ALL {
            let stated = choice.series.iter().find(|(stated, _)| *stated == figure);
            let found = match stated {
                Some((_, name)) => Some(named(name, figure.in_words())?),
                None => guessed(figure, series, source)?,
            };
            figures.extend(found.map(|series| (figure, series)));
        }
        let epoch = match &choice.epoch {
            Some(name) => Some(named(name, "number of the epoch")?),
            None => series
                .iter()
                .filter(|series| !series.is_empty() && meaning(&series.name) == Meaning::Epoch)
                .min_by_key(|series| series.name.len()),
        };
        let is_used = |one: &Series| {
            figures.iter().map(|(_, series)| *series).chain(epoch).any(|series| std::ptr::eq(one, series))
        };
        let others: Vec<String> =
            series.iter().filter(|one| !is_used(one)).map(|one| one.name.clone()).collect();
        if figures.is_empty() {
            return Err(Error::new(
                source,
                "training or validation loss or accuracy, such as loss, train_loss, val_loss, val_accuracy,",
                crate::listed(&others),
                STATE_SERIES,
            ));
        }
        for (_, series) in &figures {
            series.checked()?;
        }
        Ok(Self { figures, epoch, others })
    }
}

/// The series that a figure is by its name.
fn guessed<'a>(figure: Figure, series: &'a [Series], source: &str) -> Result<Option<&'a Series>, Error> {
    let mut found: Vec<(Rank, &Series)> = series
        .iter()
        .filter(|series| !series.is_empty())
        .filter_map(|series| match meaning(&series.name) {
            Meaning::Figure(own, rank) if own == figure => Some((rank, series)),
            _ => None,
        })
        .collect();
    found.sort_by_key(|(rank, _)| *rank);
    match &found[..] {
        [] => Ok(None),
        [(first, one), (second, other), ..] if first == second => Err(Error::new(
            source,
            format!("one series of the {}", figure.in_words()),
            format!("{} and {}", quoted(&one.name), quoted(&other.name)),
            STATE_SERIES,
        )),
        [(_, one), ..] => Ok(Some(one)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn usual_names_are_known() {
        use Figure::*;
        for (name, figure) in [
            ("loss", TrainLoss),
            ("train_loss", TrainLoss),
            ("Loss/train", TrainLoss),
            ("train/epoch_loss", TrainLoss),
            ("trainLoss", TrainLoss),
            ("train_loss_epoch", TrainLoss),
            ("accuracy", TrainAccuracy),
            ("sparse_categorical_accuracy", TrainAccuracy),
            ("train/acc", TrainAccuracy),
            ("val_loss", ValidationLoss),
            ("eval/loss", ValidationLoss),
            ("Loss_val/Loss", ValidationLoss),
            ("validation/epoch_loss", ValidationLoss),
            ("val_acc", ValidationAccuracy),
            ("valid accuracy", ValidationAccuracy),
            ("val/top1", ValidationAccuracy),
            ("epoch_time", Seconds),
            ("train_seconds", Seconds),
            ("seconds", Seconds),
        ] {
            assert!(matches!(meaning(name), Meaning::Figure(found, _) if found == figure), "{name}");
        }
        for name in ["epoch", "train/epoch", "trainer/epoch", "Epoch"] {
            assert_eq!(meaning(name), Meaning::Epoch, "{name}");
        }
        for name in [
            "lr",
            "test_loss",
            "val_top5_accuracy",
            "aux_loss",
            "time",
            "timestamp",
            "_runtime",
            "step",
            "",
            "val_loss_accuracy",
            "balanced_accuracy",
            "batch_time",
            "evaluation_loss_vs_iterations",
        ] {
            assert_eq!(meaning(name), Meaning::Other, "{name}");
        }
    }

    #[test]
    fn of_several_names_the_plainest_is_meant() {
        let series = |name: &str| {
            let mut series = Series::new(name, "f", "line");
            series.push_text(0, "1", 2);
            series
        };
        let all: Vec<Series> =
            ["train_loss_step", "loss", "train/train_loss", "train/loss"].map(series).to_vec();
        let chosen = Chosen::of(&all, &Choice::default(), "f").expect("one");
        assert_eq!(chosen.figures[0].1.name, "train/loss");
        let all: Vec<Series> = ["accuracy", "acc"].map(series).to_vec();
        let refused = Chosen::of(&all, &Choice::default(), "f").err().expect("two").to_string();
        assert!(
            refused.contains("one series of the training accuracy expected, `accuracy` and `acc` found"),
            "{refused}"
        );
        let stated = Choice { series: vec![(Figure::TrainAccuracy, "acc".to_owned())], ..Choice::default() };
        assert_eq!(Chosen::of(&all, &stated, "f").expect("one").others, ["accuracy"]);
    }
}
