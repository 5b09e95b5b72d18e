//! What a study is about to do, told before it does it.

use crate::command::{
    failure::Failure,
    interrupt,
    options::{OutputArguments, RunOptions},
    output,
    progress::duration,
};
use data::Source;
use records::{record::RunSpec, store::Store};
use report::thousands;
use serde_json::{Value, json};
use std::{
    io::{IsTerminal, stderr, stdin},
    sync::mpsc::{RecvTimeoutError, channel},
    thread,
    time::Duration,
};
use study::{
    forecast::{Basis, Forecast},
    run::Session,
};

/// A study that takes longer is not begun unasked.
const HOUR: f64 = 3600.0;

/// Seconds that a forecast may take to be measured.
const MEASURING: f64 = 8.0;

/// The runs of a study on one data set.
pub(super) struct Planned {
    pub(super) dataset: String,
    pub(super) forecast: Forecast,
}

impl Planned {
    /// What is known of these runs. Time is measured where all may take longer than an hour, or where the runs are only
    /// listed: a short study begins at once.
    pub(super) fn of(
        dataset: &str,
        session: &Session,
        runs: &[RunSpec],
        chosen: Option<&[usize]>,
        store: &Store,
        options: &RunOptions,
    ) -> Result<Self, Failure> {
        let mut forecast = Forecast::of(session, runs, Some(store), options.fresh)?;
        if let Some(chosen) = chosen {
            forecast.choose(chosen);
        }
        if options.dry_run || (forecast.seconds_left() > HOUR && !options.yes) {
            measure(&mut forecast, session)?;
        }
        Ok(Self { dataset: dataset.to_owned(), forecast })
    }

    /// The same of runs that are made elsewhere, none of which is recorded.
    pub(super) fn measured(dataset: &str, session: &Session, runs: &[RunSpec]) -> Result<Self, Failure> {
        let mut forecast = Forecast::of(session, runs, None, false)?;
        measure(&mut forecast, session)?;
        Ok(Self { dataset: dataset.to_owned(), forecast })
    }
}

fn measure(forecast: &mut Forecast, session: &Session) -> Result<(), Failure> {
    let _finishing = interrupt::finish_step();
    forecast.measure(session, MEASURING, &interrupt::flow)?;
    match interrupt::requested() {
        true => Err(Failure::interrupted("interrupted before the first run", "nothing was changed")),
        false => Ok(()),
    }
}

/// What to do after what was told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Decision {
    Train,
    /// All was said that was asked for.
    Stop,
}

/// Refuses what a dry run would have to fetch first.
pub(super) fn check_here(dataset: &str) -> Result<(), Failure> {
    match Source::parse(dataset)? {
        Source::Published { set, cache, .. } if !set.is_here(&cache) => Err(Failure::new(
            format!("data set {dataset}: not on this machine, and a dry run fetches nothing"),
            format!("fetch it first: mnist-study datasets fetch {dataset}"),
        )),
        _ => Ok(()),
    }
}

/// Lists the runs if that is all that is wanted; else says how many there are and how long they will take, and asks where
/// that is more than an hour.
pub(super) fn decide(
    planned: &[Planned],
    options: &RunOptions,
    output: OutputArguments,
) -> Result<Decision, Failure> {
    if options.dry_run {
        let told = match output.json {
            true => output::json(&format!("{:#}\n", to_json(planned))),
            false => output::result(&table(planned)),
        };
        return told.map(|()| Decision::Stop);
    }
    if !output.quiet {
        output::note(&summary(planned));
    }
    let seconds: f64 = planned.iter().map(|part| part.forecast.seconds_left()).sum();
    if seconds <= HOUR || options.yes {
        return Ok(Decision::Train);
    }
    let refused = |problem: String| {
        Failure::usage(
            problem,
            "pass --yes to begin all the same; --dry-run lists the runs and what each takes",
        )
    };
    if !(stdin().is_terminal() && stderr().is_terminal()) {
        return Err(refused(format!("{}: not started without being asked", summary(planned))));
    }
    if output.quiet {
        output::note(&summary(planned));
    }
    match asked("continue? [y/N] ")? {
        true => Ok(Decision::Train),
        false => Err(Failure::new("not started", "--dry-run lists the runs and what each takes")),
    }
}

/// Whether the answer is yes. Ctrl-C is an answer too.
fn asked(question: &str) -> Result<bool, Failure> {
    let _finishing = interrupt::finish_step();
    output::question(question);
    let (sender, answer) = channel();
    thread::spawn(move || {
        let mut line = String::new();
        let read = stdin().read_line(&mut line).map(|_| line);
        let _ = sender.send(read);
    });
    loop {
        match answer.recv_timeout(Duration::from_millis(50)) {
            Ok(Ok(line)) => return Ok(["y", "yes"].contains(&line.trim().to_lowercase().as_str())),
            Ok(Err(_)) | Err(RecvTimeoutError::Disconnected) => return Ok(false),
            Err(RecvTimeoutError::Timeout) if interrupt::requested() => {
                return Err(Failure::interrupted("interrupted before the first run", "nothing was changed"));
            }
            Err(RecvTimeoutError::Timeout) => {}
        }
    }
}

/// How many runs there are, and how long those that are left will take, in words.
fn summary(planned: &[Planned]) -> String {
    let runs: usize = planned.iter().map(|part| part.forecast.runs.len()).sum();
    let left: usize = planned.iter().map(|part| part.forecast.left().count()).sum();
    let count = |count: usize, noun: &str| match count {
        1 => format!("1 {noun}"),
        count => format!("{} {noun}s", thousands(count as u64)),
    };
    let recorded = match runs - left {
        0 => String::new(),
        recorded => format!(" ({} already recorded)", thousands(recorded as u64)),
    };
    if runs == 0 {
        return "no runs: nothing to train".to_owned();
    }
    if left == 0 {
        return format!("{}, all recorded: nothing to train", count(runs, "run"));
    }
    let seconds: f64 = planned.iter().map(|part| part.forecast.seconds_left()).sum();
    let time = match planned.iter().all(|part| part.forecast.is_estimate()) {
        true => format!("about {}", long(seconds)),
        false if seconds <= 60.0 => "less than a minute".to_owned(),
        false if seconds <= 600.0 => "less than 10 minutes".to_owned(),
        false if seconds <= HOUR => "less than an hour".to_owned(),
        false => format!("up to {}", long(seconds)),
    };
    format!("{} to train{recorded}, expected to take {time}", count(left, "run"))
}

/// As a clock tells it; in days where there are several.
fn long(seconds: f64) -> String {
    match seconds / 86_400.0 {
        _ if seconds < 1.0 => "1 s".to_owned(),
        days if days >= 2.0 => format!("{days:.1} days"),
        _ => duration(seconds),
    }
}

fn table(planned: &[Planned]) -> String {
    let several = planned.len() > 1;
    let columns = ["data set", "run", "model", "seed", "epochs", "record", "predicted"];
    let mut rows = vec![columns.map(str::to_owned)];
    for Planned { dataset, forecast } in planned {
        rows.extend(forecast.runs.iter().map(|run| {
            let (record, predicted) = match (run.recorded, run.basis) {
                (true, _) => ("recorded", "-".to_owned()),
                (false, Basis::Bound) => ("to train", format!("at most {:.1} s", run.seconds)),
                (false, _) => ("to train", format!("{:.1} s", run.seconds)),
            };
            let [seed, epochs] = [run.seed.to_string(), run.epochs.to_string()];
            [dataset.clone(), run.id.clone(), run.model.clone(), seed, epochs, record.to_owned(), predicted]
        }));
    }
    let widths: Vec<usize> = (0..columns.len())
        .map(|column| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or(0))
        .collect();
    let mut text = String::new();
    for row in &rows {
        let first = usize::from(!several);
        let cells = (first..columns.len()).map(|column| {
            let (cell, width) = (&row[column], widths[column]);
            // Numbers to the right.
            if [3, 4, 6].contains(&column) { format!("{cell:>width$}") } else { format!("{cell:<width$}") }
        });
        text.push_str(cells.collect::<Vec<_>>().join("  ").trim_end());
        text.push('\n');
    }
    format!("{text}\n{}\n", summary(planned))
}

fn to_json(planned: &[Planned]) -> Value {
    let runs = planned.iter().flat_map(|Planned { dataset, forecast }| {
        forecast.runs.iter().map(move |run| {
            let basis = match run.basis {
                Basis::Records => "records",
                Basis::Measurement => "measurement",
                Basis::Bound => "bound",
            };
            json!({
                "dataset": dataset,
                "id": run.id,
                "model": run.model,
                "seed": run.seed,
                "epochs": run.epochs,
                "recorded": run.recorded,
                "predicted_seconds": (!run.recorded).then_some(run.seconds),
                "basis": (!run.recorded).then_some(basis),
            })
        })
    });
    let runs: Vec<Value> = runs.collect();
    let left: usize = planned.iter().map(|part| part.forecast.left().count()).sum();
    let seconds: f64 = planned.iter().map(|part| part.forecast.seconds_left()).sum();
    json!({
        "to_train": left,
        "recorded": runs.len() - left,
        "predicted_seconds": seconds,
        "runs": runs,
    })
}
