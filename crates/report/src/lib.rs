//! Tables, plots and pages made from records.
//!
//! Pure functions from a [`Study`] to text or bytes: nothing here reads or writes a file, asks for the time or looks at the
//! machine, so the same records always give the same bytes.

mod axis;
mod chart;
mod cost;
mod curves;
mod discussion;
mod errors;
mod font;
mod learning;
mod legend;
mod markdown;
mod marks;
mod method;
mod numbers;
mod painter;
pub mod scene;
mod svg;
mod tables;
mod terminal;
mod text;

#[cfg(test)]
mod fixture;
#[cfg(test)]
mod pictures;
#[cfg(test)]
mod properties;

use study::record::{DatasetIdentity, Protocol, RunRecord};
use study::verdict::Comparison;

pub use curves::{accuracy_chart, accuracy_png, loss_chart, loss_png};
pub use markdown::markdown;
pub use scene::Scene;
pub use tables::{SUMMARY_SCHEMA, epochs_csv, summary_json};
pub use terminal::terminal;

/// Everything that a report is made of.
#[derive(Debug, Clone, Copy)]
pub struct Study<'a> {
    /// One per run, in any order.
    pub records: &'a [RunRecord],
    /// One per pair of models.
    pub comparisons: &'a [Comparison],
    /// What a reader must know beyond the records' own warnings: a record left aside, an interruption.
    pub notes: &'a [String],
}

/// The runs of one model.
#[derive(Debug, Clone)]
pub(crate) struct Model<'a> {
    pub(crate) name: &'a str,
    /// By seed.
    pub(crate) runs: Vec<&'a RunRecord>,
}

impl Model<'_> {
    /// Those of the first run; a model's runs share their architecture.
    pub(crate) fn parameters(&self) -> usize {
        self.runs.first().map_or(0, |run| run.parameters)
    }

    /// A figure of every run.
    pub(crate) fn figures(&self, figure: impl Fn(&RunRecord) -> f64) -> Vec<f64> {
        self.runs.iter().map(|run| figure(run)).collect()
    }
}

impl<'a> Study<'a> {
    /// Models in the order of their first record, whose place is also their colour.
    pub(crate) fn models(&self) -> Vec<Model<'a>> {
        let mut models: Vec<Model> = Vec::new();
        for record in self.records {
            match models.iter_mut().find(|model| model.name == record.specification.model) {
                Some(model) => model.runs.push(record),
                None => models.push(Model { name: &record.specification.model, runs: vec![record] }),
            }
        }
        for model in &mut models {
            model.runs.sort_by_key(|run| run.specification.seed);
        }
        models
    }

    /// Each value of a record once, in the order of their first record.
    pub(crate) fn distinct<T: PartialEq>(&self, value: impl Fn(&'a RunRecord) -> T) -> Vec<T> {
        let mut distinct = Vec::new();
        for value in self.records.iter().map(value) {
            if !distinct.contains(&value) {
                distinct.push(value);
            }
        }
        distinct
    }

    pub(crate) fn protocols(&self) -> Vec<Protocol> {
        self.distinct(|record| record.specification.protocol)
    }

    pub(crate) fn datasets(&self) -> Vec<&'a DatasetIdentity> {
        self.distinct(|record| &record.specification.dataset)
    }

    pub(crate) fn protocol_words(&self) -> &'static str {
        match self.protocols().as_slice() {
            [] => "no records",
            [Protocol::Sound] => "sound protocol",
            [Protocol::Original] => "original protocol: the validation set is the test set",
            _ => "runs of both protocols: under original the validation set is the test set",
        }
    }

    /// Whether any model was trained more than once.
    pub(crate) fn repeated(&self) -> bool {
        self.models().iter().any(|model| model.runs.len() > 1)
    }

    /// What a reader must know beside every figure of a run that read the test set after each epoch.
    pub(crate) fn original_sentence(&self) -> Option<&'static str> {
        match self.protocols().as_slice() {
            [] | [Protocol::Sound] => None,
            [Protocol::Original] => Some(
                "Original protocol: the validation set is the test set, so validation figures are test figures.",
            ),
            _ => Some("In runs under the original protocol the validation set is the test set."),
        }
    }

    /// The records' own warnings, after those about records that do not belong together.
    pub(crate) fn warnings(&self) -> Vec<String> {
        let mut warnings = Vec::new();
        let mut warn_if = |condition: bool, warning: &str| {
            if condition {
                warnings.push(warning.to_owned());
            }
        };
        warn_if(
            self.protocols().len() > 1,
            "The runs follow different protocols: their figures are not comparable.",
        );
        warn_if(
            self.datasets().len() > 1,
            "The runs were made on different data: their figures are not comparable.",
        );
        warn_if(
            !self.one_machine(),
            "The runs were made on different machines or kernels: their times are not comparable.",
        );
        for record in self.records {
            let (model, seed) = (&record.specification.model, record.specification.seed);
            warnings.extend(record.warnings.iter().map(|warning| format!("{model}, seed {seed}: {warning}")));
        }
        warnings
    }

    pub(crate) fn one_machine(&self) -> bool {
        self.distinct(|record| &record.environment).len() <= 1
    }
}
