//! One file a verb.

mod augmented;
pub(crate) mod bench;
pub(crate) mod compare;
mod comparison;
pub(crate) mod datasets;
pub(crate) mod evaluate;
pub(crate) mod export;
mod forecast;
pub(crate) mod import;
mod inspect;
pub(crate) mod judge;
mod kept_models;
pub(crate) mod merge;
pub(crate) mod models;
mod named;
pub(crate) mod page;
pub(crate) mod predict;
pub(crate) mod report;
mod results;
pub(crate) mod run;
pub(crate) mod script;
mod search_status;
mod selection;
mod source;
pub(crate) mod speedrun;
pub(crate) mod status;
pub(crate) mod train;
pub(crate) mod tune;
pub(crate) mod verify;
mod weights;

use crate::command::{
    args::{Arguments, Command},
    failure::Failure,
    interrupt,
    options::threads,
    output,
};
use clap::CommandFactory;
use kernels::InstructionSet;
use nn::Precision;
use records::record::RunSpec;
use std::{env, thread, time::Instant};
use study::{
    run::{RunError, Session},
    study_file::ModelSpec,
};

/// The environment variable that forces an instruction set.
const KERNELS: &str = "MNIST_STUDY_KERNELS";

/// Does what the command line says.
pub(crate) fn carry_out(arguments: Arguments, process_start: Instant) -> Result<(), Failure> {
    match arguments.command {
        None => compare::run(&arguments.compare),
        Some(Command::Compare(arguments)) => compare::run(&arguments),
        Some(Command::Train(arguments)) => train::run(&arguments),
        Some(Command::Evaluate(arguments)) => evaluate::run(&arguments),
        Some(Command::Predict(arguments)) => predict::run(&arguments),
        Some(Command::Export(arguments)) => export::run(&arguments),
        Some(Command::Run(arguments)) => run::run(&arguments),
        Some(Command::Judge(arguments)) => judge::run(&arguments),
        Some(Command::Import(arguments)) => import::run(&arguments),
        Some(Command::Page(arguments)) => page::run(&arguments),
        Some(Command::Report(arguments)) => report::run(&arguments),
        Some(Command::Status(arguments)) => status::run(&arguments),
        Some(Command::Merge(arguments)) => merge::run(&arguments),
        Some(Command::Script(arguments)) => script::run(&arguments),
        Some(Command::Verify(arguments)) => verify::run(&arguments),
        Some(Command::Tune(arguments)) => tune::run(&arguments),
        Some(Command::Speedrun(arguments)) => speedrun::run(&arguments, process_start),
        Some(Command::Bench(arguments)) => bench::run(&arguments),
        Some(Command::Models(arguments)) => models::models(&arguments),
        Some(Command::Datasets(arguments)) => datasets::run(&arguments),
        Some(Command::Completions { shell }) => {
            let mut script = Vec::new();
            clap_complete::generate(shell, &mut Arguments::command(), "mnist-study", &mut script);
            output::result(&String::from_utf8_lossy(&script))
        }
    }
}

/// Refuses data that cannot be divided as a run asks for, and says what becomes of validation images that it states.
fn tell_division(session: &Session, run: &RunSpec) -> Result<(), Failure> {
    if let Some(note) = session.check_division(run)? {
        output::note(&format!("data set {}: {note}", session.corpus().name()));
    }
    Ok(())
}

/// The instruction set that the environment forces, else the fastest there is.
fn instruction_set() -> Result<InstructionSet, Failure> {
    match env::var(KERNELS) {
        Ok(name) if !name.is_empty() => InstructionSet::named(&name)
            .map_err(|error| Failure::usage(error, format!("unset {KERNELS} to let the program choose"))),
        _ => Ok(InstructionSet::detect()),
    }
}

/// Refuses a precision that this machine does not have with these kernels: no other one is ever taken in its place.
fn check_precision(set: InstructionSet, precision: Precision) -> Result<(), Failure> {
    Ok(nn::check_precision(set, precision).map_err(RunError::from)?)
}

/// Loads the data, fetched if it is a known set that is not here, and starts the threads.
///
/// What these models cannot be trained for is told before any work: a shape that does not fit, a precision that is not here.
fn session(
    dataset: &str,
    threads: Option<usize>,
    models: &[ModelSpec],
    quiet: bool,
) -> Result<Session, Failure> {
    let set = instruction_set()?;
    models.iter().try_for_each(|model| check_precision(set, model.recipe.precision))?;
    session_with(set, dataset, threads, models, quiet)
}

/// As [`session`], for an instruction set, and for models that may be trained elsewhere.
fn session_with(
    set: InstructionSet,
    dataset: &str,
    threads: Option<usize>,
    models: &[ModelSpec],
    quiet: bool,
) -> Result<Session, Failure> {
    let source = source::source(dataset, quiet)?;
    let (asked, from) = match threads {
        Some(asked) => (asked, Some("--threads")),
        None => threads::default(),
    };
    let session = Session::open(&source, set, asked)?;
    let threads = session.threads();
    let available = thread::available_parallelism().map_or(1, usize::from);
    match from {
        Some(from) if threads < asked && !quiet => {
            output::note(&format!("{from} {asked}: using {threads}, the number of available processors"));
        }
        // What an environment says is not seen in the command.
        Some(from) if from != "--threads" && threads < available && !quiet => {
            output::note(&format!("{from} {asked}: using {threads} of {available} available processors"));
        }
        _ => {}
    }
    source::tell(session.corpus());
    for model in models {
        session.check_fit(model)?;
        if let Some(doubt) = model.architecture.doubt() {
            output::note(&format!("model {}: {doubt}", model.architecture.name));
        }
    }
    if interrupt::requested() {
        return Err(Failure::interrupted("interrupted before the first run", "nothing was changed"));
    }
    Ok(session)
}
