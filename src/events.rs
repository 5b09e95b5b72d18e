//! `--json-events`: what happens in a study, for another program.

use crate::{failure::Failure, output};
use records::{
    event::{Event, Kind, Run},
    files::FileError,
};
use std::{
    fs::File,
    io::{self, Write},
    path::{Path, PathBuf},
    time::{Duration, Instant},
};
use study::execute::StudyEvent;

/// Steps come by the thousand: at most one in this time is told.
const BETWEEN_STEPS: Duration = Duration::from_millis(100);

/// A line of JSON an event, in a file or a pipe.
pub(crate) struct EventLog {
    file: Option<(PathBuf, File)>,
    run: Option<Run>,
    last_step: Option<Instant>,
}

impl EventLog {
    /// For a file that is made anew, a pipe or a device; none where nothing is asked for.
    ///
    /// # Errors
    /// When it cannot be written to.
    pub(crate) fn open(path: Option<&Path>) -> Result<Self, Failure> {
        let open = |path: &Path| match File::create(path) {
            Ok(file) => Ok((path.to_owned(), file)),
            Err(problem) => Err(FileError { path: path.to_owned(), problem }),
        };
        Ok(Self { file: path.map(open).transpose()?, run: None, last_step: None })
    }

    /// Takes note of an event.
    pub(crate) fn event(&mut self, event: &StudyEvent) {
        if self.file.is_none() {
            return;
        }
        let (run, kind) = event.parts();
        if matches!(event, StudyEvent::Started { .. }) {
            self.run = run.clone();
        }
        if let Kind::Step { .. } = kind {
            if self.last_step.is_some_and(|last| last.elapsed() < BETWEEN_STEPS) {
                return;
            }
            self.last_step = Some(Instant::now());
        }
        // What a training tells is about the run that began last.
        let within = matches!(event, StudyEvent::Training(_)).then(|| self.run.clone()).flatten();
        self.write(&Event { run: run.or(within), kind });
    }

    /// A log that takes no more ends; the runs go on.
    fn write(&mut self, event: &Event) {
        let Some((path, file)) = &mut self.file else { return };
        let mut line = serde_json::to_string(event).expect("an event has only plain values");
        line.push('\n');
        let Err(problem) = file.write_all(line.as_bytes()) else { return };
        if problem.kind() != io::ErrorKind::BrokenPipe {
            output::note(&format!("{}: {problem}: no more events are written", path.display()));
        }
        self.file = None;
    }
}
