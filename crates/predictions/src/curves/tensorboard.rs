//! Folders of event files. Keras writes `train/` and `validation/` below a run's folder, PyTorch's `add_scalars` a folder a line.

use super::{Log, events, meaning::says_its_part};
use crate::{
    error::Error,
    found::{Entry, entries},
};
use std::{
    collections::{BTreeMap, HashMap},
    path::{Path, PathBuf},
};

/// Folders below that which was named.
const DEEPEST: usize = 16;

/// No folder holds more event files.
const MOST_FILES: usize = 10_000;

pub(super) fn read(path: &Path) -> Result<Vec<Log>, Error> {
    let shown = path.display().to_string();
    let mut files = Vec::new();
    match path.is_dir() {
        true => find(path, 0, &mut files)?,
        false => {
            super::check_file(path, "an event file, or a folder of some")?;
            files.push(path.to_owned());
        }
    }
    if files.is_empty() || files.len() > MOST_FILES {
        return Err(Error::new(
            &shown,
            format!("1 to {MOST_FILES} files *tfevents*"),
            files.len().to_string(),
            "give the folder that TensorBoard is given as its logdir, or one in it",
        ));
    }
    // By the run's folder, and what a part's folder adds to its series.
    let mut runs: BTreeMap<PathBuf, Vec<(String, PathBuf)>> = BTreeMap::new();
    for file in files {
        let folder = file.parent().unwrap_or(Path::new("")).to_owned();
        let name = folder.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        let (run, part) = match says_its_part(&name) {
            true => (folder.parent().unwrap_or(Path::new("")).to_owned(), format!("{name}/")),
            false => (folder, String::new()),
        };
        runs.entry(run).or_default().push((part, file));
    }
    let several = runs.len() > 1;
    let mut logs = Vec::new();
    for (folder, files) in runs {
        let below = folder.strip_prefix(path).unwrap_or(&folder);
        let name = match several && !below.as_os_str().is_empty() {
            true => below.display().to_string(),
            false => last_name(&folder),
        };
        let source = if path.is_dir() && several { &folder } else { path };
        let log = run(name, source, &files)?;
        if !log.series.is_empty() {
            logs.push(log);
        }
    }
    if logs.is_empty() {
        return Err(Error::new(
            &shown,
            "event files that hold scalars",
            "none",
            "log figures by add_scalar, or with Keras's TensorBoard callback",
        ));
    }
    Ok(logs)
}

/// What a folder is called, wherever it was named from.
fn last_name(folder: &Path) -> String {
    let folder = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
    let whole = folder.canonicalize().ok();
    let name = whole.as_deref().and_then(Path::file_name);
    name.map_or_else(|| "run".to_owned(), |name| name.to_string_lossy().into_owned())
}

fn find(folder: &Path, depth: usize, files: &mut Vec<PathBuf>) -> Result<(), Error> {
    for entry in entries(folder)? {
        match entry {
            Entry::File(path, name) if name.contains("tfevents") && path.is_file() => files.push(path),
            Entry::Folder(path, _) if depth < DEEPEST => find(&path, depth + 1, files)?,
            Entry::File(..) | Entry::Folder(..) => {}
        }
        if files.len() > MOST_FILES {
            break;
        }
    }
    Ok(())
}

/// The files of one run, in the order of their names, which have the time in them.
fn run(name: String, source: &Path, files: &[(String, PathBuf)]) -> Result<Log, Error> {
    let mut log = Log::of(name, source);
    let mut places: HashMap<String, usize> = HashMap::new();
    for (part, file) in files {
        let scalars = events::read(file)?;
        if scalars.cut {
            log.notes.push(format!(
                "{} ends within an event, as of a training under way: what came before is taken",
                file.display()
            ));
        }
        for mut series in scalars.series {
            series.name = format!("{part}{}", series.name);
            match places.get(&series.name) {
                Some(place) => log.series[*place].points.append(&mut series.points),
                None => {
                    places.insert(series.name.clone(), log.series.len());
                    log.series.push(series);
                }
            }
        }
    }
    Ok(log)
}
