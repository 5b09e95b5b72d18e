//! What a study asks.

use crate::target::Target;
use serde::{Deserialize, Serialize};

/// What a study asks, beyond which of its models is better.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Question {
    /// In its author's words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// What must be reached.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target: Option<Target>,
    /// What decides which of two models is better.
    #[serde(default, skip_serializing_if = "Measure::is_default")]
    pub decide_by: Measure,
    /// Half the region of practical equivalence, in the unit of the measure that decides (percentage points, of log-loss nats), where
    /// it is not what the data suggests.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub equivalence_margin_points: Option<f64>,
}

impl Question {
    /// Decides by another measure than the study was planned for; returns what a reader must know of that. A margin of equivalence in
    /// another unit is given up.
    pub fn decide_anew(&mut self, measure: Measure) -> Option<String> {
        let planned = std::mem::replace(&mut self.decide_by, measure);
        if planned == measure {
            return None;
        }
        let mut note = format!(
            "This report is decided by {}; the study was planned to be decided by {}. Of several measures one may find a difference by chance: \
             the one that was planned counts.",
            measure.in_words(),
            planned.in_words()
        );
        if planned.unit() != measure.unit()
            && let Some(margin) = self.equivalence_margin_points.take()
        {
            note.push_str(&format!(
                " The study's equivalence margin, {margin} {}, is left out.",
                planned.unit()
            ));
        }
        Some(note)
    }
}

/// A measure of a model on the test images by which models can be compared.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Measure {
    /// The fraction of images that are classified correctly.
    #[default]
    Accuracy,
    /// The mean over the classes of the fraction of their images that are classified correctly.
    BalancedAccuracy,
    /// The mean over the classes of F1, the harmonic mean of precision and recall.
    #[serde(rename = "macro-f1")]
    MacroF1,
    /// The mean of -ln(probability of the true class), in nats; lower is better.
    LogLoss,
}

impl Measure {
    /// All of them, the one that decides unless another is named first.
    pub const ALL: [Self; 4] = [Self::Accuracy, Self::BalancedAccuracy, Self::MacroF1, Self::LogLoss];

    /// The name on the command line and in files.
    pub fn name(self) -> &'static str {
        match self {
            Self::Accuracy => "accuracy",
            Self::BalancedAccuracy => "balanced-accuracy",
            Self::MacroF1 => "macro-f1",
            Self::LogLoss => "log-loss",
        }
    }

    /// Whether it is the one that decides unless another is named.
    pub fn is_default(&self) -> bool {
        *self == Self::default()
    }

    /// In words, as a sentence has it.
    pub fn in_words(self) -> &'static str {
        match self {
            Self::Accuracy => "test accuracy",
            Self::BalancedAccuracy => "balanced accuracy",
            Self::MacroF1 => "macro F1",
            Self::LogLoss => "log-loss",
        }
    }

    /// In words, of validation images.
    pub fn of_validation(self) -> &'static str {
        match self {
            Self::Accuracy => "validation accuracy",
            Self::BalancedAccuracy => "validation balanced accuracy",
            Self::MacroF1 => "validation macro F1",
            Self::LogLoss => "validation loss",
        }
    }

    /// The unit of a difference: percentage points of fractions, nats of log-loss.
    pub fn unit(self) -> &'static str {
        if self == Self::LogLoss { "nats" } else { "points" }
    }

    /// What a value is multiplied by to be in that unit.
    pub fn scale(self) -> f64 {
        if self == Self::LogLoss { 1.0 } else { 100.0 }
    }

    /// Decimals of a difference in that unit, unless more are needed to tell what was decided.
    pub fn decimals(self) -> usize {
        if self == Self::LogLoss { 4 } else { 2 }
    }

    /// Whether the model of the higher value is the better one.
    pub fn larger_is_better(self) -> bool {
        self != Self::LogLoss
    }
}

/// One data set of a study over several: its results have a folder of their own within that of the study.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Part {
    /// The data set, as the study names it.
    pub dataset: String,
    /// The folder's name.
    pub folder: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    /// So what was planned before measures could be chosen keeps its identity.
    #[test]
    fn the_measure_that_decides_by_default_is_not_written() {
        let text = |question: &Question| serde_json::to_string(question).expect("plain values");
        assert_eq!(text(&Question::default()), "{}");
        for measure in Measure::ALL {
            let question = Question { decide_by: measure, ..Question::default() };
            assert_eq!(serde_json::from_str::<Question>(&text(&question)).expect("as written"), question);
            assert_eq!(serde_json::to_value(measure).expect("a name"), measure.name());
        }
    }

    #[test]
    fn another_measure_than_planned_is_told() {
        let mut question = Question { equivalence_margin_points: Some(0.2), ..Question::default() };
        assert_eq!(question.decide_anew(Measure::Accuracy), None);
        let told = question.decide_anew(Measure::MacroF1).expect("another");
        assert!(
            told.contains("decided by macro F1; the study was planned to be decided by test accuracy"),
            "{told}"
        );
        assert_eq!(question.equivalence_margin_points, Some(0.2));
        let told = question.decide_anew(Measure::LogLoss).expect("another");
        assert!(told.ends_with("equivalence margin, 0.2 points, is left out."), "{told}");
        assert_eq!((question.equivalence_margin_points, question.decide_by), (None, Measure::LogLoss));
    }
}
