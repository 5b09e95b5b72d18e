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
    /// Half the region of practical equivalence, in percentage points of test accuracy, where it is not what the data suggests.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub equivalence_margin_points: Option<f64>,
}

/// One data set of a study over several: its results have a folder of their own within that of the study.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Part {
    /// The data set, as the study names it.
    pub dataset: String,
    /// The folder's name.
    pub folder: String,
}
