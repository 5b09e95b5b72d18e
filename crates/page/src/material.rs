//! What finished runs are judged by.

use analysis::Analysis;
use records::{
    question::Question,
    record::{FailedRun, RunRecord},
};
use report::{Study, TestImages};
use serde_json::Value;
use std::sync::Arc;
use study::run::Session;

/// Finished runs and what they are judged by.
pub struct Material {
    pub(crate) records: Vec<Arc<RunRecord>>,
    pub(crate) failed: Vec<FailedRun>,
    pub(crate) question: Question,
    pub(crate) session: Arc<Session>,
}

impl Material {
    fn analysis(&self) -> Analysis<'_> {
        Analysis::of(self.records.iter().map(|record| &**record), &self.failed, &self.question, Vec::new())
    }

    fn study(&self) -> Study<'_> {
        let corpus = self.session.corpus();
        let test = corpus.test();
        let is_whole = self.records.iter().all(|record| record.specification.fold.is_none());
        Study {
            analysis: self.analysis(),
            question: self.question.clone(),
            images: is_whole.then(|| TestImages {
                pixels: test.images(),
                shape: test.shape(),
                is_ink: test.is_ink(),
            }),
            class_names: corpus.class_names(),
            reproduction: None,
        }
    }

    /// `summary.json`.
    pub fn summary(&self) -> Value {
        serde_json::from_str(&report::summary_json(&self.study())).unwrap_or(Value::Null)
    }

    /// `report.html`.
    pub fn report(&self) -> String {
        report::page(&self.study())
    }
}
