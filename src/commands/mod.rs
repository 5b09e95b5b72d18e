//! One file a verb.

mod bench;
mod compare;
mod datasets;
mod evaluate;
mod lists;
mod report;
mod results;
mod train;
mod verify;
mod weights;

use crate::{
    args::{Arguments, Command},
    failure::Failure,
    interrupt, output,
};
use clap::CommandFactory;
use kernels::InstructionSet;
use nn::Model;
use std::{env, thread};
use study::run::{Laboratory, RunError};

/// The environment variable that forces an instruction set.
const KERNELS: &str = "MNIST_STUDY_KERNELS";

/// Does what the command line says.
pub(crate) fn run(arguments: Arguments) -> Result<(), Failure> {
    match arguments.command {
        None => compare::run(&arguments.compare),
        Some(Command::Compare(arguments)) => compare::run(&arguments),
        Some(Command::Train(arguments)) => train::run(&arguments),
        Some(Command::Evaluate(arguments)) => evaluate::run(&arguments),
        Some(Command::Report(arguments)) => report::run(&arguments),
        Some(Command::Verify(arguments)) => verify::run(&arguments),
        Some(Command::Bench(arguments)) => bench::run(&arguments),
        Some(Command::Models(arguments)) => lists::models(&arguments),
        Some(Command::Datasets(arguments)) => datasets::run(&arguments),
        Some(Command::Completions { shell }) => {
            let mut script = Vec::new();
            clap_complete::generate(shell, &mut Arguments::command(), "mnist-study", &mut script);
            output::result(&String::from_utf8_lossy(&script))
        }
    }
}

/// The instruction set that the environment forces, else the fastest there is.
fn instruction_set() -> Result<InstructionSet, Failure> {
    match env::var(KERNELS) {
        Ok(name) if !name.is_empty() => InstructionSet::named(&name)
            .map_err(|error| Failure::usage(error, format!("unset {KERNELS} to let the program choose"))),
        _ => Ok(InstructionSet::detect()),
    }
}

/// Loads the data, fetched if it is a known set that is not here, and starts the threads.
///
/// Every model is built once before, so that a name or shape that does not fit is told before any work.
fn laboratory(
    dataset: &str,
    threads: Option<usize>,
    models: &[String],
    quiet: bool,
) -> Result<Laboratory, Failure> {
    known(models)?;
    laboratory_with(instruction_set()?, dataset, threads, models, quiet)
}

fn known(models: &[String]) -> Result<(), Failure> {
    for name in models {
        if nn::built_in(name).is_none() {
            return Err(RunError::UnknownModel { name: name.clone() }.into());
        }
    }
    Ok(())
}

/// As [`laboratory`], for an instruction set.
fn laboratory_with(
    set: InstructionSet,
    dataset: &str,
    threads: Option<usize>,
    models: &[String],
    quiet: bool,
) -> Result<Laboratory, Failure> {
    let source = datasets::source(dataset, quiet)?;
    let threads = threads.unwrap_or_else(|| thread::available_parallelism().map_or(1, usize::from));
    let laboratory = Laboratory::open(&source, set, threads)?;
    for name in models {
        let _: Model<f32> = laboratory.model(name, 1)?;
    }
    if interrupt::requested() {
        return Err(Failure::interrupted("interrupted before the first run", "nothing was changed"));
    }
    Ok(laboratory)
}
