//! `--json-events`: what happens in a study or a search, for another program.

use crate::{failure::Failure, output};
use records::{
    event::{Event, Kind},
    files::FileError,
};
use std::{
    fs::File,
    io::{self, Write},
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

/// Steps come by the thousand: at most one in this time is told.
const BETWEEN_STEPS: Duration = Duration::from_millis(100);

/// A line of JSON an event, in a file or a pipe.
pub(crate) struct EventLog {
    file: Option<(PathBuf, File)>,
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
        Ok(Self { file: path.map(open).transpose()?, last_step: None })
    }

    /// Takes note of an event.
    pub(crate) fn event(&mut self, event: &Event) {
        if self.file.is_none() {
            return;
        }
        if let Kind::Step(_) = event.kind {
            if self.last_step.is_some_and(|last| last.elapsed() < BETWEEN_STEPS) {
                return;
            }
            self.last_step = Some(Instant::now());
        }
        self.write(event);
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
