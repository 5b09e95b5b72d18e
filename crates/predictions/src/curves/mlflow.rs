//! MLflow: the folders of its file store, and the CSV of a chart's data.

use super::{Log, cells::Cells, meaning::Series};
use crate::{
    error::{Error, quoted},
    files::read_whole,
    found::{Entry, entries},
};
use std::{
    collections::{BTreeMap, HashMap},
    path::Path,
};

/// No file of one metric is larger.
const MAXIMUM_BYTES: u64 = 256 << 20;

/// No file of what is known of a run is larger.
const MAXIMUM_STATED: u64 = 1 << 20;

/// Folders below that which was named: `mlruns/EXPERIMENT/RUN`, and those of a metric's name.
const DEEPEST: usize = 8;

const ADVICE: &str = "give a folder of mlruns (a run, an experiment, all of them), or the CSV of a chart's data; of a database, \
                      save MlflowClient().get_metric_history(RUN, METRIC) as CSV with columns run_id, key, value and step";

pub(super) fn read(path: &Path) -> Result<Vec<Log>, Error> {
    let shown = path.display().to_string();
    if path.is_dir() {
        let mut logs = Vec::new();
        let mut passed_over = Vec::new();
        runs(path, 0, &mut logs, &mut passed_over)?;
        let Some(first) = logs.first_mut() else {
            let found = if passed_over.is_empty() { "none".to_owned() } else { passed_over.join(", ") };
            return Err(Error::new(&shown, "runs with files metrics/NAME", found, ADVICE));
        };
        first.notes.extend(passed_over);
        return Ok(logs);
    }
    super::check_file(path, "a folder of mlruns, or a CSV export of MLflow")?;
    let name = path.file_name().unwrap_or_default().to_string_lossy().to_lowercase();
    if name.ends_with(".csv") {
        return table(path, &Cells::read(path, "a CSV export of MLflow")?);
    }
    // A metric alone.
    let metrics =
        path.ancestors().skip(1).find(|above| above.file_name().is_some_and(|name| name == "metrics"));
    let (Some(metrics), false) = (metrics, name.ends_with(".db")) else {
        return Err(Error::new(
            &shown,
            "a folder of mlruns, or a CSV export of MLflow",
            "another file",
            ADVICE,
        ));
    };
    let mut log = stated(metrics.parent().unwrap_or(Path::new(".")))?;
    log.source = shown;
    log.training = Some(metrics.display().to_string());
    log.series.push(metric(path, &metric_name(metrics, path))?);
    Ok(vec![log])
}

/// The runs in a folder and below it.
fn runs(
    folder: &Path,
    depth: usize,
    logs: &mut Vec<Log>,
    passed_over: &mut Vec<String>,
) -> Result<(), Error> {
    let metrics = folder.join("metrics");
    if metrics.is_dir() {
        let mut log = stated(folder)?;
        if deleted(folder)? {
            passed_over.push(format!("run {} is deleted: passed over", quoted(&log.run)));
            return Ok(());
        }
        collect(&metrics, &metrics, 0, &mut log.series)?;
        match log.series.is_empty() {
            true => passed_over.push(format!("run {} has no metrics: passed over", quoted(&log.run))),
            false => logs.push(log),
        }
        return Ok(());
    }
    if depth < DEEPEST {
        for entry in entries(folder)? {
            if let Entry::Folder(path, _) = entry {
                runs(&path, depth + 1, logs, passed_over)?;
            }
        }
    }
    Ok(())
}

/// A metric's file has its name, `val/loss` in folders.
fn collect(metrics: &Path, folder: &Path, depth: usize, series: &mut Vec<Series>) -> Result<(), Error> {
    for entry in entries(folder)? {
        match entry {
            Entry::File(path, _) => series.push(metric(&path, &metric_name(metrics, &path))?),
            Entry::Folder(path, _) if depth < DEEPEST => collect(metrics, &path, depth + 1, series)?,
            Entry::Folder(..) => {}
        }
    }
    Ok(())
}

fn metric_name(metrics: &Path, path: &Path) -> String {
    let below = path.strip_prefix(metrics).unwrap_or(path);
    below.iter().map(|part| part.to_string_lossy()).collect::<Vec<_>>().join("/")
}

/// Lines of a time in milliseconds, a value, a step and, since version 2.20, what data it is of.
fn metric(path: &Path, name: &str) -> Result<Series, Error> {
    super::check_file(path, "a file of a metric")?;
    let bytes = read_whole(path, MAXIMUM_BYTES, "leave the metric out")?;
    let mut series = Series::new(name, &path.display().to_string(), "line");
    let text = String::from_utf8_lossy(&bytes);
    for (at, line) in (1..).zip(text.lines()) {
        let fields: Vec<&str> = line.split_whitespace().collect();
        match fields[..] {
            [] => {}
            [_, value, step, ..] if step.parse::<i64>().is_ok() => {
                series.push_text(step.parse().unwrap_or_default(), value, at);
            }
            // The last line of a run under way.
            _ if !text.ends_with('\n') && text.lines().count() as u64 == at => {}
            // No part of what is imported, unless it is asked for.
            _ => {
                series.wrong.get_or_insert((at, format!("{line} (TIME VALUE STEP expected)")));
            }
        }
    }
    Ok(series)
}

/// What a run is called, and what it states of itself.
fn stated(folder: &Path) -> Result<Log, Error> {
    let id =
        folder.canonicalize().ok().and_then(|path| Some(path.file_name()?.to_string_lossy().into_owned()));
    let mut log = Log::of(id.unwrap_or_else(|| "run".to_owned()), folder);
    let meta = meta(folder)?;
    let tag = text_of(&folder.join("tags").join("mlflow.runName"))?;
    let name = meta.get("run_name").cloned().or(tag).filter(|name| !name.is_empty());
    log.run = name.unwrap_or(log.run);
    let time = |name: &str| meta.get(name).and_then(|text| text.parse::<f64>().ok());
    if let (Some(start), Some(end)) = (time("start_time"), time("end_time"))
        && end > start
        && start > 0.0
    {
        log.total_seconds = Some((end - start) / 1000.0);
        log.notes
            .push("the seconds in all are those from the run's start to its end in meta.yaml".to_owned());
    }
    for name in ["seed", "random_seed", "random_state"] {
        let stated = text_of(&folder.join("params").join(name))?;
        log.seed = log.seed.or(stated.and_then(|text| text.trim().parse().ok()));
    }
    Ok(log)
}

fn deleted(folder: &Path) -> Result<bool, Error> {
    Ok(meta(folder)?.get("lifecycle_stage").is_some_and(|stage| stage == "deleted"))
}

/// The plain values of meta.yaml.
fn meta(folder: &Path) -> Result<BTreeMap<String, String>, Error> {
    let text = text_of(&folder.join("meta.yaml"))?.unwrap_or_default();
    let value = |line: &str| {
        let (name, value) = line.split_once(": ")?;
        let value = value.trim();
        let plain = match value.as_bytes() {
            [b'\'', .., b'\''] if value.len() > 1 => value[1..value.len() - 1].replace("''", "'"),
            [b'"', .., b'"'] if value.len() > 1 => {
                serde_json::from_str(value).unwrap_or_else(|_| value.to_owned())
            }
            _ => value.to_owned(),
        };
        Some((name.to_owned(), plain))
    };
    Ok(text.lines().filter_map(value).collect())
}

fn text_of(path: &Path) -> Result<Option<String>, Error> {
    if !path.is_file() {
        return Ok(None);
    }
    let bytes = read_whole(path, MAXIMUM_STATED, "give a folder that MLflow wrote")?;
    Ok(Some(String::from_utf8_lossy(&bytes).into_owned()))
}

/// A chart's data: a row a value.
fn table(path: &Path, cells: &Cells) -> Result<Vec<Log>, Error> {
    let id = cells.place(&["Run ID", "run_id", "run_uuid"]);
    let run = cells.place(&["Run", "Run Name", "run_name", "Group"]).or(id);
    let metric = cells.needs(&["metric", "key"], "columns Run, metric, step and value", ADVICE)?;
    let step = cells.needs(&["step"], "columns Run, metric, step and value", ADVICE)?;
    let value = cells.needs(&["value"], "columns Run, metric, step and value", ADVICE)?;
    let mut logs: Vec<Log> = Vec::new();
    // Runs of one name are told apart by their ids.
    let mut runs: HashMap<String, usize> = HashMap::new();
    let mut places: HashMap<(usize, String), usize> = HashMap::new();
    for (line, text) in cells.rows() {
        let name = run.map_or_else(|| super::stem_of(path), &text);
        let place = *runs.entry(id.map_or_else(|| name.clone(), &text)).or_insert_with_key(|key| {
            logs.push(Log { training: Some(key.clone()), ..Log::of(name, path) });
            logs.len() - 1
        });
        let all = &mut logs[place].series;
        let series = *places.entry((place, text(metric))).or_insert_with_key(|(_, metric)| {
            all.push(Series::new(metric, &cells.file, "line"));
            all.len() - 1
        });
        let step = cells.step(&text(step), line, step)?;
        all[series].push_text(step, &text(value), line);
    }
    if logs.is_empty() {
        return Err(Error::new(&cells.file, "a row a value", "none", ADVICE));
    }
    logs[0].notes.extend(cells.cut_note());
    Ok(logs)
}
