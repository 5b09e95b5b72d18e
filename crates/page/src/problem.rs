//! Why a call has no answer.

use serde::Serialize;
use study::{run::RunError, study_file::StudyFileError};

/// Why a call has no answer, for a person.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Problem {
    /// What was expected and what was found.
    pub message: String,
    /// What to do.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
    /// The line of the study file, counted from 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub line: Option<usize>,
    /// What that line should say instead, where it is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mend: Option<Mend>,
}

/// A line of a study file as it should be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Mend {
    /// Counted from 1.
    pub line: usize,
    /// The whole line.
    pub text: String,
}

impl Problem {
    /// One without a hint.
    pub fn new(message: impl Into<String>) -> Self {
        Self { message: message.into(), hint: None, line: None, mend: None }
    }

    /// The same with what to do.
    pub fn hint(self, hint: impl Into<String>) -> Self {
        Self { hint: Some(hint.into()), ..self }
    }
}

impl From<StudyFileError> for Problem {
    /// The page shows the line; there is no file to be named.
    fn from(error: StudyFileError) -> Self {
        let StudyFileError { line, problem, hint, .. } = error;
        Self {
            message: problem,
            hint: Some(hint).filter(|hint| !hint.is_empty()),
            line: Some(line).filter(|line| *line > 0),
            mend: None,
        }
    }
}

impl From<RunError> for Problem {
    fn from(error: RunError) -> Self {
        match error {
            RunError::StudyFile(error) => error.into(),
            RunError::Shape(error) => {
                let hint = Some(error.hint.clone()).filter(|hint| !hint.is_empty());
                Self { hint, ..Self::new(error.to_string()) }
            }
            RunError::Precision(error) => Self::new(error.to_string())
                .hint("leave `precision` out of the recipe, to compute in float32"),
            other => Self::new(other.to_string()),
        }
    }
}
