//! `verify`: recorded runs made again.

use super::session_with;
use crate::command::{
    failure::{self, Failure},
    interrupt,
    options::{OutputArguments, ReadingArguments, values::threads},
    output,
    progress::Progress,
};
use clap::{Args, ValueHint};
use kernels::InstructionSet;
use records::{
    record::RunRecord,
    results::{collect, describe_failure, read_parts},
    store::Store,
};
use serde_json::json;
use std::{path::PathBuf, time::Instant};
use study::{run::Session, telling::Telling, verify::verify};

/// `verify`.
#[derive(Debug, Args)]
#[command(args_override_self = true)]
pub(crate) struct VerifyArguments {
    /// A folder that `compare` made
    #[arg(value_name = "DIR", default_value = "Results", value_hint = ValueHint::AnyPath)]
    pub(crate) folder: PathBuf,
    /// Every run of the folder's plan, not only the first
    #[arg(long)]
    pub(crate) all: bool,
    /// Data set: a name that `mnist-study datasets` lists, or a file or folder of images [default: the one that the record names]
    #[arg(long, value_name = "NAME|PATH", value_hint = ValueHint::AnyPath)]
    pub(crate) dataset: Option<String>,
    #[command(flatten)]
    pub(crate) reading: ReadingArguments,
    /// Threads to compute with; the results do not depend on it [default: as OMP_NUM_THREADS or SLURM_CPUS_PER_TASK says,
    /// else one for each processor]
    #[arg(long, value_name = "N", value_parser = threads)]
    pub(crate) threads: Option<usize>,
    #[command(flatten)]
    pub(crate) output: OutputArguments,
}

/// Checks every record of the folder, makes the first run of each data set's plan again, or all of them, and compares.
pub(crate) fn run(arguments: &VerifyArguments) -> Result<(), Failure> {
    let parts = read_parts(&arguments.folder)?;
    // A study over several data sets has a folder of results for each.
    let folders = match parts.is_empty() {
        true => vec![arguments.folder.clone()],
        false => parts.iter().map(|part| arguments.folder.join(&part.folder)).collect(),
    };
    let mut problems = Vec::new();
    for folder in &folders {
        let store = Store::of(folder);
        for id in store.identities()? {
            if let Err(problem) = store.read(&id) {
                problems.push(problem);
            }
        }
    }
    if let Some(problem) = problems.first() {
        let more = match problems.len() - 1 {
            0 => String::new(),
            others => format!(", and {others} more like it"),
        };
        return Err(Failure::new(
            format!("{problem}{more}"),
            "what the file says cannot be relied on: remove it, and make the run again with `mnist-study compare`",
        ));
    }
    let (mut records, mut losses) = (Vec::new(), Vec::new());
    for folder in &folders {
        let found = collect(folder)?;
        found.losses.iter().for_each(|loss| output::note(loss));
        for run in &found.failed {
            output::note(&format!("{}: not verified", describe_failure(run)));
        }
        losses.extend(found.losses);
        let of_one = if arguments.all { found.records.len() } else { 1 };
        records.extend(found.records.into_iter().take(of_one));
    }
    let plan: Vec<_> = records.iter().map(|record| record.specification.clone()).collect();
    let mut session: Option<Session> = None;
    let mut results = Vec::new();
    let mut told = Ok(());
    let mut work = Ok(());
    for (index, record) in records.iter().enumerate() {
        let progress = Progress::new(&plan[index..], arguments.output.quiet);
        let start = Instant::now();
        let differences = match again(arguments, record, &mut session, progress, (index, records.len())) {
            Ok(differences) => differences,
            Err(failure) => {
                work = Err(failure);
                break;
            }
        };
        if !arguments.output.json {
            told = told.and(output::result(&said(record, &differences, start.elapsed().as_secs_f64())));
        }
        results.push(json!({
            "record": record.id,
            "model": record.specification.model,
            "seed": record.specification.seed,
            "fingerprint": record.fingerprint,
            "same": differences.is_empty(),
            "differences": differences,
        }));
    }
    if arguments.output.json && !results.is_empty() {
        told = output::json(&format!("{:#}\n", json!({ "runs": results })));
    }
    // A difference that was found stands before an interruption, and before a full disk.
    failure::before_report(different(&results).and(work).and(all_there(arguments, &losses)), told)
}

/// A failure where every run was to be verified and some have no record.
fn all_there(arguments: &VerifyArguments, losses: &[String]) -> Result<(), Failure> {
    match losses {
        [loss, ..] if arguments.all => {
            Err(Failure::new(loss, "make what is missing with that command, then verify again"))
        }
        _ => Ok(()),
    }
}

/// A failure where a run differs from its record.
fn different(results: &[serde_json::Value]) -> Result<(), Failure> {
    match results.iter().find(|result| result["same"] == false) {
        None => Ok(()),
        Some(result) => Err(Failure::new(
            format!(
                "record {}: {}",
                result["record"].as_str().unwrap_or_default(),
                result["differences"][0].as_str().unwrap_or_default()
            ),
            "the record was not made by this program as it says, or this machine computes wrongly",
        )),
    }
}

/// Makes the run of a record again, in the session that is there where it will do; what came out otherwise.
fn again(
    arguments: &VerifyArguments,
    record: &RunRecord,
    session: &mut Option<Session>,
    mut progress: Progress,
    (index, total): (usize, usize),
) -> Result<Vec<String>, Failure> {
    let specification = &record.specification;
    let is_made_for = |session: &Session| {
        session.instruction_set().has_bits_of(&record.environment.kernels)
            && session.corpus().sha256() == specification.dataset.sha256
    };
    let session = match session.take().filter(is_made_for) {
        Some(fitting) => session.insert(fitting),
        None => session.insert(open(arguments, record)?),
    };
    check_precision(session.instruction_set(), record)?;
    let mut telling = Telling::of_run(index, total, specification);
    progress.event(telling.event());
    let _finishing = interrupt::finish_step();
    let mut listener = |event: train::Event| {
        progress.event(telling.of_training(event));
        interrupt::flow()
    };
    let differences = verify(session, record, &mut listener);
    progress.finish();
    Ok(differences?)
}

/// For the data and the kernels of a record.
fn open(arguments: &VerifyArguments, record: &RunRecord) -> Result<Session, Failure> {
    let made = &record.environment.kernels;
    let set = InstructionSet::with_bits_of(made).map_err(|error| {
        let made = format!("record {}: made with {}: {error}", record.id, record.environment.kernels);
        Failure::new(
            made,
            "verify it on a machine that has these instructions: other ones give other last digits",
        )
    })?;
    check_precision(set, record)?;
    if set.name() != made {
        output::note(&format!(
            "record {}: made with {made} kernels; verified with {} kernels, whose results are the same bit for bit",
            record.id,
            set.name()
        ));
    }
    let named = arguments.dataset.as_ref().map(|dataset| arguments.reading.of(dataset));
    let dataset = named.as_ref().unwrap_or(&record.specification.dataset.name);
    session_with(set, dataset, arguments.threads, &[], arguments.output.quiet)
}

/// Refuses a record whose precision these kernels do not have here.
fn check_precision(set: InstructionSet, record: &RunRecord) -> Result<(), Failure> {
    nn::check_precision(set, record.specification.recipe.precision).map_err(|error| {
        Failure::new(
            format!("record {}: {error}", record.id),
            "verify it on a machine that has this precision",
        )
    })
}

/// A line for a run that was made again.
fn said(record: &RunRecord, differences: &[String], seconds: f64) -> String {
    let (model, seed) = (&record.specification.model, record.specification.seed);
    let fingerprint: String = record.fingerprint.chars().take(16).collect();
    match differences {
        [] => format!("{model}, seed {seed}: the same, fingerprint {fingerprint}, in {seconds:.1} s\n"),
        several => format!("{model}, seed {seed}: NOT the same: {}\n", several.join("; ")),
    }
}
