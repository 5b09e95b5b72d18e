//! What a comparison found.

use crate::{
    Error,
    report_files::{self, pool},
};
use analysis::{
    Analysis, Run,
    thresholds::Thresholds,
    verdict::{Judgement, judge},
};
use data::Corpus;
use predictions::KnownImages;
use records::{
    folder::{Entry, StudyFolder},
    identity::run_id,
    imported::Imports,
    record::{RunRecord, RunSpec},
    results::{Collection, collect},
    store::Kept,
};
use std::path::Path;

/// Runs of several models, and what they tell.
pub struct Compared {
    /// Records of the runs that were made here, those of other programs, those that failed, and what is asked of them.
    pub runs: Collection,
    /// Every pair of models, judged.
    pub judgement: Judgement,
    corpus: Option<Corpus>,
}

impl Compared {
    /// Judges runs that are at hand, such as those of other programs. `corpus` is the data whose test images they were tested on, where it is at hand: the
    /// report shows those that are missed.
    pub fn of(runs: Collection, corpus: Option<Corpus>) -> Self {
        let all: Vec<Run> = Run::all(&runs.records).into_iter().chain(Run::all(&runs.imported)).collect();
        let judgement = judge(all.clone(), &runs.failed, &Thresholds::of(&all, &runs.question));
        Self { runs, judgement, corpus }
    }

    /// The runs that a results folder holds.
    ///
    /// # Errors
    /// When it cannot be read or holds no run.
    pub fn read(folder: impl AsRef<Path>) -> Result<Self, Error> {
        Ok(Self::of(collect(folder.as_ref())?, None))
    }

    /// The result of each pair in a sentence.
    pub fn verdicts(&self) -> impl Iterator<Item = &str> {
        self.judgement.comparisons.iter().map(|comparison| comparison.verdict.as_str())
    }

    /// The report as a page that needs nothing beside it.
    pub fn page(&self) -> String {
        self.with_study(report::page)
    }

    /// What a terminal shows: the tables and the verdicts.
    pub fn terminal(&self) -> String {
        self.with_study(report::terminal)
    }

    /// Every figure as JSON: `summary.json`.
    pub fn summary(&self) -> String {
        self.with_study(report::summary_json)
    }

    /// Everything that is computed of the runs.
    pub fn analysis(&self) -> Analysis<'_> {
        report_files::study(&self.runs, None, None, Some(self.judgement.clone())).analysis
    }

    /// What every form of report is made of: see [`report`].
    pub fn with_study<T>(&self, make: impl FnOnce(&report::Study) -> T) -> T {
        let pool = pool(&self.runs, self.corpus.as_ref());
        let judgement = Some(self.judgement.clone());
        make(&report_files::study(&self.runs, self.corpus.as_ref(), pool.as_deref(), judgement))
    }

    /// Makes `folder` the results folder of these runs: records, report, figures and plots, as the command writes them.
    /// Another titled study's folder is replaced only where `replace` says so.
    ///
    /// # Errors
    /// When the folder holds what is not this program's, is another study's, or cannot be written; when the runs are no one study's.
    pub fn write(&self, folder: impl AsRef<Path>, replace: bool) -> Result<(), Error> {
        let folder = folder.as_ref();
        let Collection { records, imported, failed, left_out: _, question, notes, losses: _ } = &self.runs;
        let environment = records.first().map(|record| &record.environment);
        let specifications: Vec<RunSpec> = records
            .iter()
            .map(|record| record.specification.clone())
            .chain(failed.iter().map(|run| run.specification.clone()))
            .collect();
        // A plan names its runs by what they were asked and one engine.
        let is_planned = |record: &RunRecord| {
            environment.is_some_and(|environment| run_id(&record.specification, environment) == record.id)
        };
        if !records.iter().all(is_planned) {
            return Err(Error::Mixed);
        }
        let trained = environment.map(|environment| (&specifications[..], environment));
        let imports = Imports { runs: imported, notes };
        let entry = if replace { Entry::Replace } else { Entry::ReplaceUntitled };
        let workplace = StudyFolder::open(folder, question, trained, imports, entry)?;
        for record in records {
            if let Kept::InConflict(difference) = workplace.store().write(record).map_err(records_error)? {
                return Err(Error::Conflict { id: record.id.clone(), difference });
            }
        }
        failed.iter().try_for_each(|run| workplace.store().write_failed(run)).map_err(records_error)?;
        self.with_study(|study| report_files::write(folder, study, &[]))?;
        Ok(())
    }
}

/// What other programs' answers to the test images of a data set are held against.
pub fn known_images(corpus: &Corpus) -> KnownImages<'_> {
    KnownImages {
        name: corpus.name(),
        sha256: corpus.sha256(),
        files: corpus.test().files(),
        labels: corpus.test().labels(),
        class_names: corpus.class_names(),
        classes: corpus.classes(),
    }
}

fn records_error(error: records::store::FileError) -> Error {
    Error::Folder(error.into())
}
