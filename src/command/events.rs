//! `--json-events`: what happens in a study or a search, for another program.

use crate::command::{failure::Failure, output, targets};
use records::{
    event::{Event, Kind},
    folder::OUTPUTS,
    store::RECORDS,
};
use std::{
    fs::{self, File, OpenOptions},
    io::{self, Write},
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

/// Steps come by the thousand: at most one in this time is told.
const BETWEEN_STEPS: Duration = Duration::from_millis(100);

/// A line of JSON an event, in a file or a pipe.
pub(crate) struct EventLog {
    file: Option<(PathBuf, File)>,
    dataset: Option<String>,
    last_step: Option<Instant>,
}

const OPTION: &str = "--json-events";

/// Refuses a log in the place of what the command reads, or of what its folder of results holds.
///
/// # Errors
/// When events would be written there.
pub(crate) fn check(path: Option<&Path>, inputs: &[(&str, &Path)], out: &Path) -> Result<(), Failure> {
    let Some(path) = path else { return Ok(()) };
    if path == Path::new("-") {
        return Err(Failure::usage(
            format!("{OPTION} -: a file, a pipe or a device expected"),
            format!("pass {OPTION} /dev/stdout for standard output"),
        ));
    }
    let records = out.join(RECORDS);
    let results: Vec<PathBuf> = OUTPUTS.iter().map(|name| out.join(name)).collect();
    let kept = results.iter().chain([&records]).map(|path| ("--out", path.as_path()));
    let all: Vec<(&str, &Path)> = inputs.iter().copied().chain(kept).collect();
    targets::check(&all, &[(OPTION, path)])
}

impl EventLog {
    /// For a file that is made anew, a pipe or a device; none where nothing is asked for.
    ///
    /// # Errors
    /// When it cannot be written to.
    pub(crate) fn open(path: Option<&Path>) -> Result<Self, Failure> {
        let open = |path: &Path| {
            if is_pipe(path) {
                output::note(&format!("{}: waiting for the program that reads this pipe", path.display()));
            }
            // Whole lines at the end, whoever else writes there.
            let file = OpenOptions::new().create(true).append(true).open(path)?;
            if file.metadata()?.is_file() {
                file.set_len(0)?;
            }
            Ok((path.to_owned(), file))
        };
        let file = path.map(|path| {
            open(path).map_err(|problem: io::Error| {
                Failure::new(
                    format!("{OPTION} {}: {problem}", path.display()),
                    format!("check the path, or pass another one with {OPTION}"),
                )
            })
        });
        Ok(Self { file: file.transpose()?, dataset: None, last_step: None })
    }

    /// From here on events are about this one of several data sets.
    pub(crate) fn about(&mut self, dataset: &str) {
        self.dataset = Some(dataset.to_owned());
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
        if let Some(dataset) = &self.dataset {
            let dataset = serde_json::to_string(dataset).expect("text");
            line.replace_range(..1, &format!("{{\"dataset\":{dataset},"));
        }
        line.push('\n');
        let Err(problem) = file.write_all(line.as_bytes()) else { return };
        if problem.kind() != io::ErrorKind::BrokenPipe {
            output::note(&format!("{}: {problem}: no more events are written", path.display()));
        }
        self.file = None;
    }
}

#[cfg(unix)]
fn is_pipe(path: &Path) -> bool {
    fs::metadata(path).is_ok_and(|there| std::os::unix::fs::FileTypeExt::is_fifo(&there.file_type()))
}

#[cfg(not(unix))]
fn is_pipe(_: &Path) -> bool {
    false
}
