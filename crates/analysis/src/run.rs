//! A run as an analysis sees it, whoever made it.

use crate::{machine::MachineKind, partner::Partner};
use records::{
    imported::ImportedRun,
    record::{EpochRecord, Fold, Place, Protocol, RunRecord, RunSpec, TestRecord},
};

/// A run of this program or of another. What its maker did not state is none, or not a number within an epoch or a test.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Run<'a> {
    /// The model's name within the study.
    pub model: &'a str,
    /// What it shares with its partner of another model.
    pub partner: Partner<'a>,
    /// Its test images.
    pub data: Data<'a>,
    /// Its answers to them.
    pub test: &'a TestRecord,
    /// What is known of its epochs, in ascending order.
    pub epochs: &'a [EpochRecord],
    /// After which epoch the weights that were tested stood, where that was not the last.
    pub kept_epoch: Option<usize>,
    /// Number of parameters that are learnt.
    pub parameters: Option<u64>,
    /// Multiplications that are added up in one image's forward pass.
    pub multiply_adds: Option<u64>,
    /// Seconds of training.
    pub train_seconds: Option<f64>,
    /// Seconds of evaluation.
    pub evaluate_seconds: Option<f64>,
    /// Seconds in all.
    pub total_seconds: Option<f64>,
    /// What its clock may be compared with.
    pub machine: Option<MachineKind<'a>>,
    /// What each class is called; empty where that is its number, or not known.
    pub class_names: &'a [String],
    /// What was noticed while it was made.
    pub warnings: &'a [String],
    /// What is wrong with its data.
    pub data_warnings: &'a [String],
    /// How its data was read, where that is not plain.
    pub data_notes: &'a [String],
    /// Who made it.
    pub origin: Origin<'a>,
}

/// Who made a run.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Origin<'a> {
    /// This program, which knows everything about it.
    Trained(&'a RunRecord),
    /// Another program.
    Imported(&'a ImportedRun),
}

/// The data of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Data<'a> {
    /// What it is called, where that is known.
    pub name: Option<&'a str>,
    /// What runs on the same test images share.
    pub sha256: &'a str,
    /// Number of classes.
    pub classes: usize,
}

impl<'a> From<&'a RunRecord> for Run<'a> {
    fn from(record: &'a RunRecord) -> Self {
        let specification = &record.specification;
        let dataset = &specification.dataset;
        Self {
            model: &specification.model,
            partner: specification.fold.map_or(Partner::Seed(specification.seed), Partner::Fold),
            data: Data { name: Some(&dataset.name), sha256: &dataset.sha256, classes: dataset.classes },
            test: &record.test,
            epochs: &record.epochs,
            kept_epoch: record.kept_epoch,
            parameters: Some(record.parameters as u64),
            multiply_adds: Some(record.multiply_adds),
            train_seconds: Some(record.train_seconds),
            evaluate_seconds: Some(record.evaluate_seconds),
            total_seconds: Some(record.total_seconds),
            machine: Some(MachineKind::of(&record.environment)),
            class_names: &record.class_names,
            warnings: &record.warnings,
            data_warnings: &record.data_warnings,
            data_notes: &record.data_notes,
            origin: Origin::Trained(record),
        }
    }
}

impl<'a> From<&'a ImportedRun> for Run<'a> {
    fn from(run: &'a ImportedRun) -> Self {
        let data = &run.test_set;
        Self {
            model: &run.model,
            partner: match (run.fold, run.seed) {
                (Some(fold), _) => Partner::Fold(fold),
                (None, Some(seed)) => Partner::Seed(seed),
                (None, None) => Partner::Name(&run.run),
            },
            data: Data { name: data.name.as_deref(), sha256: &data.sha256, classes: data.classes },
            test: &run.test,
            epochs: &run.epochs,
            kept_epoch: None,
            parameters: run.parameters,
            multiply_adds: run.multiply_adds,
            train_seconds: run.train_seconds,
            evaluate_seconds: None,
            total_seconds: run.total_seconds,
            machine: match (&run.machine, run.train_seconds.or(run.total_seconds)) {
                (Some(machine), _) => Some(MachineKind::named(machine)),
                (None, Some(_)) => Some(MachineKind::UNSTATED),
                (None, None) => None,
            },
            class_names: &run.class_names,
            warnings: &[],
            data_warnings: &[],
            data_notes: &[],
            origin: Origin::Imported(run),
        }
    }
}

impl<'a> From<&Run<'a>> for Run<'a> {
    fn from(run: &Run<'a>) -> Self {
        *run
    }
}

impl<'a> Run<'a> {
    /// Of all records, in their order.
    pub fn all<R: Into<Self>>(records: impl IntoIterator<Item = R>) -> Vec<Self> {
        records.into_iter().map(R::into).collect()
    }

    /// Which fraction of the other folds' images it held back, where another program's run states it.
    pub(crate) fn held_back(&self) -> Option<f64> {
        match self.origin {
            Origin::Trained(_) => None,
            Origin::Imported(run) => run.held_back,
        }
    }

    /// What each image of its test set is called, where that is known.
    pub(crate) fn image_names(&self) -> &'a [String] {
        match self.origin {
            Origin::Trained(_) => &[],
            Origin::Imported(run) => &run.image_names,
        }
    }

    /// The record of a run that this program made.
    pub fn record(&self) -> Option<&'a RunRecord> {
        match self.origin {
            Origin::Trained(record) => Some(record),
            Origin::Imported(_) => None,
        }
    }

    /// On which machine this program made it; none where that is not known.
    pub fn place(&self) -> Option<&'a Place> {
        self.record()?.environment.place.as_ref()
    }

    /// What was asked of a run that this program made.
    pub fn specification(&self) -> Option<&'a RunSpec> {
        self.record().map(|record| &record.specification)
    }

    /// What another program's run states.
    pub fn imported(&self) -> Option<&'a ImportedRun> {
        match self.origin {
            Origin::Trained(_) => None,
            Origin::Imported(run) => Some(run),
        }
    }

    /// Its seed, where that is known.
    pub fn seed(&self) -> Option<u64> {
        match self.origin {
            Origin::Trained(record) => Some(record.specification.seed),
            Origin::Imported(run) => run.seed,
        }
    }

    /// What it is called within its model: `seed 3`, or `run b` where its seed is not known.
    pub fn in_words(&self) -> String {
        self.seed().map_or_else(|| self.partner.in_words(), |seed| format!("seed {seed}"))
    }

    /// Which fold of a cross-validation it was tested on, where it is of one.
    pub fn fold(&self) -> Option<Fold> {
        match self.partner {
            Partner::Fold(fold) => Some(fold),
            Partner::Seed(_) | Partner::Name(_) => None,
        }
    }

    /// How its data was divided, where that is known.
    pub fn protocol(&self) -> Option<Protocol> {
        self.specification().map(|run| run.protocol)
    }
}
