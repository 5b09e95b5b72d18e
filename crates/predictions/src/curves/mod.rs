//! Curves of trainings that other programs logged, read to what `run.json` states of a run.
//!
//! [`Logger::read`] reads what one program logs to a [`Log`] a training: series of values by step, under the program's names.
//! [`Log::about`] decides which series is which figure, by its name or by a [`Choice`], and which epoch a step is of. What was guessed,
//! averaged, dropped or left out is a sentence among the notes.

mod cells;
mod epochs;
mod events;
mod keras;
mod meaning;
mod mlflow;
mod tensorboard;
mod wandb;

pub use meaning::Figure;

use crate::error::{Error, quoted};
use meaning::Series;
use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    path::{Path, PathBuf},
};

/// The advice of an [`Error`] that a [`Choice`] of series answers.
pub const STATE_SERIES: &str = "state which series is which figure";

/// The advice of an [`Error`] that [`Choice::steps_per_epoch`] answers.
pub const STATE_STEPS: &str = "state how many steps an epoch has";

/// A program that logs curves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Logger {
    /// Keras's CSVLogger: a table with a column `epoch`.
    KerasCsvLog,
    /// Event files, as TensorBoard, Keras, PyTorch and tensorboardX write them.
    TensorBoard,
    /// CSV of a chart, or of a run's history.
    Wandb,
    /// Folders of a file store, or CSV of a chart.
    MlFlow,
}

/// What one training logged.
#[derive(Debug, Clone, PartialEq)]
pub struct Log {
    /// What the training is called there, or its file or folder.
    pub run: String,
    /// The file or folder, as it was named.
    pub source: String,
    /// What tells the training from others, where several files may be of one.
    training: Option<String>,
    series: Vec<Series>,
    /// Whether steps are epochs, since the program counts epochs.
    by_epoch: bool,
    seed: Option<u64>,
    total_seconds: Option<f64>,
    notes: Vec<String>,
}

/// Which series is which figure, where that is not to be guessed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Choice {
    /// A figure and the name that it was logged under.
    pub series: Vec<(Figure, String)>,
    /// The name that the number of the epoch was logged under.
    pub epoch: Option<String>,
    /// How many steps an epoch has.
    pub steps_per_epoch: Option<u64>,
}

impl Logger {
    /// Reads what this program logged, a [`Log`] a training; each has a name of its own.
    ///
    /// # Errors
    /// When a file cannot be read or holds something else.
    pub fn read(self, paths: &[PathBuf]) -> Result<Vec<Log>, Error> {
        let mut logs: Vec<Log> = Vec::new();
        let mut places = BTreeSet::new();
        let mut trainings: HashMap<String, usize> = HashMap::new();
        for path in paths {
            if path.canonicalize().is_ok_and(|place| !places.insert(place)) {
                let shown = path.display().to_string();
                return Err(Error::new(&shown, "each file once", "it again", "leave it out"));
            }
            let found = match self {
                Self::KerasCsvLog => vec![keras::read(path)?],
                Self::TensorBoard => tensorboard::read(path)?,
                Self::Wandb => wandb::read(path)?,
                Self::MlFlow => mlflow::read(path)?,
            };
            // Of charts, which are saved one metric a file.
            for log in found {
                match log.training.as_ref().and_then(|training| trainings.get(training)) {
                    Some(place) => logs[*place].join(log)?,
                    None => {
                        trainings.extend(log.training.clone().map(|training| (training, logs.len())));
                        logs.push(log);
                    }
                }
            }
        }
        name_apart(&mut logs);
        Ok(logs)
    }

    fn name(self) -> &'static str {
        match self {
            Self::KerasCsvLog => "keras-csvlog",
            Self::TensorBoard => "tensorboard",
            Self::Wandb => "wandb",
            Self::MlFlow => "mlflow",
        }
    }
}

impl Log {
    fn of(run: String, path: &Path) -> Self {
        Self {
            run,
            source: path.display().to_string(),
            training: None,
            series: Vec::new(),
            by_epoch: false,
            seed: None,
            total_seconds: None,
            notes: Vec::new(),
        }
    }

    /// Adds what another file has of the same training.
    fn join(&mut self, other: Self) -> Result<(), Error> {
        for series in other.series {
            if let Some(own) = self.series.iter().find(|own| own.name == series.name) {
                return Err(Error::new(
                    &series.file,
                    "each metric of a run once",
                    format!(
                        "{} of run {}, which {} has too",
                        quoted(&series.name),
                        quoted(&self.run),
                        own.file
                    ),
                    "leave one of the files out",
                ));
            }
            self.series.push(series);
        }
        self.seed = self.seed.or(other.seed);
        self.total_seconds = self.total_seconds.or(other.total_seconds);
        self.notes.extend(other.notes);
        self.source = format!("{}, {}", self.source, other.source);
        Ok(())
    }
}

/// Gives each log a name of its own: that of its folder where files are called alike, else with a number.
fn name_apart(logs: &mut [Log]) {
    let of_folder = |log: &Log| {
        let file = Some(Path::new(&log.source)).filter(|source| source.is_file())?;
        Some(file.parent()?.file_name()?.to_string_lossy().into_owned())
    };
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    for log in &*logs {
        *counts.entry(log.run.clone()).or_default() += 1;
    }
    let mut taken = BTreeSet::new();
    for log in logs {
        if counts[&log.run] > 1 {
            log.run = of_folder(log).unwrap_or(log.run.clone());
        }
        let name = log.run.clone();
        let mut count = 1;
        while !taken.insert(log.run.clone()) {
            count += 1;
            log.run = format!("{name}-{count}");
        }
    }
}

/// A path's last name without its ending, for a training that has no other.
fn stem_of(path: &Path) -> String {
    path.file_stem().map_or_else(|| "run".to_owned(), |stem| stem.to_string_lossy().into_owned())
}

/// Refuses a path where there is no file.
fn check_file(path: &Path, what: &str) -> Result<(), Error> {
    if path.is_file() {
        return Ok(());
    }
    let found = match path.exists() {
        true if path.is_dir() => "a folder",
        true => "another thing",
        false => "nothing",
    };
    Err(Error::new(&path.display().to_string(), what, found, "check the path"))
}
